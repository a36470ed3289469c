"""Collapsing to counts loses nothing that a fit needs."""

import numpy as np
import pytest

from ranking import BadParameter, BadWeight, BothBad, Comparisons, Counts, ShapeMismatch, SingleContestant, count_matrix
from tests.ranking.worlds import from_rows, random_pairs

ROWS = [(0, 1, 1.0), (1, 0, 1.0), (1, 0, 0.0), (0, 2, 0.5), (2, 0, 0.5), (1, 2, 0.0), (2, 2, 1.0), (0, 2, 0.5)]
LAST_IS_BAD = np.array([False] * 7 + [True])


def test_each_plane_keeps_the_order_of_the_sides():
    counts = count_matrix(from_rows(ROWS, 3, both_bad=LAST_IS_BAD))
    assert counts.a_wins.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert counts.b_wins.tolist() == [[0, 0, 0], [1, 0, 1], [0, 0, 0]]
    assert counts.ties.tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert counts.both_bad.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert counts.wins.tolist() == [[0, 2, 0], [1, 0, 0], [0, 1, 1]]
    assert counts.tied().tolist() == [[0, 0, 2], [0, 0, 0], [2, 0, 0]]
    assert counts.tied(BothBad.HALF).tolist() == [[0, 0, 3], [0, 0, 0], [3, 0, 0]]


def test_the_rate_of_both_bad_counts_every_appearance():
    counts = count_matrix(
        from_rows([(0, 1, 0.5), (0, 1, 0.5), (0, 1, 1.0), (1, 2, 0.0)], 4, both_bad=np.arange(4) == 0)
    )
    np.testing.assert_allclose(counts.both_bad_rate, [1 / 3, 1 / 4, 0.0, np.nan])


def test_a_weight_of_two_is_two_rows():
    doubled = count_matrix(from_rows(ROWS + ROWS, 3))
    weighted = count_matrix(from_rows(ROWS, 3, weight=np.full(len(ROWS), 2.0)))
    for plane in ("a_wins", "b_wins", "ties", "both_bad"):
        np.testing.assert_array_equal(getattr(doubled, plane), getattr(weighted, plane))


def test_counts_of_two_logs_add_up_to_the_counts_of_both():
    rng = np.random.default_rng(5)
    a, b = random_pairs(7, 300, rng)
    outcome, bad = rng.choice([0.0, 0.5, 1.0], 300), rng.random(300) < 0.1
    outcome[bad] = 0.5
    votes = Comparisons(a=a, b=b, outcome=outcome, count=7, both_bad=bad)
    whole = count_matrix(votes)
    parts = count_matrix(votes.select(slice_of(0, 120))) + count_matrix(votes.select(slice_of(120, 300)))
    for plane in ("a_wins", "b_wins", "ties", "both_bad"):
        np.testing.assert_array_equal(getattr(parts, plane), getattr(whole, plane))
    assert sum(getattr(whole, plane).sum() for plane in ("a_wins", "b_wins", "ties", "both_bad")) == 300
    with pytest.raises(ShapeMismatch, match="7 and 3"):
        _ = whole + count_matrix(from_rows(ROWS, 3))


def test_a_published_table_becomes_counts():
    counts = Counts.of([[0, 3], [1, 0]], [[0, 2], [0, 0]])
    assert (counts.wins.tolist(), counts.tied().tolist()) == ([[0, 3], [1, 0]], [[0, 2], [2, 0]])
    with pytest.raises(ShapeMismatch, match="one row and column per contestant"):
        Counts.of([[0, 1, 2], [1, 0, 2]])
    with pytest.raises(ShapeMismatch, match="ties has shape"):
        Counts.of([[0, 1], [1, 0]], [[0]])
    with pytest.raises(BadWeight, match="wins\\[1, 0\\] is -1"):
        Counts.of([[0, 1], [-1, 0]])
    with pytest.raises(SingleContestant, match="needs two"):
        Counts.of([[0]])


def slice_of(begin: int, end: int) -> np.ndarray:
    return np.arange(begin, end)


def test_a_symmetric_table_of_ties_is_refused_until_it_says_how_often_it_holds_each():
    wins, mirrored = [[0, 3, 1], [1, 0, 1], [2, 2, 0]], [[4, 2, 0], [2, 0, 1], [0, 1, 0]]
    with pytest.raises(BadParameter, match="ties_mirrored=True if each tie stands in it twice"):
        Counts.of(wins, mirrored)
    once = Counts.of(wins, np.triu(mirrored))
    assert Counts.of(wins, mirrored, ties_mirrored=True).tied().tolist() == once.tied().tolist()
    apart = Counts.of(wins, mirrored, ties_mirrored=False)
    assert apart.tied().tolist() == (np.array(mirrored) + np.array(mirrored).T).tolist()
    with pytest.raises(BadParameter, match="ties is not symmetric"):
        Counts.of(wins, np.triu(mirrored), ties_mirrored=True)
    assert Counts.of(wins, [[4, 0, 0], [0, 0, 0], [0, 0, 0]]).tied()[0, 0] == 8
    with pytest.raises(BadWeight, match="wins holds"):
        Counts.of([["a", "b"], ["c", "d"]])
