from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.models import Person, User
from accounts.texts import write_personal_text
from accounts.use_cases.create_person import person_of_user
from accounts.use_cases.make_unnamed_user import make_unnamed_user
from annotation.enums import CampaignState, Participation
from annotation.errors import AnnotationError
from annotation.models import Campaign, Invitation, Respondent, Study, StudyParticipant
from annotation.policies.study_links import Sent
from annotation.queries.studies import places_held
from annotation.transitions import PARTICIPATION
from annotation.use_cases.enrol_respondent import campaign_key, enrol_respondent
from annotation.use_cases.record_event import record_event
from foundation.encryption import blind_digest
from foundation.transitions import check


class StudyNotOpen(AnnotationError):
    """The campaign has not begun or takes a break; its people can come later."""


class SessionOfAnother(AnnotationError):
    """The session in the link is somebody else's: links are not passed on."""


class TookPartBefore(AnnotationError):
    """The same participant came by another study of this campaign."""


class Gone(AnnotationError):
    """Their account was closed and what they wrote erased; they are not known here any more."""


def join_study(*, study_id: int, sent: Sent, now: datetime) -> StudyParticipant:
    """Whom a study sends, as a respondent with an account of their own. Coming back finds the same person again.

    A place is taken by whoever is done or at work: whoever is sent in place of somebody who was screened out or left
    finds theirs free. Where every place is taken, or the campaign is closed, they have none, and their state says so.
    Raises StudyNotOpen, SessionOfAnother, TookPartBefore and Gone.
    """
    with transaction.atomic():
        study = Study.objects.select_related("campaign").get(pk=study_id)
        # Those who come at once wait here, so that a study with ten places takes ten.
        invitation = Invitation.objects.select_for_update().get(pk=study.invitation_id)
        digest = participant_digest(study.campaign, sent.participant)
        _refuse(study, digest, sent)
        found = StudyParticipant.objects.filter(study=study, digest=digest).first()
        if found is not None and found.respondent_id is not None:
            return _again(found, sent)
        if study.campaign.state in {CampaignState.DRAFT, CampaignState.PAUSED}:
            raise StudyNotOpen(f"the campaign is {study.campaign.state}")
        participant = found or StudyParticipant(study=study, digest=digest, state=Participation.STARTED)
        participant.session_id = sent.session
        held = invitation.uses if invitation.most_uses is None else places_held([study], now).get(study.pk, 0)
        if _is_full(study.campaign, invitation, held, now):
            return _turn_away(participant, now)
        # Places that were given back are counted no more; the database refuses more than there are.
        Invitation.objects.filter(pk=invitation.pk).update(uses=F("uses") + held + 1 - invitation.uses)
        return _take_in(participant, invitation, sent, now)


def participant_digest(campaign: Campaign, participant: str) -> str:
    """Finds a participant again without their id; no other campaign gives the same."""
    return blind_digest(participant, purpose="participant", key=campaign_key(campaign))


def user_of(participant: StudyParticipant) -> User:
    """Whom to sign in. Raises Gone."""
    respondent = Respondent.objects.select_related("person__user").get(participant=participant)
    if respondent.person is None or respondent.person.user is None:
        raise Gone("the person was erased")
    return respondent.person.user


def _refuse(study: Study, digest: str, sent: Sent) -> None:
    others = StudyParticipant.objects.filter(study__campaign=study.campaign_id)
    if others.filter(study=study, session_id=sent.session).exclude(digest=digest).exists():
        raise SessionOfAnother("the session is somebody else's")
    if others.filter(digest=digest, respondent__isnull=False).exclude(study=study).exists():
        raise TookPartBefore("this participant came by another study")


def _again(found: StudyParticipant, sent: Sent) -> StudyParticipant:
    if found.session_id != sent.session:
        found.session_id = sent.session
        found.save(update_fields=["session_id"])
        record_event(subject=found, verb="came_again", actor=None)
    return found


def _is_full(campaign: Campaign, invitation: Invitation, held: int, now: datetime) -> bool:
    if campaign.state == CampaignState.CLOSED or invitation.revoked_at is not None:
        return True
    if invitation.expires_at is not None and invitation.expires_at <= now:
        return True
    return invitation.most_uses is not None and held >= invitation.most_uses


def _turn_away(participant: StudyParticipant, now: datetime) -> StudyParticipant:
    if participant.pk is None or participant.state != Participation.OVER_QUOTA:
        check(PARTICIPATION, participant.state, Participation.OVER_QUOTA)
        participant.state, participant.ended_at = Participation.OVER_QUOTA, now
    participant.save()
    record_event(subject=participant, verb="turned_away", actor=None, to_state=Participation.OVER_QUOTA)
    return participant


def _take_in(participant: StudyParticipant, invitation: Invitation, sent: Sent, now: datetime) -> StudyParticipant:
    person = person_of_user(user=make_unnamed_user(prefix="prolific", now=now), now=now)
    respondent = _enrol(participant.study, invitation, person, now)
    if participant.state != Participation.STARTED:
        check(PARTICIPATION, participant.state, Participation.STARTED)
    participant.state, participant.ended_at, participant.respondent = Participation.STARTED, None, respondent
    participant.participant_id = write_personal_text(person=person, text=sent.participant)
    participant.save()
    record_event(subject=respondent, verb="joined", actor=person, data={"study": participant.study.external_id})
    return participant


def _enrol(study: Study, invitation: Invitation, person: Person, now: datetime) -> Respondent:
    respondent = enrol_respondent(campaign=study.campaign, person=person, kind=invitation.kind, now=now)
    respondent.invitation, respondent.groups = invitation, invitation.groups
    respondent.save(update_fields=["invitation", "groups"])
    return respondent
