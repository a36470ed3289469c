"""What house rules and the moderation model found, as admins marked it: right, or a false alarm."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from arena.enums import FindingOutcome, ModerationState
from arena.models import Arena, Moderation, RuleFinding

LISTED = 25


def stopped_to_look_at(arena: Arena) -> QuerySet[Moderation]:
    """What the moderation model stopped and nobody has looked at, the newest first."""
    listed = Moderation.objects.filter(arena=arena, state=ModerationState.STOPPED, outcome="")
    return listed.select_related("revision__language_model", "battle", "respondent").order_by("-pk")


@dataclass(frozen=True)
class Marked:
    """Of all that one finder ever found in an arena, how much admins marked, and as what."""

    name: str
    found: int
    right: int
    false: int

    @property
    def looked_at(self) -> int:
        return self.right + self.false

    @property
    def precision(self) -> float | None:
        """In percent of what was looked at."""
        return 100 * self.right / self.looked_at if self.looked_at else None


@dataclass(frozen=True)
class Marks:
    """A text that several classes stopped counts for each of them, and once for its model."""

    rules: Sequence[Marked]
    models: Sequence[Marked]
    classes: Sequence[Marked]

    def __bool__(self) -> bool:
        return bool(self.rules or self.models)


def marks_in(arena: Arena) -> Marks:
    """Each kind with what found most first."""
    rules = RuleFinding.objects.filter(arena=arena).values_list("rule__name", "outcome")
    stopped = Moderation.objects.filter(arena=arena, state=ModerationState.STOPPED)
    rows = list(stopped.values_list("revision__language_model__name", "found", "outcome"))
    return Marks(
        rules=_counted(rules),
        models=_counted((name, outcome) for name, _classes, outcome in rows),
        classes=_counted((each, outcome) for _name, classes, outcome in rows for each in classes),
    )


def _counted(pairs: Iterable[tuple[str, str]]) -> list[Marked]:
    counts = Counter(pairs)
    totals = Counter({name: 0 for name, _outcome in counts})
    for (name, _outcome), number in counts.items():
        totals[name] += number
    return [
        Marked(name, total, counts[name, FindingOutcome.RIGHT], counts[name, FindingOutcome.FALSE_ALARM])
        for name, total in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
