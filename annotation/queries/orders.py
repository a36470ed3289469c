"""In which orders an item was shown, and what sides of one showing are in another."""

from collections.abc import Sequence

from django.db import connection

from annotation.questions.base import side_letter

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


def places_in(here: Sequence[int], theirs: Sequence[int]) -> list[int]:
    """Where each side of their showing stands in another order; none where it is the same, or of other sides."""
    if not here or list(theirs) == list(here) or sorted(theirs) != sorted(here):
        return []
    return [list(here).index(position) for position in theirs]


def renamed_in(here: Sequence[int], theirs: Sequence[int]) -> list[tuple[str, str]]:
    """The letter of each side of their showing that has another in this order, and that one."""
    return [
        (side_letter(there), side_letter(place))
        for there, place in enumerate(places_in(here, theirs))
        if there != place
    ]
