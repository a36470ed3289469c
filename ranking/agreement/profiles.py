"""Items by how their judgments spread over the values: all that a coefficient for many annotators needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Floats, Ints
from ..errors import BadParameter, NoOverlap, NoVariation
from .judgments import ItemJudgments

# Up to this many values, items with the same counts become one profile: then a bootstrap draws few numbers.
COLLAPSE_UP_TO = 50
DRAWS_AT_ONCE = 2_000_000
Table = csr_array[np.float64, tuple[int, int]]


@dataclass(frozen=True)
class AgreementEstimate:
    """Agreement beyond chance, 1 - observed/expected disagreement, with an interval from a bootstrap over items."""

    coefficient: float  # 1 = perfect, 0 = as by chance
    lower: float  # NaN without an rng
    upper: float
    level: float
    observed_disagreement: float
    expected_disagreement: float
    items: int  # with two judgments or more
    judgments: int  # of them
    draws: int  # bootstrap samples that could be computed: in the others only one value was left


@dataclass(frozen=True, eq=False)
class Profiles:
    """P different ways in which K values were given to an item."""

    table: Table  # (P, K) judgments of each value
    items: Ints  # (P,) items of this profile
    values: Floats  # (K,) ascending

    @property
    def size(self) -> Floats:
        """(P,) judgments of an item."""
        return np.asarray(self.table.sum(axis=1))

    @property
    def square(self) -> Floats:
        """(P,) Σ_k of squared counts."""
        return np.asarray((self.table * self.table).sum(axis=1))

    def at_least(self, judgments: int) -> Profiles:
        """The profiles with that many judgments. Raises NoOverlap if none has."""
        kept = self.size >= judgments
        if not kept.any():
            raise NoOverlap(f"No item was judged {judgments} times; give some items to several annotators.")
        return Profiles(self.table[kept], self.items[kept], self.values)


def profile(judgments: ItemJudgments) -> Profiles:
    """From first answers. Raises NoOverlap if no item has two of them."""
    used = judgments.select(judgments.first)
    values, value = np.unique(used.value, return_inverse=True)
    items, item = np.unique(used.item, return_inverse=True)
    table = csr_array((np.ones(len(used)), (item, value)), shape=(len(items), len(values)))
    profiles = Profiles(table, np.ones(len(items), dtype=np.int64), values)
    if len(values) <= COLLAPSE_UP_TO:
        rows, times = np.unique(table.toarray(), axis=0, return_counts=True)
        profiles = Profiles(csr_array(rows), times, values)
    profiles.at_least(2)
    return profiles


Disagreements = Callable[[Floats], tuple[Floats, Floats]]


def estimate(
    profiles: Profiles,
    disagreements: Disagreements,
    rng: np.random.Generator | None,
    draws: int,
    level: float,
) -> AgreementEstimate:
    """The coefficient and its percentile interval; `disagreements` gives observed and expected (B,) for weights (P, B).

    Whole items are drawn with replacement, the annotators stay: the interval is for these people and more items.
    Raises NoVariation, BadParameter.
    """
    if draws < 1 or not 0.0 < level < 1.0:
        raise BadParameter(f"draws is {draws} and level {level}; give a positive number and a probability.")
    observed, expected = (float(one[0]) for one in disagreements(profiles.items[:, None].astype(np.float64)))
    if not expected > 0.0:
        raise NoVariation("Every judgment has the same value, so chance would agree as well; collect harder items.")
    sample = _bootstrap(profiles, disagreements, rng, draws) if rng is not None else np.array([])
    tail = (1.0 - level) / 2.0
    lower, upper = np.quantile(sample, (tail, 1.0 - tail)) if len(sample) else (np.nan, np.nan)
    overlapping = profiles.at_least(2)
    return AgreementEstimate(
        coefficient=1.0 - observed / expected,
        lower=float(lower),
        upper=float(upper),
        level=level,
        observed_disagreement=observed,
        expected_disagreement=expected,
        items=int(overlapping.items.sum()),
        judgments=int(overlapping.items @ overlapping.size),
        draws=len(sample),
    )


def _bootstrap(profiles: Profiles, disagreements: Disagreements, rng: np.random.Generator, draws: int) -> Floats:
    """Coefficients of the draws in which chance could disagree."""
    total = int(profiles.items.sum())
    share = profiles.items / total
    step = max(1, DRAWS_AT_ONCE // len(share))
    found = []
    for begin in range(0, draws, step):
        weights = rng.multinomial(total, share, size=min(step, draws - begin)).T.astype(np.float64)
        observed, expected = disagreements(weights)
        possible = expected > 0.0
        found.append(1.0 - observed[possible] / expected[possible])
    return np.concatenate(found)
