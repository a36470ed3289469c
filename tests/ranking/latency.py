"""Simulated responses that take their time: what ignoring latency does to strengths is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking import Comparisons, Floats, Ints
from tests.ranking.worlds import normal_quantiles, random_pairs


@dataclass(frozen=True)
class LatencyWorld:
    """Pairs with log seconds; contestants that think longer answer better, and people dislike waiting."""

    strength: Floats  # (M,)
    habit: Floats  # (M,) mean log seconds of each
    a: Ints
    b: Ints
    seconds: Floats  # (n, 2) log seconds of A and of B
    rng: np.random.Generator

    EFFECT = -0.4  # per log second
    SIDE = 0.2

    @property
    def latency(self) -> Floats:
        """(n, 1) A minus B."""
        return self.seconds[:, :1] - self.seconds[:, 1:]

    @property
    def felt(self) -> Floats:
        """(n,) what is liked of A above B."""
        gap = self.strength[self.a] - self.strength[self.b]
        return np.asarray(gap + self.EFFECT * self.latency[:, 0] + self.SIDE)

    def priced(self, amount: Floats, **labels: Ints) -> Comparisons:
        """What was typed, with the latencies."""
        outcome, count = (amount > 0).astype(float), len(self.strength)
        return Comparisons(
            a=self.a, b=self.b, outcome=outcome, count=count, amount=amount, covariates=self.latency, **labels
        )


def latency_world(rows: int, seed: int, count: int = 6) -> LatencyWorld:
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, 0.8)
    habit = 1.2 * strength
    a, b = random_pairs(count, rows, rng)
    seconds = np.column_stack((habit[a], habit[b])) + rng.normal(0.0, 0.6, (rows, 2)) + 2.0
    return LatencyWorld(strength, habit, a, b, seconds, rng)
