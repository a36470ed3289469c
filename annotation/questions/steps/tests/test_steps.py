import json
import random
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.questions import (
    Asked,
    Given,
    InvalidAnswers,
    InvalidSettings,
    QuestionDoesNotFit,
    Reading,
    Situation,
    collect_answers,
    get_type,
    instrument_digest,
    read_answers,
    simulate_answers,
)
from annotation.questions.steps.segmentation import MOST_STEPS, SEGMENTATION, segment

SUM = "First add 2 and 2.\n\nThat makes 5.\n\nSo the answer is 5."
PROOF = "1. Let n be even.\n2. Then n is 2k."
ONE = Situation(responses=1, currency="", texts=(SUM,))
TWO = Situation(responses=2, currency="", texts=(SUM, PROOF))


def asked(mode: str = "first_fault", *, required: bool = False, to_ranking: str = "yes") -> list[Asked]:
    return [Asked("step", "steps", required=required, settings={"mode": mode, "to_ranking": to_ranking})]


def read(raw, situation: Situation = ONE, mode: str = "first_fault", **options) -> Reading:
    return read_answers(asked(mode, **options), {"step": raw}, situation)


def pieces(text: str) -> list[str]:
    return [text[step.start : step.end] for step in segment(text)]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (SUM, ["First add 2 and 2.", "That makes 5.", "So the answer is 5."]),
        (PROOF, ["1. Let n be even.", "2. Then n is 2k."]),
        ("Intro\n1) a\n   more of a\n(2) b\n3: c", ["Intro", "1) a\n   more of a", "(2) b", "3: c"]),
        ("### Step 1: a\nwords\n**Step 2** b\nstep 3", ["### Step 1: a\nwords", "**Step 2** b", "step 3"]),
        ("pi is\n3.14 or\n1990. roughly", ["pi is\n3.14 or\n1990. roughly"]),
        ("a\n \t\n\n  b  \n", ["a", "  b"]),
        ("Do:\n```py\nx = 1\n\n2. y\n```\n\nDone.", ["Do:\n```py\nx = 1\n\n2. y\n```", "Done."]),
        ("````\n```\n\n````\n\nout", ["````\n```\n\n````", "out"]),
        ("~~~\nnever closed\n\nstill code", ["~~~\nnever closed\n\nstill code"]),
        ("\N{GRINNING FACE} one\n\n\N{GRINNING FACE} two", ["\N{GRINNING FACE} one", "\N{GRINNING FACE} two"]),
        ("", [""]),
        (" \n ", [" \n "]),
    ],
)
def test_a_response_falls_into_its_paragraphs_and_numbered_lines(text, steps):
    assert pieces(text) == steps


def test_a_response_of_a_thousand_steps_ends_in_one_long_step():
    found = pieces("\n\n".join(str(number) for number in range(1000)))
    assert (len(found), found[-1].split()) == (MOST_STEPS, [str(number) for number in range(MOST_STEPS - 1, 1000)])


@given(st.text(st.sampled_from("ab1.2)( \n\t`~#*step")))
def test_between_two_steps_lies_only_blank_space(text):
    steps = segment(text)
    assert steps
    bounds = [0, *[bound for step in steps for bound in (step.start, step.end)], len(text)]
    assert bounds == sorted(bounds)
    if text.strip():
        between = [text[bounds[i] : bounds[i + 1]] for i in range(0, len(bounds), 2)]
        assert "".join(between).strip() == ""
        assert all(text[step.start : step.end].strip() for step in steps)


def test_the_first_fault_is_stored_with_where_the_steps_lie():
    assert read([1]) == Reading(
        {
            "step": {
                "mode": "first_fault",
                "segmentation": 1,
                "responses": [
                    {
                        "first_fault": 1,
                        "offsets": [[0, 18], [20, 33], [35, 54]],
                        "sha256": sha256(SUM.encode()).hexdigest(),
                    }
                ],
            }
        },
        {},
        {"scores": [1 / 3]},
    )


def test_no_fault_is_another_answer_than_none():
    stored = read(["none"]).answers["step"]
    assert stored["responses"][0]["first_fault"] is None
    assert read(["none"]).columns == {"scores": [1.0]}
    assert read(None) == Reading({"step": None}, {}, {})


def test_every_step_can_be_graded():
    reading = read([["good", "neutral", "bad"], ["bad", "good"]], TWO, "each")
    assert [each["marks"] for each in reading.answers["step"]["responses"]] == [
        ["good", "neutral", "bad"],
        ["bad", "good"],
    ]
    assert reading.columns == {"scores": [2 / 3, 0.0]}


def test_scores_are_given_only_where_the_instrument_wants_them():
    assert read([1], to_ranking="no").columns == {}
    twice = [*asked(), Asked("again", "steps")]
    with pytest.raises(InvalidSettings, match="scores already"):
        instrument_digest(twice)
    instrument_digest([*asked(), Asked("again", "steps", settings={"to_ranking": "no"})])


@pytest.mark.parametrize(
    ("mode", "raw", "code", "part"),
    [
        ("first_fault", [0, None], "incomplete", "b"),
        ("first_fault", [3, 0], "unknown_step", "a"),
        ("first_fault", [0, 2], "unknown_step", "b"),
        ("first_fault", [-1, 0], "unknown_step", "a"),
        ("first_fault", [True, 0], "unknown_step", "a"),
        ("first_fault", ["0", 0], "unknown_step", "a"),
        ("first_fault", [0], "malformed", "a"),
        ("first_fault", {"a": 0}, "malformed", "a"),
        ("each", [["good"] * 3, ["good"]], "malformed", "b-1"),
        ("each", [["good"] * 3, ["good", None]], "incomplete", "b-2"),
        ("each", [["good", "fine", "bad"], ["good"] * 2], "unknown_choice", "a-2"),
        ("each", [["good", ["good"], "bad"], ["good"] * 2], "unknown_choice", "a-2"),
        ("each", [0, 0], "malformed", "a-1"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_input(mode, raw, code, part):
    with pytest.raises(InvalidAnswers) as refused:
        read(raw, TWO, mode)
    [refusal] = refused.value.refusals["step"]
    assert (refusal.code, refusal.part) == (code, part)


@pytest.mark.parametrize("mode", ["first_fault", "each"])
def test_where_it_is_required_nothing_is_an_error_and_nothing_is_chosen(mode):
    with pytest.raises(InvalidAnswers) as refused:
        read(None, TWO, mode, required=True)
    assert refused.value.codes == {"step": ["missing"]}
    [question] = asked(mode)
    kind = get_type("steps")
    view = kind.present(question, dict.fromkeys(kind.parts(question, TWO), ""), [], TWO)
    options = [option for each in view["responses"] for choice in each["choices"] for option in choice.options]
    assert options
    assert not any(option.checked for option in options)


def test_a_form_makes_the_raw_answer():
    assert collect_answers(asked(), {"step.a": "1", "step.b": "none"}, TWO) == {"step": [1, "none"]}
    assert collect_answers(asked(), {"step.b": "none"}, TWO) == {"step": [None, "none"]}
    assert collect_answers(asked(), {"step.a": "x"}, TWO) == {"step": ["x", None]}
    posted = {"step.a-1": "good", "step.a-2": "bad", "step.a-3": "neutral", "step.b-1": "good"}
    assert collect_answers(asked("each"), posted, TWO) == {"step": [["good", "bad", "neutral"], ["good", None]]}
    assert collect_answers(asked("each"), {}, TWO) == {"step": None}


@pytest.mark.parametrize("setting", [{"mode": "last"}, {"to_ranking": True}, {"segmentation": 2}])
def test_settings_that_make_no_sense_are_refused_by_name(setting):
    with pytest.raises(InvalidSettings, match=next(iter(setting))):
        Asked("step", "steps", settings=setting)


def test_steps_are_not_asked_of_responses_whose_texts_are_not_known():
    with pytest.raises(QuestionDoesNotFit):
        read([0], Situation(responses=1, currency=""))


def test_marks_say_what_later_questions_may_hang_on():
    kind = get_type("steps")
    [fault], [each] = asked(), asked("each")
    assert kind.marks(fault, read([1, "none"], TWO).answers["step"]) == {"fault", "none"}
    assert kind.marks(fault, None) == frozenset()
    assert kind.marks(each, read([["good"] * 3, ["good", "bad"]], TWO, "each").answers["step"]) == {"good", "bad"}
    for question in (fault, each):
        [view] = kind.present(question, dict.fromkeys(kind.parts(question, ONE), ""), [], ONE)["responses"]
        drawn = {option.marks for choice in view["choices"] for option in choice.options}
        assert drawn == {mark for mark, _words in kind.mark_options(question)}


def test_export_has_the_same_columns_whatever_was_answered():
    export = get_type("steps").export_columns
    offsets = [each["offsets"] for each in read([1, "none"], TWO).answers["step"]["responses"]]
    both = {"steps_count": [3, 2], "steps_offsets": offsets, "steps_segmentation": SEGMENTATION}
    marks = [["good", "neutral", "bad"], ["bad", "good"]]
    assert export(read([1, "none"], TWO).answers["step"]) == {
        **both,
        "steps_mode": "first_fault",
        "steps_first_fault": [1, None],
        "steps_marks": None,
    }
    assert export(read(marks, TWO, "each").answers["step"]) == {
        **both,
        "steps_mode": "each",
        "steps_first_fault": None,
        "steps_marks": marks,
    }
    assert set(export(None).values()) == {None}
    assert export(None).keys() == get_type("steps").exports.keys()


utility = st.floats(min_value=-1e9, max_value=1e9)


@given(utility, utility, st.sampled_from(["first_fault", "each"]))
def test_a_simulated_person_finds_faults_where_a_response_is_worth_nothing(u_a, u_b, mode):
    questions = asked(mode, required=True)
    answers = simulate_answers(questions, rng=random.Random(1), utilities=(u_a, u_b), situation=TWO)
    scores = read_answers(questions, json.loads(json.dumps(answers)), TWO).columns["scores"]
    assert [score == 1.0 for score in scores] == [u_a > 0, u_b > 0]


nonsense = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["none", "good", 0, 1])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=8,
)


def attempt(raw, mode) -> tuple[Reading | None, set[str]]:
    try:
        return read(raw, TWO, mode), set()
    except InvalidAnswers as invalid:
        return None, set(invalid.refusals)


@settings(max_examples=200)
@given(st.one_of(nonsense, st.lists(nonsense, min_size=2, max_size=2)), st.sampled_from(["first_fault", "each"]))
def test_whatever_comes_is_read_or_refused(raw, mode):
    reading, refused = attempt(raw, mode)
    assert refused == (set() if reading else {"step"})
    json.dumps(reading.answers if reading else None, allow_nan=False)


@pytest.mark.parametrize(
    ("mode", "raw", "other", "apart"),
    [
        ("first_fault", [0, "none"], [0, "none"], 0.0),
        ("first_fault", [0, "none"], [2, "none"], 2 / 3),
        ("first_fault", [0, "none"], [0, 1], 1.0),
        ("each", [["good"] * 3, ["good", "bad"]], [["good"] * 3, ["good", "good"]], 0.5),
    ],
)
def test_marks_lie_apart_by_steps_and_faults_by_their_distance(mode, raw, other, apart):
    [question] = asked(mode)
    one = Given(read(raw, TWO, mode).answers["step"], [0, 1])
    two = read(other[::-1], replace(TWO, texts=TWO.texts[::-1]), mode).answers["step"]
    assert get_type("steps").apart(question, one, Given(two, [1, 0])) == pytest.approx(apart)
