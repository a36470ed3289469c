"""An answer taken back within a minute: as if it had not been given, until it is given again."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from annotation.enums import JudgmentKind
from annotation.models import Assignment, Campaign, Impression, Item, Judgment, LedgerEntry, Respondent, Slot
from annotation.queries.earnings import earned_by
from annotation.queries.log import standing_answers
from annotation.queries.quality import summarised
from annotation.use_cases.accept_batch import accept_batch
from annotation.use_cases.accrue_fees import accrue_fees
from annotation.use_cases.approve_judgment import approve_judgment
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.hold_draw import hold_draw
from annotation.use_cases.lock_session import AnswersLocked, lock_session
from annotation.use_cases.make_batch import make_batch
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.submit_judgment import CampaignClosed, NotYourAssignment
from annotation.use_cases.submit_work import submit_work
from annotation.use_cases.supersede_judgment import AlreadySuperseded
from annotation.use_cases.undo_judgment import TooLateToUndo, undo_judgment
from tests.annotation.numbering import number_log
from tests.annotation.people.working import joined as respondent_in
from tests.annotation.work.test_pages import answer, fields, joined, open_item
from tests.annotation.worth.bidding import bids, paid_campaign, prepared
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_item, make_person, new_key

pytestmark = pytest.mark.django_db

NOW = timezone.now
WITH_SCRIPT = {"HX-Request": "true"}


def make_paid(**values) -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    Campaign.objects.filter(pk=campaign.pk).update(pay_per_judgment=Decimal("0.50"), pay_currency="USD", **values)
    campaign.refresh_from_db()
    return campaign


def judges(campaign: Campaign, respondent: Respondent, choice: str = "a") -> Judgment:
    given = next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    side = choice if given.impression.order == [0, 1] else {"a": "b", "b": "a"}[choice]
    return submit_work(
        assignment_id=given.assignment.pk,
        lease_token=given.assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": side, "strength": None}},
        typed={"preference": side},
        now=NOW(),
    ).judgment


def undo(judgment: Judgment, **values) -> Judgment:
    return undo_judgment(judgment_id=judgment.pk, respondent=judgment.respondent, **{"now": NOW()} | values)


def owed(respondent: Respondent) -> Decimal:
    return sum((each.owed for each in earned_by(respondent)), Decimal(0))


def test_the_item_comes_back_with_what_was_typed_and_is_answered_anew():
    campaign = make_campaign(questions=[PREFERENCE, RATIONALE])
    first, second = make_item(campaign, prompt="Which one?"), make_item(campaign, prompt="Which other?")
    client = joined(campaign)
    page, address = open_item(client, campaign)
    shown = "Which one?" if "Which one?" in page else "Which other?"
    stored = client.post(address, fields(page) | {"preference": "b", "why": "Because."}, headers=WITH_SCRIPT)
    back = re.search(r'action="(/annotate/[^"]*/undo)"', stored.content.decode())[1]
    undone = client.post(back, headers=WITH_SCRIPT)
    page = undone.content.decode()
    assert (undone.status_code, shown in page, "Because." in page, "Taken back" in page) == (200, True, True, True)
    assert re.search(r'value="b"[^>]* checked', page)
    assert not Judgment.objects.filter(kind=JudgmentKind.ANSWER, superseded_by__isnull=True).exists()
    # Reloaded it is still the one that comes first; twice is once.
    assert shown in open_item(client, campaign)[0]
    assert client.post(back).status_code == 302
    assert Judgment.objects.filter(kind=JudgmentKind.UNDONE).count() == 1
    assert "Because." not in client.get(f"/annotate/{campaign.slug}/history").content.decode()
    assert answer(client, campaign, why="Better so.").status_code == 302
    old, row, new = Judgment.objects.order_by("pk")
    assert (row.supersedes, new.supersedes, new.preference, new.kind) == (old, row, "a", "answer")
    assert list(Assignment.objects.filter(item=new.item).values_list("state", flat=True)) == ["submitted"]
    assert list(Slot.objects.filter(item=new.item).values_list("state", flat=True)) == ["done"]
    assert client.get(f"/annotate/{campaign.slug}/history").content.decode().count('class="own-answer"') == 1
    # The one before it was not lost from the log, and the new one may be taken back too.
    assert undo(new).supersedes == new
    assert {first.pk, second.pk} == set(Assignment.objects.filter(state="open").values_list("item", flat=True))


def test_what_is_not_answered_again_was_not_judged_by_this_person():
    campaign = make_paid()
    item = make_item(campaign)
    somebody, another = respondent_in(campaign), respondent_in(campaign)
    judgment = judges(campaign, somebody)
    accrue_fees(campaign_id=campaign.pk, now=NOW())
    assert owed(somebody) == Decimal("0.50")
    undo(judgment)
    accrue_fees(campaign_id=campaign.pk, now=NOW())
    assert owed(somebody) == 0
    number_log()
    assert not standing_answers(campaign).exists()
    assert summarised(campaign, NOW()).progress.answers == 0
    Assignment.objects.update(lease_expires_at=NOW() - timedelta(hours=1))
    expire_assignments(now=NOW())
    assert Slot.objects.get(item=item).state == "open"
    taken = judges(campaign, another)
    assert (taken.item, taken.supersedes) == (item, None)
    assert (owed(somebody), owed(another)) == (0, Decimal("0.50"))


def test_who_meets_the_item_again_later_gives_a_first_answer_that_is_paid_once():
    campaign = make_paid()
    make_item(campaign)
    somebody = respondent_in(campaign)
    first = judges(campaign, somebody)
    accrue_fees(campaign_id=campaign.pk, now=NOW())
    undo(first)
    Assignment.objects.update(lease_expires_at=NOW() - timedelta(hours=1))
    expire_assignments(now=NOW())
    again = judges(campaign, somebody, "b")
    assert again.supersedes.kind == JudgmentKind.UNDONE
    assert again.assignment != first.assignment
    accrue_fees(campaign_id=campaign.pk, now=NOW())
    accrue_fees(campaign_id=campaign.pk, now=NOW())
    entries = [(entry.kind, entry.amount) for entry in LedgerEntry.objects.order_by("pk")]
    assert entries == [("fee", Decimal("0.5")), ("reversal", Decimal("-0.5")), ("fee", Decimal("0.5"))]
    assert owed(somebody) == Decimal("0.50")


def test_each_showing_ends_once_and_the_second_keeps_the_first_ones_probabilities():
    campaign = make_paid()
    make_item(campaign)
    judgment = judges(campaign, respondent_in(campaign))
    undo(judgment)
    first, second = Impression.objects.order_by("pk")
    assert first.end.kind == "answered"
    assert (second.order, second.p_side, second.seed) == (first.order, first.p_side, first.seed)
    assert second.parameters["again"] == first.pk
    again = judges(campaign, judgment.respondent, "b")
    assert (again.impression, again.order) == (second, first.order)
    assert second.end.kind == "answered"


def test_it_is_too_late_after_a_minute_and_after_what_followed_from_it():
    campaign = make_paid()
    for _ in range(4):
        make_item(campaign)
    somebody, reviewer = respondent_in(campaign), make_person()
    late, decided, batched, kept = (judges(campaign, somebody) for _ in range(4))
    with pytest.raises(TooLateToUndo):
        undo(late, now=late.submitted_at + timedelta(seconds=66))
    approve_judgment(judgment_id=decided.pk, actor=reviewer, now=NOW())
    with pytest.raises(TooLateToUndo):
        undo(decided)
    batch = make_batch(campaign_id=campaign.pk, actor=reviewer, now=NOW())
    # What merely waits in a batch may still be taken back, and the batch decides about the rest.
    undo(batched)
    assert accept_batch(batch_id=batch.pk, actor=reviewer, now=NOW()).judgments == 2
    with pytest.raises(TooLateToUndo):
        undo(kept)
    with pytest.raises(NotYourAssignment):
        undo_judgment(judgment_id=late.pk, respondent=respondent_in(campaign), now=NOW())


def test_a_paused_campaign_takes_nothing_back():
    campaign = make_paid()
    make_item(campaign)
    judgment = judges(campaign, respondent_in(campaign))
    change_campaign_state(campaign_id=campaign.pk, to="paused", actor=None, reason="", now=NOW())
    with pytest.raises(CampaignClosed):
        undo(judgment)
    assert Judgment.objects.count() == 1


def test_after_a_lock_or_a_draw_nothing_is_taken_back():
    campaign = paid_campaign(items=3)
    somebody = prepared(campaign)
    judgment = bids(campaign, somebody, "3").judgment
    again = bids(campaign, somebody, "2").judgment
    undo(again)
    lock_session(respondent_id=somebody.pk, now=NOW())
    with pytest.raises(AnswersLocked):
        undo(judgment)
    draw = hold_draw(respondent_id=somebody.pk, now=NOW())
    assert draw.candidates == [judgment.pk]
    with pytest.raises(AnswersLocked):
        undo(judgment)


def test_what_was_corrected_meanwhile_and_what_told_the_right_answer_stay():
    campaign = make_campaign(questions=[PREFERENCE])
    item = make_item(campaign)
    Item.objects.filter(pk=item.pk).update(purpose="training", explanation="A is shorter.")
    client = joined(campaign)
    assert "A is shorter" in answer(client, campaign).content.decode()
    judgment = Judgment.objects.get()
    refused = client.post(f"/annotate/{campaign.slug}/history/{judgment.pk}/undo", headers=WITH_SCRIPT)
    assert (refused.status_code, "cannot be taken back" in refused.content.decode()) == (422, True)
    other = Client()
    other.force_login(judgment.respondent.person.user)
    make_item(campaign)
    assert answer(client, campaign).status_code == 302
    judgment = Judgment.objects.latest("pk")
    history = f"/annotate/{campaign.slug}/history/{judgment.pk}"
    assert client.post(history, {"key": new_key(), "preference": "b"}).status_code == 302
    with pytest.raises(AlreadySuperseded):
        undo(judgment)


def test_one_more_slot_that_was_asked_for_because_of_it_goes_again():
    campaign = make_paid(overlap=2, overlap_limit=3)
    item = make_item(campaign, slots=2)
    judges(campaign, respondent_in(campaign), "a")
    judgment = judges(campaign, respondent_in(campaign), "b")
    assert sorted(Slot.objects.filter(item=item).values_list("state", flat=True)) == ["done", "done", "open"]
    undo(judgment)
    assert sorted(Slot.objects.filter(item=item).values_list("state", flat=True)) == ["cancelled", "claimed", "done"]
    judges(campaign, judgment.respondent, "a")
    assert sorted(Slot.objects.filter(item=item).values_list("state", flat=True)) == ["cancelled", "done", "done"]
