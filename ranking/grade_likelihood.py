"""The likelihood of grades: a latent logistic d + ε falls between two edges of the grade that was said.

A preference of i over j in category c has probability σ(d - lo_c) - σ(d - hi_c), d = θ_i - θ_j, whose logarithm
is ln σ(d - lo_c) + ln σ(hi_c - d) + ln(1 - e^{lo_c - hi_c}): two Bradley-Terry terms and one of the width alone.
It is concave in strengths and edges together (Burridge 1981, "A note on maximum likelihood estimation for
regression models using grouped data", J. R. Stat. Soc. B 43), and minus infinity where a width is zero.

Edges are linear in the cuts t (J,), lo = lower·t and hi = upper·t, the topmost hi being infinite. Symmetric cuts
mean that a tie lies between -t_1 and t_1; without ties the lowest category begins at zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, log_expit

from .arrays import Floats, Ints
from .newton import add_to_diagonal


@dataclass(frozen=True, eq=False)
class Categories:
    """The C strengths that somebody used, weakest first, and the edges between them."""

    used: Ints  # (C,) strengths, 0 = tie

    @cached_property
    def lower(self) -> Floats:
        """(C, J) with J = C - 1."""
        below = np.eye(len(self.used), len(self.used) - 1, k=-1)
        if self.used[0] == 0:
            below[0, 0] = -1.0
        return below

    @cached_property
    def upper(self) -> Floats:
        """(C, J); the last row is empty, since nothing bounds the topmost category."""
        return np.eye(len(self.used), len(self.used) - 1)

    @cached_property
    def width(self) -> Floats:
        """(J, J) from cuts to hi - lo of every category but the topmost."""
        return np.asarray((self.upper - self.lower)[:-1])

    def edges(self, cuts: Floats) -> tuple[Floats, Floats]:
        """lo and hi, (C,) each."""
        return self.lower @ cuts, np.append(cuts, np.inf)


@dataclass(frozen=True, eq=False)
class GradeTable:
    """Counts of m present contestants in each category."""

    categories: Categories
    wins: Floats  # (C, m, m) preferences of i over j; half of each tie under either order

    @cached_property
    def total(self) -> Floats:
        """(C,)"""
        return np.asarray(self.wins.sum(axis=(1, 2)))

    @cached_property
    def stopped(self) -> Floats:
        """(C, m, m) votes that the edge lo_c bounds from above: those of the category below."""
        return np.concatenate((np.zeros_like(self.wins[:1]), self.wins[:-1]))

    @cached_property
    def faced(self) -> Floats:
        """(C, m, m) votes that the edge lo_c bounds, from above or below."""
        return np.asarray(self.wins + self.stopped)

    def split(self, point: Floats) -> tuple[Floats, Floats]:
        """Strengths (m,) and cuts (J,)."""
        return point[: self.wins.shape[1]], point[self.wins.shape[1] :]


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of the log-probability of a category, by difference and by edge; any shape."""

    difference: Floats
    low: Floats
    high: Floats


def log_likelihood(point: Floats, table: GradeTable) -> float:
    """point (m + J,) = θ and t. As ln σ(-x) = ln σ(x) - x, one logistic for each edge."""
    strength, cuts = table.split(point)
    beyond = (strength[:, None] - strength) - (table.categories.lower @ cuts)[:, None, None]
    edges = float(np.vdot(table.faced, log_expit(beyond))) - float(np.vdot(table.stopped, beyond))
    return edges + float(table.total[:-1] @ np.log(-np.expm1(-(table.categories.width @ cuts))))


def derivatives(point: Floats, table: GradeTable) -> tuple[Floats, Floats]:
    """Gradient (m + J,) and information (m + J, m + J) in θ and t.

    An edge lo_c with x = d - lo_c gives wins - faced·σ(x) in x, with information faced·σ(x)σ(-x); a width w of a
    category of n votes gives n/(e^w - 1), with information n·e^w/(e^w - 1)².
    """
    strength, cuts = table.split(point)
    lower, width, count = table.categories.lower, table.categories.width, len(strength)
    chance = expit((strength[:, None] - strength) - (lower @ cuts)[:, None, None])
    expected = table.faced * chance
    residual = table.wins - expected
    grown = np.expm1(width @ cuts)
    push = table.total[:-1] / grown
    slope = np.empty_like(point)
    slope[:count] = _outward(residual.sum(axis=0))
    slope[count:] = width.T @ push - lower.T @ residual.sum(axis=(1, 2))
    expected *= 1.0 - chance
    rows = expected.sum(axis=2)
    information = np.empty((len(point), len(point)))
    information[:count, :count] = _laplacian(expected.sum(axis=0))
    crossed = (expected.sum(axis=1) - rows).T @ lower
    information[:count, count:], information[count:, :count] = crossed, crossed.T
    stiff = push * (1.0 + 1.0 / grown)
    information[count:, count:] = (lower.T * rows.sum(axis=1)) @ lower + (width.T * stiff) @ width
    return slope, information


def slopes(difference: Floats, low: Floats, high: Floats) -> Slopes:
    """Of votes with these differences and edges, broadcast together."""
    short, past = expit(low - difference), expit(difference - high)
    push = 1.0 / np.expm1(high - low)
    return Slopes(short - past, -short - push, past + push)


def meat(point: Floats, table: GradeTable) -> Floats:
    """(m + J, m + J) sum over votes of the outer product of their gradient."""
    found = slopes(*_differences(point, table))
    lower, upper, count = table.categories.lower, table.categories.upper, table.wins.shape[1]
    by_low, by_high = table.wins * found.low, table.wins * found.high
    result = np.empty((len(point), len(point)))
    result[:count, :count] = _laplacian((table.wins * found.difference**2).sum(axis=0))
    crossed = _outward(by_low * found.difference).T @ lower + _outward(by_high * found.difference).T @ upper
    result[:count, count:], result[count:, :count] = crossed, crossed.T
    between = lower.T @ ((by_low * found.high).sum(axis=(1, 2))[:, None] * upper)
    result[count:, count:] = (
        lower.T @ ((by_low * found.low).sum(axis=(1, 2))[:, None] * lower)
        + upper.T @ ((by_high * found.high).sum(axis=(1, 2))[:, None] * upper)
        + between
        + between.T
    )
    return result


def start_of_cuts(table: GradeTable) -> Floats:
    """(J,) the maximum if all strengths were equal: 2σ(-t_c) is the share of votes in category c or above."""
    share = np.cumsum(table.total[::-1])[::-1] / table.total.sum()
    return np.asarray(np.log(2.0 / share[1:] - 1.0))


def room_of_cuts(point: Floats, step: Floats, table: GradeTable) -> float:
    """The share of `step` that leaves every width at least a tenth of what it was."""
    width = table.categories.width
    shrink = -(width @ table.split(step)[1]) / (width @ table.split(point)[1])
    fastest = float(shrink.max(initial=0.0))
    return 1.0 if fastest <= 0.9 else 0.9 / fastest


def _differences(point: Floats, table: GradeTable) -> tuple[Floats, Floats, Floats]:
    """d (m, m) with the edges as (C, 1, 1)."""
    strength, cuts = table.split(point)
    low, high = table.categories.edges(cuts)
    return strength[:, None] - strength[None, :], low[:, None, None], high[:, None, None]


def _outward(pairs: Floats) -> Floats:
    """(..., m) row sums less column sums: what a slope in θ_i - θ_j means for each θ."""
    return np.asarray(pairs.sum(axis=-1) - pairs.sum(axis=-2))


def _laplacian(weight: Floats) -> Floats:
    """(m, m) Σ weight_ij·(e_i - e_j)(e_i - e_j)ᵀ over ordered pairs."""
    inner = -(weight + weight.T)
    add_to_diagonal(inner, -inner.sum(axis=1))
    return np.asarray(inner)
