from datetime import datetime

from django.db import connection, transaction

from annotation.models import Respondent

# What is done with assignments that are `due`: their slots are open again, and their impressions say how they ended. A
# battle is its visitor's alone: its slot is nobody's any more.
ENDED = """
expired AS (
    UPDATE annotation_assignment a SET state = 'expired', ended_at = now()
    FROM due WHERE a.id = due.id RETURNING a.id, a.slot_id
), reopened AS (
    UPDATE annotation_slot s SET state = CASE WHEN c.is_arena THEN 'cancelled' ELSE 'open' END
    FROM expired e, annotation_campaign c
    WHERE s.id = e.slot_id AND c.id = s.campaign_id AND s.state = 'claimed'
), ended AS (
    INSERT INTO annotation_impressionevent (impression_id, kind)
    SELECT i.id, 'expired' FROM annotation_impression i JOIN expired e ON i.assignment_id = e.id
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM expired
"""
# One statement: what a dead browser held is open again, and its impression says how it ended. In a pause nobody can
# answer, so nobody's time runs out; when it ends each lease begins anew.
EXPIRE = f"""
WITH due AS (
    SELECT a.id FROM annotation_assignment a JOIN annotation_slot s ON s.id = a.slot_id
    JOIN annotation_campaign c ON c.id = s.campaign_id
    WHERE a.state = 'open' AND a.lease_expires_at < now() AND c.state <> 'paused'
    ORDER BY a.lease_expires_at LIMIT 1000 FOR UPDATE OF a SKIP LOCKED
), {ENDED}
"""  # noqa: S608 (constants)
# What they hold under other guidelines and have written nothing for.
NOT_BEGUN = f"""
WITH due AS (
    SELECT a.id, a.slot_id FROM annotation_assignment a JOIN annotation_slot s ON s.id = a.slot_id
    WHERE a.respondent_id = %(respondent)s AND a.state = 'open' AND s.state = 'claimed'
        AND NOT EXISTS (SELECT 1 FROM annotation_draft d WHERE d.assignment_id = a.id)
        AND NOT EXISTS (SELECT 1 FROM annotation_judgment j WHERE j.assignment_id = a.id)
        AND EXISTS (SELECT 1 FROM annotation_impression i
            WHERE i.assignment_id = a.id AND i.guidelines_id IS DISTINCT FROM %(guidelines)s)
    FOR UPDATE OF a
), {ENDED}
"""  # noqa: S608 (constants)
RENEW = """
UPDATE annotation_assignment a SET
    lease_expires_at = greatest(a.lease_expires_at, now() + make_interval(secs => c.lease_seconds))
FROM annotation_slot s JOIN annotation_campaign c ON c.id = s.campaign_id
WHERE s.id = a.slot_id AND a.state = 'open' AND s.campaign_id = %(campaign)s
"""


def renew_leases(*, campaign_id: int) -> None:
    """After a pause everybody has what they held, for as long as if it were given now."""
    with connection.cursor() as cursor:
        cursor.execute(RENEW, {"campaign": campaign_id})


def give_back_not_begun(*, respondent: Respondent, guidelines_id: int, now: datetime) -> int:
    """What this person holds under other guidelines and wrote nothing for; it may be given to them again."""
    with connection.cursor() as cursor:
        cursor.execute(NOT_BEGUN, {"respondent": respondent.pk, "guidelines": guidelines_id})
        return int(cursor.fetchone()[0])


def expire_assignments(*, now: datetime) -> int:
    """Give back every claim whose lease ran out, by the database's clock; returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EXPIRE)
        return int(cursor.fetchone()[0])
