"""Every policy: exact probabilities, a floor under every pair, replay bit for bit, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.special import expit, log_expit
from scipy.stats import chi2, norm

from ranking import (
    ArenaRulePolicy,
    BadParameter,
    BalancedPolicy,
    Candidates,
    DOptimalPolicy,
    DoubleThompsonPolicy,
    Policy,
    RobustPolicy,
    SelectionState,
    UnknownIndex,
    best_found,
    certification_policy,
    generator,
)
from ranking.selection.pairs import pairs_to_score
from ranking.selection.thompson import duels

from .worlds import normal_quantiles

NAMES = np.array([41, 3, 17, 8, 29, 12, 5])
POLICIES = [
    BalancedPolicy(),
    ArenaRulePolicy(),
    DOptimalPolicy(),
    RobustPolicy(),
    RobustPolicy(name="costly", cost_power=1.0),
    certification_policy(),
    DoubleThompsonPolicy(),
]
by_name = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)


def board(names, votes, seed, spread=1.0):
    """A state after some uniform votes."""
    rng = np.random.default_rng(seed)
    truth, state = normal_quantiles(len(names), spread), SelectionState.of(names)
    for _ in range(votes):
        i, j = (int(row) for row in rng.choice(len(names), 2, replace=False))
        state.record(int(names[i]), int(names[j]), float(rng.random() < expit(truth[i] - truth[j])))
    return state


def large_board(count=80, seed=9):
    rng = np.random.default_rng(seed)
    truth = normal_quantiles(count, 1.0)
    chance = expit(truth[:, None] - truth[None, :])
    upper = np.triu(rng.binomial(3, chance), 1)
    wins = upper + np.triu(3 - upper, 1).T
    wins[np.tril_indices(count, -1)] = np.triu(3 - upper, 1).T[np.tril_indices(count, -1)]
    return SelectionState.restored(range(count), wins.astype(float))


def stated(policy, state, candidates, seed):
    """(m, m) the probabilities that the draw of `seed` is from."""
    return policy.distribution(state, candidates, generator(seed)).matrix()


@by_name
@pytest.mark.parametrize("size", [7, 80])
def test_every_pair_has_the_floor_and_all_probabilities_sum_to_one(policy, size):
    state = board(NAMES, 60, 1) if size == 7 else large_board()
    candidates = Candidates(state.names)
    for seed in range(5):
        chance = stated(policy, state, candidates, seed)
        upper = chance[np.triu_indices(size, 1)]
        assert upper.sum() == pytest.approx(1.0, abs=1e-9)
        assert upper.min() >= policy.epsilon / candidates.pairs * (1 - 1e-12)
        np.testing.assert_array_equal(chance, chance.T)


@by_name
@pytest.mark.parametrize("size", [7, 80])
def test_a_choice_states_the_probability_it_had(policy, size):
    state = board(NAMES, 60, 1) if size == 7 else large_board()
    candidates = Candidates(state.names)
    for seed in range(60):
        choice = policy.choose(state, candidates, generator(seed))
        low, high = (int(np.flatnonzero(candidates.active == name)[0]) for name in choice.pair)
        assert choice.p_pair == pytest.approx(stated(policy, state, candidates, seed)[low, high], rel=1e-9)
        assert choice.p_pair >= policy.epsilon / candidates.pairs * (1 - 1e-12)
        assert (choice.policy, choice.version, choice.p_side) == (policy.name, "1", 0.5)
        assert choice.candidates == size


def chi_squared(found, expected):
    """Upper tail of Pearson's statistic, cells of under five expected draws taken together."""
    small = expected < 5.0
    observed = np.append(found[~small], found[small].sum())
    wanted = np.append(expected[~small], expected[small].sum())
    kept = wanted > 0
    statistic = ((observed[kept] - wanted[kept]) ** 2 / wanted[kept]).sum()
    return chi2.sf(statistic, kept.sum() - 1)


@by_name
def test_pairs_come_as_often_as_stated(policy):
    """For Thompson the statement changes with the samples of each draw, so expectations add up over the draws."""
    state, draws = board(NAMES, 60, 1), 2000
    candidates = Candidates(NAMES)
    found, expected = np.zeros((7, 7)), np.zeros((7, 7))
    for seed in range(draws):
        choice = policy.choose(state, candidates, generator(seed))
        found[tuple(np.searchsorted(candidates.active, choice.pair))] += 1
        expected += stated(policy, state, candidates, seed)
    upper = np.triu_indices(7, 1)
    assert found.sum() == draws
    assert chi_squared(found[upper], expected[upper]) > 0.001


def test_inverse_probabilities_are_unbiased_when_candidates_are_a_random_window():
    """Σ over all pairs of E[1{drawn}/P] = 1 each: their mean per draw is the number of pairs."""
    state = large_board()
    candidates = Candidates(state.names)
    policy = RobustPolicy(epsilon=0.5)
    weights = np.array([1.0 / policy.choose(state, candidates, generator(seed)).p_pair for seed in range(2000)])
    assert abs(weights.mean() - candidates.pairs) < 4 * weights.std() / np.sqrt(len(weights))


@by_name
def test_a_replay_from_the_logged_seed_and_events_is_the_draw_bit_for_bit(policy):
    """The log: names, votes, showings with their seeds. A second process would start from exactly this."""
    log, state = [], SelectionState.of(NAMES)
    rng = np.random.default_rng(5)
    candidates, waiting = Candidates(NAMES), []
    for seed in range(120):
        digest = state.digest
        choice = policy.choose(state, candidates, generator(seed))
        state.show(seed, choice.pair, expires_at=float(seed + 9))
        log.append(("show", seed, digest, choice))
        waiting.append((seed, choice))
        if len(waiting) > 6:
            ticket, answered = waiting.pop(0)
            outcome = float(rng.integers(0, 3)) / 2
            state.close(ticket)
            state.record(*answered.order, outcome)
            log.append(("vote", ticket, answered.order, outcome))

    again = SelectionState.of(NAMES)
    for kind, ticket, *rest in log:
        if kind == "show":
            digest, choice = rest
            assert again.digest == digest
            assert policy.choose(again, candidates, generator(ticket)) == choice
            again.show(ticket, choice.pair, expires_at=float(ticket + 9))
        else:
            order, outcome = rest
            again.close(ticket)
            again.record(*order, outcome)
    assert again.digest == state.digest


def test_a_draw_changes_nothing_in_the_state():
    state = board(NAMES, 60, 1)
    before = state.digest
    for policy in POLICIES:
        policy.choose(state, Candidates(NAMES), generator(3))
    assert state.digest == before
    assert state.copy().digest == before


def test_a_stored_seed_gives_the_pair_it_gave_when_it_was_logged():
    """If this fails, draws already logged can no longer be replayed: raise the policy's version."""
    state = board(NAMES, 60, 1)
    drawn = {
        policy.name: [policy.choose(state, Candidates(NAMES), generator(seed)).order for seed in range(4)]
        for policy in POLICIES
    }
    assert drawn == STORED


STORED = {
    "balanced": [(3, 5), (5, 17), (5, 3), (29, 5)],
    "arena_rule": [(3, 29), (17, 41), (29, 3), (29, 5)],
    "d_optimal": [(17, 29), (17, 29), (29, 17), (29, 5)],
    "robust": [(8, 29), (17, 29), (29, 8), (29, 5)],
    "costly": [(8, 29), (17, 29), (29, 8), (29, 5)],
    "certification": [(5, 12), (17, 29), (12, 5), (29, 5)],
    "double_thompson": [(5, 12), (5, 12), (12, 29), (12, 5)],
}


def test_robust_is_the_formula_of_the_paper_written_out():
    """a = w/(1 + ω²(N + N°)w)²·v·φ(|Δ|/√v)^κ, P = ε/|A| + (1 - ε)·(a/max a)^η/Σ, one pair at a time."""
    state = board(NAMES, 120, 2)
    state.pair_variance = 0.3
    state.show("one", (41, 3), expires_at=1.0)
    a = np.zeros((7, 7))
    for i in range(7):
        for j in range(i + 1, 7):
            x = np.zeros(7)
            x[i], x[j] = 1.0, -1.0
            v, gap = x @ state.covariance @ x, state.mean[i] - state.mean[j]
            p = expit(gap / np.sqrt(1 + np.pi * v / 8))
            w, number = p * (1 - p), state.wins[i, j] + state.wins[j, i] + state.outstanding[i, j]
            a[i, j] = w / (1 + 0.3 * number * w) ** 2 * v * norm.pdf(abs(gap) / np.sqrt(v)) ** (1 / (1 + 0.3 / 0.1))
    learned = (a / a.max()) ** 8
    wanted = 0.1 / 21 + 0.9 * learned / learned.sum()
    order = np.argsort(NAMES)
    wanted = np.triu(wanted, 1) + np.triu(wanted, 1).T
    found = stated(RobustPolicy(newcomer_share=1.0), state, Candidates(NAMES), 1)
    np.testing.assert_allclose(found[np.triu_indices(7, 1)], wanted[np.ix_(order, order)][np.triu_indices(7, 1)])


def test_the_arena_rule_is_equation_9_and_wants_every_pair_once_first():
    state = board(NAMES[:4], 50, 4)
    candidates = Candidates(NAMES[:4])
    found = stated(ArenaRulePolicy(epsilon=1e-12), state, candidates, 1)
    rows = state.rows_of(candidates.active)
    wins = state.wins[np.ix_(rows, rows)]
    number = wins + wins.T
    rate = (wins + 1) / (number + 2)
    with np.errstate(divide="ignore"):
        gain = np.sqrt(rate * (1 - rate) / number) - np.sqrt(rate * (1 - rate) / (number + 1))
    upper = np.triu_indices(4, 1)
    np.testing.assert_allclose(found[upper], gain[upper] / gain[upper].sum(), rtol=1e-9)
    state.enter(99)
    fresh = stated(ArenaRulePolicy(epsilon=1e-12), state, Candidates([*NAMES[:4], 99]), 1)
    np.testing.assert_allclose(fresh[-1, :-1], 0.25, rtol=1e-9)


def test_balanced_draws_only_among_the_least_met_besides_its_floor():
    state = SelectionState.of([1, 2, 3])
    state.record(1, 2, 1.0)
    state.show("out", (1, 3), expires_at=9.0)
    chance = stated(BalancedPolicy(epsilon=0.3), state, Candidates([1, 2, 3]), 1)
    np.testing.assert_allclose(chance[[0, 0, 1], [1, 2, 2]], [0.1, 0.1, 0.8])


def test_d_optimal_wants_what_shrinks_the_determinant_most():
    """By brute force over all pairs: the largest fall of ln|Σ| after one more vote."""
    state = board(NAMES, 90, 6)
    drop = np.zeros((7, 7))
    for i in range(7):
        for j in range(i):
            later = state.copy()
            later._absorb(i, j, 0.5)
            drop[i, j] = np.linalg.slogdet(state.covariance)[1] - np.linalg.slogdet(later.covariance)[1]
    best = tuple(sorted(int(state.names[row]) for row in np.unravel_index(drop.argmax(), drop.shape)))
    chance = stated(DOptimalPolicy(eta=np.inf, epsilon=1e-6), state, Candidates(NAMES), 1)
    likeliest = np.unravel_index(np.triu(chance).argmax(), chance.shape)
    assert tuple(int(name) for name in np.sort(NAMES)[list(likeliest)]) == best


def test_certification_keeps_asking_about_a_pair_whose_order_is_clear():
    state = SelectionState.of([1, 2, 3])
    for _ in range(200):
        for first, second, share in ((1, 2, 0.65), (2, 3, 0.5), (1, 3, 0.65)):
            state.record(first, second, float((state.votes * 7919 % 100) / 100 < share))
    candidates = Candidates([1, 2, 3])
    assert stated(certification_policy(), state, candidates, 1)[0, 1] > 0.25
    assert stated(RobustPolicy(), state, candidates, 1)[0, 1] < 0.1


def test_newcomers_get_at_most_their_share_and_all_of_it_when_they_need_it():
    state = board(NAMES, 700, 3)
    state.enter(99)
    candidates = Candidates([*NAMES, 99])
    for share in (0.2, 0.5, 1.0):
        chance = stated(RobustPolicy(newcomer_share=share, epsilon=1e-9), state, candidates, 1)
        with_newcomer = chance[-1].sum()
        assert with_newcomer == pytest.approx(share, abs=1e-6) if share < 1.0 else with_newcomer > 0.95
    everyone_new = SelectionState.of(NAMES)
    even = stated(RobustPolicy(newcomer_share=0.2), everyone_new, Candidates(NAMES), 1)
    np.testing.assert_allclose(even[np.triu_indices(7, 1)], 1 / 21)


def test_dear_contestants_are_shown_less_by_the_cost_of_the_pair():
    state = SelectionState.of([])
    for name, cost in ((1, 1.0), (2, 1.0), (3, 4.0)):
        state.enter(name, cost=cost)
    chance = stated(RobustPolicy(cost_power=1.0, eta=1.0, epsilon=1e-12), state, Candidates([1, 2, 3]), 1)
    gain_per_cost = np.array([1 / 2, 1 / 5, 1 / 5])
    np.testing.assert_allclose(chance[[0, 0, 1], [1, 2, 2]], gain_per_cost / gain_per_cost.sum(), rtol=1e-9)


def test_sampling_weights_multiply_the_learned_part_and_zero_is_out():
    state = SelectionState.of([1, 2, 3, 4])
    candidates = Candidates(np.array([1, 2, 3, 4]), np.array([1.0, 2.0, 3.0, 0.0]))
    chance = stated(RobustPolicy(epsilon=0.3), state, candidates, 1)
    product = np.array([2.0, 3.0, 6.0])
    np.testing.assert_allclose(chance[[0, 0, 1], [1, 2, 2]], 0.1 + 0.7 * product / product.sum(), rtol=1e-9)
    for seed in range(50):
        assert 4 not in RobustPolicy().choose(state, candidates, generator(seed)).pair


def test_a_batch_has_different_pairs_with_their_probability_given_those_before():
    state, policy, candidates = board(NAMES[:4], 40, 8), RobustPolicy(), Candidates(NAMES[:4])
    chance = stated(policy, state, candidates, 1)
    for seed in range(20):
        batch, left = policy.choose_batch(state, candidates, generator(seed), 6), 1.0
        assert len({choice.pair for choice in batch}) == 6
        for choice in batch:
            alone = chance[tuple(np.searchsorted(candidates.active, choice.pair))]
            assert choice.p_pair == pytest.approx(min(alone / left, 1.0), rel=1e-9)
            left -= alone
    with pytest.raises(BadParameter, match="6 pairs are active"):
        policy.choose_batch(state, candidates, generator(1), 7)


def test_of_many_contestants_near_ranks_and_a_random_few_are_scored_once_each():
    mean = np.random.default_rng(1).normal(size=90)
    pairs = pairs_to_score(mean, generator(4))
    rank = np.empty(90, dtype=int)
    rank[np.argsort(-mean)] = np.arange(90)
    apart = np.abs(rank[pairs.first] - rank[pairs.second])
    codes = {tuple(sorted(pair)) for pair in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}
    assert len(codes) == len(pairs.first)
    assert (apart <= 8).sum() == sum(90 - distance for distance in range(1, 9))
    assert 150 < (apart > 8).sum() <= 256
    assert set(pairs_to_score(mean[:60], generator(4)).first) == set(range(59))


def test_duels_are_the_chances_of_drawing_two_and_redrawing_equals():
    """Against the procedure itself: two from the shares, up to five more tries for the second, then the challenger."""
    share, challenger = np.array([0.6, 0.3, 0.1, 0.0]), np.array([1, 0, 0, 0])
    chance = duels(share, challenger)
    assert np.triu(chance, 1).sum() == pytest.approx(1.0)
    rng, found = np.random.default_rng(3), np.zeros((4, 4))
    for _ in range(20_000):
        i = rng.choice(4, p=share)
        for _ in range(6):
            if (j := rng.choice(4, p=share)) != i:
                break
        else:
            j = challenger[i]
        found[min(i, j), max(i, j)] += 1
    upper = np.triu_indices(4, 1)
    assert chi_squared(found[upper], 20_000 * chance[upper]) > 0.001


def test_thompson_looks_at_the_top_and_stops_when_the_best_is_clear():
    state = board(NAMES, 900, 5, spread=1.5)
    best = int(NAMES[-1])
    candidates = Candidates(NAMES)
    with_best = stated(DoubleThompsonPolicy(), state, candidates, 1)[np.searchsorted(candidates.active, best)].sum()
    assert with_best > 0.9
    found = best_found(state, candidates, generator(1))
    assert (found.best, found.enough(), found.separated) == (best, True, True)
    early = best_found(board(NAMES, 20, 5), candidates, generator(1))
    assert not early.enough()
    assert early.enough(tolerance=10.0)


@given(
    votes=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4), st.sampled_from((0.0, 0.5, 1.0))), max_size=60),
    seed=st.integers(0, 2**63 - 1),
    policy=st.sampled_from(POLICIES),
)
@hypothesis_settings(max_examples=60)
def test_whatever_was_voted_a_choice_has_at_least_the_floors_probability(votes, seed, policy):
    state = SelectionState.of(range(5))
    for first, apart, outcome in votes:
        state.record(first, (first + apart) % 5, outcome)
    choice = policy.choose(state, Candidates(np.arange(5)), generator(seed))
    assert policy.epsilon / 10 * (1 - 1e-12) <= choice.p_pair <= 1.0


def test_policies_fit_the_interface_and_say_what_shaped_them():
    learned: list[Policy[SelectionState]] = list(POLICIES)
    assert [policy.name for policy in learned] == [
        "balanced",
        "arena_rule",
        "d_optimal",
        "robust",
        "costly",
        "certification",
        "double_thompson",
    ]
    assert dict(RobustPolicy().parameters) == {
        "format": "votes",
        "epsilon": 0.1,
        "eta": 8.0,
        "kappa": "misfit",
        "newcomer_share": 0.5,
        "cost_power": 0.0,
    }
    assert dict(BalancedPolicy().parameters) == {"epsilon": 0.1, "eta": "inf"}
    assert dict(DoubleThompsonPolicy().parameters) == {"epsilon": 0.05, "draws": 256}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RobustPolicy(epsilon=0.0), "epsilon is 0.0"),
        (lambda: RobustPolicy(epsilon=1.5), "epsilon is 1.5"),
        (lambda: RobustPolicy(eta=0.0), "eta is 0.0"),
        (lambda: RobustPolicy(kappa=-1.0), "kappa is -1.0"),
        (lambda: RobustPolicy(newcomer_share=0.0), "newcomer_share is 0.0"),
        (lambda: RobustPolicy(cost_power=-1.0), "cost_power is -1.0"),
        (lambda: DoubleThompsonPolicy(draws=0), "draws is 0"),
        (lambda: DoubleThompsonPolicy(epsilon=0.0), "epsilon is 0.0"),
    ],
)
def test_settings_without_meaning_are_refused(make, message):
    with pytest.raises(BadParameter, match=message):
        make()


@by_name
def test_a_candidate_that_never_entered_is_refused(policy):
    with pytest.raises(UnknownIndex, match="77 has not entered this board"):
        policy.choose(SelectionState.of(NAMES), Candidates([3, 77]), generator(1))


def test_very_sure_and_very_unsure_boards_still_have_finite_probabilities():
    """After 4,000 one-sided votes p(1 - p) and v are tiny; at the start all pairs are alike."""
    state = SelectionState.of(range(4))
    for vote in range(4000):
        state.record(vote % 3, 3, 1.0)
    assert log_expit(state.mean[3] - state.mean[0]) < -5.0
    for policy in POLICIES:
        chance = stated(policy, state, Candidates(np.arange(4)), 1)
        assert np.isfinite(chance).all()
