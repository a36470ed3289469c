"""Items passed or failed: a published table, derivatives, bias of the joint estimate, coverage, extremes, refusals."""

import numpy as np
import pytest

from ranking import (
    BadOutcome,
    BadParameter,
    Comparisons,
    Covariance,
    Gauge,
    NoComparisons,
    NoConvergence,
    Note,
    OnlyTies,
    ShapeMismatch,
    UnknownIndex,
    fit_bradley_terry,
    fit_items,
    rank_ranges,
)
from ranking.item_table import Grid, ItemTable

# Law School Admission Test, section 6: 1,000 persons and five questions (Bock & Lieberman 1970, Psychometrika 35,
# table 1), the count of each pattern of answers. Persons are our items here, questions our contestants.
LSAT6 = {
    "00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3, "00111": 4,
    "01000": 1, "01001": 8, "01011": 16, "01101": 3, "01110": 2, "01111": 15, "10000": 10, "10001": 29,
    "10010": 14, "10011": 81, "10100": 3, "10101": 28, "10110": 15, "10111": 80, "11000": 16, "11001": 56,
    "11010": 21, "11011": 173, "11100": 11, "11101": 61, "11110": 28, "11111": 298,
}  # fmt: skip


def item_world(count, items, seed, spread=1.2, share=1.0):
    rng = np.random.default_rng(seed)
    strength, difficulty = np.linspace(-1.0, 1.5, count), rng.normal(0.0, spread, items)
    contestant, item = (grid.ravel() for grid in np.meshgrid(np.arange(count), np.arange(items)))
    kept = rng.random(len(item)) < share
    contestant, item = contestant[kept], item[kept]
    passed = rng.random(len(item)) < 1 / (1 + np.exp(difficulty[item] - strength[contestant]))
    return strength, difficulty, (contestant, item, passed.astype(float))


def test_the_law_school_admission_test_is_reproduced():
    """R's ltm, rasch(LSAT), prints difficulties -3.615, -1.322, -.318, -1.730, -2.780 in units of σ, discrimination
    .755 = σ and the log-likelihood (Rizopoulos 2006, J. Stat. Softw. 17(5), section 4.1)."""
    patterns = [pattern for pattern, times in LSAT6.items() for _ in range(times)]
    answers = np.array([[int(answer) for answer in pattern] for pattern in patterns], dtype=float)
    person, question = (grid.ravel() for grid in np.meshgrid(np.arange(1000), np.arange(5), indexing="ij"))
    fit = fit_items(question, person, answers.ravel(), count=5, items=1000, prior=None)
    np.testing.assert_allclose(fit.strength / fit.spread, [3.615, 1.322, 0.318, 1.730, 2.780], atol=6e-4)
    assert fit.spread == pytest.approx(0.755, abs=6e-4)
    assert fit.log_likelihood == pytest.approx(-2466.938, abs=6e-4)


def test_gradient_and_information_are_the_derivatives_of_the_marginal_likelihood():
    _, _, (contestant, item, passed) = item_world(4, 30, seed=1)
    tried = np.zeros((30, 4))
    won = np.zeros((30, 4))
    np.add.at(tried, (item, contestant), 2.0)
    np.add.at(won, (item, contestant), passed + (contestant == 2))
    table = ItemTable(won, tried, Grid.of(tried.sum(axis=1).max()))
    point, step = np.array([-0.5, 0.2, 0.1, 0.9, 0.3]), 1e-5 * np.eye(5)
    rise = [(table.log_likelihood(point + e) - table.log_likelihood(point - e)) / 2e-5 for e in step]
    bend = [(table.scores(point + e) - table.scores(point - e)).sum(axis=0) / 2e-5 for e in step]
    information, scores = table.louis(point)
    np.testing.assert_allclose(scores.sum(axis=0), rise, atol=1e-6)
    np.testing.assert_allclose(information, -np.array(bend), atol=1e-6)


def test_the_grid_integrates_as_a_far_finer_one():
    passed = item_world(40, 50, seed=2, spread=2.5)[2][2]
    shape = (50, 40)
    won, tried = passed.reshape(shape), np.ones(shape)
    table = ItemTable(won, tried, Grid.of(40.0))
    finer = ItemTable(won, tried, Grid.at(np.linspace(-8.0, 8.0, 4001)))
    point = np.append(np.linspace(-1, 1.5, 40), np.log(2.5))
    assert table.log_likelihood(point) == pytest.approx(finer.log_likelihood(point), abs=1e-6)


def test_the_joint_estimate_spreads_strengths_too_wide_and_the_marginal_one_does_not():
    """Pitfall of free item parameters: four contestants spread by 4/3 however many items there are."""
    marginal, joint = [], []
    for seed in range(16):
        strength, _, (contestant, item, passed) = item_world(4, 300, seed=100 + seed)
        fit = fit_items(contestant, item, passed, count=4, items=300, prior=None)
        marginal.append(np.polyfit(strength, fit.strength, 1)[0])
        graph = Comparisons(a=contestant, b=4 + item, outcome=passed, count=304)
        both = np.bincount(item, weights=passed)
        kept = graph.select((both[item] > 0) & (both[item] < 4))
        free = fit_bradley_terry(kept, prior=None, gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN).strength[:4]
        joint.append(np.polyfit(strength, free, 1)[0])
    assert abs(np.mean(marginal) - 1.0) < 0.03
    assert 1.25 < np.mean(joint) < 1.45


def test_strengths_difficulties_and_their_spread_are_recovered():
    squares = []
    for seed in range(3, 9):
        strength, difficulty, attempts = item_world(10, 400, seed=seed, share=0.7)
        fit = fit_items(*attempts, count=10, items=400)
        assert np.abs((fit.strength - strength) / fit.standard_error()).max() < 3.5
        assert fit.spread == pytest.approx(1.2, abs=3 * fit.spread * np.sqrt(fit.log_spread_variance))
        squares.append(np.mean(((fit.items.mean - difficulty) / fit.items.standard_error) ** 2))
    assert 0.9 < np.mean(squares) < 1.1
    assert np.corrcoef(fit.items.mean, difficulty)[0, 1] > 0.8
    assert fit.pass_probability().shape == (10, 400)
    assert rank_ranges(fit).rank.tolist() == (10 - np.argsort(np.argsort(fit.strength))).tolist()


@pytest.mark.slow
def test_intervals_cover_over_new_items():
    inside = []
    for seed in range(100):
        strength, _, attempts = item_world(6, 120, seed=500 + seed)
        fit = fit_items(*attempts, count=6, items=120, prior=None)
        points = np.abs(fit.strength - strength) / fit.standard_error()
        inside.append(np.mean(points < 1.98))
    error = np.std(inside, ddof=1) / 10
    assert 0.93 - 2 * error < np.mean(inside) < 0.97 + 2 * error


def test_items_that_all_pass_or_fail_are_flagged_and_contestants_too():
    _, _, (contestant, item, passed) = item_world(5, 60, seed=4)
    passed = np.where(item == 7, 1.0, np.where(item == 9, 0.0, np.where(contestant == 4, 1.0, passed)))
    passed[(item == 9) & (contestant == 4)] = 1.0
    fit = fit_items(contestant, item, passed, count=6, items=62)
    assert fit.items.extreme[7]
    assert not fit.items.extreme[9]
    assert fit.evidence.undefeated.tolist() == [False] * 4 + [True, False]
    assert fit.evidence.provisional.tolist() == [False] * 4 + [True, False]
    assert np.isnan(fit.strength[5])
    assert np.isnan(fit.items.mean[60:]).all()
    assert fit.to_points().upper[4] == np.inf
    assert fit.items.mean[7] == fit.items.mean[:60].min()
    assert np.isfinite(fit.items.standard_error[7])
    with pytest.raises(NoConvergence, match=r"\[4\] passed all or nothing"):
        fit_items(contestant, item, passed, count=6, items=62, prior=None)


def test_order_and_labels_do_not_matter_and_few_items_are_noted():
    _, _, (contestant, item, passed) = item_world(5, 25, seed=5)
    fit = fit_items(contestant, item, passed, count=5, items=25)
    order, label = np.random.default_rng(0).permutation(len(item)), np.array([3, 1, 4, 0, 2])
    other = fit_items(label[contestant][order], 24 - item[order], passed[order], count=5, items=25)
    np.testing.assert_allclose(other.strength[label], fit.strength, atol=1e-6)
    np.testing.assert_allclose(other.items.mean[::-1], fit.items.mean, atol=1e-6)
    assert fit.notes == (Note.FEW_CLUSTERS,)
    hessian = fit_items(contestant, item, passed, count=5, items=25, covariance=Covariance.HESSIAN)
    np.testing.assert_array_equal(hessian.covariance, fit.hessian_covariance)


def test_bad_attempts_are_refused():
    good = (np.array([0, 1]), np.array([0, 0]), np.array([1.0, 0.0]))
    with pytest.raises(ShapeMismatch, match="one value per attempt"):
        fit_items(good[0], good[1], np.array([1.0]), count=2, items=1)
    with pytest.raises(UnknownIndex, match="item holds values"):
        fit_items(good[0], np.array([0, 1]), good[2], count=2, items=1)
    with pytest.raises(BadOutcome, match="neither 0"):
        fit_items(good[0], good[1], np.array([1.0, 0.5]), count=2, items=1)
    with pytest.raises(NoComparisons, match="collect some"):
        fit_items(np.array([], int), np.array([], int), np.array([]), count=2, items=1)
    with pytest.raises(OnlyTies, match="none separates"):
        fit_items(good[0], good[1], np.array([1.0, 1.0]), count=2, items=1)
    with pytest.raises(BadParameter, match=r"Covariance\.PROMPT"):
        fit_items(*item_world(3, 20, seed=6)[2], count=3, items=20, covariance=Covariance.ANNOTATOR)
