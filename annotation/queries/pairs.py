"""Which pairs of contestants a campaign has asked about, is asking about, and can still ask about."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotation.enums import AssignmentState, Preference, SlotState, SourceState
from annotation.models import Assignment, Campaign, Judgment, Slot
from annotation.queries.log import instrument_questions, standing_judgments
from annotation.questions import get_type
from annotation.selection.known import HELD, Known, Pair

WIN = {Preference.A: 1.0, Preference.B: 0.0, Preference.TIE: 0.5}
# One statement, and the payload only where it has changed.
CURRENT = """
SELECT digest, CASE WHEN digest <> %s THEN payload END FROM annotation_campaignselection WHERE campaign_id = %s
"""

CURRENT_OF_CATEGORY = """
SELECT digest, CASE WHEN digest <> %s THEN payload END FROM annotation_categoryselection
WHERE campaign_id = %s AND category = %s
"""

# A slot has no pair where its item has more than two responses, or not two different contestants.
SETS_OUT = """
SELECT one.contestant_id, other.contestant_id, count(*)
FROM annotation_assignment a
JOIN annotation_slot s ON s.id = a.slot_id
JOIN annotation_response one ON one.item_id = a.item_id
JOIN annotation_response other ON other.item_id = a.item_id AND other.contestant_id > one.contestant_id
JOIN annotation_item i ON i.id = a.item_id
JOIN annotation_source o ON o.id = i.source_id AND o.state = 'active'
WHERE a.state = 'open' AND s.campaign_id = %s AND s.pair_low IS NULL AND (%s::text IS NULL OR i.category = %s)
GROUP BY 1, 2
"""


def known_of(campaign: Campaign) -> Known | None:
    """What is known now; None where nothing was computed yet. Unpacked once in a process."""
    with connection.cursor() as cursor:
        cursor.execute(CURRENT, [HELD.digest_of(campaign.pk), campaign.pk])
        return HELD.after(campaign.pk, *(cursor.fetchone() or (None, None)))


def known_of_category(campaign: Campaign, category: str) -> Known | None:
    """The same of the items of one category."""
    key = (campaign.pk, category)
    with connection.cursor() as cursor:
        cursor.execute(CURRENT_OF_CATEGORY, [HELD.digest_of(key), campaign.pk, category])
        return HELD.after(key, *(cursor.fetchone() or (None, None)))


def learn(campaign: Campaign, category: str | None = None) -> Known:
    """From the standing votes, what is open before somebody, and the open slots; of one category where it is told."""
    return Known.learned(
        wins=_wins(campaign, category),
        outstanding=_outstanding(campaign, category),
        open_pairs=list(_open_pairs(campaign, category)),
    )


def categories_answered(campaign: Campaign) -> list[str]:
    """Of the items that have a standing judgment."""
    found = standing_judgments(campaign).exclude(item__category="").order_by("item__category")
    return list(found.values_list("item__category", flat=True).distinct())


def due_selections() -> Iterator[Campaign]:
    """Running campaigns whose policy learns, that keep a state anyway, or whose items are of pairs, with their
    `selection` where there is one."""
    running = Campaign.objects.filter(state__in=("pilot", "running"))
    of_pairs = Slot.objects.filter(campaign=OuterRef("pk"), state=SlotState.OPEN, pair_low__isnull=False, for_one=False)
    yield from (
        running.filter(~Q(policy="uniform") | Q(keeps_state=True) | Exists(of_pairs))
        .select_related("selection")
        .order_by("pk")
    )


def _judged(campaign: Campaign, category: str | None) -> QuerySet[Judgment]:
    judgments = standing_judgments(campaign)
    return judgments if category is None else judgments.filter(item__category=category)


def _wins(campaign: Campaign, category: str | None) -> dict[Pair, float]:
    wins = _preferred(_judged(campaign, category))
    for pair, share in _ranked(_judged(campaign, category)).items():
        wins[pair] += share
    return dict(wins)


def _preferred(judgments: QuerySet[Judgment]) -> Counter[Pair]:
    votes = judgments.filter(
        preference__in=list(WIN), contestants__len=2, contestants__0__isnull=False, contestants__1__isnull=False
    )
    wins: Counter[Pair] = Counter()
    for a, b, preference, count in (
        votes.order_by().values_list("contestants__0", "contestants__1", "preference").annotate(count=Count("pk"))
    ):
        if a != b:
            share = WIN[Preference(preference)]
            wins[a, b] += share * count
            wins[b, a] += (1.0 - share) * count
    return wins


def _ranked(judgments: QuerySet[Judgment]) -> Counter[Pair]:
    """Of each order of several, every two of them, and each weighs 2/L where L were ranked: the order counts as L - 1
    votes, as it does on boards (`annotation.boards.forms.implied_pairs`)."""
    ranked = judgments.filter(preference="", tiers__isnull=False)
    wins: Counter[Pair] = Counter()
    rows = ranked.order_by().values_list("instrument", "contestants", "tiers").annotate(count=Count("pk"))
    for instrument, contestants, tiers, count in rows.iterator():
        placed = [(who, tier) for who, tier in zip(contestants, tiers, strict=True) if who is not None]
        for (one, first), (other, second) in combinations(placed, 2):
            if one == other or (first == second and _leaves_ties_open(instrument)):
                continue
            share = 0.5 if first == second else float(first < second)
            wins[one, other] += share * count * 2.0 / len(placed)
            wins[other, one] += (1.0 - share) * count * 2.0 / len(placed)
    return wins


def _leaves_ties_open(instrument: int) -> bool:
    """Whether equal places were not compared, as those between the best and the worst."""
    standings = (get_type(asked.type).standing(asked) for asked in instrument_questions(instrument))
    return any(each is not None and each.open_ties for each in standings)


def _outstanding(campaign: Campaign, category: str | None) -> dict[Pair, int]:
    out: Counter[Pair] = Counter()
    held = Assignment.objects.filter(
        state=AssignmentState.OPEN,
        slot__campaign=campaign,
        slot__pair_low__isnull=False,
        item__source__state=SourceState.ACTIVE,
    ).values_list("slot__pair_low", "slot__pair_high")
    if category is not None:
        held = held.filter(item__category=category)
    for low, high, count in held.annotate(count=Count("pk")).order_by():
        out[low, high] += count
    # Of several responses every two of different contestants are asked about.
    with connection.cursor() as cursor:
        cursor.execute(SETS_OUT, [campaign.pk, category, category])
        for low, high, count in cursor.fetchall():
            out[low, high] += count
    return dict(out)


def _open_pairs(campaign: Campaign, category: str | None) -> Iterator[Pair]:
    slots = Slot.objects.filter(campaign=campaign, state=SlotState.OPEN, pair_low__isnull=False, for_one=False)
    if category is not None:
        slots = slots.filter(item__category=category)
    for low, high in slots.order_by().values_list("pair_low", "pair_high").distinct():
        assert low is not None
        assert high is not None
        yield low, high
