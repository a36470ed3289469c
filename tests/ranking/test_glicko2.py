"""Glicko-2 against Glickman's own example, and what a rating period means."""

import numpy as np
import pytest

from ranking import (
    BadParameter,
    Comparisons,
    Glicko2Ratings,
    NoComparisons,
    ShapeMismatch,
    UnknownIndex,
    fit_bradley_terry,
    rate_glicko2,
)
from tests.ranking.worlds import bradley_terry_world, from_rows

SCALE = 400 / np.log(10)


def before() -> Glicko2Ratings:
    """Glickman, "Example of the Glicko-2 system": a player of 1500 meets three others."""
    return Glicko2Ratings.of(np.array([1500.0, 1400, 1550, 1700]), np.array([200.0, 30, 100, 300]), np.full(4, 0.06))


GAMES = [(0, 1, 1.0), (0, 2, 0.0), (0, 3, 0.0)]


def test_glickmans_example():
    """His figures, from steps rounded to four places: r' = 1464.06, RD' = 151.52, σ' = 0.05999."""
    after = rate_glicko2(from_rows(GAMES, 4), start=before(), tau=0.5)
    assert after.points[0] == pytest.approx(1464.06, abs=0.01)
    assert after.deviation[0] == pytest.approx(151.52, abs=0.005)
    assert after.volatility[0] == pytest.approx(0.05999, abs=0.00001)


def test_the_new_volatility_is_the_root_of_step_five():
    upset = from_rows([(0, 3, 1.0)] * 12, 4)
    for tau in (0.3, 1.2):
        state, after = before(), rate_glicko2(upset, start=before(), tau=tau)
        spread, mean = state.deviation / SCALE, (state.points - 1500) / SCALE
        blur = 1 / np.sqrt(1 + 3 * spread[3] ** 2 / np.pi**2)
        chance = 1 / (1 + np.exp(-blur * (mean[0] - mean[3])))
        variance = 1 / (12 * blur**2 * chance * (1 - chance))
        gain = variance * 12 * blur * (1 - chance)
        x = 2 * np.log(after.volatility[0])
        total = spread[0] ** 2 + variance + np.exp(x)
        left = np.exp(x) * (gain**2 - total) / (2 * total**2)
        assert left == pytest.approx((x - 2 * np.log(0.06)) / tau**2, abs=1e-5)
        assert after.volatility[0] > 0.06


def test_the_order_within_a_period_does_not_matter_and_that_of_periods_does():
    votes = bradley_terry_world(6, 400, seed=1).votes
    mixed = np.random.default_rng(1).permutation(400)
    once, again = rate_glicko2(votes), rate_glicko2(votes.select(mixed))
    np.testing.assert_allclose(once.points, again.points, atol=1e-9)
    np.testing.assert_allclose(once.volatility, again.volatility, atol=1e-12)
    weeks = np.arange(400) // 100
    assert np.abs(rate_glicko2(votes, period=weeks).points - rate_glicko2(votes, period=3 - weeks).points).max() > 1
    shuffled = rate_glicko2(votes.select(mixed), period=weeks[mixed])
    np.testing.assert_allclose(shuffled.points, rate_glicko2(votes, period=weeks).points, atol=1e-9)


def test_periods_one_after_the_other_are_calls_one_after_the_other():
    votes = bradley_terry_world(6, 400, seed=2).votes
    weeks = np.arange(400) // 200
    first = rate_glicko2(votes.select(weeks == 0))
    second = rate_glicko2(votes.select(weeks == 1), start=first)
    whole = rate_glicko2(votes, period=weeks)
    np.testing.assert_allclose(second.points, whole.points)
    np.testing.assert_allclose(second.deviation, whole.deviation)


def test_swapping_the_sides_changes_nothing_and_a_weight_of_two_is_two_games():
    votes = bradley_terry_world(5, 200, seed=3).votes
    swapped = Comparisons(a=votes.b, b=votes.a, outcome=1 - votes.outcome, count=5)
    np.testing.assert_allclose(rate_glicko2(swapped).points, rate_glicko2(votes).points)
    doubled = votes.select(np.repeat(np.arange(200), 2))
    weighted = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5, weight=np.full(200, 2.0))
    np.testing.assert_allclose(rate_glicko2(weighted).deviation, rate_glicko2(doubled).deviation)


def test_who_rests_grows_less_certain_and_who_never_played_stays_unrated():
    rows = from_rows([(0, 1, 1.0)] * 20 + [(0, 2, 1.0)] * 5, 4)
    when = np.array([0] * 20 + [3] * 5)  # periods 1 and 2 without games
    start = rate_glicko2(rows.select(when == 0))
    after = rate_glicko2(rows, period=when)
    rested = np.sqrt(start.deviation[1] ** 2 + 3 * (SCALE * start.volatility[1]) ** 2)
    assert after.deviation[1] == pytest.approx(rested)
    assert after.points[1] == start.points[1]
    assert (after.points[3], after.deviation[3], after.volatility[3]) == (1500, 350, 0.06)
    assert after.played.tolist() == [True, True, True, False]


def test_many_periods_find_the_order_of_the_fit():
    world = bradley_terry_world(8, 8000, seed=4)
    after = rate_glicko2(world.votes, period=np.arange(8000) // 400)
    fitted = fit_bradley_terry(world.votes).to_points().points
    error = (after.points - after.points.mean()) - (fitted - fitted.mean())
    assert np.abs(error).max() < 3 * after.deviation.max()
    assert np.abs(error).max() < 60
    assert (after.deviation < 40).all()


def test_settings_out_of_range_are_refused():
    votes = from_rows(GAMES, 4)
    with pytest.raises(BadParameter, match=r"tau is 0; Glickman advises 0\.3 to 1\.2"):
        rate_glicko2(votes, tau=0)
    with pytest.raises(ShapeMismatch, match="one number per comparison, 3"):
        rate_glicko2(votes, period=np.zeros(2, dtype=int))
    with pytest.raises(UnknownIndex, match="number days or weeks first"):
        rate_glicko2(votes, period=np.zeros(3))
    with pytest.raises(ShapeMismatch, match="start rates 4 contestants; the comparisons have 5"):
        rate_glicko2(from_rows(GAMES, 5), start=before())
    with pytest.raises(NoComparisons, match="collect votes"):
        rate_glicko2(from_rows([(1, 1, 0.5)], 4))
    with pytest.raises(BadParameter, match="deviations and volatilities positive"):
        Glicko2Ratings.of(np.zeros(2), np.zeros(2), np.ones(2))
