"""Our answers against those of arena-rank 0.1.1, whose requirements we cannot share: figures as it gave them.

Computed once with numpy 2.3.3, jax 0.8.1 and its defaults, in double precision, on Davidson's puddings (`published`):
`BradleyTerry(n).compute_ratings_and_cis(PairDataset.from_pandas(frame))` and, with one covariate,
`ContextualBradleyTerry(n, 1, reg=reg).fit(ContextualPairDataset.from_pandas(frame, ["x"], reweighted=False))`.
"""

from dataclasses import replace

import choix
import evalica
import numpy as np
import pytest

from ranking import (
    POINTS_PER_LOGIT,
    Comparisons,
    Covariance,
    Gauge,
    NotConnected,
    NotStronglyConnected,
    Side,
    count_matrix,
    fit_bradley_terry,
    fit_with_covariates,
)
from tests.ranking.published import pudding_votes

RATINGS = (977.6756583, 1005.5241573, 997.0179889, 999.8212648, 994.6010489, 1025.3598818)
ERRORS = (15.3948118, 15.8971975, 16.0548943, 15.3470533, 15.5057922, 16.0397424)
# With a seventh brand that beat the first three times, and with one that tied once with the first and the second.
UNDEFEATED, UNDEFEATED_ERROR = (599.0531315, 3271.7717503), 0.0084668  # of the first and the seventh
TWO_TIES_ERROR = 11.9075279
STYLE = {1.0: 0.1397393, 0.0: 0.8059777}  # coefficient by `reg`
RIDGE = 1e-5  # its `hessian_reg`, times the number of votes


def with_rows(rows, count):
    votes, (a, b, outcome) = pudding_votes(), (np.array(column) for column in zip(*rows, strict=True))
    joined = [np.concatenate(both) for both in ((votes.a, a), (votes.b, b), (votes.outcome, outcome))]
    return Comparisons(a=joined[0], b=joined[1], outcome=joined[2], count=count)


def ours(votes, **options):
    return fit_bradley_terry(votes, gauge=Gauge.EQUAL, covariance=Covariance.SANDWICH, **options)


def test_arena_rank_finds_the_same_ratings():
    np.testing.assert_allclose(ours(pudding_votes(), prior=None).to_points().points, RATINGS, atol=5e-5)


def test_arena_ranks_errors_are_ours_with_a_ridge_in_the_information():
    votes = pudding_votes()
    fit = ours(votes, prior=None)
    p = fit.win_probability()[votes.a, votes.b]
    x = np.eye(6)[votes.a] - np.eye(6)[votes.b]
    information, meat = (x.T * (p * (1 - p))) @ x, (x.T * (votes.outcome - p) ** 2) @ x
    inverse = np.linalg.inv(information + RIDGE * len(votes) * np.eye(6))
    ridged = POINTS_PER_LOGIT * np.sqrt(np.diag(inverse @ meat @ inverse))
    np.testing.assert_allclose(ridged, ERRORS, atol=1e-5)
    inverse = np.linalg.pinv(information, rcond=1e-9)
    plain = POINTS_PER_LOGIT * np.sqrt(np.diag(inverse @ meat @ inverse))
    np.testing.assert_allclose(fit.to_points().standard_error, plain, atol=1e-6)
    assert (plain > ERRORS).all()


def test_an_undefeated_contestant_makes_other_tools_run_away_each_in_its_own_way():
    """One brand with three wins moves arena-rank's other ratings by 379 points, all by the same."""
    votes = with_rows([(6, 0, 1.0)] * 3, 7)
    assert UNDEFEATED[1] - UNDEFEATED[0] > 2600
    assert UNDEFEATED_ERROR < 0.01
    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    theirs = evalica.bradley_terry(votes.a, votes.b, [winner[y] for y in votes.outcome]).scores
    assert np.ptp(theirs.to_numpy()) == 0.0
    with pytest.raises(RuntimeError, match="converge"), np.errstate(divide="ignore", invalid="ignore"):
        choix.ilsr_pairwise_dense(count_matrix(votes).wins + 0.5 * count_matrix(votes).ties, alpha=0.0)
    with pytest.raises(NotStronglyConnected):
        ours(votes, prior=None)
    board = fit_bradley_terry(votes)
    assert board.to_points().upper[6] == np.inf
    before = fit_bradley_terry(pudding_votes()).strength
    assert np.abs(np.diff(board.strength[:6]) - np.diff(before)).max() * POINTS_PER_LOGIT < 5


def test_two_ties_leave_arena_ranks_interval_narrower_than_those_of_a_hundred_battles():
    fit = ours(with_rows([(6, 0, 0.5), (6, 1, 0.5)], 7), prior=None)
    assert min(ERRORS) > TWO_TIES_ERROR
    assert fit.evidence.provisional[6]
    assert fit.to_points().standard_error[6] > 15 * TWO_TIES_ERROR


def test_groups_that_never_met_are_refused_where_other_tools_print_ratings():
    with pytest.raises(NotConnected):
        ours(with_rows([(6, 7, 1.0)] * 3 + [(6, 7, 0.0)] * 2, 8), prior=None)


def test_arena_ranks_penalty_weighs_as_many_votes_as_there_are():
    votes = pudding_votes()
    x = np.random.default_rng(0).normal(size=len(votes)) + 0.5 * (2 * votes.outcome - 1)
    # It shifts what it is given to a mean of zero, which lends its effect to the side, and divides by the deviation.
    votes = replace(votes, covariates=((x - x.mean()) / x.std())[:, None])
    for reg, coefficient in STYLE.items():
        fit = fit_with_covariates(votes, side=Side.NONE, prior=None, penalty=reg * len(votes))
        assert fit.effects.value[0] == pytest.approx(coefficient, abs=2e-5)
    weak = fit_with_covariates(votes, side=Side.NONE, prior=None, penalty=1.0)
    assert weak.effects.value[0] > 0.98 * STYLE[0.0]
