"""What every fit of strengths returns: strengths, their covariance, and what may be concluded from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf, log

import numpy as np
from scipy.special import ndtri, stdtrit

from .arrays import Bools, Floats, Ints, lock
from .errors import BadParameter

POINTS_PER_LOGIT = 400.0 / log(10.0)  # 400 points for each factor of ten in the odds
POINTS_AT_ZERO = 1000.0


class Covariance(StrEnum):
    """How votes are taken to vary together."""

    AUTO = "auto"  # the widest that the labels allow, see `clusters.choose_scheme`
    HESSIAN = "hessian"  # inverse information: votes independent and the model exact
    SANDWICH = "sandwich"  # votes independent, the model possibly wrong
    PROMPT = "prompt"  # votes on one prompt vary together
    ANNOTATOR = "annotator"  # votes of one annotator vary together
    TWO_WAY = "two_way"  # both


class Note(StrEnum):
    """What a reader must be told beside the numbers."""

    FEW_ANNOTATORS = "few_annotators"  # under 20: the result holds for these annotators
    FEW_CLUSTERS = "few_clusters"  # under 30 clusters carry the intervals
    NOT_CONNECTED = "not_connected"  # groups without a common scale; only ranks within a group mean anything
    SEPARATED = "separated"  # some group never loses to another: finite only through the prior
    SIDE_NOT_SEPARABLE = "side_not_separable"  # orders of showing cannot tell side from worth: no side fitted


@dataclass(frozen=True)
class Clustering:
    """The clusters behind a covariance."""

    kind: Covariance  # never AUTO
    annotators: int | None = None  # distinct, where labelled; unlabelled rows count one each
    prompts: int | None = None
    degrees_of_freedom: float = inf  # clusters in use - 1, the smaller count of two


@dataclass(frozen=True, eq=False)
class Evidence:
    """How much the comparisons say about each contestant."""

    battles: Floats  # (M,) weighted appearances in the comparisons used: two in one with itself
    decisive: Floats  # (M,) comparisons with others that preferred a side
    present: Bools  # (M,) has at least one comparison
    undefeated: Bools  # (M,) never lost nor tied: bounded only from below
    winless: Bools  # (M,) never won nor tied
    provisional: Bools  # (M,) too few decisive comparisons, or finite only through the prior
    component: Ints  # (M,) group with a common scale, -1 without a comparison

    def __post_init__(self) -> None:
        lock(self)


@dataclass(frozen=True, eq=False)
class Ratings:
    """Strengths on the public scale: 1000 + strength · 400 / ln 10 (a factor ten of odds is 400 points)."""

    points: Floats  # (M,) NaN without a comparison
    standard_error: Floats  # (M,)
    lower: Floats  # (M,) -inf for the winless: nothing bounds them from below
    upper: Floats  # (M,) +inf for the undefeated
    level: float


@dataclass(frozen=True, eq=False, kw_only=True)
class StrengthFit:
    """Strengths θ with covariance, in the gauge Σ gauge·θ = 0; NaN for contestants that are not present.

    Arrays of a fit are read-only.
    """

    strength: Floats  # (M,) logits
    covariance: Floats  # (M, M) under `clustering`
    hessian_covariance: Floats  # (M, M) inverse information
    gauge: Floats  # (M,) weights, sum 1, whose mean strength is zero
    evidence: Evidence
    clustering: Clustering
    floor: bool  # provisional contestants get at least the Hessian's variance
    log_likelihood: float  # of the votes, without the prior
    iterations: int
    notes: tuple[Note, ...]

    def __post_init__(self) -> None:
        lock(self)

    def difference_variance(self) -> Floats:
        """(M, M) variance of θ_i - θ_j, free of the gauge.

        With `floor`, a pair with a provisional side gets at least the inverse information's variance: few or
        identical outcomes make the sandwich collapse (two ties give it zero).
        """
        variance = _of_differences(self.covariance)
        if self.floor and self.evidence.provisional.any():
            rare = self.evidence.provisional[:, None] | self.evidence.provisional[None, :]
            variance = np.where(rare, np.maximum(variance, _of_differences(self.hessian_covariance)), variance)
        return variance

    def standard_error(self) -> Floats:
        """(M,) of each strength in the stated gauge, floored as in `difference_variance`."""
        variance = self.covariance.diagonal()
        if self.floor:
            floored = np.maximum(variance, self.hessian_covariance.diagonal())
            variance = np.where(self.evidence.provisional, floored, variance)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def to_points(self, level: float = 0.95) -> Ratings:
        """The public scale with two-sided Wald intervals; one-sided for the undefeated and the winless."""
        reach = two_sided_quantile(level, self.clustering.degrees_of_freedom)
        return ratings(self.strength, self.standard_error(), reach, self.evidence, level)


def ratings(strength: Floats, error: Floats, reach: float, evidence: Evidence, level: float) -> Ratings:
    """From logits (M,) with standard errors (M,), `reach` of which are half an interval."""
    error = POINTS_PER_LOGIT * error
    points = POINTS_AT_ZERO + POINTS_PER_LOGIT * strength
    return Ratings(
        points=points,
        standard_error=error,
        lower=np.where(evidence.winless, -inf, points - reach * error),
        upper=np.where(evidence.undefeated, inf, points + reach * error),
        level=level,
    )


def two_sided_quantile(level: float, degrees_of_freedom: float = inf, comparisons: int = 1) -> float:
    """Half-width in standard errors of an interval at `level`, Bonferroni-corrected for `comparisons`.

    Normal if `degrees_of_freedom` is infinite, else Student's t. Raises BadParameter.
    """
    if not 0.0 < level < 1.0:
        raise BadParameter(f"level is {level}; give a probability such as 0.95.")
    upper = 1.0 - (1.0 - level) / (2.0 * comparisons)
    return float(ndtri(upper)) if degrees_of_freedom == inf else float(stdtrit(degrees_of_freedom, upper))


def _of_differences(covariance: Floats) -> Floats:
    own = covariance.diagonal()
    return np.asarray(np.maximum(own[:, None] + own[None, :] - 2.0 * covariance, 0.0))
