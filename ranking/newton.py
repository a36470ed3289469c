"""Newton's method with Cholesky for concave log-likelihoods in logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np
from scipy.linalg import lapack

from .arrays import Floats
from .errors import NoConvergence

# Newton converges quadratically, so after a step this small what remains is below 1e-12 logits.
STEP_TOLERANCE = 1e-7
# Beyond this many logits, exp leaves the range of a double.
FARTHEST = 300.0
MOST_STEPS = 100
# Two votes that disagree leave a variance of 2, a chain of a thousand such pairs one of 2,000; see `refuse_flat`.
FLATTEST = 1e6
# From a step this small on, an old factor brings each further step down to about this share of the one before.
KEPT_BELOW = 2e-2
_FIX = "Fit with a prior (VirtualTie()), or check the counts for extreme values."


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the gradient vanishes."""

    point: Floats  # (p,)
    factor: Floats  # (p, p) lower Cholesky factor of the information there
    steps: int

    @cached_property
    def inverse(self) -> Floats:
        """(p, p) inverse information."""
        lower, _ = lapack.dpotri(self.factor, lower=1)
        inverse = lower + lower.T
        inverse.reshape(-1)[:: len(inverse) + 1] *= 0.5
        return np.asarray(inverse)


def climb(
    derivatives: Callable[[Floats], tuple[Floats, Floats]],
    start: Floats,
    allowed: Callable[[Floats, Floats], float] | None = None,
    slope_alone: Callable[[Floats], Floats] | None = None,
) -> Optimum:
    """The maximum, from `start` (p,); `derivatives` gives gradient (p,) and information (p, p), fresh arrays.

    A step whose spread d exceeds one logit is shortened to ln(1 + d)/d of itself, the damping that keeps
    Newton monotone on losses whose third derivative is bounded by their second, as the logistic's is (Sun &
    Tran-Dinh 2019, "Generalized self-concordant functions", Math. Program. 178, the case ν = 2). The
    information must be positive definite, with no direction left free. Where the log-likelihood has a domain
    with a border, `allowed(point, step)` is the largest share of a step that stays well inside it. With `slope_alone`,
    the gradient by itself, the last steps keep the factor they have: the point is as exact, the factor is not.
    Raises NoConvergence.
    """
    point, spread = start, inf
    for count in range(1, MOST_STEPS + 1):
        if slope_alone is not None and spread <= KEPT_BELOW:
            slope = slope_alone(point)
        else:
            slope, information = derivatives(point)
            # Symmetric, so its transpose is the same matrix in the column order LAPACK works on in place.
            factor, failed = lapack.dpotrf(information.T, lower=1, clean=1, overwrite_a=1)
            if failed:
                raise NoConvergence(f"The information matrix became singular at step {count}. {_FIX}")
        step, _ = lapack.dpotrs(factor, slope, lower=1)
        spread = max(float(np.maximum.reduce(step)), 0.0) - min(float(np.minimum.reduce(step)), 0.0)
        share = 1.0 if spread <= 1.0 else float(np.log1p(spread)) / spread
        if allowed is not None:
            share = min(share, allowed(point, step))
        point = point + share * step
        if spread <= STEP_TOLERANCE:
            return Optimum(point, factor, count)
        # All steps of at most one logit together stay this side of FARTHEST.
        if not (spread <= 1.0 or np.abs(point).max() < FARTHEST):
            raise NoConvergence(f"Strengths passed {FARTHEST:.0f} logits at step {count}. {_FIX}")
    raise NoConvergence(f"No maximum after {MOST_STEPS} steps. {_FIX}")


def refuse_flat(optimum: Optimum, least: float) -> None:
    """Raises NoConvergence where a climb only seemed to end: parameters that can grow together without bound.

    There the gradient fades until rounding makes it zero. At a maximum that exists, something speaks against every
    direction, and the variance is of the order of 1/`least`, the smallest weight of what was counted.
    """
    if optimum.inverse.diagonal().max() * least > FLATTEST:
        raise NoConvergence(f"Some parameters grow together without bound, so there is no finite maximum. {_FIX}")


def add_to_diagonal(matrix: Floats, values: Floats | float) -> None:
    """In place; `matrix` (p, p) contiguous."""
    matrix.reshape(-1)[:: len(matrix) + 1] += values
