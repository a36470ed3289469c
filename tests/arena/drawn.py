"""Boards whose figures have something to draw."""

from decimal import Decimal
from itertools import combinations
from pathlib import Path

import numpy as np
from django.core.cache import cache
from django.utils import timezone

from annotation.enums import TurnKind
from annotation.models import Board, Contestant, LeaderboardSnapshot, Turn
from annotation.use_cases.advance_board import advance_board
from annotation.use_cases.refresh_board import refresh_board
from inference_workers.enums import CompletionState
from inference_workers.models import Completion
from tests.annotation.boards.factories import imported, judge, make_board, refreshed
from tests.factories import make_campaign, make_contestant, make_item, make_respondent
from tests.inference_workers.factories import make_completion

NAMES = (
    "<script>alert(1)</script>",
    "=1+1",
    "organisation/model-with-a-very-long-name-that-nobody-can-pronounce-2026-11-21",
    "Oak & Elm “large”",
    "模型一号非常好用的大语言模型版本二",
    "birch",
    "larch",
    "yew",
)


def votes_of(names=NAMES, *, votes: int = 900, seed: int = 20261123, days: int = 40) -> str:
    """Lines of a file: earlier names win more often, the first side a little too; some pairs hardly meet."""
    dice = np.random.default_rng(seed)
    pairs = list(combinations(range(len(names)), 2))
    lines = []
    for number in range(votes):
        a, b = pairs[int(len(pairs) * dice.random() ** 2)][:: (1 if dice.random() < 0.5 else -1)]
        won = dice.random() < 1 / (1 + np.exp(-0.35 * (b - a) - 0.2))
        outcome = "tie" if dice.random() < 0.1 else "ab"[not won]
        size = 0 if outcome == "tie" else int(dice.choice([1, 2, 3], p=[0.5, 0.3, 0.2])) * (1 if won else -1)
        day = f"2026-{1 + days * number // votes // 28:02}-{1 + days * number // votes % 28:02}"
        cells = [names[a], names[b], outcome, f"{day}T12:00:00Z", str(size), f"p{number % 60}"]
        lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in cells))
    return "\n".join(lines) + "\n"


def drawn_board(folder: Path, names=NAMES, **how) -> Board:
    """Of imported votes with days and strengths."""
    cache.clear()
    board = imported(folder, votes_of(names, **how), header="a,b,outcome,date,strength,prompt", slug="drawn").board
    advance_board(board_id=board.pk, now=timezone.now())
    refresh_board(board_id=board.pk, now=timezone.now())
    return board


def priced_board(names=("Ada", "Bea", "Cleo", "Dora"), costs=("0.004", "0.0009", "0.006", "0.0021")) -> Board:
    """Of models that people named amounts for, and whose answers cost something."""
    cache.clear()
    campaign = make_campaign()
    models = [make_contestant(campaign, name) for name in names]
    board = make_board(campaign, slug="priced", name="Priced")
    dice = np.random.default_rng(7)
    for person in range(6):
        who = make_respondent(campaign)
        for number, (one, other) in enumerate(combinations(models, 2)):
            better, worse = (one, other) if dice.random() < 0.75 else (other, one)
            amount = f"{1 + (number + person) % 4 + dice.random():.2f}"
            judge(campaign, better, worse, amount=amount, respondent=who, acceptable=(True, number % 2 == 0))
    for place, (model, cost) in enumerate(zip(models, costs, strict=True)):
        answered(campaign, [model, models[place - 1]], cost)
    refreshed(board)
    advance_board(board_id=board.pk, now=timezone.now())
    return board


def answered(campaign, contestants: list[Contestant], cost: str) -> Completion:
    """The first one's answer as a completion that cost so much."""
    completion = make_completion()
    Completion.objects.filter(pk=completion.pk).update(
        state=CompletionState.SUCCEEDED,
        cost=Decimal(cost),
        text="Yes.",
        finish_reason="stop",
        finished_at=timezone.now(),
    )
    response = make_item(campaign, contestants=contestants).responses.get(position=0)
    Turn.objects.create(response=response, number=1, kind=TurnKind.COMPLETION, completion=completion)
    return completion


def with_history(board: Board, *, days: int = 6, odd: int | None = None) -> None:
    """Earlier snapshots like the newest, a day apart; the one of day `odd` was computed in another way."""
    newest = LeaderboardSnapshot.objects.filter(board=board).latest("number")
    for back in range(days, 0, -1):
        standings = dict(newest.standings)
        moved = [7 * back * (-1) ** place for place in range(len(standings["entries"]))]
        standings["entries"] = [
            entry | {"rating": entry["rating"] - by} for entry, by in zip(standings["entries"], moved, strict=True)
        ]
        LeaderboardSnapshot.objects.create(
            board=board,
            number=newest.number + 1 + days - back,
            method=newest.method if back != odd else "bt_half",
            code_version=newest.code_version,
            slice=newest.slice,
            last_sequence=newest.last_sequence,
            judgments=newest.judgments,
            standings=standings,
            digest=f"{back:064}",
            created_at=newest.created_at - timezone.timedelta(days=back),
        )
