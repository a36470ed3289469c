from datetime import datetime

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts.models import Person
from annotation.models import Campaign, Source
from annotation.policies.drafts import refuse_if_closed
from annotation.selection.draws import new_seed
from annotation.use_cases.cast_shadow import cast_shadow

log = structlog.get_logger(__name__)

TASK = "annotation.dry_run"
HINT_SECONDS = 3600


def request_dry_run(*, campaign_id: int, items: int, people: int, actor: Person | None, now: datetime) -> Source:
    """Cast the shadow and tell a worker to walk through it. Raises NothingToRehearse and CampaignIsClosed."""
    with transaction.atomic():
        refuse_if_closed(Campaign.objects.get(pk=campaign_id))
        source = cast_shadow(
            campaign_id=campaign_id, items=items, people=people, seed=new_seed() % 2**31, actor=actor, now=now
        )
        transaction.on_commit(lambda: _hint(source.pk), robust=True)
    return source


def _hint(source_id: int) -> None:
    try:
        current_app.signature(TASK, args=[source_id]).apply_async(expires=HINT_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("dry_run_hint_not_sent", source=source_id, reason=str(error))
