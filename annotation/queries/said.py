"""What annotators say in their own words about items and about their judgments; sealed per person, read here."""

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet

from accounts.texts import read_personal_texts
from annotation.enums import JudgmentKind, Preference, SourceState
from annotation.models import Campaign, Flag, Judgment, JudgmentText

# How many texts one look opens, at the most; they are sealed one by one, so that no index can find words in them.
LOOKED_THROUGH = 1_000
SHOWN = 25


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


def raised_flags(campaign: Campaign) -> QuerySet[Flag]:
    """Those nobody has resolved first, then the newest."""
    flags = Flag.objects.filter(item__campaign=campaign).select_related("respondent")
    return flags.order_by(F("resolved_at").desc(nulls_first=True), "-pk")


def with_words(flags: list[Flag]) -> list[RaisedFlag]:
    texts = read_personal_texts(flag.personal_text_id for flag in flags if flag.personal_text_id)
    return [RaisedFlag(flag, texts[flag.personal_text_id] if flag.personal_text_id else "") for flag in flags]


def flags_page(campaign: Campaign, number: str | None) -> Page[Flag]:
    return Paginator(raised_flags(campaign), SHOWN).get_page(number)


def look_for(campaign: Campaign, words: str, *, before: int | None = None, most: int = SHOWN) -> Look:
    """Texts of standing answers that hold `words`, however they are written; all of them without words."""
    rows = list(_texts(campaign, before)[: LOOKED_THROUGH if words else most])
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
    ended = looked == len(rows) and len(rows) < (LOOKED_THROUGH if words else most)
    return Look(found, looked, erased, None if ended or not rows else rows[looked - 1].pk)


def _texts(campaign: Campaign, before: int | None) -> QuerySet[JudgmentText]:
    texts = JudgmentText.objects.filter(
        judgment__campaign=campaign,
        judgment__kind=JudgmentKind.ANSWER,
        judgment__superseded_by__isnull=True,
        judgment__source__state=SourceState.ACTIVE,
    ).select_related("judgment__respondent")
    if before is not None:
        texts = texts.filter(pk__lt=before)
    return texts.order_by("-pk")


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
