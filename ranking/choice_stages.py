"""Rankings as stages of choice, and the likelihood of what was chosen.

A ranking is a sequence of choices: the best from all, the next best from the rest. A tied group is chosen together,
with weight f(S) = δ_|S|·(Π_{i∈S} e^θ_i)^{1/|S|}, δ_1 = 1, among all groups S of the remaining contestants of a
size that ties had anywhere. The logarithm of f is linear in θ and ln δ, so each stage is a multinomial logit and the
log-likelihood is concave. Stages that faced the same contestants share their denominator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.special import logsumexp, softmax

from .arrays import Bools, Floats, Ints
from .clusters import Scores
from .errors import BadParameter
from .rankings import Rankings

MOST_GROUPS = 20_000  # distinct groups that may be chosen from one set
_BLOCK = 2_000_000  # numbers held at once


@dataclass(frozen=True, eq=False)
class Stages:
    """All stages with n contestants left, s of them, over u distinct sets."""

    sets: Ints  # (u, n) ascending
    which: Ints  # (s,) the set of each stage
    ranking: Ints  # (s,)
    chosen: Bools  # (s, n) who of the set was chosen
    weight: Floats  # (s,)

    @cached_property
    def faced(self) -> Floats:
        """(u,) weight of the stages with each set."""
        return np.asarray(np.bincount(self.which, self.weight, len(self.sets)), dtype=np.float64)

    @cached_property
    def order(self) -> Ints:
        """(s,) size of the group chosen."""
        return np.asarray(self.chosen.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Design:
    """The groups that can be chosen from n contestants, as rows of a linear predictor."""

    groups: Floats  # (C, n + D) 1/|S| under each member of S, and 1 under its order of tie
    alone: bool  # no ties anywhere: the groups are the n contestants themselves

    @cached_property
    def squared(self) -> Floats:
        """(C, (n + D)²)"""
        return np.asarray((self.groups[:, :, None] * self.groups[:, None, :]).reshape(len(self.groups), -1))

    def spread(self, chance: Floats, mean: Floats) -> Floats:
        """(u, n + D, n + D) variance of the predictors; chance (u, C), mean (u, n + D)."""
        crossed = -mean[:, :, None] * mean[:, None, :]
        if self.alone:
            np.einsum("uii->ui", crossed)[:] += mean
            return crossed
        return np.asarray(crossed + (chance @ self.squared).reshape(crossed.shape))


@dataclass(frozen=True, eq=False)
class ChoiceModel:
    """Every stage of some rankings over m contestants; p = m + D parameters, θ and ln δ."""

    stages: tuple[Stages, ...]
    ties: Ints  # (D,) sizes of tied groups that occur, ascending, all above 1
    count: int  # m
    rankings: int  # n

    @property
    def size(self) -> int:
        """p."""
        return self.count + len(self.ties)

    @cached_property
    def designs(self) -> tuple[Design, ...]:
        """Raises BadParameter where there are too many groups to choose from."""
        return tuple(_design(stage.sets.shape[1], self.ties) for stage in self.stages)

    @cached_property
    def observed(self) -> Floats:
        """(p,) weighted sum of the predictors of what was chosen."""
        total = np.zeros(self.size)
        for stage in self.stages:
            value = self.predictors(stage) * stage.weight[:, None]
            total += np.bincount(self.columns(stage.sets[stage.which]).ravel(), value.ravel(), self.size)
        return total

    def columns(self, sets: Ints) -> Ints:
        """(u, n + D) the parameters behind a design's columns."""
        shared = np.broadcast_to(self.count + np.arange(len(self.ties)), (len(sets), len(self.ties)))
        return np.concatenate((sets, shared), axis=1)

    def predictors(self, stage: Stages) -> Floats:
        """(s, n + D) of the chosen groups."""
        shares = stage.chosen / stage.order[:, None]
        return np.concatenate((shares, stage.order[:, None] == self.ties), axis=1)

    def blocks(self, point: Floats) -> Iterator[tuple[int, slice, Floats]]:
        """A stage's number, some of its sets, and the predictor (sets, C) of every group."""
        for number, (stage, design) in enumerate(zip(self.stages, self.designs, strict=True)):
            step = max(1, _BLOCK // max(design.groups.shape[0], design.groups.shape[1] ** 2))
            for begin in range(0, len(stage.sets), step):
                rows = slice(begin, begin + step)
                yield number, rows, point[self.columns(stage.sets[rows])] @ design.groups.T


def choice_model(rankings: Rankings) -> ChoiceModel:
    """Rankings and entries in any order; those of weight zero count for nothing."""
    found: dict[int, list[tuple[Ints, Ints, Bools]]] = {}
    lengths = rankings.lengths
    for length in np.unique(lengths[lengths > 1]):
        rows = np.flatnonzero(lengths == length)
        entry = rankings.start[rows][:, None] + np.arange(length)
        contestant, place = rankings.contestant[entry], rankings.place[entry]
        best_first = np.argsort(place, axis=1, kind="stable")
        contestant = np.take_along_axis(contestant, best_first, axis=1)
        place = np.take_along_axis(place, best_first, axis=1)
        for begin in range(int(length) - 1):
            starts = np.ones(len(rows), dtype=bool) if not begin else place[:, begin] != place[:, begin - 1]
            if not starts.any():
                continue
            left, chosen = contestant[starts, begin:], place[starts, begin:] == place[starts, begin, None]
            ascending = np.argsort(left, axis=1)
            block = (np.take_along_axis(left, ascending, 1), rows[starts], np.take_along_axis(chosen, ascending, 1))
            found.setdefault(int(length) - begin, []).append(block)
    weight = np.ones(len(rankings)) if rankings.weight is None else rankings.weight
    stages = tuple(_collapsed(found[size], weight, rankings.count) for size in sorted(found))
    orders = {int(order) for stage in stages for order in np.unique(stage.order[stage.weight > 0])}
    return ChoiceModel(stages, np.array(sorted(orders - {1}), dtype=np.int64), rankings.count, len(rankings))


def log_likelihood(point: Floats, model: ChoiceModel) -> float:
    """point (p,) = θ and ln δ."""
    faced = 0.0
    for number, rows, groups in model.blocks(point):
        faced += float(model.stages[number].faced[rows] @ logsumexp(groups, axis=1))
    return float(model.observed @ point) - faced


def derivatives(point: Floats, model: ChoiceModel) -> tuple[Floats, Floats]:
    """Gradient (p,), what was chosen less what was expected, and information (p, p), its variance."""
    slope, information = model.observed.copy(), np.zeros(model.size**2)
    for number, rows, groups in model.blocks(point):
        stage, design, chance = model.stages[number], model.designs[number], softmax(groups, axis=1)
        faced, column = stage.faced[rows], model.columns(stage.sets[rows])
        mean = chance @ design.groups
        slope -= np.bincount(column.ravel(), (mean * faced[:, None]).ravel(), model.size)
        spread = design.spread(chance, mean) * faced[:, None, None]
        cell = column[:, :, None] * model.size + column[:, None, :]
        information += np.bincount(cell.ravel(), spread.ravel(), model.size**2)
    return slope, information.reshape(model.size, model.size)


def scores(point: Floats, model: ChoiceModel) -> Scores:
    """(n, p) gradient of each ranking's log-likelihood, times its weight."""
    means = [np.empty(model.columns(stage.sets).shape) for stage in model.stages]
    for number, rows, groups in model.blocks(point):
        means[number][rows] = softmax(groups, axis=1) @ model.designs[number].groups
    row, column, value = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for stage, mean in zip(model.stages, means, strict=True):
        residual = (model.predictors(stage) - mean[stage.which]) * stage.weight[:, None]
        row.append(np.repeat(stage.ranking, residual.shape[1]))
        column.append(model.columns(stage.sets[stage.which]).ravel())
        value.append(residual.ravel())
    at = (np.concatenate(row), np.concatenate(column))
    return csr_array(coo_array((np.concatenate(value), at), shape=(model.rankings, model.size)))


def _collapsed(blocks: list[tuple[Ints, Ints, Bools]], weight: Floats, count: int) -> Stages:
    left, ranking, chosen = (np.concatenate(part) for part in zip(*blocks, strict=True))
    size = left.shape[1]
    if count**size < 2**62:
        key = left @ (count ** np.arange(size)[::-1])
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        sets = left[first]
    else:
        sets, which = np.unique(left, axis=0, return_inverse=True)
    return Stages(sets, which.reshape(-1), ranking, chosen, weight[ranking])


def _design(size: int, ties: Ints) -> Design:
    orders = [1, *(int(order) for order in ties if order <= size)]
    groups = sum(comb(size, order) for order in orders)
    if groups > MOST_GROUPS:
        raise BadParameter(
            f"{size} contestants with ties of {orders[-1]} make {groups} possible choices, more than {MOST_GROUPS}; "
            "break ties of many, or rank fewer at once."
        )
    rows = np.zeros((groups, size + len(ties)))
    row = 0
    for order in orders:
        for group in combinations(range(size), order):
            rows[row, list(group)] = 1.0 / order
            rows[row, size:] = ties == order
            row += 1
    return Design(rows, not len(ties))
