"""A database of a version before 0.1.0: known to be whole where it is, refused in words where it is not."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config.management import installation

pytestmark = pytest.mark.django_db


def squashed():
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return {key: migration.replaces for key, migration in loader.disk_migrations.items() if migration.replaces}


def before_they_were_one(*left_out):
    """What is recorded as applied where the earlier migrations were, but for those."""
    recorded = MigrationRecorder(connection)
    for key, earlier in squashed().items():
        recorded.record_unapplied(*key)
        for each in earlier:
            (recorded.record_unapplied if each in left_out else recorded.record_applied)(*each)
    return recorded


@pytest.fixture(autouse=True)
def as_owner():
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")


def test_a_database_that_has_had_all_of_them_is_up_to_date():
    recorded = before_they_were_one()
    call_command("migrate", verbosity=0)
    assert set(squashed()) <= set(recorded.applied_migrations())


@pytest.mark.parametrize("missing", [("annotation", "0027_uncounted_battles"), ("arena", "0002_entries")])
def test_a_database_between_them_is_refused_by_name(missing):
    recorded = before_they_were_one(missing)
    before = set(recorded.applied_migrations())
    with pytest.raises(CommandError, match=rf"This database was made .* of {missing[0]} that are one by now"):
        call_command("migrate", verbosity=0)
    assert set(recorded.applied_migrations()) == before


def test_control_without_the_question_it_ends_in_the_middle_of_djangos_graph(monkeypatch):
    before_they_were_one(("annotation", "0027_uncounted_battles"))
    monkeypatch.setattr(installation, "halfway", lambda applied: [])
    with pytest.raises((ValueError, KeyError)):
        call_command("migrate", verbosity=0)
