"""What becomes of a judgment that is reviewed: who may decide, what a rejection does, and what an appeal undoes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone

from accounts.texts import read_personal_text
from annotation.enums import EntryKind, ItemPurpose
from annotation.models import Event, Judgment, JudgmentText, LedgerEntry, Review, ReviewDecision, Slot
from annotation.queries import standing_judgments
from annotation.queries.people import block_effect
from annotation.queries.reviews import saw_others
from annotation.use_cases.appeal_rejection import AppealedBefore, appeal_rejection
from annotation.use_cases.ask_for_judgment import NobodyIsAsked, ask_for_judgment
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.claim_slot import claim_slot
from annotation.use_cases.correct_judgment import correct_judgment
from annotation.use_cases.hold_review import NotStanding, OwnJudgment, ReviewChanged, SameReviewer
from annotation.use_cases.note_look import note_look
from annotation.use_cases.record_entry import record_entry
from annotation.use_cases.reopen_review import reopen_review
from annotation.use_cases.settle_appeal import settle_appeal
from annotation.use_cases.submit_judgment import NotYourAssignment
from annotation.use_cases.submit_work import submit_work
from annotation.use_cases.supersede_judgment import AlreadySuperseded
from foundation.transitions import ForbiddenTransition
from tests.annotation.numbering import number_log
from tests.annotation.people.working import given, joined, judged
from tests.annotation.review.reviewing import (
    approve,
    judged_by,
    one_judgment,
    reject,
    rejected,
    reviewed_campaign,
    reviewer,
)
from tests.factories import PREFERENCE, RATIONALE, make_item, new_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return reviewed_campaign()


def appeal(judgment, words="I read it twice."):
    return appeal_rejection(judgment_id=judgment.pk, respondent=judgment.respondent, words=words, now=timezone.now())


def settle(judgment, by, granted):
    return settle_appeal(
        judgment_id=judgment.pk, granted=granted, message="We looked again.", actor=by, now=timezone.now()
    )


def reopen(judgment, by):
    return reopen_review(judgment_id=judgment.pk, message="", actor=by, now=timezone.now())


def state_of(judgment):
    return Review.objects.get(judgment=judgment).state


def standing(campaign):
    number_log()
    return list(standing_judgments(campaign).values_list("pk", flat=True))


def slots_of(item):
    return list(Slot.objects.filter(item=item).order_by("number").values_list("number", "state"))


def pay(judgment, amount="0.2500"):
    return record_entry(
        respondent=judgment.respondent,
        kind=EntryKind.FEE,
        amount=Decimal(amount),
        currency="USD",
        judgment=judgment,
        now=timezone.now(),
    )


def owed(respondent):
    return LedgerEntry.objects.filter(respondent=respondent).aggregate(sum=Sum("amount"))["sum"]


def test_approving_needs_one_and_leaves_everything_where_it_is(campaign):
    judgment = one_judgment(campaign)
    approve(judgment, reviewer())
    assert (state_of(judgment), standing(campaign)) == ("approved", [judgment.pk])
    event = Event.objects.get(verb="review_approve")
    assert (event.from_state, event.to_state, event.data["saw_others"]) == ("pending", "approved", False)


def test_a_rejection_is_in_force_when_a_second_reviewer_says_so(campaign):
    judgment = one_judgment(campaign)
    pay(judgment)
    first, second = reviewer(), reviewer()
    reject(judgment, first)
    assert (state_of(judgment), standing(campaign)) == ("contested", [judgment.pk])
    assert owed(judgment.respondent) == Decimal("0.25")
    with pytest.raises(SameReviewer):
        reject(judgment, first)
    reject(judgment, second, "Nor do I.")
    assert (state_of(judgment), standing(campaign)) == ("rejected", [])
    # Somebody else is asked in its place, and its fee is taken back.
    assert slots_of(judgment.item) == [(1, "cancelled"), (2, "open")]
    assert owed(judgment.respondent) == 0
    added = Event.objects.get(subject="annotation.item", verb="slot_added")
    assert added.data == {"slot": 2, "judgment": judgment.pk}
    words = [read_personal_text(each.personal_text_id) for each in ReviewDecision.objects.order_by("pk")]
    assert words == ["Not what was asked.", "Nor do I."]
    other = joined(campaign)
    assert judged(campaign, other).item_id == judgment.item_id


def test_a_second_reviewer_may_disagree(campaign):
    judgment = one_judgment(campaign)
    reject(judgment, reviewer())
    approve(judgment, reviewer())
    assert (state_of(judgment), standing(campaign)) == ("approved", [judgment.pk])


def test_nobody_reviews_their_own(campaign):
    judgment = one_judgment(campaign)
    own = judgment.respondent.person
    for decision in (approve, reject, reopen):
        with pytest.raises(OwnJudgment):
            decision(judgment, own)
    assert not ReviewDecision.objects.exists()


def test_a_decision_about_what_was_decided_meanwhile_is_refused(campaign):
    judgment = one_judgment(campaign)
    reject(judgment, reviewer(), seen="pending")
    with pytest.raises(ReviewChanged):
        reject(judgment, reviewer(), seen="pending")
    with pytest.raises(ForbiddenTransition):
        approved = one_judgment(campaign)
        approve(approved, reviewer())
        reject(approved, reviewer())
    assert state_of(judgment) == "contested"


def test_what_was_corrected_meanwhile_is_not_decided_about(campaign):
    judgment = one_judgment(campaign)
    reject(judgment, reviewer())
    answers = {"preference": {"choice": "b", "strength": None}}
    corrected = correct_judgment(
        judgment_id=judgment.pk, key=new_key(), respondent=judgment.respondent, answers=answers, now=timezone.now()
    )
    for decision in (approve, reject):
        with pytest.raises(NotStanding):
            decision(judgment, reviewer())
    approve(corrected, reviewer())
    assert standing(campaign) == [corrected.pk]


def test_what_was_rejected_is_not_corrected(campaign):
    judgment = one_judgment(campaign)
    rejected(judgment)
    with pytest.raises(AlreadySuperseded):
        correct_judgment(
            judgment_id=judgment.pk,
            key=new_key(),
            respondent=judgment.respondent,
            answers={"preference": {"choice": "b", "strength": None}},
            now=timezone.now(),
        )


def test_an_appeal_is_made_once_and_decided_by_a_third(campaign):
    judgment = one_judgment(campaign)
    with pytest.raises(NotYourAssignment):
        appeal(judgment)
    first, second = rejected(judgment)
    appeal(judgment)
    for again in (first, second):
        with pytest.raises(SameReviewer):
            settle(judgment, again, True)
    for decision in (approve, reject):
        with pytest.raises(ReviewChanged):
            decision(judgment, reviewer())
    settle(judgment, reviewer(), False)
    assert state_of(judgment) == "rejected"
    with pytest.raises(AppealedBefore):
        appeal(judgment)


def test_another_person_cannot_appeal(campaign):
    judgment = one_judgment(campaign)
    rejected(judgment)
    with pytest.raises(NotYourAssignment):
        appeal_rejection(judgment_id=judgment.pk, respondent=joined(campaign), words="Mine!", now=timezone.now())


def test_a_granted_appeal_puts_answer_texts_slot_and_fee_back():
    campaign = reviewed_campaign(questions=[PREFERENCE, RATIONALE])
    make_item(campaign)
    respondent = joined(campaign)
    assignment = given(campaign, respondent)

    judgment = submit_work(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": "a", "strength": 2}, "why": "Shorter."},
        now=timezone.now() - timedelta(hours=1),
    ).judgment
    pay(judgment)
    rejected(judgment)
    appeal(judgment)
    settle(judgment, reviewer(), True)
    [restored] = standing(campaign)
    kept = Judgment.objects.get(pk=restored)
    same = ("answers", "preference", "strength", "strength_scale", "order", "submitted_at", "respondent", "assignment")
    assert {name: getattr(kept, name) for name in same} == {name: getattr(judgment, name) for name in same}
    [text] = JudgmentText.objects.filter(judgment=kept)
    assert read_personal_text(text.personal_text_id) == "Shorter."
    assert slots_of(judgment.item) == [(1, "done"), (2, "cancelled")]
    assert (owed(respondent), state_of(judgment), state_of(kept)) == (Decimal("0.25"), "approved", "approved")


def test_where_somebody_was_asked_meanwhile_pay_comes_back_and_the_answer_stays_out(campaign):
    judgment = one_judgment(campaign)
    pay(judgment)
    rejected(judgment)
    appeal(judgment)
    assert claim_slot(campaign=campaign, respondent=joined(campaign), now=timezone.now()) is not None
    settle(judgment, reviewer(), True)
    assert (standing(campaign), owed(judgment.respondent)) == ([], Decimal("0.25"))
    # The quota is met exactly.
    assert slots_of(judgment.item) == [(1, "cancelled"), (2, "claimed")]


def test_a_rejection_that_is_opened_again_is_undone_and_waits(campaign):
    judgment = one_judgment(campaign)
    pay(judgment)
    rejected(judgment)
    reopen(judgment, reviewer())
    [restored] = standing(campaign)
    assert (owed(judgment.respondent), state_of(judgment)) == (Decimal("0.25"), "pending")
    assert not Review.objects.filter(judgment=restored).exists()
    rejected(Judgment.objects.get(pk=restored))
    assert (standing(campaign), owed(judgment.respondent)) == ([], 0)


def test_checks_are_rejected_without_asking_anybody_else(campaign):
    gold = make_item(
        campaign,
        slots=0,
        purpose=ItemPurpose.TRAINING,
        expected=[{"question": "preference", "values": ["a"]}],
        explanation="It is.",
    )
    judgment = judged(campaign, joined(campaign))
    assert judgment.item_id == gold.pk
    rejected(judgment)
    assert not Slot.objects.filter(item=gold, state="open").exists()
    appeal(judgment)
    settle(judgment, reviewer(), True)
    assert Judgment.objects.filter(item=gold, kind="answer", superseded_by__isnull=True).count() == 1


def test_one_more_judgment_is_asked_for_with_a_reason(campaign):
    item, _judgments = judged_by(campaign, 2)
    slot = ask_for_judgment(item_id=item.pk, reason="They differ.", actor=reviewer(), now=timezone.now())
    assert slots_of(item) == [(1, "done"), (2, "done"), (3, "open")]
    assert Event.objects.get(verb="slot_added").reason == "They differ."
    assert judged(campaign, joined(campaign)).assignment.slot_id == slot.pk
    check = make_item(campaign, slots=0, purpose=ItemPurpose.TRAINING)
    with pytest.raises(NobodyIsAsked):
        ask_for_judgment(item_id=check.pk, reason="x", actor=reviewer(), now=timezone.now())


def test_a_block_leaves_what_was_approved(campaign):
    respondent = joined(campaign)
    for _ in range(3):
        make_item(campaign)
    approved, contested, _fresh = [judged(campaign, respondent) for _ in range(3)]
    approve(approved, reviewer())
    reject(contested, reviewer())
    assert (block_effect(respondent).judgments, block_effect(respondent).slots) == (2, 2)
    taken = block_respondent(respondent_id=respondent.pk, reason="random", actor=None, now=timezone.now())
    assert (taken, standing(campaign)) == (2, [approved.pk])
    with pytest.raises(NotStanding):
        reject(contested, reviewer())


def test_what_a_reviewer_had_seen_is_kept_with_the_decision(campaign):
    item, [first, second] = judged_by(campaign, 2)
    blind, informed = reviewer(), reviewer()
    note_look(item=item, actor=blind, now=timezone.now(), judgment_id=first.pk)
    assert not saw_others(item.pk, blind, besides=first.pk)
    # They had this one before them: it is another's answer when the next is decided.
    assert saw_others(item.pk, blind, besides=second.pk)
    note_look(item=item, actor=informed, now=timezone.now())
    note_look(item=item, actor=informed, now=timezone.now())
    approve(first, blind)
    approve(second, informed)
    seen = Event.objects.filter(verb="review_approve").order_by("pk").values_list("data__saw_others", flat=True)
    assert (list(seen), Event.objects.filter(verb="looked").count()) == ([False, True], 2)
