"""Comparisons refuse nonsense by name, and keep what they were given."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking import (
    BadAmount,
    BadCovariate,
    BadOutcome,
    BadWeight,
    Comparisons,
    MissingLabels,
    RankingError,
    ShapeMismatch,
    SingleContestant,
    UnknownIndex,
    count_matrix,
    fit_bradley_terry,
)

A, B, Y = np.array([0, 1, 2]), np.array([1, 2, 0]), np.array([1.0, 0.5, 0.0])


def made(**changes: object) -> Comparisons:
    return Comparisons(**{"a": A, "b": B, "outcome": Y, "count": 3} | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "refusal", "says"),
    [
        ({"count": 1}, SingleContestant, "at least two"),
        ({"count": 2}, UnknownIndex, "a[2] is 2; contestants are 0 to 1"),
        ({"a": np.array([0, -1, 2])}, UnknownIndex, "a[1] is -1; contestants are 0 to 2"),
        ({"a": np.array([0.0, 1.0, 2.0])}, UnknownIndex, "number the labels with integers first"),
        ({"a": np.array(["x", "y", "z"])}, UnknownIndex, "number the labels with integers first"),
        ({"a": np.array([[0, 1, 2]])}, ShapeMismatch, "one value per comparison"),
        ({"a": np.array([0, 1])}, ShapeMismatch, "lengths are a 2, b 3, outcome 3"),
        ({"outcome": np.array([1.0, 2.0, 0.0])}, BadOutcome, "outcome[1] is 2.0; use 1 (A), 0 (B) or 0.5"),
        ({"outcome": np.array([1.0, np.nan, 0.0])}, BadOutcome, "outcome[1] is nan"),
        ({"weight": np.array([1.0, -1.0, 1.0])}, BadWeight, "weight[1] is -1.0"),
        ({"weight": np.array([1.0, 1.0, np.nan])}, BadWeight, "weight[2] is nan"),
        ({"weight": np.array([np.inf, 1.0, 1.0])}, BadWeight, "weight[0] is inf"),
        ({"weight": np.ones(2)}, ShapeMismatch, "weight 2"),
        ({"both_bad": np.array([True, False, False])}, BadOutcome, "must have outcome 0.5"),
        ({"both_bad": np.array([0, 1, 0])}, BadOutcome, "True or False"),
        ({"annotator": np.array([0.5, 1.0, 2.0])}, UnknownIndex, "annotator holds float64"),
        ({"amount": np.array([1.0, np.inf, 0.0])}, BadAmount, "NaN where nothing was asked"),
        ({"strength": np.array([0, 0, 1])}, BadOutcome, "strength[0] is 0 with outcome 1.0"),
        ({"strength": np.array([1, 2, 1])}, BadOutcome, "strength[1] is 2 with outcome 0.5"),
        ({"strength": np.array([-2, 0, 1])}, BadOutcome, "-1 where it was not said"),
        ({"strength": np.array([1.0, 0.0, 1.0])}, BadOutcome, "give whole numbers"),
        ({"amount_low": np.zeros(3)}, BadAmount, "belong together"),
        ({"amount_low": np.array([0, 2, 0]), "amount_high": np.ones(3)}, BadAmount, "not be above"),
        ({"amount_low": np.array([0, np.nan, 0]), "amount_high": np.ones(3)}, BadAmount, "both or neither"),
        ({"covariates": np.ones(3)}, ShapeMismatch, "one row of values per comparison"),
        ({"covariates": np.ones((2, 4))}, ShapeMismatch, "covariates 2"),
        ({"covariates": np.array([[1.0], [np.nan], [0.0]])}, BadCovariate, "NaN or infinite"),
        ({"propensity": np.array([0.5, 0.0, 1.0])}, BadWeight, "outside (0, 1]"),
        ({"category": np.array(["code", "math", "code"])}, UnknownIndex, "number the labels with integers first"),
    ],
)
def test_a_bad_column_is_refused_with_its_place_and_its_fix(changes, refusal, says):
    with pytest.raises(refusal, match=re.escape(says)):
        made(**changes)


def test_comparisons_cannot_be_written_through():
    votes = made(weight=np.ones(3), annotator=np.array([1, 2, 3]))
    for column in (votes.a, votes.b, votes.outcome, votes.weight, votes.annotator):
        assert column is not None
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0


def test_selecting_rows_keeps_every_column_and_all_contestants():
    votes = made(
        weight=np.array([1.0, 2.0, 3.0]),
        both_bad=np.array([False, True, False]),
        annotator=np.array([7, 8, 9]),
        prompt=np.array([4, 5, -1]),
        amount=np.array([1.5, np.nan, -2.0]),
    )
    for rows in (np.array([False, True, True]), np.array([1, 2])):
        kept = votes.select(rows)
        assert (kept.a.tolist(), kept.b.tolist(), kept.outcome.tolist(), kept.count) == ([1, 2], [2, 0], [0.5, 0.0], 3)
        assert kept.weight is not None
        assert kept.both_bad is not None
        assert (kept.weight.tolist(), kept.both_bad.tolist()) == ([2.0, 3.0], [True, False])
        np.testing.assert_array_equal(kept.annotator, [8, 9])
        np.testing.assert_array_equal(kept.prompt, [5, -1])
        np.testing.assert_array_equal(kept.amount, [np.nan, -2.0])


def test_the_grade_is_the_strength_with_the_sign_of_the_preference():
    votes = made(strength=np.array([3, 0, 2]))
    assert votes.grade.tolist() == [3, 0, -2]
    assert votes.select([2, 0]).grade.tolist() == [-2, 3]


@pytest.mark.parametrize("changes", [{}, {"strength": np.array([3, -1, 2])}], ids=["none", "one not said"])
def test_a_grade_needs_every_strength(changes):
    with pytest.raises(MissingLabels, match="select the rows that have one"):
        _ = made(**changes).grade


def test_covariates_and_bounds_are_kept_row_by_row():
    votes = made(
        covariates=np.arange(6).reshape(3, 2),
        amount_low=np.array([0.0, np.nan, -np.inf]),
        amount_high=np.array([np.inf, np.nan, -1.0]),
    ).select([2, 1])
    assert votes.covariates is not None
    assert votes.covariates.tolist() == [[4.0, 5.0], [2.0, 3.0]]
    np.testing.assert_array_equal(votes.amount_low, [-np.inf, np.nan])
    np.testing.assert_array_equal(votes.amount_high, [-1.0, np.nan])


def test_a_log_that_has_just_begun_has_no_rows():
    empty = Comparisons(a=np.array([]), b=np.array([]), outcome=np.array([]), count=2)
    assert len(empty) == 0
    assert count_matrix(empty).decisive.tolist() == [0.0, 0.0]


numbers = st.one_of(
    st.integers(-3, 6), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["a", "tie", None, True])
)


@given(
    a=st.lists(numbers, max_size=6),
    b=st.lists(numbers, max_size=6),
    outcome=st.lists(numbers, max_size=6),
    weight=st.none() | st.lists(numbers, max_size=6),
    count=st.integers(-1, 5),
)
def test_bad_data_is_refused_by_name_or_fitted_to_finite_strengths(a, b, outcome, weight, count):
    try:
        given_weight = None if weight is None else np.array(weight)
        votes = Comparisons(a=np.array(a), b=np.array(b), outcome=np.array(outcome), count=count, weight=given_weight)
        fit = fit_bradley_terry(votes)
    except RankingError:
        return
    present = fit.evidence.present
    assert np.isfinite(fit.strength[present]).all()
    assert (fit.standard_error()[present] > 0).all()
    assert np.isnan(fit.strength[~present]).all()
