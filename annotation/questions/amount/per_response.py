"""What it is worth to somebody to receive each response, or to be spared it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.enums import Preference
from annotation.questions.amount.mode import (
    ANSWERS,
    Mode,
    is_confirmed,
    is_protest,
    keep_box,
    terms,
    unit_columns,
    zero_choice,
)
from annotation.questions.amount.typed_decimal import WHOLE_DIGITS, amount_text, parse_amount
from annotation.questions.base import Answer, Asked, Random, Situation, field_name, members, side_letter
from annotation.questions.presentation import element_id
from annotation.questions.refusals import Refusal, Refused

MOST_RESPONSES = 26
MEMBERS = ("amount", "against", "zero", "keep")
ZERO_MEANS = (
    ("no_worth", gettext_lazy("It is not worth money to me")),
    ("refuse", gettext_lazy("I refuse to put a price on this")),
)


class PerResponseMode(Mode):
    """Raw: a list of {"amount": text or number, "against": true | false | null, "zero": "no_worth" | "refuse" | null,
    "keep": the amount again | null}, one for each response in the order shown, or null. All or none.

    `against` makes the amount what one would pay not to get the response. Stored: state, amounts (of each: state as
    in `upgrade`, the signed amount, whether it was confirmed), net_utility and whether it contradicts the preference.
    The log lets no such contradiction into its columns: then the amounts are kept here and net_utility is null.
    States: `given`, `partial` where some price was refused, `protest` where all were, `skipped`.
    Columns: of two responses net_utility; of one its amount.
    """

    slug = "per_response"
    label = gettext_lazy("For each response")
    exported = frozenset({"amounts", "amount_states", "amount_contradicts_preference"})
    title = gettext_lazy("What is each response worth to you?")
    responses = None
    after_preference = False

    def misfit(self, situation: Situation) -> str:
        fits = 1 <= situation.responses <= MOST_RESPONSES
        return "" if fits else f"prices 1 to {MOST_RESPONSES} responses, not {situation.responses}"

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        letters = [side_letter(index).lower() for index in range(situation.responses)]
        return tuple(f"{letter}{part}" for letter in letters for part in ("", "-against", "-zero", "-keep"))

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        letters = [side_letter(index).lower() for index in range(situation.responses)]
        if not any(values[letter].strip() for letter in letters):
            return None
        return [_collect_one(values, letter) for letter in letters]

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if raw is None:
            if asked.required:
                raise Refused("missing", _("Type an amount for each response. Zero is a fine answer."), part="a")
            return Answer(stored=_stored("skipped", [], None, asked, situation), columns=unit_columns(asked, situation))
        if not isinstance(raw, list) or len(raw) != situation.responses:
            raise Refused("malformed", _("Amounts are a list with one for each response."), part="a")
        amounts = [_read_one(each, side_letter(index).lower(), situation) for index, each in enumerate(raw)]
        protests = [each["state"] == "protest" for each in amounts]
        state = "protest" if all(protests) else "partial" if any(protests) else "given"
        columns, net_utility = unit_columns(asked, situation), None
        if state == "given" and situation.responses == 1:
            columns |= dict.fromkeys(("amount_low", "amount_high"), Decimal(amounts[0]["amount"]))
        if state == "given" and situation.responses == 2:
            net_utility = Decimal(amounts[0]["amount"]) - Decimal(amounts[1]["amount"])
            if abs(net_utility) >= 10**WHOLE_DIGITS:
                raise Refused("too_large", _("The two amounts lie further apart than can be kept."), part="a")
        contradicts = net_utility is not None and not _agrees(net_utility, before)
        if net_utility is not None and not contradicts:
            columns["net_utility"] = net_utility
        stored = _stored(state, amounts, columns.get("net_utility"), asked, situation)
        return Answer(stored={**stored, "contradicts_preference": contradicts}, columns=columns)

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        refused = {refusal.part: refusal for refusal in refusals}
        letters = [side_letter(index) for index in range(situation.responses)]
        sides = [_present_one(asked, letter, values, refused) for letter in letters]
        return {"currency": situation.currency, "sides": sides}

    def simulate(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any:
        if rng.random() >= ANSWERS and not asked.required:
            return None
        raw = []
        for utility in utilities:
            typed = f"{abs(float(utility)):.2f}"
            zero = "no_worth" if typed == "0.00" else None
            raw.append({"amount": typed, "against": bool(utility < 0), "zero": zero, "keep": typed})
        return raw


def _collect_one(values: Mapping[str, str], letter: str) -> dict[str, Any] | None:
    typed = values[letter].strip()
    if not typed:
        return None
    return {
        "amount": typed,
        "against": values[f"{letter}-against"] != "",
        "zero": (values[f"{letter}-zero"] or None) if _is_zero(typed) else None,
        "keep": values[f"{letter}-keep"] or None,
    }


def _is_zero(typed: str) -> bool:
    try:
        return parse_amount(typed) == 0
    except Refused:
        return False


def _read_one(raw: Any, letter: str, situation: Situation) -> dict[str, Any]:
    try:
        given = members(
            {} if raw is None else raw, MEMBERS, _("An amount is an object of amount, against, zero and keep.")
        )
        if given["amount"] is None or (isinstance(given["amount"], str) and not given["amount"].strip()):
            raise Refused("incomplete", _("Type an amount for each response. Zero is a fine answer."))
        if given["against"] is not None and not isinstance(given["against"], bool):
            raise Refused("malformed", _("Whether you would pay not to get it is true or false."))
        amount = parse_amount(given["amount"])
    except Refused as refused:
        if refused.refusal.code == "negative":
            words = _("Type the amount without a sign, and tick that you would pay not to get this.")
            refused.refusal = replace(refused.refusal, message=words)
        refused.refusal = replace(refused.refusal, part=letter)
        raise
    unexplained = _("You typed zero. Say what zero means here.")
    try:
        protest = is_protest(amount, given["zero"], ZERO_MEANS, unexplained, f"{letter}-zero")
    except Refused as refused:
        refused.refusal = replace(refused.refusal, part=refused.refusal.part or letter)
        raise
    if protest:
        return {"state": "protest", "amount": None, "confirmed": False}
    confirmed = is_confirmed(amount, given["keep"], situation, f"{letter}-keep")
    signed = -amount if given["against"] else amount
    return {"state": "given" if amount else "zero", "amount": amount_text(signed), "confirmed": confirmed}


def _agrees(net_utility: Decimal, before: Mapping[str, Any]) -> bool:
    preference = before.get("preference", "")
    if preference == Preference.CANNOT_COMPARE:
        return False
    holds = {Preference.A: net_utility >= 0, Preference.B: net_utility <= 0, Preference.TIE: net_utility == 0}
    return holds.get(preference, True)


def _stored(
    state: str, amounts: list[dict[str, Any]], net_utility: Decimal | None, asked: Asked, situation: Situation
) -> dict[str, Any]:
    return {
        "state": state,
        "amounts": amounts,
        "net_utility": None if net_utility is None else amount_text(net_utility),
        **terms(asked, situation),
        "confirmed": any(each["confirmed"] for each in amounts),
        "contradicts_preference": False,
    }


def _present_one(
    asked: Asked, letter: str, values: Mapping[str, str], refused: Mapping[str, Refusal]
) -> dict[str, Any]:
    part = letter.lower()
    name, against = field_name(asked.name, part), field_name(asked.name, f"{part}-against")
    return {
        "legend": _("Response %(letter)s") % {"letter": letter},
        "question": _("Suppose you asked this. What is the most you would pay, once, to receive %(letter)s?")
        % {"letter": letter},
        "name": name,
        "id": element_id(name),
        "typed": values[part],
        "refused": part in refused,
        "against": {"name": against, "id": element_id(against), "checked": bool(values[f"{part}-against"])},
        "zero": zero_choice(asked, f"{part}-zero", ZERO_MEANS, values, f"{part}-zero" in refused),
        "asks_zero": _is_zero(values[part]),
        "keep": keep_box(asked, f"{part}-keep", values[f"{part}-keep"], refused.get(f"{part}-keep")),
    }
