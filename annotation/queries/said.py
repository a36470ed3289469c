"""What annotators say in their own words about items and about their judgments; sealed per person, read here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Left

from accounts.texts import read_personal_texts
from annotation.enums import Preference
from annotation.models import Campaign, Event, Flag, Impression, Item
from annotation.queries.log import instrument_questions
from annotation.queries.orders import renamed_in
from annotation.questions import Asked, get_type
from annotation.questions.base import side_letter

# How many texts one look opens, at the most; they are sealed one by one, so that no index can find words in them.
LOOKED_THROUGH = 1_000
SHOWN = 25
LONGEST_EXCERPT = 160
SIDES = (Preference.A, Preference.B)

MOST_ID = 2**63 - 1
# Ids of texts, the newest first: along an index, however many there are.
NEWEST = """
SELECT t.id FROM annotation_judgmenttext t JOIN annotation_judgment j ON j.id = t.judgment_id
WHERE j.campaign_id = %(campaign)s AND t.id < %(before)s AND (%(question)s = '' OR t.question = %(question)s)
ORDER BY t.id DESC LIMIT %(most)s
"""
# One person's are gathered first, not met one by one on the way through everybody's.
OF_PERSON = """
WITH own AS MATERIALIZED (
    SELECT t.id, t.question FROM annotation_judgment j JOIN annotation_judgmenttext t ON t.judgment_id = j.id
    WHERE j.respondent_id = %(respondent)s AND j.campaign_id = %(campaign)s
)
SELECT id FROM own WHERE id < %(before)s AND (%(question)s = '' OR question = %(question)s)
ORDER BY id DESC LIMIT %(most)s
"""
# Those whose judgment nobody corrected, took back or retired. Each is looked up by itself: a join that is planned for
# a thousand of them reads through the whole log.
STANDING = """
SELECT t.id, t.question, t.personal_text_id, j.id, j.item_id, j.pseudonym, j.preference, j."order", j.submitted_at
FROM unnest(%(ids)s::bigint[]) AS wanted(id)
CROSS JOIN LATERAL (
    SELECT id, question, personal_text_id, judgment_id FROM annotation_judgmenttext WHERE id = wanted.id LIMIT 1
) t
CROSS JOIN LATERAL (
    SELECT a.id, a.item_id, a.preference, a."order", a.submitted_at, r.pseudonym
    FROM annotation_judgment a JOIN annotation_respondent r ON r.id = a.respondent_id
    JOIN annotation_source o ON o.id = a.source_id
    WHERE a.id = t.judgment_id AND a.kind = 'answer' AND o.state = 'active' LIMIT 1
) j
WHERE (SELECT id FROM annotation_judgment WHERE supersedes_id = j.id) IS NULL
ORDER BY t.id DESC
"""


class Row(NamedTuple):
    """What STANDING gives of one text."""

    id: int
    question: str
    personal_text_id: int
    judgment_id: int
    item_id: int
    pseudonym: str
    preference: str
    order: list[int]
    submitted_at: datetime


@dataclass(frozen=True)
class Excerpt:
    """The beginning of what an item's prompt asked last; None where that is somebody's own words."""

    words: str | None
    category: str


@dataclass(frozen=True)
class RaisedFlag:
    """`words` is "" where none were given, and None where their author's were erased; `outcome` is what whoever
    resolved it said became of it. `sides` is as `Said` has it, for words that name sides.
    """

    flag: Flag
    words: str | None
    outcome: str = ""
    sides: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Rationale:
    judgment_id: int
    item_id: int
    question: str
    pseudonym: str
    preferred: str  # the side as this person saw it, which is what their words name, or the words of another choice
    response: str  # the letter of the preferred one by the item's own order of responses; "" for another choice
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


def flags_on(item_id: int, *, order: Sequence[int] = ()) -> list[RaisedFlag]:
    """Those of one item, the open ones first, beside a showing in this order; without one, in the item's own."""
    flags = Flag.objects.filter(item=item_id).order_by(F("resolved_at").desc(nulls_first=True), "-pk")
    return with_words(list(flags[:SHOWN]), order=order)


def with_words(flags: list[Flag], *, order: Sequence[int] = ()) -> list[RaisedFlag]:
    texts = read_personal_texts(flag.personal_text_id for flag in flags if flag.personal_text_id)
    said, seen = outcomes_of(flags), _orders_seen(flags)
    found = []
    for flag in flags:
        words = texts[flag.personal_text_id] if flag.personal_text_id else ""
        theirs = seen.get((flag.item_id, flag.respondent_id), [])
        sides = renamed_in(order or sorted(theirs), theirs) if words else []
        found.append(RaisedFlag(flag, words, said.get(flag.pk, ""), sides))
    return found


def _orders_seen(flags: list[Flag]) -> dict[tuple[int, int], list[int]]:
    """In which order those who raised flags in words saw the item, by item and respondent."""
    worded = [flag for flag in flags if flag.personal_text_id]
    people, items = {flag.respondent_id for flag in worded}, {flag.item_id for flag in worded}
    shown = Impression.objects.filter(item__in=items, respondent__in=people).order_by("pk")
    return {(item, person): order for item, person, order in shown.values_list("item", "respondent", "order")}


def outcomes_of(flags: list[Flag]) -> dict[int, str]:
    """What was said when each was resolved, by its id."""
    items = {str(flag.item_id) for flag in flags if flag.resolved_at}
    if not items:
        return {}
    resolved = Event.objects.filter(subject=Item._meta.label_lower, subject_id__in=items, verb="flags_resolved")
    return {pk: reason for data, reason in resolved.values_list("data", "reason") for pk in data["flags"]}


def look_for(
    campaign: Campaign,
    words: str,
    *,
    before: int | None = None,
    most: int = SHOWN,
    respondent: int | None = None,
    question: str = "",
) -> Look:
    """Texts of standing answers that hold `words`, however they are written; all of them without words."""
    at_once = LOOKED_THROUGH if words else most
    values = {
        "campaign": campaign.pk,
        "respondent": respondent,
        "question": question,
        "before": MOST_ID if before is None else before,
        "most": at_once,
    }
    with connection.cursor() as cursor:
        cursor.execute(NEWEST if respondent is None else OF_PERSON, values)
        ids = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(STANDING, {"ids": ids})
        rows = [Row(*row) for row in cursor.fetchall()]
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
        return Look(found, looked, erased, rows[looked - 1].id)
    return Look(found, looked, erased, ids[-1] if len(ids) == at_once else None)


def questions_in_words(instrument_id: int | None) -> list[Asked]:
    """Those of an instrument whose answers can hold words."""
    asked = instrument_questions(instrument_id) if instrument_id else ()
    return [question for question in asked if get_type(question.type).takes_words]


def _rationale(row: Row, words: str) -> Rationale:
    return Rationale(
        judgment_id=row.judgment_id,
        item_id=row.item_id,
        question=row.question,
        pseudonym=row.pseudonym,
        preferred=_preferred(row),
        response=_response(row),
        submitted_at=row.submitted_at,
        words=words,
    )


def _preferred(row: Row) -> str:
    if row.preference in SIDES:
        return side_letter(SIDES.index(row.preference))
    return str(Preference(row.preference).label) if row.preference else ""


def _response(row: Row) -> str:
    return side_letter(row.order[SIDES.index(row.preference)]) if row.preference in SIDES else ""
