"""Simulated annotators who lean to what they were shown first, and were shown the better first the more they lean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking import Comparisons, Floats, Ints, Rankings
from tests.ranking.worlds import normal_quantiles

ANNOTATORS = 40
DEVIATION = 1.0
LEVEL = 0.4


@dataclass(frozen=True)
class LeaningWorld:
    """Six contestants; annotator k has label 3·k and leans by its own amount about .2."""

    strength: Floats  # (M,)
    lean: Floats  # (K,)
    annotator: Ints  # (n,) 0..K-1
    rng: np.random.Generator

    def shown(self, size: int) -> Ints:
        """(n, size) in the order shown: every other time the best first for those who lean to it, last for others."""
        rows = len(self.annotator)
        drawn = np.argsort(self.rng.random((rows, len(self.strength))), axis=1)[:, :size]
        ordered = self.rng.random(rows) < 0.5
        sorted_up = np.sort(drawn, axis=1)
        toward = np.where((self.lean[self.annotator] > self.lean.mean())[:, None], sorted_up[:, ::-1], sorted_up)
        return np.where(ordered[:, None], toward, drawn)

    def utilities(self, order: Ints) -> Floats:
        """(n, size) the more, the nearer to the first place."""
        middle = 0.5 * (order.shape[1] - 1) - np.arange(order.shape[1])
        return np.asarray(self.strength[order] + self.lean[self.annotator][:, None] * middle)

    @property
    def label(self) -> Ints:
        return 3 * self.annotator

    def comparisons(self, order: Ints, outcome: Floats, **columns: object) -> Comparisons:
        return Comparisons(
            a=order[:, 0], b=order[:, 1], outcome=outcome, count=len(self.strength), annotator=self.label, **columns
        )


def leaning_world(rows: int, seed: int, deviation: float = DEVIATION) -> LeaningWorld:
    rng = np.random.default_rng(seed)
    lean = 0.2 + rng.normal(0.0, deviation, ANNOTATORS)
    return LeaningWorld(normal_quantiles(6, 0.8), lean, rng.integers(0, ANNOTATORS, rows), rng)


def votes(world: LeaningWorld) -> Comparisons:
    order = world.shown(2)
    utility = world.utilities(order)
    return world.comparisons(order, (utility[:, 0] - utility[:, 1] > world.rng.logistic(size=len(order))).astype(float))


def circling(world: LeaningWorld) -> Comparisons:
    """Each beats the next but one of a ring by more than strengths say."""
    order = world.shown(2)
    utility, angle = world.utilities(order), np.arange(6) * np.pi / 3
    gap = utility[:, 0] - utility[:, 1] + np.sin(angle[order[:, 0]] - angle[order[:, 1]])
    return world.comparisons(order, (gap > world.rng.logistic(size=len(order))).astype(float))


def choices(world: LeaningWorld) -> Comparisons:
    """None has utility zero."""
    order = world.shown(2)
    utility = np.column_stack((world.utilities(order) + LEVEL, np.zeros(len(order))))
    best = (utility + world.rng.gumbel(size=utility.shape)).argmax(axis=1)
    return world.comparisons(order, np.array([1.0, 0.0, 0.5])[best], both_bad=best == 2)


def rankings(world: LeaningWorld, size: int = 3) -> Rankings:
    order = world.shown(size)
    utility = world.utilities(order) + world.rng.gumbel(size=order.shape)
    places = 1 + np.argsort(np.argsort(-utility, axis=1), axis=1)
    position = np.tile(1 + np.arange(size), len(order))
    return Rankings.of(list(order), 6, places=list(places), annotator=world.label, position=position)


def priced(world: LeaningWorld) -> Comparisons:
    """The two prices of a list between which an amount lies; every fourth is exact."""
    order = world.shown(2)
    utility, grid = world.utilities(order), np.linspace(-2.0, 2.0, 9)
    amount = utility[:, 0] - utility[:, 1] + 0.8 * world.rng.normal(size=len(order))
    edges, place = np.concatenate(([-np.inf], grid, [np.inf])), np.searchsorted(grid, amount)
    return world.comparisons(
        order,
        np.full(len(order), 0.5),
        amount=np.where(np.arange(len(order)) % 4 == 0, amount, np.nan),
        amount_low=edges[place],
        amount_high=edges[place + 1],
    )
