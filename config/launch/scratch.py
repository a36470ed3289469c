"""A database and a broker for one measurement: durable like the real ones, migrated, empty, gone afterwards."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.launch.errors import LaunchError
from config.launch.folder import REPOSITORY, DataFolder
from config.launch.keys import load_keys
from config.launch.services import prepare_services


@contextmanager
def scratch_services(programs_cache: Path) -> Iterator[dict[str, str]]:
    """The environment that leads to them. What the user's environment names is left alone."""
    with tempfile.TemporaryDirectory(prefix="cardinal-scratch-") as temporary:
        folder = DataFolder(Path(temporary))
        folder.make()
        keys = load_keys(folder)
        own = {name: os.environ.pop(name, None) for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")}
        services = prepare_services(folder.path, programs_cache=programs_cache, passwords=keys.service_passwords())
        try:
            services.start()
            addresses = {**keys.environment(), **services.environment()}
            migrate(addresses)
            yield addresses
        finally:
            services.stop()
            os.environ.update({name: value for name, value in own.items() if value is not None})


def migrate(addresses: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "manage.py"), "migrate", "-v0"],
        env={**os.environ, **addresses, "CARDINAL_NO_VENV": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise LaunchError(f"migrate failed:\n{done.stderr[-2000:]}")
