import json
import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
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
    instrument_digest,
    read_answers,
    simulate_answers,
)

A, B = "Two \N{GRINNING FACE} and two is five.", "Four."
TWO = Situation(responses=2, currency="", texts=(A, B))
CATEGORIES = ["fact", "bad tone"]


def asked(*, required: bool = False, to_ranking: str = "yes") -> list[Asked]:
    settings = {"categories": CATEGORIES, "to_ranking": to_ranking}
    return [Asked("pieces", "spans", required=required, settings=settings)]


def read(raw, situation: Situation = TWO, **options) -> Reading:
    return read_answers(asked(**options), {"pieces": raw}, situation)


def mark(response=0, start=0, end=3, kind="wrong", severity="minor", category=None) -> dict:
    return {
        "response": response,
        "start": start,
        "end": end,
        "kind": kind,
        "severity": severity,
        "category": category,
    }


def good(**places) -> dict:
    return mark(kind="good", severity=None, **places)


def test_marks_are_stored_by_place_with_the_hash_of_their_words():
    reading = read([mark(1, 0, 4, severity="critical", category="fact"), good(start=4, end=9), mark(start=0, end=7)])
    stored = reading.answers["pieces"]
    assert stored["weights"] == {"minor": 1, "major": 5, "critical": 25}
    assert stored["marks"] == [
        {**mark(start=0, end=7), "sha256": sha256("Two \N{GRINNING FACE} a".encode()).hexdigest()},
        {**good(start=4, end=9), "sha256": sha256("\N{GRINNING FACE} and".encode()).hexdigest()},
        {**mark(1, 0, 4, severity="critical", category="fact"), "sha256": sha256(b"Four").hexdigest()},
    ]


def test_scores_are_minus_the_weights_of_what_is_wrong():
    raw = [mark(), mark(severity="major"), good(), mark(end=len(A), severity="critical"), good(response=1)]
    assert read(raw).columns == {"scores": [-31.0, 0.0]}
    assert str(read([]).columns["scores"]) == "[0.0, 0.0]"
    assert read(raw, to_ranking="no").columns == {}
    with pytest.raises(InvalidSettings, match="scores already"):
        instrument_digest([*asked(), Asked("step", "steps")])


def test_nothing_to_mark_is_another_answer_than_none():
    assert read([]).answers["pieces"]["marks"] == []
    assert read(None) == Reading({"pieces": None}, {}, {})
    with pytest.raises(InvalidAnswers) as refused:
        read(None, required=True)
    assert refused.value.codes == {"pieces": ["missing"]}
    assert read([], required=True).answers["pieces"]["marks"] == []


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ([mark(2)], "unknown_response"),
        ([mark(-1)], "unknown_response"),
        ([mark(True)], "unknown_response"),
        ([mark("A")], "unknown_response"),
        ([mark(1, 0, 6)], "outside"),
        ([mark(1, -1, 2)], "outside"),
        ([mark(1, 2, 2)], "outside"),
        ([mark(1, 3, 2)], "outside"),
        ([mark(1, False, True)], "outside"),
        ([mark(1, 0.0, 2.0)], "outside"),
        ([mark(1, 0, 10**30)], "outside"),
        ([mark(kind="fine")], "unknown_kind"),
        ([mark(kind=["good"])], "unknown_kind"),
        ([mark(severity=None)], "unknown_severity"),
        ([mark(severity={})], "unknown_severity"),
        ([mark(kind="good")], "severity_not_asked"),
        ([mark(category="tone")], "unknown_category"),
        ([mark(category=[])], "unknown_category"),
        ([mark(), good(), mark()], "twice"),
        ([{**mark(), "sha256": "x"}], "malformed"),
        (["A 0 3 wrong minor"], "malformed"),
        ([None], "malformed"),
        ({"marks": []}, "malformed"),
        ("[]", "malformed"),
        ([good()] * 201, "too_many"),
    ],
)
def test_what_does_not_fit_is_refused(raw, code):
    with pytest.raises(InvalidAnswers) as refused:
        read(raw)
    assert refused.value.codes == {"pieces": [code]}


def test_a_refusal_says_which_mark_it_is_about():
    with pytest.raises(InvalidAnswers) as refused:
        read([good(), mark(1, 0, 6)])
    words = "Mark 2: a piece lies within the text, which has 5 characters, and is not empty."
    assert refused.value.errors == {"pieces": [words]}


def test_pieces_may_overlap_and_touch_the_ends():
    raw = [mark(1, 0, 5), mark(1, 0, 5, severity="major"), mark(1, 0, 5, category="fact"), good(response=1, end=5)]
    assert len(read(raw).answers["pieces"]["marks"]) == 4


TONE = mark(category="bad tone")


@pytest.mark.parametrize(
    ("posted", "raw"),
    [
        ({}, None),
        ({"pieces": json.dumps([good()])}, [good()]),
        ({"pieces": json.dumps([good()]), "pieces.lines": "A 0 1 good", "pieces.nothing": "yes"}, [good()]),
        ({"pieces": "[not json"}, "[not json"),
        ({"pieces.nothing": "yes"}, []),
        ({"pieces.lines": " A 0 3 wrong minor bad tone\n\nb 1 2 good"}, [TONE, good(response=1, start=1, end=2)]),
        ({"pieces.lines": "A 0 3"}, ["A 0 3"]),
        ({"pieces.lines": "AB x 3 wrong"}, [mark("AB", "x", severity=None)]),
    ],
)
def test_a_form_makes_the_raw_answer(posted, raw):
    assert collect_answers(asked(), posted, TWO) == {"pieces": raw}


def test_a_page_shows_what_was_posted_and_nothing_else():
    kind, [question] = get_type("spans"), asked()
    empty = kind.present(question, dict.fromkeys(kind.parts(question, TWO), ""), [], TWO)
    assert (empty["value"], empty["lines"], empty["nothing"], empty["refused"]) == ("", "", False, False)
    assert [each["text"] for each in empty["responses"]] == [A, B]


@pytest.mark.parametrize(
    "setting", [{"categories": ["a", "a"]}, {"categories": "fact"}, {"categories": [""]}, {"to_ranking": "maybe"}]
)
def test_settings_that_make_no_sense_are_refused_by_name(setting):
    with pytest.raises(InvalidSettings, match=next(iter(setting))):
        Asked("pieces", "spans", settings=setting)


def test_pieces_are_not_asked_of_responses_whose_texts_are_not_known():
    with pytest.raises(QuestionDoesNotFit):
        read([], Situation(responses=2, currency=""))


def test_export_has_the_same_columns_whatever_was_answered():
    export = get_type("spans").export_columns
    full = export(read([mark(category="fact"), good(response=1)]).answers["pieces"])
    assert full == {
        "spans_given": True,
        "spans_response": [0, 1],
        "spans_start": [0, 0],
        "spans_end": [3, 3],
        "spans_kind": ["wrong", "good"],
        "spans_severity": ["minor", None],
        "spans_category": ["fact", None],
    }
    assert export(None) == {name: [] for name in full} | {"spans_given": False}


@given(st.lists(st.floats(min_value=-50, max_value=50), min_size=2, max_size=2))
def test_a_simulated_person_finds_the_more_wrong_the_less_a_response_is_worth(utilities):
    questions = asked(required=True)
    answers = simulate_answers(questions, rng=random.Random(1), utilities=utilities, situation=TWO)
    scores = read_answers(questions, json.loads(json.dumps(answers)), TWO).columns["scores"]
    (low, low_score), (high, high_score) = sorted(zip(utilities, scores, strict=True))
    assert low_score <= high_score
    assert [score < 0 for score in (low_score, high_score)] == [low <= 0, high <= 0]


def test_a_simulated_person_marks_nothing_in_what_is_empty():
    empty = Situation(responses=2, currency="", texts=("", ""))
    assert simulate_answers(asked(), rng=random.Random(1), utilities=(1.0, -1.0), situation=empty) == {"pieces": []}


nonsense = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["good", "minor", 0, 1])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=6,
)
near_misses = st.lists(st.fixed_dictionaries(dict.fromkeys(mark(), nonsense)), max_size=2)


def attempt(raw) -> tuple[Reading | None, set[str]]:
    try:
        return read(raw), set()
    except InvalidAnswers as invalid:
        return None, set(invalid.refusals)


@settings(max_examples=200)
@given(st.one_of(nonsense, near_misses))
def test_whatever_comes_is_read_or_refused(raw):
    reading, refused = attempt(raw)
    assert refused == (set() if reading else {"pieces"})
    json.dumps(reading.answers if reading else None, allow_nan=False)


@given(st.text(), st.text())
def test_whatever_is_posted_is_read_or_refused(value, lines):
    raw = collect_answers(asked(), {"pieces": value, "pieces.lines": lines}, TWO)["pieces"]
    reading, refused = attempt(raw)
    assert refused == (set() if reading else {"pieces"})
