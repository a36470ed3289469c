"""Which pairs of contestants a campaign has asked about, is asking about, and can still ask about."""

from collections import Counter
from collections.abc import Iterator

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q

from annotation.enums import AssignmentState, Preference, SlotState
from annotation.models import Assignment, Campaign, Slot
from annotation.queries.log import standing_judgments
from annotation.selection.known import HELD, Known, Pair

WIN = {Preference.A: 1.0, Preference.B: 0.0, Preference.TIE: 0.5}
# One statement, and the payload only where it has changed.
CURRENT = """
SELECT digest, CASE WHEN digest <> %s THEN payload END FROM annotation_campaignselection WHERE campaign_id = %s
"""


def known_of(campaign: Campaign) -> Known | None:
    """What is known now; None where nothing was computed yet. Unpacked once in a process."""
    with connection.cursor() as cursor:
        cursor.execute(CURRENT, [HELD.digest_of(campaign.pk), campaign.pk])
        return HELD.after(campaign.pk, *(cursor.fetchone() or (None, None)))


def learn(campaign: Campaign) -> Known:
    """From the standing votes, what is open before somebody, and the open slots."""
    return Known.learned(
        wins=_wins(campaign), outstanding=dict(_outstanding(campaign)), open_pairs=list(_open_pairs(campaign))
    )


def due_selections() -> Iterator[Campaign]:
    """Running campaigns whose policy learns or whose items are of pairs, with their `selection` where there is one."""
    running = Campaign.objects.filter(state__in=("pilot", "running"))
    of_pairs = Slot.objects.filter(campaign=OuterRef("pk"), state=SlotState.OPEN, pair_low__isnull=False, for_one=False)
    yield from running.filter(~Q(policy="uniform") | Exists(of_pairs)).select_related("selection").order_by("pk")


def _wins(campaign: Campaign) -> dict[Pair, float]:
    votes = standing_judgments(campaign).filter(
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
    return dict(wins)


def _outstanding(campaign: Campaign) -> Iterator[tuple[Pair, int]]:
    held = Assignment.objects.filter(
        state=AssignmentState.OPEN, slot__campaign=campaign, slot__pair_low__isnull=False
    ).values_list("slot__pair_low", "slot__pair_high")
    for low, high, count in held.annotate(count=Count("pk")).order_by():
        yield (low, high), count


def _open_pairs(campaign: Campaign) -> Iterator[Pair]:
    slots = Slot.objects.filter(campaign=campaign, state=SlotState.OPEN, pair_low__isnull=False, for_one=False)
    for low, high in slots.order_by().values_list("pair_low", "pair_high").distinct():
        assert low is not None
        assert high is not None
        yield low, high
