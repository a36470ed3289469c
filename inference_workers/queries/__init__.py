"""What the pages and the worker read: the state of the workers, the queue, and completions' texts."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any
from uuid import UUID

import redis
from django.db import connection
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, Min, Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.errors import PersonErased
from accounts.texts import read_personal_texts, unseal_of
from inference_workers.enums import Backend, BreakerState, CompletionState, Priority, Task, Visibility
from inference_workers.models import Completion, Endpoint, EndpointGauge, LanguageModel
from inference_workers.policies.logprobs import unpacked
from inference_workers.streams import sync_client

# Written by the generation worker every few seconds: a field per language model, `loading`, `ready` or `failed`.
READY_KEY = "cardinal:worker:ready"
READY_SECONDS = 20
# The worker's own state stands beside its models', under a name that is no slug.
WORKER_FIELD = "(worker)"
RECENT = timedelta(minutes=10)
USUAL_SECONDS = 8.0
# A worker stays for a retry that is due this soon.
SOON = timedelta(seconds=2)
LEFT_ALONE = (BreakerState.OPEN, BreakerState.HALF_OPEN)


class WorkerState(StrEnum):
    READY = "ready"
    LOADING = "loading"
    FAILED = "failed"
    ABSENT = "absent"


MESSAGES: Mapping[WorkerState, Promise] = {
    WorkerState.READY: _("The models are ready."),
    WorkerState.LOADING: _("The language models are still loading. This takes a moment after a start."),
    WorkerState.FAILED: _("The models could not be loaded. The operator finds the reason in the worker's log."),
    WorkerState.ABSENT: _("The language models are not running yet. After a start this takes a moment."),
}


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """`message` is for everybody; `models` names models and is for operators only."""

    state: WorkerState
    models: Mapping[str, str]

    @property
    def ready(self) -> bool:
        return self.state == WorkerState.READY

    @property
    def message(self) -> Promise:
        return MESSAGES[self.state]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many completions of an endpoint may be claimed now, and how many will be within the next two seconds."""

    now: int
    soon: int
    # Whether people wait who have to be told that it is left alone.
    turned_away: bool = False


def worker_status() -> WorkerStatus:
    """What the generation workers last said of themselves. ABSENT also while Redis is away."""
    try:
        raw: Any = sync_client().hgetall(READY_KEY)
    except redis.RedisError:
        raw = {}
    models = {name.decode(): state.decode() for name, state in raw.items()}
    own = models.pop(WORKER_FIELD, "")
    states = {state.split(":")[0] for state in models.values() or [own]}
    for state in (WorkerState.READY, WorkerState.LOADING, WorkerState.FAILED):
        if state in states:
            return WorkerStatus(state, models)
    return WorkerStatus(WorkerState.ABSENT, models)


def queue_length() -> int:
    """Completions that somebody waits for and no worker has taken up; those of batches let them go first."""
    return Completion.objects.filter(state=CompletionState.QUEUED, priority=Priority.VISITOR).count()


def estimated_wait() -> timedelta:
    """How long a completion that somebody waits for would wait before it starts, at the endpoint with the longest
    queue, judged by the last ten minutes. Endpoints nobody waits for make no wait; batches come after."""
    waiting, running = _count_by_endpoint(CompletionState.QUEUED), _count_by_endpoint(CompletionState.RUNNING)
    if not waiting:
        return timedelta()
    seconds = _seconds_by_endpoint()
    longest = 0.0
    for endpoint in Endpoint.objects.filter(pk__in=waiting):
        ahead = waiting[endpoint.pk] + running.get(endpoint.pk, 0) - endpoint.capacity + 1
        rounds = math.ceil(max(ahead, 0) / endpoint.capacity)
        longest = max(longest, rounds * seconds.get(endpoint.pk, USUAL_SECONDS))
    return timedelta(seconds=round(longest))


def waiting_by_endpoint() -> dict[int, Waiting]:
    """The endpoints whose completions may be claimed now, or within the next moments."""
    left_alone = Q(revision__endpoint__gauge__state__in=LEFT_ALONE)
    rows = (
        Completion.objects.filter(state=CompletionState.QUEUED, claimable_at__lte=Now() + SOON)
        # Who is no person waits for as long as the endpoint is left alone.
        .exclude(
            left_alone & Q(revision__endpoint__gauge__opened_until__gt=Now() + SOON) & ~Q(priority=Priority.VISITOR)
        )
        .values("revision__endpoint")
        .annotate(
            now=Count("pk", filter=Q(claimable_at__lte=Now())),
            soon=Count("pk"),
            turned_away=Count("pk", filter=left_alone & Q(priority=Priority.VISITOR)),
        )
        .values_list("revision__endpoint", "now", "soon", "turned_away")
    )
    return {endpoint: Waiting(now, soon, away > 0) for endpoint, now, soon, away in rows}


def endpoints_return() -> timedelta | None:
    """When the first endpoint that is left alone is tried again, from now; None where none is."""
    found = EndpointGauge.objects.filter(state__in=LEFT_ALONE).aggregate(
        wait=ExpressionWrapper(Min("opened_until") - Now(), output_field=DurationField())
    )
    wait: timedelta | None = found["wait"]
    return None if wait is None else max(wait, timedelta())


def still_held(held: Mapping[UUID, UUID]) -> set[UUID]:
    """Those of the completions that still run under these tokens."""
    rows = Completion.objects.filter(pk__in=held, state=CompletionState.RUNNING)
    return {pk for pk, token in rows.values_list("pk", "lease_token") if held[pk] == token}


def oldest_waiting(*, count: int, for_seconds: float) -> list[tuple[UUID, int]]:
    """Ids and priorities of the completions that come next and have waited this long: their hints may be lost."""
    since = Now() - timedelta(seconds=for_seconds)
    rows = Completion.objects.filter(state=CompletionState.QUEUED, claimable_at__lte=since)
    return list(rows.order_by("priority", "created_at").values_list("pk", "priority")[:count])


def completion_texts(completions: Iterable[Completion]) -> dict[UUID, str | None]:
    """Texts by id; None where there is none, or its person was erased."""
    rows = list(completions)
    personal = read_personal_texts(row.personal_text_id for row in rows if row.personal_text_id is not None)
    return {row.pk: row.text if row.personal_text_id is None else personal.get(row.personal_text_id) for row in rows}


def completion_logprobs(completion: Completion) -> tuple[float, ...] | None:
    """Of the tokens that it wrote, in order; None where they are not kept, or its person was erased."""
    if completion.logprobs is None:
        return None
    kept = bytes(completion.logprobs)
    if completion.person is None:
        return unpacked(kept)
    try:
        return unpacked(bytes.fromhex(unseal_of(completion.person, kept)))
    except PersonErased:
        return None


def completion_messages(completions: Iterable[Completion]) -> dict[UUID, list[dict[str, str]] | None]:
    """Messages by id; None where the person they belong to was erased."""
    rows = list(completions)
    ids = [row.personal_messages_id for row in rows if row.personal_messages_id is not None]
    personal = read_personal_texts(ids)
    found: dict[UUID, list[dict[str, str]] | None] = {}
    for row in rows:
        if row.personal_messages_id is None:
            found[row.pk] = row.messages
        else:
            sealed = personal.get(row.personal_messages_id)
            found[row.pk] = json.loads(sealed) if sealed is not None else None
    return found


@dataclass(frozen=True, slots=True)
class Failures:
    """Of a language model's last completions, how many failed, and how often for which reason, the usual one first."""

    ended: int
    failed: int
    reasons: Mapping[str, int]


# The last of each model by itself; a window would number the whole table.
LAST_COMPLETIONS = """
SELECT m.id, c.error_code, count(*) FROM unnest(%(models)s::bigint[]) AS m(id)
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.state = 'failed' THEN c.error_code ELSE '' END AS error_code
    FROM inference_workers_completion c
    JOIN inference_workers_languagemodelrevision r ON r.id = c.revision_id
    WHERE r.language_model_id = m.id AND c.state IN ('succeeded', 'failed')
    ORDER BY c.created_at DESC LIMIT %(last)s
) c
GROUP BY m.id, c.error_code ORDER BY m.id, count(*) DESC, c.error_code
"""


def recent_failures(models: Iterable[int], *, last: int = 50) -> dict[int, Failures]:
    """By id of those language models that have ended completions."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_COMPLETIONS, {"models": list(models), "last": last})
        rows = cursor.fetchall()
    found: dict[int, Failures] = {}
    for model, own in groupby(rows, key=lambda row: row[0]):
        counts = {code: count for _, code, count in own}
        ended = sum(counts.values())
        reasons = {code: count for code, count in counts.items() if code}
        found[model] = Failures(ended, sum(reasons.values()), reasons)
    return found


def models_to_warm() -> list[LanguageModel]:
    """Language models of battles that run in the worker's own process, those that are drawn most often first."""
    return list(
        LanguageModel.objects.filter(current__endpoint__backend=Backend.TRANSFORMERS, task=Task.TEXT)
        .exclude(visibility=Visibility.RETIRED)
        .select_related("current__endpoint")
        .order_by("-weight", "pk")
    )


def _count_by_endpoint(state: CompletionState) -> dict[int, int]:
    found = Completion.objects.filter(state=state)
    if state == CompletionState.QUEUED:
        found = found.filter(priority=Priority.VISITOR)
    rows = found.values("revision__endpoint").annotate(count=Count("pk"))
    return {row["revision__endpoint"]: row["count"] for row in rows}


def _seconds_by_endpoint() -> dict[int, float]:
    rows = (
        Completion.objects.filter(state=CompletionState.SUCCEEDED, finished_at__gte=Now() - RECENT)
        .values("revision__endpoint")
        .annotate(seconds=Avg("total_seconds"))
    )
    return {row["revision__endpoint"]: row["seconds"] for row in rows if row["seconds"] is not None}
