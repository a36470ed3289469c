import random

import pytest
from django.template.loader import render_to_string

from annotation.forms import JudgmentForm
from annotation.questions import (
    Asked,
    Condition,
    Given,
    InvalidSettings,
    QuestionDoesNotFit,
    Reading,
    Situation,
    check_instrument,
    get_type,
    read_answers,
    simulate_answers,
)
from tests.annotation.questions.refusing import refusal_of

PAIR = Situation(responses=2, currency="USD")
OPTIONS = ["Names its source", "Right", "Too long"]


def asked(mode: str = "item", *, required: bool = True, **settings: object) -> list[Asked]:
    return [Asked("why", "labels", required=required, settings={"options": OPTIONS, "mode": mode, **settings})]


def refusal(questions: list[Asked], raw: object, situation: Situation = PAIR) -> tuple[str, str]:
    found = refusal_of(questions, {"why": raw}, situation)
    return found.code, found.part


def test_labels_are_kept_in_the_order_of_the_list():
    reading = read_answers(asked(), {"why": ["Too long", "Names its source"]}, PAIR)
    assert reading == Reading({"why": {"mode": "item", "labels": ["Names its source", "Too long"]}}, {}, {})


def test_each_response_has_labels_of_its_own():
    reading = read_answers(asked("response", least=0), {"why": [["Right"], []]}, PAIR)
    assert reading.answers == {"why": {"mode": "response", "labels": [["Right"], []]}}


@pytest.mark.parametrize(("mode", "raw"), [("item", None), ("response", None), ("response", [None, None])])
def test_a_list_that_nobody_touched_is_not_an_empty_set(mode, raw):
    assert read_answers(asked(mode, required=False, least=0), {"why": raw}, PAIR).answers == {"why": None}


def test_where_it_is_optional_one_response_may_be_left_out():
    reading = read_answers(asked("response", required=False), {"why": [None, ["Right"]]}, PAIR)
    assert reading.answers["why"]["labels"] == [None, ["Right"]]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (None, "missing"),
        ([], "too_few"),
        (["Right", "Right"], "unknown_choice"),
        (["right"], "unknown_choice"),
        (["Right", ""], "none_and_some"),
        ("Right", "malformed"),
        ([["Right"]], "malformed"),
        ([7], "malformed"),
        ({"Right": True}, "malformed"),
        (OPTIONS, "too_many"),
    ],
)
def test_what_is_no_choice_of_these_is_refused(raw, code):
    assert refusal(asked(most=2), raw) == (code, "1")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([["Right"], None], ("missing", "b1")),
        ([["Right"]], ("malformed", "a1")),
        ("Right", ("malformed", "a1")),
        ([["Right"], ["x"]], ("unknown_choice", "b1")),
    ],
)
def test_a_refusal_stands_at_its_response(raw, expected):
    assert refusal(asked("response"), raw) == expected


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"options": []}, "options must be"),
        ({"options": ["a", "a"]}, "options must be"),
        ({"options": ["a\nb"]}, "options must be"),
        ({"options": "a"}, "options must be"),
        ({"mode": "both"}, "mode must be"),
        ({"least": -1}, "least must be"),
        ({"most": 0}, "most must be"),
        ({"least": 4}, "least must be at most 3"),
        ({"least": 2, "most": 1}, "least must be at most 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings, named):
    with pytest.raises(InvalidSettings, match=f"labels: {named}"):
        asked(**settings)


def test_more_responses_than_letters_are_refused():
    with pytest.raises(QuestionDoesNotFit):
        read_answers(asked("response"), {}, Situation(responses=27, currency="USD"))


@pytest.mark.parametrize(
    ("posted", "answer"),
    [
        ({}, None),
        ({"why.1": OPTIONS[0], "why.3": OPTIONS[2]}, [OPTIONS[0], OPTIONS[2]]),
        ({"why.none": "none"}, []),
        ({"why.none": "none", "why.2": "Right"}, ["", "Right"]),
        ({"why.1": "on"}, ["on"]),
    ],
)
def test_a_form_is_read_as_its_boxes_say(posted, answer):
    form = JudgmentForm(asked(required=False, least=0), PAIR, posted)
    form.is_valid()
    assert form.answers == {"why": answer}


def test_a_form_with_several_sets_comes_back_as_it_was_posted_with_its_error():
    form = JudgmentForm(asked("response"), PAIR, {"why.a2": "Right"})
    assert not form.is_valid()
    assert form.answers == {"why": [["Right"], None]}
    (section,) = form.sections
    groups = section.view["groups"]
    assert [[box["checked"] for box in group["boxes"]] for group in groups] == [[False, True, False], [False] * 3]
    assert [group["refused"] for group in groups] == [False, True]
    html = render_to_string("questions/ballot.html", {"form": form})
    assert html.count("Choose what holds of response B.") == 1
    assert html.count("checked") == 1


def test_none_of_these_is_offered_only_where_nothing_has_to_be_chosen():
    offered = [render_to_string("questions/ballot.html", {"form": JudgmentForm(asked(least=n), PAIR)}) for n in (0, 1)]
    assert ["None of these" in html for html in offered] == [True, False]


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [(1, 3, ""), (0, 3, ""), (2, 3, "Choose at least 2."), (1, 2, "Choose at most 2."), (2, 2, "Choose 2.")],
)
def test_the_question_says_how_many_may_be_chosen(least, most, words):
    (section,) = JudgmentForm(asked(least=least, most=most), PAIR).sections
    assert section.view["help"] == words


def test_a_later_question_can_hang_on_a_label():
    kind, (question,) = get_type("labels"), asked("response", least=0)
    assert kind.mark_options(question) == [
        ("names-its-source", "Names its source"),
        ("right", "Right"),
        ("too-long", "Too long"),
        ("none", "None of these"),
    ]
    stored = {"mode": "response", "labels": [["Too long", "Right"], [], None]}
    assert [kind.marks(question, each) for each in (stored, None)] == [{"too-long", "right", "none"}, frozenset()]
    check_instrument([question, Asked("more", "rationale", condition=Condition("why", ("too-long",)))])


def test_export_has_the_same_columns_whatever_was_answered():
    export = get_type("labels").export_columns
    assert export({"mode": "item", "labels": ["Right"]}) == {"labels": ["Right"], "labels_by_response": None}
    by_response = {"mode": "response", "labels": [["Right"], None]}
    assert export(by_response) == {"labels": None, "labels_by_response": [["Right"], None]}
    assert export(None) == {"labels": None, "labels_by_response": None}


@pytest.mark.parametrize("mode", ["item", "response"])
@pytest.mark.parametrize(("least", "most"), [(0, 3), (1, 40), (2, 2), (3, 3)])
def test_simulated_people_choose_as_many_as_they_may(mode, least, most):
    questions, counts = asked(mode, least=least, most=most), set()
    for seed in range(60):
        answers = simulate_answers(questions, rng=random.Random(seed), utilities=[1.0, -1.0], situation=PAIR)
        stored = read_answers(questions, answers, PAIR).answers["why"]
        counts |= {len(each) for each in (stored["labels"] if mode == "response" else [stored["labels"]])}
    assert counts == set(range(least, min(most, 3) + 1))


def test_labels_lie_apart_by_what_only_one_person_gave_to_a_response():
    [question] = asked("response")
    first, second, third = OPTIONS[:3]
    one = Given({"mode": "response", "labels": [[first], [second, third]]}, [0, 1])
    turned = Given({"mode": "response", "labels": [[second], [first]]}, [1, 0])
    assert get_type("labels").apart(question, one, turned) == 0.5
    assert get_type("labels").apart(question, one, Given(one.stored, [1, 0])) == 1.0
    [whole] = asked("item")
    both, none = ({"mode": "item", "labels": labels} for labels in ([first, second], []))
    assert get_type("labels").apart(whole, Given(both, [0, 1]), Given(none, [0, 1])) == 1.0
    assert get_type("labels").apart(whole, Given(none, [0, 1]), Given(none, [1, 0])) == 0.0
