"""Worth where prices were taken or left: each answer only says between which two amounts it lies."""

from dataclasses import replace
from typing import Any

import numpy as np

from annotation.ratings import Bools, Floats, PairRows
from ranking import (
    BoundedWorthFit,
    Comparisons,
    Estimand,
    RankingError,
    TooFewAnswers,
    anchor_scales,
    fit_bounded_worth,
    generator,
    probability_best,
)

LEVEL = 0.95


class BoundedWorth:
    """The fit of the likelihood of bounds, and what stands beside it.

    On the scales that anchors give people count equally, an anchor's size read off the middle of its bounds; without
    enough of them amounts count as they are. Lists that contradict themselves count by their hull, and `consistent` is
    the fit without them.
    """

    def __init__(self, pairs: PairRows) -> None:
        comparisons, rows = pairs.bounded_amounts(), pairs.priced
        anchors = pairs.is_anchor[rows]
        scale, self.people_left_out = _scales(comparisons, anchors)
        self.anchored = scale is not None
        self.estimand = Estimand.PANEL if self.anchored else Estimand.MONEY
        work = ~anchors if self.anchored else np.ones(len(anchors), dtype=bool)
        self._comparisons, self._scale = comparisons.select(work), None if scale is None else scale[work]
        self._contradicts = pairs.contradicts[rows][work]
        self.fit = self._fit(np.ones(len(self._comparisons), dtype=bool))

    def block(self) -> dict[str, Any]:
        fit = self.fit
        return {
            "reason": None,
            "answers_used": fit.exact + fit.bounded + fit.censored,
            "people": fit.clustering.annotators,
            "people_left_out": self.people_left_out,
            "covariance": fit.clustering.kind.value,
            "heavy_tailed": fit.heavy_tailed,
            "tail_share": fit.tail_share,
            "estimand": self.estimand.value,
            "notes": [note.value for note in fit.notes],
            "draws": None,
            "bounds": {
                "exact": fit.exact,
                "between": fit.bounded,
                "one_sided": fit.censored,
                "one_sided_share": fit.censored_share,
                "contradictory": int(self._contradicts.sum()),
            },
        }

    def entries(self, seed: int) -> dict[int, dict[str, Any]]:
        fit = self.fit
        intervals = fit.to_intervals(LEVEL)
        best = probability_best(fit.worth, fit.covariance, rng=generator(seed))
        answers = self._answers()
        beside = {"lower_only": fit.lower_only, "upper_only": fit.upper_only, "consistent": self._consistent()}
        return {
            position: {
                "value": float(intervals.worth[position]),
                "lower": float(intervals.lower[position]),
                "upper": float(intervals.upper[position]),
                "answers": int(answers[position]),
                "probability_best": float(best[position]),
                **{name: _number(values[position]) for name, values in beside.items()},
            }
            for position in np.flatnonzero(fit.present).tolist()
        }

    def _answers(self) -> Floats:
        """(M,) rows in the fit that involve each."""
        rows, count = self._comparisons, self._comparisons.count
        used = (rows.a != rows.b) & (np.ones(len(rows), bool) if self._scale is None else np.isfinite(self._scale))
        return np.asarray(np.bincount(rows.a[used], minlength=count) + np.bincount(rows.b[used], minlength=count))

    def _consistent(self) -> Floats:
        """(M,) without the lists that contradict themselves; NaN where too little is left."""
        if not self._contradicts.any():
            return self.fit.worth
        try:
            return self._fit(~self._contradicts).worth
        except RankingError:
            return np.full(self._comparisons.count, np.nan)

    def _fit(self, kept: Bools) -> BoundedWorthFit:
        scale = None if self._scale is None else self._scale[kept]
        return fit_bounded_worth(self._comparisons.select(kept), estimand=self.estimand, scale=scale)


def _scales(comparisons: Comparisons, anchors: Bools) -> tuple[Floats | None, int]:
    """(n,) of each row's annotator, and how many have none; None where nobody priced enough anchors."""
    if not anchors.any():
        return None, 0
    try:
        scales = anchor_scales(replace(comparisons, amount=_middles(comparisons)), anchors)
    except TooFewAnswers:
        return None, 0
    return scales.of_rows(comparisons), len(scales.left_out)


def _middles(comparisons: Comparisons) -> Floats:
    """(n,) the amount, or the middle of its bounds, or the one bound there is."""
    assert comparisons.amount is not None
    assert comparisons.amount_low is not None
    assert comparisons.amount_high is not None
    low = np.where(np.isfinite(comparisons.amount_low), comparisons.amount_low, comparisons.amount_high)
    high = np.where(np.isfinite(comparisons.amount_high), comparisons.amount_high, comparisons.amount_low)
    return np.where(np.isfinite(comparisons.amount), comparisons.amount, (low + high) / 2)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
