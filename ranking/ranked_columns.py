"""Covariates of ranked entries: utility θ_i + x·β of each, with the choices of `choice_stages` among entries.

To the stages each entry of a ranking is a contestant of its own; its utility is a linear map of θ and β, through which
gradients, information and scores are taken back. Only differences within a ranking count: columns are divided by the
root mean square difference of two entries of a ranking, which for rankings of two is that of A minus B. The side is
what one place nearer to the first shown, `Rankings.position`, adds to an entry's utility: for two, what A has beyond B.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse import block_diag, coo_array, csr_array, eye_array, hstack
from scipy.special import softmax

from .arrays import Bools, Floats, Ints
from .choice_stages import ChoiceModel, choice_model, derivatives, log_likelihood, scores
from .clusters import Scores
from .covariates.adjustment import Adjustment, Columns, refuse_nothing
from .covariates.design import Side, names_of
from .covariates.side import refuse_one_sided
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
    ranking: Ints  # (E,)
    weight: Floats  # (n,)
    side: Floats  # (E,) the column of the side, if there is one
    map: csr_array  # (E + D, m + k + D) utilities of the entries, and ln δ, from a point
    lean: Floats | None = None  # (n,) added to the side

    @classmethod
    def of(cls, rankings: Rankings, columns: Columns) -> AdjustedChoices:
        """Rankings numbered 0..m-1, all of two entries or more."""
        entries = len(rankings.contestant)
        apart = replace(rankings, contestant=np.arange(entries), count=max(entries, 2), covariates=None, position=None)
        model = choice_model(apart)
        utility = hstack((eye_array(rankings.count, format="csr")[rankings.contestant], csr_array(columns.values)))
        return cls(
            model=model,
            ranking=np.repeat(np.arange(len(rankings)), rankings.lengths),
            weight=np.ones(len(rankings)) if rankings.weight is None else rankings.weight,
            side=columns.values[:, -1],
            map=csr_array(block_diag((utility, eye_array(len(model.ties))))),
        )

    def leant(self, lean: Floats) -> Self:
        """These rankings with other leanings to the first places."""
        return replace(self, lean=lean)

    def utility(self, point: Floats) -> Floats:
        """(E + D,) of the entries, and ln δ."""
        utility = np.asarray(self.map @ point)
        if self.lean is not None:
            utility[: len(self.side)] += self.side * self.lean[self.ranking]
        return utility

    def log_likelihood(self, point: Floats) -> float:
        """Of all stages."""
        return log_likelihood(self.utility(point), self.model)

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Gradient and information in θ, β and ln δ."""
        slope, among = self._among(point)
        information = self.map.T @ among @ self.map
        return np.asarray(self.map.T @ slope), np.ascontiguousarray(information.toarray())

    def scores(self, point: Floats) -> Scores:
        """(n, m + k + D) gradient of each ranking, times its weight."""
        return csr_array(scores(self.utility(point), self.model) @ self.map)

    def side_terms(self, point: Floats) -> tuple[Floats, Floats]:
        """(n,) slopes in the side of each ranking, and its variance; see `covariates.leaning`."""
        slope, among = self._among(point)
        spread = (self._by_ranking @ among) * self._by_ranking
        return np.asarray(self._by_ranking @ slope), np.asarray(spread.sum(axis=1))

    def side_crossed(self, point: Floats) -> Scores:
        """(n, m + k + D) covariance of the side with θ, β and ln δ."""
        return csr_array(self._by_ranking @ self._among(point)[1] @ self.map)

    @property
    def _by_ranking(self) -> Scores:
        """(n, E + D) the side of each ranking's entries."""
        where = (self.side, (self.ranking, np.arange(len(self.side))))
        return csr_array(where, shape=(len(self.weight), self.model.size))

    def _among(self, point: Floats) -> tuple[Floats, Scores]:
        """Gradient (E + D,) and information (E + D, E + D) in utilities and ln δ, sparse, being within rankings."""
        model, slope = self.model, self.model.observed.copy()
        row, column, value = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
        for number, rows, groups in model.blocks(self.utility(point)):
            stage, design, chance = model.stages[number], model.designs[number], softmax(groups, axis=1)
            faced, at = stage.faced[rows], model.columns(stage.sets[rows])
            mean = chance @ design.groups
            slope -= np.bincount(at.ravel(), (mean * faced[:, None]).ravel(), model.size)
            spread = design.spread(chance, mean) * faced[:, None, None]
            row.append(np.broadcast_to(at[:, :, None], spread.shape).ravel())
            column.append(np.broadcast_to(at[:, None, :], spread.shape).ravel())
            value.append(spread.ravel())
        cells = (np.concatenate(row), np.concatenate(column))
        return slope, csr_array(coo_array((np.concatenate(value), cells), shape=(model.size, model.size)))


def ranked_columns(rankings: Rankings, asked: Adjustment) -> Columns:
    """Of all entries, each ranking's mean taken off; the side last.

    Raises BadCovariate, ShapeMismatch, BadParameter.
    """
    x = np.empty((len(rankings.contestant), 0)) if rankings.covariates is None else rankings.covariates
    names, sided = names_of(x.shape[1], asked.names), asked.side is not Side.NONE
    refuse_nothing(names + ("side",) * sided)
    if sided:
        x = np.column_stack((x, -_position(rankings)))
    ranking, lengths = np.repeat(np.arange(len(rankings)), rankings.lengths), rankings.lengths
    means = [np.bincount(ranking, column, len(rankings)) / lengths for column in x.T]
    centred = x - np.column_stack(means)[ranking]
    for name, still in zip(names, _constant(x, rankings).tolist(), strict=False):
        if still:
            raise BadCovariate(
                f"{name} is the same for all entries of each ranking, so it orders nothing; leave it out."
            )
    weight = np.ones(len(rankings)) if rankings.weight is None else rankings.weight
    # The mean squared difference of two of L values is 2/(L - 1) times their squared deviations.
    squares = (2.0 * weight / (lengths - 1.0))[ranking] @ centred**2
    scale, penalty = np.sqrt(squares / weight.sum()), np.full(x.shape[1], asked.penalty)
    if sided:
        scale[-1], penalty[-1] = 1.0, 0.0
    return Columns(names + ("side",) * sided, centred / scale, scale, penalty)


def _position(rankings: Rankings) -> Ints:
    """(E,) Raises BadParameter, and BadCovariate where the order shown decides every place."""
    if rankings.position is None:
        raise BadParameter("These rankings do not say what was shown first; give `position`, or use Side.NONE.")
    ranking = np.repeat(np.arange(len(rankings)), rankings.lengths)
    order = np.lexsort((rankings.position, ranking))
    behind = np.diff(rankings.place[order])[np.diff(ranking) == 0]
    refuse_one_sided(behind > 0, behind < 0)
    return rankings.position


def _constant(x: Floats, rankings: Rankings) -> Bools:
    """(k,) whether no ranking holds two different values."""
    first = np.repeat(rankings.start[:-1], rankings.lengths)
    return np.asarray((x == x[first]).all(axis=0))
