"""In which orders an item was shown."""

from django.db import connection

# Of each slot that somebody holds or filled: what was given back or taken out leaves its place to the next.
SHOWN = """
SELECT DISTINCT ON (a.slot_id) i.order
FROM annotation_impression i
JOIN annotation_assignment a ON a.id = i.assignment_id
JOIN annotation_slot s ON s.id = a.slot_id
WHERE a.item_id = %(item)s AND a.id <> %(besides)s
    AND a.state IN ('open', 'submitted') AND s.state IN ('claimed', 'done')
    AND cardinality(i.order) = %(responses)s
ORDER BY a.slot_id, i.id DESC
"""


def orders_shown(item_id: int, *, besides: int, responses: int) -> list[list[int]]:
    """One for each slot that is filled or held, without the assignment `besides`."""
    with connection.cursor() as cursor:
        cursor.execute(SHOWN, {"item": item_id, "besides": besides, "responses": responses})
        return [order for (order,) in cursor.fetchall()]
