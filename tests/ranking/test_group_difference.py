"""Groups of annotators that differ are found, and groups that do not are hardly ever."""

import numpy as np
import pytest
from scipy.special import expit

from ranking import (
    BadParameter,
    Comparisons,
    EmptyGroup,
    MissingLabels,
    bradley_terry_strengths,
    generator,
    group_difference,
)

STRENGTH = np.array([0.9, 0.4, 0.0, -0.4, -0.9])


def votes(seed: int, *, people: int = 40, each: int = 30, own: float = 0.0, other=STRENGTH) -> Comparisons:
    """Even people go by STRENGTH, odd ones by `other`, each with a taste of their own beside it."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), each)
    a = rng.integers(0, 5, len(who))
    b = (a + rng.integers(1, 5, len(who))) % 5
    taste = np.where((np.arange(people) % 2 == 0)[:, None], STRENGTH, other) + own * rng.normal(size=(people, 5))
    won = rng.random(len(who)) < expit(taste[who, a] - taste[who, b])
    return Comparisons(a=a, b=b, outcome=won.astype(float), count=5, annotator=who)


HALVES = [np.arange(0, 40, 2), np.arange(1, 40, 2)]


def difference_of(seed: int, **how):
    return group_difference(votes(seed, **how), HALVES, rng=generator(seed), shuffles=99)


def test_equal_groups_are_called_different_no_more_often_than_one_in_twenty_though_people_differ():
    found = [difference_of(seed, own=1.0, each=80) for seed in range(60)]
    assert sum(each.p_value <= 0.05 for each in found) <= 7  # .98 of Binomial(60, .05)
    assert sum((each.contestant_p <= 0.05).any() for each in found) <= 7


def test_control_the_chi_square_of_the_same_statistic_calls_many_of_them_different():
    # 4 degrees of freedom: 9.49 at one in twenty.
    assert sum(difference_of(seed, own=1.0, each=80).statistic > 9.49 for seed in range(20)) >= 8


def test_groups_that_differ_about_two_contestants_are_found_and_so_are_these_two():
    other = STRENGTH[[4, 1, 2, 3, 0]]
    found = difference_of(7, other=other)
    assert (found.p_value, found.people.tolist(), found.votes.tolist()) == (0.01, [20, 20], [600.0, 600.0])
    assert (found.contestant_p <= 0.05).tolist() == [True, False, False, False, True]
    for own, truth in zip(found.strength, (STRENGTH, other), strict=True):
        assert np.abs(own - truth).max() < 0.35


def test_strengths_of_a_group_are_those_of_its_own_votes():
    rows = votes(3)
    found = group_difference(rows, HALVES, rng=generator(1), shuffles=1)
    own = bradley_terry_strengths(rows.select(np.isin(rows.annotator, HALVES[0])))
    assert np.allclose(found.strength[0], own - own.mean(), atol=1e-6)


def test_who_a_group_never_met_is_not_compared_and_groups_may_overlap():
    rows = votes(5)
    without = rows.select((rows.annotator % 2 == 0) | ((rows.a != 4) & (rows.b != 4)))
    found = group_difference(without, HALVES, rng=generator(1), shuffles=9)
    assert np.isnan(found.strength[1]).tolist() == [False, False, False, False, True]
    assert np.isnan(found.contestant_p).tolist() == [False, False, False, False, True]
    both = group_difference(rows, [np.arange(40), HALVES[0]], rng=generator(1), shuffles=9)
    assert both.people.tolist() == [40, 20]


def test_what_cannot_be_tested_is_refused():
    rows = votes(1)
    with pytest.raises(BadParameter):
        group_difference(rows, HALVES[:1], rng=generator(1))
    with pytest.raises(EmptyGroup):
        group_difference(rows, [HALVES[0], np.array([99])], rng=generator(1))
    with pytest.raises(MissingLabels):
        group_difference(Comparisons(a=rows.a, b=rows.b, outcome=rows.outcome, count=5), HALVES, rng=generator(1))
