from collections.abc import Sequence

from django.db import connection

# The two contestants of an item i, nobody where there are not two of them.
PAIR = """
LEFT JOIN LATERAL (
    SELECT min(r.contestant_id) AS low, max(r.contestant_id) AS high FROM annotation_response r
    WHERE r.item_id = i.id HAVING count(*) = 2 AND count(r.contestant_id) = 2
        AND min(r.contestant_id) < max(r.contestant_id)
) pair ON true
"""
OPEN = f"""
INSERT INTO annotation_slot (item_id, campaign_id, number, state, pair_low, pair_high)
SELECT i.id, i.campaign_id, more, 'open', pair.low, pair.high FROM annotation_item i {PAIR}
CROSS JOIN generate_series(1, %(count)s) more WHERE i.id = ANY(%(items)s) ORDER BY i.id, more
"""  # noqa: S608 (constants)


def open_slots(*, items: Sequence[int], count: int) -> None:
    """So many open slots for each of these items, which have their responses and no slots yet."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"items": list(items), "count": count})
