"""Answers on fine scales: what counts as the same answer again, and how far answers lie apart."""

import numpy as np
import pytest

from annotation.boards.agreement import disagreements
from annotation.boards.annotators import _repeats
from annotation.boards.measures import RESPONSES, Measure
from annotation.policies.flags import AnnotatorFigures, reasons_to_look
from ranking import Measurement

STEP = 0.2  # the mean of five ratings from 1 to 5


def measured(rows, measurement=Measurement.ORDINAL):
    """Rows of item, annotator and value in commit order."""
    item, respondent, value = (np.array(column) for column in zip(*rows, strict=True))
    everyone, who = np.unique(respondent, return_inverse=True)
    return Measure("q", measurement, item * RESPONSES, item, who, value.astype(float), everyone)


def repeated(careful, *, times, seed, people=20):
    """Means of five ratings of items that differ, each answered by all and by each again: a careful one is off by less
    than a step of one rating, the last person rates blindly.
    """
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1.5, 4.5, times)
    rows = []
    for _again in range(2):
        for person in range(people):
            for item in range(times):
                is_blind = not careful and person == people - 1
                ratings = rng.integers(1, 6, 5) if is_blind else np.clip(rng.normal(truth[item], 0.7, 5).round(), 1, 5)
                rows.append((item, person, ratings.mean()))
    return measured(rows)


def flagged(measure):
    people = measure.everyone
    columns = _repeats([measure], people)
    figures = [
        AnnotatorFigures(int(pk), 0, repeats=columns["repeats"][k], same_by_chance=columns["same_by_chance"][k])
        for k, pk in enumerate(people)
    ]
    return [each.respondent for each in figures if reasons_to_look(each)]


@pytest.mark.parametrize("times", [6, 20, 200])
def test_careful_people_who_rate_finely_are_not_said_to_contradict_themselves(times):
    found = [flagged(repeated(True, times=times, seed=seed)) for seed in range(10)]
    assert found == [[]] * 10


def test_whoever_rates_blindly_is_and_nobody_beside_them():
    found = [flagged(repeated(False, times=150, seed=seed)) for seed in range(10)]
    assert found == [[19]] * 10


def test_an_item_of_several_responses_is_one_repeat():
    rows = [(item, 0, value) for _again in range(2) for item, value in enumerate([2.0, 4.0, 3.0])]
    one = measured(rows)
    four = Measure(
        "q",
        Measurement.ORDINAL,
        np.repeat(one.unit, 4) + np.tile(np.arange(4), len(one)),
        *(np.repeat(column, 4) for column in (one.item, one.respondent, one.value)),
        one.everyone,
    )
    [repeats] = _repeats([four], four.everyone)["repeats"]
    assert (repeats.part, repeats.whole) == (3, 3)


def test_a_choice_is_the_same_only_if_it_is_the_same():
    rng = np.random.default_rng(5)
    [near] = measured([(item, 0, rng.choice([0.0, 0.5, 1.0], p=[0.4, 0.2, 0.4])) for item in range(3000)]).nearness()
    assert near.within < 0.5
    assert near.by_chance == pytest.approx(0.36, abs=0.05)
    [kinds] = measured([(item, 0, float(item % 4)) for item in range(400)], Measurement.NOMINAL).nearness()
    assert (kinds.within, kinds.by_chance) == (0.0, pytest.approx(0.25, abs=0.01))
    assert [each.by_chance for each in measured([(0, 0, 1.0), (1, 1, 1.0)]).nearness()] == [1.0, 1.0]


def test_items_are_ordered_by_how_far_their_answers_lie_apart():
    scale = [(100 + number, 0, value) for number, value in enumerate(np.repeat([1.0, 3.0, 5.0], 40))]
    rows = [
        (0, 1, 3.0),
        (0, 2, 3.2),
        (1, 1, 1.0),
        (1, 2, 5.0),
        (2, 1, 2.0),
        (2, 2, 4.0),
        (2, 3, 3.0),
        (3, 1, 4),
        (3, 2, 4),
    ]
    found = disagreements([measured(scale + rows)], 10)
    assert [(each["item"], each["people"]) for each in found] == [(1, 2), (2, 3), (0, 2)]
    assert [each["apart"] for each in found] == pytest.approx([1.0, (2 + 1 + 1) / 3 / 4, STEP / 4])


def test_choices_lie_apart_wholly_by_half_or_not():
    rows = [(0, 1, 1.0), (0, 2, 0.0), (1, 1, 1.0), (1, 2, 0.5), (2, 1, 1.0), (2, 2, 1.0), (3, 1, 0.0), (4, 1, 0.0)]
    assert {each["item"]: each["apart"] for each in disagreements([measured(rows)], 10)} == {0: 1.0, 1: 0.5}
