"""Gaussian magnitudes with a scale per annotator: a triangle by hand, derivatives, invariances, recovery, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from ranking import (
    BadAmount,
    BadParameter,
    BothBad,
    Comparisons,
    Covariance,
    Gauge,
    MissingLabels,
    NoComparisons,
    NoConvergence,
    NotConnected,
    ShapeMismatch,
    TooFewAnswers,
    fit_magnitudes,
    rank_ranges,
)
from ranking.annotators.joint import Beside
from ranking.annotators.magnitude_state import LENT_ANSWERS, State, alternate
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
    found = alternate(panel, votes.amount, robust, nothing)
    along, own = found.scores(panel, votes.amount, robust)
    left, weight = panel.by_contestant(along), robust.weight(found.residual(panel, votes.amount))
    square = (found.scale**2 + found.doubt(panel, robust)) / found.noise**2
    stretch = panel.laplacian(weight * square[panel.annotator.code]) @ found.strength
    # How far strengths stretch is the gauge's to say.
    np.testing.assert_allclose(left - stretch * (left @ stretch) / (stretch @ stretch), 0.0, atol=1e-5)
    assert abs(left @ stretch) / (stretch @ stretch) < 0.02
    np.testing.assert_allclose(panel.by_annotator(own), 0.0, atol=1e-5)
    state = State(fit.strength, fit.scale, fit.noise * fit.scale, nothing)

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


def test_the_information_is_that_of_the_likelihood_with_clarity_integrated_out():
    """y_k ~ N(s·r·d, s²·(I + ω²·d·dᵀ)) with s, r and ω² as they are, by brute force; few answers each."""
    votes = magnitude_world(4, 120, 15, seed=13).votes
    panel = panel_of(replace(votes, outcome=np.full(120, 0.5)), BothBad.HALF)
    none, y = Robust(None), votes.amount
    state = alternate(panel, y, none, Beside.nothing(Columns.none(120), 15))
    assert state.pool.variance > 0.0

    def loss(strength):
        total = 0.0
        for k in range(15):
            own = panel.annotator.code == k
            d, z = panel.difference(strength)[own], y[own] / state.noise[k]
            total -= multivariate_normal.logpdf(
                z, state.pool.mean * d, np.eye(own.sum()) + state.pool.variance * np.outer(d, d)
            )
        return total

    step = 1e-3 * np.eye(4)
    ends = [
        [loss(state.strength + s * e + t * f) for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
        for e in step
        for f in step
    ]
    curve = np.array([(a - b - c + d) / 4e-6 for a, b, c, d in ends]).reshape(4, 4)
    found = state.information(panel, y, none)
    left = found.strength + state._told_by_noise(panel, y, none) - (found.crossed / found.own) @ found.crossed.T
    np.testing.assert_allclose(left - left.mean(), curve, atol=2e-3 * np.abs(curve).max())


def world_of_equals(seed, annotators, answers, noise, log_sd=0.0):
    """Everyone's scale 1 (or log-normal) and noise `noise`, six contestants between -½ and ½."""
    rng = np.random.default_rng(seed)
    rows, strength = annotators * answers, np.linspace(-0.5, 0.5, 6)
    a, b = random_pairs(6, rows, rng)
    log_scale = rng.normal(0.0, log_sd, annotators)
    own = np.exp(log_scale - log_scale.mean()).repeat(answers)
    y = own * (strength[a] - strength[b] + rng.normal(0.0, noise, rows))
    given = {"annotator": np.arange(annotators).repeat(answers), "amount": y}
    return strength, Comparisons(a=a, b=b, outcome=np.full(rows, 0.5), count=6, **given)


def least_squares(votes):
    """Strengths and errors that know no annotators."""
    design = np.eye(votes.count)[votes.a] - np.eye(votes.count)[votes.b]
    found = np.linalg.lstsq(design, votes.amount, rcond=None)[0]
    variance = np.var(votes.amount - design @ found) * np.linalg.pinv(design.T @ design).diagonal()
    return found, np.sqrt(variance)


@pytest.mark.parametrize(("annotators", "answers", "noise"), [(30, 8, 1.0), (30, 20, 2.0), (100, 8, 2.0)])
def test_few_answers_each_do_not_stretch_strengths(annotators, answers, noise):
    """Fitted jointly with a scale each, they spread 1.6, 2.1 and 3.0 times as wide, in an order worse than pooled."""
    slopes, ours, pooled = [], [], []
    for seed in range(880_000, 880_012):
        strength, votes = world_of_equals(seed, annotators, answers, noise)
        fit = fit_magnitudes(votes, gauge=Gauge.EQUAL)
        slopes.append(strength @ fit.strength / (strength @ strength))
        ours.append(np.corrcoef(fit.strength, strength)[0, 1])
        pooled.append(np.corrcoef(least_squares(votes)[0], strength)[0, 1])
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.12)
    assert np.mean(ours) > np.mean(pooled) - 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    ("annotators", "answers", "noise", "log_sd"),
    [(30, 8, 1.0, 0.0), (30, 8, 2.0, 0.0), (30, 20, 2.0, 0.0), (100, 8, 2.0, 0.0), (100, 8, 1.0, 0.7)],
)
def test_intervals_cover_with_few_answers_each(annotators, answers, noise, log_sd):
    """2,040 intervals each."""
    slopes, covered, naive = [], [], []
    for seed in range(890_000, 890_340):
        strength, votes = world_of_equals(seed, annotators, answers, noise, log_sd)
        fit = fit_magnitudes(votes, gauge=Gauge.EQUAL)
        reach = two_sided_quantile(0.95, fit.clustering.degrees_of_freedom) * fit.standard_error()
        covered.append(np.mean(np.abs(fit.strength - strength) < reach))
        plain, error = least_squares(votes)
        naive.append(np.mean(np.abs(plain - strength) < 1.96 * error))
        slopes.append(strength @ fit.strength / (strength @ strength))
    print(
        f"{annotators} x {answers}, noise {noise}, scales {log_sd}: spread {np.mean(slopes):.2f},"
        f" coverage {np.mean(covered):.3f} ± {np.std(covered) / np.sqrt(340):.3f}, least squares {np.mean(naive):.3f}"
    )
    assert 0.93 < np.mean(covered) < 0.97


def test_fewer_than_half_may_turn_the_scale_around_but_not_as_many_as_do_not():
    world = magnitude_world(6, 1200, 10, seed=5, log_sd=0.3)
    for turned in (2, 4):
        amount = np.where(world.votes.annotator < turned, -1.0, 1.0) * world.votes.amount
        fit = fit_magnitudes(replace(world.votes, amount=amount))
        assert fit.opposed.sum() == turned
        assert np.corrcoef(fit.strength, world.strength)[0, 1] > 0.99
    with pytest.raises(BadAmount, match="nothing in common"):
        fit_magnitudes(replace(world.votes, amount=np.where(world.votes.annotator < 5, -1.0, 1.0) * world.votes.amount))


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
        assert fit.clarity_sd > 0.1
        assert np.abs((fit.scale - world.own) / fit.scale_error).max() < 4.5
    assert np.mean(errors) < 0.021 * 1.5
    assert np.mean(correlations) > 0.999


def test_slips_of_a_digit_hardly_move_the_robust_fit_and_ruin_least_squares():
    errors = []
    for seed in range(410, 414):
        world = magnitude_world(12, 12_000, 40, seed, slips=0.03)
        robust, plain = (fit_magnitudes(world.votes, gauge=Gauge.EQUAL, huber=huber) for huber in (1.345, None))
        assert rmse(plain, world) > 4 * 0.021
        errors.append(rmse(robust, world))
    assert np.mean(errors) < 0.021 * 1.5


def test_circles_show_in_the_cyclicity_and_noise_does_not():
    for seed in (412, 413):
        flat = fit_magnitudes(magnitude_world(12, 12_000, 40, seed).votes)
        assert flat.cyclicity < 0.004 * 1.5
        assert flat.cyclicity == pytest.approx(flat.cyclicity_by_chance, rel=0.5)
        curled = fit_magnitudes(magnitude_world(12, 12_000, 40, seed, curl=0.3).votes)
        assert curled.cyclicity > 4 * curled.cyclicity_by_chance


def test_intervals_cover_where_scales_are_estimated_with_the_strengths():
    """Nominal 95 %, 840 intervals of each kind. Clustered by annotator too, though each has a scale of its own."""
    hits, clustered = [], []
    for seed in range(2000, 2070):
        world = magnitude_world(12, 2400, 40, seed)
        fit = fit_magnitudes(world.votes, gauge=Gauge.EQUAL, covariance=Covariance.ANNOTATOR)
        off, reach = np.abs(fit.strength - world.strength), two_sided_quantile(0.95, 39)
        hits.extend(off < 1.96 * np.sqrt(fit.hessian_covariance.diagonal()))
        clustered.extend(off < reach * fit.standard_error())
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
    with pytest.raises(NoConvergence, match="raise min_answers"):
        fit_magnitudes(said([(0, 1, 1.0, 0), (0, 2, 2.0, 0)]), min_answers=2)
    circle = said([(0, 1, 1.0, 0), (1, 2, 1.0, 0), (2, 0, 1.0, 0)] * 4)
    with pytest.raises(BadAmount, match="nothing in common"):
        fit_magnitudes(circle)
