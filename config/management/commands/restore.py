"""`manage.py restore FILE`: what `backup` wrote, into an empty database."""

from argparse import ArgumentParser
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.launch.backups import Contents, key_fingerprint, read_contents, restore_backup
from config.launch.errors import LaunchError
from config.launch.folder import data_folder
from config.launch.keys import load_keys, save_keys
from config.management.installation import current_target, refuse_halfway, unknown_migrations

OTHER_KEY = (
    "This installation has another encryption key than the one that sealed the texts of people and the keys of\n"
    "endpoints in the backup: set CARDINAL_ENCRYPTION_KEY to the old one, or they cannot be read."
)


class Command(BaseCommand):
    help = "Restores a backup, all of it or nothing. A database that holds tables is refused without --force."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--force", action="store_true", help="throw away what the database holds now")

    def handle(self, *args: Any, file: Path, force: bool, **options: Any) -> None:
        try:
            contents = read_contents(file)
            self.refuse(contents, force)
            connection.close()
            restore_backup(file, current_target(), empty_first=force)
            # Tables, static files and demo of `up` were made for what was here before.
            data_folder().stamp.unlink(missing_ok=True)
            self.stdout.write(f"{file} is restored, as of {contents.description['made_at']}.")
            self.settle_keys(contents)
        except LaunchError as refusal:
            raise CommandError(str(refusal)) from None

    def refuse(self, contents: Contents, force: bool) -> None:
        unknown = unknown_migrations(dict(contents.description))
        if unknown:
            raise LaunchError(f"the backup is of a later Cardinal, which also has {', '.join(unknown)}: update first")
        refuse_halfway(((app, name) for app, name in contents.description["migrations"]), "The backup")
        tables = connection.introspection.table_names()
        if tables and not force:
            raise LaunchError(f"the database holds {len(tables)} tables already: --force throws them away")

    def settle_keys(self, contents: Contents) -> None:
        """Make the backup's keys this installation's, or say that others are needed to read the sealed texts."""
        if contents.description["key_fingerprint"] == key_fingerprint(settings.ENCRYPTION_KEY):
            return
        folder = data_folder()
        ours = load_keys(folder)
        from_file = ours.encryption_key == b64encode(settings.ENCRYPTION_KEY).decode()
        if contents.keys and from_file:
            save_keys(folder, replace(ours, **contents.keys))
            self.stdout.write("Its keys are this installation's now.")
        else:
            self.stderr.write(OTHER_KEY)
