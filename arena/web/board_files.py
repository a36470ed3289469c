"""Boards as files: the newest snapshot, one of a number or of a day, and the history, as JSON, CSV and Parquet."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from io import StringIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import http_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotation.api.boards import json_tag, standings_json
from annotation.boards.lines import HISTORY_SCHEMA, Line, history_lines, parquet_of
from annotation.boards.names import contestant_names
from annotation.models import Board, Contestant, LeaderboardSnapshot
from annotation.policies.boards import is_shown
from annotation.queries import readable_snapshot, readable_snapshots
from annotation.queries.snapshots import (
    NotADay,
    day_of,
    last_of_each_day,
    names_of_entries,
    snapshots_in_turn,
)
from annotation.web.tables import chosen, csv_response, defused
from arena.web.access import readable_board
from arena.web.board_picture import picture_of
from arena.web.board_tables import board_tables
from foundation.conditional import tag_of, unless_known

PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv; charset=utf-8"


@require_safe
def newest(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """Of the newest snapshot, or of the newest as the day ended that is asked for."""
    board = readable_board(slug, request.user)
    day = request.GET.get("on")
    try:
        snapshot = readable_snapshot(board, on=day_of(day) if day else None)
    except NotADay as refusal:
        return JsonResponse({"detail": str(refusal)}, status=400)
    if snapshot is None:
        return JsonResponse({"detail": no_snapshot_yet(day)}, status=404)
    return file_of(request, snapshot, kind, name=f"{slug}-{day}" if day else slug)


@require_safe
def numbered(request: HttpRequest, slug: str, number: int, kind: str) -> HttpResponseBase:
    snapshot = readable_snapshot(readable_board(slug, request.user), number=number)
    if snapshot is None:
        raise Http404
    return file_of(request, snapshot, kind, name=f"{slug}-{number}")


def no_snapshot_yet(day: str | None) -> str:
    if day:
        return _("The board has no snapshot of that day or before.")
    return _("The board has no snapshot yet.")


def file_of(request: HttpRequest, snapshot: LeaderboardSnapshot, kind: str, *, name: str) -> HttpResponseBase:
    """Raises Http404 for a kind of file that there is not."""
    if kind not in KINDS:
        raise Http404
    tag, make = KINDS[kind](request, snapshot, name)
    answer = headed(unless_known(request, tag, make), snapshot.board, snapshot.created_at)
    return shown_elsewhere(answer) if kind == "svg" else answer


def shown_elsewhere(answer: HttpResponseBase) -> HttpResponseBase:
    """As a picture, wherever somebody shows it; opened by itself it runs nothing, loads nothing and has no origin."""
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


def headed(answer: HttpResponseBase, board: Board, at: datetime) -> HttpResponseBase:
    """Asked for again before it is shown again, at numbers too: a name may be said no longer, a board not be public."""
    del answer["Cache-Control"]
    patch_cache_control(answer, no_cache=True, **({} if is_shown(board) else {"private": True}))
    patch_vary_headers(answer, ["Accept-Language"])
    answer["Last-Modified"] = http_date(at.timestamp())
    return answer


Made = tuple[str, Callable[[], HttpResponseBase]]


def _json(request: HttpRequest, snapshot: LeaderboardSnapshot, name: str) -> Made:
    board = snapshot.board
    return json_tag(board, snapshot), lambda: JsonResponse(standings_json(board, snapshot))


def _csv(request: HttpRequest, snapshot: LeaderboardSnapshot, name: str) -> Made:
    table = chosen(board_tables(snapshot.standings), request.GET.get("table"))
    if table is None:
        raise Http404
    names = names_of_entries(snapshot)
    tag = tag_of("csv", table.name, snapshot.board.slug, snapshot.number, snapshot.digest, names)
    return tag, lambda: csv_response(table, name=name)


def _parquet(request: HttpRequest, snapshot: LeaderboardSnapshot, name: str) -> Made:
    board, names = snapshot.board, names_of_entries(snapshot)
    tag = tag_of("parquet", board.slug, board.name, snapshot.number, snapshot.digest, names, pa.__version__)

    def make() -> HttpResponseBase:
        return attached(HttpResponse(parquet_of(snapshot), content_type=PARQUET), f"{name}.parquet")

    return tag, make


def _svg(request: HttpRequest, snapshot: LeaderboardSnapshot, name: str) -> Made:
    """Raises Http404 for a board that is not public: what others show must not differ with who looks."""
    board = snapshot.board
    if not is_shown(board):
        raise Http404
    names = names_of_entries(snapshot)
    tag = tag_of("svg", board.slug, board.name, snapshot.number, snapshot.digest, names, get_language())
    return tag, lambda: HttpResponse(picture_of(snapshot), content_type="image/svg+xml")


KINDS: dict[str, Callable[[HttpRequest, LeaderboardSnapshot, str], Made]] = {
    "json": _json,
    "csv": _csv,
    "parquet": _parquet,
    "svg": _svg,
}


def attached(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# -- the history


@require_safe
def history(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """A line for each model and day, from the last snapshot of each UTC day, written while it is read."""
    board = readable_board(slug, request.user)
    if kind not in WRITERS:
        raise Http404
    numbers = last_of_each_day(board)
    if not numbers:
        return JsonResponse({"detail": no_snapshot_yet(None)}, status=404)
    # Who stands in any of them is not known before they are read: everybody's name is taken.
    names = sorted(contestant_names(Contestant.objects.values_list("pk", flat=True)).items())
    tag = tag_of("history", kind, board.slug, numbers, names, pa.__version__)
    write, content_type = WRITERS[kind]

    def make() -> HttpResponseBase:
        body = write(history_lines(snapshots_in_turn(board, numbers)))
        return attached(StreamingHttpResponse(body, content_type=content_type), f"{slug}-history.{kind}")

    last = readable_snapshots(board).values_list("created_at", flat=True)[0]
    return headed(unless_known(request, tag, make), board, last)


def _as_json(groups: Iterator[list[Line]]) -> Iterator[bytes]:
    """One list, one line of text for each of its lines."""
    before = "[\n"
    for lines in groups:
        for line in lines:
            yield (before + json.dumps(line, default=_moment)).encode()
            before = ",\n"
    yield b"\n]\n" if before == ",\n" else b"[]\n"


def _as_csv(groups: Iterator[list[Line]]) -> Iterator[bytes]:
    yield _row(HISTORY_SCHEMA.names)
    for lines in groups:
        yield b"".join(_row([_cell(value) for value in line.values()]) for line in lines)


def _row(values: list[Any]) -> bytes:
    written = StringIO()
    csv.writer(written).writerow(values)
    return written.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, date):
        return _moment(value)
    return "" if value is None else defused(value)


def _moment(value: date) -> str:
    return value.isoformat()


def _as_parquet(groups: Iterator[list[Line]]) -> Iterator[bytes]:
    """A group of rows for each snapshot."""
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), HISTORY_SCHEMA) as writer:
        for lines in groups:
            writer.write_table(pa.Table.from_pylist(lines, schema=HISTORY_SCHEMA))
            yield sink.taken()
    yield sink.taken()


class _Sink:
    """What a writer fills and an answer empties."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


WRITERS: dict[str, tuple[Callable[[Iterator[list[Line]]], Iterator[bytes]], str]] = {
    "json": (_as_json, "application/json"),
    "csv": (_as_csv, CSV),
    "parquet": (_as_parquet, PARQUET),
}
