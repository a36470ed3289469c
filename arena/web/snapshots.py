"""A board's snapshots by their numbers: each has an address for good."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotation.models import Board, LeaderboardSnapshot
from annotation.queries import readable_snapshot, readable_snapshots
from annotation.queries.snapshots import NotADay, day_of, with_unsaid_names
from arena.web.access import readable_board
from arena.web.board_files import file_of, no_snapshot_yet
from arena.web.board_page import board_page, frozen_context

PER_PAGE = 50
# Of a hash in a list, this much.
SHORT_HASH = 12


@dataclass(frozen=True)
class Line:
    """One snapshot in the list, with what it has that the one before has not; `hash` is empty where it is not said."""

    snapshot: LeaderboardSnapshot
    changes: list[str]
    hash: str


@require_safe
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """All of a board's snapshots, the newest first."""
    board = readable_board(slug, request.user)
    page = Paginator(readable_snapshots(board), PER_PAGE).get_page(request.GET.get("page"))
    context = {"board": board, "page": page, "lines": _lines(board, list(page.object_list))}
    response = render(request, "arena/leaderboard_snapshots.html", context)
    patch_cache_control(response, no_cache=True)
    return response


@require_safe
def numbered(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """The board as it was, or a table of it as a file."""
    snapshot = readable_snapshot(readable_board(slug, request.user), number=number)
    if snapshot is None:
        raise Http404
    return show_snapshot(request, snapshot)


def show_day(request: HttpRequest, board: Board, text: str) -> HttpResponseBase:
    """The newest snapshot as that UTC day ended. Another word than a day, or one too early, is answered in words."""
    try:
        day = day_of(text)
    except NotADay:
        return _no_day(request, board, _("Write the day as YYYY-MM-DD."), status=400)
    snapshot = readable_snapshot(board, on=day)
    if snapshot is None:
        return _no_day(request, board, no_snapshot_yet(text), status=404)
    return show_snapshot(request, snapshot)


def _no_day(request: HttpRequest, board: Board, words: str, *, status: int) -> HttpResponse:
    return render(request, "arena/leaderboard_no_day.html", {"board": board, "words": words}, status=status)


def show_snapshot(request: HttpRequest, snapshot: LeaderboardSnapshot) -> HttpResponseBase:
    if request.GET.get("format") == "csv":
        return file_of(request, snapshot, "csv", name=f"{snapshot.board.slug}-{snapshot.number}")
    response = board_page(request, "arena/leaderboard_snapshot.html", frozen_context(snapshot))
    patch_cache_control(response, no_cache=True)
    return response


def _lines(board: Board, snapshots: Sequence[LeaderboardSnapshot]) -> list[Line]:
    if not snapshots:
        return []
    before = readable_snapshots(board).filter(number__lt=snapshots[-1].number).first()
    unsaid = with_unsaid_names(snapshots)
    return [
        Line(each, _changes(each, was), "" if each.pk in unsaid else each.digest[:SHORT_HASH])
        for each, was in zip(snapshots, [*snapshots[1:], before], strict=True)
    ]


def _changes(snapshot: LeaderboardSnapshot, was: LeaderboardSnapshot | None) -> list[str]:
    """Never empty: what nothing else explains are names, mergers or votes that changed."""
    if was is None:
        return [_("the first")]
    found = []
    if (more := snapshot.judgments - was.judgments) > 0:
        found.append(_("%(count)s more") % {"count": f"{more:,}"})
    elif more < 0:
        found.append(_("%(count)s fewer") % {"count": f"{-more:,}"})
    if snapshot.method != was.method:
        found.append(_("another method"))
    if snapshot.slice != was.slice:
        found.append(_("another part of the log"))
    if snapshot.retired_sources != was.retired_sources:
        found.append(_("other sources left out"))
    if snapshot.code_version != was.code_version:
        found.append(_("another version of the arithmetic"))
    return found or [_("names or corrections")]
