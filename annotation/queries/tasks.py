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
from annotation.enums import AssignmentState, CampaignState, JudgmentKind, Pool, RespondentState, WorthState
from annotation.models import Assignment, Campaign, Draft, Judgment, Respondent
from annotation.policies.arms import price_direction
from annotation.queries.log import instrument_questions, own_median_amount
from annotation.queries.sessions import money_of
from annotation.queries.shown import ShownItem, shown_item
from annotation.queries.work import ANCHORS, LEFT, SATED
from annotation.questions import Asked, Situation
from foundation.database import planned_cursor

# Whoever met as many items with a warning today as one may is given no more of them.
BEARABLE = "AND NOT (sated.today AND cardinality(i.warnings) > 0)"
# What this person may still be given and what they gave, for each of their campaigns at once.
CAMPAIGNS = f"""
SELECT c.slug, c.name, c.purpose, c.state, r.state, c.deadline, c.deadline < now(), c.pay_per_judgment, c.pay_currency,
    c.guidelines_id IS NOT NULL,
    (SELECT count(*) FROM annotation_assignment a WHERE a.respondent_id = r.id AND a.state = 'submitted'),
    own.done, own.given,
    (SELECT count(*) FROM annotation_slot s WHERE s.campaign_id = c.id AND s.state = 'open'
        AND NOT EXISTS (SELECT 1 FROM annotation_assignment a
            WHERE a.item_id = s.item_id AND a.respondent_id = r.id AND a.state <> 'expired')
        AND (cardinality(r.declined_content) = 0 AND NOT sated.today OR EXISTS (SELECT 1 FROM annotation_item i
            WHERE i.id = s.item_id AND NOT i.warnings && r.declined_content {BEARABLE}))),
    LEAST(c.quota_per_annotator, GREATEST(1, floor(c.share_per_annotator * slots.wanted)) * sign(c.share_per_annotator),
        CASE WHEN w.incentive <> 'stated' THEN c.session_items END,
        (SELECT CASE WHEN p.state = 'completed' THEN 0 ELSE t.judgments END
         FROM annotation_studyparticipant p JOIN annotation_study t ON t.id = p.study_id WHERE p.respondent_id = r.id)),
    LEAST(c.budget_judgments, floor(c.budget_money / NULLIF(c.pay_per_judgment, 0))) - slots.taken,
    {LEFT.format(purpose="training", besides=BEARABLE)}
        + CASE WHEN coalesce(r.qualified_under_id >= coalesce(newest.qualification, 0), false) THEN 0
            ELSE {LEFT.format(purpose="qualification", besides=BEARABLE)} END
        + (SELECT count(*) FROM {ANCHORS} AND i.state IN ('open', 'frozen') {BEARABLE}
            AND NOT i.warnings && r.declined_content
            AND NOT EXISTS (SELECT 1 FROM annotation_assignment a
                WHERE a.respondent_id = r.id AND a.item_id = i.id AND a.state <> 'expired')),
    EXISTS (SELECT 1 FROM annotation_assignment a WHERE a.respondent_id = r.id AND a.state = 'open'
        AND a.lease_expires_at > now()),
    coalesce(w.state, ''),
    CASE WHEN NOT sated.today THEN false
        WHEN {LEFT.format(purpose="training", besides="")} > 0
            THEN {LEFT.format(purpose="training", besides=BEARABLE)} = 0
        WHEN coalesce(r.qualified_under_id >= coalesce(newest.qualification, 0), false) THEN false
        ELSE {LEFT.format(purpose="qualification", besides="")} > 0
            AND {LEFT.format(purpose="qualification", besides=BEARABLE)} = 0 END
FROM annotation_respondent r JOIN annotation_campaign c ON c.id = r.campaign_id
LEFT JOIN annotation_worthsession w ON w.respondent_id = r.id
CROSS JOIN LATERAL (SELECT {SATED} AS today) sated
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.wanted), 0) AS wanted, coalesce(sum(t.taken), 0) AS taken
    FROM annotation_slottally t WHERE t.campaign_id = c.id
) slots
CROSS JOIN LATERAL (
    SELECT count(*) AS given, count(*) FILTER (WHERE a.state = 'submitted') AS done
    FROM annotation_assignment a JOIN annotation_item i ON i.id = a.item_id
    WHERE a.respondent_id = r.id AND a.state IN ('open', 'submitted')
        AND i.purpose = 'work' AND i.repeat_of_id IS NULL
) own
CROSS JOIN LATERAL (
    SELECT max(i.test_of_id) FILTER (WHERE i.purpose = 'training') AS training,
        max(i.test_of_id) FILTER (WHERE i.purpose = 'qualification') AS qualification
    FROM annotation_item i WHERE i.campaign_id = c.id AND i.purpose IN ('training', 'qualification')
) newest
WHERE r.person_id = %(person)s AND r.kind IN ('annotator', 'expert') AND NOT c.is_template
ORDER BY c.created_at DESC LIMIT 200
"""  # noqa: S608 (constants)
HELD = """
SELECT a.id, a.state, a.item_id, a.lease_token, a.lease_expires_at,
    m.instrument_id, m.questions_asked, m."order", c.currency,
    ARRAY(SELECT j.amount_low FROM annotation_judgment j WHERE j.respondent_id = a.respondent_id AND j.amount_low > 0),
    d.version, d.sealed,
    (SELECT count(*) FROM annotation_assignment x WHERE x.respondent_id = a.respondent_id AND x.state = 'submitted'),
    coalesce(w.incentive, 'stated'), w.endowment,
    CASE WHEN w.incentive <> 'stated' THEN c.session_items END,
    CASE WHEN w.incentive <> 'stated' AND c.session_items IS NOT NULL THEN
        (SELECT count(*) FROM annotation_judgment j JOIN annotation_item i ON i.id = j.item_id
         WHERE j.respondent_id = a.respondent_id AND j.kind = 'answer' AND i.purpose IN ('work', 'anchor')
            AND NOT EXISTS (SELECT 1 FROM annotation_judgment n WHERE n.supersedes_id = j.id)) END
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
    is_past: bool | None
    pay_per_judgment: Decimal | None
    pay_currency: str
    has_guidelines: bool
    done: int  # of every kind
    done_work: int
    given: int  # work, done or held
    open: int  # slots that this person could be given
    most: int | None  # work that one person may be given here
    budget_left: int | None
    steps: int  # items to practise on, of a test, and anchors that are still to come
    holds: bool
    session: str
    waits: (
        bool  # the rest of the practice or of the test, which comes before the work, has more warnings than a day may
    )

    @property
    def takes_work(self) -> bool:
        running = self.state in {CampaignState.PILOT, CampaignState.RUNNING}
        return running and self.respondent_state == RespondentState.ACTIVE

    @property
    def left(self) -> int:
        """Work that may still come to this person; others may be quicker."""
        limits = [self.open, *(each for each in (self.budget_left,) if each is not None)]
        return max(0, min(limits if self.most is None else [*limits, self.most - self.given]))

    @property
    def total(self) -> int:
        return int(self.given + self.left)

    @property
    def is_total_sure(self) -> bool:
        """Whether a limit of their own says it, and not what others leave."""
        return self.most is not None and self.total == self.most

    @property
    def has_more(self) -> bool:
        """Whether there is anything to do now."""
        if not self.takes_work or self.session == WorthState.DRAWN:
            return False
        if self.holds or self.session == WorthState.LOCKED:
            return True
        return not self.is_past and not self.waits and self.left + self.steps > 0


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
    # Of a paid session, whose answers lock with the last one.
    session_items: int | None = None
    session_done: int | None = None

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
    with planned_cursor() as cursor:
        cursor.execute(HELD, {"assignment": assignment_id, "respondent": respondent.pk})
        row = cursor.fetchone()
    if row is None or respondent.person is None:
        return None
    pk, state, item_id, token, expires_at, instrument, names, order, currency, amounts, *row = row
    version, sealed, done, incentive, endowment, session_items, session_done = row
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
        session_items=session_items,
        session_done=session_done,
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
