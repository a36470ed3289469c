"""When a campaign will have all its judgments, if people go on as in the last day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import mean, stdev

# The day before; of a younger campaign the hours that it had, but no fewer than these.
DAY, LEAST_HOURS = 24, 3
# Student's t for hours as far as a day of them goes; work comes in bursts, and a normal interval would be too narrow.
REACH = 2.07
# What is later is not said: nothing known today holds for so long.
FARTHEST = timedelta(days=3650)


@dataclass(frozen=True)
class Forecast:
    """`earliest` and `latest` are the ends of a 95 % interval; None is never, or later than anybody can say."""

    end: datetime
    earliest: datetime
    latest: datetime | None
    per_hour: float
    hours: int


def forecast_end(counts: Sequence[int], *, left: int, first_at: datetime | None, now: datetime) -> Forecast | None:
    """`counts` are judgments of work in whole hours, the last of them the one that runs; None where nobody can say.

    The spread of the hours is that of the mean pace: nights and pauses are in it.
    """
    if first_at is None or left <= 0:
        return None
    hours = list(counts[-DAY - 1 : -1])
    began = int((now - first_at).total_seconds() // 3600)
    hours = hours[max(0, len(hours) - began) :]
    if len(hours) < LEAST_HOURS or not sum(hours):
        return None
    pace, half = mean(hours), REACH * stdev(hours) / sqrt(len(hours))
    earliest, end, latest = (_after(now, left, each) for each in (pace + half, pace, pace - half))
    if end is None or earliest is None:
        return None
    return Forecast(end, earliest, latest, pace, len(hours))


def _after(now: datetime, left: int, pace: float) -> datetime | None:
    if pace <= 0 or left / pace * 3600 > FARTHEST.total_seconds():
        return None
    return now + timedelta(hours=left / pace)
