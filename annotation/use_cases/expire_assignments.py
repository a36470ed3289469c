from datetime import datetime

from django.db import connection, transaction

# One statement: what a dead browser held is open again, and its impression says how it ended.
EXPIRE = """
WITH due AS (
    SELECT id FROM annotation_assignment
    WHERE state = 'open' AND lease_expires_at < now()
    ORDER BY lease_expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED
), expired AS (
    UPDATE annotation_assignment a SET state = 'expired', ended_at = now()
    FROM due WHERE a.id = due.id RETURNING a.id, a.slot_id
), reopened AS (
    UPDATE annotation_slot s SET state = 'open' FROM expired e WHERE s.id = e.slot_id AND s.state = 'claimed'
), ended AS (
    INSERT INTO annotation_impressionevent (impression_id, kind)
    SELECT i.id, 'expired' FROM annotation_impression i JOIN expired e ON i.assignment_id = e.id
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM expired
"""


def expire_assignments(*, now: datetime) -> int:
    """Give back every claim whose lease ran out, by the database's clock; returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EXPIRE)
        return int(cursor.fetchone()[0])
