import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.questions import (
    Asked,
    InvalidAnswers,
    InvalidSettings,
    QuestionDoesNotFit,
    Reading,
    Situation,
    get_type,
    read_answers,
    simulate_answers,
)

PAIR = Situation(responses=2, currency="EUR")
UNIT = {"currency": "EUR", "amount_mode": "upgrade", "incentive": "stated"}
TERMS = {"currency": "EUR", "mode": "upgrade", "incentive": "stated"}


def asked(*, required: bool = False) -> list[Asked]:
    return [
        Asked("which", "preference", required=False, settings={"strength": "off"}),
        Asked("worth", "amount", required=required),
    ]


def read(choice, raw, situation: Situation = PAIR, *, required: bool = False) -> Reading:
    preference = None if choice is None else {"choice": choice}
    return read_answers(asked(required=required), {"which": preference, "worth": raw}, situation)


def refusal(choice, raw, situation: Situation = PAIR, *, required: bool = False):
    with pytest.raises(InvalidAnswers) as refused:
        read(choice, raw, situation, required=required)
    ((name, (only,)),) = refused.value.refusals.items()
    assert name == "worth"
    return only


def outcome(choice, raw, situation: Situation = PAIR) -> tuple[dict, dict]:
    """What is stored of the amount, and its columns."""
    reading = read(choice, raw, situation)
    return reading.answers["worth"], {name: v for name, v in reading.columns.items() if name != "preference"}


@pytest.mark.parametrize(
    ("choice", "raw", "stored", "columns"),
    [
        (
            "a",
            {"amount": "1,5"},
            {"state": "given", "side": "a", "amount": "1.50", **TERMS, "confirmed": False},
            {**UNIT, "amount_low": Decimal("1.5"), "amount_high": Decimal("1.5"), "net_utility": Decimal("1.5")},
        ),
        (
            "b",
            {"amount": "1.5", "zero": None, "keep": None},
            {"state": "given", "side": "b", "amount": "1.50", **TERMS, "confirmed": False},
            {**UNIT, "amount_low": Decimal("1.5"), "amount_high": Decimal("1.5"), "net_utility": Decimal("-1.5")},
        ),
        (
            "b",
            {"amount": "0", "zero": "no_worth"},
            {"state": "zero", "side": "b", "amount": "0.00", **TERMS, "confirmed": False},
            {**UNIT, "amount_low": Decimal(0), "amount_high": Decimal(0), "net_utility": Decimal(0)},
        ),
        (
            "a",
            {"amount": "0", "zero": "refuse"},
            {"state": "protest", "side": "a", "amount": None, **TERMS, "confirmed": False},
            UNIT,
        ),
        ("a", None, {"state": "skipped", "side": "a", "amount": None, **TERMS, "confirmed": False}, UNIT),
        ("b", {"amount": " "}, {"state": "skipped", "side": "b", "amount": None, **TERMS, "confirmed": False}, UNIT),
        (
            "tie",
            None,
            {"state": "implied", "side": None, "amount": "0.00", **TERMS, "confirmed": False},
            {**UNIT, "amount_low": Decimal(0), "amount_high": Decimal(0), "net_utility": Decimal(0)},
        ),
        (
            "cannot_compare",
            None,
            {"state": "not_applicable", "side": None, "amount": None, **TERMS, "confirmed": False},
            {},
        ),
        (
            None,
            {},
            {"state": "not_applicable", "side": None, "amount": None, **TERMS, "confirmed": False},
            {},
        ),
    ],
)
def test_each_way_to_answer_is_stored_as_itself(choice, raw, stored, columns):
    assert outcome(choice, raw) == (stored, columns)


def test_a_zero_has_no_sign_that_an_export_could_show():
    _stored, columns = outcome("b", {"amount": "0", "zero": "no_worth"})
    assert str(columns["net_utility"]) == "0.00"


@pytest.mark.parametrize(
    ("choice", "raw", "code", "part"),
    [
        ("tie", {"amount": "0"}, "not_asked", ""),
        ("tie", {"zero": "refuse"}, "not_asked", ""),
        ("cannot_compare", {"amount": "2"}, "not_asked", ""),
        (None, {"amount": "2"}, "not_asked", ""),
        ("a", {"amount": "0"}, "zero_unexplained", "zero"),
        ("a", {"amount": "0", "zero": "perhaps"}, "unknown_choice", "zero"),
        ("a", {"amount": "0", "zero": ["refuse"]}, "unknown_choice", "zero"),
        ("a", {"amount": "2", "zero": "refuse"}, "zero_not_asked", "a"),
        ("a", {"zero": "refuse"}, "missing", "a"),
        ("b", {"keep": "2"}, "missing", "b"),
        ("b", {"amount": "NaN"}, "not_a_number", "b"),
        ("b", {"amount": "-2"}, "negative", "b"),
        ("b", {"amount": "1,000"}, "ambiguous", "b"),
        ("b", {"amount": 10**40}, "too_large", "b"),
        ("b", {"amount": "0.00001"}, "too_fine", "b"),
        ("b", {"amount": True}, "malformed", "b"),
        ("b", "2", "malformed", ""),
        ("b", {"amount": "2", "currency": "USD"}, "malformed", ""),
    ],
)
def test_what_does_not_fit_is_refused_at_its_input(choice, raw, code, part):
    found = refusal(choice, raw)
    assert (found.code, found.part) == (code, part)


def test_a_required_amount_is_asked_of_those_who_chose_and_of_nobody_else():
    assert refusal("a", None, required=True).code == "missing"
    states = [read(choice, None, required=True).answers["worth"]["state"] for choice in ("tie", "cannot_compare")]
    assert states == ["implied", "not_applicable"]


USUALLY_TWO = Situation(responses=2, currency="EUR", own_median_amount=Decimal("2"))


def test_an_amount_above_ten_times_the_own_median_is_asked_back():
    found = refusal("a", {"amount": "20.01"}, USUALLY_TWO)
    assert (found.code, found.part, found.confirm) == ("unusual", "keep", "20.01")
    assert found.message == "You typed 20.01 EUR, more than ten times your usual amount. Keep?"


def test_a_confirmed_amount_is_kept_and_says_that_it_was_confirmed():
    stored, columns = outcome("a", {"amount": "20,01", "keep": "20.01"}, USUALLY_TWO)
    assert (stored["amount"], stored["confirmed"], columns["net_utility"]) == ("20.01", True, Decimal("20.01"))


@pytest.mark.parametrize("keep", ["20.02", "", "yes", True, ["20.01"], {}])
def test_a_confirmation_holds_for_the_amount_it_names_and_no_other(keep):
    assert refusal("a", {"amount": "20.01", "keep": keep}, USUALLY_TWO).code == "unusual"


@pytest.mark.parametrize(
    ("median", "amount"), [(Decimal("2"), "20"), (None, "1000000"), (Decimal("0"), "5"), (Decimal("2"), "0.01")]
)
def test_a_usual_amount_is_not_asked_back(median, amount):
    situation = Situation(responses=2, currency="EUR", own_median_amount=median)
    stored, _columns = outcome("a", {"amount": amount, "keep": amount}, situation)
    assert (stored["state"], stored["confirmed"]) == ("given", False)


def test_an_amount_is_not_judged_while_the_preference_is_in_doubt():
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(asked(), {"which": {"choice": "x"}, "worth": {"amount": "NaN"}}, PAIR)
    assert refused.value.codes == {"which": ["unknown_choice"]}


def test_an_amount_asked_where_no_preference_was_asked_applies_to_nothing():
    reading = read_answers(asked()[1:], {}, PAIR)
    assert (reading.answers["worth"]["state"], reading.columns) == ("not_applicable", {})


@pytest.mark.parametrize(
    "situation",
    [
        Situation(responses=3, currency="EUR"),
        Situation(responses=2, currency=""),
        Situation(responses=2, currency="EUR", incentive="paid_self"),
    ],
)
def test_stated_amounts_are_never_taken_where_the_situation_is_another(situation):
    with pytest.raises(QuestionDoesNotFit):
        read_answers([Asked("worth", "amount")], {}, situation)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "auction"}, "mode must be"),
        ({"incentive": "points"}, "incentive must be"),
        ({"incentive": "paid_self"}, "incentive must be stated where mode is upgrade, not 'paid_self'"),
        ({"mode": "bdm"}, "incentive must be paid_self or paid_delegated where mode is bdm, not 'stated'"),
        ({"mode": "price_list", "incentive": "paid_self"}, "incentive must be stated where mode is price_list"),
        ({"maximum": 10}, "no setting maximum"),
    ],
)
def test_modes_and_incentives_that_do_not_exist_or_do_not_go_together_are_refused(settings, words):
    with pytest.raises(InvalidSettings, match=words):
        Asked("worth", "amount", settings=settings)


# Columns that are null in this mode.
OTHER_MODES = (
    *("amounts", "amount_states", "amount_contradicts_preference", "amount_low", "amount_high", "amount_prices"),
    *("amount_direction", "amount_rows", "amount_first_rows", "amount_switches", "amount_first_switches"),
    *("amount_consistent", "amount_zero_taken", "amount_endowment", "amount_at_bound"),
)


def test_ties_protests_zeros_and_silence_stay_distinct_through_export():
    export = get_type("amount").export_columns
    raw = [
        ("a", {"amount": "3"}),
        ("b", {"amount": "3"}),
        ("b", {"amount": "0", "zero": "no_worth"}),
        ("a", {"amount": "0", "zero": "refuse"}),
        ("a", None),
        ("tie", None),
        ("cannot_compare", None),
    ]
    exported = [export(outcome(choice, answer)[0]) for choice, answer in raw]
    rest = {
        "amount_currency": "EUR",
        "amount_mode": "upgrade",
        "amount_incentive": "stated",
        "amount_confirmed": False,
        **dict.fromkeys(OTHER_MODES),
    }
    assert exported == [
        {"amount": "3.00", "amount_state": "given", "net_utility": "3.00", **rest},
        {"amount": "3.00", "amount_state": "given", "net_utility": "-3.00", **rest},
        {"amount": "0.00", "amount_state": "zero", "net_utility": "0.00", **rest},
        {"amount": None, "amount_state": "protest", "net_utility": None, **rest},
        {"amount": None, "amount_state": "skipped", "net_utility": None, **rest},
        {"amount": "0.00", "amount_state": "implied", "net_utility": "0.00", **rest},
        {"amount": None, "amount_state": "not_applicable", "net_utility": None, **rest},
    ]


utility = st.floats(min_value=-1e6, max_value=1e6)


@given(utility, utility, st.integers())
def test_a_simulated_amount_is_the_difference_of_the_utilities(u_a, u_b, seed):
    questions = asked(required=True)
    answers = simulate_answers(questions, rng=random.Random(seed), utilities=(u_a, u_b), situation=USUALLY_TWO)
    columns = read_answers(questions, answers, USUALLY_TWO).columns
    expected = Decimal(0) if columns["preference"] == "tie" else Decimal(f"{u_a - u_b:.2f}")
    assert columns["net_utility"] == expected


def test_simulated_people_leave_out_some_amounts_that_they_may():
    rng = random.Random(7)
    states = [
        read_answers(asked(), simulate_answers(asked(), rng=rng, utilities=(1.0, 0.0), situation=PAIR), PAIR).answers[
            "worth"
        ]["state"]
        for _ in range(1000)
    ]
    assert set(states) == {"given", "skipped"}
    assert 800 <= states.count("given") <= 900
