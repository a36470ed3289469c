import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from foundation.database import (
    advisory_lock,
    count_anew,
    database_now,
    planned_cursor,
    server_settings,
    try_advisory_lock,
)
from foundation.idempotency import IdempotencyRecord
from foundation.leases import lease_expired, lease_holds, lease_until, new_token
from tests.foundation.threads import run_together


@pytest.mark.django_db
def test_the_database_clock_moves_within_a_transaction_and_is_utc():
    first, second = database_now(), database_now()

    assert first < second
    assert first.utcoffset() == timedelta(0)
    assert abs(timezone.now() - second) < timedelta(seconds=5)


@pytest.mark.django_db
@pytest.mark.parametrize("cursor_of", [planned_cursor, lambda: connection.cursor()], ids=["planned", "plain"])
def test_a_planned_statement_that_comes_again_is_planned_once_and_counted_like_any(cursor_of):
    with CaptureQueriesContext(connection) as counted:
        for number in range(8):
            with cursor_of() as cursor:
                cursor.execute("SELECT 7 + %(number)s::int", {"number": number})
                assert cursor.fetchone() == (7 + number,)
    assert len(counted) == 8
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 7 + %'")
        assert cursor.fetchone() == (1 if cursor_of is planned_cursor else 0,)


@pytest.mark.django_db
def test_errors_of_a_planned_statement_are_djangos():
    with pytest.raises(DataError), transaction.atomic(), planned_cursor() as cursor:
        cursor.execute("SELECT 1 / %(nothing)s::int", {"nothing": 0})


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_held_until_the_transaction_ends():
    held, released, seen = threading.Event(), threading.Event(), []

    def holder():
        with transaction.atomic():
            with advisory_lock("board 1"):
                pass
            held.set()
            released.wait(10)

    def other():
        held.wait(10)
        with transaction.atomic():
            seen.append(("board 1", try_advisory_lock("board 1")))
            seen.append(("board 2", try_advisory_lock("board 2")))
        released.set()

    run_together(holder, other)
    with transaction.atomic():
        seen.append(("board 1, later", try_advisory_lock("board 1")))

    assert seen == [("board 1", False), ("board 2", True), ("board 1, later", True)]


@pytest.mark.django_db(transaction=True)
def test_two_read_modify_writes_under_one_lock_lose_nothing_and_without_it_one():
    assert count_to_two(advisory_lock) == 2
    assert count_to_two(lambda name: transaction.atomic()) == 1


def count_to_two(lock):
    """Two threads each read a number, meet if they can, and write it plus one."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE; DROP TABLE IF EXISTS counter; CREATE TABLE counter (n int);")
        cursor.execute("INSERT INTO counter VALUES (0); GRANT ALL ON counter TO PUBLIC")
    meeting = threading.Barrier(2)

    def increment():
        with lock("counter"), connection.cursor() as cursor:
            cursor.execute("SELECT n FROM counter")
            (n,) = cursor.fetchone()
            with suppress(threading.BrokenBarrierError):
                meeting.wait(0.5)
            cursor.execute("UPDATE counter SET n = %s", [n + 1])

    run_together(increment, increment)
    with connection.cursor() as cursor:
        cursor.execute("SELECT n FROM counter")
        (n,) = cursor.fetchone()
        cursor.execute("DROP TABLE counter")
    connection.close()
    return n


@pytest.mark.django_db(transaction=True)
def test_a_try_outside_a_transaction_is_refused():
    with pytest.raises(transaction.TransactionManagementError):
        try_advisory_lock("nobody would hold it")


@pytest.mark.django_db
def test_server_settings_are_those_of_this_session():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")

    assert server_settings() == {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    assert server_settings(("timezone",)) == {"timezone": "UTC"}


@pytest.mark.django_db
def test_a_lease_runs_on_the_clock_of_the_database():
    record = IdempotencyRecord.objects.create(
        scope="lease", key="1", created_at=timezone.now(), expires_at=timezone.now()
    )
    rows = IdempotencyRecord.objects.filter(pk=record.pk)

    rows.update(expires_at=lease_until(timedelta(seconds=60)))
    record.refresh_from_db()
    remaining = record.expires_at - database_now()
    assert timedelta(seconds=58) < remaining < timedelta(seconds=60)
    assert (rows.filter(lease_holds("expires_at")).count(), rows.filter(lease_expired("expires_at")).count()) == (1, 0)

    rows.update(expires_at=lease_until(timedelta(seconds=-1)))
    assert (rows.filter(lease_holds("expires_at")).count(), rows.filter(lease_expired("expires_at")).count()) == (0, 1)


def test_tokens_differ():
    assert len({new_token() for _ in range(1000)}) == 1000


def rows_in_the_planners_view(model):
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_the_application_tells_the_planner_of_many_new_rows():
    now = timezone.now()
    IdempotencyRecord.objects.bulk_create(
        IdempotencyRecord(scope="counted", key=f"key {number}", body_hash="", created_at=now, expires_at=now)
        for number in range(500)
    )
    before = rows_in_the_planners_view(IdempotencyRecord)
    count_anew([IdempotencyRecord])
    assert before < 500 <= rows_in_the_planners_view(IdempotencyRecord)
