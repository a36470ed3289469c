"""Who flips a coin is found without gold, and who is careful stands out seldom: measured on many campaigns."""

import numpy as np
import pytest

from annotation.boards.annotators import alike_of
from annotation.boards.measures import RESPONSES, Measure
from annotation.policies.flags import AnnotatorFigures, reasons_to_look
from ranking import Measurement
from tests.ranking.judged_worlds import judged_items

WORLDS = 40
CAREFUL, FLIPPERS = 10, 1


def stand_out(rng, right, *, judgments, each, hard=0.0):
    """Which people of one campaign are taken for guessing."""
    count = len(right)
    items = judgments * count // each
    judged = judged_items(rng, right=right, items=items, each=each, values=2, hard=hard)
    measure = Measure(
        question="preference",
        measurement=Measurement.ORDINAL,
        unit=judged.item * RESPONSES,
        item=judged.item,
        respondent=judged.annotator,
        value=judged.value,
        everyone=np.arange(count),
    )
    return [
        reasons_to_look(AnnotatorFigures(respondent=k, judgments=judgments, alike=alike)) != []
        for k, alike in enumerate(alike_of([measure], np.arange(count)))
    ]


def shares(*, careful=CAREFUL, flippers=FLIPPERS, low=0.5, high=0.9, seed=1, worlds=WORLDS, **world):
    """Of careful people and of coin flippers who stand out. A careful one knows the answer in a share of the cases that
    differs from person to person, and guesses in the others: from 75 to 95 % right.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _world in range(worlds):
        right = np.concatenate((rng.uniform(low, high, careful), np.zeros(flippers)))
        found.append(stand_out(rng, right, **world))
    table = np.array(found)
    return table[:, :careful].mean(), table[:, careful:].mean() if flippers else None, table[:, :careful].any(axis=1)


@pytest.mark.parametrize("each", [2, 3, 11])
def test_nine_in_ten_coin_flippers_with_400_judgments_are_found_and_few_careful_people(each):
    careful, flippers, _any = shares(judgments=400, each=each)
    assert careful <= 0.05
    assert flippers >= 0.9


def test_they_are_found_where_people_can_tell_only_some_of_the_items_and_where_they_are_many():
    careful, flippers, _any = shares(judgments=400, each=3, hard=0.3)
    assert (careful <= 0.05, flippers >= 0.9) == (True, True)
    careful, flippers, _any = shares(careful=60, flippers=20, judgments=400, each=3, worlds=5)
    assert (careful <= 0.05, flippers >= 0.9) == (True, True)


@pytest.mark.parametrize(
    ("judgments", "low", "high", "worlds"),
    [(40, 0.5, 0.9, 150), (40, 0.1, 0.3, 150), (400, 0.5, 0.9, 40), (400, 0, 0, 40)],
)
def test_in_19_of_20_campaigns_nobody_careful_stands_out(judgments, low, high, worlds):
    """Nor where nobody agrees with anybody: of a matter of taste nobody can be told to guess."""
    careful, _none, any_of_them = shares(
        careful=20, flippers=0, low=low, high=high, judgments=judgments, each=3, worlds=worlds, seed=2
    )
    # Two standard errors of so many worlds above one in twenty.
    assert any_of_them.mean() <= 0.05 + 2 * (0.05 * 0.95 / worlds) ** 0.5
    assert careful <= 0.01


def test_without_the_correction_for_many_people_the_careful_stand_out(monkeypatch):
    """The control: each person by themselves at 5 %, among many of whom nobody agrees much."""
    given = alike_of.__globals__["likeness"]

    class Uncorrected:
        def __init__(self, found):
            self.found = found

        def __getattr__(self, name):
            return getattr(self.found, name)

        def bounds(self, level, comparisons=1):
            return self.found.bounds(level)

    monkeypatch.setitem(alike_of.__globals__, "likeness", lambda *a, **k: Uncorrected(given(*a, **k)))
    _careful, _none, any_of_them = shares(
        careful=20, flippers=0, low=0.1, high=0.3, judgments=40, each=3, worlds=80, seed=2
    )
    assert any_of_them.mean() > 0.3
