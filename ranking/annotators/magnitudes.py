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

Not for stakes: where amounts differ because prompts matter more or less, downweighting the large ones would change
the question, not the noise. Use `fit_worth`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..bradley_terry import PROVISIONAL_BELOW
from ..clusters import number
from ..comparisons import Comparisons
from ..connectivity import members
from ..counts import BothBad
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
from ..strengths import Covariance, Evidence, Ratings, StrengthFit
from .panel import Inference, Information, Panel, panel_of
from .robust import HUBER, Robust

LENT_ANSWERS = 4.0
MIN_ANSWERS = 5
TOLERANCE = 1e-9
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
    noise: Floats  # (K,) σ, in units of strength
    in_gauge: Bools  # (K,) a is above zero by two standard errors
    annotators_left_out: int  # too few answers, or all of them zero
    cyclicity: float  # share of the pair means' weighted sum of squares that no strengths explain
    cyclicity_by_chance: float  # what independent noise makes of it on average
    huber: float | None

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


def fit_magnitudes(
    comparisons: Comparisons,
    *,
    values: Floats | None = None,
    huber: float | None = HUBER,
    min_answers: int = MIN_ANSWERS,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> MagnitudeFit:
    """From `amount`, or from `values` (n,) in its place, such as `comparisons.grade`; NaN where nothing was said.

    `huber` is the tuning constant in standard deviations; None is least squares.
    Raises BadAmount, ShapeMismatch, BadParameter, MissingLabels, NoComparisons, TooFewAnswers, NotConnected,
    NoConvergence, TooFewClusters, UnknownIndex.
    """
    if min_answers < 2 or not (huber is None or huber > 0.0):
        raise BadParameter(f"min_answers is {min_answers} and huber {huber}; give at least 2, and a positive number.")
    panel, y, left_out = _answered(comparisons, values, min_answers)
    robust = Robust(huber)
    state = _alternate(panel, y, robust).rescaled(panel, robust)
    inference = state.information(panel, robust).infer(
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
    rounds: int = 0

    def residual(self, panel: Panel, y: Floats) -> Floats:
        """(n,) in standard deviations."""
        code = panel.annotator.code
        return np.asarray((y - self.scale[code] * panel.difference(self.strength)) / self.noise[code])

    def scores(self, panel: Panel, y: Floats, robust: Robust) -> tuple[Floats, Floats]:
        """(n,) ψ in d and in a."""
        t, code = self.residual(panel, y), panel.annotator.code
        pull = t * robust.weight(t) / self.noise[code]
        return pull * self.scale[code], pull * panel.difference(self.strength)

    def information(self, panel: Panel, robust: Robust) -> Information:
        """In θ and a, with mean ln a of the annotators in the gauge held."""
        code, d = panel.annotator.code, panel.difference(self.strength)
        weight = robust.slope * panel.weight / self.noise[code] ** 2
        square = panel.laplacian(weight * self.scale[code] ** 2)
        square += square.trace() / square.size
        chosen = self.reliable(panel, robust)
        held = np.where(chosen, 1.0 / np.where(chosen, self.scale, 1.0), 0.0) / chosen.sum()
        return Information(
            square, panel.crossed(weight * self.scale[code] * d), panel.by_annotator(weight * d**2), held
        )

    def reliable(self, panel: Panel, robust: Robust) -> Bools:
        """(K,) a above zero by two standard errors, the strengths taken as known."""
        spread = np.sqrt(panel.by_annotator(panel.weight * panel.difference(self.strength) ** 2))
        return np.asarray(self.scale * spread * robust.slope > 2.0 * self.noise * np.sqrt(robust.variance))

    def rescaled(self, panel: Panel, robust: Robust) -> State:
        """With Π a = 1 over the reliable. Raises BadAmount."""
        chosen = self.reliable(panel, robust)
        if not chosen.any():
            raise BadAmount("The annotators' values have nothing in common; check that all are signed towards A.")
        mean = float(np.exp(np.log(self.scale[chosen]).mean()))
        return replace(self, strength=self.strength * mean, scale=self.scale / mean)

    def log_likelihood(self, panel: Panel, y: Floats) -> float:
        """Normal."""
        logs = np.log(2.0 * np.pi * self.noise[panel.annotator.code] ** 2)
        return -0.5 * float(panel.weight @ (self.residual(panel, y) ** 2 + logs))


def _annotators(panel: Panel, state: State, inference: Inference, robust: Robust) -> dict[str, Any]:
    """The fields that say something of each annotator."""
    return {
        "annotator": panel.labels,
        "votes": panel.votes,
        "scale": state.scale,
        "scale_error": inference.annotator_error,
        "noise": np.asarray(state.noise / np.abs(state.scale)),
        "in_gauge": state.reliable(panel, robust),
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


def _alternate(panel: Panel, y: Floats, robust: Robust) -> State:
    """Until neither strengths nor noise move. Raises NoConvergence."""
    code = panel.annotator.code
    size = panel.by_annotator(panel.weight * np.abs(y)) / panel.votes
    state = State(np.zeros(panel.rows.count), size, size)
    for rounds in range(1, MOST_ROUNDS + 1):
        t = state.residual(panel, y)
        weight = panel.weight * robust.weight(t)
        pull = weight * state.scale[code] / state.noise[code] ** 2
        square = panel.laplacian(pull * state.scale[code])
        strength = np.linalg.solve(square + square.trace() / square.size, panel.by_contestant(pull * y))
        d = panel.difference(strength)
        scale = panel.by_annotator(weight * y * d) / panel.by_annotator(weight * d * d)
        unit = float(np.mean(np.abs(scale) / size))
        strength, scale = strength * unit, scale / unit
        noise = _noise(panel, y, State(strength, scale, state.noise), size, robust)
        moved = max(
            float(np.abs(strength - state.strength).max()) / float(np.abs(strength).max()),
            float(np.abs(np.log(noise / state.noise)).max()),
        )
        state = State(strength, scale, noise, rounds)
        if moved < TOLERANCE:
            return state
    raise NoConvergence(f"Scales still moved by {moved:.1e} after {MOST_ROUNDS} rounds; raise min_answers.")


def _noise(panel: Panel, y: Floats, state: State, size: Floats, robust: Robust) -> Floats:
    """(K,) one step of proposal 2, each annotator lent some answers of the average noise relative to `size` (K,)."""
    squares = panel.by_annotator(panel.weight * robust.squared(state.residual(panel, y))) / robust.variance
    relative = squares * (state.noise / size) ** 2
    lent = LENT_ANSWERS * relative.sum() / panel.votes.sum()
    # Exact data would leave no noise at all, and weights without bound.
    share = np.maximum((relative + lent) / (panel.votes + LENT_ANSWERS), 1e-20)
    return np.asarray(size * np.sqrt(share))


def _cyclicity(panel: Panel, y: Floats, state: State, robust: Robust) -> tuple[float, float]:
    rows, code = panel.rows, panel.annotator.code
    weight = robust.weight(state.residual(panel, y))
    pull = panel.weight * weight * state.scale[code] / state.noise[code] ** 2
    sign = np.where(rows.a < rows.b, 1.0, -1.0)
    pair = number(np.minimum(rows.a, rows.b) * rows.count + np.maximum(rows.a, rows.b))
    mass = np.bincount(pair.code, weights=pull * state.scale[code])
    mean = np.bincount(pair.code, weights=sign * pull * y) / mass
    first = np.unique(pair.code, return_index=True)[1]
    rest = mean - (sign * panel.difference(state.strength))[first]
    total = float(mass @ mean**2)
    free = pair.count - (rows.count - 1)
    noise = robust.variance / float(np.average(weight, weights=panel.weight))
    return float(mass @ rest**2) / total, free * noise / total
