"""Grades -K..K and Rao-Kupper's three levels: identities, derivatives, invariances, recovery, refusals."""

from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from ranking import (
    BadOutcome,
    BadParameter,
    BothBad,
    Comparisons,
    Counts,
    Covariance,
    Gauge,
    MissingLabels,
    NoConvergence,
    NotConnected,
    Note,
    NoTies,
    NotStronglyConnected,
    OnlyTies,
    RankingError,
    ShapeMismatch,
    count_grades,
    fit_bradley_terry,
    fit_davidson,
    fit_ordinal,
    fit_rao_kupper,
    rank_ranges,
)
from ranking.grade_likelihood import Categories, GradeTable, derivatives, log_likelihood, meat
from tests.ranking.published import PUDDING_ETA, PUDDING_RAO_KUPPER_LOG_LIKELIHOOD, pudding_votes
from tests.ranking.recession import has_a_maximum
from tests.ranking.worlds import World, from_rows, normal_quantiles, random_pairs


def ordinal_world(count: int, rows: int, cuts: tuple[float, ...], seed: int, spread: float = 0.8) -> World:
    """Latent d + logistic noise, cut at ±cuts; a first cut of zero leaves no ties."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    a, b = random_pairs(count, rows, rng)
    latent = strength[a] - strength[b] + rng.logistic(size=rows)
    size = np.searchsorted(np.array(cuts), np.abs(latent))
    outcome = np.where(size == 0, 0.5, np.where(latent > 0, 1.0, 0.0))
    return World(strength, Comparisons(a=a, b=b, outcome=outcome, count=count, strength=size))


def graded(rows: list[tuple[int, int, int]], count: int, **columns: object) -> Comparisons:
    """Rows of a, b, grade."""
    pairs = [(a, b, 0.5 + 0.5 * np.sign(grade)) for a, b, grade in rows]
    return from_rows(pairs, count, strength=np.abs([grade for _, _, grade in rows]), **columns)


WORLD = ordinal_world(6, 900, (0.4, 1.2, 2.2), seed=1)


def test_rao_and_kuppers_model_of_davidsons_pudding_agrees_with_other_programs():
    fit = fit_rao_kupper(pudding_votes(), prior=None)
    assert fit.eta == pytest.approx(PUDDING_ETA, abs=1e-9)
    assert fit.log_likelihood == pytest.approx(PUDDING_RAO_KUPPER_LOG_LIKELIHOOD, abs=1e-9)
    assert fit.tie_probability()[0, 0] == pytest.approx(np.tanh(fit.eta / 2))


def test_three_levels_are_rao_kupper_and_two_are_bradley_terry():
    votes = pudding_votes()
    same(fit_ordinal(levelled(votes), levels=1), fit_rao_kupper(votes))
    decided = levelled(votes.select(votes.outcome != 0.5))
    two, plain = fit_ordinal(decided, levels=1), fit_bradley_terry(decided)
    same(two, plain)
    assert two.cuts.tolist() == [0.0]
    assert two.cut_standard_error().tolist() == [0.0]
    np.testing.assert_allclose(two.win_probability(), plain.win_probability())


def levelled(votes: Comparisons) -> Comparisons:
    size = (votes.outcome != 0.5).astype(int)
    return Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=votes.count, strength=size)


def same(left, right, rows=slice(None)):
    np.testing.assert_allclose(left.strength, right.strength[rows], atol=1e-9)
    np.testing.assert_allclose(left.standard_error(), right.standard_error()[rows], atol=1e-9)
    assert left.log_likelihood == pytest.approx(right.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("ties", [True, False])
def test_gradient_and_information_are_the_derivatives_of_the_log_likelihood(ties):
    rng = np.random.default_rng(2)
    wins = rng.integers(0, 9, (4, 5, 5)).astype(float)
    wins[0] = 0.5 * (wins[0] + wins[0].T)
    table = GradeTable(Categories(np.array([0, 1, 2, 3] if ties else [1, 2, 3])), wins if ties else wins[1:])
    point = np.append([-0.6, 0.1, 0.9, 0.3, -1.2], [0.3, 1.1, 1.9] if ties else [0.8, 2.0])
    step = 1e-5 * np.eye(len(point))
    gradient, information = derivatives(point, table)
    slope = [(log_likelihood(point + e, table) - log_likelihood(point - e, table)) / 2e-5 for e in step]
    curvature = [(derivatives(point + e, table)[0] - derivatives(point - e, table)[0]) / 2e-5 for e in step]
    np.testing.assert_allclose(gradient, slope, atol=1e-5)
    np.testing.assert_allclose(information, -np.array(curvature), atol=1e-5)
    np.testing.assert_allclose(meat(point, table), meat_vote_by_vote(point, table), rtol=1e-6)


def meat_vote_by_vote(point, table):
    """From differences of the log-likelihood of single votes."""
    total, step = np.zeros((len(point), len(point))), 1e-6 * np.eye(len(point))
    for at in zip(*np.nonzero(table.wins), strict=True):
        one = np.zeros_like(table.wins)
        one[at] = 1.0
        single = GradeTable(table.categories, one)
        slope = [(log_likelihood(point + e, single) - log_likelihood(point - e, single)) / 2e-6 for e in step]
        total += table.wins[at] * np.outer(slope, slope)
    return total


def test_the_maximum_is_where_a_general_optimiser_finds_it():
    votes = WORLD.votes

    def loss(point):
        cuts = np.cumsum(np.exp(point[5:]))
        edges = np.concatenate(([-inf], -cuts[::-1], cuts, [inf]))
        theta = np.append(point[:5], 0.0)
        gap, at = theta[votes.a] - theta[votes.b], votes.grade + 3
        return -np.log(expit(edges[at + 1] - gap) - expit(edges[at] - gap)).sum()

    found = minimize(loss, np.zeros(8), method="BFGS")
    fit = fit_ordinal(votes, prior=None, gauge=5)
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-8)
    np.testing.assert_allclose(fit.strength[:5], found.x[:5], atol=1e-4)
    np.testing.assert_allclose(fit.cuts, np.cumsum(np.exp(found.x[5:])), atol=1e-4)


def test_swapping_sides_shuffling_and_relabelling_change_nothing():
    votes, fit = WORLD.votes, fit_ordinal(WORLD.votes)
    swapped = Comparisons(a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, count=6, strength=votes.strength)
    order = np.random.default_rng(3).permutation(len(votes))
    name = np.random.default_rng(4).permutation(6)
    renamed = Comparisons(a=name[votes.a], b=name[votes.b], outcome=votes.outcome, count=6, strength=votes.strength)
    for other, rows in ((swapped, slice(None)), (votes.select(order), slice(None)), (renamed, name)):
        again = fit_ordinal(other)
        same(fit, again, rows)
        np.testing.assert_allclose(again.cuts, fit.cuts, atol=1e-9)


def test_a_weight_of_two_is_the_row_twice():
    votes = WORLD.votes
    columns = {"a": votes.a, "b": votes.b, "outcome": votes.outcome, "count": 6, "strength": votes.strength}
    same(
        fit_ordinal(Comparisons(**columns, weight=np.full(900, 2.0))), fit_ordinal(votes.select(np.arange(1800) % 900))
    )


def test_counts_of_two_logs_added_are_the_counts_of_both():
    votes = WORLD.votes
    joined = count_grades(votes.select(np.arange(400))) + count_grades(votes.select(np.arange(400, 900)))
    same(fit_ordinal(joined), fit_ordinal(votes))
    with pytest.raises(ShapeMismatch, match="cannot be added"):
        count_grades(votes) + count_grades(votes, 4)


def test_a_strength_that_nobody_used_is_merged():
    """In the middle its cuts coincide; above the greatest in use the cut is infinite."""
    votes = WORLD.votes.select(WORLD.votes.strength != 2)
    pressed = np.where(votes.strength == 3, 2, votes.strength)
    dense = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=6, strength=pressed)
    gappy, plain = fit_ordinal(votes, levels=4), fit_ordinal(dense, levels=2)
    same(gappy, plain)
    np.testing.assert_allclose(gappy.cuts, [*plain.cuts, plain.cuts[1], inf])
    np.testing.assert_allclose(gappy.cut_standard_error()[1:3], plain.cut_standard_error()[1])
    assert isnan(gappy.cut_standard_error()[3])
    chance = gappy.grade_probability()
    np.testing.assert_allclose(chance[[0, 2, 6, 8]], 0.0, atol=1e-15)
    np.testing.assert_allclose(chance[[1, 3, 4, 5, 7]], plain.grade_probability())


def test_the_sandwich_from_counts_is_the_sandwich_from_votes():
    """Clustering every vote alone gives it back, times n/(n - 1); ten copies of each change nothing more."""
    votes = WORLD.votes
    columns = {"a": votes.a, "b": votes.b, "outcome": votes.outcome, "count": 6, "strength": votes.strength}
    alone = Comparisons(**columns, prompt=np.arange(900))
    apart = fit_ordinal(votes, prior=None)
    for data in (alone, alone.select(np.arange(9000) // 10)):
        clustered = fit_ordinal(data, prior=None)
        assert clustered.clustering.kind is Covariance.PROMPT
        np.testing.assert_allclose(clustered.covariance, apart.covariance * 900 / 899, atol=1e-12)
        np.testing.assert_allclose(clustered.cut_covariance, apart.cut_covariance * 900 / 899, atol=1e-12)
    ternary = fit_rao_kupper(alone, prior=None)
    np.testing.assert_allclose(ternary.covariance, fit_rao_kupper(votes, prior=None).covariance * 900 / 899, atol=1e-12)


@pytest.mark.parametrize("cuts", [(0.4, 1.2, 2.2), (0.6,), (0.0, 0.9, 2.0)])
def test_strengths_and_cuts_are_recovered(cuts):
    world = ordinal_world(12, 12_000, cuts, seed=5)
    fit = fit_ordinal(world.votes, levels=len(cuts), prior=None, gauge=Gauge.EQUAL)
    assert np.sqrt(np.mean((fit.strength - world.strength) ** 2)) < 0.046 * 1.5
    assert (np.abs(fit.cuts - cuts) <= 3 * fit.cut_standard_error()).all()
    assert (fit.cut_standard_error() < 0.04).all()


def test_standard_errors_are_the_spread_of_the_estimates():
    found = [fit_ordinal(ordinal_world(5, 600, (0.4, 1.2, 2.2), seed).votes, prior=None) for seed in range(200, 400)]
    strengths, cuts = np.array([fit.strength for fit in found]), np.array([fit.cuts for fit in found])
    claimed = np.mean([fit.difference_variance()[0, 4] for fit in found])
    np.testing.assert_allclose(np.var(strengths[:, 0] - strengths[:, 4]), claimed, rtol=0.3)
    claimed = np.mean([fit.cut_covariance for fit in found], axis=0)
    np.testing.assert_allclose(np.cov(cuts.T), claimed, rtol=0.4)


def test_grades_of_a_scale_order_more_sharply_than_bare_preferences():
    votes = ordinal_world(8, 4000, (0.4, 1.2, 2.2), seed=6, spread=2.0).votes
    # 45 to 52 % of the questions saved at this spread in simulation elsewhere; the variance falls with them.
    saved = 1.0 - fit_ordinal(votes).difference_variance()[0, 7] / fit_rao_kupper(votes).difference_variance()[0, 7]
    assert 0.4 < saved < 0.6


def test_probabilities_of_the_grades_sum_to_one_and_turn_with_the_sides():
    fit = fit_ordinal(WORLD.votes)
    chance = fit.grade_probability()
    assert chance.shape == (7, 6, 6)
    np.testing.assert_allclose(chance.sum(axis=0), 1.0)
    np.testing.assert_allclose(chance, chance[::-1].transpose(0, 2, 1))
    np.testing.assert_allclose(chance[4:].sum(axis=0), fit.win_probability())
    np.testing.assert_allclose(chance[3], fit.tie_probability())


def test_information_of_a_judgment_is_that_of_the_fit():
    """One more judgment of each pair adds it to the Hessian, in expectation."""
    fit, step = fit_ordinal(WORLD.votes), 1e-4

    def chances(shift):
        moved = fit.strength.copy()
        moved[0] += shift
        edges = np.concatenate(([-inf], -fit.cuts[::-1], fit.cuts, [inf]))
        return np.diff(expit(edges - (moved[0] - moved[3])))

    slope = (chances(step) - chances(-step)) / (2 * step)
    assert fit.information()[0, 3] == pytest.approx((slope**2 / chances(0.0)).sum(), rel=1e-6)
    np.testing.assert_allclose(fit.information(), fit.information().T)
    chance = fit.win_probability()
    assert (fit.information() > chance * (1.0 - chance)).all()


def test_scales_of_tie_models_are_their_own():
    """Pitfall: half ties, Davidson and Rao-Kupper order alike but spread differently; never mix the scales."""
    votes = ordinal_world(8, 8000, (0.9,), seed=7).votes
    fits = [fit_bradley_terry(votes), fit_rao_kupper(votes), fit_davidson(votes)]
    spreads = [float(np.ptp(fit.strength)) for fit in fits]
    assert spreads[0] * 1.15 < spreads[1] < spreads[2]
    assert len({tuple(np.argsort(fit.strength)) for fit in fits}) == 1


def test_both_bad_is_a_tie_only_when_asked():
    rows = [(0, 1, 1), (1, 0, 1), (0, 1, 0), (0, 1, 0)] * 5
    votes = graded(rows, 2, both_bad=np.arange(20) % 4 == 3)
    # Between equals a tie has probability tanh(η/2): 5 of 15 rows, or 10 of 20.
    assert fit_rao_kupper(votes).eta == pytest.approx(2 * np.arctanh(1 / 3))
    assert fit_rao_kupper(votes, both_bad=BothBad.HALF).eta == pytest.approx(2 * np.arctanh(1 / 2))
    np.testing.assert_allclose(fit_ordinal(votes, levels=1).cuts, 2 * np.arctanh(1 / 3))


def test_a_contestant_met_with_itself_counts_for_the_cuts_alone():
    alone = fit_rao_kupper(pudding_votes(), prior=None)
    votes = pudding_votes()
    joined = from_rows([*zip(votes.a, votes.b, votes.outcome, strict=True), *[(2, 2, 0.5)] * 40], 6)
    fit = fit_rao_kupper(joined, prior=None)
    assert fit.eta > alone.eta
    # A strength moves only as the wider tie stretches the scale.
    assert np.corrcoef(fit.strength, alone.strength)[0, 1] > 0.9999


def test_those_without_a_comparison_stay_unknown_and_rare_ones_provisional():
    votes = WORLD.votes
    more = [(0, 7, 0), (7, 1, 0)]
    rows = [*zip(votes.a, votes.b, votes.grade, strict=True), *more]
    fit = fit_ordinal(graded(rows, 8))
    assert fit.evidence.present.tolist() == [True] * 6 + [False, True]
    assert isnan(fit.strength[6])
    assert fit.evidence.provisional.tolist() == [False] * 7 + [True]
    hessian = fit_ordinal(graded(rows, 8), covariance=Covariance.HESSIAN).standard_error()
    assert fit.standard_error()[7] == pytest.approx(hessian[7])
    assert fit.to_points().standard_error[7] > 100
    assert rank_ranges(fit).lower[7] == 1


def test_what_has_no_maximum_is_refused():
    for fit in (fit_ordinal, fit_rao_kupper):
        with pytest.raises(OnlyTies, match="fit_bradley_terry"):
            fit(graded([(0, 1, 0), (1, 2, 0)], 3))
        with pytest.raises(NotConnected):
            fit(graded([(0, 1, 1), (1, 0, 1), (2, 3, 0)], 4), prior=None)
        with pytest.raises(NotStronglyConnected):
            fit(graded([(0, 1, 1), (1, 0, 1), (2, 1, 1), (0, 1, 0)], 3), prior=None)
        # Wins one way and ties, no loss: strength and cut run away together. A prior holds them.
        one_way = graded([(0, 1, 1)] * 5 + [(0, 1, 0)] * 3, 2)
        with pytest.raises(NoConvergence, match="prior"):
            fit(one_way, prior=None)
        assert 0.5 < fit(one_way).strength[0] < 10
    with pytest.raises(NoTies, match="fit_bradley_terry"):
        fit_rao_kupper(Counts.of([[0, 3], [1, 0]]))


def gains_of(votes: Comparisons) -> np.ndarray:
    """What each vote wants of a direction in θ and the cuts between the strengths in use."""
    categories = Categories(np.unique(votes.strength))
    at = np.searchsorted(categories.used, votes.strength)
    better, worse = np.where(votes.grade >= 0, votes.a, votes.b), np.where(votes.grade >= 0, votes.b, votes.a)
    gap = np.eye(votes.count)[better] - np.eye(votes.count)[worse]
    above = np.hstack((gap, -categories.lower[at]))
    below = np.hstack((-gap, categories.upper[at]))[at < len(categories.used) - 1]
    width = np.hstack((np.zeros((len(categories.width), votes.count)), categories.width))
    return np.vstack((above, below, width))


@pytest.mark.parametrize("seed", range(60))
def test_without_a_prior_only_a_finite_maximum_is_returned(seed):
    """Small sets of one-sided grades: refused exactly where a direction raises some vote's chance and lowers none."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(4, 14))
    a, b = random_pairs(3, rows, rng)
    grade = np.where(a < b, 1, -1) * rng.choice([0, 1, 2, 3, -1], rows)
    votes = graded(list(zip(a, b, grade, strict=True)), 3)
    try:
        fit = fit_ordinal(votes, prior=None)
    except (NoConvergence, NotStronglyConnected):
        assert not has_a_maximum(gains_of(votes))
    except (NotConnected, OnlyTies):
        return
    else:
        if fit.evidence.present.all():
            assert has_a_maximum(gains_of(votes))


def test_a_slight_preference_bounds_from_both_sides():
    """Never beaten, yet with a strength of its own: its wins were not of the greatest strength in use."""
    rows = [(0, 1, 3), (1, 0, 2), (1, 0, 1), (2, 0, 1), (2, 1, 1), (2, 1, 2), (0, 1, 1)]
    fit = fit_ordinal(graded(rows, 3), prior=None)
    assert np.isfinite(fit.strength).all()
    assert not fit.evidence.undefeated.any()
    assert fit.notes == ()
    bare = fit_rao_kupper(graded([*rows, (0, 1, 0)], 3))
    assert bare.evidence.undefeated.tolist() == [False, False, True]
    assert bare.notes == (Note.SEPARATED,)


def test_grades_outside_the_scale_are_refused():
    with pytest.raises(BadOutcome, match="levels=5"):
        fit_ordinal(graded([(0, 1, 5), (1, 0, 1)], 2))
    with pytest.raises(MissingLabels, match="select the rows"):
        fit_ordinal(from_rows([(0, 1, 1.0)], 2, strength=np.array([-1])))
    with pytest.raises(MissingLabels, match="strength"):
        fit_ordinal(from_rows([(0, 1, 1.0)], 2))
    with pytest.raises(BadParameter, match="1 or more"):
        count_grades(WORLD.votes, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-3, 3)), min_size=1, max_size=25))
def test_any_grades_are_fitted_under_the_prior_or_refused_by_class(rows):
    votes = graded(rows, 4)
    try:
        fit = fit_ordinal(votes)
    except RankingError:
        return
    present = fit.evidence.present
    assert np.isfinite(fit.strength[present]).all()
    assert (np.diff(fit.cuts[np.isfinite(fit.cuts)]) >= 0).all()
    assert (fit.cuts >= 0).all()
    assert np.isfinite(fit.standard_error()[present]).all()
    np.testing.assert_allclose(fit.grade_probability().sum(axis=0)[np.ix_(present, present)], 1.0)
