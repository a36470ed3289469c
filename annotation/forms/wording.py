"""What the settings of question types are called. A setting that is not named here is shown by its own name."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: Mapping[str, str | Promise] = {
    "attributes": _("Attributes, one a line"),
    "categories": _("Categories, one a line"),
    "first": _("Scale begins at"),
    "high": _("What the high end means"),
    "incentive": _("Money"),
    "least": _("Fewest choices"),
    "low": _("What the low end means"),
    "min_length": _("Fewest characters"),
    "mode": _("How it is asked"),
    "most": _("Most choices"),
    "options": _("Choices, one a line"),
    "own": _("In words of one's own"),
    "points": _("Points of the scale"),
    "prices": _("Prices, one a line"),
    "ranked_by": _("Attribute that counts for boards"),
    "scale": _("Scale"),
    "strength": _("How much better"),
    "ties": _("Ties"),
    "to_ranking": _("Counts for boards"),
    "wording": _("Version of the fixed words"),
}
VALUES: Mapping[str, str | Promise] = {
    "allowed": _("Allowed"),
    "bdm": _("Sealed bid"),
    "best_worst": _("The best and the worst"),
    "each": _("A mark for each step"),
    "first_fault": _("The first wrong step"),
    "item": _("Once for the item"),
    "line": _("Typed, 0 to 100"),
    "neither": _("Whether neither is"),
    "no": _("No"),
    "off": _("Off"),
    "optional": _("Optional"),
    "order": _("All in their order"),
    "paid_delegated": _("Paid, for somebody else"),
    "paid_self": _("Paid, own prompt"),
    "per_response": _("For each response"),
    "points": _("Numbered buttons"),
    "price_list": _("Price list"),
    "required": _("Required"),
    "response": _("For each response"),
    "stated": _("Stated, no money changes hands"),
    "upgrade": _("The better one over the other"),
    "yes": _("Yes"),
}


def name_of(setting: str) -> str:
    return str(NAMES[setting]) if setting in NAMES else _plain(setting)


def value_of(value: str) -> str:
    return str(VALUES[value]) if value in VALUES else _plain(value)


def _plain(word: str) -> str:
    return word.replace("_", " ").capitalize()
