"""How many votes more would separate a pair, and how few decide the first place."""

from itertools import product

import numpy as np
import pytest

from ranking import (
    BadParameter,
    Comparisons,
    Counts,
    Family,
    NormalPrior,
    NotConnected,
    bootstrap_bradley_terry,
    count_matrix,
    fewest_votes_for_first,
    fit_bradley_terry,
    minimal_detectable_gap,
    rank_ranges,
    votes_needed,
)
from tests.ranking.worlds import bradley_terry_world, clustered_world, davidson_world


def test_among_groups_that_never_met_nobody_is_first():
    apart = np.zeros((4, 4))
    apart[0, 1], apart[1, 0], apart[2, 3], apart[3, 2] = 30, 10, 20, 15
    with pytest.raises(NotConnected, match="Rank each group apart") as refusal:
        fewest_votes_for_first(Counts.of(apart))
    assert refusal.value.components == ((0, 1), (2, 3))
    boot = bootstrap_bradley_terry(Counts.of(apart), rng=np.random.default_rng(0), draws=100)
    with pytest.raises(NotConnected):
        boot.probability_best()
    assert boot.critical_value() < 4.0


def separated(fit, i, j):
    return rank_ranges(fit, family=Family.PAIR).above[i, j]


def test_a_gap_of_the_detectable_size_is_found_as_often_as_the_power_says():
    found = []
    wins = 50.0 * (np.ones((4, 4)) - np.eye(4))
    gap = minimal_detectable_gap(fit_bradley_terry(Counts.of(wins)), power=0.8)[0, 1]
    rng, strength = np.random.default_rng(1), np.array([gap / 2, -gap / 2, 0.0, 0.0])
    chance = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
    for _ in range(400):
        upper = np.triu(rng.binomial(100, chance), 1).astype(float)
        fit = fit_bradley_terry(Counts.of(upper + np.triu(100 - upper, 1).T), prior=None)
        found.append(separated(fit, 0, 1))
    assert abs(np.mean(found) - 0.8) < 0.07


@pytest.mark.parametrize("way", ["direct", "spread"])
def test_the_votes_said_to_be_needed_separate_as_often_as_the_power_says(way):
    strength = np.array([0.30, 0.10, -0.1, -0.3])
    chance = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
    start = 60.0 * chance * (1 - np.eye(4))
    fit = fit_bradley_terry(Counts.of(start), prior=None)
    needed = getattr(votes_needed(fit, power=0.8), way)[0, 1]
    assert 100 < needed < 5000
    rng, found = np.random.default_rng(2), []
    for _ in range(300):
        counts = 60.0 * (1 - np.eye(4))
        if way == "direct":
            counts[0, 1] = counts[1, 0] = 60 + needed
        else:
            counts *= 1 + needed / 360
        upper = np.triu(rng.binomial(counts.round().astype(int), chance), 1).astype(float)
        wins = upper + np.triu(counts.round() - upper, 1).T
        found.append(separated(fit_bradley_terry(Counts.of(wins), prior=None), 0, 1))
    assert abs(np.mean(found) - 0.8) < 0.08


def test_pairs_separated_already_need_none_and_pairs_without_a_path_no_number():
    wins = np.zeros((5, 5))
    wins[0, 1], wins[1, 0], wins[2, 3], wins[3, 2] = 90, 10, 20, 20
    needed = votes_needed(fit_bradley_terry(Counts.of(wins)))
    assert needed.direct[0, 1] == needed.spread[1, 0] == 0.0
    assert needed.direct[2, 3] == needed.direct[0, 2] == needed.spread[0, 4] == needed.direct[1, 1] == np.inf
    with pytest.raises(BadParameter, match="power is 0"):
        minimal_detectable_gap(fit_bradley_terry(Counts.of(wins)), power=0.1)


def test_votes_that_come_in_clusters_are_needed_in_greater_number():
    votes = clustered_world(5, 1500, 40, 40, 3, annotator_sd=0.6, prompt_sd=0.8).votes
    bare = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5)
    clustered, plain = (votes_needed(fit_bradley_terry(each), family=Family.BOARD) for each in (votes, bare))
    both = (clustered.spread > 0) & (plain.spread > 0) & np.isfinite(plain.spread)
    assert both.any()
    assert (clustered.spread[both] > plain.spread[both]).all()


def without(votes, found):
    """The exact fit after dropping what was named, row by row."""
    kept = np.ones(len(votes), dtype=bool)
    for winner, loser, tie, count in zip(found.winner, found.loser, found.tie, found.count, strict=True):
        outcome = np.where(votes.a == winner, votes.outcome, 1 - votes.outcome)
        among = ((votes.a == winner) & (votes.b == loser)) | ((votes.b == winner) & (votes.a == loser))
        kind = np.flatnonzero(among & (outcome == (0.5 if tie else 1.0)))
        assert len(kind) >= count
        kept[kind[: int(count)]] = False
    return fit_bradley_terry(votes.select(kept))


def test_dropping_the_votes_it_names_flips_the_first_place_and_one_fewer_does_not():
    votes = davidson_world(10, 8000, 0.5, seed=4, spread=0.4).votes
    fit = fit_bradley_terry(votes)
    found = fewest_votes_for_first(votes)
    assert found.first == int(np.argmax(fit.strength))
    again = without(votes, found)
    assert np.argmax(again.strength) == found.challenger
    gap = again.strength[found.first] - again.strength[found.challenger]
    assert gap == pytest.approx(found.gap_after, abs=1e-9)
    assert found.gap_before == pytest.approx(fit.strength[found.first] - fit.strength[found.challenger], abs=1e-9)
    assert found.gap_after < 0 < found.gap_before
    assert 0 < found.votes < 0.05 * 8000
    assert found.share == pytest.approx(found.votes / 8000)


def fewest_by_trying(wins, prior):
    """All ways to drop up to `most` votes."""
    first = int(np.argmax(fit_bradley_terry(Counts.of(wins), prior=prior).strength))
    cells = np.argwhere(wins > 0)
    for most in range(1, 8):
        for dropped in product(*(range(min(int(wins[i, j]), most) + 1) for i, j in cells)):
            if sum(dropped) != most:
                continue
            left = wins.copy()
            left[cells[:, 0], cells[:, 1]] -= dropped
            if np.argmax(fit_bradley_terry(Counts.of(left), prior=prior).strength) != first:
                return most
    return None


def test_on_small_boards_no_smaller_set_exists():
    rng = np.random.default_rng(5)
    for _ in range(4):
        wins = rng.integers(1, 6, (3, 3)) * (1.0 - np.eye(3))
        wins[0] += [0, 2, 1]
        prior = NormalPrior(1.0)
        found = fewest_votes_for_first(Counts.of(wins), prior=prior)
        assert found.votes == fewest_by_trying(wins, prior)


def test_a_lead_of_thousands_takes_many_and_a_lead_of_one_takes_one():
    close = Counts.of([[0, 51], [50, 0]])
    one = fewest_votes_for_first(close, prior=NormalPrior(1.0))
    assert (one.votes, one.winner.tolist(), one.loser.tolist(), one.tie.tolist()) == (2.0, [0], [1], [0])
    clear = fewest_votes_for_first(Counts.of([[0, 900], [100, 0]]))
    assert clear.votes == 801
    votes = bradley_terry_world(6, 5000, seed=6, spread=1.0).votes
    assert fewest_votes_for_first(count_matrix(votes)).votes > 100


def test_ties_between_the_first_two_are_dropped_only_if_they_hold_the_leader_up():
    found = fewest_votes_for_first(Counts.of([[0, 20], [18, 0]], [[0, 10], [0, 0]]))
    assert found.tie.tolist() == [0]
    assert found.votes == 3
    with pytest.raises(BadParameter, match="challengers is 0"):
        fewest_votes_for_first(Counts.of([[0, 2], [1, 0]]), challengers=0)


def test_gauge_and_sides_do_not_change_who_decides():
    votes = davidson_world(5, 700, 0.4, seed=7, spread=0.3).votes
    swapped = Comparisons(a=votes.b, b=votes.a, outcome=1 - votes.outcome, count=5)
    one, other = fewest_votes_for_first(votes), fewest_votes_for_first(swapped)
    assert (one.votes, one.challenger, one.winner.tolist()) == (other.votes, other.challenger, other.winner.tolist())
