"""How language models and their endpoints are: what waits, how fast they answer, what fails, what it costs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from inference_workers.enums import BreakerState, Rejection
from inference_workers.models import (
    Endpoint,
    EndpointGauge,
    LanguageModel,
    LanguageModelRevision,
    OperatorEvent,
)

# What decides the answers of a revision, as it is read.
DECISIVE: Mapping[str, Promise] = {
    "endpoint": _("Endpoint"),
    "provider_model": _("Model at the endpoint"),
    "output": _("Answers with"),
    "system_prompt": _("System prompt"),
    "temperature": _("Temperature"),
    "top_p": _("Top p"),
    "top_k": _("Top k"),
    "repetition_penalty": _("Repetition penalty"),
    "max_tokens": _("Most tokens of an answer"),
    "accepts_cut": _("Shows cut answers"),
    "takes_schema": _("Takes a JSON schema"),
    "stop": _("Stop texts"),
}
# What has ended in the last week, by how; one pass over the index of what has ended.
ENDED = """
SELECT r.language_model_id, CASE WHEN c.state = 'failed' THEN c.error_code ELSE '' END,
    count(*) FILTER (WHERE c.finished_at > %(now)s - interval '1 hour'),
    count(*) FILTER (WHERE c.finished_at > %(now)s - interval '1 day'), count(*),
    coalesce(sum(c.cost) FILTER (WHERE c.finished_at >= %(today)s), 0)
FROM inference_workers_completion c JOIN inference_workers_languagemodelrevision r ON r.id = c.revision_id
WHERE c.state IN ('succeeded', 'failed') AND c.finished_at > %(now)s - interval '7 days'
    AND r.language_model_id = ANY(%(models)s)
GROUP BY 1, 2 ORDER BY 1, 5 DESC, 2
"""
PACE = """
SELECT r.language_model_id, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY c.first_token_seconds),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY c.total_seconds)
FROM inference_workers_completion c JOIN inference_workers_languagemodelrevision r ON r.id = c.revision_id
WHERE c.state = 'succeeded' AND c.finished_at > %(now)s - interval '1 day' AND r.language_model_id = ANY(%(models)s)
GROUP BY 1
"""
UNFINISHED = """
SELECT r.language_model_id, count(*) FILTER (WHERE c.state = 'queued'), count(*) FILTER (WHERE c.state = 'running')
FROM inference_workers_completion c JOIN inference_workers_languagemodelrevision r ON r.id = c.revision_id
WHERE c.state IN ('queued', 'running') AND r.language_model_id = ANY(%(models)s) GROUP BY 1
"""


@dataclass(frozen=True)
class Window:
    """What ended within it. `reasons` are codes and how often each, the usual one first."""

    ended: int = 0
    failed: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def percent(self) -> float | None:
        return 100 * self.failed / self.ended if self.ended else None

    @property
    def withheld(self) -> int:
        """Texts that came and were not shown."""
        return sum(count for code, count in self.reasons.items() if code in Rejection.values)


@dataclass(frozen=True)
class Health:
    """Seconds are those of the last day: the median, and what nineteen of twenty take at most."""

    waiting: int = 0
    running: int = 0
    hour: Window = Window()
    day: Window = Window()
    week: Window = Window()
    spent_today: Decimal = Decimal()
    first_token: tuple[float | None, float | None] = (None, None)
    total: tuple[float | None, float | None] = (None, None)

    @property
    def windows(self) -> tuple[Window, Window, Window]:
        return (self.hour, self.day, self.week)


def health_of(models: Iterable[int], now: datetime) -> dict[int, Health]:
    """By language model, in three statements however many there are."""
    ids = list(models)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    values = {"models": ids, "now": now, "today": today}
    ended = _rows(ENDED, values)
    pace = {row[0]: row[1:] for row in _rows(PACE, values)}
    unfinished = {row[0]: row[1:] for row in _rows(UNFINISHED, values)}
    return {pk: _health([r[1:] for r in ended if r[0] == pk], pace.get(pk), unfinished.get(pk)) for pk in ids}


def _rows(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _health(ended: Sequence[Sequence[Any]], pace: Any, unfinished: Any) -> Health:
    waiting, running = unfinished or (0, 0)
    first, total = pace or (None, None)
    return Health(
        waiting=waiting,
        running=running,
        hour=_window([(row[0], row[1]) for row in ended]),
        day=_window([(row[0], row[2]) for row in ended]),
        week=_window([(row[0], row[3]) for row in ended]),
        spent_today=sum((row[4] for row in ended), Decimal()),
        first_token=tuple(first or (None, None)),
        total=tuple(total or (None, None)),
    )


def _window(counts: Sequence[tuple[str, int]]) -> Window:
    reasons = {code: count for code, count in sorted(counts, key=lambda each: -each[1]) if code and count}
    return Window(sum(count for _code, count in counts), sum(reasons.values()), reasons)


def reason_words(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """Codes of endpoints and workers stay as they are: they are looked up by them."""
    known = dict(Rejection.choices)
    return [(str(known.get(code, code)), count) for code, count in reasons.items()]


@dataclass(frozen=True)
class ListedModel:
    model: LanguageModel
    health: Health
    gauge: EndpointGauge | None


@dataclass(frozen=True)
class ListedEndpoint:
    endpoint: Endpoint
    gauge: EndpointGauge
    models: int
    spent_today: Decimal

    @property
    def has_key(self) -> bool:
        return bool(self.endpoint.sealed_key)


def listed_models(now: datetime) -> list[ListedModel]:
    """Those that take part first, then the retired ones, by name."""
    models = list(LanguageModel.objects.select_related("current__endpoint__gauge").order_by("name"))
    health = health_of([model.pk for model in models], now)
    rows = [ListedModel(model, health[model.pk], gauge_of(model)) for model in models]
    return sorted(rows, key=lambda row: row.model.visibility == "retired")


def gauge_of(model: LanguageModel) -> EndpointGauge | None:
    return getattr(model.current.endpoint, "gauge", None) if model.current else None


def listed_endpoints(now: datetime) -> list[ListedEndpoint]:
    counts: dict[int, int] = {}
    for pk in LanguageModel.objects.filter(current__isnull=False).values_list("current__endpoint", flat=True):
        counts[pk] = counts.get(pk, 0) + 1
    today = now.astimezone(UTC).date()
    found = []
    for endpoint in Endpoint.objects.select_related("gauge").order_by("name"):
        gauge = getattr(endpoint, "gauge", None) or EndpointGauge(endpoint=endpoint, state=BreakerState.CLOSED)
        spent = gauge.spent_today if gauge.spent_on == today else Decimal()
        found.append(ListedEndpoint(endpoint, gauge, counts.get(endpoint.pk, 0), spent))
    return found


@dataclass(frozen=True)
class MadeRevision:
    revision: LanguageModelRevision
    maker: str


@dataclass(frozen=True)
class Difference:
    name: Promise
    left: str
    right: str

    @property
    def differs(self) -> bool:
        return bool(self.left != self.right)


def revisions_of(model: LanguageModel) -> list[MadeRevision]:
    """The newest first, each with whoever made it; an empty name where nobody noted it."""
    events = OperatorEvent.objects.filter(revision__language_model=model).select_related("actor__user")
    makers = {event.revision_id: actor_name(event) for event in events}
    revisions = model.revisions.select_related("endpoint").order_by("-number")
    return [MadeRevision(revision, makers.get(revision.pk, "")) for revision in revisions]


def differences(left: LanguageModelRevision, right: LanguageModelRevision) -> list[Difference]:
    """Everything that decides what a model answers, side by side."""
    return [
        Difference(label, _read(getattr(left, name)), _read(getattr(right, name))) for name, label in DECISIVE.items()
    ]


def _read(value: Any) -> str:
    """As people read it; a line break in a stop text is told."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        value = " · ".join(json.dumps(each, ensure_ascii=False) for each in value)
    return str(value) or "–"


def history_of(subject: str, pk: int) -> list[OperatorEvent]:
    events = OperatorEvent.objects.filter(subject=subject, subject_id=pk)
    return list(events.select_related("actor__user", "revision").order_by("-pk")[:30])


def actor_name(event: OperatorEvent) -> str:
    user = event.actor.user if event.actor is not None else None
    return user.get_username() if user is not None else ""
