"""What thumbs, confidence, labels, context, rating and ranking have in common, whatever comes."""

import json
import random
import re
from html import unescape

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.forms import JudgmentForm
from annotation.models import Judgment
from annotation.questions import (
    Asked,
    InvalidAnswers,
    Reading,
    Situation,
    all_types,
    collect_answers,
    field_name,
    get_type,
    read_answers,
    simulate_answers,
)

REASONS = ["Names its source", "Right, I think", "!!!"]
ASKED = {
    "thumbs": Asked("q", "thumbs"),
    "confidence": Asked("q", "confidence"),
    "labels": Asked("q", "labels", settings={"options": REASONS, "least": 0, "most": 2}),
    "labels by response": Asked("q", "labels", settings={"options": REASONS, "mode": "response"}),
    "context": Asked("q", "context", settings={"own": "allowed"}),
    "own context": Asked("q", "context", settings={"options": [], "own": "allowed"}),
    "rating": Asked("q", "rating"),
    "attributes": Asked("q", "rating", settings={"attributes": REASONS, "first": 0, "points": 11}),
    "line": Asked("q", "rating", settings={"scale": "line"}),
    "order": Asked("q", "ranking"),
    "strict order": Asked("q", "ranking", settings={"ties": "off"}),
    "best and worst": Asked("q", "ranking", settings={"mode": "best_worst"}),
}
WORDS = ["", "1", "2", "9", "a", "b", "up", "down", "own", "none", "best", "worst", "overall", "context", *REASONS]
every_type = pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)


def situation(asked: Asked) -> Situation:
    return Situation(responses=get_type(asked.type).responses or 3, currency="USD")


def optional(asked: Asked) -> Asked:
    return Asked(asked.name, asked.type, asked.title, False, asked.settings)


def attempt(asked: Asked, raw: object) -> tuple[Reading | None, InvalidAnswers | None]:
    try:
        return read_answers([asked], {"q": raw}, situation(asked)), None
    except InvalidAnswers as invalid:
        return None, invalid


nonsense = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-1, 12), st.floats(), st.text(), st.binary(), st.sampled_from(WORDS)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.integers()), inner, max_size=3),
    ),
    max_leaves=8,
)


@every_type
@settings(max_examples=30)
@given(raw=nonsense, required=st.booleans())
def test_whatever_comes_is_read_into_json_and_columns_or_refused_at_a_part(asked, raw, required):
    asked = asked if required else optional(asked)
    reading, invalid = attempt(asked, raw)
    parts = {*get_type(asked.type).parts(asked, situation(asked)), ""}
    assert {refusal.part for refusal in (invalid.refusals["q"] if invalid else ())} <= parts
    if reading is None:
        return
    assert json.loads(json.dumps(reading.answers, allow_nan=False)) == reading.answers
    assert reading.columns.keys() <= get_type(asked.type).columns_given(asked)
    for name, value in reading.columns.items():
        Judgment._meta.get_field(name).clean(value, None)


@every_type
@settings(max_examples=20)
@given(data=st.data())
def test_whatever_is_posted_is_shown_again_and_no_more_is_chosen_than_was_posted(asked, data):
    names = [field_name("q", part) for part in get_type(asked.type).parts(asked, situation(asked))]
    posted = data.draw(st.dictionaries(st.sampled_from(names), st.one_of(st.sampled_from(WORDS), st.text())))
    json.dumps(collect_answers([asked], posted, situation(asked)))
    html = render_to_string("questions/ballot.html", {"form": JudgmentForm([asked], situation(asked), posted)})
    assert len(re.findall(r" (?:checked|selected)[ >]", html)) <= sum(1 for value in posted.values() if value)


@every_type
def test_nothing_is_chosen_or_typed_before_somebody_does(asked):
    html = render_to_string("questions/ballot.html", {"form": JudgmentForm([asked], situation(asked))})
    assert not re.search(r" (?:checked|selected)[ >]", html)
    typed = re.findall(r'<input class="input[^>]* value="([^"]*)"', html) + re.findall(r"<textarea[^>]*>\n(.*)</", html)
    assert set(typed) <= {""}


def fill(asked: Asked, answer: object) -> dict[str, str]:
    """What a person posts who means this raw answer."""
    if asked.type == "thumbs":
        return {"q": "up" if answer else "down"}
    if asked.type == "confidence":
        return {"q": str(answer)}
    if asked.type == "context":
        return {"q": answer["context"], "q.own": answer["own"] or ""}
    if asked.type == "ranking":
        pairs = answer.items() if isinstance(answer, dict) else zip("abc", answer, strict=True)
        return {f"q.{part}": str(value) for part, value in pairs}
    if asked.type == "rating":
        numbers = range(1, len(answer) + 1) if asked.settings["attributes"] else [""]
        values = zip(numbers, answer.values(), strict=True)
        return {f"q.{part}{n}": str(each) for n, row in values for part, each in zip("abc", row, strict=True)}
    sets = zip("abc", answer, strict=True) if asked.settings["mode"] == "response" else [("", answer)]
    posted = {}
    for letter, labels in sets:
        posted |= {f"q.{letter}{REASONS.index(label) + 1}": label for label in labels}
        posted |= {} if labels else {f"q.{letter}none": "none"}
    return posted


@every_type
def test_a_simulated_answer_goes_through_the_form_and_has_the_marks_of_its_checked_inputs(asked):
    kind = get_type(asked.type)
    known = {mark for mark, _words in kind.mark_options(asked)}
    for seed in range(12):
        utilities = [random.Random(seed).gauss(0, 2) for _ in range(situation(asked).responses)]
        answers = simulate_answers([asked], rng=random.Random(seed), utilities=utilities, situation=situation(asked))
        form = JudgmentForm([asked], situation(asked), fill(asked, answers["q"]))
        assert form.is_valid(), form.errors
        assert form.answers == json.loads(json.dumps(answers))
        html = render_to_string("questions/ballot.html", {"form": form})
        checked = [tag for tag in re.findall(r"<input[^>]*>", html) if re.search(r" checked[ >]", tag)]
        marks = {
            mark for tag in checked for found in re.findall(r'data-marks="([^"]*)"', tag) for mark in found.split()
        }
        assert kind.marks(asked, form.reading.answers["q"]) == {unescape(mark) for mark in marks} <= known


@every_type
def test_export_has_the_same_flat_columns_whether_something_was_answered_or_not(asked):
    kind = get_type(asked.type)
    answers = simulate_answers(
        [asked], rng=random.Random(1), utilities=[0.5] * situation(asked).responses, situation=situation(asked)
    )
    stored = read_answers([asked], answers, situation(asked)).answers["q"]
    given, left_out = kind.export_columns(stored), kind.export_columns(None)
    assert given.keys() == left_out.keys()
    assert set(left_out.values()) == {None}
    assert not any(isinstance(value, dict) for value in given.values())


def test_every_asset_that_a_type_names_is_a_static_file():
    for slug, kind in all_types().items():
        for asset in kind.assets:
            assert finders.find(f"questions/{slug}/{asset}"), (slug, asset)
