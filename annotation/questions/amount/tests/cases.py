"""What is posted for amounts, by each way to ask for them, and what becomes of it."""

from decimal import Decimal
from typing import Any

from annotation.policies.arms import price_direction
from tests.annotation.questions.cases import Case
from tests.factories import PREFERENCE

UNIT = {"currency": "USD", "incentive": "stated"}
PRICED = {"amount_currency": "USD", "amount_incentive": "stated", "amount_confirmed": False}
MONEY = Decimal("2.50")
# What is stored where no amount was given.
LEFT_OUT = {"state": "skipped", "side": None, "currency": "", "mode": "", "incentive": "", "confirmed": False}


def upgrade(mode: str, incentive: str, **more: Any) -> Case:
    return Case(
        {"mode": mode, "incentive": incentive},
        before=[PREFERENCE],
        incentive=incentive,
        posts=lambda shown: {"preference": shown.letter(0), f"q.{shown.letter(0)}": "2.50"},
        stored=lambda shown: {"state": "given", "amount": "2.50", "side": shown.letter(0), "mode": mode},
        columns=lambda shown: {
            **{"preference": shown.letter(0), "currency": "USD", "incentive": incentive, "amount_mode": mode},
            **{"amount_low": MONEY, "amount_high": MONEY, "net_utility": MONEY * shown.sign},
        },
        exported=lambda shown: {
            **{"amount": "2.50", "amount_state": "given", "amount_currency": "USD", "amount_incentive": incentive},
            **{"amount_confirmed": False, **more},
        },
        measure={0: 2.5},
        pairs=lambda shown: {"amount": 2.5 * shown.sign},
    )


def price_list() -> Case:
    prices = ["0.00", "1.00", "2.00"]
    return Case(
        {"mode": "price_list", "prices": prices},
        before=[PREFERENCE],
        posts=lambda shown: {
            "preference": shown.letter(0),
            **{f"q.{shown.letter(0)}-{row}": choice for row, choice in enumerate(("pay", "pay", "free"))},
        },
        stored=lambda shown: {"state": "given", "rows": [True, True, False], "low": "1.00", "high": "2.00"},
        columns=lambda shown: {
            **{"preference": shown.letter(0), "amount_mode": "price_list", **UNIT},
            **{"amount_low": Decimal(1), "amount_high": Decimal(2)},
        },
        exported=lambda shown: {
            **{"amount": None, "amount_state": "given", **PRICED, "amount_prices": prices},
            **{"amount_direction": price_direction(shown.respondent), "amount_rows": [True, True, False]},
            **{"amount_first_rows": None, "amount_switches": 1, "amount_first_switches": None},
            **{"amount_consistent": True, "amount_zero_taken": True},
        },
        pairs=lambda shown: {"bounds": tuple(sorted((shown.sign * 1.0, shown.sign * 2.0)))},
    )


CASES = {
    "upgrade": upgrade("upgrade", "stated"),
    "bdm": upgrade("bdm", "paid_self", amount_endowment="5.00", amount_at_bound=False),
    "price_list": price_list(),
    "per_response": Case(
        {"mode": "per_response"},
        posts=lambda shown: {
            **{f"q.{shown.letter(0)}": "3", f"q.{shown.letter(1)}": "1"},
            f"q.{shown.letter(1)}-against": "yes",
        },
        stored=lambda shown: {"state": "given", "net_utility": f"{4 * shown.sign}.00"},
        columns=lambda shown: {"net_utility": Decimal(4 * shown.sign), "amount_mode": "per_response", **UNIT},
        exported=lambda shown: {
            **{"amount_state": "given", "amounts": shown.by(["3.00", "-1.00"]), "amount_states": ["given", "given"]},
            **{"amount_contradicts_preference": False, **PRICED},
        },
        measure={0: 4.0},
        pairs=lambda shown: {"amount": 4.0 * shown.sign},
    ),
}
