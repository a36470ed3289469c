"""Replicates whose spread is not the one wanted, moved as little as gives them the right one."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats

LEAST = 1e-12  # of the largest variance; directions with less are left without any


def rescaled(replicates: Floats, point: Floats, covariance: Floats) -> Floats:
    """(R, M) the replicates about `point` (M,) with `covariance` (M, M); NaN where the point is NaN."""
    moved = np.full_like(replicates, np.nan)
    known = np.flatnonzero(~np.isnan(point))
    apart = replicates[:, known] - replicates[:, known].mean(axis=0)
    given = np.atleast_2d(np.cov(apart, rowvar=False))
    moved[:, known] = point[known] + apart @ transport(given, covariance[np.ix_(known, known)])
    return moved


def transport(given: Floats, wanted: Floats) -> Floats:
    """(M, M) symmetric T with T·given·T = wanted, so far as `given` varies.

    Of all linear maps that do it, the one that moves N(0, given) least: G^(-1/2) (G^(1/2) W G^(1/2))^(1/2) G^(-1/2)
    (Olkin & Pukelsheim 1982, "The distance between two random vectors with given dispersion matrices", Linear Algebra
    Appl. 48).
    """
    values, vectors = np.linalg.eigh(given)
    kept = values > LEAST * max(float(values.max()), 0.0)
    root = np.sqrt(np.where(kept, values, 0.0))
    back = np.divide(1.0, root, out=np.zeros_like(root), where=kept)
    inside = root[:, None] * (vectors.T @ wanted @ vectors) * root
    own, turned = np.linalg.eigh((inside + inside.T) / 2.0)
    middle = (turned * np.sqrt(np.maximum(own, 0.0))) @ turned.T
    half = vectors * back
    return np.asarray(half @ middle @ half.T)
