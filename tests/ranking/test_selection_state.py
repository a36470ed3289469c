"""The posterior behind selection: rank-one steps, warm refits, showings, versions, drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.special import expit

from ranking import BadOutcome, BadParameter, SelectionState, ShapeMismatch, UnknownIndex
from ranking.pair_effects import empirical_bayes_variance, overdispersion, posterior_mode
from ranking.selection.drift import THRESHOLD
from ranking.selection.refit import choose_prior_variance, fit_posterior, misfit

from .worlds import normal_quantiles


def votes_among(state, truth, number, rng, *, refits=True):
    """Uniform pairs, answered by Bradley-Terry truth; names are rows."""
    for _ in range(number):
        i, j = rng.choice(len(truth), 2, replace=False)
        outcome = float(rng.random() < expit(truth[i] - truth[j]))
        if refits:
            state.record(int(i), int(j), outcome)
        else:
            state._absorb(int(i), int(j), outcome)


def random_wins(count, votes, seed, spread=1.0, pair_sd=0.0):
    rng = np.random.default_rng(seed)
    truth = normal_quantiles(count, spread)
    effect = np.triu(rng.normal(0.0, pair_sd, (count, count)), 1)
    wins = np.zeros((count, count))
    first = rng.integers(0, count, votes)
    second = (first + rng.integers(1, count, votes)) % count
    won = rng.random(votes) < expit(truth[first] - truth[second] + (effect - effect.T)[first, second])
    np.add.at(wins, (np.where(won, first, second), np.where(won, second, first)), 1.0)
    return truth, wins


def test_one_vote_changes_the_posterior_by_the_stated_formula():
    state = SelectionState.restored(range(4), random_wins(4, 60, 1)[1])
    mean, covariance, omega = state.mean.copy(), state.covariance.copy(), state.pair_variance
    number = state.met[1, 3]
    x = np.array([0.0, 1.0, 0.0, -1.0])
    p = expit(mean[1] - mean[3])
    w, v, u = p * (1 - p), x @ covariance @ x, covariance @ x
    d = 1 / (1 + omega * (number + 1) * w)
    added = w * d / (1 + omega * number * w)
    state._absorb(1, 3, 1.0)
    np.testing.assert_allclose(state.mean, mean + u * (1 - p) * d / (1 + added * v), atol=1e-14)
    np.testing.assert_allclose(state.covariance, covariance - added / (1 + added * v) * np.outer(u, u), atol=1e-14)
    assert (state.covariance == state.covariance.T).all()


def test_without_pair_effects_the_information_grows_by_exactly_what_the_vote_says():
    """Sherman-Morrison: Σ after the vote is (Σ⁻¹ + w·xxᵀ)⁻¹."""
    state = SelectionState.of(range(5))
    before = np.linalg.inv(state.covariance)
    x = np.array([1.0, 0.0, -1.0, 0.0, 0.0])
    state._absorb(0, 2, 0.5)
    np.testing.assert_allclose(np.linalg.inv(state.covariance), before + 0.25 * np.outer(x, x), atol=1e-12)
    np.testing.assert_array_equal(state.mean, np.zeros(5))


def test_rank_one_steps_stay_near_the_refit():
    """Over as many votes as lie between two refits the steps lose under a fifth of a standard error."""
    rng = np.random.default_rng(7)
    truth, wins = random_wins(10, 1500, 7)
    state = SelectionState.restored(range(10), wins)
    votes_among(state, truth, 99, rng)
    assert state.votes - state.votes_at_refit == 99
    stepped, error = state.mean.copy(), np.sqrt(state.covariance.diagonal())
    state.refit()
    assert np.abs((stepped - state.mean) / error).max() < 0.2
    np.testing.assert_allclose(error, np.sqrt(state.covariance.diagonal()), rtol=0.1)


@pytest.mark.parametrize("omega", [0.0, 0.4])
def test_the_refit_finds_the_mode_of_the_model_with_pair_effects(omega):
    _, wins = random_wins(8, 900, 3, pair_sd=np.sqrt(omega))
    oracle = posterior_mode(wins, 0.7, pair_variance=omega)
    ours = fit_posterior(wins, np.zeros(8), np.full(8, 0.7), omega, np.zeros(8))
    np.testing.assert_allclose(ours.mean, oracle.point, atol=2e-6)
    if not omega:
        np.testing.assert_allclose(ours.covariance, oracle.inverse, rtol=1e-6)


def test_a_prior_of_ones_own_pulls_to_its_own_mean():
    """By brute force: the mode maximises ℓ(θ) - Σ (θ_i - m_i)²/2s_i²."""
    from scipy.optimize import minimize

    _, wins = random_wins(4, 40, 5)
    prior_mean, prior_variance = np.array([0.0, 0.0, 1.2, -0.5]), np.array([1.0, 1.0, 0.25, 0.1])

    def loss(strength):
        gap = strength[:, None] - strength[None, :]
        pull = ((strength - prior_mean) ** 2 / (2 * prior_variance)).sum()
        return float((wins * np.logaddexp(0.0, -gap)).sum() + pull)

    brute = minimize(loss, np.zeros(4), tol=1e-12).x
    ours = fit_posterior(wins, prior_mean, prior_variance, 0.0, np.zeros(4)).mean
    np.testing.assert_allclose(ours, brute, atol=1e-5)


@pytest.mark.parametrize(("spread", "votes"), [(0.3, 400), (1.0, 300), (1.0, 3000), (2.0, 2000)])
def test_the_prior_variance_is_that_of_the_full_search_or_its_neighbour(spread, votes):
    _, wins = random_wins(15, votes, 11, spread)
    oracle = empirical_bayes_variance(wins)
    ours = float(choose_prior_variance(wins, oracle.strength, 0.0))
    assert 0.6 < ours / oracle.variance < 1.6


@pytest.mark.parametrize("pair_sd", [0.0, 0.5, 1.0])
def test_misfit_is_the_moment_estimate_on_one_board_and_on_many(pair_sd):
    boards = [random_wins(9, 1200, seed, pair_sd=pair_sd)[1] for seed in (1, 2, 3)]
    modes = np.stack([posterior_mode(wins, 1.0).point for wins in boards])
    one_by_one = [overdispersion(mode, wins) for mode, wins in zip(modes, boards, strict=True)]
    np.testing.assert_allclose(misfit(np.stack(boards), modes), one_by_one, atol=1e-12)
    if pair_sd == 1.0:
        assert min(one_by_one) > 0.3


def test_many_boards_are_refitted_as_each_alone():
    boards = np.stack([random_wins(6, 200, seed)[1] for seed in range(4)])
    variance = np.array([0.2, 0.5, 1.0, 4.0])
    omega = np.array([0.0, 0.1, 0.0, 0.5])
    prior = np.broadcast_to(variance[:, None], (4, 6))
    together = fit_posterior(boards, np.zeros((4, 6)), prior, omega, np.zeros((4, 6)))
    for board in range(4):
        alone = fit_posterior(boards[board], np.zeros(6), prior[board], float(omega[board]), np.zeros(6))
        np.testing.assert_allclose(together.mean[board], alone.mean, atol=1e-6)
        np.testing.assert_allclose(together.covariance[board], alone.covariance, atol=1e-6)


def test_refits_come_after_half_as_many_votes_as_contestants_then_after_a_fifteenth():
    truth = normal_quantiles(10, 1.0)
    state, rng, refits = SelectionState.of(range(10)), np.random.default_rng(2), []
    for _ in range(400):
        votes_among(state, truth, 1, rng)
        if state.votes_at_refit == state.votes:
            refits.append(state.votes)
    gaps = np.diff([0, *refits])
    assert refits[:4] == [5, 10, 15, 20]
    assert all(gap == max(5, -(-refit // 15)) for gap, refit in zip(gaps[1:], refits[1:], strict=True))


def test_the_order_of_votes_does_not_matter_after_a_refit():
    rng = np.random.default_rng(3)
    rows = [(int(i), int((i + d) % 6), float(o)) for i, d, o in rng.integers((0, 1, 0), (6, 6, 2), (80, 3))]
    states = []
    for order in (rows, rows[::-1]):
        state = SelectionState.of(range(6))
        for first, second, outcome in order:
            state.record(first, second, outcome)
        restored = SelectionState.restored(range(6), state.wins)
        states.append(restored)
    np.testing.assert_array_equal(states[0].mean, states[1].mean)
    assert states[0].digest == states[1].digest


def test_names_need_not_be_rows():
    plain, named = SelectionState.of([0, 1, 2]), SelectionState.of([70, 5, 31])
    for first, second, outcome in ((0, 1, 1.0), (1, 2, 0.5), (2, 0, 1.0)):
        plain.record(first, second, outcome)
        named.record(*(int(named.names[row]) for row in (first, second)), outcome)
    np.testing.assert_array_equal(plain.mean, named.mean)
    np.testing.assert_array_equal(named.rows_of([5, 31, 70]), [1, 2, 0])


def test_a_showing_is_outstanding_until_it_is_closed_or_expires():
    state = SelectionState.of([4, 7, 9])
    state.show("x", (4, 9), expires_at=100.0)
    state.show("y", (9, 4), expires_at=200.0)
    assert state.outstanding[0, 2] == state.outstanding[2, 0] == 2.0
    assert state.expire(150.0) == ("x",)
    assert state.outstanding[0, 2] == 1.0
    assert not state.close("x")
    assert state.close("y")
    assert not state.outstanding.any()
    assert state.events == 4
    with pytest.raises(BadParameter, match="out already"):
        state.show("z", (4, 7), expires_at=1.0)
        state.show("z", (4, 9), expires_at=1.0)


def test_a_newcomer_starts_at_the_boards_mean_with_the_boards_variance():
    state = SelectionState.restored(range(6), random_wins(6, 300, 4)[1])
    variance = state.prior_variance
    state.enter(99)
    assert (state.mean[6], state.covariance[6, 6], state.battles[6]) == (0.0, variance, 0.0)
    np.testing.assert_array_equal(state.covariance[6, :6], np.zeros(6))
    state.refit()
    assert state.mean[6] == 0.0


def test_a_new_version_starts_from_the_old_ones_strength():
    state = SelectionState.restored(range(6), random_wins(6, 600, 4)[1])
    old = state.mean[5]
    state.enter_version(105, of=5)
    assert (state.mean[6], state.covariance[6, 6]) == (old, 0.25)
    state.refit()
    assert state.mean[6] == pytest.approx(old, abs=1e-9)
    assert state.covariance[6, 6] == pytest.approx(0.25, abs=1e-9)
    gaps = state.mean[:6] - state.mean[0]
    for vote in range(60):
        state.record(105, 5, float(vote % 4 == 0))
    assert state.mean[6] - state.mean[5] == pytest.approx(np.log(1 / 3), abs=0.3)
    np.testing.assert_allclose(state.mean[:6] - state.mean[0], gaps, atol=0.3)


def drifting(shift, votes, seed):
    """Votes of contestant 0 until its alarm, with `shift` logits added to it; None if it stays silent."""
    rng = np.random.default_rng(seed)
    truth, wins = random_wins(12, 4000, seed)
    state = SelectionState.restored(range(12), wins)
    changed = truth.copy()
    changed[0] += shift
    before = state.battles[0]
    for _ in range(votes):
        votes_among(state, changed, 1, rng)
        if state.drift.raised()[0]:
            return int(state.battles[0] - before)
    return None


def test_a_contestant_that_changed_raises_the_alarm_and_one_that_did_not_does_not():
    needed = [drifting(1.0, 3000, seed) for seed in range(5)]
    assert all(votes is not None and votes < 400 for votes in needed)
    assert [drifting(0.0, 2000, seed) for seed in range(5)] == [None] * 5


def test_the_alarm_is_as_rare_as_siegmunds_approximation_says():
    """Between equals, a vote is ±1: under one false alarm of a contestant in 13,000 votes."""
    rng = np.random.default_rng(17)
    up, alarms = np.zeros(400), 0
    for _ in range(2500):
        up = np.maximum(0.0, up + rng.choice((-1.0, 1.0), 400) - 0.25)
        alarms += int((up > THRESHOLD).sum())
        up[up > THRESHOLD] = 0.0
    assert alarms < 2 * 400 * 2500 / 26_000


@given(
    votes=st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 4), st.sampled_from((0.0, 0.5, 1.0))), min_size=1, max_size=80
    )
)
@hypothesis_settings(max_examples=40)
def test_whatever_is_voted_the_covariance_stays_positive_and_the_counts_add_up(votes):
    state = SelectionState.of(range(5))
    for first, apart, outcome in votes:
        state.record(first, (first + apart) % 5, outcome)
    assert np.linalg.eigvalsh(state.covariance).min() > 0.0
    assert state.wins.sum() == state.votes == len(votes)
    np.testing.assert_array_equal(state.met, state.wins + state.wins.T)
    np.testing.assert_array_equal(state.battles, state.met.sum(axis=1))


def test_bad_events_are_refused_with_the_fix():
    state = SelectionState.of([1, 2, 3])
    with pytest.raises(UnknownIndex, match=r"8 has not entered this board; call enter\(\) first"):
        state.record(1, 8, 1.0)
    with pytest.raises(UnknownIndex, match="cannot be compared with itself"):
        state.record(2, 2, 1.0)
    for outcome in (0.3, 2.0, np.nan):
        with pytest.raises(BadOutcome, match="use 1"):
            state.record(1, 2, outcome)
    with pytest.raises(UnknownIndex, match="entered already"):
        state.enter(3)
    with pytest.raises(BadParameter, match="Give mean and a positive variance together"):
        state.enter(4, mean=1.0)
    with pytest.raises(BadParameter, match="cost is 0"):
        state.enter(4, cost=0.0)
    with pytest.raises(ShapeMismatch, match="one row and column"):
        SelectionState.restored([1, 2], np.zeros((3, 3)))
    assert (state.votes, state.events, len(state)) == (0, 0, 3)


def test_a_shrunken_fit_of_few_votes_is_not_taken_for_misfit():
    """Ten votes a contestant, Bradley-Terry exactly: with the posterior's degrees of freedom ω² stays near zero."""
    boards = np.stack([random_wins(30, 300, seed, spread=1.5)[1] for seed in range(60)])
    variance = np.full((60, 30), 1.5**2)
    posterior = fit_posterior(boards, np.zeros((60, 30)), variance, 0.0, np.zeros((60, 30)))
    ours = misfit(boards, posterior.mean, posterior.covariance)
    plain = misfit(boards, posterior.mean)
    assert (ours > 0.0).mean() < 0.25
    assert ours.mean() < plain.mean()
