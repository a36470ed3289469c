"""What holds for every question type, those of tomorrow too."""

import json
import random
from decimal import Decimal
from pathlib import Path

import numpy
import pytest
from django.db.models import CheckConstraint
from django.template.loader import get_template
from hypothesis import given, settings
from hypothesis import strategies as st

import annotation.questions
from annotation.models import Judgment
from annotation.questions import (
    Asked,
    Condition,
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
from tests.annotation.questions.cases import cases_of

PAIR = Situation(responses=2, currency="USD", own_median_amount=Decimal("1.25"))
EVERYTHING = [
    Asked("preference", "preference", settings={"strength": "required"}),
    Asked("acceptable", "acceptable"),
    Asked("amount", "amount", required=False),
    Asked("why", "rationale", required=False),
]
VALID = {
    "preference": {"choice": "b", "strength": 2},
    "acceptable": [False, True],
    "amount": {"amount": "4.20", "zero": None, "keep": None},
    "why": "Because.",
}


def test_a_whole_ballot_is_read_at_once():
    assert read_answers(EVERYTHING, VALID, PAIR) == Reading(
        answers={
            "preference": {"choice": "b", "strength": -2, "scale": 3},
            "acceptable": [False, True],
            "amount": {
                "state": "given",
                "side": "b",
                "amount": "4.20",
                "currency": "USD",
                "mode": "upgrade",
                "incentive": "stated",
                "confirmed": False,
            },
            "why": {"given": True},
        },
        texts={"why": "Because."},
        columns={
            "preference": "b",
            "strength": -2,
            "strength_scale": 3,
            "acceptable": [False, True],
            "amount_low": Decimal("4.20"),
            "amount_high": Decimal("4.20"),
            "net_utility": Decimal("-4.20"),
            "currency": "USD",
            "amount_mode": "upgrade",
            "incentive": "stated",
        },
    )


ASKED_IF_CHOSEN = [
    Asked("preference", "preference", settings={"strength": "off"}),
    Asked("why", "rationale", condition=Condition("preference", ("a", "b"))),
]


def test_a_question_whose_condition_does_not_hold_is_not_asked():
    tie = {"preference": {"choice": "tie", "strength": None}}
    assert read_answers(ASKED_IF_CHOSEN, tie, PAIR).answers.keys() == {"preference"}
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(ASKED_IF_CHOSEN, tie | {"why": "Because."}, PAIR)
    assert refused.value.codes == {"why": ["not_asked"]}


def test_a_question_whose_condition_holds_is_as_required_as_any():
    chosen = {"preference": {"choice": "a", "strength": None}}
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(ASKED_IF_CHOSEN, chosen, PAIR)
    assert refused.value.codes == {"why": ["missing"]}
    assert read_answers(ASKED_IF_CHOSEN, chosen | {"why": "Because."}, PAIR).texts == {"why": "Because."}


def test_what_hangs_on_a_refused_answer_is_not_judged_before_that_is():
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(ASKED_IF_CHOSEN, {"preference": None}, PAIR)
    assert refused.value.codes == {"preference": ["missing"]}


def test_every_refusal_is_named_at_once():
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(EVERYTHING, {"preference": {"choice": "a"}, "acceptable": [True], "why": 7}, PAIR)
    assert refused.value.codes == {
        "preference": ["strength_missing"],
        "acceptable": ["malformed"],
        "why": ["malformed"],
    }


@pytest.mark.parametrize("stranger", ["rating", "", "preference.strength", "x" * 5000, "\ud800", 7, None, ("a",)])
def test_an_answer_to_what_was_not_asked_is_refused(stranger):
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(EVERYTHING, {**VALID, stranger: "x"}, PAIR)
    assert refused.value.codes == {"": ["not_asked"]}
    (message,) = refused.value.errors[""]
    assert len(message.encode()) < 200


def test_a_question_that_was_not_asked_leaves_no_trace_and_one_left_out_does():
    short = [Asked("preference", "preference")]
    asked_too = [*short, Asked("amount", "amount", required=False)]
    answers = {"preference": {"choice": "a"}}
    assert set(read_answers(short, answers, PAIR).answers) == {"preference"}
    assert read_answers(asked_too, answers, PAIR).answers["amount"]["state"] == "skipped"


def attempt(answers) -> tuple[Reading | None, InvalidAnswers | None]:
    try:
        return read_answers(EVERYTHING, answers, PAIR), None
    except InvalidAnswers as invalid:
        return None, invalid


nonsense = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(exclude_categories=())),
        st.binary(),
        st.sampled_from(["a", "b", "tie", "cannot_compare", "0", "NaN", "1,000", "refuse", 10**400, Decimal("sNaN")]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(["choice", "strength", "amount", "zero", "keep"]), st.text()), inner),
    ),
    max_leaves=8,
)
priced = st.fixed_dictionaries({"amount": nonsense}, optional={"zero": nonsense, "keep": nonsense})
near_misses = st.fixed_dictionaries(
    {},
    optional={
        "preference": st.one_of(st.just(VALID["preference"]), nonsense),
        "acceptable": st.one_of(st.just([True, True]), nonsense),
        "amount": st.one_of(
            st.fixed_dictionaries({"amount": nonsense}, optional={"zero": nonsense, "keep": nonsense}), nonsense
        ),
        "why": nonsense,
    },
)


@settings(max_examples=400)
@given(st.one_of(nonsense, near_misses))
def test_whatever_comes_is_read_into_json_or_refused_by_name(answers):
    reading, invalid = attempt(answers)
    if invalid:
        assert invalid.errors
        json.dumps(invalid.errors, ensure_ascii=False).encode()
    else:
        json.dumps(reading.answers, ensure_ascii=False, allow_nan=False).encode()
        assert set(reading.columns) <= {column for kind in all_types().values() for column in kind.gives}


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from([field_name(q.name, part) for q in EVERYTHING for part in get_type(q.type).parts(q, PAIR)]),
        st.one_of(st.text(), st.sampled_from(["a", "b", "tie", "2", "yes", "no", "0", "0.5", "no_worth", "12"])),
    )
)
def test_whatever_is_posted_makes_answers_that_are_read_or_refused(values):
    answers = collect_answers(EVERYTHING, values, PAIR)
    json.dumps(answers)
    _reading, invalid = attempt(answers)
    parts = {q.name: {*get_type(q.type).parts(q, PAIR), ""} for q in EVERYTHING}
    for name, refusals in invalid.refusals.items() if invalid else ():
        assert {refusal.part for refusal in refusals} <= parts[name]


utilities = st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=2, max_size=2)


@given(utilities, st.integers(min_value=0, max_value=2**32 - 1), st.booleans())
def test_a_simulated_person_always_answers_what_is_asked(values, seed, use_numpy):
    rng = numpy.random.default_rng(seed) if use_numpy else random.Random(seed)
    values = numpy.array(values) if use_numpy else values
    answers = simulate_answers(EVERYTHING, rng=rng, utilities=values, situation=PAIR)
    reading = read_answers(EVERYTHING, json.loads(json.dumps(answers)), PAIR)
    assert set(reading.answers) == {question.name for question in EVERYTHING}


def test_a_simulated_person_is_the_same_for_the_same_seed():
    twice = [
        simulate_answers(EVERYTHING, rng=numpy.random.default_rng(3), utilities=[2.0, 0.5], situation=PAIR)
        for _ in range(2)
    ]
    assert twice[0] == twice[1]


@pytest.mark.django_db
@pytest.mark.parametrize("u_a", [-3.0, -0.5, 0.0, 0.004, 0.5, 3.0])
def test_columns_satisfy_the_constraints_of_the_log(u_a):
    for seed in range(20):
        answers = simulate_answers(EVERYTHING, rng=random.Random(seed), utilities=[u_a, 0.0], situation=PAIR)
        row = Judgment(**read_answers(EVERYTHING, answers, PAIR).columns)
        checks = [each for each in Judgment._meta.constraints if isinstance(each, CheckConstraint)]
        assert len(checks) >= 6
        for check in checks:
            check.validate(Judgment, row)


def test_every_folder_is_a_type_of_its_own_name_with_columns_of_the_log_and_a_template():
    folder = Path(annotation.questions.__file__).parent
    assert set(all_types()) == {path.parent.name for path in folder.glob("*/__init__.py")}
    columns = {field.name for field in Judgment._meta.get_fields()}
    for slug, kind in all_types().items():
        assert kind.slug == slug
        assert kind.gives | kind.needs <= columns
        assert Path(get_template(kind.template).origin.name) == folder / slug / "ask.html"


def test_every_folder_holds_its_own_tests_and_they_are_run(request):
    """Its cases, which are sent on the round trip, and what is true of this type alone."""
    folder = Path(annotation.questions.__file__).parent
    assert any(folder == request.config.rootpath / each for each in request.config.getini("testpaths"))
    for slug in all_types():
        assert cases_of(slug), slug
        assert list((folder / slug / "tests").glob("test_*.py")), slug
