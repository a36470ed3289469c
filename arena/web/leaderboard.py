"""Public boards: the newest standings, and one click that leaves the simulated judgments out."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.models import Board
from annotation.use_cases.retire_simulations import restore_simulations, retire_simulations
from arena.queries import default_board
from arena.web.board_page import may_retire, page_context, sees_hidden_boards
from foundation.requests import HtmxRequest


@require_GET
def leaderboard(request: HtmxRequest) -> HttpResponse:
    """The default arena's board."""
    board = default_board()
    return render(request, "arena/no_board.html") if board is None else show_board(request, board)


@require_GET
def board(request: HtmxRequest, slug: str) -> HttpResponse:
    return show_board(request, readable_board(slug, request.user))


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


def readable_board(slug: str, user: Any) -> Board:
    found = Board.objects.select_related("campaign").filter(slug=slug).first()
    if found is None or not (found.is_public or sees_hidden_boards(user)):
        raise Http404
    return found


def show_board(request: HtmxRequest, board: Board) -> HttpResponse:
    """The whole page, or its standings alone for a page that is open and follows the board."""
    template = "arena/leaderboard_standings.html" if request.htmx else "arena/leaderboard.html"
    response = render(request, template, page_context(board, request.user))
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, no_cache=True)
    return response
