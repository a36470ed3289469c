"""The votes view: every standing judgment as it was given, with what was shown, how it was drawn and who wrote it."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import Exists, OuterRef

from accounts.texts import read_personal_texts
from annotation.boards.copied import copy_table
from annotation.datasets.answers import answered_in, instruments_of, log_columns, read_answered
from annotation.datasets.columns import Coded, Column, Page, coded
from annotation.datasets.contents import Content, Readable, Said, Speakers, cluster_of, read_contents, with_texts
from annotation.datasets.copied import expression
from annotation.datasets.schemas import MOMENT, votes_schema
from annotation.datasets.scope import Scope
from annotation.datasets.splits import split_of
from annotation.datasets.withdrawn import left_out
from annotation.enums import SourceKind
from annotation.models import Adjudication, JudgmentText
from annotation.queries import settles

# Rows in memory at once, with texts and without.
PAGE, PAGE_WITHOUT_TEXTS = 5_000, 10_000
# Columns that are columns of the judgment, or of what it hangs on; those of its answers are not listed.
TAKEN = {
    "sequence": "log_entry__sequence",
    "item": "item_id",
    "category": "item__category",
    "flags": "item__flags",
    "purpose": "item__purpose",
    "repeat_of": "item__repeat_of_id",
    "respondent": "respondent__pseudonym",
    "respondent_kind": "respondent__kind",
    "groups": "respondent__groups",
    "source": "source__name",
    "source_kind": "source__kind",
    "instrument": "instrument__number",
    "guidelines": "guidelines__number",
    "questions_asked": "impression__questions_asked",
    "shown_at": "impression__shown_at",
    "policy": "impression__policy",
    "policy_version": "impression__policy_version",
    "policy_parameters": "impression__parameters",
    "candidate_count": "impression__candidate_count",
    "seed": "impression__seed",
    "floor": "impression__floor",
    **{f"{what}_design": f"impression__{what}_design" for what in ("pair", "side", "prompt", "questions")},
    **{f"p_{what}": f"impression__p_{what}" for what in ("pair", "side", "prompt", "questions")},
    **{
        name: name
        for name in (
            *("order", "answers", "rendered_at", "first_touch_at", "submitted_at"),
            *("active_ms", "media_played", "device_class"),
        )
    },
}
# What other columns are made from.
NEEDED = {
    "judgment": ("id", pa.int64()),
    "releases_texts": ("respondent__releases_texts", pa.bool_()),
    "contestants": ("contestants", pa.list_(pa.int64())),
    "source_id": ("source_id", pa.int64()),
    "instrument_id": ("instrument_id", pa.int64()),
    "item_language": ("item__language", pa.string()),
    "prompt_language": ("item__prompt__language", pa.string()),
    "prompt_key": ("item__prompt_key", pa.string()),
    "prompt_digest": ("item__prompt__digest", pa.string()),
}
# Columns that say nothing where they are empty text, and those that hold JSON as text.
BLANK_IS_NULL = ("device_class", "policy", "policy_version")
JSON = ("answers", "policy_parameters")


def read_as(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us")
    return pa.string() if pa.types.is_nested(kind) else kind


class VotesView:
    """What was asked and what models answered is in; what people wrote about responses only where they released it."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._speakers = Speakers()
        self._without_texts: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._sources_with_texts = with_texts(scope.filters.sources)
        given = log_columns()
        self._answered = answered_in(instruments_of(scope))
        self.schema = votes_schema(given=given, answered=[each.field for each in self._answered])
        self._taken = TAKEN | {field.name: field.name for field in given}
        texts = [field.name for field in given if pa.types.is_string(field.type)]
        self._blank_is_null = frozenset([*BLANK_IS_NULL, *texts])
        self.dropped: Counter[str] = Counter()

    def pages(self) -> Iterator[Page]:
        wanted = {name: (path, self.schema.field(name).type) for name, path in self._taken.items()} | NEEDED
        expressions: dict[str, Any] = {f"_{name}": expression(path, kind) for name, (path, kind) in wanted.items()}
        expressions["_adjudicated"] = Exists(Adjudication.objects.filter(item=OuterRef("item_id")))
        expressions["_settles"] = settles()
        fields = [(name, read_as(kind)) for name, (_path, kind) in wanted.items()]
        schema = pa.schema([*fields, ("adjudicated", pa.bool_()), ("settles", pa.bool_())])
        taken: Any = self._scope.votes().order_by("log_entry__sequence").annotate(**expressions)
        if withdrawn := left_out(self._scope, with_checks=self._scope.filters.with_checks).count():
            self.dropped["withdrawn"] += withdrawn
        size, last = PAGE if self._sources_with_texts else PAGE_WITHOUT_TEXTS, 0
        while True:
            found = copy_table(taken.filter(_sequence__gt=last).values_list(*expressions)[:size], schema)
            if not len(found):
                return
            columns = {name: found[name].combine_chunks() for name in schema.names}
            last = columns["sequence"][-1].as_py()
            yield self._page(columns)

    def _page(self, read: Mapping[str, pa.Array]) -> Page:
        columns: dict[str, Column] = {name: self._column(name, read[name]) for name in self._taken}
        count = len(read["sequence"])
        clusters = self._clusters(read)
        contents = self._contents(read)
        slug = self._scope.campaign.slug
        columns |= {
            "id": pc.binary_join_element_wise(slug, "vote", read["sequence"].cast(pa.string()), "-"),
            "prompt_cluster": pa.array(clusters),
            "split": pa.array([split_of(cluster) for cluster in clusters]),
            "language": _language(read),
            "adjudicated": read["adjudicated"],
            "texts": Coded.each(_own_texts(read)),
            "settles": read["settles"],
            "simulated": pc.equal(read["source_kind"], SourceKind.SIMULATION.value),
            **self._said(read, contents, count),
            **read_answered(self._answered, read["instrument_id"], read["answers"]),
        }
        return Page(self.schema, columns)

    def _column(self, name: str, read: pa.Array) -> Column:
        kind = self.schema.field(name).type
        if name in self._blank_is_null:
            return pc.if_else(pc.equal(read, ""), pa.scalar(None, pa.string()), read)
        if name in JSON:
            texts = coded(read)
            return Coded([canonical(json.loads(text or "null")) for text in texts.values], texts.places)
        if pa.types.is_nested(kind):
            texts = coded(read)
            return Coded([json.loads(text or "null") for text in texts.values], texts.places)
        return read.cast(MOMENT) if pa.types.is_timestamp(kind) else read

    def _clusters(self, read: Mapping[str, pa.Array]) -> list[str]:
        campaign = self._scope.campaign.pk
        digests, keys, items = (read[name].to_pylist() for name in ("prompt_digest", "prompt_key", "item"))
        return [
            cluster_of(campaign=campaign, item=item, digest=digest, key=key)
            for digest, key, item in zip(digests, keys, items, strict=True)
        ]

    def _contents(self, read: Mapping[str, pa.Array]) -> dict[int, Content]:
        """Of the items of which anything can be read at all."""
        sources = pa.array(self._sources_with_texts, pa.int64())
        worth_reading = pc.or_(pc.is_valid(read["prompt_digest"]), pc.is_in(read["source_id"], value_set=sources))
        items: Collection[int] = set(read["item"].filter(worth_reading).to_pylist())
        return read_contents(items) if items else {}

    def _said(self, read: Mapping[str, pa.Array], contents: Mapping[int, Content], count: int) -> dict[str, Column]:
        """What was asked and answered; rows that show the same share it."""
        items = read["item"].to_numpy()
        texts = np.where(np.isin(items, list(contents)), items, -1)
        asked, places_asked = np.unique(texts, return_inverse=True)
        asked_of = [contents.get(item) for item in asked.tolist()]
        shown = pc.binary_join_element_wise(
            read["order"], read["contestants"], pa.array(texts).cast(pa.string()), ";"
        ).dictionary_encode()
        self._speakers.read(pk for who in pc.unique(read["contestants"]).to_pylist() for pk in json.loads(who))
        different = [text.split(";") for text in shown.dictionary.to_pylist()]
        responses = [self._responses(order, who, contents.get(int(item))) for order, who, item in different]
        places = shown.indices.to_numpy()
        return {
            "responses": Coded(responses, places),
            "models": Coded([[response["model"] for response in each] for each in responses], places),
            "prompt": Coded([_prompt(content) for content in asked_of], places_asked),
            "follow_ups": Coded([_follow_ups(content) for content in asked_of], places_asked),
        }

    def _responses(self, order: str, contestants: str, content: Content | None) -> list[dict[str, Any]]:
        """What was shown, in that order. Without texts it is the same for every such pair, and made once."""
        if content is None and (order, contestants) in self._without_texts:
            return self._without_texts[order, contestants]
        turns = content.turns if content else {}
        made = [
            self._response(position, contestant, turns.get(position, []))
            for position, contestant in zip(json.loads(order), json.loads(contestants), strict=True)
        ]
        if content is None:
            self._without_texts[order, contestants] = made
        return made

    def _response(self, position: int, contestant: int | None, turns: Sequence[Said]) -> dict[str, Any]:
        said = [{"kind": turn.kind, "text": turn.text, **turn.provenance} for turn in turns]
        if contestant is None:
            return {"position": position, "model": None, "turns": said}
        speaker = self._speakers[contestant]
        return {
            "position": position,
            "model": speaker.name,
            "kind": speaker.kind,
            "system_prompt": speaker.system_prompt or None,
            **speaker.columns,
            "turns": said,
        }


def _own_texts(read: Mapping[str, pa.Array]) -> list[list[dict[str, str]] | None]:
    """By row what its author wrote; None where they did not release it. Of who was erased nothing can be read."""
    released = read["releases_texts"].to_pylist()
    if not any(released):
        return [None] * len(released)
    ids = read["judgment"].to_pylist()
    open_to_all = [pk for pk, is_released in zip(ids, released, strict=True) if is_released]
    written = JudgmentText.objects.filter(judgment__in=open_to_all).order_by("question")
    rows = list(written.values_list("judgment_id", "question", "personal_text_id"))
    words = read_personal_texts(text for _pk, _question, text in rows)
    found: dict[int, list[dict[str, str]]] = {pk: [] for pk in open_to_all}
    for pk, question, text in rows:
        if (said := words[text]) is not None:
            found[pk].append({"question": question, "text": said})
    return [found.get(pk) for pk in ids]


def _language(read: Mapping[str, pa.Array]) -> pa.Array:
    """The item's, or else the prompt's."""
    own = read["item_language"]
    return pc.if_else(pc.equal(own, ""), pc.fill_null(read["prompt_language"], ""), own)


def _prompt(content: Content | None) -> list[dict[str, str]] | None:
    return content.prompt.messages if content and content.prompt.readable is Readable.YES else None


def _follow_ups(content: Content | None) -> list[list[dict[str, str]]]:
    return [each.messages for each in content.follow_ups] if content else []


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
