"""What a visitor says of single answers, as the page of a battle offers and shows it."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotation.enums import ReactionKind

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
