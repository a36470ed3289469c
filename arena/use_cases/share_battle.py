import secrets
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.enums import BattleState
from arena.errors import ArenaError
from arena.models import Battle, Share
from arena.use_cases.ask_follow_up import NotYourBattle
from foundation.encryption import blind_digest


class NotVoted(ArenaError):
    """Only a battle that was voted on is shared: before it, its own visitor does not know the models."""


def share_digest(token: str) -> str:
    return blind_digest(token, purpose="share")


def share_battle(*, battle_id: UUID, person: Person, now: datetime) -> str:
    """The token of a link by which anybody can read this battle, which is not kept and cannot be told again.

    A link that was made before ends with it. Refuses NotYourBattle and NotVoted.
    """
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        battle = _lock(battle_id, person)
        if battle.state != BattleState.VOTED:
            raise NotVoted(f"the battle is {battle.state}")
        _revoke_all(battle, person, now)
        share = Share.objects.create(battle=battle, token_digest=share_digest(token), created_at=now)
        record_event(subject=share, verb="shared", actor=person)
    return token


def revoke_share(*, battle_id: UUID, person: Person, now: datetime) -> bool:
    """The link leads nowhere any more; False where there was none. Refuses NotYourBattle."""
    with transaction.atomic():
        return _revoke_all(_lock(battle_id, person), person, now)


def _lock(battle_id: UUID, person: Person) -> Battle:
    mine = Battle.objects.select_for_update(of=["self"]).filter(assignment__respondent__person=person)
    battle = mine.filter(pk=battle_id).first()
    if battle is None:
        raise NotYourBattle("no such battle of this visitor")
    return battle


def _revoke_all(battle: Battle, person: Person, now: datetime) -> bool:
    open_shares = list(battle.shares.filter(revoked_at__isnull=True))
    for share in open_shares:
        share.revoked_at = now
        share.save(update_fields=["revoked_at"])
        record_event(subject=share, verb="revoked", actor=person)
    return bool(open_shares)
