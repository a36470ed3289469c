"""Public boards: the newest standings, and one click that retires what was simulated."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from annotation.models import Board
from annotation.queries import latest_snapshot, main_board
from arena.queries import default_arena


@require_GET
def leaderboard(request: HttpRequest) -> HttpResponse:
    """The default arena's board."""
    board = main_board(default_arena().campaign)
    if board is None:
        raise Http404
    return show_board(request, board)


@require_GET
def board(request: HttpRequest, slug: str) -> HttpResponse:
    found = Board.objects.filter(slug=slug, is_public=True).first()
    if found is None:
        raise Http404
    return show_board(request, found)


def show_board(request: HttpRequest, board: Board) -> HttpResponse:
    """The whole page, or for a script that follows the board its standings alone."""
    context = {"board": board, "snapshot": latest_snapshot(board)}
    template = "arena/leaderboard.html#standings" if request.htmx else "arena/leaderboard.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
