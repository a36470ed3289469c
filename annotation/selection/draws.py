"""The draws made for an impression besides its pair, each from its own stream of the logged seed."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Streams of one seed; a number once given keeps its meaning, so that old draws can be replayed.
PAIR, SIDE, QUESTIONS, PROMPT, NEWCOMERS = 0, 1, 2, 3, 4


def new_seed() -> int:
    """A fresh seed for one impression, 63 bits so that it fits the log's column."""
    return secrets.randbits(63)


def stream(seed: int, number: int, attempt: int = 0) -> np.random.Generator:
    """The generator for one kind of draw; the same seed, number and attempt give the same draws bit for bit."""
    key = (number, attempt) if attempt else (number,)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=key)))


def draw_places(count: int, most: int, *, seed: int) -> list[int]:
    """Up to `most` different places below `count`, in the order drawn; any such list is as likely as any other, so each
    place is among them with probability min(most, count)/count.
    """
    return [int(place) for place in stream(seed, PROMPT).permutation(count)[:most]]


def draw_of_groups(groups: Sequence[Sequence[int]], *, seed: int) -> tuple[int, float]:
    """A group, each as likely as any other, then one of its members, with the probability of that member."""
    rng = stream(seed, PROMPT)
    members = groups[int(rng.integers(len(groups)))]
    return members[int(rng.integers(len(members)))], 1 / (len(groups) * len(members))


@dataclass(frozen=True)
class OrderDraw:
    order: list[int]
    probability: float


def draw_order(count: int, *, seed: int) -> OrderDraw:
    """A uniformly random order of `count` responses, each order having probability 1/count!."""
    order = stream(seed, SIDE).permutation(count)
    return OrderDraw([int(position) for position in order], 1 / math.factorial(count))


def times_in_place(shown: Sequence[Sequence[int]], count: int) -> list[list[int]]:
    """How often each response (row) stood in each place (column) in these orders."""
    times = [[0] * count for _response in range(count)]
    for order in shown:
        for place, response in enumerate(order):
            times[response][place] += 1
    return times


def draw_balanced_order(times: Sequence[Sequence[int]], *, seed: int) -> OrderDraw:
    """One of the orders that put the responses where they stood least until now, each of these alike.

    `times` is how often each response stood in each place. From the first showing on no two of a response's places
    differ by more than one; the probability is exact given what was shown before, and 1/count! over everything.
    """
    least = _least_repeated(times)
    number = int(stream(seed, SIDE).integers(least[0][1]))
    order: list[int] = []
    used = 0
    while len(order) < len(times):
        for response, chosen, ways in _next_places(times, least, used, len(order)):
            if number < ways:
                order.append(response)
                used = chosen
                break
            number -= ways
    return OrderDraw(order, 1 / least[0][1])


def _least_repeated(times: Sequence[Sequence[int]]) -> dict[int, tuple[int, int]]:
    """For each set of responses, as bits, that fills the first places: the least that the others can repeat in the
    places left, and in how many orders they do."""
    count = len(times)
    least = {(1 << count) - 1: (0, 1)}
    for used in range((1 << count) - 2, -1, -1):
        place = used.bit_count()
        tried = [
            (times[each][place] + least[used | 1 << each][0], least[used | 1 << each][1])
            for each in range(count)
            if not used >> each & 1
        ]
        best = min(repeated for repeated, _ways in tried)
        least[used] = (best, sum(ways for repeated, ways in tried if repeated == best))
    return least


def _next_places(
    times: Sequence[Sequence[int]], least: dict[int, tuple[int, int]], used: int, place: int
) -> list[tuple[int, int, int]]:
    """The responses that may stand here, the set with each, and how many orders go on from there."""
    found = []
    for response in range(len(times)):
        chosen = used | 1 << response
        if chosen != used and times[response][place] + least[chosen][0] == least[used][0]:
            found.append((response, chosen, least[chosen][1]))
    return found


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
