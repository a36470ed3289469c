"""Nominal 95 % intervals of every model under tastes that people and prompts share. Slow; figures are printed with -s.

The truth of a misspecified model is what it fits to unlimited votes of unlimited people on unlimited prompts: tastes
integrated by quadrature, or many times the rows. Naive is the inverse information of the same fit, votes apart.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.special import expit

from ranking import (
    POINTS_AT_ZERO,
    POINTS_PER_LOGIT,
    Comparisons,
    Counts,
    Covariance,
    Gauge,
    Rankings,
    Refit,
    StrengthFit,
    bootstrap_bradley_terry,
    fit_bounded_worth,
    fit_crowd,
    fit_cyclic,
    fit_davidson,
    fit_items,
    fit_magnitudes,
    fit_mixture,
    fit_ordinal,
    fit_outside_option,
    fit_pair_effects,
    fit_plackett_luce,
    fit_rao_kupper,
    fit_scale,
)
from ranking.strengths import two_sided_quantile
from tests.ranking.test_bounded_worth import price_list
from tests.ranking.test_coverage import projected_strength, report
from tests.ranking.test_items import item_world
from tests.ranking.worlds import clustered_world, normal_quantiles, random_pairs, worth_world

pytestmark = pytest.mark.slow

COUNT, ANNOTATORS, PROMPTS, TASTE = 8, 40, 60, 0.5
THETA = normal_quantiles(COUNT, 0.5)
# Eight strengths on each of 260 boards: 2,080 intervals. Seeds seen by no other test.
BOARDS = range(910_000, 910_260)
CUTS = (0.4, 1.2, 2.2)
NU = 0.8
FIRST, SECOND = np.triu_indices(COUNT, 1)


class People:
    """Who judges what in `rows` judgments, and how each likes the contestants there."""

    def __init__(self, rng: np.random.Generator, rows: int, times: int = 1) -> None:
        annotators, prompts = ANNOTATORS * times, PROMPTS * times
        by_annotator, by_prompt = rng.normal(0.0, TASTE, (annotators, COUNT)), rng.normal(0.0, TASTE, (prompts, COUNT))
        self.annotator, self.prompt = rng.integers(0, annotators, rows), rng.integers(0, prompts, rows)
        self.liked = THETA + by_annotator[self.annotator] + by_prompt[self.prompt]
        self.a, self.b = random_pairs(COUNT, rows, rng)
        at = np.arange(rows)
        self.gap = self.liked[at, self.a] - self.liked[at, self.b]
        self.rng, self.rows = rng, rows

    def votes(self, outcome: np.ndarray, **columns: np.ndarray) -> Comparisons:
        labels = {"annotator": self.annotator, "prompt": self.prompt}
        return Comparisons(a=self.a, b=self.b, outcome=outcome, count=COUNT, **labels, **columns)

    def preferences(self) -> Comparisons:
        return self.votes((self.rng.random(self.rows) < expit(self.gap)).astype(float))


def averaged(chance: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """chance(d) over the tastes of people and prompts for two contestants, for each pair i < j."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    return chance((THETA[FIRST] - THETA[SECOND])[:, None] + 2.0 * TASTE * node) @ (weight / weight.sum())


def weighted(parts: Sequence[tuple[np.ndarray, float, int, bool]]) -> Comparisons:
    """Expected shares as rows: share of each pair, outcome, strength, both_bad."""
    n = len(FIRST)
    return Comparisons(
        a=np.tile(FIRST, len(parts)),
        b=np.tile(SECOND, len(parts)),
        outcome=np.repeat([outcome for _, outcome, _, _ in parts], n),
        strength=np.repeat([strength for _, _, strength, _ in parts], n),
        both_bad=np.repeat([bad for *_, bad in parts], n),
        weight=1e5 * np.concatenate([share for share, *_ in parts]),
        count=COUNT,
    )


def covers(
    name: str,
    draw: Callable[[np.random.Generator], StrengthFit],
    truth: np.ndarray,
) -> None:
    covered, naive = [], []
    for seed in BOARDS:
        fit = draw(np.random.default_rng(seed))
        off = np.abs(fit.strength - truth)
        reach = two_sided_quantile(0.95, fit.clustering.degrees_of_freedom)
        covered.append(float((off < reach * fit.standard_error()).mean()))
        naive.append(float((off < 1.96 * np.sqrt(fit.hessian_covariance.diagonal())).mean()))
    judge(name, covered, naive)


def judge(name: str, covered: list[float], naive: list[float]) -> None:
    mean, _ = report(name, covered)
    apart, _ = report(f"{name}, naive", naive)
    assert 0.93 < mean < 0.97
    assert apart < 0.90


def test_davidson():
    def chance(d):
        return np.exp(d / 2) / (2 * np.cosh(d / 2) + NU)

    won, lost = averaged(chance), averaged(lambda d: chance(-d))
    truth = fit_davidson(
        weighted([(won, 1.0, 1, False), (lost, 0.0, 1, False), (1 - won - lost, 0.5, 0, False)]), gauge=Gauge.EQUAL
    )

    def draw(rng):
        people = People(rng, 2000)
        at, win = rng.random(2000), chance(people.gap)
        outcome = np.where(at < win, 1.0, np.where(at < win + chance(-people.gap), 0.0, 0.5))
        return fit_davidson(people.votes(outcome), gauge=Gauge.EQUAL)

    covers("Davidson", draw, truth.strength)


def graded(people: People, cuts: tuple[float, ...]) -> Comparisons:
    latent = people.gap + people.rng.logistic(size=people.rows)
    size = np.searchsorted(cuts, np.abs(latent))
    return people.votes(np.where(size == 0, 0.5, np.where(latent > 0, 1.0, 0.0)), strength=size)


def expected_grades(cuts: tuple[float, ...]) -> Comparisons:
    above = [averaged(lambda d, c=c: expit(d - c)) for c in cuts] + [0.0]
    below = [averaged(lambda d, c=c: expit(-d - c)) for c in cuts] + [0.0]
    parts = [(1.0 - above[0] - below[0], 0.5, 0, False)]
    for size in range(1, len(cuts) + 1):
        parts += [(above[size - 1] - above[size], 1.0, size, False), (below[size - 1] - below[size], 0.0, size, False)]
    return weighted(parts)


def test_rao_kupper():
    truth = fit_rao_kupper(expected_grades(CUTS[:1]), gauge=Gauge.EQUAL).strength
    covers("Rao-Kupper", lambda rng: fit_rao_kupper(graded(People(rng, 2000), CUTS[:1]), gauge=Gauge.EQUAL), truth)


def test_ordinal():
    truth = fit_ordinal(expected_grades(CUTS), gauge=Gauge.EQUAL).strength
    covers("ordinal, -3 to 3", lambda rng: fit_ordinal(graded(People(rng, 2000), CUTS), gauge=Gauge.EQUAL), truth)


def averaged_choice(strength: np.ndarray, chances: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """chances(liked) over independent tastes for contestants of these strengths."""
    node, weight = np.polynomial.hermite_e.hermegauss(16)
    grid = np.stack(np.meshgrid(*[node] * len(strength), indexing="ij"), axis=-1).reshape(-1, len(strength))
    mass = np.prod(np.stack(np.meshgrid(*[weight / weight.sum()] * len(strength), indexing="ij")), axis=0).ravel()
    return mass @ chances(strength + np.sqrt(2.0) * TASTE * grid)


def test_outside_option():
    level = THETA + 0.3

    def shares(liked):
        odds = np.exp(liked)
        whole = 1.0 + odds.sum(axis=1, keepdims=True)
        return np.column_stack((odds / whole, 1.0 / whole))

    expected = np.array([averaged_choice(level[[i, j]], shares) for i, j in zip(FIRST, SECOND, strict=True)])
    none = (expected[:, 2], 0.5, 0, True)
    truth = fit_outside_option(weighted([(expected[:, 0], 1.0, 1, False), (expected[:, 1], 0.0, 1, False), none]))

    def draw(rng):
        people = People(rng, 2000)
        at = np.arange(2000)
        utility = np.column_stack((people.liked[at, people.a] + 0.3, people.liked[at, people.b] + 0.3, np.zeros(2000)))
        best = (utility + rng.gumbel(size=(2000, 3))).argmax(axis=1)
        outcome = np.array([1.0, 0.0, 0.5])[best]
        return fit_outside_option(people.votes(outcome, both_bad=best == 2))

    covers("outside option", draw, truth.strength)


def test_plackett_luce_with_three_in_a_ranking():
    orders = np.array(list(permutations(range(3))))

    def chances(liked):
        odds = np.exp(liked)[:, orders]
        return odds[..., 0] / odds.sum(axis=2) * odds[..., 1] / odds[..., 1:].sum(axis=2)

    triples = np.array(list(combinations(range(COUNT), 3)))
    weight = np.concatenate([averaged_choice(THETA[triple], chances) for triple in triples])
    rows = list(triples[:, orders].reshape(-1, 3))
    truth = fit_plackett_luce(Rankings.of(rows, COUNT, weight=1e5 * weight), gauge=Gauge.EQUAL).strength

    def draw(rng):
        people = People(rng, 1000)
        drawn = np.argsort(rng.random((1000, COUNT)), axis=1)[:, :3]
        felt = np.take_along_axis(people.liked, drawn, axis=1) + rng.gumbel(size=(1000, 3))
        ranked = np.take_along_axis(drawn, np.argsort(-felt, axis=1), axis=1)
        labels = {"annotator": people.annotator, "prompt": people.prompt}
        return fit_plackett_luce(Rankings.of(list(ranked), COUNT, **labels), gauge=Gauge.EQUAL)

    covers("Plackett-Luce", draw, truth)


def test_magnitudes_on_scales_of_ones_own():
    """Where each annotator's taste stays in all of that annotator's residuals, scale and noise follow it."""

    def draw(rng, times=1):
        people = People(rng, 2000 * times, times)
        log_own = rng.normal(0.0, 0.5, ANNOTATORS * times)
        own = np.exp(log_own - log_own.mean())[people.annotator]  # the unit is that of these people
        amount = own * (people.gap + rng.normal(size=people.rows))
        return people.votes(np.where(amount > 0.0, 1.0, 0.0), amount=amount)

    truth = fit_magnitudes(draw(np.random.default_rng(909_999), 50), gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN)
    covers("magnitudes", lambda rng: fit_magnitudes(draw(rng), gauge=Gauge.EQUAL), truth.strength)


@pytest.mark.parametrize(
    ("fit_one", "numbers", "chance"),
    [
        (fit_scale, lambda rng, size: np.exp(rng.normal(0.0, 0.4, size)), lambda gap, own: expit(own * gap)),
        (
            fit_crowd,
            lambda rng, size: rng.beta(6.0, 1.5, size),
            lambda gap, own: own * expit(gap) + (1.0 - own) * expit(-gap),
        ),
    ],
    ids=["scale", "crowd"],
)
def test_annotators_of_unlike_clarity_and_truth(fit_one, numbers, chance):
    def draw(rng, times=1):
        people = People(rng, 2000 * times, times)
        own = numbers(rng, ANNOTATORS * times)[people.annotator]
        return people.votes((rng.random(people.rows) < chance(people.gap, own)).astype(float))

    truth = fit_one(draw(np.random.default_rng(909_998), 25), gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN)
    covers(fit_one.__name__, lambda rng: fit_one(draw(rng), gauge=Gauge.EQUAL), truth.strength)


@pytest.mark.parametrize("kind", [Covariance.PROMPT, Covariance.TWO_WAY])
def test_resampled_clusters(kind):
    """Percentiles of 200 replicates, one step each."""
    truth = projected_strength(COUNT, 0.0, 0.7)
    covered, naive = [], []
    for seed in BOARDS:
        votes = clustered_world(COUNT, 2000, 40, 60, seed, 0.0, 0.7).votes
        options = {"draws": 200, "refit": Refit.ONE_STEP, "covariance": kind, "gauge": Gauge.EQUAL}
        boot = bootstrap_bradley_terry(votes, rng=np.random.default_rng(seed), **options)
        points, shown = POINTS_AT_ZERO + POINTS_PER_LOGIT * truth, boot.to_points()
        covered.append(float(((shown.lower <= points) & (points <= shown.upper)).mean()))
        apart = 1.96 * np.sqrt(boot.fit.hessian_covariance.diagonal())
        naive.append(float((np.abs(boot.fit.strength - truth) < apart).mean()))
    judge(f"bootstrap, {kind}", covered, naive)


def test_pair_effects():
    truth = projected_strength(COUNT, TASTE, TASTE)
    covers("pair effects", lambda rng: fit_pair_effects(People(rng, 2000).preferences(), gauge=Gauge.EQUAL), truth)


def test_probabilities_with_circles():
    """Twenty-eight probabilities on each of 80 boards."""
    circle = np.random.default_rng(5).normal(0.0, 0.7, (2, COUNT))
    skew = np.outer(*circle) - np.outer(*circle).T
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    gap = THETA[:, None] - THETA[None, :] + skew
    wins = 1e5 * expit(gap[..., None] + 2.0 * TASTE * node) @ (weight / weight.sum()) * (1.0 - np.eye(COUNT))
    truth = fit_cyclic(Counts.of(wins), rank=1, rng=np.random.default_rng(1)).probability
    covered, naive = [], []
    for seed in range(912_000, 912_080):
        people = People(np.random.default_rng(seed), 3000)
        people.gap = people.gap + skew[people.a, people.b]
        votes = people.preferences()
        for kind, boards in ((Covariance.AUTO, covered), (Covariance.HESSIAN, naive)):
            fit = fit_cyclic(votes, rank=1, starts=1, rng=np.random.default_rng(seed), covariance=kind)
            reach = two_sided_quantile(0.95, fit.clustering.degrees_of_freedom) * fit.standard_error
            boards.append(float((np.abs(fit.probability - truth) < reach)[FIRST, SECOND].mean()))
    judge("circles", covered, naive)


def groups_fitted(rng: np.random.Generator, annotators: int, prompts: int, rows: int) -> tuple[StrengthFit, ...]:
    """Every third person has the opposite order; tastes come on top."""
    annotator, prompt = rng.integers(0, annotators, rows), rng.integers(0, prompts, rows)
    liked = np.where((annotator % 3 == 0)[:, None], 2.0 * THETA[::-1], 2.0 * THETA)
    liked = liked + rng.normal(0.0, 0.3, (annotators, COUNT))[annotator]
    liked += rng.normal(0.0, 0.3, (prompts, COUNT))[prompt]
    a, b = random_pairs(COUNT, rows, rng)
    at = np.arange(rows)
    outcome = (rng.random(rows) < expit(liked[at, a] - liked[at, b])).astype(float)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=COUNT, annotator=annotator, prompt=prompt)
    return fit_mixture(votes, groups=2, restarts=1, rng=rng).boards


def test_both_groups_of_a_mixture():
    """Sixteen strengths on each of 130 boards."""
    truth = np.array([board.strength for board in groups_fitted(np.random.default_rng(1), 1500, 5000, 150_000)])
    covered, naive = [], []
    for seed in range(913_000, 913_130):
        found = groups_fitted(np.random.default_rng(seed), 60, 200, 6000)
        off = np.abs(np.array([fit.strength for fit in found]) - truth)
        reach = [two_sided_quantile(0.95, fit.clustering.degrees_of_freedom) * fit.standard_error() for fit in found]
        apart = [1.96 * np.sqrt(fit.hessian_covariance.diagonal()) for fit in found]
        covered.append(float((off < np.array(reach)).mean()))
        naive.append(float((off < np.array(apart)).mean()))
    judge("mixture of two", covered, naive)


def test_items_passed_or_failed():
    """Ten strengths on each of 200 boards; naive is the binomial error of the pass rate's logit."""
    covered, naive = [], []
    for seed in range(914_000, 914_200):
        strength, _, (contestant, item, passed) = item_world(10, 80, seed=seed)
        fit = fit_items(contestant, item, passed, count=10, items=80, prior=None)
        off = np.abs(fit.strength - strength)
        reach = two_sided_quantile(0.95, fit.clustering.degrees_of_freedom) * fit.standard_error()
        rate = np.bincount(contestant, passed) / 80
        covered.append(float((off < reach).mean()))
        naive.append(float((off < 1.96 / np.sqrt(80 * rate * (1 - rate))).mean()))
    judge("items", covered, naive)


def test_worth_from_price_lists():
    """Six worths on each of 350 boards; tastes and noise together are normal, as the model says."""
    covered, naive = [], []
    options = {"log_stake_sd": 0.0, "log_scale_sd": 0.0, "taste": 0.4, "annotators": 40, "prompts": 60}
    for seed in range(915_000, 915_350):
        world = worth_world(800, seed, **options)
        listed = price_list(world.votes, np.linspace(-2.0, 2.0, 9))
        for kind, boards in ((Covariance.AUTO, covered), (Covariance.SANDWICH, naive)):
            shown = fit_bounded_worth(listed, covariance=kind).to_intervals()
            boards.append(float(((shown.lower <= world.worth) & (world.worth <= shown.upper)).mean()))
    judge("price lists", covered, naive)
