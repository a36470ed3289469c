"""What somebody bids for the response they chose, against a sealed price: Becker, DeGroot and Marschak's mechanism."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.amount.mode import OTHER_SIDE
from annotation.questions.amount.typed_decimal import amount_text
from annotation.questions.amount.upgrade import UpgradeMode
from annotation.questions.base import Asked, Situation
from annotation.questions.refusals import Refused


class BdmMode(UpgradeMode):
    """Asked, read and stored as `upgrade` is, of an endowment that real money is paid from: an amount ends there.

    Stored besides: the endowment, and whether the amount is all of it (`at_bound`): such an answer is censored, the
    truth may lie above. Drawing a price, selling and paying are not a question's business.
    """

    slug = "bdm"
    label = gettext_lazy("Sealed bid")
    exported = frozenset({"amount", "amount_endowment", "amount_at_bound"})
    incentives = ("paid_self", "paid_delegated")

    def misfit(self, situation: Situation) -> str:
        if situation.endowment is None or situation.endowment <= 0:
            return "needs an endowment to pay from"
        return super().misfit(situation)

    def question(self, side: str) -> str:
        words = _("What is the most you would pay, once, to have %(side)s instead of %(other)s?")
        return words % {"side": side.upper(), "other": OTHER_SIDE[side].upper()}

    def explanation(self, side: str, situation: Situation) -> str:
        words = _(
            "We give you %(endowment)s. If this item is drawn, you have %(other)s. A price is already sealed; your"
            " number cannot change it. Price at or below your number: you get %(side)s and pay the price. Above: you"
            " keep %(other)s and all of %(endowment)s. Your true maximum is best."
        )
        given = f"{amount_text(_endowment(situation))} {situation.currency}"
        return words % {"endowment": given, "side": side.upper(), "other": OTHER_SIDE[side].upper()}

    def bound(self, amount: Decimal, situation: Situation) -> None:
        endowment = _endowment(situation)
        if amount > endowment:
            words = _("You have %(endowment)s %(currency)s to pay from. Type that or less.")
            shown = {"endowment": amount_text(endowment), "currency": situation.currency}
            raise Refused("above_endowment", words % shown)

    def stored(self, state: str, asked: Asked, situation: Situation, **others: Any) -> dict[str, Any]:
        endowment, amount = _endowment(situation), others.get("amount")
        return {
            **super().stored(state, asked, situation, **others),
            "endowment": amount_text(endowment),
            "at_bound": None if amount is None else amount == endowment,
        }

    def _worth(self, worth: float, situation: Situation) -> str:
        return amount_text(min(Decimal(f"{worth:.2f}"), _endowment(situation)))


def _endowment(situation: Situation) -> Decimal:
    """Without one the question does not fit, and is never read."""
    return situation.endowment or Decimal(0)
