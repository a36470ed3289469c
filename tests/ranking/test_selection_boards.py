"""The benchmark's many boards at once do what the library does on one board."""

import numpy as np
import pytest

from benchmarks.answers import designed_and_random
from benchmarks.duels import DoubleThompson, Ours, copeland_winner
from benchmarks.many_boards import (
    Boards,
    arena_rule,
    chances,
    d_optimal,
    established,
    least_met,
    order_aware,
    picked,
    play,
    scored,
    seen_pairs,
    uniform,
    weighted,
)
from benchmarks.worlds import (
    clean,
    cyclic,
    graded_votes,
    heteroscedastic,
    kendall_tau,
    normal_quantiles,
    reward,
    staked_votes,
)
from ranking import ArenaRulePolicy, BalancedPolicy, Candidates, DOptimalPolicy, RobustPolicy, SelectionState, generator

POLICIES = {
    "robust": (RobustPolicy(), order_aware, 8.0, 0.5),
    "d_optimal": (DOptimalPolicy(), d_optimal, 64.0, 1.0),
    "arena_rule": (ArenaRulePolicy(), arena_rule, 1.0, 1.0),
    "balanced": (BalancedPolicy(), least_met, np.inf, 1.0),
}


def play_both(votes, *, waiting=0):
    """The same votes, with cycles so that misfit shows, on three boards and on three states."""
    world = cyclic(6, 1.0, 3, 4)
    rng = np.random.default_rng(1)
    boards, states = Boards(3, 6), [SelectionState.of(range(6)) for _ in range(3)]
    for number in range(votes + waiting):
        first, second = uniform(boards, rng)
        if number >= votes:
            boards.lend(first, second, 1.0)
            for board, state in enumerate(states):
                state.show(number, (int(first[board]), int(second[board])), expires_at=1.0)
            continue
        outcome = world.votes(first, second, rng)
        boards.absorb(first, second, outcome)
        for board, state in enumerate(states):
            state.record(int(first[board]), int(second[board]), float(outcome[board]))
    return boards, states


@pytest.mark.parametrize("votes", [2, 40, 400])
def test_the_posteriors_agree(votes):
    boards, states = play_both(votes)
    for board, state in enumerate(states):
        np.testing.assert_allclose(boards.mean[board], state.mean, atol=1e-5)
        np.testing.assert_allclose(boards.covariance[board], state.covariance, atol=1e-5)
        assert boards.prior_variance[board] == pytest.approx(state.prior_variance)
        assert boards.pair_variance[board] == pytest.approx(state.pair_variance, abs=1e-4)
    assert votes < 400 or boards.pair_variance.max() > 0.1


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("votes", [3, 300])
def test_the_probabilities_agree(name, votes):
    policy, score, eta, share = POLICIES[name]
    boards, states = play_both(votes, waiting=4)
    seen = seen_pairs(boards, np.random.default_rng(2))
    learned = chances(seen, score(seen), eta, share)
    for board, state in enumerate(states):
        alone = policy.distribution(state, Candidates(np.arange(6)), generator(3))
        np.testing.assert_allclose(learned[board], alone.chance, atol=1e-4)


def test_large_boards_score_each_near_pair_and_some_far_ones_once():
    boards = Boards(3, 70)
    boards.mean = np.random.default_rng(5).normal(size=(3, 70))
    seen = seen_pairs(boards, np.random.default_rng(6))
    chance = chances(seen, order_aware(seen), 8.0, 1.0)
    np.testing.assert_allclose(chance.sum(axis=1), 1.0)
    for board in range(3):
        kept = ~seen.repeated[board]
        low = np.minimum(seen.first[board], seen.second[board])[kept]
        high = np.maximum(seen.first[board], seen.second[board])[kept]
        assert len(set(zip(low.tolist(), high.tolist(), strict=True))) == kept.sum()
        assert kept.sum() > sum(70 - apart for apart in range(1, 9)) + 150
        assert not chance[board][~kept].any()


def test_rows_are_picked_in_proportion():
    chance = np.tile([0.5, 0.0, 0.2, 0.3], (40_000, 1))
    found = np.bincount(picked(chance, np.random.default_rng(1)), minlength=4) / 40_000
    np.testing.assert_allclose(found, chance[0], atol=0.01)
    assert found[1] == 0.0


def test_outstanding_votes_arrive_late_but_all_arrive():
    world, boards = clean(5), Boards(2, 5)
    policy = scored(order_aware, eta=8.0)
    curve = play(world, boards, policy, [20, 50], np.random.default_rng(3), outstanding=7)
    assert (boards.votes, boards.wins.sum(), boards.waiting.sum()) == (50, 100.0, 2 * 2 * 7)
    assert curve.value.shape == (2, 2)


def test_votes_until_interpolates_between_checkpoints():
    world = clean(6)
    curve = play(world, Boards(8, 6), uniform, [10, 100, 1000], np.random.default_rng(4))
    mean = curve.value.mean(axis=0)
    half = 0.5 * (mean[1] + mean[2])
    assert curve.votes_until(half) == pytest.approx(550.0)
    assert curve.votes_until(2.0) == np.inf


def test_worlds_are_what_they_say():
    assert kendall_tau(np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]]), np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 1 / 3]
    strength = normal_quantiles(20)
    assert strength.std() == pytest.approx(0.97, abs=0.02)
    for gamma, share in ((0.25, 0.06), (0.5, 0.2), (1.0, 0.5)):
        noise = cyclic(20, gamma, 200, 1).cycle
        assert noise is not None
        np.testing.assert_array_equal(noise, -noise.swapaxes(1, 2))
        variance = noise[:, *np.triu_indices(20, 1)].var()
        assert variance / (variance + 2.0) == pytest.approx(share, abs=0.015)
    rng, pair = np.random.default_rng(2), np.ones(50_000, dtype=int)
    for world, wanted in ((clean(2, 1.0), 0.7940), (heteroscedastic(2), None)):
        found = world.votes(pair, 0 * pair, rng).mean()
        assert wanted is None or found == pytest.approx(wanted, abs=0.008)
        np.testing.assert_allclose(clean(2).borda(), [1 - 0.7940, 0.7940], atol=1e-3)


def test_both_searches_for_the_best_end_up_duelling_it():
    world = clean(6, 2.0)
    for policy, most in ((Ours(), 150), (DoubleThompson(), 600)):
        boards = Boards(40, 6)
        play(world, boards, policy, [most], np.random.default_rng(5))
        assert (boards.mean.argmax(axis=1) == 5).mean() > 0.9
        assert (copeland_winner(boards) == 5).mean() > 0.9
        last = boards.wins.copy()
        play(world, boards, policy, [20], np.random.default_rng(6))
        with_best = (boards.wins - last)[:, 5].sum() + (boards.wins - last)[:, :, 5].sum()
        assert with_best > 0.75 * 40 * 20


def test_an_established_board_knows_everybody_but_the_newcomer():
    world = clean(10)
    boards = established(world, 3, 5, 9_000, np.random.default_rng(7))
    assert boards.votes == 9_000
    np.testing.assert_array_equal(boards.battles[:, 3], np.zeros(5))
    others = np.delete(np.arange(10), 3)
    gap = world.strength[others] - world.strength[others].mean()
    found = boards.mean[:, others] - boards.mean[:, others].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found, np.tile(gap, (5, 1)), atol=0.2)
    assert (boards.covariance[:, 3, 3] > 5 * boards.covariance[:, 0, 0]).all()


def test_a_boosted_newcomer_is_drawn_five_times_as_often_as_another_is_first():
    boards, rng = Boards(30_000, 4), np.random.default_rng(8)
    first, second = weighted(np.array([5.0, 1.0, 1.0, 1.0]))(boards, rng)
    assert (first == second).sum() == 0
    assert (first == 0).mean() == pytest.approx(5 / 8, abs=0.01)
    assert (second[first == 1] == 0).mean() == pytest.approx(5 / 7, abs=0.02)


def test_grades_and_votes_are_the_same_leanings():
    graded, binary = graded_votes(normal_quantiles(8), 4_000, np.random.default_rng(9))
    decided = graded.outcome != 0.5
    np.testing.assert_array_equal(graded.outcome[decided], binary.outcome[decided])
    assert set(graded.grade.tolist()) == set(range(-3, 4))
    even, _ = graded_votes(np.zeros(8), 40_000, np.random.default_rng(9))
    for cut, grade in ((0.4, 1), (1.2, 2), (2.2, 3)):
        assert (even.grade >= grade).mean() == pytest.approx(1 / (1 + np.exp(cut)), abs=0.01)


def test_worth_is_the_mean_amount_of_many_answers_and_not_the_order_of_votes():
    """c_k·s averages to e^½·1; the amounts of a pair to e^½·(worth_i - worth_j)."""
    worth, votes = staked_votes(3, 600_000, 0.5, np.random.default_rng(10))
    assert votes.amount is not None
    for i, j in ((0, 1), (1, 2), (0, 2)):
        here = (votes.a == i) & (votes.b == j)
        scale = np.sqrt(votes.amount[here].var() / here.sum())
        assert abs(votes.amount[here].mean() / np.exp(0.5) - (worth[i] - worth[j])) < 0.2 + 4 * scale


def test_a_pool_has_six_pairs_of_each_prompt_and_designed_labels_teach_sooner():
    world = reward(np.random.default_rng(11), prompts=50, d=8)
    assert (world.contrast.shape, np.bincount(world.prompt).tolist()) == ((300, 8), [6] * 50)
    designed, random = designed_and_random(2, 150, (7,))
    assert designed.votes.tolist() == [50, 100, 150]
    assert (designed.value.mean(axis=0) > random.value.mean(axis=0)).all()
