"""The standings of a slice: a pure function of the judgments it is given, of the method and of the seed."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from django.db.models import QuerySet

from annotation.boards.attributes import attributes_of
from annotation.boards.canonical import plain
from annotation.boards.forms import order_of, scale_of
from annotation.boards.level import level_of
from annotation.boards.listed import ListedRows, read_listed
from annotation.boards.names import contestant_names
from annotation.boards.order import SCALE, Order, fit_order
from annotation.boards.orders import orders_of
from annotation.boards.people import people_of, simulated
from annotation.boards.worth import Entries, worth_of
from annotation.models import Judgment
from annotation.ratings import BOTH_BAD_VOTE, PairRows, read_pairs

# Goes up when the same log gives other standings than before, or standings of another shape.
CODE_VERSION = "4"
# Snapshots of these versions can be computed again. Version 1 read preferences between two responses alone, version 2
# no single attributes, version 3 neither the order by worth beside that by votes nor who is above the level.
RECOMPUTED = frozenset({"1", "2", "3", CODE_VERSION})
# A standing that has no rank or group yet.
NO_RANK = ("group", "rank", "rank_low", "rank_high")


def compute_standings(
    judgments: QuerySet[Judgment],
    *,
    method: str,
    seed: int,
    merged: Mapping[int, int],
    names: Mapping[int, str] | None = None,
    version: str = CODE_VERSION,
) -> dict[str, Any]:
    """What a snapshot holds, as plain JSON. Without `names` contestants are called what they are called now.

    Preferences and amounts come first. Where nobody was asked for one, contestants are ordered by what the questions
    that were asked declare, see `annotation.questions.Standing`. What the questions say of single responses besides
    stands under `attributes`.
    """
    standings = _ordered(judgments, method, seed, merged, names, version)
    if version not in ("1", "2") and (found := attributes_of(judgments, merged=merged, form=standings.get("form"))):
        standings["attributes"] = plain(found)
    return standings


def _ordered(
    judgments: QuerySet[Judgment],
    method: str,
    seed: int,
    merged: Mapping[int, int],
    names: Mapping[int, str] | None,
    version: str,
) -> dict[str, Any]:
    pairs = read_pairs(judgments, merged=merged)
    if version != "1" and not (pairs.preference > 0).any() and not pairs.priced.any():
        rows = read_listed(judgments, merged=merged)
        if rows.form is not None or (len(rows) and not len(pairs)):
            return _listed_standings(judgments, rows, method, names)
    order = fit_order(pairs, method)
    worth, worth_entries = worth_of(pairs, seed)
    beside = {} if version in ("1", "2", "3") else {"orders": orders_of(pairs, seed), "level": level_of(pairs)}
    if names is None:
        names = contestant_names(pairs.contestants)
    standings: dict[str, Any] = plain(
        {
            "method": method,
            "scale": SCALE,
            "entries": _entries(pairs, order, worth_entries, names),
            "fit": order.details,
            "reason": order.reason,
            "notes": order.notes,
            "excluded": _excluded(pairs, method),
            "worth": worth,
            "people": people_of(judgments, pairs),
            "simulated_share": _share(simulated(pairs)),
            "merged": pairs.merged,
            **beside,
        }
    )
    return standings


def _listed_standings(
    judgments: QuerySet[Judgment], rows: ListedRows, method: str, names: Mapping[int, str] | None
) -> dict[str, Any]:
    """Of rankings, scores or shares. The shape is that of votes, with what kind it is under `form`."""
    order = order_of(rows)
    if names is None:
        names = contestant_names(rows.contestants)
    standings: dict[str, Any] = plain(
        {
            "method": method,
            "form": None if rows.form is None else rows.form.value,
            "scale": scale_of(rows),
            "entries": _entries(rows, order, {}, names),
            "fit": order.details,
            "reason": order.reason,
            "notes": order.notes,
            "excluded": {
                "both_bad": 0,
                "both_bad_rate": _share(np.zeros(len(rows))),
                "neither": int(rows.neither.sum()),
                "neither_rate": _share(rows.neither),
                "cannot_compare": 0,
                "left_out": int(rows.silent.sum()),
            },
            "worth": None,
            "people": people_of(judgments, rows),
            "simulated_share": _share(simulated(rows)),
            "merged": rows.merged,
        }
    )
    return standings


def _entries(
    pairs: PairRows | ListedRows, order: Order, worth: Entries, names: Mapping[int, str]
) -> list[dict[str, Any]]:
    acceptable = pairs.acceptable_shares()
    everything = pairs.per_contestant(np.ones(len(pairs), dtype=bool))
    made_up = pairs.per_contestant(simulated(pairs))
    entries = []
    for position, pk in enumerate(pairs.contestants):
        entry = {name: values[position] for name, values in order.columns.items()}
        entry |= {name: entry[name] or None for name in NO_RANK}
        entry |= {
            "contestant": pk,
            "model": names[pk],
            "judgments": everything[position],
            "simulated_share": made_up[position] / everything[position],
            "acceptable": {
                "share": acceptable.share[position],
                "lower": acceptable.lower[position],
                "upper": acceptable.upper[position],
                "judged": int(acceptable.judged[position]),
            }
            if acceptable.judged[position]
            else None,
            "worth": worth.get(position),
        }
        entries.append(entry)
    return in_order(entries)


def in_order(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=_place)


def _place(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Groups one after the other, each from its best; last who has no rank."""
    if entry["rank"] is None:
        return (1, 0, 0, entry["model"], entry["contestant"])
    return (0, entry["group"], entry["rank"], entry["model"], entry["contestant"])


def _excluded(pairs: PairRows, method: str) -> dict[str, Any]:
    """What says nothing about the order. `neither` also holds the imported both-bad votes, `left_out` is the union."""
    neither = pairs.neither
    return {
        "both_bad": int((pairs.preference == BOTH_BAD_VOTE).sum()),
        "both_bad_rate": _share(pairs.preference == BOTH_BAD_VOTE),
        "neither": int(neither.sum()),
        "neither_rate": _share(neither),
        "cannot_compare": int(pairs.cannot_compare.sum()),
        "left_out": int((~pairs.fitted(method)).sum()),
    }


def _share(rows: Any) -> float | None:
    return float(rows.mean()) if len(rows) else None
