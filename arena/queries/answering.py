"""A turn that is being answered, as its stream sees it."""

from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone

from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.models import Turn
from arena.enums import BattleState
from arena.lockstep import Tempo
from arena.models import Battle, Moderator
from arena.queries.tempo import common_tempo
from inference_workers.enums import CompletionState

# As shown; a battle has the first two, three or four.
SIDES = ("a", "b", "c", "d")


@dataclass(frozen=True)
class AnsweringTurn:
    """The current turn of a battle as its stream sees it. `completions` maps each job to the side it is shown on."""

    number: int
    person: Person
    completions: dict[UUID, str]
    outcome: str
    ended: bool
    texts: dict[str, str] = field(default_factory=dict)
    # Whether nothing is shown before all answers are whole and were checked.
    held: bool = False
    tempo: Tempo = field(default_factory=Tempo)
    seconds_since_asked: float = 0.0
    regenerations: int = 0
    # Until it opens; None while an answer is not whole.
    opens_in: float | None = None

    @property
    def is_due(self) -> bool:
        """Whether somebody has to open it, which a look alone does not."""
        return not self.ended and self.opens_in is not None and self.opens_in <= 0

    @property
    def asking(self) -> str:
        """Which asking of the turn it is; what was read of an earlier one says nothing of this."""
        return f"{self.number}.{self.regenerations}"


def answering_turn(battle_id: UUID, *, person: Person | None) -> AnsweringTurn | None:
    """None where there is no such battle of this person."""
    battle = (
        Battle.objects.select_related("impression")
        .filter(pk=battle_id, assignment__respondent__person=person)
        .exclude(assignment__respondent__person=None)
        .first()
    )
    if battle is None or person is None:
        return None
    current = Turn.objects.filter(response__item=battle.item_id, number=battle.turn_count - 1)
    turns = list(current.select_related("response", "completion"))
    side_of = {position: SIDES[place] for place, position in enumerate(battle.impression.order)}
    ended, now = battle.state != BattleState.ANSWERING, timezone.now()
    return AnsweringTurn(
        number=battle.turn_count - 1,
        person=person,
        completions={turn.job.pk: side_of[turn.response.position] for turn in turns},
        outcome="ready" if battle.state in (BattleState.VOTABLE, BattleState.HELD, BattleState.VOTED) else "void",
        ended=ended,
        texts=_texts(turns, side_of) if ended else {},
        held=Moderator.objects.filter(arena=battle.arena_id).exists(),
        tempo=common_tempo(battle.arena_id),
        seconds_since_asked=(now - min(turn.job.created_at for turn in turns)).total_seconds(),
        regenerations=battle.regenerations,
        opens_in=(battle.opens_at - now).total_seconds() if battle.opens_at else None,
    )


def _texts(turns: list[Turn], side_of: dict[int, str]) -> dict[str, str]:
    done = [turn for turn in turns if turn.job.state == CompletionState.SUCCEEDED]
    sealed = read_personal_texts(t.job.personal_text_id for t in done if t.job.personal_text_id)
    return {
        side_of[turn.response.position]: (
            sealed[turn.job.personal_text_id] if turn.job.personal_text_id else turn.job.text
        )
        or ""
        for turn in done
    }
