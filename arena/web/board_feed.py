"""A board as an Atom feed: an entry for each day that has ended, with who was first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotation.boards.names import contestant_names
from annotation.models import Board, Contestant, LeaderboardSnapshot
from annotation.queries.snapshots import last_of_each_day, snapshots_in_turn
from arena.web.access import readable_board
from arena.web.board_files import headed
from arena.web.board_page import summary_words
from arena.web.board_picture import NO_XML
from foundation.conditional import tag_of, unless_known

DAYS = 14


@dataclass(frozen=True)
class Entry:
    """The last snapshot of a day, with who was first then and the day before; empty where nobody was."""

    snapshot: LeaderboardSnapshot
    first: str
    before: str


@require_safe
def feed(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Of the last days. The running day comes when it has ended: no entry changes after it was read."""
    board, today = readable_board(slug, request.user), _begin_of_day(timezone.now())
    # One more than is shown: the day before the first.
    numbers = last_of_each_day(board, before=today)[-DAYS - 1 :]
    names = sorted(contestant_names(Contestant.objects.values_list("pk", flat=True)).items())
    tag = tag_of("feed", board.slug, board.name, numbers, names, get_language(), request.build_absolute_uri("/"))

    def make() -> HttpResponseBase:
        answer: HttpResponseBase = BoardFeed(board, _entries(list(snapshots_in_turn(board, numbers))))(request)
        return answer

    return headed(unless_known(request, tag, make), board, today)


def _begin_of_day(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _entries(snapshots: Sequence[LeaderboardSnapshot]) -> list[Entry]:
    """The newest first."""
    first = [_first_of(each) for each in snapshots]
    entries = [Entry(each, now, was) for each, now, was in zip(snapshots, first, ["", *first], strict=False)]
    return entries[::-1][:DAYS]


def _first_of(snapshot: LeaderboardSnapshot) -> str:
    found = (each["model"] for each in snapshot.standings["entries"] if each["rank"] == 1 and each["group"] == 1)
    return str(next(found, ""))


class BoardAtom(Atom1Feed):
    """Before the first day has ended nothing is newer than the board itself; Django would say now, anew each time."""

    def latest_post_date(self) -> datetime:
        found: datetime = super().latest_post_date() if self.items else self.feed["begun"]
        return found


class BoardFeed(Feed):  # type: ignore[type-arg]
    """As Django's syndication asks for it."""

    feed_type = BoardAtom

    def __init__(self, board: Board, entries: list[Entry]) -> None:
        self.board, self.entries = board, entries

    def title(self) -> str:
        return NO_XML.sub("", self.board.name)

    def feed_extra_kwargs(self, obj: None) -> dict[str, Any]:
        return {"begun": self.board.created_at}

    def author_name(self) -> str:
        """RFC 4287 wants one of each feed whose entries have none."""
        return "Cardinal"

    def subtitle(self) -> str:
        return _("The board as each day ended")

    def link(self) -> str:
        return reverse("board", args=[self.board.slug])

    def feed_url(self) -> str:
        return reverse("board-feed", args=[self.board.slug])

    def items(self) -> list[Entry]:
        return self.entries

    def item_title(self, item: Any) -> str:
        day = date_format(item.snapshot.created_at.astimezone(UTC), "j M Y")
        if not item.first:
            return day
        if item.before and item.before != item.first:
            words = _("%(day)s: %(first)s is first, before it was %(before)s")
        else:
            words = _("%(day)s: %(first)s is first")
        return NO_XML.sub("", words % {"day": day, "first": item.first, "before": item.before})

    def item_description(self, item: Any) -> str:
        return NO_XML.sub("", summary_words(item.snapshot.standings))

    def item_link(self, item: Any) -> str:
        return reverse("board-snapshot", args=[self.board.slug, item.snapshot.number])

    def item_pubdate(self, item: Any) -> datetime:
        moment: datetime = item.snapshot.created_at
        return moment

    item_updateddate = item_pubdate
