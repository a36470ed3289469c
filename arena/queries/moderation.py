"""The moderation model of an arena, what it said lately, and what may be told of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Q

from arena.enums import BattleState, JudgedText, ModerationState, Silence, Unseen
from arena.models import Arena, Moderation, Moderator
from arena.policies import ANY_CLASS
from inference_workers.enums import Output

DAYS = 14
HOUR = timedelta(hours=1)
# After so many texts in a row that were waited for in vain, nobody waits for so long.
SILENT_TIMES = 3
SPARED_FOR = timedelta(seconds=30)
SILENT = (ModerationState.LET_THROUGH, ModerationState.HELD_BACK)


def moderator_of(arena: Arena) -> Moderator | None:
    found = Moderator.objects.filter(arena=arena).select_related("arena", "language_model__current__endpoint")
    return found.first()


def silent_lately(arena: Arena, *, now: datetime) -> bool:
    """Whether it kept visitors waiting in vain several times in a row a moment ago: pages that wait are threads that
    serve nobody."""
    asked = Moderation.objects.filter(arena=arena, asked_at__gt=now - SPARED_FOR)
    waited = asked.exclude(about=JudgedText.ANSWER).exclude(state=ModerationState.ASKED).exclude(silence=Silence.SPARED)
    last = list(waited.order_by("-pk").values_list("silence", flat=True)[:SILENT_TIMES])
    return len(last) == SILENT_TIMES and all(each == Silence.LATE for each in last)


def battles_of_measure(completion_id: UUID) -> list[UUID]:
    """Battles with an answer that waits for what this job says."""
    open_ones = Moderation.objects.filter(state=ModerationState.ASKED, about=JudgedText.ANSWER)
    waiting = open_ones.filter(
        revision__completions=completion_id, digest=F("revision__completions__digest"), battle__isnull=False
    )
    return list(waiting.order_by("battle").values_list("battle", flat=True).distinct())


def overdue_battles(*, now: datetime, limit: int) -> list[UUID]:
    """Battles with an answer that the moderation model has kept for longer than its arena waits, or that nobody asks
    about any more."""
    waiting = Moderation.objects.filter(
        state=ModerationState.ASKED, about=JudgedText.ANSWER, battle__state=BattleState.ANSWERING
    )
    rows = waiting.order_by("pk").values_list("battle", "asked_at", "arena__moderator__wait_seconds")[:limit]
    late = [pk for pk, asked, wait in rows if wait is None or asked + timedelta(seconds=wait) <= now]
    return list(dict.fromkeys(late))


def unseen(moderator: Moderator) -> list[Unseen]:
    """What goes by it unseen."""
    arena, found = moderator.arena, []
    if arena.takes_images and not moderator.takes_images:
        found.append(Unseen.PROMPT_PICTURES)
    if arena.output != Output.TEXT and not (arena.output == Output.IMAGE and moderator.takes_images):
        found.append(Unseen(arena.output))
    return found


@dataclass(frozen=True)
class ModerationRate:
    """Of one kind of text: how many were shown to the model in the last days, and what became of them."""

    about: str
    shown: int
    stopped: int
    let_through: int
    held_back: int
    pictures: int

    @property
    def percent_stopped(self) -> float:
        return 100 * self.stopped / self.shown if self.shown else 0.0


@dataclass(frozen=True)
class Moderated:
    """`by_class` counts the texts that a class stopped; `unknown` are classes with a limit that the model has none
    of; `unseen` is what of the arena it is not shown; `silent` of `asked` texts of the last hour had no answer."""

    moderator: Moderator | None
    rates: Sequence[ModerationRate] = ()
    by_class: Sequence[tuple[str, int]] = ()
    by_model: Sequence[tuple[str, int]] = ()
    unknown: Sequence[str] = ()
    unseen: Sequence[str] = ()
    silent: int = 0
    asked: int = 0
    reasons: Sequence[tuple[str, int]] = ()


def moderated(arena: Arena, *, now: datetime) -> Moderated:
    """Where there is a moderation model, or was one in the last days."""
    recent = Moderation.objects.filter(arena=arena, asked_at__gt=now - timedelta(days=DAYS)).exclude(
        state=ModerationState.DROPPED
    )
    last_hour = recent.filter(asked_at__gt=now - HOUR).exclude(state=ModerationState.ASKED)
    silent = last_hour.filter(state__in=SILENT)
    moderator = moderator_of(arena)
    return Moderated(
        moderator=moderator,
        rates=_rates(recent),
        by_class=_by_class(recent),
        by_model=_by_model(recent),
        unknown=[] if moderator is None else _unknown(moderator),
        unseen=[] if moderator is None else [str(each.label) for each in unseen(moderator)],
        silent=silent.count(),
        asked=last_hour.count(),
        reasons=[
            (str(Silence(row["silence"]).label), row["n"])
            for row in silent.values("silence").annotate(n=Count("pk")).order_by("-n")
        ],
    )


def _rates(recent) -> list[ModerationRate]:  # type: ignore[no-untyped-def]
    def of(state: str) -> Count:
        return Count("pk", filter=Q(state=state))

    rows = recent.values("about").annotate(
        shown=Count("pk"),
        stopped=of(ModerationState.STOPPED),
        let_through=of(ModerationState.LET_THROUGH),
        held_back=of(ModerationState.HELD_BACK),
        pictures=Count("pk", filter=Q(with_picture=True)),
    )
    found = {row.pop("about"): row for row in rows.order_by()}
    return [ModerationRate(str(about.label), **found[about.value]) for about in JudgedText if about.value in found]


def _by_class(recent) -> list[tuple[str, int]]:  # type: ignore[no-untyped-def]
    stopped = recent.filter(state=ModerationState.STOPPED).values_list("found", flat=True)
    return Counter(name for found in stopped for name in found).most_common()


def _by_model(recent) -> list[tuple[str, int]]:  # type: ignore[no-untyped-def]
    """Whose answers were stopped."""
    stopped = recent.filter(state=ModerationState.STOPPED, about=JudgedText.ANSWER)
    name = "completion__revision__language_model__name"
    return list(stopped.values_list(name).annotate(n=Count("pk")).order_by("-n", name))


def _unknown(moderator: Moderator) -> list[str]:
    """Told by the newest text that the model as it is gave scores to."""
    shown = Moderation.objects.filter(
        arena=moderator.arena_id, revision__language_model=moderator.language_model_id, scores__isnull=False
    )
    scores = shown.order_by("-pk").values_list("scores", flat=True).first()
    # Of one that stops nothing there is nothing to tell.
    named = [name for name, limit in moderator.limits.items() if name != ANY_CLASS and limit is not None]
    return [] if scores is None else [name for name in named if name not in scores]
