"""Levels against "neither": identities, enumeration, derivatives, invariances, recovery, refusals."""

from itertools import product
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from ranking import (
    POINTS_AT_ZERO,
    Answers,
    BadOutcome,
    BadWeight,
    Comparisons,
    Counts,
    Covariance,
    MissingLabels,
    NoComparisons,
    NoLevel,
    Note,
    RankingError,
    ShapeMismatch,
    UnknownIndex,
    count_matrix,
    fit_bradley_terry,
    fit_outside_option,
    rank_ranges,
)
from ranking.levels import derivatives, log_likelihood, meat, tabulate_levels
from ranking.pair_likelihood import log_likelihood as pair_log_likelihood
from tests.ranking.worlds import World, from_rows, normal_quantiles, random_pairs


def level_world(count: int, rows: int, level: float, seed: int, spread: float = 0.8, ties: float = 0.0) -> World:
    """A third alternative at zero; a share of the choices between sides is given as ties instead."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread) + level
    a, b = random_pairs(count, rows, rng)
    utility = np.column_stack((strength[a], strength[b], np.zeros(rows))) + rng.gumbel(size=(rows, 3))
    best = utility.argmax(axis=1)
    tied = (rng.random(rows) < ties) | (best == 2)
    outcome = np.where(tied, 0.5, np.where(best == 0, 1.0, 0.0))
    return World(strength, Comparisons(a=a, b=b, outcome=outcome, count=count, both_bad=best == 2))


def answers_of(strength: np.ndarray, rows: int, seed: int) -> Answers:
    rng = np.random.default_rng(seed)
    contestant = rng.integers(0, len(strength), rows)
    return Answers(contestant=contestant, acceptable=rng.random(rows) < expit(strength[contestant]))


WORLD = level_world(5, 600, 0.3, seed=1, ties=0.2)
ANSWERS = answers_of(WORLD.strength, 100, seed=2)


def same(left, right, rows=slice(None)):
    np.testing.assert_allclose(left.strength, right.strength[rows], atol=1e-9)
    np.testing.assert_allclose(left.standard_error(), right.standard_error()[rows], atol=1e-9)
    assert left.log_likelihood == pytest.approx(right.log_likelihood, abs=1e-6)


def test_two_contestants_and_none_have_their_maximum_in_closed_form():
    """Luce: with one pair the odds against none are the ratios of the counts, ties half to each."""
    rows = [(0, 1, 1.0)] * 12 + [(1, 0, 1.0)] * 5 + [(0, 1, 0.5)] * 6 + [(1, 0, 0.5)] * 4
    votes = from_rows(rows, 2, both_bad=np.arange(27) >= 23)
    fit = fit_outside_option(votes, prior=None, covariance=Covariance.HESSIAN)
    np.testing.assert_allclose(fit.strength, np.log([15 / 4, 8 / 4]), atol=1e-9)
    np.testing.assert_allclose(fit.choice_probability()[0, 1], 15 / 27)
    np.testing.assert_allclose(fit.none_probability()[0, 1], 4 / 27)
    # Multinomial: Var(ln n_i/n_0) = 1/n_i + 1/n_0.
    np.testing.assert_allclose(fit.standard_error(), np.sqrt([1 / 15 + 1 / 4, 1 / 8 + 1 / 4]), atol=1e-9)


def test_answers_alone_are_the_log_odds_of_acceptance():
    nobody = Comparisons(a=np.array([], int), b=np.array([], int), outcome=np.array([]), count=3)
    said = Answers(contestant=np.repeat([0, 1], [8, 10]), acceptable=np.arange(18) % 2 + (np.arange(18) < 4) > 0)
    yes = np.array([6, 5])
    fit = fit_outside_option(nobody, answers=said, prior=None, covariance=Covariance.HESSIAN)
    np.testing.assert_allclose(fit.strength[:2], np.log(yes / ([8, 10] - yes)), atol=1e-9)
    np.testing.assert_allclose(fit.acceptance_probability()[:2], yes / [8, 10])
    assert fit.evidence.present.tolist() == [True, True, False]
    assert isnan(fit.strength[2])


def test_the_likelihood_is_bradley_terrys_times_that_of_none():
    levels = tabulate_levels(count_matrix(WORLD.votes), None)
    strength = np.array([0.4, -0.3, 1.0, 0.0, -0.9])
    order = pair_log_likelihood(strength, levels.table.credit, levels.table.total)
    odds = np.exp(strength)
    none = 1.0 / (1.0 + odds[:, None] + odds[None, :])
    either = 0.5 * float((levels.none * np.log(none)).sum() + (levels.table.total * np.log1p(-none)).sum())
    assert log_likelihood(strength, levels) == pytest.approx(order + either, abs=1e-9)


def test_gradient_and_information_are_the_derivatives_of_the_log_likelihood():
    levels = tabulate_levels(count_matrix(WORLD.votes), ANSWERS)
    point, step = np.array([-0.6, 0.1, 0.9, 0.3, -1.2]), 1e-5 * np.eye(5)
    gradient, information = derivatives(point, levels)
    slope = [(log_likelihood(point + e, levels) - log_likelihood(point - e, levels)) / 2e-5 for e in step]
    curvature = [(derivatives(point + e, levels)[0] - derivatives(point - e, levels)[0]) / 2e-5 for e in step]
    np.testing.assert_allclose(gradient, slope, atol=1e-5)
    np.testing.assert_allclose(information, -np.array(curvature), atol=1e-5)


def test_the_maximum_is_where_a_general_optimiser_finds_it():
    votes = WORLD.votes

    def loss(theta):
        chance = np.exp(np.column_stack((theta[votes.a], theta[votes.b], np.zeros(600))))
        chance /= chance.sum(axis=1, keepdims=True)
        side = votes.outcome * np.log(chance[:, 0]) + (1.0 - votes.outcome) * np.log(chance[:, 1])
        return -np.where(votes.both_bad, np.log(chance[:, 2]), side).sum()

    found = minimize(loss, np.zeros(5), method="BFGS")
    fit = fit_outside_option(votes, prior=None)
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-8)
    np.testing.assert_allclose(fit.strength, found.x, atol=1e-4)


def test_swapping_sides_shuffling_relabelling_and_doubling_change_nothing():
    votes, rng = WORLD.votes, np.random.default_rng(3)
    fit, name = fit_outside_option(votes, answers=ANSWERS), rng.permutation(5)
    columns = {"outcome": votes.outcome, "count": 5, "both_bad": votes.both_bad}
    swapped = Comparisons(a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, count=5, both_bad=votes.both_bad)
    same(fit_outside_option(swapped, answers=ANSWERS), fit)
    same(fit_outside_option(votes.select(rng.permutation(600)), answers=ANSWERS.select(rng.permutation(100))), fit)
    renamed = Answers(contestant=name[ANSWERS.contestant], acceptable=ANSWERS.acceptable)
    same(fit, fit_outside_option(Comparisons(a=name[votes.a], b=name[votes.b], **columns), answers=renamed), name)
    weighted = Comparisons(a=votes.a, b=votes.b, weight=np.full(600, 2.0), **columns)
    heavy = Answers(contestant=ANSWERS.contestant, acceptable=ANSWERS.acceptable, weight=np.full(100, 2.0))
    twice = fit_outside_option(votes.select(np.arange(1200) % 600), answers=ANSWERS.select(np.arange(200) % 100))
    same(fit_outside_option(weighted, answers=heavy), twice)


def labelled(votes: Comparisons, annotator: np.ndarray | None) -> Comparisons:
    return Comparisons(
        a=votes.a, b=votes.b, outcome=votes.outcome, count=votes.count, both_bad=votes.both_bad, annotator=annotator
    )


def test_the_sandwich_from_counts_is_the_sandwich_from_votes():
    """Clustering every row alone gives it back, times n/(n - 1); a label of its own or none is the same."""
    apart = fit_outside_option(WORLD.votes, answers=ANSWERS, prior=None)
    votes = labelled(WORLD.votes, np.arange(600))
    numbered = Answers(contestant=ANSWERS.contestant, acceptable=ANSWERS.acceptable, annotator=np.arange(600, 700))
    for pair in ((votes, numbered), (votes, ANSWERS), (WORLD.votes, numbered)):
        fit = fit_outside_option(pair[0], answers=pair[1], prior=None)
        assert fit.clustering.kind is Covariance.ANNOTATOR
        np.testing.assert_allclose(fit.covariance, apart.covariance * 700 / 699, atol=1e-12)
    levels = tabulate_levels(count_matrix(WORLD.votes), ANSWERS)
    inverse = np.linalg.inv(derivatives(apart.strength, levels)[1])
    np.testing.assert_allclose(apart.covariance, inverse @ meat(apart.strength, levels) @ inverse, atol=1e-12)
    with pytest.raises(MissingLabels):
        fit_outside_option(count_matrix(votes), covariance=Covariance.ANNOTATOR)


def test_one_persons_answers_and_votes_are_one_cluster():
    """A crowd in which each has a threshold of their own: the naive error of a level is far too small."""
    rng = np.random.default_rng(4)
    people, rows = 40, 4000
    strict = rng.normal(0.0, 1.0, people)
    annotator, (a, b) = rng.integers(0, people, rows), random_pairs(4, rows, rng)
    utility = np.column_stack((np.zeros((rows, 2)), strict[annotator])) + rng.gumbel(size=(rows, 3))
    best = utility.argmax(axis=1)
    outcome = np.where(best == 2, 0.5, np.where(best == 0, 1.0, 0.0))
    votes = Comparisons(a=a, b=b, outcome=outcome, count=4, both_bad=best == 2, annotator=annotator)
    naive = fit_outside_option(votes, covariance=Covariance.SANDWICH)
    clustered = fit_outside_option(votes)
    assert clustered.clustering.kind is Covariance.ANNOTATOR
    assert (clustered.standard_error() > 2 * naive.standard_error()).all()
    # What the threshold shifts alike cancels from differences.
    gaps = np.sqrt(clustered.difference_variance()[0, 1:] / naive.difference_variance()[0, 1:])
    assert gaps.max() < 1.4


def test_strengths_and_their_level_are_recovered():
    world = level_world(12, 12_000, 0.3, seed=5)
    fit = fit_outside_option(world.votes, prior=None)
    assert np.sqrt(np.mean((fit.strength - world.strength) ** 2)) < 0.056 * 1.5
    assert abs(fit.strength.mean() - 0.3) < 0.05
    assert np.abs((fit.strength - world.strength) / fit.standard_error()).max() < 3.5
    assert np.abs(fit.strength.mean() - fit_bradley_terry(world.votes).strength.mean()) > 0.2


def test_standard_errors_are_the_spread_of_the_estimates():
    fits = [fit_outside_option(level_world(4, 300, 0.3, seed).votes, prior=None) for seed in range(200, 400)]
    levels = np.array([fit.strength for fit in fits])
    claimed = np.mean([fit.covariance for fit in fits], axis=0)
    np.testing.assert_allclose(np.cov(levels.T).diagonal(), claimed.diagonal(), rtol=0.3)
    truth = level_world(4, 1, 0.3, 0).strength
    inside = np.mean([np.abs(fit.strength - truth) < 1.96 * fit.standard_error() for fit in fits])
    assert 0.93 < inside < 0.97


def test_above_zero_is_acceptable_to_more_than_half():
    fit = fit_outside_option(WORLD.votes, answers=ANSWERS)
    assert ((fit.acceptance_probability() > 0.5) == (fit.strength > 0)).all()
    assert ((fit.probability_above_none() > 0.5) == (fit.strength > 0)).all()
    assert ((fit.to_points().points > POINTS_AT_ZERO) == (fit.strength > 0)).all()
    total = fit.choice_probability() + fit.choice_probability().T + fit.none_probability()
    np.testing.assert_allclose(total, 1.0)
    assert not fit.gauge.any()


def test_a_tie_that_is_not_both_bad_lifts_both_and_orders_neither():
    votes = WORLD.votes
    columns = {"outcome": np.append(votes.outcome, [0.5] * 400), "count": 5}
    a, b = np.append(votes.a, [0] * 400), np.append(votes.b, [1] * 400)
    tied = Comparisons(a=a, b=b, both_bad=np.append(votes.both_bad, [False] * 400), **columns)
    bad = Comparisons(a=a, b=b, both_bad=np.append(votes.both_bad, [True] * 400), **columns)
    before, lifted, sunk = (fit_outside_option(rows).strength for rows in (votes, tied, bad))
    assert (lifted[:2] > before[:2]).all()
    assert (sunk[:2] < before[:2]).all()
    assert abs(lifted[0] - lifted[1]) < abs(before[0] - before[1])


def test_who_was_never_or_always_chosen_is_flagged_and_held_by_the_prior():
    rows = [(0, 1, 1.0), (1, 0, 1.0), (0, 1, 0.5), (2, 0, 1.0), (2, 1, 1.0), (3, 0, 0.5)] * 20
    votes = from_rows(rows, 4, both_bad=np.isin(np.arange(120) % 6, (2, 5)))
    fit = fit_outside_option(votes)
    assert fit.evidence.undefeated.tolist() == [False, False, True, False]
    assert fit.evidence.winless.tolist() == [False, False, False, True]
    assert fit.evidence.provisional.tolist() == [False, False, True, True]
    assert fit.notes == (Note.SEPARATED,)
    assert fit.to_points().upper[2] == np.inf
    assert fit.to_points().lower[3] == -np.inf
    assert rank_ranges(fit).rank.tolist()[2:] == [1, 4]
    with pytest.raises(NoLevel, match=r"\(2, 3\)"):
        fit_outside_option(votes, prior=None)


def test_a_contestant_met_with_itself_says_nothing_here():
    votes = WORLD.votes
    rows = [*zip(votes.a, votes.b, votes.outcome, strict=True), (2, 2, 0.5), (3, 3, 1.0)]
    joined = from_rows(rows, 5, both_bad=np.append(votes.both_bad, [True, False]), prompt=np.arange(602))
    alone = from_rows(rows[:-2], 5, both_bad=votes.both_bad, prompt=np.arange(600))
    same(fit_outside_option(joined), fit_outside_option(alone))


def test_what_has_no_level_is_refused():
    with pytest.raises(NoLevel, match="use fit_bradley_terry"):
        fit_outside_option(Counts.of([[0, 3], [1, 0]]))
    with pytest.raises(NoLevel, match="from below"):
        fit_outside_option(from_rows([(0, 1, 0.5)], 2, both_bad=np.array([True])))
    with pytest.raises(NoComparisons):
        fit_outside_option(from_rows([(1, 1, 0.5)], 2, both_bad=np.array([True])))


def test_bad_answers_are_refused_by_class():
    with pytest.raises(BadOutcome, match="True or False"):
        Answers(contestant=np.array([0]), acceptable=np.array([0.5]))
    with pytest.raises(ShapeMismatch):
        Answers(contestant=np.array([0]), acceptable=np.array([True, False]))
    with pytest.raises(ShapeMismatch, match="one value per answer"):
        Answers(contestant=np.array([0]), acceptable=np.array([True]), prompt=np.array([1, 2]))
    with pytest.raises(UnknownIndex, match="integers first"):
        Answers(contestant=np.array(["x"]), acceptable=np.array([True]))
    with pytest.raises(BadWeight):
        Answers(contestant=np.array([0]), acceptable=np.array([True]), weight=np.array([-1.0]))
    for stranger in (-1, 5):
        with pytest.raises(UnknownIndex, match="0 to 4"):
            fit_outside_option(
                WORLD.votes, answers=Answers(contestant=np.array([stranger]), acceptable=np.array([True]))
            )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(list(product(range(3), range(3), (1.0, 0.0, 0.5, None)))), min_size=1, max_size=15),
    st.sampled_from([None, "annotator"]),
)
def test_any_votes_are_fitted_under_the_prior_or_refused_by_class(rows, label):
    pairs = [(a, b, 0.5 if outcome is None else outcome) for a, b, outcome in rows]
    bad = np.array([outcome is None for _, _, outcome in rows])
    labels = {label: np.arange(len(rows)) // 2} if label else {}
    try:
        fit = fit_outside_option(from_rows(pairs, 3, both_bad=bad, **labels))
    except RankingError:
        return
    present = fit.evidence.present
    assert np.isfinite(fit.strength[present]).all()
    assert np.isfinite(fit.standard_error()[present]).all()
