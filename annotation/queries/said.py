"""What annotators say in their own words about items and about their judgments; sealed per person, read here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Left

from accounts.texts import read_personal_texts
from annotation.enums import JudgmentKind, Preference, SourceState
from annotation.models import Campaign, Flag, Item, Judgment, JudgmentText

# How many texts one look opens, at the most; they are sealed one by one, so that no index can find words in them.
LOOKED_THROUGH = 1_000
SHOWN = 25
LONGEST_EXCERPT = 160


@dataclass(frozen=True)
class Excerpt:
    """The beginning of what an item's prompt asked last; None where that is somebody's own words."""

    words: str | None
    category: str


@dataclass(frozen=True)
class RaisedFlag:
    """`words` is "" where none were given, and None where their author's were erased."""

    flag: Flag
    words: str | None


@dataclass(frozen=True)
class Rationale:
    judgment_id: int
    item_id: int
    question: str
    pseudonym: str
    preferred: str  # by the item's own order of responses, or the words of another choice
    submitted_at: datetime
    words: str


@dataclass(frozen=True)
class Look:
    """One look for words: what was found among `looked` texts, the newest first, and where the next look begins."""

    found: list[Rationale]
    looked: int
    erased: int
    before: int | None


def excerpts(items: Iterable[int]) -> dict[int, Excerpt]:
    """In one query, of which only the beginnings come back."""
    last = KeyTextTransform("content", KeyTransform(-1, "prompt__messages"))
    rows = Item.objects.filter(pk__in=list(items)).annotate(words=Left(last, LONGEST_EXCERPT))
    return {
        pk: Excerpt(None if sealed else words or "", category)
        for pk, words, sealed, category in rows.values_list("pk", "words", "prompt__personal_text_id", "category")
    }


def raised_flags(campaign: Campaign) -> QuerySet[Flag]:
    """Those nobody has resolved first, then the newest."""
    flags = Flag.objects.filter(item__campaign=campaign).select_related("respondent")
    return flags.order_by(F("resolved_at").desc(nulls_first=True), "-pk")


def with_words(flags: list[Flag]) -> list[RaisedFlag]:
    texts = read_personal_texts(flag.personal_text_id for flag in flags if flag.personal_text_id)
    return [RaisedFlag(flag, texts[flag.personal_text_id] if flag.personal_text_id else "") for flag in flags]


def look_for(campaign: Campaign, words: str, *, before: int | None = None, most: int = SHOWN) -> Look:
    """Texts of standing answers that hold `words`, however they are written; all of them without words."""
    at_once = LOOKED_THROUGH if words else most
    ids = _newest(campaign, before, at_once)
    rows = _standing(ids)
    texts = read_personal_texts(row.personal_text_id for row in rows)
    wanted, found, looked, erased = words.casefold(), [], 0, 0
    for row in rows:
        text = texts[row.personal_text_id]
        looked += 1
        erased += text is None
        if text is not None and wanted in text.casefold():
            found.append(_rationale(row, text))
            if len(found) == most:
                break
    if looked < len(rows):
        return Look(found, looked, erased, rows[looked - 1].pk)
    return Look(found, looked, erased, ids[-1] if len(ids) == at_once else None)


def _newest(campaign: Campaign, before: int | None, count: int) -> list[int]:
    """Ids of the campaign's texts, the newest first. By itself this goes along an index, however many there are."""
    texts = JudgmentText.objects.filter(judgment__campaign=campaign)
    if before is not None:
        texts = texts.filter(pk__lt=before)
    return list(texts.order_by("-pk").values_list("pk", flat=True)[:count])


def _standing(ids: Sequence[int]) -> list[JudgmentText]:
    """Those of them whose judgment nobody corrected, took back or retired."""
    texts = JudgmentText.objects.filter(
        pk__in=ids, judgment__kind=JudgmentKind.ANSWER, judgment__source__state=SourceState.ACTIVE
    ).select_related("judgment__respondent")
    rows = list(texts.order_by("-pk"))
    judgments = Judgment.objects.filter(supersedes__in=[row.judgment_id for row in rows])
    superseded = set(judgments.values_list("supersedes", flat=True))
    return [row for row in rows if row.judgment_id not in superseded]


def _rationale(row: JudgmentText, words: str) -> Rationale:
    judgment = row.judgment
    return Rationale(
        judgment_id=judgment.pk,
        item_id=judgment.item_id,
        question=row.question,
        pseudonym=judgment.respondent.pseudonym,
        preferred=_preferred(judgment),
        submitted_at=judgment.submitted_at,
        words=words,
    )


def _preferred(judgment: Judgment) -> str:
    if judgment.preference in (Preference.A, Preference.B):
        return chr(ord("A") + judgment.order[judgment.preference == Preference.B])
    return str(Preference(judgment.preference).label) if judgment.preference else ""
