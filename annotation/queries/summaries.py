"""What was last computed of how a campaign goes, as it is kept between the pages that show it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import redis
from django.core.cache import caches
from django.utils.dateparse import parse_datetime

from annotation.boards.agreement import Agreement
from annotation.models import Campaign, LogEntry
from annotation.policies.flags import Alike, AnnotatorFigures, Change, Share
from annotation.policies.forecast import Forecast
from annotation.queries.costs import Money
from annotation.queries.log import retired_sources

# Goes up when a summary gets another shape.
VERSION = 4
SHARES = ("checks", "repeats", "left", "fast", "most_used", "with_others")
CHANGES = ("drift", "truthful")


@dataclass(frozen=True)
class Hour:
    begin: datetime
    answers: int
    work: int  # answers that are no checks and no repeats


@dataclass(frozen=True)
class Progress:
    """Slots of work by what became of them; answers that stand, of every kind but adjudications; and the hours that end
    with now, the oldest first. Checks, repeats and anchors are nobody's target, so that they move no slot.
    """

    open: int = 0
    claimed: int = 0
    done: int = 0
    taken: int = 0  # slots of every kind that are claimed or done, which is what a budget in judgments counts
    answers: int = 0
    work: int = 0
    people: int = 0
    last_day: int = 0
    first_at: datetime | None = None
    accepted: int = 0  # approved answers that stand
    money: Money = field(default_factory=Money)
    hours: list[Hour] = field(default_factory=list)
    forecast: Forecast | None = None

    @property
    def wanted(self) -> int:
        return self.open + self.claimed + self.done


@dataclass(frozen=True)
class Summary:
    """What was computed over one campaign's log up to `sequence` at `made_at`."""

    made_at: datetime
    sequence: int
    retired: list[int]
    progress: Progress
    overall: Agreement | None
    questions: list[Agreement]
    slices: list[Agreement]
    annotators: list[AnnotatorFigures]
    items: list[dict[str, Any]]
    failed_checks: list[int] = field(default_factory=list)  # the newest judgments that got gold or a check wrong

    def is_of(self, campaign: Campaign) -> bool:
        """Whether the log says the same now. It is not asked for its newest number, which takes a look at all of it."""
        newer = LogEntry.objects.filter(sequence__gt=self.sequence, judgment__campaign=campaign)
        return self.retired == retired_sources(campaign) and not newer.exists()


def summary_key(campaign: Campaign) -> str:
    return f"annotation.quality:{VERSION}:{campaign.pk}"


def kept_summary(campaign: Campaign) -> Summary | None:
    """The last that was computed, however old; None where there is none, or nothing can be kept just now."""
    try:
        found = caches["summaries"].get(summary_key(campaign))
    except redis.RedisError:
        return None
    return None if found is None else summary_from_json(found)


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """Plain but for moments, which the cache writes as text."""
    plain = asdict(summary)
    plain["progress"]["money"] = {name: str(amount) for name, amount in plain["progress"]["money"].items()}
    return plain


def summary_from_json(kept: Mapping[str, Any]) -> Summary:
    progress = dict(kept["progress"])
    progress["first_at"] = _moment(progress["first_at"])
    progress["money"] = Money(**{name: Decimal(amount) for name, amount in progress["money"].items()})
    progress["hours"] = [Hour(**hour | {"begin": _moment(hour["begin"])}) for hour in progress["hours"]]
    if progress["forecast"] is not None:
        ends = {name: _moment(progress["forecast"][name]) for name in ("end", "earliest", "latest")}
        progress["forecast"] = Forecast(**progress["forecast"] | ends)
    return Summary(
        **dict(kept)
        | {
            "made_at": _moment(kept["made_at"]),
            "progress": Progress(**progress),
            "overall": Agreement(**kept["overall"]) if kept["overall"] is not None else None,
            "questions": [Agreement(**each) for each in kept["questions"]],
            "slices": [Agreement(**each) for each in kept["slices"]],
            "annotators": [_figures(each) for each in kept["annotators"]],
        }
    )


def _figures(kept: Mapping[str, Any]) -> AnnotatorFigures:
    shares = {name: Share(**kept[name]) for name in SHARES if kept[name] is not None}
    changes = {name: Change(**kept[name]) for name in CHANGES if kept[name] is not None}
    alike = {"alike": Alike(**kept["alike"])} if kept["alike"] is not None else {}
    return AnnotatorFigures(**dict(kept) | shares | changes | alike)


def _moment(text: str | datetime | None) -> Any:
    return parse_datetime(text) if isinstance(text, str) else text
