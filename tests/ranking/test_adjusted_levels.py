"""Levels with covariates of single responses and a side: derivatives, enumeration, signs, recovery, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp

from ranking import (
    Adjustment,
    Answers,
    BadCovariate,
    Comparisons,
    Covariance,
    NoConvergence,
    ShapeMismatch,
    Side,
    count_matrix,
    fit_outside_option,
)
from ranking.level_columns import level_columns
from ranking.level_rows import choice_rows, counted
from tests.ranking.latency import LatencyWorld, latency_world

LATENCY = Adjustment(side=Side.COMMON, names=("latency",))
LEVEL = 0.4
MEAN = 2.0  # log seconds


def chosen(rows: int, seed: int, ties: float = 0.0, **labels: int) -> tuple[LatencyWorld, Comparisons]:
    """Utilities θ_i + .4 + β·(log seconds - 2) ± side/2 against none at zero."""
    world = latency_world(rows, seed)
    strength, rng = world.strength + LEVEL, world.rng
    utility = strength[np.column_stack((world.a, world.b))] + LatencyWorld.EFFECT * (world.seconds - MEAN)
    utility += LatencyWorld.SIDE * np.array([0.5, -0.5])
    best = (np.column_stack((utility, np.zeros(rows))) + rng.gumbel(size=(rows, 3))).argmax(axis=1)
    tied = (rng.random(rows) < ties) | (best == 2)
    outcome = np.where(tied, 0.5, np.where(best == 0, 1.0, 0.0))
    drawn = {name: rng.integers(0, size, rows) for name, size in labels.items()}
    return world, Comparisons(a=world.a, b=world.b, outcome=outcome, count=6, both_bad=best == 2, **drawn)


def answered(world: LatencyWorld, rows: int, seed: int) -> Answers:
    rng = np.random.default_rng(seed)
    contestant = rng.integers(0, 6, rows)
    seconds = world.habit[contestant] + rng.normal(0.0, 0.6, rows) + MEAN
    utility = world.strength[contestant] + LEVEL + LatencyWorld.EFFECT * (seconds - MEAN)
    return Answers(contestant=contestant, acceptable=utility + rng.logistic(size=rows) > 0, covariates=seconds[:, None])


WORLD, VOTES = chosen(500, seed=1, ties=0.2)
SAID = answered(WORLD, 80, seed=2)
SHOWN = WORLD.seconds[:, :, None]


def rows_of_world(weight=None):
    votes = replace(VOTES, weight=weight)
    kept = counted(votes)
    beside = level_columns(votes, SAID, SHOWN, LATENCY, kept)
    return choice_rows(votes.select(kept), SAID, np.ones(6, dtype=bool), beside.columns), beside


def test_gradient_and_information_are_the_derivatives_of_the_log_likelihood():
    rows, _ = rows_of_world(np.random.default_rng(3).integers(0, 3, 500).astype(float))
    point, step = np.random.default_rng(4).normal(size=8), 1e-5 * np.eye(8)
    slope, information = rows.derivatives(point)
    rise = [(rows.log_likelihood(point + e) - rows.log_likelihood(point - e)) / 2e-5 for e in step]
    bend = [(rows.derivatives(point + e)[0] - rows.derivatives(point - e)[0]) / 2e-5 for e in step]
    np.testing.assert_allclose(slope, rise, atol=1e-4)
    np.testing.assert_allclose(information, -np.array(bend), atol=1e-4)
    np.testing.assert_allclose(np.asarray(rows.scores(point).sum(axis=0)), slope, atol=1e-9)


def test_the_maximum_is_where_a_general_optimiser_finds_it():
    fit = fit_outside_option(VOTES, answers=SAID, adjust=LATENCY, covariates=SHOWN, prior=None)
    mean = np.append(SHOWN.ravel(), SAID.covariates.ravel()).mean()
    np.testing.assert_allclose(fit.covariate_mean, [mean])

    def loss(at):
        shown = at[np.column_stack((VOTES.a, VOTES.b))] + at[6] * (WORLD.seconds - mean) + at[7] * np.array([0.5, -0.5])
        log = shown - logsumexp(np.column_stack((shown, np.zeros(500))), axis=1)[:, None]
        none = -logsumexp(np.column_stack((shown, np.zeros(500))), axis=1)
        side = VOTES.outcome * log[:, 0] + (1.0 - VOTES.outcome) * log[:, 1]
        alone = at[SAID.contestant] + at[6] * (SAID.covariates[:, 0] - mean)
        said = np.where(SAID.acceptable, alone, 0.0) - np.logaddexp(0.0, alone)
        return -np.where(VOTES.both_bad, none, side).sum() - said.sum()

    found = minimize(loss, np.zeros(8), method="BFGS")
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-7)
    np.testing.assert_allclose(np.append(fit.strength, fit.effects.per_unit), found.x, atol=1e-4)
    assert fit.effects.names == ("latency", "side")


def test_swapping_the_sides_changes_the_sign_of_the_side_and_no_level():
    swapped = replace(VOTES, a=VOTES.b, b=VOTES.a, outcome=1.0 - VOTES.outcome)
    here = fit_outside_option(VOTES, adjust=LATENCY, covariates=SHOWN)
    there = fit_outside_option(swapped, adjust=LATENCY, covariates=SHOWN[:, ::-1])
    np.testing.assert_allclose(here.strength, there.strength, atol=1e-9)
    np.testing.assert_allclose(here.covariance, there.covariance, atol=1e-9)
    np.testing.assert_allclose(here.effects.value, there.effects.value * [1.0, -1.0], atol=1e-9)


def test_without_effects_it_is_the_fit_from_counts_in_every_clustering():
    """An enormous penalty leaves the levels alone; a shift or another unit of the covariate changes nothing."""
    _, votes = chosen(600, seed=5, ties=0.1, annotator=25, prompt=40)
    x = np.random.default_rng(6).normal(size=(600, 2, 1))
    for kind in (Covariance.HESSIAN, Covariance.SANDWICH, Covariance.PROMPT, Covariance.TWO_WAY):
        plain = fit_outside_option(votes, covariance=kind)
        assert plain.effects is None
        held = fit_outside_option(votes, covariance=kind, covariates=x, adjust=Adjustment(penalty=1e12))
        np.testing.assert_allclose(held.strength, plain.strength, atol=1e-7)
        np.testing.assert_allclose(held.covariance, plain.covariance, atol=1e-8)
        assert held.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-5)
    one, other = (fit_outside_option(votes, covariates=each) for each in (x, 7.0 - 3.0 * x))
    np.testing.assert_allclose(one.strength, other.strength, atol=1e-9)
    np.testing.assert_allclose(one.effects.value, -other.effects.value, atol=1e-9)


def test_the_side_can_be_fitted_from_counts():
    rows = fit_outside_option(VOTES, adjust=Adjustment(side=Side.COMMON))
    counts = fit_outside_option(count_matrix(VOTES), adjust=Adjustment(side=Side.COMMON))
    np.testing.assert_allclose(rows.strength, counts.strength, atol=1e-9)
    np.testing.assert_allclose(rows.effects.covariance, counts.effects.covariance, atol=1e-9)


def test_latency_biases_levels_where_it_is_ignored_and_not_where_it_is_fitted():
    effects, levels, biased = [], [], []
    for seed in range(640, 652):
        world, votes = chosen(3000, seed)
        fit = fit_outside_option(votes, adjust=LATENCY, covariates=world.seconds[:, :, None])
        truth = [LatencyWorld.EFFECT, LatencyWorld.SIDE]
        effects.append((fit.effects.per_unit - truth) * fit.effects.scale / fit.effects.standard_error())
        at_two_logs = fit.strength + fit.effects.per_unit[0] * (MEAN - fit.covariate_mean[0])
        levels.append((at_two_logs - world.strength - LEVEL) / fit.standard_error())
        plain = fit_outside_option(votes)
        biased.append(np.polyfit(world.strength, plain.strength, 1)[0])
    assert 0.7 < np.std(effects) < 1.3
    assert 0.7 < np.std(levels) < 1.3
    assert np.abs(np.mean(effects, axis=0)).max() < 0.9
    # A contestant's habit is 1.2 of its strength, of which waiting takes .4 of each log second.
    assert np.mean(biased) == pytest.approx(1.0 - 0.4 * 1.2, abs=0.05)


def test_what_cannot_be_fitted_is_refused_by_name():
    with pytest.raises(BadCovariate, match="nothing to adjust for"):
        fit_outside_option(VOTES, adjust=Adjustment())
    with pytest.raises(BadCovariate, match=r"differences.*give `covariates` \(n, 2, k\)"):
        fit_outside_option(replace(VOTES, covariates=WORLD.latency), adjust=Adjustment())
    with pytest.raises(BadCovariate, match="everyone's level; leave it out"):
        fit_outside_option(VOTES, covariates=np.full((500, 2, 1), 3.0))
    habit = WORLD.habit[np.column_stack((VOTES.a, VOTES.b))][:, :, None]
    with pytest.raises(BadCovariate, match="latency is a combination of the contestants"):
        fit_outside_option(VOTES, covariates=habit, adjust=LATENCY)
    with pytest.raises(ShapeMismatch, match=r"of A's response and of B's: \(500, 2, k\)"):
        fit_outside_option(VOTES, covariates=WORLD.latency)
    with pytest.raises(BadCovariate, match="leave those rows out or fill them in"):
        fit_outside_option(VOTES, covariates=np.full((500, 2, 1), np.nan))
    with pytest.raises(BadCovariate, match=r"give Answers\(covariates"):
        fit_outside_option(VOTES, covariates=SHOWN, answers=replace(SAID, covariates=None))
    with pytest.raises(BadCovariate, match="Only the answers carry covariates"):
        fit_outside_option(VOTES, answers=SAID, adjust=LATENCY)
    with pytest.raises(ShapeMismatch, match="give the same"):
        fit_outside_option(VOTES, covariates=SHOWN[:, :, [0, 0]], answers=SAID)
    with pytest.raises(ShapeMismatch, match="one row of values per answer"):
        replace(SAID, covariates=np.ones(80))
    with pytest.raises(BadCovariate, match="fill them in"):
        replace(SAID, covariates=np.full((80, 1), np.inf))
    one_sided = replace(VOTES, outcome=np.where(VOTES.both_bad, 0.5, 1.0))
    with pytest.raises(BadCovariate, match=r"every preference went to one side.*Side\.NONE"):
        fit_outside_option(one_sided, adjust=Adjustment(side=Side.COMMON))
    clear = VOTES.select((VOTES.outcome != 0.5) | VOTES.both_bad)
    decided = np.column_stack((clear.outcome == 1.0, clear.outcome == 0.0))[:, :, None]
    with pytest.raises(NoConvergence, match=r"penalty=1\.0"):
        fit_outside_option(clear, covariates=decided, prior=None)
    assert fit_outside_option(clear, covariates=decided, adjust=Adjustment(penalty=1.0)).effects.value > 2.0
