"""Weak priors that keep strengths finite for contestants who never lost, never won or hardly played."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from .arrays import Floats
from .errors import BadParameter


@dataclass(frozen=True)
class VirtualTie:
    """Each contestant also tied `ties` times with an anchor of strength zero, the average contestant.

    log p(θ) = ties/2 · Σ_i [ln σ(θ_i) + ln σ(-θ_i)]. The anchor also fixes the location, so the information
    matrix is positive definite whatever the comparisons are. Half a tie moves a contestant with 100 even
    comparisons by under one percent of its distance from the average.
    """

    ties: float = 0.5

    def __post_init__(self) -> None:
        _check_positive("ties", self.ties)

    def log_density(self, strength: Floats) -> float:
        """Up to a constant."""
        magnitude = np.abs(strength)
        return float(-0.5 * self.ties * (magnitude + 2.0 * np.log1p(np.exp(-magnitude))).sum())

    def gradient(self, strength: Floats) -> Floats:
        """(m,)"""
        return np.asarray(-0.5 * self.ties * np.tanh(0.5 * strength))

    def curvature(self, strength: Floats) -> Floats:
        """(m,) minus the second derivatives, the diagonal of the prior's information."""
        half = np.tanh(0.5 * strength)
        return np.asarray(0.25 * self.ties * (1.0 - half * half))


@dataclass(frozen=True)
class NormalPrior:
    """Independent θ_i ~ N(0, variance): log p(θ) = -Σ θ_i² / (2·variance)."""

    variance: float

    def __post_init__(self) -> None:
        _check_positive("variance", self.variance)

    def log_density(self, strength: Floats) -> float:
        """Up to a constant."""
        return float(-0.5 * (strength @ strength) / self.variance)

    def gradient(self, strength: Floats) -> Floats:
        """(m,)"""
        return -strength / self.variance

    def curvature(self, strength: Floats) -> Floats:
        """(m,)"""
        return np.full_like(strength, 1.0 / self.variance)


Prior = VirtualTie | NormalPrior


def _check_positive(name: str, value: float) -> None:
    if not (isfinite(value) and value > 0.0):
        raise BadParameter(f"{name} is {value}; give a positive number, or prior=None for the raw estimate.")
