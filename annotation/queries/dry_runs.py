"""The dry runs of a campaign."""

from annotation.enums import SourceKind
from annotation.models import Campaign, Source


def dry_runs_of(campaign: Campaign) -> list[Source]:
    """Their simulations, the newest first; what came of each is in its details."""
    runs = Source.objects.filter(campaign__shadow_of=campaign, kind=SourceKind.SIMULATION)
    return list(runs.order_by("-pk")[:10])
