"""How many votes more: what gap could be seen now, and when a pair would be separated if its gap is as estimated.

A two-sided test at `level` finds a gap Δ with probability `power` once its standard error is Δ/(z + z_power), z as in
`rank_ranges`. A direct vote between i and j adds p(1 - p) to the information about θ_i - θ_j; votes spread as so far
shrink every variance in proportion. Where the fit's covariance is wider than its Hessian's (clusters), new votes are
taken to vary as the old ones do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from scipy.special import expit, ndtri

from ..arrays import Floats
from ..errors import BadParameter
from ..options import checked
from ..ranks import Family, family_size
from ..strengths import StrengthFit, two_sided_quantile


@dataclass(frozen=True, eq=False)
class VotesNeeded:
    """Further votes until i and j are separated; 0 where they are, inf where the gap is zero or nothing joins them."""

    direct: Floats  # (M, M) all of them between i and j
    spread: Floats  # (M, M) over all pairs, in the proportions so far
    level: float
    power: float


@checked
def minimal_detectable_gap(
    fit: StrengthFit, *, level: float = 0.95, power: float = 0.8, family: Family = Family.PAIR
) -> Floats:
    """(M, M) logits: gaps this large between i and j would be found with probability `power` by the votes at hand.

    Raises BadParameter.
    """
    return np.asarray(_reach(fit, level, power, family) * np.sqrt(_variance(fit)))


@checked
def votes_needed(
    fit: StrengthFit, *, level: float = 0.95, power: float = 0.8, family: Family = Family.PAIR
) -> VotesNeeded:
    """What would separate each pair if its true gap is the estimated one: a plan, not a promise.

    Raises BadParameter.
    """
    variance, gap = _variance(fit), fit.strength[:, None] - fit.strength[None, :]
    separated = np.abs(gap) > _margin(fit, level, family) * np.sqrt(variance)
    wanted = (gap / _reach(fit, level, power, family)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        inflation = np.maximum(variance / _of(fit.hessian_covariance), 1.0)
        direct = inflation * (1.0 / wanted - 1.0 / variance) / (expit(gap) * expit(-gap))
        spread = _votes(fit) * (variance / wanted - 1.0)
    never = ~np.isfinite(variance) | (gap == 0.0)
    found = [
        np.where(separated, 0.0, np.where(never, inf, np.ceil(np.maximum(each, 0.0)))) for each in (direct, spread)
    ]
    for each in found:
        np.fill_diagonal(each, inf)
    return VotesNeeded(found[0], found[1], level, power)


def _reach(fit: StrengthFit, level: float, power: float, family: Family) -> float:
    if not 0.5 <= power < 1.0:
        raise BadParameter(f"power is {power}; give a probability from .5 up, such as 0.8.")
    return _margin(fit, level, family) + float(ndtri(power))


def _margin(fit: StrengthFit, level: float, family: Family) -> float:
    count = max(family_size(family, int(fit.evidence.present.sum())), 1)
    return two_sided_quantile(level, fit.clustering.degrees_of_freedom, count)


def _variance(fit: StrengthFit) -> Floats:
    """(M, M) of differences; inf between contestants without a common scale."""
    component = fit.evidence.component
    joined = (component[:, None] == component[None, :]) & (component >= 0)
    return np.where(joined, fit.difference_variance(), inf)


def _of(covariance: Floats) -> Floats:
    own = covariance.diagonal()
    return np.asarray(own[:, None] + own[None, :] - 2.0 * covariance)


def _votes(fit: StrengthFit) -> float:
    """Weighted comparisons behind the fit; one names two contestants."""
    return 0.5 * float(fit.evidence.battles.sum())
