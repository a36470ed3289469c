import json
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.questions import (
    Asked,
    QuestionDoesNotFit,
    Reading,
    Situation,
    collect_answers,
    get_type,
    read_answers,
    simulate_answers,
)
from tests.annotation.questions.refusing import refusal_of


def paid(endowment: str | None = "5", incentive: str = "paid_self", **others) -> Situation:
    given = None if endowment is None else Decimal(endowment)
    return Situation(responses=2, currency="EUR", incentive=incentive, endowment=given, **others)


UNIT = {"currency": "EUR", "amount_mode": "bdm", "incentive": "paid_self"}


def asked(*, required: bool = False, incentive: str = "paid_self") -> list[Asked]:
    return [
        Asked("which", "preference", required=False, settings={"strength": "off"}),
        Asked("worth", "amount", required=required, settings={"mode": "bdm", "incentive": incentive}),
    ]


def read(raw, choice: str = "a", situation: Situation | None = None, *, required: bool = False) -> Reading:
    answers = {"which": {"choice": choice}, "worth": raw}
    return read_answers(asked(required=required), answers, situation or paid())


def refusal(raw, choice: str = "a", *, required: bool = False):
    return refusal_of(asked(required=required), {"which": {"choice": choice}, "worth": raw}, paid())


def test_a_bid_is_stored_with_what_it_was_paid_from():
    reading = read({"amount": "1,5"}, "b")
    assert reading.answers["worth"] == {
        "state": "given",
        "side": "b",
        "amount": "1.50",
        "currency": "EUR",
        "mode": "bdm",
        "incentive": "paid_self",
        "confirmed": False,
        "endowment": "5.00",
        "at_bound": False,
    }
    bid = Decimal("1.50")
    assert reading.columns == {"preference": "b", **UNIT, "amount_low": bid, "amount_high": bid, "net_utility": -bid}


def test_a_bid_of_everything_is_taken_and_flagged():
    stored = read({"amount": "5.0000"}).answers["worth"]
    assert (stored["amount"], stored["at_bound"]) == ("5.00", True)


@pytest.mark.parametrize("amount", ["5.0001", "6", 10**9])
def test_a_bid_beyond_the_endowment_is_refused_at_its_side(amount):
    found = refusal({"amount": amount, "keep": amount}, "b")
    assert (found.code, found.part) == ("above_endowment", "b")
    assert found.message == "You have 5.00 EUR to pay from. Type that or less."


@pytest.mark.parametrize(
    ("choice", "raw", "state", "amount", "at_bound"),
    [
        ("a", {"amount": "0", "zero": "no_worth"}, "zero", "0.00", False),
        ("a", {"amount": "0", "zero": "refuse"}, "protest", None, None),
        ("a", None, "skipped", None, None),
        ("tie", None, "implied", "0.00", False),
        ("cannot_compare", None, "not_applicable", None, None),
    ],
)
def test_every_other_way_to_answer_is_that_of_the_upgrade(choice, raw, state, amount, at_bound):
    stored = read(raw, choice).answers["worth"]
    assert (stored["state"], stored["amount"], stored["at_bound"]) == (state, amount, at_bound)
    assert stored["endowment"] == "5.00"


@pytest.mark.parametrize(
    ("raw", "code"),
    [({"amount": "0"}, "zero_unexplained"), ({"amount": "-1"}, "negative"), (None, "missing"), ("3", "malformed")],
)
def test_what_does_not_fit_is_refused(raw, code):
    assert refusal(raw, required=True).code == code


@pytest.mark.parametrize(
    "situation",
    [
        paid(None),
        paid("0"),
        paid(incentive="stated"),
        paid(incentive="paid_delegated"),
        Situation(responses=3, currency="EUR", incentive="paid_self", endowment=Decimal(5)),
    ],
)
def test_a_bid_is_not_asked_where_nothing_can_be_paid_or_something_else_was_promised(situation):
    with pytest.raises(QuestionDoesNotFit):
        read(None, "a", situation)


def test_a_bid_for_somebody_else_says_so():
    questions = asked(incentive="paid_delegated")
    answers = {"which": {"choice": "a"}, "worth": {"amount": "2"}}
    reading = read_answers(questions, answers, paid(incentive="paid_delegated"))
    assert reading.columns["incentive"] == "paid_delegated"


def present(side: int) -> dict:
    kind, question = get_type("amount"), asked()[1]
    values = dict.fromkeys(kind.parts(question, paid()), "")
    return kind.present(question, values, [], paid())["sides"][side]


def test_the_mechanism_is_explained_in_the_agreed_words():
    assert present(0)["explanation"] == (
        "We give you 5.00 EUR. If this item is drawn, you have B. A price is already sealed; your number cannot"
        " change it. Price at or below your number: you get A and pay the price. Above: you keep B and all of"
        " 5.00 EUR. Your true maximum is best."
    )
    assert present(1)["explanation"].endswith("you get B and pay the price. Above: you keep A and all of 5.00 EUR."
                                              " Your true maximum is best.")  # fmt: skip
    assert (present(0)["typed"], present(1)["typed"]) == ("", "")


def test_what_is_only_stated_is_not_explained_as_paid():
    question = Asked("worth", "amount")
    situation = Situation(responses=2, currency="EUR")
    view = get_type("amount").present(question, dict.fromkeys(["a", "b", "zero", "keep"], ""), [], situation)
    assert view["sides"][0]["explanation"] == (
        "Zero is a fine answer. Think what else that money would buy."
        " No money changes hands here, and people tend to overstate such amounts."
    )


def test_a_form_makes_the_raw_answer():
    posted = {"which": "b", "worth.a": "1", "worth.b": "2", "worth.zero": "refuse"}
    raw = collect_answers(asked(), posted, paid())["worth"]
    assert raw == {"amount": "2", "zero": None, "keep": None}


def test_export_has_the_columns_of_every_other_mode():
    export = get_type("amount").export_columns
    given = export(read({"amount": "5"}, "b").answers["worth"])
    stated = read_answers([Asked("worth", "amount")], {}, Situation(responses=2, currency="EUR")).answers["worth"]
    assert given.keys() == export(stated).keys()
    names = ("amount", "net_utility", "amount_endowment", "amount_at_bound", "amount_incentive")
    assert [given[name] for name in names] == ["5.00", "-5.00", "5.00", True, "paid_self"]


@given(st.floats(min_value=-20, max_value=20), st.floats(min_value=-20, max_value=20))
def test_a_simulated_person_bids_what_it_is_worth_and_never_more_than_there_is(u_a, u_b):
    situation = paid("4.005", own_median_amount=Decimal("0.01"))
    questions = asked(required=True)
    answers = simulate_answers(questions, rng=random.Random(1), utilities=(u_a, u_b), situation=situation)
    columns = read_answers(questions, json.loads(json.dumps(answers)), situation).columns
    if columns["preference"] != "tie":
        assert columns["amount_low"] == min(Decimal(f"{abs(u_a - u_b):.2f}"), Decimal("4.005"))
