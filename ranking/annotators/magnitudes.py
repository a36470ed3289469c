"""Strengths from answers on a scale, each annotator's own: y = a_k·(θ_a - θ_b + e), e ~ N(0, σ_k²).

HodgeRank (Jiang, Lim, Yao & Ye 2011, "Statistical ranking and combinatorial Hodge theory", Math. Program. 127,
sections 3-5) with a scale per annotator. Weighted least squares for θ given a, for a given θ, and for the noise
s_k = |a_k|·σ_k given both, in turn. Residuals beyond 1.345·s_k weigh less (Huber 1981, "Robust statistics", sections
7.7-7.8, proposal 2; 1.345 keeps 95 % of the efficiency under normal errors). s_k² leans on four answers' worth of the
average noise, in units of the annotator's own mean |y|, so that nobody looks exact by having answered little.

Scale and strengths have one freedom: Π a_k = 1 over the annotators whose a_k is above zero by two standard errors.
Others count with the a_k they have, negative for one who turns the scale around. The pairs must connect everyone.

The pairs' means of y/a are a potential plus a rest that no strengths explain, circles. `cyclicity` is the rest's
share of their weighted sum of squares; independent noise alone gives `cyclicity_by_chance`.

With `adjust`, y = a_k·(θ_a - θ_b + x·β + l_k + e): covariates and side as in `covariates.adjustment`, in units of
strength, joint with θ; l_k, for Side.ANNOTATOR, is each annotator's own leaning, see `joint`.

Not for stakes: where amounts differ because prompts matter more or less, downweighting the large ones would change
the question, not the noise. Use `fit_worth`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
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
from .joint import Beside, JointInformation
from .panel import UNDETERMINED, Inference, Panel, panel_of
from .robust import HUBER, Robust

LENT_ANSWERS = 4.0
MIN_ANSWERS = 5
TOLERANCE = 1e-9
NOTHING_COMMON = "The annotators' values have nothing in common; check that all are signed towards A."
MOST_ROUNDS = 3000
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
    in_gauge: Bools  # (K,) a is above zero by two standard errors
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
    state = _alternate(panel, y, robust, _beside(panel, adjust)).rescaled(panel, robust)
    inference = state.information(panel, y, robust).infer(
        panel, *state.scores(panel, y, robust), covariance, robust.variance / robust.slope
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


@dataclass(frozen=True, eq=False)
class State:
    """One round's estimates."""

    strength: Floats  # (m,)
    scale: Floats  # (K,) a
    noise: Floats  # (K,) s, in the annotator's own unit
    beside: Beside
    rounds: int = 0

    def felt(self, panel: Panel) -> Floats:
        """(n,) what an answer is expected to be, before the annotator's scale."""
        return panel.difference(self.strength) + self.beside.offset(panel)

    def residual(self, panel: Panel, y: Floats) -> Floats:
        """(n,) in standard deviations."""
        code = panel.annotator.code
        return np.asarray((y - self.scale[code] * self.felt(panel)) / self.noise[code])

    def scores(self, panel: Panel, y: Floats, robust: Robust) -> tuple[Floats, Floats]:
        """(n,) ψ in d and in a."""
        pull = self.pull(panel, y, robust)
        return pull * self.scale[panel.annotator.code], pull * self.felt(panel)

    def pull(self, panel: Panel, y: Floats, robust: Robust) -> Floats:
        """(n,) ψ in what was answered."""
        t = self.residual(panel, y)
        return t * robust.weight(t) / self.noise[panel.annotator.code]

    def information(self, panel: Panel, y: Floats, robust: Robust) -> JointInformation:
        """In θ, β and a, with mean ln a of the annotators in the gauge held.

        Observed, not expected: what is an annotator's own taste stays in that annotator's residuals, however many
        answers there are, and so moves a_k and s_k with θ. The expected information would take both for unmoved;
        it stands in where the observed one has no peak, as with hardly more answers than parameters. Raises
        NoConvergence where neither has one.
        """
        code, d = panel.annotator.code, self.felt(panel)
        weight, scale = robust.slope * panel.weight / self.noise[code] ** 2, self.scale[code]
        chosen = self.reliable(panel, robust)
        held = np.where(chosen, 1.0 / np.where(chosen, self.scale, 1.0), 0.0) / chosen.sum()
        pulled = weight * scale * d - panel.weight * self.pull(panel, y, robust)
        found = JointInformation.of(panel, self.beside, weight * scale**2, pulled, weight * d**2, held)
        found = replace(found, strength=found.strength - self._told_by_noise(panel, y, robust))
        if found.is_peak:
            return found
        found = JointInformation.of(panel, self.beside, weight * scale**2, weight * scale * d, weight * d**2, held)
        if not found.is_peak:
            raise NoConvergence(UNDETERMINED)
        return found

    def _told_by_noise(self, panel: Panel, y: Floats, robust: Robust) -> Floats:
        """(m + k, m + k) what s_k, following θ, takes from the information: 2·g_k·g_kᵀ over its answers, summed, with
        g_k the score of annotator k in θ and β. ∂g_k/∂ln s_k = -2·g_k and ∂ln s_k/∂θ = -g_k over the answers, under
        normal errors."""
        by_d, _ = self.scores(panel, y, robust)
        own = self.beside.by_annotator(panel, panel.weight * by_d)
        return np.asarray((own * (2.0 / (panel.votes + LENT_ANSWERS))) @ own.T)

    def reliable(self, panel: Panel, robust: Robust) -> Bools:
        """(K,) a above zero by two standard errors, the strengths taken as known."""
        spread = np.sqrt(panel.by_annotator(panel.weight * self.felt(panel) ** 2))
        return np.asarray(self.scale * spread * robust.slope > 2.0 * self.noise * np.sqrt(robust.variance))

    def rescaled(self, panel: Panel, robust: Robust) -> State:
        """With Π a = 1 over the reliable. Raises BadAmount."""
        chosen = self.reliable(panel, robust)
        if not chosen.any():
            raise BadAmount(NOTHING_COMMON)
        mean = float(np.exp(np.log(self.scale[chosen]).mean()))
        return self.times(mean)

    def times(self, unit: float) -> State:
        """In a unit of strength that is smaller by that factor."""
        return replace(self, strength=self.strength * unit, scale=self.scale / unit, beside=self.beside.times(unit))

    def log_likelihood(self, panel: Panel, y: Floats) -> float:
        """Normal."""
        logs = np.log(2.0 * np.pi * self.noise[panel.annotator.code] ** 2)
        return -0.5 * float(panel.weight @ (self.residual(panel, y) ** 2 + logs))


def _annotators(panel: Panel, state: State, inference: Inference, robust: Robust) -> dict[str, Any]:
    """The fields that say something of each annotator, and of what moved answers besides strength."""
    return {
        "annotator": panel.labels,
        "votes": panel.votes,
        "scale": state.scale,
        "scale_error": inference.annotator_error,
        "noise": _ratio(state.noise, np.abs(state.scale), inf),
        "in_gauge": state.reliable(panel, robust),
        **_moved(panel, state, inference, robust),
    }


def _moved(panel: Panel, state: State, inference: Inference, robust: Robust) -> dict[str, Any]:
    """The fields that say what moved answers besides strength."""
    beside, m = state.beside, panel.rows.count
    leanings = None
    if beside.leans:
        own = robust.slope * panel.votes * (state.scale / state.noise) ** 2
        error = np.sqrt(robust.variance / robust.slope / (own + beside.shrinkage))
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
    """Raises BadCovariate."""
    columns = columns_of(panel.rows, adjust)
    beside = Beside.nothing(columns, panel.annotator.count, adjust is not None and adjust.side is Side.ANNOTATOR)
    columns.refuse_collinear(beside.square(panel, panel.weight), np.zeros((panel.rows.count,) * 2))
    return beside


def _alternate(panel: Panel, y: Floats, robust: Robust, beside: Beside) -> State:
    """Until neither strengths, effects, leanings nor noise move. Raises NoConvergence."""
    size = panel.by_annotator(panel.weight * np.abs(y)) / panel.votes
    state = State(np.zeros(panel.rows.count), size, size, beside)
    for rounds in range(1, MOST_ROUNDS + 1):
        before, state = state, _round(panel, y, state, size, robust)
        moved = max(
            float(np.abs(_place(state) - _place(before)).max()) / float(np.abs(_place(state)).max()),
            float(np.abs(np.log(state.noise / before.noise)).max()),
        )
        if moved < TOLERANCE:
            return replace(state, rounds=rounds)
    raise NoConvergence(f"Scales still moved by {moved:.1e} after {MOST_ROUNDS} rounds; raise min_answers.")


def _place(state: State) -> Floats:
    return np.concatenate((state.strength, state.beside.effect, state.beside.leaning))


def _round(panel: Panel, y: Floats, state: State, size: Floats, robust: Robust) -> State:
    """Strengths and effects given the rest, then leanings, scales and noise."""
    code, m = panel.annotator.code, panel.rows.count
    weight = panel.weight * robust.weight(state.residual(panel, y))
    pull = weight * state.scale[code] / state.noise[code] ** 2
    precision = pull * state.scale[code]
    owed = pull * y - precision * state.beside.leaning[code]
    try:
        square, along = state.beside.square(panel, precision), state.beside.along(panel, owed)
        found = np.asarray(np.linalg.solve(square, along), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise NoConvergence(UNDETERMINED) from None
    state = replace(state, strength=found[:m], beside=replace(state.beside, effect=found[m:]))
    if state.beside.leans:
        score = panel.by_annotator(pull * y - precision * state.felt(panel))
        held = robust.slope * panel.by_annotator(panel.weight * (state.scale / state.noise)[code] ** 2)
        dispersion = robust.variance / robust.slope
        state = replace(state, beside=state.beside.leant(score, held, panel.by_annotator(precision), dispersion))
    d = state.felt(panel)
    spread = panel.by_annotator(weight * d * d)
    if not spread.all():
        raise BadAmount(NOTHING_COMMON)
    scale = panel.by_annotator(weight * y * d) / spread
    state = replace(state, scale=scale).times(float(np.mean(np.abs(scale) / size)))
    return replace(state, noise=_noise(panel, y, state, size, robust))


def _noise(panel: Panel, y: Floats, state: State, size: Floats, robust: Robust) -> Floats:
    """(K,) one step of proposal 2, each annotator lent some answers of the average noise relative to `size` (K,)."""
    squares = panel.by_annotator(panel.weight * robust.squared(state.residual(panel, y))) / robust.variance
    relative = squares * (state.noise / size) ** 2
    lent = LENT_ANSWERS * relative.sum() / panel.votes.sum()
    # Exact data would leave no noise at all, and weights without bound.
    share = np.maximum((relative + lent) / (panel.votes + LENT_ANSWERS), 1e-20)
    return np.asarray(size * np.sqrt(share))


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
