"""Real sets, only with --real-data: the reference that several programs agree on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import kendalltau

from ranking import (
    BothBad,
    Comparisons,
    Covariance,
    Gauge,
    LiveRatings,
    Note,
    Rankings,
    count_matrix,
    fit_bradley_terry,
    fit_davidson,
    fit_ordinal,
    fit_outside_option,
    fit_plackett_luce,
    fit_rao_kupper,
    rank_ranges,
    rate_elo,
    win_rates,
)

pytestmark = pytest.mark.real_data

SETS = {
    "lmarena140k_min50": ("lmarena140k", 50),
    "llmfao_crowd": ("llmfao_crowd", 0),
    "mtbench_human": ("mtbench_human", 0),
}
OUTCOME = {"a": 1.0, "b": 0.0, "tie": 0.5, "both_bad": 0.5}
HALF = {"prior": None, "gauge": Gauge.EQUAL, "both_bad": BothBad.HALF, "floor": False}


@pytest.fixture(params=sorted(SETS))
def case(request, real_data: Path):
    file, least = SETS[request.param]
    reference = json.loads((real_data / "reference.json").read_text())[request.param]
    votes = pd.read_parquet(real_data / f"{file}.parquet")
    appearances = pd.concat([votes.a, votes.b]).value_counts()
    kept = votes[votes.a.map(appearances).ge(least) & votes.b.map(appearances).ge(least)]
    return comparisons(kept, list(reference["ratings"])), reference


def comparisons(votes: pd.DataFrame, names: list[str]) -> Comparisons:
    index = {name: position for position, name in enumerate(names)}
    labels = {"judge": "annotator", "prompt": "prompt"}
    return Comparisons(
        a=votes.a.map(index).to_numpy(),
        b=votes.b.map(index).to_numpy(),
        outcome=votes.outcome.map(OUTCOME).to_numpy(),
        count=len(names),
        both_bad=(votes.outcome == "both_bad").to_numpy(),
        **{ours: pd.factorize(votes[theirs])[0] for theirs, ours in labels.items() if theirs in votes},
    )


def column(reference, name):
    return np.array([row[name] for row in reference["ratings"].values()])


def test_ratings_and_errors_equal_the_reference(case):
    votes, reference = case
    assert len(votes) == reference["n"]
    fit = fit_bradley_terry(votes, covariance=Covariance.SANDWICH, **HALF)
    hessian = fit_bradley_terry(votes, covariance=Covariance.HESSIAN, **HALF)
    np.testing.assert_allclose(fit.to_points().points, column(reference, "bt"), atol=1e-3)
    np.testing.assert_allclose(fit.to_points().standard_error, column(reference, "se_sandwich"), atol=1e-3)
    np.testing.assert_allclose(hessian.to_points().standard_error, column(reference, "se_hessian"), atol=1e-3)
    assert fit.log_likelihood == pytest.approx(reference["loglik_half_tie"], abs=1e-3)
    np.testing.assert_array_equal(fit.evidence.battles, column(reference, "battles"))


def test_davidson_equals_the_reference(case):
    votes, reference = case
    fit = fit_davidson(votes, covariance=Covariance.SANDWICH, **HALF)
    assert fit.nu == pytest.approx(reference["nu"], abs=1e-5)
    assert fit.log_likelihood == pytest.approx(reference["davidson_loglik"], abs=1e-3)
    np.testing.assert_allclose(fit.to_points().points, column(reference, "davidson"), atol=1e-3)


def test_rao_kupper_equals_the_reference(case):
    votes, reference = case
    fit = fit_rao_kupper(votes, covariance=Covariance.SANDWICH, **HALF)
    assert fit.eta == pytest.approx(reference["rk_cut"], abs=1e-5)
    assert fit.log_likelihood == pytest.approx(reference["rk_loglik"], abs=1e-3)


def test_grades_of_professional_raters_are_fitted_at_the_maximum(real_data: Path):
    """Nine levels, ten systems: where a general optimiser over the rows ends, to 1e-6."""
    votes = pd.read_parquet(real_data / "mqm_sxs_ende.parquet")
    names = sorted(set(votes.a) | set(votes.b))
    strength = np.minimum(np.ceil(votes.strength.abs().to_numpy() / 2.0), 4).astype(int)
    graded = replace(comparisons(votes, names), strength=strength)
    fit = fit_ordinal(graded, levels=4, prior=None, gauge=9)
    assert fit.clustering.kind is Covariance.PROMPT

    def loss(point: np.ndarray) -> float:
        cuts, theta = np.cumsum(np.exp(point[9:])), np.append(point[:9], 0.0)
        edges = np.concatenate(([-np.inf], -cuts[::-1], cuts, [np.inf]))
        gap, at = theta[graded.a] - theta[graded.b], graded.grade + 4
        return -float(np.log(expit(edges[at + 1] - gap) - expit(edges[at] - gap)).sum())

    found = minimize(loss, np.zeros(13), method="BFGS")
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-6)
    np.testing.assert_allclose(fit.strength[:9], found.x[:9], atol=1e-5)
    np.testing.assert_allclose(fit.cuts, np.cumsum(np.exp(found.x[9:])), atol=1e-5)


def test_elo_equals_the_reference(case):
    votes, reference = case
    points = rate_elo(votes, k=4, both_bad=BothBad.HALF).points
    np.testing.assert_allclose(points, column(reference, "elo_k4"), atol=1e-3)


@pytest.fixture
def arena(real_data: Path):
    """All 53 models of the public arena, the two rare ones and the self-battles among them."""
    votes = pd.read_parquet(real_data / "lmarena140k.parquet")
    names = sorted(set(votes.a) | set(votes.b))
    return comparisons(votes, names), names


def test_the_rare_models_of_the_arena_get_honest_intervals(arena):
    """Pitfall: two ties gave a peer an interval of +-7 points."""
    votes, _ = arena
    fit = fit_bradley_terry(votes)
    rare = fit.evidence.battles < 50
    assert rare.sum() == 1
    assert fit.evidence.provisional[rare].all()
    assert (fit.to_points().standard_error[rare] > 100).all()
    assert (fit.to_points().standard_error[~rare] < 25).all()


def test_both_bad_votes_of_the_arena_are_counted_apart(arena):
    votes, _ = arena
    counts = count_matrix(votes)
    assert counts.both_bad.sum() / len(votes) == pytest.approx(0.116, abs=0.001)
    left_out, half = fit_bradley_terry(counts).to_points().points, fit_bradley_terry(counts, both_bad=BothBad.HALF)
    assert np.abs(left_out - half.to_points().points).max() > 5
    assert np.nanmax(win_rates(counts).rate) > np.nanmax(win_rates(counts, BothBad.HALF).rate)


def test_both_bad_votes_of_the_arena_give_its_models_a_level(arena):
    """Every model is better than neither, in Bradley-Terry's order, and none is expected as often as it was seen."""
    votes, _ = arena
    fit, order = fit_outside_option(votes, prior=None), fit_bradley_terry(votes, prior=None)
    known = fit.evidence.battles >= 50
    assert (fit.strength[known] > 0.1).all()
    assert np.corrcoef(fit.strength[known], order.strength[known])[0, 1] > 0.99
    counts, elsewhere = count_matrix(votes), ~np.eye(votes.count, dtype=bool)
    shown = (counts.a_wins + counts.b_wins + counts.ties + counts.both_bad)[elsewhere]
    expected = (shown * fit.none_probability()[elsewhere]).sum()
    assert expected == pytest.approx(counts.both_bad[elsewhere].sum(), abs=1e-3)


def test_battles_as_rankings_of_two_are_the_same_board(case):
    votes, _ = case
    others = votes.select(votes.a != votes.b)
    fit, davidson = fit_plackett_luce(Rankings.of_comparisons(others), prior=None), fit_davidson(others, prior=None)
    assert fit.delta[0] == pytest.approx(davidson.nu, abs=1e-9)
    np.testing.assert_allclose(fit.to_points().points, davidson.to_points().points, atol=1e-6)
    np.testing.assert_allclose(fit.standard_error(), davidson.standard_error(), atol=1e-6)


def test_the_order_of_the_sides_is_not_lost(arena):
    """Pitfall: folded counts cannot show that the left side won 48,563 times and the right 49,785."""
    votes, _ = arena
    counts = count_matrix(votes)
    assert (counts.a_wins.sum(), counts.b_wins.sum()) == (48_563, 49_785)


def test_ranks_of_the_arena_widen_with_the_statements_made(arena):
    votes, _ = arena
    ranges = rank_ranges(fit_bradley_terry(votes))
    assert (ranges.lower <= ranges.rank).all()
    assert (ranges.rank <= ranges.upper).all()


def test_clustering_widens_the_intervals_of_crowds(real_data: Path):
    """Pitfall: by prompt 1.5 times and by annotator 1.1 times the naive error, as measured elsewhere."""
    votes = pd.read_parquet(real_data / "llmfao_crowd.parquet")
    crowd = comparisons(votes, sorted(set(votes.a) | set(votes.b)))
    naive = fit_bradley_terry(crowd, covariance=Covariance.SANDWICH, prior=None).standard_error()
    for kind, least, most in ((Covariance.PROMPT, 1.4, 1.8), (Covariance.ANNOTATOR, 1.05, 1.2)):
        ratio = fit_bradley_terry(crowd, covariance=kind, prior=None).standard_error() / naive
        assert least < np.median(ratio) < most
    auto = fit_bradley_terry(crowd)
    assert auto.clustering.kind is Covariance.TWO_WAY
    assert auto.clustering.degrees_of_freedom == 12
    assert Note.FEW_CLUSTERS in auto.notes


def test_scenes_that_share_no_image_are_separate_components(real_data: Path):
    """Pitfall: peers print ratings across scenes as if they were comparable."""
    votes = pd.read_parquet(real_data / "lightfield_quality.parquet")
    names = sorted(set(votes.a) | set(votes.b))
    fit = fit_bradley_terry(comparisons(votes, names))
    scene = np.array([name.split("/")[0] for name in names])
    assert Note.NOT_CONNECTED in fit.notes
    for component in np.unique(fit.evidence.component):
        assert len(set(scene[fit.evidence.component == component])) == 1
    above = rank_ranges(fit).above
    assert not above[scene[:, None] != scene[None, :]].any()


def test_elo_in_the_order_of_the_file_ranks_the_arena_otherwise_than_the_fit(arena):
    """Pitfall: τ .81 in file order; the mean of 20 shuffled passes comes near."""
    votes, _ = arena
    fit = fit_bradley_terry(votes, both_bad=BothBad.HALF)
    common = fit.evidence.battles >= 50
    in_order = rate_elo(votes, both_bad=BothBad.HALF)
    averaged = rate_elo(votes, both_bad=BothBad.HALF, shuffles=20, rng=np.random.default_rng(1))
    assert kendalltau(in_order.points[common], fit.strength[common]).statistic == pytest.approx(0.81, abs=0.005)
    assert kendalltau(averaged.points[common], fit.strength[common]).statistic > 0.95


def test_live_ratings_follow_the_arena(arena):
    votes, _ = arena
    live = LiveRatings(votes.select(np.arange(134_000)))
    last = votes.select(np.arange(134_000, len(votes)))
    columns = (last.a, last.b, last.outcome, last.both_bad)
    for a, b, outcome, bad in zip(*(column.tolist() for column in columns), strict=True):
        live.add(a, b, outcome, both_bad=bad)
    assert np.nanmax(np.abs(live.points() - fit_bradley_terry(votes).to_points().points)) < 0.05
    assert live.polishes <= 2
