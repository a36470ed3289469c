"""Worth from bounded amounts: Tobit by brute force, derivatives, price lists, censoring at the endowment, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from ranking import (
    BadAmount,
    BadParameter,
    Comparisons,
    Covariance,
    Estimand,
    MissingLabels,
    NoComparisons,
    NotConnected,
    Note,
    ShapeMismatch,
    anchor_scales,
    censored_at,
    fit_bounded_worth,
    fit_worth,
    generator,
)
from ranking.bounded_likelihood import BoundedRows
from ranking.newton import climb
from tests.ranking.annotator_worlds import anchored_world
from tests.ranking.worlds import random_pairs

WORTH = np.array([1.0, 0.3, -0.3, -1.0])


def answers(rows=800, seed=1, noise=1.0, side=0.2) -> Comparisons:
    rng = np.random.default_rng(seed)
    a, b = random_pairs(4, rows, rng)
    amount = WORTH[a] - WORTH[b] + side + rng.normal(0.0, noise, rows)
    labels = {"annotator": rng.integers(0, 40, rows), "prompt": rng.integers(0, 100, rows)}
    return Comparisons(a=a, b=b, outcome=np.full(rows, 0.5), count=4, amount=amount, **labels)


def price_list(votes: Comparisons, grid) -> Comparisons:
    """Highest accepted and lowest refused price, nothing beyond the ends of the grid."""
    edges = np.concatenate(([-np.inf], grid, [np.inf]))
    place = np.searchsorted(grid, votes.amount)
    return replace(votes, amount=None, amount_low=edges[place], amount_high=edges[place + 1])


GRID = np.linspace(-2.0, 2.0, 9)


def mixed(seed=2) -> BoundedRows:
    votes = answers(60, seed)
    listed = price_list(votes, GRID)
    exact = np.arange(60) % 3 == 0
    low, high = (np.where(exact, votes.amount, bound) for bound in (listed.amount_low, listed.amount_high))
    return BoundedRows(votes.a, votes.b, low, high, np.where(exact, 1.0, 2.0), 4, sided=True)


def test_the_likelihood_is_that_of_densities_and_probabilities():
    rows, sigma, side = mixed(), 1.3, 0.2
    point = np.concatenate((WORTH / sigma, [side / sigma, -np.log(sigma)]))
    mean = WORTH[rows.a] - WORTH[rows.b] + side
    density = norm.logpdf(np.where(rows.exact, rows.low, 0.0), mean, sigma)
    chance = np.log(norm.cdf(rows.high, mean, sigma) - norm.cdf(rows.low, mean, sigma) + rows.exact)
    assert rows.log_likelihood(point) == pytest.approx(rows.weight @ np.where(rows.exact, density, chance))


def test_gradient_and_information_are_the_derivatives_of_the_likelihood():
    rows = mixed()
    point, step = np.array([0.6, 0.1, -0.4, -0.3, 0.2, -0.1]), 1e-5 * np.eye(6)
    slope = [(rows.log_likelihood(point + e) - rows.log_likelihood(point - e)) / 2e-5 for e in step]
    gradient, information = rows.derivatives(point)
    np.testing.assert_allclose(gradient, slope, atol=1e-5)
    np.testing.assert_allclose(gradient, np.asarray(rows.scores(point).sum(axis=0)).ravel(), atol=1e-9)
    best = climb(rows.derivatives, rows.start()).point
    curvature = -np.array([(rows.derivatives(best + e)[0] - rows.derivatives(best - e)[0]) / 2e-5 for e in step])
    information = rows.derivatives(best)[1]
    information[:4, :4] -= (np.trace(curvature[:4, :4])) / 16.0
    np.testing.assert_allclose(information, curvature, atol=1e-3)
    np.testing.assert_allclose(rows.derivatives(best)[0], 0.0, atol=1e-6)


def test_the_likelihood_keeps_its_digits_far_in_either_tail():
    for sign in (1.0, -1.0):
        low, high = sorted((sign * 30.0, sign * 31.0))
        rows = BoundedRows(np.array([0]), np.array([1]), np.array([low]), np.array([high]), np.ones(1), 2, sided=False)
        assert rows.log_likelihood(np.zeros(4)) == pytest.approx(norm.logsf(30.0), abs=1e-6)
        assert np.isfinite(np.concatenate(rows.terms(np.zeros(4)))).all()


def test_it_is_the_maximum_that_brute_force_finds():
    votes = price_list(answers(300, 3), GRID)
    fit = fit_bounded_worth(votes)

    def loss(x):
        mean, sigma = np.append(x[:3], -x[:3].sum()), np.exp(x[4])
        centre = mean[votes.a] - mean[votes.b] + x[3]
        return -np.log(norm.cdf(votes.amount_high, centre, sigma) - norm.cdf(votes.amount_low, centre, sigma)).sum()

    best = minimize(loss, np.zeros(5), options={"gtol": 1e-6})
    np.testing.assert_allclose(fit.worth[:3], best.x[:3], atol=1e-4)
    assert (fit.side, fit.noise) == pytest.approx((best.x[3], np.exp(best.x[4])), abs=1e-4)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-6)


def test_exact_amounts_give_the_least_squares_of_fit_worth():
    votes = answers()
    apart = replace(votes, prompt=np.arange(800))
    plain = fit_worth(apart, rng=generator(0), estimand=Estimand.MONEY, draws=10)
    fit = fit_bounded_worth(apart)
    np.testing.assert_allclose(fit.worth, plain.worth, atol=1e-9)
    assert fit.side == pytest.approx(plain.side, abs=1e-9)
    for other in (fit.lower_only, fit.upper_only):
        np.testing.assert_allclose(other, fit.worth, atol=1e-9)
    assert (fit.exact, fit.bounded, fit.censored, fit.is_censored) == (800, 0, 0, False)


def test_bounds_that_all_but_meet_are_an_exact_amount():
    votes = answers()
    near = replace(votes, amount=None, amount_low=votes.amount - 1e-7, amount_high=votes.amount + 1e-7)
    np.testing.assert_allclose(fit_bounded_worth(near).worth, fit_bounded_worth(votes).worth, atol=1e-6)
    closer = replace(votes, amount=None, amount_low=votes.amount - 1e-3, amount_high=votes.amount + 1e-3)
    np.testing.assert_allclose(fit_bounded_worth(closer).worth, fit_bounded_worth(votes).worth, atol=1e-3)


def test_price_lists_give_back_worths_noise_and_their_errors():
    scores = []
    for seed in range(600, 640):
        fit = fit_bounded_worth(price_list(answers(seed=seed), GRID), covariance=Covariance.SANDWICH)
        scores.extend((fit.worth - WORTH) / fit.to_intervals().standard_error)
        scores.append((fit.side - 0.2) / fit.side_standard_error)
        assert fit.noise == pytest.approx(1.0, abs=0.1)
        assert fit.bounded + fit.censored == 800
    assert 0.85 < np.std(scores) < 1.15


def test_answers_that_end_at_the_endowment_are_mended_and_said():
    votes = answers(4000, 4)
    paid = replace(votes, amount=np.clip(votes.amount, -1.0, 1.0))
    cut = fit_bounded_worth(paid)
    mended = fit_bounded_worth(censored_at(paid, 1.0))
    error = mended.to_intervals().standard_error
    assert np.abs((mended.worth - WORTH) / error).max() < 3.5
    assert (np.abs(cut.worth - WORTH) > 6 * error)[[0, 3]].all()
    np.testing.assert_allclose(mended.lower_only[0], cut.worth[0], atol=0.05)
    assert mended.is_censored
    assert mended.censored_share == pytest.approx(np.mean(np.abs(votes.amount) >= 1.0))
    assert not fit_bounded_worth(censored_at(votes, 6.0)).is_censored


def test_the_fits_to_one_bound_alone_are_least_squares_on_it():
    votes = price_list(answers(4000, 5), np.array([-3.0, -1.0, 0.0, 1.0, 3.0]))
    fit = fit_bounded_worth(votes)
    near, far = np.sort(np.abs([votes.amount_low, votes.amount_high]), axis=0)
    sign = np.where(votes.amount_high > 0, 1, -1)
    for found, size in ((fit.lower_only, near), (fit.upper_only, np.where(np.isfinite(far), far, near))):
        amount = sign * size
        plain = fit_bounded_worth(replace(votes, amount=amount))
        np.testing.assert_allclose(found, plain.worth, atol=1e-9)
    assert np.abs(fit.worth - WORTH).max() < 0.15
    assert np.ptp(fit.lower_only) < np.ptp(fit.worth) < np.ptp(fit.upper_only)


def test_heavy_tails_raise_the_flag():
    votes = answers(2000, 6)
    heavy = replace(votes, amount=np.sign(votes.amount) * np.exp(2.0 * np.random.default_rng(0).normal(size=2000)))
    assert (fit_bounded_worth(votes).heavy_tailed, fit_bounded_worth(heavy).heavy_tailed) == (False, True)


def test_swapping_the_sides_turns_the_side_effect_around_and_nothing_else():
    votes = price_list(answers(), GRID)
    swapped = replace(votes, a=votes.b, b=votes.a, amount_low=-votes.amount_high, amount_high=-votes.amount_low)
    here, there = fit_bounded_worth(votes), fit_bounded_worth(swapped)
    np.testing.assert_allclose(here.worth, there.worth, atol=1e-7)
    np.testing.assert_allclose(here.covariance, there.covariance, atol=1e-7)
    assert here.side == pytest.approx(-there.side, abs=1e-7)


def test_units_names_and_weights():
    votes = price_list(answers(), GRID)
    plain = fit_bounded_worth(votes)
    cents = fit_bounded_worth(replace(votes, amount_low=100 * votes.amount_low, amount_high=100 * votes.amount_high))
    np.testing.assert_allclose(cents.worth, 100 * plain.worth, rtol=1e-6)
    np.testing.assert_allclose(fit_bounded_worth(votes, scale=np.full(800, 0.01)).worth, cents.worth, rtol=1e-6)
    label = np.array([3, 5, 0, 2])
    renamed = fit_bounded_worth(replace(votes, a=label[votes.a], b=label[votes.b], count=6))
    np.testing.assert_allclose(renamed.worth[label], plain.worth, atol=1e-8)
    assert renamed.present.tolist() == [True, False, True, True, False, True]
    twice = fit_bounded_worth(votes.select(np.tile(np.arange(800), 2)))
    weighed = fit_bounded_worth(replace(votes, weight=np.full(800, 2.0)))
    np.testing.assert_allclose(twice.worth, weighed.worth, atol=1e-8)
    np.testing.assert_allclose(twice.covariance, weighed.covariance, atol=1e-8)


def test_the_panel_counts_people_equally_on_scales_from_anchors():
    world = anchored_world(7)
    votes = world.votes
    scale = anchor_scales(votes, world.anchors).of_rows(votes)
    scale[world.anchors] = np.nan
    many = np.concatenate((np.arange(len(votes)), np.repeat(np.flatnonzero(votes.annotator == 3), 9)))
    once = fit_bounded_worth(votes, estimand=Estimand.PANEL, scale=scale)
    often = fit_bounded_worth(votes.select(many), estimand=Estimand.PANEL, scale=scale[many])
    np.testing.assert_allclose(often.worth, once.worth, atol=1e-6)
    plain = fit_worth(votes, rng=generator(0), anchors=world.anchors, draws=10)
    np.testing.assert_allclose(once.worth, plain.worth, atol=0.1)


def test_what_cannot_be_fitted_is_refused_by_name():
    votes = answers(50)
    bare = replace(votes, amount=None)
    with pytest.raises(BadAmount, match="neither `amount` nor bounds"):
        fit_bounded_worth(bare)
    with pytest.raises(BadAmount, match="carry no `amount`"):
        censored_at(bare, 1.0)
    with pytest.raises(BadParameter, match="largest amount"):
        censored_at(votes, 0.0)
    with pytest.raises(ShapeMismatch, match="one per comparison"):
        fit_bounded_worth(votes, scale=np.ones(3))
    with pytest.raises(BadParameter, match="not positive"):
        fit_bounded_worth(votes, scale=np.zeros(50))
    with pytest.raises(MissingLabels, match=r"fit Estimand\.MONEY"):
        fit_bounded_worth(replace(votes, annotator=None), estimand=Estimand.PANEL)
    with pytest.raises(NoComparisons, match="ask for some"):
        fit_bounded_worth(replace(votes, amount=np.full(50, np.nan)))
    split = replace(votes, a=votes.a // 2 * 2, b=votes.a // 2 * 2 + 1)
    with pytest.raises(NotConnected):
        fit_bounded_worth(split)
    one_order = replace(votes, a=np.zeros(50, dtype=np.int64), b=np.ones(50, dtype=np.int64))
    alone = fit_bounded_worth(one_order)
    assert np.isnan(alone.side)
    assert Note.SIDE_NOT_SEPARABLE in alone.notes
