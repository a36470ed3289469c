from collections.abc import Iterable, Mapping
from typing import Any

from django import template

from annotation.models import Campaign
from annotation.policies.drafts import QUESTIONS, section_content

register = template.Library()


@register.filter
def asks_amounts(campaign: Campaign) -> bool:
    """Whether the campaign's questions, as its editor holds them, ask for an amount that is paid. Read once a page."""
    known = vars(campaign)
    if "asks_amounts" not in known:
        known["asks_amounts"] = _asks(section_content(campaign, QUESTIONS))
    return bool(known["asks_amounts"])


def _asks(questions: Iterable[Mapping[str, Any]]) -> bool:
    return any(
        each.get("type") == "amount" and each.get("settings", {}).get("incentive", "stated") != "stated"
        for each in questions
    )
