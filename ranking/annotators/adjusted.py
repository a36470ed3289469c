"""Covariates x·β of A minus B and sides in the models of annotators: what `scoring` and `adjusted_mixture` share.

The common side is one of β. Under Side.ANNOTATOR annotator k also has a leaning l_k ~ N(0, ρ²) to the side shown first,
ρ² by moments at the fit without leanings, as in `covariates.side`. Rows of a contestant with itself are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats
from ..covariates.adjustment import Adjustment, Columns, columns_of
from ..covariates.design import Side
from ..covariates.side import Leanings, Totals, no_leanings, refuse_one_sided
from .panel import Panel

NO_MAXIMUM = "If a covariate alone decides the votes, give penalty=1.0 or leave it out."
# Effects beyond this many logits per root mean square leave no vote to chance.
FARTHEST = 30.0


@dataclass(frozen=True, eq=False)
class Asked:
    """The columns of a panel's rows, which of them is the side, and who leans."""

    panel: Panel
    columns: Columns
    side: Side
    named: Bools  # (K,) annotators who may lean; rows without one have no leaning

    @classmethod
    def nothing(cls, panel: Panel) -> Asked:
        """No columns, and nobody leans."""
        return cls(panel, Columns.none(len(panel.rows)), Side.NONE, np.zeros(panel.annotator.count, dtype=bool))

    @classmethod
    def of(cls, panel: Panel, adjust: Adjustment) -> Asked:
        """Raises BadCovariate, ShapeMismatch, MissingLabels."""
        rows, leans = panel.rows, adjust.side is Side.ANNOTATOR
        if adjust.side is not Side.NONE:
            refuse_one_sided(rows.outcome == 1.0, rows.outcome == 0.0)
        if leans:
            no_leanings(rows.annotator)
        columns = columns_of(rows, adjust)
        groups = panel.table.groups.weak
        together = (groups[:, None] == groups[None, :]).astype(np.float64)
        columns.refuse_collinear(gram(panel, panel.weight, np.ones(len(rows)), columns.values), together)
        return cls(panel, columns, adjust.side, (panel.labels >= 0) & leans)

    @property
    def covariates(self) -> int:
        """Columns that are not the side."""
        return self.columns.count - int(self.side is not Side.NONE)

    def shift(self, effect: Floats) -> Floats:
        """(n,) x·β without the side."""
        return np.asarray(self.columns.values[:, : self.covariates] @ effect[: self.covariates])

    def pull(self, effect: Floats, leaning: Floats) -> Floats:
        """(n,) the side with each annotator's leaning (K,)."""
        return np.asarray(effect[self.covariates :].sum() + leaning[self.panel.annotator.code])

    def penalty(self, effect: Floats) -> float:
        """What is taken from the log posterior."""
        return 0.5 * float(self.columns.penalty @ effect**2)

    def leanings(self, leaning: Floats, mass: Floats, variance: float) -> Leanings | None:
        """From the information (K,) that each has of l_k, the prior's included; None unless asked for."""
        if self.side is not Side.ANNOTATOR:
            return None
        error = np.sqrt(1.0 / mass) if variance > 0.0 else np.zeros(len(mass))
        return Leanings(self.panel.labels[self.named], leaning[self.named], error[self.named], variance)

    def variance(self, left: Floats, spread: Floats) -> float:
        """ρ² from every row's score and information (n,) in the side, for weight one."""
        weight = self.panel.weight
        sums = [self.panel.by_annotator(weight * one)[self.named] for one in (left, left**2, spread)]
        return Totals(*sums).variance()


def gram(panel: Panel, weight: Floats, by_d: Floats, reach: Floats) -> Floats:
    """(m + k, m + k) Σ weight·z·zᵀ with z = (by_d·(e_a - e_b), reach); reach (n, k)."""
    weighted = reach * weight[:, None]
    crossed = [panel.by_contestant(by_d * one) for one in weighted.T]
    corner = np.reshape(crossed, (reach.shape[1], panel.rows.count))
    return np.block([[panel.laplacian(weight * by_d**2), corner.T], [corner, weighted.T @ reach]])


def along(panel: Panel, values: Floats, by_d: Floats, reach: Floats) -> Floats:
    """(m + k,) Σ values·z."""
    return np.concatenate((panel.by_contestant(values * by_d), reach.T @ values))


def by_annotator(panel: Panel, values: Floats, by_d: Floats, reach: Floats) -> Floats:
    """(m + k, K) Σ values·z over each annotator's rows."""
    over = [panel.by_annotator(values * one) for one in reach.T]
    return np.concatenate((panel.crossed(values * by_d), np.reshape(over, (len(over), panel.annotator.count))))


def centred(panel: Panel, left: Floats, spread: Floats) -> Floats:
    """(n,) scores in a number of the row's annotator, such as l_k, that sum to nothing for each.

    At the maximum they sum to what the prior pulls, l_k/ρ². Borne by the rows in proportion to what they tell of the
    number, that leaves votes summed by annotator with the score of the likelihood that has it integrated out.
    """
    total, whole = panel.by_annotator(panel.weight * left), panel.by_annotator(panel.weight * spread)
    share = np.divide(total, whole, out=np.zeros_like(total), where=whole > 0.0)
    return np.asarray(left - share[panel.annotator.code] * spread)
