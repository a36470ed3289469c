"""What more judgments of the same kind would tell: a plan made from the votes at hand."""

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from annotation.boards.bounded import BoundedWorth
from annotation.boards.forms import REASONS as FORM_REASONS
from annotation.boards.forms import fit_listed, shown
from annotation.boards.listed import ListedRows
from annotation.boards.worth import REASONS as WORTH_REASONS
from annotation.boards.worth import fit_amounts
from annotation.enums import Method
from annotation.questions import Form
from annotation.ratings import Floats, PairRows
from ranking import BoundedWorthFit, Estimand, NoComparisons, WorthFit, fit_bradley_terry, votes_needed

# Of a normal distribution, 95 %.
REACH = 1.959964
# Of a normal distribution, 80 % lie below.
POWER = 0.841621


class NoPlan(Exception):
    """The votes at hand order nothing. `reason` says why, as those of a board do: a key of `wording.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
        raise NoPlan("no_votes")
    try:
        fit = fit_bradley_terry(given)
        needed = votes_needed(fit).spread
    except NoComparisons as refused:
        raise NoPlan("no_votes") from refused
    points = fit.to_points()
    return _planned(
        pairs.contestants, fit.strength, points.points, points.standard_error, needed, have=len(given), want=votes
    )


def plan_listed(rows: ListedRows, *, judgments: int) -> list[Planned]:
    """The same of rankings, scores and shares, in the unit of their board. Raises NoPlan."""
    if rows.form is None or len(rows.contestants) < 2:
        raise NoPlan("nothing_ranks")
    try:
        fit = fit_listed(rows)
    except tuple(FORM_REASONS) as refused:
        raise NoPlan(FORM_REASONS[type(refused)]) from refused
    rating, error = shown(fit, rows.form)["rating"], fit.standard_error()
    if rows.form is Form.ORDER:
        error = fit.to_points().standard_error
    elif rows.form is Form.SHARE:
        error = error * rating * (100.0 - rating) / 100.0  # the slope of the logistic curve, in percent
    have = len(rows) - int(rows.silent.sum())
    more = votes_needed(fit).spread / (0.5 * float(fit.evidence.battles.sum())) * have
    return _planned(rows.contestants, fit.strength, rating, error, more, have=have, want=judgments)


@dataclass(frozen=True)
class PlannedWorth:
    """Worths in the order of the amounts at hand."""

    rows: list[Planned]
    in_money: bool  # else a person's average amount is 1


def plan_worth(pairs: PairRows, *, judgments: int, given: int) -> PlannedWorth:
    """How wide the intervals of worth will be with `judgments` in place of the `given` ones, and how many separate
    neighbours with the power of `votes_needed`. Raises NoPlan."""
    try:
        fit: WorthFit | BoundedWorthFit
        if not np.isnan(pairs.amount_low).all():
            bounded = BoundedWorth(pairs)
            fit, in_money = bounded.fit, True
        else:
            fit = fit_amounts(pairs, seed=1)
            in_money = fit.anchored or fit.estimand is Estimand.MONEY
    except tuple(WORTH_REASONS) as refused:
        raise NoPlan(WORTH_REASONS[type(refused)]) from refused
    own = fit.covariance.diagonal()
    variance = own[:, None] + own[None, :] - 2.0 * fit.covariance
    gap = fit.worth[:, None] - fit.worth[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        times = variance * ((REACH + POWER) / gap) ** 2
        more = np.where(gap == 0.0, np.inf, given * np.maximum(times - 1.0, 0.0))
    present = np.isfinite(fit.worth)
    strength = np.where(present, fit.worth, -np.inf)
    rows = _planned(pairs.contestants, strength, fit.worth, np.sqrt(own), more, have=given, want=judgments)
    return PlannedWorth([row for row in rows if np.isfinite(row.points)], in_money)


def _planned(
    contestants: list[int], strength: Floats, shown: Floats, error: Floats, more: Floats, *, have: int, want: int
) -> list[Planned]:
    """From the first to the last of those who were judged; `more` (M, M) judgments separate two of them."""
    order = [int(place) for place in np.argsort(-strength, kind="stable") if np.isfinite(shown[place])]
    following: list[int | None] = [*order[1:], None]
    shrink = sqrt(have / max(want, 1))
    return [
        Planned(
            contestant=contestants[place],
            points=float(shown[place]),
            half_width=REACH * float(error[place]) * shrink,
            votes_to_separate=None if after is None else _in_all(have, float(more[place, after])),
        )
        for place, after in zip(order, following, strict=True)
    ]


def _in_all(given: int, more: float) -> int | None:
    return given + round(more) if isfinite(more) else None
