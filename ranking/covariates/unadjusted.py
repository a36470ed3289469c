"""The board that does not adjust: where the adjusted fit starts, and what it is shown beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..bradley_terry import fit_bradley_terry
from ..comparisons import Comparisons
from ..counts import BothBad, Counts
from ..davidson import fit_davidson
from ..errors import MissingLabels
from ..gauge import Gauge
from ..grade_likelihood import Categories
from ..ordinal import fit_ordinal, fit_rao_kupper
from ..priors import Prior
from ..strengths import Covariance, StrengthFit
from .design import row_weights
from .responses import Answers, DavidsonTies, Grades, HalfTies, Response


@dataclass(frozen=True, eq=False)
class Settings:
    """What both boards share."""

    prior: Prior | None
    covariance: Covariance
    gauge: Gauge | int
    both_bad: BothBad
    floor: bool
    provisional_below: float


@dataclass(frozen=True, eq=False)
class Plain:
    """A fit without covariates, with its model's shape."""

    fit: StrengthFit
    answers: Answers
    shape: Floats  # (q,)


def fit_plain(data: Comparisons | Counts, counts: Counts, response: Response, settings: Settings) -> Plain:
    """Raises what the model's own fit does, and MissingLabels for grades without comparisons."""
    options = vars(settings)
    labelled = not isinstance(data, Counts) and (data.annotator is not None or data.prompt is not None)
    cheapest = data if labelled else counts
    if response is Response.HALF_TIES:
        return Plain(fit_bradley_terry(cheapest, **options), HalfTies(), np.empty(0))
    if response is Response.DAVIDSON:
        davidson = fit_davidson(cheapest, **options)
        return Plain(davidson, DavidsonTies(), np.array([davidson.log_nu]))
    if response is Response.RAO_KUPPER:
        kupper = fit_rao_kupper(cheapest, **options)
        return Plain(kupper, Grades(Categories(np.array([0, 1])), levels=False), kupper.cuts)
    if isinstance(data, Counts) or data.strength is None:
        raise MissingLabels("Response.GRADES needs comparisons with strengths; use Response.RAO_KUPPER for ties.")
    ordinal = fit_ordinal(data, levels=max(int(data.strength.max(initial=1)), 1), **options)
    return Plain(ordinal, *_grades(data, settings.both_bad))


def _grades(rows: Comparisons, both_bad: BothBad) -> tuple[Grades, Floats]:
    """The strengths that somebody gave, 0 for ties, with the cuts (J,) that their shares have among equals."""
    weight = row_weights(rows, slice(None), both_bad)
    strength = np.zeros(len(rows), dtype=np.int64) if rows.strength is None else rows.strength
    total = np.bincount(np.where(rows.outcome == 0.5, 0, strength), weights=weight)
    used = np.flatnonzero(total)
    share = np.cumsum(total[used][::-1])[::-1] / total.sum()
    return Grades(Categories(used), levels=True), np.log(2.0 / share[1:] - 1.0)
