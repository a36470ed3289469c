"""A part of a board beside its whole: where each contestant stands in both, and who moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Ranks that a board leaves open, the best and the worst."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


@dataclass(frozen=True)
class Beside:
    """A contestant of both; `is_provisional` where either board has few votes for it."""

    contestant: int
    model: str
    part: Place
    whole: Place
    is_provisional: bool

    @property
    def moves(self) -> str:
        """`up` or `down` in the part, where no rank is left open by both; else empty."""
        if self.part.high < self.whole.low:
            return "up"
        return "down" if self.part.low > self.whole.high else ""


def set_beside(part: Mapping[str, Any], whole: Mapping[str, Any]) -> list[Beside] | None:
    """By the part's order; None where a board's contestants are not all ranked among each other.

    Ranks are among the contestants of both. How they would be ranked alone is not stored, but bounded: of those that
    are on one board only, as many are taken off both ends of a range as are rated higher. Whoever is certainly above
    is rated higher, and whoever is certainly below is not, so that the range of the others alone is never wider than
    this one.
    """
    if not (_is_one(part) and _is_one(whole)):
        return None
    here, there = _ranked(part), _ranked(whole)
    both = here.keys() & there.keys()
    first, second = _places(list(here.values()), both), _places(list(there.values()), both)
    return [
        Beside(pk, entry["model"], first[pk], second[pk], entry["provisional"] or there[pk]["provisional"])
        for pk, entry in here.items()
        if pk in both
    ]


def _is_one(standings: Mapping[str, Any]) -> bool:
    return {entry["group"] for entry in standings["entries"] if entry["group"]} == {1}


def _ranked(standings: Mapping[str, Any]) -> dict[int, Entry]:
    return {entry["contestant"]: entry for entry in standings["entries"] if entry["rank_low"]}


def _places(entries: Sequence[Entry], both: set[int]) -> dict[int, Place]:
    alone = [entry["rating"] for entry in entries if entry["contestant"] not in both]
    places = {}
    for entry in entries:
        if entry["contestant"] in both:
            higher = sum(rating > entry["rating"] for rating in alone)
            low, high = entry["rank_low"] - higher, entry["rank_high"] - higher
            places[entry["contestant"]] = Place(max(1, low), min(len(both), high))
    return places
