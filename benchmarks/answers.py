"""What richer answers and chosen training pairs save, in worlds with known truth. Uniform pairs throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.many_boards import Curve
from benchmarks.worlds import Reward, graded_votes, kendall_tau, normal_quantiles, reward, staked_votes
from ranking import (
    Covariance,
    RewardFit,
    choose_training_pairs,
    fit_bradley_terry,
    fit_ordinal,
    fit_reward,
    fit_worth,
)

Floats = NDArray[np.float64]


def graded_and_binary(spread: float, runs: int, places: list[int], seeds: tuple[int, ...]) -> tuple[Curve, Curve]:
    """Tau of 20 models' order after so many votes, from grades -3..3 and from which side they lean to."""
    truth = normal_quantiles(20, spread)
    values = np.zeros((2, runs, len(places)))
    for run in range(runs):
        votes = graded_votes(truth, places[-1], np.random.default_rng([*seeds, run]))
        for place, number in enumerate(places):
            graded, binary = (each.select(np.arange(number)) for each in votes)
            by_grade = fit_ordinal(graded, covariance=Covariance.HESSIAN).strength
            by_side = fit_bradley_terry(binary, covariance=Covariance.HESSIAN).strength
            values[:, run, place] = [float(kendall_tau(found, truth)) for found in (by_grade, by_side)]
    return Curve(np.array(places), values[0]), Curve(np.array(places), values[1])


def paid_and_binary(votes: int, runs: int, seeds: tuple[int, ...]) -> Floats:
    """(2, runs) tau with the order by mean worth, from amounts and from votes; log stakes have sd 1.5."""
    taus = np.zeros((2, runs))
    for run in range(runs):
        rng = np.random.default_rng([*seeds, run])
        worth, rows = staked_votes(20, votes, 1.5, rng)
        paid = fit_worth(rows, rng=rng, draws=2).worth
        voted = fit_bradley_terry(rows, covariance=Covariance.HESSIAN).strength
        taus[:, run] = [float(kendall_tau(found, worth)) for found in (paid, voted)]
    return taus


@dataclass(frozen=True)
class Labelling:
    """How a reward model's pairs are picked."""

    batch: int = 50
    epsilon: float = 0.15

    def accuracy(self, world: Reward, labels: int, *, by_design: bool, rng: np.random.Generator) -> Floats:
        """(batches,) share of fresh pairs ordered rightly after each batch of labels."""
        answers = (rng.random(len(world.contrast)) < expit(world.contrast @ world.truth)).astype(np.float64)
        fit = RewardFit(np.zeros(len(world.truth)), np.eye(len(world.truth)), 0)
        chosen, found = np.zeros(0, dtype=np.int64), []
        for _ in range(labels // self.batch):
            fresh = np.flatnonzero(~np.isin(world.prompt, world.prompt[chosen]))
            contrast, prompt = world.contrast[fresh], world.prompt[fresh]
            epsilon = self.epsilon if by_design else 1.0
            picked = choose_training_pairs(contrast, prompt, fit, self.batch, rng, epsilon=epsilon)
            chosen = np.concatenate((chosen, fresh[picked.index]))
            fit = fit_reward(world.contrast[chosen], answers[chosen], start=fit.mean)
            found.append(float((np.sign(world.held_out @ fit.mean) == np.sign(world.held_out @ world.truth)).mean()))
        return np.array(found)


def designed_and_random(runs: int, labels: int, seeds: tuple[int, ...]) -> tuple[Curve, Curve]:
    """Accuracy after each 50 labels, of pairs chosen by design and of random ones from the same pools."""
    how = Labelling()
    values = np.zeros((2, runs, labels // how.batch))
    for run in range(runs):
        world = reward(np.random.default_rng([*seeds, run]))
        for row, by_design in enumerate((True, False)):
            rng = np.random.default_rng([*seeds, run, 1])
            values[row, run] = how.accuracy(world, labels, by_design=by_design, rng=rng)
    places = how.batch * np.arange(1, labels // how.batch + 1)
    return Curve(places, values[0]), Curve(places, values[1])
