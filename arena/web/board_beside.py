"""A slice beside its whole, and votes that are excluded, made ready for the templates of a board's page."""

from collections.abc import Sequence
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from annotation.boards.beside import Beside, set_beside
from annotation.boards.slices import WITH_EXCLUDED, with_excluded
from annotation.models import Board, LeaderboardSnapshot
from annotation.policies.boards import is_shown, reads_reasons, sees_hidden_boards
from annotation.queries import readable_snapshot, set_apart
from annotation.queries.blocked import reasons_of_blocks


def beside_whole(board: Board, snapshot: LeaderboardSnapshot | None) -> dict[str, Any]:
    """Empty for a board that is no slice, and until both are computed."""
    whole = readable_snapshot(board.parent) if board.parent and snapshot else None
    if snapshot is None or whole is None:
        return {}
    rows = set_beside(snapshot.standings, whole.standings)
    return {
        "beside": rows or [],
        "beside_apart": rows is None,
        "beside_words": _moves(rows) if rows else "",
        "beside_excluded": with_excluded(board.slice),
    }


def excluded_votes(board: Board, snapshot: LeaderboardSnapshot | None, user: Any) -> dict[str, Any]:
    """Of a whole board: how many votes blocks keep out of this snapshot, what share of all that were given, the board
    that holds them too, and for who may read them the reasons.
    """
    if snapshot is None or board.slice:
        return {}
    last, retired = snapshot.last_sequence, snapshot.retired_sources
    found = set_apart(board.campaign, last_sequence=last, retired=retired)
    context = {"set_apart": found, "set_apart_share": found.judgments / max(1, found.judgments + snapshot.judgments)}
    if not found.judgments:
        return context
    together = Board.objects.filter(parent=board, slice=WITH_EXCLUDED).select_related("parent").first()
    reads = together is not None and (is_shown(together) or sees_hidden_boards(user))
    return context | {
        "set_apart_board": together if reads else None,
        "set_apart_reasons": reasons_of_blocks(board.campaign) if reads_reasons(user) else [],
    }


def _moves(rows: Sequence[Beside]) -> str:
    """Who moves for certain, in a sentence."""
    up, down = ([row.model for row in rows if row.moves == way] for way in ("up", "down"))
    said = [_("Higher here: %(names)s.") % {"names": _listed(up)}] if up else []
    said += [_("Lower here: %(names)s.") % {"names": _listed(down)}] if down else []
    return " ".join(said) or _("Nobody moves for certain: each model has ranks that both boards leave open.")


def _listed(names: list[str]) -> str:
    return get_text_list(names, _("and"))
