"""How far two people's answers to one item lie apart, whatever order each of them was shown."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Given:
    """A stored answer, and the positions of the item's responses in the order in which they were shown for it."""

    stored: Any
    order: Sequence[int]

    def by_position(self, values: Sequence[Any]) -> list[Any]:
        """What stands in the order shown, in the item's own order."""
        turned = dict(zip(self.order, values, strict=False))
        return [turned[position] for position in sorted(turned)]


def sets_apart(one: Collection[Any], other: Collection[Any]) -> float:
    """The share of all that was named which only one of the two named (Jaccard's distance)."""
    named = {*one, *other}
    return len(named - (set(one) & set(other))) / len(named) if named else 0.0


def furthest(distances: Iterable[float | None]) -> float:
    """Of several responses or attributes; None where one of the two says nothing."""
    return max((each for each in distances if each is not None), default=0.0)


def orders_apart(one: Sequence[int], other: Sequence[int]) -> float:
    """The share of pairs that two weak orders put the other way round; a tie against an order is half of one.

    Kendall's distance with penalty 1/2 (Fagin, Kumar, Mahdian, Sivakumar and Vee 2006, "Comparing partial rankings"),
    divided by the number of pairs.
    """
    pairs = [(first, second) for second in range(len(one)) for first in range(second)]
    turned = sum(abs(_sign(one[i] - one[k]) - _sign(other[i] - other[k])) / 2 for i, k in pairs)
    return turned / len(pairs) if pairs else 0.0


def _sign(difference: int) -> int:
    return (difference > 0) - (difference < 0)
