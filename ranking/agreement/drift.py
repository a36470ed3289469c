"""Whether an annotator grows faster, or their numbers larger, from their first judgment to their last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ..arrays import Floats, Ints
from ..errors import BadParameter, BadValue, ShapeMismatch, TooFewAnswers, UnknownIndex
from ..options import checked

LEAST = 5  # positive values, below which no trend is fitted


@dataclass(frozen=True, eq=False)
class AnnotatorDrift:
    """Change of a logarithm over each annotator's own judgments, first to last; exp of it is a factor."""

    change: Floats  # (A,) NaN with fewer than `least` values
    standard_error: Floats  # (A,)
    lower: Floats  # (A,)
    upper: Floats  # (A,)
    judged: Ints  # (A,) positive values
    mean_change: float  # over annotators, each counting the same
    mean_lower: float  # NaN with one annotator
    mean_upper: float
    level: float

    @property
    def factor(self) -> Floats:
        """(A,) last judgment over first: 0.5 = twice as fast, or half as large."""
        return np.asarray(np.exp(self.change))


@checked
def annotator_drift(
    value: Floats, annotator: Ints, *, annotators: int, least: int = LEAST, level: float = 0.95
) -> AnnotatorDrift:
    """Speed from seconds per judgment, scale from the sizes of amounts or strengths, rows in the order they were given.

    Fits ln value = level + change·t by least squares for each annotator, t from 0 at their first value to 1 at
    their last, with Student's t on n - 2 degrees. Values of 0 and NaN are left out (a tie has no size), and so are
    unknown annotators, -1. Items must come in random order, or a change of theirs looks like one of the person.
    Raises ShapeMismatch, UnknownIndex, BadValue, BadParameter, TooFewAnswers if no annotator has `least` values.
    """
    if value.ndim != 1 or value.shape != annotator.shape:
        raise ShapeMismatch(
            f"value has shape {value.shape} and annotator {annotator.shape}; give one each per judgment."
        )
    if annotator.size and not -1 <= int(annotator.min()) <= int(annotator.max()) < annotators:
        raise UnknownIndex(f"annotator holds an index outside -1 to {annotators - 1}.")
    if (value < 0).any() or np.isinf(value).any():
        raise BadValue("value holds a negative or infinite number; give seconds, or sizes without sign.")
    if least < 3 or not 0.0 < level < 1.0:
        raise BadParameter(f"least is {least} and level {level}; give 3 or more and a probability.")
    kept = (value > 0) & (annotator >= 0)
    who, size = annotator[kept], np.log(value[kept])
    judged = np.bincount(who, minlength=annotators)
    enough = judged >= least
    if not enough.any():
        raise TooFewAnswers(f"No annotator gave {least} positive values; collect more or lower least.")
    change, error = _trends(who, size, judged)
    change, error = np.where(enough, change, np.nan), np.where(enough, error, np.nan)
    reach = stdtrit(np.maximum(judged - 2.0, 1.0), 0.5 + level / 2.0) * error
    mean, half = _mean(change[enough], level)
    return AnnotatorDrift(change, error, change - reach, change + reach, judged, mean, mean - half, mean + half, level)


def _trends(who: Ints, size: Floats, judged: Ints) -> tuple[Floats, Floats]:
    """(A,) slopes and their standard errors."""
    order = np.argsort(who, kind="stable")
    place = np.empty(len(who))
    place[order] = np.arange(len(who)) - np.repeat(np.cumsum(judged) - judged, judged)
    last = np.maximum(judged - 1, 1)
    time = place / last[who] - 0.5

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(who, values, minlength=len(judged)), dtype=np.float64)

    spread = total(time * time)
    centred = size - (total(size) / np.maximum(judged, 1))[who]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = total(time * centred) / spread
        rest = total((centred - slope[who] * time) ** 2)
        error = np.sqrt(rest / (judged - 2.0) / spread)
    return slope, error


def _mean(change: Floats, level: float) -> tuple[float, float]:
    """Mean over annotators and half the width of its interval."""
    count = len(change)
    if count < 2:
        return float(change.mean()), float("nan")
    error = float(change.std(ddof=1)) / np.sqrt(count)
    return float(change.mean()), float(stdtrit(count - 1.0, 0.5 + level / 2.0) * error)
