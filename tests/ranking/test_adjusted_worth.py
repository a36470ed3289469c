"""Worth with covariates and leanings: dense least squares, signs, recovery, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    Adjustment,
    BadCovariate,
    BadParameter,
    Covariance,
    Estimand,
    Note,
    ShapeMismatch,
    Side,
    fit_worth,
)
from ranking.amounts import amount_rows
from ranking.worth_draws import Design
from tests.ranking.latency import LatencyWorld, latency_world

LATENCY = Adjustment(side=Side.COMMON, names=("latency",))


def fitted(votes, *, draws=200, seed=0, **options):
    return fit_worth(votes, rng=np.random.default_rng(seed), draws=draws, **options)


def priced(rows: int, seed: int, *, annotators: int = 40, prompts: int = 400, lean: float = 0.0, noise: float = 0.7):
    """Amounts in one unit; waiting costs .4 per log second."""
    world = latency_world(rows, seed)
    rng = world.rng
    annotator, prompt = rng.integers(0, annotators, rows), rng.integers(0, prompts, rows)
    leaning = rng.normal(0.0, lean, annotators)
    amount = world.felt + leaning[annotator] + noise * rng.normal(size=rows)
    return world, leaning, world.priced(amount, annotator=annotator, prompt=prompt)


def test_money_is_least_squares_on_amounts_and_covariates():
    _, _, votes = priced(400, 1, prompts=100_000)
    design = np.column_stack((np.eye(6)[votes.a] - np.eye(6)[votes.b], votes.covariates, np.ones(400)))
    found = np.linalg.lstsq(design, votes.amount, rcond=None)[0]
    fit = fitted(votes, estimand=Estimand.MONEY, adjust=LATENCY)
    np.testing.assert_allclose(fit.worth, found[:6] - found[:6].mean(), atol=1e-9)
    np.testing.assert_allclose(fit.effects.per_unit, found[6:], atol=1e-9)
    assert fit.effects.names == ("latency", "side")
    assert fit.side == pytest.approx(found[7])
    assert fit.effects.standard_error()[1] == pytest.approx(fit.side_standard_error)
    assert fit.leanings is None


def test_leanings_are_ridge_regression_in_every_draw():
    """Each annotator's column with λ·(the weight it is drawn with) on the diagonal, against dense algebra."""
    _, _, votes = priced(300, 2, annotators=5, lean=0.5)
    rows = amount_rows(votes, None)
    shrinkage = np.array([3.0, 0.5, 10.0, 1.0, 2.0])
    design = Design(rows, scaled=False, shrinkage=shrinkage)
    rng = np.random.default_rng(3)
    weight, prompts = rng.standard_exponential((5, 2)), rng.standard_exponential((rows.prompt.count, 2))
    draw = replace(design.once, annotator=weight, prompt=prompts)
    found = design._solve(draw)
    for one in range(2):
        v = design._weighted(draw)[0][:, one]
        own = np.eye(5)[rows.annotator.code] * rows.side[:, None]
        z = np.column_stack((np.eye(6)[rows.low] - np.eye(6)[rows.high], rows.side, own))
        square = (z * v[:, None]).T @ z + np.diag(np.append(np.zeros(7), shrinkage * weight[:, one]))
        answer = np.linalg.lstsq(square, (z * v[:, None]).T @ rows.amount, rcond=None)[0]
        np.testing.assert_allclose(found.worth[one], answer[:6] - answer[:6].mean(), atol=1e-9)
        assert found.side[one] == pytest.approx(answer[6])


def test_swapping_the_sides_changes_signs_only():
    _, _, votes = priced(600, 4, lean=0.5)
    swapped = replace(
        votes, a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, amount=-votes.amount, covariates=-votes.covariates
    )
    here, there = (fitted(one, adjust=replace(LATENCY, side=Side.ANNOTATOR)) for one in (votes, swapped))
    np.testing.assert_allclose(here.worth, there.worth, atol=1e-9)
    np.testing.assert_allclose(here.covariance, there.covariance, atol=1e-9)
    np.testing.assert_allclose(here.effects.value, there.effects.value * [1.0, -1.0], atol=1e-9)
    np.testing.assert_allclose(here.leanings.deviation, -there.leanings.deviation, atol=1e-9)


def test_covariates_count_only_when_asked_for_and_a_penalty_takes_them_out_again():
    _, _, votes = priced(600, 5)
    plain = fitted(replace(votes, covariates=None))
    ignored = fitted(votes)
    np.testing.assert_array_equal(ignored.replicates, plain.replicates)
    assert ignored.effects is None
    held = fitted(votes, adjust=Adjustment(penalty=1e12))
    np.testing.assert_allclose(held.replicates, plain.replicates, atol=1e-8)
    side = fitted(votes, adjust=Adjustment(side=Side.COMMON, penalty=1e12))
    np.testing.assert_array_equal(side.worth, held.worth)


def test_latency_biases_worth_where_it_is_ignored_and_not_where_it_is_fitted():
    effects, worths, slopes = [], [], []
    for seed in range(700, 712):
        world, _, votes = priced(2000, seed)
        fit = fitted(votes, estimand=Estimand.MONEY, adjust=LATENCY)
        assert fit.clustering.kind is Covariance.TWO_WAY
        truth = [LatencyWorld.EFFECT, LatencyWorld.SIDE]
        effects.append((fit.effects.per_unit - truth) * fit.effects.scale / fit.effects.standard_error())
        worths.append((fit.worth - world.strength) / fit.to_intervals().standard_error)
        plain = fitted(votes, estimand=Estimand.MONEY, draws=2)
        slopes.append(np.polyfit(world.strength, plain.worth, 1)[0])
    assert 0.7 < np.std(effects) < 1.3
    assert 0.7 < np.std(worths) < 1.3
    assert np.mean(slopes) == pytest.approx(1.0 - 0.4 * 1.2, abs=0.05)


def test_annotators_lean_to_a_side_each_by_their_own_amount():
    variances, errors, sides = [], [], []
    for seed in range(720, 728):
        _, leaning, votes = priced(2000, seed, lean=0.5)
        fit = fitted(votes, estimand=Estimand.MONEY, adjust=replace(LATENCY, side=Side.ANNOTATOR))
        variances.append(fit.leanings.variance)
        errors.append((fit.leanings.deviation - (leaning - leaning.mean())) / fit.leanings.standard_error)
        sides.append((fit.side - LatencyWorld.SIDE) / fit.side_standard_error)
    assert np.mean(variances) == pytest.approx(0.25, rel=0.25)
    assert 0.8 < np.std(errors) < 1.3
    assert np.abs(sides).max() < 3.0
    pooled = fitted(votes, estimand=Estimand.MONEY, adjust=LATENCY)
    assert fit.covariance.trace() < pooled.covariance.trace()
    _, _, alike = priced(2000, 6)
    level = fitted(alike, adjust=replace(LATENCY, side=Side.ANNOTATOR))
    assert level.leanings.variance < 0.02


def test_a_side_that_cannot_be_told_from_worth_leaves_the_covariates_alone():
    _, _, votes = priced(300, 7)
    turned = votes.a > votes.b
    sign = np.where(turned, -1.0, 1.0)
    ordered = replace(
        votes,
        a=np.minimum(votes.a, votes.b),
        b=np.maximum(votes.a, votes.b),
        amount=sign * votes.amount,
        covariates=sign[:, None] * votes.covariates,
    ).select((votes.a < 2) != (votes.b < 2))
    fit = fitted(ordered, estimand=Estimand.MONEY, adjust=Adjustment(names=("latency",)))
    assert Note.SIDE_NOT_SEPARABLE in fit.notes
    assert fit.effects.names == ("latency",)


def test_what_cannot_be_told_apart_is_refused_by_name():
    _, _, votes = priced(300, 8)
    with pytest.raises(BadCovariate, match="nothing to adjust for"):
        fitted(replace(votes, covariates=None), adjust=Adjustment())
    with pytest.raises(BadCovariate, match=r"wait is 0 in every row.*leave it out"):
        fitted(replace(votes, covariates=np.zeros((300, 1))), adjust=Adjustment(names=("wait",)))
    with pytest.raises(BadCovariate, match="wait is a combination of the contestants and side"):
        fitted(replace(votes, covariates=np.full((300, 1), 2.0)), adjust=Adjustment(names=("wait",)))
    own = np.arange(6.0)[:, None]
    with pytest.raises(BadCovariate, match="wait is a combination of the contestants"):
        fitted(replace(votes, covariates=own[votes.a] - own[votes.b]), adjust=Adjustment(names=("wait",)))
    with pytest.raises(ShapeMismatch, match="one name for each"):
        fitted(votes, adjust=Adjustment(names=("a", "b")))
    with pytest.raises(BadParameter, match="give 0 for none"):
        Adjustment(penalty=float("nan"))
