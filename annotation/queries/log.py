"""What the log says now. Every view of it goes through `standing_judgments`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from statistics import median
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery

from annotation.boards import sliced
from annotation.boards.slices import WITH_EXCLUDED, taken_by_blocks, with_excluded
from annotation.enums import COUNTED, UNCOUNTED, JudgedBy, JudgmentKind, SourceKind, SourceState
from annotation.models import Adjudication, Board, Campaign, Judgment, LeaderboardSnapshot, LogEntry, Question, Source
from annotation.questions import Asked, Condition, get_type

# Fields of slices whose values the prompts bring with them.
BROUGHT = {"category": "item__category", "language": "item__language"}
# Boards that everybody may see: a slice goes with the whole that it is of.
SHOWN = Q(is_public=True) & (Q(parent__isnull=True) | Q(parent__is_public=True))
# Before the newest numbered row, by transaction and id, all are numbered: no more than what came after it is looked at.
# Another cluster's backup may have brought rows of transactions that are still to come here: then all are. The values
# stand in the statement, since the planner must know how few rows they leave.
PART_OF_IMPORT = """
SELECT EXISTS (
    SELECT 1 FROM annotation_judgment j
    JOIN annotation_source s ON s.id = j.source_id AND s.kind = 'import' AND s.state = 'active'
    WHERE (j.transaction, j.id) > (%(transaction)s, %(id)s)
        AND j.campaign_id = (SELECT b.campaign_id FROM annotation_board b WHERE b.id = %(board)s)
        AND NOT EXISTS (SELECT 1 FROM annotation_logentry e WHERE e.judgment_id = j.id)
)
"""
NEWEST = """
SELECT CASE WHEN j.transaction < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    THEN j.transaction ELSE 0 END, j.id
FROM annotation_logentry e JOIN annotation_judgment j ON j.id = e.judgment_id
ORDER BY e.sequence DESC LIMIT 1
"""
Rows = TypeVar("Rows", bound="QuerySet[Judgment, Any]")


@lru_cache(maxsize=1024)
def instrument_questions(instrument_id: int) -> tuple[Asked, ...]:
    """The questions of one instrument, in order. Cached for good: an instrument never changes."""
    questions = Question.objects.filter(instrument=instrument_id).order_by("position")
    return tuple(Asked(q.name, q.type, q.title, q.required, q.settings, condition_of(q.condition)) for q in questions)


@lru_cache(maxsize=256)
def asking_shares(instrument_id: int) -> tuple[tuple[str, float], ...]:
    """Each question's name and the share of showings in which it is asked. Cached for good, as above."""
    questions = Question.objects.filter(instrument=instrument_id).order_by("position")
    return tuple(questions.values_list("name", "ask_probability"))


def asks_for_words(campaign: Campaign) -> bool:
    """Whether some question of the campaign may be answered in words of the person's own."""
    questions = instrument_questions(campaign.instrument_id) if campaign.instrument_id else ()
    return any(get_type(each.type).takes_words for each in questions)


def condition_of(stored: dict[str, Any] | None) -> Condition | None:
    """A question's condition as the instrument stores it: {"question": name, "values": [...]}."""
    return None if stored is None else Condition(stored["question"], tuple(stored["values"]))


def last_sequence(campaign: Campaign | None = None) -> int:
    """The number of the newest log entry, of one campaign or of all; 0 for none."""
    entries = LogEntry.objects.all() if campaign is None else LogEntry.objects.filter(judgment__campaign=campaign)
    return entries.aggregate(last=Max("sequence"))["last"] or 0


def standing_judgments(
    campaign: Campaign,
    *,
    last_sequence: int | None = None,
    sources: Collection[int] | None = None,
    with_settling: bool = False,
    numbered: bool = True,
    judged_by: str = JudgedBy.PEOPLE,
    with_blocked: bool = False,
) -> QuerySet[Judgment]:
    """The standing answers that count: about work and anchors. What people say of gold, training and test items, or a
    second time, tells of them and of no contestant.

    An expert's answer that settles an item is not one vote more: experts are asked where people disagree, and their
    answers would weigh just there. It is left out but `with_settling`.
    """
    answers = standing_answers(
        campaign,
        last_sequence=last_sequence,
        sources=sources,
        numbered=numbered,
        judged_by=judged_by,
        with_blocked=with_blocked,
    )
    counted = answers.filter(item__purpose__in=COUNTED, item__repeat_of__isnull=True)
    return counted if with_settling else counted.filter(~settles())


def settles() -> Exists:
    """Of a judgment, whether it is an expert's that settles its item, or a correction of one."""
    return Exists(Adjudication.objects.filter(judgment__assignment=OuterRef("assignment")))


def standing_answers(
    campaign: Campaign,
    *,
    last_sequence: int | None = None,
    sources: Collection[int] | None = None,
    numbered: bool = True,
    judged_by: str = JudgedBy.PEOPLE,
    with_blocked: bool = False,
) -> QuerySet[Judgment]:
    """All answers that stand, in commit order: numbered, not superseded within the range, from an active source.

    With `last_sequence` the log is read as it was up to that entry; with `sources` from exactly those, whatever
    became of them since. A shadow campaign's judgments are its own: they show only where the shadow itself is
    asked for. Without `numbered` also those are read whose number waits for an older transaction, the newest last.

    Model judges are left out unless `judged_by` asks for them, whatever `sources` names. What visitors said in battles
    whose models they had a say in is left out unless `sources` names it. `with_blocked` also takes, up to
    `last_sequence`, what people had said whose block took it out and still keeps it out.
    """
    judgments = Judgment.objects.filter(campaign=campaign, kind=JudgmentKind.ANSWER)
    if numbered or last_sequence is not None:
        judgments = judgments.filter(log_entry__isnull=False)
    judgments = by_whom(judgments, judged_by)
    if sources is None:
        judges = Q(source__kind=SourceKind.JUDGE, source__state=SourceState.APART)
        judgments = judgments.filter(Q(source__state=SourceState.ACTIVE) | judges)
    else:
        judgments = judgments.filter(source__in=list(sources))
    if last_sequence is None:
        return judgments.filter(superseded_by__isnull=True).order_by("log_entry__sequence" if numbered else "pk")
    superseding = Judgment.objects.filter(supersedes=OuterRef("pk"), log_entry__sequence__lte=last_sequence)
    stands = Q(~Exists(superseding))
    if with_blocked:
        later = Judgment.objects.filter(supersedes=OuterRef("pk"), log_entry__sequence__lte=last_sequence)
        kept_out = superseding.filter(~Exists(later), kind=JudgmentKind.RETRACTION)
        stands |= Q(Exists(kept_out), pk__in=taken_by_blocks(campaign.pk))
    return judgments.filter(log_entry__sequence__lte=last_sequence).filter(stands).order_by("log_entry__sequence")


def board_judgments(
    campaign: Campaign,
    slice: Mapping[str, Any],
    *,
    last_sequence: int,
    retired: Collection[int],
    as_of: datetime | None = None,
) -> QuerySet[Judgment]:
    """What a board of this slice is computed from, with the log as it was up to `last_sequence`."""
    judgments = standing_judgments(
        campaign,
        last_sequence=last_sequence,
        sources=counted_sources(campaign, retired=retired),
        with_blocked=with_excluded(slice),
    )
    return sliced(judgments, slice, as_of=as_of)


@dataclass(frozen=True)
class SetApart:
    """Judgments of a campaign that blocks of people keep out of its boards, and how many people gave them."""

    judgments: int = 0
    people: int = 0


def set_apart(campaign: Campaign, *, last_sequence: int, retired: Collection[int]) -> SetApart:
    """By the log as it was up to `last_sequence`: what a board with them holds beyond one without."""
    taken = taken_by_blocks(campaign.pk)
    if not taken:
        return SetApart()
    every = board_judgments(campaign, WITH_EXCLUDED, last_sequence=last_sequence, retired=retired)
    kept_out = every.order_by().filter(pk__in=taken, superseded_by__log_entry__sequence__lte=last_sequence)
    return SetApart(**kept_out.aggregate(judgments=Count("pk"), people=Count("respondent", distinct=True)))


def by_whom(judgments: Rows, judged_by: str = JudgedBy.PEOPLE) -> Rows:
    """Of people, of model judges, or of both. What reads judgments without `standing_answers` goes through here."""
    if judged_by == JudgedBy.BOTH:
        return judgments
    if judged_by == JudgedBy.MODELS:
        return judgments.filter(source__kind=SourceKind.JUDGE)
    return judgments.exclude(source__kind=SourceKind.JUDGE)


def retired_sources(campaign: Campaign) -> list[int]:
    """The ids of the sources that are left out now, ascending."""
    retired = Source.objects.filter(campaign=campaign, state=SourceState.RETIRED)
    return list(retired.order_by("pk").values_list("pk", flat=True))


def counted_sources(campaign: Campaign, *, retired: Collection[int]) -> list[int]:
    """The ids of the sources that boards read, where those `retired` are left out."""
    counted = Source.objects.filter(campaign=campaign).exclude(pk__in=retired).exclude(kind__in=UNCOUNTED)
    return list(counted.order_by("pk").values_list("pk", flat=True))


def imports_are_being_numbered(board_id: int) -> bool:
    """Whether a part of a file is numbered and the rest is not: a board of half a file would be nobody's standings."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST)
        transaction, pk = cursor.fetchone() or (0, 0)
        cursor.execute(PART_OF_IMPORT, {"board": board_id, "transaction": transaction, "id": pk})
        return bool(cursor.fetchone()[0])


def main_board(campaign: Campaign) -> Board | None:
    """The public board of all of a campaign's judgments; the first, where there are several."""
    return Board.objects.filter(campaign=campaign, is_public=True, slice={}).order_by("pk").first()


def latest_snapshot(board: Board) -> LeaderboardSnapshot | None:
    return LeaderboardSnapshot.objects.filter(board=board).order_by("-number").first()


def public_boards() -> list[tuple[Board, LeaderboardSnapshot | None]]:
    """By name, each with its newest snapshot; of that everything but the standings."""
    boards = list(Board.objects.filter(SHOWN).order_by("name", "pk"))
    snapshots = LeaderboardSnapshot.objects.filter(board__in=boards).order_by("board_id", "-number")
    newest = {snapshot.board_id: snapshot for snapshot in snapshots.distinct("board_id").defer("standings")}
    return [(board, newest.get(board.pk)) for board in boards]


def slices_of(board: Board, *, hidden: bool) -> list[Any]:
    """The slices of a board, each with `judgments` of its newest snapshot, None before the first."""
    newest = LeaderboardSnapshot.objects.filter(board=OuterRef("pk")).order_by("-number")
    slices = Board.objects.filter(parent=board) if hidden else Board.objects.filter(SHOWN, parent=board)
    return list(slices.annotate(judgments=Subquery(newest.values("judgments")[:1])).order_by("name", "pk"))


def large_enough(campaign: Campaign, *, least: int, most: int) -> list[dict[str, Any]]:
    """The slices by a category or a language with so many judgments; of each at most `most`, the largest first."""
    rows = board_judgments(campaign, {}, last_sequence=last_sequence(), retired=retired_sources(campaign)).order_by()
    slices: list[dict[str, Any]] = []
    for field, column in BROUGHT.items():
        counted = rows.exclude(**{column: ""}).values_list(column).annotate(count=Count("pk"))
        enough = counted.filter(count__gte=least).order_by("-count", column)[:most]
        slices += [{field: value} for value, _count in enough]
    return slices


def judgments_in_slice(campaign: Campaign, slice: Mapping[str, Any]) -> int:
    """How many judgments a board of the slice would take now. Raises UnknownSlice."""
    retired = retired_sources(campaign)
    return board_judgments(campaign, slice, last_sequence=last_sequence(), retired=retired).order_by().count()


def own_median_amount(respondent_id: int) -> Decimal | None:
    """The median of what this respondent typed so far in this campaign; None before the first amount."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT amount_low FROM annotation_judgment WHERE respondent_id = %s AND amount_low > 0", [respondent_id]
        )
        amounts = [amount for (amount,) in cursor.fetchall()]
    return median(amounts) if amounts else None
