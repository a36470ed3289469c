"""Choosing among models of growing size by the loss of votes they have not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Floats
from .clusters import Labels


@dataclass(frozen=True, eq=False)
class HeldOut:
    """One entry per model, the smallest first."""

    chosen: int  # place of the smallest model whose loss is within one standard error of the least
    loss: Floats  # (models,) minus the mean log-likelihood of a held-out vote, in nats
    gain: Floats  # (models,) loss of the smallest less the own
    gain_error: Floats  # (models,) standard error of the gain, clusters together

    @property
    def significant(self) -> bool:
        """The chosen model foresees unseen votes better than the smallest, by two standard errors."""
        return bool(self.chosen > 0 and self.gain[self.chosen] > 2.0 * self.gain_error[self.chosen])


def compare_losses(losses: Floats, weight: Floats, unit: Labels) -> HeldOut:
    """From the loss (n, models) of every row, its weight (n,) and its cluster.

    The one-standard-error rule of Breiman, Friedman, Olshen & Stone 1984, section 3.4.3, on paired differences.
    """
    total = float(weight.sum())
    mean = weight @ losses / total

    def error(first: int, second: int) -> float:
        difference = losses[:, first] - losses[:, second]
        centred = weight * (difference - weight @ difference / total)
        return float(np.sqrt((np.bincount(unit.code, weights=centred) ** 2).sum())) / total

    models = range(losses.shape[1])
    least = int(np.argmin(mean))
    chosen = next(one for one in models if mean[one] <= mean[least] + error(one, least))
    return HeldOut(chosen, mean, mean[0] - mean, np.array([error(0, one) for one in models]))
