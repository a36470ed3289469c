"""Where somebody stands in a campaign, and what they may still be given."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Max

from annotation.models import Campaign, Item, Respondent
from annotation.policies.stages import Stage, Standing, stage_of, takes_answers
from annotation.selection.known import HELD, Known
from foundation.database import lock_number

# What this person has not met of the check items of one purpose. A skipped one of the training is not shown again, and
# what they declined is never asked of them. Tests and training of earlier guidelines are no longer taken.
LEFT = """
(SELECT count(*) FROM annotation_item i WHERE i.campaign_id = c.id AND i.purpose = '{purpose}'
 AND i.state IN ('open', 'frozen') AND i.test_of_id IS NOT DISTINCT FROM newest.{purpose}
 AND NOT i.warnings && r.declined_content {besides}
 AND EXISTS (SELECT 1 FROM annotation_source o WHERE o.id = i.source_id AND o.state = 'active') AND NOT EXISTS (
    SELECT 1 FROM annotation_assignment a
    WHERE a.respondent_id = r.id AND a.item_id = i.id AND a.state IN ('submitted', 'skipped')))
"""
# Whether respondent r of campaign c met as many items with a warning today as one may; a day is one of UTC.
SATED = """
CASE WHEN c.exposure_cap IS NULL THEN false ELSE c.exposure_cap <= (
    SELECT count(DISTINCT a.item_id) FROM annotation_assignment a JOIN annotation_item i ON i.id = a.item_id
    WHERE a.respondent_id = r.id AND cardinality(i.warnings) > 0
        AND a.claimed_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') END
"""
ANCHORS = "annotation_item i WHERE i.campaign_id = c.id AND i.purpose = 'anchor' AND i.repeat_of_id IS NULL"
# What a paid session and anchors count.
SESSION = f"""
CASE WHEN w.incentive <> 'stated' THEN c.session_items END,
CASE WHEN (w.incentive <> 'stated' AND c.session_items IS NOT NULL) OR EXISTS (SELECT 1 FROM {ANCHORS}) THEN
    (SELECT count(*) FROM annotation_assignment a JOIN annotation_item i ON i.id = a.item_id
     WHERE a.respondent_id = r.id AND a.state IN ('open', 'submitted') AND i.purpose IN ('work', 'anchor')) END,
CASE WHEN EXISTS (SELECT 1 FROM {ANCHORS}) THEN
    (SELECT count(*) FROM {ANCHORS} AND i.state IN ('open', 'frozen') AND NOT i.warnings && r.declined_content
     AND NOT EXISTS (
        SELECT 1 FROM annotation_assignment a
        WHERE a.respondent_id = r.id AND a.item_id = i.id AND a.state <> 'expired')) END
"""  # noqa: S608 (constants)
# Work of all members of each group that this person is in and that has a quota.
OF_GROUPS = """
CASE WHEN c.group_quotas <> '{}' AND cardinality(r.groups) > 0 THEN (
    SELECT jsonb_object_agg(g.name, g.given)::text FROM (
        SELECT g.name, coalesce(sum(t.given), 0) AS given FROM unnest(r.groups) AS g(name)
        JOIN annotation_respondent m ON m.campaign_id = c.id AND g.name = ANY(m.groups)
        LEFT JOIN annotation_worktally t ON t.respondent_id = m.id
        WHERE c.group_quotas ? g.name GROUP BY g.name) g) END
"""
# Everything that decides what comes next in one statement. A count that no limit needs is not taken.
WHERE_THEY_STAND = f"""
SELECT c.state, r.state, c.deadline IS NOT NULL AND c.deadline < now(), c.consent_id, r.consent_id,
    (SELECT max(g.id) FROM annotation_guidelinesversion g WHERE g.campaign_id = c.id AND NOT g.answers_only),
    r.guidelines_id, r.qualified_under_id, newest.qualification,
    {LEFT.format(purpose="training", besides="")}, {LEFT.format(purpose="qualification", besides="")},
    (SELECT q.settings ->> 'incentive' FROM annotation_question q
     WHERE q.instrument_id = c.instrument_id AND q.type = 'amount' AND r.kind IN ('annotator', 'expert') LIMIT 1),
    w.state,
    ARRAY(SELECT a.id FROM annotation_assignment a JOIN annotation_slot s ON s.id = a.slot_id
          WHERE a.respondent_id = r.id AND a.state = 'open' AND a.lease_expires_at > now()
            AND s.state <> 'cancelled' ORDER BY a.id),
    (SELECT coalesce(sum(t.given), 0) FROM annotation_worktally t WHERE t.respondent_id = r.id),
    CASE WHEN c.share_per_annotator IS NOT NULL THEN
        (SELECT coalesce(sum(t.wanted), 0) FROM annotation_slottally t WHERE t.campaign_id = c.id) END,
    CASE WHEN c.budget_judgments IS NOT NULL OR c.budget_money IS NOT NULL THEN
        (SELECT coalesce(sum(t.taken), 0) FROM annotation_slottally t WHERE t.campaign_id = c.id) END,
    {OF_GROUPS},
    newest.training, newest.qualification, r.declined_content, {SATED},
    {SESSION},
    (SELECT CASE WHEN p.state = 'completed' THEN 0 ELSE t.judgments END
     FROM annotation_studyparticipant p JOIN annotation_study t ON t.id = p.study_id WHERE p.respondent_id = r.id),
    known.digest, CASE WHEN known.digest <> %(held)s THEN known.payload END
FROM annotation_respondent r JOIN annotation_campaign c ON c.id = r.campaign_id
LEFT JOIN annotation_worthsession w ON w.respondent_id = r.id
LEFT JOIN annotation_campaignselection known ON known.campaign_id = c.id AND %(held)s IS NOT NULL
CROSS JOIN LATERAL (
    SELECT max(i.test_of_id) FILTER (WHERE i.purpose = 'training') AS training,
        max(i.test_of_id) FILTER (WHERE i.purpose = 'qualification') AS qualification
    FROM annotation_item i WHERE i.campaign_id = c.id AND i.purpose IN ('training', 'qualification')
) newest
WHERE r.id = %(respondent)s
"""  # noqa: S608 (constants)
# Statements of their own, sent with it: what waits for a lock within a statement still sees the counts of before.
HOLD = "SELECT 1 FROM annotation_respondent WHERE id = %(respondent)s FOR UPDATE;"
WAIT = "SELECT pg_advisory_xact_lock(%(lock)s);"


@dataclass(frozen=True)
class Position:
    """Where a respondent stands, what they hold, and the counts that the campaign's limits speak of."""

    stage: Stage
    takes_answers: bool  # to what they hold
    held: list[int]  # ids of open assignments, the oldest first
    own: int  # work given to this respondent, answered or open
    wanted: int | None  # slots of work of the campaign, where a share of them is a limit
    taken: int | None  # slots claimed or done, where there is a budget
    of_groups: dict[str, int]  # work given to the members of each of this respondent's groups that have a quota
    training_of: int | None  # guidelines whose training and whose test are taken now; None for the first ones
    test_of: int | None
    declined: list[str]  # categories of content
    is_sated: bool  # met as many items with a warning today as one may
    session_items: int | None  # items of this respondent's paid session
    place: int | None  # items of work and anchors given to them, where a session or anchors count these
    anchors_left: int | None  # that they did not meet, where there are any
    study_judgments: int | None  # after which whoever a study sent is done
    known: Known | None  # what the campaign's policy goes by, where somebody is to claim


def position_of(respondent: Respondent, *, to_claim: bool = False, lock: str | None = None) -> Position:
    """In one round trip. To claim, the respondent's row is held first: two tabs of one person wait for each other.
    Before that, all who name the same `lock` wait for each other. Both are held until the transaction ends.
    """
    campaign = respondent.campaign_id or 0
    values = {"respondent": respondent.pk, "held": HELD.digest_of(campaign) if to_claim else None}
    first = [WAIT] * (lock is not None) + [HOLD] * to_claim
    with connection.cursor() as cursor:
        cursor.execute("".join(first) + WHERE_THEY_STAND, values | {"lock": lock_number(lock or "")})
        for _ in first:
            cursor.nextset()
        row = cursor.fetchone()
    if row is None:
        raise Respondent.DoesNotExist(respondent.pk)
    facts: Sequence[Any] = row[:13]
    standing = Standing(*facts)
    counts, of_groups = row[13:17], json.loads(row[17] or "{}")
    known = HELD.after(campaign, *row[-2:])
    return Position(stage_of(standing), takes_answers(standing), *(*counts, of_groups, *row[18:-2], known))


def newest_set(campaign: Campaign, purpose: str) -> int | None:
    """The guidelines whose items of this purpose are taken now; None where those are the campaign's first."""
    found: int | None = Item.objects.filter(campaign=campaign, purpose=purpose).aggregate(last=Max("test_of"))["last"]
    return found
