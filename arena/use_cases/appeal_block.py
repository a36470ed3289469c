from datetime import datetime

from django.db import transaction

from accounts.models import Person
from accounts.texts import write_personal_text
from annotation.enums import RespondentState
from annotation.models import Respondent
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.models import BlockAppeal
from arena.queries.appeals import last_block


class NothingToAppeal(ArenaError):
    """This visitor is not blocked here, or the part in the arena is somebody else's."""


class AppealedBefore(ArenaError):
    """A block is appealed against once."""


def appeal_block(*, respondent_id: int, person: Person, words: str, now: datetime) -> BlockAppeal:
    """A visitor says why their votes should count; an admin decides. Raises NothingToAppeal and AppealedBefore."""
    with transaction.atomic():
        mine = Respondent.objects.select_for_update(of=["self"]).filter(pk=respondent_id, person=person)
        respondent = mine.filter(campaign__is_arena=True, state=RespondentState.BLOCKED).first()
        block = last_block(respondent) if respondent is not None else None
        if respondent is None or block is None:
            raise NothingToAppeal("no such block of this visitor")
        if BlockAppeal.objects.filter(block=block).exists():
            raise AppealedBefore(f"block {block.pk} was appealed against before")
        appeal = BlockAppeal.objects.create(
            respondent=respondent,
            block=block,
            personal_text=write_personal_text(person=person, text=words),
            created_at=now,
        )
        record_event(subject=respondent, verb="block_appealed", actor=person, data={"appeal": appeal.pk})
    return appeal
