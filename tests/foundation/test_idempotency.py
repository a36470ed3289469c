import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.http import QueryDict

from foundation import idempotency
from foundation.idempotency import (
    DRAFT_KEPT_FOR,
    BadKey,
    InFlight,
    KeyReused,
    body_hash,
    forget_expired,
    mint_key,
    once,
)
from foundation.models import IdempotencyRecord
from foundation.tasks import forget_idempotency_keys
from tests.foundation.threads import run_together

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DIGEST = body_hash({"preference": "a"})


def take_effect(effects, *, key="key-1", scope="vote:1", digest=DIGEST, fail=False):
    """A use case in miniature: its effect is a row, its answer the number of effects so far."""
    with transaction.atomic(), once(key=key, scope=scope, body_hash=digest, now=NOW) as attempt:
        if attempt.replayed:
            return attempt.response
        effects()
        if fail:
            raise RuntimeError("the effect fails")
        attempt.response = {"judgment": effects.count()}
        return attempt.response


class Effects:
    """Rows in a table without any constraint, so that nothing but the key stops a second one."""

    def __init__(self):
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE NONE; DROP TABLE IF EXISTS effect; CREATE TABLE effect (at timestamptz)")
            cursor.execute("GRANT ALL ON effect TO PUBLIC")
        self.meeting = None

    def __call__(self):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO effect VALUES (now())")
        if self.meeting:
            with suppress(threading.BrokenBarrierError):
                self.meeting.wait(1)

    def count(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM effect")
            return cursor.fetchone()[0]


@pytest.fixture
def effects():
    yield Effects()
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE; DROP TABLE effect")
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_second_request_replays_the_first_answer(effects):
    answers = [take_effect(effects) for _ in range(3)]

    assert answers == [{"judgment": 1}] * 3
    assert effects.count() == 1
    record = IdempotencyRecord.objects.get()
    assert (record.scope, record.key, record.body_hash, record.response) == (
        "vote:1",
        "key-1",
        DIGEST,
        {"judgment": 1},
    )
    assert (record.created_at, record.expires_at) == (NOW, NOW + timedelta(hours=24))


@pytest.mark.django_db(transaction=True)
def test_the_same_key_with_another_body_is_refused_and_in_another_scope_is_another_key(effects):
    take_effect(effects)

    with pytest.raises(KeyReused) as refused:
        take_effect(effects, digest=body_hash({"preference": "b"}))
    assert refused.value.status_code == 422
    assert take_effect(effects, scope="vote:2") == {"judgment": 2}


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_not_remembered_and_may_be_tried_again(effects):
    with pytest.raises(RuntimeError, match="the effect fails"):
        take_effect(effects, fail=True)

    assert (effects.count(), IdempotencyRecord.objects.count()) == (0, 0)
    assert take_effect(effects) == {"judgment": 1}


@pytest.mark.django_db(transaction=True)
def test_an_answer_of_nothing_is_replayed_too(effects):
    def silent():
        with transaction.atomic(), once(key="k", scope="s", body_hash=DIGEST, now=NOW) as attempt:
            if not attempt.replayed:
                effects()
            return attempt.replayed, attempt.response

    assert [silent(), silent()] == [(False, None), (True, None)]
    assert effects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_take_effect_once_and_the_other_is_told_to_wait(effects):
    effects.meeting = threading.Barrier(2)

    outcomes = run_together(lambda: take_effect(effects), lambda: take_effect(effects))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InFlight", "dict"]
    assert next(outcome for outcome in outcomes if isinstance(outcome, InFlight)).status_code == 409
    assert effects.count() == 1
    assert take_effect(effects) == {"judgment": 1}


@pytest.fixture
def no_lock(monkeypatch):
    monkeypatch.setattr(
        idempotency,
        "LOCK_AND_LOOK",
        # Each locks something of its own.
        idempotency.LOCK_AND_LOOK.replace("(%s, %s, %s)", "(%s / 2 + pg_backend_pid(), %s, %s)"),
    )


@pytest.fixture
def no_unique_key():
    def change(statement):
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE NONE; ALTER TABLE foundation_idempotencyrecord {statement}")
        connection.close()

    change("DROP CONSTRAINT one_answer_per_key")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE; TRUNCATE foundation_idempotencyrecord")
    change("ADD CONSTRAINT one_answer_per_key UNIQUE (scope, key)")


@pytest.mark.django_db(transaction=True)
def test_control_two_at_once_take_effect_twice_without_lock_and_constraint(effects, no_lock, no_unique_key):
    effects.meeting = threading.Barrier(2)

    run_together(lambda: take_effect(effects), lambda: take_effect(effects))

    assert effects.count() == 2


AS_ONE_STATEMENT = """
    (SELECT pg_try_advisory_xact_lock(%s) AS is_locked) lock
    LEFT JOIN foundation_idempotencyrecord ON scope = %s AND key = %s
"""
SLEEPS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"


def sleeps(cursor):
    # Who does what is told the owner alone, and once in a transaction, unless that is forgotten.
    cursor.execute("SET LOCAL ROLE NONE; SELECT pg_stat_clear_snapshot()")
    cursor.execute(SLEEPS)
    return cursor.fetchone()


def looked_late(effects, monkeypatch, look):
    """What two requests get: the second's statement begins before the first commits, and has its lock after that."""
    holds = threading.Event()

    def first():
        with transaction.atomic():
            answer = take_effect(effects)
            holds.set()
            deadline = time.monotonic() + 20
            with connection.cursor() as cursor:
                while not sleeps(cursor):
                    assert time.monotonic() < deadline
        return answer

    def second():
        assert holds.wait(20)
        slept = look.replace("(%s", "(%s + (SELECT length(pg_sleep(2)::text))", 1)
        monkeypatch.setattr(idempotency, "LOCK_AND_LOOK", slept)
        return take_effect(effects)

    return run_together(first, second)


@pytest.mark.django_db(transaction=True)
def test_a_look_that_began_before_the_first_committed_sees_its_answer(effects, monkeypatch):
    assert looked_late(effects, monkeypatch, idempotency.LOCK_AND_LOOK) == [{"judgment": 1}, {"judgment": 1}]
    assert effects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_a_lock_and_a_look_in_one_statement_miss_it(effects, monkeypatch):
    _, second = looked_late(effects, monkeypatch, f"SELECT is_locked, body_hash, response FROM {AS_ONE_STATEMENT}")
    assert "was handled meanwhile" in str(second)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_constraint_still_undoes_the_second_effect(effects, no_lock):
    effects.meeting = threading.Barrier(2)

    outcomes = run_together(lambda: take_effect(effects), lambda: take_effect(effects))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InFlight", "dict"]
    assert effects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_senders_of_few_keys_leave_one_effect_and_one_answer_per_key(effects):
    keys = [f"key-{number % 5}" for number in range(40)]
    answers = {}

    def send(key):
        def until_answered():
            while True:
                try:
                    answer = take_effect(effects, key=key)
                except InFlight:
                    continue
                answers.setdefault(key, []).append(answer)
                return

        return until_answered

    for start in range(0, len(keys), 8):
        assert run_together(*[send(key) for key in keys[start : start + 8]]) == [None] * 8

    print(f"{len(keys)} requests, {sum(map(len, answers.values()))} answers, {effects.count()} effects")
    assert effects.count() == 5
    assert {key: len(set(map(str, replies))) for key, replies in answers.items()} == {f"key-{n}": 1 for n in range(5)}
    assert sum(map(len, answers.values())) == 40


@pytest.mark.django_db
def test_one_effect_costs_one_look_and_one_insert(effects, django_assert_num_queries):
    with django_assert_num_queries(2), once(key="k", scope="s", body_hash=DIGEST, now=NOW) as attempt:
        attempt.response = {}
    with django_assert_num_queries(1), once(key="k", scope="s", body_hash=DIGEST, now=NOW) as attempt:
        assert attempt.replayed


@pytest.mark.django_db(transaction=True)
def test_a_key_outside_a_transaction_is_refused():
    with pytest.raises(transaction.TransactionManagementError), once(key="k", scope="s", body_hash="", now=NOW):
        pass


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "a" * 65, "with space", "nul\x00", "é", "line\n"])
def test_a_key_that_is_no_key_is_refused(key):
    with pytest.raises(BadKey), once(key=key, scope="s", body_hash="", now=NOW):
        pass


def test_the_hash_of_a_body_is_of_its_meaning():
    form = QueryDict("preference=a&reason=x&reason=y&csrfmiddlewaretoken=1")
    again = QueryDict("csrfmiddlewaretoken=2&reason=x&reason=y&preference=a")

    assert body_hash(form) == body_hash(again)
    assert body_hash(form) != body_hash(QueryDict("preference=a&reason=y&reason=x"))
    assert body_hash({"a": 1, "b": [1, 2]}) == body_hash({"b": [1, 2], "a": 1})
    assert body_hash({"a": 1}) != body_hash({"a": "1"})
    assert body_hash({"a": Decimal("1.50"), "b": UUID(int=1), "c": NOW}) == body_hash(
        {"a": "1.50", "b": str(UUID(int=1)), "c": "2026-05-01T12:00:00Z"}
    )
    assert len(body_hash("lone \ud83d")) == 64
    with pytest.raises(ValueError, match="not JSON compliant"):
        body_hash({"a": float("nan")})


@pytest.mark.django_db
def test_old_answers_are_forgotten_and_drafts_kept_longer():
    for key, kept_for in [("vote", idempotency.KEPT_FOR), ("draft", DRAFT_KEPT_FOR)]:
        with once(key=key, scope="s", body_hash=DIGEST, now=NOW, kept_for=kept_for):
            pass

    assert forget_expired(now=NOW + timedelta(hours=24)) == 0
    assert forget_expired(now=NOW + timedelta(hours=25)) == 1
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["draft"]
    assert forget_idempotency_keys.name == "foundation.forget_idempotency_keys"
    IdempotencyRecord.objects.update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert forget_idempotency_keys() == 1


def test_minted_keys_are_keys_and_differ():
    keys = {mint_key() for _ in range(1000)}

    assert len(keys) == 1000
    assert {len(key) for key in keys} == {32}
