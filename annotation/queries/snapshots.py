"""The snapshots of a board that can be shown, by their numbers and by days."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Max, Q, QuerySet
from django.db.models.functions import TruncDate

from annotation.boards import RECOMPUTED, contestant_names, named_as_now
from annotation.boards.names import stand_in
from annotation.errors import AnnotationError
from annotation.models import Board, Contestant, LeaderboardSnapshot
from inference_workers.enums import Visibility


class NotADay(AnnotationError):
    """What is asked for names no day."""


def readable_snapshots(board: Board) -> QuerySet[LeaderboardSnapshot]:
    """The newest first, those whose standings this code can compute again and so can show; of each all but these."""
    snapshots = LeaderboardSnapshot.objects.filter(board=board, code_version__in=RECOMPUTED)
    return snapshots.order_by("-number").defer("standings")


def readable_snapshot(board: Board, *, number: int | None = None, on: date | None = None) -> LeaderboardSnapshot | None:
    """The newest that can be shown, the one of that number, or the newest as that UTC day ended; with the names of
    now, see `named_as_now`."""
    snapshots = readable_snapshots(board).defer(None).select_related("board__parent")
    if number is not None:
        snapshots = snapshots.filter(number=number)
    if on is not None:
        snapshots = snapshots.filter(created_at__lt=end_of(on))
    found = snapshots.first()
    return None if found is None else named_as_now(found)


def day_of(text: str) -> date:
    """Of YYYY-MM-DD and of nothing else. Raises NotADay."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise NotADay(f"{text!r:.40} is no day, which is written YYYY-MM-DD") from None
    if found.isoformat() != text:
        raise NotADay(f"{text!r:.40} is no day, which is written YYYY-MM-DD")
    return found


def end_of(day: date) -> datetime:
    """Where a UTC day ends, which it does not hold itself. The last day that there is has no end: it ends a moment
    early."""
    begin = datetime.combine(day, time.min, UTC)
    return begin + timedelta(days=1) if day < date.max else datetime.combine(day, time.max, UTC)


@dataclass(frozen=True)
class Neighbours:
    """Numbers around a snapshot; None where there is none."""

    previous: int | None
    next: int | None
    newest: int


def neighbours_of(snapshot: LeaderboardSnapshot) -> Neighbours:
    numbers = readable_snapshots(snapshot.board).values_list("number", flat=True)
    return Neighbours(
        previous=numbers.filter(number__lt=snapshot.number).first(),
        next=numbers.filter(number__gt=snapshot.number).order_by("number").first(),
        newest=numbers.first() or snapshot.number,
    )


def last_of_each_day(board: Board, *, before: datetime | None = None) -> list[int]:
    """The numbers of the snapshots that were the newest as a UTC day ended, and of the newest of all, ascending."""
    snapshots = readable_snapshots(board) if before is None else readable_snapshots(board).filter(created_at__lt=before)
    days = snapshots.order_by().annotate(day=TruncDate("created_at", tzinfo=UTC)).values("day")
    return sorted(days.annotate(last=Max("number")).values_list("last", flat=True))


def snapshots_in_turn(board: Board, numbers: Sequence[int]) -> Iterator[LeaderboardSnapshot]:
    """One after the other, so that no more than one lies in memory, with the names of now."""
    for number in numbers:
        yield named_as_now(LeaderboardSnapshot.objects.get(board=board, number=number))


def names_of_entries(snapshot: LeaderboardSnapshot) -> list[tuple[int, str]]:
    """What everybody is called in a snapshot that was read, for a tag."""
    return sorted((entry["contestant"], entry["model"]) for entry in snapshot.standings["entries"])


def with_unsaid_names(snapshots: Iterable[LeaderboardSnapshot]) -> set[int]:
    """The ids of those that hold a name which may be said no longer, found without reading their standings here."""
    served = Contestant.objects.filter(revision__isnull=False)
    ids = served.exclude(revision__language_model__visibility=Visibility.PUBLIC).values_list("pk", flat=True)
    unsaid = [pk for pk, name in contestant_names(ids).items() if name == stand_in(pk)]
    if not unsaid:
        return set()
    names = Q()
    for pk in unsaid:
        is_in = Q(standings__contains={"entries": [{"contestant": pk}]})
        names |= is_in & ~Q(standings__contains={"entries": [{"contestant": pk, "model": stand_in(pk)}]})
    found = LeaderboardSnapshot.objects.filter(names, pk__in=[each.pk for each in snapshots])
    return set(found.values_list("pk", flat=True))
