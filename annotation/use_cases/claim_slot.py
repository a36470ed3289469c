import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Assignment, Campaign, Respondent
from annotation.queries.work import SATED


class CampaignNotRunning(AnnotationError):
    """The campaign takes no judgments now; its state says why."""


# Content that the respondent declined, or met enough of today, is not given, and nothing they have met.
GIVEABLE = """
    s.state = 'open' AND NOT s.for_one AND s.campaign_id = %(campaign)s AND i.state IN ('open', 'frozen')
    AND i.purpose = 'work' AND i.repeat_of_id IS NULL
    AND (cardinality(i.warnings) = 0
        OR NOT ((SELECT sated FROM who) OR i.warnings && (SELECT declined FROM who)))
    AND NOT EXISTS (
        SELECT 1 FROM annotation_assignment a
        WHERE a.item_id = s.item_id AND a.respondent_id = %(respondent)s AND a.state <> 'expired')
"""
ANY_SLOT = f"""
    SELECT s.id, s.item_id, 0 AS turn FROM annotation_slot s JOIN annotation_item i ON i.id = s.item_id
    WHERE {GIVEABLE} ORDER BY s.place LIMIT 1 FOR UPDATE OF s SKIP LOCKED
"""  # noqa: S608 (constants)
# Pair after pair in the order given, until one has a slot.
SLOT_OF_PAIRS = f"""
    SELECT found.id, found.item_id, wanted.place - 1 AS turn
    FROM unnest(%(low)s::bigint[], %(high)s::bigint[]) WITH ORDINALITY AS wanted(low, high, place)
    CROSS JOIN LATERAL (
        SELECT s.id, s.item_id FROM annotation_slot s JOIN annotation_item i ON i.id = s.item_id
        WHERE s.pair_low = wanted.low AND s.pair_high = wanted.high AND {GIVEABLE}
        ORDER BY s.place LIMIT 1 FOR UPDATE OF s SKIP LOCKED
    ) found LIMIT 1
"""  # noqa: S608 (constants)
# Counting and then inserting overshoots the quota; a slot is a row, and a row can be held by one.
CLAIM = f"""
WITH who AS (
    SELECT r.declined_content AS declined, {SATED} AS sated
    FROM annotation_respondent r JOIN annotation_campaign c ON c.id = r.campaign_id WHERE r.id = %(respondent)s
), chosen AS ({{chosen}}), claimed AS (
    UPDATE annotation_slot s SET state = 'claimed' FROM chosen c WHERE s.id = c.id RETURNING s.id, s.item_id
), leased AS (
    INSERT INTO annotation_assignment (slot_id, item_id, respondent_id, state, lease_token, lease_expires_at)
    SELECT id, item_id, %(respondent)s, 'open', %(token)s, now() + make_interval(secs => %(lease)s) FROM claimed
    RETURNING id, slot_id, item_id, lease_expires_at, claimed_at
)
SELECT l.id, l.slot_id, l.item_id, l.lease_expires_at, l.claimed_at,
    (SELECT count(*) FROM annotation_response r WHERE r.item_id = l.item_id), c.turn
FROM leased l, chosen c
"""  # noqa: S608 (constants)
CLAIM_ANY, CLAIM_PAIR = CLAIM.format(chosen=ANY_SLOT), CLAIM.format(chosen=SLOT_OF_PAIRS)
# An item whose slots are not counted: a check, or a repeat. Each respondent has a slot of their own, under their id.
TAKE = """
WITH slot AS (
    INSERT INTO annotation_slot (item_id, campaign_id, number, state, for_one)
    VALUES (%(item)s, %(campaign)s, %(respondent)s, 'claimed', true)
    ON CONFLICT (item_id, number) DO UPDATE SET state = 'claimed' RETURNING id
)
INSERT INTO annotation_assignment (slot_id, item_id, respondent_id, state, lease_token, lease_expires_at)
SELECT id, %(item)s, %(respondent)s, 'open', %(token)s, now() + make_interval(secs => %(lease)s) FROM slot
RETURNING id, slot_id, item_id, lease_expires_at, claimed_at,
    (SELECT count(*) FROM annotation_response r WHERE r.item_id = %(item)s), 0
"""


@dataclass(frozen=True)
class Claim:
    """A lease, how many responses its item has, and the turn of the pair it came from where pairs were asked for."""

    assignment: Assignment
    responses: int
    turn: int


def claim_slot(*, campaign: Campaign, respondent: Respondent, now: datetime) -> Claim | None:
    """Lease one open slot of an item this respondent has not met; None when there is none.

    The quota is met exactly however many claim at once. The lease runs on the database's clock.
    """
    _refuse_unless_running(campaign)
    # None can mean that another claim is rolling back at this moment, so it is asked twice.
    return _lease(CLAIM_ANY, campaign, respondent) or _lease(CLAIM_ANY, campaign, respondent)


def claim_pair(
    *, campaign: Campaign, respondent: Respondent, pairs: Sequence[tuple[int, int]], now: datetime
) -> Claim | None:
    """The same, of the first of these pairs of contestants, by id and the smaller first, for which there is one."""
    _refuse_unless_running(campaign)
    low, high = ([pair[end] for pair in pairs] for end in (0, 1))
    return _lease(CLAIM_PAIR, campaign, respondent, low=low, high=high)


def _refuse_unless_running(campaign: Campaign) -> None:
    if campaign.state not in {CampaignState.RUNNING, CampaignState.PILOT}:
        raise CampaignNotRunning(f"campaign {campaign.slug} is {campaign.state}")


def take_item(*, campaign: Campaign, respondent: Respondent, item_id: int, now: datetime) -> Claim | None:
    """Lease a check item or a repeat, of which everybody may have one."""
    return _lease(TAKE, campaign, respondent, item=item_id)


def _lease(statement: str, campaign: Campaign, respondent: Respondent, **given: int | list[int]) -> Claim | None:
    token = uuid.uuid4()
    values = given | {"campaign": campaign.pk, "respondent": respondent.pk, "lease": campaign.lease_seconds}
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(statement, {**values, "token": token})
        row = cursor.fetchone()
    if row is None:
        return None
    pk, slot_id, item_id, expires_at, claimed_at, responses, turn = row
    assignment = Assignment(pk=pk, slot_id=slot_id, item_id=item_id, respondent=respondent, lease_token=token)
    assignment.lease_expires_at, assignment.claimed_at = expires_at, claimed_at
    assignment._state.adding, assignment._state.db = False, connection.alias
    return Claim(assignment, responses, turn)
