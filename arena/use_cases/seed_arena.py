from datetime import datetime

from django.db import transaction

from annotation.enums import CampaignState
from annotation.models import Campaign
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.create_campaign import create_campaign
from annotation.use_cases.publish_consent import publish_consent
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.publish_instrument import publish_instrument
from arena.errors import ArenaError
from arena.models import Arena
from arena.policies import (
    CONSENT,
    GUIDELINES,
    PURPOSE,
    begins_with,
    played_share_for,
    questions_for,
)
from arena.use_cases.add_house_rule import add_default_rules
from arena.use_cases.admit_contestants import enter_all_models
from inference_workers.enums import Output

SLUG = "arena"
NAME = "Cardinal arena"


class NotAnArena(ArenaError):
    """A campaign has this address already, and is no arena."""


def seed_arena(
    *,
    now: datetime,
    slug: str = "",
    name: str = NAME,
    consent: str = CONSENT,
    contestants: int = 2,
    output: str = Output.TEXT,
) -> Arena:
    """An arena with its instrument, guidelines and the text about data use, running, in which every model of the site
    takes part, and the house rules that a site begins with. Again changes nothing.

    The first is the default one, and without a slug the one that is meant, whatever it is called; with another slug a
    further one stands beside it. A battle of it has so many `contestants`, which answer with `output`. Refuses
    NotAnArena.
    """
    add_default_rules(now=now)
    if (found := _found(slug)) is not None:
        return found
    slug = slug or SLUG
    if Campaign.objects.filter(slug=slug).exists():
        raise NotAnArena(f"there is a campaign already that is no arena: {slug}")
    with transaction.atomic():
        campaign = create_campaign(
            slug=slug, name=name, purpose=PURPOSE, now=now, is_arena=True, responses_per_item=contestants
        )
        Campaign.objects.filter(pk=campaign.pk).update(played_share=played_share_for(output))
        publish_instrument(campaign_id=campaign.pk, questions=questions_for(contestants, output), now=now)
        publish_guidelines(campaign_id=campaign.pk, text=GUIDELINES, now=now)
        if consent:
            publish_consent(campaign_id=campaign.pk, text=consent, now=now)
        change_campaign_state(campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, reason="seeded", now=now)
        arena = Arena.objects.create(
            campaign=Campaign.objects.get(pk=campaign.pk),
            **begins_with(output),
            is_default=not Arena.objects.filter(is_default=True).exists(),
            enters_all=True,
        )
        enter_all_models(arena=arena, now=now)
    return arena


def _found(slug: str) -> Arena | None:
    arenas = Arena.objects.select_related("campaign")
    return arenas.filter(campaign__slug=slug).first() if slug else arenas.filter(is_default=True).first()
