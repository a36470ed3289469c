"""What an assignment shows. Nothing here holds a contestant: who wrote a response cannot reach a page from here."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.texts import read_personal_texts
from annotation.enums import TurnKind
from annotation.models import FollowUp, Item, Turn
from annotation.questions import Asked, get_type

Message = dict[str, str]


@dataclass(frozen=True)
class ShownTurn:
    """One turn of a response: text, or the address of a file."""

    number: int
    kind: str
    text: str = ""
    file: str = ""


@dataclass(frozen=True)
class ShownResponse:
    letter: str
    turns: list[ShownTurn]

    @property
    def text(self) -> str:
        """What the last turn says; empty for a file."""
        return self.turns[-1].text if self.turns else ""


@dataclass(frozen=True)
class ShownItem:
    """A prompt and its responses in the order shown. `follow_ups` are what was said before each later turn."""

    messages: list[Message]
    follow_ups: list[Message]
    responses: list[ShownResponse]

    @property
    def turns(self) -> list[tuple[list[Message], list[tuple[str, ShownTurn | None]]]]:
        """For each turn what was said before it, and each side's own: a row of the page."""
        longest = max((len(response.turns) for response in self.responses), default=0)
        rows = []
        for number in range(longest):
            before = self.messages if number == 0 else self.follow_ups[number - 1 : number]
            sides = [(r.letter, r.turns[number] if number < len(r.turns) else None) for r in self.responses]
            rows.append((before, sides))
        return rows


def shown_item(item_id: int, order: Sequence[int]) -> ShownItem:
    """An item as somebody sees it, in four statements, one more for people's own texts."""
    item: Any = Item.objects.values("prompt__messages", "prompt__personal_text_id").get(pk=item_id)
    follow_ups: Any = FollowUp.objects.filter(item=item_id).order_by("number").values("messages", "personal_text_id")
    said: list[dict[str, Any]] = list(follow_ups)
    turns = _turns(item_id)
    sealed = _unseal([item["prompt__personal_text_id"], *(each["personal_text_id"] for each in said)], turns)
    by_position: dict[int, list[ShownTurn]] = {position: [] for position in order}
    for turn in turns:
        by_position[turn["response__position"]].append(_shown(turn, sealed))
    messages = _messages(item["prompt__messages"], item["prompt__personal_text_id"], sealed)
    asked_next = [_messages(each["messages"], each["personal_text_id"], sealed)[-1:] for each in said]
    responses = [ShownResponse(chr(ord("A") + place), by_position[position]) for place, position in enumerate(order)]
    return ShownItem(messages, [message for each in asked_next for message in each], responses)


def texts_if_read(asked: Iterable[Asked], item_id: int, order: Sequence[int]) -> tuple[str, ...]:
    """`Situation.texts` where one of the questions judges answers against them; else nothing is read."""
    if not any(get_type(question.type).reads_texts for question in asked):
        return ()
    return tuple(response.text for response in shown_item(item_id, order).responses)


def _turns(item_id: int) -> list[dict[str, Any]]:
    turns = Turn.objects.filter(response__item=item_id).exclude(kind=TurnKind.ABSENT).order_by("response", "number")
    names = ("response__position", "number", "kind", "text", "file", "personal_text_id")
    return list(turns.values(*names, "completion__text", "completion__personal_text_id"))


def _unseal(ids: Iterable[int | None], turns: Sequence[dict[str, Any]]) -> dict[int, str | None]:
    wanted = {*ids, *(turn["personal_text_id"] or turn["completion__personal_text_id"] for turn in turns)} - {None}
    return read_personal_texts(pk for pk in wanted if pk is not None) if wanted else {}


def _shown(turn: dict[str, Any], sealed: dict[int, str | None]) -> ShownTurn:
    personal = turn["personal_text_id"] or turn["completion__personal_text_id"]
    text = sealed.get(personal) if personal else turn["text"] or turn["completion__text"]
    return ShownTurn(turn["number"], turn["kind"], text or "", turn["file"])


def _messages(
    messages: list[Message] | None, personal_text_id: int | None, sealed: dict[int, str | None]
) -> list[Message]:
    if messages is not None:
        return messages
    text = sealed.get(personal_text_id) if personal_text_id else None
    return json.loads(text) if text else []
