"""Is one model of a board better than another? What all votes say of a pair, and how firm the first place is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotation.boards import contestant_names
from annotation.boards.comparing import FirstPlace, PairAnswer, compare_pair, first_place, inflation_of
from annotation.boards.pair_counts import PairCounts
from annotation.models import Board
from annotation.queries import readable_snapshot
from annotation.queries.live import read_counts
from arena.web.access import readable_board
from arena.web.board_page import decides_who_sees
from foundation.requests import HtmxRequest

# Seconds for which the firmness of the first place is kept: searching for it fits the board some tens of times.
KEPT = 60


@dataclass(frozen=True)
class Compared:
    """A pair with what was found, in the order in which it was asked for."""

    one: str
    other: str
    answer: PairAnswer
    inflation: float

    @property
    def verdict(self) -> str:
        apart, names = self.answer.apart, {"one": self.one, "other": self.other}
        if apart is None:
            return _("Nothing joins %(one)s and %(other)s: no vote compares them, not even by way of others.") % names
        if not apart.is_decided:
            return _("Not decided: the votes so far leave open whether %(one)s or %(other)s is better.") % names
        if apart.gap > 0:
            return _("Yes: %(one)s is better than %(other)s.") % names
        return _("No: %(other)s is better than %(one)s.") % names

    @property
    def bounds(self) -> tuple[float, float] | None:
        apart = self.answer.apart
        return None if apart is None else (apart.gap - apart.margin, apart.gap + apart.margin)


@require_safe
def compare(request: HtmxRequest, slug: str) -> HttpResponse:
    board = readable_board(slug, request.user)
    counts = read_counts(board)
    names = contestant_names({*counts.a.tolist(), *counts.b.tolist()})
    asked = [request.GET.get(name, "") for name in ("a", "b")]
    pair = tuple(_known(value, names) for value in asked if value)
    problem = ""
    if len(pair) == 2 and pair[0] == pair[1]:
        problem = _("Choose two different models.")
    is_pair = len(pair) == 2 and not problem
    context = {
        "board": board,
        "names": sorted(names.items(), key=lambda each: each[1].casefold()),
        "chosen": [*pair, None, None][:2],
        "problem": problem,
        "compared": _compared(board, counts, names, pair[0], pair[1]) if is_pair else None,
        "first": _first(board, counts, names),
        "comparisons": counts.comparisons,
        "decides": decides_who_sees(request.user, board),
    }
    response = render(request, "arena/leaderboard_compare.html", context, status=400 if problem else 200)
    patch_cache_control(response, no_cache=True)
    return response


def _known(value: str, names: Mapping[int, str]) -> int:
    """The id of a contestant of the board. Raises Http404."""
    if not (value.isascii() and value.isdigit() and len(value) < 19 and int(value) in names):
        raise Http404
    return int(value)


def _compared(board: Board, counts: PairCounts, names: Mapping[int, str], one: int, other: int) -> Compared:
    snapshot = readable_snapshot(board)
    entries: list[Mapping[str, Any]] = snapshot.standings["entries"] if snapshot else []
    inflation = inflation_of(entries, counts, board.method, (one, other))
    answer = compare_pair(counts, board.method, one, other, inflation=inflation)
    return Compared(names[one], names[other], answer, inflation)


def _first(board: Board, counts: PairCounts, names: Mapping[int, str]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = cache.get_or_set(
        f"arena.first_place:{board.pk}", lambda: vars(first_place(counts, board.method) or NOBODY), KEPT
    )
    if not found or found["first"] not in names or found["challenger"] not in names:
        return None
    return found | {"name": names[found["first"]], "rival": names[found["challenger"]]}


NOBODY = FirstPlace(first=0, challenger=0, votes=0, share=0.0)
