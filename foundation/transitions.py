"""One gate for every change of state: the tables in each app's `transitions.py`."""

from collections.abc import Mapping, Set

Table = Mapping[str, Set[str]]


class ForbiddenTransition(Exception):
    """The state machine has no arrow from where the row is to where the caller wants it."""

    def __init__(self, current: str, wanted: str) -> None:
        super().__init__(f"no transition from {current} to {wanted}")
        self.current = current
        self.wanted = wanted


def check(table: Table, current: str, wanted: str) -> None:
    """Pass if the table has the arrow. Raises ForbiddenTransition, and KeyError for an unknown state."""
    if wanted not in table:
        raise KeyError(wanted)
    if wanted not in table[current]:
        raise ForbiddenTransition(current, wanted)
