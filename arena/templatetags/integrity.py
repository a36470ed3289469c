"""What a campaign's overview says of its arena."""

from django import template
from django.utils import timezone

from annotation.models import Campaign
from arena.models import Arena
from arena.queries.excluded import Excluded, excluded_in

register = template.Library()


@register.simple_tag
def excluded_votes(campaign: Campaign) -> Excluded | None:
    """How many votes are set apart; None of what is no arena."""
    arena = Arena.objects.filter(campaign=campaign).first()
    return None if arena is None else excluded_in(arena, now=timezone.now())
