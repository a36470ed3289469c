"""The worlds that policies are measured in, as code: true strengths, and the noise of those who vote.

Strengths stand at normal quantiles, θ_i = σ·Φ⁻¹((i + ½)/M), so that every repetition ranks the same contestants and
only votes and draws differ. Seeds are public: settings were chosen on `TUNING` alone, and what is printed comes from
`REPORTING`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from ranking import Comparisons

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TUNING = (101, 102, 103)
REPORTING = (2026, 2027, 2028)


def normal_quantiles(count: int, spread: float = 1.0) -> Floats:
    """(count,) ascending, mean zero."""
    return np.asarray(spread * ndtri((np.arange(count) + 0.5) / count))


@dataclass(frozen=True, eq=False)
class World:
    """P(i over j) = flipped and spammed σ(a·(θ_i - θ_j + C_ij)), a drawn per vote: many annotators, few votes each."""

    strength: Floats  # (M,)
    spam: float = 0.0  # share of votes that are a fair coin
    flip: float = 0.0  # share of votes turned round
    log_sharpness_sd: float = 0.0  # of ln a ~ N(0, sd²): annotators differ in how clearly they see a gap
    cycle: Floats | None = None  # (boards, M, M) antisymmetric C, what strengths cannot explain

    def votes(self, first: Ints, second: Ints, rng: np.random.Generator) -> Floats:
        """(boards,) 1 where `first` (boards,) was preferred, one pair on every board."""
        boards = len(first)
        gap = self.strength[first] - self.strength[second]
        if self.cycle is not None:
            gap = gap + self.cycle[np.arange(boards), first, second]
        if self.log_sharpness_sd:
            gap = gap * np.exp(self.log_sharpness_sd * rng.standard_normal(boards))
        chance = expit(gap)
        chance = self.flip + (1.0 - 2.0 * self.flip) * chance
        chance = 0.5 * self.spam + (1.0 - self.spam) * chance
        return (rng.random(boards) < chance).astype(np.float64)

    def borda(self) -> Floats:
        """(M,), or (boards, M) with cycles: mean chance of being preferred to another contestant."""
        gap = self.strength[:, None] - self.strength[None, :]
        chance = expit(gap if self.cycle is None else gap + self.cycle)
        return np.asarray((chance.sum(axis=-1) - 0.5) / (len(self.strength) - 1))


def clean(count: int, spread: float = 1.0) -> World:
    return World(normal_quantiles(count, spread))


def spammed(count: int) -> World:
    """One vote in five is a fair coin."""
    return World(normal_quantiles(count), spam=0.2)


def flipped(count: int) -> World:
    """15 votes in 100 name the other side."""
    return World(normal_quantiles(count), flip=0.15)


def heteroscedastic(count: int) -> World:
    """The sharpest sixth of annotators sees a gap at e times its size or more, the dullest at 1/e or less."""
    return World(normal_quantiles(count), log_sharpness_sd=1.0)


def cyclic(count: int, gamma: float, boards: int, seed: int) -> World:
    """C_ij ~ N(0, 2γ²): γ = .25, .5, 1 make 6, 20, 50 % of the variance of a pair's logit."""
    noise = np.random.default_rng(seed).normal(0.0, gamma, (boards, count, count))
    return World(normal_quantiles(count), cycle=noise - noise.swapaxes(1, 2))


def graded_votes(strength: Floats, rows: int, rng: np.random.Generator) -> tuple[Comparisons, Comparisons]:
    """The same leanings y = θ_i - θ_j + logistic twice: on -3..3, cut at ±.4, ±1.2 and ±2.2, and by their sign."""
    a, b = any_pairs(len(strength), rows, rng)
    leaning = strength[a] - strength[b] + rng.logistic(size=rows)
    grade = np.searchsorted((0.4, 1.2, 2.2), np.abs(leaning))
    outcome = np.where(grade == 0, 0.5, (leaning > 0).astype(np.float64))
    graded = Comparisons(a=a, b=b, outcome=outcome, strength=grade, count=len(strength))
    return graded, Comparisons(a=a, b=b, outcome=(leaning > 0).astype(np.float64), count=len(strength))


def staked_votes(count: int, rows: int, log_stake_sd: float, rng: np.random.Generator) -> tuple[Floats, Comparisons]:
    """Mean worth (count,) and votes with amounts c_k·s·(u_i - u_j + e), each on a prompt of its own.

    The stake s is log-normal with mean 1; u_i = q_i + r_i·z where ln s is z standard deviations above its mean, so that
    contestants differ in what they are good at: votes see E[u] = q, while the worth is E[s·u] = q + sd·r. 200 people
    with log-normal scales c_k; e ~ N(0, .5²).
    """
    quality = rng.permutation(normal_quantiles(count))
    demanding = 0.3 * rng.permutation(normal_quantiles(count))
    a, b = any_pairs(count, rows, rng)
    person, score = rng.integers(0, 200, rows), rng.standard_normal(rows)
    stake = np.exp(log_stake_sd * score - log_stake_sd**2 / 2)
    gain = quality[a] - quality[b] + (demanding[a] - demanding[b]) * score + rng.normal(0.0, 0.5, rows)
    amount = np.exp(rng.standard_normal(200))[person] * stake * gain
    outcome = (amount > 0).astype(np.float64)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=count, annotator=person, prompt=np.arange(rows), amount=amount)
    return quality + log_stake_sd * demanding, votes


@dataclass(frozen=True, eq=False)
class Reward:
    """A pool of response pairs by their features' difference, and pairs to be tested on."""

    truth: Floats  # (d,)
    contrast: Floats  # (n, d)
    prompt: Ints  # (n,) six pairs of four responses each
    held_out: Floats  # (t, d)


def reward(rng: np.random.Generator, prompts: int = 1500, d: int = 64) -> Reward:
    """Features as of frozen embeddings: variances fall as 1/k, responses to a prompt are more or less alike."""
    scale = 1.0 / np.sqrt(np.arange(1, d + 1))
    spread = rng.gamma(1.0, 1.0, (prompts, 1, 1))
    response = rng.standard_normal((prompts, 4, d)) * scale * spread
    first, second = np.triu_indices(4, 1)
    contrast = (response[:, first] - response[:, second]).reshape(-1, d)
    held_out = rng.standard_normal((4000, d)) * scale
    return Reward(2.0 * rng.standard_normal(d), contrast, np.repeat(np.arange(prompts), 6), held_out)


def any_pairs(count: int, rows: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """(rows,), (rows,) two different contestants each."""
    first = rng.integers(0, count, rows)
    return first, (first + rng.integers(1, count, rows)) % count


def kendall_tau(estimate: Floats, truth: Floats) -> Floats:
    """(boards,) τ_a of estimate (boards, M) with truth (M,) or (boards, M), which has no ties."""
    row, column = np.triu_indices(estimate.shape[-1], 1)
    agreed = np.sign(estimate[..., row] - estimate[..., column]) * np.sign(truth[..., row] - truth[..., column])
    return np.asarray(agreed.mean(axis=-1))
