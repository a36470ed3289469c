import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.questions import (
    Asked,
    InvalidAnswers,
    InvalidSettings,
    QuestionDoesNotFit,
    Reading,
    Situation,
    collect_answers,
    get_type,
    read_answers,
    simulate_answers,
)
from tests.annotation.questions.refusing import refusal_of

ONE = Situation(responses=1, currency="", texts=("Four.",))
TWO = Situation(responses=2, currency="", texts=("Four.\n", "Five."))


def asked(*, required: bool = False) -> list[Asked]:
    return [Asked("better", "rewrite", required=required)]


def read(raw, situation: Situation = TWO, *, required: bool = False) -> Reading:
    return read_answers(asked(required=required), {"better": raw}, situation)


def refusal(raw, situation: Situation = TWO, *, required: bool = False) -> tuple[str, str]:
    found = refusal_of(asked(required=required), {"better": raw}, situation)
    return found.code, found.part


def test_the_words_go_to_be_sealed_and_the_log_keeps_whose_place_they_take():
    assert read({"of": 1, "text": " It is four.\r\n"}) == Reading(
        {"better": {"of": 1, "given": True, "characters": 11}}, {"better": "It is four."}, {}
    )


def test_characters_are_code_points_of_what_is_kept():
    assert read({"of": 0, "text": "\N{GRINNING FACE}\x00"}).answers["better"]["characters"] == 1


@pytest.mark.parametrize("raw", [None, {}, {"of": 1}, {"of": 1, "text": " \n"}, {"text": ""}])
def test_nothing_written_is_stored_as_null(raw):
    assert read(raw) == Reading({"better": None}, {}, {})


def test_of_one_response_it_need_not_be_said_which():
    assert read({"text": "4"}, ONE).answers["better"] == {"of": 0, "given": True, "characters": 1}


@pytest.mark.parametrize(
    ("raw", "code", "part"),
    [
        ({"text": "better"}, "missing", "of"),
        ({"of": 2, "text": "better"}, "unknown_choice", "of"),
        ({"of": -1, "text": "better"}, "unknown_choice", "of"),
        ({"of": True, "text": "better"}, "unknown_choice", "of"),
        ({"of": "a", "text": "better"}, "unknown_choice", "of"),
        ({"of": [0], "text": "better"}, "unknown_choice", "of"),
        ({"of": 0, "text": "Four."}, "unchanged", "text"),
        ({"of": 0, "text": "\tFour.\x00\n"}, "unchanged", "text"),
        ({"of": 0, "text": "x" * 20_001}, "too_long", "text"),
        ({"of": 0, "text": 4}, "malformed", "text"),
        ({"of": 0, "text": "better", "by": "me"}, "malformed", ""),
        ("better", "malformed", ""),
        (["better"], "malformed", ""),
    ],
)
def test_what_cannot_be_kept_is_refused_at_its_input(raw, code, part):
    assert refusal(raw) == (code, part)


def test_the_words_of_one_response_may_stand_for_the_other():
    assert read({"of": 1, "text": "Four."}).answers["better"]["of"] == 1


def test_the_longest_text_that_can_be_kept_is_kept():
    assert read({"of": 0, "text": f" {'x' * 20_000} "}).answers["better"]["characters"] == 20_000


@pytest.mark.parametrize(
    ("raw", "found"),
    [(None, ("missing", "of")), ({"of": 0}, ("missing", "text")), ({"of": 9}, ("unknown_choice", "of"))],
)
def test_where_it_is_required_nothing_is_an_error(raw, found):
    assert refusal(raw, required=True) == found


def test_a_form_makes_the_raw_answer_and_chooses_nothing_by_itself():
    assert collect_answers(asked(), {}, TWO) == {"better": None}
    assert collect_answers(asked(), {"better.of": "b", "better.text": "4"}, TWO) == {"better": {"of": 1, "text": "4"}}
    assert collect_answers(asked(), {"better.of": "z", "better.text": "4"}, TWO) == {"better": {"of": "z", "text": "4"}}
    assert collect_answers(asked(), {"better.text": "4"}, ONE) == {"better": {"of": None, "text": "4"}}
    kind, [question] = get_type("rewrite"), asked()
    view = kind.present(question, {"of": "", "text": ""}, [], TWO)
    assert (view["text"], [option.checked for option in view["of"].options]) == ("", [False, False])
    assert kind.present(question, {"text": ""}, [], ONE)["of"] is None


def test_it_has_no_settings_and_is_not_asked_of_texts_that_are_not_known():
    with pytest.raises(InvalidSettings, match="min_length"):
        Asked("better", "rewrite", settings={"min_length": 3})
    with pytest.raises(QuestionDoesNotFit):
        read({"of": 0, "text": "better"}, Situation(responses=2, currency=""))


def test_export_says_what_was_rewritten_and_never_how():
    export = get_type("rewrite").export_columns
    assert [export({"of": 1, "given": True, "characters": 11}), export(None)] == [
        {"rewrite_given": True, "rewrite_of": 1, "rewrite_characters": 11},
        {"rewrite_given": False, "rewrite_of": None, "rewrite_characters": None},
    ]


@pytest.mark.parametrize("utilities", [(1.0, 2.0), (2.0, 1.0), (-1.0, -1.0)])
@pytest.mark.parametrize("texts", [("a", "b"), ("Simulated words, written by no person.",) * 2])
def test_a_simulated_person_improves_what_is_best_where_that_is_required(utilities, texts):
    situation = Situation(responses=2, currency="", texts=texts)
    answers = simulate_answers(asked(required=True), rng=random.Random(1), utilities=utilities, situation=situation)
    stored = read_answers(asked(required=True), answers, situation).answers["better"]
    assert stored["of"] == (1 if utilities[1] > utilities[0] else 0)
    assert simulate_answers(asked(), rng=random.Random(1), utilities=utilities, situation=situation) == {"better": None}


nonsense = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=()))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=6,
)


def attempt(raw) -> tuple[Reading | None, set[str]]:
    try:
        return read(raw), set()
    except InvalidAnswers as invalid:
        return None, set(invalid.refusals)


@given(st.one_of(nonsense, st.fixed_dictionaries({}, optional={"of": nonsense, "text": nonsense})))
def test_whatever_comes_is_read_or_refused(raw):
    reading, refused = attempt(raw)
    assert refused == (set() if reading else {"better"})
    json.dumps(reading.texts if reading else {}, ensure_ascii=False).encode()
