"""A backup brings back every row, and a restore that fails changes nothing."""

import io
import json
import os
import re
import tarfile
from contextlib import closing
from dataclasses import replace
from hashlib import sha256

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from psycopg import sql

from annotation.use_cases import sequence_log as sequencing
from annotation.use_cases.sequence_log import sequence_log
from config.launch import backups
from config.launch.backups import Target, key_fingerprint, read_contents, restore_backup, write_backup
from config.launch.errors import LaunchError
from config.management.installation import current_target, describe, unknown_migrations
from tests.annotation.test_sequence_log import judge
from tests.factories import make_campaign


def connect(target: Target) -> psycopg.Connection:
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    known = {names[name]: value for name, value in target.database.items() if name in names}
    return psycopg.connect(**known, autocommit=True)


def contents_of(target: Target) -> dict[str, tuple[int, str]]:
    """Rows and their digest, of every table."""
    found = {}
    with closing(connect(target)) as database:
        tables = database.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("SELECT row_to_json(t)::text FROM {} t ORDER BY 1").format(sql.Identifier(table))
            rows = [row for (row,) in database.execute(query)]
            found[table] = (len(rows), sha256("\n".join(rows).encode()).hexdigest())
    return found


@pytest.fixture
def source(db, tmp_path):
    """The test database with committed rows beside those of the migrations, and an uploaded file."""
    (tmp_path / "media" / "items").mkdir(parents=True)
    (tmp_path / "media" / "items" / "a.png").write_bytes(b"\x89PNG")
    target = Target(current_target().database, tmp_path / "media")
    with closing(connect(target)) as database:
        database.execute("CREATE TABLE backup_probe AS SELECT n, md5(n::text) AS text FROM generate_series(1, 1000) n")
        yield target
        database.execute("DROP TABLE backup_probe")


@pytest.fixture
def fresh(source, tmp_path):
    """An empty database on the same server."""
    name = f"restored_{os.getpid()}"
    with closing(connect(source)) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield Target({**source.database, "PGDATABASE": name}, tmp_path / "restored-media")
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def file(source, tmp_path):
    file = tmp_path / "backup.tar"
    write_backup(file, source, describe(), {})
    return file


def test_restore_brings_back_every_row_of_every_table(source, fresh, file):
    restore_backup(file, fresh, empty_first=False)
    restored = contents_of(fresh)
    assert restored == contents_of(source)
    assert restored["backup_probe"][0] == 1000
    assert restored["django_migrations"][0] > 20
    assert (fresh.media / "items" / "a.png").read_bytes() == b"\x89PNG"


def test_restored_application_role_still_cannot_change_the_log(fresh, file):
    restore_backup(file, fresh, empty_first=False)
    with closing(connect(fresh)) as database:
        database.execute("SET ROLE cardinal_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("DELETE FROM annotation_judgment")


@pytest.fixture
def from_another_cluster(source, file, tmp_path):
    """A backup of two numbered judgments and one without a number, of transactions that are far ahead of ours."""
    campaign = make_campaign()
    for _ in range(2):
        judge(campaign)
    sequence_log(now=timezone.now())
    judge(campaign)
    with closing(connect(source)) as database:
        database.execute("SET session_replication_role = replica")
        database.execute("UPDATE annotation_judgment SET transaction = transaction + 1000000000")
    write_backup(tmp_path / "other.tar", source, describe(), {})
    return tmp_path / "other.tar"


def looked_at(target: Target) -> tuple[int, int]:
    """Rows without a number that the sequencer finds, and numbered rows that it looks at before, as it does forever."""
    with closing(connect(target)) as database:
        last, last_id = database.execute(
            "SELECT j.transaction, j.id FROM annotation_logentry e JOIN annotation_judgment j ON j.id = e.judgment_id "
            "ORDER BY e.sequence DESC LIMIT 1"
        ).fetchone()
        (horizon,) = database.execute(sequencing.HORIZON).fetchone()
        values = {"last": last, "last_id": last_id, "horizon": horizon, "batch": 10}
        found = database.execute(sequencing.READY, values).fetchall()
        every = re.sub("AND NOT EXISTS .*", "", sequencing.READY.split("ORDER BY")[0])
        return len(found), len(database.execute(every, values).fetchall()) - len(found)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_judgments_of_another_cluster_are_numbered_and_not_looked_at_again(fresh, from_another_cluster):
    restore_backup(from_another_cluster, fresh, empty_first=False)
    assert looked_at(fresh) == (1, 0)
    with closing(connect(fresh)) as database:
        transactions = [row[0] for row in database.execute("SELECT transaction FROM annotation_judgment ORDER BY id")]
        assert transactions[:2] == [0, 0]
        assert 0 < transactions[2] < database.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()[0]
        with pytest.raises(psycopg.errors.RestrictViolation):  # the log is closed again
            database.execute("UPDATE annotation_judgment SET transaction = 0")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_control_unsettled_judgments_of_another_cluster_are_looked_at_each_time(
    fresh, from_another_cluster, monkeypatch
):
    monkeypatch.setattr(backups, "SETTLE_TRANSACTIONS", "SELECT 1")
    restore_backup(from_another_cluster, fresh, empty_first=False)
    assert looked_at(fresh) == (1, 2)


def test_restore_over_another_database_replaces_all_of_it(source, fresh, file):
    with closing(connect(fresh)) as database:
        database.execute("CREATE TABLE earlier AS SELECT 1 AS number")
    restore_backup(file, fresh, empty_first=True)
    assert contents_of(fresh) == contents_of(source)


def test_restore_that_fails_on_the_way_leaves_what_was_there(fresh, file):
    with closing(connect(fresh)) as database:
        database.execute("CREATE TABLE earlier AS SELECT 1 AS number")
        database.execute("CREATE SCHEMA guard")
        database.execute(
            "CREATE FUNCTION guard.refuse() RETURNS event_trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
        )
        database.execute(
            "CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE INDEX') "
            "EXECUTE FUNCTION guard.refuse()"
        )
    before = contents_of(fresh)
    with pytest.raises(LaunchError, match="the disk is full"):
        restore_backup(file, fresh, empty_first=True)
    assert contents_of(fresh) == before
    assert list(before) == ["earlier"]


def test_backup_is_private_and_never_written_over(source, file):
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(LaunchError, match="exists: a backup is never written over"):
        write_backup(file, source, describe(), {})
    assert [path.name for path in file.parent.iterdir() if path.name.startswith("backup")] == ["backup.tar"]


def test_keys_are_in_the_backup_only_when_asked_for(source, file, tmp_path):
    assert read_contents(file).keys == {}
    key = settings.ENCRYPTION_KEY
    assert key not in file.read_bytes()
    call_command("backup", str(tmp_path / "with.tar"), "--with-keys", stdout=io.StringIO())
    contents = read_contents(tmp_path / "with.tar")
    assert contents.keys["secret_key"] == settings.SECRET_KEY
    assert contents.description["key_fingerprint"] == key_fingerprint(key)


@pytest.mark.parametrize("share", [0.1, 0.6, 0.9])
def test_backup_cut_short_is_refused(file, share):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(LaunchError, match="is no whole backup of Cardinal"):
        read_contents(file)


def test_what_was_never_a_backup_is_refused_in_one_line(tmp_path):
    other = tmp_path / "notes.tar"
    other.write_text("not a tar at all, but long enough to be looked at" * 100)
    with pytest.raises(LaunchError, match="is no whole backup of Cardinal") as refused:
        read_contents(other)
    assert "\n" not in str(refused.value)


def test_backup_of_a_later_version_is_refused(file):
    description = dict(read_contents(file).description)
    assert unknown_migrations(description) == []
    description["migrations"] = [*description["migrations"], ["annotation", "0999_later"]]
    assert unknown_migrations(description) == ["annotation.0999_later"]


def test_backup_from_between_migrations_that_are_one_is_refused(file, monkeypatch):
    contents = read_contents(file)
    one = next(name for app, name in contents.description["migrations"] if (app, name[:4]) == ("arena", "0002"))
    left = [each for each in contents.description["migrations"] if each[0] != "arena" or each[1] == one]
    between = replace(contents, description={**contents.description, "migrations": left})
    monkeypatch.setattr("config.management.commands.restore.read_contents", lambda file: between)
    with pytest.raises(CommandError, match=r"The backup was made .* of arena that are one by now"):
        call_command("restore", str(file), force=True)


def test_restore_command_refuses_a_database_that_holds_tables(file):
    tables = len(connection.introspection.table_names())
    with pytest.raises(CommandError) as refusal:
        call_command("restore", str(file))
    assert str(refusal.value) == f"the database holds {tables} tables already: --force throws them away"


def test_archive_cannot_write_outside_the_media_folder(fresh, file, tmp_path):
    evil = tmp_path / "evil.tar"
    with tarfile.open(file) as archive, tarfile.open(evil, "w") as copy:
        for member in archive.getmembers():
            copy.addfile(member, archive.extractfile(member) if member.isfile() else None)
        entry = tarfile.TarInfo("media/../../outside.txt")
        copy.addfile(entry)
    restore_backup(evil, fresh, empty_first=False)
    assert not list(tmp_path.rglob("outside.txt"))
    assert json.loads(json.dumps(dict(read_contents(evil).description))) == dict(read_contents(file).description)
