from math import isnan

import numpy as np
import pytest
from scipy.special import expit

from ranking import RobustPolicy, SelectionState, UniformPolicy, generator, votes_saved
from ranking.selection.choice import Candidates

TRUTH = np.linspace(-1.5, 1.5, 8)


def state_of(policy, votes, seed=5):
    rng = generator(seed)
    state = SelectionState.of(range(len(TRUTH)))
    active = Candidates(np.arange(len(TRUTH)))
    for _ in range(votes):
        first, second = policy.choose(state, active, rng).pair
        state.record(first, second, float(rng.random() < expit(TRUTH[first] - TRUTH[second])))
    state.refit()
    return state


def even(each):
    """The same number of votes on every pair, that fit Bradley-Terry exactly."""
    chance = expit(TRUTH[:, None] - TRUTH[None, :])
    wins = each * chance
    np.fill_diagonal(wins, 0.0)
    return SelectionState.restored(range(len(TRUTH)), wins)


def test_votes_drawn_from_every_pair_alike_saved_none():
    found = votes_saved(even(60))
    assert found.votes == pytest.approx(60 * 28)
    assert found.uniform == pytest.approx(found.votes, rel=1e-6)


def test_votes_where_the_order_is_open_saved_some():
    chosen, alike = (votes_saved(state_of(policy, 3000)) for policy in (RobustPolicy(), UniformPolicy()))
    assert chosen.uniform > 1.2 * chosen.votes
    assert alike.uniform == pytest.approx(alike.votes, rel=0.1)


def test_more_votes_leave_fewer_pairs_misordered():
    assert votes_saved(even(200)).misordered < votes_saved(even(20)).misordered


@pytest.mark.parametrize(("state", "why"), [(SelectionState.of([1, 2]), "few"), (SelectionState(), "few")])
def test_nothing_is_said_without_votes(state, why):
    found = votes_saved(state)
    assert (isnan(found.uniform), found.why) == (True, why)


def test_nothing_is_said_where_pairs_have_effects_of_their_own():
    state = even(400)
    circle = state.wins.copy()
    for first in range(len(TRUTH)):
        second = (first + 1) % len(TRUTH)
        circle[first, second], circle[second, first] = 380.0, 20.0
    found = votes_saved(SelectionState.restored(range(len(TRUTH)), circle))
    assert (isnan(found.uniform), found.why) == (True, "pairs")
