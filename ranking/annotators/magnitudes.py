"""Strengths from answers on a scale, each annotator's own: y = a_k·(θ_a - θ_b + e), e ~ N(0, σ_k²).

HodgeRank (Jiang, Lim, Yao & Ye 2011, "Statistical ranking and combinatorial Hodge theory", Math. Program. 127,
sections 3-5) with a scale per annotator. Weighted least squares for θ given a, for a given θ, and for the noise
s_k = |a_k|·σ_k given both, in turn. Residuals beyond 1.345·s_k weigh less (Huber 1981, "Robust statistics", sections
7.7-7.8, proposal 2; 1.345 keeps 95 % of the efficiency under normal errors). s_k² leans on four answers' worth of the
average noise, in units of the annotator's own mean |y|, so that nobody looks exact by having answered little.

How clearly annotators tell strengths apart, 1/σ_k, is drawn towards the average by as much as chance explains of what
differs, and strengths allow for what stays unknown (`magnitude_state`). Where annotators do not differ that is least
squares on answers in units of the own noise; with many answers each it is every annotator's own scale. Simulated with
six strengths within ±½ and scales of 1 (340 worlds each): with 30 annotators x 8 answers and noise 1, 30 x 8 and 2,
30 x 20 and 2, 100 x 8 and 2, strengths spread .99, .99, 1.00, .98 times as wide as the true ones, and nominal 95 %
intervals cover .945, .944, .955, .953 (± .006).

Scale and strengths have one freedom: Π a_k = 1 over the annotators whose a_k is above zero by two standard errors or
who are at least half as clear as the average. Others count with the a_k they have, negative for one who turns the scale
around. Signs are those of the majority. The pairs must connect everyone.

The pairs' means of y/a are a potential plus a rest that no strengths explain, circles. `cyclicity` is the rest's
share of their weighted sum of squares; independent noise alone gives `cyclicity_by_chance`.

With `adjust`, y = a_k·(θ_a - θ_b + x·β + l_k + e): covariates and side as in `covariates.adjustment`, in units of
strength, joint with θ; l_k, for Side.ANNOTATOR, is each annotator's own leaning, see `joint`.

Not for stakes: where amounts differ because prompts matter more or less, downweighting the large ones would change
the question, not the noise. Use `fit_worth`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Any

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..bradley_terry import PROVISIONAL_BELOW
from ..clusters import number
from ..comparisons import Comparisons
from ..connectivity import members
from ..counts import BothBad
from ..covariates.adjustment import Adjustment, Effects, columns_of
from ..covariates.design import Side
from ..covariates.side import Leanings
from ..errors import (
    BadAmount,
    BadParameter,
    MissingLabels,
    NoComparisons,
    NoConvergence,
    NotConnected,
    ShapeMismatch,
    TooFewAnswers,
)
from ..gauge import Gauge
from ..options import checked
from ..strengths import Covariance, Evidence, Ratings, StrengthFit
from .joint import Beside
from .magnitude_state import State, alternate
from .panel import UNDETERMINED, Inference, Panel, panel_of
from .robust import HUBER, Robust

MIN_ANSWERS = 5
# Φ(x) and σ(1.702·x) never differ by more than .01 (Haley 1952).
PROBIT = 1.702


@dataclass(frozen=True, eq=False, kw_only=True)
class MagnitudeFit(StrengthFit):
    """A `StrengthFit` in the unit of the geometric mean annotator; `log_likelihood` is that of normal errors."""

    annotator: Ints  # (K,) labels, -1 where unknown
    votes: Floats  # (K,) weighted rows of each
    scale: Floats  # (K,) a
    scale_error: Floats  # (K,)
    noise: Floats  # (K,) σ, in units of strength; inf where the scale is zero
    in_gauge: Bools  # (K,) a is above zero by two standard errors, or at least half as clear as the average
    clarity_sd: float  # of 1/σ across annotators, as a share of its mean; 0 where chance explains what differs
    annotators_left_out: int  # too few answers, or all of them zero
    cyclicity: float  # share of the pair means' weighted sum of squares that no strengths explain
    cyclicity_by_chance: float  # what independent noise makes of it on average
    huber: float | None
    effects: Effects | None = None  # of `adjust`
    leanings: Leanings | None = None  # under Side.ANNOTATOR

    @property
    def opposed(self) -> Bools:
        """(K,) whose scale is below zero by two standard errors."""
        return np.asarray(self.scale + 2.0 * self.scale_error < 0.0)

    def to_points(self, level: float = 0.95) -> Ratings:
        """On the public scale, for the median annotator in the gauge, who prefers i over j with probability Φ(d/σ)."""
        factor = PROBIT / float(np.median(self.noise[self.in_gauge]))
        in_logits = StrengthFit(
            strength=factor * self.strength,
            covariance=factor**2 * self.covariance,
            hessian_covariance=factor**2 * self.hessian_covariance,
            gauge=self.gauge,
            evidence=self.evidence,
            clustering=self.clustering,
            floor=self.floor,
            log_likelihood=self.log_likelihood,
            iterations=self.iterations,
            notes=self.notes,
        )
        return in_logits.to_points(level)


@checked
def fit_magnitudes(
    comparisons: Comparisons,
    *,
    values: Floats | None = None,
    huber: float | None = HUBER,
    min_answers: int = MIN_ANSWERS,
    adjust: Adjustment | None = None,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> MagnitudeFit:
    """From `amount`, or from `values` (n,) in its place, such as `comparisons.grade`; NaN where nothing was said.

    `huber` is the tuning constant in standard deviations; None is least squares.
    Raises BadAmount, ShapeMismatch, BadParameter, MissingLabels, NoComparisons, TooFewAnswers, NotConnected,
    NoConvergence, TooFewClusters, UnknownIndex; with `adjust` also BadCovariate.
    """
    if min_answers < 2 or not (huber is None or huber > 0.0):
        raise BadParameter(f"min_answers is {min_answers} and huber {huber}; give at least 2, and a positive number.")
    panel, y, left_out = _answered(comparisons, values, min_answers)
    robust = Robust(huber)
    state = alternate(panel, y, robust, _beside(panel, adjust)).rescaled(panel, robust)
    inference = state.information(panel, y, robust).infer(
        panel, *state.scores(panel, y, robust), covariance, robust.dispersion
    )
    share, chance = _cyclicity(panel, y, state, robust)
    return MagnitudeFit(
        **panel.gauged(state.strength, inference, gauge),
        **_annotators(panel, state, inference, robust),
        evidence=_evidence(panel, provisional_below),
        floor=floor,
        log_likelihood=state.log_likelihood(panel, y),
        iterations=state.rounds,
        notes=inference.spread.notes,
        annotators_left_out=left_out,
        cyclicity=share,
        cyclicity_by_chance=chance,
        huber=huber,
    )


def _annotators(panel: Panel, state: State, inference: Inference, robust: Robust) -> dict[str, Any]:
    """The fields that say something of each annotator, and of what moved answers besides strength."""
    return {
        "annotator": panel.labels,
        "votes": panel.votes,
        "scale": state.scale,
        "scale_error": state.scale_error(panel, robust, inference.annotator_error),
        "noise": _ratio(state.noise, np.abs(state.scale), inf),
        "in_gauge": state.reliable(panel, robust),
        "clarity_sd": 0.0 if state.pool is None else sqrt(state.pool.variance) / state.pool.mean,
        **_moved(panel, state, inference, robust),
    }


def _moved(panel: Panel, state: State, inference: Inference, robust: Robust) -> dict[str, Any]:
    """The fields that say what moved answers besides strength."""
    beside, m = state.beside, panel.rows.count
    leanings = None
    if beside.leans:
        own = robust.slope * panel.votes * (state.scale / state.noise) ** 2
        error = np.sqrt(robust.dispersion / (own + beside.shrinkage))
        leanings = Leanings(panel.labels, beside.leaning, error, beside.variance)
    return {
        "effects": beside.columns.effects(beside.effect, inference.spread.covariance[m:, m:]),
        "leanings": leanings,
    }


def _evidence(panel: Panel, provisional_below: float) -> Evidence:
    """Every answer tells how far apart two are, so all are decisive and nobody is unbounded."""
    evidence = panel.table.evidence(provisional_below)
    rare = panel.table.embed(panel.table.battles < provisional_below, False)
    return replace(evidence, decisive=evidence.battles, provisional=rare)


def _answered(comparisons: Comparisons, values: Floats | None, min_answers: int) -> tuple[Panel, Floats, int]:
    """The rows with a value, of annotators with enough of them; the values; how many annotators had too few."""
    y = comparisons.amount if values is None else np.asarray(values, dtype=np.float64)
    if y is None:
        raise BadAmount("The comparisons carry no `amount`; give it, or `values` such as comparisons.grade.")
    if y.shape != comparisons.a.shape:
        raise ShapeMismatch(f"values has shape {y.shape}; give one per comparison, {len(comparisons)}.")
    if np.isinf(y).any():
        raise BadAmount("values holds an infinite value; use NaN where nothing was said.")
    if comparisons.annotator is None:
        raise MissingLabels("A scale is fitted for each annotator: give `annotator` in the comparisons.")
    said = np.isfinite(y) & (comparisons.a != comparisons.b)
    if comparisons.weight is not None:
        said &= comparisons.weight > 0
    if not said.any():
        raise NoComparisons("No comparison carries a value; ask by how much, or fit the votes alone.")
    code = number(comparisons.annotator).code
    enough = np.bincount(code, weights=said) >= min_answers
    enough &= np.bincount(code, weights=np.where(said, np.abs(y), 0.0)) > 0.0
    if not enough.any():
        raise TooFewAnswers(f"Nobody gave {min_answers} values that are not all zero; lower min_answers or ask more.")
    # Every row is a tie to the table, which then holds who was compared with whom.
    even = replace(comparisons, amount=y, outcome=np.full(len(y), 0.5), strength=None, both_bad=None)
    panel = panel_of(even, BothBad.HALF, said & enough[code])
    if not panel.table.groups.connected:
        raise NotConnected(members(panel.table.groups.weak, panel.table.index))
    assert panel.rows.amount is not None
    return panel, panel.rows.amount, int(np.unique(code[said]).size - panel.annotator.count)


def _beside(panel: Panel, adjust: Adjustment | None) -> Beside:
    """Raises BadCovariate, and NoConvergence where no answer is left to tell noise by."""
    columns = columns_of(panel.rows, adjust)
    beside = Beside.nothing(columns, panel.annotator.count, adjust is not None and adjust.side is Side.ANNOTATOR)
    columns.refuse_collinear(beside.square(panel, panel.weight), np.zeros((panel.rows.count,) * 2))
    if len(panel.rows) < panel.rows.count + columns.count:
        raise NoConvergence(UNDETERMINED)
    return beside


def _ratio(above: Floats, below: Floats, otherwise: float) -> Floats:
    """above/below, `otherwise` where below is zero."""
    return np.divide(above, below, out=np.full(len(below), otherwise), where=below != 0.0)


def _cyclicity(panel: Panel, y: Floats, state: State, robust: Robust) -> tuple[float, float]:
    rows, code = panel.rows, panel.annotator.code
    weight = robust.weight(state.residual(panel, y))
    pull = panel.weight * weight * state.scale[code] / state.noise[code] ** 2
    sign = np.where(rows.a < rows.b, 1.0, -1.0)
    pair = number(np.minimum(rows.a, rows.b) * rows.count + np.maximum(rows.a, rows.b))
    mass = np.bincount(pair.code, weights=pull * state.scale[code]).astype(np.float64)
    owed = np.bincount(pair.code, weights=sign * pull * (y - state.scale[code] * state.beside.offset(panel)))
    mean = _ratio(owed.astype(np.float64), mass, 0.0)
    first = np.unique(pair.code, return_index=True)[1]
    rest = mean - (sign * panel.difference(state.strength))[first]
    total = float(mass @ mean**2)
    if total == 0.0:  # the side and the covariates say it all
        return 0.0, 0.0
    free = pair.count - (rows.count - 1)
    noise = robust.variance / float(np.average(weight, weights=panel.weight))
    return float(mass @ rest**2) / total, free * noise / total
