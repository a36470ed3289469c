from django import template

from annotation.models import Campaign
from annotation.policies.drafts import QUESTIONS, section_content

register = template.Library()


@register.filter
def asks_amounts(campaign: Campaign) -> bool:
    """Whether the campaign's questions, as its editor holds them, ask for an amount that is paid."""
    questions = section_content(campaign, QUESTIONS)
    return any(
        each.get("type") == "amount" and each.get("settings", {}).get("incentive", "stated") != "stated"
        for each in questions
    )
