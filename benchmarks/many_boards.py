"""Many boards at once, one vote each per step: the library's scores and refits with a leading axis for repetitions.

What `SelectionState` and its policies do for one board, vectorised, so that a hundred repetitions take seconds;
tests/ranking/test_selection_boards.py holds both to the same posterior and the same probabilities.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.worlds import World, kendall_tau
from ranking import SelectionState
from ranking.selection import scores
from ranking.selection.pairs import ALL_PAIRS_UP_TO, EXTRA, WINDOW, all_pairs, near_ranks
from ranking.selection.refit import choose_prior_variance, fit_posterior, misfit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Drawn = tuple[Ints, Ints]  # (boards,) first and second
Policy = Callable[["Boards", np.random.Generator], Drawn]


class Boards:
    """The state of `boards` boards with `count` contestants each."""

    def __init__(self, boards: int, count: int) -> None:
        self.boards, self.count = boards, count
        self.wins = np.zeros((boards, count, count))
        self.waiting = np.zeros((boards, count, count))
        self.mean = np.zeros((boards, count))
        self.covariance = np.tile(np.eye(count), (boards, 1, 1))
        self.prior_variance = np.ones(boards)
        self.pair_variance = np.zeros(boards)
        self.votes = self.votes_at_refit = 0
        self.every = np.arange(boards)

    @property
    def battles(self) -> Floats:
        """(boards, count) votes on each contestant."""
        return self.wins.sum(axis=2) + self.wins.sum(axis=1)

    def absorb(self, first: Ints, second: Ints, outcome: Floats) -> None:
        """One vote on every board, as `SelectionState.record`."""
        every = self.every
        u = self.covariance[every, first] - self.covariance[every, second]
        variance = u[every, first] - u[every, second]
        chance = expit(self.mean[every, first] - self.mean[every, second])
        information = chance * (1.0 - chance)
        number = self.wins[every, first, second] + self.wins[every, second, first]
        damped = 1.0 / (1.0 + self.pair_variance * (number + 1.0) * information)
        added = information * damped / (1.0 + self.pair_variance * number * information)
        gain = 1.0 / (1.0 + added * variance)
        self.mean += u * ((outcome - chance) * damped * gain)[:, None]
        u *= np.sqrt(added * gain)[:, None]
        self.covariance -= u[:, :, None] * u[:, None, :]
        self.wins[every, first, second] += outcome
        self.wins[every, second, first] += 1.0 - outcome
        self.votes += 1
        if self.votes - self.votes_at_refit >= max(self.count / 2, self.votes / 15):
            self.refit()

    def refit(self) -> None:
        """As `SelectionState.refit`."""
        self.pair_variance = misfit(self.wins, self.mean, self.covariance)
        self.prior_variance = choose_prior_variance(self.wins, self.mean, self.pair_variance)
        prior = np.broadcast_to(self.prior_variance[:, None], self.mean.shape)
        fitted = fit_posterior(self.wins, np.zeros_like(self.mean), prior, self.pair_variance, self.mean)
        self.mean = fitted.mean
        self.covariance = 0.5 * (fitted.covariance + fitted.covariance.swapaxes(1, 2))
        self.votes_at_refit = self.votes

    def lend(self, first: Ints, second: Ints, change: float) -> None:
        """A pair on every board is shown (+1) or answered (-1)."""
        self.waiting[self.every, first, second] += change
        self.waiting[self.every, second, first] += change

    def borda(self) -> Floats:
        """(boards, count) mean fitted chance, each pair with the effect of its own that ω² leaves it."""
        chance = expit(self.mean[:, :, None] - self.mean[:, None, :])
        total = self.wins + self.wins.swapaxes(1, 2)
        spread = self.pair_variance[:, None, None]
        effect = spread * (self.wins - total * chance) / (1.0 + spread * total * chance * (1.0 - chance))
        gap = self.mean[:, :, None] - self.mean[:, None, :] + effect
        return np.asarray(expit(gap).sum(axis=2))


# -- policies


def uniform(boards: Boards, rng: np.random.Generator) -> Drawn:
    """Every pair alike."""
    first = rng.integers(0, boards.count, boards.boards)
    return first, (first + rng.integers(1, boards.count, boards.boards)) % boards.count


def weighted(weight: Floats) -> Policy:
    """The first by weight (count,), the second by weight among the others: FastChat's draw with boosted models."""

    def draw(boards: Boards, rng: np.random.Generator) -> Drawn:
        cumulative = np.cumsum(weight)
        first = np.searchsorted(cumulative, rng.random(boards.boards) * cumulative[-1], side="right")
        rest = np.tile(weight, (boards.boards, 1))
        rest[boards.every, first] = 0.0
        return first, picked(rest, rng)

    return draw


@dataclass(frozen=True, eq=False)
class Seen:
    """What a score looks at: k pairs on every board."""

    boards: Boards
    first: Ints  # (boards, k)
    second: Ints
    repeated: NDArray[np.bool_] | None  # (boards, k) not to be drawn: the pair stands there already

    def of(self, matrix: Floats) -> Floats:
        """(boards, k) entries of (boards, count, count)."""
        flat = self.first * self.boards.count + self.second
        return np.take_along_axis(matrix.reshape(self.boards.boards, -1), flat, axis=1)

    def apart(self, vector: Floats) -> tuple[Floats, Floats]:
        """(boards, k) twice, entries of (boards, count)."""
        return np.take_along_axis(vector, self.first, axis=1), np.take_along_axis(vector, self.second, axis=1)

    def posterior(self) -> tuple[Floats, Floats]:
        """Difference and variance, (boards, k) each."""
        high, low = self.apart(self.boards.mean)
        own_first, own_second = self.apart(np.diagonal(self.boards.covariance, axis1=1, axis2=2))
        return high - low, np.maximum(own_first + own_second - 2.0 * self.of(self.boards.covariance), 1e-12)

    def met(self) -> Floats:
        """N + N°"""
        wins = self.boards.wins
        return self.of(wins) + self.of(wins.swapaxes(1, 2)) + self.of(self.boards.waiting)


Score = Callable[[Seen], Floats]


def order_aware(seen: Seen) -> Floats:
    """RO's."""
    spread = seen.boards.pair_variance[:, None]
    met = seen.met() if spread.any() or seen.boards.waiting.any() else 0.0
    return scores.order_aware(*seen.posterior(), met, spread, scores.interest_in_order(spread))


def d_optimal(seen: Seen) -> Floats:
    """The design's."""
    return scores.d_optimal(*seen.posterior())


def arena_rule(seen: Seen) -> Floats:
    """Chatbot Arena's."""
    return np.log(scores.arena_rule(seen.of(seen.boards.wins), seen.met()))


def least_met(seen: Seen) -> Floats:
    """Balanced."""
    return -seen.met()


def scored(score: Score, *, eta: float, epsilon: float = 0.1, newcomer_share: float = 1.0) -> Policy:
    """As `LearnedPolicy`, the floor mixed in by drawing uniformly on a share ε of the boards."""

    def draw(boards: Boards, rng: np.random.Generator) -> Drawn:
        seen = seen_pairs(boards, rng)
        index = picked(chances(seen, score(seen), eta, newcomer_share), rng)
        floor = rng.random(boards.boards) < epsilon
        any_first, any_second = uniform(boards, rng)
        first = np.where(floor, any_first, seen.first[boards.every, index])
        return first, np.where(floor, any_second, seen.second[boards.every, index])

    return draw


def chances(seen: Seen, score: Floats, eta: float, newcomer_share: float) -> Floats:
    """(boards, k) the learned part, each row with sum one."""
    chance = tempered(score, eta, seen.repeated)
    if newcomer_share == 1.0:
        return chance
    battles = seen.boards.battles
    new = battles < 0.25 * np.median(battles, axis=1, keepdims=True)
    first, second = seen.apart(new)
    fresh = first | second
    mass = np.where(fresh, chance, 0.0).sum(axis=1, keepdims=True)
    over = (mass > newcomer_share) & ~fresh.all(axis=1, keepdims=True)
    if not over.any():
        return chance
    rest = tempered(score, eta, fresh if seen.repeated is None else fresh | seen.repeated)
    limited = np.where(fresh, chance * newcomer_share / np.maximum(mass, 1e-300), (1.0 - newcomer_share) * rest)
    return np.where(over, limited, chance)


def tempered(score: Floats, eta: float, left_out: NDArray[np.bool_] | None) -> Floats:
    if left_out is not None:
        score = np.where(left_out, -np.inf, score)
    top = score.max(axis=1, keepdims=True)
    if np.isinf(eta):
        chance = (score == top).astype(np.float64)
    else:
        with np.errstate(invalid="ignore"):
            chance = np.where(np.isinf(top), score == top, np.exp(eta * (score - top)))
    return chance / chance.sum(axis=1, keepdims=True)


def picked(chance: Floats, rng: np.random.Generator) -> Ints:
    """(boards,) one index per row, in proportion."""
    cumulative = np.cumsum(chance, axis=1)
    return (cumulative <= rng.random((len(chance), 1)) * cumulative[:, -1:]).sum(axis=1)


def seen_pairs(boards: Boards, rng: np.random.Generator) -> Seen:
    """As `pairs_to_score`, for every board."""
    if boards.count <= ALL_PAIRS_UP_TO:
        every = all_pairs(boards.count)
        shape = (boards.boards, len(every.first))
        return Seen(boards, np.broadcast_to(every.first, shape), np.broadcast_to(every.second, shape), None)
    ranked = np.argsort(-boards.mean, axis=1, kind="stable")
    near = near_ranks(boards.count)
    one, other = rng.integers(0, boards.count, (2, boards.boards, EXTRA))
    low, high = np.minimum(one, other), np.maximum(one, other)
    code = np.sort(np.where(high - low > WINDOW, low * boards.count + high, -1), axis=1)
    useless = np.concatenate((code[:, :1] < 0, (code[:, 1:] < 0) | (np.diff(code, axis=1) == 0)), axis=1)
    code = np.maximum(code, 1)
    shape = (boards.boards, len(near.first))
    first = np.concatenate((np.broadcast_to(near.first, shape), code // boards.count), axis=1)
    second = np.concatenate((np.broadcast_to(near.second, shape), code % boards.count), axis=1)
    repeated = np.concatenate((np.zeros(shape, dtype=np.bool_), useless), axis=1)
    return Seen(boards, np.take_along_axis(ranked, first, axis=1), np.take_along_axis(ranked, second, axis=1), repeated)


# -- runs


@dataclass(frozen=True, eq=False)
class Curve:
    """What was measured of every board after some votes."""

    votes: Ints  # (checkpoints,)
    value: Floats  # (boards, checkpoints)

    def votes_until(self, level: float, rows: Ints | None = None) -> float:
        """Votes at which the mean over the boards (or some of them) first reaches `level`, interpolated; else inf."""
        mean = (self.value if rows is None else self.value[rows]).mean(axis=0)
        above = np.flatnonzero(mean >= level)
        if not len(above):
            return float("inf")
        at = int(above[0])
        if at == 0:
            return float(self.votes[0])
        share = (level - mean[at - 1]) / (mean[at] - mean[at - 1])
        return float(self.votes[at - 1] + share * (self.votes[at] - self.votes[at - 1]))


def play(
    world: World,
    boards: Boards,
    policy: Policy,
    checkpoints: Sequence[int],
    rng: np.random.Generator,
    *,
    measure: Callable[[Boards], Floats] | None = None,
    outstanding: int = 0,
    until: float | None = None,
) -> Curve:
    """Votes on every board up to the last checkpoint, or until the mean of `measure` is well past `until`.

    `outstanding` pairs are always out: a pair is chosen before the answers to the last so many are known.
    """
    measured = measure or (lambda now: kendall_tau(now.mean, world.strength))
    waiting: deque[Drawn] = deque()
    values, reached, wanted = [], [], list(checkpoints)
    start = boards.votes
    while wanted:
        pair = policy(boards, rng)
        waiting.append(pair)
        if outstanding:
            boards.lend(*pair, 1.0)
        if len(waiting) <= outstanding:
            continue
        first, second = waiting.popleft()
        if outstanding:
            boards.lend(first, second, -1.0)
        boards.absorb(first, second, world.votes(first, second, rng))
        if boards.votes - start < wanted[0]:
            continue
        reached.append(wanted.pop(0))
        values.append(measured(boards))
        if until is not None and values[-1].mean() >= until:
            break
    return Curve(np.array(reached), np.stack(values, axis=1))


# -- boards that have begun


def established(world: World, newcomer: int, boards: int, votes: int, rng: np.random.Generator) -> Boards:
    """All but `newcomer` have met evenly, `votes` times on each board."""
    begun = Boards(boards, len(world.strength))
    old = np.delete(np.arange(begun.count), newcomer)
    row, column = np.triu_indices(len(old), 1)
    row, column = old[row], old[column]
    number = rng.multinomial(votes, np.full(len(row), 1.0 / len(row)), size=boards)
    won = rng.binomial(number, expit(world.strength[row] - world.strength[column]))
    begun.wins[:, row, column], begun.wins[:, column, row] = won, number - won
    begun.votes = votes
    begun.mean[:] = np.where(np.arange(begun.count) == newcomer, 0.0, world.strength - world.strength.mean())
    begun.refit()
    begun.refit()
    return begun


def random_board(count: int, votes: int, rng: np.random.Generator) -> SelectionState:
    """The library's state after so many uniform votes among normal strengths."""
    strength = rng.standard_normal(count)
    first = rng.integers(0, count, votes)
    second = (first + rng.integers(1, count, votes)) % count
    won = rng.random(votes) < expit(strength[first] - strength[second])
    wins = np.zeros((count, count))
    np.add.at(wins, (np.where(won, first, second), np.where(won, second, first)), 1.0)
    return SelectionState.restored(range(count), wins)
