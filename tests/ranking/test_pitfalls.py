"""What other programs fall into on real data, and where it is shown that this one does not.

Numbers are those of the pitfalls that were met. Most stand with the model they concern; those here have a control: the
same data as a peer would treat them. Not among them are 12 to 14 and 19: forks, threads, a faulty oracle and pins.
"""

import ast
from pathlib import Path

import choix
import evalica
import numpy as np
import pytest
from scipy.optimize import minimize

from ranking import (
    POINTS_PER_LOGIT,
    Comparisons,
    Covariance,
    Family,
    Gauge,
    count_matrix,
    fit_bradley_terry,
    rank_ranges,
)
from tests.ranking.worlds import bradley_terry_world

SHOWN = {
    1: ("bradley_terry.few_identical_outcomes_do_not_make_a_tiny_interval",),
    2: (
        "bradley_terry.a_rare_contestant_hardly_moves_the_others",
        "pitfalls.one_rare_contestant_does_not_inflate_the_leaders_error",
        "ranks.ranges_do_not_depend_on_the_gauge",
    ),
    3: (
        "bradley_terry.the_undefeated_are_refused_without_a_prior_and_flagged_with_one",
        "bradley_terry.a_group_that_only_beats_the_rest_is_flagged_though_none_in_it_is_undefeated",
        "pitfalls.one_undefeated_contestant_leaves_the_others_their_ratings",
    ),
    4: (
        "bradley_terry.groups_that_never_met_are_named",
        "ranks.groups_that_never_met_are_not_ordered",
        "peers.peers_give_groups_that_never_met_comparable_looking_scores",
    ),
    5: (
        "clusters.clusters_widen_intervals_where_people_and_prompts_differ",
        "clusters.auto_takes_the_widest_clustering_that_the_labels_carry",
        "coverage.clustered_intervals_of_strengths_cover",
    ),
    6: (
        "bradley_terry.ten_copies_of_every_vote_do_not_narrow_a_clustered_interval",
        "bootstrap.ten_copies_of_every_vote_do_not_narrow_it_when_whole_prompts_are_drawn",
    ),
    7: (
        "ordinal.scales_of_tie_models_are_their_own",
        "ordinal.three_levels_are_rao_kupper_and_two_are_bradley_terry",
        "peers.evalicas_tie_parameter_is_half_of_nu",
    ),
    8: (
        "bradley_terry.votes_of_neither_are_left_out_or_counted_half",
        "counts.the_rate_of_both_bad_counts_every_appearance",
        "peers.peers_fold_both_bad_into_ties_and_ours_only_when_told",
        "comparisons.a_bad_column_is_refused_with_its_place_and_its_fix",
    ),
    9: ("covariates.the_penalty_weighs_as_a_few_votes_and_not_as_many_as_there_are",),
    10: (
        "bradley_terry.the_estimate_is_the_maximum_within_a_millionth_of_a_point",
        "covariates.the_maximum_is_exact_and_nothing_is_added_to_the_information",
        "pitfalls.a_tolerance_on_the_mean_loss_leaves_an_error_and_newton_none",
    ),
    11: (
        "covariates.the_maximum_is_exact_and_nothing_is_added_to_the_information",
        "pitfalls.a_ridge_in_the_information_would_narrow_intervals_and_there_is_none",
    ),
    15: ("elo.the_order_of_the_log_moves_ratings_and_shuffling_averages_it_out",),
    16: (
        "live.between_polishes_ratings_drift_by_less_than_a_twentieth_of_a_point",
        "live.without_polishing_ratings_drift",
    ),
    17: (
        "ranks.a_difference_can_be_significant_though_single_intervals_overlap",
        "ranks.more_simultaneous_statements_widen_the_ranges",
        "pitfalls.overlap_of_intervals_finds_fewer_differences_than_there_are",
    ),
    18: (
        "counts.each_plane_keeps_the_order_of_the_sides",
        "covariates.the_side_is_fitted_from_unfolded_counts_as_from_rows",
        "annotator_checks.side_bias_is_found_with_the_person_who_has_it",
    ),
}


@pytest.mark.parametrize("number", [*range(1, 12), *range(15, 19)])
def test_every_pitfall_has_its_tests(number):
    for place in SHOWN[number]:
        file, name = place.split(".")
        tree = ast.parse((Path(__file__).parent / f"test_{file}.py").read_text())
        assert f"test_{name}" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def joined(votes: Comparisons, rows: list[tuple[int, int, float]], count: int) -> Comparisons:
    a, b, outcome = (np.array(column) for column in zip(*rows, strict=True))
    columns = (np.append(votes.a, a), np.append(votes.b, b), np.append(votes.outcome, outcome))
    return Comparisons(a=columns[0], b=columns[1], outcome=columns[2], count=count)


def test_one_rare_contestant_does_not_inflate_the_leaders_error():
    """With every contestant counting the same, the error of one with two votes is in everybody's."""
    votes = bradley_terry_world(12, 40_000, seed=71).votes
    rare = joined(votes, [(12, 0, 1.0), (12, 1, 0.0)], 13)
    options = {"covariance": Covariance.HESSIAN, "prior": None, "floor": False}
    alone = fit_bradley_terry(votes, **options).standard_error()[11]
    assert fit_bradley_terry(rare, **options).standard_error()[11] == pytest.approx(alone, rel=0.01)
    assert fit_bradley_terry(rare, gauge=Gauge.EQUAL, **options).standard_error()[11] > 3.0 * alone


def test_one_undefeated_contestant_leaves_the_others_their_ratings():
    """Of peers one gives everybody the same score, another none at all."""
    votes = bradley_terry_world(6, 2000, seed=72).votes
    unbeaten = joined(votes, [(6, 0, 1.0), (6, 1, 1.0)], 7)
    winners = [evalica.Winner.X if outcome == 1.0 else evalica.Winner.Y for outcome in unbeaten.outcome]
    peer = evalica.bradley_terry(unbeaten.a, unbeaten.b, winners, limit=10_000).scores.sort_index().to_numpy()
    assert np.ptp(peer) == 0.0
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match="Did not converge"):
        choix.ilsr_pairwise_dense(count_matrix(unbeaten).wins, alpha=0.0)
    before, shown = fit_bradley_terry(votes).to_points(), fit_bradley_terry(unbeaten).to_points()
    np.testing.assert_allclose(shown.points[:6], before.points, atol=0.5)
    assert (shown.upper[6], np.isfinite(shown.lower[6])) == (np.inf, True)


def test_a_tolerance_on_the_mean_loss_leaves_an_error_and_newton_none():
    votes = bradley_terry_world(53, 20_000, seed=73).votes
    wins = count_matrix(votes).wins
    total = wins.sum()

    def mean_loss(strength):
        gap = strength[:, None] - strength[None, :]
        chance = 1.0 / (1.0 + np.exp(-gap))
        slope = wins.sum(axis=1) - ((wins + wins.T) * chance).sum(axis=1)
        return float((wins * np.logaddexp(0.0, -gap)).sum() / total), -slope / total

    fit = fit_bradley_terry(votes, prior=None, gauge=Gauge.EQUAL)
    peer = minimize(mean_loss, np.zeros(53), jac=True, method="L-BFGS-B").x
    assert np.abs(peer - peer.mean() - fit.strength).max() * POINTS_PER_LOGIT > 0.05
    step = fit.hessian_covariance @ (-total * mean_loss(fit.strength)[1])
    assert np.abs(step).max() * POINTS_PER_LOGIT < 1e-6


def test_a_ridge_in_the_information_would_narrow_intervals_and_there_is_none():
    rows = 40_000
    votes = joined(bradley_terry_world(20, rows, seed=74).votes, [(20, 0, 1.0), (20, 1, 0.0)], 21)
    fit = fit_bradley_terry(votes, prior=None, gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN, floor=False)
    chance, wins = fit.win_probability(), count_matrix(votes).wins
    inner = (wins + wins.T) * chance * (1.0 - chance)
    information = np.diag(inner.sum(axis=1)) - inner
    np.testing.assert_allclose(fit.covariance, np.linalg.pinv(information), rtol=1e-7, atol=1e-12)
    centred = np.eye(21) - 1.0 / 21.0
    ridged = centred @ np.linalg.inv(information + 1e-5 * rows * np.eye(21)) @ centred
    assert np.sqrt(ridged[20, 20]) < 0.8 * fit.standard_error()[20]


def test_overlap_of_intervals_finds_fewer_differences_than_there_are():
    """A public board's rule: 1 + the number of those whose lower bound exceeds my upper bound."""
    fit = fit_bradley_terry(bradley_terry_world(12, 3000, seed=75).votes, gauge=Gauge.EQUAL)
    points, ours = fit.to_points(), rank_ranges(fit, family=Family.PAIR)
    rule = points.lower[:, None] > points.upper[None, :]
    assert (ours.above | ~rule).all()
    assert rule.sum() < 0.9 * ours.above.sum()
    moved = fit_bradley_terry(bradley_terry_world(12, 3000, seed=75).votes, gauge=0)
    other = moved.to_points()
    assert (other.lower[:, None] > other.upper[None, :]).sum() != rule.sum()
    np.testing.assert_array_equal(rank_ranges(moved, family=Family.PAIR).above, ours.above)
