"""What it is worth to somebody to have the response they chose instead of the other: one typed amount."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.enums import Preference
from annotation.questions.amount.mode import (
    ANSWERS,
    OTHER_SIDE,
    Mode,
    is_confirmed,
    is_protest,
    keep_box,
    terms,
    unit_columns,
    zero_choice,
)
from annotation.questions.amount.typed_decimal import amount_text, parse_amount
from annotation.questions.base import Answer, Asked, Random, Situation, field_name, members
from annotation.questions.presentation import element_id
from annotation.questions.refusals import Refusal, Refused

ZERO = Decimal("0.00")
ZERO_MEANS = (
    ("no_worth", gettext_lazy("They differ, but the difference is not worth money to me")),
    ("refuse", gettext_lazy("I refuse to put a price on this")),
)


class UpgradeMode(Mode):
    """Raw: {"amount": text or number, "zero": "no_worth" | "refuse" | null, "keep": the amount again | null} or null.

    Asked of those who chose A or B. `zero` says what an amount of 0 means. `keep` repeats an amount above ten times
    the person's own median; it confirms that amount and no other.
    Stored: state, side, amount (text, exact), currency, mode, incentive, confirmed. States: `given`; `zero`, a true 0;
    `implied`, the 0 of a tie; `protest`, no price on purpose; `skipped`, asked and left out; `not_applicable`, neither
    side was chosen. Only the first three have an amount. Columns say mode, incentive and currency for all but the last.
    """

    slug = "upgrade"
    label = gettext_lazy("The better one over the other")
    exported = frozenset({"amount"})

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return ("a", "b", "zero", "keep")

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        typed = values.get(before.get("preference", ""), "").strip()
        if not typed:
            return None
        try:
            amount = parse_amount(typed)
        except Refused:
            return {"amount": typed, "zero": None, "keep": None}
        zero = values["zero"] if amount == 0 else ""
        return {"amount": typed, "zero": zero or None, "keep": values["keep"] or None}

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        given = members(
            {} if raw is None else raw,
            ("amount", "zero", "keep"),
            _("An amount is an object of amount, zero and keep."),
        )
        if isinstance(given["amount"], str) and not given["amount"].strip():
            given["amount"] = None
        side = before.get("preference", "")
        if side not in OTHER_SIDE:
            return self._without_choice(asked, given, side, situation)
        try:
            return self._priced(asked, given, side, situation)
        except Refused as refused:
            # What is about the number itself is shown at the side that was chosen.
            refused.refusal = replace(refused.refusal, part=refused.refusal.part or side)
            raise

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        refused = {refusal.part: refusal for refusal in refusals}
        return {
            "currency": situation.currency,
            "sides": [self._side(asked, side, values[side], side in refused, situation) for side in OTHER_SIDE],
            "zero": zero_choice(asked, "zero", ZERO_MEANS, values, "zero" in refused),
            "asks_zero": bool(values["zero"]) or "zero" in refused,
            "keep": keep_box(asked, "keep", values["keep"], refused.get("keep")),
        }

    def simulate(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any:
        # Drawn first, so that the stream of random numbers does not depend on what was answered.
        leaves_out = rng.random() >= ANSWERS
        if before.get("preference") not in OTHER_SIDE or (leaves_out and not asked.required):
            return None
        typed = self._worth(abs(float(utilities[0] - utilities[1])), situation)
        return {"amount": typed, "zero": "no_worth" if typed == "0.00" else None, "keep": typed}

    def question(self, side: str) -> str:
        words = _(
            "Suppose you asked this and had only %(other)s."
            " What is the most you would pay, once, to have %(side)s instead?"
        )
        return words % {"side": side.upper(), "other": OTHER_SIDE[side].upper()}

    def explanation(self, side: str, situation: Situation) -> str:
        return " ".join(
            [
                _("Zero is a fine answer. Think what else that money would buy."),
                _("No money changes hands here, and people tend to overstate such amounts."),
            ]
        )

    def bound(self, amount: Decimal, situation: Situation) -> None:
        """Refuse an amount beyond what can be paid. What is only stated has no end."""

    def stored(
        self,
        state: str,
        asked: Asked,
        situation: Situation,
        *,
        side: str | None = None,
        amount: Decimal | None = None,
        confirmed: bool = False,
    ) -> dict[str, Any]:
        typed = {"state": state, "side": side, "amount": None if amount is None else amount_text(amount)}
        return {**typed, **terms(asked, situation), "confirmed": confirmed}

    def _worth(self, worth: float, situation: Situation) -> str:
        return f"{worth:.2f}"

    def _without_choice(self, asked: Asked, given: dict[str, Any], preference: str, situation: Situation) -> Answer:
        if any(value is not None for value in given.values()):
            raise Refused("not_asked", _("An amount is asked only after A or B."))
        if preference != Preference.TIE:
            return Answer(stored=self.stored("not_applicable", asked, situation))
        columns = self._columns(asked, situation, ZERO, ZERO)
        return Answer(stored=self.stored("implied", asked, situation, amount=ZERO), columns=columns)

    def _priced(self, asked: Asked, given: dict[str, Any], side: str, situation: Situation) -> Answer:
        if given["amount"] is None:
            if given["zero"] is not None or given["keep"] is not None:
                raise Refused("missing", _("Type the amount."))
            if asked.required:
                raise Refused("missing", _("Type an amount. Zero is a fine answer."))
            stored = self.stored("skipped", asked, situation, side=side)
            return Answer(stored=stored, columns=self._columns(asked, situation))
        amount = parse_amount(given["amount"])
        self.bound(amount, situation)
        unexplained = _("You chose one and typed zero. Say what zero means here.")
        if is_protest(amount, given["zero"], ZERO_MEANS, unexplained, "zero"):
            stored = self.stored("protest", asked, situation, side=side)
            return Answer(stored=stored, columns=self._columns(asked, situation))
        confirmed = is_confirmed(amount, given["keep"], situation, "keep")
        state = "given" if amount else "zero"
        return Answer(
            stored=self.stored(state, asked, situation, side=side, amount=amount, confirmed=confirmed),
            columns=self._columns(asked, situation, amount, amount if side == "a" else -amount),
        )

    def _columns(
        self,
        asked: Asked,
        situation: Situation,
        amount: Decimal | None = None,
        net_utility: Decimal | None = None,
    ) -> dict[str, Any]:
        columns = unit_columns(asked, situation)
        if amount is not None:
            columns |= {"amount_low": amount, "amount_high": amount, "net_utility": net_utility}
        return columns

    def _side(self, asked: Asked, side: str, typed: str, refused: bool, situation: Situation) -> dict[str, Any]:
        name = field_name(asked.name, side)
        return {
            "side": side,
            "letter": side.upper(),
            "other": OTHER_SIDE[side].upper(),
            "name": name,
            "id": element_id(name),
            "question": self.question(side),
            "explanation": self.explanation(side, situation),
            "typed": typed,
            "refused": refused,
        }
