"""The benchmark's transcription of ASAP-approx says what its paper says, and its claims are those of the library."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm

from benchmarks import asap
from benchmarks.claims import Seen
from benchmarks.costs import counted, random_votes
from benchmarks.many_boards import random_board, uniform
from benchmarks.worlds import World
from ranking import Counts, count_matrix, fit_bradley_terry, watched_ranges


def test_one_vote_is_solved_exactly_and_gains_what_it_is_expected_to():
    """A single message is exact moment matching: the mean and variance of s given s - s' + e > 0, by quadrature."""
    wins = np.array([[0.0, 1.0], [0.0, 0.0]])
    scores = asap.solve(wins)

    def moment(power):
        return quad(lambda s: s**power * norm.pdf(s, 0, np.sqrt(0.5)) * ndtr(s / np.sqrt(1.5)), -8, 8)[0] / 0.5

    mean, variance = moment(1), moment(2) - moment(1) ** 2
    np.testing.assert_allclose(scores.mean, [mean, -mean], atol=1e-9)
    np.testing.assert_allclose(scores.variance, [variance, variance], atol=1e-9)
    before = asap.Scores(np.zeros(2), np.full(2, 0.5))
    divergence = 0.5 * (variance / 0.5 - 1 - np.log(variance / 0.5) + mean**2 / 0.5)
    gain = asap.gains(before, np.array([0]), np.array([1]))
    assert gain[0] == pytest.approx(2 * divergence)


def test_many_votes_give_the_strengths_and_the_loop_what_all_pairs_at_once_do():
    state = random_board(12, 2000, np.random.default_rng(3))
    scores = asap.solve(state.wins)
    assert np.corrcoef(scores.mean, state.mean)[0, 1] > 0.999
    np.testing.assert_allclose(scores.mean, asap.solve(state.wins, 30).mean, atol=0.02)
    first, second = asap.to_evaluate(scores, np.random.default_rng(1))
    assert 11 <= len(first) < 66
    together, in_turn = (way(scores, first, second) for way in (asap.gains, asap.gains_in_turn))
    np.testing.assert_allclose(together, in_turn, rtol=1e-12)
    assert (together > 0).all()
    one, other = asap.one_pair(state.wins, np.random.default_rng(1))
    assert (one, other) == (first[together.argmax()], second[together.argmax()])


def test_a_batch_spans_every_contestant():
    wins = random_board(12, 300, np.random.default_rng(5)).wins
    first, second = asap.batch(wins, np.random.default_rng(2))
    assert len(first) == 11
    assert set(first) | set(second) == set(range(12))


def test_counts_of_votes_are_those_of_the_library():
    votes = random_votes(6, 500, np.random.default_rng(1))
    np.testing.assert_array_equal(counted(votes, 500), count_matrix(votes).wins)
    assert counted(votes, 100).sum() == 100


def test_public_claims_are_those_of_the_boards_watched_ranges():
    world = World(np.array([0.0, 0.0, 1.5]))
    seen, rng = Seen(world, 2), np.random.default_rng(4)
    assert seen.tied.tolist() == [True, False, False]
    assert not seen.look(seen.boards).any()
    for _ in range(400):
        first, second = uniform(seen.boards, rng)
        seen.boards.absorb(first, second, world.votes(first, second, rng))
    np.testing.assert_array_equal(seen.look(seen.boards), [2.0, 2.0])
    for wins, claimed in zip(seen.boards.wins, seen.public, strict=True):
        nothing = np.zeros_like(wins)
        above = watched_ranges(
            fit_bradley_terry(Counts(a_wins=wins, b_wins=nothing, ties=nothing, both_bad=nothing))
        ).above
        assert claimed.tolist() == (above | above.T)[seen.row, seen.column].tolist() == [False, True, True]
