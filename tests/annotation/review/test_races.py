"""Two reviewers at once: one decision, not two. Each race first happens with the guard off."""

import time
from functools import partial

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import Judgment, Review, ReviewDecision, Slot
from annotation.use_cases import hold_review as module
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.hold_review import NotStanding, ReviewChanged
from tests.annotation.review.reviewing import approve, one_judgment, reject, reviewed_campaign, reviewer
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def judgment():
    judgment = one_judgment(reviewed_campaign())
    # As a batch makes it; two who insert it at once would wait for each other by themselves.
    Review.objects.create(campaign=judgment.campaign, judgment=judgment)
    return judgment


@pytest.fixture
def slowly(monkeypatch):
    """Between the look at a review and the decision about it there is time for somebody else."""
    checked = module.check

    def check(*arguments):
        checked(*arguments)
        time.sleep(0.3)

    monkeypatch.setattr(module, "check", check)


def without_locks(monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda found, **options: found)


def kinds(outcomes):
    return sorted(type(each).__name__ for each in outcomes)


def reject_at_once(judgment):
    return run_together(*[partial(reject, judgment, reviewer(), seen="pending") for _ in range(2)])


def test_two_who_reject_at_once_are_one_rejection_and_the_other_looks_again(judgment, slowly):
    outcomes = reject_at_once(judgment)
    assert kinds(outcomes) == ["Review", "ReviewChanged"]
    assert (ReviewDecision.objects.count(), Review.objects.get().state) == (1, "contested")


def test_control_without_the_lock_both_write_the_first_rejection(judgment, slowly, monkeypatch):
    without_locks(monkeypatch)
    assert kinds(reject_at_once(judgment)) == ["Review", "Review"]
    assert (ReviewDecision.objects.count(), Review.objects.get().state) == (2, "contested")


def test_a_second_and_a_third_who_reject_at_once_take_it_out_once(judgment, slowly):
    reject(judgment, reviewer())
    outcomes = run_together(*[partial(reject, judgment, reviewer(), seen="contested") for _ in range(2)])
    assert [type(each) for each in outcomes].count(ReviewChanged) == 1
    assert Judgment.objects.filter(kind="retraction").count() == 1
    assert list(Slot.objects.order_by("number").values_list("state", flat=True)) == ["cancelled", "open"]


def approve_and_block(judgment):
    block = partial(
        block_respondent, respondent_id=judgment.respondent_id, reason="random", actor=None, now=timezone.now()
    )
    return run_together(partial(approve, judgment, reviewer()), block)


def both(outcomes):
    """Whether it was approved and taken out."""
    approved = Review.objects.filter(state="approved").exists()
    return approved and Judgment.objects.filter(kind="retraction").exists()


def test_what_is_approved_is_not_taken_out_by_a_block_at_the_same_moment(judgment, slowly):
    outcomes = approve_and_block(judgment)
    assert not both(outcomes)
    assert isinstance(outcomes[0], Review | NotStanding)


def test_control_without_the_lock_it_is_approved_and_taken_out(judgment, slowly, monkeypatch):
    without_locks(monkeypatch)
    assert both(approve_and_block(judgment))
