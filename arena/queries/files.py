"""Files of battles: which stand beside a turn, under addresses that tell nothing, and which may be read by whom.

A turn is of a file from the moment on at which all sides are whole, and not while they are asked anew.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Person
from annotation.enums import TurnKind
from annotation.models import MediaFile, Turn
from annotation.queries.media import digest_of
from annotation.queries.shown import ShownMedia, shown_media
from annotation.questions.base import side_letter
from arena.models import Battle
from inference_workers.models import CompletionFile

PLACE = re.compile(r"([A-D])-([0-9]{1,3})-([0-9]{1,3})")


@dataclass(frozen=True)
class BattleFile:
    """A file beside a turn: `place` is what its address says of it, the side as shown, the turn and how often all were
    asked anew. `media` is None where the file is gone."""

    place: str
    media: ShownMedia | None

    def at(self, address: str) -> "BattleFile":
        return replace(self, media=self.media and replace(self.media, address=address))


def place_of_file(letter: str, number: int, regenerations: int) -> str:
    return f"{letter}-{number}-{regenerations}"


def files_of(battle: Battle, turns: Iterable[Turn], side_of: Mapping[int, str]) -> dict[int, dict[str, BattleFile]]:
    """By turn and side; nothing is asked where there is none."""
    of_files = [turn for turn in turns if turn.kind == TurnKind.FILE]
    if not of_files:
        return {}
    rows = media_rows(battle.item.campaign_id, (turn.file for turn in of_files))
    found: dict[int, dict[str, BattleFile]] = {}
    for turn in of_files:
        side = side_of[turn.response.position]
        letter, row = side.upper(), rows.get(turn.file)
        media = None if row is None else replace(shown_media(row), place=f"{letter}-{turn.number}")
        place = place_of_file(letter, turn.number, turn.regenerations)
        found.setdefault(turn.number, {})[side] = BattleFile(place, media)
    return found


def media_rows(campaign_id: int, stored: Iterable[str]) -> dict[str, MediaFile]:
    """The campaign's files by where they are stored."""
    digests = {digest_of(name) for name in stored}
    rows = MediaFile.objects.filter(campaign=campaign_id, sha256__in=digests).order_by("-pk")
    return {row.stored: row for row in rows}


def players_of(item_id: int, order: Sequence[int]) -> list[dict[str, float]]:
    """The seconds of each side's sounds and films by place, in the order shown."""
    turns = list(Turn.objects.filter(response__item=item_id, kind=TurnKind.FILE).select_related("response__item"))
    if not turns:
        return []
    rows = media_rows(turns[0].response.item.campaign_id, (turn.file for turn in turns))
    players: list[dict[str, float]] = [{} for _side in order]
    for turn in turns:
        row, side = rows.get(turn.file), order.index(turn.response.position)
        if row is not None and row.seconds:
            players[side][f"{side_letter(side)}-{turn.number}"] = row.seconds
    return players


def released_files(person: Person) -> QuerySet[CompletionFile]:
    """What models made for somebody and was shown to them, before all were asked anew too."""
    is_shown = Q(completion__turn__kind=TurnKind.FILE) | Q(completion__earlier_turn__isnull=False)
    return CompletionFile.objects.filter(is_shown, completion__person=person).distinct()


def file_at(battle_id: UUID, place: str, *, person: Person | None) -> MediaFile | None:
    """None for everybody else's battle, while the models answer, and where nothing stands."""
    found = PLACE.fullmatch(place)
    if found is None or person is None:
        return None
    mine = Battle.objects.select_related("impression", "item")
    battle = mine.filter(pk=battle_id, assignment__respondent__person=person).first()
    side, number, regenerations = ord(found[1]) - ord("A"), int(found[2]), int(found[3])
    if battle is None or side >= len(battle.impression.order):
        return None
    turn = Turn.objects.filter(
        response__item=battle.item_id,
        response__position=battle.impression.order[side],
        number=number,
        regenerations=regenerations,
        kind=TurnKind.FILE,
    ).first()
    return None if turn is None else media_rows(battle.item.campaign_id, [turn.file]).get(turn.file)
