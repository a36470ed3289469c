"""What responses are worth to somebody, in money. Each way to ask is a mode; kinds of amount are never pooled."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.amount.bdm import BdmMode
from annotation.questions.amount.mode import Mode
from annotation.questions.amount.per_response import PerResponseMode
from annotation.questions.amount.price_list import DEFAULT_PRICES, PriceListMode, canonical_prices, price_lines
from annotation.questions.amount.upgrade import UpgradeMode
from annotation.questions.base import Answer, Asked, Export, QuestionType, Random, Situation
from annotation.questions.refusals import InvalidSettings, QuestionDoesNotFit, Refusal
from annotation.questions.settings import one_of

MODES: dict[str, Mode] = {mode.slug: mode for mode in (UpgradeMode(), PerResponseMode(), PriceListMode(), BdmMode())}

# Members of what some modes store, each a column of its own.
OF_SOME_MODES = {
    "contradicts_preference": Export(bool, gettext_lazy("the amounts say otherwise than the preference")),
    "low": Export(str, gettext_lazy("highest price that was taken, and every lower one with it; exact")),
    "high": Export(str, gettext_lazy("lowest price that was refused, and every higher one with it; exact")),
    "prices": Export(list[str], gettext_lazy("the list's prices; exact")),
    "direction": Export(str, gettext_lazy("whether the list was shown upwards or downwards")),
    "rows": Export(list[bool], gettext_lazy("whether each price was taken")),
    "first_rows": Export(list[bool], gettext_lazy("the same before it was asked back")),
    "switches": Export(int, gettext_lazy("how often the rows change; more than once contradicts itself")),
    "first_switches": Export(int, gettext_lazy("the same before it was asked back")),
    "consistent": Export(bool, gettext_lazy("whoever takes a price takes every lower one")),
    "zero_taken": Export(bool, gettext_lazy("whether the first price was taken")),
    "endowment": Export(str, gettext_lazy("what was given to pay from; exact")),
    "at_bound": Export(bool, gettext_lazy("the amount is all of it, so that the truth may lie above")),
}


# Columns that are empty in every answer but those to modes that name them.
OF_MODES = frozenset().union(*(mode.exported for mode in MODES.values()))


class AmountQuestion(QuestionType):
    """Raw and stored: see the mode. Every mode stores state, currency, mode and incentive."""

    slug = "amount"
    label = gettext_lazy("Amount")
    title = gettext_lazy("What is the better one worth to you?")
    settings = {
        "mode": one_of(gettext_lazy("How it is asked"), {slug: mode.label for slug, mode in MODES.items()}),
        "incentive": one_of(
            gettext_lazy("Money"),
            {
                "stated": gettext_lazy("Stated, no money changes hands"),
                "paid_self": gettext_lazy("Paid, own prompt"),
                "paid_delegated": gettext_lazy("Paid, for somebody else"),
            },
            # Campaigns have no prompts of their annotators, and a launch refuses it: nothing could be delivered.
            not_offered=["paid_self"],
        ),
        "prices": price_lines(),
    }
    gives = frozenset({"amount_low", "amount_high", "net_utility", "currency", "amount_mode", "incentive"})
    exports = {
        "amount": Export(str, gettext_lazy("the amount as it was typed; exact")),
        "amount_state": Export(str, gettext_lazy("given, zero, implied by a tie, protest, skipped and so on")),
        "amount_currency": Export(str, gettext_lazy("unit of the amounts")),
        "amount_mode": Export(str, gettext_lazy("how it was asked")),
        "amount_incentive": Export(str, gettext_lazy("stated, or paid")),
        "amount_confirmed": Export(bool, gettext_lazy("an unusual answer was asked back and kept")),
        "net_utility": Export(str, gettext_lazy("by how much a is worth more; exact")),
        "amounts": Export(list[str], gettext_lazy("of each response: what receiving it is worth; exact")),
        "amount_states": Export(list[str], gettext_lazy("of each response: given, zero or protest")),
        **{f"amount_{name}": export for name, export in OF_SOME_MODES.items()},
    }
    needs = frozenset({"preference"})
    assets = ("ask.css",)

    def columns_exported(self, asked: Asked) -> Mapping[str, Export]:
        absent = OF_MODES - _mode(asked).exported
        return {name: column for name, column in super().columns_exported(asked).items() if name not in absent}

    def columns_needed(self, asked: Asked) -> frozenset[str]:
        return self.needs if _mode(asked).after_preference else frozenset()

    def columns_heeded(self, asked: Asked) -> frozenset[str]:
        """The log lets no sign of a net utility contradict the preference beside it."""
        return self.needs

    def _offered_by(self, mode: Mode) -> list[str]:
        return [str(label) for each, label in self.settings["incentive"].offered.items() if each in mode.incentives]

    def check_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        checked = super().check_settings(settings)
        mode = MODES[checked["mode"]]
        if checked["incentive"] not in mode.incentives:
            raise InvalidSettings(
                f"{self.slug}: incentive must be {' or '.join(mode.incentives)} where mode is {mode.slug},"
                f" not {checked['incentive']!r}",
                setting="incentive",
                words=_("Amounts that are asked in this way are: %(incentives)s.")
                % {"incentives": " / ".join(self._offered_by(mode))},
            )
        # Only where it is asked by a list, so that what never had prices keeps its digest.
        prices = canonical_prices(checked.pop("prices"))
        if mode.slug == PriceListMode.slug:
            return {**checked, "prices": prices}
        if prices != DEFAULT_PRICES:
            raise InvalidSettings(
                f"{self.slug}: prices are only for mode {PriceListMode.slug}, not {mode.slug}",
                setting="prices",
                words=_("Only a price list has prices. Leave them as they were."),
            )
        return checked

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        super().check_fit(asked, situation)
        if misfit := _mode(asked).misfit(situation):
            raise QuestionDoesNotFit(f"{asked.name} {misfit}")
        if not situation.currency:
            raise QuestionDoesNotFit(f"{asked.name}: amounts need a unit")
        if situation.incentive != asked.settings["incentive"]:
            raise QuestionDoesNotFit(
                f"{asked.name} promises {asked.settings['incentive']} amounts, here they are {situation.incentive}"
            )

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return _mode(asked).parts(asked, situation)

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        return _mode(asked).collect(asked, values, before, situation)

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        return _mode(asked).read(asked, raw, before, situation)

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        mode = _mode(asked)
        drawn = {"template": f"questions/amount/{mode.slug}.html", "title": asked.title or mode.title}
        return drawn | mode.present(asked, values, refusals, situation)

    def export_columns(self, stored: Any) -> dict[str, Any]:
        """The same columns in every mode, null where a mode has none such."""
        amount, amounts = stored.get("amount"), stored.get("amounts")
        signed = f"{-Decimal(amount):f}" if amount is not None and stored["side"] == "b" else amount
        return {
            "amount": amount,
            "amount_state": stored["state"],
            "amount_currency": stored["currency"],
            "amount_mode": stored["mode"],
            "amount_incentive": stored["incentive"],
            "amount_confirmed": stored["confirmed"],
            "net_utility": stored.get("net_utility", signed),
            "amounts": None if amounts is None else [each["amount"] for each in amounts],
            "amount_states": None if amounts is None else [each["state"] for each in amounts],
            **{f"amount_{name}": stored.get(name) for name in OF_SOME_MODES},
        }

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        return self.simulate_shown(asked, rng, utilities, before, Situation(responses=len(utilities), currency=""))

    def simulate_shown(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any:
        return _mode(asked).simulate(asked, rng, utilities, before, situation)


def _mode(asked: Asked) -> Mode:
    return MODES[asked.settings["mode"]]


QUESTION_TYPE = AmountQuestion()
