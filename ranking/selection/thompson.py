"""Finding the best contestant: double Thompson sampling on the posterior of the strengths, and when to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ..arrays import Floats, Ints
from ..errors import BadParameter
from ..options import check_generator, checked
from ..posterior import probability_best
from ..uncertainty.sequences import always_valid_margin
from .choice import Candidates, Choice, Parameter
from .pairs import PairDistribution, all_pairs, check_epsilon, made, only_open
from .state import SelectionState

# Others are further than this many standard deviations from leading: their share of the draws is the floor's.
CONTENDERS = 64
# Tries for a challenger before the likeliest one is taken.
REDRAWS = 5


@dataclass(frozen=True, kw_only=True)
class DoubleThompsonPolicy:
    """i and j are the best of two draws from N(μ, Σ) (Wu & Liu 2016, "Double Thompson sampling for dueling bandits",
    NeurIPS, here on the strengths' posterior); equal ones are drawn again up to five times, then j is the contestant
    most likely to beat i. Mixed with a floor ε.

    Exactness: `draws` posterior samples give each contestant's share b of being best, and the pair is then drawn from
    b, not from the posterior itself. Its probability is exact given the samples, which the seed replays, and the
    floor keeps it positive for every pair; the Monte Carlo error of b, at most 0.5/√draws, moves the policy a
    little, never the stated probability.
    """

    name: str = "double_thompson"
    version: str = "1"
    epsilon: float = 0.05
    draws: int = 256

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)
        if self.draws < 1:
            raise BadParameter(f"draws is {self.draws}; give a positive number.")

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """ε and the number of samples."""
        return {"epsilon": self.epsilon, "draws": self.draws}

    def distribution(self, state: SelectionState, candidates: Candidates, rng: np.random.Generator) -> PairDistribution:
        """Over the active pairs, by position among `candidates.drawable`. Raises UnknownIndex, BadParameter."""
        check_generator(rng)
        rows = state.rows_of(candidates.drawable)
        mean, covariance = state.mean[rows], state.covariance[np.ix_(rows, rows)]
        contender = _contenders(mean, covariance)
        inside = np.ix_(contender, contender)
        share = probability_best(mean[contender], covariance[inside], rng=rng, draws=self.draws)
        duel = duels(share, challengers(mean[contender], covariance[inside]))
        count = len(rows)
        chance = np.zeros((count, count))
        chance[inside] = duel
        if candidates.open_pairs is None:
            pairs = all_pairs(count)
            return PairDistribution(pairs, chance[pairs.first, pairs.second], self.epsilon, count)
        among = candidates.open_among_drawable
        pairs = only_open(all_pairs(count), among)
        duel = chance[pairs.first, pairs.second]
        # Where no duel is open, every open pair alike.
        duel = duel / duel.sum() if duel.any() else np.full(len(duel), 1.0 / len(duel))
        return PairDistribution(pairs, duel, self.epsilon, count, among)

    def choose(self, state: SelectionState, candidates: Candidates, rng: np.random.Generator) -> Choice:
        """A pair of the candidates, all of which must have entered `state`. Raises UnknownIndex."""
        drawn = self.distribution(state, candidates, rng).draw(rng)
        return made(self, candidates, drawn, rng)


def duels(share: Floats, challenger: Ints) -> Floats:
    """(m, m) symmetric P({i, j}) when i and j are drawn from `share` (m,), equal ones again up to five times.

    Of the pairs led by i, j has b_j·(1 + b_i + … + b_i⁵) and i's `challenger` (m,) the remaining b_i⁶.
    """
    tries = sum(share**redraw for redraw in range(REDRAWS + 1))
    ordered = (share * tries)[:, None] * share[None, :]
    np.fill_diagonal(ordered, 0.0)
    ordered[np.arange(len(share)), challenger] += share ** (REDRAWS + 2)
    return np.asarray(ordered + ordered.T)


@dataclass(frozen=True, eq=False)
class BestFound:
    """Whether the search may stop, and on what grounds."""

    best: int  # name of the contestant in the lead
    probability: float  # of being the best, under the posterior
    separated: bool  # its confidence sequence against every other excludes zero
    expected_regret: float  # logits lost on average if it is taken now

    def enough(self, *, delta: float = 0.05, tolerance: float = 0.0) -> bool:
        """P(best) >= 1 - δ and separated from all, or expected regret under `tolerance` logits."""
        return (self.probability >= 1.0 - delta and self.separated) or self.expected_regret < tolerance


@checked
def best_found(
    state: SelectionState,
    candidates: Candidates,
    rng: np.random.Generator,
    *,
    alpha: float = 0.05,
    draws: int = 1000,
) -> BestFound:
    """The contestant in the lead, judged by `draws` posterior samples and by confidence sequences of
    its m - 1 leads, `uncertainty.sequences`, at α/(m - 1) each. Raises UnknownIndex, BadParameter."""
    if draws < 1 or not 0.0 < alpha < 1.0:
        raise BadParameter(f"draws is {draws} and alpha {alpha}; give 1 or more, and a probability such as 0.05.")
    rows = state.rows_of(candidates.drawable)
    mean, covariance = state.mean[rows], state.covariance[np.ix_(rows, rows)]
    lead = int(mean.argmax())
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    sample = mean + rng.standard_normal((draws, len(mean))) @ root.T
    own = covariance.diagonal()
    others = np.arange(len(mean)) != lead
    variance = np.maximum(own + own[lead] - 2.0 * covariance[lead], 1e-12)
    apart = mean[lead] - mean > always_valid_margin(variance, 1.0 - alpha / (len(mean) - 1))
    return BestFound(
        best=int(candidates.drawable[lead]),
        probability=float((sample.argmax(axis=1) == lead).mean()),
        separated=bool(apart[others].all()),
        expected_regret=float((sample.max(axis=1) - sample[:, lead]).mean()),
    )


def _contenders(mean: Floats, covariance: Floats) -> Ints:
    """(k,) positions, ascending, of the 64 with the highest upper ends μ + 3 sd."""
    if len(mean) <= CONTENDERS:
        return np.arange(len(mean))
    reach = mean + 3.0 * np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    return np.sort(np.argsort(-reach, kind="stable")[:CONTENDERS])


def challengers(mean: Floats, covariance: Floats) -> Ints:
    """(m,) for each contestant the one most likely to be above it."""
    own = covariance.diagonal()
    error = np.sqrt(np.maximum(own[:, None] + own[None, :] - 2.0 * covariance, 1e-12))
    above = ndtr((mean[None, :] - mean[:, None]) / error)
    np.fill_diagonal(above, -1.0)
    return np.asarray(above.argmax(axis=1))
