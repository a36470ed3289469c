"""`manage.py backup FILE`: everything of this installation in one file."""

from argparse import ArgumentParser
from base64 import b64encode
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.launch.backups import write_backup
from config.launch.errors import LaunchError
from config.launch.folder import data_folder
from config.launch.keys import FILE as KEYS_FILE
from config.management.installation import current_target, describe

SEALED = (
    "Texts of people and keys of endpoints in it are sealed. Keep a copy of the encryption key apart\n"
    "({place} or CARDINAL_ENCRYPTION_KEY): without it they can never be read again."
)
OPEN = "It holds the keys: whoever has this file can read everything in it."


class Command(BaseCommand):
    help = "Writes the database, as of one moment, and the uploaded files to FILE."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--with-keys", action="store_true", help="put the keys in FILE as well")

    def handle(self, *args: Any, file: Path, with_keys: bool, **options: Any) -> None:
        keys: dict[str, str] = {}
        if with_keys:
            keys = {
                "secret_key": settings.SECRET_KEY,
                "encryption_key": b64encode(settings.ENCRYPTION_KEY).decode(),
            }
        try:
            write_backup(file, current_target(), describe(), keys)
        except LaunchError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
        self.stdout.write(OPEN if with_keys else SEALED.format(place=data_folder().path / KEYS_FILE))
