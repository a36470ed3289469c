"""What it is worth to somebody to have the response they chose, between two prices of a list."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.enums import Preference
from annotation.questions.amount.mode import ANSWERS, OTHER_SIDE, Mode, terms, unit_columns
from annotation.questions.amount.typed_decimal import amount_text, parse_amount
from annotation.questions.base import Answer, Asked, Random, Situation, field_name, members
from annotation.questions.presentation import Choice, Option, element_id
from annotation.questions.refusals import Refusal, Refused
from annotation.questions.settings import Kind, Setting

DIRECTIONS = ("up", "down")
DEFAULT_PRICES = ["0.00", "0.10", "0.25", "0.50", "1.00", "2.00", "5.00", "10.00", "20.00"]
LEAST_PRICES, MOST_PRICES = 3, 30
ZERO = Decimal("0.00")
# A whole list in one word: whose it is, then of each price, from the lowest, whether it was paid.
WHOLE = re.compile(r"(?P<side>[ab])(?P<rows>[01]+)", re.ASCII)


def canonical_prices(lines: Sequence[str]) -> list[str]:
    return [amount_text(parse_amount(line)) for line in lines]


def price_lines() -> Setting:
    """The prices of a list, lowest first, beginning with 0 as a check."""

    def accepts(value: Any) -> bool:
        if not isinstance(value, list) or not LEAST_PRICES <= len(value) <= MOST_PRICES:
            return False
        try:
            prices = [parse_amount(line) if isinstance(line, str) else None for line in value]
        except Refused:
            return False
        known = [price for price in prices if price is not None]
        return len(known) == len(value) and known[0] == 0 and known == sorted(set(known))

    expects = f"{LEAST_PRICES} to {MOST_PRICES} lines of amounts, each above the one before, the first of them 0"
    return Setting(gettext_lazy("Prices, one a line"), list(DEFAULT_PRICES), accepts, expects, Kind.LINES)


class PriceListMode(Mode):
    """Raw: {"rows": for each price, lowest first, true where the chosen one was taken at that price and false where
    the other one for free, "first": a whole list | null, "keep": a whole list | null} or null.

    A whole list is one word, "a1101". A list that takes a price above one it left is asked back once: `keep` repeats
    it to confirm it, `first` holds it where the answer was changed instead. Stored besides what `upgrade` stores: the
    prices, which way they ran, rows, the first version, the switches of both, whether the list is consistent, whether
    the row of 0 was taken, and low and high: the highest accepted price and the lowest refused one, null where there
    is none. Of an inconsistent list, low is the last price accepted before any was refused and high the first refused
    after all accepted ones. Columns amount_low and amount_high are these; a tie is 0 in all three amounts.
    """

    slug = "price_list"
    label = gettext_lazy("Price list")
    exported = frozenset(
        {
            *("amount", "amount_low", "amount_high", "amount_prices", "amount_direction", "amount_rows"),
            *("amount_first_rows", "amount_switches", "amount_first_switches", "amount_consistent"),
            "amount_zero_taken",
        }
    )

    def misfit(self, situation: Situation) -> str:
        if situation.price_direction not in DIRECTIONS:
            return f"runs up or down, not {situation.price_direction!r:.20}"
        return super().misfit(situation)

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        rows = [f"{side}-{row}" for side in OTHER_SIDE for row in range(len(asked.settings["prices"]))]
        return (*rows, "first", "keep")

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        side = before.get("preference", "")
        if side not in OTHER_SIDE:
            return None
        posted = [values[f"{side}-{row}"] for row in range(len(asked.settings["prices"]))]
        if not any(posted):
            return None
        words: dict[str, Any] = {"pay": True, "free": False, "": None}
        rows = [words.get(value, value) for value in posted]
        return {"rows": rows, "first": values["first"] or None, "keep": values["keep"] or None}

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        given = members(
            {} if raw is None else raw,
            ("rows", "first", "keep"),
            _("A price list is an object of rows, first and keep."),
        )
        side = before.get("preference", "")
        if side not in OTHER_SIDE:
            return _without_choice(asked, given, side, situation)
        if given["rows"] is None:
            if asked.required or given["first"] is not None or given["keep"] is not None:
                raise Refused("missing", _("Choose in every row."), part=f"{side}-0")
            stored = _stored("skipped", asked, situation, side=side)
            return Answer(stored=stored, columns=unit_columns(asked, situation))
        rows = _read_rows(given["rows"], side, asked)
        first, kept = self._asked_back(rows, given, side)
        low, high = _hull(rows, [Decimal(price) for price in asked.settings["prices"]])
        stored = _stored("given", asked, situation, side=side, rows=rows, first=first, low=low, high=high, kept=kept)
        bounds = {"amount_low": low, "amount_high": high}
        known = {name: bound for name, bound in bounds.items() if bound is not None}
        return Answer(stored=stored, columns=unit_columns(asked, situation) | known)

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        refused = {refusal.part: refusal for refusal in refusals}
        asked_back = refused.get("keep")
        whole = asked_back.confirm if asked_back else values["first"]
        keep = field_name(asked.name, "keep")
        return {
            "sides": [self._side(asked, side, values, set(refused), situation) for side in OTHER_SIDE],
            "whole": whole if WHOLE.fullmatch(whole) else "",
            "first": field_name(asked.name, "first"),
            "keep": {
                "name": keep,
                "id": element_id(keep),
                "checked": not asked_back and values["keep"] == whole,
                "refused": bool(asked_back),
            },
        }

    def simulate(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any:
        leaves_out = rng.random() >= ANSWERS
        if before.get("preference") not in OTHER_SIDE or (leaves_out and not asked.required):
            return None
        worth = abs(float(utilities[0] - utilities[1]))
        return {"rows": [float(price) <= worth for price in asked.settings["prices"]], "first": None, "keep": None}

    def _asked_back(self, rows: list[bool], given: Mapping[str, Any], side: str) -> tuple[list[bool] | None, bool]:
        """The version that was asked back, if one was, and whether it was kept. Refuses where it must be asked back."""
        whole, first = _whole(side, rows), _read_whole(given["first"], side, len(rows))
        if first is not None and first != rows:
            if given["keep"] == given["first"]:
                words = _("You changed your choices and also said to keep them. Do one or the other.")
                raise Refused("kept_and_changed", words, part="keep", confirm=given["keep"])
            return first, False
        if _is_consistent(rows):
            return None, False
        if given["keep"] != whole:
            words = _("You would pay a price, and would not pay a lower one. Keep that, or change your choices?")
            raise Refused("switches", words, part="keep", confirm=whole)
        return rows, True

    def _side(
        self, asked: Asked, side: str, values: Mapping[str, str], refused: set[str], situation: Situation
    ) -> dict[str, Any]:
        rows = []
        letter, other = side.upper(), OTHER_SIDE[side].upper()
        for row, price in enumerate(asked.settings["prices"]):
            part = f"{side}-{row}"
            legend = f"{price} {situation.currency}"
            pay = _("%(side)s at %(price)s %(currency)s") % {
                "side": letter,
                "price": price,
                "currency": situation.currency,
            }
            free = _("%(other)s for free") % {"other": other}
            options = [
                Option("pay", pay, checked=values[part] == "pay"),
                Option("free", free, checked=values[part] == "free"),
            ]
            name = field_name(asked.name, part)
            rows.append(Choice(name, legend, options, asked.required, part in refused, "grid", says_optional=False))
        if situation.price_direction == "down":
            rows.reverse()
        return {"side": side, "letter": letter, "other": other, "rows": rows}


def _read_rows(raw: Any, side: str, asked: Asked) -> list[bool]:
    if not isinstance(raw, list) or len(raw) != len(asked.settings["prices"]):
        raise Refused("malformed", _("Choose in every row."), part=f"{side}-0")
    for row, each in enumerate(raw):
        if each is None:
            raise Refused("incomplete", _("Choose in every row."), part=f"{side}-{row}")
        if not isinstance(each, bool):
            raise Refused("malformed", _("That is none of the choices."), part=f"{side}-{row}")
    return list(raw)


def _read_whole(raw: Any, side: str, count: int) -> list[bool] | None:
    """A first version; what was said of the other side is none of this list's."""
    if raw is None:
        return None
    found = WHOLE.fullmatch(raw) if isinstance(raw, str) else None
    rows = [] if found is None else [row == "1" for row in found["rows"]]
    if found is None or len(rows) != count or _is_consistent(rows):
        raise Refused("malformed", _("The first version is no list that could have been asked back."), part=f"{side}-0")
    return rows if found["side"] == side else None


def _whole(side: str, rows: Sequence[bool]) -> str:
    return side + "".join("1" if row else "0" for row in rows)


def _is_consistent(rows: Sequence[bool]) -> bool:
    """Whoever pays a price pays every lower one."""
    return list(rows) == sorted(rows, reverse=True)


def _switches(rows: Sequence[bool] | None) -> int | None:
    return None if rows is None else sum(one != other for one, other in pairwise(rows))


def _hull(rows: Sequence[bool], prices: Sequence[Decimal]) -> tuple[Decimal | None, Decimal | None]:
    accepted = list(rows).index(False) if False in rows else len(rows)
    refused = len(rows) - list(reversed(rows)).index(True) if True in rows else 0
    return (prices[accepted - 1] if accepted else None), (prices[refused] if refused < len(rows) else None)


def _without_choice(asked: Asked, given: dict[str, Any], preference: str, situation: Situation) -> Answer:
    if any(value is not None for value in given.values()):
        raise Refused("not_asked", _("A price list is asked only after A or B."))
    if preference != Preference.TIE:
        return Answer(stored=_stored("not_applicable", asked, situation))
    columns = unit_columns(asked, situation) | dict.fromkeys(("amount_low", "amount_high", "net_utility"), ZERO)
    return Answer(stored=_stored("implied", asked, situation, low=ZERO, high=ZERO), columns=columns)


def _stored(
    state: str,
    asked: Asked,
    situation: Situation,
    *,
    side: str | None = None,
    rows: Sequence[bool] | None = None,
    first: Sequence[bool] | None = None,
    low: Decimal | None = None,
    high: Decimal | None = None,
    kept: bool = False,
) -> dict[str, Any]:
    return {
        "state": state,
        "side": side,
        "amount": amount_text(ZERO) if state == "implied" else None,
        **terms(asked, situation),
        "confirmed": kept,
        "low": None if low is None else amount_text(low),
        "high": None if high is None else amount_text(high),
        "prices": list(asked.settings["prices"]),
        "direction": situation.price_direction,
        "rows": None if rows is None else list(rows),
        "first_rows": None if first is None else list(first),
        "switches": _switches(rows),
        "first_switches": _switches(first),
        "consistent": None if rows is None else _is_consistent(rows),
        "zero_taken": None if rows is None else rows[0],
    }
