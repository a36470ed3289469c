import random

import pytest
from django.template.loader import render_to_string

from annotation.forms import JudgmentForm
from annotation.models import Judgment
from annotation.questions import (
    Asked,
    Condition,
    InvalidAnswers,
    InvalidSettings,
    Reading,
    Situation,
    check_instrument,
    get_type,
    read_answers,
    simulate_answers,
)

PAIR = Situation(responses=2, currency="USD")
OPTIONS = ["As a teacher", "As a pupil"]


def asked(own: str = "allowed", *, required: bool = True, options: list[str] = OPTIONS) -> list[Asked]:
    return [Asked("role", "context", required=required, settings={"options": options, "own": own})]


def picked(context: object, own: object = None) -> dict:
    return {"role": {"context": context, "own": own}}


def test_a_context_that_is_picked_is_kept_with_its_words():
    stored = {"context": "as-a-pupil", "words": "As a pupil"}
    assert read_answers(asked(), picked("as-a-pupil"), PAIR) == Reading({"role": stored}, {}, {"context": "as-a-pupil"})


@pytest.mark.parametrize("options", [OPTIONS, []])
def test_own_words_are_sealed_and_the_log_knows_only_that_they_are_own(options):
    reading = read_answers(asked(options=options), picked("own", "  As a nurse\r\n"), PAIR)
    assert reading == Reading({"role": {"context": "own", "words": None}}, {"role": "As a nurse"}, {"context": "own"})


@pytest.mark.parametrize("raw", [{}, {"role": None}, picked(None)])
def test_left_out_is_no_context(raw):
    assert read_answers(asked(required=False), raw, PAIR) == Reading({"role": None}, {}, {})


@pytest.mark.parametrize(
    ("raw", "code", "part"),
    [
        (None, "missing", ""),
        ({"context": None, "own": "x"}, "missing", ""),
        ({"context": "own", "own": " \n"}, "own_missing", "own"),
        ({"context": "own"}, "own_missing", "own"),
        ({"context": "own", "own": 7}, "malformed", "own"),
        ({"context": "own", "own": "x" * 501}, "too_long", "own"),
        ({"context": "as-a-pupil", "own": "x"}, "own_not_asked", ""),
        ({"context": "As a pupil"}, "unknown_choice", ""),
        ({"context": ["own"]}, "unknown_choice", ""),
        ({"context": "own", "why": "x"}, "malformed", ""),
        ("as-a-pupil", "malformed", ""),
        ([], "malformed", ""),
    ],
)
def test_anything_else_is_refused_at_its_part(raw, code, part):
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(), {"role": raw}, PAIR)
    (refusal,) = refused.value.refusals["role"]
    assert (refusal.code, refusal.part) == (code, part)


def test_own_words_are_refused_where_they_are_off_and_the_only_answer_where_nothing_is_offered():
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked("off"), picked("own", "x"), PAIR)
    assert refused.value.codes == {"role": ["unknown_choice"]}
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(options=[]), {}, PAIR)
    assert [refusal.part for refusal in refused.value.refusals["role"]] == ["own"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"options": []}, "options must hold a context"),
        ({"options": ["x" * 121]}, "options must be"),
        ({"options": [""]}, "options must be"),
        ({"own": True}, "own must be off or allowed"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings, named):
    with pytest.raises(InvalidSettings, match=f"context: {named}"):
        Asked("role", "context", settings=settings)


def test_every_id_fits_its_column():
    options = ["x" * 119 + end for end in "yz"] + ["Own", "!"]
    question = asked(options=options)[0]
    ids = [mark for mark, _words in get_type("context").mark_options(question)]
    assert len(set(ids)) == 5
    assert max(map(len, ids)) <= Judgment._meta.get_field("context").max_length


@pytest.mark.parametrize(
    ("posted", "answer"),
    [
        ({}, None),
        ({"role": "as-a-pupil", "role.own": "left over"}, {"context": "as-a-pupil", "own": None}),
        ({"role": "own", "role.own": "As a nurse"}, {"context": "own", "own": "As a nurse"}),
        ({"role": "own"}, {"context": "own", "own": None}),
        ({"role.own": "never chosen"}, None),
        ({"role": "nobody"}, {"context": "nobody", "own": None}),
    ],
)
def test_a_form_is_read_as_its_buttons_say(posted, answer):
    form = JudgmentForm(asked(required=False), PAIR, posted)
    form.is_valid()
    assert form.answers == {"role": answer}


def test_where_nothing_is_offered_writing_is_answering():
    form = JudgmentForm(asked(options=[]), PAIR, {"role.own": "As a nurse"})
    assert form.is_valid()
    assert form.answers == picked("own", "As a nurse")
    assert "radio" not in render_to_string("questions/ballot.html", {"form": form})


def test_a_refused_form_shows_its_own_words_again_beside_the_error():
    form = JudgmentForm(asked(), PAIR, {"role": "own", "role.own": "<b>" * 200})
    html = render_to_string("questions/ballot.html", {"form": form})
    assert html.count("at most 500 can be kept") == 1
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert html.count("checked") == 1


def test_a_later_question_can_hang_on_it_where_there_is_something_to_press():
    kind, (question,) = get_type("context"), asked()
    marks = [mark for mark, _words in kind.mark_options(question)]
    assert marks == ["as-a-teacher", "as-a-pupil", "own"]
    assert kind.marks(question, {"context": "own", "words": None}) == {"own"}
    assert kind.marks(question, None) == frozenset()
    check_instrument([question, Asked("why", "rationale", condition=Condition("role", ("as-a-pupil",)))])
    (written,) = asked(options=[])
    assert [*kind.mark_options(written), *kind.marks(written, {"context": "own", "words": None})] == []


def test_export_has_the_same_columns_whatever_was_answered_and_no_own_words():
    export = get_type("context").export_columns
    assert export({"context": "own", "words": None}) == {"context": "own", "context_words": None}
    assert export({"context": "a", "words": "A"}) == {"context": "a", "context_words": "A"}
    assert export(None) == {"context": None, "context_words": None}


@pytest.mark.parametrize(("own", "options"), [("off", OPTIONS), ("allowed", OPTIONS), ("allowed", [])])
def test_simulated_people_judge_under_every_context(own, options):
    questions, found = asked(own, options=options), set()
    for seed in range(40):
        answers = simulate_answers(questions, rng=random.Random(seed), utilities=[1.0, 0.0], situation=PAIR)
        found.add(read_answers(questions, answers, PAIR).columns["context"])
    assert found == ({"as-a-teacher", "as-a-pupil"} if options else {"own"})
