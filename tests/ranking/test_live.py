"""Counts and ratings that follow every vote, and how far they may be from a fit to the same log."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking import (
    BadOutcome,
    BadParameter,
    BadWeight,
    BothBad,
    Comparisons,
    Covariance,
    LiveCounts,
    LiveRatings,
    NoComparisons,
    NormalPrior,
    SingleContestant,
    UnknownIndex,
    count_matrix,
    fit_bradley_terry,
)
from tests.ranking.worlds import bradley_terry_world, davidson_world, random_pairs

PLANES = ("a_wins", "b_wins", "ties", "both_bad")


def mixed_log(count: int, rows: int, seed: int) -> Comparisons:
    """Ties, bad against bad, weights, and contestants met with themselves."""
    rng = np.random.default_rng(seed)
    a, b = random_pairs(count, rows, rng)
    b = np.where(rng.random(rows) < 0.02, a, b)
    outcome, bad = rng.choice([0.0, 0.5, 1.0], rows), rng.random(rows) < 0.1
    outcome[bad] = 0.5
    weight = rng.choice([0.5, 1.0, 2.0], rows)
    return Comparisons(a=a, b=b, outcome=outcome, count=count, both_bad=bad, weight=weight)


def rows_of(votes: Comparisons) -> list[tuple[int, int, float, float, bool]]:
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    bad = np.zeros(len(votes), dtype=bool) if votes.both_bad is None else votes.both_bad
    columns = (votes.a, votes.b, votes.outcome, weight, bad)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def follow(live: LiveRatings, votes: Comparisons) -> None:
    for a, b, outcome, weight, bad in rows_of(votes):
        live.add(a, b, outcome, weight, both_bad=bad)


def split(votes: Comparisons, at: int) -> tuple[Comparisons, Comparisons]:
    return votes.select(np.arange(at)), votes.select(np.arange(at, len(votes)))


def test_votes_counted_one_by_one_are_the_counts_of_the_log():
    votes = mixed_log(6, 500, seed=1)
    old, new = split(votes, 200)
    live = LiveCounts.of(count_matrix(old))
    before = live.freeze()
    for a, b, outcome, weight, bad in rows_of(new):
        live.add(a, b, outcome, weight, both_bad=bad)
    after, whole = live.freeze(), count_matrix(votes)
    for plane in PLANES:
        np.testing.assert_allclose(getattr(after, plane), getattr(whole, plane))
        np.testing.assert_array_equal(getattr(before, plane), getattr(count_matrix(old), plane))


@given(
    a=st.integers(-2, 4),
    b=st.integers(-2, 4),
    outcome=st.sampled_from([0.0, 0.5, 1.0, 0.25, float("nan"), 2.0]),
    weight=st.sampled_from([1.0, 0.0, -1.0, float("inf"), float("nan")]),
    bad=st.booleans(),
)
def test_a_refused_vote_changes_nothing(a, b, outcome, weight, bad):
    live = LiveCounts(3)
    valid = 0 <= a < 3 and 0 <= b < 3 and outcome in (0.0, 0.5, 1.0) and weight in (0.0, 1.0)
    valid = valid and (outcome == 0.5 or not bad)
    if valid:
        live.add(a, b, outcome, weight, both_bad=bad)
    else:
        with pytest.raises((UnknownIndex, BadOutcome, BadWeight), match=r"contestants are|use 1|weights are finite"):
            live.add(a, b, outcome, weight, both_bad=bad)
    counts = live.freeze()
    assert sum(getattr(counts, plane).sum() for plane in PLANES) == (weight if valid else 0)


@pytest.mark.parametrize("both_bad", list(BothBad))
@pytest.mark.parametrize("prior", [NormalPrior(1.0), None])
def test_a_polished_state_equals_the_fit_to_the_whole_log(both_bad, prior):
    votes = mixed_log(7, 900, seed=2)
    old, new = split(votes, 300)
    options = {"both_bad": both_bad} | ({} if prior is None else {"prior": prior})
    live = LiveRatings(old, **options)
    follow(live, new)
    live.polish()
    fit = fit_bradley_terry(votes, covariance=Covariance.HESSIAN, **options)
    np.testing.assert_allclose(live.points(), fit.to_points().points, atol=1e-5)
    np.testing.assert_allclose(live.standard_error(), fit.to_points().standard_error, rtol=0.05)
    np.testing.assert_allclose(live.counts.freeze().wins, count_matrix(votes).wins)


def worst_drift(live: LiveRatings, new: Comparisons, every: int) -> float:
    """Largest distance in points from the fit to the same counts, before any polish asked for from outside."""
    worst = 0.0
    for number, (a, b, outcome, _, _) in enumerate(rows_of(new), start=1):
        live.add(a, b, outcome)
        if number % every == 0:
            fit = fit_bradley_terry(live.counts.freeze(), covariance=Covariance.HESSIAN)
            worst = max(worst, float(np.nanmax(np.abs(live.points() - fit.to_points().points))))
    return worst


@pytest.mark.parametrize(
    ("count", "old", "new", "every", "most_polishes"),
    [(20, 0, 300, 1, 300), (20, 8000, 1000, 4, 400), (53, 135_634, 2000, 100, 4), (400, 1_000_000, 1000, 250, 1)],
)
def test_between_polishes_ratings_drift_by_less_than_a_twentieth_of_a_point(count, old, new, every, most_polishes):
    """Pitfall: without refresh .69 points after 1,000 votes on 8,000. A young log is polished more often."""
    log, fresh = split(bradley_terry_world(count, old + new, seed=20 + count).votes, old)
    live = LiveRatings(log)
    assert worst_drift(live, fresh, every) < 0.05
    assert live.polishes <= most_polishes


def test_without_polishing_ratings_drift():
    """The control: the same log with a tolerance that never asks for a polish."""
    log, fresh = split(bradley_terry_world(20, 9000, seed=40).votes, 8000)
    live = LiveRatings(log, tolerance=1e9, polish_every=10**9)
    assert worst_drift(live, fresh, 1000) > 0.06
    assert live.polishes == 0


def test_upsets_newcomers_and_ties_stay_within_the_tolerance():
    wide = bradley_terry_world(8, 300, seed=50, spread=2.5).votes
    assert worst_drift(LiveRatings(wide.select(np.arange(0))), wide, 1) < 0.05
    drawn = davidson_world(10, 1500, 1.0, seed=51).votes
    log, fresh = split(drawn, 1200)
    assert worst_drift(LiveRatings(log), fresh, 1) < 0.05
    old, new = split(bradley_terry_world(12, 4000, seed=52).votes, 3800)
    met = (old.a != 11) & (old.b != 11)
    live = LiveRatings(old.select(met))
    assert np.isnan(live.points()[11])
    assert worst_drift(live, new, 1) < 0.05
    assert np.isfinite(live.points()).all()


def test_a_tighter_tolerance_is_kept():
    log, fresh = split(bradley_terry_world(20, 8500, seed=53).votes, 8000)
    live = LiveRatings(log, tolerance=0.005)
    assert worst_drift(live, fresh, 5) < 0.005


@pytest.mark.parametrize(("tolerance", "polishes"), [(0.05, (0.4, 0.9)), (0.5, (0.0, 0.05))])
def test_a_young_log_is_cheap_to_follow_only_with_a_wider_tolerance(tolerance, polishes):
    """Two hundred votes each: a polish costs ten times what a step does, and a standard error is about 27 points."""
    log, fresh = split(bradley_terry_world(53, 5600, seed=57).votes, 5000)
    live = LiveRatings(log, tolerance=tolerance)
    assert worst_drift(live, fresh, 20) < tolerance
    assert polishes[0] <= live.polishes / 600 <= polishes[1]
    assert np.median(live.standard_error()) > 20.0


def test_votes_that_say_nothing_about_the_order_move_nothing():
    live = LiveRatings(bradley_terry_world(5, 500, seed=54).votes)
    before = live.strength
    live.add(0, 1, 0.5, both_bad=True)
    live.add(2, 2, 1.0)
    live.add(0, 1, 1.0, weight=0.0)
    np.testing.assert_array_equal(live.strength, before)
    assert live.counts.freeze().both_bad.sum() == 1


def test_settings_out_of_range_are_refused():
    empty = bradley_terry_world(3, 5, seed=55).votes.select(np.arange(0))
    with pytest.raises(BadParameter, match="must be positive"):
        LiveRatings(empty, tolerance=0)
    with pytest.raises(NoComparisons, match="add votes"):
        LiveRatings(empty).points()
    with pytest.raises(SingleContestant, match="at least two"):
        LiveCounts(1)
