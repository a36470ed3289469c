"""On whose preferences over which prompts a board stands, in numbers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from django.db.models import Count, Max, Min, QuerySet

from annotation.enums import UNNAMED, Design, RespondentKind, SourceKind
from annotation.models import Judgment, Respondent, Source
from annotation.ratings import DESIGNS, UNKNOWN, Bools, Ints

# People who answered on this site.
GIVEN_HERE = (RespondentKind.VISITOR, RespondentKind.ANNOTATOR, RespondentKind.EXPERT)


class Given(Protocol):
    """n judgments of whatever kind: who gave them, about what, and where they come from."""

    @property
    def respondent(self) -> Ints: ...  # (n,) id, -1 unknown

    @property
    def prompt(self) -> Ints: ...  # (n,) -1 unknown

    @property
    def source(self) -> Ints: ...  # (n,) id

    @property
    def design(self) -> Any: ...  # (n,) number in DESIGNS

    def __len__(self) -> int: ...


def people_of(judgments: QuerySet[Judgment], pairs: Given) -> dict[str, Any]:
    """Counts of respondents by kind, of prompts by how they came about, of judgments by where they come from."""
    kinds = (
        judgments.order_by()
        .exclude(respondent__pseudonym=UNNAMED, respondent__kind=RespondentKind.IMPORTED)
        .values_list("respondent__kind")
        .annotate(Count("respondent", distinct=True))
    )
    return {
        "judgments": len(pairs),
        "respondents": dict(kinds),
        "unnamed_judgments": int((pairs.respondent == UNKNOWN).sum()),
        "period": period_of(judgments, np.unique(pairs.source).tolist()),
        "prompts": prompts_of(pairs),
        "sources": sources_of(pairs),
    }


def period_of(judgments: QuerySet[Judgment], sources: Sequence[int]) -> list[str] | None:
    """First and last day of what people gave. None where all of it bears one moment, that of the import, not theirs.

    An imported vote without a date bears the moment of its import, which says nothing of when it was given.
    """
    given = judgments.order_by().exclude(source__kind=SourceKind.SIMULATION)
    for source in Source.objects.filter(kind=SourceKind.IMPORT, pk__in=sources):
        if imported_at := source.details.get("imported_at"):
            given = given.exclude(source=source, submitted_at=datetime.fromisoformat(imported_at))
    span = given.aggregate(first=Min("submitted_at"), last=Max("submitted_at"), count=Count("pk"))
    if not span["count"] or (span["count"] > 1 and span["first"] == span["last"]):
        return None
    return [span["first"].date().isoformat(), span["last"].date().isoformat()]


def prompts_of(pairs: Given) -> dict[str, int]:
    """Distinct prompts: respondents' own, and given ones; `unknown` counts judgments."""
    known = pairs.prompt != UNKNOWN
    own = pairs.design == DESIGNS.index(Design.CHOSEN)
    return {
        "own": len(np.unique(pairs.prompt[known & own])),
        "given": len(np.unique(pairs.prompt[known & ~own])),
        "unknown": int((~known).sum()),
    }


def sources_of(pairs: Given) -> dict[str, int]:
    """Judgments by where they come from. What people say here of items that were imported is given here."""
    ids, counts = np.unique(pairs.source, return_counts=True)
    kinds = dict(Source.objects.filter(pk__in=ids.tolist()).values_list("pk", "kind"))
    # Those that every snapshot has told; of others only what is there, as a snapshot is computed again byte for byte.
    totals: dict[str, int] = {str(kind): 0 for kind in (SourceKind.LIVE, SourceKind.IMPORT, SourceKind.SIMULATION)}
    for pk, count in zip(ids.tolist(), counts.tolist(), strict=True):
        totals[kinds[pk]] = totals.get(kinds[pk], 0) + count
    imports = [pk for pk, kind in kinds.items() if kind == SourceKind.IMPORT]
    people = Respondent.objects.filter(campaign__sources__in=imports, kind__in=GIVEN_HERE).values_list("pk", flat=True)
    here = int((np.isin(pairs.source, imports) & np.isin(pairs.respondent, list(people))).sum()) if imports else 0
    totals[SourceKind.IMPORT] -= here
    totals[SourceKind.LIVE] += here
    return totals


def simulated(pairs: Given) -> Bools:
    """Which judgments nobody gave."""
    ids = Source.objects.filter(pk__in=np.unique(pairs.source).tolist(), kind=SourceKind.SIMULATION)
    return np.isin(pairs.source, list(ids.values_list("pk", flat=True)))
