"""What one person posts for each question type and mode, and what becomes of it at every step.

Everything is said by the responses' positions; `Shown` turns it into the order in which this person saw them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from annotation.enums import WorthState
from annotation.models import Campaign, Respondent, WorthSession
from annotation.policies.arms import price_direction
from tests.factories import PREFERENCE

# Of a person, and so in no file that leaves.
WORDS = "Words that only their author may read."
STEPS = "1. Add two and two.\n2. That is five."


@dataclass(frozen=True)
class Shown:
    order: list[int]
    respondent: int

    def by(self, values: Sequence[Any]) -> list[Any]:
        return [values[position] for position in self.order]

    def letter(self, position: int) -> str:
        return "abcdefghi"[self.order.index(position)]

    @property
    def sign(self) -> int:
        return 1 if self.order[0] == 0 else -1


Expected = Callable[[Shown], Any]


@dataclass(frozen=True)
class Case:
    """`posts` are inputs of the form, `stored` the answer (its members that are named), `columns` those of the log that
    are not empty, `exported` those of the question. `measure` is what agreement reads of each response, or of the
    whole, which has no side; `pairs` are members of `ratings.PairRows`.
    """

    settings: Mapping[str, Any]
    posts: Expected
    stored: Expected
    columns: Expected = lambda shown: {}
    exported: Expected = lambda shown: {}
    measure: Mapping[int, float] | None = None
    pairs: Expected = lambda shown: {}
    texts: Sequence[str] = ("First.", "Second.")
    orders: Sequence[list[int]] = ([0, 1], [1, 0])
    before: Sequence[Mapping[str, Any]] = ()
    incentive: str = "stated"
    type: str = ""


def in_session(campaign: Campaign, respondent: Respondent, incentive: str) -> None:
    """Instructions, check and practice for amounts are behind this person."""
    WorthSession.objects.create(
        campaign=campaign,
        respondent=respondent,
        state=WorthState.ITEMS,
        incentive=incentive,
        endowment=None if incentive == "stated" else 5,
        currency="USD",
        seed="00",
        commitment="00",
    )


THREE = {"texts": ("First.", "Second.", "Third."), "orders": ([0, 1, 2], [2, 0, 1])}
UNIT = {"currency": "USD", "incentive": "stated"}
PRICED = {"amount_currency": "USD", "amount_incentive": "stated", "amount_confirmed": False}
MONEY = Decimal("2.50")


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


def spans() -> Case:
    mark = {"start": 0, "end": 5, "kind": "wrong", "severity": "major", "category": "fact"}
    return Case(
        {"categories": ["fact"]},
        posts=lambda shown: {"q": json.dumps([{"response": shown.order.index(0), **mark}])},
        stored=lambda shown: {
            "marks": [{"response": shown.order.index(0), **mark, "sha256": sha256(b"First").hexdigest()}]
        },
        columns=lambda shown: {"scores": shown.by([-5.0, 0.0])},
        exported=lambda shown: {
            **{"spans_given": True, "spans_response": [shown.order.index(0)], "spans_start": [0], "spans_end": [5]},
            **{"spans_kind": ["wrong"], "spans_severity": ["major"], "spans_category": ["fact"]},
        },
    )


def steps(mode: str, posts: Expected, exported: Expected) -> Case:
    return Case(
        {"mode": mode},
        texts=(STEPS, "1. Four."),
        posts=posts,
        stored=lambda shown: {"mode": mode, "segmentation": 1},
        columns=lambda shown: {"scores": shown.by([0.5, 1.0])},
        exported=lambda shown: {
            **{"steps_mode": mode, "steps_count": shown.by([2, 1]), "steps_segmentation": 1},
            **{"steps_offsets": shown.by([[[0, 19], [20, 36]], [[0, 8]]])},
            **{"steps_first_fault": None, "steps_marks": None, **exported(shown)},
        },
        measure={0: 0.5, 1: 1.0},
    )


ANSWERED: dict[str, Case] = {
    "preference": Case(
        {},
        posts=lambda shown: {"q": shown.letter(0), "q.strength": "2"},
        stored=lambda shown: {"choice": shown.letter(0), "strength": 2 * shown.sign, "scale": 3},
        columns=lambda shown: {"preference": shown.letter(0), "strength": 2 * shown.sign, "strength_scale": 3},
        measure={0: 1.0},
        pairs=lambda shown: {"preference": shown.letter(0)},
    ),
    "acceptable per_response": Case(
        {"mode": "per_response"},
        posts=lambda shown: {f"q.{shown.letter(0)}": "yes", f"q.{shown.letter(1)}": "no"},
        stored=lambda shown: shown.by([True, False]),
        columns=lambda shown: {"acceptable": shown.by([True, False])},
        measure={0: 1.0, 1: 0.0},
        pairs=lambda shown: dict(zip(("acceptable_a", "acceptable_b"), shown.by([1, 0]), strict=True)),
    ),
    "acceptable neither": Case(
        {"mode": "neither"},
        posts=lambda shown: {"q": shown.letter(1)},
        stored=lambda shown: shown.by([False, True]),
        columns=lambda shown: {"acceptable": shown.by([False, True])},
        measure={0: 0.0, 1: 1.0},
        pairs=lambda shown: dict(zip(("acceptable_a", "acceptable_b"), shown.by([0, 1]), strict=True)),
    ),
    "amount upgrade": upgrade("upgrade", "stated"),
    "amount bdm": upgrade("bdm", "paid_self", amount_endowment="5.00", amount_at_bound=False),
    "amount price_list": price_list(),
    "amount per_response": Case(
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
    "rationale": Case(
        {},
        posts=lambda shown: {"q": WORDS},
        stored=lambda shown: {"given": True},
        exported=lambda shown: {"rationale_given": True},
    ),
    "rating": Case(
        {},
        **THREE,
        posts=lambda shown: {f"q.{shown.letter(position)}": level for position, level in enumerate("531")},
        stored=lambda shown: {"values": {"overall": shown.by([5, 3, 1])}},
        columns=lambda shown: {"scores": shown.by([5.0, 3.0, 1.0])},
        exported=lambda shown: {
            **{"rating_attributes": ["overall"], "rating_values": [shown.by([5, 3, 1])]},
            **{"rating_scale": "points", "rating_lowest": 1, "rating_highest": 5},
        },
        measure={0: 5.0, 1: 3.0, 2: 1.0},
    ),
    "rating by attribute": Case(
        {"attributes": ["Right", "Clear"], "scale": "line", "to_ranking": "no"},
        posts=lambda shown: {
            f"q.{shown.letter(position)}{attribute}": value
            for position, attribute, value in ((0, 1, "100"), (1, 1, "0"), (0, 2, "50"), (1, 2, "7"))
        },
        stored=lambda shown: {"values": {"Right": shown.by([100, 0]), "Clear": shown.by([50, 7])}},
        exported=lambda shown: {
            **{"rating_attributes": ["Clear", "Right"], "rating_values": [shown.by([50, 7]), shown.by([100, 0])]},
            **{"rating_scale": "line", "rating_lowest": 0, "rating_highest": 100},
        },
    ),
    "ranking order": Case(
        {"mode": "order"},
        **THREE,
        posts=lambda shown: {f"q.{shown.letter(position)}": place for position, place in enumerate("133")},
        stored=lambda shown: {"mode": "order", "tiers": shown.by([1, 2, 2])},
        columns=lambda shown: {"tiers": shown.by([1, 2, 2])},
        exported=lambda shown: {"ranking_mode": "order"},
        measure={0: 1.0, 1: 2.0, 2: 2.0},
    ),
    "ranking best_worst": Case(
        {"mode": "best_worst"},
        **THREE,
        posts=lambda shown: {"q.best": shown.letter(0), "q.worst": shown.letter(2)},
        stored=lambda shown: {"mode": "best_worst", "tiers": shown.by([1, 2, 3])},
        columns=lambda shown: {"tiers": shown.by([1, 2, 3])},
        exported=lambda shown: {"ranking_mode": "best_worst"},
        measure={0: 1.0, 1: 2.0, 2: 3.0},
    ),
    "thumbs": Case(
        {},
        texts=("Only.",),
        orders=([0],),
        posts=lambda shown: {"q": "down"},
        stored=lambda shown: False,
        columns=lambda shown: {"thumb": False},
        measure={0: 0.0},
    ),
    "labels item": Case(
        {"mode": "item"},
        posts=lambda shown: {"q.2": "Complete"},
        stored=lambda shown: {"mode": "item", "labels": ["Complete"]},
        exported=lambda shown: {"labels": ["Complete"], "labels_by_response": None},
        measure={0: 1.0},
    ),
    "labels response": Case(
        {"mode": "response"},
        posts=lambda shown: {f"q.{shown.letter(0)}1": "Correct", f"q.{shown.letter(1)}3": "Clear"},
        stored=lambda shown: {"mode": "response", "labels": shown.by([["Correct"], ["Clear"]])},
        exported=lambda shown: {"labels": None, "labels_by_response": shown.by([["Correct"], ["Clear"]])},
        measure={0: 1.0},
    ),
    "confidence": Case(
        {},
        posts=lambda shown: {"q": "4"},
        stored=lambda shown: {"level": 4, "levels": 5},
        columns=lambda shown: {"confidence": 4},
        exported=lambda shown: {"confidence_levels": 5},
    ),
    "context": Case(
        {},
        posts=lambda shown: {"q": "for-everyday-use"},
        stored=lambda shown: {"context": "for-everyday-use", "words": "For everyday use"},
        columns=lambda shown: {"context": "for-everyday-use"},
        exported=lambda shown: {"context_words": "For everyday use"},
        measure={0: 1.0},
    ),
    "context own": Case(
        {"own": "allowed"},
        posts=lambda shown: {"q": "own", "q.own": WORDS},
        stored=lambda shown: {"context": "own", "words": None},
        columns=lambda shown: {"context": "own"},
        exported=lambda shown: {"context_words": None},
        measure={0: 1.0},
    ),
    "spans": spans(),
    "steps first_fault": steps(
        "first_fault",
        lambda shown: {f"q.{shown.letter(0)}": "1", f"q.{shown.letter(1)}": "none"},
        lambda shown: {"steps_first_fault": shown.by([1, None])},
    ),
    "steps each": steps(
        "each",
        lambda shown: {
            **{f"q.{shown.letter(0)}-1": "good", f"q.{shown.letter(0)}-2": "bad", f"q.{shown.letter(1)}-1": "neutral"},
        },
        lambda shown: {"steps_marks": shown.by([["good", "bad"], ["neutral"]])},
    ),
    "rewrite": Case(
        {},
        posts=lambda shown: {"q.of": shown.letter(0), "q.text": WORDS},
        stored=lambda shown: {"of": shown.order.index(0), "given": True, "characters": len(WORDS)},
        exported=lambda shown: {
            "rewrite_given": True,
            "rewrite_of": shown.order.index(0),
            "rewrite_characters": len(WORDS),
        },
    ),
}
# A name is the type, and the mode or whatever else makes it a case of its own.
CASES = {name: replace(case, type=name.split(" ")[0]) for name, case in ANSWERED.items()}
