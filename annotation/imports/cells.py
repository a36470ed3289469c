"""What one cell of text may say. Each reader takes a cell that is tidy and not empty, or raises BadCell."""

import re
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from annotation.imports.problems import show
from annotation.imports.schema import LONGEST, OUTCOME_CODES, OUTCOMES
from foundation.text import clean_text

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
TRUE = {"1", "true", "t", "yes"}
FALSE = {"0", "false", "f", "no"}
LARGEST_STRENGTH = 1e9
# What Python's datetime holds with room for any time zone.
FIRST_MOMENT = datetime(1, 1, 2, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 30, tzinfo=UTC)


def latest_moment() -> datetime:
    """Until when a vote may have been given: a clock elsewhere may be ahead of ours."""
    return timezone.now() + timedelta(days=1)


class BadCell(ValueError):
    """Why a cell cannot be read."""


def tidy(cell: str | None) -> str:
    """Cells are names and labels: control characters go, and any white space becomes one space."""
    return " ".join(clean_text(cell).split()) if cell else ""


def read_outcome(cell: str) -> int:
    found = OUTCOMES.get(cell.lower())
    if found is None:
        raise BadCell(f"outcome is {show(cell)}, not one of {', '.join(OUTCOME_CODES)}")
    return OUTCOME_CODES.index(found)


def read_label(name: str, cell: str) -> str:
    if len(cell) > LONGEST[name]:
        raise BadCell(f"{name} has {len(cell)} characters, more than {LONGEST[name]}")
    return cell


def read_strength(cell: str) -> float:
    if not NUMBER.fullmatch(cell):
        raise BadCell(f"strength is {show(cell)}, not a number")
    return float(cell)


def read_flag(name: str, cell: str) -> bool:
    if cell.lower() in TRUE:
        return True
    if cell.lower() in FALSE:
        return False
    raise BadCell(f"{name} is {show(cell)}, not true or false")


def read_date(cell: str) -> datetime:
    """ISO 8601, a date or a date with a time; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(cell)
    except ValueError as error:
        raise BadCell(f"date is {show(cell)}, not as in 2026-11-21 or 2026-11-21T08:30:00Z") from error
    aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    if not FIRST_MOMENT <= aware <= LAST_MOMENT:
        raise BadCell(f"date is {show(cell)}, out of range")
    if aware > latest_moment():
        raise BadCell(f"date is {show(cell)}, in the future")
    return aware.astimezone(UTC)
