"""What the contestants are worth to those who were asked: a line of its own beside the order, never mixed with it."""

from typing import Any

import numpy as np

from annotation.boards.bounded import LEVEL, BoundedWorth
from annotation.ratings import AMOUNT_STATES, TIE, PairRows
from ranking import (
    Estimand,
    NoComparisons,
    NoConvergence,
    NotConnected,
    NotStronglyConnected,
    OnlyTies,
    RankingError,
    TooFewAnswers,
    TooFewClusters,
    WorthFit,
    fit_worth,
    generator,
)

MIN_ANSWERS = 5
DRAWS = 2000
# A larger share of amounts at what there is to pay from, and the truth lies above.
MOST_AT_BOUND = 0.01
# Why there is no worth, by what the fit refused.
REASONS: dict[type[RankingError], str] = {
    NoComparisons: "no_amounts",
    TooFewAnswers: "too_few_answers",
    NotConnected: "not_connected",
    NotStronglyConnected: "not_connected",
    TooFewClusters: "one_prompt",
    OnlyTies: "only_zeros",
    NoConvergence: "open_bounds",
}
# What a board says of its worths besides what the fit itself notes.
ANCHORED, FEW_ANCHORS, AT_THE_BOUND = "anchored", "few_anchors", "censored"
BOUNDED, ONE_SIDED, CONTRADICTORY = "bounded", "one_sided", "contradictory"
OWN_NOTES = frozenset({ANCHORED, FEW_ANCHORS, AT_THE_BOUND, BOUNDED, ONE_SIDED, CONTRADICTORY})
Entries = dict[int, dict[str, Any]]


def worth_of(pairs: PairRows, seed: int) -> tuple[dict[str, Any] | None, Entries]:
    """The board's worth block and each contestant's line in it, by position; None where no amount was ever asked.

    `seed` fixes the bootstrap, so that the same rows give the same intervals.
    """
    response = _response(pairs)
    if not pairs.priced.any() and not response["asked"]:
        return None, {}
    block = response | {"min_answers": MIN_ANSWERS, "draws": DRAWS, "estimand": "panel", "incentive": pairs.incentive}
    try:
        if not np.isnan(pairs.amount_low).all():
            bounded = BoundedWorth(pairs)
            return block | bounded.block() | _said_of_bounds(bounded, pairs), bounded.entries(seed)
        fit = fit_amounts(pairs, seed)
    except tuple(REASONS) as refused:
        return block | {"reason": REASONS[type(refused)], "notes": []}, {}
    return block | _block(fit) | _said(fit, pairs), _entries(fit)


def _said_of_bounds(bounded: BoundedWorth, pairs: PairRows) -> dict[str, Any]:
    notes = [note.value for note in bounded.fit.notes] + [BOUNDED]
    notes += [ANCHORED] if bounded.anchored else [FEW_ANCHORS] * bool(pairs.is_anchor.any())
    notes += [ONE_SIDED] * bounded.fit.is_censored + [CONTRADICTORY] * bool(pairs.contradicts.any())
    return {"notes": notes}


def fit_amounts(pairs: PairRows, seed: int) -> WorthFit:
    """People count equally on the scales that anchors give. Where nobody priced enough of them amounts count as they
    are typed; where there are none at all, as in an arena, everybody's amounts count the same in total."""
    comparisons = pairs.amounts()
    anchors = pairs.is_anchor[np.isfinite(pairs.amount)]
    if not anchors.any():
        return fit_worth(comparisons, rng=generator(seed), min_answers=MIN_ANSWERS, draws=DRAWS)
    try:
        return fit_worth(comparisons, rng=generator(seed), min_answers=MIN_ANSWERS, draws=DRAWS, anchors=anchors)
    except TooFewAnswers:
        money = Estimand.MONEY
        return fit_worth(comparisons, rng=generator(seed), estimand=money, draws=DRAWS, anchors=anchors)


def _said(fit: WorthFit, pairs: PairRows) -> dict[str, Any]:
    """Whose worth it is, and what else must be said of it."""
    asked = np.isfinite(pairs.amount) & (pairs.preference != TIE)
    anchored = bool(pairs.is_anchor.any())
    notes = [note.value for note in fit.notes]
    notes += [ANCHORED] * fit.anchored + [FEW_ANCHORS] * (anchored and not fit.anchored)
    notes += [AT_THE_BOUND] * bool(asked.any() and pairs.at_bound[asked].mean() > MOST_AT_BOUND)
    return {"estimand": fit.estimand.value, "notes": notes}


def _response(pairs: PairRows) -> dict[str, Any]:
    """How many of those who chose a side were asked for an amount, and what they did. A tie's 0 is not an answer."""
    counts = np.bincount(pairs.amount_state, minlength=len(AMOUNT_STATES))
    of = dict(zip(AMOUNT_STATES, counts.tolist(), strict=True))
    asked = of["given"] + of["zero"] + of["protest"] + of["skipped"]
    answered = of["given"] + of["zero"]
    return {
        "asked": asked,
        "answered": answered,
        "refused": of["protest"],
        "skipped": of["skipped"],
        "ties": of["implied"],
        "response_rate": answered / asked if asked else None,
        "refused_share": of["protest"] / asked if asked else None,
    }


def _block(fit: WorthFit) -> dict[str, Any]:
    return {
        "reason": None,
        "answers_used": fit.answers,
        "people": fit.clustering.annotators,
        "people_left_out": fit.annotators_left_out,
        "covariance": fit.clustering.kind.value,
        "heavy_tailed": fit.heavy_tailed,
        "tail_share": fit.tail_share,
        "notes": [note.value for note in fit.notes],
    }


def _entries(fit: WorthFit) -> Entries:
    intervals = fit.to_intervals(LEVEL)
    best = fit.probability_best()
    return {
        position: {
            "value": float(intervals.worth[position]),
            "lower": float(intervals.lower[position]),
            "upper": float(intervals.upper[position]),
            "answers": int(fit.contestant_answers[position]),
            "probability_best": float(best[position]),
        }
        for position in np.flatnonzero(fit.present).tolist()
    }
