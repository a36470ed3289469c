"""Where the order by votes and the order by amounts part, found from the same rows, weights and draws.

Every row with an amount also says who was preferred. From the weights v of the worth's least squares (`worth`) each
draw gives both: strengths θ that maximise Σ v·[y·ln p + (1 - y)·ln(1 - p)], p = σ(θ_i - θ_j), with a weak prior; and
worths U. With two kinds of cluster the draws are drawn together about the fit as those of `worth` are.

A pair's disagreement is ESTABLISHED where P(θ_i > θ_j) and P(U_i < U_j) are both at least .95, LIKELY at .80, with P
the share of draws. Two orders of points always part somewhere; that is no finding. Two targets: THESE_PROMPTS draws
weights of single answers, LIKE_THESE draws those of prompts (and of people), which reaches further and is less sure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from .amounts import membership, total_by
from .arrays import Bools, Floats, Ints, lock
from .clusters import Labels
from .comparisons import Comparisons
from .errors import BadParameter, NoConvergence
from .options import checked
from .priors import VirtualTie
from .ranks import Family, family_size
from .strengths import Clustering, Covariance, two_sided_quantile
from .uncertainty.rescaling import rescaled
from .worth import HEAVY, Estimand, clustering_of, tail_share, worth_design
from .worth_draws import Design, Draw, covariance_of

LEVELS = {"established": 0.95, "likely": 0.80}
PRIOR = VirtualTie(0.5)
# Newton's steps, in logits: the longest, and the one that ends the climb.
LONGEST, SHORTEST, MOST = 1.0, 1e-8, 60
# More answers than this many times those at hand are as good as never.
FURTHEST = 1e9
DECIDING = 5


class Target(StrEnum):
    """What a disagreement would be true of."""

    THESE_PROMPTS = "these_prompts"  # of the prompts that were asked
    LIKE_THESE = "like_these"  # of prompts and people as those who were asked


class Verdict(StrEnum):
    """How sure it is that the two orders part."""

    ESTABLISHED = "established"
    LIKELY = "likely"


@dataclass(frozen=True)
class Disagreement:
    """i is the stronger and worth less. What is said of the rows is said of those where i met j."""

    i: int
    j: int
    verdict: Verdict
    p_stronger: float  # P(θ_i > θ_j)
    p_worth_less: float  # P(U_i < U_j)
    answers: int  # rows where they met
    win_share: float  # of i against j, a tie as half
    mean_gain: float  # of i over j where i was preferred, in the unit of the worths; NaN where it never was
    mean_loss: float  # of i under j where j was, as a positive number
    prompts: tuple[int, ...]  # labels of up to five that speak most for j; -1 where unknown
    prompts_share: float  # of the mean amount for j that rests on them; NaN where the rows themselves do not favour j
    amount_against: float  # mean of what j was worth more than i, ties and all
    # What each of the prompts adds to `amount_against` and to win_share - 1/2. Over all prompts these sums are exact.
    prompts_against: tuple[float, ...]
    prompts_won: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Places:
    """One of the two orders, (M,) each; NaN, and rank 0, beside an absent contestant."""

    value: Floats
    lower: Floats
    upper: Floats
    rank: Ints
    rank_low: Ints  # best rank that the data allow, together with all others of this contestant
    rank_high: Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class OrdersCompared:
    """Both orders of the contestants with an amount, and what is certain about each pair of them."""

    strength: Floats  # (M,) logits, summing to zero over those present
    worth: Floats  # (M,) summing to zero
    covariance: Floats  # (2M, 2M) of strengths, then worths
    p_stronger: Floats  # (M, M) share of draws with θ_i > θ_j; NaN beside an absent contestant
    p_worth_more: Floats  # (M, M) share of draws with U_i > U_j
    disagreements: tuple[Disagreement, ...]  # the surest first
    answers: int  # rows both orders rest on
    target: Target
    estimand: Estimand
    clustering: Clustering
    tail_share: float
    heavy_tailed: bool  # then the errors are too short, and nothing is more than likely

    def __post_init__(self) -> None:
        lock(self)

    def by_votes(self, level: float = 0.95) -> Places:
        """The order of strengths; intervals by t, ranks by the differences as `rank_ranges` takes them."""
        count = len(self.strength)
        return self._places(self.strength, self.covariance[:count, :count], level)

    def by_worth(self, level: float = 0.95) -> Places:
        """The order of worths, read the same way."""
        count = len(self.strength)
        return self._places(self.worth, self.covariance[count:, count:], level)

    def _places(self, value: Floats, covariance: Floats, level: float) -> Places:
        present = np.isfinite(value)
        variance, freedom = covariance.diagonal(), self.clustering.degrees_of_freedom
        reach = two_sided_quantile(level, freedom) * np.sqrt(variance)
        apart = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * covariance, 0.0))
        margin = two_sided_quantile(level, freedom, family_size(Family.CONTESTANT, int(present.sum()))) * apart
        difference = value[:, None] - value[None, :]
        # Comparisons with NaN are false: an absent contestant is above nobody and below nobody.
        above = (difference > margin) & (difference != 0.0)
        return Places(
            value=value,
            lower=value - reach,
            upper=value + reach,
            rank=np.where(present, 1 + (difference > 0.0).sum(axis=0), 0),
            rank_low=np.where(present, 1 + above.sum(axis=0), 0),
            rank_high=np.where(present, present.sum() - above.sum(axis=1), 0),
        )

    def answers_needed(self, i: int, j: int, *, verdict: Verdict = Verdict.ESTABLISHED, power: float = 0.8) -> float:
        """Answers in all, asked as these were, at which a disagreement about (i, j) of the size estimated here is
        found with probability `power`; inf where the orders do not part about them. Raises BadParameter.
        """
        gap = np.array([self.strength[i] - self.strength[j], self.worth[j] - self.worth[i]])
        if gap[0] < 0.0:
            gap = -gap
        count = len(self.strength)
        across = np.zeros((2, 2 * count))
        across[0, [i, j]], across[1, [count + j, count + i]] = (1.0, -1.0), (1.0, -1.0)
        return answers_needed(gap, across @ self.covariance @ across.T, self.answers, verdict=verdict, power=power)


@checked
def compare_orders(
    comparisons: Comparisons,
    *,
    rng: np.random.Generator,
    target: Target = Target.LIKE_THESE,
    estimand: Estimand = Estimand.PANEL,
    min_answers: int = 5,
    importance: Floats | None = None,
    anchors: Bools | None = None,
    draws: int = 2000,
) -> OrdersCompared:
    """Both orders from the rows with an amount; needs `amount`, `annotator` and `prompt`, as `fit_worth` does. Rows
    about `anchors` (n,) give people's scales there and are in neither order.

    Raises what fit_worth raises, and NoConvergence.
    """
    if min_answers < 1 or draws < 2:
        raise BadParameter(f"min_answers is {min_answers} and draws {draws}; give at least 1 and 2.")
    design = worth_design(comparisons, estimand, min_answers, importance, anchors)
    if target is Target.THESE_PROMPTS:
        own = Labels(np.arange(len(design.rows.low)), len(design.rows.low))
        drawn = replace(design, rows=replace(design.rows, prompt=own))
        clustering = Clustering(Covariance.PROMPT, design.rows.annotator.count, own.count, own.count - 1.0)
    else:
        drawn, clustering = design, clustering_of(design.rows)
    point, replicates, covariance = _both(drawn, clustering, draws, rng)
    return _compared(comparisons.count, design, clustering, target, estimand, point, replicates, covariance)


@checked
def answers_needed(
    gap: Floats,
    covariance: Floats,
    answers: int,
    *,
    verdict: Verdict = Verdict.ESTABLISHED,
    power: float = 0.8,
) -> float:
    """Answers in all at which a disagreement is found with probability `power`; inf if never.

    `gap` (2,) is θ_i - θ_j and U_j - U_i, both positive where the orders part, and `covariance` (2, 2) that of their
    estimates from `answers` answers, shrinking in proportion to more. A verdict wants both estimates beyond
    Φ⁻¹(level) standard errors, so with z = gap/SE and r their correlation the power at k times the answers is
    Φ₂(√k·z₁ - Φ⁻¹(level), √k·z₂ - Φ⁻¹(level); r). Raises BadParameter.
    """
    if not 0.0 < power < 1.0 or answers < 1:
        raise BadParameter(f"power is {power} and answers {answers}; give a share below 1, and at least 1.")
    error = np.sqrt(np.diag(covariance))
    if not (np.isfinite(gap).all() and (gap > 0.0).all() and (error > 0.0).all()):
        return inf
    z, bound = gap / error, float(ndtri(LEVELS[verdict]))
    correlation = float(np.clip(covariance[0, 1] / (error[0] * error[1]), -0.999, 0.999))
    both = multivariate_normal(np.zeros(2), [[1.0, correlation], [correlation, 1.0]])

    def short(log_times: float) -> float:
        return float(both.cdf(np.exp(log_times / 2.0) * z - bound)) - power

    low, high = np.log(1e-6), np.log(FURTHEST)
    if short(high) < 0.0:
        return inf
    return float(np.ceil(answers * np.exp(brentq(short, low, high, xtol=1e-9)))) if short(low) < 0.0 else 1.0


def _both(
    design: Design, clustering: Clustering, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Strengths beside worths: (2m,) of the fit, (d, 2m) of the draws about it, and their covariance."""
    point = _under(design, design.once, None)[0]
    whole, apart = [], []
    for draw, kinds in design.batches(clustering, draws, rng):
        whole.append(_under(design, draw, point))
        apart.append([_under(design, one, point) for one in kinds] if len(kinds) > 1 else [whole[-1]])
    drawn = np.concatenate(whole)
    covariance = covariance_of(drawn, [np.concatenate(part) for part in zip(*apart, strict=True)])
    return point, rescaled(drawn, point, covariance), covariance


def _under(design: Design, draw: Draw, start: Floats | None) -> Floats:
    """(d, 2m) strengths and worths under each draw's weights."""
    first = np.zeros(design.count) if start is None else start[: design.count]
    return np.concatenate((_strengths(design, design.weights_under(draw), first), design.worth_under(draw)), axis=1)


def _strengths(design: Design, weight: Floats, start: Floats) -> Floats:
    """(d, m) Newton's steps for all draws at once, none longer than a logit. Weights sum to the rows in each draw."""
    low, high = design.ends
    by_pair = membership(design.pairs)
    weight = weight * (len(weight) / weight.sum(axis=0))
    total, credit = total_by(by_pair, weight), total_by(by_pair, weight * design.rows.outcome[:, None])
    ends = [membership(Labels(end, design.count)) for end in (low, high)]
    point = np.tile(start, (weight.shape[1], 1))
    places = np.arange(design.count)
    for _ in range(MOST):
        chance = 1.0 / (1.0 + np.exp(point[:, high] - point[:, low])).T
        owed = credit - total * chance
        slope = (total_by(ends[0], owed) - total_by(ends[1], owed)).T + PRIOR.gradient(point)
        mass = (total * chance * (1.0 - chance)).T
        information = np.zeros((len(point), design.count, design.count))
        information[:, low, high] = information[:, high, low] = -mass
        information[:, places, places] = -information.sum(axis=2) + PRIOR.curvature(point)
        step = np.linalg.solve(information, slope[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        point = point + step * np.minimum(1.0, LONGEST / np.maximum(longest, LONGEST))
        if longest.max() < SHORTEST:
            return point - point.mean(axis=1, keepdims=True)
    raise NoConvergence(f"The strengths of {len(point)} draws still moved after {MOST} steps.")


def _compared(
    count: int,
    design: Design,
    clustering: Clustering,
    target: Target,
    estimand: Estimand,
    point: Floats,
    replicates: Floats,
    covariance: Floats,
) -> OrdersCompared:
    m, index = design.count, design.rows.index
    above = [_share_above(replicates[:, part]) for part in (slice(0, m), slice(m, None))]
    tail = tail_share(np.abs(design.scaled_amounts()))
    places = np.concatenate((index, count + index))
    spread = np.full((2 * count, 2 * count), np.nan)
    spread[np.ix_(places, places)] = covariance
    found = [
        _disagreement(design, low, high, verdict, above)
        for low in range(m)
        for high in range(m)
        if low != high and (verdict := _verdict(above[0][low, high], above[1][high, low], tail)) is not None
    ]
    return OrdersCompared(
        strength=_embedded(point[:m], index, count),
        worth=_embedded(point[m:], index, count),
        covariance=spread,
        p_stronger=_square(above[0], index, count),
        p_worth_more=_square(above[1], index, count),
        disagreements=tuple(sorted(found, key=lambda one: -min(one.p_stronger, one.p_worth_less))),
        answers=len(design.rows.low),
        target=target,
        estimand=estimand,
        clustering=clustering,
        tail_share=tail,
        heavy_tailed=tail > HEAVY,
    )


def _verdict(stronger: float, worth_less: float, tail: float) -> Verdict | None:
    sure = min(stronger, worth_less)
    if sure >= LEVELS[Verdict.ESTABLISHED] and tail <= HEAVY:
        return Verdict.ESTABLISHED
    return Verdict.LIKELY if sure >= LEVELS[Verdict.LIKELY] else None


def _disagreement(design: Design, i: int, j: int, verdict: Verdict, above: list[Floats]) -> Disagreement:
    rows = design.rows
    met = (rows.low == min(i, j)) & (rows.high == max(i, j))
    sign = 1.0 if i < j else -1.0
    amount, outcome = sign * design.scaled_amounts()[met], 0.5 + sign * (rows.outcome[met] - 0.5)
    prompts = rows.prompt.code[met]
    against = np.bincount(prompts, weights=-amount, minlength=rows.prompt.count)
    most = np.argsort(-against, kind="stable")[:DECIDING]
    most = most[against[most] > 0.0]
    total = float(against.sum())
    won = np.bincount(prompts, weights=outcome - 0.5, minlength=rows.prompt.count)
    share = 1.0 / max(int(met.sum()), 1)
    return Disagreement(
        i=int(rows.index[i]),
        j=int(rows.index[j]),
        verdict=verdict,
        p_stronger=float(above[0][i, j]),
        p_worth_less=float(above[1][j, i]),
        answers=int(met.sum()),
        win_share=_mean(outcome),
        mean_gain=_mean(amount[outcome > 0.5]),
        mean_loss=-_mean(amount[outcome < 0.5]),
        prompts=tuple(int(rows.about[one]) for one in most),
        prompts_share=float(against[most].sum()) / total if total > 0.0 else float("nan"),
        amount_against=_mean(-amount),
        prompts_against=tuple((against[most] * share).tolist()),
        prompts_won=tuple((won[most] * share).tolist()),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _share_above(values: Floats) -> Floats:
    """(m, m) share of the draws (d, m) in which i is above j."""
    return np.stack([(one[:, None] > values).mean(axis=0) for one in values.T])


def _embedded(values: Floats, index: np.ndarray, count: int) -> Floats:
    full = np.full(count, np.nan)
    full[index] = values
    return full


def _square(values: Floats, index: np.ndarray, count: int) -> Floats:
    full = np.full((count, count), np.nan)
    full[np.ix_(index, index)] = values
    return full
