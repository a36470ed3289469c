from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.models import Campaign
from annotation.policies.drafts import CONSENT as CONSENT_SECTION
from annotation.policies.drafts import GUIDELINES as GUIDELINES_SECTION
from annotation.policies.drafts import QUESTIONS as QUESTIONS_SECTION
from annotation.use_cases.record_event import record_event
from annotation.use_cases.start_campaign import start_campaign
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
from inference_workers.enums import Output


def open_arena(
    *, name: str, lead: str, actor: Person | None, now: datetime, contestants: int = 2, output: str = Output.TEXT
) -> Arena:
    """An arena in draft under an address made of its name, with what an arena usually asks and says. Its campaign's
    pages change that and launch it; models are entered one by one. `contestants` is how many models a battle has, and
    `output` what they answer with.
    """
    draft = {
        QUESTIONS_SECTION: [dict(question) for question in questions_for(contestants, output)],
        GUIDELINES_SECTION: GUIDELINES,
        CONSENT_SECTION: CONSENT,
    }
    with transaction.atomic():
        add_default_rules(now=now)
        campaign = start_campaign(
            name=name,
            draft=draft,
            settings={
                "is_arena": True,
                "responses_per_item": contestants,
                "purpose": lead or PURPOSE,
                "played_share": played_share_for(output),
            },
            actor=actor,
            now=now,
        )
        arena = Arena.objects.create(
            campaign=Campaign.objects.get(pk=campaign.pk),
            lead=lead,
            **begins_with(output),
            is_default=not Arena.objects.filter(is_default=True).exists(),
        )
        record_event(subject=arena, verb="opened", actor=actor, data={"slug": campaign.slug})
    return arena
