"""How far two people's answers lie apart, of every type that people can agree on. Each type's own measure is tested in
its folder.
"""

from random import Random

import pytest

from annotation.questions import Asked, Given, Situation, all_types, get_type, read_answers, simulate_answers

TEXTS = ("It is so.\n\nBecause of that.", "It is not so.\n\nThere is no reason.")
SETTINGS = {"labels": {"options": ["clear", "long", "wrong"]}, "context": {"options": ["at work", "at home"]}}
AGREE = [slug for slug, kind in all_types().items() if kind.can_agree and not kind.needs]


def answered(slug: str, utilities: list[float], seed: int) -> Given | None:
    """What somebody says to whom the item's responses are worth that, shown in an order of their own; None where the
    type asks nothing without an answer before it.
    """
    rng = Random(seed)
    kind = all_types()[slug]
    order = rng.sample(range(kind.responses or 2), kind.responses or 2)
    situation = Situation(len(order), "USD", texts=tuple(TEXTS[position] for position in order))
    asked = [Asked("q", slug, required=False, settings=SETTINGS.get(slug, {}))]
    worth = [utilities[position] for position in order]
    raw = simulate_answers(asked, rng=rng, utilities=worth, situation=situation)
    stored = read_answers(asked, raw, situation).answers.get("q")
    return None if stored is None else Given(stored, order)


@pytest.mark.parametrize("slug", AGREE)
def test_of_every_type_it_is_nothing_to_itself_the_same_both_ways_and_no_more_than_all(slug):
    asked = Asked("q", slug, settings=SETTINGS.get(slug, {}))
    kind = get_type(slug)
    given = [answered(slug, [utility, -utility], seed) for seed, utility in enumerate([2.0, -2.0, 0.3, -0.1, 0.0] * 4)]
    known = [each for each in given if each is not None]
    assert known
    for one in known:
        assert kind.apart(asked, one, one) == 0.0
        for other in known:
            assert 0.0 <= kind.apart(asked, one, other) == kind.apart(asked, other, one) <= 1.0


@pytest.mark.parametrize("slug", ["preference", "acceptable", "rating", "ranking"])
def test_the_opposite_said_of_turned_sides_is_seen(slug):
    """A good first response and a bad second one against the reverse, whatever order each was shown in."""
    asked = Asked("q", slug)
    for seed in range(6):
        good, bad, like_good = (answered(slug, worth, seed + k) for k, worth in enumerate([[3, -3], [-3, 3], [3, -3]]))
        assert get_type(slug).apart(asked, good, bad) > 2 / 3
        assert get_type(slug).apart(asked, good, like_good) < 1 / 3
