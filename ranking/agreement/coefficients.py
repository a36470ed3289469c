"""Agreement of any number of annotators, each of whom judged some of the items.

All three are 1 - observed/expected disagreement; they differ in what they expect of chance. Where one value is far
more frequent than the others, kappa and alpha can be low though people nearly always agree; AC1 is not then.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from ..arrays import Floats
from ..errors import BadParameter
from ..options import checked
from .judgments import ItemJudgments
from .profiles import AgreementEstimate, Profiles, estimate, profile

DRAWS = 2000
_Chance = Callable[[Floats], Floats]


class Measurement(StrEnum):
    """What the difference of two values means, and with it how bad a disagreement is."""

    NOMINAL = "nominal"  # different or not
    ORDINAL = "ordinal"  # how many judgments lie between them
    INTERVAL = "interval"  # their difference, squared


@checked
def krippendorff_alpha(
    judgments: ItemJudgments,
    *,
    measurement: Measurement = Measurement.NOMINAL,
    rng: np.random.Generator | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
) -> AgreementEstimate:
    """Krippendorff's α over the items with two judgments or more.

    α = 1 - (n - 1)·Σ_u Σ_{i≠j in u} δ²(v_i, v_j)/(m_u - 1) / Σ_{c,k} n_c·n_k·δ²(c, k), n judgments, m_u of item u
    and n_c of value c (Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C and D). The interval
    needs `rng`. Raises NoOverlap, NoVariation, BadParameter.
    """
    profiles = profile(judgments).at_least(2)
    table, size, square = profiles.table, profiles.size, profiles.square

    def disagreements(weights: Floats) -> tuple[Floats, Floats]:
        totals = np.asarray(table.T @ weights)  # (K, B)
        whole = totals.sum(axis=0)
        scale = (weights.T / (size - 1.0)).T
        if measurement is Measurement.NOMINAL:
            observed = (size * size - square) @ scale
            expected = whole * whole - (totals * totals).sum(axis=0)
        else:
            place = _places(profiles, totals, measurement)
            # Σ_{i≠j} (x_i - x_j)² = 2·m·Σx² - 2·(Σx)², of an item as of all judgments.
            once, twice = np.asarray(table @ place), np.asarray(table @ (place * place))
            observed = 2.0 * ((size[:, None] * twice - once * once) * scale).sum(axis=0)
            expected = 2.0 * (whole * (totals * place * place).sum(axis=0) - (totals * place).sum(axis=0) ** 2)
        return observed / whole, np.maximum(expected, 0.0) / (whole * (whole - 1.0))

    return estimate(profiles, disagreements, rng, draws, level)


@checked
def fleiss_kappa(
    judgments: ItemJudgments,
    *,
    rng: np.random.Generator | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
) -> AgreementEstimate:
    """Fleiss's κ: chance gives each value with its mean share over items, Σ_k π_k².

    Fleiss 1971, "Measuring nominal scale agreement among many raters", Psychol. Bull. 76; with different numbers of
    judgments per item as in Gwet 2014, "Handbook of inter-rater reliability". Raises as `krippendorff_alpha`.
    """
    return _by_shares(judgments, lambda share: 1.0 - (share * share).sum(axis=0), rng, draws, level)


@checked
def gwet_ac1(
    judgments: ItemJudgments,
    *,
    categories: int | None = None,
    rng: np.random.Generator | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
) -> AgreementEstimate:
    """Gwet's AC1: chance agrees with probability Σ_k π_k·(1 - π_k)/(K - 1).

    Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high agreement", Br. J. Math.
    Stat. Psychol. 61. `categories` is K where some were never used; None counts those that were. Raises as
    `krippendorff_alpha`.
    """
    used = len(profile(judgments).values)
    count = max(used, 2) if categories is None else categories
    if count < max(used, 2):
        raise BadParameter(f"categories is {count} and {used} values were given; a choice has two or more.")
    return _by_shares(
        judgments, lambda share: 1.0 - (share * (1.0 - share)).sum(axis=0) / (count - 1.0), rng, draws, level
    )


def _places(profiles: Profiles, totals: Floats, measurement: Measurement) -> Floats:
    """(K, B) where each value lies: itself, or the middle of its judgments in the order of all of them."""
    if measurement is Measurement.ORDINAL:
        return np.asarray(np.cumsum(totals, axis=0) - 0.5 * totals)
    centred = profiles.values - profiles.values.mean()  # large values would cancel
    return np.repeat(centred[:, None], totals.shape[1], axis=1)


def _by_shares(
    judgments: ItemJudgments,
    chance: _Chance,
    rng: np.random.Generator | None,
    draws: int,
    level: float,
) -> AgreementEstimate:
    """Disagreement of pairs, averaged over the items with two judgments; π averaged over all items."""
    profiles = profile(judgments)
    size, square = profiles.size, profiles.square
    paired = size >= 2
    apart = np.divide(size * size - square, size * (size - 1.0), out=np.zeros(len(size)), where=paired)
    shares = (profiles.table / size[:, None]).T

    def disagreements(weights: Floats) -> tuple[Floats, Floats]:
        pairs = paired @ weights
        observed = np.divide(apart @ weights, pairs, out=np.zeros(len(pairs)), where=pairs > 0)
        expected = chance(np.asarray(shares @ weights) / weights.sum(axis=0))
        return observed, np.where(pairs > 0, expected, 0.0)

    return estimate(profiles, disagreements, rng, draws, level)
