"""Many people vote at once and commit late and out of order, while the log is numbered and a board follows it."""

import random
import threading
import time
from dataclasses import dataclass

from django.db import transaction

from annotation.models import Board, Judgment
from annotation.tasks import number_judgments
from tests.annotation.boards.factories import judge, make_board, three
from tests.factories import make_campaign
from tests.foundation.threads import run_together


@dataclass(frozen=True)
class Watched:
    """A board after `votes`, of which `late` were committed later than they were written, and what somebody saw who
    takes at each of `looks` the rows above the highest id that they know."""

    board: Board
    votes: int
    late: int
    looks: int
    seen_by_id: int


def watch_late_writers(*, writers: int, seconds: float, longest_wait: float, at_least: int = 1) -> Watched:
    """Each writer votes `at_least` so often, and goes on for so many seconds."""
    campaign = make_campaign()
    board, contestants = make_board(campaign), three(campaign)
    number_judgments()
    done, waits, end = threading.Event(), [], time.monotonic() + seconds

    def write(number: int) -> None:
        dice, votes = random.Random(number), 0
        while votes < at_least or time.monotonic() < end:
            better, worse = dice.sample(contestants, 2)
            with transaction.atomic():
                judge(campaign, better, worse)
                waits.append(dice.choice([0.0, 0.0, longest_wait * dice.random()]))
                time.sleep(waits[-1])
            votes += 1

    def write_all() -> None:
        try:
            for outcome in run_together(*(lambda n=n: write(n) for n in range(writers)), within=seconds + 120):
                if outcome is not None:
                    raise outcome
        finally:
            done.set()

    def follow() -> tuple[int, int]:
        highest, by_id, looks = 0, 0, 0
        decided = Judgment.objects.filter(campaign=campaign, preference__in="ab")
        while not done.is_set():
            seen = list(decided.filter(pk__gt=highest).values_list("pk", flat=True))
            highest, by_id, looks = max([highest, *seen]), by_id + len(seen), looks + 1
            number_judgments()
            time.sleep(0.02)
        return looks, by_id + decided.filter(pk__gt=highest).count()

    followed, wrote = run_together(follow, write_all, within=seconds + 150)
    if isinstance(wrote, Exception):
        raise wrote
    looks, by_id = followed
    number_judgments()
    return Watched(board, len(waits), sum(wait > 0 for wait in waits), looks, by_id)
