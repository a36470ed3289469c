from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.models import Campaign
from annotation.policies.drafts import refuse_if_closed
from annotation.queries.alike import as_chat, prompt_texts
from annotation.use_cases.record_event import record_event
from inference_workers.dispatch import request_measures
from inference_workers.models import LanguageModel


def measure_prompts(*, campaign_id: int, model_id: int, actor: Person | None, now: datetime) -> int:
    """Ask an embedding model for the vectors of a campaign's prompts that have none; returns how many were asked for.

    Prompts that are a visitor's own words are left out: nobody agreed that they are compared. Raises CampaignIsClosed,
    and what `request_measures` raises.
    """
    with transaction.atomic():
        campaign = Campaign.objects.get(pk=campaign_id)
        refuse_if_closed(campaign)
        model = LanguageModel.objects.select_related("current__language_model").get(pk=model_id)
        chats = [as_chat(each.text) for each in prompt_texts(campaign).values()]
        asked = request_measures(revision=model.serves, chats=chats)
        if asked:
            data = {"model": model.slug, "revision": model.serves.number, "prompts": asked}
            record_event(subject=campaign, verb="prompts_measured", actor=actor, data=data)
    return asked
