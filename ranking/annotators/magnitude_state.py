"""Where a fit of magnitudes is, and how it gets there: what annotators share, and what is each one's own.

In units of the own noise s_k an answer is r_k·(d + x·β + l_k) + ε, ε ~ N(0, 1), where r_k = a_k/s_k = 1/σ_k says how
clearly annotator k tells strengths apart. Few answers say little of r_k but much of s_k, so r_k ~ N(r, ω²) across
annotators, and a_k = s_k·E(r_k | answers) is drawn towards s_k·r by what its own answers leave open. ω² is where
Σ (r̂_k - r)²/(ω² + v_k) = K - 1, r̂_k being unshrunken with variance v_k (Paule & Mandel 1982, J. Res. Natl. Bur. Stand.
87); 0 where chance explains what differs.

Strengths maximise the likelihood with r_k integrated out (EM: E r_k² = (E r_k)² + Var r_k weighs the differences, E r_k
the answers; Laird & Ware 1982, "Random-effects models for longitudinal data", Biometrics 38, section 4). Their joint
maximum with a_k would stretch them where answers are few, since noise that suits an a_k raises that annotator's weight.
How far they stretch as a whole is not the likelihood's to say: that is the gauge's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtri

from ..arrays import Bools, Floats
from ..errors import BadAmount, NoConvergence
from .adjusted import centred
from .joint import SHARPEST, Beside, JointInformation
from .panel import UNDETERMINED, Panel
from .robust import Robust

LENT_ANSWERS = 4.0
TOLERANCE = 1e-9
NOTHING_COMMON = "The annotators' values have nothing in common; check that all are signed towards A."
MOST_ROUNDS = 3000
MOST_STEPS = 50
# Shrinkage that leaves nothing of one's own, against what the own answers tell.
UTTER = 1e9
# Strengths fitted to noise explain less than this quantile of χ² once in a thousand times.
ABSENT = 0.999


@dataclass(frozen=True)
class Pool:
    """What annotators' clarity r_k = a_k/s_k is like across annotators."""

    mean: float  # r
    variance: float  # ω²

    @classmethod
    def of(cls, free: Floats, error: Floats) -> Pool:
        """From unshrunken r̂ (K,) and their variances (K,), infinite where nothing is known."""
        known = np.isfinite(error)
        free, error, variance = free[known], error[known], 0.0
        error = np.maximum(error, SHARPEST * float((free**2).max()))
        for _ in range(MOST_STEPS):
            weight = 1.0 / (error + variance)
            mean = float(weight @ free / weight.sum())
            squares = weight * (free - mean) ** 2
            excess = float(squares.sum()) - (len(free) - 1.0)
            step = excess / float(weight @ squares) if excess > 1e-12 * len(free) else 0.0
            variance += step
            if step <= 1e-12 * variance:
                break
        return cls(mean, variance)

    def times(self, unit: float) -> Pool:
        """In a unit of strength smaller by that factor."""
        return Pool(self.mean / unit, self.variance / unit**2)


@dataclass(frozen=True, eq=False)
class State:
    """One round's estimates; without a `pool` every annotator stands alone."""

    strength: Floats  # (m,)
    scale: Floats  # (K,) a
    noise: Floats  # (K,) s, in the annotator's own unit
    beside: Beside
    pool: Pool | None = None
    rounds: int = 0

    def felt(self, panel: Panel) -> Floats:
        """(n,) what an answer is expected to be, before the annotator's scale."""
        return panel.difference(self.strength) + self.beside.offset(panel)

    def residual(self, panel: Panel, y: Floats) -> Floats:
        """(n,) in standard deviations."""
        code = panel.annotator.code
        return np.asarray((y - self.scale[code] * self.felt(panel)) / self.noise[code])

    def told(self, panel: Panel, robust: Robust) -> Floats:
        """(K,) what an annotator's own answers tell of a, the strengths taken as known."""
        return robust.slope * panel.by_annotator(panel.weight * self.felt(panel) ** 2) / self.noise**2

    def shrinkage(self, panel: Panel, robust: Robust) -> Floats:
        """(K,) what others tell of it."""
        if self.pool is None:
            return np.zeros_like(self.noise)
        told = self.told(panel, robust)
        whole = float(told.max())
        most = UTTER * np.maximum(told, whole / UTTER)
        spread = self.pool.variance * self.noise**2
        return np.minimum(np.divide(robust.dispersion, spread, out=most.copy(), where=spread > 0.0), most)

    def doubt(self, panel: Panel, robust: Robust) -> Floats:
        """(K,) variance of a beyond what its own and others' answers say; 0 where annotators stand alone."""
        if self.pool is None:
            return np.zeros_like(self.noise)
        return robust.dispersion / (self.told(panel, robust) + self.shrinkage(panel, robust))

    def scores(self, panel: Panel, y: Floats, robust: Robust) -> tuple[Floats, Floats]:
        """(n,) ψ in d, with a integrated out, and in a, bearing what its prior pulls."""
        code, d = panel.annotator.code, self.felt(panel)
        pull = self.pull(panel, y, robust)
        if self.pool is None:
            return pull * self.scale[code], pull * d
        unsure = (self.doubt(panel, robust) / self.noise**2)[code] * robust.weight(self.residual(panel, y)) * d
        return pull * self.scale[code] - unsure, centred(panel, pull * d, (d / self.noise[code]) ** 2)

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
        chosen, shrinkage = self.reliable(panel, robust), self.shrinkage(panel, robust)
        held = np.where(chosen, 1.0 / np.where(chosen, self.scale, 1.0), 0.0) / chosen.sum()
        square = scale**2 + self.doubt(panel, robust)[code]
        pulled = weight * scale * d - panel.weight * self.pull(panel, y, robust)
        found = JointInformation.of(panel, self.beside, weight * square, pulled, weight * d**2, held)
        taken = self._told_by_noise(panel, y, robust) + self._told_by_doubt(panel, robust)
        found = replace(found, strength=found.strength - taken, own=found.own + shrinkage)
        if found.is_peak:
            return found
        found = JointInformation.of(panel, self.beside, weight * square, weight * scale * d, weight * d**2, held)
        found = replace(found, own=found.own + shrinkage)
        if not found.is_peak:
            raise NoConvergence(UNDETERMINED)
        return found

    def _told_by_noise(self, panel: Panel, y: Floats, robust: Robust) -> Floats:
        """(m + k, m + k) what s_k, following θ, takes from the information: 2·g_k·g_kᵀ over its answers, summed, with
        g_k the score of annotator k in θ and β. ∂g_k/∂ln s_k = -2·g_k and ∂ln s_k/∂θ = -g_k over the answers, under
        normal errors; but -g_k for the part of a_k that is drawn from others, which is s_k·r."""
        shrinkage = self.shrinkage(panel, robust)
        times = 2.0 - shrinkage / (self.told(panel, robust) + shrinkage)
        by_d = self.pull(panel, y, robust) * self.scale[panel.annotator.code]
        own = self.beside.by_annotator(panel, panel.weight * by_d)
        return np.asarray((own * (times / (panel.votes + LENT_ANSWERS))) @ own.T)

    def _told_by_doubt(self, panel: Panel, robust: Robust) -> Floats:
        """(m + k, m + k) what the square of an unknown a takes: Var(a²)'s part of the scores' variance (Louis 1982,
        "Finding the observed information matrix when using the EM algorithm", J. R. Stat. Soc. B 44, section 3)."""
        code = panel.annotator.code
        own = self.beside.by_annotator(panel, robust.slope * panel.weight / self.noise[code] ** 2 * self.felt(panel))
        return np.asarray((own * (2.0 / robust.dispersion * self.doubt(panel, robust) ** 2)) @ own.T)

    def reliable(self, panel: Panel, robust: Robust) -> Bools:
        """(K,) a above zero by two standard errors, strengths taken as known, or half as clear as all on average."""
        above = self._apart(panel, robust) > 2.0
        return above if self.pool is None else above | (self.scale > 0.5 * self.pool.mean * self.noise)

    def _apart(self, panel: Panel, robust: Robust) -> Floats:
        """(K,) a in standard errors."""
        known = self.told(panel, robust) + self.shrinkage(panel, robust)
        return np.asarray(self.scale * np.sqrt(known / robust.dispersion))

    def scale_error(self, panel: Panel, robust: Robust, known_noise: Floats) -> Floats:
        """(K,) of a: what it would be if s_k were known, and what s_k moves of the part that is drawn from others."""
        if self.pool is None:
            return known_noise
        shrinkage = self.shrinkage(panel, robust)
        drawn = self.noise * self.pool.mean * shrinkage / (self.told(panel, robust) + shrinkage)
        return np.hypot(known_noise, drawn / np.sqrt(2.0 * (panel.votes + LENT_ANSWERS)))

    def rescaled(self, panel: Panel, robust: Robust) -> State:
        """With Π a = 1 over the reliable. Raises BadAmount."""
        chosen = self.reliable(panel, robust)
        if self._nothing_common(panel, robust) or not chosen.any():
            raise BadAmount(NOTHING_COMMON)
        mean = float(np.exp(np.log(self.scale[chosen]).mean()))
        return self.times(mean)

    def _nothing_common(self, panel: Panel, robust: Robust) -> bool:
        """Whether strengths explain less than they would of noise, or as many surely see the opposite as do not."""
        assert self.pool is not None
        if self.pool.mean <= 0.0:
            return True
        if self.pool.variance > 0.0:
            apart = self._apart(panel, robust)
            return bool((apart < -2.0).any() and (apart < -2.0).sum() >= (apart > 2.0).sum())
        explained = self.pool.mean**2 * float(self.told(panel, robust) @ self.noise**2) / robust.dispersion
        return bool(explained < chdtri(max(len(self.strength) - 1 + self.beside.columns.count, 1), ABSENT))

    def times(self, unit: float) -> State:
        """In a unit of strength that is smaller by that factor."""
        return replace(
            self,
            strength=self.strength * unit,
            scale=self.scale / unit,
            beside=self.beside.times(unit),
            pool=None if self.pool is None else self.pool.times(unit),
        )

    def log_likelihood(self, panel: Panel, y: Floats) -> float:
        """Normal."""
        logs = np.log(2.0 * np.pi * self.noise[panel.annotator.code] ** 2)
        return -0.5 * float(panel.weight @ (self.residual(panel, y) ** 2 + logs))


def alternate(panel: Panel, y: Floats, robust: Robust, beside: Beside) -> State:
    """Until neither strengths, effects, leanings nor noise move. Raises NoConvergence, BadAmount."""
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
    precision = weight * ((state.scale**2 + state.doubt(panel, robust)) / state.noise**2)[code]
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
        mass = panel.by_annotator(precision)
        state = replace(state, beside=state.beside.leant(score, held, mass, robust.dispersion))
    state = _scaled(panel, y, state, weight, robust)
    state = state.times(float(np.mean(np.abs(state.scale) / size)))
    return replace(state, noise=_noise(panel, y, state, size, robust))


def _scaled(panel: Panel, y: Floats, state: State, weight: Floats, robust: Robust) -> State:
    """With each annotator's scale drawn towards what all annotators share. Raises BadAmount."""
    d = state.felt(panel)
    spread, owed = panel.by_annotator(weight * d * d), panel.by_annotator(weight * y * d)
    told = state.told(panel, robust) * state.noise**2
    if not told.any():
        raise BadAmount(NOTHING_COMMON)
    alone = np.divide(owed, spread, out=np.zeros_like(owed), where=spread > 0.0)
    error = np.divide(robust.dispersion, told, out=np.full_like(told, np.inf), where=told > 0.0)
    state = replace(state, pool=Pool.of(alone / state.noise, error))
    shrinkage = state.shrinkage(panel, robust) * state.noise**2
    assert state.pool is not None
    drawn = owed + shrinkage * state.noise * state.pool.mean
    return replace(state, scale=drawn / (spread + shrinkage))


def _noise(panel: Panel, y: Floats, state: State, size: Floats, robust: Robust) -> Floats:
    """(K,) one step of proposal 2, each annotator lent some answers of the average noise relative to `size` (K,)."""
    squares = panel.by_annotator(panel.weight * robust.squared(state.residual(panel, y))) / robust.variance
    squares += panel.by_annotator(panel.weight * state.felt(panel) ** 2) * state.doubt(panel, robust) / state.noise**2
    relative = squares * (state.noise / size) ** 2
    lent = LENT_ANSWERS * relative.sum() / panel.votes.sum()
    # Exact data would leave no noise at all, and weights without bound.
    share = np.maximum((relative + lent) / (panel.votes + LENT_ANSWERS), 1e-20)
    return np.asarray(size * np.sqrt(share))
