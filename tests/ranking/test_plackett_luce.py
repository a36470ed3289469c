"""Plackett-Luce: a published fit with ties, enumeration, derivatives, invariances, recovery, refusals."""

from itertools import product
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import (
    BadOutcome,
    BadParameter,
    BadWeight,
    Covariance,
    Gauge,
    MissingLabels,
    NoComparisons,
    NoConvergence,
    NotConnected,
    NotStronglyConnected,
    OnlyTies,
    RankingError,
    Rankings,
    ShapeMismatch,
    SingleContestant,
    UnknownIndex,
    fit_bradley_terry,
    fit_davidson,
    fit_plackett_luce,
    rank_ranges,
)
from ranking.choice_stages import choice_model, derivatives, log_likelihood, scores
from tests.ranking.published import pudding_votes
from tests.ranking.recession import has_a_maximum
from tests.ranking.worlds import bradley_terry_world, normal_quantiles

# Turner, van Etten, Firth & Kosmidis, R package PlackettLuce 0.4.3, tests/testthat/_snaps/S3-methods.md: six partial
# rankings of apple, banana and orange (0 = not ranked), coefficients against apple, standard errors, deviance. The
# package adds half a win and half a loss of each against a contestant that is in none of the rankings.
FRUIT = ((1, 2, 0), (3, 1, 2), (2, 1, 1), (1, 2, 3), (2, 1, 1), (1, 0, 2))
FRUIT_COEFFICIENTS = (0.2867987, -0.4636687, -1.0701129)  # banana, orange, ln δ_2
FRUIT_ERRORS = (1.0129, 1.0280, 0.9043)
FRUIT_DEVIANCE = 21.61


def ranked(rows: int, seed: int, *, count: int = 12, size: int = 4, spread: float = 0.8) -> tuple[np.ndarray, Rankings]:
    """Strengths and full orders of `size` contestants drawn at random, by Gumbel noise."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, spread)
    drawn = np.argsort(rng.random((rows, count)), axis=1)[:, :size]
    order = np.argsort(-(strength[drawn] + rng.gumbel(size=drawn.shape)), axis=1)
    return strength, Rankings.of(list(np.take_along_axis(drawn, order, axis=1)), count)


def tied_world(rows: int, seed: int) -> Rankings:
    """Five contestants, three to five in a ranking, places rounded so that ties of several sizes happen."""
    rng = np.random.default_rng(seed)
    liking = np.linspace(0.0, 1.5, 5) + rng.gumbel(size=(rows, 5))
    places = np.clip(np.ceil(3.0 - liking), 1, 6).astype(int)
    places[rng.random((rows, 5)) < 0.2] = 0
    return Rankings.of_places(places)


def same(left, right, rows=slice(None)):
    np.testing.assert_allclose(left.strength, right.strength[rows], atol=1e-9)
    np.testing.assert_allclose(left.standard_error(), right.standard_error()[rows], atol=1e-9)
    assert left.log_likelihood == pytest.approx(right.log_likelihood, abs=1e-6)


def test_a_published_fit_with_ties_and_partial_rankings_is_reproduced():
    added = [[place if at == fruit else 0 for at in range(3)] + [3 - place] for fruit in range(3) for place in (1, 2)]
    places = np.array([[*row, 0] for row in FRUIT] + added)
    fit = fit_plackett_luce(Rankings.of_places(places, weight=np.repeat([1.0, 0.5], 6)), prior=None, gauge=0)
    np.testing.assert_allclose([*fit.strength[1:3], *fit.log_delta], FRUIT_COEFFICIENTS, atol=6e-8)
    own, point = choice_model(Rankings.of_places(FRUIT)), np.append(fit.strength[:3], fit.log_delta)
    assert -2.0 * log_likelihood(point, own) == pytest.approx(FRUIT_DEVIANCE, abs=5e-3)
    information = derivatives(point, own)[1][1:, 1:]
    np.testing.assert_allclose(np.sqrt(np.diag(np.linalg.inv(information))), FRUIT_ERRORS, atol=6e-5)


def test_rankings_of_two_are_bradley_terry():
    votes = bradley_terry_world(6, 500, seed=1).votes
    for kind in (Covariance.HESSIAN, Covariance.SANDWICH):
        fit = fit_plackett_luce(Rankings.of_comparisons(votes), covariance=kind)
        plain = fit_bradley_terry(votes, covariance=kind)
        same(fit, plain)
        np.testing.assert_allclose(fit.covariance, plain.covariance, atol=1e-9)
        np.testing.assert_allclose(fit.win_probability(), plain.win_probability(), atol=1e-9)
    np.testing.assert_array_equal(fit.evidence.battles, plain.evidence.battles)
    np.testing.assert_array_equal(fit.evidence.decisive, plain.evidence.decisive)


def test_rankings_of_two_with_ties_are_davidson():
    fit = fit_plackett_luce(Rankings.of_comparisons(pudding_votes()))
    davidson = fit_davidson(pudding_votes())
    same(fit, davidson)
    assert fit.tied.tolist() == [2]
    assert fit.delta[0] == pytest.approx(davidson.nu, abs=1e-9)
    np.testing.assert_allclose(np.sqrt(fit.log_delta_covariance) * fit.delta, davidson.nu_standard_error)
    np.testing.assert_allclose(fit.tie_probability(), davidson.tie_probability(), atol=1e-9)


def test_probabilities_of_all_rankings_sum_to_one():
    """Enumeration: the 75 weak orders of four contestants, ties up to all four."""
    orders = sorted({tuple(np.unique(row, return_inverse=True)[1] + 1) for row in product(range(4), repeat=4)})
    assert len(orders) == 75
    model = choice_model(Rankings.of_places(np.array(orders)))
    assert model.ties.tolist() == [2, 3, 4]
    point = np.array([0.4, -0.9, 1.1, 0.2, -0.5, 0.3, -1.2])
    chances = [log_chance(point, order) for order in orders]
    assert np.exp(chances).sum() == pytest.approx(1.0, abs=1e-12)
    assert log_likelihood(point, model) == pytest.approx(sum(chances), abs=1e-9)


def log_chance(point, place):
    """By hand, from the definition."""
    worth, delta = np.exp(point[:4]), np.exp(np.array([-np.inf, 0.0, *point[4:]]))
    left, total = list(range(4)), 0.0
    while len(left) > 1:
        best = [i for i in left if place[i] == min(place[j] for j in left)]
        groups = [
            [i for i, taken in zip(left, mask, strict=True) if taken] for mask in product((0, 1), repeat=len(left))
        ]
        weights = [delta[len(group)] * np.prod(worth[group]) ** (1 / len(group)) for group in groups if group]
        total += np.log(delta[len(best)] * np.prod(worth[best]) ** (1 / len(best)) / sum(weights))
        left = [i for i in left if i not in best]
    return total


def test_gradient_and_information_are_the_derivatives_of_the_log_likelihood():
    model = choice_model(tied_world(60, seed=2))
    assert len(model.ties) >= 2
    point = np.append([-0.6, 0.1, 0.9, 0.3, -1.2], np.linspace(-0.5, 0.2, len(model.ties)))
    step = 1e-5 * np.eye(len(point))
    gradient, information = derivatives(point, model)
    slope = [(log_likelihood(point + e, model) - log_likelihood(point - e, model)) / 2e-5 for e in step]
    curvature = [(derivatives(point + e, model)[0] - derivatives(point - e, model)[0]) / 2e-5 for e in step]
    np.testing.assert_allclose(gradient, slope, atol=1e-5)
    np.testing.assert_allclose(information, -np.array(curvature), atol=1e-5)
    np.testing.assert_allclose(scores(point, model).sum(axis=0), gradient, atol=1e-9)


def test_the_estimate_is_the_maximum():
    rankings = tied_world(300, seed=3)
    fit = fit_plackett_luce(rankings, prior=None)
    point = np.append(fit.strength, fit.log_delta)
    assert np.abs(derivatives(point, choice_model(rankings))[0]).max() < 1e-8


def test_order_of_rankings_of_entries_and_of_names_changes_nothing():
    rankings, rng = tied_world(200, seed=4), np.random.default_rng(5)
    fit, name = fit_plackett_luce(rankings), rng.permutation(5)
    same(fit_plackett_luce(rankings.select(rng.permutation(200))), fit)
    row = np.repeat(np.arange(200), rankings.lengths)
    mixed = np.lexsort((rng.random(len(row)), row))
    columns = {"start": rankings.start, "count": 5}
    spaced = Rankings(contestant=rankings.contestant[mixed], place=7 * rankings.place[mixed], **columns)
    same(fit_plackett_luce(spaced), fit)
    same(fit, fit_plackett_luce(Rankings(contestant=name[rankings.contestant], place=rankings.place, **columns)), name)


def test_a_weight_of_two_is_the_ranking_twice():
    rankings = tied_world(200, seed=6)
    columns = {"contestant": rankings.contestant, "place": rankings.place, "start": rankings.start, "count": 5}
    doubled = fit_plackett_luce(Rankings(**columns, weight=np.full(200, 2.0)))
    twice = fit_plackett_luce(rankings.select(np.arange(400) % 200))
    same(doubled, twice)
    np.testing.assert_allclose(doubled.log_delta_covariance, twice.log_delta_covariance, atol=1e-12)
    none = fit_plackett_luce(Rankings(**columns, weight=np.arange(200) < 150.0))
    same(none, fit_plackett_luce(rankings.select(np.arange(150))))


def test_copies_of_a_ranking_do_not_narrow_a_clustered_interval():
    rankings = tied_world(200, seed=7)
    columns = {"contestant": rankings.contestant, "place": rankings.place, "start": rankings.start, "count": 5}
    alone = Rankings(**columns, annotator=np.arange(200), prompt=np.arange(200))
    apart = fit_plackett_luce(rankings, prior=None)
    for kind in (Covariance.ANNOTATOR, Covariance.PROMPT, Covariance.TWO_WAY):
        copied = fit_plackett_luce(alone.select(np.arange(1000) // 5), prior=None, covariance=kind)
        assert copied.clustering.kind is kind
        np.testing.assert_allclose(copied.covariance, apart.covariance * 200 / 199, atol=1e-9)
    with pytest.raises(MissingLabels):
        fit_plackett_luce(rankings, covariance=Covariance.PROMPT)


def test_strengths_are_recovered_from_four_at_a_time():
    strength, rankings = ranked(4000, seed=8)
    fit = fit_plackett_luce(rankings, prior=None, gauge=Gauge.EQUAL)
    assert np.sqrt(np.mean((fit.strength - strength) ** 2)) < 0.041 * 1.5
    assert np.abs((fit.strength - strength) / fit.standard_error()).max() < 3.5
    assert rank_ranges(fit).rank.tolist() == list(range(12, 0, -1))


def test_standard_errors_are_the_spread_of_the_estimates():
    fits = [fit_plackett_luce(ranked(150, seed, count=5, size=3)[1], prior=None) for seed in range(300, 500)]
    differences = [fit.strength[4] - fit.strength[0] for fit in fits]
    claimed = np.mean([fit.difference_variance()[0, 4] for fit in fits])
    assert np.var(differences) == pytest.approx(claimed, rel=0.3)


def test_a_ranking_of_four_says_more_than_its_best():
    _, rankings = ranked(600, seed=9)
    best = Rankings.of_places(np.array([[1 if i == top else 2 for i in range(12)] for top in rankings.contestant[::4]]))
    assert fit_plackett_luce(rankings).standard_error().mean() < fit_plackett_luce(best).standard_error().mean()


def test_rankings_of_different_lengths_join_and_those_of_one_say_nothing():
    rows = [np.array([0, 1, 2]), np.array([2, 0]), np.array([1, 2, 0]), np.array([4]), np.array([], dtype=int)]
    fit = fit_plackett_luce(Rankings.of(rows, 5))
    assert fit.evidence.present.tolist() == [True, True, True, False, False]
    assert fit.evidence.battles.tolist() == [3.0, 2.0, 3.0, 0.0, 0.0]
    assert isnan(fit.strength[4])
    short = fit_plackett_luce(Rankings.of(rows[:3], 3))
    np.testing.assert_allclose(fit.strength[:3], short.strength)


def test_the_undefeated_are_flagged_and_held_by_the_prior():
    rankings = Rankings.of([np.array([2, 0, 1]), np.array([2, 1, 0]), np.array([2, 0, 1])], 3)
    fit = fit_plackett_luce(rankings)
    assert fit.evidence.undefeated.tolist() == [False, False, True]
    assert np.isfinite(fit.strength).all()
    assert fit.to_points().upper[2] == np.inf


def test_what_has_no_maximum_is_refused():
    with pytest.raises(NotStronglyConnected, match=r"\{0, 1\}, \{2\}"):
        fit_plackett_luce(Rankings.of([np.array([2, 0, 1]), np.array([2, 1, 0])], 3), prior=None)
    with pytest.raises(NotConnected):
        fit_plackett_luce(Rankings.of([[0, 1], [1, 0], [2, 3], [3, 2]], 4), prior=None)
    # Placed above one way and tied, never below: strength and δ run away together. A prior holds them.
    one_way = Rankings.of_places([[1, 2]] * 5 + [[1, 1]] * 3)
    with pytest.raises(NoConvergence, match="prior"):
        fit_plackett_luce(one_way, prior=None)
    assert 0.5 < fit_plackett_luce(one_way).strength[0] < 10
    with pytest.raises(NoComparisons):
        fit_plackett_luce(Rankings.of([np.array([0]), np.array([1])], 2))
    with pytest.raises(OnlyTies, match="fit with a prior"):
        fit_plackett_luce(Rankings.of_places([[1, 1, 1], [1, 1, 1]]), prior=None)
    with pytest.raises(OnlyTies, match="no bound"):
        fit_plackett_luce(Rankings.of_places([[1, 1, 1], [1, 1, 1]]))
    # Whenever two could tie they did, though three never.
    with pytest.raises(OnlyTies, match="break them"):
        fit_plackett_luce(Rankings.of_places([[1, 1, 2], [1, 1, 2], [0, 1, 1]]))
    with pytest.raises(BadParameter, match="break ties"):
        fit_plackett_luce(Rankings.of_places([[1] * 12 + list(range(2, 20)), list(range(1, 31))]))


def gains_of(rankings: Rankings) -> np.ndarray:
    """What each stage wants of a direction in θ and ln δ: the group chosen above each other one."""
    model = choice_model(rankings)
    rows = []
    for stage, design in zip(model.stages, model.designs, strict=True):
        for chosen, members in zip(model.predictors(stage), stage.sets[stage.which], strict=True):
            gain = np.zeros((len(design.groups), model.size))
            gain[:, model.columns(members[None])[0]] = chosen - design.groups
            rows.append(gain)
    return np.vstack(rows)


@pytest.mark.parametrize("seed", range(60))
def test_without_a_prior_only_a_finite_maximum_is_returned(seed):
    """Few rankings with ties: refused exactly where a direction raises some choice's chance and lowers none."""
    rng = np.random.default_rng(seed)
    rankings = Rankings.of_places(rng.integers(0, 4, (int(rng.integers(3, 7)), 4)))
    try:
        fit = fit_plackett_luce(rankings, prior=None)
    except (NoConvergence, NotStronglyConnected, OnlyTies):
        assert not has_a_maximum(gains_of(rankings))
    except NotConnected:
        return
    else:
        if fit.evidence.present.all():
            assert has_a_maximum(gains_of(rankings))


def test_bad_rankings_are_refused_by_class():
    with pytest.raises(SingleContestant):
        Rankings.of([[0]], 1)
    with pytest.raises(UnknownIndex, match="0 to 2"):
        Rankings.of([[0, 3]], 3)
    with pytest.raises(UnknownIndex, match="whole numbers"):
        Rankings.of([[0.5, 1.0]], 3)
    with pytest.raises(BadOutcome, match="holds contestant 1 twice"):
        Rankings.of([[0, 2], [1, 0, 1]], 3)
    with pytest.raises(BadOutcome, match="begin at 1"):
        Rankings.of([[0, 1]], 3, places=[[0, 1]])
    with pytest.raises(ShapeMismatch, match="one place for each"):
        Rankings.of([[0, 1]], 3, places=[[1, 2, 3]])
    with pytest.raises(ShapeMismatch, match="each of 1 rankings"):
        Rankings.of([[0, 1]], 3, prompt=[1, 2])
    with pytest.raises(ShapeMismatch, match="rise from 0"):
        Rankings(contestant=np.array([0, 1]), place=np.array([1, 2]), start=np.array([0, 1]), count=2)
    with pytest.raises(ShapeMismatch, match="one row per ranking"):
        Rankings.of_places([1, 2, 3])
    for weight in (-1.0, np.nan, np.inf):
        with pytest.raises(BadWeight):
            Rankings.of([[0, 1]], 3, weight=[weight])


def test_rankings_are_read_only_and_selected_whole():
    rankings = Rankings.of_places(FRUIT, prompt=np.arange(6))
    with pytest.raises(ValueError, match="read-only"):
        rankings.place[0] = 5
    some = rankings.select([5, 0])
    assert (some.contestant.tolist(), some.place.tolist(), some.start.tolist()) == (
        [0, 2, 0, 1],
        [1, 2, 1, 2],
        [0, 2, 4],
    )
    assert some.prompt.tolist() == [5, 0]
    assert rankings.select(np.arange(6) > 3).lengths.tolist() == [3, 2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=12))
def test_any_places_are_fitted_under_the_prior_or_refused_by_class(places):
    try:
        fit = fit_plackett_luce(Rankings.of_places(places))
    except RankingError:
        return
    assert np.isfinite(fit.strength[fit.evidence.present]).all()
    assert np.isfinite(fit.log_delta).all()
    assert np.isfinite(fit.standard_error()[fit.evidence.present]).all()
