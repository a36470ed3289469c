from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.enums import LinkPurpose
from accounts.models import Person, User
from accounts.use_cases.erase_person import erase_person
from accounts.use_cases.link_person import NoSuchLink, use_link
from annotation.enums import ImpressionEnd
from annotation.models import Respondent
from annotation.use_cases.forget_files import forget_files
from annotation.use_cases.take_back_assignments import take_back_assignments
from annotation.use_cases.withdraw_consent import TooLateToWithdraw, withdraw_consent
from arena.enums import BattleState
from arena.errors import ArenaError
from arena.models import Battle, KeptModel
from arena.use_cases.end_unanswered import end_unanswered

OPEN = (BattleState.ANSWERING, BattleState.VOTABLE)


class LastSuperuser(ArenaError):
    """Without this account nobody could run the site; another superuser is made first."""


@dataclass(frozen=True)
class Erased:
    """How many judgments were taken out, and in how many campaigns it was too late to."""

    judgments: int = 0
    too_late: int = 0


def erase_own(*, person_id: UUID, withdraws: bool, now: datetime) -> Erased:
    """Make everything that somebody wrote unreadable, at their own wish, and forget who they were.

    Battles of theirs that are open end without a vote, and what they hold of campaigns is given back. Their judgments
    stay under a pseudonym and count as before, unless they are withdrawn with it. All of it or nothing; raises
    LastSuperuser.
    """
    with transaction.atomic():
        person = Person.objects.select_related("user").get(pk=person_id)
        if person.erased_at is not None:
            return Erased()
        _refuse_last_superuser(person.user)
        # A vote holds its battle before it holds its respondent: so does this.
        for battle in _hold_battles(person):
            _end(battle, now)
        erased = _withdraw_all(person, now) if withdraws else Erased()
        _give_back_all(person, now)
        KeptModel.objects.filter(person=person).delete()
        erase_person(person_id=person_id, now=now)
        forget_files(person_ids=[person_id])
    return erased


def erase_by_link(*, token: str, withdraws: bool, now: datetime) -> Erased:
    """The same by a link that was made for it, which is used up. Raises NoSuchLink and LastSuperuser."""
    with transaction.atomic():
        link = use_link(token=token, now=now)
        if link.purpose != LinkPurpose.ERASE:
            raise NoSuchLink("the link is for something else")
        return erase_own(person_id=link.person_id, withdraws=withdraws, now=now)


def _refuse_last_superuser(user: User | None) -> None:
    others = User.objects.filter(is_superuser=True, is_active=True)
    if user is not None and user.is_superuser and not others.exclude(pk=user.pk).exists():
        raise LastSuperuser(f"{user} is the only superuser")


def _withdraw_all(person: Person, now: datetime) -> Erased:
    judgments = too_late = 0
    for respondent_id in Respondent.objects.filter(person=person).order_by("pk").values_list("pk", flat=True):
        try:
            judgments += withdraw_consent(respondent_id=respondent_id, actor=person, now=now).judgments
        except TooLateToWithdraw:
            too_late += 1
    return Erased(judgments, too_late)


def _give_back_all(person: Person, now: datetime) -> None:
    held = Respondent.objects.select_for_update(of=["self"]).filter(person=person).order_by("pk")
    for respondent in held:
        take_back_assignments(respondent, now)


def _hold_battles(person: Person) -> QuerySet[Battle]:
    mine = Battle.objects.filter(assignment__respondent__person=person, state__in=OPEN)
    return mine.select_for_update(of=["self"]).select_related("item", "assignment__slot", "impression").order_by("pk")


def _end(battle: Battle, now: datetime) -> None:
    """It can neither go on nor be voted on: the key that it is sealed under is about to be destroyed."""
    end_unanswered(
        battle,
        state=BattleState.ABANDONED,
        shown=ImpressionEnd.ABANDONED,
        verb="erased",
        reason="its visitor was erased",
        now=now,
    )
