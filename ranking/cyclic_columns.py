"""Circles with covariates: logit P(A preferred) = d_ab + x·β, d the strengths and circles of `cyclic`.

Maximised is the likelihood of the rows less ridge, prior and penalty/2·Σ β², from several starts, effects at zero.
Under Side.ANNOTATOR everyone's own leaning joins, from the lowest minimum with the common side. Rows of a contestant
with itself say nothing of circles and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.special import expit

from .arrays import Floats
from .clusters import Scores, Spread, apart, spread_of
from .comparisons import Comparisons
from .counts import BothBad, Counts
from .covariates.adjustment import Adjustment, Columns, columns_of
from .covariates.design import Side, rows_of
from .covariates.leaning import Crowd, LeaningRows, Likelihood, leaning_rows
from .covariates.side import Leanings, no_leanings, refuse_one_sided
from .cyclic_model import GRADIENT, Model, lowest
from .errors import NoConvergence
from .strengths import Covariance

# Where a column leaves votes less than this share of the chance that even odds would, it decides them.
DECIDED = 1e-5


@dataclass(frozen=True, eq=False)
class AdjustedModel:
    """A model over n rows; a point is flat, (m(1 + 2R) + k,), the model's own and then β."""

    model: Model
    rows: Comparisons  # between two different of m contestants, with weight
    columns: Columns  # (n, k), the side last
    lean: Floats | None = None  # (n,) added to the side

    @classmethod
    def of(cls, model: Model, data: Comparisons | Counts, both_bad: BothBad, asked: Adjustment) -> AdjustedModel:
        """Raises BadCovariate, ShapeMismatch."""
        rows = model.table.rows(rows_of(data) if isinstance(data, Counts) else data, both_bad)
        rows = rows.select(rows.a != rows.b)
        if asked.side is not Side.NONE:
            refuse_one_sided(rows.outcome == 1.0, rows.outcome == 0.0)
        found = cls(model, rows, columns_of(rows, asked))
        flat = np.zeros((rows.count, 1))
        groups = model.table.groups.weak
        together = (groups[:, None] == groups[None, :]).astype(np.float64)
        plain = replace(found, model=replace(model, rank=0))
        free = replace(plain, columns=replace(found.columns, penalty=np.zeros(found.columns.count)))
        found.columns.refuse_collinear(free.information(flat, 0.25 * found.weight), together)
        return found

    @cached_property
    def weight(self) -> Floats:
        """(n,)"""
        return np.ones(len(self.rows)) if self.rows.weight is None else self.rows.weight

    @property
    def labelled(self) -> Comparisons | None:
        """The rows, or None if nothing clusters them."""
        return None if self.rows.annotator is None and self.rows.prompt is None else self.rows

    def split(self, flat: Floats) -> tuple[Floats, Floats]:
        """The model's own point (m, 1 + 2R), and β (k,)."""
        end = len(flat) - self.columns.count
        return flat[:end].reshape(self.rows.count, -1), flat[end:]

    def leant(self, lean: Floats) -> Self:
        """The same with other leanings."""
        return replace(self, lean=lean)

    def logit(self, flat: Floats) -> Floats:
        """(n,) of each row."""
        point, effect = self.split(flat)
        logit = np.asarray(self.model.logit(point)[self.rows.a, self.rows.b] + self.columns.values @ effect)
        return logit if self.lean is None else logit + self.lean

    def log_likelihood(self, flat: Floats) -> float:
        """Of the rows, a tie as half a vote for each."""
        return self._likelihood(self.logit(flat))

    def loss_and_gradient(self, flat: Floats) -> tuple[float, Floats]:
        """Minus the penalised log-likelihood and its derivative."""
        (point, effect), logit = self.split(flat), self.logit(flat)
        residual = self.weight * (self.rows.outcome - expit(logit))
        own = self.model.gradient_of(point, self._by_pair(residual))
        held = self.model.held(point) + 0.5 * float(self.columns.penalty @ effect**2)
        slope = np.concatenate((own.ravel(), self.columns.penalty * effect - self.columns.values.T @ residual))
        return held - self._likelihood(logit), slope

    def _likelihood(self, logit: Floats) -> float:
        return float(self.weight @ (self.rows.outcome * logit - np.logaddexp(0.0, logit)))

    def best(self, rng: np.random.Generator, starts: int) -> tuple[Floats, Floats]:
        """The lowest minimum and the loss at each. Raises NoConvergence."""
        nothing = np.zeros(self.columns.count)
        begins = [
            np.append(begin.ravel(), nothing) for begin in self.model.begins(rng, starts if self.model.rank else 1)
        ]
        flat, losses = lowest(self.loss_and_gradient, begins, self._tolerance)
        self._refuse_decided(flat)
        return flat, losses

    def best_leaning(self, leaning: LeaningRows[AdjustedModel], flat: Floats) -> Floats:
        """The minimum beside `flat`. Raises NoConvergence."""

        def both(flat: Floats) -> tuple[float, Floats]:
            loss, slope = leaning.at(flat).loss_and_gradient(flat)
            return loss + leaning.held, slope

        return lowest(both, [flat], self._tolerance)[0]

    @property
    def _tolerance(self) -> float:
        return GRADIENT * float(self.weight.sum())

    def _refuse_decided(self, flat: Floats) -> None:
        """Raises NoConvergence."""
        chance = expit(self.logit(flat))
        seen = (self.weight * chance * (1.0 - chance)) @ self.columns.values**2
        for name, left, whole in zip(
            self.columns.names, seen, 0.25 * self.weight @ self.columns.values**2, strict=True
        ):
            if left < DECIDED * whole:
                raise NoConvergence(f"{name} alone decides the votes; give penalty=1.0 or leave it out.")

    def information(self, point: Floats, weight: Floats) -> Floats:
        """Σ weight·JJᵀ over the rows, J the derivative of the logit, and the penalties of β; weight (n,)."""
        pairs, x = self._by_pair(weight, sign=1.0), self.columns.values
        crossed = [(self._by_pair(weight * one) @ self.model.partner(point)).ravel() for one in x.T]
        corner = np.reshape(crossed, (self.columns.count, -1))
        own = (x * weight[:, None]).T @ x + np.diag(self.columns.penalty)
        return np.block([[self.model.blocks(point, pairs), corner.T], [corner, own]])

    def derivatives(self, flat: Floats) -> tuple[Floats, Floats]:
        """Minus the gradient of the loss, and the expected information with all penalties."""
        information = self.information(self.split(flat)[0], self.side_terms(flat)[1])
        return -self.loss_and_gradient(flat)[1], information + self._ridges(self.split(flat)[0])

    def spread(self, flat: Floats, wanted: Covariance, fitted: Likelihood) -> Spread:
        """Covariance of the flat point, where `fitted` is this or has leanings too. Raises NoConvergence."""
        try:
            inverse = np.asarray(np.linalg.inv(fitted.derivatives(flat)[1]), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise NoConvergence("Covariates together decide the votes; give penalty=1.0 or leave some out.") from None
        return spread_of(
            self.labelled,
            wanted,
            inverse,
            lambda: apart(fitted.scores(flat), self.weight),
            lambda _: fitted.scores(flat),
        )

    def scores(self, flat: Floats) -> Scores:
        """(n, m(1 + 2R) + k) gradient of each row times its weight."""
        return self._along(flat, self.weight * (self.rows.outcome - expit(self.logit(flat))))

    def side_terms(self, flat: Floats) -> tuple[Floats, Floats]:
        """(n,) see `covariates.leaning`."""
        chance = expit(self.logit(flat))
        return self.weight * (self.rows.outcome - chance), self.weight * chance * (1.0 - chance)

    def side_crossed(self, flat: Floats) -> Scores:
        """(n, m(1 + 2R) + k) see `covariates.leaning`."""
        return self._along(flat, self.side_terms(flat)[1])

    def _along(self, flat: Floats, values: Floats) -> Scores:
        """(n, m(1 + 2R) + k) values (n,) times the derivative of each row's logit."""
        own = self.model.scores_of(self.rows, self.split(flat)[0], values)
        return csr_array(hstack((own, csr_array(self.columns.values * values[:, None]))))

    def _ridges(self, point: Floats) -> Floats:
        return np.diag(np.append(self.model.curvature(point).ravel(), np.zeros(self.columns.count)))

    def _by_pair(self, values: Floats, sign: float = -1.0) -> Floats:
        """(m, m) sums of (n,) under (a, b), and with `sign` under (b, a)."""
        count = self.rows.count
        cells = np.bincount(self.rows.a * count + self.rows.b, values, count * count).reshape(count, count)
        return np.asarray(cells + sign * cells.T)


@dataclass(frozen=True, eq=False)
class Lowest:
    """The lowest minimum, flat, with what was minimised there."""

    flat: Floats
    losses: Floats  # (starts,) with the common side
    fitted: Likelihood
    leanings: Leanings | None


def lowest_adjusted(model: AdjustedModel, side: Side, rng: np.random.Generator, starts: int) -> Lowest:
    """Raises NoConvergence, MissingLabels."""
    crowd = Crowd.of(model.rows.annotator) if side is Side.ANNOTATOR else None
    flat, losses = model.best(rng, starts)
    if crowd is None:
        return Lowest(flat, losses, model, None)
    leaning = leaning_rows(model, crowd, flat)
    if leaning is None:
        return Lowest(flat, losses, model, no_leanings(model.rows.annotator))
    flat = model.best_leaning(leaning, flat)
    return Lowest(flat, losses, leaning, leaning.leanings(flat))
