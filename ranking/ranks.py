"""Which ranks the data allow, from intervals of pairwise differences.

Overlap of single intervals is too lax a test of a difference and depends on the gauge; here i is above j
where θ_i - θ_j exceeds its own margin, from the covariance. Then lower = 1 + #{significantly above i} and
upper = M - #{significantly below i}, over the M contestants of i's component (Mogstad, Romano, Shaikh & Wilhelm 2024,
"Inference for ranks", Rev. Econ. Stud. 91, section 3, with Bonferroni in place of the bootstrapped critical value).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .arrays import Bools, Floats, Ints
from .connectivity import members
from .errors import NotConnected
from .options import checked
from .strengths import StrengthFit, two_sided_quantile


class Family(StrEnum):
    """Which statements hold together at the stated level."""

    PAIR = "pair"  # each difference by itself: too bold for a table of many contestants
    CONTESTANT = "contestant"  # all differences of one contestant: its range covers its rank
    BOARD = "board"  # all differences: every range covers its rank at once


@dataclass(frozen=True, eq=False)
class RankRanges:
    """Ranks within each component from 1 = strongest; 0 for contestants without a comparison.

    Contestants of different components share no scale: of these nobody knows who is stronger.
    """

    rank: Ints  # (M,) by strength alone; equals share the better rank
    lower: Ints  # (M,) best rank the data allow
    upper: Ints  # (M,) worst
    above: Bools  # (M, M) [i, j] = i is significantly above j
    level: float
    family: Family
    component: Ints  # (M,) among whom each is ranked, -1 without a comparison

    @property
    def comparable(self) -> bool:
        """Whether all ranks are of one component."""
        return bool(self.component.max() <= 0)


@checked
def rank_ranges(
    fit: StrengthFit, *, level: float = 0.95, family: Family = Family.CONTESTANT, margin: float | None = None
) -> RankRanges:
    """Each component is ranked by itself: contestants of different ones are never ordered.

    `margin` in standard errors replaces that of `level` and `family`: `Bootstrap.critical_value` for a whole board.
    """
    if margin is None:
        statements = family_size(family, int(fit.evidence.present.sum()))
        margin = two_sided_quantile(level, fit.clustering.degrees_of_freedom, statements)
    return ranges_beyond(fit, margin * np.sqrt(fit.difference_variance()), level, family)


def refuse_unless_comparable(component: Ints) -> None:
    """Raises NotConnected where those present (component (M,) not -1) do not share one scale."""
    present = np.flatnonzero(component >= 0)
    if component.max(initial=-1) > 0:
        raise NotConnected(members(component[present], present))


def family_size(family: Family, count: int) -> int:
    """How many differences of `count` contestants must hold together."""
    return {Family.PAIR: 1, Family.CONTESTANT: count - 1, Family.BOARD: count * (count - 1) // 2}[family]


def ranges_beyond(fit: StrengthFit, margin: Floats, level: float, family: Family) -> RankRanges:
    """Where i is above j if θ_i - θ_j exceeds margin (M, M) in logits and both share a scale."""
    present, component = fit.evidence.present, fit.evidence.component
    comparable = (component[:, None] == component[None, :]) & present[:, None] & present[None, :]
    difference = fit.strength[:, None] - fit.strength[None, :]
    above = comparable & (difference > margin)
    size = comparable.sum(axis=1)
    return RankRanges(
        rank=np.where(present, 1 + (comparable & (difference < 0)).sum(axis=1), 0),
        lower=np.where(present, 1 + above.sum(axis=0), 0),
        upper=np.where(present, size - above.sum(axis=1), 0),
        above=above,
        level=level,
        family=family,
        component=component,
    )
