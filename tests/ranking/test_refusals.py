"""What a refusal tells to do can be done, and what it names is there."""

import numpy as np
import pytest

from ranking import (
    BadOutcome,
    BothBad,
    NoComparisons,
    NoConvergence,
    NotConnected,
    OnlyTies,
    Rankings,
    ShapeMismatch,
    SingleContestant,
    fit_bounded_worth,
    fit_bradley_terry,
    fit_items,
    fit_magnitudes,
    fit_plackett_luce,
    fit_worth,
    generator,
)
from tests.ranking.worlds import from_rows

APART = [(0, 1, 1.0), (1, 0, 1.0), (2, 3, 1.0), (3, 2, 1.0)] * 6
CHAIN = [(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0)] * 4


def priced(rows, count, **columns):
    people = {"annotator": np.arange(len(rows)) % 2, "prompt": np.arange(len(rows))}
    return from_rows(rows, count, **people, **columns)


@pytest.mark.parametrize("fit", [fit_worth, fit_bounded_worth, fit_magnitudes])
def test_amounts_that_join_nobody_are_not_sent_to_a_prior_that_none_takes(fit):
    votes = priced(APART, 4, amount=np.tile([1.0, 2.0, 3.0], 8))
    with pytest.raises(NotConnected, match=r"\{0, 1\}, \{2, 3\}. Rank each group apart, or collect") as refusal:
        fit(votes, **({"rng": generator(1)} if fit is fit_worth else {}))
    assert "prior" not in str(refusal.value)


def test_votes_that_join_nobody_are_told_of_the_prior():
    with pytest.raises(NotConnected, match=r"or fit with a prior \(VirtualTie\(\)\)"):
        fit_bradley_terry(from_rows(APART, 4), prior=None)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (CHAIN, {"amount_low": np.ones(12), "amount_high": np.full(12, np.inf)}),
        (CHAIN, {"amount": np.tile([1.0, 1.0, 2.0], 4)}),
        (CHAIN[:1], {"amount": np.array([2.0])}),
        (CHAIN[:2], {"amount": np.array([2.0, 3.0])}),
    ],
)
def test_amounts_without_noise_or_size_are_told_what_would_give_them_some(rows, columns):
    with pytest.raises(
        NoConvergence, match=r"Ask more people about each pair, for exact amounts or both bounds\."
    ) as told:
        fit_bounded_worth(priced(rows, 3, **columns))
    assert "prior" not in str(told.value)


def test_amounts_that_are_all_zero_order_nobody():
    with pytest.raises(OnlyTies, match="Every amount is zero, so nothing orders the contestants; ask for more"):
        fit_bounded_worth(priced(CHAIN, 3, amount=np.zeros(12)))


@pytest.mark.parametrize("count", [1, 3])
def test_attempts_of_one_contestant_rank_nobody(count):
    with pytest.raises(SingleContestant, match="Every attempt is contestant 0's; a ranking needs two"):
        fit_items([0, 0], [0, 1], [1, 0], count=count, items=2)


def test_only_those_with_bad_pairs_are_told_to_count_them():
    bad = from_rows([(0, 1, 0.5)], 2, both_bad=np.array([True]))
    with pytest.raises(NoComparisons, match=r"collect votes, or count both_bad with BothBad.HALF\."):
        fit_bradley_terry(bad)
    assert fit_bradley_terry(bad, both_bad=BothBad.HALF).strength.tolist() == [0.0, 0.0]
    with pytest.raises(NoComparisons, match=r"No comparison of two contestants is left to fit; collect votes\."):
        fit_bradley_terry(bad.select([False]))
    with pytest.raises(NoComparisons, match=r"collect votes\."):
        fit_plackett_luce(Rankings.of([[0], [1]], count=2))


def test_rankings_say_how_to_mend_them():
    with pytest.raises(BadOutcome, match="Ranking 1 holds contestant 2 twice; keep one entry of each"):
        Rankings.of([[0, 1], [2, 2]], count=3)
    with pytest.raises(ShapeMismatch, match="give flat rows, and one place for each entry"):
        Rankings.of([[0, 1]], count=3, places=[[1]])
