"""Bradley-Terry strengths that follow every vote: counts in place, strengths by one corrected Newton step.

After a vote with outcome y on x = e_a - e_b the maximum moves by Σx·(y - p)/(1 + w·xᵀΣx), w = p(1 - p), with Σ the
inverse information: a difference of two rows of a cached matrix, O(M). Σ stays as it was last factorised. Of what the
votes since then add to the information only the sums per contestant are used, as shrunken variances of a and b. What
remains is an error that grows with that sum and with the distance moved; `polish` removes it, and a state polishes
itself whenever its estimate of the error passes the tolerance: after 1,000 votes at the latest, after one or two on
a young log.

So a vote costs a few microseconds only where contestants have been in some thousands of votes each. Where they have
been in a few hundred, one vote moves its two by points, and what a single Newton step leaves of that is about the
tolerance: nearly every vote is polished, O(M²). Mean per vote, one thread, with contestants M and votes before: 4 µs at
53 and 135,634 or 400 and 1,000,000 (a polish each 1,000 votes); 43 µs at 53 and 5,000 (.64 polishes per vote), 74 µs at
100 and 10,000 (.71), 460 µs at 400 and 50,000 (.56), 4 ms at 400 and 5,000 (.99, most with a new factor). Half a point
of `tolerance`, a fiftieth of the standard errors there, takes .018, .015 and .003 polishes per vote at the first three,
which makes about 10 µs a vote; at 400 and 5,000 there is no remedy but more votes.
"""

from __future__ import annotations

from math import exp, nan

import numpy as np

from ..arrays import Floats
from ..bradley_terry import BOARD_PRIOR
from ..comparisons import Comparisons
from ..counts import BothBad, Counts, count_matrix
from ..errors import BadParameter, NoComparisons
from ..newton import add_to_diagonal, climb
from ..options import checked
from ..pair_likelihood import derivatives
from ..priors import Prior
from ..strengths import POINTS_AT_ZERO, POINTS_PER_LOGIT
from .live_counts import LiveCounts, cells

TOLERANCE = 0.05  # points
POLISH_EVERY = 1000  # votes
# Relative growth of the information, or logits moved, since the last factorisation: beyond this a new one is cheaper
# than steps with the old.
STALE = 0.1
CHORD_STEPS = 8
CHORD_TOLERANCE = 1e-8  # logits


class LiveRatings:
    """All ratings after every vote, within `tolerance` points of `fit_bradley_terry` with the same prior.

    The state is written in place and is not safe to share between threads.
    """

    @checked
    def __init__(
        self,
        data: Comparisons | Counts,
        *,
        prior: Prior = BOARD_PRIOR,
        both_bad: BothBad = BothBad.LEAVE_OUT,
        tolerance: float = TOLERANCE,
        polish_every: int = POLISH_EVERY,
    ) -> None:
        """From the log so far, which may be empty. Raises BadParameter, NoConvergence."""
        if not tolerance > 0.0 or polish_every < 1:
            raise BadParameter(f"tolerance {tolerance} and polish_every {polish_every} must be positive.")
        counts = data if isinstance(data, Counts) else count_matrix(data)
        self.counts = LiveCounts.of(counts)
        self.polishes = 0
        self.factorisations = 0
        self._prior, self._both_bad = prior, both_bad
        self._tolerance, self._polish_every = tolerance / POINTS_PER_LOGIT, polish_every
        elsewhere = 1.0 - np.eye(counts.count)
        wins, ties = counts.wins * elsewhere, counts.tied(both_bad) * elsewhere
        self._total = wins + wins.T + ties
        self._credit = wins.sum(axis=1) + 0.5 * ties.sum(axis=1)
        self._battles = self._total.sum(axis=1)
        self._strength, self._stalest = np.zeros(counts.count), 0.0
        self._column = np.zeros(counts.count)
        self._totals, self._credits, self._appearances = cells(self._total), cells(self._credit), cells(self._battles)
        self._strengths, self._entries = cells(self._strength), cells(self._column)
        self._factorise()

    @property
    def strength(self) -> Floats:
        """(M,) logits, a copy; zero is the prior's anchor, where contestants without a comparison stand."""
        return self._strength.copy()

    def points(self) -> Floats:
        """(M,) on the public scale, the mean weighted by battles at 1000; NaN without a comparison.

        Raises NoComparisons.
        """
        mean = float(self._battles @ self._strength) / self._whole()
        points = self._strength * POINTS_PER_LOGIT
        points += POINTS_AT_ZERO - POINTS_PER_LOGIT * mean
        if self._someone_absent:
            points[self._battles == 0] = nan
        return points

    def standard_error(self) -> Floats:
        """(M,) of `points()`, from the inverse information as last factorised, at most about a tenth off; O(M²).

        Votes are taken as independent: for clustered intervals fit `counts.freeze()` or the log itself.
        """
        weights = self._battles / self._whole()
        shared = self._inverse @ weights
        variance = self._inverse.diagonal() - 2.0 * shared + float(weights @ shared)
        return np.where(weights > 0, POINTS_PER_LOGIT * np.sqrt(np.maximum(variance, 0.0)), nan)

    def add(self, a: int, b: int, outcome: float, weight: float = 1.0, *, both_bad: bool = False) -> None:
        """Counts one vote as `LiveCounts.add` does, and moves every strength; polishes when that is due.

        Raises UnknownIndex, BadOutcome, BadWeight; a refused vote changes nothing. NoConvergence.
        """
        self.counts.add(a, b, outcome, weight, both_bad=both_bad)
        if a == b or (both_bad and self._both_bad is BothBad.LEAVE_OUT):
            return
        count = self.counts.count
        self._credits[a] += weight * outcome
        self._credits[b] += weight * (1.0 - outcome)
        self._totals[a * count + b] += weight
        self._totals[b * count + a] += weight
        self._appearances[a] += weight
        self._appearances[b] += weight
        if self._step(a, b, outcome, weight) > self._tolerance or self._votes >= self._polish_every:
            self.polish()

    def _step(self, a: int, b: int, outcome: float, weight: float) -> float:
        """Moves the strengths; gives the estimated error of the two that moved most, in logits."""
        column, strengths, growth = self._column, self._strengths, self._growth
        np.subtract(self._rows[a], self._rows[b], out=column)
        cached_a, cached_b = self._entries[a], -self._entries[b]
        chance = 1.0 / (1.0 + exp(strengths[b] - strengths[a]))
        information = weight * chance * (1.0 - chance)
        variance = cached_a / (1.0 + growth[a]) + cached_b / (1.0 + growth[b])
        shrunk = variance / (cached_a + cached_b)
        np.multiply(column, weight * (outcome - chance) * shrunk / (1.0 + information * variance), out=column)
        np.add(self._strength, column, out=self._strength)
        growth[a] += information * cached_a
        growth[b] += information * cached_b
        self._votes += 1
        return max(self._estimated_error(a), self._estimated_error(b))

    def _estimated_error(self, one: int) -> float:
        """Of a strength, in logits: the way it moved times how stale cached information is, the mean of its own and
        the worst, which third contestants may have.

        Votes add to the information, and old votes weigh differently where strengths have moved since the
        factorisation. In every world tried, the true error stayed below the tolerance that this is held to.
        """
        strength = self._strengths[one]
        stale = self._growth[one] + abs(strength - self._factorised[one])
        self._stalest = max(self._stalest, stale)
        return abs(strength - self._polished[one]) * 0.5 * (stale + self._stalest)

    def polish(self) -> None:
        """To the maximum, within 1e-5 points: a few steps with the old factor, or Newton's method from here on."""
        self.polishes += 1
        if self._stalest <= STALE and self._chord():
            self._note_polish()
        else:
            self._factorise()

    def _chord(self) -> bool:
        for _ in range(CHORD_STEPS):
            step = self._inverse @ self._slope(self._strength)
            self._strength += step
            if np.abs(step).max() <= CHORD_TOLERANCE:
                return True
        return False

    def _slope(self, strength: Floats) -> Floats:
        odds = np.exp(strength)
        expected = odds * (self._total / np.add.outer(odds, odds)).sum(axis=1)
        return np.asarray(self._credit - expected + self._prior.gradient(strength))

    def _factorise(self) -> None:
        optimum = climb(self._penalised, self._strength)
        self.factorisations += 1
        self._strength[:] = optimum.point
        self._inverse = optimum.inverse
        self._rows = list(self._inverse)
        self._growth = [0.0] * len(self._strength)
        self._factorised = self._strength.tolist()
        self._stalest = 0.0
        self._note_polish()

    def _note_polish(self) -> None:
        self._polished = self._strength.tolist()
        self._votes = 0
        self._someone_absent = not self._battles.all()

    def _penalised(self, strength: Floats) -> tuple[Floats, Floats]:
        slope, information = derivatives(strength, self._credit, self._total)
        slope += self._prior.gradient(strength)
        add_to_diagonal(information, self._prior.curvature(strength))
        return slope, information

    def _whole(self) -> float:
        whole = float(self._battles.sum())
        if not whole:
            raise NoComparisons("No contestant has met another yet; add votes before asking for points.")
        return whole
