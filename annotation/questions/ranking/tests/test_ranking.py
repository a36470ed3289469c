import random

import numpy
import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from annotation.forms import JudgmentForm
from annotation.questions import (
    Asked,
    Given,
    InvalidSettings,
    QuestionDoesNotFit,
    Reading,
    Situation,
    get_type,
    read_answers,
    simulate_answers,
)
from tests.annotation.questions.refusing import refusal_of

FOUR = Situation(responses=4, currency="USD")
BEST_WORST = {"mode": "best_worst"}


def asked(*, required: bool = True, **settings: object) -> list[Asked]:
    return [Asked("order", "ranking", required=required, settings=settings)]


def refusal(questions: list[Asked], raw: object) -> tuple[str, str]:
    found = refusal_of(questions, {"order": raw}, FOUR)
    return found.code, found.part


@pytest.mark.parametrize(
    ("raw", "tiers"),
    [
        ([2, 1, 4, 3], [2, 1, 4, 3]),
        ([1, 1, 2, 2], [1, 1, 2, 2]),
        ([1, 1, 3, 4], [1, 1, 2, 3]),
        ([4, 4, 4, 4], [1, 1, 1, 1]),
    ],
)
def test_places_become_tiers_without_gaps_in_the_order_shown(raw, tiers):
    stored = {"mode": "order", "tiers": tiers}
    assert read_answers(asked(), {"order": raw}, FOUR) == Reading({"order": stored}, {}, {"tiers": tiers})


@pytest.mark.parametrize(
    ("responses", "best", "worst", "tiers"),
    [(4, "c", "a", [3, 2, 1, 2]), (3, "a", "b", [1, 3, 2]), (2, "b", "a", [2, 1])],
)
def test_the_best_and_the_worst_leave_the_others_tied_between_them(responses, best, worst, tiers):
    situation = Situation(responses=responses, currency="USD")
    reading = read_answers(asked(**BEST_WORST), {"order": {"best": best, "worst": worst}}, situation)
    assert reading == Reading({"order": {"mode": "best_worst", "tiers": tiers}}, {}, {"tiers": tiers})


@pytest.mark.parametrize(
    ("settings", "raw"),
    [
        ({}, None),
        ({}, [None] * 4),
        (BEST_WORST, None),
        (BEST_WORST, {}),
        (BEST_WORST, {"best": None, "worst": None}),
        (BEST_WORST, {"worst": None}),
    ],
)
def test_nothing_is_ranked_until_somebody_ranks_it(settings, raw):
    assert read_answers(asked(required=False, **settings), {"order": raw}, FOUR) == Reading({"order": None}, {}, {})
    assert refusal(asked(**settings), raw)[0] == "missing"


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([1, None, 2, 3], ("incomplete", "b")),
        ([1, 2, 3, 5], ("unknown_place", "d")),
        ([0, 1, 2, 3], ("unknown_place", "a")),
        ([1, 2, True, 3], ("unknown_place", "c")),
        ([1, 2, 3.0, 4], ("unknown_place", "c")),
        ([1, "2", 3, 4], ("unknown_place", "b")),
        ([1, 2, 3], ("malformed", "a")),
        ([None] * 3, ("malformed", "a")),
        ({"a": 1}, ("malformed", "a")),
        ("abcd", ("malformed", "a")),
        (3, ("malformed", "a")),
    ],
)
def test_half_an_order_and_nonsense_are_refused_at_the_response(required, raw, expected):
    assert refusal(asked(required=required), raw) == expected


@pytest.mark.parametrize("raw", [[1, 2, 2, 3], [1, 2, 2, 4]])
def test_a_tie_is_refused_where_it_is_off_and_kept_where_it_is_allowed(raw):
    assert refusal(asked(ties="off"), raw) == ("tied", "c")
    assert read_answers(asked(), {"order": raw}, FOUR).columns == {"tiers": [1, 2, 2, 3]}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"best": "a"}, ("missing", "worst")),
        ({"worst": "a"}, ("missing", "best")),
        ({"best": "a", "worst": "a"}, ("same", "worst")),
        ({"best": "e", "worst": "a"}, ("unknown_choice", "best")),
        ({"best": 0, "worst": "a"}, ("unknown_choice", "best")),
        ({"best": ["a"], "worst": "b"}, ("unknown_choice", "best")),
        ({"best": "a", "worst": "b", "middle": None}, ("malformed", "")),
        ([1, 2, 3, 4], ("malformed", "")),
    ],
)
def test_half_a_best_and_worst_and_nonsense_are_refused(raw, expected):
    assert refusal(asked(**BEST_WORST), raw) == expected


@pytest.mark.parametrize("responses", [1, 10])
def test_fewer_than_two_and_more_than_nine_have_no_order(responses):
    with pytest.raises(QuestionDoesNotFit):
        read_answers(asked(), {}, Situation(responses=responses, currency="USD"))


@pytest.mark.parametrize(("settings", "named"), [({"mode": "worst"}, "mode must be"), ({"ties": True}, "ties must be")])
def test_settings_that_make_no_sense_are_refused_by_name(settings, named):
    with pytest.raises(InvalidSettings, match=f"ranking: {named}"):
        asked(**settings)


@pytest.mark.parametrize(
    ("settings", "posted", "answer"),
    [
        ({}, {}, None),
        ({}, {"order.a": "2", "order.b": "1"}, [2, 1, None, None]),
        ({}, {"order.a": "2", "order.b": "9", "order.c": "x", "order.d": "1"}, [2, "9", "x", 1]),
        (BEST_WORST, {}, None),
        (BEST_WORST, {"order.best": "b"}, {"best": "b", "worst": None}),
        (BEST_WORST, {"order.best": "b", "order.worst": "z"}, {"best": "b", "worst": "z"}),
    ],
)
def test_a_form_is_read_as_what_was_chosen(settings, posted, answer):
    form = JudgmentForm(asked(required=False, **settings), FOUR, posted)
    assert form.is_valid() is (answer is None)
    assert form.answers == {"order": answer}


def test_a_form_that_ranks_everything_is_taken():
    form = JudgmentForm(asked(), FOUR, {"order.a": "2", "order.b": "1", "order.c": "2", "order.d": "4"})
    assert form.is_valid()
    assert form.reading.columns == {"tiers": [2, 1, 2, 3]}


@pytest.mark.parametrize("settings", [{}, BEST_WORST])
def test_no_place_is_chosen_that_nobody_chose(settings):
    html = render_to_string("questions/ballot.html", {"form": JudgmentForm(asked(**settings), FOUR)})
    assert " selected" not in html
    assert " checked" not in html


def test_a_refused_order_comes_back_with_its_places_and_one_error():
    form = JudgmentForm(asked(), FOUR, {"order.a": "2", "order.b": "1", "order.c": "3"})
    html = render_to_string("questions/ballot.html", {"form": form})
    assert html.count(" selected") == 3
    assert html.count("Rank response D too.") == 1
    assert html.count('aria-invalid="true"') == 1


def test_no_question_can_hang_on_letters_that_are_drawn_anew_for_everybody():
    kind, (question,) = get_type("ranking"), asked()
    assert [*kind.mark_options(question), *kind.marks(question, {"mode": "order", "tiers": [1, 2]})] == []


def test_export_has_the_same_columns_whatever_was_answered():
    export = get_type("ranking").export_columns
    assert export({"mode": "order", "tiers": [2, 1]}) == {"tiers": [2, 1], "ranking_mode": "order"}
    assert export(None) == {"tiers": None, "ranking_mode": None}


def simulated(utilities: list[float], seed: int = 1, **settings: object) -> list[int]:
    situation = Situation(responses=len(utilities), currency="USD")
    questions = asked(**settings)
    rng = numpy.random.default_rng(seed)
    answers = simulate_answers(questions, rng=rng, utilities=numpy.array(utilities), situation=situation)
    return read_answers(questions, answers, situation).columns["tiers"]


def test_simulated_tiers_follow_the_utilities():
    utilities = [0.1, 3.0, -1.0, 0.2]
    assert simulated(utilities) == [2, 1, 3, 2]
    assert simulated(utilities, ties="off") == [3, 1, 4, 2]
    assert simulated(utilities, **BEST_WORST) == [2, 1, 3, 2]


def test_a_chain_of_small_steps_does_not_tie_what_lies_far_apart():
    assert simulated([0.45, 0.3, 0.15, 0.0]) == [1, 1, 2, 2]


def test_equals_are_put_in_every_order_where_ties_are_off():
    assert {tuple(simulated([1.0, 1.0], seed, ties="off")) for seed in range(20)} == {(1, 2), (2, 1)}
    assert {tuple(simulated([1.0, 1.0, 1.0], seed, **BEST_WORST)) for seed in range(60)} == {
        (a, b, c) for a in (1, 2, 3) for b in (1, 2, 3) for c in (1, 2, 3) if {a, b, c} == {1, 2, 3}
    }


@given(
    st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=2, max_size=9),
    st.sampled_from([{}, {"ties": "off"}, BEST_WORST]),
    st.integers(0, 1000),
)
def test_a_simulated_person_never_puts_what_is_worth_less_higher(utilities, settings, seed):
    situation = Situation(responses=len(utilities), currency="USD")
    questions = asked(**settings)
    answers = simulate_answers(questions, rng=random.Random(seed), utilities=utilities, situation=situation)
    tiers = read_answers(questions, answers, situation).columns["tiers"]
    assert all(
        tiers[i] <= tiers[j]
        for i, better in enumerate(utilities)
        for j, worse in enumerate(utilities)
        if better > worse
    )


@pytest.mark.parametrize(
    ("tiers", "order", "apart"),
    [
        ([1, 2, 3, 4], [0, 1, 2, 3], 0.0),
        ([4, 3, 2, 1], [3, 2, 1, 0], 0.0),
        ([2, 1, 3, 4], [0, 1, 2, 3], 1 / 6),
        ([1, 1, 2, 3], [0, 1, 2, 3], 1 / 12),
        ([4, 3, 2, 1], [0, 1, 2, 3], 1.0),
    ],
)
def test_rankings_lie_apart_by_the_pairs_that_they_order_otherwise(tiers, order, apart):
    """Whatever order the responses were shown in; a tie against an order is half of one."""
    [question] = asked()
    one, other = (
        Given({"mode": "order", "tiers": given}, shown)
        for given, shown in (([1, 2, 3, 4], [0, 1, 2, 3]), (tiers, order))
    )
    assert get_type("ranking").apart(question, one, other) == pytest.approx(apart)
