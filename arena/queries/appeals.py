"""Visitors whose votes a block has set apart, and what they say against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.enums import JudgmentKind, RespondentState
from annotation.models import Event, Judgment, Respondent
from arena.enums import AppealState
from arena.models import Arena, BlockAppeal
from arena.queries.integrity import Behaviour, integrity_of

MOST = 200


@dataclass(frozen=True)
class SetApart:
    """A blocked visitor, or who was until an appeal was granted: why, how many votes, and the appeal, whose words are
    None where they were erased."""

    respondent: Respondent
    block: Event
    appeal: BlockAppeal | None
    words: str | None = None

    @property
    def votes(self) -> int:
        return int((self.block.data or {}).get("judgments", 0))

    @property
    def may_appeal(self) -> bool:
        return self.appeal is None

    @property
    def waits(self) -> bool:
        return self.appeal is not None and self.appeal.state == AppealState.OPEN


def last_block(respondent: Respondent) -> Event | None:
    blocks = Event.objects.filter(subject=Respondent._meta.label_lower, subject_id=str(respondent.pk), verb="blocked")
    return blocks.order_by("-pk").first()


def set_apart_of(person: Person) -> list[SetApart]:
    """In every arena; with an answer also what was granted."""
    parts = Respondent.objects.filter(person=person, campaign__is_arena=True).select_related("campaign")
    return _shown([each for each in parts if each.state == RespondentState.BLOCKED or _granted(each)])


def set_apart_in(arena: Arena) -> list[SetApart]:
    """Those who wait for a decision first."""
    blocked = Respondent.objects.filter(campaign=arena.campaign_id, state=RespondentState.BLOCKED)
    found = _shown(list(blocked.select_related("campaign").order_by("-pk")[:MOST]))
    return sorted(found, key=lambda each: not each.waits)


@dataclass(frozen=True)
class ShownVisitor:
    """`apart` where a block of theirs stands; `events` are what was decided about them, the newest first."""

    respondent: Respondent
    behaviour: Behaviour | None
    standing: int
    apart: SetApart | None
    events: Sequence[Event]


def visitor_in(arena: Arena, respondent: Respondent, *, now: datetime) -> ShownVisitor:
    found = integrity_of(arena, now=now).visitors
    blocked = _shown([respondent]) if respondent.state == RespondentState.BLOCKED else []
    about = Event.objects.filter(subject=Respondent._meta.label_lower, subject_id=str(respondent.pk))
    answers = Judgment.objects.filter(respondent=respondent, kind=JudgmentKind.ANSWER, superseded_by__isnull=True)
    return ShownVisitor(
        respondent=respondent,
        behaviour=next((each.behaviour for each in found if each.respondent == respondent.pk), None),
        standing=answers.count(),
        apart=blocked[0] if blocked else None,
        events=list(about.select_related("actor__user").order_by("-pk")[:MOST]),
    )


def _granted(respondent: Respondent) -> bool:
    return respondent.block_appeals.filter(state=AppealState.GRANTED).exists()


def _shown(parts: Sequence[Respondent]) -> list[SetApart]:
    keys = [str(each.pk) for each in parts]
    events = Event.objects.filter(subject=Respondent._meta.label_lower, subject_id__in=keys, verb="blocked")
    blocks = {event.subject_id: event for event in events.order_by("pk")}
    appeals = {each.block_id: each for each in BlockAppeal.objects.filter(respondent__in=parts)}
    words = read_personal_texts(each.personal_text_id for each in appeals.values())
    found = []
    for each in parts:
        block = blocks.get(str(each.pk))
        if block is not None:
            appeal = appeals.get(block.pk)
            found.append(SetApart(each, block, appeal, words[appeal.personal_text_id] if appeal else None))
    return found
