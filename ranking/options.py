"""What a call was told: options, priors, generators and tables, read once at the public door.

Inside, options are compared by identity, so that a mere "half" would silently be the other one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from functools import cache, wraps
from inspect import signature
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from .arrays import Bools, Floats, Ints, bools, floats, ints
from .errors import BadParameter

Kind = TypeVar("Kind", bound=StrEnum)
P = ParamSpec("P")
R = TypeVar("R")

# numpy's numbers are numbers too.
_WIDER: dict[type, type] = {int: Integral, float: Real}
_CONVERSIONS: dict[Any, Callable[[str, Any], Any]] = {Floats: floats, Ints: ints, Bools: bools}
_NAMES: dict[type, str] = {
    NoneType: "None",
    np.random.Generator: "a numpy Generator such as ranking.generator(1)",
    int: "a whole number",
    float: "a number",
}


def option(kind: type[Kind], value: object, name: str) -> Kind:
    """The member of `kind` that `value` is or names. Raises BadParameter."""
    if isinstance(value, kind):
        return value
    if isinstance(value, str) and not isinstance(value, StrEnum) and value in kind._value2member_map_:
        return kind(value)
    raise BadParameter(f"{name} is {_shown(value)}; give {_choices(kind)}.")


def check_generator(rng: object) -> None:
    """Raises BadParameter unless it is numpy's."""
    if not isinstance(rng, np.random.Generator):
        raise BadParameter(f"rng is {_shown(rng)}; give {_NAMES[np.random.Generator]}.")


def whole(name: str, value: object) -> int:
    """A whole number as int. Raises BadParameter."""
    if not isinstance(value, Integral):
        raise BadParameter(f"{name} is {_shown(value)}; give a whole number.")
    return int(value)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """`function` with options given as members or as values, arrays also as lists, the rest of the types it names.

    Checked are parameters that may be an option, a generator, a number, an array, or a class of this package. Raises
    BadParameter, and for arrays ShapeMismatch and UnknownIndex.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        kinds = _kinds(function)
        for name in kwargs:
            if (kind := kinds.get(name)) is not None and type(kwargs[name]) not in kind.exact:
                kwargs[name] = kind.read(name, kwargs[name])
        given: list[Any] | None = None
        for name, kind in kinds.items():
            if kind.place < len(args) and type(args[kind.place]) not in kind.exact:
                given = given or list(args)
                given[kind.place] = kind.read(name, args[kind.place])
        return function(*args, **kwargs) if given is None else cast(Callable[..., R], function)(*given, **kwargs)

    return cast(Callable[P, R], call)


@dataclass(frozen=True)
class _Kind:
    """The types that a parameter may have."""

    place: int  # among the parameters
    members: tuple[Any, ...]
    exact: frozenset[type]  # whose values need no second look

    @classmethod
    def of(cls, place: int, hint: Any) -> _Kind:
        members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        exact = {one for one in members if isinstance(one, type) and one is not str}
        return cls(place, members, frozenset(exact | ({np.ndarray} if exact != set(members) else set())))

    @property
    def is_checked(self) -> bool:
        """Whether it may be an option, a generator, a number, an array or of a class of this package."""
        return any(_is_checked(one) for one in self.members)

    def read(self, name: str, value: Any) -> Any:
        """Raises BadParameter, ShapeMismatch, UnknownIndex."""
        return _read(name, value, self.members)


@cache
def _kinds(function: Callable[..., object]) -> dict[str, _Kind]:
    """Of the parameters that are checked."""
    hints = get_type_hints(function)
    kinds = {name: _Kind.of(place, hints.get(name)) for place, name in enumerate(signature(function).parameters)}
    return {name: kind for name, kind in kinds.items() if kind.is_checked}


def _is_checked(kind: object) -> bool:
    if not isinstance(kind, type):
        return get_origin(kind) is np.ndarray
    ours = kind.__module__.startswith(__package__) and is_dataclass(kind)
    return ours or issubclass(kind, StrEnum) or kind in (np.random.Generator, int, float)


def _read(name: str, value: Any, kinds: tuple[Any, ...]) -> Any:
    first = kinds[0]
    if isinstance(first, type) and issubclass(first, StrEnum) and (len(kinds) == 1 or isinstance(value, str)):
        return option(first, value, name)
    if isinstance(value, tuple(_WIDER.get(kind, kind) for kind in kinds if isinstance(kind, type))):
        return value
    others = [kind for kind in kinds if not isinstance(kind, type)]
    if not others:
        raise BadParameter(f"{name} is {_shown(value)}; give {_joined([_named(kind) for kind in kinds])}.")
    # Array-likes are no classes: what is left may be one, for the function itself to read.
    convert = _CONVERSIONS.get(others[0])
    return value if convert is None or isinstance(value, np.ndarray) else convert(name, value)


def _shown(value: object) -> str:
    plain = value is None or isinstance(value, (str, bool, int, float))
    return repr(value) if plain else f"a {type(value).__name__}"


def _named(kind: type) -> str:
    return _choices(kind) if issubclass(kind, StrEnum) else _NAMES.get(kind, kind.__name__)


def _choices(kind: type[StrEnum]) -> str:
    return _joined([f"{kind.__name__}.{member.name}" for member in kind])


def _joined(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1]) if len(names) > 1 else names)
