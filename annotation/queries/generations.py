"""How the writing of responses goes: what is there, what it cost, what failed, and what a new one would take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from annotation.enums import GenerationState, ItemPurpose, ItemState
from annotation.models import Campaign, Generation, Item, Turn
from annotation.policies.estimates import Pace
from inference_workers.enums import CompletionState, Rejection, Task, Visibility
from inference_workers.models import LanguageModel
from inference_workers.policies.prices import Prices

FAILED = (CompletionState.FAILED, CompletionState.CANCELLED)
SHOWN_FAILURES = 20
# Speed is judged by so much.
RECENT = timedelta(minutes=5)
LAST = 50
# One response for each sample that is wanted: in a generation of several samples one completion may stand in many.
ONCE_EACH = """
SELECT DISTINCT ON (i.prompt_id, r.contestant_id, r.sample) i.state, r.id, r.contestant_id
FROM annotation_item i JOIN annotation_response r ON r.item_id = i.id
WHERE i.generation_id = %(generation)s
ORDER BY i.prompt_id, r.contestant_id, r.sample, i.state = 'void', r.id
"""
ALL = """
SELECT i.state, r.id, r.contestant_id FROM annotation_item i JOIN annotation_response r ON r.item_id = i.id
WHERE i.generation_id = %(generation)s
"""
# Completions by what has become of them, for each model. What a completion that was replaced had cost is paid too.
COUNTS = """
SELECT m.id, m.name,
    bool_or(CASE WHEN v.output = 'text' THEN m.price_read IS NOT NULL AND m.price_written IS NOT NULL
        ELSE m.price_file IS NOT NULL OR m.price_second IS NOT NULL END),
    count(*) FILTER (WHERE r.state <> 'void'),
    count(*) FILTER (WHERE c.state = 'succeeded'),
    count(*) FILTER (WHERE c.state IN ('queued', 'running') AND r.state = 'filling'),
    count(*) FILTER (WHERE c.state IN ('failed', 'cancelled') AND r.state = 'filling'),
    coalesce(sum(c.prompt_tokens), 0), coalesce(sum(c.completion_tokens), 0),
    sum(coalesce(c.cost, 0) + coalesce(replaced.cost, 0)),
    count(*) FILTER (WHERE c.state = 'succeeded' AND c.cost IS NULL),
    count(*) FILTER (WHERE c.state = 'succeeded' AND c.finished_at > %(since)s),
    min(c.finished_at) FILTER (WHERE c.state = 'succeeded' AND c.finished_at > %(since)s),
    coalesce(sum(c.completion_tokens) FILTER (WHERE c.state = 'succeeded' AND c.finished_at > %(since)s), 0),
    sum(coalesce(c.estimated_cost, 0) + coalesce(replaced.estimated, 0))
FROM ({responses}) r
JOIN annotation_contestant k ON k.id = r.contestant_id
JOIN inference_workers_languagemodelrevision v ON v.id = k.revision_id
JOIN inference_workers_languagemodel m ON m.id = v.language_model_id
LEFT JOIN annotation_turn t ON t.response_id = r.id
LEFT JOIN inference_workers_completion c ON c.id = t.completion_id
LEFT JOIN LATERAL (
    SELECT sum(f.cost) AS cost, sum(f.estimated_cost) AS estimated FROM annotation_event e
    JOIN inference_workers_completion f ON f.id = (e.data->>'failed')::uuid
    WHERE t.replacements > 0 AND e.subject = 'annotation.turn' AND e.subject_id = t.id::text
        AND e.verb = 'completion_replaced'
) replaced ON true
GROUP BY m.id, m.name ORDER BY m.name
"""
# Of each model's current revision, what its last completions took.
PACES = """
SELECT m.id, avg(c.completion_tokens), avg(c.total_seconds), avg(f.seconds)
FROM unnest(%(models)s::bigint[]) AS wanted(id)
JOIN inference_workers_languagemodel m ON m.id = wanted.id
LEFT JOIN LATERAL (
    SELECT * FROM inference_workers_completion x
    WHERE x.revision_id = m.current_id AND x.state = 'succeeded' ORDER BY x.created_at DESC LIMIT %(last)s
) c ON true
LEFT JOIN inference_workers_completionfile f ON f.completion_id = c.id
GROUP BY m.id
"""


@dataclass(frozen=True)
class ModelProgress:
    """One language model's responses. `cost` is what they have cost, each at the price of its moment; None where no
    price was known. `unpriced` counts those that were written without one; `estimated` is what of `cost` nobody
    told: the most that attempts can have cost whose worker died."""

    name: str
    wanted: int
    written: int
    asked: int
    failed: int
    read_tokens: int
    written_tokens: int
    cost: Decimal | None
    unpriced: int
    estimated: Decimal

    @property
    def waiting(self) -> int:
        return max(self.wanted - self.written - self.asked - self.failed, 0)


@dataclass(frozen=True)
class Failure:
    item_id: int
    model: str
    reason: str
    message: str


@dataclass(frozen=True)
class GenerationProgress:
    """Of one generation. `speed` is responses a minute; None while nothing is known of it."""

    items: int
    ready: int
    void: int
    models: list[ModelProgress]
    failures: list[Failure]
    failed_items: int
    speed: float | None
    # Tokens written in a second.
    token_speed: float | None
    left: timedelta | None

    @property
    def wanted(self) -> int:
        return sum(model.wanted for model in self.models)

    @property
    def written(self) -> int:
        return sum(model.written for model in self.models)

    @property
    def asked(self) -> int:
        return sum(model.asked for model in self.models)

    @property
    def waiting(self) -> int:
        return sum(model.waiting for model in self.models)

    @property
    def failed(self) -> int:
        return sum(model.failed for model in self.models)

    @property
    def tokens(self) -> int:
        return sum(model.read_tokens + model.written_tokens for model in self.models)

    @property
    def cost(self) -> Decimal | None:
        """Of the models whose prices are known; None where none is."""
        known = [model.cost for model in self.models if model.cost is not None]
        return sum(known, Decimal()) if known else None

    @property
    def estimated(self) -> Decimal:
        """Of the cost, what nobody told: the most that attempts of workers which died can have cost."""
        return sum((model.estimated for model in self.models), Decimal())

    @property
    def unpriced(self) -> list[str]:
        return [model.name for model in self.models if model.cost is None or model.unpriced]


def campaign_generations(campaign: Campaign, kind: str) -> list[Generation]:
    """The newest, with how many items each has that are not void."""
    counted = Generation.objects.filter(campaign=campaign, kind=kind).annotate(
        count=Count("items", filter=~Q(items__state=ItemState.VOID))
    )
    return list(counted.select_related("created_by__user").order_by("-pk")[:50])


def failed_turns(generation: Generation) -> QuerySet[Turn]:
    """Responses that failed and that nobody tries again by themselves."""
    return Turn.objects.filter(
        response__item__generation=generation, response__item__state=ItemState.FILLING, completion__state__in=FAILED
    )


def generation_progress(generation: Generation, now: datetime) -> GenerationProgress:
    states = dict(generation.items.values_list("state").annotate(count=Count("pk")))
    with connection.cursor() as cursor:
        counts = COUNTS.replace("{responses}", ONCE_EACH if is_shared(generation) else ALL)
        cursor.execute(counts, {"generation": generation.pk, "since": now - RECENT})
        rows = cursor.fetchall()
    models = [_model(row) for row in rows]
    failed = failed_turns(generation)
    shown = failed.select_related("completion", "response__contestant").order_by("response__item", "pk")[
        :SHOWN_FAILURES
    ]
    recent, first = sum(row[11] for row in rows), min((row[12] for row in rows if row[12]), default=None)
    speed = _speed(recent, first, now)
    to_come = sum(model.waiting + model.asked for model in models)
    runs = generation.state == GenerationState.RUNNING
    return GenerationProgress(
        items=sum(states.values()),
        ready=states.get(ItemState.OPEN, 0) + states.get(ItemState.FROZEN, 0),
        void=states.get(ItemState.VOID, 0),
        models=models,
        failures=[_failure(turn) for turn in shown],
        failed_items=failed.values("response__item").distinct().count() if any(m.failed for m in models) else 0,
        speed=speed,
        token_speed=speed / 60 * float(sum(row[13] for row in rows)) / recent if speed else None,
        left=timedelta(minutes=to_come / speed) if speed and runs else None,
    )


def is_shared(generation: Generation) -> bool:
    """Whether a completion may stand in several items."""
    wanted = generation.parameters
    return bool(wanted.get("samples", 1) > 1 or wanted.get("settings") or wanted.get("design") == "all_pairs")


def _model(row: Sequence[Any]) -> ModelProgress:
    _pk, name, has_price, wanted, written, asked, failed, read, tokens, cost, unpriced = row[:11]
    return ModelProgress(
        name=name,
        wanted=wanted,
        written=written,
        asked=asked,
        failed=failed,
        read_tokens=int(read),
        written_tokens=int(tokens),
        cost=cost if cost or has_price else None,
        unpriced=unpriced,
        estimated=row[14],
    )


def _failure(turn: Turn) -> Failure:
    contestant = turn.response.contestant
    name = contestant.name if contestant else ""
    code = turn.job.error_code or turn.job.state
    known = dict(Rejection.choices)
    # A text that was held back is no message of a machine: the reason says it all.
    return Failure(
        turn.response.item_id, name, str(known.get(code, code)), "" if code in known else turn.job.error_message
    )


def _speed(recent: int, first: datetime | None, now: datetime) -> float | None:
    """Responses a minute since the first of the recent ones; a handful tells nothing."""
    if first is None or recent < 3:
        return None
    minutes = max((now - first).total_seconds(), 1) / 60
    return recent / minutes


def usable_models() -> list[LanguageModel]:
    """Language models that can be asked, by name."""
    models = LanguageModel.objects.filter(task=Task.TEXT, current__isnull=False).exclude(visibility=Visibility.RETIRED)
    return list(models.select_related("current__endpoint").order_by("name"))


def paces(models: Sequence[LanguageModel]) -> Mapping[int, Pace]:
    """What one completion of each model takes, as its last ones did."""
    with connection.cursor() as cursor:
        cursor.execute(PACES, {"models": [model.pk for model in models], "last": LAST})
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    return {
        model.pk: Pace(
            model=model.name,
            endpoint=model.serves.endpoint_id,
            capacity=model.serves.endpoint.capacity,
            most_tokens=model.serves.max_tokens,
            system_characters=len(model.serves.system_prompt),
            prices=Prices.of(model.serves, model),
            written_tokens=_number(found[model.pk][0]),
            seconds=_number(found[model.pk][1]),
            played_seconds=_number(found[model.pk][2]),
        )
        for model in models
    }


def _number(value: Decimal | float | None) -> float | None:
    return None if value is None else float(value)


def stored_prompts(campaign: Campaign) -> QuerySet[Item]:
    """An item of the campaign's work for each of its prompts that is nobody's own words."""
    items = Item.objects.filter(
        campaign=campaign,
        purpose=ItemPurpose.WORK,
        repeat_of__isnull=True,
        prompt__messages__isnull=False,
        follow_ups__isnull=True,
    ).exclude(state=ItemState.VOID)
    return items.order_by("prompt__digest", "pk").distinct("prompt__digest")
