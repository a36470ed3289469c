from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import Max
from kombu.exceptions import OperationalError

from accounts.enums import Role
from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.datasets.scope import LICENCES, Filters, Scope
from annotation.enums import DatasetState, DatasetView, RespondentState
from annotation.errors import AnnotationError
from annotation.models import Campaign, DatasetVersion
from annotation.queries import last_sequence
from annotation.use_cases.record_event import record_event

log = structlog.get_logger(__name__)
BUILD = "annotation.build_dataset"
# The sweeper hints again as often.
HINT_SECONDS = 10


class NotAResearcher(AnnotationError):
    """Only a researcher may take the log out."""


class BadDataset(AnnotationError):
    """The views, sources or filters are not ones this campaign has."""


class NothingToExport(AnnotationError):
    """No judgment of the log passes these filters."""


def request_dataset(
    *, campaign_id: int, views: Sequence[str], filters: Filters, actor: User, now: datetime
) -> DatasetVersion:
    """Freeze what a dataset takes from the log as it is now, as the campaign's next version; a worker builds it.

    Refuses NotAResearcher, BadDataset and NothingToExport; then nothing is written.
    """
    if not actor.has_role(Role.RESEARCHER):
        raise NotAResearcher(f"{actor} is no researcher")
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        _check(campaign, views, filters)
        filters = replace(filters, withdrawn=_withdrawn(campaign))
        last = last_sequence(campaign)
        if not Scope(campaign, last, filters).judgments().exists():
            raise NothingToExport(f"no judgment of {campaign.slug} passes the filters")
        newest = campaign.dataset_versions.aggregate(newest=Max("number"))["newest"] or 0
        version = DatasetVersion.objects.create(
            campaign=campaign,
            number=newest + 1,
            views=[view for view in DatasetView.values if view in views],
            filters=filters.to_json(),
            last_sequence=last,
            created_by=actor,
        )
        person = person_of_user(user=actor, now=now)
        record_event(subject=version, verb="requested", actor=person, to_state=DatasetState.QUEUED)
        transaction.on_commit(lambda: hint_build(version.pk), robust=True)
    return version


def hint_build(version_id: int) -> None:
    """Tell a worker that there is something to build. Only a hint: the sweeper finds what nobody was told of."""
    try:
        current_app.signature(BUILD, args=[version_id]).apply_async(expires=HINT_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("dataset_hint_not_sent", version=version_id, reason=str(error))


def _withdrawn(campaign: Campaign) -> tuple[int, ...]:
    """Under the campaign's lock, which whoever withdraws takes too."""
    gone = campaign.respondents.filter(state=RespondentState.WITHDRAWN)
    return tuple(gone.order_by("pk").values_list("pk", flat=True))


def _check(campaign: Campaign, views: Sequence[str], filters: Filters) -> None:
    if not views or not set(views) <= set(DatasetView.values):
        raise BadDataset("a dataset has at least one view, and only views there are")
    own = set(campaign.sources.values_list("pk", flat=True))
    if not filters.sources or not set(filters.sources) <= own:
        raise BadDataset("a dataset has at least one source, and only sources of its campaign")
    if filters.licence not in LICENCES or not 0.0 <= filters.minimum_agreement <= 1.0:
        raise BadDataset("the licence is not a known one, or the agreement is no share")
