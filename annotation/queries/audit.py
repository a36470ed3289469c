"""Who did what to an item and to the judgments about it, in one list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.models import Event, Item, ItemComment, Judgment, Respondent, ReviewDecision
from annotation.queries.reviews import LOOKED

MOST = 200
# Each of these stands beside a row of its own that says more.
SAID_ELSEWHERE = ("commented", "review_approve", "review_reject", "review_appeal", "review_reopen", "review_return")


@dataclass(frozen=True)
class Entry:
    """One thing that was done. `what` is an event's verb, a decision's verdict, or "comment".

    `words` are somebody's own, None where they were erased; `judgment` is the one that it is about.
    """

    at: datetime
    what: str
    actor: Person | None
    words: str | None = ""
    judgment: int | None = None
    data: dict[str, Any] | None = None

    def by(self, reader: Person, *, sees_names: bool) -> str:
        """Whose doing it is, as this reader may know: "own", a name, or ""."""
        if self.actor == reader:
            return "own"
        return self.name if sees_names or self.actor is None else ""

    @property
    def name(self) -> str:
        """A username; "system" where nobody did it, "" of somebody who was erased."""
        if self.actor is None:
            return "system"
        return self.actor.user.get_username() if self.actor.user is not None else ""


def audit_of(item: Item, *, judgment: int | None = None) -> list[Entry]:
    """The newest first; with `judgment` only what is about that one, and about the item itself."""
    judgments = Judgment.objects.filter(item=item) if judgment is None else _chain(judgment)
    ids = list(judgments.values_list("pk", "respondent"))
    found = [
        *_events(item, [pk for pk, _respondent in ids], {respondent for _pk, respondent in ids}),
        *_decisions([pk for pk, _respondent in ids]),
        *_comments(item),
    ]
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:MOST]


def _chain(judgment_id: int) -> Any:
    """The judgment with what stands in its place or stood there before: the same person about the same item."""
    one = Judgment.objects.get(pk=judgment_id)
    return Judgment.objects.filter(item=one.item_id, respondent=one.respondent_id)


def _events(item: Item, judgments: list[int], respondents: Iterable[int]) -> list[Entry]:
    subjects = Q(subject=Item._meta.label_lower, subject_id=str(item.pk)) & ~Q(verb=LOOKED)
    subjects |= Q(subject=Judgment._meta.label_lower, subject_id__in=[str(pk) for pk in judgments])
    blocks = Q(verb__in=["blocked", "unblocked"], subject=Respondent._meta.label_lower)
    subjects |= blocks & Q(subject_id__in=[str(pk) for pk in respondents])
    events = Event.objects.filter(subjects).exclude(verb__in=SAID_ELSEWHERE).select_related("actor__user")
    return [
        Entry(
            event.created_at,
            event.verb,
            event.actor,
            event.reason,
            int(event.subject_id) if event.subject == Judgment._meta.label_lower else None,
            event.data,
        )
        for event in events.order_by("-pk")[:MOST]
    ]


def _decisions(judgments: list[int]) -> list[Entry]:
    decisions = ReviewDecision.objects.filter(review__judgment__in=judgments).select_related("review", "person__user")
    rows = list(decisions.order_by("-pk")[:MOST])
    texts = read_personal_texts(row.personal_text_id for row in rows if row.personal_text_id)
    return [
        Entry(
            row.created_at,
            row.verdict,
            row.person,
            texts[row.personal_text_id] if row.personal_text_id else "",
            row.review.judgment_id,
        )
        for row in rows
    ]


def _comments(item: Item) -> list[Entry]:
    comments = list(ItemComment.objects.filter(item=item).select_related("person__user").order_by("-pk")[:MOST])
    texts = read_personal_texts(each.personal_text_id for each in comments)
    return [Entry(each.created_at, "comment", each.person, texts[each.personal_text_id]) for each in comments]
