"""What a call was told: options, priors, generators and tables, read once at the public door.

Inside, options are compared by identity, so that a mere "half" would silently be the other one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from enum import StrEnum
from functools import cache, wraps
from inspect import signature
from numbers import Integral, Real
from types import NoneType
from typing import Any, ParamSpec, TypeVar, cast, get_args, get_type_hints

import numpy as np

from .errors import BadParameter

Kind = TypeVar("Kind", bound=StrEnum)
P = ParamSpec("P")
R = TypeVar("R")

# numpy's numbers are numbers too.
_WIDER: dict[type, type] = {int: Integral, float: Real}
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


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """`function` with its options given as members or as their values, and the rest of the types it names.

    Checked are parameters that may be an option, a generator, or a class of this package. Raises BadParameter.
    """
    names = tuple(signature(function).parameters)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        kinds = _kinds(function)
        for name, value in kwargs.items():
            if name in kinds:
                kwargs[name] = _read(name, value, kinds[name])
        given = [
            _read(name, value, kinds[name]) if name in kinds else value
            for name, value in zip(names, args, strict=False)
        ]
        return cast(Callable[..., R], function)(*given, *args[len(names) :], **kwargs)

    return cast(Callable[P, R], call)


@cache
def _kinds(function: Callable[..., object]) -> dict[str, tuple[Any, ...]]:
    """The types that each parameter may have, of the parameters that are checked."""
    hints = get_type_hints(function)
    hints.pop("return", None)
    kinds = {name: get_args(hint) or (hint,) for name, hint in hints.items()}
    return {name: kind for name, kind in kinds.items() if any(_is_checked(one) for one in kind)}


def _is_checked(kind: object) -> bool:
    if not isinstance(kind, type):
        return False
    ours = kind.__module__.startswith(__package__) and is_dataclass(kind)
    return ours or issubclass(kind, StrEnum) or kind is np.random.Generator


def _read(name: str, value: Any, kinds: tuple[Any, ...]) -> Any:
    first = kinds[0]
    if type(value) is first:
        return value
    if isinstance(first, type) and issubclass(first, StrEnum) and (len(kinds) == 1 or isinstance(value, str)):
        return option(first, value, name)
    # Array-likes are no classes: whatever is left may be one.
    if not all(isinstance(kind, type) for kind in kinds):
        return value
    if isinstance(value, tuple(_WIDER.get(kind, kind) for kind in kinds)):
        return value
    raise BadParameter(f"{name} is {_shown(value)}; give {_joined([_named(kind) for kind in kinds])}.")


def _shown(value: object) -> str:
    plain = value is None or isinstance(value, (str, bool, int, float))
    return repr(value) if plain else f"a {type(value).__name__}"


def _named(kind: type) -> str:
    return _choices(kind) if issubclass(kind, StrEnum) else _NAMES.get(kind, kind.__name__)


def _choices(kind: type[StrEnum]) -> str:
    return _joined([f"{kind.__name__}.{member.name}" for member in kind])


def _joined(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1]) if len(names) > 1 else names)
