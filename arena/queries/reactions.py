"""What a visitor says of single answers, as the page of a battle offers and shows it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotation.enums import ReactionKind
from annotation.models import Turn
from annotation.queries.reactions import standing_reactions

PRAISE = (ReactionKind.USEFUL, ReactionKind.COMPLETE, ReactionKind.CREATIVE, ReactionKind.CLEAR)
BLAME = (ReactionKind.INCORRECT, ReactionKind.SUPERFICIAL, ReactionKind.DISOBEYS)


@dataclass(frozen=True)
class Offered:
    """One thing that can be said, and whether it is."""

    value: str
    label: str
    is_set: bool


@dataclass(frozen=True)
class Reactions:
    """Of one answer: the turn's number, the side as shown, and what is said."""

    number: int
    place: int
    side: str
    said: Collection[str]

    @property
    def labels(self) -> list[str]:
        return [str(kind.label) for kind in ReactionKind if kind in self.said]

    @property
    def rows(self) -> list[tuple[str, list[Offered]]]:
        return [(_("Good about it"), self._offer(PRAISE)), (_("Bad about it"), self._offer(BLAME))]

    def _offer(self, kinds: Collection[ReactionKind]) -> list[Offered]:
        return [Offered(kind.value, str(kind.label), kind.value in self.said) for kind in kinds]


def reactions_of(turns: Sequence[Turn], side_of: Mapping[int, str]) -> dict[int, dict[str, Reactions]]:
    """By turn and side; `side_of` gives the sides by position, in the order shown."""
    said = standing_reactions({turn.response.item_id for turn in turns})
    place_of = {side: place for place, side in enumerate(side_of.values())}
    found: dict[int, dict[str, Reactions]] = {}
    for turn in turns:
        side = side_of[turn.response.position]
        found.setdefault(turn.number, {})[side] = Reactions(turn.number, place_of[side], side, said.get(turn.pk, []))
    return found
