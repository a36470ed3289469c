"""The page of a board's figures, and each figure as a file."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from annotation.queries import readable_snapshot
from annotation.queries.figures import Evidence
from annotation.web.tables import csv_response, shown_table
from arena.web.access import readable_board
from arena.web.figures.declared import FIGURES
from arena.web.figures.figure import Shown, shown

MARKS = "arena/figure_marks.css"
# Rows of a table on the page; its file has all.
MOST_ROWS = 100
COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)
EITHER = re.compile(r"light-dark\(([^,()]+), ([^,()]+)\)")
# A file opened by itself is a picture in a sandbox, with the one style that it brings.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@require_safe
def figures(request: HttpRequest, slug: str) -> HttpResponse:
    """All figures, or why there is none yet."""
    board = readable_board(slug, request.user)
    snapshot = readable_snapshot(board)
    evidence = None if snapshot is None else Evidence(board, snapshot)
    found = [] if evidence is None else [_on_page(shown(figure, evidence)) for figure in FIGURES.values()]
    context = {"board": board, "snapshot": snapshot, "figures": found}
    response = render(request, "arena/figures.html", context)
    patch_cache_control(response, no_cache=True)
    return response


@require_safe
def picture(request: HttpRequest, slug: str, figure: str) -> HttpResponse:
    """A figure as an SVG that stands alone. Raises Http404, also where there is too little to draw."""
    found = _found(request, slug, figure)
    if found.drawing is None:
        raise Http404
    response = HttpResponse(found.drawing.file(_style()), content_type="image/svg+xml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}-{figure}.svg"'
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, no_cache=True)
    return response


@require_safe
def table(request: HttpRequest, slug: str, figure: str) -> HttpResponse:
    return csv_response(_found(request, slug, figure).table, name=slug)


def _found(request: HttpRequest, slug: str, figure: str) -> Shown:
    board = readable_board(slug, request.user)
    snapshot = readable_snapshot(board)
    if figure not in FIGURES or snapshot is None:
        raise Http404
    return shown(FIGURES[figure], Evidence(board, snapshot))


def _on_page(each: Shown) -> dict[str, Any]:
    markup = "" if each.drawing is None else mark_safe(each.drawing.markup)  # noqa: S308  (written by ElementTree)
    return {
        "shown": each,
        "picture": markup,
        "table": shown_table(each.table, {}, per_page=MOST_ROWS),
        "rows": len(each.table.rows),
    }


@lru_cache(maxsize=1)
def _style() -> str:
    """The page's own rules for the classes of figures with the colours that each theme gives them, in words that also
    understands what draws SVG and is no browser."""
    path = finders.find(MARKS)
    if path is None:
        raise FileNotFoundError(MARKS)
    rules = COMMENT.sub("", Path(path).read_text(encoding="utf-8"))
    light, dark = (EITHER.sub(theme, rules) for theme in (r"\1", r"\2"))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}}}\n"
