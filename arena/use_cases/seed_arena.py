from datetime import datetime

from django.db import transaction

from annotation.enums import CampaignState
from annotation.models import Campaign
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.create_campaign import create_campaign
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.publish_instrument import publish_instrument
from arena.errors import ArenaError
from arena.models import Arena

SLUG = "arena"
NAME = "Cardinal arena"
# Preference for everybody; what the better one is worth in a random half, which the impression records.
QUESTIONS = (
    {"name": "preference", "type": "preference", "settings": {"strength": "optional"}},
    {"name": "acceptable", "type": "acceptable", "required": False, "settings": {"mode": "neither"}},
    {"name": "worth", "type": "amount", "required": False, "ask_probability": 0.5},
)
GUIDELINES = (
    "Judge as the person who asked. Say which answer you would rather have received, whatever the reason: it may be"
    " right where the other is wrong, clearer, kinder or shorter. Ignore who might have written it."
)
EXAMPLES = (
    "Explain compound interest to a ten-year-old.",
    "Write a polite email that declines a meeting.",
    "Why is the sky blue?",
    "Give me three ideas for a quick vegetarian dinner.",
)


class ArenaExists(ArenaError):
    """The installation has its arena already, under another slug."""


def seed_arena(*, now: datetime, slug: str = "", name: str = NAME) -> Arena:
    """The default arena with its instrument and guidelines, running. Again changes nothing.

    Without a slug an arena that is there is the one, whatever it is called; with another slug it is refused.
    """
    found = Arena.objects.select_related("campaign").filter(is_default=True).first()
    if found is not None:
        if slug not in {"", found.campaign.slug}:
            raise ArenaExists(f"there is an arena already: {found.campaign.name} ({found.campaign.slug})")
        return found
    with transaction.atomic():
        campaign = create_campaign(
            slug=slug or SLUG,
            name=name,
            purpose="Which answer visitors would rather have received to their own prompts, and by how much.",
            now=now,
        )
        publish_instrument(campaign_id=campaign.pk, questions=QUESTIONS, now=now)
        publish_guidelines(campaign_id=campaign.pk, text=GUIDELINES, now=now)
        change_campaign_state(campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, reason="seeded", now=now)
        return Arena.objects.create(
            campaign=Campaign.objects.get(pk=campaign.pk), examples=list(EXAMPLES), is_default=True
        )
