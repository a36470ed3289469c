"""Simulated people and contestants with known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking import Comparisons, Floats


@dataclass(frozen=True)
class World:
    """Votes with the strengths, in logits and with mean zero, that made them."""

    strength: Floats
    votes: Comparisons


def normal_quantiles(count: int, spread: float) -> Floats:
    """Strengths at the quantiles of N(0, spread²): the same contestants in every world."""
    rng = np.random.default_rng(count)
    draws = np.sort(rng.normal(0.0, spread, (2000, count)), axis=1).mean(axis=0)
    return np.asarray(draws - draws.mean())


def random_pairs(count: int, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    a = rng.integers(0, count, rows)
    return a, (a + rng.integers(1, count, rows)) % count


def bradley_terry_world(count: int, rows: int, seed: int, spread: float = 0.8) -> World:
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    a, b = random_pairs(count, rows, rng)
    outcome = (rng.random(rows) < 1.0 / (1.0 + np.exp(strength[b] - strength[a]))).astype(float)
    return World(strength, Comparisons(a=a, b=b, outcome=outcome, count=count))


def davidson_world(count: int, rows: int, nu: float, seed: int, spread: float = 0.8) -> World:
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    a, b = random_pairs(count, rows, rng)
    half = 0.5 * (strength[a] - strength[b])
    whole = np.exp(half) + nu + np.exp(-half)
    draw = rng.random(rows) * whole
    outcome = np.where(draw < np.exp(half), 1.0, np.where(draw < np.exp(half) + nu, 0.5, 0.0))
    return World(strength, Comparisons(a=a, b=b, outcome=outcome, count=count))


def clustered_world(
    count: int,
    rows: int,
    annotators: int,
    prompts: int,
    seed: int,
    annotator_sd: float,
    prompt_sd: float,
    spread: float = 0.5,
) -> World:
    """Annotators and prompts each shift every contestant by their own normal taste.

    `strength` is the population's: the logit of the win rate against each opponent, averaged over tastes, fitted
    to its Bradley-Terry projection by the caller if it must be exact.
    """
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    by_annotator = rng.normal(0.0, annotator_sd, (annotators, count))
    by_prompt = rng.normal(0.0, prompt_sd, (prompts, count))
    a, b = random_pairs(count, rows, rng)
    annotator, prompt = rng.integers(0, annotators, rows), rng.integers(0, prompts, rows)
    taste = strength + by_annotator[annotator] + by_prompt[prompt]
    at = np.arange(rows)
    outcome = (rng.random(rows) < 1.0 / (1.0 + np.exp(taste[at, b] - taste[at, a]))).astype(float)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=count, annotator=annotator, prompt=prompt)
    return World(strength, votes)


def from_rows(rows: list[tuple[int, int, float]], count: int, **columns: object) -> Comparisons:
    a, b, outcome = (np.array(column) for column in zip(*rows, strict=True))
    return Comparisons(a=a, b=b, outcome=outcome, count=count, **columns)  # type: ignore[arg-type]


@dataclass(frozen=True)
class WorthWorld:
    """Amounts with the worths that made them: w = c_k·(stake_x·(U_a - U_b + taste + e) + side)."""

    worth: Floats
    scale: Floats  # (annotators,) c_k
    stake: Floats  # (prompts,) mean 1
    votes: Comparisons


def worth_world(
    rows: int,
    seed: int,
    *,
    count: int = 6,
    annotators: int = 40,
    prompts: int = 200,
    log_stake_sd: float = 0.5,
    log_scale_sd: float = 1.0,
    taste: float = 0.0,
    noise: float = 0.5,
    side: float = 0.0,
    own_prompts: bool = False,
) -> WorthWorld:
    """`own_prompts`: every row is about a prompt of its own, as in an arena."""
    rng = np.random.default_rng(seed)
    worth = np.linspace(-0.6, 0.6, count)
    annotator = rng.integers(0, annotators, rows)
    prompts = rows if own_prompts else prompts
    prompt = np.arange(rows) if own_prompts else rng.integers(0, prompts, rows)
    a, b = random_pairs(count, rows, rng)
    scale = np.exp(rng.normal(0.0, log_scale_sd, annotators))
    stake = np.exp(rng.normal(-(log_stake_sd**2) / 2, log_stake_sd, prompts))
    liked = (
        worth
        + rng.normal(0.0, taste, (prompts, count))[prompt]
        + rng.normal(0.0, taste, (annotators, count))[annotator]
    )
    at = np.arange(rows)
    gain = liked[at, a] - liked[at, b] + rng.normal(0.0, noise, rows)
    amount = scale[annotator] * (stake[prompt] * gain + side)
    outcome = np.where(amount > 0, 1.0, np.where(amount < 0, 0.0, 0.5))
    votes = Comparisons(a=a, b=b, outcome=outcome, count=count, annotator=annotator, prompt=prompt, amount=amount)
    return WorthWorld(worth, scale, stake, votes)
