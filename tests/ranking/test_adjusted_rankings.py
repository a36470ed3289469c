"""Plackett-Luce with covariates of entries: derivatives, identities with pairs, recovery, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    Adjustment,
    BadCovariate,
    Comparisons,
    Covariance,
    Gauge,
    NoConvergence,
    Rankings,
    Response,
    ShapeMismatch,
    Side,
    fit_plackett_luce,
    fit_with_covariates,
)
from ranking.ranked_columns import AdjustedChoices, ranked_columns
from tests.ranking.test_covariates import covariate_world
from tests.ranking.worlds import normal_quantiles

EFFECT = np.array([-0.15, -0.4])  # per place further down the page, per log second
NAMES = Adjustment(names=("position", "latency"))


def shown(rows: int, seed: int, *, count: int = 6, size: int = 4) -> tuple[np.ndarray, Rankings]:
    """Entries at positions 1 to `size`, better contestants slower; the order of preference by Gumbel noise."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, 0.8)
    drawn = np.argsort(rng.random((rows, count)), axis=1)[:, :size]
    position = np.broadcast_to(1.0 + np.arange(size), drawn.shape)
    seconds = 1.2 * strength[drawn] + rng.normal(0.0, 0.6, drawn.shape)
    utility = strength[drawn] + EFFECT[0] * position + EFFECT[1] * seconds + rng.gumbel(size=drawn.shape)
    places = 1 + np.argsort(np.argsort(-utility, axis=1), axis=1)
    covariates = np.stack((position, seconds), axis=2).reshape(-1, 2)
    return strength, Rankings.of(list(drawn), count, places=list(places), covariates=covariates)


def tied(rows: int, seed: int) -> Rankings:
    """Three to five entries, ties of several sizes, weights."""
    rng = np.random.default_rng(seed)
    places = np.clip(np.ceil(3.0 - np.linspace(0.0, 1.5, 5) - rng.gumbel(size=(rows, 5))), 1, 6).astype(int)
    places[rng.random((rows, 5)) < 0.2] = 0
    places = places[(places > 0).sum(axis=1) > 1]
    x = rng.normal(size=(np.count_nonzero(places), 2)) * [3.0, 0.5]
    return Rankings.of_places(places, covariates=x, weight=rng.uniform(0.5, 2.0, len(places)))


def test_gradient_and_information_are_the_derivatives_of_the_log_likelihood():
    rankings = tied(120, 1)
    choices = AdjustedChoices.of(rankings, ranked_columns(rankings, NAMES))
    assert len(choices.model.ties) >= 2
    size = 7 + len(choices.model.ties)
    point, step = np.random.default_rng(2).normal(size=size), 1e-5 * np.eye(size)
    slope, information = choices.derivatives(point)
    rise = [(choices.log_likelihood(point + e) - choices.log_likelihood(point - e)) / 2e-5 for e in step]
    bend = [(choices.derivatives(point + e)[0] - choices.derivatives(point - e)[0]) / 2e-5 for e in step]
    np.testing.assert_allclose(slope, rise, atol=1e-4)
    np.testing.assert_allclose(information, -np.array(bend), atol=1e-4)
    np.testing.assert_allclose(np.asarray(choices.scores(point).sum(axis=0)), slope, atol=1e-9)


@pytest.mark.parametrize("ties", [0.0, 0.2])
def test_rankings_of_two_are_the_fit_of_comparisons_with_covariates(ties):
    _, votes = covariate_world(600, seed=3, ties=ties, prompt=60)
    pair = fit_with_covariates(
        votes, side=Side.NONE, penalty=2.0, response=Response.DAVIDSON if ties else Response.HALF_TIES
    )
    fit = fit_plackett_luce(Rankings.of_comparisons(votes), adjust=Adjustment(penalty=2.0))
    assert fit.clustering == pair.clustering
    np.testing.assert_allclose(fit.strength, pair.strength, atol=1e-8)
    np.testing.assert_allclose(fit.covariance, pair.covariance, atol=1e-8)
    np.testing.assert_allclose(fit.effects.scale, pair.effects.scale)
    np.testing.assert_allclose(fit.effects.value, pair.effects.value, atol=1e-8)
    np.testing.assert_allclose(fit.effects.covariance, pair.effects.covariance, atol=1e-8)
    assert fit.log_likelihood == pytest.approx(pair.log_likelihood, abs=1e-6)


def test_only_differences_within_a_ranking_count_and_entries_come_in_any_order():
    rankings = tied(150, 4)
    fit = fit_plackett_luce(rankings, adjust=NAMES)
    row = np.repeat(np.arange(len(rankings)), rankings.lengths)
    shifted = replace(
        rankings, covariates=rankings.covariates + np.random.default_rng(5).normal(size=(row[-1] + 1, 2))[row]
    )
    order = np.lexsort((np.random.default_rng(6).random(len(row)), row))
    shuffled = replace(
        rankings,
        contestant=rankings.contestant[order],
        place=rankings.place[order],
        covariates=rankings.covariates[order],
    )
    for other in (shifted, shuffled, rankings.select(np.random.default_rng(7).permutation(len(rankings)))):
        again = fit_plackett_luce(other, adjust=NAMES)
        np.testing.assert_allclose(again.strength, fit.strength, atol=1e-8)
        np.testing.assert_allclose(again.effects.covariance, fit.effects.covariance, atol=1e-8)


def test_covariates_count_only_when_asked_for_and_a_penalty_takes_them_out_again():
    rankings = tied(150, 8)
    plain = fit_plackett_luce(replace(rankings, covariates=None))
    ignored = fit_plackett_luce(rankings)
    np.testing.assert_array_equal(ignored.strength, plain.strength)
    assert ignored.effects is None
    held = fit_plackett_luce(rankings, adjust=Adjustment(penalty=1e12))
    np.testing.assert_allclose(held.strength, plain.strength, atol=1e-7)
    np.testing.assert_allclose(held.covariance, plain.covariance, atol=1e-8)
    np.testing.assert_allclose(held.log_delta, plain.log_delta, atol=1e-7)


def test_position_and_latency_bias_strengths_only_where_they_are_ignored():
    effects, strengths, biased = [], [], []
    for seed in range(660, 668):
        strength, rankings = shown(1000, seed)
        fit = fit_plackett_luce(rankings, adjust=NAMES, gauge=Gauge.EQUAL)
        effects.append((fit.effects.per_unit - EFFECT) * fit.effects.scale / fit.effects.standard_error())
        strengths.append((fit.strength - strength) / fit.standard_error())
        biased.append(np.polyfit(strength, fit_plackett_luce(rankings).strength, 1)[0])
    assert 0.6 < np.std(effects) < 1.4
    assert 0.7 < np.std(strengths) < 1.3
    assert np.abs(np.mean(effects, axis=0)).max() < 1.1
    assert np.mean(biased) == pytest.approx(1.0 - 0.4 * 1.2, abs=0.06)
    assert fit.effects.names == ("position", "latency")


def test_what_cannot_be_told_apart_is_refused_by_name():
    _, rankings = shown(60, seed=9)
    with pytest.raises(BadCovariate, match="nothing to adjust for; give covariates"):
        fit_plackett_luce(replace(rankings, covariates=None), adjust=Adjustment())
    own = np.repeat(np.arange(60.0), 4)[:, None]
    with pytest.raises(BadCovariate, match="hour is the same for all entries of each ranking"):
        fit_plackett_luce(replace(rankings, covariates=own), adjust=Adjustment(names=("hour",)))
    with pytest.raises(BadCovariate, match="size is a combination of the contestants"):
        size = np.arange(6.0)[rankings.contestant][:, None] ** 2
        fit_plackett_luce(replace(rankings, covariates=size), adjust=Adjustment(names=("size",)))
    with pytest.raises(ShapeMismatch, match="one name for each"):
        fit_plackett_luce(rankings, adjust=Adjustment(names=("position",)))
    with pytest.raises(ShapeMismatch, match="one for each of 240 entries"):
        replace(rankings, covariates=np.ones((3, 1)))
    with pytest.raises(ShapeMismatch, match="one row of values per entry"):
        replace(rankings, covariates=np.ones(240))
    with pytest.raises(BadCovariate, match="fill them in"):
        replace(rankings, covariates=np.full((240, 1), np.nan))
    decided = replace(rankings, covariates=rankings.place[:, None].astype(float))
    with pytest.raises(NoConvergence, match=r"penalty=1\.0"):
        fit_plackett_luce(decided, adjust=Adjustment(), prior=None)


def test_a_column_of_comparisons_keeps_its_sign():
    votes = Comparisons(a=[0, 1, 0], b=[1, 2, 2], outcome=[1.0, 0.5, 0.0], count=3, covariates=[[2.0], [-1.0], [0.5]])
    rankings = Rankings.of_comparisons(votes)
    np.testing.assert_array_equal(rankings.covariates[0::2] - rankings.covariates[1::2], votes.covariates)
    assert fit_plackett_luce(Rankings.of_comparisons(votes), covariance=Covariance.HESSIAN).effects is None
