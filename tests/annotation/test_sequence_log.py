"""The log's numbers follow commits, and its chain notices every change."""

import threading

import psycopg
import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from annotation.models import Judgment, LogEntry
from annotation.queries import standing_judgments
from annotation.use_cases import sequence_log as module
from annotation.use_cases.retire_source import restore_source, retire_source
from annotation.use_cases.sequence_log import sequence_log
from annotation.use_cases.supersede_judgment import supersede
from annotation.use_cases.undo_judgment import undo_judgment
from annotation.use_cases.verify_log import verify_log
from annotation.use_cases.withdraw_consent import withdraw_consent
from foundation.database import advisory_lock
from tests.annotation.test_submit_judgment import raw_answers, submit
from tests.factories import claim_and_show, make_campaign, make_item, make_respondent

# The watermark people write first: everything with a larger id than the last one.
BY_ID = """
SELECT id FROM annotation_judgment WHERE id > COALESCE((SELECT max(judgment_id) FROM annotation_logentry), 0)
AND %(last)s >= 0 ORDER BY id LIMIT %(batch)s
"""


def judge(campaign):
    make_item(campaign)
    respondent = make_respondent(campaign)
    assignment, _ = claim_and_show(campaign, respondent)
    return submit(assignment, respondent, answers=raw_answers())


@pytest.mark.django_db(transaction=True)
def test_every_committed_judgment_gets_the_next_number():
    campaign = make_campaign()
    judgments = [judge(campaign) for _ in range(3)]
    assert sequence_log(now=timezone.now()) == 3
    assert list(LogEntry.objects.order_by("sequence").values_list("sequence", "judgment_id")) == [
        (number, judgment.pk) for number, judgment in enumerate(judgments, start=1)
    ]
    assert sequence_log(now=timezone.now()) == 0


def commit_late():
    """A judgment whose transaction began, and took its id, before another's that commits first."""
    campaign = make_campaign()
    inserted, may_commit = threading.Event(), threading.Event()

    def slow_writer():
        with transaction.atomic():
            judge(campaign)
            inserted.set()
            may_commit.wait(20)
        connections.close_all()

    thread = threading.Thread(target=slow_writer)
    thread.start()
    assert inserted.wait(20)
    quick = judge(campaign)
    sequence_log(now=timezone.now())
    seen_early = LogEntry.objects.filter(judgment=quick).exists()
    may_commit.set()
    thread.join(20)
    sequence_log(now=timezone.now())
    return seen_early


@pytest.mark.django_db(transaction=True)
def test_a_late_commit_is_numbered_too():
    seen_early = commit_late()
    assert not seen_early, "a judgment was numbered while an older transaction could still commit"
    assert Judgment.objects.filter(log_entry__isnull=True).count() == 0
    assert LogEntry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_control_a_watermark_on_ids_loses_the_late_commit(monkeypatch):
    monkeypatch.setattr(module, "READY", BY_ID)
    commit_late()
    assert Judgment.objects.filter(log_entry__isnull=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_chain_verifies_and_breaks_where_a_row_was_changed():
    campaign = make_campaign()
    judgments = [judge(campaign) for _ in range(3)]
    sequence_log(now=timezone.now())
    assert (verify_log(now=timezone.now()).ok, verify_log(now=timezone.now()).entries) == (True, 3)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE annotation_judgment SET net_utility = -9 WHERE id = %s", [judgments[1].pk])
    result = verify_log(now=timezone.now())
    assert (result.ok, result.broken_at) == (False, 2)


@pytest.mark.django_db(transaction=True)
def test_a_retraction_takes_a_judgment_out_of_every_view_and_leaves_it_in_the_log():
    campaign = make_campaign()
    first, second = judge(campaign), judge(campaign)
    sequence_log(now=timezone.now())
    withdraw_consent(respondent_id=first.respondent_id, actor=None, now=timezone.now(), on_request=True)
    sequence_log(now=timezone.now())
    assert list(standing_judgments(campaign)) == [second]
    assert list(standing_judgments(campaign, last_sequence=2)) == [first, second]
    assert list(Judgment.objects.order_by("pk").values_list("kind", "supersedes")) == [
        ("answer", None),
        ("answer", None),
        ("retraction", first.pk),
    ]


@pytest.mark.django_db(transaction=True)
def test_what_another_row_stands_in_the_place_of_is_not_taken_back():
    campaign = make_campaign()
    judgment = judge(campaign)
    undo_judgment(judgment_id=judgment.pk, respondent=judgment.respondent, now=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        supersede(judgment, kind="retraction", submitted_at=timezone.now())
    assert Judgment.objects.filter(supersedes=judgment).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_retired_source_leaves_every_view_and_can_come_back():
    campaign = make_campaign()
    judgment = judge(campaign)
    sequence_log(now=timezone.now())
    retire_source(source_id=judgment.source_id, actor=None, reason="demo over", now=timezone.now())
    assert list(standing_judgments(campaign)) == []
    restore_source(source_id=judgment.source_id, actor=None, reason="needed", now=timezone.now())
    assert list(standing_judgments(campaign)) == [judgment]


@pytest.mark.django_db(transaction=True)
def test_a_writer_in_another_database_of_the_server_holds_no_numbers_back():
    address = connection.get_connection_params() | {"dbname": "postgres", "options": ""}
    known = {name: address[name] for name in ("host", "port", "user", "password", "dbname") if address.get(name)}
    with psycopg.connect(**known) as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        judge(make_campaign())
        assert sequence_log(now=timezone.now()) == 1


@pytest.mark.django_db(transaction=True)
def test_the_periodic_sequencer_leaves_a_running_one_alone():
    judge(make_campaign())
    held, may_end = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic(), advisory_lock(module.LOCK):
            held.set()
            may_end.wait(20)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    assert sequence_log(now=timezone.now(), wait=False) == 0
    may_end.set()
    thread.join(20)
    assert sequence_log(now=timezone.now()) == 1
