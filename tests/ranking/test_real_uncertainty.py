"""Sides, resampling and influence on real sets, only with --real-data."""

import numpy as np
import pandas as pd
import pytest

from ranking import (
    BothBad,
    Covariance,
    Family,
    Side,
    bootstrap_bradley_terry,
    count_matrix,
    fewest_votes_for_first,
    fit_bradley_terry,
    fit_pair_effects,
    fit_with_covariates,
    rank_ranges,
    watched_ranges,
)
from tests.ranking.test_real_data import comparisons

pytestmark = pytest.mark.real_data


def votes_of(folder, name):
    votes = pd.read_parquet(folder / f"{name}.parquet")
    return comparisons(votes, sorted(set(votes.a) | set(votes.b)))


def test_the_right_side_of_the_arena_wins_a_little_more(real_data):
    """Pitfall: 48,563 left wins against 49,785 right ones are seen in unfolded counts only."""
    arena = votes_of(real_data, "lmarena140k")
    fit = fit_with_covariates(count_matrix(arena))
    low, high = fit.interval("side")
    assert -0.04 < low < high < -0.01
    assert fit.effects.value[0] == pytest.approx(np.log(48_563 / 49_785), abs=0.01)
    # Sides were drawn by a coin, so the board hardly moves.
    moved = np.abs(fit.to_points().points - fit.unadjusted.to_points().points)[fit.evidence.battles >= 50]
    assert moved.max() < 2.0


def test_annotators_of_the_crowd_lean_each_their_own_way(real_data):
    fit = fit_with_covariates(votes_of(real_data, "llmfao_crowd"), side=Side.ANNOTATOR)
    assert len(fit.leanings.annotator) == 124
    assert 0.02 < fit.leanings.variance < 0.3


@pytest.mark.parametrize(("name", "least"), [("llmfao_crowd", 1.4), ("mtbench_human", 1.5)])
def test_resampled_prompts_are_as_wide_as_their_sandwich_and_wider_than_votes(real_data, name, least):
    """Pitfall: votes on one prompt vary together, here to half as wide again and more."""
    votes = votes_of(real_data, name)
    boot = bootstrap_bradley_terry(votes, rng=np.random.default_rng(1), draws=200, covariance=Covariance.PROMPT)
    naive = fit_bradley_terry(votes, covariance=Covariance.SANDWICH).standard_error()
    assert np.median(boot.standard_error() / boot.fit.standard_error()) == pytest.approx(1.0, abs=0.1)
    assert np.median(boot.standard_error() / naive) > least


def test_a_few_dozen_of_the_arenas_votes_hold_its_first_place(real_data):
    arena = votes_of(real_data, "lmarena140k")
    found = fewest_votes_for_first(arena)
    assert 20 < found.votes < 100
    assert found.share < 0.001
    kept = fit_bradley_terry(arena)
    assert found.first == int(np.nanargmax(kept.strength))
    assert found.gap_after < 0 < found.gap_before


def test_statements_about_the_arena_that_may_be_watched_are_fewer(real_data):
    """Pitfall: overlap of single intervals is the public rule; differences, many at once or at all times, are ours."""
    fit = fit_bradley_terry(count_matrix(votes_of(real_data, "lmarena140k")), both_bad=BothBad.LEAVE_OUT)
    points = fit.to_points()
    overlap = points.lower[:, None] > points.upper[None, :]
    pair, board, watched = (
        rank_ranges(fit, family=Family.PAIR),
        rank_ranges(fit, family=Family.BOARD),
        watched_ranges(fit),
    )
    assert pair.above.sum() > overlap.sum() > watched.above.sum()
    assert board.above.sum() > watched.above.sum() > 500


def test_strengths_explain_the_arenas_pairs_and_not_quite_the_crowds(real_data):
    arena, crowd = (fit_pair_effects(votes_of(real_data, name)) for name in ("lmarena140k", "llmfao_crowd"))
    assert arena.pair_variance < 0.02
    assert crowd.pair_variance > 0.2
    known = crowd.evidence.present
    assert np.corrcoef(crowd.expected_wins()[known], crowd.strength[known])[0, 1] > 0.99
