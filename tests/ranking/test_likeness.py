"""Whose answers go with the others': against α, by hand, and on people who guess."""

import numpy as np
import pytest

from ranking import BadParameter, ItemJudgments, Measurement, NoOverlap, ShapeMismatch, krippendorff_alpha, likeness
from tests.ranking.judged_worlds import judged_items


def test_of_two_people_by_hand():
    # Values 0, 0, 1, 1 and 0, 0, 1, 0: cov = 1/4 - 1/2·1/4 = 1/8, given back n/(n - 1), and D_e = 1/2 + 1/4 - 1/4.
    judgments = ItemJudgments(
        item=np.tile(np.arange(4), 2),
        annotator=np.repeat([0, 1], 4),
        value=np.array([0.0, 0, 1, 1, 0, 0, 1, 0]),
        annotators=3,
    )
    found = likeness(judgments, measurement=Measurement.INTERVAL)
    assert found.coefficient[:2] == pytest.approx([2 / 3, 2 / 3])
    assert np.isnan(found.coefficient[2])
    assert (found.judged.tolist(), found.clusters.tolist()) == ([4, 4, 0], [4, 4, 0])
    # Of two values, categories, places in an order and numbers say the same.
    for measurement in Measurement:
        assert likeness(judgments, measurement=measurement).coefficient[0] == pytest.approx(2 / 3)


def test_the_mean_over_people_is_near_alpha_and_names_of_categories_do_not_matter():
    rng = np.random.default_rng(1)
    judgments = judged_items(rng, right=np.full(8, 0.8), items=400, each=3, values=3)
    found = likeness(judgments)
    assert np.mean(found.coefficient) == pytest.approx(krippendorff_alpha(judgments).coefficient, abs=0.01)
    renamed = ItemJudgments(
        item=judgments.item,
        annotator=judgments.annotator,
        value=np.array([7.0, -1, 3])[judgments.value.astype(int)],
        annotators=8,
    )
    assert likeness(renamed).coefficient == pytest.approx(found.coefficient)


def test_who_guesses_has_nothing_and_the_interval_holds_it():
    """Also one who guesses the same most of the time, which agrees with others often enough."""
    rng = np.random.default_rng(2)
    inside = []
    for _world in range(150):
        judgments = judged_items(rng, right=np.array([0.9] * 5 + [0.0]), items=200, each=3, values=2)
        value = judgments.value.copy()
        lazy = judgments.annotator == 5
        value[lazy] = rng.random(int(lazy.sum())) < 0.85
        found = likeness(
            ItemJudgments(item=judgments.item, annotator=judgments.annotator, value=value, annotators=6),
        )
        lower, upper = found.bounds(0.95)
        inside.append(lower[5] <= 0 <= upper[5])
        assert (found.coefficient[:5] > 0.3).all()
    assert np.mean(inside) == pytest.approx(0.95, abs=0.05)


def test_values_of_one_cluster_are_not_counted_twice():
    rng = np.random.default_rng(3)
    judgments = judged_items(rng, right=np.full(4, 0.8), items=100, each=2, values=2)
    doubled = ItemJudgments(
        item=np.concatenate((2 * judgments.item, 2 * judgments.item + 1)),
        annotator=np.tile(judgments.annotator, 2),
        value=np.tile(judgments.value, 2),
        annotators=4,
    )
    once = likeness(judgments)
    together = likeness(doubled, cluster=doubled.item // 2)
    assert together.standard_error == pytest.approx(once.standard_error, rel=0.03)
    assert likeness(doubled).standard_error == pytest.approx(once.standard_error / np.sqrt(2), rel=0.05)
    assert together.clusters.tolist() == once.clusters.tolist()


def test_what_cannot_be_compared_is_refused():
    alone = ItemJudgments(item=np.arange(3), annotator=np.zeros(3, dtype=int), value=np.zeros(3), annotators=1)
    with pytest.raises(NoOverlap):
        likeness(alone)
    pair = ItemJudgments(item=np.zeros(2, dtype=int), annotator=np.arange(2), value=np.arange(2.0), annotators=2)
    with pytest.raises(ShapeMismatch):
        likeness(pair, cluster=np.zeros(3, dtype=int))
    with pytest.raises(BadParameter):
        likeness(pair).bounds(1.0)
    assert np.isnan(likeness(pair).coefficient).all()
