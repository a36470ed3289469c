"""Where the next questions go: what a page foretells is what the next draw states."""

import numpy as np
import pytest

from annotation.selection import POLICIES, Candidate, NewcomerCap, UnknownPolicy
from annotation.selection.outlook import pair_chances
from tests.arena.test_newcomers import NAMES, NEW, drawn, learned

WEIGHTS = [(1.0,) * 5, (3.0, 1.0, 0.0, 1.0, 1.0)]


def foretold(policy, share, weights, names=NAMES):
    candidates = [Candidate(name, weight) for name, weight in zip(names, weights, strict=True)]
    cap = None if share is None else NewcomerCap(NEW, share)
    parameters = {"newcomer_share": 1.0} if policy == "robust" else {}
    return pair_chances(policy=policy, parameters=parameters, candidates=candidates, state=learned(), cap=cap)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("share", [None, 0.3])
@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "double_thompson"])
def test_what_is_foretold_of_a_pair_is_what_its_draw_states(policy, share, weights):
    chances = foretold(policy, share, weights)
    assert chances.sum() / 2 == pytest.approx(1)
    assert np.array_equal(chances, chances.T)
    for seed in range(60):
        selection = drawn(policy, seed, share, weights)
        first, second = (NAMES.index(name) for name in selection.pair)
        assert chances[first, second] == pytest.approx(selection.probability)


def test_of_a_policy_that_simulates_it_is_the_mean_of_what_draws_state():
    chances = foretold("double_thompson", 0.3, WEIGHTS[0])
    new = np.isin(NAMES, list(NEW))
    assert chances.sum() / 2 == pytest.approx(1)
    assert chances[new[:, None] | new[None, :]].sum() / 2 == pytest.approx(0.3)


def test_the_order_in_which_candidates_are_given_makes_no_difference():
    back = foretold("robust", 0.3, WEIGHTS[1][::-1], NAMES[::-1])
    assert np.allclose(back[::-1, ::-1], foretold("robust", 0.3, WEIGHTS[1]))


def test_an_unknown_policy_is_named():
    with pytest.raises(UnknownPolicy, match="'best' is not one of"):
        foretold("best", None, WEIGHTS[0])
