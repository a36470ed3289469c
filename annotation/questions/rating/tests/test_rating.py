import random

import numpy
import pytest
from django.template.loader import render_to_string

from annotation.forms import JudgmentForm
from annotation.questions import (
    Asked,
    Condition,
    Given,
    InvalidAnswers,
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
ONE_TO_FIVE = {"kind": "points", "lowest": 1, "highest": 5}
HELPSTEER = {
    "attributes": ["Helpfulness", "Correctness", "Coherence", "Complexity", "Verbosity"],
    "first": 0,
    "ranked_by": "Helpfulness",
}


def asked(*, required: bool = True, **settings: object) -> list[Asked]:
    return [Asked("stars", "rating", required=required, settings=settings)]


def refusal(questions: list[Asked], raw: object, situation: Situation = PAIR) -> tuple[str, str]:
    found = refusal_of(questions, {"stars": raw}, situation)
    return found.code, found.part


def test_one_rating_for_each_response_is_kept_with_its_scale():
    reading = read_answers(asked(), {"stars": {"overall": [5, 2]}}, PAIR)
    stored = {"values": {"overall": [5, 2]}, "scale": ONE_TO_FIVE}
    assert reading == Reading({"stars": stored}, {}, {"scores": [5.0, 2.0]})


def test_five_attributes_from_0_to_4_are_ranked_by_the_one_that_is_named():
    raw = {name: [index % 5, 4] for index, name in enumerate(HELPSTEER["attributes"], start=2)}
    reading = read_answers(asked(**HELPSTEER), {"stars": raw}, PAIR)
    assert reading.answers["stars"] == {"values": raw, "scale": {"kind": "points", "lowest": 0, "highest": 4}}
    assert reading.columns == {"scores": [2.0, 4.0]}


def test_without_a_name_the_mean_of_the_attributes_is_the_score_and_lacks_where_one_does():
    raw = {"Right": [4, None, 1], "Clear": [1, 5, 2]}
    reading = read_answers(
        asked(required=False, attributes=["Right", "Clear"]), {"stars": raw}, Situation(responses=3, currency="")
    )
    assert reading.columns == {"scores": [2.5, None, 1.5]}
    assert reading.answers["stars"]["values"] == raw


def test_two_ratings_stand_in_one_instrument_where_one_of_them_gives_no_score():
    both = [Asked("one", "rating"), Asked("two", "rating", settings={"to_ranking": "no", "scale": "line"})]
    check_instrument(both)
    answers = {"one": {"overall": [1, 2]}, "two": {"overall": [100, 0]}}
    assert read_answers(both, answers, PAIR).columns == {"scores": [1.0, 2.0]}
    with pytest.raises(InvalidSettings, match="two: an earlier question gives scores already"):
        check_instrument([both[0], Asked("two", "rating")])


@pytest.mark.parametrize("raw", [None, {}, {"overall": None}, {"overall": [None, None]}])
def test_left_out_is_no_value(raw):
    assert read_answers(asked(required=False), {"stars": raw}, PAIR) == Reading({"stars": None}, {}, {})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, ("missing", "a")),
        ({"overall": [None, None]}, ("missing", "a")),
        ({"overall": [3, None]}, ("incomplete", "b")),
        ({"overall": [0, 3]}, ("off_scale", "a")),
        ({"overall": [3, 6]}, ("off_scale", "b")),
        ({"overall": [3, True]}, ("off_scale", "b")),
        ({"overall": [3, 3.0]}, ("off_scale", "b")),
        ({"overall": [3, "3"]}, ("off_scale", "b")),
        ({"overall": [3]}, ("malformed", "a")),
        ({"overall": 3}, ("malformed", "a")),
        ({"Right": [3, 3]}, ("malformed", "a")),
        ({7: [3, 3]}, ("malformed", "a")),
        ([3, 3], ("malformed", "a")),
        ("3", ("malformed", "a")),
    ],
)
def test_what_is_not_on_the_scale_is_refused_at_its_response(raw, expected):
    assert refusal(asked(), raw) == expected


def test_a_missing_attribute_is_refused_by_its_words():
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(attributes=["Right", "Clear"]), {"stars": {"Right": [1, 2], "Clear": [1, None]}}, PAIR)
    assert refused.value.errors == {"stars": ["Rate response B: Clear."]}
    assert [each.part for each in refused.value.refusals["stars"]] == ["b2"]


@pytest.mark.parametrize("responses", [0, 27])
def test_more_responses_than_letters_are_refused(responses):
    with pytest.raises(QuestionDoesNotFit):
        read_answers(asked(), {}, Situation(responses=responses, currency="USD"))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"attributes": "Right"}, "attributes must be"),
        ({"attributes": ["Right", "Right"]}, "attributes must be"),
        ({"attributes": [str(n) for n in range(11)]}, "attributes must be"),
        ({"scale": "slider"}, "scale must be points or line"),
        ({"points": 1}, "points must be a whole number from 2 to 11"),
        ({"points": 12}, "points must be"),
        ({"first": 2}, "first must be"),
        ({"low": 0}, "low must be"),
        ({"high": "x" * 61}, "high must be"),
        ({"to_ranking": False}, "to_ranking must be"),
        ({"ranked_by": "Right"}, "ranked_by must be empty or an attribute, not 'Right'; there are none"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings, named):
    with pytest.raises(InvalidSettings, match=f"rating: {named}"):
        asked(**settings)


@pytest.mark.parametrize("points", range(2, 12))
@pytest.mark.parametrize("first", [0, 1])
def test_a_scale_has_as_many_levels_as_it_says(points, first):
    questions = asked(points=points, first=first)
    (section,) = JudgmentForm(questions, PAIR).sections
    choice = section.view["rows"][0]["cells"][0]["choice"]
    assert [option.value for option in choice.options] == [str(level) for level in range(first, first + points)]
    assert not any(option.checked for option in choice.options)
    assert refusal(questions, {"overall": [first, first + points]}) == ("off_scale", "b")


@pytest.mark.parametrize(
    ("posted", "answer"),
    [
        ({}, None),
        ({"stars.a": " ", "stars.b": ""}, None),
        ({"stars.a": "4", "stars.b": ""}, {"overall": [4, None]}),
        ({"stars.a": " 100 ", "stars.b": "0"}, {"overall": [100, 0]}),
        ({"stars.a": "7.5", "stars.b": "-1"}, {"overall": ["7.5", "-1"]}),
        ({"stars.a": "1" * 5000, "stars.b": "٣"}, {"overall": ["1" * 5000, "٣"]}),
    ],
)
def test_a_form_is_read_as_what_was_typed(posted, answer):
    form = JudgmentForm(asked(required=False, scale="line"), PAIR, posted)
    assert form.is_valid() is ("." not in str(answer) and "1" * 5000 not in str(answer))
    assert form.answers == {"stars": answer}


def test_a_form_by_attribute_comes_back_as_it_was_posted_with_its_error():
    form = JudgmentForm(asked(attributes=["Right", "Clear"]), PAIR, {"stars.a1": "4", "stars.b1": "2", "stars.a2": "1"})
    assert not form.is_valid()
    assert form.answers == {"stars": {"Right": [4, 2], "Clear": [1, None]}}
    html = render_to_string("questions/ballot.html", {"form": form})
    assert html.count("Rate response B: Clear.") == 1
    assert html.count(" checked") == 3
    assert 'aria-invalid="true" aria-describedby="question-stars-error"' in html


def test_a_typed_number_has_neither_a_default_nor_a_slider():
    html = render_to_string("questions/ballot.html", {"form": JudgmentForm(asked(scale="line", low="Poor"), PAIR)})
    assert html.count('type="text" inputmode="numeric"') == 2
    assert "range" not in html
    assert html.count('value=""') >= 2
    assert "0: Poor" in html


def test_a_lone_response_is_not_called_by_a_letter():
    one = Situation(responses=1, currency="USD")
    for settings, words in (({}, "Rate the response."), ({"attributes": ["Right"]}, "Rate the response: Right.")):
        html = render_to_string("questions/ballot.html", {"form": JudgmentForm(asked(**settings), one, {})})
        assert words in html
        assert "response A" not in html.replace("Response A", "response A")


def test_a_later_question_can_hang_on_a_level_but_not_on_a_place_on_a_line():
    kind, (whole,) = get_type("rating"), asked(points=2)
    (several,) = asked(points=2, attributes=["Too long", "Right"])
    (line,) = asked(scale="line")
    stored = {"values": {"Too long": [1, None], "Right": [2, 2]}, "scale": {}}
    assert kind.mark_options(whole) == [("1", "1"), ("2", "2")]
    assert kind.mark_options(several)[:3] == [
        ("too-long-1", "Too long: 1"),
        ("too-long-2", "Too long: 2"),
        ("right-1", "Right: 1"),
    ]
    assert kind.marks(several, stored) == {"too-long-1", "right-2"}
    assert kind.marks(whole, {"values": {"overall": [2, 1]}, "scale": {}}) == {"1", "2"}
    assert [*kind.mark_options(line), *kind.marks(line, {"values": {"overall": [2]}}), *kind.marks(whole, None)] == []
    check_instrument([several, Asked("why", "rationale", condition=Condition("stars", ("too-long-2",)))])


def test_export_has_the_same_columns_whatever_was_answered_and_whatever_the_attributes():
    export = get_type("rating").export_columns
    assert export({"values": {"Right": [4, None]}, "scale": ONE_TO_FIVE}) == {
        "rating_attributes": ["Right"],
        "rating_values": [[4, None]],
        "rating_scale": "points",
        "rating_lowest": 1,
        "rating_highest": 5,
    }
    assert export(None) == dict.fromkeys(export({"values": {}, "scale": ONE_TO_FIVE}))


@pytest.mark.parametrize("settings", [{}, {"scale": "line"}, {"points": 11, "first": 0}, HELPSTEER])
def test_simulated_ratings_follow_the_utilities(settings):
    questions, utilities = asked(**settings), [-2.0, 3.0, 0.0, 0.0, 9e9]
    situation = Situation(responses=5, currency="USD")
    for seed in range(30):
        answers = simulate_answers(
            questions, rng=numpy.random.default_rng(seed), utilities=numpy.array(utilities), situation=situation
        )
        for values in read_answers(questions, answers, situation).answers["stars"]["values"].values():
            worst, good, fair, same, best = values
            assert worst < fair == same < good <= best


def test_a_simulated_person_is_the_same_for_the_same_seed():
    twice = [
        simulate_answers(asked(**HELPSTEER), rng=random.Random(3), utilities=[1.0, 0.0], situation=PAIR)
        for _ in range(2)
    ]
    assert twice[0] == twice[1]


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (([5, 1], [0, 1]), ([1, 5], [1, 0]), 0.0),
        (([5, 1], [0, 1]), ([1, 5], [0, 1]), 1.0),
        (([4, 3], [0, 1]), ([5, 3], [0, 1]), 0.25),
        (([4, None], [0, 1]), ([4, 1], [0, 1]), 0.0),
    ],
)
def test_ratings_lie_apart_by_response_as_a_share_of_the_scale(one, other, apart):
    """Whatever order each was shown; a part that one of the two left out says nothing."""
    [question] = asked()
    given = (Given({"values": {"overall": values}, "scale": ONE_TO_FIVE}, order) for values, order in (one, other))
    assert get_type("rating").apart(question, *given) == apart


def test_of_several_attributes_the_one_that_lies_furthest_apart_counts():
    [question] = asked(attributes=["helpful", "short"], points=5)
    stored = ({"values": {"helpful": [3, 3], "short": [short, 2]}, "scale": ONE_TO_FIVE} for short in (2, 4))
    assert get_type("rating").apart(question, *(Given(each, [0, 1]) for each in stored)) == 0.5
