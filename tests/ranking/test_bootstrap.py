"""The bootstrap: multinomial on counts, whole clusters on rows, one step and exact, and its critical value."""

import numpy as np
import pytest

from ranking import (
    BadParameter,
    Comparisons,
    Counts,
    Covariance,
    Family,
    Gauge,
    MissingLabels,
    NoConvergence,
    Refit,
    bootstrap_bradley_terry,
    count_matrix,
    fit_bradley_terry,
    rank_ranges,
)
from ranking.strengths import two_sided_quantile
from ranking.uncertainty.bootstrap import POISSON_SHORTFALL, multinomial
from tests.ranking.worlds import bradley_terry_world, clustered_world, davidson_world


def draws_of(votes, seed=0, draws=400, **options):
    return bootstrap_bradley_terry(votes, rng=np.random.default_rng(seed), draws=draws, **options)


@pytest.mark.parametrize("refit", [Refit.EXACT, Refit.ONE_STEP])
def test_errors_of_votes_apart_are_those_of_the_sandwich(refit):
    votes = davidson_world(8, 3000, 0.5, seed=1).votes
    boot = draws_of(votes, refit=refit, gauge=Gauge.EQUAL)
    fit = fit_bradley_terry(votes, gauge=Gauge.EQUAL)
    np.testing.assert_array_equal(boot.fit.strength, fit.strength)
    np.testing.assert_allclose(boot.standard_error(), fit.standard_error(), rtol=0.15)
    np.testing.assert_allclose(boot.strength.mean(axis=0), fit.strength, atol=0.2 * fit.standard_error().max())
    np.testing.assert_allclose(boot.strength @ fit.gauge, 0.0, atol=1e-10)


@pytest.mark.parametrize("kind", [Covariance.PROMPT, Covariance.ANNOTATOR, Covariance.TWO_WAY])
@pytest.mark.parametrize("refit", [Refit.EXACT, Refit.ONE_STEP])
def test_errors_of_whole_clusters_are_those_of_the_clustered_sandwich(kind, refit):
    votes = clustered_world(6, 2500, 60, 80, 2, annotator_sd=0.5, prompt_sd=0.6).votes
    boot = draws_of(votes, refit=refit, covariance=kind, gauge=Gauge.EQUAL, draws=300)
    clustered = fit_bradley_terry(votes, covariance=kind, gauge=Gauge.EQUAL).standard_error()
    naive = fit_bradley_terry(votes, covariance=Covariance.SANDWICH, gauge=Gauge.EQUAL).standard_error()
    ratio = np.median(boot.standard_error() / clustered)
    assert 0.9 < ratio < 1.15
    assert np.median(boot.standard_error() / naive) > 1.2


@pytest.mark.parametrize("refit", [Refit.EXACT, Refit.ONE_STEP])
def test_two_way_draws_count_what_belongs_to_one_vote_once(refit):
    """Labels of annotators and prompts that mean nothing: draws of both at once, as they are, spread √3 wide."""
    votes = clustered_world(12, 6000, 50, 100, 8, annotator_sd=0.0, prompt_sd=0.0).votes
    boot = draws_of(votes, refit=refit, gauge=Gauge.EQUAL)
    assert boot.fit.clustering.kind is Covariance.TWO_WAY
    np.testing.assert_allclose(boot.standard_error(), boot.fit.standard_error(), rtol=0.12)
    apart = fit_bradley_terry(votes, covariance=Covariance.SANDWICH, gauge=Gauge.EQUAL).standard_error()
    assert np.median(boot.standard_error() / apart) == pytest.approx(1.0, abs=0.15)
    margin = boot.critical_value()
    assert 2.5 < margin < two_sided_quantile(0.95, boot.fit.clustering.degrees_of_freedom, 66)


@pytest.mark.slow
def test_boards_of_equals_with_clustered_votes_are_seldom_ordered_by_the_critical_value():
    false = []
    for seed in range(200):
        votes = clustered_world(6, 1500, 40, 60, 5000 + seed, annotator_sd=0.5, prompt_sd=0.5, spread=0.0).votes
        boot = draws_of(votes, seed=seed, draws=300, refit=Refit.ONE_STEP)
        false.append(rank_ranges(boot.fit, margin=boot.critical_value()).above.any())
    print(f"boards of equals with a false order: {np.mean(false):.3f} ± {np.std(false) / np.sqrt(200):.3f}")
    assert np.mean(false) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_one_step_agrees_with_the_exact_refit_replicate_by_replicate():
    votes = clustered_world(6, 6000, 60, 200, 3, annotator_sd=0.3, prompt_sd=0.3).votes
    for options in ({"covariance": Covariance.PROMPT}, {"covariance": Covariance.SANDWICH}):
        exact, step = (draws_of(votes, seed=4, refit=refit, draws=100, **options) for refit in Refit)
        moved = exact.strength - exact.fit.strength
        assert np.sqrt(np.mean((step.strength - exact.strength) ** 2)) < 0.1 * np.sqrt(np.mean(moved**2))


def test_counts_and_unlabelled_rows_and_doubled_weights_give_the_same_replicates():
    votes = davidson_world(5, 400, 0.5, seed=5).votes
    rows, counts = draws_of(votes, draws=20), draws_of(count_matrix(votes), draws=20)
    np.testing.assert_allclose(rows.strength, counts.strength)
    twice = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5, weight=np.full(400, 2.0))
    wide = draws_of(votes, draws=400).standard_error() / draws_of(twice, draws=400).standard_error()
    np.testing.assert_allclose(wide, np.sqrt(2.0), rtol=0.2)


def test_ten_copies_of_every_vote_do_not_narrow_it_when_whole_prompts_are_drawn():
    """Pitfall: duplicated votes shrink intervals tenfold in number, by the root of ten in width."""
    votes = bradley_terry_world(5, 400, seed=6).votes
    single = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5, prompt=np.arange(400))
    copied = single.select(np.repeat(np.arange(400), 10))
    ratio = draws_of(copied).standard_error() / draws_of(single, seed=1).standard_error()
    np.testing.assert_allclose(ratio, 1.0, atol=0.2)


def test_intervals_are_percentiles_and_open_where_nothing_bounds_them():
    votes = bradley_terry_world(5, 600, seed=7).votes
    unbeaten = Comparisons(
        a=np.append(votes.a, [5, 5]), b=np.append(votes.b, [0, 1]), outcome=np.append(votes.outcome, [1, 1]), count=7
    )
    boot = draws_of(unbeaten, draws=200)
    shown = boot.to_points()
    assert (shown.upper[5], np.isnan(shown.points[6])) == (np.inf, True)
    inside = (boot.strength[:, :5] >= (shown.lower[:5] - 1000) * np.log(10) / 400) & (
        boot.strength[:, :5] <= (shown.upper[:5] - 1000) * np.log(10) / 400
    )
    np.testing.assert_allclose(inside.mean(axis=0), 0.95, atol=0.011)
    assert boot.probability_best().sum() == pytest.approx(1.0)
    assert boot.probability_best()[6] == 0.0


@pytest.mark.slow
def test_counts_filled_up_from_poisson_draws_are_multinomial():
    """Means, variances and a covariance of the two ways to draw, and the exact total."""
    rng = np.random.default_rng(11)
    weight = rng.integers(1, 4, 2000).astype(float)
    chance = weight / weight.sum()
    drawn = np.array([multinomial(4000, np.cumsum(weight), rng) for _ in range(3000)])
    assert (drawn.sum(axis=1) == 4000).all()
    assert len(weight) > POISSON_SHORTFALL * np.sqrt(4000)
    score = (drawn.mean(axis=0) - 4000 * chance) / np.sqrt(4000 * chance * (1 - chance) / 3000)
    assert 0.9 < np.mean(score**2) < 1.1
    np.testing.assert_allclose(drawn.var(axis=0).sum(), (4000 * chance * (1 - chance)).sum(), rtol=0.01)
    halves = drawn[:, :1000].sum(axis=1)
    share = chance[:1000].sum()
    assert halves.var() == pytest.approx(4000 * share * (1 - share), rel=0.1)
    assert multinomial(3, np.array([1.0, 2.0]), rng).sum() == 3


def test_its_critical_value_holds_the_whole_board_with_less_than_bonferroni():
    votes = clustered_world(12, 6000, 50, 100, 8, annotator_sd=0.3, prompt_sd=0.3).votes
    boot = draws_of(votes, draws=600, covariance=Covariance.PROMPT, refit=Refit.ONE_STEP)
    margin = boot.critical_value()
    pair, board = rank_ranges(boot.fit, family=Family.PAIR), rank_ranges(boot.fit, family=Family.BOARD)
    ours = rank_ranges(boot.fit, family=Family.BOARD, margin=margin)
    assert 1.96 < margin < 3.6
    assert pair.above.sum() >= ours.above.sum() >= board.above.sum()
    assert (ours.upper - ours.lower <= board.upper - board.lower).all()


@pytest.mark.slow
def test_boards_of_equals_are_separated_by_the_critical_value_in_few_of_many():
    false = []
    for seed in range(150):
        votes = bradley_terry_world(6, 900, seed=1000 + seed, spread=0.0).votes
        boot = draws_of(votes, seed=seed, draws=200, refit=Refit.ONE_STEP)
        false.append(rank_ranges(boot.fit, margin=boot.critical_value()).above.any())
    print(f"boards of equals with a false order: {np.mean(false):.3f} ± {np.std(false) / np.sqrt(150):.3f}")
    assert np.mean(false) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)


def test_what_it_cannot_resample_is_refused():
    votes = bradley_terry_world(4, 60, seed=9).votes
    with pytest.raises(BadParameter, match="give two or more"):
        draws_of(votes, draws=1)
    with pytest.raises(BadParameter, match=r"Covariance\.SANDWICH for votes apart"):
        draws_of(votes, covariance=Covariance.HESSIAN)
    with pytest.raises(MissingLabels):
        draws_of(votes, covariance=Covariance.PROMPT)
    with pytest.raises(BadParameter, match="give a probability"):
        draws_of(votes, draws=3).to_points(2.0)
    with pytest.raises(NoConvergence):
        draws_of(Counts.of([[0, 9, 9], [1, 0, 5], [0, 5, 0]], [[0, 0, 1], [0, 0, 0], [0, 0, 0]]), prior=None)
