"""Runs one command with what it needs around it: keys, and the database and broker it works on."""

import os
import signal
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from config.launch.errors import LaunchError
from config.launch.folder import DISK_FULL, REPOSITORY, DataFolder, data_folder
from config.launch.keys import load_keys
from config.launch.scratch import scratch_services
from config.launch.services import prepare_services

# Django's and our own commands that read code only.
WITHOUT_DATABASE = {
    "", "-h", "--help", "--version", "help", "version", "check_all", "bench", "collectstatic", "compilemessages",
    "diffsettings", "findstatic", "makemessages", "makemigrations", "spectacular", "startapp", "states",
}  # fmt: skip
# Commands that change tables or look past the application's role.
AS_OWNER = {
    "backup", "createcachetable", "dbshell", "flush", "migrate", "restore", "showmigrations", "sqlflush", "sqlmigrate",
}  # fmt: skip
SECONDS_FOR_UP = 60


def run(arguments: Sequence[str]) -> int:
    """The exit status of `manage.py ARGUMENTS`. A refusal is one line on standard error."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    try:
        status = run_named(arguments)
        sys.stdout.flush()  # where a reader who has left is noticed
        return status
    except LaunchError as refusal:
        print(f"Cardinal: {refusal}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `manage.py … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        print(f"Cardinal: the disk is full: {error.filename or data_folder().path}", file=sys.stderr)
    return 1


def run_named(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else ""
    if name == "up":
        from config.launch.up import up

        return up(arguments[1:])
    if name == "test":
        from config.launch.test_run import run_tests

        return run_tests(arguments[1:])
    run_django(arguments)
    return 0


def run_django(arguments: Sequence[str]) -> None:
    from django.core.management import execute_from_command_line

    command = ["manage.py", *arguments]
    name = arguments[0] if arguments else ""
    folder = data_folder()
    if name == "bench" and needs_database(arguments):
        folder.make()
        with scratch_services(folder.path) as addresses:
            os.environ.update(addresses)
            execute_from_command_line(command)
    elif name in WITHOUT_DATABASE or {"-h", "--help"} & set(arguments):
        folder.make()
        os.environ.update(load_keys(folder).environment())
        execute_from_command_line(command)
    else:
        with surroundings(folder) as addresses:
            os.environ.update(addresses)
            if name in AS_OWNER:
                os.environ["DATABASE_URL"] = os.environ["DATABASE_OWNER_URL"]
            else:
                refuse_other_key()
            execute_from_command_line(command)


def refuse_other_key() -> None:
    """What a command seals under another key than the site's, the site cannot read."""
    import django

    django.setup()
    from foundation.key_mark import other_key_of_default

    if refusal := other_key_of_default():
        raise LaunchError(refusal)


def needs_database(arguments: Sequence[str]) -> bool:
    """Whether the named benchmark writes to a database, by its own word in benchmarks/goals.toml."""
    folder = REPOSITORY / "benchmarks"
    goals = tomllib.loads((folder / "goals.toml").read_text())
    named = [word for word in arguments[1:] if word in goals and (folder / f"{word}.py").exists()]
    return any(goals[word].get("database", False) for word in named)


@contextmanager
def surroundings(folder: DataFolder) -> Iterator[dict[str, str]]:
    """Keys and addresses: the user's servers, else those of the running `up`, else our own for this while."""
    folder.make()
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        owner = os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"]
        yield {**load_keys(folder).environment(), "DATABASE_OWNER_URL": owner}
        return
    run = running_up(folder)
    if run is not None:
        yield {**load_keys(folder).environment(), **run["environment"]}
        return
    keys = load_keys(folder)
    services = prepare_services(folder.path, programs_cache=folder.path, passwords=keys.service_passwords())
    previous = signal.signal(signal.SIGTERM, end_command)
    try:
        services.start()
        yield {**keys.environment(), **services.environment()}
    finally:
        services.stop()
        signal.signal(signal.SIGTERM, previous)


def end_command(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def running_up(folder: DataFolder) -> dict[str, Any] | None:
    """What the running `up` says of itself; None, and the folder is this process's, when there is none.

    An `up` that is starting is waited for, another command's servers until they end.
    """
    deadline = time.monotonic() + SECONDS_FOR_UP
    while time.monotonic() < deadline:
        if folder.lock() is not None:
            folder.run_file.unlink(missing_ok=True)
            return None
        run = folder.read_run()
        if run is not None:
            return run
        time.sleep(0.1)
    raise LaunchError(f"another command is using {folder.path} for more than {SECONDS_FOR_UP} s: try again later")
