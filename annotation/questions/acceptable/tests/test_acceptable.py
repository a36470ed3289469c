import random

import pytest

from annotation.questions import (
    Asked,
    Given,
    InvalidAnswers,
    QuestionDoesNotFit,
    Reading,
    Situation,
    collect_answers,
    get_type,
    read_answers,
    simulate_answers,
)

PAIR = Situation(responses=2, currency="USD")


def asked(mode: str = "per_response", *, required: bool = True) -> list[Asked]:
    return [Asked("acceptable", "acceptable", required=required, settings={"mode": mode})]


@pytest.mark.parametrize("mode", ["per_response", "neither"])
@pytest.mark.parametrize("answer", [[True, True], [True, False], [False, True], [False, False]])
def test_an_answer_for_each_response_is_kept_in_the_order_shown(mode, answer):
    reading = read_answers(asked(mode), {"acceptable": answer}, PAIR)
    assert reading == Reading({"acceptable": answer}, {}, {"acceptable": answer})


@pytest.mark.parametrize("mode", ["per_response", "neither"])
def test_left_out_means_unknown_and_never_acceptable(mode):
    assert read_answers(asked(mode, required=False), {}, PAIR) == Reading({"acceptable": None}, {}, {})


@pytest.mark.parametrize("mode", ["per_response", "neither"])
@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (None, "missing"),
        ([], "malformed"),
        ([True], "malformed"),
        ([True, False, True], "malformed"),
        ("yes", "malformed"),
        ({"a": True, "b": True}, "malformed"),
        ([True, "no"], "malformed"),
        ([1, 0], "malformed"),
        ([True, None], "incomplete"),
    ],
)
def test_half_an_answer_and_nonsense_are_refused(mode, raw, code):
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(mode), {"acceptable": raw}, PAIR)
    assert refused.value.codes == {"acceptable": [code]}


def test_half_an_answer_is_refused_at_the_response_it_lacks():
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(required=False), {"acceptable": [True, None]}, PAIR)
    assert [refusal.part for refusal in refused.value.refusals["acceptable"]] == ["b"]


@pytest.mark.parametrize(
    ("posted", "raw"),
    [("both", [True, True]), ("a", [True, False]), ("b", [False, True]), ("neither", [False, False]), ("", None)],
)
def test_one_tap_answers_for_both_responses(posted, raw):
    assert collect_answers(asked("neither"), {"acceptable": posted}, PAIR) == {"acceptable": raw}


def test_a_form_asks_yes_or_no_for_each_of_any_number_of_responses():
    three = Situation(responses=3, currency="USD")
    posted = {"acceptable.a": "yes", "acceptable.b": "no", "acceptable.c": "no", "acceptable.d": "yes"}
    assert collect_answers(asked(), posted, three) == {"acceptable": [True, False, False]}


def test_values_that_no_button_has_are_refused():
    for posted in ({"acceptable.a": "maybe", "acceptable.b": "yes"}, {"acceptable.b": "on"}):
        with pytest.raises(InvalidAnswers):
            read_answers(asked(), collect_answers(asked(), posted, PAIR), PAIR)


@pytest.mark.parametrize(("mode", "responses"), [("neither", 3), ("neither", 1), ("per_response", 27)])
def test_an_item_that_the_mode_cannot_ask_about_is_refused_by_name(mode, responses):
    with pytest.raises(QuestionDoesNotFit):
        read_answers(asked(mode), {}, Situation(responses=responses, currency="USD"))


def test_export_says_what_was_stored():
    export = get_type("acceptable").export_columns
    assert [export([True, False]), export(None)] == [{"acceptable": [True, False]}, {"acceptable": None}]


def test_a_simulated_person_accepts_what_is_worth_more_than_nothing():
    answers = simulate_answers(asked(), rng=random.Random(1), utilities=(0.4, -0.1), situation=PAIR)
    assert answers == {"acceptable": [True, False]}


@pytest.mark.parametrize(
    ("other", "order", "apart"),
    [([False, True], [1, 0], 0.0), ([False, True], [0, 1], 1.0), ([True, True], [0, 1], 1.0)],
)
def test_two_people_differ_where_a_response_is_acceptable_to_one_of_them(other, order, apart):
    [question] = asked()
    found = get_type("acceptable").apart(question, Given([True, False], [0, 1]), Given(other, order))
    assert found == apart
