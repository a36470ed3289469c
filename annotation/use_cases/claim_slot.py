import uuid
from datetime import datetime

from django.db import connection, transaction

from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Assignment, Campaign, Respondent
from annotation.queries.work import SATED


class CampaignNotRunning(AnnotationError):
    """The campaign takes no judgments now; its state says why."""


# Counting and then inserting overshoots the quota; a slot is a row, and a row can be held by one.
# Content that the respondent declined, or met enough of today, is not given.
CLAIM = f"""
WITH who AS (
    SELECT r.declined_content AS declined, {SATED} AS sated
    FROM annotation_respondent r JOIN annotation_campaign c ON c.id = r.campaign_id WHERE r.id = %(respondent)s
), chosen AS (
    SELECT s.id, s.item_id FROM annotation_slot s JOIN annotation_item i ON i.id = s.item_id
    WHERE s.state = 'open' AND s.campaign_id = %(campaign)s AND i.state IN ('open', 'frozen')
      AND i.purpose = 'work' AND i.repeat_of_id IS NULL
      AND (cardinality(i.warnings) = 0
        OR NOT ((SELECT sated FROM who) OR i.warnings && (SELECT declined FROM who)))
      AND NOT EXISTS (
        SELECT 1 FROM annotation_assignment a
        WHERE a.item_id = s.item_id AND a.respondent_id = %(respondent)s AND a.state <> 'expired'
      )
    ORDER BY s.place LIMIT 1 FOR UPDATE OF s SKIP LOCKED
), claimed AS (
    UPDATE annotation_slot s SET state = 'claimed' FROM chosen c WHERE s.id = c.id RETURNING s.id, s.item_id
)
INSERT INTO annotation_assignment (slot_id, item_id, respondent_id, state, lease_token, lease_expires_at)
SELECT id, item_id, %(respondent)s, 'open', %(token)s, now() + make_interval(secs => %(lease)s) FROM claimed
RETURNING id, slot_id, item_id, lease_expires_at, claimed_at
"""  # noqa: S608 (constants)
# An item whose slots are not counted: a check, or a repeat. Each respondent has a slot of their own, under their id.
TAKE = """
WITH slot AS (
    INSERT INTO annotation_slot (item_id, campaign_id, number, state)
    VALUES (%(item)s, %(campaign)s, %(respondent)s, 'claimed')
    ON CONFLICT (item_id, number) DO UPDATE SET state = 'claimed' RETURNING id
)
INSERT INTO annotation_assignment (slot_id, item_id, respondent_id, state, lease_token, lease_expires_at)
SELECT id, %(item)s, %(respondent)s, 'open', %(token)s, now() + make_interval(secs => %(lease)s) FROM slot
RETURNING id, slot_id, item_id, lease_expires_at, claimed_at
"""


def claim_slot(*, campaign: Campaign, respondent: Respondent, now: datetime) -> Assignment | None:
    """Lease one open slot of an item this respondent has not met; None when there is none.

    The quota is met exactly however many claim at once. The lease runs on the database's clock.
    """
    if campaign.state not in {CampaignState.RUNNING, CampaignState.PILOT}:
        raise CampaignNotRunning(f"campaign {campaign.slug} is {campaign.state}")
    # None can mean that another claim is rolling back at this moment, so it is asked twice.
    return _lease(CLAIM, campaign, respondent) or _lease(CLAIM, campaign, respondent)


def take_item(*, campaign: Campaign, respondent: Respondent, item_id: int, now: datetime) -> Assignment | None:
    """Lease a check item or a repeat, of which everybody may have one."""
    return _lease(TAKE, campaign, respondent, item=item_id)


def _lease(statement: str, campaign: Campaign, respondent: Respondent, **values: int) -> Assignment | None:
    token = uuid.uuid4()
    values |= {"campaign": campaign.pk, "respondent": respondent.pk, "lease": campaign.lease_seconds}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {**values, "token": token})
        row = cursor.fetchone()
    if row is None:
        return None
    pk, slot_id, item_id, expires_at, claimed_at = row
    assignment = Assignment(pk=pk, slot_id=slot_id, item_id=item_id, respondent=respondent, lease_token=token)
    assignment.lease_expires_at, assignment.claimed_at = expires_at, claimed_at
    assignment._state.adding, assignment._state.db = False, connection.alias
    return assignment
