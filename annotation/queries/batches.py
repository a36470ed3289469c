"""Batches of a campaign: what is in them, how good it is, and what an accepted judgment costs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import redis
from django.core.cache import caches
from django.db import connection
from django.db.models import QuerySet

from annotation.boards.agreement import Agreement, agreement_on
from annotation.boards.measures import read_measures
from annotation.enums import ItemPurpose
from annotation.models import Batch, Campaign, Judgment
from annotation.queries.costs import ZERO, costs_of_batches
from annotation.queries.keeping import MINUTE, kept, newest
from annotation.queries.log import instrument_questions
from annotation.queries.quality import CHECKS, checked, is_short

# Agreement is computed over no more of a batch; the sample is drawn by the judgments' numbers, and stays the same.
MOST_COMPARED, SAMPLE = 20_000, 20
MOST_BATCHES = 500
DAY = 86_400
COUNTS = """
SELECT r.batch_id, count(*) AS judgments,
    count(*) FILTER (WHERE r.state = 'approved' AND n.id IS NULL) AS accepted,
    count(*) FILTER (WHERE r.state = 'pending' AND n.id IS NULL) AS waiting,
    count(*) FILTER (WHERE r.state IN ('rejected', 'appealed')) AS rejected,
    count(*) FILTER (WHERE r.state = 'returned') AS returned
FROM annotation_review r LEFT JOIN annotation_judgment n ON n.supersedes_id = r.judgment_id
WHERE r.batch_id = ANY(%(batches)s) GROUP BY r.batch_id
"""


@dataclass(frozen=True)
class ListedBatch:
    """`cost` is None where nothing is paid, and `decided` is its part that somebody has decided about. What has no
    entry yet counts as the campaign's pay for a judgment; a bonus for nothing in particular is the campaign's.
    """

    batch: Batch
    judgments: int
    accepted: int
    waiting: int
    rejected: int
    returned: int
    cost: Decimal | None
    decided: Decimal | None

    @property
    def per_accepted(self) -> Decimal | None:
        return None if self.decided is None or not self.accepted else self.decided / self.accepted


@dataclass(frozen=True)
class Checkup:
    """What a batch is worth, as far as it can be computed. `by_person` counts each annotator's judgments, by id."""

    agreement: list[Agreement]
    compared: int
    checks: int
    failed: list[int]
    by_person: dict[int, int]


def listed_batches(campaign: Campaign, batches: QuerySet[Batch]) -> list[ListedBatch]:
    """The newest first, in three queries."""
    found = list(batches.select_related("created_by__user").order_by("-number")[:MOST_BATCHES])
    ids = [batch.pk for batch in found]
    if is_short(campaign):
        sums = _sums(campaign, ids)
    else:
        # Up to a minute old, but for what is decided about and entered meanwhile.
        name = f"batches:{campaign.pk}:{ids[:1]}:{len(ids)}"
        stamp: list[Any] = [[batch.state for batch in found]]
        stamp += newest("annotation_reviewdecision", "annotation_batch", "annotation_ledgerentry")
        sums = kept(name, stamp, lambda: _sums(campaign, ids), seconds=MINUTE)
    return [_listed(campaign, batch, sums.get(str(batch.pk))) for batch in found]


def _sums(campaign: Campaign, ids: list[int]) -> dict[str, list[Any]]:
    """Of each batch that has any: its counts, and its costs as text."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"batches": ids})
        counts = {row[0]: row[1:] for row in cursor.fetchall()}
    costs = costs_of_batches(campaign, ids)
    return {
        str(batch): [counts[batch], [None if each is None else str(each) for each in costs.get(batch, (None, None))]]
        for batch in counts
    }


def _listed(campaign: Campaign, batch: Batch, sums: list[Any] | None) -> ListedBatch:
    counts, costs = sums or [(0, 0, 0, 0, 0), (None, None)]
    judgments, accepted, waiting, rejected, returned = counts
    nothing = None if campaign.pay_per_judgment is None else ZERO
    cost, decided = (nothing if each is None else Decimal(each) for each in costs)
    return ListedBatch(batch, judgments, accepted, waiting, rejected, returned, cost, decided)


def judgments_in(batch: Batch) -> QuerySet[Judgment]:
    return Judgment.objects.filter(review__batch=batch)


def checkup_of(batch: Batch) -> Checkup:
    """Kept for a day: what is in a batch does not change, and reading 100,000 judgments takes a while."""
    key = f"annotation.batch:1:{batch.pk}"
    try:
        kept: Mapping[str, Any] | None = caches["summaries"].get(key)
        if kept is not None:
            return _checkup_from_json(kept)
    except redis.RedisError:
        return _checked_up(batch)
    found = _checked_up(batch)
    try:
        caches["summaries"].set(key, asdict(found), timeout=DAY)
    except redis.RedisError:
        return found
    return found


def _checkup_from_json(kept: Mapping[str, Any]) -> Checkup:
    agreement = [Agreement(**each) for each in kept["agreement"]]
    by_person = {int(pk): count for pk, count in kept["by_person"].items()}
    return Checkup(**dict(kept) | {"agreement": agreement, "by_person": by_person})


def _checked_up(batch: Batch) -> Checkup:
    judgments = judgments_in(batch).order_by("pk")
    campaign = batch.campaign
    questions = instrument_questions(campaign.instrument_id) if campaign.instrument_id else ()
    work = judgments.filter(item__purpose=ItemPurpose.WORK)
    first = work.values("pk")[:MOST_COMPARED]
    compared = Judgment.objects.filter(pk__in=first).order_by("pk")
    measures = read_measures(compared, questions, instrument=campaign.instrument_id or 0)
    checks = checked(judgments.filter(item__purpose__in=CHECKS))
    return Checkup(
        agreement=[agreement_on(measure) for measure in measures],
        compared=min(work.count(), MOST_COMPARED),
        checks=len(checks.outcomes.item),
        failed=checks.failed,
        by_person=_by_person(batch),
    )


def _by_person(batch: Batch) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT j.respondent_id, count(*) FROM annotation_review r JOIN annotation_judgment j"
            " ON j.id = r.judgment_id WHERE r.batch_id = %s GROUP BY 1",
            [batch.pk],
        )
        return dict(cursor.fetchall())


def sample_of(batch: Batch) -> list[int]:
    """Ids of some of its judgments, the same ones whenever somebody looks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT judgment_id FROM annotation_review WHERE batch_id = %s ORDER BY md5(judgment_id::text) LIMIT %s",
            [batch.pk, SAMPLE],
        )
        return [pk for (pk,) in cursor.fetchall()]
