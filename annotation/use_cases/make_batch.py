from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from accounts.models import Person
from annotation.errors import AnnotationError
from annotation.models import Batch, Campaign
from annotation.use_cases.record_event import record_event

# More are made into several: a batch is accepted or returned while somebody waits.
MOST_IN_BATCH = 200_000
# Whatever stands and nobody has decided about, the oldest first. Training and tests are nobody's to accept, and what an
# expert settled is settled.
GATHER = """
INSERT INTO annotation_review (campaign_id, judgment_id, batch_id, state)
SELECT j.campaign_id, j.id, %(batch)s, 'pending'
FROM annotation_judgment j
JOIN annotation_item i ON i.id = j.item_id
JOIN annotation_respondent p ON p.id = j.respondent_id
JOIN annotation_source o ON o.id = j.source_id
LEFT JOIN annotation_review r ON r.judgment_id = j.id
WHERE j.campaign_id = %(campaign)s AND j.kind = 'answer' AND o.state = 'active'
    AND i.purpose NOT IN ('training', 'qualification')
    AND (r.id IS NULL OR (r.state = 'pending' AND r.batch_id IS NULL))
    AND (%(group)s = '' OR %(group)s = ANY(p.groups))
    AND NOT EXISTS (SELECT 1 FROM annotation_judgment n WHERE n.supersedes_id = j.id)
    AND NOT EXISTS (SELECT 1 FROM annotation_adjudication a WHERE a.judgment_id = j.id)
ORDER BY j.id LIMIT %(most)s
ON CONFLICT (judgment_id) DO UPDATE SET batch_id = EXCLUDED.batch_id
    WHERE annotation_review.batch_id IS NULL AND annotation_review.state = 'pending'
"""


class NothingToReview(AnnotationError):
    """Everything that was judged is decided about, or waits in a batch."""


def make_batch(*, campaign_id: int, actor: Person, now: datetime, most: int | None = None, group: str = "") -> Batch:
    """Put what was judged and not yet reviewed into one batch: all of it, the first `most`, or that of a group of
    annotators. Raises NothingToReview.
    """
    with transaction.atomic():
        # Two batches that are made at once have different numbers and no judgment in common.
        Campaign.objects.select_for_update(of=["self"], no_key=True).get(pk=campaign_id)
        last = Batch.objects.filter(campaign=campaign_id).aggregate(last=Max("number"))["last"] or 0
        batch = Batch.objects.create(campaign_id=campaign_id, number=last + 1, created_by=actor, created_at=now)
        values: dict[str, Any] = {
            "campaign": campaign_id,
            "batch": batch.pk,
            "group": group,
            "most": min(most or MOST_IN_BATCH, MOST_IN_BATCH),
        }
        with connection.cursor() as cursor:
            cursor.execute(GATHER, values)
            gathered = cursor.rowcount
        if not gathered:
            raise NothingToReview(f"campaign {campaign_id} has nothing that waits for a decision")
        data = {"judgments": gathered, "group": group}
        record_event(subject=batch, verb="made", actor=actor, to_state=batch.state, data=data)
    return batch
