"""When anchors are shown: all of them, at random places among a person's first items, and a few once more later."""

# Anchors are hidden among so many items of work, and so many of them come back after those.
PLACES = 40
REPEATED = 4
# A repeat comes back after this many other items at least.
APART = 5
# A campaign's help says so; a scale needs six that are not zero.
ADVISED = 12


def places_for_anchors(session_items: int | None) -> int:
    """Among how many first items anchors are hidden; fewer in a shorter session, so that the repeats fit behind."""
    return PLACES if session_items is None else max(1, min(PLACES, session_items - REPEATED - APART))


def shortest_session(anchors: int) -> int:
    """Items that a session with so many anchors has at least."""
    return anchors + REPEATED + APART if anchors else 1


def last_place_for_repeats(session_items: int | None) -> int:
    """Items after which every repeat was shown."""
    return 2 * PLACES if session_items is None else session_items


def chance(left: int, *, place: int, places: int) -> float:
    """The probability with which one of `left` is shown at `place` (from 0) of `places`.

    Sampling in sequence: so every set of places is equally likely, and all are shown by the last place.
    """
    if left <= 0:
        return 0.0
    return min(1.0, left / max(places - place, 1))
