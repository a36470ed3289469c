"""Judgments with the answers a test wants, through the use case that live ones pass."""

from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone

from annotation.models import Board, Campaign, Contestant, Judgment, Respondent
from annotation.ratings import A, B, PairRows
from annotation.use_cases.create_board import create_board
from annotation.use_cases.import_votes import Imported, import_votes
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.submit_judgment import submit_judgment
from tests.annotation.numbering import number_log
from tests.factories import claim_and_show, make_campaign, make_contestant, make_item, make_respondent, new_key, numbers


def judge(
    campaign: Campaign,
    better: Contestant,
    worse: Contestant,
    *,
    choice: str = "better",
    respondent: Respondent | None = None,
    acceptable: tuple[bool, bool] | None = None,
    amount: str | None = None,
    zero: str | None = None,
    prompt: str = "",
) -> Judgment:
    """`choice` is better, tie or cannot_compare; `acceptable` says it of the better and of the worse one.

    The sides of a campaign's first judgment are always the same ones, and so on.
    """
    make_item(campaign, contestants=[better, worse], prompt=prompt or f"Question {next(numbers)}?")
    respondent = respondent or make_respondent(campaign)
    assignment, impression = claim_and_show(campaign, respondent, seed=campaign.judgments.count() + 1)
    side = "ab"[impression.order.index(0)] if choice == "better" else choice
    answers: dict[str, Any] = {"preference": {"choice": side, "strength": None}, "acceptable": None, "worth": None}
    answers = {name: answer for name, answer in answers.items() if name in impression.questions_asked}
    if acceptable is not None:
        answers["acceptable"] = [acceptable[position] for position in impression.order]
    if amount is not None:
        answers["worth"] = {"amount": amount, "zero": zero, "keep": amount}
    return submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers=answers,
        now=timezone.now(),
    )


def pair_rows(*, contestants: list[int], a: np.ndarray, amount: np.ndarray, **columns: Any) -> PairRows:
    """Amounts as rows of the log hold them; what is not named is as if nobody had been asked."""
    n = len(a)
    unsaid, never = np.full(n, -1, dtype=np.int8), np.zeros(n, dtype=bool)
    nothing = np.full(n, np.nan)
    values = {
        "merged": {},
        "preference": np.where(amount > 0, A, B).astype(np.int8),
        "amount_low": nothing,
        "amount_high": nothing,
        "contradicts": never,
        "amount_state": np.ones(n, dtype=np.int8),
        "acceptable_a": unsaid,
        "acceptable_b": unsaid,
        "item": np.arange(1, n + 1),
        "source": np.zeros(n, dtype=np.int64),
        "design": np.zeros(n, dtype=np.int8),
        "is_anchor": never,
        "at_bound": never.copy(),
    }
    return PairRows(contestants=contestants, a=a, amount=amount, **(values | columns))


def make_board(campaign: Campaign | None = None, **fields: Any) -> Board:
    values = {"slug": f"board-{next(numbers)}", "name": "A board", "campaign": campaign or make_campaign()} | fields
    return create_board(now=timezone.now(), **values)


def three(campaign: Campaign) -> tuple[Contestant, Contestant, Contestant]:
    return make_contestant(campaign, "ada"), make_contestant(campaign, "bea"), make_contestant(campaign, "cleo")


def refreshed(board: Board) -> Any:
    """The board's next snapshot, after the log was numbered; None where nothing changed."""
    number_log()
    return refresh_board(board_id=board.pk, now=timezone.now())


def standings(board: Board) -> dict[str, Any]:
    return refreshed(board).standings


def entries(standings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["model"]: entry for entry in standings["entries"]}


def imported(folder: Path, lines: str, *, header: str = "a,b,outcome", slug: str = "imported") -> Imported:
    file = folder / "votes.csv"
    file.write_text(f"{header}\n{lines}")
    done = import_votes(path=file, board_slug=slug, now=timezone.now())
    number_log()
    return done
