import uuid
from datetime import datetime

from django.db import connection, transaction

from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Assignment, Campaign, Respondent


class CampaignNotRunning(AnnotationError):
    """The campaign takes no judgments now; its state says why."""


# Counting and then inserting overshoots the quota; a slot is a row, and a row can be held by one.
CLAIM = """
WITH chosen AS (
    SELECT s.id, s.item_id FROM annotation_slot s JOIN annotation_item i ON i.id = s.item_id
    WHERE s.state = 'open' AND s.campaign_id = %(campaign)s AND i.state IN ('open', 'frozen')
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
RETURNING id
"""


def claim_slot(*, campaign: Campaign, respondent: Respondent, now: datetime) -> Assignment | None:
    """Lease one open slot of an item this respondent has not met; None when there is none.

    The quota is met exactly however many claim at once. The lease runs on the database's clock.
    """
    if campaign.state not in {CampaignState.RUNNING, CampaignState.PILOT}:
        raise CampaignNotRunning(f"campaign {campaign.slug} is {campaign.state}")
    values: dict[str, int | uuid.UUID] = {
        "campaign": campaign.pk,
        "respondent": respondent.pk,
        "token": uuid.uuid4(),
        "lease": campaign.lease_seconds,
    }
    # None can mean that another claim is rolling back at this moment, so it is asked twice.
    for _ in range(2):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(CLAIM, values)
            row = cursor.fetchone()
        if row is not None:
            return Assignment.objects.select_related("item", "slot").get(pk=row[0])
    return None
