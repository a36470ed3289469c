"""Agreement of two annotators, and of every two."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from ..arrays import Floats
from ..comparisons import check_weights
from ..errors import NoOverlap, NoVariation, ShapeMismatch
from ..options import checked
from ..strengths import two_sided_quantile
from .judgments import ItemJudgments


class Credit(StrEnum):
    """What two values that differ are worth; categories in ascending order, one step apart."""

    NONE = "none"  # Cohen's κ
    LINEAR = "linear"  # 1 - steps/most steps
    QUADRATIC = "quadratic"  # 1 - (steps/most steps)²


@dataclass(frozen=True)
class Kappa:
    """κ = (observed - expected)/(1 - expected) agreement, with a normal interval."""

    coefficient: float
    standard_error: float
    lower: float
    upper: float
    level: float
    observed: float
    expected: float
    items: float


@dataclass(frozen=True, eq=False)
class PairwiseKappa:
    """κ of every two annotators over the items that both judged."""

    coefficient: Floats  # (A, A) NaN without a common item, or where chance would always agree; 1 on the diagonal
    observed: Floats  # (A, A) agreement, NaN without a common item
    items: Floats  # (A, A)


@checked
def cohen_kappa(table: ArrayLike, *, credit: Credit | ArrayLike = Credit.NONE, level: float = 0.95) -> Kappa:
    """From counts (K, K): [k, l] = items that the first annotator gave k and the second l.

    Cohen 1960, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20, and 1968 with partial credit
    (K, K), 1 on the diagonal. Standard error of Fleiss, Cohen & Everitt 1969, "Large sample standard errors of kappa
    and weighted kappa", Psychol. Bull. 72, equation 13. Raises ShapeMismatch, BadWeight, NoOverlap, NoVariation.
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ShapeMismatch(f"The table has shape {counts.shape}; give one row and column per category.")
    check_weights("table", counts)
    weight = _credits(credit, len(counts))
    items = float(counts.sum())
    if not items:
        raise NoOverlap("The table is empty; give both annotators some of the same items.")
    share = counts / items
    row, column = share.sum(axis=1), share.sum(axis=0)
    observed, expected = float(np.vdot(weight, share)), float(row @ weight @ column)
    if not expected < 1.0:
        raise NoVariation("Both always gave the same single value, so chance agrees as well; collect harder items.")
    kappa = (observed - expected) / (1.0 - expected)
    usual = (weight @ column)[:, None] + (row @ weight)[None, :]
    spread = float(np.vdot(share, (weight - usual * (1.0 - kappa)) ** 2)) - (kappa - expected * (1.0 - kappa)) ** 2
    error = float(np.sqrt(max(spread, 0.0) / items)) / (1.0 - expected)
    reach = two_sided_quantile(level) * error
    return Kappa(kappa, error, kappa - reach, kappa + reach, level, observed, expected, items)


def contingency(first: ArrayLike, second: ArrayLike) -> Floats:
    """(K, K) counts of two annotators' values of the same items, over the sorted values that either used.

    Raises ShapeMismatch.
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != other.shape:
        raise ShapeMismatch(f"The annotators' values have shapes {one.shape} and {other.shape}; give one per item.")
    values, codes = np.unique(np.concatenate((one, other)), return_inverse=True)
    rows, columns = np.split(codes, 2)
    count = len(values)
    return np.bincount(rows * count + columns, minlength=count * count).reshape(count, count).astype(np.float64)


@checked
def pairwise_kappa(judgments: ItemJudgments, *, credit: Credit | ArrayLike = Credit.NONE) -> PairwiseKappa:
    """Cohen's κ of every two of A annotators, first answers only; unknown annotators are left out.

    A κ from few items is noise: read it beside `items`. Raises ShapeMismatch for a credit of another size.
    """
    used = judgments.select(judgments.first & (judgments.annotator >= 0))
    values, value = np.unique(used.value, return_inverse=True)
    items, item = np.unique(used.item, return_inverse=True)
    shape = (judgments.annotators, len(items))
    gave = [
        csr_array((np.ones(int((value == k).sum())), (used.annotator[value == k], item[value == k])), shape=shape)
        for k in range(len(values))
    ]
    judged = csr_array((np.ones(len(used)), (used.annotator, item)), shape=shape)
    weight = _credits(credit, len(values))
    common = (judged @ judged.T).toarray()
    said = [(one @ judged.T).toarray() for one in gave]  # [i, j] = items common to i and j that i gave value k
    agreed, chance = np.zeros(common.shape), np.zeros(common.shape)
    for k, other in zip(*np.nonzero(weight), strict=True):
        agreed += weight[k, other] * (gave[k] @ gave[other].T).toarray()
        chance += weight[k, other] * said[k] * said[other].T
    met = common > 0
    observed = np.divide(agreed, common, out=np.full(common.shape, np.nan), where=met)
    expected = np.divide(chance, common * common, out=np.ones(common.shape), where=met)
    open_to = met & (expected < 1.0 - 1e-12)
    kappa = np.divide(observed - expected, 1.0 - expected, out=np.full(common.shape, np.nan), where=open_to)
    return PairwiseKappa(kappa, observed, common)


def _credits(credit: Credit | ArrayLike, count: int) -> Floats:
    if not isinstance(credit, Credit):
        given = np.asarray(credit, dtype=np.float64)
        if given.shape != (count, count) or not np.allclose(given.diagonal(), 1.0):
            raise ShapeMismatch(f"credit has shape {given.shape}; give ({count}, {count}) with 1 on the diagonal.")
        return given
    steps = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) / max(count - 1, 1)
    return {Credit.NONE: (steps == 0).astype(np.float64), Credit.LINEAR: 1.0 - steps, Credit.QUADRATIC: 1.0 - steps**2}[
        credit
    ]
