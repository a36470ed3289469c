from dataclasses import replace
from datetime import datetime, timedelta

import redis
import structlog
from celery import current_app
from django.core.cache import caches
from kombu.exceptions import OperationalError

from annotation.models import Campaign
from annotation.queries.quality import is_short, progress_of, summarised
from annotation.queries.summaries import Summary, kept_summary, summary_key, summary_to_json

log = structlog.get_logger(__name__)
SUMMARISE = "annotation.summarise_quality"
# A long log is not summarised more often than this, however fast it grows; a very long one, which takes half a minute
# for a million judgments, once in as many seconds as it holds so many judgments.
AT_MOST_EVERY = timedelta(seconds=60)
JUDGMENTS_A_SECOND = 4_000
# Claims come and go without a judgment.
EVEN_IF_NOTHING_CAME = timedelta(minutes=10)
# One computation at a time; a killed one is asked for again after this.
PATIENCE_SECONDS = 600


def summary_for(*, campaign: Campaign, now: datetime) -> Summary | None:
    """What is known of the campaign. A short log is summarised at once; for a long one a worker is asked, and until it
    is done this is the summary before, or None.
    """
    kept = kept_summary(campaign)
    is_fresh = kept is not None and kept.is_of(campaign)
    if is_short(campaign):
        if kept is None or not is_fresh:
            return summarise_quality(campaign_id=campaign.pk, now=now)
        return replace(kept, made_at=now, progress=progress_of(campaign, now))
    if kept is None or now - kept.made_at > (EVEN_IF_NOTHING_CAME if is_fresh else patience_with(kept)):
        ask_for_summary(campaign)
    return kept


def patience_with(kept: Summary) -> timedelta:
    return max(AT_MOST_EVERY, timedelta(seconds=kept.progress.answers / JUDGMENTS_A_SECOND))


def summarise_quality(*, campaign_id: int, now: datetime) -> Summary:
    """Compute it from the log and keep it. It can be lost at any time, and is then computed again."""
    campaign = Campaign.objects.get(pk=campaign_id)
    summary = summarised(campaign, now)
    try:
        caches["summaries"].set(summary_key(campaign), summary_to_json(summary), timeout=None)
        caches["summaries"].delete(_asked_key(campaign))
    except redis.RedisError as error:
        log.warning("summary_not_kept", campaign=campaign_id, reason=str(error))
    return summary


def ask_for_summary(campaign: Campaign) -> None:
    """Once, until it is there. A hint that is lost is given again when somebody next looks."""
    try:
        if caches["summaries"].add(_asked_key(campaign), True, timeout=PATIENCE_SECONDS):
            message = current_app.signature(SUMMARISE, args=[campaign.pk])
            message.apply_async(expires=PATIENCE_SECONDS, retry=False)
    except (redis.RedisError, OperationalError, OSError) as error:
        log.warning("summary_not_asked_for", campaign=campaign.pk, reason=str(error))


def _asked_key(campaign: Campaign) -> str:
    return f"{summary_key(campaign)}:asked"
