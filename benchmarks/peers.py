"""Environments of the peers, one for each benchmark: they pin what we do not."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from config.launch.bootstrap import Environment
from config.launch.folder import REPOSITORY, data_folder

REQUIREMENTS = Path(__file__).parent / "peers"


def requirements_of(name: str) -> Path:
    """The pinned packages of a benchmark's peers; the file is missing where they live beside us."""
    return REQUIREMENTS / f"{name}.txt"


def at_hand(name: str) -> bool:
    """Whether the environment stands as its requirements are now."""
    python, stamp = python_and_stamp(name)
    return stamp.exists() and stamp.read_text() == wanted_stamp(name) and python.exists()


def peer_python(name: str) -> Path:
    """The Python of the peers' environment, which is made on the first call after its requirements changed."""
    python, stamp = python_and_stamp(name)
    if at_hand(name):
        return python
    venv.create(stamp.parent, clear=True, with_pip=False)
    ours = Environment(REPOSITORY, Path(sys.prefix))
    ours.run([*ours.installer(python), "-r", str(requirements_of(name))])
    stamp.write_text(wanted_stamp(name))
    return python


def python_and_stamp(name: str) -> tuple[Path, Path]:
    home = data_folder().path / "peers" / name
    return home / "bin" / "python", home / "requirements.sha256"


def wanted_stamp(name: str) -> str:
    return hashlib.sha256(requirements_of(name).read_bytes()).hexdigest()


def run_peer(name: str, program: str, *arguments: str) -> str:
    """What a Python program printed in the peers' environment. Its failure is ours, with what it said."""
    done = subprocess.run(
        [str(peer_python(name)), "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )
    if done.returncode != 0:
        raise RuntimeError(f"the peer of {name} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout
