"""How many groups of annotators a log of votes bears, judged on votes that the fit has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..arrays import Floats, Ints
from ..bradley_terry import BOARD_PRIOR
from ..comparisons import Comparisons
from ..counts import BothBad
from ..errors import BadParameter
from ..held_out import HeldOut, compare_losses
from ..options import checked
from ..priors import Prior
from .grouping import climb_once
from .mixture import RESTARTS
from .panel import Panel, panel_of

# Superfluous groups converge slowly, and a thousandth of a nat moves no choice.
NEARLY = 1e-3


@checked
def choose_group_count(
    comparisons: Comparisons,
    *,
    rng: np.random.Generator,
    most: int = 4,
    folds: int = 5,
    restarts: int = RESTARTS,
    prior: Prior = BOARD_PRIOR,
    both_bad: BothBad = BothBad.LEAVE_OUT,
) -> HeldOut:
    """What unseen votes say of 1 to `most` groups: `chosen` + 1 of them; whole annotators are the clusters.

    Cross-validated over the votes of each annotator, whose group is told by the own votes that are not held out. (The
    BIC of `MixtureFit` is the quicker, rougher answer.)

    Raises MissingLabels, NoComparisons, BadParameter, NoConvergence.
    """
    panel = panel_of(comparisons, both_bad)
    if most < 1 or not 2 <= folds <= len(panel.rows):
        raise BadParameter(f"most {most}, folds {folds}; give most >= 1 and folds from 2 to the number of votes.")
    fold = _spread_over_folds(panel, folds, rng)
    losses = np.empty((len(panel.rows), most))
    for one in range(folds):
        seen = replace(panel.rows, weight=panel.weight * (fold != one))
        for groups in range(1, most + 1):
            losses[fold == one, groups - 1] = _unseen_losses(panel, seen, groups, restarts, prior, rng)[fold == one]
    return compare_losses(losses, panel.weight, panel.annotator)


def _spread_over_folds(panel: Panel, folds: int, rng: np.random.Generator) -> Ints:
    """(n,) every annotator's votes dealt evenly, each in random order and from a random fold on."""
    rows = len(panel.rows)
    order = np.lexsort((rng.random(rows), panel.annotator.code))
    size = np.bincount(panel.annotator.code)
    place = np.arange(rows) - np.repeat(np.cumsum(size) - size, size)
    fold = np.empty(rows, dtype=np.int64)
    fold[order] = (place + np.repeat(rng.integers(0, folds, len(size)), size)) % folds
    return fold


def _unseen_losses(
    panel: Panel, seen: Comparisons, groups: int, restarts: int, prior: Prior, rng: np.random.Generator
) -> Floats:
    """(n,) under a fit to the weights of `seen`; contestants it has no vote of are average under the prior."""
    learned = Panel(seen, panel.table, panel.annotator)
    end = max((climb_once(learned, groups, prior, rng, NEARLY) for _ in range(restarts)), key=lambda one: one.value)
    y, belongs = panel.rows.outcome, end.belongs[panel.annotator.code]
    p = (belongs / (1.0 + np.exp(-np.stack([panel.difference(one) for one in end.strength], axis=1)))).sum(axis=1)
    return np.asarray(-(y * np.log(p) + (1.0 - y) * np.log1p(-p)))
