"""Boards of tasks that are passed or failed: logit P(i passes p) = θ_i - δ_p, with difficulties δ_p ~ N(0, σ²).

Rasch 1960. Estimated jointly with one free parameter for each item, as by Bradley-Terry on the graph of contestants
and items, strengths do not settle as items are added: with M contestants they spread M/(M - 1) times too wide
(Andersen 1973, "Conditional inference and models for measuring"; Neyman & Scott 1948). So difficulties are integrated
out (marginal maximum likelihood, Bock & Aitkin 1981, Psychometrika 46) on a grid finer than any item's posterior, and
what is maximised over θ and ln σ has Louis' exact information (1982, JRSS B 44). Under a prior ln σ - σ²/50 is added to
the likelihood, which keeps σ from zero and from infinity and vanishes with many items (Chung et al. 2013, Psychometrika
78, section 3).

θ = 0 passes the average item half the time. Items are a sample of such items: the covariance sums scores by item.
Cost: O(items·M²·nodes) for each of a few steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit, logsumexp

from .arrays import Bools, Floats, Ints
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW
from .clusters import FEW_CLUSTERS
from .errors import (
    BadOutcome,
    BadParameter,
    NoComparisons,
    NoConvergence,
    OnlyTies,
    ShapeMismatch,
    TooFewClusters,
    UnknownIndex,
)
from .newton import FARTHEST, add_to_diagonal
from .priors import Prior
from .strengths import Clustering, Covariance, Evidence, Note, StrengthFit

# Grid of δ/σ. The trapezoid's error is beyond double precision once its step is under an item's posterior deviation.
FARTHEST_NODE = 6.0
WIDEST_SPREAD = 3.0
MOST_NODES = 401
NEGLIGIBLE = 1e-12
WIDE_VARIANCE = 25.0
FARTHEST_LOG_SPREAD = 5.0


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

    def pass_probability(self) -> Floats:
        """(M, P) fitted P(i passes p) at the posterior mean difficulty."""
        return np.asarray(1.0 / (1.0 + np.exp(self.items.mean[None, :] - self.strength[:, None])))


@dataclass(frozen=True, eq=False)
class _Table:
    passed: Floats  # (P, m)
    tried: Floats  # (P, m)
    nodes: Floats  # (Q,) of δ/σ
    log_mass: Floats  # (Q,)


def fit_items(
    contestant: Ints,
    item: Ints,
    passed: Floats,
    *,
    count: int,
    items: int,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> ItemFit:
    """Strengths of `count` contestants from n attempts at `items` tasks: contestant, item, passed (n,), passed 0 or 1.

    AUTO is PROMPT, by item; HESSIAN the inverse information. Raises ShapeMismatch, UnknownIndex, BadOutcome,
    NoComparisons, OnlyTies (no item separates anybody), NoConvergence (without a prior, an all-pass contestant),
    TooFewClusters, BadParameter.
    """
    kind = _kind(covariance)
    passes, tries = _tables(np.asarray(contestant), np.asarray(item), np.asarray(passed), count, items)
    present, used = tries.sum(axis=0) > 0, tries.sum(axis=1) > 0
    table = _with_nodes(passes[np.ix_(used, present)], tries[np.ix_(used, present)])
    point, steps = _maximise(table, prior, np.flatnonzero(present))
    inverse, spread = _covariances(point, table, prior, kind)
    return ItemFit(
        strength=_embed(point[:-1], present),
        covariance=_embed_square(spread[:-1, :-1], present),
        hessian_covariance=_embed_square(inverse[:-1, :-1], present),
        gauge=np.zeros(count),
        evidence=_evidence(passes, tries, present, provisional_below),
        clustering=Clustering(kind, prompts=len(table.passed), degrees_of_freedom=len(table.passed) - 1.0),
        floor=floor,
        log_likelihood=_log_likelihood(point, table),
        iterations=steps,
        notes=(Note.FEW_CLUSTERS,) if len(table.passed) < FEW_CLUSTERS else (),
        items=_difficulties(point, table, used),
        spread=float(np.exp(point[-1])),
        log_spread_variance=float(spread[-1, -1]),
        prior=prior,
    )


def _kind(wanted: Covariance) -> Covariance:
    """Raises BadParameter."""
    kind = Covariance.PROMPT if wanted is Covariance.AUTO else wanted
    if kind not in (Covariance.PROMPT, Covariance.HESSIAN):
        raise BadParameter(f"{kind} does not apply to items; use Covariance.PROMPT or Covariance.HESSIAN.")
    return kind


def _tables(contestant: Ints, item: Ints, passed: Floats, count: int, items: int) -> tuple[Floats, Floats]:
    """(P, M) passes and tries."""
    if not contestant.ndim == item.ndim == passed.ndim == 1 or not len(contestant) == len(item) == len(passed):
        raise ShapeMismatch("contestant, item and passed need one value per attempt.")
    if not len(contestant):
        raise NoComparisons("There is no attempt to fit; collect some.")
    for name, index, size in (("contestant", contestant, count), ("item", item, items)):
        if index.dtype.kind not in "iu" or index.min() < 0 or index.max() >= size:
            raise UnknownIndex(f"{name} holds values that are not integers from 0 to {size - 1}.")
    if not ((passed == 0) | (passed == 1)).all():
        raise BadOutcome("passed holds a value that is neither 0 (failed) nor 1 (passed).")
    cell, size = item * count + contestant, count * items
    shape = (items, count)
    tries = np.bincount(cell, minlength=size).reshape(shape)
    passes = np.bincount(cell, weights=passed, minlength=size).reshape(shape)
    return np.asarray(passes, dtype=np.float64), np.asarray(tries, dtype=np.float64)


def _with_nodes(passed: Floats, tried: Floats) -> _Table:
    finest = np.sqrt(float(tried.sum(axis=1).max())) / 2.0 * WIDEST_SPREAD
    count = min(MOST_NODES, 2 * int(np.ceil(FARTHEST_NODE * max(finest, 3.0))) + 1)
    nodes = np.linspace(-FARTHEST_NODE, FARTHEST_NODE, count)
    mass = np.exp(-0.5 * nodes**2)
    return _Table(passed, tried, nodes, np.log(mass / mass.sum()))


def _refuse_unseparated(table: _Table, prior: Prior | None, index: Ints) -> None:
    passes, tries = table.passed.sum(axis=1), table.tried.sum(axis=1)
    if ((passes == 0) | (passes == tries)).all():
        raise OnlyTies(
            "Every item was passed by all who tried it or by none, so none separates contestants; add items."
        )
    passes, tries = table.passed.sum(axis=0), table.tried.sum(axis=0)
    extreme = index[(passes == 0) | (passes == tries)]
    if prior is None and len(extreme):
        raise NoConvergence(f"Contestants {extreme.tolist()} passed all or nothing; fit with a prior (VirtualTie()).")


def _posterior(point: Floats, table: _Table) -> tuple[Floats, Floats, Floats]:
    """log-likelihood of each item (P,), weights of its nodes (P, Q) and pass probabilities (m, Q)."""
    logit = point[:-1, None] - np.exp(point[-1]) * table.nodes
    joint = table.passed @ log_expit(logit) + (table.tried - table.passed) @ log_expit(-logit) + table.log_mass
    each = logsumexp(joint, axis=1)
    return each, np.exp(joint - each[:, None]), np.exp(log_expit(logit))


def _log_likelihood(point: Floats, table: _Table) -> float:
    """Marginal, of θ and ln σ (m + 1,)."""
    return float(_posterior(point, table)[0].sum())


def _scores(point: Floats, table: _Table) -> Floats:
    """(P, m + 1) gradient of each item's marginal log-likelihood."""
    _, weight, chance = _posterior(point, table)
    delta = np.exp(point[-1]) * table.nodes
    along = table.passed - table.tried * (weight @ chance.T)
    left = table.passed.sum(axis=1)[:, None] - table.tried @ chance
    return np.column_stack((along, -(weight * left) @ delta))


def _louis(point: Floats, table: _Table) -> tuple[Floats, Floats]:
    """Observed information (m + 1, m + 1), E[complete information] - Var[complete score], and scores (P, m + 1)."""
    _, weight, chance = _posterior(point, table)
    scores = _scores(point, table)
    information = scores.T @ scores
    delta = np.exp(point[-1]) * table.nodes
    for node, some in enumerate(weight.T):
        seen = some > NEGLIGIBLE
        mass, tried = some[seen], table.tried[seen]
        left = table.passed[seen] - tried * chance[:, node]
        score = np.column_stack((left, -delta[node] * left.sum(axis=1)))
        information -= (score * mass[:, None]).T @ score
        spread = (mass @ tried) * chance[:, node] * (1.0 - chance[:, node])
        add_to_diagonal(information, np.append(spread, delta[node] ** 2 * spread.sum()))
        information[-1, :-1] -= delta[node] * spread
        information[:-1, -1] -= delta[node] * spread
        information[-1, -1] += delta[node] * float(mass @ left.sum(axis=1))
    return information, scores


def _covariances(point: Floats, table: _Table, prior: Prior | None, kind: Covariance) -> tuple[Floats, Floats]:
    """(m + 1, m + 1) inverse information, and the covariance asked for."""
    information, scores = _louis(point, table)
    if kind is Covariance.PROMPT and len(scores) < 2:
        raise TooFewClusters("There is one item only; clustering needs two. Use Covariance.HESSIAN.")
    inverse = np.asarray(np.linalg.inv(information + _prior_curvature(point, prior)), dtype=np.float64)
    if kind is Covariance.HESSIAN:
        return inverse, inverse
    groups = len(scores)
    return inverse, np.asarray(inverse @ (scores.T @ scores) @ inverse * (groups / (groups - 1.0)))


def _prior_curvature(point: Floats, prior: Prior | None) -> Floats:
    """(m + 1, m + 1)"""
    curvature = np.zeros(len(point))
    if prior is not None:
        curvature[:-1] = prior.curvature(point[:-1])
        curvature[-1] = 2.0 * np.exp(2.0 * point[-1]) / WIDE_VARIANCE
    return np.diag(curvature)


def _refuse_unbounded(point: Floats) -> None:
    """Raises NoConvergence."""
    if not (np.abs(point[:-1]).max() < FARTHEST and abs(point[-1]) < FARTHEST_LOG_SPREAD):
        raise NoConvergence("Strengths or the spread of items have no bound, or none but zero; fit with a prior.")


def _maximise(table: _Table, prior: Prior | None, index: Ints) -> tuple[Floats, int]:
    """Newton within a trust region, since a marginal likelihood need not be concave. Raises NoConvergence, OnlyTies."""
    _refuse_unseparated(table, prior, index)

    def loss(point: Floats) -> tuple[float, Floats]:
        if prior is None:
            _refuse_unbounded(point)
        slope = _scores(point, table).sum(axis=0)
        value = _log_likelihood(point, table)
        if prior is not None:
            square = float(np.exp(2.0 * point[-1])) / WIDE_VARIANCE
            slope += np.append(prior.gradient(point[:-1]), 1.0 - square)
            value += prior.log_density(point[:-1]) + float(point[-1]) - 0.5 * square
        return -value, -slope

    def curvature(point: Floats) -> Floats:
        return np.asarray(_louis(point, table)[0] + _prior_curvature(point, prior))

    rate = (table.passed.sum(axis=0) + 0.5) / (table.tried.sum(axis=0) + 1.0)
    start: Floats = np.append(np.log(rate / (1.0 - rate)), 0.0)
    found = minimize(
        loss,
        start,
        jac=True,
        hess=curvature,
        method="trust-exact",
        options={"gtol": 1e-7 * len(table.passed), "maxiter": 200},
    )
    if not found.success:
        raise NoConvergence(f"No maximum after {found.nit} steps: {found.message} Fit with a prior (VirtualTie()).")
    return np.asarray(found.x), int(found.nit)


def _difficulties(point: Floats, table: _Table, used: Bools) -> Difficulties:
    _, weight, _ = _posterior(point, table)
    delta = np.exp(point[-1]) * table.nodes
    mean = weight @ delta
    passes, tries = table.passed.sum(axis=1), table.tried.sum(axis=1)
    extreme = np.zeros(len(used), dtype=bool)
    extreme[used] = (passes == 0) | (passes == tries)
    error = np.sqrt(np.maximum(weight @ delta**2 - mean**2, 0.0))
    return Difficulties(_embed(mean, used), _embed(error, used), extreme)


def _evidence(passes: Floats, tries: Floats, present: Bools, provisional_below: float) -> Evidence:
    passed, tried = passes.sum(axis=0), tries.sum(axis=0)
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
