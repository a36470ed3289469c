"""The least squares of `worth`, solved for many weightings of the clusters at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .amounts import AmountRows, Membership, membership, total_by
from .anchors import AnchorAnswers
from .arrays import Floats, Ints
from .clusters import Labels, number
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


@dataclass(frozen=True, eq=False)
class _Draw:
    """Weights of the clusters, one column per draw."""

    annotator: Floats  # (K, d)
    prompt: Floats  # (X, d)
    anchor: Floats  # (A, d), no rows without anchors


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weighted sums of each draw over the p pairs that were compared."""

    mass: Floats  # (p, d) Σ v
    amount: Floats  # (p, d) Σ v·w
    side: Floats  # (p, d) Σ v·s
    side_squared: Floats  # (d,) Σ v·s²
    side_amount: Floats  # (d,) Σ v·s·w


@dataclass(frozen=True, eq=False)
class Design:
    """Rows with what does not change between draws.

    `scaled` divides by each annotator's scale: from `anchors`, which hold the same annotators as the rows do, else the
    own mean |w|. `transform` is applied to the amounts after that, for sensitivity alone.
    """

    rows: AmountRows
    scaled: bool
    anchors: AnchorAnswers | None = None
    transform: Callable[[Floats], Floats] | None = None  # (n, d) -> (n, d)

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
        return self._amounts(self.rows.importance[:, None], self._once)[:, 0]

    def solve(self) -> Solved:
        """The fit itself."""
        return self._solve(self._once)

    def residuals(self) -> Floats:
        """(n,) of the fit itself."""
        fit, rows = self.solve(), self.rows
        worth = fit.worth[0]
        return np.asarray(self.scaled_amounts() - (worth[rows.low] - worth[rows.high] + fit.side[0] * rows.side))

    @cached_property
    def _once(self) -> _Draw:
        """Every cluster once."""
        anchors = 0 if self.anchors is None else len(self.anchors.anchor)
        return _Draw(
            np.ones((self.rows.annotator.count, 1)), np.ones((self.rows.prompt.count, 1)), np.ones((anchors, 1))
        )

    def bootstrap(self, clustering: Clustering, draws: int, rng: np.random.Generator) -> Solved:
        """One fit for each draw of Exp(1) weights on the clusters in use, and on the anchors."""
        priced = 0 if self.anchors is None else self.anchors.amount.size
        batch = max(1, BATCH // max(len(self.rows.low), self.count**2, priced))
        solved = []
        for begin in range(0, draws, batch):
            size = min(batch, draws - begin)
            annotator = np.ones((self.rows.annotator.count, size))
            prompt = np.ones((self.rows.prompt.count, size))
            if clustering.kind in (Covariance.ANNOTATOR, Covariance.TWO_WAY):
                annotator = rng.standard_exponential(annotator.shape)
            if clustering.kind in (Covariance.PROMPT, Covariance.TWO_WAY):
                prompt = rng.standard_exponential(prompt.shape)
            anchor = np.ones((0, size))
            if self.anchors is not None:
                anchor = rng.standard_exponential((len(self.anchors.anchor), size))
            solved.append(self._solve(_Draw(annotator, prompt, anchor)))
        worth = np.concatenate([one.worth for one in solved])
        return Solved(worth, np.concatenate([one.side for one in solved]))

    @cached_property
    def side_is_separable(self) -> bool:
        """Whether the orders of showing leave anything of the side effect beside the worths."""
        sums = self._sums(self._once)
        absorbed = np.linalg.solve(self._laplacian(sums.mass), self._by_contestant(sums.side)[:, :, None])[0, :, 0]
        left = float(sums.side_squared[0] - self._by_contestant(sums.side)[0] @ absorbed)
        return left > SEPARABLE * float(sums.side_squared[0])

    def _solve(self, draw: _Draw) -> Solved:
        sums = self._sums(draw)
        aside, owed = self._by_contestant(sums.side), self._by_contestant(sums.amount)
        both = np.asarray(np.linalg.solve(self._laplacian(sums.mass), np.stack((owed, aside), axis=2)))
        worth, absorbed = both[:, :, 0], both[:, :, 1]
        if not self.side_is_separable:
            return Solved(worth, np.zeros(len(worth)))
        # Schur complement of the worths: what the orders of showing leave for the side effect.
        left = sums.side_squared - (aside * absorbed).sum(axis=1)
        side = np.asarray((sums.side_amount - (aside * worth).sum(axis=1)) / left)
        return Solved(worth - side[:, None] * absorbed, side)

    def _sums(self, draw: _Draw) -> _Sums:
        weight, weighted = self._weighted(draw)
        side = self.rows.side[:, None]
        return _Sums(
            mass=total_by(self._by_pair, weight),
            amount=total_by(self._by_pair, weighted),
            side=total_by(self._by_pair, side * weight),
            side_squared=(side**2 * weight).sum(axis=0),
            side_amount=(side * weighted).sum(axis=0),
        )

    def _weighted(self, draw: _Draw) -> tuple[Floats, Floats]:
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

    def _amounts(self, weight: Floats, draw: _Draw) -> Floats:
        """(n, d) w/c of each row, `weight` (n, d) entering the own means."""
        amounts = self.rows.amount[:, None] / self._scale(weight, draw)
        return amounts if self.transform is None else self.transform(amounts)

    def _scale(self, weight: Floats, draw: _Draw) -> Floats:
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
