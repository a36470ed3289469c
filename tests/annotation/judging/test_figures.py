"""Judges whose leaning is known are measured near it, and one without any is not accused."""

import numpy as np
import pytest

from annotation.boards.judging import LEAST, NOWHERE, Judged, judge_figures, wilson

ITEMS = 600
VOTES = 3


def world(seed: int, *, longer: float = 0.0, own: float = 0.0, side: float = 0.0, items: int = ITEMS) -> Judged:
    """Verdicts and votes of items whose better response is known. Each verdict is one vote more but for its leanings,
    in logits: to the longer response, to its own kind's, to the side shown first."""
    rng = np.random.Generator(np.random.PCG64(seed))
    quality = rng.normal(0.0, 1.0, items)
    ratio = rng.normal(0.0, 0.7, items)
    long = np.where(np.abs(ratio) < np.log(1.1), NOWHERE, np.where(ratio > 0, 0, 1))
    kin = rng.choice([NOWHERE, 0, 1], size=items)
    votes = rng.random((items, VOTES)) < _chance(quality)[:, None]
    to_longer = longer * np.where(long == 0, 1, np.where(long == 1, -1, 0))
    to_own = own * np.where(kin == 0, 1, np.where(kin == 1, -1, 0))
    straight = rng.random(items) < _chance(quality + to_longer + to_own + side)
    swapped = rng.random(items) < _chance(quality + to_longer + to_own - side)
    firsts = straight.astype(int) + swapped
    return Judged(
        judge=np.column_stack([firsts, 2 - firsts, np.zeros(items, dtype=int)]),
        people=np.column_stack([votes.sum(1), VOTES - votes.sum(1), np.zeros(items, dtype=int)]),
        flipped=straight != swapped,
        first_shown=straight.astype(int) + ~swapped,
        longer=long,
        own=kin,
        log_ratio=ratio,
    )


def _chance(logits):
    return 1 / (1 + np.exp(-logits))


def figures(judged: Judged):
    return judge_figures(judged, np.random.Generator(np.random.PCG64(0)))


def test_a_lean_to_length_to_kin_and_to_the_first_side_is_found_near_its_size():
    found = figures(world(1, longer=1.5))
    # Half of the items' chances move by what 1.5 logits are worth around their quality: some 25 points.
    assert found.longer.leans
    assert 0.2 < found.longer.value < 0.33
    assert found.slope.leans
    assert not found.own_kind.leans
    kin = figures(world(2, own=1.5))
    assert kin.own_kind.leans
    assert 0.2 < kin.own_kind.value < 0.33
    assert not kin.longer.leans
    first = figures(world(3, side=2.0))
    assert first.first_side.low > 0.6
    assert first.flips.value > figures(world(3)).flips.value + 0.1


def test_a_judge_without_a_lean_is_seldom_accused():
    """In one world of twenty each figure is off by chance: more than four in twenty come once in four hundred."""
    accused = np.zeros(3, dtype=int)
    for seed in range(20):
        found = figures(world(100 + seed, items=120))
        accused += [found.longer.leans, found.slope.leans, found.own_kind.leans]
    assert accused.max() <= 4


def test_agreement_is_that_of_two_people_where_the_judge_is_one_more():
    found = figures(world(5, items=2_000))
    assert found.agreement.low < found.among_people.value < found.agreement.high
    assert found.kappa.low > 0
    chance = world(6, items=2_000)
    chance.judge[:, :2] = np.random.Generator(np.random.PCG64(1)).permutation(chance.judge[:, :2])
    guess = figures(chance).kappa
    assert guess.low < 0 < guess.high


@pytest.mark.parametrize("items", [0, 1, LEAST - 1])
def test_too_few_items_say_nothing(items):
    judged = world(7, items=max(items, 1))
    if items == 0:
        judged = Judged(**{name: getattr(judged, name)[:0] for name in judged.__dataclass_fields__})
    found = figures(judged)
    for name in found.__dataclass_fields__:
        assert (getattr(found, name).value, getattr(found, name).low) == (None, None)


def test_the_interval_of_a_share_is_wilsons():
    # 81 of 263: Newcombe 1998, table I, method 3.
    share = wilson(81, 263)
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)
