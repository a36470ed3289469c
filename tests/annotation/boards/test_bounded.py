"""Worth from price lists: between which two prices each answer lies, for boards."""

import numpy as np
import pytest

from annotation.boards.worth import worth_of
from annotation.ratings import PairRows
from tests.annotation.boards.factories import pair_rows

WORTH = np.array([0.0, -2.0, -3.0])
PRICES = np.array([0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0])
PAIRS = ((0, 1), (1, 2), (2, 0))


def answered(*, anchors: int = 12, people: int = 40, prices: np.ndarray = PRICES, seed: int = 7) -> PairRows:
    """People with scales of their own go down a list of prices for items whose worth is known."""
    rng = np.random.default_rng(seed)
    leaning = 0.3 * rng.standard_normal(people)
    scale = np.exp(leaning - leaning.mean())  # the unit is the usual person's
    rows = [
        (*PAIRS[item % 3], item, person)
        for person in range(people)
        for item in (*range(anchors), *(anchors + rng.choice(300, 12, replace=False)))
    ]
    a, b, item, person = (np.array(column) for column in zip(*rows, strict=True))
    is_anchor = item < anchors
    true = np.where(is_anchor, 0.5 + item / 3, WORTH[a] - WORTH[b]) + rng.normal(0, 0.4, len(rows))
    turned = rng.random(len(rows)) < 0.5  # the sides are drawn
    true = np.where(turned, -true, true)
    low, high = between(true * scale[person], prices)
    return pair_rows(
        contestants=[1, 2, 3],
        a=np.where(turned, b, a),
        b=np.where(turned, a, b),
        amount=np.full(len(rows), np.nan),
        preference=np.where(true > 0, 1, 2).astype(np.int8),
        amount_low=low,
        amount_high=high,
        respondent=person,
        prompt=item,
        is_anchor=is_anchor,
    )


def between(amount: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    taken = np.searchsorted(prices, np.abs(amount), side="right") - 1
    low, high = prices[taken], np.append(prices, np.inf)[taken + 1]
    return np.where(amount > 0, low, -high), np.where(amount > 0, high, -low)


def differences(pairs: PairRows) -> tuple[float, float]:
    entries = worth_of(pairs, seed=1)[1]
    values = [entries[position]["value"] for position in range(3)]
    return values[0] - values[1], values[0] - values[2]


def test_prices_taken_and_left_give_back_what_was_planted():
    block, entries = worth_of(answered(), seed=1)
    assert block["reason"] is None
    assert block["estimand"] == "panel"
    assert {"bounded", "anchored"} <= set(block["notes"])
    assert block["bounds"]["between"] > 300
    assert differences(answered()) == pytest.approx((2, 3), abs=0.2)
    for position, true in enumerate(WORTH - WORTH.mean()):
        assert entries[position]["lower"] < true < entries[position]["upper"]
        assert entries[position]["lower"] < entries[position]["value"] < entries[position]["upper"]
    assert entries[0]["probability_best"] > 0.95


def test_what_lies_beyond_the_highest_price_is_not_taken_for_the_highest_price():
    """Most are worth more than the list goes: its prices, taken for amounts, would say two thirds of it."""
    block, entries = worth_of(answered(prices=np.array([0.0, 0.5, 1.0, 1.5])), seed=1)
    assert "one_sided" in block["notes"]
    gap = entries[0]["value"] - entries[2]["value"]
    assert gap > 2.2
    assert entries[0]["lower_only"] - entries[2]["lower_only"] < 2


def test_lists_that_contradict_themselves_count_by_their_hull_and_beside_it_not_at_all():
    pairs = answered()
    work = np.flatnonzero(~pairs.is_anchor)[:100]
    pairs.contradicts[work] = True
    pairs.amount_low[work], pairs.amount_high[work] = -6.0, 6.0
    block, entries = worth_of(pairs, seed=1)
    assert (block["bounds"]["contradictory"], "contradictory" in block["notes"]) == (100, True)
    clean = worth_of(answered(), seed=1)[1]
    assert any(entries[each]["consistent"] != entries[each]["value"] for each in range(3))
    assert [entries[each]["consistent"] for each in range(3)] == pytest.approx(
        [clean[each]["value"] for each in range(3)], abs=0.2
    )


def test_without_anchors_prices_count_as_they_are():
    block, _entries = worth_of(answered(anchors=0), seed=1)
    assert (block["estimand"], "anchored" in block["notes"]) == ("money", False)


def test_exact_amounts_and_prices_stand_in_one_fit():
    pairs = answered()
    exact = np.flatnonzero(np.isfinite(pairs.amount_low) & np.isfinite(pairs.amount_high))[::2]
    pairs.amount[exact] = (pairs.amount_low[exact] + pairs.amount_high[exact]) / 2
    pairs.amount_low[exact] = pairs.amount_high[exact] = np.nan
    block, _entries = worth_of(pairs, seed=1)
    assert block["bounds"]["exact"] > 100
    assert differences(pairs) == pytest.approx((2, 3), abs=0.25)


def test_lists_that_leave_every_price_open_are_refused_in_words():
    pairs = answered(prices=np.array([0.0]))
    block, entries = worth_of(pairs, seed=1)
    assert (block["reason"], entries) == ("open_bounds", {})
