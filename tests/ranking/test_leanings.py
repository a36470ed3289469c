"""Annotators' own leanings in four models: joint maximum, identities, recovery beside what ignores them, refusals."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from scipy.stats import norm

from ranking import (
    Adjustment,
    BadCovariate,
    BadParameter,
    BothBad,
    Covariance,
    Estimand,
    MissingLabels,
    Rankings,
    Side,
    VirtualTie,
    choose_cyclic_rank,
    count_matrix,
    fit_bounded_worth,
    fit_cyclic,
    fit_outside_option,
    fit_plackett_luce,
    fit_with_covariates,
)
from ranking.bounded_likelihood import BoundedRows
from ranking.covariates.leaning import Crowd, leaning_rows
from ranking.cyclic_columns import AdjustedModel
from ranking.cyclic_model import Model
from ranking.level_columns import level_columns
from ranking.level_rows import choice_rows
from ranking.pair_table import tabulate
from ranking.ranked_columns import AdjustedChoices, ranked_columns
from tests.ranking.leaning import LEVEL, choices, circling, leaning_world, priced, rankings, votes

COMMON, EACH = Adjustment(side=Side.COMMON), Adjustment(side=Side.ANNOTATOR)


def fit_circles(data, rank=1, **settings):
    return fit_cyclic(data, rank=rank, rng=np.random.default_rng(0), starts=1, **settings)


FITS = {
    fit_outside_option: choices,
    fit_plackett_luce: rankings,
    fit_circles: circling,
    fit_bounded_worth: priced,
}
MODELS = pytest.mark.parametrize("fitted", FITS, ids=lambda fitted: fitted.__name__)


def order_of(fit):
    """(M,) strengths, or what a contestant's odds are on average."""
    if hasattr(fit, "worth"):
        return fit.worth
    if hasattr(fit, "strength"):
        return fit.strength - fit.strength.mean()
    return np.log(fit.probability / (1.0 - fit.probability)).mean(axis=1)


@MODELS
def test_the_better_shown_first_to_those_who_lean_biases_strengths_and_leanings_take_that_out(fitted):
    """Slopes of the fitted strengths against the true ones, over three worlds; then the leanings themselves."""
    slopes, errors, variances = [], [], []
    for seed in range(410, 413):
        world = leaning_world(4000, seed)
        data = FITS[fitted](world)
        fits = [fitted(data), fitted(data, adjust=COMMON), fitted(data, adjust=EACH)]
        slopes.append([np.polyfit(world.strength, order_of(fit), 1)[0] for fit in fits])
        leanings = fits[2].leanings
        assert leanings.annotator.tolist() == (3 * np.arange(40)).tolist()
        errors.append((leanings.deviation + fits[2].effects.value[-1] - world.lean) / leanings.standard_error)
        variances.append(leanings.variance / world.lean.var())
    ignored, common, each = np.mean(slopes, axis=0)
    assert each == pytest.approx(1.0, abs=0.09)
    assert min(ignored, common) > 1.15
    assert 0.6 < np.mean(np.square(errors)) < 1.5
    # At the fit with the common side, strengths have taken some of it for theirs.
    assert 0.4 < np.mean(variances) < 1.2
    assert [fit.leanings is None for fit in fits] == [True, True, False]


@MODELS
def test_annotators_who_do_not_differ_share_one_side_exactly(fitted):
    """One alone is the common side; of these forty, none leans by more than chance would have it."""
    data = FITS[fitted](leaning_world(900, 441, deviation=0.0))
    for alike in (data, replace(data, annotator=np.full(900, 7))):
        common, each = fitted(alike, adjust=COMMON), fitted(alike, adjust=EACH)
        np.testing.assert_array_equal(order_of(each), order_of(common))
        np.testing.assert_array_equal(each.effects.covariance, common.effects.covariance)
        assert each.leanings.variance == 0.0
        assert not each.leanings.deviation.any()
        assert not each.leanings.standard_error.any()


@MODELS
def test_leanings_need_annotators(fitted):
    data = FITS[fitted](leaning_world(300, 1))
    for labels in (None, np.full(300, -1)):
        with pytest.raises(MissingLabels, match=r"needs `annotator` labels; use Side\.COMMON"):
            fitted(replace(data, annotator=labels), adjust=EACH)
    if fitted in (fit_outside_option, fit_circles):
        with pytest.raises(MissingLabels, match=r"use Side\.COMMON"):
            fitted(count_matrix(data), adjust=EACH)


@MODELS
def test_rows_of_nobody_known_count_and_do_not_lean(fitted):
    data = FITS[fitted](leaning_world(1200, 2))
    known = np.where(np.arange(1200) < 1000, data.annotator, -1)
    fit = fitted(replace(data, annotator=known), adjust=EACH)
    assert fit.leanings.annotator.tolist() == np.unique(known)[1:].tolist()
    np.testing.assert_array_equal(fit.leanings.of(np.array([-1, 1, 999])), 0.0)
    assert abs(fit.effects.value[-1] - fitted(data, adjust=EACH).effects.value[-1]) < 0.3


def test_circles_of_rank_zero_and_rankings_of_two_are_the_fit_of_comparisons():
    data = votes(leaning_world(1500, 3))
    pair = fit_with_covariates(data, side=Side.ANNOTATOR, covariance=Covariance.ANNOTATOR)
    two = fit_plackett_luce(Rankings.of_comparisons(data), adjust=EACH, covariance=Covariance.ANNOTATOR)
    flat = fit_circles(data, rank=0, adjust=EACH, covariance=Covariance.ANNOTATOR)
    np.testing.assert_allclose(two.strength, pair.strength, atol=1e-6)
    np.testing.assert_allclose(two.covariance, pair.covariance, atol=1e-6)
    np.testing.assert_allclose(flat.probability, expit(pair.strength[:, None] - pair.strength), atol=1e-5)
    for fit, exact in ((two, 1e-6), (flat, 1e-4)):
        np.testing.assert_allclose(fit.effects.value, pair.effects.value, atol=exact)
        np.testing.assert_allclose(fit.effects.covariance, pair.effects.covariance, rtol=1e-3)
        np.testing.assert_allclose(fit.leanings.deviation, pair.leanings.deviation, atol=exact)
        np.testing.assert_allclose(fit.leanings.standard_error, pair.leanings.standard_error, atol=exact)
        assert fit.leanings.variance == pytest.approx(pair.leanings.variance, rel=1e-3)
        assert fit.log_likelihood == pytest.approx(pair.log_likelihood, abs=1e-2)


def small(make, annotators=5, rows=160):
    """Few annotators, so that a general optimiser can find everything at once."""
    world = leaning_world(rows, 4)
    return replace(make(world), annotator=np.arange(rows) % annotators), world


def test_levels_and_leanings_are_where_a_general_optimiser_finds_them():
    data, world = small(choices)
    lean = 2.0 * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])[data.annotator]
    data = replace(data, both_bad=data.both_bad & (np.arange(160) % 3 == 0))
    first = world.rng.random(160) < expit(lean)
    data = replace(data, outcome=np.where(data.both_bad, 0.5, first.astype(float)))
    fit = fit_outside_option(data, adjust=EACH, prior=None)
    assert fit.leanings.variance > 0.1

    def loss(at):
        half = 0.5 * (at[6] + at[7:][data.annotator])
        utility = np.column_stack((at[data.a] + half, at[data.b] - half, np.zeros(160)))
        which = np.where(data.both_bad, 2, np.where(data.outcome == 1.0, 0, 1))
        seen = utility[np.arange(160), which] - logsumexp(utility, axis=1)
        return -seen.sum() + 0.5 * at[7:] @ at[7:] / fit.leanings.variance

    best = minimize(loss, np.zeros(12), method="BFGS", options={"gtol": 1e-6}).x
    ours = np.concatenate((fit.strength, fit.effects.value, fit.leanings.deviation))
    np.testing.assert_allclose(ours, best, atol=1e-4)


def test_worths_and_leanings_are_where_a_general_optimiser_finds_them():
    data, world = small(priced)
    amount = world.strength[data.a] - world.strength[data.b] + world.rng.normal(size=160)
    amount = amount + np.array([-1.0, -0.5, 0.0, 0.5, 1.0])[data.annotator]
    exact = np.arange(160) % 2 == 0
    data = replace(
        data, amount=np.where(exact, amount, np.nan), amount_low=np.floor(amount), amount_high=np.floor(amount) + 1.0
    )
    fit = fit_bounded_worth(data, estimand=Estimand.MONEY, adjust=EACH)
    ratio = fit.leanings.variance / fit.noise**2
    assert ratio > 0.1

    def loss(at):
        worth, lean = np.append(at[:5], -at[:5].sum()), at[7:]
        mean, noise = worth[data.a] - worth[data.b] + at[5] + lean[data.annotator], np.exp(at[6])
        between = norm.cdf(data.amount_high, mean, noise) - norm.cdf(data.amount_low, mean, noise)
        seen = np.where(exact, norm.logpdf(amount, mean, noise), np.log(np.maximum(between, 1e-300)))
        return -seen.sum() + 0.5 * lean @ lean / (ratio * noise**2)

    best = minimize(loss, np.zeros(12), method="BFGS", options={"gtol": 1e-6}).x
    ours = np.concatenate((fit.worth[:5], [fit.side, np.log(fit.noise)], fit.leanings.deviation))
    np.testing.assert_allclose(ours, best, atol=1e-4)


def leaning_models():
    """Each model's rows with annotators, and how many parameters a point has."""
    data = small(choices)[0]
    beside = level_columns(data, None, None, EACH, np.ones(160, dtype=bool))
    yield choice_rows(data, None, np.ones(6, dtype=bool), beside.columns), data.annotator, 7
    ranked = small(rankings)[0]
    ranked = replace(ranked, weight=np.linspace(0.5, 2.0, 160))
    yield AdjustedChoices.of(ranked, ranked_columns(ranked, EACH)), ranked.annotator, 7
    money = small(priced)[0]
    low, high = (
        np.where(np.isnan(money.amount), bound, money.amount) for bound in (money.amount_low, money.amount_high)
    )
    yield BoundedRows(money.a, money.b, low, high, np.ones(160), 6, sided=True), money.annotator, 8
    data = small(circling)[0]
    base = Model(tabulate(count_matrix(data), BothBad.LEAVE_OUT), 1, 0.1, VirtualTie(0.5))
    yield AdjustedModel.of(base, data, BothBad.LEAVE_OUT, EACH), data.annotator, 19


@pytest.mark.parametrize("number", range(4))
def test_the_gradient_and_the_scores_are_those_of_the_leanings_at_their_best(number):
    rows, annotator, size = list(leaning_models())[number]
    point, step = np.random.default_rng(5).normal(0.0, 0.4, size), 1e-5 * np.eye(size)
    leaning = leaning_rows(rows, Crowd.of(annotator), point, lambda _: 0.7)

    def profile(at):
        if isinstance(rows, AdjustedModel):
            return -(leaning.at(at).loss_and_gradient(at)[0] + leaning.held)
        return leaning.log_likelihood(at) - leaning.held

    slope, information = leaning.derivatives(point)
    np.testing.assert_allclose(slope, [(profile(point + e) - profile(point - e)) / 2e-5 for e in step], atol=1e-4)
    # Given the point, leanings are at their maximum: everyone's slope is what the prior pulls.
    left = leaning.crowd.sums(leaning.at(point).side_terms(point)[0])
    np.testing.assert_allclose(left, leaning.deviation / 0.7, atol=1e-8)
    if number in (0, 1):
        bend = [(leaning.derivatives(point + e)[0] - leaning.derivatives(point - e)[0]) / 2e-5 for e in step]
        np.testing.assert_allclose(information, -np.array(bend), atol=2e-3)
        summed = np.asarray(leaning.scores(point).sum(axis=0)).ravel()
        np.testing.assert_allclose(summed, slope, atol=1e-8)


@MODELS
def test_swapping_the_sides_changes_the_signs_of_side_and_leanings(fitted):
    data = FITS[fitted](leaning_world(600, 6))
    if isinstance(data, Rankings):
        swapped = replace(data, position=4 - data.position)
    else:
        turned = (
            {"amount": -data.amount, "amount_low": -data.amount_high, "amount_high": -data.amount_low}
            if (data.amount is not None)
            else {}
        )
        swapped = replace(data, a=data.b, b=data.a, outcome=1.0 - data.outcome, **turned)
    here, there = fitted(data, adjust=EACH), fitted(swapped, adjust=EACH)
    np.testing.assert_allclose(order_of(here), order_of(there), atol=1e-4)
    np.testing.assert_allclose(here.effects.value, -there.effects.value, atol=1e-4)
    np.testing.assert_allclose(here.leanings.deviation, -there.leanings.deviation, atol=1e-4)


def test_unseen_votes_are_predicted_better_with_leanings():
    data = circling(leaning_world(2500, 7))
    common, each = (
        choose_cyclic_rank(data, rng=np.random.default_rng(0), most=1, folds=2, starts=1, adjust=adjust)
        for adjust in (COMMON, EACH)
    )
    assert (each.chosen, each.significant) == (1, True)
    assert each.loss[1] < common.loss[1] - 0.01


def test_equal_people_lean_as_their_own_answers_say_whatever_the_panel_weighs():
    """Twice the answers of half of the annotators: with PANEL they weigh less, and lean as in MONEY all the same."""
    world = leaning_world(3000, 8)
    data = priced(world)
    data = data.select(np.concatenate((np.arange(3000), np.flatnonzero(world.annotator % 2 == 0))))
    money, panel = (fit_bounded_worth(data, estimand=one, adjust=EACH) for one in (Estimand.MONEY, Estimand.PANEL))
    np.testing.assert_allclose(panel.leanings.deviation, money.leanings.deviation, atol=0.2)
    assert panel.leanings.variance == pytest.approx(money.leanings.variance, rel=0.1)
    np.testing.assert_allclose(panel.leanings.standard_error, money.leanings.standard_error, rtol=0.1)


def test_the_level_is_known_beside_leanings():
    world = leaning_world(4000, 414)
    fit = fit_outside_option(choices(world), adjust=EACH)
    assert fit.strength.mean() == pytest.approx(LEVEL, abs=0.12)


def test_the_side_of_a_ranking_is_its_position():
    data = rankings(leaning_world(300, 9))
    with pytest.raises(BadParameter, match="give `position`"):
        fit_plackett_luce(replace(data, position=None), adjust=COMMON)
    in_order = Rankings.of([[0, 1, 2], [1, 2, 0]], 3, position=[1, 2, 3, 1, 2, 3])
    with pytest.raises(BadCovariate, match=r"every preference went to one side.*Side\.NONE"):
        fit_plackett_luce(in_order, adjust=COMMON)
    with pytest.raises(BadCovariate, match="positions begin at 1"):
        replace(data, position=data.position - 1)
    with pytest.raises(BadCovariate, match="share their position"):
        replace(data, position=np.ones(900, dtype=int))
    with pytest.raises(BadCovariate, match="whole numbers"):
        replace(data, position=np.ones(900))
    place = Rankings.of([[0, 1, 2]], 3, position=[3, 1, 2]).select([0])
    assert place.position.tolist() == [3, 1, 2]
    as_covariate = replace(data, covariates=-data.position[:, None].astype(float), position=None)
    here, there = fit_plackett_luce(data, adjust=COMMON), fit_plackett_luce(as_covariate, adjust=Adjustment())
    np.testing.assert_allclose(here.strength, there.strength, atol=1e-8)
    np.testing.assert_allclose(here.effects.value, there.effects.per_unit, atol=1e-8)


def test_thousands_of_annotators_make_no_table_of_rows_and_annotators():
    """Four thousand, two answers each: a dense table of 8000 × 4000 would be 256 MB."""
    rng = np.random.default_rng(10)
    world = leaning_world(8000, 10)
    data = replace(choices(world), annotator=rng.permutation(8000) // 2)
    tracemalloc.start()
    fit_outside_option(data, adjust=EACH)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 60e6
