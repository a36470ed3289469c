"""Where a battle stands in a conversation that went on after a vote. Nothing here knows a model."""

import json
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from accounts.models import Person
from annotation.enums import JudgmentKind
from annotation.models import Judgment
from annotation.questions.base import side_letter
from arena.enums import BaseChoice, BattleState
from arena.models import Battle
from arena.queries.votes import preferred_sides


@dataclass(frozen=True)
class Part:
    """`number` counts from 1. `base` is the letter of the side whose history is shared, as it was shown before."""

    number: int
    before: UUID | None
    after: UUID | None
    base: str
    base_choice: str
    # The letter of the side that the next part goes on from; empty where the visitor picks one, or has one drawn.
    preferred: str
    letters: tuple[str, ...]
    is_held: bool
    has_held: bool
    turns_left: int

    @property
    def goes_on(self) -> bool:
        """Whether another message can follow its vote."""
        return self.is_held and self.after is None and self.turns_left > 0

    @property
    def was_drawn(self) -> bool:
        return self.base_choice == BaseChoice.DRAWN


def part_of(battle_id: UUID, *, person: Person) -> Part:
    """Of a battle of this person."""
    related = ("arena", "impression", "continues__impression", "continued_by")
    battle = Battle.objects.select_related(*related).get(pk=battle_id, assignment__respondent__person=person)
    first = battle.first_id or battle.pk
    parts = Battle.objects.filter(Q(pk=first) | Q(first=first))
    states = dict(parts.values_list("turns_before", "state"))
    before = battle.continues
    after: Battle | None = getattr(battle, "continued_by", None)
    is_held = battle.state == BattleState.HELD
    return Part(
        number=1 + sum(turns < battle.turns_before for turns in states),
        before=before.pk if before else None,
        after=after.pk if after else None,
        base=_base(battle),
        base_choice=battle.base_choice,
        preferred=_preferred(battle) if is_held else "",
        letters=tuple(side_letter(place) for place in range(len(battle.impression.order))),
        is_held=is_held,
        has_held=BattleState.HELD in states.values(),
        turns_left=max(0, battle.arena.max_turns - battle.turns_before - battle.turn_count),
    )


def _base(battle: Battle) -> str:
    if battle.continues is None or battle.base_position is None:
        return ""
    return side_letter(battle.continues.impression.order.index(battle.base_position))


def _preferred(battle: Battle) -> str:
    votes = Judgment.objects.filter(item=battle.item_id, kind=JudgmentKind.ANSWER, supersedes=None)
    vote = votes.filter(respondent=battle.impression.respondent_id).first()
    places = preferred_sides(vote) if vote else set()
    return side_letter(min(places)) if places else ""


def history_of(messages: str) -> list[tuple[str, str, str]]:
    """Role, text and picture of all before the last message but what the arena tells its models."""
    said = json.loads(messages)[:-1] if messages else []
    return [
        (each["role"], str(each["content"]), str(each.get("picture", ""))) for each in said if each["role"] != "system"
    ]
