"""What admins see of the studies that send people into a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils.translation import gettext as _

from annotation.enums import AssignmentState, ItemPurpose, ItemState, Participation, RespondentState, SourceState
from annotation.models import Assignment, Campaign, Item, Respondent, Study, StudyParticipant
from annotation.queries.work import newest_set

# For them it ends here, whatever there is to do.
ENDED = (RespondentState.SCREENED_OUT, RespondentState.BLOCKED, RespondentState.WITHDRAWN)
# Whoever has done nothing for so long has left without a word, and the service has sent somebody else.
STILL_HERE = timedelta(hours=1)
TEXT = CharField()


@dataclass(frozen=True)
class ListedStudy:
    study: Study
    counts: dict[str, int]  # people, by how they stand with it
    places: int  # that are taken

    @property
    def by_state(self) -> Sequence[tuple[str, int]]:
        labels = {state: str(state.label) for state in Participation}
        labels[Participation.SCREENED_OUT] = _("Screened out, blocked or withdrawn")
        return [(label, self.counts.get(state.value, 0)) for state, label in labels.items()]

    @property
    def people(self) -> int:
        """Who came, let in or not."""
        return sum(self.counts.values())


def studies_of(campaign: Campaign, now: datetime) -> list[ListedStudy]:
    """In a constant number of queries; the newest first."""
    studies = Study.objects.filter(campaign=campaign).select_related("invitation").order_by("-pk")
    return listed_studies(list(studies), now)


def listed_studies(studies: Sequence[Study], now: datetime) -> list[ListedStudy]:
    """For whom it ended counts so at once, whether or not they went back to say so."""
    has_ended = Q(state=Participation.STARTED, respondent__state__in=ENDED)
    stands = Case(When(has_ended, then=Value(Participation.SCREENED_OUT.value)), default=F("state"), output_field=TEXT)
    sent = StudyParticipant.objects.filter(study__in=studies)
    counts: dict[int, dict[str, int]] = {}
    for study, state, count in sent.annotate(stands=stands).values_list("study", "stands").annotate(Count("pk")):
        counts.setdefault(study, {})[state] = count
    held = places_held(studies, now)
    return [ListedStudy(study, counts.get(study.pk, {}), held.get(study.pk, 0)) for study in studies]


def places_held(studies: Sequence[Study], now: datetime) -> dict[int, int]:
    """How many places of each study are taken, by its id; a study with none is left out."""
    holders = place_holders(now).filter(study__in=studies)
    return dict(holders.values_list("study").annotate(Count("pk")))


def place_holders(now: datetime) -> QuerySet[StudyParticipant]:
    """Whoever is done, and whoever is at work: for all others the service sends somebody else."""
    since = now - STILL_HERE
    own = Assignment.objects.filter(respondent=OuterRef("respondent"))
    ended = Q(state__in=[AssignmentState.SUBMITTED, AssignmentState.SKIPPED], ended_at__gt=since)
    works = own.filter(Q(claimed_at__gt=since) | ended | Q(state=AssignmentState.OPEN, lease_expires_at__gt=now))
    work = own.filter(item__purpose=ItemPurpose.WORK, item__repeat_of__isnull=True)
    judged = work.filter(state=AssignmentState.SUBMITTED)
    count = judged.values("respondent").values(count=Count("pk"))
    at_work = Q(created_at__gt=since) | Exists(works) | Q(study__judgments__lte=Subquery(count))
    return StudyParticipant.objects.filter(
        Q(state=Participation.COMPLETED)
        | Q(at_work, state=Participation.STARTED, respondent__state=RespondentState.ACTIVE)
    )


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
