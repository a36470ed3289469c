"""What `backup` and `restore` know of this installation through Django's settings."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from config.launch.backups import Target, key_fingerprint


def current_target() -> Target:
    parts = connection.settings_dict
    variables = {
        "PGHOST": parts["HOST"],
        "PGPORT": str(parts["PORT"]),
        "PGUSER": parts["USER"],
        "PGPASSWORD": parts["PASSWORD"],
        "PGDATABASE": parts["NAME"],
        # A pooler or a forgotten session must not hold a restore up for ever.
        "PGOPTIONS": "-c lock_timeout=10s",
    }
    return Target({name: value for name, value in variables.items() if value}, Path(settings.MEDIA_ROOT))


def describe() -> dict[str, Any]:
    applied = MigrationRecorder(connection).applied_migrations()
    return {
        "version": settings.VERSION,
        "made_at": timezone.now().isoformat(),
        "migrations": sorted([app, name] for app, name in applied),
        "key_fingerprint": key_fingerprint(settings.ENCRYPTION_KEY),
    }


def unknown_migrations(description: dict[str, Any]) -> list[str]:
    """Migrations in the backup that this code does not have: it was written by a later version."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    known = {*loader.disk_migrations, *replaced(loader)}
    return [f"{app}.{name}" for app, name in description["migrations"] if (app, name) not in known]


def halfway(applied: Iterable[tuple[str, str]]) -> list[str]:
    """Apps that stand between migrations that are one by now: only the code that still had them can take them on."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    done = set(applied)
    return sorted(
        {
            app
            for (app, name), migration in loader.disk_migrations.items()
            if migration.replaces and (app, name) not in done
            if 0 < len(done & set(migration.replaces)) < len(migration.replaces)
        }
    )


def refuse_halfway(applied: Iterable[tuple[str, str]], what: str) -> None:
    if between := halfway(applied):
        raise CommandError(
            f"{what} was made by a version before 0.1.0 and stands between migrations of {', '.join(between)} that are "
            "one by now. Nothing was changed: see “Updates” in docs/guides/admins.md."
        )


def replaced(loader: MigrationLoader) -> list[tuple[str, str]]:
    """What squashed migrations stand for."""
    return [earlier for migration in loader.disk_migrations.values() for earlier in migration.replaces]
