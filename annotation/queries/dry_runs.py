"""The dry runs of a campaign."""

from datetime import datetime, timedelta
from typing import Any

from annotation.enums import SourceKind, SourceState
from annotation.models import Campaign, Source

# A run that says nothing for so long has lost its worker.
QUIET = timedelta(minutes=2)


def left_dry_runs(*, now: datetime) -> list[int]:
    """Runs that no worker is at: the one they were sent to was not there, or has gone."""
    shadows = Source.objects.filter(
        campaign__shadow_of__isnull=False, kind=SourceKind.SIMULATION, state=SourceState.ACTIVE
    )
    return [run.pk for run in shadows.order_by("pk")[:20] if _is_left(run.details, now)]


def _is_left(details: dict[str, Any], now: datetime) -> bool:
    last = details.get("touched_at") or details["requested_at"]
    return datetime.fromisoformat(last) < now - QUIET


def dry_runs_of(campaign: Campaign) -> list[Source]:
    """Their simulations, the newest first; what came of each is in its details."""
    runs = Source.objects.filter(campaign__shadow_of=campaign, kind=SourceKind.SIMULATION)
    return list(runs.order_by("-pk")[:10])
