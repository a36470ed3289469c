"""Scales from shared anchors, worth on them, and what cutting large amounts would change."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    BadAmount,
    BadParameter,
    Comparisons,
    Covariance,
    Estimand,
    MissingLabels,
    ShapeMismatch,
    TooFewAnswers,
    anchor_scales,
    fit_worth,
    generator,
    worth_sensitivity,
)
from ranking.anchors import anchor_answers
from tests.ranking.annotator_worlds import anchored_world
from tests.ranking.worlds import random_pairs


def priced(table, **columns):
    """Amounts (K, A) on anchors of contestants 0 and 1."""
    people, items = np.indices(np.shape(table)).reshape(2, -1)
    zero = np.zeros(len(people), dtype=np.int64)
    given = {"annotator": people, "prompt": items, "amount": np.ravel(table).astype(float)}
    return Comparisons(a=zero, b=zero + 1, outcome=np.full(len(zero), 0.5), count=2, **given | columns)


def everything(votes):
    return np.ones(len(votes), dtype=bool)


STAKES = np.array([1.0, 2.0, -3.0, 4.0, 5.0, -6.0])


def test_exact_answers_give_exact_scales_and_magnitudes():
    scale = np.array([0.2, 1.0, 5.0])
    votes = priced(scale[:, None] * STAKES)
    found = anchor_scales(votes, everything(votes))
    np.testing.assert_allclose(found.scale, scale, rtol=1e-6)
    np.testing.assert_allclose(found.magnitude, STAKES, rtol=1e-6)
    assert found.noise == pytest.approx(0.0, abs=1e-6)
    assert (found.annotator.tolist(), found.anchor.tolist()) == ([0, 1, 2], [0, 1, 2, 3, 4, 5])


def test_scales_and_magnitudes_are_each_others_least_squares():
    """Before the c are drawn together, with mean |w| of the annotator and of the anchor as the errors' size."""
    world = anchored_world(1, annotators=10)
    answers = anchor_answers(world.votes, world.anchors, 6).kept
    people, items = np.ones((10, 1)), np.ones((11, 1))
    scale, magnitude = answers.alternate(people, items)
    own = np.abs(answers.amount).mean(axis=1)
    size = np.outer(own, (np.abs(answers.amount) / own[:, None]).mean(axis=0))
    c, m = scale[:, 0], magnitude[:, 0]
    by_anchor = [np.linalg.lstsq((c / size[:, x])[:, None], answers.amount[:, x] / size[:, x])[0][0] for x in range(11)]
    by_person = [np.linalg.lstsq((m / size[k])[:, None], answers.amount[k] / size[k])[0][0] for k in range(10)]
    np.testing.assert_allclose(m, by_anchor, rtol=1e-7)
    np.testing.assert_allclose(c, by_person / np.exp(np.log(by_person).mean()), rtol=1e-7)
    residual, explained = (answers.amount - np.outer(c, m)) / size, np.outer(c, m) / size
    free = 110 - 10 - 11 + 1
    expected = (residual**2).sum() / (explained**2).sum() * 110 / free
    assert answers.noise(scale, magnitude, people, items)[0] == pytest.approx(expected)


def test_scales_are_recovered_within_their_errors_and_identical_pairs_give_none():
    scores = []
    for seed in range(500, 506):
        world = anchored_world(seed)
        found = anchor_scales(world.votes, world.anchors)
        scores.append((np.log(found.scale) - np.log(world.scale)) / found.log_scale_error)
        assert np.corrcoef(np.log(found.scale), np.log(world.scale))[0, 1] > 0.97
        assert found.zero_anchors.tolist() == [0]
        assert np.log(found.scale).sum() == pytest.approx(0.0, abs=1e-9)
        assert found.noise == pytest.approx(0.3, abs=0.05)
        np.testing.assert_array_equal(found.of_rows(world.votes), found.scale[world.votes.annotator])
    assert 0.85 < np.std(scores) < 1.15


def test_noisy_scales_are_drawn_together_and_sharp_ones_are_not():
    for noise, most in ((0.05, 1.02), (1.5, 0.9)):
        world = anchored_world(2, noise=noise, log_scale_sd=0.3, annotators=60)
        screened = anchor_answers(world.votes, world.anchors, 6).kept
        raw, _ = screened.alternate(np.ones((len(screened.annotator), 1)), np.ones((len(screened.anchor), 1)))
        found = anchor_scales(world.votes, world.anchors)
        assert np.std(np.log(found.scale)) < most * np.std(np.log(raw))


def test_cents_change_nothing_but_the_own_scale():
    world = anchored_world(3, noise=0.1)
    votes = world.votes
    cents = replace(votes, amount=np.where(votes.annotator == 4, 100.0, 1.0) * votes.amount)
    plain, other = (fit_worth(v, rng=generator(0), anchors=world.anchors, draws=20).worth for v in (votes, cents))
    # The spread of ln c grows by it, and so everyone is drawn together a little less.
    np.testing.assert_allclose(other / other[0], plain / plain[0], atol=0.02)


def test_real_stakes_survive_a_scale_from_anchors_and_not_one_from_the_own_mean():
    """Half the people meet stakes of four, on which another contestant is best: worth.md's reason for anchors."""
    for seed in (510, 511):
        world = anchored_world(seed, high_stakes=4.0)
        anchored = fit_worth(world.votes, rng=generator(0), anchors=world.anchors, draws=300)
        own = fit_worth(world.votes.select(~world.anchors), rng=generator(0), draws=300)
        assert (anchored.anchored, own.anchored) == (True, False)
        assert np.abs((anchored.worth - world.worth) / anchored.to_intervals().standard_error).max() < 3.5
        assert np.argmax(anchored.worth) == np.argmax(anchored.probability_best()) == 5
        assert np.ptp(own.worth) < 0.15 * np.ptp(world.worth)


def test_each_replicate_is_the_fit_under_its_weights_with_scales_refitted():
    world = anchored_world(4)
    votes, rest = world.votes, world.votes.select(~world.anchors)
    fit = fit_worth(votes, rng=generator(0), anchors=world.anchors, draws=3)
    assert fit.clustering.kind is Covariance.TWO_WAY
    answers = anchor_answers(votes, world.anchors, 6).kept
    rng = generator(0)
    people = rng.standard_exponential((40, 3))
    prompts = rng.standard_exponential((fit.clustering.prompts, 3))[np.unique(rest.prompt, return_inverse=True)[1]]
    scale = np.exp(answers.log_scales(people, rng.standard_exponential((11, 3))))
    design = np.column_stack((np.eye(6)[rest.a] - np.eye(6)[rest.b], np.ones(len(rest))))
    for draw in range(3):
        total = np.bincount(rest.annotator, weights=prompts[:, draw])
        root = np.sqrt(prompts[:, draw] * (people[:, draw] / total)[rest.annotator])
        scaled = rest.amount / scale[rest.annotator, draw]
        found = np.linalg.lstsq(design * root[:, None], scaled * root, rcond=None)[0][:6]
        np.testing.assert_allclose(fit.replicates[draw, :6], found - found.mean(), atol=1e-9)


def test_money_leaves_the_anchors_out_and_scales_nobody():
    world = anchored_world(5)
    with_them = fit_worth(world.votes, rng=generator(0), estimand=Estimand.MONEY, anchors=world.anchors, draws=50)
    without = fit_worth(world.votes.select(~world.anchors), rng=generator(0), estimand=Estimand.MONEY, draws=50)
    np.testing.assert_allclose(with_them.worth, without.worth)
    assert with_them.anchored is False


def test_who_priced_too_few_anchors_or_against_everyone_has_no_scale():
    scale = np.append(np.geomspace(0.5, 2.0, 9), -1.0)
    table = np.outer(scale, STAKES) * (1 + 0.1 * np.random.default_rng(0).normal(size=(10, 6)))
    table[1, 0] = np.nan
    votes = priced(table)
    found = anchor_scales(votes, everything(votes))
    assert found.annotator.tolist() == [0, 2, 3, 4, 5, 6, 7, 8]
    assert found.left_out.tolist() == [1, 9]
    assert np.isnan(found.of_rows(votes)[votes.annotator == 1]).all()
    assert anchor_scales(votes, everything(votes), min_anchors=5).annotator.tolist() == list(range(9))
    world = anchored_world(6)
    few = world.anchors & (world.votes.annotator == 7) & (world.votes.prompt > 5)
    fit = fit_worth(world.votes.select(~few), rng=generator(0), anchors=world.anchors[~few], draws=20)
    assert fit.annotators_left_out == 1


def heavy_votes(rows=6000, seed=0):
    """Contestant 0 is a little better on the usual prompt, 5 much better on one in fifty, by stakes of thirty."""
    rng = np.random.default_rng(seed)
    prompt, annotator = rng.integers(0, 1500, rows), rng.integers(0, 30, rows)
    a, b = random_pairs(6, rows, rng)
    usual = np.linspace(0.5, -0.5, 6)
    liked = np.where((prompt % 50 == 0)[:, None], 60.0 * np.eye(6)[5], usual)
    at = np.arange(rows)
    amount = liked[at, a] - liked[at, b] + rng.normal(0.0, 0.3, rows)
    return Comparisons(a=a, b=b, outcome=np.full(rows, 0.5), count=7, annotator=annotator, prompt=prompt, amount=amount)


def test_cutting_large_amounts_names_another_best_and_more_answers_do_not_help():
    for rows in (6000, 24_000):
        votes = heavy_votes(rows)
        found = worth_sensitivity(votes, estimand=Estimand.MONEY)
        fit = fit_worth(votes, rng=generator(0), estimand=Estimand.MONEY, draws=50)
        np.testing.assert_allclose(found.headline, fit.worth)
        assert fit.heavy_tailed
        assert found.best == (5, 0, 0, 0)
        assert np.isnan(found.winsorised[6])
        assert found.cut == pytest.approx(0.01 * fit.answers, abs=2)


def test_where_stakes_are_alike_the_four_agree():
    world = anchored_world(7)
    found = worth_sensitivity(world.votes, anchors=world.anchors)
    assert len(set(found.best)) == 1
    for other in (found.winsorised, found.huber):
        np.testing.assert_allclose(other, found.headline, atol=0.06)


def test_hubers_worths_solve_hubers_equations():
    world = anchored_world(8, annotators=1, answers=60)
    votes = world.votes.select(~world.anchors)
    single = replace(votes, prompt=np.arange(len(votes)))
    found = worth_sensitivity(single, estimand=Estimand.MONEY).huber
    design = np.eye(6)[votes.a] - np.eye(6)[votes.b]
    side = np.ones(len(votes))

    def pull(extra):
        residual = votes.amount - design @ found - extra
        limit = 1.345 * 1.4826 * np.median(np.abs(residual))
        return np.clip(residual, -limit, limit)

    # The side effect is whatever makes the cut residuals' sum vanish.
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if pull(middle) @ side > 0 else (low, middle)
    np.testing.assert_allclose(design.T @ pull(low), 0.0, atol=1e-4)


def test_what_cannot_be_scaled_is_refused_by_name():
    world = anchored_world(9)
    votes = world.votes
    with pytest.raises(BadAmount, match="carry no `amount`"):
        anchor_scales(replace(votes, amount=None), world.anchors)
    with pytest.raises(MissingLabels, match="`annotator` and `prompt`"):
        anchor_scales(replace(votes, prompt=None), world.anchors)
    with pytest.raises(ShapeMismatch, match="True or False per comparison"):
        anchor_scales(votes, world.anchors[:5])
    with pytest.raises(ShapeMismatch, match="True or False per comparison"):
        fit_worth(votes, rng=generator(0), estimand=Estimand.MONEY, anchors=world.anchors[:5])
    with pytest.raises(TooFewAnswers, match=r"Nobody priced 6 anchors .* fit Estimand.MONEY"):
        anchor_scales(votes, world.anchors & (votes.prompt < 6))
    with pytest.raises(BadParameter, match=r"such as 0\.01"):
        worth_sensitivity(votes, share=0.0)
