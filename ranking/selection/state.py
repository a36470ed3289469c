"""What selection knows of one board: counts, pairs still out, and the posterior N(μ, Σ) of the strengths.

A vote, or an answer in any other format, changes μ and Σ by a rank-one step in O(M²). Every max(M/2, n/15) of them
everything is refitted from the counts and those other answers, warm, with the prior variance τ² and the pairs' own
variance ω² estimated anew. The state after a sequence of events is the same bit for bit on one build of numpy, so a
draw is replayed from a snapshot and the events since.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from math import isfinite, nan, sqrt

import numpy as np
from scipy.linalg import blas

from ..arrays import Bools, Floats, Ints, floats
from ..comparisons import check_weights
from ..errors import BadParameter, BadWeight, ShapeMismatch, UnknownIndex
from .answered import Answered
from .drift import DriftAlarm
from .formats import VOTES, AnswerFormat
from .refit import Posterior, choose_prior_variance, fit_posterior, misfit

# τ² before anything is known, and the variance of a new version about the strength of the old one.
FIRST_PRIOR_VARIANCE = 1.0
VERSION_VARIANCE = 0.25


def _no_names() -> Ints:
    return np.zeros(0, dtype=np.int64)


def _nobody() -> Floats:
    return np.zeros(0)


def _no_pairs() -> Floats:
    return np.zeros((0, 0))


def _no_drift() -> DriftAlarm:
    return DriftAlarm(np.zeros(0), np.zeros(0))


@dataclass(eq=False)
class SelectionState:
    """Mutable. Contestants are named by any distinct integers and keep the row in which they entered.

    Start with `SelectionState.of(names)`, or with `restored(names, wins)` from counts. Not safe to change from two
    threads at once.
    """

    names: Ints = field(default_factory=_no_names)  # (M,)
    wins: Floats = field(default_factory=_no_pairs)  # (M, M) of row over column, half a tie for either side
    met: Floats = field(default_factory=_no_pairs)  # (M, M) N = wins + winsᵀ
    battles: Floats = field(default_factory=_nobody)  # (M,) votes on each contestant
    outstanding: Floats = field(default_factory=_no_pairs)  # (M, M) N°, symmetric: shown and not yet answered
    mean: Floats = field(default_factory=_nobody)  # (M,) μ
    covariance: Floats = field(default_factory=_no_pairs)  # (M, M) Σ
    own_mean: Floats = field(default_factory=_nobody)  # (M,) prior mean where a contestant has a prior of its own
    own_variance: Floats = field(default_factory=_nobody)  # (M,) its variance; NaN twice is θ ~ N(0, τ²)
    cost: Floats = field(default_factory=_nobody)  # (M,) > 0, of one showing, in any unit; a pair costs the sum
    drift: DriftAlarm = field(default_factory=_no_drift)
    prior_variance: float = FIRST_PRIOR_VARIANCE  # τ²
    pair_variance: float = 0.0  # ω²
    votes: int = 0
    votes_at_refit: int = 0
    events: int = 0  # votes, showings and returns so far: the place in the log this state stands at
    answered: Answered = field(default_factory=Answered)  # answers in other formats than plain votes
    _tickets: dict[Hashable, tuple[int, int, float]] = field(default_factory=dict)
    _order: Ints = field(default_factory=_no_names)  # (M,) sorts the names

    @classmethod
    def of(cls, names: Iterable[int]) -> SelectionState:
        """Nobody has met anybody yet. Raises UnknownIndex for a name given twice."""
        state = cls()
        state._append([int(name) for name in names])
        return state

    @classmethod
    def restored(cls, names: Iterable[int], wins: Floats, answered: Answered | None = None) -> SelectionState:
        """From counts of plain votes (M, M), half a tie for either side, and other answers by place among `names`.

        Fitted. Raises UnknownIndex, ShapeMismatch, BadWeight.
        """
        state, wins = cls.of(names), floats("wins", wins, BadWeight)
        if wins.shape != state.wins.shape:
            raise ShapeMismatch(f"wins has shape {wins.shape}; give one row and column for each of {len(state)} names.")
        check_weights("wins", wins)
        state.answered = answered or Answered()
        state.wins = wins + state.answered.preferred(len(state)) if answered else wins.copy()
        state.met = state.wins + state.wins.T
        state.battles, state.votes = state.met.sum(axis=1), round(float(state.wins.sum()))
        # Misfit is judged at a mode, and there is none yet.
        fitted = state._posterior()
        state.mean, state.covariance = fitted.mean, fitted.covariance
        state.refit()
        return state

    def __len__(self) -> int:
        return len(self.names)

    # -- contestants

    def enter(self, name: int, *, mean: float | None = None, variance: float | None = None, cost: float = 1.0) -> None:
        """A newcomer at the board's mean, or with a prior of its own (its family's mean, say). Raises UnknownIndex."""
        if (mean is None) != (variance is None) or not (
            variance is None or mean is None or (isfinite(mean) and isfinite(variance) and variance > 0.0)
        ):
            fix = "Give mean and a positive variance together, both finite, or neither for the board's prior"
            raise BadParameter(f"{fix}; mean is {mean} and variance {variance}.")
        if not (isfinite(cost) and cost > 0.0):
            raise BadParameter(f"cost is {cost}; give a positive number, the same unit for all.")
        self._append([name])
        self.cost[-1] = cost
        if mean is not None and variance is not None:
            self.own_mean[-1], self.own_variance[-1] = mean, variance
            self.mean[-1], self.covariance[-1, -1] = mean, variance

    def enter_version(self, name: int, *, of: int, variance: float = VERSION_VARIANCE) -> None:
        """A new version of `of` as a contestant of its own, with prior N(θ_old, variance). Raises UnknownIndex."""
        old = int(self.rows_of([of])[0])
        self.enter(name, mean=float(self.mean[old]), variance=variance, cost=float(self.cost[old]))

    def rows_of(self, names: Ints | Sequence[int]) -> Ints:
        """Rows of named contestants. Raises UnknownIndex with the name that never entered."""
        wanted = np.asarray(names, dtype=np.int64)
        place = np.searchsorted(self.names, wanted, sorter=self._order)
        rows = self._order[np.minimum(place, len(self) - 1)] if len(self) else np.zeros_like(wanted)
        known = self.names[rows] == wanted if len(self) else np.zeros(len(wanted), dtype=np.bool_)
        if not known.all():
            raise UnknownIndex(f"{wanted[~known][0]} has not entered this board; call enter() first.")
        return np.asarray(rows, dtype=np.int64)

    # -- showings

    def show(self, ticket: Hashable, pair: tuple[int, int], *, expires_at: float) -> None:
        """The named pair is before somebody; `expires_at` on any clock, the one later given to `expire`."""
        first, second = (int(row) for row in self.rows_of(pair))
        if ticket in self._tickets:
            raise BadParameter(f"ticket {ticket!r} is out already; give each showing its own.")
        self._tickets[ticket] = (first, second, expires_at)
        self._lend(first, second, 1.0)

    def close(self, ticket: Hashable) -> bool:
        """The showing ended, answered or not. False if it had expired (a late vote still counts) or never was."""
        found = self._tickets.pop(ticket, None)
        if found is not None:
            self._lend(found[0], found[1], -1.0)
        return found is not None

    def expire(self, now: float) -> tuple[Hashable, ...]:
        """Takes back what was abandoned: tickets with expires_at <= now, in the order they were shown."""
        late = tuple(ticket for ticket, (_, _, until) in self._tickets.items() if until <= now)
        for ticket in late:
            self.close(ticket)
        return late

    def _lend(self, first: int, second: int, change: float) -> None:
        self.outstanding[first, second] += change
        self.outstanding[second, first] += change
        self.events += 1

    # -- votes

    def record(self, first: int, second: int, outcome: float, answer: AnswerFormat = VOTES) -> None:
        """One vote: 1 if `first` was preferred to `second`, 0 if not, 0.5 for a tie. Refits where it is due.

        `answer` says what else `outcome` is: a grade, an amount, the vote of an annotator who sees more or less. With
        x = e_i - e_j, u = Σx, v = xᵀΣx, the answer's slope s (of a vote y - p) and information w (of a vote pq),
        d = 1/(1 + ω²(N + 1)w) and the information w' = w·d/(1 + ω²Nw) that it adds: μ += u·s·d/(1 + w'v),
        Σ -= w'/(1 + w'v)·uuᵀ. Raises UnknownIndex, BadOutcome, BadAmount.
        """
        i, j = (int(row) for row in self.rows_of((first, second)))
        if i == j:
            raise UnknownIndex(f"{first} cannot be compared with itself; name two contestants.")
        answer.check(outcome)
        self._absorb(i, j, float(outcome), answer)
        preferred = float(answer.preferred(outcome))
        self.wins[i, j] += preferred
        self.wins[j, i] += 1.0 - preferred
        if answer != VOTES:
            self.answered.add(answer, i, j, float(outcome))
        self.met[i, j] += 1.0
        self.met[j, i] += 1.0
        self.battles[[i, j]] += 1.0
        self.votes += 1
        self.events += 1
        if self.refit_is_due:
            self.refit()

    def _absorb(self, i: int, j: int, outcome: float, answer: AnswerFormat = VOTES) -> None:
        u = self.covariance[i] - self.covariance[j]
        variance = float(u[i] - u[j])
        difference = float(self.mean[i] - self.mean[j])
        self.drift.note(i, j, answer.surprise(difference, variance, outcome))
        slope, information = float(answer.slope(difference, outcome)), float(answer.information(difference))
        number = float(self.met[i, j])
        damped = 1.0 / (1.0 + self.pair_variance * (number + 1.0) * information)
        added = information * damped / (1.0 + self.pair_variance * number * information)
        gain = 1.0 / (1.0 + added * variance)
        self.mean += u * (slope * damped * gain)
        u *= sqrt(added * gain)
        # Σ is symmetric, so its transpose is the column order BLAS updates in place.
        blas.dger(-1.0, u, u, a=self.covariance.T, overwrite_a=1)

    @property
    def refit_is_due(self) -> bool:
        """At max(M/2, n/15) votes since the last refit."""
        return self.votes - self.votes_at_refit >= max(len(self) / 2, self.votes / 15)

    def refit(self) -> None:
        """μ and Σ from the counts, after τ² and ω² at the last mode. Raises NoConvergence."""
        free: Bools = np.isnan(self.own_mean)
        plain, pull = self._plain_wins(), self.answered.pull(self.mean)
        if self.votes:
            self.pair_variance = float(misfit(plain, self.mean, self.covariance, pull))
        if self.votes and free.sum() > 1:
            kept, among = plain[np.ix_(free, free)], pull and pull.among(free)
            self.prior_variance = float(choose_prior_variance(kept, self.mean[free], self.pair_variance, among))
        posterior = self._posterior()
        self.mean = posterior.mean
        self.covariance = np.ascontiguousarray(posterior.covariance + posterior.covariance.T) * 0.5
        self.votes_at_refit = self.votes

    def _posterior(self) -> Posterior:
        free = np.isnan(self.own_mean)
        prior_mean = np.where(free, 0.0, self.own_mean)
        prior_variance = np.where(free, self.prior_variance, self.own_variance)
        plain, pull = self._plain_wins(), self.answered.pull
        return fit_posterior(plain, prior_mean, prior_variance, self.pair_variance, self.mean, pull)

    def _plain_wins(self) -> Floats:
        return self.wins - self.answered.preferred(len(self)) if self.answered else self.wins

    # -- what is logged

    @property
    def digest(self) -> str:
        """SHA-256 of everything a draw depends on, in hexadecimal: the snapshot's id in the log."""
        content = sha256(self.names.astype("<i8").tobytes())
        for values in (self.wins, self.outstanding, self.mean, self.covariance, self.cost):
            content.update(values.astype("<f8").tobytes())
        content.update(np.array([self.prior_variance, self.pair_variance], dtype="<f8").tobytes())
        return content.hexdigest()

    def copy(self) -> SelectionState:
        """An independent snapshot, as it stands."""
        return deepcopy(self)

    def _append(self, names: list[int]) -> None:
        more = len(names)
        everyone = np.concatenate((self.names, np.array(names, dtype=np.int64)))
        order = np.argsort(everyone, kind="stable")
        again = everyone[order][1:][np.diff(everyone[order]) == 0]
        if len(again):
            raise UnknownIndex(f"{again[0]} has entered already; a new version needs a name of its own.")
        self.names, self._order = everyone, order
        for name in ("wins", "met", "outstanding", "covariance"):
            setattr(self, name, np.pad(getattr(self, name), (0, more)))
        first = len(self.names) - more
        new = np.arange(first, first + more)
        self.covariance[new, new] = self.prior_variance
        fresh = {"battles": 0.0, "mean": 0.0, "own_mean": nan, "own_variance": nan, "cost": 1.0}
        for name, value in fresh.items():
            setattr(self, name, np.pad(getattr(self, name), (0, more), constant_values=value))
        self.drift = DriftAlarm(np.pad(self.drift.up, (0, more)), np.pad(self.drift.down, (0, more)))
