"""The suite's own emptying of tables between tests."""

import threading
import time

import pytest
from django.db import connection

from accounts.models import Person
from tests import emptying
from tests.factories import make_person

pytestmark = pytest.mark.django_db(transaction=True)
WAITS = "SELECT pid FROM pg_locks WHERE NOT granted AND pid = %s"


def lock_crosswise(pid: int, has_last: threading.Event) -> None:
    """Lock the last table and then the first, as one who writes to both does, and outlast the deadlock."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE NONE; BEGIN; SET LOCAL deadlock_timeout = '60s'")
            cursor.execute(f"LOCK TABLE {emptying.tables()[-1]} IN ROW EXCLUSIVE MODE")
            has_last.set()
            deadline = time.monotonic() + 20
            while not cursor.execute(WAITS, [pid]).fetchone():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            cursor.execute(f"LOCK TABLE {emptying.tables()[0]} IN ROW EXCLUSIVE MODE")
            cursor.execute("COMMIT")
    finally:
        connection.close()


def test_tables_are_emptied_though_the_first_try_is_the_victim_of_a_deadlock(monkeypatch):
    tries, delete_rows = [], emptying.delete_rows
    monkeypatch.setattr(emptying, "delete_rows", lambda: (tries.append("a try"), delete_rows()))
    make_person()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    has_last = threading.Event()
    other = threading.Thread(target=lock_crosswise, args=(pid, has_last))
    other.start()
    assert has_last.wait(20)
    emptying.empty(lambda: pytest.fail("few rows are deleted, not flushed"))
    other.join(20)
    assert (len(tries), Person.objects.count()) == (2, 0)
