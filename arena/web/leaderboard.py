"""Public boards: the newest standings, and one click that leaves the simulated judgments out."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.models import Board
from annotation.queries import readable_snapshot
from annotation.use_cases.publish_board import publish_board
from annotation.use_cases.retire_simulations import restore_simulations, retire_simulations
from arena.queries import default_board
from arena.web.access import readable_board
from arena.web.board_files import file_of
from arena.web.board_page import board_page, decides_who_sees, may_retire, page_context
from arena.web.snapshots import show_day
from foundation.requests import HtmxRequest


@require_safe
def leaderboard(request: HtmxRequest) -> HttpResponseBase:
    """The default arena's board."""
    board = default_board()
    return render(request, "arena/no_board.html") if board is None else show_board(request, board)


@require_safe
def board(request: HtmxRequest, slug: str) -> HttpResponseBase:
    return show_board(request, readable_board(slug, request.user))


@require_POST
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    return _show_to_all(request, slug, public=True, said=_("Everybody can see this board now."))


@require_POST
def hide(request: HttpRequest, slug: str) -> HttpResponse:
    return _show_to_all(request, slug, public=False, said=_("This board is hidden again."))


def _show_to_all(request: HttpRequest, slug: str, *, public: bool, said: str) -> HttpResponse:
    user, now = request.user, timezone.now()
    board = readable_board(slug, user)
    if not isinstance(user, User) or not decides_who_sees(user, board):
        raise Http404
    publish_board(board_id=board.pk, public=public, actor=person_of_user(user=user, now=now), now=now)
    messages.success(request, said)
    if board.parent is not None and request.POST.get("back") == "slices":
        return redirect("board-slices", board.parent.slug)
    return redirect("board", slug)


@require_POST
def retire(request: HttpRequest, slug: str) -> HttpResponse:
    return _move(request, slug, retire_simulations, _("The simulated judgments are left out. Nothing was deleted."))


@require_POST
def restore(request: HttpRequest, slug: str) -> HttpResponse:
    return _move(request, slug, restore_simulations, _("The simulated judgments count again."))


def _move(request: HttpRequest, slug: str, verb: Callable[..., Any], said: str) -> HttpResponse:
    user, now = request.user, timezone.now()
    board = readable_board(slug, user)
    if not isinstance(user, User) or not may_retire(user):
        raise Http404
    actor = person_of_user(user=user, now=now)
    verb(campaign=board.campaign, actor=actor, reason="on the leaderboard", now=now)
    messages.success(request, said)
    return redirect("board", slug)


def show_board(request: HtmxRequest, board: Board) -> HttpResponseBase:
    """The whole page, or that of a day; its standings alone for a page that is open and follows the board, or a table
    of it as a file."""
    if day := request.GET.get("on"):
        return show_day(request, board, day)
    if request.GET.get("format") == "csv":
        return _file(request, board)
    template = "arena/leaderboard_standings.html" if request.htmx else "arena/leaderboard.html"
    response = board_page(request, template, page_context(board, request.user))
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, no_cache=True)
    return response


def _file(request: HttpRequest, board: Board) -> HttpResponseBase:
    snapshot = readable_snapshot(board)
    if snapshot is None:
        raise Http404
    return file_of(request, snapshot, "csv", name=board.slug)
