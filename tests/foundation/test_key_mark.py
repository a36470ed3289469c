"""A database belongs to the key it is sealed under: whoever comes with another is refused before writing anything."""

import base64
import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from config.launch.folder import REPOSITORY
from foundation.database import lone_connection
from foundation.encryption import new_key
from foundation.key_mark import key_mark, leave_mark, other_key, other_key_of_default
from foundation.models import KeyMark
from foundation.refusals import refuse_unsafe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def marked():
    """As a migrate leaves it."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    leave_mark(sender=None, plan=[])
    return KeyMark.objects.get()


def test_a_migrate_leaves_one_mark_and_a_later_one_with_another_key_leaves_it_there(marked, settings):
    assert (marked.pk, marked.digest) == (1, key_mark())
    settings.ENCRYPTION_KEY = new_key()
    leave_mark(sender=None, plan=[])
    assert KeyMark.objects.get().digest == marked.digest != key_mark()


def test_a_process_with_the_databases_key_starts_and_one_with_another_does_not(marked, settings):
    def refused() -> bool:
        """The servers of the tests are refused for other reasons: they do not sync."""
        with pytest.raises(ImproperlyConfigured) as refusal:
            refuse_unsafe()
        return "CARDINAL_ENCRYPTION_KEY is not the key that this database is sealed under" in str(refusal.value)

    assert not refused()
    settings.ENCRYPTION_KEY = new_key()
    assert refused()


def test_a_database_without_a_mark_or_a_server_refuses_nobody(settings):
    assert other_key_of_default() == ""
    with lone_connection() as lone:
        lone.execute("SET search_path = pg_catalog")
        assert other_key(lone) == ""


def test_a_command_with_another_key_ends_in_one_line(marked, tmp_path):
    """Run for real: what it would have sealed nobody could have read."""
    address = connection.settings_dict
    url = f"postgres://{address['USER']}:{address['PASSWORD']}@{address['HOST']}:{address['PORT']}/{address['NAME']}"
    done = subprocess.run(
        [sys.executable, "manage.py", "erase_person", "nobody", "--yes"],
        cwd=REPOSITORY,
        env=os.environ
        | {
            "DATABASE_URL": url,
            "CARDINAL_NO_VENV": "1",
            "CARDINAL_DATA_DIR": str(tmp_path),
            "CARDINAL_ENCRYPTION_KEY": base64.b64encode(new_key()).decode(),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Cardinal: CARDINAL_ENCRYPTION_KEY is not the key that this database is sealed under: ")


def test_the_migration_goes_back_and_forth_without_its_table():
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    call_command("migrate", "foundation", "zero", verbosity=0)
    call_command("migrate", "foundation", verbosity=0)
    assert KeyMark.objects.get().digest == key_mark()
