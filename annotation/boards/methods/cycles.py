"""Preferences that may go in circles, and the lottery that nobody beats on average."""

import numpy as np

from annotation.boards.methods.evidence import Board, Evidence, Row, finite, in_order, row, warned
from annotation.boards.methods.votes import omega_of
from ranking import (
    CyclicFit,
    Lottery,
    choose_cyclic_rank,
    fit_bradley_terry,
    fit_cyclic,
    generator,
    majorities,
    maximal_lottery,
)

MOST_RANK = 1
STARTS = 2


def cyclic(evidence: Evidence) -> Board:
    """The circle's terms are fitted where votes that the fit has not seen speak for them; else it is Bradley-Terry.

    Circles are named only where they are significant on unseen votes: below that a fit always finds some.
    """
    votes = evidence.comparisons()
    held_out = choose_cyclic_rank(
        votes, rng=generator(evidence.seed), most=MOST_RANK, starts=STARTS, both_bad=evidence.both_bad
    )
    rank = held_out.chosen if held_out.significant else 0
    fit = fit_cyclic(votes, rank=rank, rng=generator(evidence.seed), starts=STARTS, both_bad=evidence.both_bad)
    lottery, found = maximal_lottery(fit.probability), majorities(fit.probability)
    rows = _rows(fit, lottery, evidence)
    gain = held_out.gain[MOST_RANK]
    diagnostics = {
        "votes": len(votes),
        "people": fit.clustering.annotators,
        "parts": int(fit.evidence.component.max()) + 1,
        "held_out_gain": float(gain),
        "held_out_error": float(held_out.gain_error[MOST_RANK]),
        "circular_terms": rank,
        "smith": len(found.smith),
        "omega": omega_of(votes, fit_bradley_terry(votes, both_bad=evidence.both_bad).strength, evidence),
    }
    warnings = warned(len(votes), fit.clustering.annotators, [note.value for note in fit.notes])
    warnings += ["circles"] if rank and found.cycles else ["no_circles"] * (not rank)
    cycles = [[evidence.contestant(one) for one in cycle] for cycle in found.cycles] if rank else []
    return Board(in_order(rows), "lottery", diagnostics, warnings, cycles=cycles)


def _rows(fit: CyclicFit, lottery: Lottery, evidence: Evidence) -> list[Row]:
    points = fit.to_points()
    rows = [
        row(
            evidence.contestant(position),
            0,
            value=float(lottery.probability[position]),
            points=float(points.points[position]),
            points_lower=finite(points.lower[position]),
            points_upper=finite(points.upper[position]),
        )
        for position in np.flatnonzero(fit.evidence.present).tolist()
    ]
    for each in rows:
        each["rank"] = 1 + sum(_key(other) > _key(each) for other in rows)
    return rows


def _key(each: dict[str, float]) -> tuple[float, float]:
    """By the lottery's chances, and beyond its support by the mean odds against everybody."""
    return round(each["value"], 9), each["points"]
