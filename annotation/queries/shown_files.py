"""Which file stands at a place of an item that somebody has before them."""

import re
from typing import Any

from annotation.enums import AssignmentState, TurnKind
from annotation.models import Impression, Item, MediaFile, Respondent, Turn
from annotation.queries.media import digest_of, references
from annotation.queries.shown import ShownMedia, shown_item, shown_media

PLACE = re.compile(r"([A-I]|P)-([0-9]{1,3})")
# A correction shows the item again.
SEES = (AssignmentState.OPEN, AssignmentState.SUBMITTED)


def file_at(respondent: Respondent, assignment_id: int, place: str) -> MediaFile | None:
    """None for everybody else's assignment, for one that was given back, and where nothing stands."""
    found = PLACE.fullmatch(place)
    seen = Impression.objects.filter(
        assignment=assignment_id, assignment__respondent=respondent, assignment__state__in=SEES
    )
    shown: Any = seen.order_by("-pk").values("order", "item", "campaign").first()
    if found is None or shown is None:
        return None
    side, number = found[1], int(found[2])
    if side == "P":
        media = shown_item(shown["item"], shown["order"]).media.get(place)
        return None if media is None else MediaFile.objects.filter(pk=media.pk).first()
    index = ord(side) - ord("A")
    if index >= len(shown["order"]):
        return None
    turns = Turn.objects.filter(
        response__item=shown["item"], response__position=shown["order"][index], number=number, kind=TurnKind.FILE
    )
    stored = turns.values_list("file", flat=True).first()
    if stored is None:
        return None
    return MediaFile.objects.filter(campaign=shown["campaign"], sha256=digest_of(stored)).first()


def files_of(item: Item) -> tuple[dict[str, ShownMedia], dict[str, ShownMedia]]:
    """Of an item with everything that it shows: files of turns by where they are stored, of its prompt by digest."""
    stored = {turn.file for response in item.responses.all() for turn in response.turns.all() if turn.file}
    messages = (item.prompt.messages or []) if item.prompt else []
    named = {found.name for message in messages for found in references(message["content"])}
    if not stored and not named:
        return {}, {}
    digests = {*named, *(digest_of(name) for name in stored)}
    rows = list(MediaFile.objects.filter(campaign=item.campaign_id, sha256__in=digests).order_by("-pk"))
    by_stored = {row.stored: shown_media(row) for row in rows if row.stored in stored}
    return by_stored, {row.sha256: shown_media(row) for row in rows if row.sha256 in named}
