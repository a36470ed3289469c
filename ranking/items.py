"""Boards of tasks that are passed or failed: logit P(i passes p) = θ_i - δ_p, with difficulties δ_p ~ N(0, σ²).

Rasch 1960. Estimated jointly with one free parameter for each item, as by Bradley-Terry on the graph of contestants
and items, strengths do not settle as items are added: with M contestants they spread M/(M - 1) times too wide
(Andersen 1973, "Conditional inference and models for measuring"; Neyman & Scott 1948). So difficulties are integrated
out (marginal maximum likelihood, Bock & Aitkin 1981, Psychometrika 46) on a grid finer than any item's posterior, and
what is maximised over θ and ln σ has Louis' exact information (1982, JRSS B 44). Under a prior ln σ - σ²/50 is added to
the likelihood, which keeps σ from zero and from infinity and vanishes with many items (Chung et al. 2013, Psychometrika
78, section 3).

θ = 0 passes the average item half the time. Items are a sample of such items: the covariance sums scores by item.
Cost: O(items·M²·nodes) for each of a few steps. With `covariates` x of attempts, such as how long each was or took, the
logit is θ_i + x·β - δ_p, x less its mean (`item_rows`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from .arrays import Bools, Floats, Ints
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW
from .clusters import FEW_CLUSTERS
from .covariates.adjustment import Adjustment, Effects, refuse_nothing
from .covariates.design import Side
from .errors import (
    BadCovariate,
    BadOutcome,
    BadParameter,
    NoComparisons,
    NoConvergence,
    OnlyTies,
    ShapeMismatch,
    SingleContestant,
    TooFewClusters,
    UnknownIndex,
)
from .item_rows import ItemRows
from .item_table import Grid, ItemTable
from .level_columns import LevelColumns, centred_columns
from .newton import FARTHEST, FLATTEST
from .options import checked
from .priors import Prior
from .strengths import Clustering, Covariance, Evidence, Note, StrengthFit

WIDE_VARIANCE = 25.0
FARTHEST_LOG_SPREAD = 5.0
# Where a covariate leaves attempts less than this share of the chance that even odds would, it decides them.
DECIDED = 1e-5


@dataclass(frozen=True, eq=False)
class Difficulties:
    """What is known of each item, given θ and σ."""

    mean: Floats  # (P,) of δ's posterior; NaN for items never tried
    standard_error: Floats  # (P,) its standard deviation
    extreme: Bools  # (P,) passed by all or failed by all who tried: bounded only by the other items


@dataclass(frozen=True, eq=False, kw_only=True)
class ItemFit(StrengthFit):
    """A `StrengthFit` whose level is fixed by the average item (so `gauge` is zero), with the items."""

    items: Difficulties
    spread: float  # σ
    log_spread_variance: float
    prior: Prior | None
    effects: Effects | None = None  # of `covariates`, per standard deviation
    covariate_mean: Floats | None = None  # (k,) the covariates of the attempt that θ is the level of

    def pass_probability(self) -> Floats:
        """(M, P) fitted P(i passes p) at the posterior mean difficulty and mean covariates."""
        return np.asarray(1.0 / (1.0 + np.exp(self.items.mean[None, :] - self.strength[:, None])))


class _Likelihood(Protocol):
    """Marginal, of a point (p,) of which ln σ is last."""

    @property
    def grid(self) -> Grid: ...

    def log_likelihood(self, point: Floats) -> float: ...

    def node_weights(self, point: Floats) -> Floats: ...

    def scores(self, point: Floats) -> Floats: ...

    def louis(self, point: Floats) -> tuple[Floats, Floats]: ...


@dataclass(frozen=True, eq=False)
class _Attempts:
    """What was passed and tried, (P, M) and as a likelihood of those present."""

    passes: Floats
    tries: Floats
    likelihood: _Likelihood
    beside: LevelColumns | None

    @property
    def present(self) -> Bools:
        """(M,)"""
        return self.tries.sum(axis=0) > 0

    @property
    def used(self) -> Bools:
        """(P,)"""
        return self.tries.sum(axis=1) > 0

    @property
    def penalty(self) -> Floats:
        """(k,)"""
        return np.empty(0) if self.beside is None else self.beside.columns.penalty


@checked
def fit_items(
    contestant: Ints,
    item: Ints,
    passed: Floats,
    *,
    count: int,
    items: int,
    covariates: ArrayLike | None = None,
    adjust: Adjustment | None = None,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> ItemFit:
    """Strengths of `count` contestants from n attempts at `items` tasks: contestant, item, passed (n,), passed 0 or 1.

    `covariates` (n, k) are of the attempts; `adjust` is for their names and penalty. AUTO is PROMPT, by item; HESSIAN
    the inverse information. Raises ShapeMismatch, UnknownIndex, BadOutcome, NoComparisons, SingleContestant, OnlyTies
    (no item separates anybody), NoConvergence (without a prior, an all-pass contestant), TooFewClusters, BadParameter,
    BadCovariate.
    """
    kind = _kind(covariance)
    given = np.asarray(contestant), np.asarray(item), np.asarray(passed)
    attempts = _attempts(*given, (items, count), covariates, adjust)
    point, steps = _maximise(attempts, prior)
    inverse, spread, groups = _covariances(point, attempts, prior, kind)
    return ItemFit(
        **_found(point, inverse, spread, attempts),
        gauge=np.zeros(count),
        evidence=_evidence(attempts, provisional_below),
        clustering=Clustering(kind, prompts=groups, degrees_of_freedom=groups - 1.0),
        floor=floor,
        log_likelihood=attempts.likelihood.log_likelihood(point),
        iterations=steps,
        notes=(Note.FEW_CLUSTERS,) if groups < FEW_CLUSTERS else (),
        items=_difficulties(point, attempts),
        prior=prior,
    )


def _found(point: Floats, inverse: Floats, spread: Floats, attempts: _Attempts) -> dict[str, Any]:
    """Strengths, σ, and effects where there are any."""
    present, beside = attempts.present, attempts.beside
    m = int(present.sum())
    found = {
        "strength": _embed(point[:m], present),
        "covariance": _embed_square(spread[:m, :m], present),
        "hessian_covariance": _embed_square(inverse[:m, :m], present),
        "spread": float(np.exp(point[-1])),
        "log_spread_variance": float(spread[-1, -1]),
    }
    if beside is None:
        return found
    effects = beside.columns.effects(point[m:-1], spread[m:-1, m:-1])
    return found | {"effects": effects, "covariate_mean": beside.mean}


def _kind(wanted: Covariance) -> Covariance:
    """Raises BadParameter."""
    kind = Covariance.PROMPT if wanted is Covariance.AUTO else wanted
    if kind not in (Covariance.PROMPT, Covariance.HESSIAN):
        raise BadParameter(f"{kind} does not apply to items; use Covariance.PROMPT or Covariance.HESSIAN.")
    return kind


def _tables(contestant: Ints, item: Ints, passed: Floats, count: int, items: int) -> tuple[Floats, Floats]:
    """(P, M) passes and tries."""
    if not contestant.ndim == item.ndim == passed.ndim == 1 or not len(contestant) == len(item) == len(passed):
        raise ShapeMismatch("contestant, item and passed differ in length; give one value per attempt.")
    if not len(contestant):
        raise NoComparisons("There is no attempt to fit; collect some.")
    for name, index, size in (("contestant", contestant, count), ("item", item, items)):
        if index.dtype.kind not in "iu" or index.min() < 0 or index.max() >= size:
            raise UnknownIndex(f"{name} holds values outside 0 to {size - 1}; number them with integers first.")
    if not ((passed == 0) | (passed == 1)).all():
        raise BadOutcome("passed holds a value that is neither 0 nor 1; give 0 for failed and 1 for passed.")
    if (contestant == contestant[0]).all():
        raise SingleContestant(f"Every attempt is contestant {contestant[0]}'s; a ranking needs two contestants.")
    cell, size = item * count + contestant, count * items
    shape = (items, count)
    tries = np.bincount(cell, minlength=size).reshape(shape)
    passes = np.bincount(cell, weights=passed, minlength=size).reshape(shape)
    return np.asarray(passes, dtype=np.float64), np.asarray(tries, dtype=np.float64)


def _attempts(
    contestant: Ints,
    item: Ints,
    passed: Floats,
    shape: tuple[int, int],
    covariates: ArrayLike | None,
    adjust: Adjustment | None,
) -> _Attempts:
    passes, tries = _tables(contestant, item, passed, shape[1], shape[0])
    if covariates is None and adjust is None:
        some = np.ix_(tries.sum(axis=1) > 0, tries.sum(axis=0) > 0)
        table = ItemTable(passes[some], tries[some], Grid.of(float(tries.sum(axis=1).max())))
        return _Attempts(passes, tries, table, None)
    beside = _columns(covariates, len(contestant), adjust or Adjustment())
    rows = ItemRows.of(contestant, item, passed.astype(np.float64), beside.columns)
    beside.columns.refuse_collinear(rows.gram(np.ones(len(passed))), np.zeros((rows.count, rows.count)))
    return _Attempts(passes, tries, rows, beside)


def _columns(covariates: ArrayLike | None, rows: int, asked: Adjustment) -> LevelColumns:
    """Raises BadCovariate, ShapeMismatch, BadParameter."""
    if asked.side is not Side.NONE:
        raise BadParameter("Attempts have no sides; use Side.NONE.")
    x = np.empty((rows, 0)) if covariates is None else np.asarray(covariates)
    if x.ndim != 2 or len(x) != rows:
        raise ShapeMismatch(f"covariates has shape {x.shape}; give one row of values per attempt: ({rows}, k).")
    if x.dtype.kind not in "iufb" or not np.isfinite(x).all():
        raise BadCovariate("covariates hold NaN, infinite values or no numbers; leave those rows out or fill them in.")
    found = centred_columns(x.astype(np.float64), np.ones(rows), asked)
    refuse_nothing(found.columns.names)
    return found


def _refuse_unseparated(attempts: _Attempts, prior: Prior | None) -> None:
    passes, tries = attempts.passes[attempts.used].sum(axis=1), attempts.tries[attempts.used].sum(axis=1)
    if ((passes == 0) | (passes == tries)).all():
        raise OnlyTies(
            "Every item was passed by all who tried it or by none, so none separates contestants; add items."
        )
    passes, tries = attempts.passes.sum(axis=0), attempts.tries.sum(axis=0)
    extreme = np.flatnonzero(attempts.present & ((passes == 0) | (passes == tries)))
    if prior is None and len(extreme):
        raise NoConvergence(f"Contestants {extreme.tolist()} passed all or nothing; fit with a prior (VirtualTie()).")


def _covariances(
    point: Floats, attempts: _Attempts, prior: Prior | None, kind: Covariance
) -> tuple[Floats, Floats, int]:
    """(p, p) inverse information, the covariance asked for, and how many items there are."""
    information, scores = attempts.likelihood.louis(point)
    groups, information = len(scores), information + _curvature(point, attempts, prior)
    if kind is Covariance.PROMPT and groups < 2:
        raise TooFewClusters("There is one item only; clustering needs two. Use Covariance.HESSIAN.")
    inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
    if attempts.beside is not None:
        _refuse_decided(attempts.beside.columns.names, information, inverse, float(attempts.tries.sum()))
    if kind is Covariance.HESSIAN:
        return inverse, inverse, groups
    return inverse, np.asarray(inverse @ (scores.T @ scores) @ inverse * (groups / (groups - 1.0))), groups


def _refuse_decided(names: tuple[str, ...], information: Floats, inverse: Floats, attempts: float) -> None:
    """Raises NoConvergence."""
    effects = slice(len(inverse) - 1 - len(names), -1)
    left, variances = information.diagonal()[effects], inverse.diagonal()[effects]
    for name, one, variance in zip(names, left.tolist(), variances.tolist(), strict=True):
        if one < DECIDED * 0.25 * attempts or not 0.0 < variance < FLATTEST:
            raise NoConvergence(f"{name} alone decides who passes; give penalty=1.0 or leave it out.")


def _curvature(point: Floats, attempts: _Attempts, prior: Prior | None) -> Floats:
    """(p, p) of prior and penalty."""
    m = int(attempts.present.sum())
    curvature = np.zeros(len(point))
    curvature[m:-1] = attempts.penalty
    if prior is not None:
        curvature[:m] = prior.curvature(point[:m])
        curvature[-1] = 2.0 * np.exp(2.0 * point[-1]) / WIDE_VARIANCE
    return np.diag(curvature)


def _refuse_unbounded(point: Floats) -> None:
    """Raises NoConvergence."""
    if not (np.abs(point[:-1]).max() < FARTHEST and abs(point[-1]) < FARTHEST_LOG_SPREAD):
        raise NoConvergence("Strengths or the spread of items have no bound, or none but zero; fit with a prior.")


def _maximise(attempts: _Attempts, prior: Prior | None) -> tuple[Floats, int]:
    """Newton within a trust region, since a marginal likelihood need not be concave. Raises NoConvergence, OnlyTies."""
    _refuse_unseparated(attempts, prior)
    likelihood, penalty, m = attempts.likelihood, attempts.penalty, int(attempts.present.sum())

    def loss(point: Floats) -> tuple[float, Floats]:
        if prior is None:
            _refuse_unbounded(point)
        effect = point[m:-1]
        slope = likelihood.scores(point).sum(axis=0)
        slope[m:-1] -= penalty * effect
        value = likelihood.log_likelihood(point) - 0.5 * float(penalty @ effect**2)
        if prior is not None:
            square = float(np.exp(2.0 * point[-1])) / WIDE_VARIANCE
            slope[:m] += prior.gradient(point[:m])
            slope[-1] += 1.0 - square
            value += prior.log_density(point[:m]) + float(point[-1]) - 0.5 * square
        return -value, -slope

    def curvature(point: Floats) -> Floats:
        return np.asarray(likelihood.louis(point)[0] + _curvature(point, attempts, prior))

    rate = ((attempts.passes.sum(axis=0) + 0.5) / (attempts.tries.sum(axis=0) + 1.0))[attempts.present]
    found = minimize(
        loss,
        np.concatenate((np.log(rate / (1.0 - rate)), np.zeros(len(penalty) + 1))),
        jac=True,
        hess=curvature,
        method="trust-exact",
        options={"gtol": 1e-7 * int(attempts.used.sum()), "maxiter": 200},
    )
    if not found.success:
        raise NoConvergence(f"No maximum after {found.nit} steps: {found.message} Fit with a prior (VirtualTie()).")
    return np.asarray(found.x), int(found.nit)


def _difficulties(point: Floats, attempts: _Attempts) -> Difficulties:
    weight, used = attempts.likelihood.node_weights(point), attempts.used
    delta = np.exp(point[-1]) * attempts.likelihood.grid.nodes
    mean = weight @ delta
    passes, tries = attempts.passes.sum(axis=1), attempts.tries.sum(axis=1)
    error = np.sqrt(np.maximum(weight @ delta**2 - mean**2, 0.0))
    return Difficulties(_embed(mean, used), _embed(error, used), used & ((passes == 0) | (passes == tries)))


def _evidence(attempts: _Attempts, provisional_below: float) -> Evidence:
    passed, tried, present = attempts.passes.sum(axis=0), attempts.tries.sum(axis=0), attempts.present
    undefeated, winless = present & (passed == tried), present & (passed == 0)
    return Evidence(
        battles=tried,
        decisive=tried,
        present=present,
        undefeated=undefeated,
        winless=winless,
        provisional=present & (undefeated | winless | (tried < provisional_below)),
        component=np.where(present, 0, -1),
    )


def _embed(values: Floats, where: Bools) -> Floats:
    full = np.full(len(where), np.nan)
    full[where] = values
    return full


def _embed_square(values: Floats, where: Bools) -> Floats:
    full = np.full((len(where), len(where)), np.nan)
    full[np.ix_(where, where)] = values
    return full
