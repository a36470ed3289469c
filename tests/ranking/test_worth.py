"""Worth: least squares by hand, scales, clusters, and what single people or prompts can do to it."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    BadAmount,
    BadParameter,
    BadWeight,
    Comparisons,
    Covariance,
    Estimand,
    MissingLabels,
    NoComparisons,
    NotConnected,
    Note,
    ShapeMismatch,
    TooFewAnswers,
    TooFewClusters,
    fit_worth,
)
from ranking.worth import tail_share
from tests.ranking.worlds import random_pairs, worth_world


def fitted(votes, *, draws=200, seed=0, **options):
    return fit_worth(votes, rng=np.random.default_rng(seed), draws=draws, **options)


def by_hand(a, b, amount, weight, count):
    """Worths and side effect by dense weighted least squares."""
    design = np.zeros((len(a), count + 1))
    design[np.arange(len(a)), a] += 1.0
    design[np.arange(len(a)), b] -= 1.0
    design[:, count] = 1.0
    root = np.sqrt(weight)
    found = np.linalg.lstsq(root[:, None] * design, root * amount, rcond=None)[0]
    return found[:count] - found[:count].mean(), found[count]


def answered(rows, **columns):
    """Rows (a, b, amount, annotator, prompt)."""
    a, b, amount, annotator, prompt = (np.array(column) for column in zip(*rows, strict=True))
    count = int(max(a.max(), b.max())) + 1
    given = {"count": count, "annotator": annotator, "prompt": prompt, "amount": amount.astype(float)}
    return Comparisons(a=a, b=b, outcome=np.full(len(a), 0.5), **given | columns)


def test_money_is_weighted_least_squares_on_the_amounts_as_typed():
    votes = worth_world(400, 1, prompts=4000, side=0.3).votes
    worth, side = by_hand(votes.a, votes.b, votes.amount, np.ones(400), 6)
    fit = fitted(votes, estimand=Estimand.MONEY)
    np.testing.assert_allclose(fit.worth, worth, atol=1e-10)
    assert fit.side == pytest.approx(side, abs=1e-10)
    assert fit.worth.sum() == pytest.approx(0.0, abs=1e-12)


def test_panel_divides_by_each_persons_mean_amount_and_weighs_people_equally():
    votes = worth_world(400, 2, prompts=4000, annotators=25, side=0.3).votes
    size = np.bincount(votes.annotator)
    mean = np.bincount(votes.annotator, weights=np.abs(votes.amount)) / size
    scaled, weight = votes.amount / mean[votes.annotator], 1.0 / size[votes.annotator]
    np.testing.assert_allclose(np.bincount(votes.annotator, weights=weight * np.abs(scaled)), 1.0)
    worth, side = by_hand(votes.a, votes.b, scaled, weight, 6)
    fit = fitted(votes, min_answers=1)
    np.testing.assert_allclose(fit.worth, worth, atol=1e-10)
    assert fit.side == pytest.approx(side, abs=1e-10)


def test_exact_amounts_give_exact_worths_and_side():
    world = worth_world(300, 3, noise=0.0, log_stake_sd=0.0, log_scale_sd=0.0, side=0.25)
    fit = fitted(world.votes, estimand=Estimand.MONEY)
    np.testing.assert_allclose(fit.worth, world.worth, atol=1e-12)
    assert fit.side == pytest.approx(0.25)
    np.testing.assert_allclose(fit.to_intervals().standard_error, 0.0, atol=1e-12)


def test_answers_of_one_person_on_one_item_are_averaged():
    once = [(0, 1, 3.0, 0, 0), (0, 1, 1.0, 0, 1), (1, 0, 2.0, 1, 0), (0, 1, -1.0, 1, 1)]
    repeated = [(0, 1, 2.0, 0, 0), (0, 1, 4.0, 0, 0), *once[1:]]
    fits = [fitted(answered(rows), estimand=Estimand.MONEY) for rows in (once, repeated)]
    np.testing.assert_allclose(fits[0].worth, fits[1].worth)
    assert [fit.answers for fit in fits] == [4, 4]


def test_a_repeat_in_the_other_order_cancels_the_side_effect():
    rows = [(0, 1, 1.5, 0, 0), (1, 0, -0.5, 0, 0), (0, 1, 1.5, 1, 1), (1, 0, -0.5, 2, 2)]
    fit = fitted(answered(rows), estimand=Estimand.MONEY)
    np.testing.assert_allclose(fit.worth, [0.5, -0.5])
    assert fit.side == pytest.approx(0.5)


def test_swapping_the_sides_turns_the_side_effect_around_and_nothing_else():
    votes = worth_world(500, 4, side=0.2).votes
    swapped = replace(votes, a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, amount=-votes.amount)
    here, there = fitted(votes), fitted(swapped)
    np.testing.assert_allclose(here.worth, there.worth, atol=1e-12)
    np.testing.assert_allclose(here.covariance, there.covariance, atol=1e-12)
    assert here.side == pytest.approx(-there.side)


def test_relabelling_contestants_relabels_worths_and_absent_ones_have_none():
    votes = worth_world(500, 5).votes
    label = np.array([4, 0, 6, 1, 3, 5])
    fit, renamed = fitted(votes), fitted(replace(votes, a=label[votes.a], b=label[votes.b], count=8))
    np.testing.assert_allclose(renamed.worth[label], fit.worth, atol=1e-12)
    np.testing.assert_allclose(renamed.covariance[np.ix_(label, label)], fit.covariance, atol=1e-12)
    assert renamed.present.tolist() == [True, True, False, True, True, True, True, False]
    assert np.isnan(renamed.worth[[2, 7]]).all()
    assert np.isnan(renamed.to_intervals().lower[[2, 7]]).all()
    assert renamed.contestant_answers[[2, 7]].tolist() == [0, 0]
    assert renamed.contestant_answers.sum() == 2 * renamed.answers


def test_what_was_not_asked_or_not_priced_is_left_out():
    votes = worth_world(600, 6).votes
    unasked = np.arange(600) % 3 == 0
    holes = replace(votes, amount=np.where(unasked, np.nan, votes.amount))
    np.testing.assert_allclose(fitted(holes).worth, fitted(votes.select(~unasked)).worth)
    assert fitted(holes).answers == fitted(votes.select(~unasked)).answers


def test_the_panel_does_not_mind_how_large_a_persons_money_is_but_the_money_estimand_does():
    votes = worth_world(800, 7, annotators=30).votes
    rich = replace(votes, amount=np.where(votes.annotator == 3, 1000.0, 1.0) * votes.amount)
    np.testing.assert_allclose(fitted(rich).worth, fitted(votes).worth, atol=1e-10)
    plain, richer = (fitted(one, estimand=Estimand.MONEY).worth for one in (votes, rich))
    assert np.abs(richer - plain).max() > 1.0


def test_one_visitor_typing_a_million_moves_the_headline_by_less_than_one_standard_error():
    votes = worth_world(600, 8, annotators=60, own_prompts=True).votes
    row = int(np.flatnonzero(votes.annotator == 5)[0])
    amount = votes.amount.copy()
    amount[row] = 1_000_000.0
    before, after = fitted(votes), fitted(replace(votes, amount=amount))
    assert (np.abs(after.worth - before.worth) < before.to_intervals().standard_error).all()
    money = fitted(replace(votes, amount=amount), estimand=Estimand.MONEY)
    assert np.abs(money.worth).max() > 1000
    assert money.heavy_tailed


def test_prompts_drawn_five_times_too_often_are_weighed_back():
    """High stakes for which contestant 5 is worth much more, oversampled fivefold."""
    rng = np.random.default_rng(9)
    high = rng.random(3000) < 0.1

    def drawn(rows, seed):
        source = np.random.default_rng(seed)
        a, b = random_pairs(6, len(rows), source)
        worth = np.where(high[rows, None], 4.0 * np.eye(6)[5], np.linspace(-0.6, 0.6, 6))
        at = np.arange(len(rows))
        amount = worth[at, a] - worth[at, b] + source.normal(0.0, 0.5, len(rows))
        annotator = source.integers(0, 60, len(rows))
        given = {"annotator": annotator, "prompt": rows, "amount": amount}
        return Comparisons(a=a, b=b, outcome=np.full(len(rows), 0.5), count=6, **given)

    fair = fitted(drawn(rng.integers(0, 3000, 4000), 1))
    chance = np.where(high, 5.0, 1.0)
    skewed_rows = rng.choice(3000, 4000, p=chance / chance.sum())
    skewed = drawn(skewed_rows, 2)
    error = fair.to_intervals().standard_error
    assert np.abs(fitted(skewed).worth - fair.worth)[5] > 4 * error[5]
    weighed = fitted(skewed, importance=1.0 / chance[skewed_rows])
    assert (np.abs(weighed.worth - fair.worth) < 2 * np.hypot(error, weighed.to_intervals().standard_error)).all()
    scaled = fitted(skewed, importance=7.0 / chance[skewed_rows])
    np.testing.assert_allclose(scaled.worth, weighed.worth, atol=1e-12)


def test_importance_gives_no_pair_more_weight():
    rows = [(0, 1, 1.0, k, k) for k in range(10)] + [(1, 2, 1.0, k, 10 + k) for k in range(10)]
    rows += [(0, 2, 5.0, k, 20 + k) for k in range(10)]
    votes = answered(rows)
    heavy = np.where(np.arange(30) >= 20, 9.0, 1.0)
    plain = fitted(votes, estimand=Estimand.MONEY)
    np.testing.assert_allclose(fitted(votes, estimand=Estimand.MONEY, importance=heavy).worth, plain.worth)


def test_people_with_too_few_answers_or_only_zeros_are_left_out_and_counted():
    votes = worth_world(300, 10, annotators=20, own_prompts=True).votes
    few = [(0, 1, 9.0, 100, 5000 + k) for k in range(4)]
    zeros = [(0, 1, 0.0, 101, 6000 + k) for k in range(8)]
    a, b, amount, annotator, prompt = (np.array(column) for column in zip(*few, *zeros, strict=True))
    joined = Comparisons(
        a=np.append(votes.a, a),
        b=np.append(votes.b, b),
        outcome=np.append(votes.outcome, np.full(12, 0.5)),
        count=6,
        annotator=np.append(votes.annotator, annotator),
        prompt=np.append(votes.prompt, prompt),
        amount=np.append(votes.amount, amount),
    )
    fit, plain = fitted(joined), fitted(votes)
    np.testing.assert_allclose(fit.worth, plain.worth, atol=1e-12)
    assert (fit.annotators_left_out, plain.annotators_left_out) == (2, 0)
    assert fitted(joined, min_answers=4).annotators_left_out == 1
    assert fitted(joined, estimand=Estimand.MONEY).annotators_left_out == 0


def test_pairs_without_stakes_are_worth_nothing():
    rows = [(i, j, 0.0, k, p) for p, (i, j) in enumerate([(0, 1), (1, 2), (0, 2)] * 8) for k in range(3)]
    fit = fitted(answered(rows), estimand=Estimand.MONEY)
    np.testing.assert_array_equal(fit.worth, 0.0)
    assert (fit.tail_share, fit.heavy_tailed) == (0.0, False)


@pytest.mark.parametrize(
    ("annotators", "prompts", "own_prompts", "kind", "freedom", "notes"),
    [
        (40, 200, False, Covariance.TWO_WAY, 39, ()),
        (40, 25, False, Covariance.TWO_WAY, 24, (Note.FEW_CLUSTERS,)),
        (60, 0, True, Covariance.ANNOTATOR, 59, ()),
        (4, 200, False, Covariance.PROMPT, 199, (Note.FEW_ANNOTATORS,)),
        (4, 9, False, Covariance.PROMPT, 8, (Note.FEW_ANNOTATORS, Note.FEW_CLUSTERS)),
    ],
)
def test_clusters_in_use(annotators, prompts, own_prompts, kind, freedom, notes):
    votes = worth_world(3000, 11, annotators=annotators, prompts=prompts, own_prompts=own_prompts).votes
    fit = fitted(votes, draws=50)
    assert (fit.clustering.kind, fit.clustering.degrees_of_freedom, fit.notes) == (kind, freedom, notes)
    assert fit.clustering.annotators == annotators


def test_the_bootstrap_of_a_mean_has_the_error_of_a_mean():
    rng = np.random.default_rng(12)
    amount = rng.normal(0.5, 2.0, 400)
    votes = answered([(k % 2, 1 - k % 2, (1 - 2 * (k % 2)) * w, k % 5, k) for k, w in enumerate(amount)])
    fit = fitted(votes, estimand=Estimand.MONEY, draws=4000)
    error = amount.std() / np.sqrt(400) / 2
    assert fit.worth[0] == pytest.approx(amount.mean() / 2, abs=0.15 * error)
    np.testing.assert_allclose(fit.to_intervals().standard_error, error, rtol=0.06)
    reach = fit.to_intervals().upper - fit.worth
    np.testing.assert_allclose(reach / fit.to_intervals().standard_error, 1.9659, atol=2e-4)


def test_each_replicate_is_the_fit_under_its_weights_with_scales_refitted():
    votes = worth_world(500, 13, annotators=22, prompts=5000).votes
    fit = fitted(votes, draws=3, min_answers=1)
    assert fit.clustering.kind is Covariance.TWO_WAY
    rng = np.random.default_rng(0)
    by_annotator = rng.standard_exponential((fit.clustering.annotators, 3))
    by_prompt = rng.standard_exponential((fit.clustering.prompts, 3))
    prompt = np.unique(votes.prompt, return_inverse=True)[1]
    for draw in range(3):
        drawn = by_prompt[prompt, draw]
        size = np.bincount(votes.annotator, weights=drawn)
        mean = np.bincount(votes.annotator, weights=drawn * np.abs(votes.amount)) / size
        weight = drawn * (by_annotator[:, draw] / size)[votes.annotator]
        worth, _ = by_hand(votes.a, votes.b, votes.amount / mean[votes.annotator], weight, 6)
        np.testing.assert_allclose(fit.replicates[draw], worth, atol=1e-10)


def test_draws_of_both_kinds_of_cluster_count_what_belongs_to_one_answer_once():
    """Labels that mean nothing: least squares knows the error, and the draws by themselves spread √3 as wide."""
    votes = worth_world(2000, 19, log_stake_sd=0.0, log_scale_sd=0.0).votes
    fit = fitted(votes, estimand=Estimand.MONEY, draws=600)
    assert fit.clustering.kind is Covariance.TWO_WAY
    design = np.column_stack((np.eye(6)[votes.a] - np.eye(6)[votes.b], np.ones(2000)))
    found = np.linalg.lstsq(design, votes.amount, rcond=None)[0]
    variance = np.var(votes.amount - design @ found, ddof=6)
    error = np.sqrt(variance * np.linalg.pinv(design.T @ design).diagonal())
    np.testing.assert_allclose(fit.to_intervals().standard_error, error[:6], rtol=0.35)
    assert np.median(fit.to_intervals().standard_error / error[:6]) == pytest.approx(1.0, abs=0.15)
    assert fit.side_standard_error == pytest.approx(error[6], rel=0.35)
    assert np.median(fit.replicates.std(axis=0) / error[:6]) > 1.5
    np.testing.assert_allclose(np.cov(fit.draws(), rowvar=False), fit.covariance, atol=1e-12)
    np.testing.assert_allclose(fit.draws().mean(axis=0), fit.worth)


def test_the_same_seed_gives_the_same_draws_and_the_global_generator_is_left_alone():
    votes = worth_world(400, 14).votes
    np.random.seed(99)
    before = np.random.get_state()[1].copy()
    first, again, other = fitted(votes, seed=1), fitted(votes, seed=1), fitted(votes, seed=2)
    np.testing.assert_array_equal(first.replicates, again.replicates)
    assert not np.array_equal(first.replicates, other.replicates)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_many_rows_are_drawn_in_several_batches(monkeypatch):
    votes = worth_world(500, 15).votes
    whole = fitted(votes, draws=300)
    monkeypatch.setattr("ranking.worth_draws.BATCH", 500 * 70)
    parts = fitted(votes, draws=300)
    assert parts.replicates.shape == whole.replicates.shape == (300, 6)
    np.testing.assert_allclose(parts.worth, whole.worth)
    np.testing.assert_allclose(np.sqrt(np.diag(parts.covariance)), np.sqrt(np.diag(whole.covariance)), rtol=0.2)


def test_heavy_stakes_raise_the_flag_and_light_ones_do_not():
    for sd, heavy in ((0.5, False), (0.75, False), (2.0, True)):
        fit = fitted(worth_world(3000, 16, prompts=3000, annotators=4, log_stake_sd=sd).votes, draws=50)
        assert fit.heavy_tailed is heavy
        assert Note.FEW_ANNOTATORS in fit.notes


def test_the_share_of_the_tail_is_that_of_the_largest_hundredth():
    assert tail_share(np.ones(1000)) == pytest.approx(0.01)
    assert tail_share(np.append(np.ones(99), 99.0)) == pytest.approx(0.5)
    assert tail_share(np.append(np.ones(9), 1.0)) == pytest.approx(0.1)
    assert tail_share(np.append(np.ones(149), [5.0, 4.0])) == pytest.approx(9 / 158)
    assert tail_share(np.zeros(10)) == 0.0


def test_worths_are_recovered_within_their_errors():
    world = worth_world(6000, 17, annotators=100, prompts=600, log_scale_sd=0.0, side=0.1)
    fit = fitted(world.votes, estimand=Estimand.MONEY, draws=400)
    score = (fit.worth - world.worth) / fit.to_intervals().standard_error
    assert np.abs(score).max() < 3
    assert abs(fit.side - 0.1) < 3 * fit.side_standard_error < 0.1
    assert fit.probability_best().argmax() == 5
    assert fit.probability_best().sum() == pytest.approx(1.0)


def test_a_side_effect_that_cannot_be_told_from_worth_is_not_fitted():
    rows = [(0, 1, 1.0 + 0.1 * (k % 3), k % 5, k) for k in range(30)]
    fit = fitted(answered(rows), estimand=Estimand.MONEY)
    assert np.isnan(fit.side)
    assert Note.SIDE_NOT_SEPARABLE in fit.notes
    np.testing.assert_allclose(fit.worth, [0.55, -0.55])


def test_what_cannot_be_fitted_is_refused_by_name():
    votes = worth_world(100, 18).votes
    bare = {"a": votes.a, "b": votes.b, "outcome": votes.outcome, "count": 6}
    labels = {"annotator": votes.annotator, "prompt": votes.prompt}
    with pytest.raises(BadAmount, match="carry no `amount`"):
        fitted(Comparisons(**bare, **labels))
    with pytest.raises(MissingLabels, match="`annotator` and `prompt`"):
        fitted(Comparisons(**bare, amount=votes.amount, prompt=votes.prompt))
    with pytest.raises(NoComparisons, match="carries an amount"):
        fitted(Comparisons(**bare, **labels, amount=np.full(100, np.nan)))
    with pytest.raises(TooFewAnswers, match="gave 50 amounts"):
        fitted(votes, min_answers=50)
    with pytest.raises(ShapeMismatch, match="importance has shape"):
        fitted(votes, importance=np.ones(3))
    with pytest.raises(BadWeight, match="importance"):
        fitted(votes, importance=np.full(100, np.nan))
    with pytest.raises(BadParameter, match="draws 1"):
        fitted(votes, draws=1)
    with pytest.raises(NotConnected) as refusal:
        fitted(answered([(0, 1, 1.0, 0, 0), (3, 4, 1.0, 0, 1), (4, 5, 1.0, 1, 2)]), estimand=Estimand.MONEY)
    assert refusal.value.components == ((3, 4, 5), (0, 1))
    with pytest.raises(TooFewClusters, match="one prompt"):
        fitted(answered([(0, 1, 1.0, 0, 0), (0, 1, 2.0, 1, 0)]), estimand=Estimand.MONEY)
