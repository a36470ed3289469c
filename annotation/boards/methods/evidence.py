"""What every method is computed from, and what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.boards.order import ranks_within_groups
from annotation.enums import Method
from annotation.ratings import BOTH_BAD, Bools, Ints, PairRows
from ranking import BothBad, Comparisons, StrengthFit

LEVEL = 0.95
# With fewer votes no method's order is worth reading, with fewer people it holds for these people alone.
FEW_VOTES, FEW_PEOPLE = 100, 20
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Evidence:
    """The n votes of a snapshot and what was said beside them, row by row."""

    pairs: PairRows
    method: str  # of the board: what bad against bad counts
    seed: int
    strength: Ints  # (n,) how much better, without its sign; -1 where nobody said
    scale: Ints  # (n,) the greatest that could have been said; 0 likewise
    category: NDArray[np.str_]  # (n,) empty where there is none
    # Who is in each group that is large enough to be shown, by its name: ids of respondents.
    groups: Mapping[str, Ints] = field(default_factory=dict)
    worth: Mapping[str, Any] | None = None  # the snapshot's own block
    entries: Sequence[Mapping[str, Any]] = ()  # the snapshot's own

    @property
    def both_bad(self) -> BothBad:
        return BOTH_BAD[Method(self.method)]

    @property
    def fitted(self) -> Bools:
        """(n,) the rows that `comparisons` holds."""
        return self.pairs.fitted(self.method)

    def comparisons(self) -> Comparisons:
        return self.pairs.comparisons(self.method)

    def contestant(self, position: int) -> int:
        return self.pairs.contestants[position]


@dataclass(frozen=True)
class Board:
    """A method's board as plain values: contestants by id, words by their keys, so that whoever reads it names both as
    they are named then."""

    rows: list[Row]
    unit: str  # what `value` is in
    diagnostics: dict[str, float | int | None]
    warnings: list[str]
    cycles: list[list[int]] = field(default_factory=list)
    boards: list[dict[str, Any]] = field(default_factory=list)  # of parts: groups of people or slices


def row(
    contestant: int,
    rank: int,
    *,
    value: float | None,
    lower: float | None = None,
    upper: float | None = None,
    low: int | None = None,
    high: int | None = None,
    group: int = 1,
    **more: Any,
) -> Row:
    """`low` to `high` are the ranks that the data allow; `more` is of the method alone."""
    return {
        "contestant": contestant,
        "group": group,
        "rank": rank,
        "rank_low": low,
        "rank_high": high,
        "value": value,
        "lower": lower,
        "upper": upper,
        **more,
    }


def rows_of(fit: StrengthFit, evidence: Evidence) -> list[Row]:
    """Points, and ranks within each group that has a scale of its own."""
    points, ranks = fit.to_points(LEVEL), ranks_within_groups(fit)
    found = [
        row(
            evidence.contestant(position),
            int(ranks.rank[position]),
            value=float(points.points[position]),
            lower=finite(points.lower[position]),
            upper=finite(points.upper[position]),
            low=int(ranks.low[position]),
            high=int(ranks.high[position]),
            group=int(ranks.group[position]),
        )
        for position in np.flatnonzero(fit.evidence.present).tolist()
    ]
    return in_order(found)


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda each: (each["group"], each["rank"], each["contestant"]))


def finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def said_of(fit: StrengthFit, votes: int) -> tuple[dict[str, float | int | None], list[str]]:
    """What all fits of strengths are told by: how many stand behind them, and what their own notes are."""
    clustering = fit.clustering
    diagnostics = {
        "votes": votes,
        "people": clustering.annotators,
        "parts": int(fit.evidence.component.max()) + 1,
        "log_likelihood": fit.log_likelihood / max(votes, 1),
    }
    return diagnostics, warned(votes, clustering.annotators, [note.value for note in fit.notes])


def warned(votes: int, people: int | None, notes: Sequence[str] = ()) -> list[str]:
    """Keys of warnings, each once; those of `notes` are the fit's own."""
    found = ["few_votes"] * (votes < FEW_VOTES)
    found += ["few_annotators"] * (people is not None and people < FEW_PEOPLE)
    return found + [note for note in notes if note not in found]
