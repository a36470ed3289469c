"""Watching a board: fixed intervals separate equals sooner or later, confidence sequences do not."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, binom

from ranking import (
    BadParameter,
    BadWeight,
    Counts,
    Family,
    ShapeMismatch,
    always_valid_margin,
    fit_bradley_terry,
    pair_sequence,
    rank_ranges,
    separating_variance,
    watched_ranges,
)
from tests.ranking.worlds import bradley_terry_world, random_pairs


def test_the_margin_is_where_the_normal_mixture_reaches_one_over_alpha():
    variance, level, rho = 0.02, 0.9, 0.25
    margin = float(always_valid_margin(np.array(variance), level, rho))
    scale = np.sqrt(variance)

    def ratio(effect):
        return np.exp((effect * margin - effect**2 / 2) / variance) * np.exp(-(effect**2) / (2 * rho))

    mixture = quad(ratio, -5, 5, points=[margin])[0] / np.sqrt(2 * np.pi * rho)
    assert mixture == pytest.approx(10.0, rel=1e-6)
    assert margin > 1.645 * scale
    np.testing.assert_array_equal(always_valid_margin(np.array([0.0, np.inf])), [0.0, np.inf])


def watched(looks, rng):
    """At each look: did fixed intervals, and sequences per pair and per board, ever separate five equals?"""
    i, j = random_pairs(5, 20 * looks, rng)
    wins, ever = np.zeros((5, 5)), np.zeros(3, dtype=bool)
    for look in range(looks):
        some = slice(20 * look, 20 * look + 20)
        np.add.at(wins, (i[some], j[some]), 1.0)
        if look < 4:
            continue
        fit = fit_bradley_terry(Counts.of(wins))
        fixed, pair = (ranges(fit, family=Family.PAIR).above for ranges in (rank_ranges, watched_ranges))
        ever |= [fixed[0, 1] or fixed[1, 0], pair[0, 1] or pair[1, 0], watched_ranges(fit).above.any()]
    return ever


@pytest.mark.slow
def test_equals_watched_are_claimed_apart_by_fixed_intervals_and_not_by_sequences():
    rng = np.random.default_rng(20)
    fixed, pair, board = np.mean([watched(100, rng) for _ in range(40)], axis=0)
    print(f"ever claimed apart in 2,000 votes: fixed {fixed:.2f}, sequence {pair:.2f}, whole board {board:.2f}")
    assert fixed > 0.2
    assert pair < 0.10
    assert board <= 0.06


def test_what_differs_is_still_found():
    world = bradley_terry_world(6, 20_000, seed=3, spread=0.8)
    fit = fit_bradley_terry(world.votes)
    ranges, fixed = watched_ranges(fit), rank_ranges(fit, family=Family.BOARD)
    assert ranges.above.sum() >= 10
    assert (ranges.above <= fixed.above).all()
    assert (ranges.level, ranges.family) == (0.95, Family.BOARD)


def test_the_sequence_of_a_pair_is_where_the_likelihood_is_alpha_of_its_average():
    shown = pair_sequence(np.array([14.0, 0.0, 0.0]), np.array([6.0, 9.0, 0.0]), level=0.9)
    average = quad(lambda p: p**14 * (1 - p) ** 6 * beta.pdf(p, 0.5, 0.5), 0, 1)[0]
    for bound in (shown.lower[0], shown.upper[0]):
        assert bound**14 * (1 - bound) ** 6 == pytest.approx(0.1 * average, rel=1e-6)
    assert shown.lower[1] == 0.0
    assert (shown.lower[2], shown.upper[2]) == (0.0, 1.0)
    swapped = pair_sequence(np.array([6.0]), np.array([14.0]), level=0.9)
    assert swapped.lower[0] == pytest.approx(1 - shown.upper[0], abs=1e-12)


@pytest.mark.slow
def test_a_pairs_sequence_covers_at_all_times_where_a_fixed_interval_does_not():
    rng = np.random.default_rng(21)
    for chance in (0.5, 0.9):
        wins = np.cumsum(rng.random((1000, 400)) < chance, axis=1).astype(float)
        count = np.arange(1, 401)
        shown = pair_sequence(wins, count - wins)
        missed = ((shown.lower > chance) | (shown.upper < chance)).any(axis=1).mean()
        tails = binom.cdf(wins, count, chance), binom.sf(wins - 1, count, chance)
        fixed = (np.minimum(*tails) < 0.025)[:, 20:].any(axis=1).mean()
        print(f"p = {chance}: ever missed by the sequence {missed:.3f}, by fixed exact intervals {fixed:.3f}")
        assert missed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)
        assert fixed > 0.2


def test_settings_outside_their_range_are_refused():
    with pytest.raises(BadParameter, match="give a probability"):
        always_valid_margin(np.array([1.0]), 1.0)
    with pytest.raises(BadParameter, match="rho is 0"):
        always_valid_margin(np.array([1.0]), rho=0.0)
    with pytest.raises(BadParameter, match="spread is -1"):
        pair_sequence(np.array([1.0]), np.array([1.0]), spread=-1.0)
    with pytest.raises(ShapeMismatch, match="one of each"):
        pair_sequence(np.array([1.0]), np.array([1.0, 2.0]))
    with pytest.raises(BadWeight):
        pair_sequence(np.array([-1.0]), np.array([1.0]))


def test_the_separating_variance_is_where_the_margin_is_the_gap():
    gaps = np.array([0.01, 0.2, 1.0, -3.0, 0.0, np.nan])
    found = separating_variance(gaps, 0.9)
    np.testing.assert_allclose(always_valid_margin(found[:4], 0.9), np.abs(gaps[:4]), rtol=1e-6)
    assert found[4] == 0.0
    assert np.isnan(found[5])
    assert (np.diff(separating_variance(np.linspace(0.01, 3, 50))) > 0).all()
    with pytest.raises(BadParameter, match="level is 1"):
        separating_variance(gaps, 1.0)
