import random

import pytest

from annotation.forms import JudgmentForm
from annotation.questions import (
    Asked,
    InvalidAnswers,
    InvalidSettings,
    Reading,
    Situation,
    get_type,
    read_answers,
    simulate_answers,
)

PAIR = Situation(responses=2, currency="USD")


def asked(*, required: bool = True, **settings: object) -> list[Asked]:
    return [Asked("sure", "confidence", required=required, settings=settings)]


@pytest.mark.parametrize("level", [1, 3, 5])
def test_a_level_is_kept_with_the_number_of_levels(level):
    reading = read_answers(asked(), {"sure": level}, PAIR)
    assert reading == Reading({"sure": {"level": level, "levels": 5}}, {}, {"confidence": level})


def test_left_out_is_no_level():
    assert read_answers(asked(required=False), {}, PAIR) == Reading({"sure": None}, {}, {})


@pytest.mark.parametrize(
    ("raw", "code"),
    [(None, "missing"), *((raw, "unknown_choice") for raw in (0, 6, True, "3", 3.0, float("nan"), [3], {"level": 3}))],
)
def test_anything_else_is_refused(raw, code):
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(), {"sure": raw}, PAIR)
    assert refused.value.codes == {"sure": [code]}


@pytest.mark.parametrize(("name", "value"), [("low", "x" * 41), ("high", 5), ("low", "a\x00")])
def test_words_that_cannot_stand_at_an_end_are_refused_by_name(name, value):
    with pytest.raises(InvalidSettings, match=f"confidence: {name} must be"):
        asked(**{name: value})


@pytest.mark.parametrize(("posted", "answer"), [("1", 1), ("5", 5), ("", None), ("6", "6"), ("٣", "٣")])
def test_a_form_is_read_as_its_button_says(posted, answer):
    form = JudgmentForm(asked(required=False), PAIR, {"sure": posted})
    assert form.is_valid() is not isinstance(answer, str)
    assert form.answers == {"sure": answer}


def test_the_ends_bear_their_words_and_nothing_is_pressed():
    (section,) = JudgmentForm(asked(low="No idea"), PAIR).sections
    choice = section.view["choice"]
    assert [(option.value, option.checked) for option in choice.options] == [(str(n), False) for n in range(1, 6)]
    assert choice.ends == ("No idea", "Certain")


def test_a_later_question_can_hang_on_it():
    kind, (question,) = get_type("confidence"), asked(high="Sure")
    assert kind.mark_options(question) == [("1", "1: Guessing"), ("2", "2"), ("3", "3"), ("4", "4"), ("5", "5: Sure")]
    assert [kind.marks(question, stored) for stored in ({"level": 2, "levels": 5}, None)] == [{"2"}, frozenset()]


def test_export_has_the_same_columns_whatever_was_answered():
    export = get_type("confidence").export_columns
    assert export({"level": 4, "levels": 5}) == {"confidence": 4, "confidence_levels": 5}
    assert export(None) == {"confidence": None, "confidence_levels": None}


@pytest.mark.parametrize(
    ("utilities", "level"),
    [
        ([1, 1], 1),
        ([0, 0.3], 2),
        ([-1, -1.6], 3),
        ([5, 3.5], 4),
        ([0, 9], 5),
        ([9, 8.9, -50], 1),
        ([0.1], 1),
        ([-3], 5),
    ],
)
def test_a_simulated_person_is_surer_of_what_lies_further_apart(utilities, level):
    situation = Situation(responses=len(utilities), currency="USD")
    answers = simulate_answers(asked(), rng=random.Random(1), utilities=utilities, situation=situation)
    assert answers == {"sure": level}
    read_answers(asked(), answers, situation)
