"""How much there is of somebody, and what they would lose with it: counts for the page on which they may delete it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Person, PersonLink
from annotation.enums import JudgmentKind
from annotation.models import Judgment
from annotation.queries.earnings import Earned, earned_by_slug
from arena.models import Battle
from arena.queries.files import released_files


@dataclass(frozen=True)
class Holdings:
    """`waiting` is what is owed and not yet on its way; `links` are those that could be used now."""

    battles: int
    judgments: int
    texts: int
    files: int
    pictures: int
    has_account: bool
    waiting: Sequence[Earned]
    links: Sequence[PersonLink]


def own_holdings(person: Person, *, now: datetime) -> Holdings:
    judgments = Judgment.objects.filter(respondent__person=person, kind=JudgmentKind.ANSWER, superseded_by__isnull=True)
    owed = [each for found in earned_by_slug(person).values() for each in found]
    links = person.links.filter(used_at__isnull=True, expires_at__gt=now)
    return Holdings(
        battles=Battle.objects.filter(assignment__respondent__person=person).count(),
        judgments=judgments.count(),
        texts=person.texts.count(),
        files=released_files(person).count(),
        pictures=person.files.count(),
        has_account=person.user_id is not None,
        waiting=[each for each in owed if each.waiting > 0],
        links=list(links.order_by("purpose")),
    )
