"""Which contestants are above “I would take it”: their level against taking nothing, where acceptability was asked."""

from typing import Any

import numpy as np

from annotation.enums import Method
from annotation.ratings import PairRows
from ranking import (
    POINTS_AT_ZERO,
    POINTS_PER_LOGIT,
    NoComparisons,
    NoConvergence,
    NoLevel,
    RankingError,
    TooFewClusters,
    fit_outside_option,
)

LEVEL = 0.95
REASONS: dict[type[RankingError], str] = {
    NoComparisons: "no_votes",
    NoLevel: "no_level",
    TooFewClusters: "one_prompt",
    NoConvergence: "no_level",
}


def level_of(pairs: PairRows) -> dict[str, Any] | None:
    """Chance that a response alone would be taken, with its interval, by contestant; None where it was never asked.

    In the rows where both responses were said to be acceptable or not, one was chosen or neither was.
    """
    asked = (pairs.acceptable_a >= 0) & (pairs.acceptable_b >= 0)
    fitted = pairs.fitted(Method.BT_HALF)
    if not asked.any():
        return None
    rows = pairs.comparisons(Method.BT_HALF).select(asked[fitted])
    try:
        fit = fit_outside_option(rows)
    except tuple(REASONS) as refused:
        return {"reason": REASONS[type(refused)], "level": LEVEL, "answers": len(rows), "entries": []}
    points = fit.to_points(LEVEL)
    ends = np.stack((points.points, points.lower, points.upper))
    chance = 1.0 / (1.0 + np.exp(-(ends - POINTS_AT_ZERO) / POINTS_PER_LOGIT))
    return {
        "reason": None,
        "level": LEVEL,
        "answers": len(rows),
        "entries": [
            {
                "contestant": pairs.contestants[position],
                "chance": float(chance[0, position]),
                # Open where a contestant was always or never taken.
                "lower": float(chance[1, position]),
                "upper": float(chance[2, position]),
                "side": "above" if chance[1, position] > 0.5 else "below" if chance[2, position] < 0.5 else "open",
            }
            for position in np.flatnonzero(fit.evidence.present).tolist()
        ],
    }
