"""Policies where only some pairs can be asked about, as in a campaign whose items run out."""

import numpy as np
import pytest

from ranking import (
    ArenaRulePolicy,
    BalancedPolicy,
    Candidates,
    DOptimalPolicy,
    DoubleThompsonPolicy,
    RobustPolicy,
    SelectionState,
    ShapeMismatch,
    TooFewCandidates,
    UniformPolicy,
    certification_policy,
    generator,
)

NAMES = np.array([11, 5, 8, 30, 17])
POLICIES = [
    UniformPolicy(),
    BalancedPolicy(),
    ArenaRulePolicy(),
    DOptimalPolicy(),
    RobustPolicy(),
    DoubleThompsonPolicy(),
    certification_policy(),
]
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)


def opened(*pairs: tuple[int, int], names: np.ndarray = NAMES) -> np.ndarray:
    place = {name: position for position, name in enumerate(names.tolist())}
    found = np.zeros((len(names), len(names)), dtype=bool)
    for first, second in pairs:
        found[place[first], place[second]] = found[place[second], place[first]] = True
    return found


def experienced() -> SelectionState:
    state = SelectionState.of(NAMES)
    rng = generator(4)
    for _ in range(60):
        first, second = rng.choice(NAMES, 2, replace=False)
        state.record(int(first), int(second), float(first > second))
    return state


OPEN = [(5, 11), (8, 30), (11, 30)]


@every_policy
def test_only_open_pairs_are_drawn_and_as_often_as_they_say(policy):
    state, candidates = experienced(), Candidates(NAMES, open_pairs=opened(*OPEN))
    inverse: dict[tuple[int, int], list[float]] = {pair: [] for pair in OPEN}
    for seed in range(3000):
        choice = policy.choose(state, candidates, generator(seed))
        inverse[choice.pair].append(1.0 / choice.p_pair)  # KeyError where it is not open
    for weights in inverse.values():
        # Weighed by what was stated, every pair was drawn once per draw.
        values = np.array(weights)
        error = np.sqrt(max((values**2).sum() / 3000 - 1.0, 0.0) / 3000)
        assert values.sum() / 3000 == pytest.approx(1.0, abs=5 * error + 1e-9)


@every_policy
def test_the_only_open_pair_is_certain(policy):
    candidates = Candidates(NAMES, open_pairs=opened((8, 17)))
    choice = policy.choose(experienced(), candidates, generator(1))
    assert (choice.pair, choice.p_pair) == ((8, 17), pytest.approx(1.0))


@pytest.mark.parametrize("policy", [each for each in POLICIES if hasattr(each, "distribution")], ids=lambda p: p.name)
def test_probabilities_of_open_pairs_add_up_to_one(policy):
    candidates = Candidates(NAMES, open_pairs=opened(*OPEN))
    distribution = policy.distribution(experienced(), candidates, generator(2))
    matrix = distribution.matrix()
    assert np.triu(matrix).sum() == pytest.approx(1.0)
    ordered = opened(*OPEN)[np.ix_(np.argsort(NAMES), np.argsort(NAMES))]
    assert ((matrix > 0) == ordered).all()
    for first, second in zip(*np.triu_indices(5, 1), strict=True):
        assert distribution.probability(first, second) == pytest.approx(matrix[first, second])


@every_policy
def test_with_many_contestants_an_open_pair_far_apart_in_rank_is_found(policy):
    names = np.arange(80)
    state = SelectionState.of(names)
    state.mean[:] = np.linspace(3, -3, 80)
    candidates = Candidates(names, open_pairs=opened((0, 79), (1, 70), names=names))
    assert {policy.choose(state, candidates, generator(seed)).pair for seed in range(20)} <= {(0, 79), (1, 70)}


def test_weights_still_count_among_open_pairs():
    weight = np.array([1.0, 1.0, 0.0, 3.0, 1.0])
    candidates = Candidates(NAMES, weight, opened(*OPEN))
    choice = UniformPolicy().choose(None, candidates, generator(3))
    # 8 has no weight, so that 5-11 with 1 and 11-30 with 3 are left.
    assert choice.p_pair == pytest.approx({(5, 11): 0.25, (11, 30): 0.75}[choice.pair])
    assert RobustPolicy().choose(experienced(), candidates, generator(3)).pair in {(5, 11), (11, 30)}


def test_what_is_open_is_part_of_the_digest_however_it_is_listed():
    turned = NAMES[::-1].copy()
    assert Candidates(NAMES).digest != Candidates(NAMES, open_pairs=opened(*OPEN)).digest
    same = Candidates(turned, open_pairs=opened(*OPEN, names=turned))
    assert same.digest == Candidates(NAMES, open_pairs=opened(*OPEN)).digest
    assert same.pairs == 3


@pytest.mark.parametrize(
    ("open_pairs", "refusal"),
    [
        (np.ones((4, 4), dtype=bool), ShapeMismatch),
        (np.ones((5, 5)), ShapeMismatch),
        (np.triu(np.ones((5, 5), dtype=bool)), ShapeMismatch),
        (np.eye(5, dtype=bool), TooFewCandidates),
    ],
    ids=["shape", "type", "one_sided", "nobody"],
)
def test_what_cannot_be_drawn_from_is_refused(open_pairs, refusal):
    with pytest.raises(refusal, match="open"):
        Candidates(NAMES, open_pairs=open_pairs)


def test_pairs_with_contestants_of_no_weight_are_not_open():
    with pytest.raises(TooFewCandidates, match="open"):
        Candidates(NAMES, np.array([1.0, 1.0, 0.0, 1.0, 1.0]), opened((8, 17)))
