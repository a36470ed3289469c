"""Which of many texts lie close together, by the cosine of their vectors: exact, block by block."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]  # (n, d), each of length 1

BLOCK = 1_024
# Of pairs that are kept, the closest.
MOST = 2_000


@dataclass(frozen=True, eq=False)
class Alike:
    """Pairs at or above a threshold: how many there are, how many texts are in any, and the closest of them."""

    count: int
    texts: int
    pairs: Sequence[tuple[int, int, float]]  # first < second, the closest pair first


def pairs_above(vectors: Vectors, threshold: float, *, most: int = MOST, block: int = BLOCK) -> Alike:
    """Every pair is looked at, in blocks of `block` x `block` cosines, so that memory does not grow with n squared.

    Of equal pairs the earlier come first. Raises ValueError for a threshold outside (0, 1].
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"a threshold lies above 0 and is at most 1, not {threshold}")
    count, touched = 0, np.zeros(len(vectors), dtype=bool)
    kept: npt.NDArray[np.float64] = np.empty((0, 3))
    # What rounding takes from the cosine of a text with itself.
    least = np.float32(threshold - 1e-6)
    for top in range(0, len(vectors), block):
        for left in range(top, len(vectors), block):
            cosines = vectors[top : top + block] @ vectors[left : left + block].T
            rows, columns = np.nonzero(cosines >= least)
            ahead = rows + top < columns + left
            rows, columns = rows[ahead], columns[ahead]
            count += len(rows)
            touched[rows + top] = touched[columns + left] = True
            found = np.column_stack([rows + top, columns + left, cosines[rows, columns]])
            kept = np.concatenate([kept, found])
            kept = kept[np.lexsort((kept[:, 1], kept[:, 0], -kept[:, 2]))][:most]
    pairs = [(int(first), int(second), min(float(cosine), 1.0)) for first, second, cosine in kept]
    return Alike(count, int(touched.sum()), pairs)
