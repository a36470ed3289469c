"""Simulated annotators who differ: in scale, in honesty, in clarity, in taste; and contestants who beat in circles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking import Comparisons, Floats, Ints
from tests.ranking.worlds import normal_quantiles, random_pairs


@dataclass(frozen=True)
class AnnotatorWorld:
    """Votes with the strengths and the annotators' own numbers that made them."""

    strength: Floats  # (M,), or (G, M) by group
    own: Floats | Ints  # (K,) scale, η, a, or group
    votes: Comparisons


def _drawn(chance: Floats, rng: np.random.Generator) -> Floats:
    return (rng.random(len(chance)) < chance).astype(float)


def _chance(difference: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-difference))


def crowd_world(count: int, rows: int, truthful: Floats, seed: int, spread: float = 0.8) -> AnnotatorWorld:
    """Annotator k answers from σ(d) with probability truthful[k], else from σ(-d)."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    a, b = random_pairs(count, rows, rng)
    annotator = rng.integers(0, len(truthful), rows)
    chance = _chance(strength[a] - strength[b])
    told = truthful[annotator]
    outcome = _drawn(told * chance + (1.0 - told) * (1.0 - chance), rng)
    return AnnotatorWorld(strength, truthful, Comparisons(a=a, b=b, outcome=outcome, count=count, annotator=annotator))


def clarity_world(
    count: int, rows: int, annotators: int, seed: int, log_sd: float = 0.7, spread: float = 0.8
) -> AnnotatorWorld:
    """Annotator k answers from σ(a_k·d), ln a with mean zero."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    log_scale = rng.normal(0.0, log_sd, annotators)
    scale = np.exp(log_scale - log_scale.mean())
    a, b = random_pairs(count, rows, rng)
    annotator = rng.integers(0, annotators, rows)
    outcome = _drawn(_chance(scale[annotator] * (strength[a] - strength[b])), rng)
    return AnnotatorWorld(strength, scale, Comparisons(a=a, b=b, outcome=outcome, count=count, annotator=annotator))


def magnitude_world(
    count: int,
    rows: int,
    annotators: int,
    seed: int,
    *,
    spread: float = 0.8,
    log_sd: float = 0.7,
    slips: float = 0.0,
    curl: float = 0.0,
) -> AnnotatorWorld:
    """y = a_k·(d + e), e ~ N(0, σ_k²), σ_k between ½ and 1½; a share `slips` of the rows is typed with a zero more.

    `curl` adds a circular part: each contestant is worth that much more to the one before it.
    """
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    log_scale = rng.normal(0.0, log_sd, annotators)
    scale = np.exp(log_scale - log_scale.mean())
    noise = rng.uniform(0.5, 1.5, annotators)
    a, b = random_pairs(count, rows, rng)
    annotator = rng.integers(0, annotators, rows)
    circular = curl * (((b - a) % count == 1) * 1.0 - ((a - b) % count == 1) * 1.0)
    felt = strength[a] - strength[b] + circular + noise[annotator] * rng.normal(0.0, 1.0, rows)
    amount = scale[annotator] * felt * np.where(rng.random(rows) < slips, 10.0, 1.0)
    outcome = np.where(amount > 0, 1.0, 0.0)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=count, annotator=annotator, amount=amount)
    return AnnotatorWorld(strength, scale, votes)


def mixture_world(
    count: int, annotators: int, votes_each: int, seed: int, share: float = 0.7, spread: float = 0.8
) -> AnnotatorWorld:
    """Two groups; the strengths of the smaller are those of the larger in another order."""
    rng = np.random.default_rng(seed)
    first = normal_quantiles(count, spread)
    strength = np.stack((first, first[np.random.default_rng(1000 + seed).permutation(count)]))
    group = (np.arange(annotators) >= share * annotators).astype(np.int64)
    annotator = np.repeat(np.arange(annotators), votes_each)
    a, b = random_pairs(count, len(annotator), rng)
    liked = strength[group[annotator]]
    at = np.arange(len(annotator))
    outcome = _drawn(_chance(liked[at, a] - liked[at, b]), rng)
    return AnnotatorWorld(strength, group, Comparisons(a=a, b=b, outcome=outcome, count=count, annotator=annotator))


@dataclass(frozen=True)
class CyclicWorld:
    """Votes with the probabilities that made them."""

    probability: Floats  # (M, M)
    votes: Comparisons


def cyclic_world(count: int, rows: int, seed: int, *, circular: float, spread: float = 0.8) -> CyclicWorld:
    """logit = θ_i - θ_j + a_i·b_j - b_i·a_j with a, b ~ N(0, circular)."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    x, y = rng.normal(0.0, np.sqrt(circular), (2, count))
    logit = strength[:, None] - strength[None, :] + np.outer(x, y) - np.outer(y, x)
    probability = _chance(logit)
    a, b = random_pairs(count, rows, rng)
    outcome = _drawn(probability[a, b], rng)
    return CyclicWorld(probability, Comparisons(a=a, b=b, outcome=outcome, count=count))


@dataclass(frozen=True)
class AnchoredWorld:
    """Amounts on anchors and on items, w = c_k·(worth + noise), with what made them."""

    worth: Floats
    scale: Floats  # (K,) c, mean log zero
    votes: Comparisons
    anchors: np.ndarray  # (n,) which rows are about anchors


def anchored_world(
    seed: int,
    *,
    annotators: int = 40,
    answers: int = 40,
    anchors: int = 12,
    noise: float = 0.3,
    log_scale_sd: float = 0.8,
    high_stakes: float = 1.0,
) -> AnchoredWorld:
    """Six contestants. The second half of the annotators is only shown prompts with `high_stakes`, on which 5 is worth
    most; the others meet stakes of one, on which contestant 0 is. Anchor 0 is an identical pair.
    """
    rng = np.random.default_rng(seed)
    log_scale = rng.normal(0.0, log_scale_sd, annotators)
    scale = np.exp(log_scale - log_scale.mean())
    usual = np.linspace(0.5, -0.5, 6)
    shown_high = np.arange(annotators) >= annotators / 2
    stakes = np.append(0.0, np.geomspace(0.3, 4.0, anchors - 1)) * np.where(np.arange(anchors) % 3 == 1, -1.0, 1.0)
    person = np.repeat(np.arange(annotators), anchors)
    told = np.tile(stakes, annotators)
    priced = scale[person] * told * (1.0 + noise * rng.normal(0.0, 1.0, len(person)))
    who = np.repeat(np.arange(annotators), answers)
    a, b = random_pairs(6, len(who), rng)
    liked = np.where(shown_high[who, None], -high_stakes * usual, usual)
    at = np.arange(len(who))
    stake = np.where(shown_high[who], high_stakes, 1.0)
    amount = scale[who] * (liked[at, a] - liked[at, b] + noise * stake * rng.normal(0.0, 1.0, len(who)))
    votes = Comparisons(
        a=np.append(np.zeros(len(person), dtype=np.int64), a),
        b=np.append(np.ones(len(person), dtype=np.int64), b),
        outcome=np.full(len(person) + len(who), 0.5),
        count=6,
        annotator=np.append(person, who),
        prompt=np.append(np.tile(np.arange(anchors), annotators), 100 + at % 300 + 300 * shown_high[who]),
        amount=np.append(priced, amount),
    )
    worth = usual * (1.0 - high_stakes) / 2.0
    return AnchoredWorld(worth, scale, votes, np.arange(len(votes)) < len(person))
