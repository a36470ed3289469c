from datetime import datetime, timedelta
from time import monotonic

import structlog

from annotation.models import Campaign, CampaignSelection, CategorySelection, Impression
from annotation.queries.pairs import categories_answered, due_selections, learn
from annotation.selection.known import digest_of

log = structlog.get_logger(__name__)
AT_LEAST = timedelta(seconds=4)
# Learning takes at most this share of a processor, however long a log becomes.
BUSY = 0.05


def refresh_selection(*, campaign: Campaign, now: datetime) -> CampaignSelection:
    """Compute anew what the selection of this campaign's items goes by."""
    begun = monotonic()
    known = learn(campaign)
    payload = known.packed()
    values = {"digest": digest_of(payload), "payload": payload, "votes": known.state.votes, "computed_at": now}
    if campaign.learns_by_category:
        for category in categories_answered(campaign):
            _refresh_category(campaign, category, now)
    row, _made = CampaignSelection.objects.update_or_create(
        campaign=campaign, defaults=values | {"seconds": monotonic() - begun}
    )
    return row


def _refresh_category(campaign: Campaign, category: str, now: datetime) -> None:
    known = learn(campaign, category)
    payload = known.packed()
    CategorySelection.objects.update_or_create(
        campaign=campaign,
        category=category,
        defaults={
            "digest": digest_of(payload),
            "payload": payload,
            "votes": known.state.votes,
            "computed_at": now,
        },
    )


def refresh_selections(*, now: datetime) -> int:
    """Those of running campaigns in which something was shown of late; returns how many. One that fails holds no
    other up.
    """
    refreshed = 0
    for campaign in due_selections():
        row = getattr(campaign, "selection", None)
        if row is not None and not _is_due(campaign, row, now):
            continue
        try:
            refresh_selection(campaign=campaign, now=now)
            refreshed += 1
        except Exception:
            log.exception("selection_not_refreshed", campaign=campaign.pk)
    return refreshed


def _is_due(campaign: Campaign, row: CampaignSelection, now: datetime) -> bool:
    if now - row.computed_at < max(AT_LEAST, timedelta(seconds=row.seconds / BUSY)):
        return False
    # What was shown may be answered, or given back, until its lease has ended and the sweep has seen it.
    since = row.computed_at - timedelta(seconds=campaign.lease_seconds + 120)
    return Impression.objects.filter(campaign=campaign, shown_at__gt=since).exists()
