"""What it is worth to somebody to have the response they chose instead of the other, in money."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.enums import Preference
from annotation.questions.amount.typed_decimal import amount_text, parse_amount
from annotation.questions.base import Answer, Asked, QuestionType, Random, Situation, field_name, members
from annotation.questions.presentation import Choice, Option, element_id
from annotation.questions.refusals import QuestionDoesNotFit, Refusal, Refused
from annotation.questions.settings import one_of

OTHER_SIDE = {"a": "b", "b": "a"}
# More than this many times what somebody usually types is more often a slip than an opinion.
UNUSUAL = 10
ZERO = Decimal("0.00")
ZERO_MEANS = (
    ("no_worth", gettext_lazy("They differ, but the difference is not worth money to me")),
    ("refuse", gettext_lazy("I refuse to put a price on this")),
)
# Of simulated people who may leave the question out, this share answers it.
ANSWERS = 0.85


class AmountQuestion(QuestionType):
    """Raw: {"amount": text or number, "zero": "no_worth" | "refuse" | null, "keep": the amount again | null} or null.

    Mode `upgrade`: asked of those who chose A or B. `zero` says what an amount of 0 means. `keep` repeats an amount
    above ten times the person's own median; it confirms that amount and no other.
    Stored: state, side, amount (text, exact), currency, mode, incentive, confirmed. States: `given`; `zero`, a true 0;
    `implied`, the 0 of a tie; `protest`, no price on purpose; `skipped`, asked and left out; `not_applicable`, neither
    side was chosen. Only the first three have an amount. Columns say mode, incentive and currency for all but the last.
    """

    slug = "amount"
    label = gettext_lazy("Amount")
    title = gettext_lazy("What is the better one worth to you?")
    settings = {"mode": one_of("upgrade"), "incentive": one_of("stated")}
    gives = frozenset({"amount_low", "amount_high", "net_utility", "currency", "amount_mode", "incentive"})
    needs = frozenset({"preference"})
    responses = 2

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        super().check_fit(asked, situation)
        if not situation.currency:
            raise QuestionDoesNotFit(f"{asked.name}: amounts need a unit")
        if situation.incentive != asked.settings["incentive"]:
            raise QuestionDoesNotFit(
                f"{asked.name} promises {asked.settings['incentive']} amounts, here they are {situation.incentive}"
            )

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
        means = values["zero"]
        return {
            "currency": situation.currency,
            "sides": [self._side(asked, side, values[side], side in refused) for side in OTHER_SIDE],
            "zero": Choice(
                field_name(asked.name, "zero"),
                _("What does zero mean here?"),
                [Option(value, label, "", means == value) for value, label in ZERO_MEANS],
                required=True,
                refused="zero" in refused,
                layout="list",
            ),
            "asks_zero": bool(means) or "zero" in refused,
            "keep": self._keep(asked, values["keep"], refused.get("keep")),
        }

    def export_columns(self, stored: Any) -> dict[str, Any]:
        amount = None if stored["amount"] is None else Decimal(stored["amount"])
        signed = -amount if amount is not None and stored["side"] == "b" else amount
        return {
            "amount": stored["amount"],
            "amount_state": stored["state"],
            "amount_currency": stored["currency"],
            "amount_mode": stored["mode"],
            "amount_incentive": stored["incentive"],
            "amount_confirmed": stored["confirmed"],
            "net_utility": None if signed is None else f"{signed:f}",
        }

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        # Drawn first, so that the stream of random numbers does not depend on what was answered.
        leaves_out = rng.random() >= ANSWERS
        if before.get("preference") not in OTHER_SIDE or (leaves_out and not asked.required):
            return None
        typed = f"{abs(float(utilities[0] - utilities[1])):.2f}"
        return {"amount": typed, "zero": "no_worth" if typed == "0.00" else None, "keep": typed}

    def _without_choice(self, asked: Asked, given: dict[str, Any], preference: str, situation: Situation) -> Answer:
        if any(value is not None for value in given.values()):
            raise Refused("not_asked", _("An amount is asked only after A or B."))
        if preference != Preference.TIE:
            return Answer(stored=self._stored("not_applicable", asked, situation))
        columns = self._columns(asked, situation, ZERO, ZERO)
        return Answer(stored=self._stored("implied", asked, situation, amount=ZERO), columns=columns)

    def _priced(self, asked: Asked, given: dict[str, Any], side: str, situation: Situation) -> Answer:
        if given["amount"] is None:
            if given["zero"] is not None or given["keep"] is not None:
                raise Refused("missing", _("Type the amount."))
            if asked.required:
                raise Refused("missing", _("Type an amount. Zero is a fine answer."))
            stored = self._stored("skipped", asked, situation, side=side)
            return Answer(stored=stored, columns=self._columns(asked, situation))
        amount = parse_amount(given["amount"])
        if self._means_protest(amount, given["zero"]):
            stored = self._stored("protest", asked, situation, side=side)
            return Answer(stored=stored, columns=self._columns(asked, situation))
        confirmed = self._confirmed(amount, given["keep"], situation)
        state = "given" if amount else "zero"
        return Answer(
            stored=self._stored(state, asked, situation, side=side, amount=amount, confirmed=confirmed),
            columns=self._columns(asked, situation, amount, amount if side == "a" else -amount),
        )

    def _means_protest(self, amount: Decimal, zero: Any) -> bool:
        if amount:
            if zero is not None:
                raise Refused("zero_not_asked", _("What zero means is asked only after an amount of zero."))
            return False
        if zero is None:
            raise Refused("zero_unexplained", _("You chose one and typed zero. Say what zero means here."), part="zero")
        if not isinstance(zero, str) or zero not in {value for value, _label in ZERO_MEANS}:
            raise Refused("unknown_choice", _("That is none of the choices."), part="zero")
        return zero == "refuse"

    def _confirmed(self, amount: Decimal, keep: Any, situation: Situation) -> bool:
        usual = situation.own_median_amount
        if not usual or amount <= UNUSUAL * usual:
            return False
        try:
            kept = None if keep is None else parse_amount(keep)
        except Refused:
            kept = None
        if kept != amount:
            raise Refused(
                "unusual",
                _("You typed %(amount)s %(currency)s, more than ten times your usual amount. Keep?")
                % {"amount": amount_text(amount), "currency": situation.currency},
                part="keep",
                confirm=amount_text(amount),
            )
        return True

    def _stored(
        self,
        state: str,
        asked: Asked,
        situation: Situation,
        *,
        side: str | None = None,
        amount: Decimal | None = None,
        confirmed: bool = False,
    ) -> dict[str, Any]:
        return {
            "state": state,
            "side": side,
            "amount": None if amount is None else amount_text(amount),
            "currency": situation.currency,
            "mode": asked.settings["mode"],
            "incentive": asked.settings["incentive"],
            "confirmed": confirmed,
        }

    def _columns(
        self,
        asked: Asked,
        situation: Situation,
        amount: Decimal | None = None,
        net_utility: Decimal | None = None,
    ) -> dict[str, Any]:
        columns: dict[str, Any] = {
            "currency": situation.currency,
            "amount_mode": asked.settings["mode"],
            "incentive": asked.settings["incentive"],
        }
        if amount is not None:
            columns |= {"amount_low": amount, "amount_high": amount, "net_utility": net_utility}
        return columns

    def _side(self, asked: Asked, side: str, typed: str, refused: bool) -> dict[str, Any]:
        name = field_name(asked.name, side)
        words = _(
            "Suppose you asked this and had only %(other)s."
            " What is the most you would pay, once, to have %(side)s instead?"
        ) % {"side": side.upper(), "other": OTHER_SIDE[side].upper()}
        return {
            "side": side,
            "name": name,
            "id": element_id(name),
            "question": words,
            "typed": typed,
            "refused": refused,
        }

    def _keep(self, asked: Asked, posted: str, refusal: Refusal | None) -> dict[str, Any] | None:
        """The box that confirms an unusual amount: offered when that was refused, kept when something else was."""
        name = field_name(asked.name, "keep")
        try:
            value = refusal.confirm if refusal else amount_text(parse_amount(posted))
        except Refused:
            return None
        return {"name": name, "id": element_id(name), "value": value, "checked": not refusal, "refused": bool(refusal)}


QUESTION_TYPE = AmountQuestion()
