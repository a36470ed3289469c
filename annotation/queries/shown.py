"""What an assignment shows. Nothing here holds a contestant: who wrote a response cannot reach a page from here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from accounts.texts import read_personal_texts
from annotation.enums import TurnKind
from annotation.models import FollowUp, Item, MediaFile, Turn
from annotation.queries.media import digest_of, references
from annotation.questions import Asked, get_type

Message = dict[str, str]


@dataclass(frozen=True)
class ShownMedia:
    """A file as an item shows it. `place` names it within the item: "B-0" is side B's first turn, "P-1" the prompt's
    second file. `address` is set for samples and battles; every other page makes its own.
    """

    pk: int
    kind: str
    content_type: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    place: str = ""
    address: str = ""
    has_captions: bool = False


@dataclass(frozen=True)
class ShownPart:
    """A piece of a message: text, or a file with the words for who does not see it."""

    text: str = ""
    media: ShownMedia | None = None


@dataclass(frozen=True)
class ShownTurn:
    """One turn of a response: text, or a file; `media` is None where the file is not there any more."""

    number: int
    kind: str
    text: str = ""
    file: str = ""
    media: ShownMedia | None = None


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
    # Files that the messages show, by digest. Any other text is only text, whatever it looks like.
    prompt_media: dict[str, ShownMedia] = field(default_factory=dict)
    # Categories of content that people are warned of.
    warnings: list[str] = field(default_factory=list)

    @property
    def played(self) -> list[dict[str, float]]:
        """The seconds of each response's sounds and films, by place."""
        return [
            {turn.media.place: turn.media.seconds for turn in response.turns if turn.media and turn.media.seconds}
            for response in self.responses
        ]

    @property
    def media(self) -> dict[str, ShownMedia]:
        """Every file by its place."""
        turns = (turn.media for response in self.responses for turn in response.turns if turn.media)
        return {media.place: media for media in (*self.prompt_media.values(), *turns)}

    @property
    def turns(self) -> list[tuple[list[dict[str, Any]], list[tuple[str, ShownTurn | None]]]]:
        """For each turn what was said before it, and each side's own: a row of the page."""
        longest = max((len(response.turns) for response in self.responses), default=0)
        rows = []
        for number in range(longest):
            before = self.messages if number == 0 else self.follow_ups[number - 1 : number]
            sides = [(r.letter, r.turns[number] if number < len(r.turns) else None) for r in self.responses]
            rows.append(([self._in_parts(message) for message in before], sides))
        return rows

    def _in_parts(self, message: Message) -> dict[str, Any]:
        return {**message, "parts": message_parts(message["content"], self.prompt_media)}


def message_parts(content: str, media: Mapping[str, ShownMedia]) -> list[ShownPart]:
    """A message's text and files in their order."""
    parts, end = [], 0
    for found in references(content):
        if found.name in media:
            parts += [ShownPart(content[end : found.start].strip()), ShownPart(found.alt, media[found.name])]
            end = found.end
    parts.append(ShownPart(content[end:].strip() if parts else content))
    return [part for part in parts if part.text or part.media]


def shown_item(item_id: int, order: Sequence[int]) -> ShownItem:
    """An item as somebody sees it, in four statements, one more for people's own texts and one for files."""
    wanted = ("prompt__messages", "prompt__personal_text_id", "campaign_id", "warnings")
    item: Any = Item.objects.values(*wanted).get(pk=item_id)
    follow_ups: Any = FollowUp.objects.filter(item=item_id).order_by("number").values("messages", "personal_text_id")
    said: list[dict[str, Any]] = list(follow_ups)
    turns = _turns(item_id)
    sealed = _unseal([item["prompt__personal_text_id"], *(each["personal_text_id"] for each in said)], turns)
    messages = _messages(item["prompt__messages"], item["prompt__personal_text_id"], sealed)
    asked_next = [_messages(each["messages"], each["personal_text_id"], sealed)[-1:] for each in said]
    follow_ups_said = [message for each in asked_next for message in each]
    # What somebody wrote here themselves shows no file of the campaign, whatever is in it.
    shows = messages if item["prompt__messages"] is not None else []
    media, prompt_media = _media(item["campaign_id"], turns, shows)
    by_position: dict[int, list[ShownTurn]] = {position: [] for position in order}
    letters = {position: chr(ord("A") + place) for place, position in enumerate(order)}
    for turn in turns:
        position = turn["response__position"]
        by_position[position].append(_shown(turn, sealed, media, letters[position]))
    responses = [ShownResponse(letters[position], by_position[position]) for position in order]
    return ShownItem(messages, follow_ups_said, responses, prompt_media, item["warnings"])


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


def _media(
    campaign_id: int, turns: Sequence[dict[str, Any]], messages: Sequence[Message]
) -> tuple[dict[str, ShownMedia], dict[str, ShownMedia]]:
    """Files of turns by where they are stored, and of messages by digest; nothing is asked where there is none."""
    stored = {turn["file"] for turn in turns if turn["file"]}
    named = list(dict.fromkeys(found.name for message in messages for found in references(message["content"])))
    if not stored and not named:
        return {}, {}
    digests = {*named, *(digest_of(name) for name in stored)}
    rows = MediaFile.objects.filter(campaign=campaign_id, sha256__in=digests).order_by("-pk")
    files = {row.sha256: (row.stored, shown_media(row)) for row in rows}
    in_turns = {files[digest][0]: files[digest][1] for digest in files if files[digest][0] in stored}
    in_prompt = {
        name: replace(files[name][1], place=f"P-{number}") for number, name in enumerate(named) if name in files
    }
    return in_turns, in_prompt


def shown_media(row: MediaFile) -> ShownMedia:
    measures = (row.width, row.height, row.seconds)
    return ShownMedia(row.pk, row.kind, row.content_type, *measures, has_captions=bool(row.captions))


def _shown(
    turn: dict[str, Any], sealed: dict[int, str | None], media: Mapping[str, ShownMedia], letter: str
) -> ShownTurn:
    personal = turn["personal_text_id"] or turn["completion__personal_text_id"]
    text = sealed.get(personal) if personal else turn["text"] or turn["completion__text"]
    file = media.get(turn["file"])
    placed = None if file is None else replace(file, place=f"{letter}-{turn['number']}")
    return ShownTurn(turn["number"], turn["kind"], text or "", turn["file"], placed)


def _messages(
    messages: list[Message] | None, personal_text_id: int | None, sealed: dict[int, str | None]
) -> list[Message]:
    if messages is not None:
        return messages
    text = sealed.get(personal_text_id) if personal_text_id else None
    return json.loads(text) if text else []
