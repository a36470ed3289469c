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

PAIR = Situation(responses=2, currency="EUR")
DOWN = Situation(responses=2, currency="EUR", price_direction="down")
UNIT = {"currency": "EUR", "amount_mode": "price_list", "incentive": "stated"}
PRICES = ["0", "0.5", "2", "10"]


def asked(*, required: bool = False, prices: list[str] = PRICES) -> list[Asked]:
    return [
        Asked("which", "preference", required=False, settings={"strength": "off"}),
        Asked("worth", "amount", required=required, settings={"mode": "price_list", "prices": prices}),
    ]


def read(raw, choice: str | None = "a", situation: Situation = PAIR, *, required: bool = False) -> Reading:
    preference = None if choice is None else {"choice": choice}
    return read_answers(asked(required=required), {"which": preference, "worth": raw}, situation)


def refusal(raw, choice: str | None = "a", *, required: bool = False):
    with pytest.raises(InvalidAnswers) as refused:
        read(raw, choice, required=required)
    [only] = refused.value.refusals["worth"]
    return only


def rows(word: str) -> list[bool]:
    return [each == "1" for each in word]


def bounds(reading: Reading) -> tuple[Decimal | None, Decimal | None]:
    return reading.columns.get("amount_low"), reading.columns.get("amount_high")


def test_a_list_is_stored_with_its_prices_and_gives_an_interval():
    reading = read({"rows": rows("1100")}, "b", DOWN)
    assert reading.answers["worth"] == {
        "state": "given",
        "side": "b",
        "amount": None,
        "currency": "EUR",
        "mode": "price_list",
        "incentive": "stated",
        "confirmed": False,
        "low": "0.50",
        "high": "2.00",
        "prices": ["0.00", "0.50", "2.00", "10.00"],
        "direction": "down",
        "rows": [True, True, False, False],
        "first_rows": None,
        "switches": 1,
        "first_switches": None,
        "consistent": True,
        "zero_taken": True,
    }
    wanted = {"preference": "b", **UNIT, "amount_low": Decimal("0.50"), "amount_high": Decimal("2.00")}
    assert reading.columns == wanted


@pytest.mark.parametrize(
    ("word", "low", "high", "zero_taken"),
    [
        ("1111", Decimal(10), None, True),
        ("1000", Decimal(0), Decimal("0.50"), True),
        ("0000", None, Decimal(0), False),
    ],
)
def test_a_list_without_a_switch_is_censored(word, low, high, zero_taken):
    reading = read({"rows": rows(word)})
    assert (*bounds(reading), reading.answers["worth"]["zero_taken"]) == (low, high, zero_taken)


@pytest.mark.parametrize("word", ["1011", "0101", "0111", "0011", "1101", "0001"])
def test_a_list_that_takes_a_price_above_one_it_left_is_asked_back(word):
    found = refusal({"rows": rows(word)})
    assert (found.code, found.part, found.confirm) == ("switches", "keep", f"a{word}")
    assert found.message == "You would pay a price, and would not pay a lower one. Keep that, or change your choices?"


@pytest.mark.parametrize(
    ("word", "low", "high"),
    [
        ("1011", Decimal(0), None),
        ("1010", Decimal(0), Decimal(10)),
        ("0100", None, Decimal(2)),
        ("0011", None, None),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_is_kept_is_stored_as_its_hull_and_flagged(word, low, high, first):
    whole = f"a{word}"
    reading = read({"rows": rows(word), "first": whole if first else None, "keep": whole})
    stored = reading.answers["worth"]
    assert (*bounds(reading), stored["consistent"], stored["confirmed"]) == (low, high, False, True)
    assert (stored["first_rows"], stored["first_switches"]) == (rows(word), stored["switches"])


@pytest.mark.parametrize(("word", "consistent"), [("1100", True), ("0110", False)])
def test_what_was_changed_is_taken_with_both_versions_and_not_asked_back_again(word, consistent):
    stored = read({"rows": rows(word), "first": "a1011"}).answers["worth"]
    assert (stored["rows"], stored["first_rows"]) == (rows(word), rows("1011"))
    assert (stored["switches"], stored["first_switches"]) == (1 if consistent else 2, 2)
    assert (stored["consistent"], stored["confirmed"]) == (consistent, False)


def test_being_asked_back_is_not_passed_over_by_sending_the_same_again():
    assert refusal({"rows": rows("1011"), "first": "a1011"}).code == "switches"
    assert refusal({"rows": rows("1011"), "first": "a1011", "keep": "a1101"}).code == "switches"
    assert refusal({"rows": rows("1100"), "first": "a1011", "keep": "a1011"}).code == "kept_and_changed"


def test_a_first_version_of_the_other_side_is_none_of_this_list():
    assert read({"rows": rows("1100"), "first": "b1011"}).answers["worth"]["first_rows"] is None
    assert refusal({"rows": rows("1011"), "first": "b0101"}).confirm == "a1011"


@pytest.mark.parametrize(
    ("raw", "code", "part"),
    [
        ({"rows": [True, None, False, False]}, "incomplete", "a-1"),
        ({"rows": [True, "pay", False, False]}, "malformed", "a-1"),
        ({"rows": [1, 0, 0, 0]}, "malformed", "a-0"),
        ({"rows": rows("110")}, "malformed", "a-0"),
        ({"rows": "1100"}, "malformed", "a-0"),
        ({"rows": rows("1100"), "first": "a1100"}, "malformed", "a-0"),
        ({"rows": rows("1100"), "first": "a101"}, "malformed", "a-0"),
        ({"rows": rows("1100"), "first": "x"}, "malformed", "a-0"),
        ({"rows": rows("1100"), "first": [True]}, "malformed", "a-0"),
        ({"keep": "a1011"}, "missing", "a-0"),
        ({"rows": rows("1100"), "prices": PRICES}, "malformed", ""),
        ([True], "malformed", ""),
    ],
)
def test_what_does_not_fit_is_refused_at_its_input(raw, code, part):
    found = refusal(raw)
    assert (found.code, found.part) == (code, part)


def test_it_is_asked_only_of_those_who_chose():
    assert refusal({"rows": rows("1100")}, "tie").code == "not_asked"
    assert refusal(None, "b", required=True).part == "b-0"
    states = {choice: read(None, choice).answers["worth"]["state"] for choice in ("a", "tie", "cannot_compare", None)}
    assert states == {"a": "skipped", "tie": "implied", "cannot_compare": "not_applicable", None: "not_applicable"}
    implied = read(None, "tie").columns
    assert [implied[name] for name in ("amount_low", "amount_high", "net_utility")] == [0, 0, 0]
    assert read(None, "cannot_compare").columns == {"preference": "cannot_compare"}


@pytest.mark.django_db
@pytest.mark.parametrize("choice", ["a", "b"])
@pytest.mark.parametrize("word", [f"{number:04b}" for number in range(16)])
def test_every_list_satisfies_the_constraints_of_the_log(choice, word):
    columns = read({"rows": rows(word), "keep": f"{choice}{word}"}, choice).columns
    for check in Judgment._meta.constraints:
        if isinstance(check, CheckConstraint):
            check.validate(Judgment, Judgment(**columns))


def test_a_form_makes_the_raw_answer_of_the_side_that_was_chosen():
    posted = {
        "which": "b",
        "worth.a-0": "free",
        **{f"worth.b-{row}": "pay" if row < 2 else "free" for row in range(4)},
        "worth.first": "b1011",
        "worth.keep": "b1011",
    }
    raw = collect_answers(asked(), posted, PAIR)["worth"]
    assert raw == {"rows": rows("1100"), "first": "b1011", "keep": "b1011"}
    assert collect_answers(asked(), {"which": "a", "worth.a-1": "pay"}, PAIR)["worth"]["rows"] == [
        None,
        True,
        None,
        None,
    ]
    assert collect_answers(asked(), {"which": "tie", "worth.a-1": "pay"}, PAIR)["worth"] is None


def present(situation: Situation) -> dict:
    kind, question = get_type("amount"), asked()[1]
    return kind.present(question, dict.fromkeys(kind.parts(question, situation), ""), [], situation)


def test_a_page_fills_nothing_in_and_runs_the_way_the_person_drew():
    up, down = ([row.name for row in present(situation)["sides"][0]["rows"]] for situation in (PAIR, DOWN))
    assert up == [f"worth.a-{row}" for row in range(4)] == down[::-1]
    options = [option for side in present(PAIR)["sides"] for row in side["rows"] for option in row.options]
    assert not any(option.checked for option in options)
    assert present(PAIR)["whole"] == ""


@pytest.mark.parametrize(
    "prices",
    [
        ["0", "1"],
        ["0.5", "1", "2"],
        ["0", "2", "1"],
        ["0", "1", "1.00"],
        ["0", "1", "x"],
        ["0", "1", 2],
        "0",
        ["0"] * 3,
    ],
)
def test_prices_that_are_no_rising_list_from_zero_are_refused_by_name(prices):
    with pytest.raises(InvalidSettings, match="prices must be"):
        asked(prices=prices)


def test_prices_belong_to_lists_alone_and_are_made_canonical():
    assert asked(prices=["0", "1,5", "2"])[1].settings["prices"] == ["0.00", "1.50", "2.00"]
    assert asked(prices=["0.00", "1.50", "2.00"])[1] == asked(prices=["0", "1,5", "2"])[1]
    with pytest.raises(InvalidSettings, match="prices are only for mode price_list, not upgrade"):
        Asked("worth", "amount", settings={"prices": ["0", "1", "2"]})
    assert "prices" not in Asked("worth", "amount").settings
    assert instrument_digest(asked()) != instrument_digest(asked(prices=["0", "1", "2"]))


def test_a_direction_that_does_not_exist_is_not_asked_in():
    with pytest.raises(QuestionDoesNotFit):
        read(None, "a", Situation(responses=2, currency="EUR", price_direction="sideways"))


def test_export_has_the_columns_of_every_other_mode():
    export = get_type("amount").export_columns
    given = export(read({"rows": rows("1100"), "first": "a1011"}).answers["worth"])
    assert given.keys() == export(read(None, "tie").answers["worth"]).keys()
    names = ("amount", "net_utility", "amount_low", "amount_high", "amount_switches", "amount_first_switches")
    assert [given[name] for name in names] == [None, None, "0.50", "2.00", 1, 2]
    assert export(read(None, "tie").answers["worth"])["net_utility"] == "0.00"


utility = st.floats(min_value=-15, max_value=15)


@given(utility, utility)
def test_a_simulated_person_switches_where_the_price_passes_what_it_is_worth(u_a, u_b):
    questions = asked(required=True)
    answers = simulate_answers(questions, rng=random.Random(1), utilities=(u_a, u_b), situation=PAIR)
    reading = read_answers(questions, json.loads(json.dumps(answers)), PAIR)
    if reading.columns["preference"] != "tie":
        low, high = bounds(reading)
        assert low <= abs(u_a - u_b)
        assert high is None or abs(u_a - u_b) < high


nonsense = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["a1011", "pay"])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=6,
)
near_misses = st.fixed_dictionaries(
    {"rows": st.one_of(nonsense, st.lists(st.booleans(), min_size=4, max_size=4))},
    optional={"first": nonsense, "keep": nonsense},
)


def attempt(raw) -> tuple[Reading | None, set[str]]:
    try:
        return read(raw), set()
    except InvalidAnswers as invalid:
        return None, set(invalid.refusals)


@settings(max_examples=200)
@given(st.one_of(nonsense, near_misses))
def test_whatever_comes_is_read_or_refused(raw):
    reading, refused = attempt(raw)
    assert refused == (set() if reading else {"worth"})
    json.dumps(reading.answers if reading else None, allow_nan=False)
