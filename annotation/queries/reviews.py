"""What reviewers are to look at, in which order, and what they have seen of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count

from accounts.models import Person
from annotation.enums import ReviewState
from annotation.models import Adjudication, Campaign, Event, Flag, Item, Judgment, Respondent
from annotation.policies.flags import reasons_to_look
from annotation.queries.log import by_whom, settles
from annotation.queries.said import Excerpt, excerpts
from annotation.queries.summaries import Summary

# The verb of the event that says what somebody was shown.
LOOKED = "looked"
# How many judgments one look goes through, and how many of those that are found it lists.
LOOKED_THROUGH, MOST_FOUND = 5_000, 1_000
MOST_OF_ITEMS = 20_000
MOST_OTHERS = 100
# What waits for a second or a third person comes before what nobody has looked at.
URGENT = (ReviewState.APPEALED, ReviewState.CONTESTED)
WAITING = (*URGENT, ReviewState.PENDING)
# Nobody has decided about it, and nobody has to: an expert has settled its item.
SETTLED_STATE = "settled"
# Their judgment is out of every view.
TAKEN_OUT = (ReviewState.REJECTED, ReviewState.APPEALED, ReviewState.RETURNED)
# Few among very many, so that they are looked up by their state.
FEW = frozenset({ReviewState.CONTESTED, ReviewState.REJECTED, ReviewState.APPEALED, ReviewState.RETURNED})

NEWEST = """
SELECT id FROM annotation_judgment WHERE campaign_id = %(campaign)s AND id < %(before)s ORDER BY id DESC LIMIT %(most)s
"""
OF_PERSON = """
SELECT id FROM annotation_judgment WHERE respondent_id = %(respondent)s AND id < %(before)s
ORDER BY id DESC LIMIT %(most)s
"""
IN_STATE = """
SELECT judgment_id FROM annotation_review
WHERE campaign_id = %(campaign)s AND state = ANY(%(states)s) AND judgment_id < %(before)s
ORDER BY judgment_id DESC LIMIT %(most)s
"""
# In no order, which would be taken for a reason to walk through the whole log from its end.
OF_ITEMS = "SELECT id FROM annotation_judgment WHERE item_id = ANY(%(items)s) LIMIT %(most)s"
# Of these judgments those that are like that: what stands, or was taken out by a decision. Each row is looked up by
# itself: joins that are planned for thousands of judgments read through the whole log.
# Whether an expert's answer that settles item {item} stands, as it was given or corrected.
SETTLED = """
EXISTS (SELECT 1 FROM annotation_adjudication d JOIN annotation_judgment e ON e.id = d.judgment_id
    JOIN annotation_judgment s ON s.assignment_id = e.assignment_id AND s.kind = 'answer'
    WHERE d.item_id = {item} AND NOT EXISTS (SELECT 1 FROM annotation_judgment n WHERE n.supersedes_id = s.id))
"""
KEPT = f"""
SELECT j.id, j.item_id FROM unnest(%(ids)s::bigint[]) AS wanted(id)
CROSS JOIN LATERAL (
    SELECT id, item_id, respondent_id, source_id FROM annotation_judgment
    WHERE id = wanted.id AND kind = 'answer' LIMIT 1
) j
LEFT JOIN LATERAL (SELECT state FROM annotation_review WHERE judgment_id = j.id LIMIT 1) r ON true
WHERE CASE WHEN coalesce(r.state, 'pending') = 'pending' AND {SETTLED.format(item="j.item_id")}
        THEN 'settled' ELSE coalesce(r.state, 'pending') END = ANY(%(states)s)
    AND (%(respondents)s::bigint[] IS NULL OR j.respondent_id = ANY(%(respondents)s))
    AND (SELECT purpose FROM annotation_item WHERE id = j.item_id) NOT IN ('training', 'qualification')
    AND (SELECT state FROM annotation_source WHERE id = j.source_id) = 'active'
    AND (coalesce(r.state, '') IN ('rejected', 'appealed', 'returned')
        OR (SELECT id FROM annotation_judgment WHERE supersedes_id = j.id) IS NULL)
ORDER BY j.id DESC LIMIT %(found)s
"""  # noqa: S608 (constants)
# A judgment that waits for a second person and was corrected meanwhile waits for nobody.
COUNTS = """
SELECT r.campaign_id, r.state, count(*) FROM annotation_review r
WHERE r.campaign_id = ANY(%(campaigns)s) AND (r.state = 'appealed' OR r.state = 'contested'
    AND NOT EXISTS (SELECT 1 FROM annotation_judgment n WHERE n.supersedes_id = r.judgment_id))
GROUP BY r.campaign_id, r.state
"""


@dataclass(frozen=True)
class Wanted:
    """Which judgments are looked for. `states` empty is those that wait for somebody; `before` a judgment's id."""

    order: str = "newest"
    states: tuple[str, ...] = ()
    respondent: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class Queue:
    """Judgments in their order; `before` is where the next look begins, None where all was looked through.

    `reasons` say of an annotator, by respondent, why to look; `apart` of an item how far people differ about it.
    """

    ids: list[int]
    before: int | None = None
    reasons: Mapping[int, Sequence[str]] = field(default_factory=dict)
    apart: Mapping[int, float] = field(default_factory=dict)

    def after(self, judgment_id: int, step: int = 1) -> int | None:
        """The neighbour of a judgment in the queue; of one that is not in it, its first."""
        if judgment_id not in self.ids:
            return next(iter(self.ids), None) if step > 0 else None
        place = self.ids.index(judgment_id) + step
        return self.ids[place] if 0 <= place < len(self.ids) else None


@dataclass(frozen=True)
class ListedJudgment:
    judgment: Judgment
    state: str
    excerpt: Excerpt
    apart: float | None
    reasons: Sequence[str]

    @property
    def seconds(self) -> float | None:
        milliseconds = self.judgment.active_ms
        return None if milliseconds is None else milliseconds / 1000

    @property
    def percent_apart(self) -> float | None:
        return None if self.apart is None else 100 * self.apart


def queue_of(campaign: Campaign, wanted: Wanted, summary: Summary | None) -> Queue:
    """In a constant number of queries, whatever the log's length: the newest are looked through from the end, the
    rest goes by what was last computed of the campaign.
    """
    states = wanted.states or WAITING
    reasons = {each.respondent: reasons_to_look(each, pass_mark=campaign.pass_mark) for each in _people(summary)}
    standing_out = {respondent: why for respondent, why in reasons.items() if why}
    apart = {each["item"]: each["apart"] for each in summary.items} if summary else {}
    people = [wanted.respondent] if wanted.respondent else None
    if wanted.order == "annotator" and people is None:
        people = list(standing_out)
    urgent: list[tuple[int, int]] = []
    if not wanted.states and wanted.order == "newest":
        # At the head of the first look, however old; later looks do without.
        urgent = [] if wanted.before else _urgent(campaign, people)
        states = (ReviewState.PENDING,)
    ids = candidates(campaign, wanted, states, summary)
    found = _kept(ids, states, people)
    if wanted.order == "disagreement":
        found.sort(key=lambda row: (-apart.get(row[1], 0), row[1], row[0]))
    looked_on = wanted.order in ("newest", "annotator")
    if len(found) == MOST_FOUND:
        before = found[-1][0] if looked_on else None
    else:
        before = ids[-1] if looked_on and len(ids) == LOOKED_THROUGH else None
    return Queue([pk for pk, _item in (*urgent, *found)], before, standing_out, apart)


def _urgent(campaign: Campaign, people: Sequence[int] | None) -> list[tuple[int, int]]:
    """Appeals, then what one reviewer rejected."""
    found: list[tuple[int, int]] = []
    for state in URGENT:
        values = {"campaign": campaign.pk, "before": 2**62, "most": MOST_FOUND, "states": [state]}
        found += _kept(_ids(IN_STATE, values), [state], people)
    return found


def candidates(campaign: Campaign, wanted: Wanted, states: Collection[str], summary: Summary | None) -> list[int]:
    """Ids of the judgments among which to look, the newest first."""
    values: dict[str, Any] = {
        "campaign": campaign.pk,
        "before": wanted.before or 2**62,
        "most": LOOKED_THROUGH,
        "respondent": wanted.respondent,
        "states": list(states),
    }
    if wanted.order == "gold":
        return sorted(summary.failed_checks, reverse=True) if summary else []
    if wanted.order in ("disagreement", "flag"):
        items = [each["item"] for each in summary.items] if summary and wanted.order == "disagreement" else []
        items = items if wanted.order == "disagreement" else flagged_items(campaign)
        return _ids(OF_ITEMS, values | {"items": items, "most": MOST_OF_ITEMS})
    if set(states) <= FEW:
        return _ids(IN_STATE, values)
    if set(states) == {SETTLED_STATE}:
        settled = Adjudication.objects.filter(item__campaign=campaign).order_by("-pk").values_list("item", flat=True)
        ids = _ids(OF_ITEMS, values | {"items": list(settled[:MOST_FOUND]), "most": MOST_OF_ITEMS})
        return sorted((pk for pk in ids if pk < values["before"]), reverse=True)
    return _ids(OF_PERSON if wanted.respondent else NEWEST, values)


def flagged_items(campaign: Campaign) -> list[int]:
    flags = Flag.objects.filter(item__campaign=campaign, resolved_at__isnull=True).order_by("-pk")
    return list(flags.values_list("item", flat=True)[:MOST_FOUND])


def listed_judgments(ids: Sequence[int], queue: Queue) -> list[ListedJudgment]:
    """In three queries, however many they are."""
    found = Judgment.objects.select_related("respondent", "item", "review").in_bulk(ids)
    settled = settled_items({judgment.item_id for judgment in found.values()})
    about = excerpts(judgment.item_id for judgment in found.values())
    return [
        ListedJudgment(
            judgment=found[pk],
            state=shown_state(found[pk], is_settled=found[pk].item_id in settled),
            excerpt=about[found[pk].item_id],
            apart=queue.apart.get(found[pk].item_id),
            reasons=queue.reasons.get(found[pk].respondent_id, ()),
        )
        for pk in ids
    ]


def state_of(judgment: Judgment) -> str:
    """Of one that nobody looked at too."""
    return judgment.review.state if hasattr(judgment, "review") else ReviewState.PENDING.value


def shown_state(judgment: Judgment, *, is_settled: bool) -> str:
    state = state_of(judgment)
    return SETTLED_STATE if is_settled and state == ReviewState.PENDING else state


def settled_items(items: Collection[int]) -> set[int]:
    """Those of them that an expert has settled."""
    settled = "SELECT i.id FROM unnest(%(items)s::bigint[]) AS i(id) WHERE " + SETTLED.format(item="i.id")  # noqa: S608 (constants)
    return set(_ids(settled, {"items": list(items)}))


def waiting_counts(campaign: Campaign) -> dict[str, int]:
    """How many wait for a second reviewer, and how many appeals for a third."""
    return waiting_in([campaign]).get(campaign.pk, {})


def waiting_in(campaigns: Iterable[Campaign]) -> dict[int, dict[str, int]]:
    """Of each of these campaigns how many second rejections, appeals and flags wait for somebody. In two queries."""
    ids = [campaign.pk for campaign in campaigns]
    found: dict[int, dict[str, int]] = {pk: {} for pk in ids}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"campaigns": ids})
        for campaign, state, count in cursor.fetchall():
            found[campaign][state] = count
    flags = Flag.objects.filter(item__campaign__in=ids, resolved_at__isnull=True).values_list("item__campaign")
    for campaign, count in flags.annotate(count=Count("pk")):
        found[campaign]["flagged"] = count
    return found


def respondent_called(campaign: Campaign, pseudonym: str) -> int | None:
    """By the beginning of the pseudonym; None where nobody or several are called so."""
    found = Respondent.objects.filter(campaign=campaign, pseudonym__startswith=pseudonym)
    ids = list(found.values_list("pk", flat=True)[:2])
    return ids[0] if len(ids) == 1 else None


def saw_others(item_id: int, person: Person, *, besides: int | None = None) -> bool:
    """Whether this person was shown what others answered about an item; `besides` is the judgment it is about."""
    looks = looks_of(item_id, person)
    return any("others" in look or look.get("judgment") != besides for look in looks)


def looks_of(item_id: int, person: Person) -> list[dict[str, Any]]:
    looks = Event.objects.filter(subject=Item._meta.label_lower, subject_id=str(item_id), verb=LOOKED, actor=person)
    return list(looks.values_list("data", flat=True))


def _people(summary: Summary | None) -> Sequence[Any]:
    return summary.annotators if summary else ()


def _ids(statement: str, values: Mapping[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [pk for (pk,) in cursor.fetchall()]


def _kept(ids: Sequence[int], states: Collection[str], people: Sequence[int] | None) -> list[tuple[int, int]]:
    values: dict[str, Any] = {"ids": list(ids), "states": list(states), "respondents": people, "found": MOST_FOUND}
    with connection.cursor() as cursor:
        cursor.execute(KEPT, values)
        return [(pk, item) for pk, item in cursor.fetchall()]


@dataclass(frozen=True)
class Other:
    """What somebody else answered about the item. `is_turned` says that they saw the sides in another order, `settles`
    that it is the expert's answer which settles the item. No name is here."""

    judgment: Judgment
    is_expert: bool
    is_turned: bool
    settles: bool = False


def others_on(
    item_id: int, *, order: Sequence[int], besides: int | None = None, not_by: int | None = None
) -> list[Other]:
    """Standing answers about the item, the oldest first, beside a showing in this order."""
    judgments = by_whom(Judgment.objects.filter(item=item_id, kind="answer", superseded_by__isnull=True))
    found = judgments.exclude(pk=besides).exclude(respondent=not_by).select_related("respondent", "review")
    rows = list(found.annotate(settles_it=settles()).order_by("pk")[:MOST_OTHERS])
    here = list(order)
    return [Other(each, each.respondent.kind == "expert", list(each.order) != here, each.settles_it) for each in rows]


def first_answer(judgment: Judgment) -> Judgment | None:
    """What the same person said of the item that this one repeats, as it stands; None where it repeats none."""
    if judgment.item.repeat_of_id is None:
        return None
    said = Judgment.objects.filter(item=judgment.item.repeat_of_id, respondent=judgment.respondent_id, kind="answer")
    return said.filter(superseded_by__isnull=True).first()
