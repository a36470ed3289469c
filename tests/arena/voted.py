"""Boards of votes whose truth is known, for the pages of methods."""

from pathlib import Path

import numpy as np
from django.core.cache import cache, caches
from django.utils import timezone

from annotation.models import Board, Respondent
from annotation.use_cases.refresh_board import refresh_board
from tests.annotation.boards.factories import imported

GROUPS = ("even people", "odd people")
NAMES = ("Ada", "Bea", "Cleo", "Dora")


def voted_board(
    folder: Path, *, votes: int = 600, people: int = 40, seed: int = 11, slug: str = "voted", grouped: bool = True
) -> Board:
    """Of imported votes with ties, strengths, categories and judges who are not alike: those of odd number like Dora
    best, the others Ada. In the category `code` it is Bea whom most prefer."""
    for each in (cache, caches["summaries"]):
        each.clear()
    dice = np.random.default_rng(seed)
    lines, came = [], list[int]()
    for number in range(votes):
        person = int(dice.integers(people))
        came += [person] * (person not in came)
        a, b = dice.choice(4, size=2, replace=False)
        taste = np.array([1.2, 0.5, 0.0, -1.2] if person % 2 == 0 else [-0.8, 0.4, 0.0, 1.0])
        category = "code" if number % 3 == 0 else "prose"
        taste[1] += 0.8 * (category == "code")
        gap = taste[a] - taste[b]
        tie = dice.random() < 0.15
        won = dice.random() < 1 / (1 + np.exp(-gap))
        size = 0 if tie else int(dice.integers(1, 4)) * (1 if won else -1)
        outcome = "tie" if tie else "ab"[not won]
        lines.append(f"{NAMES[a]},{NAMES[b]},{outcome},{size},p{number % 120},j{person},{category}")
    header = "a,b,outcome,strength,prompt,judge,category"
    board = imported(folder, "\n".join(lines) + "\n", header=header, slug=slug).board
    # The file's people, in the order in which it names them.
    for person, respondent in zip(came, people_of(board), strict=True):
        Respondent.objects.filter(pk=respondent.pk).update(groups=[GROUPS[person % 2]])
    refresh_board(board_id=board.pk, now=timezone.now())
    return board


def people_of(board: Board) -> list[Respondent]:
    return list(Respondent.objects.filter(campaign=board.campaign, judgments__isnull=False).distinct().order_by("pk"))
