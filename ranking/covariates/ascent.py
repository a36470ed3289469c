"""The joint maximum in strengths, effects and what else a model has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays import Floats
from ..errors import NoConvergence
from ..newton import Optimum, add_to_diagonal, climb
from ..priors import Prior
from .adjustment import Columns


def climb_with_effects(
    derivatives: Callable[[Floats], tuple[Floats, Floats]],
    start: Floats,
    columns: Columns,
    prior: Prior | None,
    together: Floats,
    allowed: Callable[[Floats, Floats], float] | None = None,
) -> Optimum:
    """From `start` (m + k + q,): strengths, effects, and what else the model has.

    `derivatives` are those of the log-likelihood; together (m, m) is 1 where two strengths are known up to a constant;
    `allowed` is `climb`'s. Raises BadCovariate for a collinear column, NoConvergence.
    """
    m, k = len(together), columns.count

    def penalised(point: Floats) -> tuple[Floats, Floats]:
        slope, information = derivatives(point)
        if point is start:
            columns.refuse_collinear(information[: m + k, : m + k], together)
        diagonal = np.zeros(len(point))
        diagonal[m : m + k] = columns.penalty
        slope = slope - diagonal * point
        if prior is None:
            information[:m, :m] += together * (information[:m, :m].trace() / (m * m))
        else:
            slope[:m] += prior.gradient(point[:m])
            diagonal[:m] = prior.curvature(point[:m])
        add_to_diagonal(information, diagonal)
        return slope, information

    try:
        return climb(penalised, start, allowed)
    except NoConvergence as refusal:
        if not k:
            raise
        raise NoConvergence(
            f"{refusal} If a covariate alone decides the answers, give penalty=1.0 or leave it out."
        ) from refusal
