"""Logs too small or too even for a model, each of which some model once met with a crash, a warning or a NaN."""

import numpy as np
import pytest

from ranking import (
    Adjustment,
    BadAmount,
    Comparisons,
    Estimand,
    MissingLabels,
    NoComparisons,
    NoConvergence,
    Rankings,
    Side,
    TooFewAnswers,
    anchor_scales,
    fit_bounded_worth,
    fit_crowd,
    fit_cyclic,
    fit_magnitudes,
    fit_plackett_luce,
    fit_worth,
)
from ranking.annotators.joint import between_variance
from tests.ranking.worlds import from_rows

pytestmark = pytest.mark.filterwarnings("error")


def priced(a, b, amount, annotator, prompt=None, **columns):
    rows = len(a)
    labels = {"annotator": np.array(annotator), "prompt": np.arange(rows) if prompt is None else np.array(prompt)}
    named = {name: np.array(values) for name, values in columns.items()}
    count = max(*a, *b) + 1
    outcome = np.full(rows, 0.5)
    return Comparisons(
        a=np.array(a), b=np.array(b), outcome=outcome, count=count, amount=np.array(amount), **labels, **named
    )


def rng():
    return np.random.default_rng(0)


def test_a_leaning_of_nobody_known_is_refused():
    votes = priced([1, 0], [0, 1], [3e-6, 5e-5], [-1, -1], [-1, -1])
    with pytest.raises(MissingLabels, match=r"use Side\.COMMON"):
        fit_worth(votes, rng=rng(), min_answers=1, draws=20, adjust=Adjustment(side=Side.ANNOTATOR))


def test_leanings_without_noise_spread_as_they_are_and_one_alone_is_the_common_side():
    free = np.array([0.5, -0.2, -0.3])
    assert between_variance(free, np.zeros(3)) == pytest.approx(free @ free / 2, rel=1e-6)
    assert between_variance(np.zeros(3), np.zeros(3)) == 0.0
    assert between_variance(np.array([2.0]), np.array([0.1])) == 0.0


def test_prices_that_leanings_explain_to_the_last_cent_have_finite_worths():
    columns = {"covariates": [[0.02842224], [0.54671299], [-0.73645409]], "weight": [2.0, 1.0, 2.0]}
    votes = priced([1, 0, 1], [2, 2, 2], [-2.0, 0.0, 2.0], [2, 1, 0], [2, 3, 2], **columns)
    leaning = Adjustment(side=Side.ANNOTATOR, penalty=1.0)
    fit = fit_worth(votes, rng=rng(), estimand=Estimand.MONEY, draws=20, adjust=leaning)
    assert np.isfinite(fit.worth).all()
    assert np.isfinite(fit.to_intervals().upper).all()


def test_answers_of_weight_zero_make_nobody_scalable():
    votes = priced([0, 0, 1, 1], [1, 1, 0, 0], [2.0, 1.0, 0.0, 0.0], [0, 0, 0, 0], weight=[0.0, 0.0, 1.0, 1.0])
    with pytest.raises(TooFewAnswers, match="not all zero"):
        fit_magnitudes(votes, min_answers=2)
    anchors = np.array([True, True, False, False])
    with pytest.raises(TooFewAnswers, match="anchors"):
        anchor_scales(votes, anchors, min_anchors=1)


def test_votes_of_contestants_with_themselves_make_no_rankings_whatever_their_covariates():
    alone = Comparisons(a=np.array([2]), b=np.array([2]), outcome=np.zeros(1), count=5, covariates=np.ones((1, 1)))
    rankings = Rankings.of_comparisons(alone)
    assert rankings.covariates.shape == (0, 1)
    with pytest.raises(NoComparisons):
        fit_plackett_luce(rankings)


def test_magnitudes_that_cancel_are_refused():
    votes = priced([0, 0, 1, 1], [1, 1, 2, 2], [1.0, -1.0, 2.0, -2.0], [0, 0, 1, 1])
    with pytest.raises(BadAmount, match="nothing in common"):
        fit_magnitudes(votes, min_answers=2)


def test_magnitudes_with_no_more_answers_than_parameters_are_refused():
    x = [[0.04], [-0.29], [-0.78], [0.01], [-0.28], [1.29], [1.01]]
    values, annotator = [1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 0.0], [1, 1, -1, 2, 2, 2, 1]
    votes = priced([2, 4, 1, 4, 4, 3, 3], [0, 2, 0, 0, 0, 1, 2], values, annotator, covariates=x)
    with pytest.raises(NoConvergence, match="raise min_answers"):
        fit_magnitudes(votes, min_answers=2, adjust=Adjustment(side=Side.ANNOTATOR, penalty=1.0))


def test_votes_that_two_small_covariates_decide_are_refused():
    rows = [(1, 3, 0.0), (0, 1, 1.0), (2, 3, 1.0), (2, 1, 0.0), (2, 3, 1.0), (1, 3, 1.0), (1, 2, 0.0)]
    x = 1e-6 * np.array([[-1, 0], [0, 1], [0, 0], [0, 0], [0, 0], [1, 0], [-1, -1]])
    votes = from_rows(rows, 4, annotator=np.array([3, 0, 1, 2, -1, 1, -1]), covariates=x)
    with pytest.raises(NoConvergence, match=r"penalty=1\.0"):
        fit_crowd(votes, adjust=Adjustment())
    rows = [(3, 0, 0.0), (4, 2, 0.0), (2, 0, 1.0), (1, 2, 0.0), (2, 4, 0.0), (4, 0, 0.0), (3, 2, 0.0)]
    x = 1e-6 * np.array([[-1, -1], [0, -1], [1, 1], [-1, 1], [1, 1], [-1, 1], [0, -1]])
    with pytest.raises(NoConvergence, match=r"penalty=1\.0"):
        fit_cyclic(from_rows(rows, 5, covariates=x), rank=0, rng=rng(), adjust=Adjustment(side=Side.COMMON))


def test_bounds_on_one_prompt_have_finite_intervals():
    low = [4.6e-7, -9.3e-7, 4.8e-8, 9.5e-6, 4.8e-4]
    high = [np.inf, 1.1e-6, 1.0e-6, 1.0e-5, np.inf]
    exact = [1.5e-6, np.nan, 4.8e-8, 1.0e-5, 4.8e-4]
    votes = priced([3, 1, 0, 2, 2], [2, 0, 1, 1, 1], exact, [0, 2, 2, 1, 2], [0] * 5, amount_low=low, amount_high=high)
    fit = fit_bounded_worth(votes, estimand=Estimand.PANEL)
    assert np.isfinite(fit.to_intervals().lower).all()
    assert fit.side_standard_error >= 0.0
