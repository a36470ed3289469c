"""What a dataset's card says of its judgments: how many, whose, from where, shown by which policy."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Aggregate, Count, F, FloatField, Max, Min
from django.db.models.functions import Abs

from annotation.datasets.scope import ChosenBy, Scope
from annotation.enums import Design, RespondentKind, SourceKind


class Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class Row:
    """A line of one of the card's tables; `labels` are its first cells, which no name can break out of."""

    labels: tuple[str, ...]
    judgments: int
    respondents: int = 0


@dataclass(frozen=True)
class Facts:
    judgments: int
    items: int
    respondents: int
    simulated: int
    first: datetime | None
    last: datetime | None
    sources: list[Row]
    kinds: list[Row]
    policies: list[Row]

    @property
    def simulated_share(self) -> float:
        return self.simulated / self.judgments if self.judgments else 0.0


def facts_of(scope: Scope) -> Facts:
    taken = scope.judgments().order_by()
    whole = taken.aggregate(
        judgments=Count("pk"),
        items=Count("item", distinct=True),
        respondents=Count("respondent", distinct=True),
        first=Min("submitted_at"),
        last=Max("submitted_at"),
    )
    sources = _table(scope, "source__name", "source__kind")
    return Facts(
        **whole,
        simulated=sum(row.judgments for row in sources if row.labels[1] == SourceKind.SIMULATION),
        sources=[Row((cell(row.labels[0]), str(SourceKind(row.labels[1]).label)), row.judgments) for row in sources],
        kinds=[
            Row((str(RespondentKind(row.labels[0]).label),), row.judgments, row.respondents)
            for row in _table(scope, "respondent__kind")
        ],
        policies=[
            Row((cell(row.labels[0]) or "none", cell(row.labels[1]), str(Design(row.labels[2]).label)), row.judgments)
            for row in _table(scope, "impression__policy", "impression__policy_version", "impression__pair_design")
        ],
    )


def margin_divisor(scope: Scope) -> float:
    """What a margin is divided by to be in logits.

    By votes: 1, so that the top of the strength scale is one logit (the smaller of the two margins of Touvron et al.
    2023, "Llama 2", section 3.2.2). By amounts: the median amount that is not 0, so that it is one logit.
    """
    if scope.filters.chosen_by == ChosenBy.MAJORITY:
        return 1.0
    amounts = scope.judgments().order_by().exclude(net_utility=0)
    return float(amounts.aggregate(median=Median(Abs(F("net_utility"))))["median"] or 1.0)


def cell(text: str) -> str:
    """A name as it may stand in a table of Markdown."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


def _table(scope: Scope, *columns: str) -> list[Row]:
    rows: Any = (
        scope.judgments()
        .order_by(*columns)
        .values(*columns)
        .annotate(judgments=Count("pk"), respondents=Count("respondent", distinct=True))
    )
    return [Row(tuple(row[column] for column in columns), row["judgments"], row["respondents"]) for row in rows]
