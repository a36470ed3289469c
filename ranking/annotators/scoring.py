"""Fisher's scoring for strengths, effects, one number per annotator and leanings, all at once.

A model says of each row what P(A) is and how it moves with d = θ_a - θ_b, with x·β, with the side and with its
annotator's number. Maximised is ℓ + ln prior(θ) + ln prior(numbers) - penalty/2·Σ β² - Σ l_k²/2ρ². Steps are shortened
until they rise and stop short of the far slope. Leanings are taken out of the information first, then the annotators'
numbers, see `panel`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from ..arrays import Floats
from ..covariates.adjustment import Adjustment, Effects
from ..covariates.side import Leanings
from ..errors import NoConvergence
from ..newton import add_to_diagonal
from ..priors import Prior
from ..strengths import Covariance
from .adjusted import FARTHEST, NO_MAXIMUM, Asked, along, centred
from .panel import Inference, Information, Panel

# An answer less likely than this is as good as impossible.
LEAST = 1e-12
TOLERANCE = 1e-8
MOST_ROUNDS = 1000
SHORTEST = 1e-9
# A rise is lost in that share of the log posterior.
ROUNDING = 1e-11


# The arguments of P(A), in the order of `Model.bent`.
D, X, SIDE, OWN = range(4)


@dataclass(frozen=True, eq=False)
class Terms:
    """Of n rows."""

    p: Floats  # (n,) P(A)
    by_d: Floats  # (n,) ∂p
    by_x: Floats
    by_side: Floats
    by_own: Floats  # in the annotator's number

    @property
    def slopes(self) -> Floats:
        """(4, n)"""
        return np.array([self.by_d, self.by_x, self.by_side, self.by_own])


@dataclass(frozen=True, eq=False)
class State:
    """Where a climb is, or a step of it."""

    strength: Floats  # (m,)
    effect: Floats  # (k,)
    own: Floats  # (K,)
    leaning: Floats  # (K,)


class Model(Protocol):
    """What an annotator's number does, and what is believed of it beforehand."""

    def start(self, annotators: int) -> Floats:
        """(K,)"""
        ...

    def terms(self, d: Floats, x: Floats, side: Floats, own: Floats) -> Terms:
        """All (n,): d, x·β, the side with the leaning, the number of the row's annotator."""
        ...

    def bent(self, d: Floats, x: Floats, side: Floats, own: Floats) -> Floats:
        """(4, 4, n) second derivatives of P(A) in d, x·β, the side and the number."""
        ...

    def log_density(self, own: Floats) -> float:
        """Of (K,) numbers, up to a constant."""
        ...

    def slope(self, own: Floats) -> Floats:
        """(K,) derivative of it."""
        ...

    def curvature(self, own: Floats) -> Floats:
        """(K,) minus the second."""
        ...

    def held(self, own: Floats) -> Floats | None:
        """(K,) the weighted sum of the numbers that stays as it is."""
        ...

    def room(self, own: Floats, step: Floats) -> float:
        """The share of `step` that stays well inside the domain."""
        ...

    def upright(self, at: State, covariates: int) -> State:
        """The one that is reported of those that say the same of the votes."""
        ...


@dataclass(frozen=True, eq=False)
class Found:
    """Where a fit came to rest, adjusted or not."""

    strength: Floats  # (m,)
    own: Floats  # (K,)
    p: Floats  # (n,) P(A)
    rounds: int
    inference: Inference
    effects: Effects | None = None
    leanings: Leanings | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """One posterior; `variance` is ρ², 0 where nobody leans."""

    panel: Panel
    asked: Asked
    model: Model
    prior: Prior
    variance: float = 0.0

    def arguments(self, at: State) -> tuple[Floats, Floats, Floats, Floats]:
        """(n,) each: what P(A) of a row is a function of."""
        asked, code = self.asked, self.panel.annotator.code
        pull = asked.pull(at.effect, at.leaning)
        return self.panel.difference(at.strength), asked.shift(at.effect), pull, at.own[code]

    def terms(self, at: State) -> Terms:
        """Of all rows."""
        terms = self.model.terms(*self.arguments(at))
        return replace(terms, p=np.clip(terms.p, LEAST, 1.0 - LEAST))

    def log_posterior(self, at: State) -> float:
        """Up to a constant."""
        believed = self.prior.log_density(at.strength) + self.model.log_density(at.own) - self.asked.penalty(at.effect)
        leant = 0.5 * float(at.leaning @ at.leaning) / self.variance if self.variance else 0.0
        return self.panel.log_likelihood(self.terms(at).p) + believed - leant

    def reach(self, terms: Terms) -> Floats:
        """(n, k) ∂p in β."""
        reach = self.asked.columns.values * terms.by_x[:, None]
        side = slice(self.asked.covariates, None)
        reach[:, side] = self.asked.columns.values[:, side] * terms.by_side[:, None]
        return reach

    @property
    def leans(self) -> Floats:
        """(n,) 1 where the row's annotator may lean."""
        leans = self.asked.named & (self.variance > 0.0)
        return leans[self.panel.annotator.code].astype(np.float64)

    def gradient(self, at: State) -> tuple[Floats, Floats, Floats]:
        """(m + k,), (K,) in the numbers and (K,) in the leanings."""
        panel, terms = self.panel, self.terms(at)
        residual = panel.weight * (panel.rows.outcome - terms.p) / (terms.p * (1.0 - terms.p))
        both = along(panel, residual, terms.by_d, self.reach(terms))
        both += np.append(self.prior.gradient(at.strength), -self.asked.columns.penalty * at.effect)
        own = panel.by_annotator(residual * terms.by_own) + self.model.slope(at.own)
        leaning = panel.by_annotator(residual * terms.by_side * self.leans)
        return both, own, leaning - at.leaning / self.variance if self.variance else leaning

    def information(self, at: State) -> Joint:
        """Expected over the votes, with the curvature of all priors."""
        terms = self.terms(at)
        slopes = terms.slopes
        weight = self.panel.weight / (terms.p * (1.0 - terms.p))
        return self._joined(at, weight * slopes[:, None] * slopes[None, :])

    def observed(self, at: State) -> Joint:
        """Of these votes: what is an annotator's own taste stays in that annotator's residuals, however many the votes,
        and moves the number with θ, which the expected information takes for unmoved. That one where there is no peak.
        """
        terms, y = self.terms(at), self.panel.rows.outcome
        p, slopes = terms.p, terms.slopes
        seen, left = y / p**2 + (1.0 - y) / (1.0 - p) ** 2, (y - p) / (p * (1.0 - p))
        bent = left * self.model.bent(*self.arguments(at))
        found = self._joined(at, self.panel.weight * (seen * slopes[:, None] * slopes[None, :] - bent))
        return found if found.is_peak else self.information(at)

    def _joined(self, at: State, curve: Floats) -> Joint:
        """From minus the second derivatives (4, 4, n) of the rows' log-likelihood."""
        panel, asked, leans = self.panel, self.asked, self.leans
        kinds = [X] * asked.covariates + [SIDE] * (asked.columns.count - asked.covariates)
        columns = list(zip(kinds, asked.columns.values.T, strict=True))

        def crossed(kind: int, mask: Floats | float = 1.0) -> Floats:
            over = [panel.by_annotator(curve[each, kind] * column * mask) for each, column in columns]
            return np.concatenate((panel.crossed(curve[D, kind] * mask), np.reshape(over, (len(over), len(at.own)))))

        corner = np.reshape(
            [panel.by_contestant(curve[D, kind] * column) for kind, column in columns], (-1, panel.rows.count)
        )
        square = [[(curve[one, two] * left) @ right for two, right in columns] for one, left in columns]
        effects = np.reshape(square, (len(columns), len(columns)))
        both = np.block([[panel.laplacian(curve[D, D]), corner.T], [corner, effects]])
        add_to_diagonal(both, np.append(self.prior.curvature(at.strength), asked.columns.penalty))
        return Joint(
            both=both,
            with_own=crossed(OWN),
            with_leaning=crossed(SIDE, leans),
            own=panel.by_annotator(curve[OWN, OWN]) + self.model.curvature(at.own),
            mixed=panel.by_annotator(curve[OWN, SIDE] * leans),
            leaning=panel.by_annotator(curve[SIDE, SIDE] * leans) + (1.0 / self.variance if self.variance else 1.0),
            held=self.model.held(at.own),
        )

    def climb(self, start: State) -> tuple[State, int]:
        """The maximum and the rounds it took. Raises NoConvergence."""
        at, slope, reached = start, self.gradient(start), self.log_posterior(start)
        for count in range(1, MOST_ROUNDS + 1):
            step = self._step(at, slope)
            moved = max(float(np.abs(one).max(initial=0.0)) for one in vars(step).values())
            share, rise = min(1.0, 1.0 / (moved + 1e-300), self.model.room(at.own, step.own)), _along(slope, step)
            while True:
                ahead = _moved(at, step, share)
                slope, value = self.gradient(ahead), self.log_posterior(ahead)
                left = _along(slope, step)
                # Where votes curve twice as much as expected, whole steps go to and fro; the secant's end at the top.
                # At the top itself what is left to rise is rounding, of either sign.
                lost = ROUNDING * max(1.0, abs(reached))
                if left >= -0.5 * rise - lost and value >= reached - lost:
                    break
                share *= min(0.5, max(0.1, rise / (rise - left))) if left < rise else 0.1
                if share < SHORTEST:
                    raise NoConvergence(f"No step of round {count} rises. {self._fix}")
            at, reached = ahead, value
            if moved < TOLERANCE:
                return at, count
            if np.abs(at.effect).max(initial=0.0) > FARTHEST:
                raise NoConvergence(f"Effects passed {FARTHEST:.0f} logits in round {count}. {NO_MAXIMUM}")
        raise NoConvergence(f"The fit still moved by {moved:.1e} after {MOST_ROUNDS} rounds. {self._fix}")

    @property
    def _fix(self) -> str:
        return NO_MAXIMUM if self.asked.columns.count else "Give a tighter prior, such as NormalPrior(1.0)."

    def _step(self, at: State, slope: tuple[Floats, Floats, Floats]) -> State:
        """As a difference. Raises NoConvergence."""
        both, own, leaning = self.information(at).step(*slope)
        count = len(at.strength)
        return State(both[:count], both[count:], own, leaning)

    def infer(self, at: State, wanted: Covariance) -> Inference:
        """Of (θ, β) together, where annotators are drawn from the priors of their numbers and leanings."""
        panel, terms = self.panel, self.terms(at)
        spread = terms.p * (1.0 - terms.p)
        residual, lean = (panel.rows.outcome - terms.p) / spread, terms.by_side * self.leans
        leaning = centred(panel, residual * lean, lean**2 / spread)
        reach = residual[:, None] * self.reach(terms)
        return self.observed(at).infer(
            panel,
            residual * terms.by_d,
            reach,
            centred(panel, residual * terms.by_own, terms.by_own**2 / spread),
            leaning,
            wanted,
        )


def _along(slope: tuple[Floats, Floats, Floats], step: State) -> float:
    """How fast the log posterior rises along a step."""
    return float(slope[0] @ np.append(step.strength, step.effect) + slope[1] @ step.own + slope[2] @ step.leaning)


def _moved(at: State, step: State, share: float) -> State:
    return State(*(old + share * new for old, new in zip(vars(at).values(), vars(step).values(), strict=True)))


@dataclass(frozen=True, eq=False)
class Joint:
    """Information of (θ, β), of one number per annotator and of the leanings."""

    both: Floats  # (m + k, m + k)
    with_own: Floats  # (m + k, K)
    with_leaning: Floats  # (m + k, K)
    own: Floats  # (K,)
    mixed: Floats  # (K,) between number and leaning
    leaning: Floats  # (K,)
    held: Floats | None

    @property
    def is_peak(self) -> bool:
        """Whether it is positive definite once leanings and numbers are taken out, one after the other."""
        return bool((self.leaning > 0.0).all()) and self.rest.is_peak

    @cached_property
    def rest(self) -> Information:
        """Of (θ, β) and the numbers, the leanings taken out."""
        share = self.with_leaning / self.leaning
        return Information(
            self.both - share @ self.with_leaning.T,
            self.with_own - share * self.mixed,
            self.own - self.mixed**2 / self.leaning,
            self.held,
        )

    def step(self, both: Floats, own: Floats, leaning: Floats) -> tuple[Floats, Floats, Floats]:
        """Newton's step in each, from the gradients in each."""
        share, turned = self.with_leaning / self.leaning, self.mixed / self.leaning
        moved, number = self.rest.step(both - share @ leaning, own - turned * leaning)
        return moved, number, leaning / self.leaning - share.T @ moved - turned * number

    def infer(
        self, panel: Panel, by_d: Floats, reach: Floats, own: Floats, leaning: Floats, wanted: Covariance
    ) -> Inference:
        """From each row's scores, all (n,) but those in β, `reach` (n, k)."""
        inverse, rows, code = self.rest.inverse, panel.rows, panel.annotator.code
        share, turned = self.with_leaning / self.leaning, self.mixed / self.leaning
        influence = by_d[:, None] * (inverse[rows.a] - inverse[rows.b])
        influence += reach @ inverse[rows.count :]
        influence -= leaning[:, None] * (share.T @ inverse)[code]
        return self.rest.infer_from(panel, influence, own - turned[code] * leaning, wanted)


def fit_adjusted(panel: Panel, model: Model, adjust: Adjustment, prior: Prior, covariance: Covariance) -> Found:
    """From equal strengths. Raises BadCovariate, ShapeMismatch, MissingLabels, NoConvergence."""
    asked = Asked.of(panel, adjust)
    problem, count = Problem(panel, asked, model, prior), panel.annotator.count
    level = State(np.zeros(panel.rows.count), np.zeros(asked.columns.count), model.start(count), np.zeros(count))
    at, rounds = problem.climb(level)
    if asked.named.any():
        terms = problem.terms(at)
        spread = terms.p * (1.0 - terms.p)
        left = (panel.rows.outcome - terms.p) * terms.by_side / spread
        problem = replace(problem, variance=asked.variance(left, terms.by_side**2 / spread))
        if problem.variance > 0.0:
            at, more = problem.climb(at)
            rounds += more
    at = model.upright(at, asked.covariates)
    inference, m = problem.infer(at, covariance), panel.rows.count
    return Found(
        at.strength,
        at.own,
        problem.terms(at).p,
        rounds,
        inference,
        asked.columns.effects(at.effect, inference.spread.covariance[m:, m:]),
        asked.leanings(at.leaning, problem.information(at).leaning, problem.variance),
    )
