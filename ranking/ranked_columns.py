"""Covariates of ranked entries: utility θ_i + x·β of each, with the choices of `choice_stages` among entries.

To the stages each entry of a ranking is a contestant of its own; its utility is a linear map of θ and β, through which
gradients, information and scores are taken back. Only differences within a ranking count: columns are divided by the
root mean square difference of two entries of a ranking, which for rankings of two is that of A minus B.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import block_diag, coo_array, csr_array, eye_array, hstack
from scipy.special import softmax

from .arrays import Bools, Floats
from .choice_stages import ChoiceModel, choice_model, derivatives, log_likelihood, scores
from .clusters import Scores
from .covariates.adjustment import Adjustment, Columns, refuse_nothing
from .covariates.design import Side, names_of
from .errors import BadCovariate, BadParameter
from .rankings import Rankings


@dataclass(frozen=True, eq=False)
class PlainChoices:
    """Every stage over m contestants; a point (m + D,) is θ and ln δ."""

    model: ChoiceModel

    def log_likelihood(self, point: Floats) -> float:
        """Of all stages."""
        return log_likelihood(point, self.model)

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Gradient and information."""
        return derivatives(point, self.model)

    def scores(self, point: Floats) -> Scores:
        """(n, m + D) gradient of each ranking, times its weight."""
        return scores(point, self.model)


@dataclass(frozen=True, eq=False)
class AdjustedChoices:
    """Every stage over E entries; a point (m + k + D,) is θ, β and ln δ."""

    model: ChoiceModel  # of entries
    columns: Columns  # of E entries
    map: csr_array  # (E + D, m + k + D) utilities of the entries, and ln δ, from a point

    @classmethod
    def of(cls, rankings: Rankings, columns: Columns) -> AdjustedChoices:
        """Rankings numbered 0..m-1, all of two entries or more."""
        entries = len(rankings.contestant)
        model = choice_model(replace(rankings, contestant=np.arange(entries), count=max(entries, 2), covariates=None))
        utility = hstack((eye_array(rankings.count, format="csr")[rankings.contestant], csr_array(columns.values)))
        return cls(model, columns, csr_array(block_diag((utility, eye_array(len(model.ties))))))

    def log_likelihood(self, point: Floats) -> float:
        """Of all stages."""
        return log_likelihood(np.asarray(self.map @ point), self.model)

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Gradient and information in θ, β and ln δ; those among entries are sparse, being within rankings."""
        model, slope = self.model, self.model.observed.copy()
        row, column, value = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
        for number, rows, groups in model.blocks(np.asarray(self.map @ point)):
            stage, design, chance = model.stages[number], model.designs[number], softmax(groups, axis=1)
            faced, at = stage.faced[rows], model.columns(stage.sets[rows])
            mean = chance @ design.groups
            slope -= np.bincount(at.ravel(), (mean * faced[:, None]).ravel(), model.size)
            spread = design.spread(chance, mean) * faced[:, None, None]
            row.append(np.broadcast_to(at[:, :, None], spread.shape).ravel())
            column.append(np.broadcast_to(at[:, None, :], spread.shape).ravel())
            value.append(spread.ravel())
        cells = (np.concatenate(row), np.concatenate(column))
        among = csr_array(coo_array((np.concatenate(value), cells), shape=(model.size, model.size)))
        information = self.map.T @ among @ self.map
        return np.asarray(self.map.T @ slope), np.ascontiguousarray(information.toarray())

    def scores(self, point: Floats) -> Scores:
        """(n, m + k + D) gradient of each ranking, times its weight."""
        return csr_array(scores(np.asarray(self.map @ point), self.model) @ self.map)


def ranked_columns(rankings: Rankings, asked: Adjustment) -> Columns:
    """Of all entries, each ranking's mean taken off. Raises BadCovariate, ShapeMismatch, BadParameter."""
    if asked.side is not Side.NONE:
        raise BadParameter("Rankings have no sides; give the position shown as a covariate, with Side.NONE.")
    if rankings.covariates is None:
        refuse_nothing(())
    assert rankings.covariates is not None
    names = names_of(rankings.covariates.shape[1], asked.names)
    refuse_nothing(names)
    ranking = np.repeat(np.arange(len(rankings)), rankings.lengths)
    x, lengths = rankings.covariates, rankings.lengths
    means = [np.bincount(ranking, column, len(rankings)) / lengths for column in x.T]
    centred = x - np.column_stack(means)[ranking]
    constant = _constant(x, rankings)
    for name, still in zip(names, constant.tolist(), strict=True):
        if still:
            raise BadCovariate(
                f"{name} is the same for all entries of each ranking, so it orders nothing; leave it out."
            )
    weight = np.ones(len(rankings)) if rankings.weight is None else rankings.weight
    # The mean squared difference of two of L values is 2/(L - 1) times their squared deviations.
    squares = (2.0 * weight / (lengths - 1.0))[ranking] @ centred**2
    scale = np.sqrt(squares / weight.sum())
    return Columns(names, centred / scale, scale, np.full(len(names), asked.penalty))


def _constant(x: Floats, rankings: Rankings) -> Bools:
    """(k,) whether no ranking holds two different values."""
    first = np.repeat(rankings.start[:-1], rankings.lengths)
    return np.asarray((x == x[first]).all(axis=0))
