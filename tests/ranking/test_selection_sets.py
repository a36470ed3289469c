"""Three and four contestants at once: the stated probability of a set is how often it is drawn."""

from collections import Counter
from itertools import combinations, permutations
from math import comb

import numpy as np
import pytest

from ranking import (
    BadParameter,
    BalancedPolicy,
    Candidates,
    DoubleThompsonPolicy,
    RobustPolicy,
    SelectionState,
    TooFewCandidates,
    UniformPolicy,
    chance_of_none,
    choose_capped_set,
    choose_set,
    draw_set,
    generator,
    set_probability,
)

NAMES = np.array([11, 5, 8, 30, 17])
WEIGHT = np.array([1.0, 4.0, 0.5, 2.0, 1.5])
POLICIES = [UniformPolicy(), BalancedPolicy(epsilon=0.3), RobustPolicy(), DoubleThompsonPolicy()]
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
any_weights = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
three_or_four = pytest.mark.parametrize("size", [3, 4])


def experienced() -> SelectionState:
    state, rng = SelectionState.of(NAMES), generator(4)
    for _ in range(60):
        first, second = rng.choice(NAMES, 2, replace=False)
        state.record(int(first), int(second), float(first > second))
    return state


@every_policy
@any_weights
@three_or_four
def test_the_probabilities_of_all_sets_come_to_one_and_none_is_below_the_floor(policy, weight, size):
    candidates, seed = Candidates(NAMES, weight), 7
    distribution = policy.distribution(experienced(), candidates, generator(seed))
    chances = [
        set_probability(distribution, members, weight=candidates.weight) for members in combinations(range(5), size)
    ]
    assert sum(chances) == pytest.approx(1.0, abs=1e-12)
    assert min(chances) >= distribution.epsilon / comb(5, size) - 1e-12


@every_policy
@any_weights
@three_or_four
def test_sets_are_drawn_as_often_as_they_say(policy, weight, size):
    """Chi-square at a level of 1 in 100,000, of 9 degrees of freedom or fewer."""
    candidates, rng, draws = Candidates(NAMES, weight), generator(11), 3000
    distribution = policy.distribution(experienced(), candidates, rng)
    counts = Counter(draw_set(distribution, size, rng, weight=candidates.weight).members for _ in range(draws))
    told = {
        members: draws * set_probability(distribution, members, weight=candidates.weight)
        for members in combinations(range(5), size)
    }
    assert sum((counts[members] - often) ** 2 / often for members, often in told.items()) < 45.0


def test_weighted_sets_are_the_sum_over_every_way_to_draw_them():
    """Against an enumeration that shares nothing with the formula: every pair, then every order of the others."""
    distribution = UniformPolicy().distribution(None, Candidates(np.arange(5), WEIGHT), generator(0))
    pairs = {pair: WEIGHT[pair[0]] * WEIGHT[pair[1]] for pair in combinations(range(5), 2)}
    total = sum(pairs.values())
    enumerated: Counter[tuple[int, ...]] = Counter()
    for pair, mass in pairs.items():
        for third, fourth in permutations([each for each in range(5) if each not in pair], 2):
            left = WEIGHT.sum() - WEIGHT[list(pair)].sum()
            chance = mass / total * WEIGHT[third] / left * WEIGHT[fourth] / (left - WEIGHT[third])
            enumerated[tuple(sorted((*pair, third, fourth)))] += chance
    stated = {members: set_probability(distribution, members, weight=WEIGHT) for members in combinations(range(5), 4)}
    assert stated == pytest.approx(dict(enumerated))


def test_equal_contestants_make_every_set_alike_and_all_of_it_is_floor():
    drawn = choose_set(UniformPolicy(), None, Candidates(NAMES), generator(3), 3)
    assert (drawn.p_set, drawn.floor, drawn.candidates) == (pytest.approx(1 / comb(5, 3)), True, 5)


def test_the_same_seed_draws_the_same_set():
    candidates, state = Candidates(NAMES, WEIGHT), experienced()
    one, again = (choose_set(RobustPolicy(), state, candidates, generator(9), 4) for _ in range(2))
    assert one == again


def test_a_set_larger_than_the_candidates_and_open_pairs_are_refused_by_name():
    with pytest.raises(TooFewCandidates):
        choose_set(UniformPolicy(), None, Candidates(NAMES[:2]), generator(0), 3)
    some = np.zeros((5, 5), dtype=bool)
    some[0, 1] = some[1, 0] = True
    with pytest.raises(BadParameter):
        choose_set(UniformPolicy(), None, Candidates(NAMES, None, some), generator(0), 3)
    with pytest.raises(BadParameter):
        choose_set(UniformPolicy(), None, Candidates(NAMES), generator(0), 1)


MARKED = {8, 17}


def capped_chances(policy, candidates, size, share, *, draws=400):
    """Of each set that came up, as it was stated; the state is fresh each time and the stream runs on."""
    stated: dict[tuple[int, ...], set[float]] = {}
    state = experienced()
    for seed in range(draws):
        rng = generator(seed)
        choice = choose_capped_set(policy, state, candidates, rng, size, marked=MARKED, share=share)
        stated.setdefault(choice.members, set()).add(round(choice.p_set, 12))
    return stated


@every_policy
@any_weights
@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_chance_that_none_of_some_is_in_a_set_is_the_sum_over_the_sets_without_them(policy, weight, size):
    """By enumeration of every set."""
    candidates = Candidates(NAMES, weight)
    distribution = policy.distribution(experienced(), candidates, generator(7))
    for count in (1, 2):
        marked = np.isin(np.arange(5), [0, 3][:count])
        without = [
            set_probability(distribution, members, weight=candidates.weight)
            for members in combinations(range(5), size)
            if not marked[list(members)].any()
        ]
        found = chance_of_none(distribution, size, marked, weight=candidates.weight)
        assert found == pytest.approx(sum(without), abs=1e-12)


@pytest.mark.parametrize("policy", [UniformPolicy(), BalancedPolicy(epsilon=0.9)], ids=lambda policy: policy.name)
@any_weights
def test_under_a_cap_the_stated_probabilities_come_to_one_and_to_the_share(policy, weight):
    """Every set of three comes up; two of five are marked, so one set has none of them."""
    stated = capped_chances(policy, Candidates(NAMES, weight), 3, 0.4)
    assert set(map(len, stated.values())) == {1}
    chances = {members: found.pop() for members, found in stated.items()}
    assert len(chances) == 10
    assert sum(chances.values()) == pytest.approx(1.0, abs=1e-9)
    assert sum(p for members, p in chances.items() if MARKED & set(members)) == pytest.approx(0.4, abs=1e-9)


@three_or_four
def test_sets_under_a_cap_are_drawn_as_often_as_they_say_and_control_without_it_they_are_not(size):
    names = np.arange(7)
    candidates, share, draws = Candidates(names, np.array([1.0, 3.0, 1.0, 2.0, 1.0, 1.0, 4.0])), 0.3, 3000
    rng, counts, weights, free = generator(5), Counter(), [], 0
    for _turn in range(draws):
        choice = choose_capped_set(
            BalancedPolicy(epsilon=0.3), SelectionState.of(names), candidates, rng, size, marked={0, 6}, share=share
        )
        counts[bool({0, 6} & set(choice.members))] += 1
        weights.append(1.0 / choice.p_set)
        free += bool({0, 6} & set(choose_set(UniformPolicy(), None, candidates, rng, size).members))
    assert counts[True] / draws == pytest.approx(share, abs=0.035)
    assert free / draws > share + 0.2
    # Weighed by one over its probability each set counts the same: their mean is the number of sets.
    assert np.mean(weights) == pytest.approx(comb(7, size), rel=0.15)


def test_a_cap_that_does_not_bind_draws_as_if_there_were_none():
    candidates = Candidates(NAMES, WEIGHT)
    for marked, share in ((set(), 0.2), ({8}, 1.0), ({5, 8, 11}, 0.2)):
        one, other = generator(3), generator(3)
        capped = choose_capped_set(RobustPolicy(), experienced(), candidates, one, 3, marked=marked, share=share)
        assert capped == choose_set(RobustPolicy(), experienced(), candidates, other, 3)


@pytest.mark.parametrize(("size", "share"), [(5, 0.2), (3, 0.0), (3, 1.1)])
def test_a_cap_outside_its_bounds_is_refused(size, share):
    with pytest.raises(BadParameter):
        choose_capped_set(UniformPolicy(), None, Candidates(NAMES), generator(1), size, marked=MARKED, share=share)
