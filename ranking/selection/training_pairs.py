"""Which pairs of responses to have compared next, to train a reward model: weighted D-optimal from features.

A linear reward r(x, y) = θᵀf(x, y) on frozen features f, with P(y₁ over y₂) = σ(θᵀz), z = f(x, y₁) - f(x, y₂). Never
by margin alone: pairs the model is unsure of and that are alike in features teach the same thing twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from ..arrays import Bools, Floats, Ints
from ..errors import BadParameter, BadWeight, NoComparisons, NoConvergence, ShapeMismatch, TooFewCandidates
from ..options import checked

# Of the gain promised by a step, beside the objective: rounding hides smaller ones, and the step after is its square.
GAIN_TOLERANCE = 1e-12
MOST_STEPS = 100
SMALLEST_STEP = 2.0**-30


@dataclass(frozen=True, eq=False)
class RewardFit:
    """θ ~ N(mean, covariance) given the labels."""

    mean: Floats  # (d,)
    covariance: Floats  # (d, d)
    steps: int

    def chance(self, contrast: Floats) -> Floats:
        """(n,) P(first response preferred) of contrasts (n, d)."""
        return np.asarray(expit(contrast @ self.mean))


@checked
def fit_reward(
    contrast: Floats, outcome: Floats, *, prior_variance: float = 1.0, start: Floats | None = None
) -> RewardFit:
    """Mode of ℓ(θ) - |θ|²/2τ² by Newton with a line search, contrast (n, d), outcome (n,) in 0..1, 0.5 for ties.

    The step is halved until the objective grows by a tenth of a thousandth of what its slope promises (Armijo 1966):
    undamped Newton diverges on such models without a sign of it. Raises ShapeMismatch, NoComparisons, BadParameter,
    BadWeight, NoConvergence.
    """
    _check_contrasts(contrast)
    if outcome.shape != (len(contrast),):
        raise ShapeMismatch(f"outcome has shape {outcome.shape}; give one value for each of {len(contrast)} contrasts.")
    if not len(contrast):
        raise NoComparisons("There are no labels yet; choose pairs with the prior, mean 0 and covariance τ²·I.")
    if not ((outcome >= 0.0) & (outcome <= 1.0)).all():
        raise BadWeight("outcome holds a value outside 0..1; use 1 (first), 0 (second) or 0.5 (tie).")
    if not prior_variance > 0.0:
        raise BadParameter(f"prior_variance is {prior_variance}; give a positive number.")
    point = np.zeros(contrast.shape[1]) if start is None else start
    if point.shape != contrast.shape[1:]:
        raise ShapeMismatch(f"start has shape {point.shape}; give one value for each of {contrast.shape[1]} features.")
    value = _objective(point, contrast, outcome, prior_variance)
    for count in range(1, MOST_STEPS + 1):
        chance = expit(contrast @ point)
        slope = contrast.T @ (outcome - chance) - point / prior_variance
        information = (contrast.T * (chance * (1.0 - chance))) @ contrast
        information[np.diag_indices_from(information)] += 1.0 / prior_variance
        direction = np.linalg.solve(information, slope)
        promised, size = float(slope @ direction), 1.0
        if promised <= GAIN_TOLERANCE * max(1.0, abs(value)):
            return RewardFit(point + direction, np.asarray(np.linalg.inv(information), dtype=np.float64), count)
        while (reached := _objective(point + size * direction, contrast, outcome, prior_variance)) < (
            value + 1e-4 * size * promised
        ):
            size *= 0.5
            if size < SMALLEST_STEP:
                # Nothing left to gain above rounding.
                return RewardFit(point, np.asarray(np.linalg.inv(information), dtype=np.float64), count)
        point, value = point + size * direction, reached
    raise NoConvergence(f"No maximum after {MOST_STEPS} steps; scale the features to about one.")


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """Pairs to label, in the order they were picked."""

    index: Ints  # (size,) rows of the pool
    floor: Bools  # (size,) drawn uniformly over the pairs of prompts not used before in the batch
    probability: Floats  # (size,) of this row given the picks before it


@checked
def choose_training_pairs(
    contrast: Floats,
    prompt: Ints,
    fit: RewardFit,
    size: int,
    rng: np.random.Generator,
    *,
    epsilon: float = 0.15,
    eta: float = np.inf,
) -> TrainingBatch:
    """Greedy weighted D-optimal design of `size` pairs from a pool, one pair per prompt.

    contrast (n, d), prompt (n,). Score w·v, v = zᵀΣz, w = p(1 - p); after a pick c = w/(1 + wv), every v loses
    c·(z_nᵀΣz)² and Σ loses c·ΣzzᵀΣ, O(nd) per pick. With probability `epsilon` the pick is uniform over what is left.
    `eta` = inf takes the largest score; finite, the pick is drawn in proportion to score^η. Either way the stated
    probability is exact, and positive for every pair left. Raises ShapeMismatch, BadParameter, TooFewCandidates.
    """
    _check_contrasts(contrast)
    _check_pool(contrast, prompt, size, epsilon)
    if contrast.shape[1] != len(fit.mean):
        raise ShapeMismatch(f"contrast has {contrast.shape[1]} features and the fit {len(fit.mean)}; give the same.")
    if not eta > 0.0:
        raise BadParameter(f"eta is {eta}; give a positive power, or infinity for the largest score only.")
    mean = contrast @ fit.mean
    weight = expit(mean) * expit(-mean)
    covariance = fit.covariance.copy()
    variance = np.einsum("nd,nd->n", contrast @ covariance, contrast)
    left = np.ones(len(contrast), dtype=np.bool_)
    index, floor, probability = np.zeros(size, np.int64), np.zeros(size, np.bool_), np.zeros(size)
    for pick in range(size):
        chance = _mixture(np.where(left, weight * np.maximum(variance, 0.0), -1.0), left, epsilon, eta)
        floor[pick] = rng.random() < epsilon
        drawn = _drawn(left / left.sum() if floor[pick] else chance.learned, rng)
        index[pick], probability[pick] = drawn, chance.mixed(drawn)
        left &= prompt != prompt[drawn]
        direction = covariance @ contrast[drawn]
        shrink = weight[drawn] / (1.0 + weight[drawn] * float(contrast[drawn] @ direction))
        variance -= shrink * (contrast @ direction) ** 2
        covariance -= shrink * np.outer(direction, direction)
    return TrainingBatch(index, floor, probability)


@checked
def k_centre(points: Floats, size: int, *, first: int | None = None) -> Ints:
    """(size,) rows of points (n, d) such that every row is near one of them: farthest first.

    Gonzalez 1985, "Clustering to minimize the maximum intercluster distance": at most twice the best radius. Starts
    at `first`, else at the row farthest from the mean. Scale differences by √information to spread over what is worth
    asking. Raises BadParameter, ShapeMismatch.
    """
    _check_contrasts(points)
    if not 1 <= size <= len(points):
        raise BadParameter(f"size is {size}; the pool has {len(points)} rows.")
    if first is not None and not 0 <= first < len(points):
        raise BadParameter(f"first is {first}; give a row of the pool, 0 to {len(points) - 1}.")
    start = int(((points - points.mean(axis=0)) ** 2).sum(axis=1).argmax()) if first is None else first
    chosen = np.zeros(size, dtype=np.int64)
    chosen[0] = start
    nearest = ((points - points[start]) ** 2).sum(axis=1)
    nearest[start] = -1.0
    for count in range(1, size):
        chosen[count] = farthest = int(nearest.argmax())
        nearest = np.minimum(nearest, ((points - points[farthest]) ** 2).sum(axis=1))
        nearest[farthest] = -1.0
    return chosen


@checked
def near_duplicates(points: Floats, radius: float) -> Bools:
    """(n,) rows within `radius` of an earlier row that is kept: drop them before choosing. points (n, d)."""
    _check_contrasts(points)
    kept: list[int] = []
    duplicate = np.zeros(len(points), dtype=np.bool_)
    for row, point in enumerate(points):
        duplicate[row] = bool(kept) and float(((points[kept] - point) ** 2).sum(axis=1).min()) <= radius**2
        if not duplicate[row]:
            kept.append(row)
    return duplicate


@dataclass(frozen=True, eq=False)
class _Mixture:
    learned: Floats  # (n,) sums to 1
    left: int
    epsilon: float

    def mixed(self, row: int) -> float:
        return min(self.epsilon / self.left + (1.0 - self.epsilon) * float(self.learned[row]), 1.0)


def _mixture(score: Floats, left: Bools, epsilon: float, eta: float) -> _Mixture:
    top = float(score.max())
    if np.isinf(eta) or top <= 0.0:
        learned = ((score == top) & left).astype(np.float64)
    else:
        learned = np.where(left, np.maximum(score, 0.0) / top, 0.0) ** eta
    return _Mixture(learned / learned.sum(), int(left.sum()), epsilon)


def _drawn(chance: Floats, rng: np.random.Generator) -> int:
    cumulative = np.cumsum(chance)
    index = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
    return min(index, int(np.flatnonzero(chance)[-1]))


def _objective(point: Floats, contrast: Floats, outcome: Floats, prior_variance: float) -> float:
    gap = contrast @ point
    fitted = float(outcome @ log_expit(gap) + (1.0 - outcome) @ log_expit(-gap))
    return fitted - 0.5 * float(point @ point) / prior_variance


def _check_contrasts(contrast: Floats) -> None:
    if contrast.ndim != 2:
        raise ShapeMismatch(f"features have shape {contrast.shape}; give one row of features for each pair.")
    if not np.isfinite(contrast).all():
        raise BadParameter("features hold NaN or infinite values; leave those rows out.")


def _check_pool(contrast: Floats, prompt: Ints, size: int, epsilon: float) -> None:
    if prompt.shape != (len(contrast),):
        raise ShapeMismatch(f"prompt has shape {prompt.shape}; give one label for each of {len(contrast)} pairs.")
    if not 0.0 < epsilon <= 1.0:
        raise BadParameter(f"epsilon is {epsilon}; give the share of uniform picks, above 0 and at most 1.")
    prompts = len(np.unique(prompt))
    if not 1 <= size <= prompts:
        raise TooFewCandidates(f"size is {size} and the pool has {prompts} prompts; a batch has one pair of each.")
