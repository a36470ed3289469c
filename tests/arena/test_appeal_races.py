"""What meets an appeal against a block at the same moment: another one, the admin who lets the votes count again by
themselves, and the visitor's own erasure. Either comes first, and nothing is left half done."""

from functools import partial

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import Respondent
from annotation.use_cases import block_respondent as blocking
from arena.models import BlockAppeal
from arena.use_cases import appeal_block as appealing
from arena.use_cases import erase_own as erasing
from arena.use_cases import release_visitor as releasing
from arena.use_cases.appeal_block import AppealedBefore, NothingToAppeal, appeal_block
from arena.use_cases.erase_own import Erased, erase_own
from arena.use_cases.release_visitor import release_visitor
from foundation.transitions import ForbiddenTransition
from tests.arena.test_races import LONG, stays_after
from tests.arena.test_set_apart import blocked, standing
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visitor() -> Respondent:
    """With two votes, which are set apart."""
    return blocked()


def without_locks(monkeypatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda found, **options: found)


def appeal(visitor: Respondent) -> BlockAppeal:
    return appeal_block(respondent_id=visitor.pk, person=visitor.person, words="Look again.", now=timezone.now())


def release(visitor: Respondent) -> None:
    release_visitor(respondent_id=visitor.pk, reason="We looked again.", actor=None, now=timezone.now())


def erase(visitor: Respondent) -> Erased:
    return erase_own(person_id=visitor.person_id, withdraws=True, now=timezone.now())


def left(visitor: Respondent) -> tuple[str, list[str], int]:
    """The visitor's state, those of their appeals, and how many votes count."""
    visitor.refresh_from_db()
    return visitor.state, list(BlockAppeal.objects.values_list("state", flat=True)), standing()


# -- two appeals


def two_appeals(monkeypatch, visitor: Respondent) -> list:
    """The one has looked whether there is an appeal; then the other comes."""
    meanwhile = stays_after(monkeypatch, appealing, "write_personal_text")
    return run_together(partial(appeal, visitor), partial(meanwhile.do, partial(appeal, visitor)))


def test_of_two_appeals_at_once_one_stands_and_the_other_is_told_so(visitor, monkeypatch):
    first, second = two_appeals(monkeypatch, visitor)
    assert (type(first), type(second)) == (BlockAppeal, AppealedBefore)
    assert left(visitor) == ("blocked", ["open"], 0)


def test_control_without_the_lock_both_come_through_to_the_database_which_refuses_one(visitor, monkeypatch):
    without_locks(monkeypatch)
    ends = two_appeals(monkeypatch, visitor)
    assert {type(each) for each in ends} == {BlockAppeal, IntegrityError}
    assert left(visitor) == ("blocked", ["open"], 0)


# -- an appeal and the admin's own release


def test_an_appeal_that_came_before_the_release_is_granted_with_it(visitor, monkeypatch):
    meanwhile = stays_after(monkeypatch, appealing, "write_personal_text")
    made, _released = run_together(partial(appeal, visitor), partial(meanwhile.do, partial(release, visitor)))
    assert left(visitor) == ("active", ["granted"], 2)
    made.refresh_from_db()
    assert made.answer == "We looked again."


def test_an_appeal_that_comes_after_the_release_finds_nothing_to_appeal_against(visitor, monkeypatch):
    meanwhile = stays_after(monkeypatch, releasing, "unblock_respondent")
    _released, refused = run_together(partial(release, visitor), partial(meanwhile.do, partial(appeal, visitor)))
    assert type(refused) is NothingToAppeal
    assert left(visitor) == ("active", [], 2)


def test_control_without_the_lock_an_appeal_waits_for_good_though_no_block_stands(visitor, monkeypatch):
    without_locks(monkeypatch)
    meanwhile = stays_after(monkeypatch, appealing, "write_personal_text", LONG)
    run_together(partial(appeal, visitor), partial(meanwhile.do, partial(release, visitor)), within=60)
    assert left(visitor) == ("active", ["open"], 2)


# -- the release and the visitor's erasure, which withdraws the votes


def release_while_erased(monkeypatch, visitor: Respondent) -> list:
    """The erasure has withdrawn the votes and is not done; then the release comes."""
    meanwhile = stays_after(monkeypatch, erasing, "withdraw_consent")
    return run_together(partial(erase, visitor), partial(meanwhile.do, partial(release, visitor)))


def test_a_release_that_comes_after_the_erasure_is_refused_and_no_vote_of_the_erased_comes_back(visitor, monkeypatch):
    erased, refused = release_while_erased(monkeypatch, visitor)
    assert (type(erased), type(refused)) == (Erased, ForbiddenTransition)
    assert left(visitor) == ("withdrawn", [], 0)


def test_an_erasure_that_comes_after_the_release_takes_the_votes_out_again(visitor, monkeypatch):
    meanwhile = stays_after(monkeypatch, blocking, "_taken_by_block")
    released, erased = run_together(partial(release, visitor), partial(meanwhile.do, partial(erase, visitor)))
    assert (released, erased) == (None, Erased(judgments=2))
    assert left(visitor) == ("withdrawn", [], 0)


def test_control_without_the_lock_votes_of_the_erased_come_back_and_count(visitor, monkeypatch):
    without_locks(monkeypatch)
    erased, released = release_while_erased(monkeypatch, visitor)
    assert (type(erased), released) == (Erased, None)
    assert left(visitor) == ("active", [], 2)
