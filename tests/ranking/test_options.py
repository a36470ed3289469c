"""Options are given as members or as their values, and nothing else is taken for one of them."""

from collections.abc import Callable
from enum import StrEnum
from inspect import Parameter, isclass, isfunction, signature
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

import ranking
from ranking import (
    Adjustment,
    BadParameter,
    BothBad,
    Candidates,
    Comparisons,
    Counts,
    Covariance,
    DoubleThompsonPolicy,
    Family,
    Gauge,
    Note,
    Refit,
    Response,
    RobustPolicy,
    SelectionState,
    Side,
    UniformPolicy,
    bootstrap_bradley_terry,
    fit_bradley_terry,
    fit_crowd,
    fit_cyclic,
    fit_mixture,
    fit_scale,
    fit_with_covariates,
    generator,
    rank_ranges,
)

FUNCTIONS = [one for name in ranking.__all__ if isfunction(one := getattr(ranking, name))]
FUNCTIONS += [ranking.LiveRatings.__init__, ranking.Counts.tied]


def kinds(function: Callable[..., Any], wanted: Callable[[type], bool]) -> list[tuple[str, type]]:
    hints = get_type_hints(function)
    return [
        (name, kind)
        for name, hint in hints.items()
        if name != "return"
        for kind in (get_args(hint) or (hint,))
        if isclass(kind) and wanted(kind)
    ]


OPTIONS = [(one, name, kind) for one in FUNCTIONS for name, kind in kinds(one, lambda kind: issubclass(kind, StrEnum))]
GENERATORS = [one for one in FUNCTIONS if kinds(one, lambda kind: kind is np.random.Generator)]


def blanks(function: Callable[..., Any], **given: object) -> dict[str, Any]:
    """A call in which only `given` matters, as options are read before anything else."""
    needed = [one for one in signature(function).parameters.values() if one.default is Parameter.empty]
    return given | {one.name: COUNTS for one in needed if one.name not in given}


COUNTS = Counts.of([[0, 3, 5], [1, 0, 2], [1, 2, 0]])


@pytest.mark.parametrize(
    ("function", "name", "kind"), OPTIONS, ids=[f"{one.__qualname__}-{name}" for one, name, _ in OPTIONS]
)
def test_a_word_that_is_no_option_is_refused_with_those_that_are(function, name, kind):
    for nonsense in ("bogus", "LEAVE_OUT", Note.FEW_CLUSTERS):
        with pytest.raises(BadParameter) as refusal:
            function(**blanks(function, **{name: nonsense}))
        assert name in str(refusal.value)
        assert all(f"{kind.__name__}.{member.name}" in str(refusal.value) for member in kind)


@pytest.mark.parametrize("function", GENERATORS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("seed", [3, "3"])
def test_a_seed_is_no_generator(function, seed):
    with pytest.raises(BadParameter, match=r"rng is .*; give a numpy Generator such as ranking.generator\(1\)"):
        function(**blanks(function, rng=seed))


@pytest.fixture(scope="module")
def votes() -> Comparisons:
    rng = np.random.default_rng(5)
    a = rng.integers(0, 4, 400)
    b = (a + rng.integers(1, 4, 400)) % 4
    outcome = rng.choice([0.0, 0.5, 1.0], 400, p=[0.3, 0.2, 0.5])
    bad = (outcome == 0.5) & (rng.random(400) < 0.5)
    words, people = rng.standard_normal((400, 1)), rng.integers(0, 12, 400)
    return Comparisons(a=a, b=b, outcome=outcome, count=4, both_bad=bad, annotator=people, covariates=words)


def test_values_fit_what_members_fit(votes):
    def same(function, *arguments, **given):
        words = {name: value.value for name, value in given.items()}
        by_member, by_word = function(*arguments, **given), function(*arguments, **words)
        np.testing.assert_array_equal(by_word.strength, by_member.strength)
        np.testing.assert_array_equal(by_word.covariance, by_member.covariance)
        return by_word

    for both_bad in BothBad:
        fit = same(fit_bradley_terry, votes, both_bad=both_bad, gauge=Gauge.EQUAL, covariance=Covariance.ANNOTATOR)
        assert fit.both_bad is both_bad
        assert fit.clustering.kind is Covariance.ANNOTATOR
    for response in (Response.HALF_TIES, Response.DAVIDSON, Response.RAO_KUPPER):
        for side in Side:
            assert same(fit_with_covariates, votes, response=response, side=side).response is response


def test_an_adjustment_keeps_the_member(votes):
    assert Adjustment(side="annotator").side is Side.ANNOTATOR
    with pytest.raises(BadParameter, match=r"side is 'left'; give Side.NONE, Side.COMMON or Side.ANNOTATOR"):
        Adjustment(side="left")
    named = fit_scale(votes, adjust=Adjustment(side="none"))
    assert named.effects.names == ("covariate 0",)


def test_bootstraps_and_ranges_are_told_by_word(votes):
    one = bootstrap_bradley_terry(votes, rng=generator(3), draws=20, refit="one_step")
    same = bootstrap_bradley_terry(votes, rng=generator(3), draws=20, refit=Refit.ONE_STEP)
    exact = bootstrap_bradley_terry(votes, rng=generator(3), draws=20)
    assert np.array_equal(one.strength, same.strength)
    assert not np.array_equal(one.strength, exact.strength)
    assert rank_ranges(fit_bradley_terry(votes), family="board").family is Family.BOARD


def test_places_of_contestants_may_be_numpys_numbers(votes):
    assert fit_bradley_terry(votes, gauge=np.int64(2)).strength[2] == 0.0


@pytest.mark.parametrize("prior", [None, 0.5, "tie"])
def test_a_fit_that_needs_a_prior_says_so(votes, prior):
    for function in (fit_scale, fit_crowd, fit_mixture, fit_cyclic):
        given = {"groups": 2, "rng": generator(1)} if function is fit_mixture else {}
        given |= {"rng": generator(1)} if function is fit_cyclic else {}
        with pytest.raises(BadParameter, match=r"prior is .*; give VirtualTie or NormalPrior"):
            function(votes, prior=prior, **given)
    if prior is not None:
        with pytest.raises(BadParameter, match="VirtualTie, NormalPrior or None"):
            fit_bradley_terry(votes, prior=prior)


@pytest.mark.parametrize("choose", [UniformPolicy().choose, RobustPolicy().choose, DoubleThompsonPolicy().choose])
def test_policies_refuse_a_seed(choose):
    with pytest.raises(BadParameter, match="rng is 3"):
        choose(SelectionState.of(range(4)), Candidates(np.arange(4)), 3)


def test_what_is_no_log_is_refused_by_its_type():
    with pytest.raises(BadParameter, match="data is a list; give Comparisons or Counts"):
        fit_bradley_terry([[0, 3], [1, 0]])
