"""Statements about strengths or worths whose errors are taken as normal, N(mean, covariance)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr

from .arrays import Floats, Ints
from .errors import BadParameter, ShapeMismatch
from .options import checked
from .ranks import refuse_unless_comparable


@dataclass(frozen=True)
class WaldTest:
    """Joint test of linear hypotheses."""

    statistic: float  # χ² with `contrasts` degrees, or F if the denominator's degrees are finite
    contrasts: int  # independent ones
    degrees_of_freedom: float  # of the denominator
    p_value: float


@checked
def probability_above(mean: Floats, covariance: Floats) -> Floats:
    """(M, M) P(θ_i > θ_j) = Φ((μ_i - μ_j)/sd of the difference); ½ on the diagonal, NaN beside a NaN.

    mean (M,), covariance (M, M). Where the difference is certain: 0, ½ or 1. Raises ShapeMismatch.
    """
    _check_shapes(mean, covariance)
    own = covariance.diagonal()
    error = np.sqrt(np.maximum(own[:, None] + own[None, :] - 2.0 * covariance, 0.0))
    difference = mean[:, None] - mean[None, :]
    certain = error == 0
    score = np.divide(difference, error, out=np.zeros_like(difference), where=~certain)
    score[certain & (difference > 0)] = inf
    score[certain & (difference < 0)] = -inf
    return np.asarray(ndtr(score))


@checked
def probability_best(
    mean: Floats,
    covariance: Floats,
    *,
    rng: np.random.Generator,
    draws: int = 10_000,
    component: Ints | None = None,
) -> Floats:
    """(M,) share of `draws` from N(mean, covariance) in which each is the largest; 0 where the mean is NaN.

    With `component` (M,), as in `fit.evidence`, means that share no scale are refused; without, they are taken to.
    Monte Carlo error is at most 0.5/√draws. Raises ShapeMismatch, BadParameter, NotConnected.
    """
    if component is not None:
        if component.shape != mean.shape:
            raise ShapeMismatch(f"component has shape {component.shape}; give one for each of {len(mean)} means.")
        refuse_unless_comparable(component)
    _check_shapes(mean, covariance)
    if draws < 1:
        raise BadParameter(f"draws is {draws}; give a positive number.")
    index = np.flatnonzero(np.isfinite(mean))
    if not len(index):
        raise BadParameter("mean holds no finite value, so nobody can be best; give fitted strengths.")
    values, vectors = np.linalg.eigh(covariance[np.ix_(index, index)])
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    best = np.argmax(mean[index] + rng.standard_normal((draws, len(index))) @ root.T, axis=1)
    share = np.zeros(len(mean))
    share[index] = np.bincount(best, minlength=len(index)) / draws
    return share


@checked
def wald_test(mean: Floats, covariance: Floats, contrasts: Floats, *, degrees_of_freedom: float = inf) -> WaldTest:
    """Test of contrasts @ θ = 0 jointly; contrasts (k, M), linearly dependent rows count once.

    With finite `degrees_of_freedom` (clusters - 1) the statistic is divided by its rank and read as F, else χ².
    Raises ShapeMismatch, and BadParameter if the contrasts have no variance.
    """
    _check_shapes(mean, covariance)
    if contrasts.ndim != 2 or contrasts.shape[1] != len(mean):
        raise ShapeMismatch(f"contrasts has shape {contrasts.shape}; give one column for each of {len(mean)}.")
    values, vectors = np.linalg.eigh(contrasts @ covariance @ contrasts.T)
    kept = values > 1e-10 * max(float(values.max()), 0.0)
    rank = int(kept.sum())
    if not rank:
        raise BadParameter("The contrasts have no variance; test contestants whose strengths were estimated.")
    projected = vectors[:, kept].T @ (contrasts @ mean)
    statistic = float(projected**2 @ (1.0 / values[kept]))
    if degrees_of_freedom == inf:
        return WaldTest(statistic, rank, inf, float(chdtrc(rank, statistic)))
    ratio = statistic / rank
    return WaldTest(ratio, rank, degrees_of_freedom, float(fdtrc(rank, degrees_of_freedom, ratio)))


def _check_shapes(mean: Floats, covariance: Floats) -> None:
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise ShapeMismatch(f"mean has shape {mean.shape} and covariance {covariance.shape}; give (M,) and (M, M).")
