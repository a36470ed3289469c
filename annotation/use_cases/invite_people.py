import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Person
from annotation.enums import RespondentKind
from annotation.errors import AnnotationError
from annotation.models import Campaign, Invitation
from annotation.policies.drafts import refuse_if_closed
from annotation.use_cases.record_event import record_event
from foundation.encryption import blind_digest
from foundation.idempotency import Attempt, body_hash, once
from foundation.text import clean_text

KINDS = (RespondentKind.ANNOTATOR, RespondentKind.EXPERT)


class BadInvitation(AnnotationError):
    """What was asked for makes no invitation; the message says why."""


class InvitedBefore(AnnotationError):
    """The form was sent before and made `invitation`, whose link was told then and cannot be told again."""

    def __init__(self, invitation: Invitation) -> None:
        super().__init__(f"the form made invitation {invitation.pk} before")
        self.invitation = invitation


def token_digest(token: str) -> str:
    return blind_digest(token, purpose="invitation")


def invite_people(
    *,
    campaign_id: int,
    name: str,
    actor: Person | None,
    now: datetime,
    kind: str = RespondentKind.ANNOTATOR,
    groups: Sequence[str] = (),
    most_uses: int | None = None,
    expires_at: datetime | None = None,
    key: str = "",
) -> tuple[Invitation, str]:
    """A link that lets people join; returns it with its token, which is not kept and cannot be told again.

    `key` was minted with the form: the same form again raises InvitedBefore, another under its key KeyReused, and a
    twin in flight InFlight. Refuses BadInvitation and CampaignIsClosed.
    """
    name = clean_text(name).strip()
    _refuse_what_makes_none(name, kind, expires_at, now)
    token = secrets.token_urlsafe(18)
    wanted = Invitation(
        campaign_id=campaign_id,
        name=name,
        token_digest=token_digest(token),
        kind=kind,
        groups=sorted(set(groups)),
        most_uses=most_uses,
        expires_at=expires_at,
        created_by=actor,
    )
    with transaction.atomic(), _once(wanted, key, now) as attempt:
        if attempt.replayed:
            raise InvitedBefore(Invitation.objects.get(pk=attempt.response["invitation"]))
        _write(wanted)
        attempt.response = {"invitation": wanted.pk}
    return wanted, token


def _refuse_what_makes_none(name: str, kind: str, expires_at: datetime | None, now: datetime) -> None:
    if not name or len(name) > 120:
        raise BadInvitation("an invitation has a name of 1 to 120 characters")
    if kind not in KINDS:
        raise BadInvitation(f"people are invited as {' or '.join(KINDS)}, not as {kind!r:.40}")
    if expires_at is not None and expires_at <= now:
        raise BadInvitation("an invitation is valid until a moment that has not passed")


def _once(wanted: Invitation, key: str, now: datetime) -> AbstractContextManager[Attempt]:
    if not key:
        return nullcontext(Attempt(replayed=False))
    names = ("name", "kind", "groups", "most_uses", "expires_at")
    body = body_hash({name: getattr(wanted, name) for name in names})
    return once(key=key, scope=f"invite:{wanted.campaign_id}", body_hash=body, now=now)


def _write(wanted: Invitation) -> None:
    campaign = Campaign.objects.get(pk=wanted.campaign_id)
    refuse_if_closed(campaign)
    if campaign.is_template:
        raise BadInvitation("a template never runs, and nobody is invited to it")
    if campaign.is_arena:
        raise BadInvitation("an arena is its visitors', and nobody is invited to it")
    try:
        wanted.full_clean(exclude=["created_by", "created_at", "revoked_at"])
    except ValidationError as error:
        raise BadInvitation("; ".join(error.messages)) from error
    wanted.save()
    record_event(subject=wanted, verb="created", actor=wanted.created_by, data={"groups": wanted.groups})


def revoke_invitation(*, invitation_id: int, actor: Person | None, now: datetime) -> Invitation:
    """Nobody joins by it any more; who did stays. Revoking twice is the same as once."""
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().get(pk=invitation_id)
        if invitation.revoked_at is None:
            invitation.revoked_at = now
            invitation.save(update_fields=["revoked_at"])
            record_event(subject=invitation, verb="revoked", actor=actor)
    return invitation
