"""The interface of every selection policy: (state, candidates, rng) → choice with its exact probability.

A draw is replayed from what is logged: the seed, the state's snapshot and the candidates give the same choice
bit for bit, because policies take randomness from `generator(seed)` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np

from ..arrays import Bools, Floats, Ints, frozen
from ..comparisons import check_weights
from ..errors import BadParameter, ShapeMismatch, TooFewCandidates, UnknownIndex
from ..options import check_generator

StateT_contra = TypeVar("StateT_contra", contravariant=True)
Parameter = int | float | str | bool


@dataclass(frozen=True, eq=False)
class Candidates:
    """The m active contestants a pair may be drawn from, by any distinct integers that name them.

    Kept in ascending order, so the same set gives the same hash and the same draw however it was listed.
    `open_pairs` leaves pairs out that nothing can be asked about, such as those without an item.
    Raises TooFewCandidates, UnknownIndex, ShapeMismatch, BadWeight.
    """

    active: Ints  # (m,) distinct
    weight: Floats | None = None  # (m,) sampling weights, finite, >= 0, at least two positive; None = equal
    open_pairs: Bools | None = None  # (m, m) symmetric, True where a pair may be drawn; None = every pair

    def __post_init__(self) -> None:
        active = np.asarray(self.active)
        if active.ndim != 1 or (active.size and active.dtype.kind not in "iu"):
            raise UnknownIndex("active must be one row of integers that name contestants.")
        names, first = np.unique(active.astype(np.int64), return_index=True)
        if len(names) < len(active):
            raise UnknownIndex("active names a contestant twice; list each once.")
        if len(names) < 2:
            raise TooFewCandidates(f"{len(names)} contestants are active; a pair needs two.")
        if self.weight is not None:
            object.__setattr__(self, "weight", frozen(_checked(self.weight, len(active))[first]))
        object.__setattr__(self, "active", frozen(names))
        if self.open_pairs is not None:
            given = np.asarray(self.open_pairs)
            if given.shape != (len(names), len(names)) or given.dtype != np.bool_ or (given != given.T).any():
                raise ShapeMismatch(
                    f"open_pairs must be a symmetric {len(names)} by {len(names)} array of True or False."
                )
            kept = given[np.ix_(first, first)]
            np.fill_diagonal(kept, False)
            object.__setattr__(self, "open_pairs", frozen(kept))
            if not self.open_among_drawable.any():
                raise TooFewCandidates("No pair of contestants with a positive weight is open.")

    def __len__(self) -> int:
        return len(self.active)

    @property
    def pairs(self) -> int:
        """Unordered pairs of active contestants that may be drawn, m·(m - 1)/2 where all are open."""
        if self.open_pairs is not None:
            return int(np.count_nonzero(self.open_pairs)) // 2
        return len(self) * (len(self) - 1) // 2

    @property
    def drawable(self) -> Ints:
        """Names with a positive sampling weight, ascending: the contestants a policy that learns may draw."""
        return self.active if self.weight is None else self.active[self.weight > 0.0]

    @property
    def open_among_drawable(self) -> Bools:
        """(d, d) symmetric, of the contestants in `drawable`: pairs that may be drawn."""
        names = self.drawable
        if self.open_pairs is None:
            return ~np.eye(len(names), dtype=np.bool_)
        place = np.searchsorted(self.active, names)
        return np.asarray(self.open_pairs[np.ix_(place, place)])

    @property
    def digest(self) -> str:
        """SHA-256 of the names (and weights, and open pairs) as little-endian numbers, in hexadecimal."""
        content = sha256(self.active.astype("<i8").tobytes())
        if self.weight is not None:
            content.update(b"weight" + self.weight.astype("<f8").tobytes())
        if self.open_pairs is not None:
            content.update(b"open" + np.packbits(self.open_pairs).tobytes())
        return content.hexdigest()


@dataclass(frozen=True)
class Choice:
    """One drawn pair and everything needed to weigh it or draw it again. Raises BadParameter."""

    pair: tuple[int, int]  # unordered, the smaller name first
    p_pair: float  # probability of this unordered pair, in (0, 1]
    floor: bool  # drawn uniformly over all active pairs: usable for audits without reweighting
    order: tuple[int, int]  # as shown: side A first
    p_side: float  # probability of this order given the pair, in (0, 1]
    candidates: int  # how many contestants were active
    candidates_digest: str
    policy: str
    version: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        low, high = self.pair
        if not low < high or sorted(self.order) != [low, high]:
            raise BadParameter(f"pair {self.pair} and order {self.order} must name the same two contestants.")
        for name, probability in (("p_pair", self.p_pair), ("p_side", self.p_side)):
            if not 0.0 < probability <= 1.0:
                raise BadParameter(f"{name} is {probability}; a draw that happened has a probability in (0, 1].")
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))


class Policy(Protocol[StateT_contra]):
    """What every policy offers. `state` is what it learned so far; a policy that learns nothing takes None."""

    @property
    def name(self) -> str:
        """Stable, stored with every impression."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same seed would draw differently."""
        ...

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The settings that shape the probabilities."""
        ...

    def choose(self, state: StateT_contra, candidates: Candidates, rng: np.random.Generator) -> Choice:
        """A pair among the candidates, with the exact probability of having drawn it."""
        ...


def generator(seed: int) -> np.random.Generator:
    """The generator that every logged draw starts from: PCG64 seeded with `seed`, 0 or more. Raises BadParameter."""
    if not (isinstance(seed, int | np.integer) and seed >= 0):
        raise BadParameter(f"seed is {seed!r}; give a whole number, 0 or more.")
    return np.random.Generator(np.random.PCG64(seed))


def random_order(pair: tuple[int, int], rng: np.random.Generator) -> tuple[tuple[int, int], float]:
    """Which of the pair is shown as A, by a fair coin, with the probability of that order, one half.

    Raises BadParameter for what is no generator.
    """
    check_generator(rng)
    low, high = pair
    return ((low, high) if rng.random() < 0.5 else (high, low)), 0.5


def _checked(weight: Floats, count: int) -> Floats:
    values = np.asarray(weight, dtype=np.float64)
    if values.shape != (count,):
        raise ShapeMismatch(f"weight has shape {values.shape}; give one value for each of {count} contestants.")
    check_weights("weight", values)
    if np.count_nonzero(values) < 2:
        raise TooFewCandidates("Fewer than two contestants have a positive weight; a pair needs two.")
    return values
