"""The page of a board of 200 models against a bare view with one query and one small template: same process, same
handler, same middleware, same database.

Pages are asked for by who is not signed in, with a visitor's cookie, and so is the bare view. CPU is that of this
process and of every process of the database server together, as in `benchmarks.votes`. Rounds alternate, so that the
machine's other load is the same for all; a row is the median of its rounds. The site's settings hold: each second it is
looked once whether the page changed. Answers that say "not modified" are a row of their own.
"""

import gc
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from django.core.cache import caches
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.urls import get_resolver, path

from annotation.models import Board
from arena.web.visitors import COOKIE
from benchmarks.rows import Row
from benchmarks.votes import Cost, Environ, middle, quiet_log, spend
from config.settings import base
from tests.annotation.boards.factories import imported, refreshed

MODELS, SLUG, BARE = 200, "two-hundred", "bench/bare-page"
TOKEN = "visitor-of-the-benchmark"
# The addresses of stylesheets as they are before they are collected.
PLAIN = base.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
TEMPLATE = "<!doctype html><html lang='en'><title>{{ board.name }}</title><h1>{{ board.name }}</h1>"


def run(quick: bool) -> list[Row]:
    rounds, size = (5, 100) if quick else (9, 400)
    handler = WSGIHandler()
    with quiet_log(), override_settings(BOARD_PAGE_SECONDS=base.BOARD_PAGE_SECONDS, STORAGES=PLAIN):
        make_board()
        get_resolver().url_patterns.append(path(BARE, bare_page))
        address = f"/leaderboard/{SLUG}"
        tag = Client(SERVER_NAME="localhost").get(address)["ETag"]
        asked = {
            "page": asking(address),
            "304": asking(address, {"If-None-Match": tag}),
            "bare": asking(f"/{BARE}"),
        }
        spend(handler, [asked[kind].copy() for kind in asked for _ in range(20)])
        gc.collect()
        gc.freeze()  # what was made for the measurement is not looked through again in the middle of it
        costs: dict[str, list[Cost]] = {kind: [] for kind in asked}
        for _ in range(rounds):
            for kind, environ in asked.items():
                costs[kind].append(spend(handler, [environ.copy() for _ in range(size)]))
        anew = [spend_without_cache(handler, asked["page"]) for _ in range(rounds)]
    return rows({kind: middle(each) for kind, each in costs.items()}, middle(anew))


def rows(cost: dict[str, Cost], anew: Cost) -> list[Row]:
    bare, models = 1000 / cost["bare"].cpu_ms, f"{MODELS} models"
    return [
        Row("board_page_over_bare_view", models, 1000 / cost["page"].cpu_ms, "per CPU second", bare),
        Row("board_304_over_bare_view", models, 1000 / cost["304"].cpu_ms, "per CPU second", bare),
        Row("board_page_cpu_ms", models, cost["page"].cpu_ms, "ms", cost["bare"].cpu_ms),
        Row("board_page_made_anew_cpu_ms", models, anew.cpu_ms, "ms", cost["bare"].cpu_ms),
    ]


def make_board() -> Board:
    """Of votes whose winner is drawn."""
    rng = Random(8)
    lines = "".join(
        f"model-{(pair := rng.sample(range(MODELS), 2))[0]},model-{pair[1]},{rng.choice(('a', 'b', 'tie'))}\n"
        for _ in range(20 * MODELS)
    )
    with tempfile.TemporaryDirectory() as folder:
        board: Board = imported(Path(folder), lines, slug=SLUG).board
    refreshed(board)
    return board


def bare_page(request: HttpRequest) -> HttpResponse:
    board = Board.objects.get(slug=SLUG)
    return HttpResponse(small_template().render({"board": board}, request))


@cache
def small_template() -> Any:
    """Read once, as the site's are."""
    return engines["django"].from_string(TEMPLATE)


def asking(address: str, headers: dict[str, str] | None = None) -> Environ:
    factory = RequestFactory(headers={"Cookie": f"{COOKIE}={TOKEN}", **(headers or {})}, SERVER_NAME="localhost")
    environ: Environ = factory.get(address).environ
    return environ


def spend_without_cache(handler: WSGIHandler, environ: Environ) -> Cost:
    caches["pages"].clear()
    return spend(handler, [environ.copy()])
