import json
import random
from decimal import Decimal

import pytest
from django.db.models import CheckConstraint
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.models import Judgment
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
from tests.annotation.questions.refusing import refusal_of

ONE = Situation(responses=1, currency="EUR")
TWO = Situation(responses=2, currency="EUR")
UNIT = {"currency": "EUR", "amount_mode": "per_response", "incentive": "stated"}
PREFERENCE = Asked("which", "preference", settings={"strength": "off"})


def asked(*, required: bool = False) -> list[Asked]:
    return [Asked("worth", "amount", required=required, settings={"mode": "per_response"})]


def read(raw, situation: Situation = TWO, *, required: bool = False) -> Reading:
    return read_answers(asked(required=required), {"worth": raw}, situation)


def refusal(raw, situation: Situation = TWO, *, required: bool = False):
    return refusal_of(asked(required=required), {"worth": raw}, situation)


def priced(amount: str, **others) -> dict:
    return {"amount": amount, **others}


def test_two_amounts_are_stored_each_and_their_difference_is_the_net_utility():
    reading = read([priced("1,5"), priced("4", against=True)])
    assert reading.answers["worth"] == {
        "state": "given",
        "amounts": [
            {"state": "given", "amount": "1.50", "confirmed": False},
            {"state": "given", "amount": "-4.00", "confirmed": False},
        ],
        "net_utility": "5.50",
        "currency": "EUR",
        "mode": "per_response",
        "incentive": "stated",
        "confirmed": False,
        "contradicts_preference": False,
    }
    assert reading.columns == {**UNIT, "net_utility": Decimal("5.50")}


def test_one_response_has_one_amount_which_may_be_below_zero():
    assert read([priced("2", against=True)], ONE).columns == {
        **UNIT,
        "amount_low": Decimal("-2.00"),
        "amount_high": Decimal("-2.00"),
    }


@pytest.mark.parametrize(
    ("raw", "state", "states", "net"),
    [
        ([priced("0", zero="no_worth"), priced("2")], "given", ["zero", "given"], Decimal("-2")),
        ([priced("0", zero="no_worth", against=True)] * 2, "given", ["zero", "zero"], Decimal(0)),
        ([priced("0", zero="refuse"), priced("2")], "partial", ["protest", "given"], None),
        ([priced("0", zero="refuse")] * 2, "protest", ["protest", "protest"], None),
        (None, "skipped", [], None),
    ],
)
def test_each_way_to_answer_is_stored_as_itself(raw, state, states, net):
    reading = read(raw)
    stored = reading.answers["worth"]
    assert (stored["state"], [each["state"] for each in stored["amounts"]]) == (state, states)
    assert reading.columns == UNIT | ({} if net is None else {"net_utility": net})
    assert "-0.00" not in json.dumps(stored)


@pytest.mark.parametrize(
    ("raw", "code", "part"),
    [
        ([priced("1"), None], "incomplete", "b"),
        ([priced(" "), priced("1")], "incomplete", "a"),
        ([{"zero": "refuse"}, priced("1")], "incomplete", "a"),
        ([priced("0"), priced("1")], "zero_unexplained", "a-zero"),
        ([priced("1"), priced("0", zero="yes")], "unknown_choice", "b-zero"),
        ([priced("1"), priced("2", zero="refuse")], "zero_not_asked", "b"),
        ([priced("-1"), priced("2")], "negative", "a"),
        ([priced(-1), priced("2")], "negative", "a"),
        ([priced("1,000"), priced("2")], "ambiguous", "a"),
        ([priced("1"), priced("2", against="yes")], "malformed", "b"),
        ([priced("1"), priced("2", currency="EUR")], "malformed", "b"),
        ([priced("1"), "2"], "malformed", "b"),
        ([priced("1")], "malformed", "a"),
        ({"a": 1}, "malformed", "a"),
        ([priced("999999999999"), priced("999999999999", against=True)], "too_large", "a"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_input(raw, code, part):
    found = refusal(raw)
    assert (found.code, found.part) == (code, part)


def test_a_minus_sign_is_answered_with_how_to_say_it():
    words = "Type the amount without a sign, and tick that you would pay not to get this."
    assert refusal([priced("-1"), priced("2")]).message == words


def test_where_it_is_required_nothing_is_an_error():
    assert refusal(None, required=True).code == "missing"


def test_an_unusual_amount_is_asked_back_at_its_own_response():
    situation = Situation(responses=2, currency="EUR", own_median_amount=Decimal("2"))
    found = refusal([priced("20"), priced("20.01")], situation)
    assert (found.code, found.part, found.confirm) == ("unusual", "b-keep", "20.01")
    stored = read([priced("20"), priced("20.01", keep="20.01")], situation).answers["worth"]
    assert [each["confirmed"] for each in stored["amounts"]] == [False, True]


def with_preference(choice: str, amounts: list) -> Reading:
    return read_answers([PREFERENCE, *asked()], {"which": {"choice": choice}, "worth": amounts}, TWO)


@pytest.mark.django_db
@pytest.mark.parametrize("choice", ["a", "b", "tie", "cannot_compare"])
@pytest.mark.parametrize("amounts", [("1", "3"), ("3", "1"), ("2", "2")])
def test_amounts_that_contradict_the_preference_are_kept_and_flagged_outside_the_columns(choice, amounts):
    reading = with_preference(choice, [priced(each) for each in amounts])
    net = Decimal(amounts[0]) - Decimal(amounts[1])
    agrees = {"a": net >= 0, "b": net <= 0, "tie": net == 0, "cannot_compare": False}[choice]
    stored = reading.answers["worth"]
    assert (stored["contradicts_preference"], reading.columns.get("net_utility")) == (
        not agrees,
        net if agrees else None,
    )
    for check in Judgment._meta.constraints:
        if isinstance(check, CheckConstraint):
            check.validate(Judgment, Judgment(**reading.columns))


def test_it_needs_no_preference_but_none_may_come_after_it():
    instrument_digest(asked())
    instrument_digest([PREFERENCE, *asked()])
    with pytest.raises(InvalidSettings, match="which: it gives preference and must come before worth"):
        instrument_digest([*asked(), PREFERENCE])
    with pytest.raises(InvalidSettings, match="must come before"):
        instrument_digest([Asked("worth", "amount")])


def test_a_form_makes_the_raw_answer_and_leaves_unread_what_belongs_to_another():
    posted = {
        "worth.a": "0",
        "worth.a-zero": "refuse",
        "worth.b": "3",
        "worth.b-zero": "refuse",
        "worth.b-against": "yes",
        "worth.b-keep": "3.00",
    }
    assert collect_answers(asked(), posted, TWO) == {
        "worth": [
            {"amount": "0", "against": False, "zero": "refuse", "keep": None},
            {"amount": "3", "against": True, "zero": None, "keep": "3.00"},
        ]
    }
    assert collect_answers(asked(), {"worth.a": "x"}, TWO)["worth"] == [
        {"amount": "x", "against": False, "zero": None, "keep": None},
        None,
    ]
    assert collect_answers(asked(), {"worth.a-against": "yes", "worth.b-zero": "refuse"}, TWO) == {"worth": None}


def test_a_page_shows_nothing_chosen():
    kind, [question] = get_type("amount"), asked()
    view = kind.present(question, dict.fromkeys(kind.parts(question, TWO), ""), [], TWO)
    assert view["title"] == "What is each response worth to you?"
    for side in view["sides"]:
        assert (side["typed"], side["against"]["checked"], side["asks_zero"], side["keep"]) == ("", False, False, None)
        assert not any(option.checked for option in side["zero"].options)


def test_it_is_not_asked_of_no_response_at_all():
    with pytest.raises(QuestionDoesNotFit):
        read([], Situation(responses=0, currency="EUR"))


def test_export_has_the_columns_of_every_other_mode():
    export = get_type("amount").export_columns
    upgrade = read_answers([Asked("worth", "amount")], {}, TWO).answers["worth"]
    given = export(read([priced("1"), priced("3")]).answers["worth"])
    assert given.keys() == export(upgrade).keys() == export(read(None).answers["worth"]).keys()
    assert (given["amount"], given["amounts"], given["net_utility"]) == (None, ["1.00", "3.00"], "-2.00")
    assert (given["amount_states"], given["amount_contradicts_preference"]) == (["given", "given"], False)


utility = st.floats(min_value=-1e6, max_value=1e6)


@given(utility, utility)
def test_a_simulated_amount_is_what_a_response_is_worth(u_a, u_b):
    situation = Situation(responses=2, currency="EUR", own_median_amount=Decimal("0.01"))
    answers = simulate_answers(asked(required=True), rng=random.Random(1), utilities=(u_a, u_b), situation=situation)
    columns = read_answers(asked(required=True), json.loads(json.dumps(answers)), situation).columns
    assert columns["net_utility"] == Decimal(f"{u_a:.2f}") - Decimal(f"{u_b:.2f}")


nonsense = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["0", "1", "refuse"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=6,
)
member = st.fixed_dictionaries({"amount": nonsense}, optional=dict.fromkeys(("against", "zero", "keep"), nonsense))


def attempt(raw) -> tuple[Reading | None, set[str]]:
    try:
        return read(raw), set()
    except InvalidAnswers as invalid:
        return None, set(invalid.refusals)


@settings(max_examples=200)
@given(st.one_of(nonsense, st.lists(member, min_size=2, max_size=2)))
def test_whatever_comes_is_read_or_refused(raw):
    reading, refused = attempt(raw)
    assert refused == (set() if reading else {"worth"})
    json.dumps(reading.answers if reading else None, allow_nan=False)
