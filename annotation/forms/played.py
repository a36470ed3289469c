"""What a page says of the sounds and films that were played: distinct seconds, as the browser tells, within bounds."""

from collections.abc import Mapping, Sequence
from typing import Any

from foundation.text import UnsafeJSON, load_json

# Of each side, the seconds of what it plays, by place.
Players = Sequence[Mapping[str, float]]
LONGEST = 20_000
MOST_RANGES = 500
# Durations of browsers and of the server differ by less.
GRACE = 0.1
# Browsers play at twice the speed and more; nothing is played faster than this.
FASTEST = 4
SPARE_SECONDS = 1.0


def read_shares(told: str, players: Players, *, elapsed_ms: int) -> list[float | None] | None:
    """The played share of each side, None for one that plays nothing; None where no side plays anything.

    Sides hold together no more than can have been played since the page was shown.
    """
    if not any(players):
        return None
    ranges = _told(told)
    heard = [{place: _distinct(ranges.get(place), seconds) for place, seconds in side.items()} for side in players]
    total = sum(sum(side.values()) for side in heard)
    most = elapsed_ms / 1000 * FASTEST + SPARE_SECONDS
    bound = min(1.0, most / total) if total else 1.0
    return [_share(side, side_heard, bound) if side else None for side, side_heard in zip(players, heard, strict=True)]


def unplayed(shares: Sequence[float | None] | None, wanted: float | None) -> list[int]:
    """The places of sides that must be played further; nothing where nothing is asked for."""
    if shares is None or not wanted:
        return []
    return [place for place, share in enumerate(shares) if share is not None and share < wanted]


def _share(seconds: Mapping[str, float], heard: Mapping[str, float], bound: float) -> float:
    """Of several files of one side, all together."""
    played = sum(min(seconds[place], each * bound + (GRACE if each else 0)) for place, each in heard.items())
    return round(played / sum(seconds.values()), 4)


def _told(told: str) -> Mapping[str, Any]:
    try:
        value = load_json(told) if told and len(told) <= LONGEST else {}
    except UnsafeJSON:
        return {}
    return value if isinstance(value, dict) else {}


def _distinct(ranges: Any, seconds: float) -> float:
    """What is played twice counts once."""
    if not isinstance(ranges, list):
        return 0.0
    pairs = [each for each in ranges[:MOST_RANGES] if isinstance(each, list) and len(each) == 2]
    numbers = [(start, end) for start, end in pairs if type(start) in (int, float) and type(end) in (int, float)]
    total, reached = 0.0, 0.0
    for start, end in sorted(numbers):
        start, end = max(float(start), reached), min(float(end), seconds)
        if end > start:
            total += end - start
            reached = end
    return total
