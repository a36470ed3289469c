"""The rows of a fit that knows who judged, and what strengths and annotators tell of each other.

Strengths θ (m,) and one number per annotator (K,) have the information [[S, C], [Cᵀ, D]] with D diagonal, since no
row has two annotators. All that is needed of its inverse comes from the m x m Schur complement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Bools, Floats, Ints
from ..clusters import Labels, Scores, Spread, number, spread_of
from ..comparisons import Comparisons
from ..counts import BothBad, count_matrix
from ..errors import MissingLabels, NoConvergence
from ..gauge import Gauge, Gauged, gauged
from ..newton import add_to_diagonal
from ..pair_table import PairTable, tabulate
from ..strengths import Covariance

FLAT = 1e-12
UNDETERMINED = (
    "The answers leave some strength or effect undetermined; raise min_answers, give penalty=1.0 or ask more."
)


@dataclass(frozen=True, eq=False)
class Panel:
    """n rows between two different ones of m present contestants, each with its annotator."""

    rows: Comparisons  # contestants numbered 0..m-1
    table: PairTable
    annotator: Labels  # 0..K-1; a row of an unknown annotator (-1) has one to itself

    @cached_property
    def weight(self) -> Floats:
        """(n,)"""
        return np.ones(len(self.rows)) if self.rows.weight is None else self.rows.weight

    @cached_property
    def labels(self) -> Ints:
        """(K,) the annotators' own labels, -1 where unknown."""
        assert self.rows.annotator is not None
        first = np.unique(self.annotator.code, return_index=True)[1]
        return np.maximum(self.rows.annotator[first], -1)

    @cached_property
    def votes(self) -> Floats:
        """(K,) weighted rows of each annotator."""
        return self.by_annotator(self.weight)

    def difference(self, strength: Floats) -> Floats:
        """(n,) θ_a - θ_b from (m,)."""
        return np.asarray(strength[self.rows.a] - strength[self.rows.b])

    def by_annotator(self, values: Floats) -> Floats:
        """(K,) sums of (n,)."""
        return np.asarray(np.bincount(self.annotator.code, weights=values, minlength=self.annotator.count), np.float64)

    def by_contestant(self, values: Floats) -> Floats:
        """(m,) sums of (n,), plus for A and minus for B."""
        count = self.rows.count
        plus = np.bincount(self.rows.a, weights=values, minlength=count)
        return np.asarray(plus - np.bincount(self.rows.b, weights=values, minlength=count))

    def credit(self, for_a: Floats) -> Floats:
        """(m,) weighted wins, `for_a` (n,) of each row going to A and the rest to B."""
        count = self.rows.count
        won = np.bincount(self.rows.a, weights=self.weight * for_a, minlength=count)
        lost = np.bincount(self.rows.b, weights=self.weight * (1.0 - for_a), minlength=count)
        return np.asarray(won + lost, dtype=np.float64)

    def laplacian(self, values: Floats) -> Floats:
        """(m, m) Σ values·(e_a - e_b)(e_a - e_b)ᵀ."""
        count = self.rows.count
        cells = np.bincount(self.rows.a * count + self.rows.b, weights=values, minlength=count * count)
        between = np.asarray(cells.reshape(count, count), dtype=np.float64)
        matrix = np.negative(between + between.T)
        add_to_diagonal(matrix, -matrix.sum(axis=1))
        return np.asarray(matrix)

    def crossed(self, values: Floats) -> Floats:
        """(m, K) Σ values·(e_a - e_b) over each annotator's rows."""
        shape, code = (self.rows.count, self.annotator.count), self.annotator.code
        plus = np.bincount(self.rows.a * shape[1] + code, weights=values, minlength=shape[0] * shape[1])
        minus = np.bincount(self.rows.b * shape[1] + code, weights=values, minlength=shape[0] * shape[1])
        return np.asarray((plus - minus).reshape(shape))

    def log_likelihood(self, p: Floats) -> float:
        """Of the outcomes under P(A) = p (n,), a tie as half a vote for each side."""
        y = self.rows.outcome
        return float(self.weight @ (y * np.log(p) + (1.0 - y) * np.log1p(-p)))

    def gauged(self, point: Floats, inference: Inference, gauge: Gauge | int) -> Gauged:
        """The fields of a `StrengthFit` that say where the strengths are and how sure."""
        return gauged(point, inference.inverse, inference.spread, self.table, gauge)


def panel_of(comparisons: Comparisons, both_bad: BothBad, kept: Bools | None = None) -> Panel:
    """The rows with `kept` (n,) that compare two contestants. Raises MissingLabels, NoComparisons."""
    if comparisons.annotator is None:
        raise MissingLabels("The model says something of each annotator: give `annotator` in the comparisons.")
    between = comparisons.a != comparisons.b if kept is None else kept & (comparisons.a != comparisons.b)
    if not between.all():
        comparisons = comparisons.select(between)
    table = tabulate(count_matrix(comparisons), both_bad)
    rows = table.labelled_rows(comparisons, both_bad)
    assert rows is not None
    assert rows.annotator is not None
    return Panel(rows, table, number(rows.annotator))


@dataclass(frozen=True, eq=False)
class Inference:
    """Errors of the strengths and of the annotators' numbers."""

    spread: Spread  # of the strengths
    inverse: Floats  # (m, m) the strengths' part of the inverse information
    annotator_error: Floats  # (K,) by the inverse information


@dataclass(frozen=True, eq=False)
class Information:
    """Of strengths and annotators' numbers together; `strength` must be regular along the constant."""

    strength: Floats  # (m, m) S
    crossed: Floats  # (m, K) C
    own: Floats  # (K,) D, positive
    held: Floats | None = None  # (K,) the weighted sum of the annotators' numbers that is held at zero

    @cached_property
    def _absorbed(self) -> Floats:
        """(K, m) E Cᵀ with E the inverse of D, on the constraint."""
        share = self.crossed.T / self.own[:, None]
        if self.held is None:
            return np.asarray(share)
        return np.asarray(share - np.outer(self._bound, self.held @ share))

    @cached_property
    def _bound(self) -> Floats:
        """(K,) D⁻¹c / cᵀD⁻¹c."""
        assert self.held is not None
        toward = self.held / self.own
        return np.asarray(toward / (self.held @ toward))

    @property
    def schur(self) -> Floats:
        """(m, m) information of the strengths once the annotators' numbers are taken out."""
        return np.asarray(self.strength - self.crossed @ self._absorbed)

    @property
    def is_peak(self) -> bool:
        """Whether it is positive definite, by more than rounding."""
        if not ((self.own > 0.0).all() and (self.schur.diagonal() > 0.0).all()):
            return False
        size = np.sqrt(self.schur.diagonal())
        return bool(np.linalg.eigvalsh(self.schur / np.outer(size, size)).min() > FLAT)

    @cached_property
    def inverse(self) -> Floats:
        """(m, m) covariance of the strengths by the model. Raises NoConvergence."""
        try:
            return np.asarray(np.linalg.inv(self.schur))
        except np.linalg.LinAlgError:
            raise NoConvergence(UNDETERMINED) from None

    def step(self, along: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Newton's step in both, from the gradients (m,) and (K,)."""
        strength = self.inverse @ (along - self._absorbed.T @ own)
        rest = own if self.held is None else own - self.held * (self._bound @ own)
        return strength, np.asarray(rest / self.own - self._absorbed @ strength)

    def annotator_error(self) -> Floats:
        """(K,) √ of the diagonal of E + E Cᵀ S⁻¹ C E."""
        variance = 1.0 / self.own
        if self.held is not None:
            variance = variance - self._bound * self.held / self.own
        variance = variance + np.einsum("km,mn,kn->k", self._absorbed, self.inverse, self._absorbed)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def infer(
        self, panel: Panel, along: Floats, own: Floats, wanted: Covariance, model_scale: float = 1.0
    ) -> Inference:
        """From each row's score in d = θ_a - θ_b and in its annotator's number, both (n,) for weight one.

        The influence of a row on the strengths, (n, m) and dense, stands in for its score: annotators' numbers vary
        with the votes. `model_scale` turns the inverse information into the covariance by the model.

        Every annotator's scores in the own number sum to nothing at the fit. Clustered by annotator they would hide
        how uncertain the held sum is, which moves all strengths together; that part is added with votes apart.
        """
        rows = panel.rows
        influence = along[:, None] * (self.inverse[rows.a] - self.inverse[rows.b])
        return self.infer_from(panel, influence, own, wanted, model_scale)

    def infer_from(
        self, panel: Panel, influence: Floats, own: Floats, wanted: Covariance, model_scale: float = 1.0
    ) -> Inference:
        """As `infer`, from the influence (n, p) of each row were its annotator's number known, which is overwritten."""
        inverse, rows, code = self.inverse, panel.rows, panel.annotator.code
        influence -= own[:, None] * (self._absorbed @ inverse)[code]

        def meat() -> Floats:
            return np.asarray((influence * panel.weight[:, None]).T @ influence)

        def scores(_: Comparisons) -> Scores:
            return csr_array(influence * panel.weight[:, None])

        spread = spread_of(rows, wanted, np.eye(len(inverse)), meat, scores)
        by_model = model_scale * inverse
        if spread.clustering.kind is Covariance.HESSIAN:
            spread = replace(spread, covariance=by_model)
        if self.held is not None and spread.clustering.kind in (Covariance.ANNOTATOR, Covariance.TWO_WAY):
            unseen = (self.crossed.T / self.own[:, None] - self._absorbed) @ inverse
            mass = panel.by_annotator(panel.weight * own**2)
            spread = replace(spread, covariance=spread.covariance + (unseen * mass[:, None]).T @ unseen)
        return Inference(spread, by_model, np.sqrt(model_scale) * self.annotator_error())
