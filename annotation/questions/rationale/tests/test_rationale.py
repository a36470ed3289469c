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

ANY = Situation(responses=1, currency="USD")
THREE = Situation(responses=3, currency="USD")


def asked(min_length: int = 0, *, required: bool = False) -> list[Asked]:
    return [Asked("why", "rationale", required=required, settings={"min_length": min_length})]


def test_the_words_go_to_be_sealed_and_the_log_keeps_only_that_there_are_some():
    reading = read_answers(asked(), {"why": "  It names its source.\r\n"}, ANY)
    assert reading == Reading({"why": {"given": True}}, {"why": "It names its source."}, {})


@pytest.mark.parametrize("raw", [None, "", " \n\t ", "\x00"])
def test_nothing_written_is_stored_as_null(raw):
    assert read_answers(asked(), {"why": raw}, ANY) == Reading({"why": None}, {}, {})


def test_words_are_cleaned_before_they_are_kept():
    assert read_answers(asked(), {"why": "a\x00b\ud800"}, ANY).texts == {"why": "ab\N{REPLACEMENT CHARACTER}"}


@pytest.mark.parametrize(
    ("raw", "required", "code"),
    [
        ("", True, "missing"),
        (None, True, "missing"),
        ("short", True, "too_short"),
        ("short", False, "too_short"),
        ("  short     ", False, "too_short"),
        ("x" * 10_001, False, "too_long"),
        (7, False, "malformed"),
        (["because"], False, "malformed"),
        ({"text": "because"}, False, "malformed"),
    ],
)
def test_what_cannot_be_kept_is_refused(raw, required, code):
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(10, required=required), {"why": raw}, ANY)
    assert refused.value.codes == {"why": [code]}


def test_an_optional_rationale_that_is_too_short_may_be_taken_back():
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(10), {"why": "short"}, ANY)
    assert refused.value.errors == {"why": ["Write at least 10 characters, or nothing at all; that was 5."]}


@pytest.mark.parametrize("length", [-1, 1001, True, 2.0, "10"])
def test_a_minimum_length_that_makes_no_sense_is_refused(length):
    with pytest.raises(InvalidSettings):
        asked(length)


def test_export_says_whether_there_are_words_and_never_which():
    export = get_type("rationale").export_columns
    nothing = {"rationale_given": False, "critique_characters": None}
    assert [export({"given": True}), export(None)] == [nothing | {"rationale_given": True}, nothing]


@pytest.mark.parametrize("min_length", [0, 1, 38, 39, 40, 41, 1000])
def test_a_simulated_person_writes_enough_where_words_are_required(min_length):
    questions = asked(min_length, required=True)
    answers = simulate_answers(questions, rng=random.Random(1), utilities=(1.0,), situation=ANY)
    assert len(read_answers(questions, answers, ANY).texts["why"]) >= min_length
    assert simulate_answers(asked(min_length), rng=random.Random(1), utilities=(1.0,), situation=ANY) == {"why": None}


def critique(min_length: int = 0, *, required: bool = False) -> list[Asked]:
    return [Asked("why", "rationale", required=required, settings={"mode": "response", "min_length": min_length})]


def test_critiques_are_sealed_as_one_text_that_their_lengths_take_apart():
    reading = read_answers(critique(), {"why": [" Right.\n\nB: not so. ", None, "Too long."]}, THREE)
    assert reading == Reading(
        {"why": {"mode": "response", "characters": [18, None, 9]}},
        {"why": "A: Right.\n\nB: not so.\n\nC: Too long."},
        {},
    )


@pytest.mark.parametrize("raw", [None, [None, "", " \n"]])
def test_no_critique_at_all_is_stored_as_null(raw):
    assert read_answers(critique(), {"why": raw}, THREE) == Reading({"why": None}, {}, {})


@pytest.mark.parametrize(
    ("raw", "required", "code", "part"),
    [
        (["Right and short.", None, "Much too long."], True, "missing", "b"),
        (None, True, "missing", "a"),
        (["Right and short.", "short", None], False, "too_short", "b"),
        (["Right and short.", "Much too long."], False, "malformed", "a"),
        ("Right and short.", False, "malformed", "a"),
        (["Right and short.", 7, None], False, "malformed", "b"),
        ([None, None, "x" * 10_001], False, "too_long", "c"),
    ],
)
def test_a_critique_that_cannot_be_kept_is_refused_at_its_response(raw, required, code, part):
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(critique(10, required=required), {"why": raw}, THREE)
    assert [(each.code, each.part) for each in refused.value.refusals["why"]] == [(code, part)]


def test_a_simulated_person_criticises_every_response_where_words_are_required():
    questions = critique(100, required=True)
    answers = simulate_answers(questions, rng=random.Random(1), utilities=(1.0, 0.0, 2.0), situation=THREE)
    characters = read_answers(questions, answers, THREE).answers["why"]["characters"]
    assert len(characters) == 3
    assert min(characters) >= 100


def test_a_rationale_for_the_item_is_the_question_that_it_was_before_there_were_critiques():
    assert get_type("rationale").check_settings({"mode": "item"}) == {"min_length": 0, "wording": 1}
