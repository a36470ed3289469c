from django import template

from annotation.models import Campaign
from annotation.queries.asked import open_questions

register = template.Library()


@register.simple_tag
def questions_waiting(campaign: Campaign) -> int:
    """How many questions of annotators nobody has answered yet."""
    return open_questions(campaign)
