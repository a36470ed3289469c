"""The draws made for an impression besides its pair, each from its own stream of the logged seed."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Streams of one seed; a number once given keeps its meaning, so that old draws can be replayed.
PAIR, SIDE, QUESTIONS = 0, 1, 2


def new_seed() -> int:
    """A fresh seed for one impression, 63 bits so that it fits the log's column."""
    return secrets.randbits(63)


def stream(seed: int, number: int, attempt: int = 0) -> np.random.Generator:
    """The generator for one kind of draw; the same seed, number and attempt give the same draws bit for bit."""
    key = (number, attempt) if attempt else (number,)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=key)))


@dataclass(frozen=True)
class OrderDraw:
    order: list[int]
    probability: float


def draw_order(count: int, *, seed: int) -> OrderDraw:
    """A uniformly random order of `count` responses, each order having probability 1/count!."""
    order = stream(seed, SIDE).permutation(count)
    return OrderDraw([int(position) for position in order], 1 / math.factorial(count))


@dataclass(frozen=True)
class QuestionsDraw:
    names: list[str]
    # None where every question is always asked, so that nothing was drawn.
    probability: float | None


def draw_questions(questions: Sequence[tuple[str, float]], *, seed: int) -> QuestionsDraw:
    """Ask each (name, share) with its share, independently; the probability is that of this very set."""
    rng = stream(seed, QUESTIONS)
    names, probability, drawn = [], 1.0, False
    for name, share in questions:
        asked = True
        if share < 1:
            drawn = True
            asked = bool(rng.random() < share)
            probability *= share if asked else 1 - share
        if asked:
            names.append(name)
    return QuestionsDraw(names, probability if drawn else None)
