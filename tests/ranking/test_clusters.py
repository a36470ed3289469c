"""Clustered covariances: algebra against plain loops, and which clustering is chosen."""

import numpy as np
import pytest

from ranking import (
    Comparisons,
    Covariance,
    MissingLabels,
    Note,
    TooFewClusters,
    count_matrix,
    fit_bradley_terry,
)
from ranking.clusters import without_negative_eigenvalues
from tests.ranking.worlds import clustered_world

WORLD = clustered_world(5, 600, annotators=25, prompts=40, seed=1, annotator_sd=0.5, prompt_sd=0.7)


def relabelled(annotators: int | None, prompts: int | None) -> Comparisons:
    """The same votes with fewer labels, or none."""
    votes = WORLD.votes
    assert votes.annotator is not None
    assert votes.prompt is not None
    return Comparisons(
        a=votes.a,
        b=votes.b,
        outcome=votes.outcome,
        count=votes.count,
        annotator=None if annotators is None else votes.annotator % annotators,
        prompt=None if prompts is None else votes.prompt % prompts,
    )


def by_hand(votes, fit, labels):
    """H⁻¹ B H⁻¹ with scores summed in a loop, B times G/(G - 1)."""
    scores = {}
    for a, b, outcome, label in zip(votes.a, votes.b, votes.outcome, labels, strict=True):
        chance = 1.0 / (1.0 + np.exp(fit.strength[b] - fit.strength[a]))
        score = scores.setdefault(label, np.zeros(votes.count))
        score[a] += outcome - chance
        score[b] -= outcome - chance
    meat = sum(np.outer(score, score) for score in scores.values())
    return len(scores) / (len(scores) - 1) * fit.hessian_covariance @ meat @ fit.hessian_covariance


@pytest.mark.parametrize("kind", [Covariance.PROMPT, Covariance.ANNOTATOR])
def test_one_way_clustering_sums_the_scores_of_each_cluster(kind):
    votes = WORLD.votes
    fit = fit_bradley_terry(votes, covariance=kind, prior=None)
    labels = votes.prompt if kind is Covariance.PROMPT else votes.annotator
    np.testing.assert_allclose(fit.covariance, by_hand(votes, fit, labels.tolist()), atol=1e-12)
    assert fit.clustering.degrees_of_freedom == len(set(labels.tolist())) - 1


def test_two_way_clustering_adds_both_and_takes_off_the_overlap():
    votes = WORLD.votes
    fit = fit_bradley_terry(votes, covariance=Covariance.TWO_WAY, prior=None)
    both = list(zip(votes.annotator.tolist(), votes.prompt.tolist(), strict=True))
    expected = by_hand(votes, fit, votes.annotator.tolist()) + by_hand(votes, fit, votes.prompt.tolist())
    expected -= by_hand(votes, fit, both)
    np.testing.assert_allclose(fit.covariance, without_negative_eigenvalues(expected), atol=1e-12)
    assert fit.clustering.degrees_of_freedom == 24
    assert np.linalg.eigvalsh(fit.covariance).min() > -1e-12


def test_negative_eigenvalues_are_set_to_zero():
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]])
    np.testing.assert_allclose(without_negative_eigenvalues(matrix), 1.5 * np.ones((2, 2)), atol=1e-12)


def test_votes_each_in_their_own_cluster_give_the_plain_sandwich():
    votes = WORLD.votes
    alone = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5, prompt=np.arange(600))
    unlabelled = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5, prompt=np.full(600, -1))
    plain = fit_bradley_terry(votes, covariance=Covariance.SANDWICH, prior=None).covariance
    for fit in (fit_bradley_terry(alone, prior=None), fit_bradley_terry(unlabelled, prior=None)):
        np.testing.assert_allclose(fit.covariance, plain * 600 / 599, atol=1e-12)


def test_clusters_widen_intervals_where_people_and_prompts_differ():
    plain = fit_bradley_terry(WORLD.votes, covariance=Covariance.SANDWICH).standard_error()
    ratio = fit_bradley_terry(WORLD.votes).standard_error() / plain
    assert (ratio > 1.0).all()
    assert np.median(ratio) > 1.3


@pytest.mark.parametrize(
    ("annotators", "prompts", "kind", "notes"),
    [
        (25, 40, Covariance.TWO_WAY, (Note.FEW_CLUSTERS,)),
        (19, 40, Covariance.PROMPT, (Note.FEW_ANNOTATORS,)),
        (19, 12, Covariance.PROMPT, (Note.FEW_ANNOTATORS, Note.FEW_CLUSTERS)),
        (25, 1, Covariance.ANNOTATOR, (Note.FEW_CLUSTERS,)),
        (25, None, Covariance.ANNOTATOR, (Note.FEW_CLUSTERS,)),
        (4, None, Covariance.SANDWICH, (Note.FEW_ANNOTATORS,)),
        (4, 1, Covariance.SANDWICH, (Note.FEW_ANNOTATORS, Note.FEW_CLUSTERS)),
        (None, 40, Covariance.PROMPT, ()),
        (None, 1, Covariance.SANDWICH, (Note.FEW_CLUSTERS,)),
        (None, None, Covariance.SANDWICH, ()),
    ],
)
def test_auto_takes_the_widest_clustering_that_the_labels_carry(annotators, prompts, kind, notes):
    fit = fit_bradley_terry(relabelled(annotators, prompts))
    assert (fit.clustering.kind, fit.notes) == (kind, notes)
    assert (fit.clustering.annotators, fit.clustering.prompts) == (annotators, prompts)


def test_intervals_of_few_clusters_use_students_t():
    fit = fit_bradley_terry(relabelled(4, 5))
    points = fit.to_points()
    assert fit.clustering.degrees_of_freedom == 4
    np.testing.assert_allclose((points.upper - points.points) / points.standard_error, 2.7764451051977934)


def test_a_clustering_that_the_labels_cannot_carry_is_refused():
    with pytest.raises(MissingLabels, match="needs `annotator`"):
        fit_bradley_terry(relabelled(None, 40), covariance=Covariance.ANNOTATOR)
    with pytest.raises(MissingLabels, match="needs comparisons with annotator or prompt labels"):
        fit_bradley_terry(relabelled(None, None), covariance=Covariance.PROMPT)
    with pytest.raises(MissingLabels, match="counts carry none"):
        fit_bradley_terry(count_matrix(WORLD.votes), covariance=Covariance.TWO_WAY)
    with pytest.raises(TooFewClusters, match="one prompt only"):
        fit_bradley_terry(relabelled(25, 1), covariance=Covariance.TWO_WAY)


def test_absent_contestants_and_left_out_votes_do_not_disturb_the_clusters():
    votes = WORLD.votes
    label = np.array([0, 2, 3, 5, 6])
    bad = np.arange(630) >= 600
    padded = Comparisons(
        a=np.concatenate((label[votes.a], np.full(30, 7))),
        b=np.concatenate((label[votes.b], np.full(30, 0))),
        outcome=np.concatenate((votes.outcome, np.full(30, 0.5))),
        count=8,
        both_bad=bad,
        annotator=np.concatenate((votes.annotator, np.arange(1000, 1030))),
        prompt=np.concatenate((votes.prompt, np.arange(1000, 1030))),
    )
    fit, plain = fit_bradley_terry(padded), fit_bradley_terry(votes)
    assert fit.clustering == plain.clustering
    np.testing.assert_allclose(fit.covariance[np.ix_(label, label)], plain.covariance, atol=1e-12)
