"""Whether a concave log-likelihood has a finite maximum, by linear programming: an oracle apart from any climb."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog


def has_a_maximum(gains: np.ndarray) -> bool:
    """gains (k, p): terms rise or stay along x where gains @ x ≥ 0. False if some x raises one and lowers none."""
    found = linprog(-gains.sum(axis=0), A_ub=-gains, b_ub=np.zeros(len(gains)), bounds=(-1.0, 1.0))
    return bool(-found.fun < 1e-9)
