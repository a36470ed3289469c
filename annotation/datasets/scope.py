"""What a dataset takes from the log: frozen when it is asked for, so that it can be built again row by row."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from annotation.enums import JudgedBy, RespondentKind
from annotation.models import Campaign, DatasetVersion, Judgment
from annotation.queries import settles, standing_answers, standing_judgments


class ChosenBy(StrEnum):
    MAJORITY = "majority"
    NET_UTILITY = "net_utility"


MODEL_KINDS = (RespondentKind.MODEL_JUDGE, RespondentKind.RULE)
LICENCES = {
    "other": _("Not stated"),
    "cc-by-4.0": _("CC BY 4.0"),
    "cc-by-sa-4.0": _("CC BY-SA 4.0"),
    "cc-by-nc-4.0": _("CC BY-NC 4.0"),
    "cc0-1.0": _("CC0 1.0"),
    "odc-by": _("ODC-BY 1.0"),
}


@dataclass(frozen=True)
class Filters:
    """`sources` are ids; `minimum_agreement` is the least share of an item's judgments that say the same.

    `with_checks` takes judgments on gold, training and test items and on repeated ones along, as votes only.
    `withdrawn` are the respondents who had withdrawn when the scope was frozen, whether or not the log had numbered it.
    `by_experts`: where an expert settled an item, their answer chooses and not the votes.
    """

    sources: tuple[int, ...]
    judged_by: JudgedBy = JudgedBy.PEOPLE
    chosen_by: ChosenBy = ChosenBy.MAJORITY
    minimum_agreement: float = 0.0
    licence: str = "other"
    with_checks: bool = False
    withdrawn: tuple[int, ...] = ()
    by_experts: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "sources": sorted(self.sources),
            "judged_by": self.judged_by.value,
            "chosen_by": self.chosen_by.value,
            "minimum_agreement": self.minimum_agreement,
            "licence": self.licence,
            "with_checks": self.with_checks,
            "withdrawn": sorted(self.withdrawn),
            "by_experts": self.by_experts,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Filters":
        return cls(
            sources=tuple(stored["sources"]),
            judged_by=JudgedBy(stored["judged_by"]),
            chosen_by=ChosenBy(stored["chosen_by"]),
            minimum_agreement=float(stored["minimum_agreement"]),
            licence=stored["licence"],
            with_checks=stored.get("with_checks", False),
            withdrawn=tuple(stored.get("withdrawn", ())),
            by_experts=stored.get("by_experts", False),
        )


@dataclass(frozen=True)
class Scope:
    """One campaign's log up to an entry, through filters. The same scope always holds the same judgments."""

    campaign: Campaign
    last_sequence: int
    filters: Filters

    @classmethod
    def of(cls, version: DatasetVersion) -> "Scope":
        return cls(version.campaign, version.last_sequence, Filters.from_json(version.filters))

    def judgments(self) -> QuerySet[Judgment]:
        """What boards count, in commit order."""
        return self.of_those(self._given(standing_judgments(self.campaign, **self._range)))

    def votes(self) -> QuerySet[Judgment]:
        """The same with what settles items, and with checks where they are asked for."""
        if not self.filters.with_checks:
            taken = standing_judgments(self.campaign, **self._range, with_settling=True)
            return self.of_those(self._given(taken))
        return self.of_those(self._given(standing_answers(self.campaign, **self._range)))

    def settling(self) -> QuerySet[Judgment]:
        """Experts' answers that settle an item; none where votes decide in every case."""
        taken = standing_judgments(self.campaign, **self._range, with_settling=True)
        settling = self.of_those(self._given(taken))
        return settling.filter(settles()) if self.filters.by_experts else settling.none()

    @property
    def _range(self) -> dict[str, Any]:
        # Rules and imported judges have no source of their own; `of_those` tells all of them by who they are.
        people = self.filters.judged_by == JudgedBy.PEOPLE
        return {
            "last_sequence": self.last_sequence,
            "sources": self.filters.sources,
            "judged_by": JudgedBy.PEOPLE if people else JudgedBy.BOTH,
        }

    def _given(self, taken: QuerySet[Judgment]) -> QuerySet[Judgment]:
        return taken.exclude(respondent__in=self.filters.withdrawn) if self.filters.withdrawn else taken

    def of_those(self, taken: QuerySet[Judgment]) -> QuerySet[Judgment]:
        """Of people, of models or of both, as the filters say."""
        if self.filters.judged_by == JudgedBy.PEOPLE:
            return taken.exclude(respondent__kind__in=MODEL_KINDS)
        if self.filters.judged_by == JudgedBy.MODELS:
            return taken.filter(respondent__kind__in=MODEL_KINDS)
        return taken
