import random

import pytest

from annotation.forms import JudgmentForm
from annotation.questions import (
    Asked,
    InvalidAnswers,
    InvalidSettings,
    QuestionDoesNotFit,
    Reading,
    Situation,
    get_type,
    read_answers,
    simulate_answers,
)

ONE = Situation(responses=1, currency="USD")


def asked(*, required: bool = True) -> list[Asked]:
    return [Asked("thumb", "thumbs", required=required)]


@pytest.mark.parametrize("answer", [True, False])
def test_up_and_down_are_kept_as_yes_and_no(answer):
    assert read_answers(asked(), {"thumb": answer}, ONE) == Reading({"thumb": answer}, {}, {"thumb": answer})


def test_left_out_is_neither_up_nor_down():
    assert read_answers(asked(required=False), {}, ONE) == Reading({"thumb": None}, {}, {})


@pytest.mark.parametrize(
    ("raw", "code"),
    [(None, "missing"), *((raw, "unknown_choice") for raw in ("up", "", 1, 0, 1.0, [], [True], {"thumb": True}))],
)
def test_anything_else_is_refused(raw, code):
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(), {"thumb": raw}, ONE)
    assert refused.value.codes == {"thumb": [code]}


@pytest.mark.parametrize("responses", [0, 2, 4])
def test_several_responses_have_no_one_thumb(responses):
    with pytest.raises(QuestionDoesNotFit):
        read_answers(asked(), {"thumb": True}, Situation(responses=responses, currency="USD"))


def test_it_has_no_settings():
    with pytest.raises(InvalidSettings, match="no setting scale"):
        Asked("thumb", "thumbs", settings={"scale": 2})


@pytest.mark.parametrize(("posted", "answer"), [("up", True), ("down", False), ("", None), ("sideways", "sideways")])
def test_a_form_is_read_as_its_button_says(posted, answer):
    form = JudgmentForm(asked(required=False), ONE, {"thumb": posted})
    assert form.is_valid() is (posted != "sideways")
    assert form.answers == {"thumb": answer}


def test_nothing_is_pressed_that_nobody_pressed_and_a_refusal_stands_at_its_buttons():
    (section,) = JudgmentForm(asked(), ONE, {}).sections
    choice = section.view["choice"]
    assert [option.checked for option in choice.options] == [False, False]
    assert (choice.refused, section.errors) == (True, ["Say thumbs up or thumbs down."])


def test_a_later_question_can_hang_on_it():
    kind, (question,) = get_type("thumbs"), asked()
    assert [mark for mark, _words in kind.mark_options(question)] == ["up", "down"]
    assert [kind.marks(question, stored) for stored in (True, False, None)] == [{"up"}, {"down"}, frozenset()]


def test_export_says_what_was_stored():
    export = get_type("thumbs").export_columns
    assert [export(True), export(None)] == [{"thumb": True}, {"thumb": None}]


def test_a_simulated_person_puts_a_thumb_up_for_what_is_worth_more_than_nothing():
    found = [simulate_answers(asked(), rng=random.Random(1), utilities=[u], situation=ONE) for u in (0.3, 0.0, -2.0)]
    assert found == [{"thumb": True}, {"thumb": False}, {"thumb": False}]
