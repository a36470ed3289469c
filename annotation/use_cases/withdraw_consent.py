from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.datasets.withdrawn import versions_with
from annotation.enums import RespondentState
from annotation.errors import AnnotationError
from annotation.models import Campaign, DatasetWithdrawal, Respondent
from annotation.policies.withdrawals import is_open, last_day
from annotation.queries.people import standing_answers_of
from annotation.transitions import RESPONDENT
from annotation.use_cases.hold_draw import hold_draw
from annotation.use_cases.lock_session import NothingToDraw, lock_session
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_back_assignments import take_back_assignments
from annotation.use_cases.take_out_judgment import take_out
from foundation.transitions import check


class TooLateToWithdraw(AnnotationError):
    """The last day for withdrawals is over. Whoever runs the campaign can still withdraw somebody who asks them."""


@dataclass(frozen=True)
class Withdrawn:
    """How many judgments were taken out, and the numbers of the dataset versions that hold them."""

    judgments: int
    versions: list[int] = field(default_factory=list)


def withdraw_consent(
    *, respondent_id: int, actor: Person | None, now: datetime, reason: str = "", on_request: bool = False
) -> Withdrawn:
    """End somebody's part in a campaign and take every answer of theirs out of every view; others are asked for as
    many. Their pay stays what it is, and a draw that is still to be held is held first.

    All of it or nothing; again does nothing more. The answers stay in the log under a retraction each, dataset versions
    that hold them are marked, and later ones leave them out. Raises TooLateToWithdraw unless somebody who runs the
    campaign does it `on_request`.
    """
    with transaction.atomic():
        respondent = _hold(respondent_id)
        if respondent.state == RespondentState.WITHDRAWN:
            return Withdrawn(0)
        if not on_request and not is_open(last_day(respondent.campaign, respondent.consent), now):
            raise TooLateToWithdraw("the last day for withdrawals is over")
        before = respondent.state
        check(RESPONDENT, before, RespondentState.WITHDRAWN)
        if before == RespondentState.ACTIVE:
            _draw_first(respondent, now)
        respondent.state, respondent.withdrawn_at = RespondentState.WITHDRAWN, now
        respondent.save(update_fields=["state", "withdrawn_at"])
        take_back_assignments(respondent, now)
        withdrawn = Withdrawn(_take_out_all(respondent, now), _mark_versions(respondent, now))
        record_event(
            subject=respondent,
            verb="withdrew",
            actor=actor,
            from_state=before,
            to_state=RespondentState.WITHDRAWN,
            reason=reason,
            data={
                "judgments": withdrawn.judgments,
                "versions": withdrawn.versions,
                "by": "admin" if on_request else "self",
            },
        )
    return withdrawn


def _hold(respondent_id: int) -> Respondent:
    """Their row, so that an answer comes before or too late; and their campaign's, so that a dataset that is frozen
    meanwhile is marked or leaves them out."""
    campaign = Respondent.objects.values_list("campaign", flat=True).get(pk=respondent_id)
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign)
    people = Respondent.objects.select_related("campaign", "consent", "person")
    return people.select_for_update(of=["self"]).get(pk=respondent_id)


def _draw_first(respondent: Respondent, now: datetime) -> None:
    """Answers that are taken out are in no draw: whoever has one to come would lose by withdrawing."""
    try:
        lock_session(respondent_id=respondent.pk, now=now)
        hold_draw(respondent_id=respondent.pk, now=now)
    except NothingToDraw:
        pass


def _take_out_all(respondent: Respondent, now: datetime) -> int:
    standing = standing_answers_of(respondent).select_related("item")
    # Items in one order, so that two people who withdraw at once wait for each other and do not lock up.
    return len([take_out(judgment, now) for judgment in standing.order_by("item_id")])


def _mark_versions(respondent: Respondent, now: datetime) -> list[int]:
    held = versions_with(respondent)
    DatasetWithdrawal.objects.bulk_create(
        DatasetWithdrawal(version=each.version, respondent=respondent, judgments=each.judgments, created_at=now)
        for each in held
    )
    return [each.version.number for each in held]
