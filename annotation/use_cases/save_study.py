from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Person
from annotation.errors import AnnotationError
from annotation.models import Invitation, Study
from annotation.queries.studies import places_held
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.record_event import record_event

CODES = ("completion_code", "screen_out_code", "over_quota_code")


class StudyExists(AnnotationError):
    """The campaign has a study with this id."""


class PlacesTaken(AnnotationError):
    """More people than that are done or at work: `count` of them."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} places are taken")
        self.count = count


def make_study(
    *, campaign_id: int, external_id: str, values: Mapping[str, Any], actor: Person | None, now: datetime
) -> Study:
    """Let people of a study in, as many as it has places: by its address, not by a link anybody knows.

    `values` are the codes, `judgments` and `places`. Raises StudyExists, and what `invite_people` raises.
    """
    with transaction.atomic():
        if Study.objects.filter(campaign=campaign_id, external_id=external_id).exists():
            raise StudyExists(f"study {external_id} is there")
        invitation, _token = invite_people(
            campaign_id=campaign_id,
            name=f"Prolific {external_id}",
            groups=["prolific"],
            most_uses=values["places"],
            actor=actor,
            now=now,
        )
        study = Study.objects.create(
            campaign_id=campaign_id,
            invitation=invitation,
            external_id=external_id,
            judgments=values["judgments"],
            **{name: values[name] for name in CODES},
        )
        record_event(subject=study, verb="created", actor=actor, data={"study": external_id} | _told(values))
    return study


def change_study(*, study_id: int, values: Mapping[str, Any], actor: Person | None, now: datetime) -> Study:
    """Other codes, places or judgments per person, for everybody from now on. Raises PlacesTaken."""
    with transaction.atomic():
        study = Study.objects.select_for_update(of=["self"]).get(pk=study_id)
        invitation = Invitation.objects.select_for_update().get(pk=study.invitation_id)
        held = places_held([study], now).get(study.pk, 0)
        if values["places"] is not None and values["places"] < held:
            raise PlacesTaken(held)
        invitation.most_uses, invitation.uses = values["places"], held
        invitation.save(update_fields=["most_uses", "uses"])
        for name in (*CODES, "judgments"):
            setattr(study, name, values[name])
        study.save(update_fields=[*CODES, "judgments"])
        record_event(subject=study, verb="changed", actor=actor, data=_told(values))
    return study


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"places": values["places"], "judgments": values["judgments"]}
