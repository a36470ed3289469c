"""Methods over parts of the votes: groups of people, and slices by category."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from annotation.boards.methods.evidence import Board, Evidence, Row, in_order, row, rows_of, warned
from annotation.ratings import Bools, Floats, Ints
from ranking import (
    POINTS_PER_LOGIT,
    Absent,
    StrengthFit,
    borda,
    fit_bradley_terry,
    generator,
    group_difference,
    kemeny,
    max_min_board,
    tournament_of_ranks,
)

# The fewest votes of a part that gets a board of its own, and the most parts.
LEAST_VOTES, MOST_PARTS = 100, 12
# A group of fewer people is never shown, nor one outside of which there are fewer.
LEAST_PEOPLE = 10
ALPHA = 0.05


def shown_groups(members: Mapping[str, Ints], everybody: Ints, *, most: int) -> dict[str, Ints]:
    """The largest groups in which, and outside of which, there are people enough: a board of few would tell what one of
    them thinks, and so would the difference of the whole and a group of nearly all."""
    outside = {name: len(np.setdiff1d(everybody, ids)) for name, ids in members.items()}
    enough = [name for name, ids in members.items() if min(len(ids), outside[name]) >= LEAST_PEOPLE]
    return {name: members[name] for name in sorted(enough, key=lambda name: (-len(members[name]), name))[:most]}


def groups_with_votes(evidence: Evidence) -> dict[str, Bools]:
    """(n fitted,) by the group's name, the rows of each that has votes enough."""
    respondent = evidence.pairs.respondent[evidence.fitted]
    rows = {name: np.isin(respondent, ids) for name, ids in sorted(evidence.groups.items())}
    return {name: chosen for name, chosen in rows.items() if chosen.sum() >= LEAST_VOTES}


def max_min(evidence: Evidence) -> Board:
    """First stands whom every group has closest to its own best: by the greatest regret over groups, in points."""
    votes, chosen = evidence.comparisons(), groups_with_votes(evidence)
    found = group_difference(
        votes,
        [evidence.groups[name] for name in chosen],
        rng=generator(evidence.seed),
        both_bad=evidence.both_bad,
    )
    fits = {name: fit_bradley_terry(votes.select(rows), both_bad=evidence.both_bad) for name, rows in chosen.items()}
    board, names = max_min_board(found.strength), list(chosen)
    known = np.flatnonzero(np.isfinite(board.worst)).tolist()
    rows = []
    for position in known:
        regret = POINTS_PER_LOGIT * float(board.worst[position])
        less = sum(board.worst[other] < board.worst[position] - 1e-12 for other in known)
        p_value = float(found.contestant_p[position])
        worst = names[int(board.worst_group[position])]
        rows.append(row(evidence.contestant(position), 1 + less, value=regret, worst_group=worst, p_value=p_value))
    differ = found.p_value <= ALPHA
    counted = int(np.any(list(chosen.values()), axis=0).sum())
    diagnostics: dict[str, float | int | None] = {
        "votes": counted,
        "people": len(np.unique(np.concatenate([evidence.groups[name] for name in chosen]))),
        "groups": len(names),
        "likelihood_ratio": found.statistic,
        "p_value": found.p_value,
        "shuffles": found.shuffles,
    }
    warnings = warned(counted, int(found.people.min()))
    warnings += ["groups_differ" if differ else "groups_not_told_apart"]
    warnings += ["not_in_all_groups"] * int(len(known) < int(np.isfinite(found.strength).any(axis=0).sum()))
    boards = [_part(name, fits[name], evidence, people=int(found.people[place])) for place, name in enumerate(names)]
    worst_off = worst_off_of(evidence, board.regret)
    for place, each in enumerate(boards):
        each["is_worst_off"] = place == worst_off
    return Board(in_order(rows), "regret", diagnostics, warnings, boards=boards)


def worst_off_of(evidence: Evidence, regret: Floats) -> int | None:
    """Whom the board's own first place serves worst: the group (G, M) with the greatest regret of it."""
    first = next((each["contestant"] for each in evidence.entries if (each["group"], each["rank"]) == (1, 1)), None)
    if first is None:
        return None
    own = regret[:, evidence.pairs.contestants.index(first)]
    return None if np.isnan(own).all() else int(np.nanargmax(own))


def categories_with_votes(evidence: Evidence) -> dict[str, Bools]:
    """(n fitted,) likewise, the largest categories."""
    category = evidence.category[evidence.fitted]
    names, counts = np.unique(category, return_counts=True)
    enough = [(-count, str(name)) for name, count in zip(names, counts, strict=True) if name and count >= LEAST_VOTES]
    return {name: category == name for _count, name in sorted(enough)[:MOST_PARTS]}


def slices(evidence: Evidence) -> Board:
    """Each category's order counts the same, however many votes it has; Kemeny's is the nearest to all."""
    votes, chosen = evidence.comparisons(), categories_with_votes(evidence)
    fits = {name: fit_bradley_terry(votes.select(rows), both_bad=evidence.both_bad) for name, rows in chosen.items()}
    ranks = np.stack([_ranks(fit) for fit in fits.values()])
    whole = tournament_of_ranks(ranks, absent=Absent.NEITHER)
    order, scores = kemeny(whole), borda(whole)
    rows = [
        row(
            evidence.contestant(position),
            int(order.rank[position]),
            value=float(scores.score[position]),
            low=int(np.nanmin(ranks[:, position])),
            high=int(np.nanmax(ranks[:, position])),
            borda_rank=int(scores.rank[position]),
            ranked_in=int(np.isfinite(ranks[:, position]).sum()),
        )
        for position in order.order.tolist()
    ]
    counted = int(np.any(list(chosen.values()), axis=0).sum())
    diagnostics: dict[str, float | int | None] = {
        "votes": counted,
        "slices": len(fits),
        "kemeny_agreement": order.agreement,
        "largest_knot": order.largest_part,
    }
    warnings = warned(counted, None)
    warnings += ["slices_part_ways"] * (order.largest_part > 1) + ["not_exact"] * (not order.exact)
    warnings += ["part_of_votes"] * (counted < len(votes))
    warnings += ["not_connected"] * any(int(fit.evidence.component.max()) > 0 for fit in fits.values())
    boards = [_part(name, fit, evidence) for name, fit in fits.items()]
    return Board(in_order(rows), "borda", diagnostics, warnings, boards=boards)


def _ranks(fit: StrengthFit) -> Floats:
    """(M,) ranks by points, NaN for who is not in the slice or not joined to most of it."""
    component = fit.evidence.component
    main = np.bincount(component[component >= 0]).argmax()
    inside = component == main
    stronger = inside[None, :] & (fit.strength[None, :] > fit.strength[:, None])
    return np.where(inside, 1.0 + stronger.sum(axis=1), np.nan)


def _part(name: str, fit: StrengthFit, evidence: Evidence, **more: Any) -> dict[str, Any]:
    rows: list[Row] = rows_of(fit, evidence)
    return {"name": name, "votes": float(fit.evidence.battles.sum() / 2), "rows": rows, **more}
