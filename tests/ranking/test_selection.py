"""Drawing pairs: exact probabilities, replay, refusals."""

from collections import Counter
from hashlib import sha256
from itertools import combinations
from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from ranking import (
    BadParameter,
    BadWeight,
    Candidates,
    Choice,
    Policy,
    ShapeMismatch,
    TooFewCandidates,
    UniformPolicy,
    UnknownIndex,
    generator,
    random_order,
    uniform_pair,
)

ACTIVE = np.array([11, 3, 42, 7, 8])


def frequencies(weight, draws=20_000):
    rng = generator(5)
    return Counter(uniform_pair(ACTIVE, rng, weight=weight).pair for _ in range(draws))


def test_every_pair_is_equally_likely():
    found = frequencies(None)
    pairs = list(combinations(sorted(ACTIVE.tolist()), 2))
    assert set(found) == set(pairs)
    assert chisquare([found[pair] for pair in pairs]).pvalue > 0.001


def test_a_weighted_pair_is_as_likely_as_the_product_of_its_weights():
    weight = np.array([1.0, 4.0, 0.0, 0.5, 2.0])
    by_name = dict(zip(ACTIVE.tolist(), weight.tolist(), strict=True))
    pairs = [pair for pair in combinations(sorted(by_name), 2) if by_name[pair[0]] * by_name[pair[1]] > 0]
    product = np.array([by_name[i] * by_name[j] for i, j in pairs])
    found = frequencies(weight)
    assert set(found) == set(pairs)
    assert chisquare([found[pair] for pair in pairs], 20_000 * product / product.sum()).pvalue > 0.001
    rng = generator(6)
    for _ in range(50):
        choice = uniform_pair(ACTIVE, rng, weight=weight)
        assert choice.p_pair == pytest.approx(by_name[choice.pair[0]] * by_name[choice.pair[1]] / product.sum())


@given(
    weight=st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=7),
    seed=st.integers(0, 2**64 - 1),
    zeros=st.integers(0, 3),
)
def test_the_stated_probability_is_exact_whatever_the_weights(weight, seed, zeros):
    padded = np.array(weight + [0.0] * zeros)
    choice = uniform_pair(np.arange(len(padded)), generator(seed), weight=padded)
    total = sum(x * y for x, y in combinations(weight, 2))
    assert choice.p_pair == pytest.approx(padded[choice.pair[0]] * padded[choice.pair[1]] / total, rel=1e-9)
    assert max(choice.pair) < len(weight)


def test_a_choice_carries_everything_that_is_logged():
    choice = uniform_pair(ACTIVE, generator(123))
    assert choice == Choice(
        pair=(3, 11),
        p_pair=0.1,
        floor=True,
        order=(3, 11),
        p_side=0.5,
        candidates=5,
        candidates_digest=sha256(pack("<5q", 3, 7, 8, 11, 42)).hexdigest(),
        policy="uniform",
        version="1",
        parameters={},
    )


def test_the_same_seed_replays_the_draw_bit_for_bit():
    for weight in (None, np.array([1.0, 4.0, 0.3, 0.5, 2.0])):
        for seed in range(200):
            assert uniform_pair(ACTIVE, generator(seed), weight=weight) == uniform_pair(
                ACTIVE, generator(seed), weight=weight
            )


def test_a_stored_seed_gives_the_pair_it_gave_when_it_was_logged():
    """If this fails, draws already logged can no longer be replayed: raise the policy's version."""
    drawn = [uniform_pair(np.arange(10), generator(seed)).order for seed in range(6)]
    assert drawn == STORED
    weighted = [uniform_pair(np.arange(10), generator(seed), weight=np.arange(10.0)).order for seed in range(6)]
    assert weighted == STORED_WEIGHTED


STORED = [(2, 6), (5, 9), (3, 2), (3, 0), (9, 4), (8, 7)]
STORED_WEIGHTED = [(5, 7), (7, 9), (6, 5), (5, 3), (9, 6), (9, 8)]


def test_the_order_in_which_candidates_are_listed_does_not_matter():
    weight = np.array([1.0, 4.0, 0.3, 0.5, 2.0])
    shuffle = np.array([4, 2, 0, 3, 1])
    assert Candidates(ACTIVE).digest == Candidates(ACTIVE[shuffle]).digest
    assert Candidates(ACTIVE, weight).digest == Candidates(ACTIVE[shuffle], weight[shuffle]).digest
    for seed in range(20):
        here = uniform_pair(ACTIVE, generator(seed), weight=weight)
        assert here == uniform_pair(ACTIVE[shuffle], generator(seed), weight=weight[shuffle])


def test_the_digest_tells_sets_and_weights_apart():
    digests = {
        Candidates(ACTIVE).digest,
        Candidates(ACTIVE[:4]).digest,
        Candidates(ACTIVE, np.ones(5)).digest,
        Candidates(ACTIVE, np.array([1.0, 1.0, 1.0, 1.0, 2.0])).digest,
    }
    assert len(digests) == 4


def test_only_a_draw_uniform_over_all_pairs_is_marked_as_floor():
    assert uniform_pair(ACTIVE, generator(1)).floor
    assert not uniform_pair(ACTIVE, generator(1), weight=np.ones(5)).floor


def test_sides_are_a_fair_coin():
    rng = generator(8)
    first = sum(random_order((2, 9), rng)[0] == (2, 9) for _ in range(10_000))
    assert abs(first - 5000) < 4 * 50


def test_two_candidates_are_certain():
    choice = uniform_pair(np.array([4, 2]), generator(3), weight=np.array([1e-8, 3.0]))
    assert (choice.pair, choice.p_pair) == ((2, 4), pytest.approx(1.0))


@pytest.mark.parametrize(
    ("active", "weight", "refusal"),
    [
        ([5], None, TooFewCandidates),
        ([], None, TooFewCandidates),
        ([5, 5], None, UnknownIndex),
        ([0.5, 1.5], None, UnknownIndex),
        ([[1, 2]], None, UnknownIndex),
        ([1, 2], [1.0], ShapeMismatch),
        ([1, 2], [1.0, 0.0], TooFewCandidates),
        ([1, 2], [1.0, -1.0], BadWeight),
        ([1, 2], [1.0, np.nan], BadWeight),
    ],
)
def test_candidates_without_a_pair_are_refused(active, weight, refusal):
    with pytest.raises(refusal):
        Candidates(np.array(active), None if weight is None else np.array(weight))


def test_a_choice_that_could_not_have_happened_is_refused():
    fine = uniform_pair(ACTIVE, generator(1))
    given_fields = {name: getattr(fine, name) for name in Choice.__dataclass_fields__}
    for changes in ({"p_pair": 0.0}, {"p_pair": 1.5}, {"p_side": 0.0}, {"pair": (3, 3)}, {"order": (3, 99)}):
        with pytest.raises(BadParameter):
            Choice(**given_fields | changes)
    with pytest.raises(TypeError):
        fine.parameters["eta"] = 8  # type: ignore[index]


def test_another_policy_fits_the_interface():
    """As a policy that learns would: its state holds a score per pair, its probability is exact."""

    class ByScore:
        name, version = "by_score", "1"
        parameters = {"epsilon": 0.1}

        def choose(self, state: np.ndarray, candidates: Candidates, rng: np.random.Generator) -> Choice:
            pairs = list(combinations(candidates.active.tolist(), 2))
            chance = 0.1 / len(pairs) + 0.9 * state / state.sum()
            picked = int(np.searchsorted(np.cumsum(chance), rng.random()))
            order, p_side = random_order(pairs[picked], rng)
            return Choice(
                pair=pairs[picked],
                p_pair=float(chance[picked]),
                floor=False,
                order=order,
                p_side=p_side,
                candidates=len(candidates),
                candidates_digest=candidates.digest,
                policy=self.name,
                version=self.version,
                parameters=self.parameters,
            )

    learned: Policy[np.ndarray] = ByScore()
    nothing: Policy[object] = UniformPolicy()
    score = np.arange(1.0, 11.0)
    assert learned.choose(score, Candidates(ACTIVE), generator(1)) == learned.choose(
        score, Candidates(ACTIVE), generator(1)
    )
    assert nothing.choose(None, Candidates(ACTIVE), generator(1)) == uniform_pair(ACTIVE, generator(1))
