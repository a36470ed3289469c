"""What an answer about a pair says of Δ = θ_i - θ_j: votes, grades or amounts, from an annotator as sharp as they are.

A format is the likelihood of one answer, so one choice of pair, one step of the posterior and one refit serve all.
An annotator of clarity a sees a·Δ (scale-BT) and one of reliability η names the other side with probability 1 - η
(crowd-BT). The information is the exact one: a²·I(aΔ), and (2η - 1)²·I(Δ) where sides are equal, less where they are
far apart, as a surprise is then more likely to be a slip.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, pi, sqrt
from typing import Protocol

import numpy as np
from scipy.special import expit

from ..arrays import Floats, Ints
from ..errors import BadAmount, BadOutcome, BadParameter
from .choice import Parameter


class AnswerFormat(Protocol):
    """Frozen, equal by value. `gap` Δ and `answer`, of the first of a pair over the second, broadcast."""

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """What is logged of a draw, "format" its name; `logged_format` reads it."""
        ...

    def information(self, gap: Floats | float) -> Floats:
        """Fisher information of one answer about Δ."""
        ...

    def expected_information(self, gap: Floats | float, variance: Floats | float) -> Floats:
        """At the gap that stands for all of N(gap, variance)."""
        ...

    def slope(self, gap: Floats | float, answer: Floats | float) -> Floats:
        """Derivative of the answer's log-likelihood by Δ."""
        ...

    def surprise(self, gap: float, variance: float, answer: float) -> float:
        """Of mean 0 and variance 1 before the answer, when Δ ~ N(gap, variance)."""
        ...

    def preferred(self, answer: Floats | float) -> Floats:
        """1 where the first was preferred, 0 the second, ½ neither."""
        ...

    def check(self, answer: float) -> None:
        """Raises BadOutcome or BadAmount for what nobody can answer in this format."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Logistic(ABC):
    """What votes and grades share: both are categories of aΔ plus logistic noise."""

    clarity: float = 1.0
    reliability: float = 1.0

    def __post_init__(self) -> None:
        if not (isfinite(self.clarity) and self.clarity > 0.0):
            raise BadParameter(f"clarity is {self.clarity}; give a positive number, 1 for the average annotator.")
        if not 0.0 <= self.reliability <= 1.0 or self.reliability == 0.5:
            raise BadParameter(
                f"reliability is {self.reliability}; give the share of answers meant for the side they name, in 0..1 "
                "and not ½: such answers say nothing, leave that annotator out."
            )

    @abstractmethod
    def information(self, gap: Floats | float) -> Floats:
        """See `AnswerFormat`."""

    @abstractmethod
    def slope(self, gap: Floats | float, answer: Floats | float) -> Floats:
        """See `AnswerFormat`."""

    def expected_information(self, gap: Floats | float, variance: Floats | float) -> Floats:
        """At Δ/√(1 + π·a²v/8), where σ is what it averages to (MacKay 1992, equation 3.4)."""
        return self.information(gap / np.sqrt(1.0 + (pi / 8.0) * self.clarity**2 * np.asarray(variance)))

    def surprise(self, gap: float, variance: float, answer: float) -> float:
        """slope/√information at the same gap."""
        middle = gap / sqrt(1.0 + pi * self.clarity**2 * variance / 8.0)
        return float(self.slope(middle, answer) / np.sqrt(self.information(middle)))

    @property
    def _annotator(self) -> dict[str, Parameter]:
        return {"clarity": self.clarity, "reliability": self.reliability}


@dataclass(frozen=True, kw_only=True)
class VoteFormat(_Logistic):
    """1 if the first was preferred, 0 the second, ½ for a tie; P(1) = (1 - η) + (2η - 1)·σ(aΔ).

    Information a²(2η - 1)²·(pq)²/(PQ), p = σ(aΔ); of the default, pq.
    """

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The default by its name alone."""
        return {"format": "votes"} | ({} if self == VOTES else self._annotator)

    def information(self, gap: Floats | float) -> Floats:
        """See `AnswerFormat`."""
        chance = expit(self.clarity * np.asarray(gap))
        plain = np.asarray(self.clarity**2 * (chance * (1.0 - chance)))
        return plain if self.reliability == 1.0 else plain * self._credence(chance) * (2.0 * self.reliability - 1.0)

    def slope(self, gap: Floats | float, answer: Floats | float) -> Floats:
        """See `AnswerFormat`; a tie is half of either vote."""
        chance = expit(self.clarity * np.asarray(gap))
        if self.reliability == 1.0:
            return np.asarray(self.clarity * (answer - chance))
        said = (1.0 - self.reliability) + (2.0 * self.reliability - 1.0) * chance
        return np.asarray(self.clarity * (answer - said) * self._credence(chance))

    def preferred(self, answer: Floats | float) -> Floats:
        """See `AnswerFormat`."""
        return np.asarray(answer, dtype=np.float64)

    def check(self, answer: float) -> None:
        """Raises BadOutcome."""
        if answer not in (0.0, 0.5, 1.0):
            raise BadOutcome(f"outcome is {answer}; use 1 (first), 0 (second) or 0.5 (tie).")

    def _credence(self, chance: Floats) -> Floats:
        """(2η - 1)·pq/(PQ), as PQ = η(1 - η) + (2η - 1)²·pq."""
        straight, variance = 2.0 * self.reliability - 1.0, chance * (1.0 - chance)
        spread = self.reliability * (1.0 - self.reliability) + straight**2 * variance
        return np.asarray(
            np.divide(straight * variance, spread, out=np.full_like(spread, straight), where=spread > 0.0)
        )


VOTES = VoteFormat()


@dataclass(frozen=True, kw_only=True)
class GradeFormat(_Logistic):
    """Grades -K..K of `OrdinalFit`, cuts c_1 <= ... <= c_K as fitted: P(grade <= k) = σ(c_k - aΔ).

    Information Σ_g (dP_g/dΔ)²/P_g. A slip turns g into -g.
    """

    cuts: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        cuts = tuple(float(cut) for cut in self.cuts)
        rising = all(low <= high for low, high in zip((0.0, *cuts), cuts, strict=False))
        if not cuts or not rising or not all(isfinite(cut) for cut in cuts):
            raise BadParameter(f"cuts are {cuts}; give finite ones from 0 up, without those above what anybody said.")
        object.__setattr__(self, "cuts", cuts)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Cuts as one string that gives them back exactly."""
        return {"format": "grades", "cuts": " ".join(repr(cut) for cut in self.cuts)} | self._annotator

    def information(self, gap: Floats | float) -> Floats:
        """See `AnswerFormat`."""
        every = np.arange(2 * len(self.cuts) + 1).reshape((-1,) + (1,) * np.ndim(gap))
        chance, other = self._chance(gap, every), self._chance(gap, every[::-1])
        said = self.reliability * chance + (1.0 - self.reliability) * other
        return np.asarray((said * self._slope(gap, every) ** 2).sum(axis=0))

    def slope(self, gap: Floats | float, answer: Floats | float) -> Floats:
        """See `AnswerFormat`."""
        return self._slope(gap, np.asarray(answer).astype(np.int64) + len(self.cuts))

    def preferred(self, answer: Floats | float) -> Floats:
        """See `AnswerFormat`."""
        return np.asarray(0.5 + 0.5 * np.sign(answer))

    def check(self, answer: float) -> None:
        """Raises BadOutcome."""
        most = len(self.cuts)
        if answer not in range(-most, most + 1):
            raise BadOutcome(f"grade is {answer}; give a whole number from {-most} to {most}, 0 for a tie.")
        place = int(answer) + most
        if not self._edges[0][place] < self._edges[1][place]:
            raise BadOutcome(f"grade {answer} has no room between its cuts; fit the cuts to answers that include it.")

    @cached_property
    def _edges(self) -> tuple[Floats, Floats]:
        """Lower and upper, (2K + 1,) each."""
        cuts = np.array(self.cuts)
        inner = np.concatenate((-cuts[::-1], cuts))
        return np.append(-np.inf, inner), np.append(inner, np.inf)

    def _chance(self, gap: Floats | float, place: Ints) -> Floats:
        """P_g without slips, as a product: no difference of two near ones."""
        low, high, seen = self._edges[0][place], self._edges[1][place], self.clarity * np.asarray(gap)
        return np.asarray(expit(seen - low) * expit(high - seen) * -np.expm1(low - high))

    def _slope(self, gap: Floats | float, place: Ints) -> Floats:
        straight = self._meant(gap, place)
        if self.reliability == 1.0:
            return straight
        mirrored = 2 * len(self.cuts) - place
        meant = self.reliability * self._chance(gap, place)
        slipped = (1.0 - self.reliability) * self._chance(gap, mirrored)
        total = meant + slipped
        share = np.divide(meant, total, out=np.full_like(total, self.reliability), where=total > 0.0)
        return np.asarray(share * straight + (1.0 - share) * self._meant(gap, mirrored))

    def _meant(self, gap: Floats | float, place: Ints) -> Floats:
        seen = self.clarity * np.asarray(gap)
        return np.asarray(self.clarity * (expit(self._edges[0][place] - seen) - expit(seen - self._edges[1][place])))


@dataclass(frozen=True, kw_only=True)
class AmountFormat:
    """y = scale·(Δ + e), e ~ N(0, noise²), as `MagnitudeFit` has them of an annotator. Information 1/noise²."""

    noise: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("noise", self.noise), ("scale", self.scale)):
            if not (isfinite(value) and value > 0.0):
                raise BadParameter(f"{name} is {value}; give a positive number, as fitted to the annotator's amounts.")

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Both."""
        return {"format": "amounts", "noise": self.noise, "scale": self.scale}

    def information(self, gap: Floats | float) -> Floats:
        """See `AnswerFormat`; the same at every gap."""
        return np.full(np.shape(gap), 1.0 / self.noise**2)

    def expected_information(self, gap: Floats | float, variance: Floats | float) -> Floats:
        """See `AnswerFormat`; the same at every gap."""
        return self.information(gap)

    def slope(self, gap: Floats | float, answer: Floats | float) -> Floats:
        """See `AnswerFormat`."""
        return np.asarray((np.asarray(answer) / self.scale - gap) / self.noise**2)

    def surprise(self, gap: float, variance: float, answer: float) -> float:
        """See `AnswerFormat`."""
        return (answer / self.scale - gap) / sqrt(self.noise**2 + variance)

    def preferred(self, answer: Floats | float) -> Floats:
        """See `AnswerFormat`."""
        return np.asarray(0.5 + 0.5 * np.sign(answer))

    def check(self, answer: float) -> None:
        """Raises BadAmount."""
        if not isfinite(answer):
            raise BadAmount(f"amount is {answer}; give a finite number, negative where the second was preferred.")


def logged_format(parameters: Mapping[str, Parameter]) -> AnswerFormat:
    """The format that `Choice.parameters` name, votes where they name none. Raises BadParameter."""
    name = parameters.get("format", "votes")
    try:
        found = {
            key: float(parameters[key]) for key in ("clarity", "reliability", "noise", "scale") if key in parameters
        }
        if name == "votes":
            return VoteFormat(**found)
        if name == "grades":
            return GradeFormat(cuts=tuple(float(cut) for cut in str(parameters["cuts"]).split()), **found)
        if name == "amounts":
            return AmountFormat(**found)
    except BadParameter:
        raise
    except (KeyError, TypeError, ValueError) as missing:
        raise BadParameter(f"{dict(parameters)} is no format; give `parameters` as a format logs them.") from missing
    raise BadParameter(f"format is {name!r}; it is votes, grades or amounts.")
