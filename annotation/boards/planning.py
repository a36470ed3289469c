"""What more judgments of the same kind would tell: a plan made from the votes at hand."""

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from annotation.enums import Method
from annotation.ratings import PairRows
from ranking import RankingError, fit_bradley_terry, votes_needed

# Of a normal distribution, 95 %.
REACH = 1.959964


class NoPlan(Exception):
    """The votes at hand order nothing; the message says why."""


@dataclass(frozen=True)
class Planned:
    """A contestant in the order of the votes at hand."""

    contestant: int
    points: float
    half_width: float  # of a 95 % interval, points, with as many votes as are planned
    votes_to_separate: int | None  # in all, from the next one down; None where no number of votes would


def plan_votes(pairs: PairRows, *, votes: int) -> list[Planned]:
    """How wide intervals will be with `votes` votes spread as these are, and how many separate neighbours.

    Standard errors shrink with the root of the votes. Raises NoPlan.
    """
    given = pairs.comparisons(Method.BRADLEY_TERRY)
    if len(pairs.contestants) < 2 or not len(given):
        raise NoPlan("there are no votes between contestants")
    try:
        fit = fit_bradley_terry(given)
        needed = votes_needed(fit).spread
    except RankingError as refused:
        raise NoPlan(str(refused)) from refused
    points = fit.to_points()
    shrink = sqrt(len(given) / max(votes, 1))
    order = [int(place) for place in np.argsort(-fit.strength)]
    following: list[int | None] = [*order[1:], None]
    return [
        Planned(
            contestant=pairs.contestants[place],
            points=float(points.points[place]),
            half_width=REACH * float(points.standard_error[place]) * shrink,
            votes_to_separate=None if after is None else _in_all(len(given), float(needed[place, after])),
        )
        for place, after in zip(order, following, strict=True)
    ]


def _in_all(given: int, more: float) -> int | None:
    return given + round(more) if isfinite(more) else None
