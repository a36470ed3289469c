"""What moves magnitudes besides strength, y = a_k·(d + x·β + l_k + e), solved and inferred together with strengths.

l_k ~ N(0, ρ²) is annotator k's own leaning to the side shown first, beyond the common side in β. ρ² is where
Σ l̂_k²/(ρ² + v_k) = K - 1, l̂_k being unshrunken with variance v_k (Paule & Mandel 1982, J. Res. Natl. Bur. Stand. 87).
A penalty of 1 weighs as much as one answer of average precision, whatever the unit of the amounts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Floats
from ..clusters import choose_scheme
from ..covariates.adjustment import Columns
from ..strengths import Covariance
from .panel import Inference, Information, Panel

MOST_STEPS = 50
SHARPEST = 1e-12  # the least error variance, against the largest leaning: answers may be without any


@dataclass(frozen=True, eq=False)
class Beside:
    """Effects (k,) of the columns of n rows, and leanings (K,)."""

    columns: Columns
    effect: Floats  # (k,)
    leaning: Floats  # (K,) zero unless `leans`
    shrinkage: Floats  # (K,) λ = φ/ρ² as precision; infinite where nothing leans
    variance: float = 0.0  # ρ²
    leans: bool = False

    @classmethod
    def nothing(cls, columns: Columns, annotators: int, leans: bool = False) -> Beside:
        """All zero."""
        unmoved = np.zeros(annotators)
        return cls(columns, np.zeros(columns.count), unmoved, unmoved + np.inf, leans=leans)

    def offset(self, panel: Panel) -> Floats:
        """(n,) x·β + l_k."""
        return np.asarray(self.columns.values @ self.effect + self.leaning[panel.annotator.code])

    def times(self, unit: float) -> Beside:
        """In a unit smaller by that factor."""
        return replace(
            self,
            effect=self.effect * unit,
            leaning=self.leaning * unit,
            shrinkage=self.shrinkage / unit**2,
            variance=self.variance * unit**2,
        )

    def square(self, panel: Panel, precision: Floats) -> Floats:
        """(m + k, m + k) Σ precision·z·zᵀ of z = (e_a - e_b, x), with penalties, regular along the constant."""
        strengths = panel.laplacian(precision)
        strengths += strengths.trace() / strengths.size
        weighted = self.columns.values * precision[:, None]
        crossed = np.stack([panel.by_contestant(one) for one in (*weighted.T, precision)])[:-1]
        own = self.columns.values.T @ weighted
        own += np.diag(self.columns.penalty * (precision.sum() / panel.weight.sum()))
        return np.block([[strengths, crossed.T], [crossed, own]])

    def along(self, panel: Panel, values: Floats) -> Floats:
        """(m + k,) Σ values·z."""
        return np.concatenate((panel.by_contestant(values), self.columns.values.T @ values))

    def by_annotator(self, panel: Panel, values: Floats) -> Floats:
        """(m + k, K) Σ values·z over each annotator's rows."""
        over = [panel.by_annotator(values * one) for one in self.columns.values.T]
        return np.concatenate((panel.crossed(values), np.reshape(over, (len(over), panel.annotator.count))))

    def leant(self, score: Floats, information: Floats, mass: Floats, dispersion: float) -> Beside:
        """One step of the leanings and ρ², from each annotator's score (K,), its information, and the precision that
        the answers weigh now, φ being the score's variance per information."""
        free = self.leaning + score / information
        error = dispersion / information
        variance = between_variance(free, error)
        if variance == 0.0:
            return replace(Beside.nothing(self.columns, len(free), leans=True), effect=self.effect)
        shrinkage = np.full(len(free), dispersion / variance)
        leaning = (mass * self.leaning + score) / (mass + shrinkage)
        # What leanings share is the side's, the last effect: at the fit their mean is zero.
        effect = np.append(self.effect[:-1], self.effect[-1] + leaning.mean())
        return replace(self, effect=effect, leaning=leaning - leaning.mean(), shrinkage=shrinkage, variance=variance)


def between_variance(free: Floats, error: Floats) -> float:
    """ρ² from estimates (K,) about a common mean of zero with their variances; 0 where chance explains them."""
    if len(free) < 2 or not free.any():
        return 0.0
    error, variance = np.maximum(error, SHARPEST * float((free**2).max())), 0.0
    for _ in range(MOST_STEPS):
        whole = error + variance
        excess = float((free**2 / whole).sum()) - (len(free) - 1.0)
        step = excess / float((free**2 / whole**2).sum()) if excess > 0.0 else 0.0
        variance += step
        if step <= 1e-12 * variance:
            break
    return variance


@dataclass(frozen=True, eq=False, kw_only=True)
class JointInformation(Information):
    """Of (θ, β) and annotators' scales, once the leanings are taken out; `strength` is then (m + k, m + k)."""

    columns: Columns
    taken: Floats  # (m + k, K) what the leaning of each annotator takes of its rows' z
    turned: Floats  # (K,) and of its scale
    leant: Floats  # (2, n) a row's scores in d and in a that its annotator's leaning accounts for

    @classmethod
    def of(
        cls, panel: Panel, beside: Beside, precision: Floats, pulled: Floats, own: Floats, held: Floats
    ) -> JointInformation:
        """From the information of each row (n,) in d, in d and a, and in a."""
        strength, crossed = beside.square(panel, precision), beside.by_annotator(panel, pulled)
        along, across = beside.by_annotator(panel, precision), panel.by_annotator(pulled)
        share = 1.0 / (panel.by_annotator(precision) + beside.shrinkage)
        return cls(
            strength=strength - (along * share) @ along.T,
            crossed=crossed - along * (share * across),
            own=panel.by_annotator(own) - share * across**2,
            held=held,
            columns=beside.columns,
            taken=along * share,
            turned=across * share,
            leant=np.stack((precision, pulled)) / panel.weight * beside.leaning[panel.annotator.code],
        )

    def infer(
        self, panel: Panel, along: Floats, own: Floats, wanted: Covariance, model_scale: float = 1.0
    ) -> Inference:
        """As `Information.infer`, with scores in d standing for those in β and in the leanings too.

        Where annotators are the clusters, they are drawn anew with their leanings; else they stay these annotators.
        """
        inverse, rows, code, m = self.inverse, panel.rows, panel.annotator.code, panel.rows.count
        reach = inverse[rows.a] - inverse[rows.b] + self.columns.values @ inverse[m:] - (self.taken.T @ inverse)[code]
        if choose_scheme(rows, wanted).clustering.kind in (Covariance.ANNOTATOR, Covariance.TWO_WAY):
            along, own = along + self.leant[0], own + self.leant[1]
        return self.infer_from(panel, along[:, None] * reach, own - along * self.turned[code], wanted, model_scale)
