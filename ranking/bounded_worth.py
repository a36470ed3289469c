"""Worth from amounts of which some are only bounded: price lists, and answers that ended at the endowment.

w/c = U_a - U_b + x·β + side + e, e ~ N(0, σ²), ΣU = 0: an exact amount enters by its density, one between `amount_low`
and `amount_high` by its probability (Tobin 1958; Stewart 1983, "On least squares estimation when the dependent variable
is grouped", Rev. Econ. Stud. 50). Where `amount` is given, the bounds of that row are not looked at.

Unlike `fit_worth`, which assumes no distribution, this leans on normal errors: what lies beyond a bound is filled in by
the tail. So the fits that take every answer at its lower bound in size, and at its upper one, stand beside it (of a
price list: the highest price that was taken and the lowest that was left, on whichever side), as do the share of
amounts without a bound on one side and the heavy-tail flag, under which the filled-in tail is too light.

`scale` (n,) divides amounts and bounds, such as `anchor_scales(...).of_rows(...)`; rows where it is NaN are left out.
With Estimand.PANEL everyone's rows weigh 1/n_k. Covariates x enter with `adjust`; the side always does, and
under Side.ANNOTATOR everyone has one, ρ² by moments. Covariances are sandwiches, clustered as `covariance` asks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .arrays import Bools, Floats, Ints, lock
from .bounded_likelihood import BoundedRows, noise_ratio
from .clusters import Spread, apart, number, spread_of
from .comparisons import Comparisons
from .connectivity import find_groups
from .covariates.adjustment import Adjustment, Columns, Effects, columns_of, refuse_nothing
from .covariates.design import Side, refuse_collinear
from .covariates.leaning import Peak, climb_sides
from .covariates.side import Leanings
from .errors import BadAmount, BadParameter, MissingLabels, NoComparisons, NoConvergence, OnlyTies, ShapeMismatch
from .newton import climb
from .options import checked
from .strengths import Clustering, Covariance, Note, two_sided_quantile
from .worth import HEAVY, Estimand, WorthIntervals, tail_share
from .worth_draws import SEPARABLE

CENSORED = 0.01
# Bounds closer than this share of the typical amount are taken for an exact one: their likelihood has no digits left.
NARROW = 1e-4


@dataclass(frozen=True, eq=False, kw_only=True)
class BoundedWorthFit:
    """Worths with Σ U = 0 over those present; NaN for contestants without an amount."""

    worth: Floats  # (M,)
    covariance: Floats  # (M, M) under `clustering`
    lower_only: Floats  # (M,) least squares with the end nearer to zero as the amount, the other where there is none
    upper_only: Floats  # (M,) the other way round
    side: float  # NaN if it could not be separated
    side_standard_error: float
    noise: float  # σ
    present: Bools  # (M,)
    exact: int  # rows with an amount
    bounded: int  # rows with two finite bounds
    censored: int  # rows with one
    censored_share: float  # of the rows
    is_censored: bool  # the share is above 1 %: say so beside the worths
    tail_share: float  # as in `fit_worth`, a bound or the middle of two standing for the amount
    heavy_tailed: bool
    log_likelihood: float
    clustering: Clustering
    iterations: int
    notes: tuple[Note, ...]
    effects: Effects | None = None  # of `adjust`, the side included where it is separable
    leanings: Leanings | None = None  # under Side.ANNOTATOR, in the unit of worth

    def __post_init__(self) -> None:
        lock(self)

    def to_intervals(self, level: float = 0.95) -> WorthIntervals:
        """Two-sided, by t with the smaller cluster count less one."""
        error = np.sqrt(np.maximum(self.covariance.diagonal(), 0.0))
        reach = two_sided_quantile(level, self.clustering.degrees_of_freedom) * error
        return WorthIntervals(self.worth, error, self.worth - reach, self.worth + reach, level)


@checked
def fit_bounded_worth(
    comparisons: Comparisons,
    *,
    estimand: Estimand = Estimand.MONEY,
    scale: Floats | None = None,
    adjust: Adjustment | None = None,
    covariance: Covariance = Covariance.AUTO,
) -> BoundedWorthFit:
    """From `amount`, `amount_low` and `amount_high`.

    Raises BadAmount, BadParameter, ShapeMismatch, MissingLabels, NoComparisons, NotConnected, TooFewClusters; OnlyTies
    where every amount is zero, NoConvergence where none leaves any noise; with `adjust` BadCovariate.
    """
    kept, rows = _bounded_rows(comparisons, estimand, scale)
    rows, index = _connected(rows)
    rows = _with_columns(kept, rows, adjust)
    solved = _solve(kept, rows, Side.NONE if adjust is None else adjust.side, covariance)

    def embedded(values: Floats) -> Floats:
        full = np.full(comparisons.count, np.nan)
        full[index] = values
        return full

    square = np.full((comparisons.count, comparisons.count), np.nan)
    square[np.ix_(index, index)] = solved.errors[: len(index), : len(index)]
    near, far = _ends(rows)
    return BoundedWorthFit(
        worth=embedded(solved.worth),
        covariance=square,
        lower_only=embedded(_least_squares(rows, near)),
        upper_only=embedded(_least_squares(rows, far)),
        present=np.isin(np.arange(comparisons.count), index),
        noise=solved.noise,
        **_moved(rows, solved),
        **_counted(rows),
        log_likelihood=solved.log_likelihood,
        clustering=solved.spread.clustering,
        iterations=solved.steps,
        notes=solved.spread.notes + (Note.SIDE_NOT_SEPARABLE,) * (not rows.sided),
    )


def _moved(rows: BoundedRows, solved: _Solved) -> dict[str, Any]:
    """The side and its leanings, and all effects where some were asked for."""
    found: dict[str, Any] = {"side": np.nan, "side_standard_error": np.nan, "leanings": solved.leanings}
    if rows.sided:
        found |= {"side": solved.side, "side_standard_error": float(np.sqrt(max(solved.errors[-1, -1], 0.0)))}
    if rows.columns is not None:
        kept = slice(rows.count, len(solved.errors) - (not rows.sided))
        names, scale = rows.columns.names, rows.columns.scale
        found["effects"] = Effects(
            names=names + ("side",) * rows.sided,
            value=np.append(solved.effect, solved.side)[: kept.stop - kept.start],
            covariance=solved.errors[kept, kept],
            scale=np.append(scale, np.ones(int(rows.sided))),
        )
    return found


def _with_columns(kept: Comparisons, rows: BoundedRows, asked: Adjustment | None) -> BoundedRows:
    """Raises BadCovariate, ShapeMismatch."""
    if asked is None:
        return rows
    refuse_nothing(("covariates",) * (kept.covariates is not None) + ("side",) * (asked.side is not Side.NONE))
    columns = Columns.none(len(kept))
    if kept.covariates is not None:
        columns = columns_of(kept, replace(asked, side=Side.NONE))
    rows = replace(rows, columns=columns)
    design = rows.design if rows.sided else rows.design[:, :-1]
    information = (design * rows.weight[:, None]).T @ design
    refuse_collinear(information, columns.names + ("side",) * rows.sided, np.ones((rows.count, rows.count)))
    return rows


def _counted(rows: BoundedRows) -> dict[str, Any]:
    """How the amounts are known, and how heavy their tail is."""
    exact, censored = int(rows.exact.sum()), int((np.isinf(rows.low) | np.isinf(rows.high)).sum())
    tail = tail_share(np.abs(rows.typical))
    return {
        "exact": exact,
        "bounded": len(rows.low) - exact - censored,
        "censored": censored,
        "censored_share": censored / len(rows.low),
        "is_censored": censored > CENSORED * len(rows.low),
        "tail_share": tail,
        "heavy_tailed": tail > HEAVY,
    }


@dataclass(frozen=True, eq=False)
class _Solved:
    worth: Floats  # (m,) mean zero
    effect: Floats  # (k,) of covariates
    side: float
    noise: float
    errors: Floats  # (m + k + 1, m + k + 1) covariance of worths, effects and side
    spread: Spread  # of the likelihood's own parameters
    log_likelihood: float
    steps: int
    leanings: Leanings | None


def _connected(rows: BoundedRows) -> tuple[BoundedRows, Ints]:
    """Contestants numbered 0..m-1, and their own numbers (m,). Raises NotConnected."""
    index = np.unique(np.concatenate((rows.a, rows.b)))
    a, b = np.searchsorted(index, rows.a), np.searchsorted(index, rows.b)
    compared = np.zeros((len(index), len(index)), dtype=bool)
    compared[a, b] = compared[b, a] = True
    find_groups(compared).refuse_unless_joined(index)
    rows = replace(rows, a=a, b=b, count=len(index))
    return replace(rows, sided=_side_is_separable(rows)), index


def _solve(kept: Comparisons, rows: BoundedRows, side: Side, covariance: Covariance) -> _Solved:
    """The maximum, in a unit that makes amounts about one in size."""
    unit = float(np.sqrt(np.average(rows.typical**2, weights=rows.weight))) or 1.0
    narrow = rows.high - rows.low < NARROW * unit
    low, high = (np.where(narrow, rows.typical, bound) / unit for bound in (rows.low, rows.high))
    rows = replace(rows, low=low, high=high)
    peak = _climbed(kept, rows, side)
    point, count = peak.optimum.point, rows.count
    spread = spread_of(
        kept,
        covariance,
        peak.optimum.inverse,
        lambda: apart(peak.rows.scores(point), rows.weight),
        lambda _: peak.rows.scores(point),
    )
    noise = unit * float(np.exp(-point[-1]))
    worth, effects = noise * (point[:count] - point[:count].mean()), noise * point[count:-1]
    # dU = σ·dγ - U·d ln h, for the worths, the effects and the side alike.
    slope = noise * np.eye(len(point))[:-1]
    slope[:count, :count] -= noise / count
    slope[:, -1] = -np.append(worth, effects)
    return _Solved(
        worth=worth,
        effect=effects[:-1],
        side=float(effects[-1]),
        noise=noise,
        errors=slope @ spread.covariance @ slope.T,
        spread=spread,
        log_likelihood=peak.rows.log_likelihood(point) - float(rows.weight[rows.exact].sum()) * float(np.log(unit)),
        steps=peak.optimum.steps,
        leanings=None if peak.leanings is None else peak.leanings.times(noise),
    )


def _climbed(kept: Comparisons, rows: BoundedRows, side: Side) -> Peak:
    """Raises OnlyTies, NoConvergence."""
    if not rows.low.any() and not rows.high.any():
        raise OnlyTies("Every amount is zero, so nothing orders the contestants; ask for more amounts.")
    try:
        return climb_sides(rows, side, kept.annotator, rows.start(), climb, noise_ratio, _standing(kept, rows))
    except NoConvergence as refusal:
        raise NoConvergence(
            "No finite worths and noise make these amounts likeliest: they leave no noise, or are bounded on one side "
            "only. Ask more people about each pair, for exact amounts or both bounds"
            + (", or leave covariates out." if rows.columns is not None and rows.columns.count else ".")
        ) from refusal


def _standing(kept: Comparisons, rows: BoundedRows) -> Floats:
    """(n,) how often a row's annotator counts: the row's weight over the one it was given."""
    return rows.weight if kept.weight is None else rows.weight / kept.weight


@checked
def censored_at(comparisons: Comparisons, most: float) -> Comparisons:
    """Amounts of `most` and more, or of -most and less, turned into bounds: paid answers end at the endowment.

    Raises BadAmount, BadParameter.
    """
    if comparisons.amount is None:
        raise BadAmount("The comparisons carry no `amount`; give signed amounts, NaN where nothing was asked.")
    if not most > 0.0:
        raise BadParameter(f"most is {most}; give the largest amount that could be said.")
    amount = comparisons.amount
    nothing = np.full(len(amount), np.nan)
    low = nothing if comparisons.amount_low is None else comparisons.amount_low
    high = nothing if comparisons.amount_high is None else comparisons.amount_high
    top, bottom = amount >= most, amount <= -most
    return replace(
        comparisons,
        amount=np.where(top | bottom, np.nan, amount),
        amount_low=np.where(top, most, np.where(bottom, -np.inf, low)),
        amount_high=np.where(top, np.inf, np.where(bottom, -most, high)),
    )


def _bounded_rows(
    comparisons: Comparisons, estimand: Estimand, scale: Floats | None
) -> tuple[Comparisons, BoundedRows]:
    """The comparisons with an amount or a bound, and what the likelihood sees of them."""
    if comparisons.amount is None and comparisons.amount_low is None:
        raise BadAmount("The comparisons carry neither `amount` nor bounds; give `amount_low` and `amount_high`.")
    nothing = np.full(len(comparisons), np.nan)
    amount = nothing if comparisons.amount is None else comparisons.amount
    low = nothing if comparisons.amount_low is None else comparisons.amount_low
    high = nothing if comparisons.amount_high is None else comparisons.amount_high
    unit = np.ones(len(comparisons)) if scale is None else np.asarray(scale, dtype=np.float64)
    if unit.shape != amount.shape:
        raise ShapeMismatch(f"scale has shape {unit.shape}; give one per comparison, {len(comparisons)}.")
    if (unit <= 0.0).any() or np.isinf(unit).any():
        raise BadParameter("scale holds a value that is not positive and finite; give NaN where there is none.")
    said = np.isfinite(amount)
    low, high = np.where(said, amount, low) / unit, np.where(said, amount, high) / unit
    kept = (np.isfinite(low) | np.isfinite(high)) & (comparisons.a != comparisons.b)
    if comparisons.weight is not None:
        kept &= comparisons.weight > 0
    if not kept.any():
        raise NoComparisons("No comparison carries an amount or a bound; ask for some before fitting worth.")
    rows = comparisons.select(kept)
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    if estimand is Estimand.PANEL:
        weight = _equal_people(rows, weight)
    return rows, BoundedRows(rows.a, rows.b, low[kept], high[kept], weight, comparisons.count, sided=True)


def _equal_people(rows: Comparisons, weight: Floats) -> Floats:
    """(n,) the same sum for every annotator, as large in all as the weights are."""
    if rows.annotator is None:
        raise MissingLabels("Estimand.PANEL counts people equally: give `annotator`, or fit Estimand.MONEY.")
    person = number(rows.annotator)
    own = np.bincount(person.code, weights=weight)
    return np.asarray(weight * (weight.sum() / person.count) / own[person.code])


def _side_is_separable(rows: BoundedRows) -> bool:
    """Whether the orders of showing leave anything of a constant beside the worths."""
    root = np.sqrt(rows.weight)
    design = rows.design[:, :-1] * root[:, None]
    left = root - design @ np.linalg.lstsq(design, root, rcond=None)[0]
    return bool(left @ left > SEPARABLE * (root @ root))


def _ends(rows: BoundedRows) -> tuple[Floats, Floats]:
    """(n,) of each row the finite bound that is smaller in size, and the larger; the same where there is only one."""
    low_is_near = np.abs(rows.low) <= np.abs(rows.high)
    near, far = np.where(low_is_near, rows.low, rows.high), np.where(low_is_near, rows.high, rows.low)
    return near, np.where(np.isfinite(far), far, near)


def _least_squares(rows: BoundedRows, amount: Floats) -> Floats:
    """(m,) with mean zero."""
    root = np.sqrt(rows.weight)
    found = np.linalg.lstsq(rows.design * root[:, None], amount * root, rcond=None)[0][: rows.count]
    return np.asarray(found - found.mean())
