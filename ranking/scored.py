"""Levels from scores on one scale, such as ratings: y = θ_i + (what the judgment adds) + e, by least squares.

A judgment scores one response or several. Of several, θ comes from the differences within judgments: every judgment has
a level of its own, so a lenient person or an easy prompt moves nobody. That is least squares on all pairs of a judgment
of L, each of weight 2/L (the "within" estimator; Wooldridge 2010, "Econometric analysis of cross section and panel
data", section 10.5), and HodgeRank with everybody's scale as it is (Jiang, Lim, Yao & Ye 2011). Where every judgment
scores one response, θ is the mean score of the contestant.

One judgment is one independent observation of the sandwich; clusters as in `clusters`. Errors need not be normal or
alike, since only their sums within clusters are used. `fit_magnitudes` is for people whose scales have to be fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from .arrays import Bools, Floats, Ints, floats, frozen, ints
from .bradley_terry import PROVISIONAL_BELOW
from .clusters import Scores as Gradients
from .clusters import Spread, spread_of
from .errors import BadValue, NoComparisons, NoVariation, ShapeMismatch, SingleContestant, TooFewAnswers, UnknownIndex
from .gauge import in_gauge
from .options import checked, whole
from .strengths import Covariance, Evidence, Note, StrengthFit


@dataclass(frozen=True, eq=False, kw_only=True)
class Scored:
    """n judgments, each with a score for one or more of `count` contestants, behind one another in flat arrays.

    Labels of -1 are unknown. Raises ShapeMismatch, UnknownIndex, BadValue, SingleContestant.
    """

    contestant: Ints  # (k,) 0..count-1
    score: Floats  # (k,) finite
    start: Ints  # (n + 1,) judgment r holds the entries start[r] to start[r + 1] - 1
    count: int  # M
    annotator: Ints | None = None  # (n,)
    prompt: Ints | None = None  # (n,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", whole("count", self.count))
        if self.count < 2:
            raise SingleContestant(f"count is {self.count}; give the number of contestants, at least two.")
        for name in ("contestant", "start", "annotator", "prompt"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(ints(name, getattr(self, name))))
        object.__setattr__(self, "score", frozen(floats("score", self.score, BadValue)))
        self._check()

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def lengths(self) -> Ints:
        """(n,) scores in each judgment."""
        return np.diff(self.start)

    def _check(self) -> None:
        if self.contestant.ndim != 1 or self.contestant.shape != self.score.shape:
            raise ShapeMismatch("contestant and score differ in shape; give one each per entry.")
        start = self.start
        if not len(start) or start[0] != 0 or start[-1] != len(self.score) or (np.diff(start) < 0).any():
            raise ShapeMismatch("start must rise from 0 to the number of entries; give one more value than judgments.")
        for name in ("annotator", "prompt"):
            if (values := getattr(self, name)) is not None and values.shape != (len(self),):
                raise ShapeMismatch(
                    f"{name} has shape {values.shape}; give one value for each of {len(self)} judgments."
                )
        if len(self.contestant) and not 0 <= int(self.contestant.min()) <= int(self.contestant.max()) < self.count:
            raise UnknownIndex(f"contestant holds an index outside 0 to {self.count - 1}.")
        if not np.isfinite(self.score).all():
            raise BadValue("score holds NaN or an infinite value; leave out what was not scored.")


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreFit(StrengthFit):
    """A `StrengthFit` in the unit of the scores; `log_likelihood` is that of normal errors.

    In `evidence` every score that was used is a battle, and decisive: no contestant is unbounded.
    """

    centre: float  # mean of the scores used; within judgments, what a strength of zero stands at
    within: bool  # from differences within judgments; else strengths are mean scores, in no gauge

    @property
    def level(self) -> Floats:
        """(M,) on the scale of the scores: what a contestant would score beside the average opponent."""
        return np.asarray(self.strength + self.centre if self.within else self.strength)


@checked
def fit_scores(
    scored: Scored, *, covariance: Covariance = Covariance.AUTO, provisional_below: float = PROVISIONAL_BELOW
) -> ScoreFit:
    """Levels of every contestant that was scored beside another, or, where none was, of all that were scored.

    Raises NoComparisons; NoVariation where all scores are the same; TooFewAnswers where scores and levels are as many,
    so that nothing tells how scores vary; MissingLabels, TooFewClusters, ShapeMismatch.
    """
    entries = _Entries.of(scored)
    information = entries.information()
    groups = _groups(entries)
    together = (groups[:, None] == groups[None, :]).astype(np.float64) * entries.within
    inverse = np.linalg.inv(information + together) - _pseudo_constant(groups) * entries.within
    strength = inverse @ entries.pull()
    residual = entries.residual(strength)
    free = len(entries.score) - len(strength) - entries.within * (entries.judgments - int(groups.max()) - 1)
    _refuse_without_noise(entries.score, residual, free)
    variance = float(residual @ residual) / free
    spread = _spread(entries, covariance, inverse, variance, entries.scores(residual))
    battles = np.bincount(entries.contestant, minlength=len(strength)).astype(np.float64)
    weights = battles / battles.sum() if entries.within else np.zeros(len(strength))
    return ScoreFit(
        strength=_embedded(entries.present, strength - weights @ strength, np.nan),
        covariance=_squared(entries.present, in_gauge(spread.covariance, weights)),
        hessian_covariance=_squared(entries.present, in_gauge(variance * inverse, weights)),
        gauge=_embedded(entries.present, weights, 0.0),
        evidence=_evidence(entries, battles, groups, provisional_below),
        clustering=spread.clustering,
        floor=True,
        log_likelihood=-0.5 * len(residual) * float(np.log(2.0 * np.pi * variance)) - 0.5 * free,
        iterations=1,
        notes=spread.notes + ((Note.NOT_CONNECTED,) if groups.any() else ()),
        centre=float(entries.score.mean()),
        within=entries.within,
    )


def _spread(entries: _Entries, wanted: Covariance, inverse: Floats, variance: float, scores: Gradients) -> Spread:
    """The information is in units of the errors' variance, which a sandwich does not need to know."""
    labelled = entries.annotator is not None or entries.prompt is not None
    found = spread_of(
        entries if labelled else None,
        wanted,
        inverse,
        lambda: np.asarray((scores.T @ scores).toarray()),
        lambda _: scores,
    )
    if found.clustering.kind is Covariance.HESSIAN:
        return replace(found, covariance=variance * inverse)
    return found


@dataclass(frozen=True, eq=False)
class _Entries:
    """The scores that are used, of m contestants in J judgments."""

    contestant: Ints  # (k,) 0..m-1
    score: Floats  # (k,)
    judgment: Ints  # (k,) 0..J-1
    judgments: int
    present: Bools  # (M,)
    within: bool
    annotator: Ints | None  # (J,)
    prompt: Ints | None  # (J,)

    @classmethod
    def of(cls, scored: Scored) -> _Entries:
        judgment = np.repeat(np.arange(len(scored)), scored.lengths)
        first = scored.contestant[np.minimum(scored.start[:-1], max(len(scored.score) - 1, 0))][judgment]
        several = np.zeros(len(scored), dtype=bool)
        several[judgment[scored.contestant != first]] = True
        within = bool(several.any())
        kept = several[judgment] if within else np.ones(len(judgment), dtype=bool)
        present = np.zeros(scored.count, dtype=bool)
        present[scored.contestant[kept]] = True
        if int(present.sum()) < 2:
            raise NoComparisons("Fewer than two contestants were scored; collect scores of others.")
        used, codes = np.unique(judgment[kept], return_inverse=True)
        return cls(
            contestant=(np.cumsum(present) - 1)[scored.contestant[kept]],
            score=scored.score[kept],
            judgment=codes,
            judgments=len(used),
            present=present,
            within=within,
            annotator=None if scored.annotator is None else scored.annotator[used],
            prompt=None if scored.prompt is None else scored.prompt[used],
        )

    def sums(self) -> csr_array:
        """(J, m) how often each contestant was scored in each judgment."""
        shape = (self.judgments, int(self.present.sum()))
        return csr_array((np.ones(len(self.score)), (self.judgment, self.contestant)), shape=shape)

    def information(self) -> Floats:
        """(m, m) Σ (x - x̄)(x - x̄)ᵀ, x̄ of the judgment; without one for each judgment, Σ x xᵀ."""
        met = self.sums()
        own = np.diag(np.bincount(self.contestant).astype(np.float64))
        if not self.within:
            return own
        share = met.multiply(1.0 / np.bincount(self.judgment)[:, None]).tocsr()
        return np.asarray(own - (met.T @ share).toarray())

    def centred(self, values: Floats) -> Floats:
        """(k,) each judgment's mean taken off, where judgments have levels of their own."""
        if not self.within:
            return values
        return np.asarray(values - (np.bincount(self.judgment, values) / np.bincount(self.judgment))[self.judgment])

    def pull(self) -> Floats:
        """(m,)"""
        return np.asarray(np.bincount(self.contestant, self.centred(self.score)))

    def residual(self, strength: Floats) -> Floats:
        return self.centred(self.score - strength[self.contestant])

    def scores(self, residual: Floats) -> csr_array:
        """(J, m) the gradient of each judgment, times the variance of the errors."""
        shape = (self.judgments, int(self.present.sum()))
        return csr_array((residual, (self.judgment, self.contestant)), shape=shape)


def _groups(entries: _Entries) -> Ints:
    """(m,) who shares a scale: of mean scores all do."""
    met = entries.sums()
    if not entries.within:
        return np.zeros(met.shape[1], dtype=np.int64)
    return np.asarray(connected_components(met.T @ met, directed=False)[1], dtype=np.int64)


def _pseudo_constant(groups: Ints) -> Floats:
    """(m, m) what the inverse of information + 1 within groups has beyond the pseudoinverse of the information."""
    size = np.bincount(groups)[groups].astype(np.float64)
    return np.asarray((groups[:, None] == groups[None, :]) / (size[:, None] * size[None, :]))


def _refuse_without_noise(score: Floats, residual: Floats, free: int) -> None:
    """Raises NoVariation, TooFewAnswers."""
    if (score == score[0]).all():
        raise NoVariation(f"Every score is {score[0]:g}, so nothing orders the contestants; collect more.")
    if free < 1 or not np.abs(residual).max() > 1e-9 * np.abs(score).max():
        raise TooFewAnswers("There are no more scores than levels to find, so nothing tells how far they vary.")


def _evidence(entries: _Entries, battles: Floats, groups: Ints, provisional_below: float) -> Evidence:
    nobody = np.zeros(len(entries.present), dtype=bool)
    return Evidence(
        battles=_embedded(entries.present, battles, 0.0),
        decisive=_embedded(entries.present, battles, 0.0),
        present=entries.present,
        undefeated=nobody,
        winless=nobody.copy(),
        provisional=_embedded(entries.present, battles < provisional_below, False),
        component=_embedded(entries.present, groups, -1),
    )


def _embedded(present: Bools, values: ArrayLike, absent: float | bool) -> np.ndarray:
    given = np.asarray(values)
    full = np.full(len(present), absent, dtype=given.dtype)
    full[present] = given
    return full


def _squared(present: Bools, values: Floats) -> Floats:
    full = np.full((len(present), len(present)), np.nan)
    full[np.ix_(present, present)] = values
    return full
