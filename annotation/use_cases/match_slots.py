from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from annotation.models import Campaign
from annotation.use_cases.open_slots import PAIR

# Repeats get their slots one by one, checks theirs elsewhere, and items that wait for responses theirs when they open.
# Numbers go on behind those that were cancelled.
ADD = f"""
INSERT INTO annotation_slot (item_id, campaign_id, number, state, pair_low, pair_high)
SELECT i.id, i.campaign_id, held.last + more, 'open', pair.low, pair.high
FROM annotation_item i {PAIR}
CROSS JOIN LATERAL (
    SELECT coalesce(max(s.number), 0) AS last, count(*) FILTER (WHERE s.state <> 'cancelled') AS wanted
    FROM annotation_slot s WHERE s.item_id = i.id
) held
CROSS JOIN LATERAL generate_series(1, %(overlap)s - held.wanted::int) more
WHERE i.campaign_id = %(campaign)s AND i.purpose = 'work' AND i.repeat_of_id IS NULL AND i.state IN ('open', 'frozen')
"""  # noqa: S608 (constants)
# What somebody holds or has answered stays: only open slots go, the last ones first.
CANCEL = """
WITH counted AS (
    SELECT s.id, row_number() OVER (PARTITION BY s.item_id ORDER BY (s.state = 'open'), s.number) AS place
    FROM annotation_slot s JOIN annotation_item i ON i.id = s.item_id
    WHERE i.campaign_id = %(campaign)s AND i.purpose = 'work' AND i.repeat_of_id IS NULL AND s.state <> 'cancelled'
)
UPDATE annotation_slot s SET state = 'cancelled'
FROM counted c WHERE s.id = c.id AND c.place > %(overlap)s AND s.state = 'open'
"""


@dataclass(frozen=True)
class SlotsMatched:
    added: int
    cancelled: int


def match_slots(*, campaign: Campaign, now: datetime) -> SlotsMatched:
    """Give every item of work as many slots as the campaign's overlap now says, in the caller's transaction."""
    values = {"campaign": campaign.pk, "overlap": campaign.overlap}
    with connection.cursor() as cursor:
        cursor.execute(ADD, values)
        added = cursor.rowcount
        cursor.execute(CANCEL, values)
        return SlotsMatched(added=added, cancelled=cursor.rowcount)
