from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Person
from annotation.enums import SourceKind
from annotation.models import Campaign, Source
from annotation.use_cases.record_event import record_event
from foundation.encryption import new_key, wrap_key


def create_campaign(
    *,
    slug: str,
    name: str,
    now: datetime,
    purpose: str = "",
    currency: str = "USD",
    overlap: int = 1,
    lease_seconds: int = 3600,
    policy: str = "uniform",
    policy_parameters: dict[str, Any] | None = None,
    actor: Person | None = None,
    is_arena: bool = False,
    responses_per_item: int = 2,
) -> Campaign:
    """A campaign in draft, with its own pseudonym key and the live source its judgments will belong to."""
    with transaction.atomic():
        campaign = Campaign(
            slug=slug,
            name=name,
            purpose=purpose,
            currency=currency,
            overlap=overlap,
            lease_seconds=lease_seconds,
            policy=policy,
            policy_parameters=policy_parameters or {},
            is_arena=is_arena,
            responses_per_item=responses_per_item,
            wrapped_key=wrap_key(new_key(), context=f"campaign:{slug}"),
        )
        campaign.full_clean(exclude=["instrument", "guidelines", "consent", "shadow_of", "wrapped_key", "created_at"])
        campaign.save()
        Source.objects.create(campaign=campaign, kind=SourceKind.LIVE, name=name)
        record_event(subject=campaign, verb="created", actor=actor, to_state=campaign.state)
    return campaign
