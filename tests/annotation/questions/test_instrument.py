import re
from hashlib import sha256

import pytest

from annotation.questions import (
    Asked,
    Condition,
    InvalidSettings,
    UnknownQuestionType,
    check_instrument,
    check_settings,
    instrument_digest,
)

ARENA = [
    Asked("preference", "preference"),
    Asked("acceptable", "acceptable", required=False, settings={"mode": "neither"}),
    Asked("amount", "amount", required=False),
]


CANONICAL = (
    '[{"name":"preference","required":true,"settings":{"strength":"optional","wording":1},"title":"","type":"preference"},'
    '{"name":"acceptable","required":false,"settings":{"mode":"neither","wording":1},"title":"","type":"acceptable"},'
    '{"name":"amount","required":false,"settings":{"incentive":"stated","mode":"upgrade","wording":1},"title":"",'
    '"type":"amount"}]'
)


def test_a_digest_is_that_of_the_canonical_json_on_every_machine_and_day():
    assert instrument_digest(ARENA) == sha256(CANONICAL.encode()).hexdigest()


def test_defaults_written_out_and_keys_in_another_order_are_the_same_instrument():
    spelled = [
        Asked("preference", "preference", "", True, {"wording": 1, "strength": "optional"}),
        Asked("acceptable", "acceptable", "", False, {"wording": 1, "mode": "neither"}),
        Asked("amount", "amount", "", False, {"incentive": "stated", "wording": 1, "mode": "upgrade"}),
    ]
    assert instrument_digest(spelled) == instrument_digest(ARENA)


@pytest.mark.parametrize(
    "changed",
    [
        [Asked("choice", "preference"), *ARENA[1:]],
        [Asked("preference", "preference", "Which is better?"), *ARENA[1:]],
        [Asked("preference", "preference", required=False), *ARENA[1:]],
        [Asked("preference", "preference", settings={"strength": "off"}), *ARENA[1:]],
        [ARENA[0], ARENA[2], ARENA[1]],
        ARENA[:2],
    ],
)
def test_whatever_a_person_could_notice_changes_the_digest(changed):
    assert instrument_digest(changed) != instrument_digest(ARENA)


@pytest.mark.parametrize(
    ("questions", "reason"),
    [
        ([], "at least one question"),
        ([ARENA[2], ARENA[0]], "must come before"),
        ([ARENA[2]], "must come before"),
        ([ARENA[0], ARENA[0]], "two questions are called preference"),
        ([ARENA[0], Asked("again", "preference")], "gives preference, strength, strength_scale already"),
        ([Asked("a b", "preference")], "letters, digits"),
        ([Asked("", "preference")], "letters, digits"),
        ([Asked("x.strength", "preference")], "letters, digits"),
        ([Asked("näme", "preference")], "letters, digits"),
        ([Asked("n" * 41, "preference")], "letters, digits"),
        ([Asked("key", "preference")], "taken by the form"),
        ([Asked("q", "preference", "t" * 301)], "printable text"),
        ([Asked("q", "preference", "a\x00")], "printable text"),
        ([Asked("q", "preference", "\ud800")], "printable text"),
        ([Asked("q", "preference", required=1)], "true or false"),
    ],
)
def test_questions_that_cannot_be_asked_together_have_no_digest(questions, reason):
    with pytest.raises(InvalidSettings, match=reason):
        instrument_digest(questions)


@pytest.mark.parametrize("slug", ["unknown", "", "base", "../preference", None, ["preference"]])
def test_a_type_without_a_folder_is_refused_by_name(slug):
    with pytest.raises(UnknownQuestionType):
        check_settings(slug, {})


def conditional(values=("a", "b"), question="preference", kind="rationale"):
    return [ARENA[0], Asked("why", kind, condition=Condition(question, values))]


def test_a_condition_is_part_of_the_instrument_and_none_leaves_the_digest_as_it_was():
    without = [ARENA[0], Asked("why", "rationale")]
    assert instrument_digest(conditional()) != instrument_digest(without)
    assert instrument_digest(conditional(("a",))) != instrument_digest(conditional())


@pytest.mark.parametrize(
    ("questions", "reason"),
    [
        (conditional(question="later"), "is no question before it"),
        (conditional(values=()), "after which answers"),
        (conditional(values=("a", "both")), "'both' is no answer to preference; there are a, b, tie, cannot_compare"),
        (
            [Asked("words", "rationale"), Asked("why", "rationale", condition=Condition("words", ("given",)))],
            "nothing can depend on an answer to words",
        ),
    ],
)
def test_a_condition_names_an_earlier_question_and_its_marks(questions, reason):
    with pytest.raises(InvalidSettings, match=re.escape(reason)):
        check_instrument(questions)
