from uuid import UUID

from django.db.models import F, Func, Value

from arena.enums import BattleState
from arena.models import Battle
from inference_workers.enums import Output


def note_sent(*, battle_id: UUID, place: str) -> bool:
    """A browser of the battle's visitor was sent a picture whole; noted once while a vote is waited for."""
    waiting = Battle.objects.filter(pk=battle_id, state=BattleState.VOTABLE, arena__output=Output.IMAGE)
    appended = Func(F("files_sent"), Value(place), function="array_append")
    return bool(waiting.exclude(files_sent__contains=[place]).update(files_sent=appended))
