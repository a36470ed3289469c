"""What the pages of datasets show: what a campaign could give, and the first rows of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from annotation.datasets.facts import margin_divisor
from annotation.datasets.scope import Scope
from annotation.datasets.views import Measures, open_view
from annotation.enums import UNCOUNTED, DatasetView, JudgmentKind, SourceKind, SourceState
from annotation.models import Campaign, DatasetVersion, Judgment, Source

ROWS = 5
# A preview looks no further than this for rows; most items of an import make no pair.
PAGES = 2


@dataclass(frozen=True)
class Offer:
    """A campaign whose log can be exported, and what was exported of it, newest first."""

    campaign: Campaign
    judgments: int
    versions: list[DatasetVersion]


@dataclass(frozen=True)
class Supply:
    """One source that a dataset may take."""

    source: Source
    judgments: int

    @property
    def simulated(self) -> bool:
        return self.source.kind == SourceKind.SIMULATION

    @property
    def machine(self) -> bool:
        return self.source.kind == SourceKind.JUDGE

    @property
    def asked_for(self) -> bool:
        """Whether it is taken only where somebody asks for it: nobody real said what is in it, or who said it had
        chosen who meets whom."""
        return self.simulated or self.machine or self.uncounted

    @property
    def uncounted(self) -> bool:
        return self.source.kind in UNCOUNTED


@dataclass(frozen=True)
class Preview:
    """`more` says that there is more to look through than was; then no row need not mean that there is none."""

    view: str
    judgments: int
    items: int
    rows: list[dict[str, Any]]
    more: bool


def offers() -> list[Offer]:
    """In four queries, however many campaigns there are. A dry run's shadow is not offered."""
    versions = "dataset_versions__withdrawals"
    campaigns = Campaign.objects.filter(shadow_of__isnull=True).prefetch_related(versions).order_by("pk")
    counts = dict(_standing().values("campaign").annotate(count=Count("pk")).values_list("campaign", "count"))
    found = [
        Offer(
            campaign,
            counts.get(campaign.pk, 0),
            sorted(campaign.dataset_versions.all(), key=lambda version: -version.number),
        )
        for campaign in campaigns
    ]
    return [offer for offer in found if offer.judgments or offer.versions]


def supplies(campaign: Campaign) -> list[Supply]:
    """The sources with anything in them that are not retired, model judges' too, as they came."""
    counts = dict(
        _standing(SourceState.ACTIVE, SourceState.APART)
        .filter(campaign=campaign)
        .values("source")
        .annotate(count=Count("pk"))
        .values_list("source", "count")
    )
    return [Supply(source, counts[source.pk]) for source in Source.objects.filter(pk__in=counts).order_by("pk")]


def makes_pairs(campaign: Campaign) -> bool:
    """Whether anybody compared, ranked or rated responses that were shown together."""
    said = Q(preference__gt="") | Q(tiers__isnull=False) | Q(scores__isnull=False)
    found: bool = _standing().filter(said, campaign=campaign).exclude(order__len=1).exists()
    return found


def preview(scope: Scope, views: Sequence[str]) -> Preview:
    """Counts, and the first rows of the first view that was chosen, without the fit, which takes the whole log."""
    name = next(view for view in DatasetView.values if view in views)
    taken = scope.judgments().order_by().aggregate(judgments=Count("pk"), items=Count("item", distinct=True))
    view = open_view(name, scope, Measures(fit=None, divisor=margin_divisor(scope)))
    rows: list[dict[str, Any]] = []
    pages = view.pages()
    looked = 0
    while len(rows) < ROWS and looked < PAGES and (page := next(pages, None)) is not None:
        rows += page.batch().slice(0, ROWS).to_pylist()
        looked += 1
    return Preview(name, taken["judgments"], taken["items"], rows[:ROWS], more=looked == PAGES)


def _standing(*states: SourceState) -> Any:
    return Judgment.objects.filter(
        kind=JudgmentKind.ANSWER,
        superseded_by__isnull=True,
        source__state__in=states or [SourceState.ACTIVE],
        log_entry__isnull=False,
    ).order_by()
