"""`manage.py import_votes FILE --board SLUG`: pairwise votes from CSV, Parquet or JSONL, with a board of their own."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.errors import AnnotationError
from annotation.imports.problems import BrokenFile
from annotation.use_cases.import_votes import Imported, import_votes
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.sequence_log import sequence_log

COLUMNS = """
Columns: a, b (names as shown left and right) and outcome (a, b, tie, both_bad or cannot_compare; also model_a,
model_b, bothbad, "tie (bothbad)"). Optional: judge, prompt, category, language, date (ISO 8601), strength (plus: a is
better; its sign agrees with the outcome), and cat_… (true or false). Other columns are listed and not read.
A file with a broken line is refused as a whole, its lines are named.
"""
# A transaction that was open before the import holds the numbering up until it ends.
SECONDS_FOR_NUMBERS = 60


class Command(BaseCommand):
    help = "Import pairwise votes as a source with its own board."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(
            *args, epilog=COLUMNS, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, Parquet or JSONL")
        parser.add_argument("--board", required=True, metavar="SLUG", help="the board's address: /leaderboard/SLUG")
        parser.add_argument("--name", default="", help="the board's name; without it the file's")
        parser.add_argument(
            "--private",
            action="store_true",
            help="show the board to researchers and admins alone, until it is published",
        )
        parser.add_argument("--replace", action="store_true", help="retire the board's former import")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        progress = Progress(sys.stderr)
        try:
            imported = import_votes(
                path=options["file"],
                board_slug=options["board"],
                name=options["name"],
                replace=options["replace"],
                public=not options["private"],
                now=timezone.now(),
                report=progress.report,
            )
        except BrokenFile as error:
            raise CommandError(f"{options['file']} was not imported, nothing of it was kept:\n{error}") from error
        except (AnnotationError, OSError) as error:
            raise CommandError(str(error)) from error
        finally:
            progress.end()
        numbered = number_votes(imported, progress)
        progress.end()
        refresh_board(board_id=imported.board.pk, now=timezone.now())
        self.tell(imported, time.monotonic() - started)
        if not numbered:
            raise CommandError("an open transaction held the numbering up: the board will show the votes when it ends")

    def tell(self, imported: Imported, seconds: float) -> None:
        outcomes = ", ".join(f"{count:,} {name}" for name, count in imported.outcomes.items() if count)
        judges = f"{imported.judges:,} judges" if imported.judges else "no judges named"
        self.stdout.write(f"{imported.votes:,} votes over {imported.contestants:,} contestants, {judges}: {outcomes}.")
        if imported.with_itself:
            self.stdout.write(f"Of these, {imported.with_itself:,} compare a contestant with itself: they rate nobody.")
        if imported.ignored_columns:
            self.stdout.write(f"Columns not read: {', '.join(imported.ignored_columns)}.")
        if imported.replaced:
            self.stdout.write(f"Former sources retired: {imported.replaced}.")
        seen_by = "everybody" if imported.board.is_public else "researchers and admins who sign in"
        self.stdout.write(f"{seconds:.1f} s. Board: /leaderboard/{imported.board.slug}, shown to {seen_by}.")


class Progress:
    """One line on a terminal, rewritten; nothing where nobody looks."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._show = out.isatty()
        self._last = ""

    def report(self, stage: str, done: float) -> None:
        self.say(f"{stage} {done:4.0%}")

    def say(self, line: str) -> None:
        if self._show and line != self._last:
            self._out.write(f"\r{line:<40}")
            self._out.flush()
            self._last = line

    def end(self) -> None:
        if self._last:
            self._out.write(f"\r{'':<40}\r")
            self._out.flush()
            self._last = ""


def number_votes(imported: Imported, progress: Progress) -> bool:
    """Number the log until all votes of this import are in it; False where an older transaction does not end."""
    deadline = time.monotonic() + SECONDS_FOR_NUMBERS
    while True:
        progress.say("numbering")
        sequence_log(now=timezone.now())
        if not imported.source.judgments.filter(log_entry__isnull=True).exists():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
