from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.models import Person
from annotation.enums import BatchState, ReviewState
from annotation.models import Batch, Judgment, Respondent
from annotation.transitions import BATCH, REVIEW
from annotation.use_cases.record_event import record_event
from foundation.transitions import check

# What stands and waits; nobody decides about their own.
DECIDE = """
UPDATE annotation_review r SET state = %(to)s, changed_at = %(now)s
FROM annotation_judgment j JOIN annotation_respondent p ON p.id = j.respondent_id
WHERE r.batch_id = %(batch)s AND r.state = 'pending' AND j.id = r.judgment_id
    AND p.person_id IS DISTINCT FROM %(actor)s
    AND NOT EXISTS (SELECT 1 FROM annotation_judgment n WHERE n.supersedes_id = j.id)
RETURNING r.id
"""
NOTE = """
INSERT INTO annotation_reviewdecision (review_id, verdict, person_id, personal_text_id)
SELECT id, %(verdict)s, %(actor)s, %(text)s FROM unnest(%(reviews)s::bigint[]) AS id
"""


@dataclass(frozen=True)
class Settled:
    batch: Batch
    judgments: int


def accept_batch(*, batch_id: int, actor: Person, now: datetime) -> Settled:
    """Approve every judgment of the batch that still stands and waits. Raises ForbiddenTransition."""
    with transaction.atomic():
        batch = settle(batch_id=batch_id, to=BatchState.ACCEPTED, now=now)
        check(REVIEW, ReviewState.PENDING, ReviewState.APPROVED)
        reviews = decide_all(batch, to=ReviewState.APPROVED, verdict="approve", actor=actor, now=now)
        record_settled(batch, actor=actor, judgments=len(reviews))
    return Settled(batch, len(reviews))


def settle(*, batch_id: int, to: str, now: datetime) -> Batch:
    """The batch in its new state, its annotators held: nobody corrects or is blocked while it is settled."""
    batch = Batch.objects.select_for_update(of=["self"]).get(pk=batch_id)
    check(BATCH, batch.state, to)
    batch.state, batch.settled_at = to, now
    batch.save(update_fields=["state", "settled_at"])
    people = Judgment.objects.filter(review__batch=batch).values("respondent")
    held = Respondent.objects.select_for_update(of=["self"], no_key=True).filter(pk__in=people).order_by("pk")
    list(held.values_list("pk", flat=True))
    return batch


def decide_all(
    batch: Batch, *, to: str, verdict: str, actor: Person, now: datetime, text: int | None = None
) -> list[int]:
    """The ids of the reviews that were decided so, each with its decision."""
    values: dict[str, Any] = {"batch": batch.pk, "to": to, "now": now, "actor": actor.pk}
    with connection.cursor() as cursor:
        cursor.execute(DECIDE, values)
        reviews = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(NOTE, values | {"verdict": verdict, "text": text, "reviews": reviews})
    return reviews


def record_settled(batch: Batch, *, actor: Person, judgments: int) -> None:
    record_event(
        subject=batch,
        verb=batch.state,
        actor=actor,
        from_state=BatchState.OPEN,
        to_state=batch.state,
        data={"judgments": judgments},
    )
