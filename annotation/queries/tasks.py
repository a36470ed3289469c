"""What annotators see of their campaigns, and of the one item before them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Person, User
from accounts.texts import unseal_of
from annotation.enums import AssignmentState, CampaignState, JudgmentKind, Pool, RespondentState
from annotation.models import Assignment, Campaign, Draft, Judgment, Respondent
from annotation.policies.arms import price_direction
from annotation.queries.log import instrument_questions, own_median_amount
from annotation.queries.sessions import money_of
from annotation.queries.shown import ShownItem, shown_item
from annotation.questions import Asked, Situation

# What this person may still be given and what they gave, for each of their campaigns at once.
CAMPAIGNS = """
SELECT c.slug, c.name, c.purpose, c.state, r.state, c.deadline, c.pay_per_judgment, c.pay_currency,
    (SELECT count(*) FROM annotation_assignment a WHERE a.respondent_id = r.id AND a.state = 'submitted'),
    (SELECT count(*) FROM annotation_slot s WHERE s.campaign_id = c.id AND s.state = 'open'
        AND NOT EXISTS (SELECT 1 FROM annotation_assignment a
            WHERE a.item_id = s.item_id AND a.respondent_id = r.id AND a.state <> 'expired')
        AND (cardinality(r.declined_content) = 0 OR NOT EXISTS (SELECT 1 FROM annotation_item i
            WHERE i.id = s.item_id AND i.warnings && r.declined_content))),
    EXISTS (SELECT 1 FROM annotation_assignment a WHERE a.respondent_id = r.id AND a.state = 'open'
        AND a.lease_expires_at > now())
FROM annotation_respondent r JOIN annotation_campaign c ON c.id = r.campaign_id
WHERE r.person_id = %(person)s AND r.kind IN ('annotator', 'expert') AND NOT c.is_template
ORDER BY c.created_at DESC LIMIT 200
"""
HELD = """
SELECT a.id, a.state, a.item_id, a.lease_token, a.lease_expires_at,
    m.instrument_id, m.questions_asked, m."order", c.currency,
    ARRAY(SELECT j.amount_low FROM annotation_judgment j WHERE j.respondent_id = a.respondent_id AND j.amount_low > 0),
    d.version, d.sealed,
    (SELECT count(*) FROM annotation_assignment x WHERE x.respondent_id = a.respondent_id AND x.state = 'submitted'),
    coalesce(w.incentive, 'stated'), w.endowment
FROM annotation_assignment a
LEFT JOIN annotation_worthsession w ON w.respondent_id = a.respondent_id
JOIN annotation_impression m ON m.assignment_id = a.id
JOIN annotation_campaign c ON c.id = m.campaign_id
LEFT JOIN annotation_draft d ON d.assignment_id = a.id
WHERE a.id = %(assignment)s AND a.respondent_id = %(respondent)s
ORDER BY m.id DESC LIMIT 1
"""


@dataclass(frozen=True)
class OwnCampaign:
    """A campaign as one of its annotators sees it in a list."""

    slug: str
    name: str
    purpose: str
    state: str
    respondent_state: str
    deadline: datetime | None
    pay_per_judgment: Decimal | None
    pay_currency: str
    done: int
    open: int
    holds: bool

    @property
    def takes_work(self) -> bool:
        running = self.state in {CampaignState.PILOT, CampaignState.RUNNING}
        return running and self.respondent_state == RespondentState.ACTIVE


@dataclass(frozen=True)
class Task:
    """The item before somebody: what it shows, what it asks, and what they typed so far. No contestant is in it."""

    assignment_id: int
    state: str
    lease_token: UUID
    expires_at: datetime
    item: ShownItem
    asked: list[Asked]
    situation: Situation
    draft_version: int
    typed: dict[str, str]
    done: int
    # Of each sound and film, before the item can be answered.
    played_share: float | None

    @property
    def is_open(self) -> bool:
        return self.state == AssignmentState.OPEN

    @property
    def subject(self) -> str:
        return f"assignment:{self.assignment_id}"


def campaigns_of(person: Person) -> list[OwnCampaign]:
    """The campaigns this person joined, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(CAMPAIGNS, {"person": person.pk})
        return [OwnCampaign(*row) for row in cursor.fetchall()]


def open_pools(person: Person, *, is_annotator: bool, is_expert: bool) -> list[Campaign]:
    """Campaigns this person may join without an invitation, and has not joined."""
    pools = [Pool.ANNOTATORS] * is_annotator + [Pool.EXPERTS] * is_expert
    running = Campaign.objects.filter(
        pool__in=pools, state__in=[CampaignState.PILOT, CampaignState.RUNNING], shadow_of=None
    )
    return list(running.filter(~Q(respondents__person=person)).order_by("-created_at")[:100])


def respondent_of(user: User, slug: str) -> Respondent | None:
    """Who this user is in that campaign, as an annotator or an expert; None where they did not join."""
    return (
        Respondent.objects.select_related(
            "person", "campaign__instrument", "campaign__guidelines", "campaign__consent", "source"
        )
        .filter(person__user=user, campaign__slug=slug, kind__in=["annotator", "expert"])
        .first()
    )


def held_until(respondent: Respondent) -> datetime | None:
    """When the first lease of what this person holds runs out; None where they hold nothing."""
    held = Assignment.objects.filter(respondent=respondent, state=AssignmentState.OPEN, lease_expires_at__gt=Now())
    return held.order_by("lease_expires_at").values_list("lease_expires_at", flat=True).first()


def task_of(respondent: Respondent, assignment_id: int) -> Task | None:
    """An assignment of this respondent as it was shown to them, whatever became of it; None for everybody else's."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, {"assignment": assignment_id, "respondent": respondent.pk})
        row = cursor.fetchone()
    if row is None or respondent.person is None:
        return None
    pk, state, item_id, token, expires_at, instrument, names, order, currency, amounts, *row = row
    version, sealed, done, incentive, endowment = row
    item = shown_item(item_id, order)
    situation = Situation(
        responses=len(order),
        currency=currency,
        own_median_amount=median(amounts) if amounts else None,
        incentive=incentive,
        endowment=endowment,
    )
    return Task(
        assignment_id=pk,
        state=state,
        lease_token=token,
        expires_at=expires_at,
        item=item,
        asked=[question for question in instrument_questions(instrument) if question.name in names],
        situation=_seen(situation, item, respondent),
        draft_version=version or 0,
        typed={} if sealed is None else typed_in(sealed, respondent.person),
        done=done,
        played_share=respondent.campaign.played_share,
    )


def _seen(situation: Situation, item: ShownItem, respondent: Respondent) -> Situation:
    texts = tuple(response.text for response in item.responses)
    return replace(situation, texts=texts, price_direction=price_direction(respondent.pk))


def typed_in(sealed: bytes | memoryview, person: Person) -> dict[str, str]:
    """The values of a draft, by the names of the form's inputs."""
    values: dict[str, str] = json.loads(unseal_of(person, sealed))
    return values


@dataclass(frozen=True)
class Answered:
    """An earlier answer of one's own, as it can be looked at and corrected."""

    judgment: Judgment
    item: ShownItem
    asked: list[Asked]
    situation: Situation
    typed: dict[str, str]

    @property
    def subject(self) -> str:
        return f"judgment:{self.judgment.pk}"


def own_answer(respondent: Respondent, judgment_id: int) -> Answered | None:
    """A standing answer of this respondent, with what they typed for it, where that is still kept."""
    judgment = (
        Judgment.objects.select_related("impression", "campaign")
        .filter(pk=judgment_id, respondent=respondent, kind=JudgmentKind.ANSWER, superseded_by__isnull=True)
        .first()
    )
    if judgment is None or respondent.person is None:
        return None
    item = shown_item(judgment.item_id, judgment.order)
    situation = Situation(
        responses=len(judgment.order),
        currency=judgment.campaign.currency,
        own_median_amount=own_median_amount(respondent.pk),
        **money_of(respondent.pk),
    )
    draft = Draft.objects.filter(assignment=judgment.assignment_id).first()
    names: Sequence[Any] = judgment.impression.questions_asked
    return Answered(
        judgment=judgment,
        item=item,
        asked=[each for each in instrument_questions(judgment.instrument_id) if each.name in names],
        situation=_seen(situation, item, respondent),
        typed={} if draft is None else typed_in(draft.sealed, respondent.person),
    )
