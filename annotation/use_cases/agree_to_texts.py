from datetime import datetime

from django.db import transaction

from annotation.enums import RespondentState
from annotation.errors import AnnotationError
from annotation.models import Campaign, Respondent
from annotation.use_cases.expire_assignments import give_back_not_begun
from annotation.use_cases.record_event import record_event


class TextChanged(AnnotationError):
    """The text was published anew while it was being read: read it again."""


class HasWithdrawn(AnnotationError):
    """Whoever withdrew agrees to nothing any more."""


def give_consent(
    *, respondent_id: int, consent_id: int, now: datetime, releases_texts: bool | None = None
) -> Respondent:
    """The respondent agrees to the campaign's newest consent text, which must be the one they read; and says whether
    what they write may be published, None where they were not asked. Raises TextChanged and HasWithdrawn."""
    return _agree(respondent_id, "consent", consent_id, now, releases_texts)


def read_guidelines(*, respondent_id: int, guidelines_id: int, now: datetime) -> Respondent:
    """The respondent says to have read the campaign's newest guidelines, which must be those they were shown.

    What they hold and have not begun is given back: it was drawn under the guidelines before.
    """
    with transaction.atomic():
        respondent = _agree(respondent_id, "guidelines", guidelines_id, now)
        give_back_not_begun(respondent=respondent, guidelines_id=guidelines_id, now=now)
    return respondent


def _agree(
    respondent_id: int, what: str, text_id: int, now: datetime, releases_texts: bool | None = None
) -> Respondent:
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        if respondent.state == RespondentState.WITHDRAWN:
            raise HasWithdrawn("the respondent has withdrawn")
        campaign = Campaign.objects.get(pk=respondent.campaign_id)
        if getattr(campaign, f"{what}_id") != text_id:
            raise TextChanged(f"the {what} changed meanwhile")
        if getattr(respondent, f"{what}_id") == text_id:
            return respondent
        setattr(respondent, f"{what}_id", text_id)
        fields, data = [what], {"text": text_id}
        if what == "consent":
            respondent.consented_at = now
            fields.append("consented_at")
        if releases_texts is not None:
            respondent.releases_texts = releases_texts
            fields.append("releases_texts")
            data["releases_texts"] = releases_texts
        respondent.save(update_fields=fields)
        record_event(subject=respondent, verb=f"{what}_agreed", actor=respondent.person, data=data)
    return respondent
