import random

import pytest

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


def asked(**settings) -> list[Asked]:
    return [Asked("preference", "preference", settings=settings)]


def read(raw, **settings) -> Reading:
    return read_answers(asked(**settings), {"preference": raw}, PAIR)


def codes(raw, **settings) -> dict[str, list[str]]:
    with pytest.raises(InvalidAnswers) as refused:
        read(raw, **settings)
    return refused.value.codes


@pytest.mark.parametrize(
    ("raw", "stored", "columns"),
    [
        (
            {"choice": "a", "strength": 1},
            {"choice": "a", "strength": 1, "scale": 3},
            {"preference": "a", "strength": 1, "strength_scale": 3},
        ),
        (
            {"choice": "b", "strength": 3},
            {"choice": "b", "strength": -3, "scale": 3},
            {"preference": "b", "strength": -3, "strength_scale": 3},
        ),
        ({"choice": "b"}, {"choice": "b", "strength": None, "scale": 3}, {"preference": "b"}),
        (
            {"choice": "tie", "strength": None},
            {"choice": "tie", "strength": 0, "scale": 3},
            {"preference": "tie", "strength": 0, "strength_scale": 3},
        ),
        (
            {"choice": "cannot_compare"},
            {"choice": "cannot_compare", "strength": None, "scale": 3},
            {"preference": "cannot_compare"},
        ),
    ],
)
def test_an_answer_is_stored_with_its_sign_and_scale(raw, stored, columns):
    assert read(raw) == Reading(answers={"preference": stored}, texts={}, columns=columns)


def test_where_strength_is_off_a_tie_has_none_and_there_is_no_scale():
    assert [read({"choice": choice}, strength="off") for choice in ("a", "tie")] == [
        Reading({"preference": {"choice": "a", "strength": None, "scale": None}}, {}, {"preference": "a"}),
        Reading({"preference": {"choice": "tie", "strength": None, "scale": None}}, {}, {"preference": "tie"}),
    ]


def test_an_optional_preference_that_was_left_out_is_stored_as_null():
    question = Asked("preference", "preference", required=False)
    assert read_answers([question], {}, PAIR) == Reading({"preference": None}, {}, {})


@pytest.mark.parametrize(
    ("raw", "settings", "code"),
    [
        (None, {}, "missing"),
        ({}, {}, "missing"),
        ({"choice": None, "strength": 2}, {}, "missing"),
        ("a", {}, "malformed"),
        ({"choice": "a", "margin": 2}, {}, "malformed"),
        ({"choice": "both_bad"}, {}, "unknown_choice"),
        ({"choice": "A"}, {}, "unknown_choice"),
        ({"choice": ["a"]}, {}, "unknown_choice"),
        ({"choice": "a", "strength": 0}, {}, "unknown_strength"),
        ({"choice": "a", "strength": 4}, {}, "unknown_strength"),
        ({"choice": "a", "strength": -1}, {}, "unknown_strength"),
        ({"choice": "a", "strength": True}, {}, "unknown_strength"),
        ({"choice": "a", "strength": 2.0}, {}, "unknown_strength"),
        ({"choice": "a", "strength": "2"}, {}, "unknown_strength"),
        ({"choice": "tie", "strength": 1}, {}, "strength_not_asked"),
        ({"choice": "cannot_compare", "strength": 1}, {}, "strength_not_asked"),
        ({"choice": "a", "strength": 1}, {"strength": "off"}, "strength_not_asked"),
        ({"choice": "a"}, {"strength": "required"}, "strength_missing"),
    ],
)
def test_what_is_no_preference_is_refused(raw, settings, code):
    assert codes(raw, **settings) == {"preference": [code]}


def test_strength_is_required_only_of_a_choice():
    assert read({"choice": "tie"}, strength="required").columns["strength"] == 0


@pytest.mark.parametrize(
    "settings",
    [{"strength": "sometimes"}, {"strength": True}, {"scale": 5}, {"wording": 2}, {"wording": True}, {7: 7}, ["a"]],
)
def test_settings_that_are_not_known_are_refused(settings):
    with pytest.raises(InvalidSettings):
        Asked("preference", "preference", settings=settings)


def test_settings_are_made_canonical():
    assert Asked("preference", "preference").settings == {"strength": "optional", "wording": 1}


def test_export_has_the_same_columns_whatever_was_answered():
    export = get_type("preference").export_columns
    assert [export({"choice": "b", "strength": -2, "scale": 3}), export(None)] == [
        {"preference": "b", "strength": -2, "strength_scale": 3},
        {"preference": None, "strength": None, "strength_scale": None},
    ]


@pytest.mark.parametrize(
    ("utilities", "raw"),
    [
        ((0.1, 0.0), {"choice": "tie", "strength": None}),
        ((0.5, 0.0), {"choice": "a", "strength": 1}),
        ((0.0, 1.0), {"choice": "b", "strength": 2}),
        ((-1.0, 4.0), {"choice": "b", "strength": 3}),
    ],
)
def test_a_simulated_person_chooses_what_is_worth_more(utilities, raw):
    answers = simulate_answers(asked(), rng=random.Random(1), utilities=utilities, situation=PAIR)
    assert answers == {"preference": raw}
