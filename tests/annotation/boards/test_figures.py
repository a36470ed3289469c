"""The numbers behind a board's figures."""

import numpy as np
import pytest

from annotation.boards.figures import bins_of, pairs_of, priced_of, sides_of
from annotation.boards.pair_counts import NOTHING, PairCounts
from annotation.enums import Method


def counted(*rows) -> PairCounts:
    whole = np.array(rows, dtype=np.int64)
    return PairCounts(whole[:, 0], whole[:, 1], whole[:, 2:])


def entry(pk: int, rating: float | None = None, group: int = 1, worth: float | None = None) -> dict:
    said = None if worth is None else {"value": worth, "lower": worth - 1, "upper": worth + 1}
    return {"contestant": pk, "rating": rating, "group": group, "worth": said}


def test_a_pair_counts_whichever_was_shown_first_and_neither_as_its_method_has_it():
    counts = counted((1, 2, 6, 2, 2, 4), (2, 1, 1, 3, 0, 0), (3, 1, 2, 2, 0, 0))
    entries = [entry(1, 1400.0), entry(2, 1000.0), entry(3, 900.0, group=2)]
    one, two, three = pairs_of(entries, counts, Method.BRADLEY_TERRY)
    assert (one.wins, one.losses, one.ties, one.both_bad, one.votes, one.battles) == (9, 3, 2, 4, 14, 18)
    assert one.observed == pytest.approx(10 / 14)
    assert one.fitted == pytest.approx(10 / 11), "400 points are odds of ten to one"
    assert (two.votes, two.observed, two.fitted) == (4, None, None), "four votes say no share; two groups no odds"
    assert (three.battles, three.observed) == (0, None)
    half = pairs_of(entries, counts, Method.BT_HALF)[0]
    assert (half.votes, half.observed) == (18, pytest.approx(12 / 18))


def test_the_share_of_the_first_side_leaves_ties_out_and_has_wilsons_interval():
    counts = counted((1, 2, 50, 30, 7, 3), (2, 1, 20, 10, 1, 0), (2, 3, 0, 0, 5, 0))
    whole, one, two, three = sides_of(counts, [1, 2, 3])
    assert (whole.first, whole.decided, whole.ties, whole.share) == (70, 110, 13, pytest.approx(70 / 110))
    z, n, p = 1.959964, 110, 70 / 110
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / 4 / n / n) ** 0.5
    centre = (p + z * z / 2 / n) / (1 + z * z / n)
    assert (whole.lower, whole.upper) == (
        pytest.approx(centre - half, abs=1e-6),
        pytest.approx(centre + half, abs=1e-6),
    )
    assert (one.decided, two.decided, two.ties) == (110, 110, 13)
    assert (three.decided, three.share, three.lower) == (0, None, None)
    assert sides_of(NOTHING, [])[0].share is None


def test_the_front_holds_whom_nobody_beats_in_both():
    entries = [entry(1, worth=2.0), entry(2, worth=1.0), entry(3, worth=1.5), entry(4, worth=2.0), entry(5)]
    costs = {1: (0.02, 9), 2: (0.001, 4), 3: (0.03, 4), 4: (0.02, 1), 5: (0.001, 1), 6: (1.0, 1)}
    found = priced_of(entries, costs)
    assert [(each.contestant, each.in_front) for each in found] == [(2, True), (1, True), (4, True), (3, False)]
    assert priced_of(entries, {}) == []


def test_every_rating_of_the_largest_group_is_in_one_bin():
    entries = [entry(1, 900.0), entry(2, 950.0), entry(3, 1000.0), entry(4, 990.0, group=2), entry(5)]
    found = bins_of(entries, [900.0, 950.0, 1000.0])
    assert [(each.low, each.high, each.count) for each in found] == [(900, 950, 1), (950, 1000, 2)]
