from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.enums import CampaignState, SourceState
from annotation.models import Source
from annotation.queries.dry_runs import QUIET
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.retire_source import retire_source


def take_dry_run(*, source_id: int, now: datetime) -> Source | None:
    """The run, to be worked through by the caller alone; None where it is done, or another worker is at it."""
    with transaction.atomic():
        source = Source.objects.select_for_update(of=["self"]).get(pk=source_id)
        touched = source.details.get("touched_at")
        is_held = touched is not None and datetime.fromisoformat(touched) > now - QUIET
        if source.state != SourceState.ACTIVE or is_held:
            return None
        return note_dry_run(source_id=source_id, now=now, state="running")


def note_dry_run(*, source_id: int, now: datetime, **details: Any) -> Source:
    """Keep how far a dry run is, or what came of it, with its simulation."""
    with transaction.atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        source.details = source.details | details | {"touched_at": now.isoformat()}
        source.save(update_fields=["details"])
    return source


def end_dry_run(*, source_id: int, report: dict[str, Any], now: datetime) -> Source:
    """Keep the report, close the shadow and retire its judgments: they are no view's. Twice is the same as once."""
    with transaction.atomic():
        source = note_dry_run(source_id=source_id, now=now, state="done", report=report)
        if source.state == SourceState.ACTIVE:
            retire_source(source_id=source_id, actor=None, reason="dry run", now=now)
        if source.campaign.state == CampaignState.RUNNING:
            change_campaign_state(
                campaign_id=source.campaign_id, to=CampaignState.CLOSED, actor=None, reason="dry run", now=now
            )
    return Source.objects.get(pk=source_id)
