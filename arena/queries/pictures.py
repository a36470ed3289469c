"""Pictures that visitors added to their prompts, and who may see one."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from accounts.files import OpenFile, read_personal_file
from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.models import FollowUp, Prompt
from arena.models import Battle, Share


def last_picture(messages: str) -> str:
    """The id of the picture that the last of these messages has; empty where it has none."""
    return str(json.loads(messages)[-1].get("picture", "")) if messages else ""


def own_picture(battle_id: UUID, picture_id: UUID, *, person: Person) -> OpenFile | None:
    """A picture of a battle of this person; None where there is no such battle of theirs, or it has no such picture."""
    battle = Battle.objects.filter(pk=battle_id, assignment__respondent__person=person).first()
    return None if battle is None else _of(battle, picture_id)


def shared_picture(share: Share, picture_id: UUID) -> OpenFile | None:
    """A picture of the battle that an open link shows."""
    return _of(share.battle, picture_id)


def _of(battle: Battle, picture_id: UUID) -> OpenFile | None:
    return read_personal_file(picture_id) if str(picture_id) in _named(battle) else None


def _named(battle: Battle) -> set[str]:
    """The pictures in everything that was said in a battle, and in what all its sides know from before."""
    prompts = Prompt.objects.filter(items__battle=battle, personal_text__isnull=False)
    follow_ups = FollowUp.objects.filter(item__battle=battle, personal_text__isnull=False)
    ids = [*prompts.values_list("personal_text", flat=True), *follow_ups.values_list("personal_text", flat=True)]
    texts = [text for text in read_personal_texts(ids).values() if text]
    return {message["picture"] for text in texts for message in json.loads(text) if "picture" in message}


def own_pictures(person: Person) -> Iterator[dict[str, Any]]:
    """With what is in them, one after the other: each is as large as thousands of texts."""
    rows = person.files.order_by("created_at", "pk")
    for row in rows.values("id", "content_type", "size", "width", "height", "created_at"):
        file = read_personal_file(row["id"])
        content = None if file is None else b64encode(file.content).decode()
        yield {**row, "base64": content}
