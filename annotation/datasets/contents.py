"""What was asked and said in a page of items, and who said it under which settings."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

from accounts.texts import read_personal_texts
from annotation.boards import contestant_names
from annotation.enums import TurnKind
from annotation.models import Contestant, FollowUp, Item, MediaFile, Turn
from annotation.queries.media import digest_of
from annotation.queries.reactions import standing_reactions
from inference_workers.models import LanguageModel
from inference_workers.policies.releases import may_be_named

Message = dict[str, str]


class Readable(StrEnum):
    """Whether a text can be read. ABSENT was never given, ERASED belonged to a person whose key is destroyed, and
    PICTURED is about a picture of a person's, which is in no dataset: without it the words say something else."""

    YES = "yes"
    ABSENT = "absent"
    ERASED = "erased"
    PICTURED = "pictured"


@dataclass(frozen=True)
class Conversation:
    """Messages of a prompt or a follow-up."""

    readable: Readable
    messages: list[Message]


ABSENT = Conversation(Readable.ABSENT, [])


@dataclass(frozen=True)
class Said:
    """One turn of one response; `provenance` are the columns of its completion, or of the file that it is."""

    number: int
    kind: str
    readable: Readable
    text: str | None
    provenance: dict[str, Any]


@dataclass
class Content:
    """One item. `turns` by position of the response; a response of which nothing is given has none."""

    prompt: Conversation
    # Equal prompts have equal clusters; never the prompt itself.
    cluster: str
    category: str
    flags: list[str]
    language: str
    follow_ups: list[Conversation] = field(default_factory=list)
    turns: dict[int, list[Said]] = field(default_factory=dict)


@dataclass(frozen=True)
class Speaker:
    """A contestant as a dataset names it, with what decides its answers."""

    name: str
    kind: str
    system_prompt: str
    columns: dict[str, Any]


COMPLETION = (
    "seed",
    "prompt_tokens",
    "completion_tokens",
    "first_token_seconds",
    "total_seconds",
    "cost",
    "sampling",
    "finish_reason",
    "screen_version",
)
SAMPLING = ("provider_model", "temperature", "top_p", "top_k", "repetition_penalty", "max_tokens")


class Speakers:
    """Contestants by id, each read once."""

    def __init__(self) -> None:
        self._known: dict[int, Speaker] = {}

    def read(self, ids: Iterable[int | None]) -> None:
        """Those not known yet, in two queries."""
        new = {pk for pk in ids if pk is not None} - self._known.keys()
        if new:
            names = contestant_names(new)
            for contestant in Contestant.objects.filter(pk__in=new).select_related("revision__language_model"):
                self._known[contestant.pk] = _speaker(contestant, names[contestant.pk])

    def __getitem__(self, contestant: int) -> Speaker:
        return self._known[contestant]


def _speaker(contestant: Contestant, name: str) -> Speaker:
    revision = contestant.revision
    # Who may not be named yet is not given away by its settings either.
    if revision is None or not _is_named(revision.language_model):
        return Speaker(name, contestant.kind, "", dict.fromkeys(("revision", *SAMPLING)))
    columns = {"revision": revision.number} | {column: getattr(revision, column) for column in SAMPLING}
    columns |= {name: value for name, value in (contestant.sampling or {}).items() if name in SAMPLING}
    return Speaker(name, contestant.kind, revision.system_prompt, columns)


def _is_named(model: LanguageModel) -> bool:
    return may_be_named(visibility=model.visibility, released_at=model.released_at)


def read_contents(item_ids: Collection[int]) -> dict[int, Content]:
    """A page of items in a fixed number of queries; people's texts are unsealed, an erased person's read as erased."""
    items: list[dict[str, Any]] = list(
        Item.objects.filter(pk__in=item_ids).values(
            *("pk", "campaign_id", "prompt_id", "prompt_key", "category", "flags", "language"),
            *("prompt__messages", "prompt__personal_text_id", "prompt__digest", "prompt__language"),
        )
    )
    follow_ups: Any = list(
        FollowUp.objects.filter(item__in=item_ids)
        .order_by("item", "number")
        .values("item_id", "messages", "personal_text_id")
    )
    turns: list[dict[str, Any]] = list(
        Turn.objects.filter(response__item__in=item_ids)
        .exclude(kind=TurnKind.ABSENT)
        .order_by("response", "number")
        .values(
            *("pk", "response__item_id", "response__position", "number", "kind", "text", "personal_text_id", "file"),
            *("completion__text", "completion__personal_text_id", "regenerations"),
            *(f"completion__{name}" for name in COMPLETION),
        )
    )
    sealed, files = _unseal(items, follow_ups, turns), _files(items, turns)
    reactions = standing_reactions(item_ids)
    contents = {item["pk"]: _content(item, sealed) for item in items}
    for follow_up in follow_ups:
        said = _conversation(follow_up["messages"], follow_up["personal_text_id"], sealed)
        contents[follow_up["item_id"]].follow_ups.append(said)
    for turn in turns:
        by_position = contents[turn["response__item_id"]].turns
        turn["reactions"] = reactions.get(turn["pk"], [])
        by_position.setdefault(turn["response__position"], []).append(_said(turn, sealed, files))
    return contents


def with_texts(sources: Collection[int]) -> list[int]:
    """Those of the sources in which any text or completion was given."""
    given = Turn.objects.exclude(kind=TurnKind.ABSENT)
    return [source for source in sources if given.filter(response__item__source=source).exists()]


def cluster_of(*, campaign: int, item: int, digest: str | None, key: str) -> str:
    """Equal prompts have equal clusters, by their keyed digest or by what an import called them."""
    cluster = digest or (f"key {campaign} {key}" if key else f"item {item}")
    return sha256(cluster.encode()).hexdigest()[:16]


def _unseal(
    items: list[dict[str, Any]], follow_ups: list[dict[str, Any]], turns: list[dict[str, Any]]
) -> dict[int, str | None]:
    ids = {item["prompt__personal_text_id"] for item in items}
    ids |= {follow_up["personal_text_id"] for follow_up in follow_ups}
    ids |= {turn[name] for turn in turns for name in ("personal_text_id", "completion__personal_text_id")}
    return read_personal_texts(ids - {None}) if ids - {None} else {}


def _content(item: dict[str, Any], sealed: dict[int, str | None]) -> Content:
    given = item["prompt_id"] is not None
    prompt = _conversation(item["prompt__messages"], item["prompt__personal_text_id"], sealed) if given else ABSENT
    return Content(
        prompt=prompt,
        cluster=cluster_of(
            campaign=item["campaign_id"], item=item["pk"], digest=item["prompt__digest"], key=item["prompt_key"]
        ),
        category=item["category"],
        flags=sorted(item["flags"]),
        language=item["language"] or item["prompt__language"] or "",
    )


def _conversation(
    messages: list[Message] | None, personal_text_id: int | None, sealed: dict[int, str | None]
) -> Conversation:
    if messages is not None:
        return Conversation(Readable.YES, messages)
    if personal_text_id is None:
        return ABSENT
    text = sealed.get(personal_text_id)
    if text is None:
        return Conversation(Readable.ERASED, [])
    said = json.loads(text)
    pictured = any("picture" in each for each in said)
    return Conversation(Readable.PICTURED, []) if pictured else Conversation(Readable.YES, said)


def _files(items: list[dict[str, Any]], turns: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is told of files, by where they are stored. A campaign's own name of it, where it has several the first."""
    stored = {turn["file"] for turn in turns if turn["file"]}
    if not stored:
        return {}
    campaigns = {item["campaign_id"] for item in items}
    digests = {digest_of(name) for name in stored}
    rows = MediaFile.objects.filter(campaign__in=campaigns, sha256__in=digests).order_by("-pk")
    return {row.stored: {"file": row.name, "file_sha256": row.sha256, "content_type": row.content_type} for row in rows}


def _said(turn: dict[str, Any], sealed: dict[int, str | None], files: dict[str, dict[str, Any]]) -> Said:
    # The completion of a file has an empty text, which nobody wrote.
    is_file = turn["kind"] == TurnKind.FILE
    personal = None if is_file else turn["personal_text_id"] or turn["completion__personal_text_id"]
    given = None if is_file else turn["text"] or turn["completion__text"]
    text = sealed.get(personal) if personal is not None else given
    if text is not None:
        readable = Readable.YES
    else:
        readable = Readable.ERASED if personal is not None else Readable.ABSENT
    provenance = {name: turn[f"completion__{name}"] for name in COMPLETION}
    provenance["cost"] = None if provenance["cost"] is None else float(provenance["cost"])
    provenance["sampling"] = provenance["sampling"] and json.dumps(provenance["sampling"], sort_keys=True)
    provenance["finish_reason"] = provenance["finish_reason"] or None
    # How often whoever asked had all sides answer anew until this was said.
    provenance |= {name: turn[name] for name in ("regenerations", "reactions")}
    provenance |= files.get(turn["file"], {"file": None, "file_sha256": None, "content_type": None})
    return Said(turn["number"], turn["kind"], readable, text, provenance)
