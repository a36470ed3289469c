"""`manage.py show_board SLUG`: a board's standings as a table, or as JSON for programs."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.boards.wording import board_sentence, reason_words
from annotation.errors import AnnotationError
from annotation.use_cases.read_board import read_board

HEADINGS = ("rank", "model", "rating", "95 % interval", "votes", "wins", "worth")


class Command(BaseCommand):
    help = "Print the standings of a board."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("slug", help="the board's address: /leaderboard/SLUG")
        parser.add_argument("--json", action="store_true", help="everything, as one JSON object")
        parser.add_argument("--method", default="", help="compute by bradley_terry or bt_half now; nothing is written")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            board = read_board(slug=options["slug"], method=options["method"], now=timezone.now())
        except AnnotationError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(board, ensure_ascii=False, indent=1))
            return
        decimals = int(board["scale"].get("decimals", 0))
        for line in table([HEADINGS, *(cells(entry, decimals) for entry in board["entries"])]):
            self.stdout.write(line)
        if board["reason"]:
            self.stdout.write(str(reason_words(board)))
        self.stdout.write(str(board_sentence(board, board["slice"])))


def cells(entry: Mapping[str, Any], decimals: int = 0) -> tuple[str, ...]:
    worth = entry["worth"]
    return (
        f"{entry['rank_low']}-{entry['rank_high']}" if entry["rank"] else "",
        entry["model"] + (" (provisional)" if entry["provisional"] else ""),
        shown(entry["rating"], decimals),
        " to ".join(shown(entry[end], decimals) or "no bound" for end in ("lower", "upper")) if entry["rank"] else "",
        str(entry["votes"]),
        str(entry["wins"]),
        f"{worth['value']:+.2f} ({worth['lower']:+.2f} to {worth['upper']:+.2f})" if worth else "",
    )


def shown(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
