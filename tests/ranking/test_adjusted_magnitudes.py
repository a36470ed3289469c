"""Magnitudes with covariates and leanings: derivatives, least squares, signs, recovery, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    Adjustment,
    BadCovariate,
    BadParameter,
    BothBad,
    Covariance,
    Gauge,
    ShapeMismatch,
    Side,
    fit_magnitudes,
)
from ranking.annotators.joint import Beside, between_variance
from ranking.annotators.magnitude_state import State
from ranking.annotators.panel import panel_of
from ranking.annotators.robust import Robust
from ranking.covariates.adjustment import columns_of
from tests.ranking.latency import LatencyWorld, latency_world

LATENCY = Adjustment(side=Side.COMMON, names=("latency",))


def priced(rows: int, annotators: int, seed: int, lean: float = 0.0, noise: float = 1.0) -> tuple:
    """A latency world, the annotators' leanings, and y = a_k·(d + x·β + side + l_k + e)."""
    world = latency_world(rows, seed)
    rng = world.rng
    annotator = rng.integers(0, annotators, rows)
    log_scale = rng.normal(0.0, 0.7, annotators)
    scale, leaning = np.exp(log_scale - log_scale.mean()), rng.normal(0.0, lean, annotators)
    amount = scale[annotator] * (world.felt + leaning[annotator] + noise * rng.normal(size=rows))
    return world, leaning, world.priced(amount, annotator=annotator)


def test_scores_and_information_are_derivatives_with_the_leanings_taken_out():
    _, _, votes = priced(300, 4, seed=1, lean=0.5)
    panel = panel_of(replace(votes, outcome=np.full(300, 0.5)), BothBad.HALF)
    columns = columns_of(panel.rows, replace(LATENCY, penalty=3.0))
    rng = np.random.default_rng(2)
    noise, shrinkage, none = np.array([0.5, 1.0, 1.5, 0.8]), np.full(4, 2.0), Robust(None)
    point = np.concatenate((rng.normal(size=8), 0.5 + rng.random(4), rng.normal(size=4)))

    def state(at):
        beside = Beside(columns, at[6:8], at[12:], shrinkage, 0.5, leans=True)
        return State(at[:6], at[8:12], noise, beside)

    code = panel.annotator.code
    exact = state(point).scale[code] * state(point).felt(panel)

    def slope(at):
        along, own = state(at).scores(panel, exact, none)
        beside = state(at).beside
        return np.concatenate((beside.along(panel, along), panel.by_annotator(own), panel.by_annotator(along)))

    def loss(at):
        return 0.5 * float((state(at).residual(panel, exact) ** 2).sum())

    step = 1e-5 * np.eye(16)
    off = point + 0.1
    rise = [(loss(off - e) - loss(off + e)) / 2e-5 for e in step]
    np.testing.assert_allclose(slope(off), rise, rtol=1e-5, atol=1e-4)
    whole = np.array([(slope(point - e) - slope(point + e)) / 2e-5 for e in step])
    precision = (state(point).scale / noise)[code] ** 2
    whole[6, 6] += 3.0 * precision.mean()  # the side is not penalised
    whole[:6, :6] += np.trace(whole[:6, :6]) / 36.0
    whole[12:, 12:] += np.diag(shrinkage)
    left = whole[:12, :12] - whole[:12, 12:] @ np.linalg.solve(whole[12:, 12:], whole[12:, :12])
    found = state(point).information(panel, exact, none)
    np.testing.assert_allclose(found.strength, left[:8, :8], atol=1e-4)
    np.testing.assert_allclose(found.crossed, left[:8, 8:], atol=1e-4)
    np.testing.assert_allclose(np.diag(found.own), left[8:, 8:], atol=1e-4)


def test_one_annotator_without_huber_is_least_squares():
    _, _, votes = priced(400, 1, seed=3)
    fit = fit_magnitudes(votes, huber=None, gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN, adjust=LATENCY)
    design = np.column_stack((np.eye(6)[votes.a] - np.eye(6)[votes.b], votes.covariates, np.ones(400)))
    found = np.linalg.lstsq(design, votes.amount, rcond=None)[0]
    np.testing.assert_allclose(np.append(fit.strength, fit.effects.per_unit), found, atol=1e-7)
    variance = np.mean((votes.amount - design @ found) ** 2)
    expected = variance * np.linalg.pinv(design.T @ design)
    np.testing.assert_allclose(fit.covariance, expected[:6, :6], atol=1e-6)
    unit = np.outer(fit.effects.scale, fit.effects.scale)
    np.testing.assert_allclose(fit.effects.covariance / unit, expected[6:, 6:], atol=1e-6)
    assert fit.effects.names == ("latency", "side")
    assert fit.leanings is None


def test_swapping_the_sides_changes_signs_only():
    _, _, votes = priced(600, 8, seed=4, lean=0.6)
    swapped = replace(votes, a=votes.b, b=votes.a, amount=-votes.amount, covariates=-votes.covariates)
    here, there = (fit_magnitudes(one, adjust=replace(LATENCY, side=Side.ANNOTATOR)) for one in (votes, swapped))
    np.testing.assert_allclose(here.strength, there.strength, atol=1e-8)
    np.testing.assert_allclose(here.covariance, there.covariance, atol=1e-8)
    np.testing.assert_allclose(here.effects.value, there.effects.value * [1.0, -1.0], atol=1e-8)
    np.testing.assert_allclose(here.leanings.deviation, -there.leanings.deviation, atol=1e-7)
    assert here.cyclicity == pytest.approx(there.cyclicity)


def test_covariates_count_only_when_asked_for_and_a_penalty_takes_them_out_again():
    _, _, votes = priced(600, 5, seed=5)
    plain = fit_magnitudes(replace(votes, covariates=None))
    ignored = fit_magnitudes(votes)
    np.testing.assert_array_equal(ignored.strength, plain.strength)
    assert ignored.effects is None
    held = fit_magnitudes(votes, adjust=Adjustment(penalty=1e9))
    np.testing.assert_allclose(held.strength, plain.strength, atol=1e-6)
    np.testing.assert_allclose(held.covariance, plain.covariance, atol=1e-6)
    # The unit of the amounts does not matter to it.
    cents = replace(votes, amount=100.0 * votes.amount)
    fits = [fit_magnitudes(one, adjust=Adjustment(penalty=20.0)) for one in (votes, cents)]
    np.testing.assert_allclose(fits[1].effects.value, 100.0 * fits[0].effects.value, rtol=1e-5)


def test_latency_biases_strengths_where_it_is_ignored_and_not_where_it_is_fitted():
    effects, strengths, biased = [], [], []
    for seed in range(600, 612):
        world, _, votes = priced(3000, 20, seed)
        fit = fit_magnitudes(votes, adjust=LATENCY, gauge=Gauge.EQUAL)
        truth = np.array([LatencyWorld.EFFECT, LatencyWorld.SIDE])
        effects.append((fit.effects.per_unit - truth) * fit.effects.scale / fit.effects.standard_error())
        strengths.append((fit.strength - world.strength) / fit.standard_error())
        plain = fit_magnitudes(votes, gauge=Gauge.EQUAL)
        biased.append(plain.strength - world.strength - LatencyWorld.EFFECT * world.habit)
        assert np.abs(plain.strength - world.strength).max() > 8 * np.abs(fit.strength - world.strength).mean()
    assert np.abs(np.mean(biased)) < 0.03
    assert 0.7 < np.std(effects) < 1.3
    assert 0.7 < np.std(strengths) < 1.3
    assert np.abs(np.mean(effects, axis=0)).max() < 0.9


def test_annotators_lean_to_a_side_each_by_their_own_amount():
    variances, errors, effects = [], [], []
    for seed in range(620, 628):
        _, leaning, votes = priced(3000, 30, seed, lean=0.5)
        fit = fit_magnitudes(votes, adjust=replace(LATENCY, side=Side.ANNOTATOR), gauge=Gauge.EQUAL)
        variances.append(fit.leanings.variance)
        errors.append((fit.leanings.deviation - (leaning - leaning.mean())) / fit.leanings.standard_error)
        effects.append((fit.effects.per_unit[1] - LatencyWorld.SIDE) / fit.effects.standard_error()[1])
    assert np.mean(variances) == pytest.approx(0.25, rel=0.25)
    assert 0.8 < np.std(errors) < 1.3
    assert 0.5 < np.std(effects) < 1.6
    assert fit.leanings.annotator.tolist() == list(range(30))
    _, _, alike = priced(3000, 30, seed=7)
    level = fit_magnitudes(alike, adjust=replace(LATENCY, side=Side.ANNOTATOR))
    assert level.leanings.variance < 0.02


def test_the_variance_between_annotators_solves_its_equation():
    free, error = np.array([0.5, -1.2, 0.1, 0.9]), np.array([0.1, 0.2, 0.05, 0.3])
    found = between_variance(free, error)
    assert float((free**2 / (error + found)).sum()) == pytest.approx(3.0)
    assert between_variance(0.1 * free, error) == 0.0


def test_what_cannot_be_told_apart_is_refused_by_name():
    _, _, votes = priced(200, 3, seed=8)
    with pytest.raises(BadCovariate, match="nothing to adjust for"):
        fit_magnitudes(replace(votes, covariates=None), adjust=Adjustment())
    with pytest.raises(BadCovariate, match=r"wait is 0 in every row.*leave it out"):
        fit_magnitudes(replace(votes, covariates=np.zeros((200, 1))), adjust=Adjustment(names=("wait",)))
    with pytest.raises(BadCovariate, match=r"wait is 2 in every row.*Side\.COMMON"):
        fit_magnitudes(replace(votes, covariates=np.full((200, 1), 2.0)), adjust=Adjustment(names=("wait",)))
    own = np.arange(6.0)[:, None]
    with pytest.raises(BadCovariate, match="wait is a combination of the contestants"):
        fit_magnitudes(replace(votes, covariates=own[votes.a] - own[votes.b]), adjust=Adjustment(names=("wait",)))
    with pytest.raises(ShapeMismatch, match="one name for each"):
        fit_magnitudes(votes, adjust=Adjustment(names=("a", "b")))
    with pytest.raises(BadParameter, match="give 0 for none"):
        Adjustment(penalty=-1.0)
