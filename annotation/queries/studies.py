"""What admins see of the studies that send people into a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from annotation.enums import ItemPurpose, ItemState, Participation, SourceState
from annotation.models import Campaign, Item, Respondent, Study, StudyParticipant
from annotation.queries.work import newest_set


@dataclass(frozen=True)
class ListedStudy:
    study: Study
    counts: dict[str, int]  # people, by how they stand with it

    @property
    def by_state(self) -> Sequence[tuple[str, int]]:
        return [(str(state.label), self.counts.get(state.value, 0)) for state in Participation]


def studies_of(campaign: Campaign) -> list[ListedStudy]:
    """In two queries, however many there are; the newest first."""
    studies = list(Study.objects.filter(campaign=campaign).select_related("invitation").order_by("-pk"))
    counted = StudyParticipant.objects.filter(study__in=studies).values_list("study", "state").annotate(Count("pk"))
    counts: dict[int, dict[str, int]] = {}
    for study, state, count in counted:
        counts.setdefault(study, {})[state] = count
    return [ListedStudy(study, counts.get(study.pk, {})) for study in studies]


def first_items(campaign: Campaign) -> int:
    """Items of the training and the test that come before work, as they are taken now."""
    ready = Item.objects.filter(
        campaign=campaign, state__in=[ItemState.OPEN, ItemState.FROZEN], source__state=SourceState.ACTIVE
    )
    return sum(
        ready.filter(purpose=purpose, test_of=newest_set(campaign, purpose)).count()
        for purpose in (ItemPurpose.TRAINING, ItemPurpose.QUALIFICATION)
    )


def participant_of(respondent: Respondent) -> StudyParticipant | None:
    """Whom a study sent; None for everybody else."""
    return StudyParticipant.objects.filter(respondent=respondent).select_related("study").first()
