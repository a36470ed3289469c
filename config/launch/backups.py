"""Backups: one tar with the database as pg_dump writes it, the uploaded files, and what they belong to.

A restore is one transaction: all of it or nothing. Sealed texts and endpoint keys stay sealed in the backup; the
key that opens them is kept apart unless the person asks for it inside.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.launch.binaries import installed_programs
from config.launch.errors import LaunchError

FORMAT = 1
DESCRIPTION, DUMP, KEYS, MEDIA = "backup.json", "database.dump", "keys.json", "media"
EMPTY_SCHEMA = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC"

# Judgments remember the transaction that wrote them, by which the sequencer finds those without a number. In a new
# cluster, whose transactions count from the beginning, the old numbers lie in a future far away, and it would look at
# every restored row each time. Here they are all of this transaction: what has its number was there before it.
SETTLE_TRANSACTIONS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM public.annotation_judgment WHERE transaction >= pg_current_xact_id()::text::bigint) THEN
        SET CONSTRAINTS ALL IMMEDIATE;  -- a check put off would keep the trigger from being switched on again
        ALTER TABLE public.annotation_judgment DISABLE TRIGGER USER;
        UPDATE public.annotation_judgment j SET transaction = CASE
            WHEN EXISTS (SELECT FROM public.annotation_logentry e WHERE e.judgment_id = j.id) THEN 0
            ELSE pg_current_xact_id()::text::bigint
        END;
        ALTER TABLE public.annotation_judgment ENABLE TRIGGER USER;
    END IF;
END $$
"""


@dataclass(frozen=True)
class Target:
    """The database as its owner reaches it (libpq's PG… variables), and the folder of uploaded files."""

    database: Mapping[str, str]
    media: Path


def write_backup(file: Path, target: Target, description: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    """Write `file` whole or not at all, readable by its owner alone. Empty `keys` are left out."""
    file = file.absolute()
    if file.exists():
        raise LaunchError(f"{file} exists: a backup is never written over")
    if not file.parent.is_dir():
        raise LaunchError(f"there is no folder {file.parent}")
    descriptor, half = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # mode 0600
    os.close(descriptor)
    try:
        with tempfile.TemporaryDirectory(prefix="cardinal-backup-") as folder:
            dump = Path(folder) / DUMP
            run_tool("pg_dump", ["--format=custom", f"--file={dump}", "--no-owner"], target.database)
            with tarfile.open(half, "w") as archive:
                add_json(archive, DESCRIPTION, {"format": FORMAT, **description})
                if keys:
                    add_json(archive, KEYS, keys)
                if target.media.is_dir():
                    archive.add(target.media, MEDIA)
                archive.add(dump, DUMP)  # last: a file cut short lacks it
        Path(half).rename(file)
    finally:
        with suppress(FileNotFoundError):
            Path(half).unlink()


def add_json(archive: tarfile.TarFile, name: str, content: Mapping[str, Any]) -> None:
    body = json.dumps(content, indent=1).encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(body), 0o600
    archive.addfile(entry, io.BytesIO(body))


@dataclass(frozen=True)
class Contents:
    """What a backup says of itself; `keys` is empty when they are kept apart."""

    description: Mapping[str, Any]
    keys: Mapping[str, str]


def read_contents(file: Path) -> Contents:
    """Refuses what is not a backup, is cut short, or was written in a later format."""
    try:
        with tarfile.open(file) as archive:
            names = archive.getnames()
            description = read_json(archive, DESCRIPTION)
            keys = read_json(archive, KEYS) if KEYS in names else {}
    except (tarfile.TarError, KeyError, ValueError, EOFError, OSError) as error:
        why = str(error).partition("\n")[0].rstrip(" :-")  # tarfile adds a line for each compression it tried
        raise LaunchError(f"{file} is no whole backup of Cardinal: {why}") from None
    if DUMP not in names:
        raise LaunchError(f"{file} is no whole backup of Cardinal: it holds no {DUMP}")
    if description["format"] > FORMAT:
        raise LaunchError(f"{file} was written by a later Cardinal: format {description['format']}")
    return Contents(description, keys)


def read_json(archive: tarfile.TarFile, name: str) -> dict[str, Any]:
    entry = archive.extractfile(name)
    if entry is None:
        raise KeyError(name)
    content: dict[str, Any] = json.loads(entry.read())
    return content


def restore_backup(file: Path, target: Target, *, empty_first: bool) -> None:
    """One transaction: what is there is emptied first if asked, and stays untouched when anything fails."""
    with tempfile.TemporaryDirectory(prefix="cardinal-restore-") as folder, tarfile.open(file) as archive:
        # The script is written out before any of it runs: half a script must not be taken for the whole.
        dump, script = Path(folder) / DUMP, Path(folder) / "restore.sql"
        extract(archive, archive.getmember(DUMP), dump)
        run_tool("pg_restore", ["--no-owner", f"--file={script}", str(dump)])
        options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1"]
        steps = ["--command", EMPTY_SCHEMA] if empty_first else []
        run_tool("psql", [*options, *steps, "--file", str(script), "--command", SETTLE_TRANSACTIONS], target.database)
        for member in archive.getmembers():
            inside = Path(member.name)
            if member.isfile() and inside.parts[0] == MEDIA and ".." not in inside.parts:
                extract(archive, member, target.media / inside.relative_to(MEDIA))


def extract(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    source = archive.extractfile(member)
    if source is None:
        raise LaunchError(f"{member.name} in the backup is no file")
    place.parent.mkdir(parents=True, exist_ok=True)
    with source, place.open("wb") as copy:
        shutil.copyfileobj(source, copy)


def run_tool(program: str, arguments: Sequence[str], database: Mapping[str, str] | None = None) -> None:
    """Run one of PostgreSQL's tools. The password is in its environment: arguments are seen by everyone."""
    done = subprocess.run(
        [str(installed_programs().postgres / program), *arguments],
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", **(database or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise LaunchError(next((line for line in said if "error:" in line.lower()), f"{program} failed: {said[-1:]}"))


def key_fingerprint(encryption_key: bytes) -> str:
    """Tells whether two keys are the same without telling the key, which is random and long."""
    return hashlib.sha256(b"cardinal backup\0" + encryption_key).hexdigest()[:16]
