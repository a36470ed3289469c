"""What withdrawals mean for datasets: which frozen versions hold somebody's judgments, what a version leaves out."""

from dataclasses import dataclass

from django.db.models import F, QuerySet

from annotation.datasets.scope import Scope
from annotation.enums import COUNTED, DatasetState, JudgmentKind
from annotation.models import DatasetVersion, Judgment, Respondent


@dataclass(frozen=True)
class Holding:
    """A version, and how many of somebody's judgments are in it."""

    version: DatasetVersion
    judgments: int


def versions_with(respondent: Respondent) -> list[Holding]:
    """The campaign's versions, built or being built, that hold judgments of this person; the oldest first."""
    versions = DatasetVersion.objects.filter(campaign=respondent.campaign_id).exclude(state=DatasetState.FAILED)
    counted = [
        Holding(version, Scope.of(version).votes().order_by().filter(respondent=respondent).count())
        for version in versions.select_related("campaign").order_by("number")
    ]
    return [each for each in counted if each.judgments]


def left_out(scope: Scope, *, with_checks: bool = False) -> QuerySet[Judgment]:
    """What the scope would hold had nobody withdrawn before it was frozen: work and anchors, or checks too."""
    if not scope.filters.withdrawn:
        return Judgment.objects.none()
    counted = {} if with_checks else {"item__purpose__in": COUNTED, "item__repeat_of__isnull": True}
    return scope.of_those(
        Judgment.objects.filter(
            **counted,
            campaign=scope.campaign,
            kind=JudgmentKind.ANSWER,
            respondent__in=scope.filters.withdrawn,
            source__in=scope.filters.sources,
            log_entry__sequence__lte=scope.last_sequence,
            # Those that stood when they withdrew; what was taken out before was not theirs to take back.
            superseded_by__kind=JudgmentKind.RETRACTION,
            superseded_by__submitted_at=F("respondent__withdrawn_at"),
        )
    )
