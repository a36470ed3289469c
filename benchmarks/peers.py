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


def peer_python(name: str) -> Path:
    """The Python of the peers' environment, which is made on the first call after its requirements changed."""
    requirements = requirements_of(name)
    home = data_folder().path / "peers" / name
    python, stamp = home / "bin" / "python", home / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return python
    venv.create(home, clear=True, with_pip=False)
    ours = Environment(REPOSITORY, Path(sys.prefix))
    ours.run([*ours.installer(python), "-r", str(requirements)])
    stamp.write_text(wanted)
    return python


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
