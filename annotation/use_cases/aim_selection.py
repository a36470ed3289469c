from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.models import Campaign
from annotation.policies.drafts import refuse_if_closed
from annotation.selection import POLICIES, UnknownPolicy
from annotation.use_cases.record_event import record_event


def aim_selection(*, campaign_id: int, policy: str, actor: Person | None, now: datetime) -> Campaign:
    """Have the next questions drawn by another policy; its settings are its own first ones. What was drawn stays as
    it was, with the policy and the probability of each draw beside it.

    Raises UnknownPolicy, and CampaignIsClosed where nothing is asked any more.
    """
    if policy not in POLICIES:
        raise UnknownPolicy(f"{policy!r} is not one of {', '.join(sorted(POLICIES))}")
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        refuse_if_closed(campaign)
        if campaign.policy == policy:
            return campaign
        data = {"from": campaign.policy, "to": policy, "parameters_before": campaign.policy_parameters}
        campaign.policy, campaign.policy_parameters = policy, {}
        campaign.save(update_fields=["policy", "policy_parameters"])
        record_event(subject=campaign, verb="selection_aimed", actor=actor, data=data)
    return campaign
