"""Covariates and sides in crowd-BT, scale-BT and mixtures: derivatives, maxima, identities, recovery, refusals."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import beta

from ranking import (
    Adjustment,
    BadCovariate,
    BothBad,
    Comparisons,
    Covariance,
    Gauge,
    MissingLabels,
    NoConvergence,
    ShapeMismatch,
    Side,
    VirtualTie,
    fit_bradley_terry,
    fit_crowd,
    fit_mixture,
    fit_scale,
    fit_with_covariates,
    generator,
)
from ranking.annotators.adjusted import Asked
from ranking.annotators.adjusted_mixture import Mixing, Point
from ranking.annotators.clarity import Clarity
from ranking.annotators.grouping import respond
from ranking.annotators.panel import panel_of
from ranking.annotators.reliability import Truth
from ranking.annotators.scoring import Problem, State
from ranking.strengths import two_sided_quantile
from tests.ranking.latency import LatencyWorld, latency_world

PRIOR = VirtualTie(0.5)
SIDE = Adjustment(side=Side.COMMON, names=("latency",))
EACH = Adjustment(side=Side.ANNOTATOR, names=("latency",))
PENALISED = replace(EACH, penalty=3.0)
TRUTH = np.array([LatencyWorld.EFFECT, LatencyWorld.SIDE])


@dataclass(frozen=True)
class People:
    """Votes about latency, with what the annotators brought."""

    strength: np.ndarray  # (M,) or (G, M)
    own: np.ndarray  # (K,) η, a, or group
    leaning: np.ndarray  # (K,)
    votes: Comparisons


def sigma(logit):
    return 1.0 / (1.0 + np.exp(-logit))


def crowd_chance(gap, latency, pull, own):
    u = gap + LatencyWorld.EFFECT * latency
    return own * sigma(pull + u) + (1.0 - own) * sigma(pull - u)


def scale_chance(gap, latency, pull, own):
    return sigma(own * gap + LatencyWorld.EFFECT * latency + pull)


def mixture_chance(gap, latency, pull, own):
    return scale_chance(np.where(own == 1, -gap, gap), latency, pull, 1.0)


def truths(annotators, seed):
    return beta(6.0, 1.5).ppf((np.arange(annotators) + 0.5) / annotators)


def scales(annotators, seed):
    log_scale = np.random.default_rng(seed).normal(0.0, 0.7, annotators)
    return np.exp(log_scale - log_scale.mean())


def tastes(annotators, seed):
    """The smaller group likes what the larger dislikes."""
    return (np.arange(annotators) >= 0.7 * annotators).astype(int)


def fit_two(votes, **options):
    return fit_mixture(votes, groups=2, restarts=2, rng=generator(1), **options)


MODELS = {
    fit_crowd: (crowd_chance, truths),
    fit_scale: (scale_chance, scales),
    fit_two: (mixture_chance, tastes),
}
EVERY = pytest.mark.parametrize("fit_one", list(MODELS), ids=["crowd", "scale", "mixture"])


def people(fit_one, rows, seed, *, annotators=25, lean=0.0, own=None, apart=False) -> People:
    """`apart` leaves contestants' habits out of the latencies."""
    chance, drawn = MODELS[fit_one]
    world = latency_world(rows, seed)
    own = drawn(annotators, seed) if own is None else own
    leaning = world.rng.normal(0.0, lean, len(own))
    annotator = world.rng.integers(0, len(own), rows)
    gap, pull = world.strength[world.a] - world.strength[world.b], LatencyWorld.SIDE + leaning[annotator]
    latency = world.latency[:, 0] - apart * (world.habit[world.a] - world.habit[world.b])
    outcome = (world.rng.random(rows) < chance(gap, latency, pull, own[annotator])).astype(float)
    columns = {"annotator": annotator, "covariates": latency[:, None]}
    votes = Comparisons(a=world.a, b=world.b, outcome=outcome, count=6, **columns)
    strength = world.strength if fit_one is not fit_two else np.stack((world.strength, -world.strength))
    return People(strength, own, leaning, votes)


def centred(strength):
    return strength - strength.mean(axis=-1, keepdims=True)


def off(fit):
    """Errors of latency and side in standard errors."""
    return (fit.effects.per_unit - TRUTH) * fit.effects.scale / fit.effects.standard_error()


def small(fit_one=fit_scale, rows=150) -> Comparisons:
    votes = people(fit_one, rows, seed=1, annotators=5, lean=0.5).votes
    tied = np.arange(rows) % 9 == 0
    weight = np.where(np.arange(rows) % 2 == 0, 1.0, 2.0)
    return replace(votes, outcome=np.where(tied, 0.5, votes.outcome), weight=weight, prompt=np.arange(rows) // 3)


def problem_of(votes, model, adjust=PENALISED, variance=0.4):
    panel = panel_of(votes, BothBad.LEAVE_OUT)
    return Problem(panel, Asked.of(panel, adjust), model, PRIOR, variance)


def state_of(x, own=5):
    return State(x[:6], x[6:8], x[8 : 8 + own], x[8 + own :])


def differences(function, point, step=1e-5):
    return np.array([(function(point + e) - function(point - e)) / (2.0 * step) for e in step * np.eye(len(point))])


CASES = pytest.mark.parametrize(
    ("model", "own"),
    [(Truth((6.0, 1.5)), np.array([0.9, 0.55, 0.7, 0.3, 0.2])), (Clarity(0.7), np.array([0.4, -0.3, 0.1, 0.2, -0.4]))],
    ids=["crowd", "scale"],
)


def somewhere(own):
    rng = np.random.default_rng(3)
    return np.concatenate((rng.normal(size=6), [-0.5, 0.3], own, rng.normal(0.0, 0.5, 5)))


@CASES
def test_the_gradient_is_the_derivative_of_the_log_posterior(model, own):
    problem, at = problem_of(small(), model), somewhere(own)
    slope = differences(lambda x: problem.log_posterior(state_of(x)), at)
    np.testing.assert_allclose(np.concatenate(problem.gradient(state_of(at))), slope, atol=1e-5)


@CASES
def test_the_information_is_the_curvature_on_the_votes_it_expects(model, own):
    votes, at = replace(small(), outcome=np.arange(150) % 2.0), somewhere(own)
    p = problem_of(votes, model).terms(state_of(at)).p
    twice = votes.select(np.tile(np.arange(150), 2))
    expected = replace(twice, outcome=np.repeat([1.0, 0.0], 150), weight=twice.weight * np.append(p, 1.0 - p))
    problem = problem_of(expected, model)
    whole = -differences(lambda x: np.concatenate(problem.gradient(state_of(x))), at)
    found = problem.information(state_of(at))
    np.testing.assert_allclose(found.both, whole[:8, :8], atol=1e-4)
    np.testing.assert_allclose(found.with_own, whole[:8, 8:13], atol=1e-4)
    np.testing.assert_allclose(found.with_leaning, whole[:8, 13:], atol=1e-4)
    np.testing.assert_allclose(np.diag(found.own), whole[8:13, 8:13], atol=1e-4)
    np.testing.assert_allclose(np.diag(found.mixed), whole[8:13, 13:], atol=1e-4)
    np.testing.assert_allclose(np.diag(found.leaning), whole[13:, 13:], atol=1e-4)
    free = replace(found, held=None)
    np.testing.assert_allclose(free.rest.inverse, np.linalg.inv(whole)[:8, :8], atol=1e-4)
    slope = np.random.default_rng(4).normal(size=18)
    step = np.concatenate(free.step(slope[:8], slope[8:13], slope[13:]))
    np.testing.assert_allclose(step, np.linalg.solve(whole, slope), atol=1e-3)


def test_the_mixtures_gradient_is_that_of_the_observed_votes_and_its_information_that_of_known_groups():
    panel = panel_of(small(fit_two), BothBad.LEAVE_OUT)
    mixing = Mixing(Asked.of(panel, PENALISED), PRIOR, 0.4)
    share, x = np.array([0.6, 0.4]), np.random.default_rng(5).normal(size=19)

    def point(x):
        return Point(x[:12].reshape(2, 6), x[12:14], x[14:])

    def value(x):
        at = point(x)
        return respond(panel, at.strength, share, mixing.beside(at))[1] + mixing.believed(at)

    belongs = respond(panel, point(x).strength, share, mixing.beside(point(x)))[0]
    np.testing.assert_allclose(np.concatenate(mixing.gradient(belongs, point(x))), differences(value, x), atol=1e-5)
    whole = -differences(lambda x: np.concatenate(mixing.gradient(belongs, point(x))), x)
    found = mixing.information(belongs, point(x))
    np.testing.assert_allclose(found.strength, whole[:14, :14], atol=1e-4)
    np.testing.assert_allclose(found.crossed, whole[:14, 14:], atol=1e-4)
    np.testing.assert_allclose(np.diag(found.own), whole[14:, 14:], atol=1e-4)


@pytest.mark.parametrize("fit_one", [fit_crowd, fit_scale])
def test_it_is_the_maximum_that_brute_force_finds(fit_one):
    votes = people(fit_one, 500, seed=2, annotators=5, lean=1.0).votes
    fit = fit_one(votes, adjust=EACH, gauge=Gauge.EQUAL)
    assert fit.leanings.variance > 0.1
    crowd = fit_one is fit_crowd
    problem = problem_of(votes, Truth((6.0, 1.5)) if crowd else Clarity(0.7), EACH, fit.leanings.variance)

    def state(x):
        own = sigma(x[8:13]) if crowd else x[8:13] - x[8:13].mean()
        return State(x[:6], x[6:8], own, x[13:])

    start = np.append(np.zeros(8), np.full(5, 1.4 if crowd else 0.0))
    best = minimize(lambda x: -problem.log_posterior(state(x)), np.append(start, np.zeros(5)), options={"gtol": 1e-6})
    found = state(best.x)
    np.testing.assert_allclose(fit.strength, centred(found.strength), atol=3e-4)
    np.testing.assert_allclose(fit.effects.value, found.effect, atol=3e-4)
    np.testing.assert_allclose(fit.truthful if crowd else fit.log_scale, found.own, atol=3e-4)
    np.testing.assert_allclose(fit.leanings.deviation, found.leaning, atol=3e-4)


def everything(fit):
    boards = getattr(fit, "boards", (fit,))
    parts = [*(board.strength for board in boards), *(board.covariance for board in boards)]
    own = [getattr(fit, name) for name in ("truthful", "log_scale", "responsibility") if hasattr(fit, name)]
    return np.concatenate([part.ravel() for part in (*parts, *own, np.array([fit.log_likelihood]))])


@EVERY
def test_what_is_not_asked_for_changes_nothing_and_an_enormous_penalty_hardly_anything(fit_one):
    votes = small(fit_one)
    plain = fit_one(replace(votes, covariates=None))
    np.testing.assert_array_equal(everything(fit_one(votes)), everything(plain))
    assert (plain.effects, plain.leanings) == (None, None)
    plain = fit_one(votes, covariance=Covariance.HESSIAN)
    crushed = fit_one(votes, covariance=Covariance.HESSIAN, adjust=Adjustment(penalty=1e12))
    np.testing.assert_allclose(everything(crushed), everything(plain), atol=2e-5)
    assert crushed.effects.names == ("covariate 0",)
    assert abs(crushed.effects.value[0]) < 1e-9


@EVERY
def test_swapping_the_sides_changes_signs_only(fit_one):
    votes = people(fit_one, 1500, seed=6, lean=0.8).votes
    swapped = replace(votes, a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, covariates=-votes.covariates)
    one, other = fit_one(votes, adjust=EACH), fit_one(swapped, adjust=EACH)
    np.testing.assert_allclose(everything(other), everything(one), atol=2e-4)
    np.testing.assert_allclose(other.effects.value, one.effects.value * [1.0, -1.0], atol=2e-5)
    np.testing.assert_allclose(other.leanings.deviation, -one.leanings.deviation, atol=2e-5)
    assert other.leanings.variance == pytest.approx(one.leanings.variance, abs=1e-4)


def test_one_group_is_bradley_terry_with_covariates_and_equal_people_are_too():
    votes = people(fit_scale, 1200, seed=7, own=np.ones(30)).votes
    pooled = fit_with_covariates(votes, names=("latency",), gauge=Gauge.EQUAL)
    alike = [
        fit_mixture(votes, groups=1, rng=generator(1), adjust=SIDE).boards[0],
        fit_scale(votes, log_scale_sd=1e-5, adjust=SIDE, gauge=Gauge.EQUAL),
        fit_crowd(votes, beta=(1e8, 1.001), adjust=SIDE, gauge=Gauge.EQUAL),
    ]
    for fit in alike:
        np.testing.assert_allclose(fit.strength, pooled.strength, atol=1e-4)
        np.testing.assert_allclose(fit.covariance, pooled.covariance, atol=1e-5)
        assert fit.clustering == pooled.clustering
    for fit in alike[1:]:
        np.testing.assert_allclose(fit.effects.value, pooled.effects.value, atol=1e-4)
        np.testing.assert_allclose(fit.effects.covariance, pooled.effects.covariance, atol=1e-5)


def test_who_reverses_turns_style_around_and_not_the_side():
    problem = problem_of(small(), Truth((2.0, 2.0)))
    at = state_of(somewhere(np.array([0.9, 0.55, 0.7, 0.3, 0.2])))
    turned = State(-at.strength, at.effect * [-1.0, 1.0], 1.0 - at.own, at.leaning)
    assert problem.log_posterior(turned) == pytest.approx(problem.log_posterior(at))
    upright = Truth((2.0, 2.0)).upright(turned, 1)
    np.testing.assert_allclose(upright.effect, at.effect)
    np.testing.assert_allclose(upright.own, at.own)


def test_the_side_is_seen_in_people_who_guess_and_in_those_who_reverse():
    own = np.repeat([0.5, 0.05, 0.95], [10, 3, 12])
    fit = fit_crowd(people(fit_crowd, 8000, seed=8, own=own).votes, adjust=SIDE)
    assert abs(off(fit)[1]) < 3
    # A fifth of people unlike the prior stretch strengths and effects alike; what a second costs, in strengths, holds.
    world = people(fit_crowd, 20_000, seed=9, own=np.append(np.full(5, 0.1), truths(20, 0)))
    fit = fit_crowd(world.votes, adjust=SIDE, gauge=Gauge.EQUAL)
    stretch = (fit.strength @ world.strength) / (world.strength @ world.strength)
    assert stretch > 1.05
    assert fit.effects.per_unit[0] / stretch == pytest.approx(LatencyWorld.EFFECT, rel=0.1)


@EVERY
def test_effects_sides_and_what_annotators_bring_are_recovered(fit_one):
    world = people(fit_one, 15_000, seed=11, annotators=40, lean=0.6)
    fit = fit_one(world.votes, adjust=EACH)
    assert fit.effects.names == ("latency", "side")
    assert np.abs(off(fit)).max() < 3
    boards, strengths = getattr(fit, "boards", (fit,)), np.atleast_2d(world.strength)
    for board, strength in zip(boards, strengths, strict=True):
        error = board.strength - board.gauge @ board.strength - (strength - board.gauge @ strength)
        assert (np.abs(error) < 3.5 * board.standard_error()).all()
    assert 0.4**2 < fit.leanings.variance < 0.8**2
    assert fit.leanings.annotator.tolist() == list(range(40))
    error = fit.leanings.deviation + fit.effects.value[1] - world.leaning - LatencyWorld.SIDE
    assert 0.6 < np.mean((error / fit.leanings.standard_error) ** 2) < 1.6
    if fit_one is fit_crowd:
        assert np.abs((fit.truthful - world.own) / fit.truthful_error).max() < 3.5
    elif fit_one is fit_scale:
        assert 0.6 < np.std((fit.log_scale - np.log(world.own)) / fit.log_scale_error) < 1.4
    else:
        assert fit.group.tolist() == world.own.tolist()


@EVERY
def test_latency_biases_strengths_where_it_is_ignored_and_not_where_it_is_fitted(fit_one):
    """Those who think longer are better and disliked for it: half of what they are ahead is lost."""
    world = people(fit_one, 12_000, seed=12)
    ignored, fitted = (np.atleast_2d(fit_one(world.votes, adjust=asked).strength) for asked in (None, SIDE))
    truth = np.atleast_2d(world.strength)
    spread = (truth**2).sum(axis=1)
    kept = (centred(ignored) * truth).sum(axis=1) / spread
    whole = (centred(fitted) * truth).sum(axis=1) / spread
    assert (np.abs(whole - 1.0) < 0.15).all()
    # Latency is 1.2 of a strength, so each strength appears as 1 - 0.48; to those of the other taste as -1 - 0.48.
    assert kept[0] < 0.75
    if fit_one is fit_two:
        assert kept[1] > 1.25


@EVERY
@pytest.mark.parametrize(("boards", "asked"), [(24, SIDE), pytest.param(100, EACH, marks=pytest.mark.slow)])
def test_intervals_of_effects_cover(fit_one, boards, asked):
    """Seeds seen by no other test; 95 % within three Monte Carlo errors.

    Where annotators have numbers, latency is no habit of contestants: at sixty votes each, strengths are stretched, and
    with them what goes along with strengths. Leanings take 160 votes each.
    """
    covered, lean, rows, apart = [], 0.5 * (asked is EACH), 4000 if asked is EACH else 1500, fit_one is not fit_two
    for seed in range(720_000, 720_000 + boards):
        fit = fit_one(people(fit_one, rows, seed, lean=lean, apart=apart).votes, adjust=asked)
        covered.append(np.abs(off(fit)) < two_sided_quantile(0.95, 24))
    mean, error = np.mean(covered, axis=0), 3.0 * np.sqrt(0.95 * 0.05 / boards)
    print(f"{fit_one.__name__} latency {mean[0]:.3f}, side {mean[1]:.3f}, ± {error / 3:.3f} over {boards} boards")
    assert (np.abs(mean - 0.95) < error).all()


def test_where_annotators_do_not_differ_nobody_leans_and_strangers_never_do():
    votes = people(fit_scale, 1500, seed=13, lean=0.8).votes
    strangers = replace(votes, annotator=np.where(votes.annotator < 5, -1, votes.annotator))
    fit = fit_scale(strangers, adjust=EACH)
    assert fit.leanings.annotator.tolist() == list(range(5, 25))
    alike = Adjustment(side=Side.ANNOTATOR)
    even = replace(votes, outcome=np.arange(1500) % 2.0, covariates=None, annotator=np.arange(1500) // 2 % 25)
    assert not fit_scale(even, adjust=alike).leanings.deviation.any()
    assert fit_two(even, adjust=alike).leanings.variance == 0.0


@EVERY
def test_columns_and_sides_that_say_nothing_are_refused_by_name(fit_one):
    votes = people(fit_one, 300, seed=14).votes
    price = np.array([1.0, 5.0, 2.0, 2.5, 7.0, 1.0])
    joined = {
        "price is a combination of the contestants and latency, so": price[votes.a] - price[votes.b],
        "price is 0 in every row": np.zeros(300),
        "price is 2 in every row: that is a side's gain; use Side.COMMON": np.full(300, 2.0),
    }
    for message, column in joined.items():
        both = replace(votes, covariates=np.column_stack((votes.covariates, column)))
        with pytest.raises(BadCovariate, match=message):
            fit_one(both, adjust=Adjustment(names=("latency", "price")))
    with pytest.raises(BadCovariate, match="give covariates or ask for a side"):
        fit_one(replace(votes, covariates=None), adjust=Adjustment())
    with pytest.raises(BadCovariate, match=r"every preference went to one side.* use Side\.NONE"):
        fit_one(replace(votes, outcome=np.ones(300)), adjust=SIDE)
    with pytest.raises(ShapeMismatch, match="give one name for each"):
        fit_one(votes, adjust=Adjustment(names=("a", "b")))
    with pytest.raises(MissingLabels, match=r"use Side\.COMMON"):
        fit_one(replace(votes, annotator=np.full(300, -1)), adjust=EACH, covariance=Covariance.SANDWICH)


@pytest.mark.parametrize("fit_one", [fit_scale, fit_mixture])
def test_a_covariate_that_decides_every_vote_needs_a_penalty(fit_one):
    """Crowd-BT needs none: some of its people say the opposite."""
    votes = people(fit_scale, 400, seed=15).votes
    decided = replace(votes, outcome=(votes.covariates[:, 0] > 0).astype(float))
    options = {"groups": 1, "rng": generator(1)} if fit_one is fit_mixture else {}
    with pytest.raises(NoConvergence, match=r"give penalty=1\.0 or leave it out"):
        fit_one(decided, adjust=Adjustment(), **options)
    assert fit_one(decided, adjust=Adjustment(penalty=1.0), **options).effects.value[0] > 1.0


def test_votes_that_curve_more_than_expected_do_not_send_scales_to_and_fro():
    """Latency is ignored here, and what it costs in some people's votes is read as their clarity."""
    votes = people(fit_scale, 12_000, seed=12).votes
    fit = fit_scale(votes, covariance=Covariance.HESSIAN, gauge=Gauge.EQUAL)
    panel = panel_of(votes, BothBad.LEAVE_OUT)
    problem = Problem(panel, Asked.nothing(panel), Clarity(0.7), PRIOR)
    slope = problem.gradient(State(fit.strength, np.empty(0), fit.log_scale, np.zeros(25)))
    np.testing.assert_allclose(slope[0], slope[0].mean(), atol=1e-3)
    np.testing.assert_allclose(slope[1], slope[1].mean(), atol=1e-3)


def test_strengths_keep_to_the_pooled_board_where_only_the_side_is_asked_for():
    """Sides drawn by a coin say nothing of contestants."""
    votes = replace(people(fit_two, 3000, seed=16, own=np.zeros(25, dtype=int)).votes, covariates=None)
    fit = fit_mixture(votes, groups=1, rng=generator(1), adjust=Adjustment(side=Side.COMMON))
    plain = fit_bradley_terry(votes, gauge=Gauge.EQUAL)
    assert fit.effects.names == ("side",)
    np.testing.assert_allclose(fit.strength[0], plain.strength, atol=0.02)
