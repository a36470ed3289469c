"""Bounded amounts with covariates: derivatives, least squares, signs, recovery from price lists, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    Adjustment,
    BadCovariate,
    Comparisons,
    Covariance,
    ShapeMismatch,
    Side,
    fit_bounded_worth,
)
from ranking.bounded_likelihood import BoundedRows
from ranking.covariates.adjustment import columns_of
from ranking.newton import climb
from tests.ranking.latency import LatencyWorld, latency_world

LATENCY = Adjustment(side=Side.COMMON, names=("latency",))
GRID = np.linspace(-2.0, 2.0, 9)


def priced(rows: int, seed: int, *, listed: bool = True) -> tuple[LatencyWorld, Comparisons]:
    """Amounts, or the two prices of a list between which they lie."""
    world = latency_world(rows, seed)
    amount = world.felt + 0.8 * world.rng.normal(size=rows)
    votes = Comparisons(a=world.a, b=world.b, outcome=np.full(rows, 0.5), count=6, covariates=world.latency)
    if not listed:
        return world, replace(votes, amount=amount)
    edges = np.concatenate(([-np.inf], GRID, [np.inf]))
    place = np.searchsorted(GRID, amount)
    return world, replace(votes, amount_low=edges[place], amount_high=edges[place + 1])


def test_gradient_information_and_scores_are_derivatives():
    world, votes = priced(80, 1)
    exact = np.arange(80) % 3 == 0
    low, high = (np.where(exact, world.felt, bound) for bound in (votes.amount_low, votes.amount_high))
    rows = BoundedRows(votes.a, votes.b, low, high, np.where(exact, 1.0, 2.0), 6, True, columns_of(votes, Adjustment()))
    point, step = np.append(np.random.default_rng(2).normal(0.0, 0.5, 8), -0.1), 1e-5 * np.eye(9)
    slope = [(rows.log_likelihood(point + e) - rows.log_likelihood(point - e)) / 2e-5 for e in step]
    np.testing.assert_allclose(rows.derivatives(point)[0], slope, atol=1e-4)
    np.testing.assert_allclose(np.asarray(rows.scores(point).sum(axis=0)), slope, atol=1e-4)
    held = replace(rows, columns=columns_of(votes, Adjustment(penalty=3.0)))
    best = climb(held.derivatives, held.start()).point
    gradient, information = held.derivatives(best)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-6)
    bend = -np.array([(held.derivatives(best + e)[0] - held.derivatives(best - e)[0]) / 2e-5 for e in step])
    information[:6, :6] -= np.trace(bend[:6, :6]) / 36.0
    np.testing.assert_allclose(information, bend, atol=1e-3)


def test_exact_amounts_are_least_squares():
    _, votes = priced(400, 3, listed=False)
    fit = fit_bounded_worth(votes, adjust=LATENCY, covariance=Covariance.HESSIAN)
    design = np.column_stack((np.eye(6)[votes.a] - np.eye(6)[votes.b], votes.covariates, np.ones(400)))
    found = np.linalg.lstsq(design, votes.amount, rcond=None)[0]
    np.testing.assert_allclose(fit.worth, found[:6] - found[:6].mean(), atol=1e-8)
    np.testing.assert_allclose(fit.effects.per_unit, found[6:], atol=1e-8)
    expected = np.mean((votes.amount - design @ found) ** 2) * np.linalg.pinv(design.T @ design)
    unit = np.outer(fit.effects.scale, fit.effects.scale)
    np.testing.assert_allclose(fit.effects.covariance / unit, expected[6:, 6:], atol=1e-8)
    np.testing.assert_allclose(fit.covariance, expected[:6, :6], atol=1e-8)
    assert (fit.side, fit.side_standard_error) == pytest.approx((found[7], fit.effects.standard_error()[1]))
    np.testing.assert_allclose(fit.lower_only, fit.worth, atol=1e-8)


def test_swapping_the_sides_changes_signs_only():
    _, votes = priced(400, 4)
    swapped = replace(
        votes,
        a=votes.b,
        b=votes.a,
        covariates=-votes.covariates,
        amount_low=-votes.amount_high,
        amount_high=-votes.amount_low,
    )
    here, there = (fit_bounded_worth(one, adjust=LATENCY) for one in (votes, swapped))
    np.testing.assert_allclose(here.worth, there.worth, atol=1e-8)
    np.testing.assert_allclose(here.covariance, there.covariance, atol=1e-8)
    np.testing.assert_allclose(here.effects.value, there.effects.value * [1.0, -1.0], atol=1e-8)
    plain, without = fit_bounded_worth(votes), fit_bounded_worth(replace(votes, covariates=None))
    np.testing.assert_array_equal(plain.worth, without.worth)
    assert plain.effects is None
    held = fit_bounded_worth(votes, adjust=Adjustment(penalty=1e10))
    np.testing.assert_allclose(held.worth, plain.worth, atol=1e-6)


def test_latency_biases_worth_from_price_lists_only_where_it_is_ignored():
    effects, worths, slopes = [], [], []
    for seed in range(740, 750):
        world, votes = priced(1500, seed)
        fit = fit_bounded_worth(votes, adjust=LATENCY)
        truth = [LatencyWorld.EFFECT, LatencyWorld.SIDE]
        effects.append((fit.effects.per_unit - truth) * fit.effects.scale / fit.effects.standard_error())
        worths.append((fit.worth - world.strength) / fit.to_intervals().standard_error)
        slopes.append(np.polyfit(world.strength, fit_bounded_worth(votes).worth, 1)[0])
    assert 0.6 < np.std(effects) < 1.4
    assert 0.7 < np.std(worths) < 1.3
    assert np.mean(slopes) == pytest.approx(1.0 - 0.4 * 1.2, abs=0.05)


def test_what_cannot_be_told_apart_is_refused_by_name():
    _, votes = priced(200, 5)
    with pytest.raises(BadCovariate, match="nothing to adjust for"):
        fit_bounded_worth(replace(votes, covariates=None), adjust=Adjustment())
    own = np.arange(6.0)[:, None]
    with pytest.raises(BadCovariate, match="wait is a combination of the contestants"):
        fit_bounded_worth(replace(votes, covariates=own[votes.a] - own[votes.b]), adjust=Adjustment(names=("wait",)))
    with pytest.raises(BadCovariate, match=r"wait is 2 in every row.*Side\.COMMON"):
        fit_bounded_worth(replace(votes, covariates=np.full((200, 1), 2.0)), adjust=Adjustment(names=("wait",)))
    with pytest.raises(ShapeMismatch, match="one name for each"):
        fit_bounded_worth(votes, adjust=Adjustment(names=("a", "b")))
