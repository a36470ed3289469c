from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.models import Person
from annotation.enums import CampaignState, Pool, RespondentKind
from annotation.errors import AnnotationError
from annotation.models import Campaign, Invitation, Respondent
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.invite_people import token_digest
from annotation.use_cases.record_event import record_event


class InvitationNotValid(AnnotationError):
    """No such invitation, or it was revoked, has run out, or was used as often as it may be."""


class NotInPool(AnnotationError):
    """The campaign is not open to this person without an invitation."""


def open_invitation(token: str, *, now: datetime) -> Invitation:
    """The invitation behind a link, as long as somebody may join by it. Raises InvitationNotValid."""
    invitation = Invitation.objects.select_related("campaign").filter(token_digest=token_digest(token)).first()
    if invitation is None or invitation.revoked_at is not None:
        raise InvitationNotValid("no such invitation")
    if invitation.expires_at is not None and invitation.expires_at <= now:
        raise InvitationNotValid("the invitation has run out")
    if invitation.most_uses is not None and invitation.uses >= invitation.most_uses:
        raise InvitationNotValid("the invitation was used as often as it may be")
    if invitation.campaign.state == CampaignState.CLOSED:
        raise InvitationNotValid("the campaign is closed")
    if invitation.campaign.is_arena:
        raise InvitationNotValid("an arena is its visitors'")
    return invitation


def join_by_invitation(*, token: str, person: Person, now: datetime) -> Respondent:
    """The person as a respondent of the inviting campaign. Who has joined joins once, and uses the link up once."""
    invitation = open_or_own(token, person, now)
    campaign = invitation.campaign
    with transaction.atomic():
        # Those who come at once wait here, so that a link for ten takes ten.
        locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
        found = Respondent.objects.filter(campaign=campaign, person=person).first()
        if found is not None:
            return found
        if locked.most_uses is not None and locked.uses >= locked.most_uses:
            raise InvitationNotValid("the invitation was used as often as it may be")
        respondent = enrol_respondent(campaign=campaign, person=person, kind=locked.kind, now=now)
        Respondent.objects.filter(pk=respondent.pk).update(invitation=locked, groups=locked.groups)
        Invitation.objects.filter(pk=locked.pk).update(uses=F("uses") + 1)
        record_event(subject=respondent, verb="joined", actor=person, data={"invitation": locked.pk})
    return Respondent.objects.get(pk=respondent.pk)


def open_or_own(token: str, person: Person, now: datetime) -> Invitation:
    """An invitation this person joined by stays a way in for them, whatever became of it."""
    own = Invitation.objects.select_related("campaign").filter(
        token_digest=token_digest(token), respondents__person=person
    )
    return own.first() or open_invitation(token, now=now)


def join_from_pool(*, campaign_id: int, person: Person, is_expert: bool, now: datetime) -> Respondent:
    """The person as a respondent of a campaign that is open to everybody of their kind. Raises NotInPool."""
    campaign = Campaign.objects.get(pk=campaign_id)
    found = Respondent.objects.filter(campaign=campaign, person=person).first()
    if found is not None:
        return found
    allowed = campaign.pool == Pool.ANNOTATORS or (campaign.pool == Pool.EXPERTS and is_expert)
    if not allowed or campaign.state not in {CampaignState.PILOT, CampaignState.RUNNING}:
        raise NotInPool(f"{campaign.slug} is not open to this person")
    kind = RespondentKind.EXPERT if is_expert else RespondentKind.ANNOTATOR
    with transaction.atomic():
        respondent = enrol_respondent(campaign=campaign, person=person, kind=kind, now=now)
        record_event(subject=respondent, verb="joined", actor=person, data={"pool": campaign.pool})
    return respondent
