"""How an answer follows from the logit η = θ_a - θ_b + x·β: derivatives of its log-probability, row by row.

Half ties: y·ln σ(η) + (1 - y)·ln σ(-η). Davidson's ties and the ordinal model as in `davidson` and `grade_likelihood`,
whose ν and cuts are the shape s (q,) that is fitted along.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from scipy.special import expit, log_expit

from ..arrays import Floats, Ints
from ..grade_likelihood import Categories


class Response(StrEnum):
    """The model of ties and of strengths of preference."""

    HALF_TIES = "half_ties"  # Bradley-Terry: a tie is half a win for each
    DAVIDSON = "davidson"
    RAO_KUPPER = "rao_kupper"
    GRADES = "grades"  # ordinal, from the strengths of the comparisons


@dataclass(frozen=True, eq=False)
class Terms:
    """Derivatives of the log-probabilities of B answers."""

    left: Floats  # (B,) ∂η
    spread: Floats  # (B,) -∂η²
    shape: Floats  # (q, B) ∂s
    crossed: Floats  # (q, B) -∂η∂s
    bent: Floats  # (q, q, B) -∂s²


class Answers(Protocol):
    """One model at work."""

    @property
    def size(self) -> int:
        """q."""
        ...

    def read(self, outcome: Floats, strength: Ints | None) -> Floats:
        """(B,) the answers as `terms` takes them."""
        ...

    def terms(self, answer: Floats, logit: Floats, shape: Floats) -> Terms:
        """May overwrite `logit` (B,)."""
        ...

    def log_probability(self, answer: Floats, logit: Floats, shape: Floats) -> Floats:
        """(B,)"""
        ...

    def room(self, shape: Floats, step: Floats) -> float:
        """The share of `step` that stays well inside the domain of the shape."""
        ...


class HalfTies:
    """y ∈ {0, ½, 1}, no shape."""

    size = 0

    def read(self, outcome: Floats, strength: Ints | None) -> Floats:
        """The outcome itself."""
        return outcome

    def terms(self, answer: Floats, logit: Floats, shape: Floats) -> Terms:
        """y - p and p(1 - p)."""
        np.negative(logit, out=logit)
        with np.errstate(over="ignore"):  # beyond 700 logits the chance is 0 or 1 to the last bit
            chance = np.exp(logit, out=logit)
        chance += 1.0
        np.divide(1.0, chance, out=chance)
        spread = 1.0 - chance
        spread *= chance
        nothing = np.empty((0, len(chance)))
        return Terms(answer - chance, spread, nothing, nothing, nothing[None])

    def log_probability(self, answer: Floats, logit: Floats, shape: Floats) -> Floats:
        """y·η - ln(1 + e^η)."""
        return np.asarray(answer * logit - np.logaddexp(0.0, logit))

    def room(self, shape: Floats, step: Floats) -> float:
        """All of it."""
        return 1.0


class DavidsonTies:
    """P(A) : P(tie) : P(B) = e^{η/2} : ν : e^{-η/2}; the shape is ln ν."""

    size = 1

    def read(self, outcome: Floats, strength: Ints | None) -> Floats:
        """The outcome itself."""
        return outcome

    def terms(self, answer: Floats, logit: Floats, shape: Floats) -> Terms:
        """With s, c = sinh, cosh of η/2 and Z = 2c + ν, see `davidson.derivatives`."""
        nu, half = float(np.exp(shape[0])), np.clip(0.5 * logit, -300.0, 300.0)
        sinh, cosh = np.sinh(half), np.cosh(half)
        whole = 2.0 * cosh + nu
        return Terms(
            left=answer - 0.5 - sinh / whole,
            spread=0.5 * (2.0 + nu * cosh) / whole / whole,
            shape=((answer == 0.5) - nu / whole)[None, :],
            crossed=(-nu * sinh / whole / whole)[None, :],
            bent=(2.0 * nu * cosh / whole / whole)[None, None, :],
        )

    def log_probability(self, answer: Floats, logit: Floats, shape: Floats) -> Floats:
        """(y - ½)·η + [tie]·ln ν - ln Z."""
        half = 0.5 * logit
        whole = np.logaddexp(np.logaddexp(half, -half), shape[0])
        return np.asarray((answer - 0.5) * logit + (answer == 0.5) * shape[0] - whole)

    def room(self, shape: Floats, step: Floats) -> float:
        """All of it: ln ν may be anything."""
        return 1.0


@dataclass(frozen=True, eq=False)
class Grades:
    """Grade g of A over B; the shape are the cuts t between the categories in use."""

    categories: Categories
    levels: bool  # strengths of preference are told apart; else any preference is 1

    @property
    def size(self) -> int:
        """J."""
        return len(self.categories.used) - 1

    def read(self, outcome: Floats, strength: Ints | None) -> Floats:
        """Signed grades, 0 for ties."""
        magnitude = strength if self.levels and strength is not None else 1.0
        return np.asarray((2.0 * outcome - 1.0) * magnitude)

    def terms(self, answer: Floats, logit: Floats, shape: Floats) -> Terms:
        """Two logistic edges and the width between them, see `grade_likelihood`."""
        category, sign, low, high = self._edges(answer, shape)
        lower, upper = self.categories.lower[category].T, self.categories.upper[category].T
        short, past = expit(low - sign * logit), expit(sign * logit - high)
        push = 1.0 / np.expm1(high - low)
        under, over, stiff = short * (1.0 - short), past * (1.0 - past), push * (1.0 + push)
        mixed = stiff * lower[:, None] * upper[None, :]
        return Terms(
            left=sign * (short - past),
            spread=under + over,
            shape=(past + push) * upper - (short + push) * lower,
            crossed=-sign * (under * lower + over * upper),
            bent=(under + stiff) * lower[:, None] * lower[None, :]
            + (over + stiff) * upper[:, None] * upper[None, :]
            - (mixed + mixed.transpose(1, 0, 2)),
        )

    def log_probability(self, answer: Floats, logit: Floats, shape: Floats) -> Floats:
        """ln σ(d - lo) + ln σ(hi - d) + ln(1 - e^{lo - hi})."""
        _, sign, low, high = self._edges(answer, shape)
        edges = log_expit(sign * logit - low) + log_expit(high - sign * logit)
        return np.asarray(edges + np.log(-np.expm1(low - high)))

    def room(self, shape: Floats, step: Floats) -> float:
        """Every width keeps at least a tenth of what it was."""
        width = self.categories.width
        fastest = float((-(width @ step) / (width @ shape)).max(initial=0.0))
        return 1.0 if fastest <= 0.9 else 0.9 / fastest

    def _edges(self, answer: Floats, shape: Floats) -> tuple[Ints, Floats, Floats, Floats]:
        category = np.minimum(np.searchsorted(self.categories.used, np.abs(answer)), self.size)
        low, high = self.categories.edges(shape)
        return category, np.where(answer < 0.0, -1.0, 1.0), low[category], high[category]
