"""How much there is of somebody, and what they would lose with it: counts for the page on which they may delete it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from accounts.models import Person, PersonLink
from annotation.enums import JudgmentKind
from annotation.models import EarlierTurn, Judgment, Turn
from annotation.queries.earnings import Earned, earned_by_slug
from arena.models import Battle
from arena.models.battles import OPENED
from arena.queries.files import released_files
from inference_workers.models import Completion


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
        texts=_texts(person),
        files=released_files(person).count(),
        pictures=person.files.count(),
        has_account=person.user_id is not None,
        waiting=[each for each in owed if each.waiting > 0],
        links=list(links.order_by("purpose")),
    )


def _texts(person: Person) -> int:
    """What they wrote, and what was written for them and shown. How often models were asked, and which answers are
    there that nobody may read yet, would tell of a battle that is being answered."""
    jobs = Completion.objects.filter(person=person)
    measured = person.measurements.all()
    of_jobs = sum(
        found.filter(**{f"{name}__isnull": False}).count()
        for found, name in ((jobs, "personal_messages"), (jobs, "personal_text"), (measured, "personal_numbers"))
    )
    turns = Turn.objects.filter(completion__person=person, completion__personal_text__isnull=False)
    battle = "response__item__battle__"
    unopened = Q(**{f"{battle}opens_at": None}) | Q(**{f"{battle}answered_at": None})
    unopened |= Q(**{f"{battle}answered_at__lt": F(f"{battle}opens_at")})
    hidden = Q(number=F(f"{battle}turn_count") - 1) & ~Q(**{f"{battle}state__in": OPENED}) & unopened
    earlier = EarlierTurn.objects.filter(completion__person=person, completion__personal_text__isnull=False)
    return person.texts.count() - of_jobs + turns.exclude(hidden).count() + earlier.count()
