import secrets
from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Person
from annotation.enums import RespondentKind
from annotation.errors import AnnotationError
from annotation.models import Campaign, Invitation
from annotation.use_cases.record_event import record_event
from foundation.encryption import blind_digest
from foundation.text import clean_text

KINDS = (RespondentKind.ANNOTATOR, RespondentKind.EXPERT)


class BadInvitation(AnnotationError):
    """What was asked for makes no invitation; the message says why."""


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
) -> tuple[Invitation, str]:
    """A link that lets people join; returns it with its token, which is not kept and cannot be told again."""
    name = clean_text(name).strip()
    if not name or len(name) > 120:
        raise BadInvitation("an invitation has a name of 1 to 120 characters")
    if kind not in KINDS:
        raise BadInvitation(f"people are invited as {' or '.join(KINDS)}, not as {kind!r:.40}")
    if expires_at is not None and expires_at <= now:
        raise BadInvitation("an invitation is valid until a moment that has not passed")
    token = secrets.token_urlsafe(18)
    with transaction.atomic():
        invitation = Invitation(
            campaign=Campaign.objects.get(pk=campaign_id),
            name=name,
            token_digest=token_digest(token),
            kind=kind,
            groups=sorted(set(groups)),
            most_uses=most_uses,
            expires_at=expires_at,
            created_by=actor,
        )
        try:
            invitation.full_clean(exclude=["created_by", "created_at", "revoked_at"])
        except ValidationError as error:
            raise BadInvitation("; ".join(error.messages)) from error
        invitation.save()
        record_event(subject=invitation, verb="created", actor=actor, data={"groups": invitation.groups})
    return invitation, token


def revoke_invitation(*, invitation_id: int, actor: Person | None, now: datetime) -> Invitation:
    """Nobody joins by it any more; who did stays. Revoking twice is the same as once."""
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().get(pk=invitation_id)
        if invitation.revoked_at is None:
            invitation.revoked_at = now
            invitation.save(update_fields=["revoked_at"])
            record_event(subject=invitation, verb="revoked", actor=actor)
    return invitation
