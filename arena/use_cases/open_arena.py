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
from arena.policies import CONSENT, EXAMPLES, GUIDELINES, PURPOSE, questions_for
from arena.use_cases.add_house_rule import add_default_rules


def open_arena(*, name: str, lead: str, actor: Person | None, now: datetime, contestants: int = 2) -> Arena:
    """An arena in draft under an address made of its name, with what an arena usually asks and says. Its campaign's
    pages change that and launch it; models are entered one by one. `contestants` is how many models a battle has.
    """
    draft = {
        QUESTIONS_SECTION: [dict(question) for question in questions_for(contestants)],
        GUIDELINES_SECTION: GUIDELINES,
        CONSENT_SECTION: CONSENT,
    }
    with transaction.atomic():
        add_default_rules(now=now)
        campaign = start_campaign(
            name=name,
            draft=draft,
            settings={"is_arena": True, "responses_per_item": contestants, "purpose": lead or PURPOSE},
            actor=actor,
            now=now,
        )
        arena = Arena.objects.create(
            campaign=Campaign.objects.get(pk=campaign.pk),
            lead=lead,
            examples=list(EXAMPLES),
            is_default=not Arena.objects.filter(is_default=True).exists(),
        )
        record_event(subject=arena, verb="opened", actor=actor, data={"slug": campaign.slug})
    return arena
