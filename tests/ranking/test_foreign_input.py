"""Lists are arrays, and what is neither is refused by name, never with numpy's or Python's own exceptions."""

from contextlib import suppress

import numpy as np
import pytest

from ranking import (
    Answers,
    BadParameter,
    BadWeight,
    Candidates,
    Comparisons,
    Counts,
    Covariance,
    Gauge,
    Glicko2Ratings,
    ItemJudgments,
    NoConvergence,
    Rankings,
    SelectionState,
    ShapeMismatch,
    TooFewAnswers,
    UnknownIndex,
    acceptability,
    always_valid_margin,
    anchor_scales,
    annotator_drift,
    best_found,
    borda,
    bradley_terry_strengths,
    choose_training_pairs,
    copeland,
    count_matrix,
    exploitability,
    fit_bounded_worth,
    fit_bradley_terry,
    fit_crowd,
    fit_cyclic,
    fit_davidson,
    fit_mixture,
    fit_reward,
    fit_scale,
    fit_worth,
    generator,
    gold_accuracy,
    k_centre,
    kemeny,
    logged_format,
    majorities,
    maximal_lottery,
    minimax,
    probability_above,
    probability_best,
    rate_elo,
    rate_glicko2,
    side_bias,
)
from tests.ranking.worlds import random_pairs

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def votes() -> Comparisons:
    rng = np.random.default_rng(1)
    a, b = random_pairs(4, 200, rng)
    outcome = (rng.random(200) < 0.6) * 1.0
    named = {"annotator": np.arange(200) % 5, "prompt": np.arange(200)}
    return Comparisons(a=a, b=b, outcome=outcome, count=4, amount=b - a + rng.standard_normal(200), **named)


def test_rows_are_picked_by_slice_mask_or_place(votes):
    for rows in (slice(0, 10), list(range(10)), np.arange(200) < 10):
        assert votes.select(rows).a.tolist() == votes.a[:10].tolist()
    assert votes[5:15:2].prompt.tolist() == [5, 7, 9, 11, 13]
    assert votes[[-1, 0]].prompt.tolist() == [199, 0]
    assert len(votes.select([])) == len(votes[500:]) == 0
    assert len(Rankings.of_comparisons(votes).select(slice(3))) == 3
    assert len(Answers(contestant=[0, 1], acceptable=[True, False]).select([])) == 0


@pytest.mark.parametrize("rows", [3, [0.5], [[1]], "a", np.ones(3, dtype=bool), None])
def test_rows_that_are_neither_are_refused(votes, rows):
    for log in (votes, Rankings.of_comparisons(votes), Answers(contestant=[0, 1], acceptable=[True, False])):
        with pytest.raises(ShapeMismatch, match=r"Rows are picked by a slice|The mask has 3 entries for"):
            log.select(rows)


def test_rows_that_are_not_there_are_refused(votes):
    for rows in ([200], [-201, 0]):
        with pytest.raises(UnknownIndex, match="are asked for; there are 200, from 0"):
            votes[rows]
    with pytest.raises(ShapeMismatch, match=r"give \[3\] for the one row 3"):
        next(iter(votes))


@pytest.mark.parametrize("count", ["3", 3.0, 4.5, None])
def test_a_count_is_a_whole_number(count):
    with pytest.raises(BadParameter, match=r"count is .*; give a whole number"):
        Comparisons(a=[0], b=[1], outcome=[1], count=count)
    with pytest.raises(BadParameter, match=r"count is .*; give a whole number"):
        Rankings.of([[0, 1]], count=count)
    with pytest.raises(BadParameter, match=r"count is .*; give a whole number"):
        acceptability([0], [True], count)
    assert Comparisons(a=[0], b=[1], outcome=[1], count=np.int64(2)).count == 2


def test_lists_are_taken_for_arrays(votes):
    fit = fit_bradley_terry(votes)
    mean, covariance = fit.strength.tolist(), fit.covariance.tolist()
    assert fit_bradley_terry(votes, start=mean).iterations <= 2
    assert probability_best(mean, covariance, rng=generator(1)).sum() == pytest.approx(1.0)
    assert probability_above(mean, covariance).shape == (4, 4)
    assert exploitability([0.25] * 4, count_matrix(votes)) >= 0.0
    judged = ItemJudgments(item=[0, 0, 1], annotator=[0, 1, 0], value=[1.0, 0.0, 0.0], annotators=2)
    assert gold_accuracy(judged, [1, 1, NAN]).share.tolist() == [1.0, 0.0]
    assert annotator_drift([1.0, 2, 4, 8, 16], [0] * 5, annotators=1).factor[0] == pytest.approx(16.0)
    assert Glicko2Ratings.of([1500, 1400], [200, 100], [0.06, 0.06]).points.tolist() == [1500, 1400]
    assert k_centre([[0, 1], [1, 0]], 1).tolist() == [0]
    reward = fit_reward([[1, 0], [0, 1]], [1, 0], start=[0, 0])
    assert choose_training_pairs([[1, 0], [0, 1]], [0, 1], reward, 2, generator(1)).index.tolist() in ([0, 1], [1, 0])
    marked = [row % 20 == 0 for row in range(200)]
    with pytest.raises(TooFewAnswers):
        anchor_scales(votes, marked)
    assert SelectionState.restored(range(2), [[0, 3], [1, 0]]).votes == 4
    assert always_valid_margin([1.0, 2.0]).shape == (2,)


@pytest.mark.parametrize("start", ["abcd", [0, 0], [[0], [0, 1]], [INF, 0, 0, 0], ["a", "b", "c", "d"]])
def test_a_start_that_is_none_is_refused(votes, start):
    for function in (fit_bradley_terry, bradley_terry_strengths):
        with pytest.raises((ShapeMismatch, BadParameter), match=r"start h.*; give"):
            function(votes, start=start)


def test_labels_of_annotators_are_all_unknown_or_numbered(votes):
    log = {"a": votes.a, "b": votes.b, "outcome": votes.outcome, "count": 4}
    bias = side_bias(Comparisons(**log, annotator=np.full(200, -7)))
    assert bias.annotator.share.shape == (0,)
    assert bias.everyone.judged.tolist() == [200]
    with pytest.raises(UnknownIndex, match="number the annotators 0 to A - 1"):
        side_bias(Comparisons(**log, annotator=np.full(200, 10**15)))


@pytest.mark.parametrize("given", [{"mean": NAN, "variance": 1.0}, {"mean": 0.0, "variance": INF}, {"mean": 0.0}])
def test_a_newcomer_enters_with_numbers(given):
    with pytest.raises(BadParameter, match="Give mean and a positive variance together, both finite, or neither"):
        SelectionState.of(range(2)).enter(9, **given)


@pytest.mark.parametrize("wins", [[[0, -1.0], [1, 0]], [[0, NAN], [1, 0]], [["a", "b"], ["c", "d"]]])
def test_a_state_is_restored_from_counts(wins):
    with pytest.raises(BadWeight, match="wins"):
        SelectionState.restored(range(2), wins)


@pytest.mark.parametrize("given", [{"draws": 0}, {"alpha": 5}, {"alpha": 0.0}, {"alpha": "x"}, {"draws": 2.5}])
def test_a_search_ends_by_numbers_in_their_range(given):
    with pytest.raises(BadParameter, match="give"):
        best_found(SelectionState.of(range(3)), Candidates(np.arange(3)), generator(1), **given)


def test_nobody_is_best_of_nobody():
    with pytest.raises(BadParameter, match="nobody can be best"):
        probability_best(np.full(3, NAN), np.eye(3), rng=generator(1))


def test_training_pairs_have_the_features_of_their_fit():
    fit = fit_reward(np.eye(2), np.array([1.0, 0.0]))
    with pytest.raises(ShapeMismatch, match="contrast has 3 features and the fit 2"):
        choose_training_pairs(np.ones((4, 3)), np.arange(4), fit, 2, generator(1))
    with pytest.raises(BadParameter, match="eta is -1; give a positive power"):
        choose_training_pairs(np.ones((4, 2)), np.arange(4), fit, 2, generator(1), eta=-1)
    with pytest.raises(ShapeMismatch, match="one value for each of 2 features"):
        fit_reward(np.eye(2), np.array([1.0, 0.0]), start=np.zeros(3))
    for first in (9, -1):
        with pytest.raises(BadParameter, match="give a row of the pool, 0 to 2"):
            k_centre(np.eye(3), 2, first=first)


@pytest.mark.parametrize("logged", [{"format": "grades"}, {"format": "amounts"}, {"clarity": "x"}, {"format": "smell"}])
def test_a_format_is_read_from_what_was_logged_of_one(logged):
    with pytest.raises(BadParameter, match=r"is no format; give `parameters`|it is votes, grades or amounts"):
        logged_format(logged)


@pytest.mark.parametrize("seed", [-1, "a", 1.5, None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(BadParameter, match=r"seed is .*; give a whole number, 0 or more"):
        generator(seed)


@pytest.mark.parametrize("rule", [borda, copeland, minimax])
def test_rules_read_a_log_as_its_counts(votes, rule):
    np.testing.assert_array_equal(rule(votes).rank, rule(count_matrix(votes)).rank)
    assert kemeny(votes).order.tolist() == kemeny(count_matrix(votes)).order.tolist()
    assert maximal_lottery(votes).probability.tolist() == maximal_lottery(count_matrix(votes)).probability.tolist()
    assert majorities(votes) == majorities(count_matrix(votes))


def test_what_was_fitted_cannot_be_written_over(votes):
    fits = [fit_bradley_terry(votes), fit_davidson(Counts.of([[0, 3], [2, 0]], [[0, 2], [0, 0]])), fit_scale(votes)]
    circles = fit_cyclic(votes, rank=1, rng=generator(1))
    for fit in (*fits, circles):
        for array in (fit.strength, fit.covariance, fit.evidence.battles):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        fit_mixture(votes, groups=1, rng=generator(1)).responsibility[0] = 1.0
    for priced in (fit_worth(votes, rng=generator(1), draws=20), fit_bounded_worth(votes)):
        with pytest.raises(ValueError, match="read-only"):
            priced.worth[0] = 1.0


def test_circles_leave_contestants_points_of_their_own(votes):
    """Rank 0 is Bradley-Terry, whose strengths against everyone alike they then are; circles do not move them much."""
    plain = fit_bradley_terry(votes, gauge=Gauge.EQUAL, covariance=Covariance.SANDWICH)
    flat = fit_cyclic(votes, rank=0, rng=generator(1), covariance=Covariance.SANDWICH)
    np.testing.assert_allclose(flat.to_points().points, plain.to_points().points, atol=1e-3)
    np.testing.assert_allclose(flat.to_points().standard_error, plain.to_points().standard_error, rtol=1e-4)
    round_about = fit_cyclic(votes, rank=1, rng=generator(1))
    odds = np.log(round_about.probability / round_about.probability.T)
    np.testing.assert_allclose(round_about.strength, odds.mean(axis=1), atol=1e-12)
    assert (round_about.to_points().upper > round_about.to_points().points).all()


def test_an_amount_may_speak_against_its_outcome():
    both = Comparisons(a=[0], b=[1], outcome=[1.0], count=2, amount=[-3.0])
    assert both.amount.tolist() == [-3.0]


@pytest.mark.parametrize("weight", [1e300, 1e-300, 1e61, 1e-61])
def test_weights_whose_squares_are_no_numbers_are_refused(weight):
    with pytest.raises(BadWeight, match=r"weight\[1\] is .*; divide all by their mean"):
        Comparisons(a=[0, 1], b=[1, 0], outcome=[1, 1], count=2, weight=[1.0, weight])
    with pytest.raises(BadWeight, match=r"wins\[0, 1\] is .*; divide all by their mean"):
        Counts.of([[0, weight], [1, 0]])


@pytest.mark.parametrize("weight", [1e-60, 1e60])
@pytest.mark.filterwarnings("error")
def test_the_largest_and_the_smallest_weights_are_fitted_or_refused_by_name(votes, weight):
    columns = {"annotator": votes.annotator, "prompt": votes.prompt, "amount": votes.amount}
    log = {"a": votes.a, "b": votes.b, "outcome": votes.outcome, "count": 4, **columns}
    weighed = Comparisons(**log, weight=np.full(200, weight))
    for function in (fit_bradley_terry, fit_scale, fit_crowd, fit_bounded_worth, rate_elo, rate_glicko2, side_bias):
        with suppress(NoConvergence):
            function(weighed)
