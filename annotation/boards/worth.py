"""What the contestants are worth to those who were asked: a line of its own beside the order, never mixed with it."""

from typing import Any

import numpy as np

from annotation.ratings import AMOUNT_STATES, PairRows
from ranking import (
    NoComparisons,
    NotConnected,
    NotStronglyConnected,
    RankingError,
    TooFewAnswers,
    TooFewClusters,
    WorthFit,
    fit_worth,
    generator,
)

MIN_ANSWERS = 5
DRAWS = 2000
LEVEL = 0.95
# Why there is no worth, by what the fit refused.
REASONS: dict[type[RankingError], str] = {
    NoComparisons: "no_amounts",
    TooFewAnswers: "too_few_answers",
    NotConnected: "not_connected",
    NotStronglyConnected: "not_connected",
    TooFewClusters: "one_prompt",
}
Entries = dict[int, dict[str, Any]]


def worth_of(pairs: PairRows, seed: int) -> tuple[dict[str, Any] | None, Entries]:
    """The board's worth block and each contestant's line in it, by position; None where no amount was ever asked.

    `seed` fixes the bootstrap, so that the same rows give the same intervals.
    """
    comparisons = pairs.amounts()
    response = _response(pairs)
    if len(comparisons) == 0 and not response["asked"]:
        return None, {}
    block = response | {"min_answers": MIN_ANSWERS, "draws": DRAWS, "estimand": "panel", "incentive": "stated"}
    try:
        fit = fit_worth(comparisons, rng=generator(seed), min_answers=MIN_ANSWERS, draws=DRAWS)
    except tuple(REASONS) as refused:
        return block | {"reason": REASONS[type(refused)], "notes": []}, {}
    return block | _block(fit), _entries(fit)


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
