"""EM for groups of annotators where covariates and sides, common to all groups, are taken out: logit d_g + x·β + s_k.

A round is one Newton step in all strengths, effects and leanings at the responsibilities as they are, and then these.
Intervals take the groups as known, like those of the plain mixture, and allow for effects and leanings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

import numpy as np
from scipy.linalg import block_diag
from scipy.special import expit

from ..arrays import Floats
from ..bradley_terry import BradleyTerryFit
from ..clusters import notes_of
from ..errors import EmptyGroup, NoConvergence
from ..gauge import in_gauge
from ..newton import add_to_diagonal
from ..priors import Prior
from ..strengths import Clustering, Covariance
from .adjusted import FARTHEST, NO_MAXIMUM, Asked, by_annotator, centred, gram
from .grouping import MOST_ROUNDS, TOLERANCE, Boards, End, emptied, group_board, highest, known, respond
from .panel import Inference, Information

SETTLED = 1e-9
MOST_STEPS = 100


@dataclass(frozen=True, eq=False)
class Point:
    """What is fitted beside the groups."""

    strength: Floats  # (G, m)
    effect: Floats  # (k,)
    leaning: Floats  # (K,)


@dataclass(frozen=True, eq=False)
class Mixing:
    """One posterior of groups; `variance` is ρ², 0 where nobody leans."""

    asked: Asked
    prior: Prior
    variance: float = 0.0

    def beside(self, at: Point) -> Floats:
        """(n,) logits besides the strengths."""
        return self.asked.shift(at.effect) + self.asked.pull(at.effect, at.leaning)

    def climb_once(self, groups: int, rng: np.random.Generator) -> tuple[End, Point]:
        """EM from random responsibilities. Raises NoConvergence."""
        panel = self.asked.panel
        nothing = np.zeros(self.asked.columns.count), np.zeros(panel.annotator.count)
        start = Point(np.zeros((groups, panel.rows.count)), *nothing)
        return self.climb(rng.dirichlet(np.ones(groups), panel.annotator.count), start)

    def climb(self, belongs: Floats, at: Point) -> tuple[End, Point]:
        """EM until a round gains less than `TOLERANCE` nats. Raises NoConvergence."""
        reached = -inf
        for rounds in range(1, MOST_ROUNDS + 1):
            share = belongs.mean(axis=0)
            at, _ = self.step(belongs, at)
            belongs, log_likelihood = respond(self.asked.panel, at.strength, share, self.beside(at))
            value = log_likelihood + self.believed(at)
            if value - reached < TOLERANCE:
                return End(at.strength, share, belongs, log_likelihood, value, rounds), at
            reached = value
        raise NoConvergence(f"EM still rose after {MOST_ROUNDS} rounds; give fewer groups or a stronger prior.")

    def believed(self, at: Point) -> float:
        """What the priors and the penalty add to the log-likelihood."""
        leant = 0.5 * float(at.leaning @ at.leaning) / self.variance if self.variance else 0.0
        return sum(self.prior.log_density(one) for one in at.strength) - self.asked.penalty(at.effect) - leant

    def leant(self, end: End, at: Point) -> tuple[Mixing, End, Point]:
        """The same with leanings, where they are asked for and annotators differ by more than chance."""
        if not self.asked.named.any():
            return self, end, at
        left, spread = self.slopes(end.belongs, at)
        variance = self.asked.variance(left.sum(axis=0), spread.sum(axis=0))
        if variance == 0.0:
            return self, end, at
        mixing = replace(self, variance=variance)
        return (mixing, *mixing.climb(end.belongs, at))

    def step(self, belongs: Floats, at: Point) -> tuple[Point, float]:
        """Newton's with the damping of `newton.climb`, and its length. Raises NoConvergence."""
        along, leaning = self.information(belongs, at).step(*self.gradient(belongs, at))
        length = max(float(np.abs(along).max()), float(np.abs(leaning).max()))
        share = 1.0 if length <= 0.5 else float(np.log1p(2.0 * length)) / (2.0 * length)
        inner = at.strength.size
        effect = at.effect + share * along[inner:]
        if np.abs(effect).max() > FARTHEST:
            raise NoConvergence(f"Effects passed {FARTHEST:.0f} logits. {NO_MAXIMUM}")
        strength = at.strength + share * along[:inner].reshape(at.strength.shape)
        return Point(strength, effect, at.leaning + share * leaning), length

    def settle(self, belongs: Floats, at: Point) -> Point:
        """The maximum were the groups known. Raises NoConvergence."""
        for _ in range(MOST_STEPS):
            at, length = self.step(belongs, at)
            if length < SETTLED:
                return at
        raise NoConvergence(f"Strengths still moved by {length:.1e} after {MOST_STEPS} steps. {NO_MAXIMUM}")

    def slopes(self, belongs: Floats, at: Point) -> tuple[Floats, Floats]:
        """(G, n) y - p and p(1 - p), times belongs (K, G)."""
        panel, beside = self.asked.panel, self.beside(at)
        share = belongs[panel.annotator.code].T
        p = expit(np.stack([panel.difference(one) + beside for one in at.strength]))
        return share * (panel.rows.outcome - p), share * p * (1.0 - p)

    def gradient(self, belongs: Floats, at: Point) -> tuple[Floats, Floats]:
        """(G·m + k,) and (K,) of the log posterior were the groups known."""
        panel, columns = self.asked.panel, self.asked.columns
        left = panel.weight * self.slopes(belongs, at)[0]
        own = [panel.by_contestant(one) for one in left] + self.prior.gradient(at.strength)
        effect = columns.values.T @ left.sum(axis=0) - columns.penalty * at.effect
        pull = at.leaning / self.variance if self.variance else 0.0
        return np.append(own.ravel(), effect), panel.by_annotator(self._leans * left.sum(axis=0)) - pull

    def information(self, belongs: Floats, at: Point) -> Information:
        """Of (θ_1 ... θ_G, β), and of one leaning per annotator."""
        panel, columns, one = self.asked.panel, self.asked.columns, np.ones(len(self.asked.panel.rows))
        spread = panel.weight * self.slopes(belongs, at)[1]
        m = panel.rows.count
        parts = [gram(panel, each, one, columns.values) for each in spread]
        both = block_diag(*(part[:m, :m] for part in parts), np.sum([part[m:, m:] for part in parts], axis=0))
        corner = np.concatenate([part[:m, m:] for part in parts])
        both[: len(corner), len(corner) :], both[len(corner) :, : len(corner)] = corner, corner.T
        add_to_diagonal(both, np.append(self.prior.curvature(at.strength).ravel(), columns.penalty))
        over = [by_annotator(panel, self._leans * each, one, columns.values) for each in spread]
        crossed = np.concatenate((*(each[:m] for each in over), np.sum([each[m:] for each in over], axis=0)))
        own = panel.by_annotator(self._leans * spread.sum(axis=0))
        return Information(both, crossed, own + (1.0 / self.variance if self.variance else 1.0))

    def infer(self, belongs: Floats, at: Point, wanted: Covariance) -> Inference:
        """Of (θ_1 ... θ_G, β) together, the groups taken as known."""
        panel, information = self.asked.panel, self.information(belongs, at)
        inverse, rows, m = information.inverse, panel.rows, panel.rows.count
        left, spread = self.slopes(belongs, at)
        influence = left.sum(axis=0)[:, None] * (self.asked.columns.values @ inverse[at.strength.size :])
        for group, one in enumerate(left):
            influence += one[:, None] * (inverse[group * m + rows.a] - inverse[group * m + rows.b])
        leaning = self._leans * centred(panel, left.sum(axis=0), spread.sum(axis=0))
        return information.infer_from(panel, influence, leaning, wanted)

    @property
    def _leans(self) -> Floats:
        """(n,) 1 where the row's annotator has a leaning, else 0."""
        leans = self.asked.named & (self.variance > 0.0)
        return leans[self.asked.panel.annotator.code].astype(np.float64)


def fit_adjusted_mixture(
    asked: Asked, groups: int, rng: np.random.Generator, restarts: int, prior: Prior, wanted: Covariance
) -> tuple[Boards, Floats]:
    """With the value (restarts,) that each run of EM reached, without leanings. Raises NoConvergence, EmptyGroup."""
    mixing = Mixing(asked, prior)
    runs = [mixing.climb_once(groups, rng) for _ in range(restarts)]
    top, values = highest([end for end, _ in runs])
    mixing, end, at = mixing.leant(*runs[top])
    if emptied(end):
        raise EmptyGroup("A group emptied once annotators' leanings were taken out; give fewer groups.")
    end = end.ordered()
    belongs = known(end.belongs)
    at = mixing.settle(belongs, replace(at, strength=end.strength))
    inference, inner = mixing.infer(belongs, at, wanted), at.strength.size
    boards = Boards(
        end,
        tuple(_board(mixing, belongs, at, group, inference) for group in range(groups)),
        asked.columns.effects(at.effect, inference.spread.covariance[inner:, inner:]),
        asked.leanings(at.leaning, mixing.information(belongs, at).own, mixing.variance),
    )
    return boards, values


def _board(mixing: Mixing, belongs: Floats, at: Point, group: int, inference: Inference) -> BradleyTerryFit:
    """One group's, of the contestants that it met."""
    panel, spread = mixing.asked.panel, inference.spread
    plain = group_board(panel, belongs[:, group], mixing.prior, Covariance.HESSIAN)
    met = np.flatnonzero(plain.evidence.present[panel.table.index])
    to, inside, weights = panel.table.index[met], group * panel.rows.count + met, np.full(len(met), 1.0 / len(met))

    def embedded(covariance: Floats) -> Floats:
        whole = np.full(plain.covariance.shape, np.nan)
        whole[np.ix_(to, to)] = in_gauge(covariance[np.ix_(inside, inside)], weights)
        return whole

    strength = np.full(len(plain.strength), np.nan)
    strength[to] = at.strength[group, met] - at.strength[group, met].mean()
    clustering = _clustering(spread.clustering, plain.clustering)
    p = expit(panel.difference(at.strength[group]) + mixing.beside(at))
    weighed = replace(panel.rows, weight=panel.weight * belongs[panel.annotator.code, group])
    return replace(
        plain,
        strength=strength,
        covariance=embedded(spread.covariance),
        hessian_covariance=embedded(inference.inverse),
        clustering=clustering,
        log_likelihood=replace(panel, rows=weighed).log_likelihood(p),
        notes=tuple(dict.fromkeys(notes_of(clustering) + plain.notes)),
    )


def _clustering(joint: Clustering, own: Clustering) -> Clustering:
    """As all votes were clustered, counting the clusters of those who belong to the group."""
    by_kind = {
        Covariance.ANNOTATOR: (own.annotators,),
        Covariance.PROMPT: (own.prompts,),
        Covariance.TWO_WAY: (own.annotators, own.prompts),
    }
    counts = [max(count - 1.0, 1.0) for count in by_kind.get(joint.kind, ()) if count is not None]
    return replace(own, kind=joint.kind, degrees_of_freedom=min(counts, default=inf))
