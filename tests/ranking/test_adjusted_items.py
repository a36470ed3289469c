"""Items with covariates of attempts: derivatives, the table of passes, recovery beside what ignores them, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    Adjustment,
    BadCovariate,
    BadParameter,
    Covariance,
    NoConvergence,
    ShapeMismatch,
    Side,
    fit_items,
)
from ranking import item_rows as module
from ranking.item_rows import ItemRows
from ranking.item_table import Grid, ItemTable
from ranking.level_columns import centred_columns

EFFECT = -0.4  # per log second
LATENCY = Adjustment(names=("latency",))


def timed(count, items, seed, share=0.8):
    """The stronger take longer, and who takes longer at an attempt fails it more."""
    rng = np.random.default_rng(seed)
    strength, difficulty = np.linspace(-1.0, 1.5, count), rng.normal(0.0, 1.2, items)
    contestant, item = (grid.ravel() for grid in np.meshgrid(np.arange(count), np.arange(items)))
    kept = rng.permutation(len(item))[: int(share * len(item))]
    contestant, item = contestant[kept], item[kept]
    seconds = 1.2 * strength[contestant] + rng.normal(0.0, 0.6, len(item)) + 2.0
    logit = strength[contestant] + EFFECT * (seconds - 2.0) - difficulty[item]
    passed = (rng.logistic(size=len(item)) < logit).astype(float)
    return strength, (contestant, item, passed), seconds[:, None]


def rows_of(attempts, x, asked=LATENCY):
    return ItemRows.of(*attempts, centred_columns(x, np.ones(len(x)), asked).columns)


@pytest.mark.parametrize("block", [None, 300])
def test_gradient_and_information_are_the_derivatives_of_the_marginal_likelihood(block, monkeypatch):
    """Also where items are gone through a few at a time."""
    _, attempts, x = timed(4, 30, seed=1)
    if block:
        monkeypatch.setattr(module, "_BLOCK", block)
    rows = rows_of(attempts, np.column_stack((x, np.random.default_rng(2).normal(size=len(x)))), Adjustment())
    point, step = np.array([-0.5, 0.2, 0.1, 0.9, -0.6, 0.4, 0.3]), 1e-5 * np.eye(7)
    rise = [(rows.log_likelihood(point + e) - rows.log_likelihood(point - e)) / 2e-5 for e in step]
    bend = [(rows.scores(point + e) - rows.scores(point - e)).sum(axis=0) / 2e-5 for e in step]
    information, scores = rows.louis(point)
    np.testing.assert_allclose(scores.sum(axis=0), rise, atol=1e-6)
    np.testing.assert_allclose(information, -np.array(bend), atol=1e-6)
    assert len(rows._bounds) > (10 if block else 0)


def test_where_covariates_do_nothing_it_is_the_table_of_passes():
    _, (contestant, item, passed), x = timed(5, 40, seed=3)
    again = np.concatenate((np.arange(len(item)), np.arange(50)))
    contestant, item, passed, x = contestant[again], item[again], passed[again], x[again]
    tried, won = np.zeros((40, 5)), np.zeros((40, 5))
    np.add.at(tried, (item, contestant), 1.0)
    np.add.at(won, (item, contestant), passed)
    rows = replace(rows_of((contestant, item, passed), x), grid=Grid.of(9.0))
    table, point = ItemTable(won, tried, Grid.of(9.0)), np.array([-0.5, 0.2, 0.1, 0.9, 0.4, 0.3])
    longer = np.insert(point, 5, 0.0)
    assert rows.log_likelihood(longer) == pytest.approx(table.log_likelihood(point), abs=1e-9)
    np.testing.assert_allclose(np.delete(rows.scores(longer), 5, axis=1), table.scores(point), atol=1e-9)
    settings = {"count": 6, "items": 41}
    for kind in (Covariance.HESSIAN, Covariance.PROMPT):
        plain = fit_items(contestant, item, passed, covariance=kind, **settings)
        held = fit_items(
            contestant, item, passed, covariance=kind, covariates=x, adjust=Adjustment(penalty=1e10), **settings
        )
        np.testing.assert_allclose(held.strength, plain.strength, atol=1e-5)
        np.testing.assert_allclose(held.covariance, plain.covariance, atol=1e-5)
        np.testing.assert_allclose(held.items.mean, plain.items.mean, atol=1e-5)
        assert held.spread == pytest.approx(plain.spread, abs=1e-5)
    assert (plain.effects, plain.covariate_mean) == (None, None)


def test_a_shift_or_another_unit_of_a_covariate_changes_no_strength():
    _, attempts, x = timed(5, 40, seed=4)
    one, other = (fit_items(*attempts, count=5, items=40, covariates=each) for each in (x, 7.0 - 3.0 * x))
    np.testing.assert_allclose(one.strength, other.strength, atol=1e-6)
    np.testing.assert_allclose(one.effects.value, -other.effects.value, atol=1e-6)
    np.testing.assert_allclose(one.covariate_mean, x.mean(axis=0))
    assert one.effects.names == ("covariate 0",)


def test_latency_biases_strengths_where_it_is_ignored_and_not_where_it_is_fitted():
    effects, levels, biased, slopes = [], [], [], []
    for seed in range(810, 820):
        strength, attempts, x = timed(6, 150, seed)
        fit = fit_items(*attempts, count=6, items=150, covariates=x, adjust=LATENCY)
        effects.append((fit.effects.per_unit[0] - EFFECT) * fit.effects.scale[0] / fit.effects.standard_error()[0])
        at_two_logs = fit.strength + fit.effects.per_unit[0] * (2.0 - fit.covariate_mean[0])
        levels.append(((at_two_logs - strength) / fit.standard_error()).mean())
        slopes.append(np.polyfit(strength, fit.strength, 1)[0])
        biased.append(np.polyfit(strength, fit_items(*attempts, count=6, items=150).strength, 1)[0])
    assert fit.effects.names == ("latency",)
    assert 0.5 < np.sqrt(np.mean(np.square(effects))) < 1.6
    assert 0.4 < np.sqrt(np.mean(np.square(levels))) < 1.6
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.09)
    # A contestant's habit is 1.2 of its strength, of which waiting takes .4 of each log second.
    assert np.mean(biased) == pytest.approx(1.0 - 0.4 * 1.2, abs=0.06)


def test_what_cannot_be_fitted_is_refused_by_name():
    _, attempts, x = timed(4, 30, seed=5)
    size = {"count": 4, "items": 30}
    with pytest.raises(BadCovariate, match="nothing to adjust for"):
        fit_items(*attempts, adjust=Adjustment(), **size)
    with pytest.raises(BadParameter, match=r"no sides; use Side\.NONE"):
        fit_items(*attempts, covariates=x, adjust=Adjustment(side=Side.ANNOTATOR), **size)
    with pytest.raises(ShapeMismatch, match=r"one row of values per attempt: \(96, k\)"):
        fit_items(*attempts, covariates=x[:, 0], **size)
    with pytest.raises(ShapeMismatch, match="one name for each"):
        fit_items(*attempts, covariates=x, adjust=Adjustment(names=("a", "b")), **size)
    with pytest.raises(BadCovariate, match="leave those rows out or fill them in"):
        fit_items(*attempts, covariates=np.full_like(x, np.nan), **size)
    with pytest.raises(BadCovariate, match="latency is 3 in every response: that is everyone's level"):
        fit_items(*attempts, covariates=np.full_like(x, 3.0), adjust=LATENCY, **size)
    with pytest.raises(BadCovariate, match="latency is a combination of the contestants"):
        fit_items(*attempts, covariates=attempts[0][:, None] ** 2.0, adjust=LATENCY, **size)
    with pytest.raises(NoConvergence, match=r"latency alone decides who passes; give penalty=1\.0"):
        fit_items(*attempts, covariates=attempts[2][:, None], adjust=LATENCY, **size)
    _, many, _ = timed(4, 900, seed=6)
    with pytest.raises(NoConvergence, match=r"latency alone decides who passes; give penalty=1\.0"):
        fit_items(*many, covariates=many[2][:, None], adjust=LATENCY, count=4, items=900)
    held = fit_items(*attempts, covariates=attempts[2][:, None], adjust=Adjustment(penalty=1.0), **size)
    assert held.effects.value[0] > 1.5
