"""The least squares of `worth`, solved for many weightings of the clusters at once.

Under independent weights on annotators times prompts, what belongs to one answer alone varies with its annotator, with
its prompt and with their product, so it enters the variance of the draws three times (Owen 2007, "The pigeonhole
bootstrap", Ann. Appl. Stat. 1, theorem 3). Each draw is therefore also solved with one kind of cluster weighted at a
time. What those solutions do not add up to is the answers' own part, and the variance is that of the parts less the
answers' own (as in `clusters`: by annotator plus by prompt less by both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .amounts import AmountRows, Membership, membership, total_by
from .anchors import AnchorAnswers
from .arrays import Floats, Ints
from .clusters import Labels, number, without_negative_eigenvalues
from .covariates.adjustment import Columns
from .strengths import Clustering, Covariance

# Doubles per working array of one batch of draws: 16 MB.
BATCH = 2_000_000
# The side effect is fitted only where this share of its variance is not a matter of who stood where.
SEPARABLE = 1e-9


@dataclass(frozen=True, eq=False)
class Solved:
    """One solution per draw."""

    worth: Floats  # (d, m), each summing to zero
    side: Floats  # (d,) zero where it is not separable
    effect: Floats  # (d, c) of the covariates

    @property
    def all(self) -> Floats:
        """(d, m + 1 + c)"""
        return np.column_stack((self.worth, self.side, self.effect))


@dataclass(frozen=True, eq=False)
class Drawn:
    """The fit under every draw of weights, and the covariance that follows."""

    solved: Solved
    covariance: Floats  # (m + 1 + c,) squared, of worths, side and effects


@dataclass(frozen=True, eq=False)
class Draw:
    """Weights of the clusters, one column per draw."""

    annotator: Floats  # (K, d)
    prompt: Floats  # (X, d)
    anchor: Floats  # (A, d), no rows without anchors

    def apart(self, rest: Draw) -> list[Draw]:
        """One kind of cluster weighted at a time, the others as in `rest`; for the kinds that are drawn at all."""
        kinds = ("annotator", "prompt", "anchor")
        return [
            replace(rest, **{kind: getattr(self, kind)})
            for kind in kinds
            if not np.array_equal(getattr(self, kind), getattr(rest, kind))
        ]


@dataclass(frozen=True, eq=False)
class _Normal:
    """Normal equations of each draw in worths and k columns, regular along the constant."""

    square: Floats  # (d, m, m)
    aside: Floats  # (d, m, k)
    gram: Floats  # (d, k, k)
    owed: Floats  # (d, m)
    due: Floats  # (d, k)

    def solve(self) -> tuple[Floats, Floats]:
        """Worths (d, m) and effects (d, k), by the Schur complement of the worths."""
        both = np.asarray(np.linalg.solve(self.square, np.concatenate((self.owed[:, :, None], self.aside), axis=2)))
        worth, absorbed = both[:, :, :1], both[:, :, 1:]
        across = self.aside.transpose(0, 2, 1)
        effect = np.linalg.solve(self.gram - across @ absorbed, self.due[:, :, None] - across @ worth)
        return np.asarray((worth - absorbed @ effect)[:, :, 0]), np.asarray(effect[:, :, 0])

    def without(self, taken: Floats) -> _Normal:
        """Less what (d, m + k + 1, m + k + 1) leanings take, amounts last."""
        m = self.square.shape[1]
        return _Normal(
            self.square - taken[:, :m, :m],
            self.aside - taken[:, :m, m:-1],
            self.gram - taken[:, m:-1, m:-1],
            self.owed - taken[:, :m, -1],
            self.due - taken[:, m:-1, -1],
        )


@dataclass(frozen=True, eq=False)
class Design:
    """Rows with what does not change between draws.

    `scaled` divides by each annotator's scale: from `anchors`, which hold the same annotators as the rows do, else the
    own mean |w|. `transform` is applied to the amounts after that, for sensitivity alone. `columns` are covariates, and
    `shrinkage` holds each annotator's own leaning to the side shown first (`worth_columns`).
    """

    rows: AmountRows
    scaled: bool
    anchors: AnchorAnswers | None = None
    transform: Callable[[Floats], Floats] | None = None  # (n, d) -> (n, d)
    columns: Columns | None = None  # of n rows
    shrinkage: Floats | None = None  # (K,) added to what an annotator's rows weigh; None without leanings

    @property
    def count(self) -> int:
        """m."""
        return len(self.rows.index)

    @cached_property
    def pairs(self) -> Labels:
        """(n,) which pair each row compares."""
        return number(self.rows.low * self.count + self.rows.high)

    @cached_property
    def ends(self) -> tuple[Ints, Ints]:
        """(p,) lower and higher contestant of each pair."""
        first = np.unique(self.pairs.code, return_index=True)[1]
        return self.rows.low[first], self.rows.high[first]

    @cached_property
    def _by_pair(self) -> Membership:
        return membership(self.pairs)

    @cached_property
    def _by_annotator(self) -> Membership:
        return membership(self.rows.annotator)

    def scaled_amounts(self) -> Floats:
        """(n,) amounts as they enter the fit itself."""
        return self._amounts(self.rows.importance[:, None], self.once)[:, 0]

    def solve(self) -> Solved:
        """The fit itself."""
        return self._solve(self.once)

    def residuals(self) -> Floats:
        """(n,) of the fit itself, leanings not taken off."""
        fit, rows = self.solve(), self.rows
        worth, effect = fit.worth[0], np.append(fit.effect[0], fit.side[: self.side_is_separable])
        return np.asarray(self.scaled_amounts() - (worth[rows.low] - worth[rows.high] + self._predictors @ effect))

    def weights(self) -> Floats:
        """(n,) of the fit itself."""
        return self._weighted(self.once)[0][:, 0]

    def information(self) -> Floats:
        """(m + k, m + k) of worths and columns in the fit itself, the side first among these where it is separable."""
        normal = self._normal(self.once)
        whole = np.block([[normal.square[0], normal.aside[0]], [normal.aside[0].T, normal.gram[0]]])
        order = np.arange(len(whole))
        if self.side_is_separable:
            order = np.insert(order[:-1], self.count, order[-1])
        return np.asarray(whole[np.ix_(order, order)])

    @cached_property
    def once(self) -> Draw:
        """Every cluster once."""
        anchors = 0 if self.anchors is None else len(self.anchors.anchor)
        return Draw(
            np.ones((self.rows.annotator.count, 1)), np.ones((self.rows.prompt.count, 1)), np.ones((anchors, 1))
        )

    def bootstrap(self, clustering: Clustering, draws: int, rng: np.random.Generator) -> Drawn:
        """One fit for each draw of Exp(1) weights on the clusters in use, and on the anchors."""
        solved, apart = [], []
        for draw, kinds in self.batches(clustering, draws, rng):
            solved.append(self._solve(draw))
            apart.append([self._solve(one).all for one in kinds] if len(kinds) > 1 else [solved[-1].all])
        names = ("worth", "side", "effect")
        whole = Solved(*(np.concatenate([getattr(one, name) for one in solved]) for name in names))
        parts = [np.concatenate(part) for part in zip(*apart, strict=True)]
        return Drawn(whole, covariance_of(whole.all, parts))

    def batches(
        self, clustering: Clustering, draws: int, rng: np.random.Generator
    ) -> Iterator[tuple[Draw, list[Draw]]]:
        """The weights of `draws` draws, some at a time, each with one kind of cluster weighted alone."""
        priced = 0 if self.anchors is None else self.anchors.amount.size
        leant = 0 if self.shrinkage is None else len(self.shrinkage) * (self.count + self._predictors.shape[1] + 1)
        batch = max(1, BATCH // max(len(self.rows.low), self.count**2, priced, leant))
        for begin in range(0, draws, batch):
            draw, none = self._weighed(clustering, min(batch, draws - begin), rng)
            yield draw, draw.apart(none)

    def worth_under(self, draw: Draw) -> Floats:
        """(d, m) worths, each draw's summing to zero."""
        return self._solve(draw).worth

    def weights_under(self, draw: Draw) -> Floats:
        """(n, d) of each row."""
        return self._weighted(draw)[0]

    def _weighed(self, clustering: Clustering, draws: int, rng: np.random.Generator) -> tuple[Draw, Draw]:
        """The weights, and as many columns with every cluster once."""
        anchors = 0 if self.anchors is None else len(self.anchors.anchor)
        none = Draw(
            np.ones((self.rows.annotator.count, draws)),
            np.ones((self.rows.prompt.count, draws)),
            np.ones((anchors, draws)),
        )
        draw = none
        if clustering.kind in (Covariance.ANNOTATOR, Covariance.TWO_WAY):
            draw = replace(draw, annotator=rng.standard_exponential(none.annotator.shape))
        if clustering.kind in (Covariance.PROMPT, Covariance.TWO_WAY):
            draw = replace(draw, prompt=rng.standard_exponential(none.prompt.shape))
        if anchors:
            draw = replace(draw, anchor=rng.standard_exponential(none.anchor.shape))
        return draw, none

    @cached_property
    def side_is_separable(self) -> bool:
        """Whether the orders of showing leave anything of the side effect beside the worths."""
        weight, _ = self._weighted(self.once)
        side = self.rows.side[:, None]
        aside = self._by_contestant(total_by(self._by_pair, side * weight))
        square = self._laplacian(total_by(self._by_pair, weight))
        whole = float((side**2 * weight).sum())
        left = whole - float(aside[0] @ np.linalg.solve(square, aside[:, :, None])[0, :, 0])
        return left > SEPARABLE * whole

    @cached_property
    def _predictors(self) -> Floats:
        """(n, k) covariates, and the side where it is separable."""
        covariates = np.empty((len(self.rows.low), 0)) if self.columns is None else self.columns.values
        return np.column_stack((covariates, self.rows.side[:, None][:, : int(self.side_is_separable)]))

    def _solve(self, draw: Draw) -> Solved:
        worth, effect = self._normal(draw).solve()
        covariates = effect.shape[1] - int(self.side_is_separable)
        side = effect[:, -1] if self.side_is_separable else np.zeros(len(worth))
        return Solved(worth, side, effect[:, :covariates])

    def _normal(self, draw: Draw) -> _Normal:
        weight, weighted = self._weighted(draw)
        x = self._predictors
        k = x.shape[1]
        aside = [self._by_contestant(total_by(self._by_pair, one[:, None] * weight)) for one in x.T]
        gram = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1).T @ weight
        gram = gram.T.reshape(weight.shape[1], k, k)
        if self.columns is not None:
            held = np.append(self.columns.penalty, np.zeros(k - self.columns.count))
            gram = gram + (weight.mean(axis=0))[:, None, None] * np.diag(held)
        normal = _Normal(
            square=self._laplacian(total_by(self._by_pair, weight)),
            aside=np.reshape(aside, (k, weight.shape[1], self.count)).transpose(1, 2, 0),
            gram=gram,
            owed=self._by_contestant(total_by(self._by_pair, weighted)),
            due=(x.T @ weighted).T,
        )
        return normal if self.shrinkage is None else normal.without(self._leant(weight, weighted, draw))

    def _leant(self, weight: Floats, weighted: Floats, draw: Draw) -> Floats:
        """(d, m + k + 1, m + k + 1) what leanings take of worths, columns and amounts; see `_Normal`."""
        assert self.shrinkage is not None
        rows, own = self.rows, self._by_annotator
        people, side = rows.annotator.count, self.rows.side[:, None]
        ends = [
            membership(Labels(rows.annotator.code * self.count + end, people * self.count))
            for end in (rows.low, rows.high)
        ]
        crossed = total_by(ends[0], side * weight) - total_by(ends[1], side * weight)
        parts = [crossed.reshape(people, self.count, -1)]
        parts += [total_by(own, side * one[:, None] * weight)[:, None] for one in self._predictors.T]
        parts += [total_by(own, side * weighted)[:, None]]
        whole = np.concatenate(parts, axis=1).transpose(2, 1, 0)
        mass = total_by(own, side**2 * weight) + self.shrinkage[:, None] * draw.annotator
        return np.asarray((whole / mass.T[:, None, :]) @ whole.transpose(0, 2, 1))

    def _weighted(self, draw: Draw) -> tuple[Floats, Floats]:
        """(n, d) weights v and weighted amounts v·w/c, with c_k and n_k refitted in each draw."""
        rows = self.rows
        importance = rows.importance[:, None]
        drawn, annotator = draw.prompt[rows.prompt.code], draw.annotator
        if self.scaled:
            annotator = annotator / total_by(self._by_annotator, drawn)
        drawn_by_both = drawn * annotator[rows.annotator.code]
        weight = drawn_by_both * importance
        fair = total_by(self._by_pair, drawn_by_both) / total_by(self._by_pair, weight)
        weight = weight * fair[self.pairs.code]
        return weight, weight * self._amounts(drawn * importance, draw)

    def _amounts(self, weight: Floats, draw: Draw) -> Floats:
        """(n, d) w/c of each row, `weight` (n, d) entering the own means."""
        amounts = self.rows.amount[:, None] / self._scale(weight, draw)
        return amounts if self.transform is None else self.transform(amounts)

    def _scale(self, weight: Floats, draw: Draw) -> Floats:
        """(n, d) the scale of each row's annotator."""
        if not self.scaled:
            return np.ones_like(weight)
        if self.anchors is not None:
            return np.exp(self.anchors.log_scales(draw.annotator, draw.anchor))[self.rows.annotator.code]
        magnitude = np.abs(self.rows.amount)[:, None]
        mean = total_by(self._by_annotator, weight * magnitude) / total_by(self._by_annotator, weight)
        return np.asarray(mean[self.rows.annotator.code])

    def _laplacian(self, mass: Floats) -> Floats:
        """(d, m, m) XᵀVX over the worths, made regular along the constant, which sums of zero never see."""
        low, high = self.ends
        matrix = np.zeros((mass.shape[1], self.count, self.count))
        matrix[:, low, high] = matrix[:, high, low] = -mass.T
        diagonal = -matrix.sum(axis=2)
        matrix += (diagonal.sum(axis=1) / self.count**2)[:, None, None]
        steps = np.arange(self.count)
        matrix[:, steps, steps] += diagonal
        return matrix

    def _by_contestant(self, values: Floats) -> Floats:
        """(d, m) Σ over pairs of values (p, d), plus for the lower contestant and minus for the higher."""
        low, high = self.ends
        lower = total_by(membership(Labels(low, self.count)), values)
        higher = total_by(membership(Labels(high, self.count)), values)
        return np.asarray((lower - higher).T)


def covariance_of(whole: Floats, parts: list[Floats]) -> Floats:
    """(p, p) from draws (d, p) of all weights together and of each kind alone."""

    def of(values: Floats) -> Floats:
        return np.atleast_2d(np.cov(values, rowvar=False))

    if len(parts) == 1:
        return of(parts[0])
    total = np.sum(parts, axis=0)
    return without_negative_eigenvalues(np.sum([of(part) for part in parts], axis=0) - of(whole - total))
