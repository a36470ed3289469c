import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.signing import Signer
from django.http import QueryDict
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from annotation.forms import JudgmentForm
from annotation.questions import Asked, Situation, field_name, get_type
from annotation.use_cases.submit_judgment import Process

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAIR = Situation(responses=2, currency="USD", own_median_amount=Decimal("2"))
ASKED = [
    Asked("preference", "preference"),
    Asked("acceptable", "acceptable", required=False, settings={"mode": "neither"}),
    Asked("amount", "amount", required=False),
    Asked("why", "rationale", required=False, settings={"min_length": 5}),
]
FULL = {
    "preference": "b",
    "preference.strength": "2",
    "acceptable": "neither",
    "amount.b": "1,50",
    "why": "It answers.",
}


def form(data=None, *, now: datetime = NOON, subject: str = "", asked=ASKED) -> JudgmentForm:
    if data is not None:
        posted = QueryDict(mutable=True)
        posted.update(data)
        data = posted
    return JudgmentForm(asked, PAIR, data, subject=subject, now=now)


def html(judgment_form: JudgmentForm) -> str:
    return render_to_string("questions/ballot.html", {"form": judgment_form})


def seal(rendered_at: datetime, *, subject: str = "") -> str:
    return form(now=rendered_at, subject=subject).rendered_at_seal


def test_what_was_posted_becomes_the_answers_that_the_use_case_takes():
    posted = form(FULL)
    assert posted.is_valid(), posted.errors
    assert posted.answers == {
        "preference": {"choice": "b", "strength": 2},
        "acceptable": [False, False],
        "amount": {"amount": "1,50", "zero": None, "keep": None},
        "why": "It answers.",
    }
    assert posted.reading.columns["net_utility"] == Decimal("-1.50")
    assert posted.reading.texts == {"why": "It answers."}


@pytest.mark.parametrize(
    ("choice", "answers"),
    [
        ("a", {"preference": {"choice": "a", "strength": 3}, "amount": {"amount": "7", "zero": None, "keep": None}}),
        ("b", {"preference": {"choice": "b", "strength": 3}, "amount": {"amount": "9", "zero": None, "keep": None}}),
        ("tie", {"preference": {"choice": "tie", "strength": None}, "amount": None}),
        ("cannot_compare", {"preference": {"choice": "cannot_compare", "strength": None}, "amount": None}),
    ],
)
def test_what_a_person_no_longer_sees_is_not_read(choice, answers):
    """Without script, a form still sends what was filled in before the choice was changed."""
    left_over = {"preference.strength": "3", "amount.a": "7", "amount.b": "9", "amount.zero": "refuse"}
    posted = form({"preference": choice, **left_over})
    assert posted.is_valid(), posted.errors
    assert posted.answers == {"acceptable": None, "why": None, **answers}


def test_inputs_that_belong_to_no_question_are_not_read():
    posted = form({**FULL, "csrfmiddlewaretoken": "x", "key": "y", "amount": "900", "rating": "5"})
    assert posted.is_valid()
    assert posted.answers == form_answers(FULL)


def form_answers(data) -> dict:
    posted = form(data)
    posted.is_valid()
    return posted.answers


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({}, {"preference": ["Choose A, B, no difference, or that you cannot judge."]}),
        ({"preference": "c"}, {"preference": ["That is none of the choices."]}),
        (
            {"preference": "a", "preference.strength": "9"},
            {"preference.strength": ["That is none of the strengths."]},
        ),
        ({"preference": "a", "acceptable": "all"}, {"acceptable": ["Say yes or no for each response."]}),
        (
            {"preference": "a", "amount.a": "NaN"},
            {"amount.a": ["“NaN” is not an amount. Type digits only, with a point or a comma before the cents."]},
        ),
        (
            {"preference": "a", "amount.a": "0"},
            {"amount.zero": ["You chose one and typed zero. Say what zero means here."]},
        ),
        (
            {"preference": "b", "amount.b": "21"},
            {"amount.keep": ["You typed 21.00 USD, more than ten times your usual amount. Keep?"]},
        ),
        (
            {"preference": "tie", "why": "Hm."},
            {"why": ["Write at least 5 characters, or nothing at all; that was 3."]},
        ),
    ],
)
def test_an_error_stands_at_the_input_it_is_about(data, errors):
    posted = form(data)
    assert not posted.is_valid()
    assert posted.errors == errors


def test_an_unusual_amount_passes_once_its_box_is_ticked():
    first = form({"preference": "b", "amount.b": "21"})
    (value,) = re.findall(r'name="amount.keep" value="([^"]*)"', html(first))
    again = form({"preference": "b", "amount.b": "21", "amount.keep": value})
    assert again.is_valid()
    assert again.reading.answers["amount"]["confirmed"] is True


def test_a_ticked_box_survives_an_error_elsewhere_and_not_a_changed_amount():
    elsewhere = form({"preference": "b", "amount.b": "21", "amount.keep": "21.00", "why": "Hm."})
    assert re.search(r'name="amount.keep" value="21.00" autocomplete="off" checked', html(elsewhere))
    changed = form({"preference": "b", "amount.b": "2100", "amount.keep": "21.00"})
    assert re.search(r'name="amount.keep" value="2100.00" autocomplete="off" aria-invalid="true"', html(changed))


CHOSEN = re.compile(r'<input type="(?:radio|checkbox)"[^>]*\bchecked\b[^>]*>')


def test_nothing_is_chosen_or_suggested_before_a_person_chooses():
    page = html(form())
    assert page.count('type="radio"') == 4 + 3 + 4 + 2
    assert CHOSEN.findall(page) == []
    for hint in ("placeholder", "list=", " max", "min=", "selected"):
        assert hint not in page
    assert re.findall(r'<input class="input"[^>]*value="([^"]*)"', page) == ["", ""]


def test_a_refused_form_comes_back_as_it_was_filled_in():
    page = html(form({**FULL, "why": "<b>"}))
    chosen = [re.search(r'name="([^"]*)" value="([^"]*)"', each).groups() for each in CHOSEN.findall(page)]
    assert chosen == [("preference", "b"), ("preference.strength", "2"), ("acceptable", "neither")]
    assert 'name="amount.b" value="1,50"' in page
    assert re.search(r'name="why"[^>]*>\n&lt;b&gt;</textarea>', page)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"preference": "a", "preference.strength": "9"},
        {"preference": "a", "amount.a": "x"},
        {"preference": "a", "amount.a": "0"},
        {"preference": "a", "amount.a": "99"},
        {"preference": "a", "acceptable": "x", "why": "x"},
    ],
)
def test_every_error_is_the_description_of_the_input_it_is_about(data):
    posted = form(data)
    page = html(posted)
    described = {name for each in re.findall(r'aria-describedby="([^"]*)"', page) for name in each.split()}
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    wrong = [section.error_id for section in posted.sections if section.errors]
    assert wrong
    assert set(wrong) <= described <= set(ids)
    assert page.count('aria-invalid="true"') == len(wrong) == page.count('role="alert"')


def test_every_group_of_buttons_has_a_name_and_every_field_a_label():
    page = html(form(asked=[*ASKED, Asked("each", "acceptable")]))
    ids = set(re.findall(r' id="([^"]*)"', page))
    assert set(re.findall(r'aria-labelledby="([^"]*)"', page)) <= ids
    assert page.count("<fieldset") == page.count("<legend")
    assert set(re.findall(r'<label[^>]* for="([^"]*)"', page)) == {
        "question-amount-a",
        "question-amount-b",
        "question-why",
    }


def test_the_page_needs_no_inline_style_script_or_handler():
    page = html(form({"preference": "a", "amount.a": "99", "why": "x"}))
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", page)


def test_the_questions_of_the_two_sides_name_the_right_one():
    amount = form().sections[2].view
    assert [(side["name"], side["question"]) for side in amount["sides"]] == [
        (
            "amount.a",
            "Suppose you asked this and had only B. What is the most you would pay, once, to have A instead?",
        ),
        (
            "amount.b",
            "Suppose you asked this and had only A. What is the most you would pay, once, to have B instead?",
        ),
    ]
    page = " ".join(html(form()).split())
    assert page.count("Zero is a fine answer. Think what else that money would buy. No money changes hands here") == 2


def test_a_title_of_the_instrument_replaces_that_of_the_type():
    asked = [Asked("preference", "preference", "Which is <kinder>?"), Asked("amount", "amount", "Your price")]
    page = html(form(asked=asked))
    assert "Which is &lt;kinder&gt;?" in page
    assert "Which answer would you rather have received?" not in page
    assert "Your price" in page


def test_what_was_measured_fits_the_use_case():
    data = {
        **FULL,
        "process.rendered_at": seal(NOON - timedelta(seconds=90)),
        "process.first_touch_ms": "1500",
        "process.active_ms": "60000",
        "process.device_class": "phone",
    }
    assert Process(**form(data).process) == Process(
        rendered_at=NOON - timedelta(seconds=90),
        first_touch_at=NOON - timedelta(seconds=88.5),
        active_ms=60_000,
        device_class="phone",
    )


def test_a_browser_cannot_claim_more_time_than_has_passed():
    data = {
        "process.rendered_at": seal(NOON - timedelta(seconds=10)),
        "process.first_touch_ms": "99000",
        "process.active_ms": "999999999999",
    }
    process = form(data).process
    assert (process["first_touch_at"], process["active_ms"]) == (NOON, 10_000)


def test_a_page_left_open_for_months_still_fits_its_column():
    data = {"process.rendered_at": seal(NOON - timedelta(days=90)), "process.active_ms": "999999999999"}
    assert form(data).process["active_ms"] == 2**31 - 1


NOTHING = {"rendered_at": None, "first_touch_at": None, "active_ms": None, "device_class": "", "media_played": None}


@pytest.mark.parametrize(
    "seal_of_another",
    [
        "",
        "x",
        "1763726400000",
        "1763726400000:forged",
        Signer(salt="another").sign("1763726400000"),
        seal(NOON, subject="battle 2"),
        "\x00:\ud800",
    ],
)
def test_without_the_servers_own_seal_nothing_is_believed_and_the_answer_is_still_taken(seal_of_another):
    claims = {"process.first_touch_ms": "5", "process.active_ms": "5", "process.device_class": "watch"}
    posted = form({**FULL, "process.rendered_at": seal_of_another, **claims}, subject="battle 1")
    assert posted.process == NOTHING
    assert posted.is_valid()


def test_a_seal_from_a_clock_that_is_ahead_means_now():
    process = form({"process.rendered_at": seal(NOON + timedelta(seconds=3)), "process.active_ms": "7"}).process
    assert (process["rendered_at"], process["active_ms"]) == (NOON, 0)


@given(st.text(), st.text(), st.text(), st.text())
def test_whatever_a_browser_claims_is_bounded(rendered, touched, active, device):
    claims = {"process.first_touch_ms": touched, "process.active_ms": active, "process.device_class": device}
    sealed = form({"process.rendered_at": seal(NOON - timedelta(seconds=5)), **claims}).process
    assert sealed["first_touch_at"] is None or NOON - timedelta(seconds=5) <= sealed["first_touch_at"] <= NOON
    assert sealed["active_ms"] is None or 0 <= sealed["active_ms"] <= 5000
    assert form({"process.rendered_at": rendered, **claims}).process["rendered_at"] is None


def test_a_form_that_comes_back_keeps_its_moment_and_what_was_measured():
    first = form(now=NOON)
    back = form(
        {
            "process.rendered_at": first.rendered_at_seal,
            "process.first_touch_ms": "700",
            "process.active_ms": "2500",
            "process.device_class": "tablet",
        },
        now=NOON + timedelta(seconds=4),
    )
    assert not back.is_valid()
    assert (back.rendered_at_seal, back.elapsed_ms) == (first.rendered_at_seal, 4000)
    assert [(measure.name, measure.value) for measure in back.measures] == [
        ("process.first_touch_ms", "700"),
        ("process.active_ms", "2500"),
        ("process.device_class", "tablet"),
    ]


names = [
    field_name(question.name, part) for question in ASKED for part in get_type(question.type).parts(question, PAIR)
]


typed = st.lists(st.sampled_from(["\ud83d", "\ude00", "\x00", "<", "&", "'", '"', "0", ",", "é"])).map("".join)


@given(st.dictionaries(st.sampled_from(names), st.one_of(typed, st.sampled_from(["a", "b", "0", "99"]))))
def test_whatever_is_posted_is_answered_by_a_page_that_can_be_sent(data):
    posted = form(data)
    posted.is_valid()
    html(posted).encode()
