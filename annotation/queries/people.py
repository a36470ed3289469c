"""What the pages of a campaign's people show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, QuerySet

from accounts.texts import read_personal_texts
from annotation.enums import AssignmentState, ItemPurpose, JudgmentKind, RespondentKind, ReviewState
from annotation.models import Assignment, Campaign, Event, Flag, Invitation, Judgment, Respondent, Study
from annotation.queries.keeping import MINUTE, kept
from annotation.queries.quality import is_short
from annotation.queries.studies import places_held

KINDS = (RespondentKind.ANNOTATOR, RespondentKind.EXPERT)
MOST_INVITATIONS = 200
MOST_EVENTS = 100
MOST_SKIPS = 100
MOST_DAYS = 60
# A correction is no second judgment, and its pace is not that of judging.
FIGURES = """
SELECT r.id, j.standing, j.taken_out, j.median_ms, a.skips,
    GREATEST(r.created_at, r.consented_at, j.answered_at, a.claimed_at, a.skipped_at)
FROM annotation_respondent r
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE j.kind = 'answer' AND n.id IS NULL) AS standing,
        count(*) FILTER (WHERE j.kind = 'retraction' AND n.id IS NULL) AS taken_out,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY j.active_ms) FILTER (WHERE j.supersedes_id IS NULL) AS median_ms,
        max(j.submitted_at) FILTER (WHERE j.kind = 'answer') AS answered_at
    FROM annotation_judgment j LEFT JOIN annotation_judgment n ON n.supersedes_id = j.id
    WHERE j.respondent_id = r.id
) j ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE a.state = 'skipped') AS skips, max(a.claimed_at) AS claimed_at,
        max(a.ended_at) FILTER (WHERE a.state = 'skipped') AS skipped_at
    FROM annotation_assignment a WHERE a.respondent_id = r.id
) a ON true
WHERE r.id = ANY(%(ids)s)
"""
BY_DAY = """
SELECT (submitted_at AT TIME ZONE 'UTC')::date, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY active_ms)
FROM annotation_judgment WHERE respondent_id = %(respondent)s AND supersedes_id IS NULL
GROUP BY 1 ORDER BY 1 DESC LIMIT %(most)s
"""
GROUPS = """
SELECT DISTINCT g.name FROM annotation_respondent r, unnest(r.groups) AS g(name)
WHERE r.campaign_id = %(campaign)s AND r.kind = ANY(%(kinds)s) ORDER BY 1
"""


@dataclass(frozen=True)
class ListedPerson:
    """`judgments` are the answers that stand, of checks too; `median_seconds` is of all that were ever given."""

    respondent: Respondent
    judgments: int
    taken_out: int
    median_seconds: float | None
    skips: int
    seen_at: datetime

    @property
    def username(self) -> str:
        """Empty for who was erased."""
        person = self.respondent.person
        return person.user.get_username() if person and person.user else ""

    @property
    def came_by(self) -> str:
        """The name of their invitation."""
        return self.respondent.invitation.name if self.respondent.invitation else "pool"

    @property
    def qualified_under(self) -> int | None:
        """The number of the guidelines."""
        return self.respondent.qualified_under.number if self.respondent.qualified_under else None


@dataclass(frozen=True)
class ListedInvitation:
    """`state`: open, revoked, run_out or used_up. Of a study `uses` are its places that are taken now."""

    invitation: Invitation
    state: str
    uses: int


@dataclass(frozen=True)
class Day:
    date: date
    judgments: int
    median_seconds: float | None


@dataclass(frozen=True)
class Skip:
    """`reason` is what was said; of a flag it is the kind of flag, and `words` what was added."""

    assignment: Assignment
    reason: str
    is_flag: bool = False
    words: str = ""


@dataclass(frozen=True)
class BlockEffect:
    """What blocking somebody now takes out, and how many slots others are asked for in its place."""

    judgments: int
    slots: int


def campaign_people(campaign: Campaign, *, group: str = "", state: str = "") -> QuerySet[Respondent]:
    """Known people, the newest first."""
    people = Respondent.objects.filter(campaign=campaign, kind__in=KINDS).order_by("-pk")
    people = people.select_related("person__user", "invitation", "qualified_under", "consent")
    if group:
        people = people.filter(groups__contains=[group])
    return people.filter(state=state) if state else people


def listed_people(people: Sequence[Respondent]) -> list[ListedPerson]:
    """With their figures in one query, however many there are. Of a long log they are up to a minute old, but for
    people whose state has changed meanwhile.
    """
    ids = [respondent.pk for respondent in people]
    if not people or is_short(people[0].campaign):
        figures = _figures(ids)
    else:
        name = f"people:{people[0].campaign_id}:{ids[0]}:{len(ids)}"
        stamp = [[respondent.pk, respondent.state] for respondent in people]
        figures = kept(name, stamp, lambda: _figures(ids), seconds=MINUTE)
    return [_listed(each, *figures[str(each.pk)]) for each in people if str(each.pk) in figures]


def _figures(ids: Sequence[int]) -> dict[str, list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(FIGURES, {"ids": list(ids)})
        return {str(row[0]): [*row[1:-1], row[-1].isoformat()] for row in cursor.fetchall()}


def groups_in_use(campaign: Campaign) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(GROUPS, {"campaign": campaign.pk, "kinds": list(KINDS)})
        return [name for (name,) in cursor.fetchall()]


def campaign_invitations(campaign: Campaign, now: datetime) -> list[ListedInvitation]:
    """The newest; those that were revoked come last."""
    invitations = Invitation.objects.filter(campaign=campaign).order_by(F("revoked_at").desc(nulls_first=True), "-pk")
    listed = list(invitations[:MOST_INVITATIONS])
    studies = list(Study.objects.filter(invitation__in=listed))
    held = places_held(studies, now)
    uses = {each.pk: each.uses for each in listed} | {each.invitation_id: held.get(each.pk, 0) for each in studies}
    return [ListedInvitation(each, invitation_state(each, uses[each.pk], now), uses[each.pk]) for each in listed]


def invitation_state(invitation: Invitation, uses: int, now: datetime) -> str:
    if invitation.revoked_at is not None:
        return "revoked"
    if invitation.expires_at is not None and invitation.expires_at <= now:
        return "run_out"
    if invitation.most_uses is not None and uses >= invitation.most_uses:
        return "used_up"
    return "open"


def events_of(respondent: Respondent) -> list[Event]:
    """Who did what to them, and what they agreed to, the newest first."""
    events = Event.objects.filter(subject=Respondent._meta.label_lower, subject_id=str(respondent.pk))
    return list(events.select_related("actor__user").order_by("-pk")[:MOST_EVENTS])


def days_of(respondent: Respondent) -> list[Day]:
    """Judgments given by day, whatever became of them; the newest day first."""
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, {"respondent": respondent.pk, "most": MOST_DAYS})
        return [Day(day, count, _seconds(median_ms)) for day, count, median_ms in cursor.fetchall()]


def skips_of(respondent: Respondent) -> list[Skip]:
    """Items given back unjudged, the newest first, each with its reason or flag. Constant number of queries."""
    skipped = Assignment.objects.filter(respondent=respondent, state=AssignmentState.SKIPPED)
    assignments = list(skipped.order_by("-ended_at", "-pk")[:MOST_SKIPS])
    ids = [str(each.pk) for each in assignments]
    events = Event.objects.filter(subject=Assignment._meta.label_lower, subject_id__in=ids, verb="skipped")
    reasons = dict(events.values_list("subject_id", "reason"))
    flags = {
        flag.item_id: flag
        for flag in Flag.objects.filter(respondent=respondent, item__in=[each.item_id for each in assignments])
    }
    texts = read_personal_texts(flag.personal_text_id for flag in flags.values() if flag.personal_text_id)
    return [_skip(each, reasons.get(str(each.pk), ""), flags.get(each.item_id), texts) for each in assignments]


def standing_answers_of(respondent: Respondent) -> QuerySet[Judgment]:
    """Of checks too, numbered in the log or not."""
    return Judgment.objects.filter(respondent=respondent, kind=JudgmentKind.ANSWER, superseded_by__isnull=True)


def unaccepted(respondent: Respondent) -> QuerySet[Judgment]:
    """Their standing answers but for those that were approved."""
    return standing_answers_of(respondent).filter(Q(review__isnull=True) | ~Q(review__state=ReviewState.APPROVED))


def block_effect(respondent: Respondent) -> BlockEffect:
    is_work = Q(item__purpose=ItemPurpose.WORK, item__repeat_of__isnull=True)
    is_asked_anew = is_work & Q(assignment__isnull=False, adjudication__isnull=True)
    counts = unaccepted(respondent).aggregate(judgments=Count("pk"), slots=Count("pk", filter=is_asked_anew))
    held = Assignment.objects.filter(is_work, respondent=respondent, state=AssignmentState.OPEN).count()
    return BlockEffect(counts["judgments"], counts["slots"] + held)


def _listed(
    respondent: Respondent, standing: int, taken_out: int, median_ms: float | None, skips: int, seen_at: str
) -> ListedPerson:
    return ListedPerson(respondent, standing, taken_out, _seconds(median_ms), skips, datetime.fromisoformat(seen_at))


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 1)


def _skip(assignment: Assignment, reason: str, flag: Flag | None, texts: dict[int, str | None]) -> Skip:
    if flag is None:
        return Skip(assignment, reason)
    return Skip(assignment, flag.get_reason_display(), is_flag=True, words=texts.get(flag.personal_text_id or 0) or "")
