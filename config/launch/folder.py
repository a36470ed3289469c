"""The data folder: what lies where in `.cardinal/`, and who is using it now."""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.launch.errors import LaunchError

REPOSITORY = Path(__file__).resolve().parents[2]
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
ROOM = 300_000_000  # bytes: a cluster, its log of changes and the converted demo model


def data_folder() -> "DataFolder":
    """CARDINAL_DATA_DIR, by default `.cardinal` beside manage.py."""
    return DataFolder(Path(os.environ.get("CARDINAL_DATA_DIR") or REPOSITORY / ".cardinal").resolve())


@dataclass(frozen=True)
class DataFolder:
    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def cluster(self) -> Path:
        return self.path / "postgres"

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def stamp(self) -> Path:
        return self.path / "prepared.json"

    def make(self) -> None:
        try:
            # The database server may run as another user and must get to its own folder, but not look around.
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except PermissionError:
            raise LaunchError(
                f"{self.path} belongs to another user: set CARDINAL_DATA_DIR to a folder of yours"
            ) from None
        except (FileExistsError, NotADirectoryError) as error:
            raise LaunchError(f"{error.filename} is a file: set CARDINAL_DATA_DIR to a folder") from None
        if not os.access(self.path, os.W_OK):
            raise LaunchError(f"{self.path} belongs to another user: set CARDINAL_DATA_DIR to a folder of yours")

    def refuse_full_disk(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < ROOM:
            raise LaunchError(
                f"the disk is full: {self.path} has {free // 1_000_000} MB free, Cardinal needs {ROOM // 1_000_000} MB"
            )

    def lock(self) -> int | None:
        """Take the folder for this process until it ends; None when another process has it.

        The kernel drops the lock with its holder, so a killed one leaves no trace to clean up.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def write_run(self, run: Mapping[str, Any]) -> None:
        write_private(self.run_file, json.dumps({"pid": os.getpid(), **run}, indent=1))

    def read_run(self) -> dict[str, Any] | None:
        """What the process that holds the folder wrote; None while there is none or it is not ready."""
        try:
            run: dict[str, Any] = json.loads(self.run_file.read_text())
            os.kill(run["pid"], 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        except PermissionError:
            raise LaunchError(f"{self.run_file} belongs to another user") from None
        return run


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, readable by the owner alone."""
    half = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
