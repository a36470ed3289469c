"""Gaussian magnitudes with a scale per annotator: a triangle by hand, derivatives, invariances, recovery, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    BadAmount,
    BadParameter,
    BothBad,
    Comparisons,
    Covariance,
    Gauge,
    MissingLabels,
    NoComparisons,
    NotConnected,
    ShapeMismatch,
    TooFewAnswers,
    fit_magnitudes,
    rank_ranges,
)
from ranking.annotators.joint import Beside
from ranking.annotators.magnitudes import LENT_ANSWERS, State
from ranking.annotators.panel import panel_of
from ranking.annotators.robust import Robust
from ranking.covariates.adjustment import Columns
from ranking.strengths import two_sided_quantile
from tests.ranking.annotator_worlds import magnitude_world
from tests.ranking.worlds import random_pairs


def said(rows, **columns):
    """Rows (a, b, value, annotator)."""
    a, b, amount, annotator = (np.array(column) for column in zip(*rows, strict=True))
    given = {"count": int(max(a.max(), b.max())) + 1, "annotator": annotator, "amount": amount.astype(float)}
    return Comparisons(a=a, b=b, outcome=np.full(len(a), 0.5), **given | columns)


def rmse(fit, world):
    return np.sqrt(np.mean((fit.strength - world.strength) ** 2))


def test_a_triangle_is_split_into_strengths_and_a_circle():
    """Flows 2, 2 and 1: the circle takes 1 of each edge, a third of the sum of squares (Jiang et al., section 3)."""
    votes = said([(0, 1, 2.0, 0), (1, 2, 2.0, 0), (0, 2, 1.0, 0)] * 4)
    fit = fit_magnitudes(votes, huber=None, gauge=Gauge.EQUAL)
    np.testing.assert_allclose(fit.strength, [1.0, 0.0, -1.0], atol=1e-9)
    assert fit.cyclicity == pytest.approx(1 / 3)
    assert fit.scale.tolist() == pytest.approx([1.0])


def test_without_circles_or_noise_everything_is_exact():
    rng = np.random.default_rng(1)
    a, b = random_pairs(5, 200, rng)
    strength, scale = np.array([-1.0, -0.5, 0.0, 0.3, 1.2]), np.array([0.1, 1.0, 10.0])
    annotator = rng.integers(0, 3, 200)
    votes = said(list(zip(a, b, scale[annotator] * (strength[a] - strength[b]), annotator, strict=True)))
    fit = fit_magnitudes(votes, gauge=Gauge.EQUAL)
    np.testing.assert_allclose(fit.strength, strength, atol=1e-6)
    np.testing.assert_allclose(fit.scale, scale, rtol=1e-6)
    assert fit.cyclicity < 1e-12


def test_one_annotator_without_huber_is_least_squares():
    votes = magnitude_world(6, 300, 1, seed=2).votes
    design = np.eye(6)[votes.a] - np.eye(6)[votes.b]
    found = np.linalg.lstsq(design, votes.amount, rcond=None)[0]
    fit = fit_magnitudes(votes, huber=None, gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN)
    np.testing.assert_allclose(fit.strength, found, atol=1e-8)
    variance = np.mean((votes.amount - design @ found) ** 2)
    np.testing.assert_allclose(fit.covariance, variance * np.linalg.pinv(design.T @ design), atol=1e-6)


def test_the_scores_vanish_at_the_fit_and_the_information_is_their_slope():
    votes = magnitude_world(4, 400, 3, seed=3, slips=0.02).votes
    fit = fit_magnitudes(votes)
    panel = panel_of(replace(votes, outcome=np.full(400, 0.5)), BothBad.HALF)
    robust, none = Robust(1.345), Robust(None)
    nothing = Beside.nothing(Columns.none(400), 3)
    state = State(fit.strength, fit.scale, fit.noise * fit.scale, nothing)
    along, own = state.scores(panel, votes.amount, robust)
    np.testing.assert_allclose(panel.by_contestant(along), 0.0, atol=1e-5)
    np.testing.assert_allclose(panel.by_annotator(own), 0.0, atol=1e-5)

    def noise(point):
        """As it follows strengths, the scale being what it is and the answers lent being as noisy as these."""
        squares = panel.by_annotator(State(point[:4], fit.scale, state.noise, nothing).residual(panel, y) ** 2)
        return state.noise * np.sqrt(1.0 + (squares - at_fit) / (panel.votes + LENT_ANSWERS))

    def scores(point):
        at = State(point[:4], point[4:], noise(point), nothing).scores(panel, y, none)
        return np.concatenate((panel.by_contestant(at[0]), panel.by_annotator(at[1])))

    y, at_fit = votes.amount, panel.by_annotator(state.residual(panel, votes.amount) ** 2)
    point, step = np.concatenate((fit.strength, fit.scale)), 1e-6 * np.eye(7)
    slope = np.array([(scores(point - e) - scores(point + e)) / 2e-6 for e in step])
    slope[:4, 4:] = slope[4:, :4].T  # the noise follows the scale too, but then the score in it is nothing
    found = state.information(panel, y, none)
    square = found.strength - found.strength.mean()  # what holds the strengths' mean
    np.testing.assert_allclose(square, slope[:4, :4], atol=1e-4)
    np.testing.assert_allclose(found.crossed, slope[:4, 4:], atol=1e-4)
    np.testing.assert_allclose(np.diag(found.own), slope[4:, 4:], atol=1e-4)


def test_the_moments_of_huber_are_those_of_the_normal():
    t = np.random.default_rng(4).standard_normal(1_000_000)
    robust = Robust(1.345)
    assert robust.slope == pytest.approx(np.mean(np.abs(t) < 1.345), abs=2e-3)
    assert robust.variance == pytest.approx(np.mean(robust.squared(t)), abs=2e-3)
    np.testing.assert_allclose((robust.weight(t) * t) ** 2, robust.squared(t))
    assert robust.slope**2 / robust.variance == pytest.approx(0.95, abs=1e-3)


def test_strengths_and_scales_are_recovered_to_the_floors_of_the_prototype():
    """Strengths: rmse .021, tolerance half more. Scales: correlation .999 at 1,000 answers each."""
    errors, correlations = [], []
    for seed in range(400, 408):
        world = magnitude_world(12, 12_000, 12, seed, log_sd=1.0)
        fit = fit_magnitudes(world.votes, gauge=Gauge.EQUAL)
        errors.append(rmse(fit, world))
        correlations.append(np.corrcoef(fit.scale, world.own)[0, 1])
        assert np.log(fit.scale).sum() == pytest.approx(0.0, abs=1e-9)
        assert np.abs((fit.scale - world.own) / fit.scale_error).max() < 4.5
    assert np.mean(errors) < 0.021 * 1.5
    assert np.mean(correlations) > 0.999


def test_slips_of_a_digit_hardly_move_the_robust_fit_and_ruin_least_squares():
    for seed in (410, 411):
        world = magnitude_world(12, 12_000, 40, seed, slips=0.03)
        robust, plain = (fit_magnitudes(world.votes, gauge=Gauge.EQUAL, huber=huber) for huber in (1.345, None))
        assert rmse(robust, world) < 0.021 * 1.5 < 4 * 0.021 < rmse(plain, world)


def test_circles_show_in_the_cyclicity_and_noise_does_not():
    for seed in (412, 413):
        flat = fit_magnitudes(magnitude_world(12, 12_000, 40, seed).votes)
        assert flat.cyclicity < 0.004 * 1.5
        assert flat.cyclicity == pytest.approx(flat.cyclicity_by_chance, rel=0.5)
        curled = fit_magnitudes(magnitude_world(12, 12_000, 40, seed, curl=0.3).votes)
        assert curled.cyclicity > 4 * curled.cyclicity_by_chance


def test_intervals_cover_where_scales_are_estimated_with_the_strengths():
    """Nominal 95 %, 1,200 intervals of each kind. Clustered by annotator too, though each has a scale of its own."""
    hits, clustered = [], []
    for seed in range(2000, 2100):
        world = magnitude_world(12, 2400, 40, seed)
        for covariance, found in ((Covariance.HESSIAN, hits), (Covariance.ANNOTATOR, clustered)):
            fit = fit_magnitudes(world.votes, gauge=Gauge.EQUAL, covariance=covariance)
            reach = two_sided_quantile(0.95, fit.clustering.degrees_of_freedom)
            found.extend(np.abs(fit.strength - world.strength) < reach * fit.standard_error())
    assert 0.93 < np.mean(hits) < 0.97
    assert 0.93 < np.mean(clustered) < 0.97


def test_money_of_another_size_changes_nothing_but_the_own_scale():
    votes = magnitude_world(6, 600, 10, seed=5).votes
    cents = replace(votes, amount=np.where(votes.annotator == 3, 100.0, 1.0) * votes.amount)
    plain, other = fit_magnitudes(votes), fit_magnitudes(cents)
    unit = 100.0 ** (1 / 10)
    np.testing.assert_allclose(other.strength / unit, plain.strength, atol=1e-6)
    np.testing.assert_allclose(other.scale * unit, np.where(np.arange(10) == 3, 100.0, 1.0) * plain.scale, rtol=1e-6)
    np.testing.assert_allclose(other.to_points().points, plain.to_points().points, atol=1e-4)


def test_one_who_turns_the_scale_around_is_read_backwards_and_a_guesser_stays_out_of_the_gauge():
    world = magnitude_world(6, 4000, 10, seed=6, log_sd=0.3)
    votes = world.votes
    guess = np.random.default_rng(0).normal(0.0, 2.0, 4000)
    amount = np.where(votes.annotator == 2, -votes.amount, np.where(votes.annotator == 5, guess, votes.amount))
    fit = fit_magnitudes(replace(votes, amount=amount), gauge=Gauge.EQUAL)
    assert fit.opposed.nonzero()[0].tolist() == [2]
    assert (~fit.in_gauge).nonzero()[0].tolist() == [2, 5]
    assert np.log(fit.scale[fit.in_gauge]).sum() == pytest.approx(0.0, abs=1e-9)
    assert np.corrcoef(fit.strength, world.strength)[0, 1] > 0.998


def test_sides_names_and_order_do_not_matter_and_a_duplicate_is_a_weight_of_two():
    votes = magnitude_world(5, 500, 8, seed=7).votes
    plain = fit_magnitudes(votes)
    swapped = replace(votes, a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, amount=-votes.amount)
    shuffled = votes.select(np.random.default_rng(0).permutation(500))
    for other in (fit_magnitudes(swapped), fit_magnitudes(shuffled)):
        np.testing.assert_allclose(other.strength, plain.strength, atol=1e-7)
        np.testing.assert_allclose(other.covariance, plain.covariance, atol=1e-7)
        np.testing.assert_allclose(other.scale, plain.scale, atol=1e-7)
    label = np.array([3, 5, 0, 2, 6])
    renamed = fit_magnitudes(replace(votes, a=label[votes.a], b=label[votes.b], count=7))
    np.testing.assert_allclose(renamed.strength[label], plain.strength, atol=1e-7)
    assert renamed.evidence.present.tolist() == [True, False, True, True, False, True, True]
    doubled = fit_magnitudes(votes.select(np.tile(np.arange(500), 2)))
    weighed = fit_magnitudes(replace(votes, weight=np.full(500, 2.0)))
    np.testing.assert_allclose(doubled.strength, weighed.strength, atol=1e-7)
    np.testing.assert_allclose(doubled.covariance, weighed.covariance, atol=1e-7)


def test_grades_are_magnitudes_too():
    votes = magnitude_world(5, 800, 6, seed=8, log_sd=0.2).votes
    grade = np.clip(np.round(votes.amount), -3, 3).astype(np.int64)
    outcome = np.where(grade > 0, 1.0, np.where(grade < 0, 0.0, 0.5))
    graded = replace(votes, amount=None, outcome=outcome, strength=np.abs(grade))
    fit = fit_magnitudes(graded, values=graded.grade)
    assert np.argsort(fit.strength).tolist() == [0, 1, 2, 3, 4]
    ranges = rank_ranges(fit)
    assert ranges.rank.tolist() == [5, 4, 3, 2, 1]
    points = fit.to_points()
    assert (points.lower < points.points).all()
    assert np.isfinite(points.upper).all()


def test_what_was_not_said_and_who_said_too_little_is_left_out():
    votes = magnitude_world(5, 500, 8, seed=9).votes
    few = np.flatnonzero(votes.annotator == 7)[4:]
    holes = replace(votes, amount=np.where(np.isin(np.arange(500), few), np.nan, votes.amount))
    fit, without = fit_magnitudes(holes), fit_magnitudes(votes.select(votes.annotator != 7))
    np.testing.assert_allclose(fit.strength, without.strength, atol=1e-9)
    assert (fit.annotators_left_out, fit.annotator.tolist()) == (1, [0, 1, 2, 3, 4, 5, 6])
    assert fit_magnitudes(holes, min_answers=4).annotators_left_out == 0
    zeros = replace(votes, amount=np.where(votes.annotator == 7, 0.0, votes.amount))
    np.testing.assert_allclose(fit_magnitudes(zeros).strength, without.strength, atol=1e-9)


def test_what_cannot_be_fitted_is_refused_by_name():
    votes = magnitude_world(4, 60, 3, seed=10).votes
    with pytest.raises(BadAmount, match="carry no `amount`"):
        fit_magnitudes(replace(votes, amount=None))
    with pytest.raises(BadAmount, match="infinite"):
        fit_magnitudes(votes, values=np.full(60, np.inf))
    with pytest.raises(ShapeMismatch, match="one per comparison"):
        fit_magnitudes(votes, values=np.ones(3))
    with pytest.raises(MissingLabels, match="give `annotator`"):
        fit_magnitudes(replace(votes, annotator=None))
    with pytest.raises(NoComparisons, match="ask by how much"):
        fit_magnitudes(votes, values=np.full(60, np.nan))
    with pytest.raises(TooFewAnswers, match="50 values"):
        fit_magnitudes(votes, min_answers=50)
    with pytest.raises(BadParameter, match="give at least 2"):
        fit_magnitudes(votes, min_answers=1)
    with pytest.raises(BadParameter, match="positive number"):
        fit_magnitudes(votes, huber=0.0)
    with pytest.raises(NotConnected) as refusal:
        fit_magnitudes(said([(0, 1, 1.0, 0), (2, 3, 1.0, 0), (3, 4, 2.0, 0)] * 3))
    assert refusal.value.components == ((2, 3, 4), (0, 1))
    circle = said([(0, 1, 1.0, 0), (1, 2, 1.0, 0), (2, 0, 1.0, 0), (0, 1, 1.001, 0)] * 3)
    with pytest.raises(BadAmount, match="nothing in common"):
        fit_magnitudes(circle)
