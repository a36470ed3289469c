"""Withdrawing takes all of somebody's answers out, marks the datasets that hold them, and changes nobody's pay."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.datasets.scope import Filters, Scope
from annotation.enums import JudgmentKind
from annotation.models import (
    Assignment,
    Campaign,
    DatasetWithdrawal,
    Draw,
    Event,
    Judgment,
    LedgerEntry,
    Respondent,
    Slot,
    WorthSession,
)
from annotation.queries import standing_judgments
from annotation.use_cases import submit_work as submitting
from annotation.use_cases.accrue_fees import accrue_fees
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.next_assignment import NotNow
from annotation.use_cases.publish_consent import publish_consent
from annotation.use_cases.request_dataset import request_dataset
from annotation.use_cases.sequence_log import sequence_log
from annotation.use_cases.settle_appeal import settle_appeal
from annotation.use_cases.submit_work import NotActive, submit_work
from annotation.use_cases.withdraw_consent import TooLateToWithdraw, withdraw_consent
from tests.annotation.datasets.rows import build, rows_of, scope_of
from tests.annotation.people.working import given, joined, judged
from tests.annotation.review.reviewing import approve, rejected, reviewer
from tests.annotation.worth.bidding import bids, paid_campaign, prepared
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_contestant, make_item, make_user, new_key
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db
TRANSACTIONAL = pytest.mark.django_db(transaction=True)
WORDS = {"preference": {"choice": "a", "strength": None}, "why": "Because it is short."}


@pytest.fixture(autouse=True)
def media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", name="Blue skies", questions=[PREFERENCE])


def withdraw(respondent, **options):
    return withdraw_consent(respondent_id=respondent.pk, actor=respondent.person, now=timezone.now(), **options)


def signed_in(respondent):
    client = Client()
    client.force_login(respondent.person.user)
    return client


def test_what_the_page_promises_is_what_happens(campaign):
    for _ in range(3):
        make_item(campaign)
    leaving, staying = joined(campaign), joined(campaign)
    items = {judged(campaign, leaving).item_id for _ in range(2)}
    held = given(campaign, leaving)
    client = signed_in(leaving)
    for address in (reverse("work-campaign", args=["trial"]), reverse("work-history", args=["trial"])):
        assert reverse("work-withdraw", args=["trial"]) in client.get(address).content.decode()
    page = client.get(reverse("work-withdraw", args=["trial"])).content.decode()
    assert ("2 answers of yours are taken out" in page, "at any time" in page) == (True, True)
    assert "Your pay does not change." in page

    refused = client.post(reverse("work-withdraw", args=["trial"]), {})
    assert (refused.status_code, Respondent.objects.get(pk=leaving.pk).state) == (422, "active")
    done = client.post(reverse("work-withdraw", args=["trial"]), {"confirmed": "on"}, follow=True)

    assert "You have withdrawn" in done.content.decode()
    leaving.refresh_from_db()
    assert (leaving.state, leaving.withdrawn_at is None) == ("withdrawn", False)
    sequence_log(now=timezone.now())
    assert standing_judgments(campaign).count() == 0
    assert sorted(Judgment.objects.values_list("kind", flat=True)) == ["answer"] * 2 + ["retraction"] * 2
    assert Assignment.objects.get(pk=held.pk).state == "cancelled"
    with pytest.raises(NotNow):
        given(campaign, leaving)
    assert {judged(campaign, staying).item_id for _ in range(3)} == items | {held.item_id}
    event = Event.objects.get(subject="annotation.respondent", verb="withdrew")
    assert (event.from_state, event.to_state, event.actor) == ("active", "withdrawn", leaving.person)
    assert event.data == {"judgments": 2, "versions": [], "by": "self"}
    # Again, nothing more.
    assert withdraw(leaving).judgments == 0
    assert Judgment.objects.filter(kind=JudgmentKind.RETRACTION).count() == 2


def test_who_has_withdrawn_is_told_so_and_does_not_join_again(campaign):
    leaving = joined(campaign)
    withdraw(leaving)
    client = signed_in(leaving)
    _invitation, token = invite_people(campaign_id=campaign.pk, name="B", actor=None, now=timezone.now())
    came = client.get(reverse("work-join", args=[token]), follow=True).content.decode()
    assert ("You have withdrawn" in came, "You cannot join this campaign again." in came) == (True, True)
    client.post(reverse("work-join", args=[token]))
    assert Respondent.objects.get(pk=leaving.pk).state == "withdrawn"
    agreed = client.post(reverse("work-agree", args=["trial", "consent"]), {"text": "1"})
    assert (agreed.status_code, "You have withdrawn" in agreed.content.decode()) == (422, True)


def test_until_the_last_day_and_no_later_unless_they_were_promised_more(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(withdrawal_until="2026-03-01", contact="Ada <ada@example.org>")
    campaign.refresh_from_db()
    early, late, promised = (joined(campaign) for _ in range(3))

    def on(respondent, *moment, **options):
        now = datetime(*moment, tzinfo=UTC)
        return withdraw_consent(respondent_id=respondent.pk, actor=None, now=now, **options)

    on(early, 2026, 3, 1, 23, 59)
    with pytest.raises(TooLateToWithdraw):
        on(late, 2026, 3, 2, 0, 0)
    page = signed_in(late).get(reverse("work-withdraw", args=["trial"])).content.decode()
    assert ("The last day was 1 March 2026 (UTC)" in page, "write to Ada" in page) == (True, True)
    assert signed_in(late).post(reverse("work-withdraw", args=["trial"]), {"confirmed": "on"}).status_code == 422
    # What somebody agreed to holds for them when the campaign says less later.
    Campaign.objects.filter(pk=campaign.pk).update(withdrawal_until="2026-06-01")
    version = publish_consent(campaign_id=campaign.pk, text="Until June.", now=timezone.now())
    assert version.withdrawal_until.isoformat() == "2026-06-01"
    Respondent.objects.filter(pk=promised.pk).update(consent=version)
    Campaign.objects.filter(pk=campaign.pk).update(withdrawal_until="2026-03-01")
    on(promised, 2026, 6, 1)
    # Whoever runs the campaign can do it for somebody at any time.
    on(late, 2027, 1, 1, on_request=True)
    assert set(Respondent.objects.values_list("state", flat=True)) == {"withdrawn"}


def test_an_admin_withdraws_somebody_who_asks_and_says_who_asked(campaign):
    make_item(campaign)
    person = joined(campaign)
    approve(judged(campaign, person), reviewer())
    admin = Client()
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    address = reverse("campaign-person-withdraw", args=["trial", person.pk])
    page = admin.get(reverse("campaign-person", args=["trial", person.pk])).content.decode()
    assert ("Withdraw on their request" in page, "1 judgment is taken out, also if it was approved." in page) == (
        True,
        True,
    )
    assert admin.post(address, {"reason": " "}).status_code == 422
    done = admin.post(address, {"reason": "Wrote on 3 May"}, follow=True).content.decode()
    assert ("Withdrawn. 1 judgment was taken out." in done, "Wrote on 3 May" in done) == (True, True)
    event = Event.objects.get(verb="withdrew")
    assert (event.data["by"], event.reason, event.actor.user.has_role(Role.CAMPAIGN_ADMIN)) == (
        "admin",
        "Wrote on 3 May",
        True,
    )
    assert "Withdraw on their request" not in done


@pytest.mark.parametrize("state", ["screened_out", "blocked"])
def test_who_works_no_more_can_still_withdraw(campaign, state):
    make_item(campaign)
    person = joined(campaign)
    judged(campaign, person)
    Respondent.objects.filter(pk=person.pk).update(state=state)
    assert withdraw(person).judgments == 1
    assert Respondent.objects.get(pk=person.pk).state == "withdrawn"


def test_pay_stays_what_it_is_and_a_rejection_that_falls_away_is_paid(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(pay_per_judgment=Decimal("0.50"))
    for _ in range(2):
        make_item(campaign)
    person = joined(campaign)
    judged(campaign, person)
    wrong = judged(campaign, person)
    rejected(wrong)
    accrue_fees(campaign_id=campaign.pk, now=timezone.now())
    client = signed_in(person)
    client.post(f"/annotate/trial/history/{wrong.pk}/appeal", {"words": "It is right."})
    before = list(LedgerEntry.objects.order_by("pk").values_list("pk", "amount"))
    withdraw(person)
    accrue_fees(campaign_id=campaign.pk, now=timezone.now())
    assert list(LedgerEntry.objects.order_by("pk").values_list("pk", "amount")) == before
    # The appeal is about pay, and is settled; the answer does not come back by it.
    settle_appeal(judgment_id=wrong.pk, granted=True, message="", actor=reviewer(), now=timezone.now())
    accrue_fees(campaign_id=campaign.pk, now=timezone.now())
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == Decimal("1.00")
    assert not Judgment.objects.filter(kind=JudgmentKind.ANSWER, superseded_by__isnull=True).exists()


@pytest.mark.parametrize("answered", [1, 3])
def test_a_draw_that_is_still_to_come_is_held_before_the_answers_go(answered):
    campaign = paid_campaign(items=3)
    person = prepared(campaign)
    for _ in range(answered):
        bids(campaign, person, "4.00")
    withdraw(person)
    draw = Draw.objects.get(session__respondent=person)
    assert WorthSession.objects.get(respondent=person).state == "drawn"
    assert LedgerEntry.objects.get(kind="draw").amount == draw.payout
    assert not Judgment.objects.filter(kind=JudgmentKind.ANSWER, superseded_by__isnull=True).exists()
    page = signed_in(person).get(reverse("work-campaign", args=[campaign.slug])).content.decode()
    assert "You have withdrawn" in page


def exported():
    """Two people said the same of two pairs; one judged a third alone."""
    campaign = make_campaign(slug="trial", questions=[PREFERENCE])
    models = [make_contestant(campaign, name) for name in ("alpha", "beta")]
    leaving, staying = joined(campaign), joined(campaign)
    for number in range(2):
        make_item(campaign, contestants=models, slots=2, prompt=f"Question {number}?")
    make_item(campaign, contestants=models, prompt="Alone?")
    for _ in range(3):
        judged(campaign, leaving)
    for _ in range(2):
        judged(campaign, staying)
    return campaign, leaving


@TRANSACTIONAL
def test_versions_that_hold_them_are_marked_and_the_next_leaves_them_out_with_the_reason():
    campaign, leaving = exported()
    first = build(campaign)
    assert first.counts["judgments"] == 5
    withdrawn = withdraw(leaving)
    assert withdrawn.versions == [1]
    mark = DatasetWithdrawal.objects.get()
    assert (mark.version, mark.respondent, mark.judgments) == (first, leaving, 3)
    researcher = Client()
    researcher.force_login(make_user(role=Role.RESEARCHER))
    page = researcher.get(reverse("dataset", args=["trial", 1])).content.decode()
    assert ("Withdrawn since" in page, leaving.pseudonym in page) == (True, True)
    assert "Holds withdrawn judgments" in researcher.get(reverse("datasets")).content.decode()

    second = build(campaign)

    assert (second.counts["judgments"], second.counts["withdrawn"]) == (2, {"judgments": 3, "respondents": 1})
    dropped = {name: view["dropped"].get("withdrawn") for name, view in second.counts["views"].items()}
    assert dropped == {"preference_pairs": 1, "reward_pairs": 1, "votes": 3}
    page = researcher.get(reverse("dataset", args=["trial", 2])).content.decode()
    assert ("Withdrawn since" in page, "whoever judged it has withdrawn their consent" in page) == (False, True)
    # The first is what it was: built again it holds the same rows.
    assert Scope.of(first).votes().count() == 5


@TRANSACTIONAL
def test_a_version_frozen_before_the_log_has_numbered_the_withdrawal_leaves_them_out_too():
    campaign, leaving = exported()
    sequence_log(now=timezone.now())
    withdraw(leaving)
    sources = tuple(campaign.sources.values_list("pk", flat=True))
    version = request_dataset(
        campaign_id=campaign.pk,
        views=["votes"],
        filters=Filters(sources=sources),
        actor=make_user(role=Role.RESEARCHER),
        now=timezone.now(),
    )
    assert Scope.of(version).votes().count() == 2


@TRANSACTIONAL
def test_own_words_leave_only_where_they_were_released():
    campaign = make_campaign(slug="trial", questions=[PREFERENCE, RATIONALE])
    publish_consent(campaign_id=campaign.pk, text="Ten minutes.", now=timezone.now())
    campaign.refresh_from_db()
    people = {name: joined(campaign) for name in ("released", "kept", "changed")}
    make_item(campaign, slots=3, contestants=[make_contestant(campaign) for _ in range(2)])
    for name, person in people.items():
        client = signed_in(person)
        page = client.get(reverse("work-campaign", args=["trial"])).content.decode()
        assert 'name="releases_texts"' in page
        assert "checked" not in page
        ticked = {} if name == "kept" else {"releases_texts": "on"}
        client.post(reverse("work-agree", args=["trial", "consent"]), {"text": campaign.consent_id} | ticked)
        assignment = given(campaign, person)
        submit_work(
            assignment_id=assignment.pk,
            lease_token=assignment.lease_token,
            key=new_key(),
            respondent=person,
            answers={"preference": WORDS["preference"], RATIONALE["name"]: WORDS["why"]},
            now=timezone.now(),
        )
    changed = signed_in(people["changed"])
    assert "checked" in changed.get(reverse("work-history", args=["trial"])).content.decode()
    changed.post(reverse("work-own-texts", args=["trial"]), {})
    event = Event.objects.get(verb="consent_agreed", subject_id=str(people["released"].pk))
    assert event.data == {"text": campaign.consent_id, "releases_texts": True}
    rows, _dropped = rows_of(scope_of(campaign), "votes")
    said = {row["respondent"]: row["texts"] for row in rows}
    assert said == {
        people["released"].pseudonym: [{"question": RATIONALE["name"], "text": WORDS["why"]}],
        people["kept"].pseudonym: None,
        people["changed"].pseudonym: None,
    }


def race(campaign, monkeypatch):
    """Somebody withdraws while their answer is being written; what came of both, and what stands afterwards."""
    make_item(campaign)
    person = joined(campaign)
    assignment = given(campaign, person)
    submit = submitting.submit_in_transaction

    def slow_submit(**values):
        time.sleep(0.3)
        return submit(**values)

    monkeypatch.setattr(submitting, "submit_in_transaction", slow_submit)

    def answer():
        return submit_work(
            assignment_id=assignment.pk,
            lease_token=assignment.lease_token,
            key=new_key(),
            respondent=person,
            answers={"preference": WORDS["preference"]},
            now=timezone.now(),
        )

    def leave():
        time.sleep(0.1)
        return withdraw(person)

    outcomes = run_together(answer, leave)
    standing = Judgment.objects.filter(respondent=person, kind=JudgmentKind.ANSWER, superseded_by__isnull=True).count()
    return outcomes, standing, Slot.objects.filter(campaign=campaign, state="open").count()


@TRANSACTIONAL
def test_an_answer_that_is_being_written_comes_before_the_withdrawal_and_goes_with_it(campaign, monkeypatch):
    (submitted, withdrawn), standing, is_open = race(campaign, monkeypatch)
    assert (submitted.judgment.kind, withdrawn.judgments, standing, is_open) == ("answer", 1, 0, 1)


@TRANSACTIONAL
def test_control_without_the_lock_on_the_person_an_answer_stands_after_they_withdrew(campaign, monkeypatch):
    held = QuerySet.select_for_update

    def hold_all_but_people(found, **options):
        return found if found.model is Respondent else held(found, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", hold_all_but_people)
    # The fence of the lease is another guard: out of the way too.
    monkeypatch.setattr("annotation.use_cases.withdraw_consent.take_back_assignments", lambda respondent, now: None)
    _outcomes, standing, _open = race(campaign, monkeypatch)
    assert standing == 1


@TRANSACTIONAL
def test_an_answer_after_the_withdrawal_is_refused(campaign):
    make_item(campaign)
    person = joined(campaign)
    assignment = given(campaign, person)
    withdraw(person)
    with pytest.raises(NotActive):
        submit_work(
            assignment_id=assignment.pk,
            lease_token=assignment.lease_token,
            key=new_key(),
            respondent=person,
            answers={"preference": WORDS["preference"]},
            now=timezone.now() + timedelta(seconds=1),
        )


@TRANSACTIONAL
def test_all_at_once_withdraw_and_nobody_waits_for_ever(campaign):
    people = [joined(campaign) for _ in range(3)]
    for _ in range(2):
        make_item(campaign, slots=3)
    for person in people:
        for _ in range(2):
            judged(campaign, person)
    outcomes = run_together(*[partial(withdraw, person) for person in people])
    assert [each.judgments for each in outcomes] == [2, 2, 2]
    assert Slot.objects.filter(state="open").count() == 6
