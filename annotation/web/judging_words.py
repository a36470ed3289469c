"""What the figures of the judges' page are called, and how each is read."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Words:
    """`name` is a field of JudgeFigures; `is_lean` says that 0 is no bias."""

    name: str
    title: str | Promise
    about: str | Promise
    is_share: bool = True
    is_lean: bool = False


FIGURES = (
    Words(
        "agreement",
        _("Agreement with people"),
        _("The chance that a verdict and a vote on the same item say the same."),
    ),
    Words("among_people", _("People with each other"), _("The same of two people, on the items that several judged.")),
    Words(
        "kappa",
        _("Beyond chance (kappa)"),
        _("Agreement less what their own shares of answers would give by chance: 0 is chance, 1 is perfect."),
        is_share=False,
    ),
    Words("flips", _("Order flips"), _("Items whose answer changes when the responses change places.")),
    Words("first_side", _("Takes the side shown first"), _("Of its verdicts, ties not among them; half is no habit.")),
    Words(
        "longer",
        _("Longer response, beyond people"),
        _("How much more often than people it takes the response with a tenth more letters or above; a tie is half."),
        is_lean=True,
    ),
    Words(
        "slope",
        _("Slope by length, beyond people"),
        _("How much more than people’s its log-odds of a response rise when that is e times as long."),
        is_share=False,
        is_lean=True,
    ),
    Words(
        "own_kind",
        _("Own model or organisation, beyond people"),
        _("How much more often than people it takes the response of its own model or organisation."),
        is_lean=True,
    ),
)
