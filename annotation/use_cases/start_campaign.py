import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from accounts.models import Person
from annotation.models import Campaign
from annotation.use_cases.create_campaign import create_campaign
from foundation.text import clean_json, clean_text

# An address of the site's own, which no campaign may take.
TAKEN = frozenset({"new"})
LONGEST_SLUG = 60


def start_campaign(
    *,
    name: str,
    draft: Mapping[str, Any],
    settings: Mapping[str, Any],
    actor: Person | None,
    now: datetime,
    is_template: bool = False,
) -> Campaign:
    """A campaign in draft under a free address made of its name, with what its editor and its columns begin with."""
    with transaction.atomic():
        campaign = create_campaign(slug=_free_slug(name), name=clean_text(name), actor=actor, now=now)
        for column, value in settings.items():
            setattr(campaign, column, value)
        campaign.draft = clean_json(dict(draft))
        campaign.is_template = is_template
        campaign.save(update_fields=["draft", "is_template", *settings])
    return campaign


def _free_slug(name: str) -> str:
    """Readable where nobody has it; two who start at once are told apart by four digits, or by the constraint."""
    plain = slugify(name)[:LONGEST_SLUG].strip("-") or "campaign"
    if plain not in TAKEN and not Campaign.objects.filter(slug=plain).exists():
        return plain
    return f"{plain}-{secrets.token_hex(3)}"
