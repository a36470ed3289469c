"""Coefficients of agreement against the figures of the papers that made them, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking import (
    BadParameter,
    BadValue,
    BadWeight,
    Credit,
    ItemJudgments,
    Measurement,
    NoOverlap,
    NoVariation,
    ShapeMismatch,
    UnknownIndex,
    cohen_kappa,
    contingency,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    pairwise_kappa,
)

_ = np.nan
# Krippendorff 2011, "Computing Krippendorff's alpha-reliability": A binary, B nominal, C and D four observers.
BINARY = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], dtype=float)
NOMINAL = np.array([[ord(value) for value in row] for row in ("aabbdcccedda", "babbbccceddd")], dtype=float)
FOUR_OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)
# Fleiss 1971, table 1: 30 patients, six psychiatrists, five diagnoses.
DIAGNOSES = (
    "444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333 144444 224445 "
    "333335 111455 111112 224444 133555 555555 244444 224555 114444 144445 222224 111155 224444 133333 555555"
)
# Cohen 1960, table 1, as counts of 200; the disagreements of Cohen 1968, table 1.
PSYCHOLOGISTS = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
DISAGREEMENTS = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])


def judged(table: np.ndarray) -> ItemJudgments:
    """From a table of annotators by items, NaN where somebody did not judge."""
    annotator, item = np.nonzero(~np.isnan(table))
    return ItemJudgments(item=item, annotator=annotator, value=table[annotator, item], annotators=len(table))


def diagnoses() -> np.ndarray:
    return np.array([[float(value) for value in patient] for patient in DIAGNOSES.split()]).T


def test_krippendorffs_examples_a_to_d():
    assert krippendorff_alpha(judged(BINARY)).coefficient == pytest.approx(0.095, abs=5e-4)
    assert krippendorff_alpha(judged(NOMINAL)).coefficient == pytest.approx(0.692, abs=5e-4)
    four = judged(FOUR_OBSERVERS)
    published = {Measurement.NOMINAL: 0.743, Measurement.ORDINAL: 0.815, Measurement.INTERVAL: 0.849}
    for measurement, figure in published.items():
        found = krippendorff_alpha(four, measurement=measurement)
        assert found.coefficient == pytest.approx(figure, abs=5e-4)
        assert (found.items, found.judgments) == (11, 40)
        assert np.isnan([found.lower, found.upper]).all()


def test_fleisss_psychiatrists():
    """Fleiss 1971: κ = .430, with mean agreement .5556 and .220 by chance."""
    found = fleiss_kappa(judged(diagnoses()))
    assert found.coefficient == pytest.approx(0.430, abs=5e-4)
    assert 1 - found.observed_disagreement == pytest.approx(0.5556, abs=5e-5)
    assert 1 - found.expected_disagreement == pytest.approx(0.2201, abs=5e-4)


def test_cohens_psychologists_and_partial_credit():
    """Cohen 1960: κ = .492 (.70 observed, .41 by chance); Cohen 1968: .348; errors as statsmodels 0.15 has them."""
    plain = cohen_kappa(PSYCHOLOGISTS)
    assert (plain.coefficient, plain.observed, plain.expected) == pytest.approx((0.4915, 0.70, 0.41), abs=5e-5)
    assert plain.standard_error == pytest.approx(0.0510, abs=5e-5)
    assert (plain.lower, plain.upper) == pytest.approx((0.3916, 0.5915), abs=5e-5)
    partial = cohen_kappa(PSYCHOLOGISTS, credit=1 - DISAGREEMENTS / 6)
    assert partial.coefficient == pytest.approx(0.348, abs=5e-4)
    assert partial.standard_error == pytest.approx(0.0755, abs=5e-5)
    # statsmodels 0.15, cohens_kappa(wt=...): coefficient and standard error.
    for credit, figures in ((Credit.LINEAR, (0.473684, 0.054432)), (Credit.QUADRATIC, (0.454545, 0.066454))):
        found = cohen_kappa(PSYCHOLOGISTS, credit=credit)
        assert (found.coefficient, found.standard_error) == pytest.approx(figures, abs=1e-6)


def test_gwets_four_raters():
    """Gwet 2014, "Handbook of inter-rater reliability", the same twelve subjects: AC1 .775, Fleiss .761."""
    assert gwet_ac1(judged(FOUR_OBSERVERS)).coefficient == pytest.approx(0.77544, abs=5e-6)
    assert fleiss_kappa(judged(FOUR_OBSERVERS)).coefficient == pytest.approx(0.76117, abs=5e-6)


def test_ac1_does_not_collapse_where_one_value_rules():
    """The paradox of Feinstein & Cicchetti 1990: 118 of 125 agree, and κ is below zero."""
    table = np.array([[118, 5], [2, 0]])
    first = np.repeat([0, 0, 1, 1], table.ravel())
    second = np.repeat([0, 1, 0, 1], table.ravel())
    assert cohen_kappa(contingency(first, second)).coefficient == pytest.approx(-0.0234, abs=5e-5)
    assert gwet_ac1(judged(np.array([first, second], dtype=float))).coefficient == pytest.approx(0.9408, abs=5e-5)
    np.testing.assert_array_equal(contingency(first, second), table)


def test_ac1_counts_values_that_could_have_been_given():
    votes = judged(BINARY)
    assert gwet_ac1(votes, categories=3).expected_disagreement > gwet_ac1(votes).expected_disagreement
    with pytest.raises(BadParameter, match="categories is 1"):
        gwet_ac1(votes, categories=1)


def test_every_two_annotators():
    """As scikit-learn 1.9 computes it over the items common to two of the four observers."""
    found = pairwise_kappa(judged(FOUR_OBSERVERS))
    expected = [[1, 0.845, 0.478, 0.85], [0.845, 1, 0.542, 0.87], [0.478, 0.542, 1, 0.615], [0.85, 0.87, 0.615, 1]]
    np.testing.assert_allclose(found.coefficient, expected, atol=5e-4)
    assert found.items[0].tolist() == [9, 9, 8, 9]
    for credit in Credit:
        pair = cohen_kappa(contingency(*FOUR_OBSERVERS[[1, 3]][:, :10]), credit=credit)
        both = pairwise_kappa(judged(FOUR_OBSERVERS[[1, 3]][:, :10]), credit=credit)
        assert both.coefficient[0, 1] == pytest.approx(pair.coefficient)
        assert both.observed[0, 1] == pytest.approx(pair.observed)


def test_two_who_share_no_item_have_no_kappa():
    apart = pairwise_kappa(judged(np.array([[1, 2, _, _], [_, _, 1, 2]])))
    assert np.isnan(apart.coefficient[0, 1])
    assert apart.items[0, 1] == 0
    same = pairwise_kappa(judged(np.array([[1.0, 1], [1, 1]])))
    assert np.isnan(same.coefficient[0, 1])
    assert same.observed[0, 1] == 1


def brute_alpha(table: np.ndarray, distance) -> float:
    """From the definition: disagreement of pairs within items against pairs of all judgments."""
    items = [column[~np.isnan(column)] for column in table.T]
    items = [item for item in items if len(item) > 1]
    pool = np.concatenate(items)
    within = sum(sum(distance(x, y, pool) for x in item for y in item) / (len(item) - 1) for item in items)
    between = sum(distance(x, y, pool) for x in pool for y in pool)
    return 1 - (len(pool) - 1) * within / between


def ordinal_distance(x: float, y: float, pool: np.ndarray) -> float:
    low, high = min(x, y), max(x, y)
    between = ((pool >= low) & (pool <= high)).sum()
    return (between - ((pool == low).sum() + (pool == high).sum()) / 2) ** 2


DISTANCES = {
    Measurement.NOMINAL: lambda x, y, pool: float(x != y),
    Measurement.ORDINAL: ordinal_distance,
    Measurement.INTERVAL: lambda x, y, pool: (x - y) ** 2,
}


@given(seed=st.integers(0, 10_000), annotators=st.integers(2, 5), values=st.integers(2, 6))
def test_alpha_is_its_definition_whatever_the_gaps(seed, annotators, values):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, values, (annotators, 12)) * 1.5
    table[rng.random(table.shape) < 0.3] = np.nan
    table[:2, 0] = 0.0, 1.5
    for measurement, distance in DISTANCES.items():
        found = krippendorff_alpha(judged(table), measurement=measurement).coefficient
        assert found == pytest.approx(brute_alpha(table, distance))


def test_alpha_of_amounts_needs_no_table_of_values():
    """3,000 different values: the interval metric works from sums; large offsets do not cancel it."""
    rng = np.random.default_rng(1)
    truth = rng.normal(size=1000)
    table = truth + rng.normal(size=(3, 1000))
    found = krippendorff_alpha(judged(table + 1e6), measurement=Measurement.INTERVAL, rng=rng, draws=50)
    assert found.coefficient == pytest.approx(0.5, abs=0.05)
    assert found.lower < found.coefficient < found.upper
    binary = krippendorff_alpha(judged(np.sign(table)))
    assert binary.coefficient == pytest.approx(krippendorff_alpha(judged(np.sign(table) * 7)).coefficient)


def test_order_of_rows_names_and_repeats_change_nothing():
    votes = judged(FOUR_OBSERVERS)
    mixed = np.random.default_rng(2).permutation(len(votes))
    renamed = ItemJudgments(
        item=50 - votes.item[mixed], annotator=3 - votes.annotator[mixed], value=votes.value[mixed], annotators=4
    )
    again = ItemJudgments(
        item=np.append(votes.item, 0),
        annotator=np.append(votes.annotator, 0),
        value=np.append(votes.value, 4),
        annotators=4,
    )
    for rule in (krippendorff_alpha, fleiss_kappa, gwet_ac1):
        assert rule(renamed).coefficient == pytest.approx(rule(votes).coefficient)
        assert rule(again).coefficient == pytest.approx(rule(votes).coefficient)
    unknown = ItemJudgments(item=votes.item, annotator=np.full(len(votes), -1), value=votes.value, annotators=0)
    assert krippendorff_alpha(unknown).coefficient == pytest.approx(0.743, abs=5e-4)


@pytest.mark.slow
def test_the_bootstrap_covers_the_coefficient_of_all_items():
    """200 samples of 150 items of three people; the truth is that of 200,000 items. Monte Carlo error 1.5 %."""

    def world(items: int, seed: int) -> ItemJudgments:
        rng = np.random.default_rng(seed)
        truth = rng.choice([0.0, 1.0, 2.0], items, p=[0.5, 0.3, 0.2])
        noisy = np.where(rng.random((3, items)) < 0.3, rng.choice([0.0, 1.0, 2.0], (3, items)), truth)
        return judged(noisy)

    for rule in (krippendorff_alpha, fleiss_kappa, gwet_ac1):
        truth = rule(world(200_000, 1)).coefficient
        found = [rule(world(150, 100 + seed), rng=np.random.default_rng(seed), draws=400) for seed in range(200)]
        covered = np.mean([one.lower <= truth <= one.upper for one in found])
        assert 0.90 <= covered <= 0.985
        assert found[0].draws == 400


def test_the_same_seed_gives_the_same_interval():
    one, two = (krippendorff_alpha(judged(NOMINAL), rng=np.random.default_rng(3), draws=200) for _ in range(2))
    assert one == two
    assert one.lower < one.coefficient < one.upper


def test_bad_input_is_refused_by_name():
    with pytest.raises(NoOverlap, match="give some items to several annotators"):
        krippendorff_alpha(judged(np.array([[1, _], [_, 2]])))
    with pytest.raises(NoVariation, match="collect harder items"):
        krippendorff_alpha(judged(np.ones((2, 3))))
    with pytest.raises(NoVariation, match="same single value"):
        cohen_kappa([[5, 0], [0, 0]])
    with pytest.raises(NoOverlap, match="table is empty"):
        cohen_kappa(np.zeros((2, 2)))
    with pytest.raises(BadWeight, match=r"table\[0, 1\] is -1"):
        cohen_kappa([[5, -1], [0, 3]])
    with pytest.raises(ShapeMismatch, match="one row and column per category"):
        cohen_kappa(np.ones((2, 3)))
    with pytest.raises(ShapeMismatch, match="1 on the diagonal"):
        cohen_kappa(np.ones((2, 2)), credit=np.zeros((2, 2)))
    with pytest.raises(ShapeMismatch, match="have shapes"):
        contingency([1, 2], [1])
    with pytest.raises(BadParameter, match="draws is 0"):
        fleiss_kappa(judged(BINARY), draws=0)
    with pytest.raises(BadValue, match=r"value\[1\] is not finite; leave out"):
        ItemJudgments(item=np.arange(2), annotator=np.arange(2), value=np.array([1, np.nan]), annotators=2)
    with pytest.raises(UnknownIndex, match="annotator must hold integers from -1 to 0"):
        ItemJudgments(item=np.arange(2), annotator=np.arange(2), value=np.ones(2), annotators=1)
    with pytest.raises(UnknownIndex, match="item must hold integers"):
        ItemJudgments(item=np.array([0.5, 1]), annotator=np.arange(2), value=np.ones(2), annotators=2)
    with pytest.raises(ShapeMismatch, match="one entry per judgment"):
        ItemJudgments(item=np.arange(3), annotator=np.arange(2), value=np.ones(2), annotators=2)
