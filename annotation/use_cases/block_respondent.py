from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import RespondentState
from annotation.models import Event, Judgment, Respondent, Slot
from annotation.queries.people import unaccepted
from annotation.transitions import RESPONDENT
from annotation.use_cases.end_participation import reopen_participation
from annotation.use_cases.put_back_judgment import put_back
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_back_assignments import take_back_assignments
from annotation.use_cases.take_out_judgment import take_out
from foundation.transitions import check


@dataclass(frozen=True)
class Unblocked:
    """How many judgments count again, and for how many others were asked already."""

    respondent: Respondent
    put_back: int
    stay_out: int


def block_respondent(*, respondent_id: int, reason: str, actor: Person | None, now: datetime) -> int:
    """Stop a person's work and take what nobody approved of theirs out of every view; others are asked for as many.

    All of it or nothing. The judgments stay in the log under a retraction each. Returns how many were taken out.
    """
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        check(RESPONDENT, respondent.state, RespondentState.BLOCKED)
        before, respondent.state = respondent.state, RespondentState.BLOCKED
        respondent.save(update_fields=["state"])
        take_back_assignments(respondent, now)
        standing = unaccepted(respondent).select_related("item")
        # Items in one order, so that two people who are blocked at once wait for each other and do not lock up.
        taken = []
        for judgment in standing.order_by("item_id"):
            _note_asked(judgment, take_out(judgment, now), actor)
            taken.append(judgment.pk)
        record_event(
            subject=respondent,
            verb="blocked",
            actor=actor,
            from_state=before,
            to_state=RespondentState.BLOCKED,
            reason=reason,
            data={"judgments": len(taken), "taken": taken},
        )
    return len(taken)


def _note_asked(judgment: Judgment, slot: Slot | None, actor: Person | None) -> None:
    """Which slot asks in the judgment's place, so that it can be taken back."""
    if slot is not None:
        data = {"slot": slot.number, "judgment": judgment.pk}
        record_event(subject=slot.item, verb="slot_added", actor=actor, reason="its annotator was blocked", data=data)


def unblock_respondent(*, respondent_id: int, reason: str, actor: Person | None, now: datetime) -> Unblocked:
    """Let somebody work again. What the block took out counts again, by new rows, as `put_back` says: where nobody has
    been asked in its place yet. The rest stays out. Whom a study sent leaves it anew, as they end.
    """
    with transaction.atomic():
        reopen_participation(respondent_id=respondent_id, actor=actor)
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        check(RESPONDENT, respondent.state, RespondentState.ACTIVE)
        before, respondent.state = respondent.state, RespondentState.ACTIVE
        respondent.save(update_fields=["state"])
        taken = Judgment.objects.filter(pk__in=_taken_by_block(respondent) if before == RespondentState.BLOCKED else [])
        restored = [put_back(each, actor=actor, now=now) for each in taken.select_related("item").order_by("item_id")]
        back = sum(each is not None for each in restored)
        record_event(
            subject=respondent,
            verb="unblocked",
            actor=actor,
            from_state=before,
            to_state=RespondentState.ACTIVE,
            reason=reason,
            data={"put_back": back, "stay_out": len(restored) - back},
        )
    return Unblocked(respondent, back, len(restored) - back)


def _taken_by_block(respondent: Respondent) -> list[int]:
    blocks = Event.objects.filter(subject=Respondent._meta.label_lower, subject_id=str(respondent.pk), verb="blocked")
    last = blocks.order_by("-pk").first()
    return [] if last is None else (last.data or {}).get("taken", [])
