"""One submit, one row: done, refused, twice, and two at once, each race with the control that shows it."""

import threading
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.texts import read_personal_text
from annotation.forms import JudgmentForm
from annotation.models import Assignment, Impression, ImpressionEvent, Item, Judgment, JudgmentText, Slot
from annotation.questions import Asked, InvalidAnswers, Situation, check_settings
from annotation.use_cases import submit_judgment as module
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.submit_judgment import (
    AlreadyAnswered,
    CampaignClosed,
    ItemNotOpen,
    LeaseExpired,
    NotYourAssignment,
    submit_judgment,
)
from foundation.idempotency import KeyReused
from tests.factories import (
    QUESTIONS,
    RATIONALE,
    claim_and_show,
    make_campaign,
    make_item,
    make_respondent,
    new_key,
)
from tests.foundation.threads import run_together


def submit(assignment, respondent, *, answers=None, key=None, token=None):
    return submit_judgment(
        assignment_id=assignment.pk,
        lease_token=token or assignment.lease_token,
        key=key or new_key(),
        respondent=respondent,
        answers=raw_answers() if answers is None else answers,
        now=timezone.now(),
    )


def raw_answers():
    """What the form collects for: B is much better, worth 2.50, only A acceptable."""
    asked = [
        Asked(q["name"], q["type"], "", q.get("required", True), check_settings(q["type"], q.get("settings", {})))
        for q in QUESTIONS
    ]
    data = {"preference": "b", "preference.strength": "3", "acceptable": "a", "worth.b": "2.50"}
    form = JudgmentForm(asked, Situation(responses=2, currency="USD"), data)
    assert form.is_valid(), form.errors
    return form.answers


@pytest.fixture
def claimed(db):
    campaign = make_campaign()
    make_item(campaign)
    respondent = make_respondent(campaign)
    assignment, impression = claim_and_show(campaign, respondent)
    return campaign, respondent, assignment, impression


def test_a_judgment_carries_what_was_shown_and_what_ranking_reads(claimed):
    campaign, respondent, assignment, impression = claimed
    judgment = submit(assignment, respondent)
    judgment.refresh_from_db()
    contestants = [assignment.item.responses.get(position=p).contestant_id for p in impression.order]
    assert {
        "order": judgment.order,
        "contestants": judgment.contestants,
        "preference": judgment.preference,
        "strength": judgment.strength,
        "scale": judgment.strength_scale,
        "net": judgment.net_utility,
        "low": judgment.amount_low,
        "high": judgment.amount_high,
        "currency": judgment.currency,
        "mode": judgment.amount_mode,
        "incentive": judgment.incentive,
        "acceptable": judgment.acceptable,
        "source": judgment.source.kind,
        "instrument": judgment.instrument_id,
    } == {
        "order": impression.order,
        "contestants": contestants,
        "preference": "b",
        "strength": -3,
        "scale": 3,
        "net": Decimal("-2.5000"),
        "low": Decimal("2.5000"),
        "high": Decimal("2.5000"),
        "currency": "USD",
        "mode": "upgrade",
        "incentive": "stated",
        "acceptable": [True, False],
        "source": "live",
        "instrument": campaign.instrument_id,
    }


def test_submitting_ends_the_claim_freezes_the_item_and_says_how_the_impression_ended(claimed):
    _campaign, respondent, assignment, impression = claimed
    submit(assignment, respondent)
    assert (
        Assignment.objects.get(pk=assignment.pk).state,
        Slot.objects.get(pk=assignment.slot_id).state,
        Item.objects.get(pk=assignment.item_id).state,
        ImpressionEvent.objects.get(impression=impression).kind,
    ) == ("submitted", "done", "frozen", "answered")


def test_the_same_key_and_answers_return_the_first_judgment_again(claimed):
    _campaign, respondent, assignment, _impression = claimed
    key = new_key()
    first = submit(assignment, respondent, key=key)
    assert submit(assignment, respondent, key=key) == first
    assert Judgment.objects.count() == 1


def test_the_same_key_with_other_answers_is_refused(claimed):
    _campaign, respondent, assignment, _impression = claimed
    key = new_key()
    submit(assignment, respondent, key=key)
    with pytest.raises(KeyReused):
        submit(assignment, respondent, key=key, answers={"preference": {"choice": "a", "strength": None}})


def test_answering_twice_under_another_key_is_refused(claimed):
    _campaign, respondent, assignment, _impression = claimed
    submit(assignment, respondent)
    with pytest.raises(AlreadyAnswered):
        submit(assignment, respondent)
    assert Judgment.objects.count() == 1


def test_somebody_elses_assignment_is_refused_like_a_missing_one(claimed):
    campaign, _respondent, assignment, _impression = claimed
    with pytest.raises(NotYourAssignment):
        submit(assignment, make_respondent(campaign))


def test_an_old_lease_token_is_refused(claimed):
    _campaign, respondent, assignment, _impression = claimed
    with pytest.raises(LeaseExpired):
        submit(assignment, respondent, token="00000000-0000-0000-0000-000000000000")


def test_a_lease_that_ran_out_by_the_databases_clock_is_refused(claimed):
    _campaign, respondent, assignment, _impression = claimed
    with connection.cursor() as cursor:
        cursor.execute("UPDATE annotation_assignment SET lease_expires_at = now() - interval '1 second'")
    with pytest.raises(LeaseExpired):
        submit(assignment, respondent)


def test_an_item_that_is_not_open_is_refused(claimed):
    _campaign, respondent, assignment, _impression = claimed
    Item.objects.filter(pk=assignment.item_id).update(state="filling")
    with pytest.raises(ItemNotOpen):
        submit(assignment, respondent)


def test_a_paused_campaign_is_refused(claimed):
    campaign, respondent, assignment, _impression = claimed
    change_campaign_state(campaign_id=campaign.pk, to="paused", actor=None, reason="", now=timezone.now())
    with pytest.raises(CampaignClosed):
        submit(assignment, respondent)


def test_invalid_answers_write_nothing(claimed):
    _campaign, respondent, assignment, _impression = claimed
    with pytest.raises(InvalidAnswers):
        submit(assignment, respondent, answers={"preference": {"choice": "nonsense"}})
    assert (Judgment.objects.count(), Assignment.objects.get(pk=assignment.pk).state) == (0, "open")


def test_a_rationale_is_sealed_under_its_authors_key_and_not_in_the_log(db):
    campaign = make_campaign(questions=[*QUESTIONS, RATIONALE])
    make_item(campaign)
    respondent = make_respondent(campaign)
    assignment, _ = claim_and_show(campaign, respondent)
    judgment = submit(assignment, respondent, answers={**raw_answers(), "why": "because it rhymes"})
    sealed = JudgmentText.objects.get(judgment=judgment, question="why").personal_text
    assert "rhymes" not in str(judgment.answers)
    assert b"rhymes" not in bytes(sealed.sealed)
    assert read_personal_text(sealed.pk) == "because it rhymes"


def test_a_judgment_takes_at_most_ten_statements(claimed, django_assert_max_num_queries):
    _campaign, respondent, assignment, _impression = claimed
    answers = raw_answers()
    with django_assert_max_num_queries(10):
        submit(assignment, respondent, answers=answers)


# Races


def racing_assignment():
    campaign = make_campaign()
    make_item(campaign)
    respondent = make_respondent(campaign)
    assignment, _impression = claim_and_show(campaign, respondent)
    return respondent, assignment


@pytest.mark.django_db(transaction=True)
def test_two_submits_at_once_under_different_keys_make_one_judgment():
    for _ in range(5):
        respondent, assignment = racing_assignment()
        answers = raw_answers()
        outcomes = run_together(*[partial(submit, assignment, respondent, answers=answers)] * 2)
        refused = [each for each in outcomes if isinstance(each, AlreadyAnswered)]
        assert len(refused) == 1, outcomes
        assert Judgment.objects.filter(item=assignment.item).count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_lock_fence_and_constraint_two_submits_make_two_judgments(monkeypatch):
    """The guards are removed from outside; if this still made one row, the race test above would prove nothing."""
    locking = module.lock_assignment
    both_read = threading.Barrier(2)

    def lock_without_locking(assignment_id, respondent):
        found = locking(assignment_id, respondent)
        both_read.wait(10)
        return found

    monkeypatch.setattr(module, "HOLD", module.HOLD.replace("FOR UPDATE OF a", ""))
    monkeypatch.setattr(module, "lock_assignment", lock_without_locking)
    monkeypatch.setattr(module, "_end", lambda *_: None)
    respondent, assignment = racing_assignment()
    answers = raw_answers()
    with as_owner("DROP INDEX one_first_judgment_per_respondent_and_item"):
        outcomes = run_together(*[partial(submit, assignment, respondent, answers=answers)] * 2)
        rows = Judgment.objects.filter(item=assignment.item).count()
        flush_judgments()
    assert rows == 2, outcomes


class as_owner:
    """Run a statement in the owner's role, and put the index back at the end."""

    def __init__(self, statement):
        self.statement = statement

    def __enter__(self):
        run_as_owner(self.statement)

    def __exit__(self, *_):
        run_as_owner(
            "CREATE UNIQUE INDEX one_first_judgment_per_respondent_and_item ON annotation_judgment"
            " (respondent_id, item_id) WHERE supersedes_id IS NULL"
        )


def flush_judgments():
    run_as_owner("SET session_replication_role = replica; DELETE FROM annotation_judgment")


def run_as_owner(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(statement.replace("SET session", "SET LOCAL session"))


def test_the_impression_of_a_judgment_is_the_one_shown(claimed):
    _campaign, respondent, assignment, impression = claimed
    judgment = submit(assignment, respondent)
    assert Impression.objects.get(judgments=judgment) == impression
