"""The same answers as choix and evalica where the model is the same, and why not where it is not."""

import choix
import evalica
import numpy as np
import pytest

from ranking import BothBad, Gauge, NotConnected, count_matrix, fit_bradley_terry, fit_davidson
from tests.ranking.worlds import bradley_terry_world, davidson_world, from_rows

WINNER = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}


def ours(votes, **options):
    return fit_bradley_terry(votes, prior=None, gauge=Gauge.EQUAL, **options).strength


@pytest.mark.parametrize(("count", "rows"), [(5, 400), (20, 5000), (60, 30_000)])
def test_choix_finds_the_same_maximum(count, rows):
    votes = bradley_terry_world(count, rows, seed=count).votes
    peer = choix.ilsr_pairwise_dense(count_matrix(votes).wins, alpha=0.0, tol=1e-12)
    np.testing.assert_allclose(ours(votes), peer - peer.mean(), atol=1e-9)


def test_evalica_finds_the_same_maximum_with_ties_as_half():
    votes = davidson_world(12, 6000, 0.7, seed=1).votes
    winners = [WINNER[outcome] for outcome in votes.outcome]
    scores = evalica.bradley_terry(votes.a, votes.b, winners, tolerance=1e-12, limit=10_000).scores
    peer = np.log(scores.sort_index().to_numpy())
    np.testing.assert_allclose(ours(votes), peer - peer.mean(), atol=1e-6)


def test_evalicas_tie_parameter_is_half_of_nu():
    votes = davidson_world(8, 4000, 0.7, seed=2).votes
    winners = [WINNER[outcome] for outcome in votes.outcome]
    peer = evalica.newman(votes.a, votes.b, winners, tolerance=1e-12, limit=10_000)
    fit = fit_davidson(votes, prior=None, gauge=Gauge.EQUAL)
    assert fit.nu == pytest.approx(2.0 * peer.v, abs=1e-6)
    scores = np.log(peer.scores.sort_index().to_numpy())
    np.testing.assert_allclose(fit.strength, scores - scores.mean(), atol=1e-5)


def test_peers_fold_both_bad_into_ties_and_ours_only_when_told():
    votes = davidson_world(6, 3000, 1.0, seed=3).votes
    bad = (votes.outcome == 0.5) & (np.arange(3000) % 2 == 0)
    marked = from_rows(list(zip(votes.a, votes.b, votes.outcome, strict=True)), 6, both_bad=bad)
    winners = [WINNER[outcome] for outcome in votes.outcome]
    scores = evalica.bradley_terry(votes.a, votes.b, winners, tolerance=1e-12, limit=10_000).scores
    peer = np.log(scores.sort_index().to_numpy())
    np.testing.assert_allclose(ours(marked, both_bad=BothBad.HALF), peer - peer.mean(), atol=1e-6)
    assert np.abs(ours(marked) - (peer - peer.mean())).max() > 0.05


def test_peers_give_groups_that_never_met_comparable_looking_scores():
    rows = [(0, 1, 1.0), (1, 0, 1.0), (2, 3, 1.0), (3, 2, 1.0), (2, 3, 1.0)]
    votes = from_rows(rows, 4)
    scores = evalica.bradley_terry(votes.a, votes.b, [WINNER[y] for y in votes.outcome]).scores
    assert np.isfinite(scores).all()
    with pytest.raises(NotConnected):
        ours(votes)
