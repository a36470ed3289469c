"""An undo at the same moment as something else about the answer. Each race first happens with the locks off."""

from functools import partial

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from annotation.enums import JudgmentKind
from annotation.models import Assignment, Judgment, Respondent, Review, Slot
from annotation.use_cases import accept_batch as accepting
from annotation.use_cases import undo_judgment as undoing
from annotation.use_cases import withdraw_consent as withdrawing
from annotation.use_cases.accept_batch import accept_batch
from annotation.use_cases.make_batch import make_batch
from annotation.use_cases.submit_work import NotActive
from annotation.use_cases.supersede_judgment import AlreadySuperseded
from annotation.use_cases.undo_judgment import TooLateToUndo, undo_judgment
from annotation.use_cases.withdraw_consent import withdraw_consent
from tests.annotation.review.reviewing import one_judgment, reviewed_campaign, reviewer
from tests.foundation.threads import Meanwhile, run_together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def judgment():
    return one_judgment(reviewed_campaign())


@pytest.fixture
def without_locks(monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda found, **options: found)


def undo(judgment):
    return undo_judgment(judgment_id=judgment.pk, respondent=judgment.respondent, now=timezone.now())


def undo_while(monkeypatch, judgment, other):
    """The undo has looked whether it may; then the other comes."""
    meanwhile = Meanwhile()
    monkeypatch.setattr(undoing, "_refuse", meanwhile.after(undoing._refuse))
    return run_together(partial(undo, judgment), partial(meanwhile.do, other))


def undone():
    return Judgment.objects.filter(kind=JudgmentKind.UNDONE).count()


def test_two_undos_at_once_are_one_and_both_are_told_so(judgment, monkeypatch):
    first, second = undo_while(monkeypatch, judgment, partial(undo, judgment))
    assert (first, undone()) == (second, 1)
    assert Assignment.objects.get().state == "open"


def test_control_without_the_lock_who_asks_twice_is_refused(judgment, monkeypatch, without_locks):
    outcomes = undo_while(monkeypatch, judgment, partial(undo, judgment))
    assert sorted(type(each).__name__ for each in outcomes) == ["AlreadySuperseded", "Judgment"]


def undo_while_a_batch_is_accepted(monkeypatch, judgment):
    batch = make_batch(campaign_id=judgment.campaign_id, actor=reviewer(), now=timezone.now())
    accept = partial(accept_batch, batch_id=batch.pk, actor=reviewer(), now=timezone.now())
    outcomes = undo_while(monkeypatch, judgment, accept)
    return outcomes, Review.objects.filter(state="approved").count()


def test_what_is_taken_back_is_not_accepted_with_its_batch(judgment, monkeypatch):
    (first, settled), approved = undo_while_a_batch_is_accepted(monkeypatch, judgment)
    assert (first.kind, settled.judgments, undone(), approved) == ("undone", 0, 1, 0)
    with pytest.raises(AlreadySuperseded):
        undoing._refuse(judgment, judgment.respondent, timezone.now())


def test_control_without_the_lock_it_is_taken_back_and_accepted(judgment, monkeypatch, without_locks):
    _outcomes, approved = undo_while_a_batch_is_accepted(monkeypatch, judgment)
    assert (undone(), approved) == (1, 1)


def test_what_its_batch_accepts_first_stays(judgment, monkeypatch):
    batch = make_batch(campaign_id=judgment.campaign_id, actor=reviewer(), now=timezone.now())
    meanwhile = Meanwhile()
    monkeypatch.setattr(accepting, "settle", meanwhile.after(accepting.settle))
    accept = partial(accept_batch, batch_id=batch.pk, actor=reviewer(), now=timezone.now())
    settled, refused = run_together(accept, partial(meanwhile.do, partial(undo, judgment)))
    assert (settled.judgments, type(refused), undone()) == (1, TooLateToUndo, 0)


def undo_while_somebody_withdraws(monkeypatch, judgment):
    """The withdrawal has given back what they hold; then the undo comes. What came of it, and what they hold."""
    meanwhile = Meanwhile()
    monkeypatch.setattr(withdrawing, "take_back_assignments", meanwhile.after(withdrawing.take_back_assignments))
    withdraw = partial(
        withdraw_consent, respondent_id=judgment.respondent_id, actor=None, now=timezone.now(), on_request=True
    )
    outcomes = run_together(withdraw, partial(meanwhile.do, partial(undo, judgment)))
    assert Respondent.objects.get(pk=judgment.respondent_id).state == "withdrawn"
    return outcomes, Assignment.objects.filter(state="open").count()


def test_whoever_withdraws_takes_nothing_back_and_holds_no_item(judgment, monkeypatch):
    (withdrawn, refused), held = undo_while_somebody_withdraws(monkeypatch, judgment)
    assert (withdrawn.judgments, type(refused), undone(), held) == (1, NotActive, 0, 0)
    assert Slot.objects.filter(state="open").count() == 1


def test_control_without_the_lock_somebody_who_withdrew_holds_an_item(judgment, monkeypatch, without_locks):
    (withdrawn, _undone), held = undo_while_somebody_withdraws(monkeypatch, judgment)
    assert (withdrawn.judgments, undone(), held) == (0, 1, 1)
    assert not Slot.objects.filter(state="open").exists()
