"""Huber's weights, which bound what one answer can do to a mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ..arrays import Floats

HUBER = 1.345


@dataclass(frozen=True)
class Robust:
    """Huber's ψ(t) = min(|t|, c)·sign t and its moments under the normal."""

    huber: float | None

    def weight(self, t: Floats) -> Floats:
        """(n,) ψ(t)/t"""
        if self.huber is None:
            return np.ones_like(t)
        return np.asarray(self.huber / np.maximum(np.abs(t), self.huber))

    def squared(self, t: Floats) -> Floats:
        """(n,) ψ(t)²"""
        return np.asarray(t**2 if self.huber is None else np.minimum(t**2, self.huber**2))

    @property
    def slope(self) -> float:
        """E ψ'."""
        return 1.0 if self.huber is None else float(2.0 * ndtr(self.huber) - 1.0)

    @property
    def variance(self) -> float:
        """E ψ²."""
        if self.huber is None:
            return 1.0
        c = self.huber
        density = float(np.exp(-0.5 * c * c) / np.sqrt(2.0 * np.pi))
        return self.slope - 2.0 * c * density + 2.0 * c * c * float(ndtr(-c))

    @property
    def dispersion(self) -> float:
        """Variance of a score by the model, per information in terms of E ψ'."""
        return self.variance / self.slope
