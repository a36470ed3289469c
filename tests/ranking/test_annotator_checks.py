"""Gold items, repeats, sides, speed and scale: each annotator by themselves."""

import numpy as np
import pytest

from ranking import (
    BadParameter,
    BadValue,
    Comparisons,
    ItemJudgments,
    MissingLabels,
    NoOverlap,
    ShapeMismatch,
    TooFewAnswers,
    UnknownIndex,
    annotator_drift,
    gold_accuracy,
    krippendorff_alpha,
    retest_agreement,
    side_bias,
)
from tests.ranking.worlds import from_rows

_ = np.nan


def answers(rows: list[tuple[int, int, float]], annotators: int) -> ItemJudgments:
    item, annotator, value = (np.array(column) for column in zip(*rows, strict=True))
    return ItemJudgments(item=item, annotator=annotator, value=value, annotators=annotators)


def test_gold_accuracy_has_wilsons_interval():
    """Wilson's interval for 8 of 10 is .490 to .943."""
    rows = [(item, 0, 1.0 if item < 8 else 0.0) for item in range(10)] + [(0, 1, 1.0), (3, 2, 0.0)]
    gold = np.array([1.0] * 10 + [_, 1.0])
    found = gold_accuracy(answers(rows, 4), gold)
    np.testing.assert_allclose(found.share, [0.8, _, 0.0, _])
    assert (found.lower[0], found.upper[0]) == pytest.approx((0.490, 0.943), abs=5e-4)
    assert found.judged.tolist() == [10, 0, 1, 0]


def test_only_the_first_answer_to_a_gold_item_counts():
    found = gold_accuracy(answers([(0, 0, 0.0), (0, 0, 1.0)], 1), np.array([1.0, 1.0]))
    assert (found.share[0], found.judged[0]) == (0, 1)
    with pytest.raises(NoOverlap, match="mix some into the work"):
        gold_accuracy(answers([(0, 0, 0.0)], 1), np.array([_]))
    with pytest.raises(ShapeMismatch, match="NaN where none is known"):
        gold_accuracy(answers([(0, 0, 0.0)], 1), np.array([1.0, 2.0]))


def test_repeats_are_held_against_the_answer_before():
    rows = [(0, 0, 1.0), (1, 0, 0.0), (0, 1, 0.0), (0, 0, 1.0), (0, 0, 0.0), (1, 0, 0.0), (2, 1, 1.0), (2, 1, 1.0)]
    found = retest_agreement(answers(rows, 3))
    np.testing.assert_allclose(found.same.share, [2 / 3, 1, _])
    assert found.same.judged.tolist() == [3, 1, 0]
    assert found.everyone.share[0] == pytest.approx(3 / 4)
    units = answers(
        [(0, -1, 1.0), (0, -1, 1.0), (0, -1, 0.0), (1, -1, 0.0), (1, -1, 0.0), (2, -1, 1.0), (2, -1, 1.0)], 0
    )
    assert found.reliability.coefficient == pytest.approx(krippendorff_alpha(units).coefficient)
    with pytest.raises(NoOverlap, match="show some items again"):
        retest_agreement(answers([(0, 0, 1.0), (0, -1, 1.0), (0, -1, 1.0)], 1))


def test_side_bias_is_found_with_the_person_who_has_it():
    """Pitfall: the order of the sides is in the rows and in both halves of the counts; folding them would lose it."""
    rng = np.random.default_rng(1)
    rows, people = 6000, 4
    annotator = rng.integers(0, people, rows)
    a = rng.integers(0, 5, rows)
    b = (a + rng.integers(1, 5, rows)) % 5
    strength, bias = np.linspace(-1, 1, 5), np.array([0.0, 0.0, 0.0, 1.0])
    outcome = (rng.random(rows) < 1 / (1 + np.exp(strength[b] - strength[a] - bias[annotator]))).astype(float)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=5, annotator=annotator)
    found = side_bias(votes)
    assert ((found.annotator.lower[:3] < 0.5) & (found.annotator.upper[:3] > 0.5)).all()
    assert found.annotator.lower[3] > 0.6
    assert found.everyone.lower[0] > 0.5
    swapped = Comparisons(a=b, b=a, outcome=1 - outcome, count=5, annotator=annotator)
    np.testing.assert_allclose(side_bias(swapped).annotator.share, 1 - found.annotator.share)


def test_ties_say_nothing_about_sides_and_weights_count():
    rows = [(0, 1, 1.0), (0, 1, 0.5), (1, 1, 0.0), (0, 1, 1.0)]
    votes = from_rows(rows, 2, annotator=np.array([0, 0, 0, -1]), weight=np.array([3.0, 5, 1, 2]))
    found = side_bias(votes)
    assert (found.annotator.share.tolist(), found.annotator.judged.tolist()) == ([0.75], [4])
    assert found.everyone.share[0] == pytest.approx(5 / 6)
    with pytest.raises(MissingLabels, match="needs `annotator`"):
        side_bias(from_rows(rows, 2))
    with pytest.raises(NoOverlap, match="collect votes that are not ties"):
        side_bias(votes.select(np.array([1])))


def test_drift_is_the_slope_of_the_logarithm():
    seconds = np.array([40.0, 7, 20, 7, 10, 7, 5, 7, 2.5, 7])
    found = annotator_drift(seconds, np.tile([0, 1], 5), annotators=3)
    np.testing.assert_allclose(found.factor, [1 / 16, 1, _])
    assert found.judged.tolist() == [5, 5, 0]
    assert found.mean_change == pytest.approx(np.log(1 / 16) / 2)
    noisy = np.exp(np.array([1.0, 0.4, 0.9, -0.3, 0.2, 0.1]))
    at = np.linspace(0, 1, 6)
    slope, covariance = np.polyfit(at, np.log(noisy), 1, cov=True)
    one = annotator_drift(noisy, np.zeros(6, dtype=int), annotators=1)
    assert one.change[0] == pytest.approx(slope[0])
    assert one.standard_error[0] == pytest.approx(np.sqrt(covariance[0, 0]))
    assert np.isnan([one.mean_lower, one.mean_upper]).all()


def test_drift_intervals_cover_and_sizes_of_zero_are_left_out():
    """Who keeps one pace: 95 % of 2,000 intervals hold zero, Monte Carlo error .5 %."""
    rng = np.random.default_rng(2)
    annotator = np.repeat(np.arange(2000), 12)
    size = np.exp(rng.normal(1.0, 0.6, len(annotator)))
    found = annotator_drift(size, annotator, annotators=2000)
    assert ((found.lower <= 0) & (found.upper >= 0)).mean() == pytest.approx(0.95, abs=0.015)
    assert found.mean_lower < 0 < found.mean_upper
    faster = size * np.exp(-0.5 * np.tile(np.linspace(0, 1, 12), 2000))
    assert annotator_drift(faster, annotator, annotators=2000).mean_change == pytest.approx(-0.5, abs=0.05)
    gaps = np.where(rng.random(len(size)) < 0.2, 0.0, size)
    gaps[::7] = np.nan
    assert annotator_drift(gaps, annotator, annotators=2000).judged.sum() == (gaps > 0).sum()


def test_bad_sizes_are_refused_by_name():
    with pytest.raises(BadValue, match="sizes without sign"):
        annotator_drift(np.array([-1.0]), np.zeros(1, dtype=int), annotators=1)
    with pytest.raises(TooFewAnswers, match="collect more or lower least"):
        annotator_drift(np.ones(4), np.zeros(4, dtype=int), annotators=1)
    with pytest.raises(ShapeMismatch, match="give one each per judgment"):
        annotator_drift(np.ones(4), np.zeros(3, dtype=int), annotators=1)
    with pytest.raises(UnknownIndex, match="outside -1 to 0"):
        annotator_drift(np.ones(4), np.ones(4, dtype=int), annotators=1)
    with pytest.raises(BadParameter, match="least is 2"):
        annotator_drift(np.ones(4), np.zeros(4, dtype=int), annotators=1, least=2)


def test_on_a_scale_a_repeat_may_be_near_instead_of_the_same():
    rows = [(0, 0, 3.0), (1, 0, 2.0), (0, 0, 3.2), (1, 0, 3.0), (2, 0, 1.0), (2, 1, 1.0)]
    shares = [retest_agreement(answers(rows, 2), within=within).same.share[0] for within in (0.0, 0.21, 1.0)]
    assert shares == [0, 0.5, 1]
    assert retest_agreement(answers(rows, 2), within=np.array([0.3, 0.0])).same.share[0] == 0.5
    with pytest.raises(ShapeMismatch, match="one for each of 2"):
        retest_agreement(answers(rows, 2), within=np.zeros(3))
    with pytest.raises(BadParameter, match="not negative"):
        retest_agreement(answers(rows, 2), within=-1.0)
