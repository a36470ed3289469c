"""Secrets of this installation, made at the first start into `keys.json`, mode 0600."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from config.launch.errors import LaunchError
from config.launch.folder import DataFolder, write_private
from config.launch.postgres import Passwords
from config.launch.services import ServicePasswords

FILE = "keys.json"
KEY_BYTES = 32


@dataclass(frozen=True)
class Keys:
    secret_key: str
    encryption_key: str
    owner_password: str
    application_password: str
    redis_password: str

    def service_passwords(self) -> ServicePasswords:
        return ServicePasswords(Passwords(self.owner_password, self.application_password), self.redis_password)

    def environment(self) -> dict[str, str]:
        """For Django's settings. What the user's environment sets already stands."""
        made = {"SECRET_KEY": self.secret_key, "CARDINAL_ENCRYPTION_KEY": self.encryption_key}
        return {name: value for name, value in made.items() if not os.environ.get(name)}


def refuse_unusable_key() -> None:
    """A key from the environment must be one before anything is started or made with it."""
    given = os.environ.get("CARDINAL_ENCRYPTION_KEY")
    try:
        usable = given is None or len(base64.b64decode(given, validate=True)) in {0, KEY_BYTES}
    except ValueError:
        usable = False
    if not usable:
        raise LaunchError(f"CARDINAL_ENCRYPTION_KEY is not base64 of {KEY_BYTES} bytes: correct it, or leave it unset")


def load_keys(folder: DataFolder) -> Keys:
    """The installation's keys, made when there is nothing yet that needs the old ones."""
    refuse_unusable_key()
    file = folder.path / FILE
    if file.exists():
        written: Mapping[str, str] = json.loads(file.read_text())
        return Keys(**written)
    if (folder.cluster / "PG_VERSION").exists():
        raise LaunchError(
            f"{file} is missing, without it the data in {folder.cluster} cannot be read: put the file back, "
            "or move the folder away to start anew"
        )
    keys = Keys(
        secret_key=secrets.token_urlsafe(50),
        encryption_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        owner_password=secrets.token_urlsafe(24),
        application_password=secrets.token_urlsafe(24),
        redis_password=secrets.token_urlsafe(24),
    )
    save_keys(folder, keys)
    return keys


def save_keys(folder: DataFolder, keys: Keys) -> None:
    write_private(folder.path / FILE, json.dumps(asdict(keys), indent=1))
