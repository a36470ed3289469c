"""Where somebody stands in a campaign, and what they may still be given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotation.models import Campaign, Respondent
from annotation.policies.stages import Stage, Standing, stage_of

# What this person has not met of the check items of one purpose. Whoever skipped one is not shown it again.
LEFT = """
(SELECT count(*) FROM annotation_item i WHERE i.campaign_id = c.id AND i.purpose = '{purpose}'
 AND i.state IN ('open', 'frozen')
 AND EXISTS (SELECT 1 FROM annotation_source o WHERE o.id = i.source_id AND o.state = 'active') AND NOT EXISTS (
    SELECT 1 FROM annotation_assignment a
    WHERE a.respondent_id = r.id AND a.item_id = i.id AND a.state IN ('submitted', 'skipped')))
"""
# Everything that decides what comes next in one statement. A count that no limit needs is not taken.
WHERE_THEY_STAND = f"""
SELECT c.state, r.state, c.deadline IS NOT NULL AND c.deadline < now(), c.consent_id, r.consent_id,
    c.guidelines_id, r.guidelines_id, r.qualified_under_id,
    {LEFT.format(purpose="training")}, {LEFT.format(purpose="qualification")},
    ARRAY(SELECT a.id FROM annotation_assignment a
          WHERE a.respondent_id = r.id AND a.state = 'open' AND a.lease_expires_at > now() ORDER BY a.id),
    (SELECT count(*) FROM annotation_assignment a JOIN annotation_item i ON i.id = a.item_id
     WHERE a.respondent_id = r.id AND a.state IN ('open', 'submitted')
        AND i.purpose = 'work' AND i.repeat_of_id IS NULL),
    CASE WHEN c.share_per_annotator IS NOT NULL THEN
        (SELECT count(*) FROM annotation_slot s WHERE s.campaign_id = c.id AND s.state <> 'cancelled') END,
    CASE WHEN c.budget_judgments IS NOT NULL OR c.budget_money IS NOT NULL THEN
        (SELECT count(*) FROM annotation_slot s WHERE s.campaign_id = c.id AND s.state IN ('claimed', 'done')) END
FROM annotation_respondent r JOIN annotation_campaign c ON c.id = r.campaign_id
WHERE r.id = %(respondent)s
"""  # noqa: S608 (constants)
# A statement of its own: what waits for a lock within a statement still sees the counts of before it waited.
HOLD = "SELECT 1 FROM annotation_respondent WHERE id = %(respondent)s FOR UPDATE;"
OF_GROUPS = """
SELECT g.name, count(a.id) FROM unnest(%(groups)s::text[]) AS g(name)
LEFT JOIN annotation_respondent r ON r.campaign_id = %(campaign)s AND g.name = ANY(r.groups)
LEFT JOIN annotation_assignment a ON a.respondent_id = r.id AND a.state IN ('open', 'submitted')
GROUP BY g.name
"""


@dataclass(frozen=True)
class Position:
    """Where a respondent stands, what they hold, and the counts that the campaign's limits speak of."""

    stage: Stage
    held: list[int]  # ids of open assignments, the oldest first
    own: int  # work given to this respondent, answered or open
    wanted: int | None  # slots of the campaign, where a share of them is a limit
    taken: int | None  # slots claimed or done, where there is a budget


def position_of(respondent: Respondent, *, lock: bool = False) -> Position:
    """In one round trip. With `lock` the respondent's row is held first: two tabs of one person wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute((HOLD if lock else "") + WHERE_THEY_STAND, {"respondent": respondent.pk})
        if lock:
            cursor.nextset()
        row = cursor.fetchone()
    if row is None:
        raise Respondent.DoesNotExist(respondent.pk)
    facts: Sequence[Any] = row[:10]
    return Position(stage_of(Standing(*facts)), *row[10:])


def given_to_groups(campaign: Campaign, groups: Sequence[str]) -> dict[str, int]:
    """Judgments given or being given by the members of each group together."""
    with connection.cursor() as cursor:
        cursor.execute(OF_GROUPS, {"groups": list(groups), "campaign": campaign.pk})
        return dict(cursor.fetchall())
