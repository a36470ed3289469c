from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.models import Person
from accounts.texts import write_personal_text
from annotation.enums import BatchState, ReviewState, SlotState
from annotation.transitions import REVIEW, SLOT
from annotation.use_cases.accept_batch import Settled, decide_all, record_settled, settle
from foundation.transitions import check

# As `take_out` does for one. The order in which items are held is everybody's.
RETURNED = """
SELECT j.id, j.item_id, j.assignment_id FROM annotation_review r
JOIN annotation_judgment j ON j.id = r.judgment_id JOIN annotation_item i ON i.id = j.item_id
WHERE r.id = ANY(%(reviews)s) AND i.purpose = 'work' AND i.repeat_of_id IS NULL AND j.assignment_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM annotation_adjudication a WHERE a.judgment_id = j.id)
"""
HOLD = f"SELECT 1 FROM annotation_item WHERE id IN (SELECT item_id FROM ({RETURNED}) x) ORDER BY id FOR NO KEY UPDATE"  # noqa: S608 (constants)
RETRACT = """
INSERT INTO annotation_judgment (
    kind, supersedes_id, campaign_id, item_id, respondent_id, source_id, impression_id, assignment_id, instrument_id,
    guidelines_id, "order", contestants, submitted_at,
    answers, preference, currency, amount_mode, incentive, context, device_class
)
SELECT 'retraction', j.id, j.campaign_id, j.item_id, j.respondent_id, j.source_id, j.impression_id, j.assignment_id,
    j.instrument_id, j.guidelines_id, j."order", j.contestants, %(now)s, '{}', '', '', '', '', '', ''
FROM annotation_review r JOIN annotation_judgment j ON j.id = r.judgment_id
WHERE r.id = ANY(%(reviews)s)
"""
CANCEL = f"""
UPDATE annotation_slot s SET state = 'cancelled'
FROM annotation_assignment a JOIN ({RETURNED}) x ON x.assignment_id = a.id
WHERE s.id = a.slot_id AND s.state = 'done'
"""  # noqa: S608 (constants)
ASK = f"""
INSERT INTO annotation_slot (item_id, campaign_id, number, state, pair_low, pair_high)
SELECT x.item_id, %(campaign)s, last.number + row_number() OVER (PARTITION BY x.item_id ORDER BY x.id), 'open',
    last.pair_low, last.pair_high
FROM ({RETURNED}) x CROSS JOIN LATERAL (
    SELECT number, pair_low, pair_high FROM annotation_slot s WHERE s.item_id = x.item_id ORDER BY number DESC LIMIT 1
) last
"""  # noqa: S608 (constants)


def return_batch(*, batch_id: int, message: str, actor: Person, now: datetime) -> Settled:
    """Take what waits in the batch out of every view and ask for it anew; all of it or nothing.

    Its annotators read the message. What they are owed stays owed. Raises ForbiddenTransition.
    """
    with transaction.atomic():
        batch = settle(batch_id=batch_id, to=BatchState.RETURNED, now=now)
        check(REVIEW, ReviewState.PENDING, ReviewState.RETURNED)
        check(SLOT, SlotState.DONE, SlotState.CANCELLED)
        text = write_personal_text(person=actor, text=message)
        reviews = decide_all(batch, to=ReviewState.RETURNED, verdict="return", actor=actor, now=now, text=text.pk)
        values: dict[str, Any] = {"reviews": reviews, "campaign": batch.campaign_id, "now": now}
        with connection.cursor() as cursor:
            for statement in (HOLD, RETRACT, CANCEL, ASK):
                cursor.execute(statement, values)
        record_settled(batch, actor=actor, judgments=len(reviews))
    return Settled(batch, len(reviews))
