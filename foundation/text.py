"""One cleaner for every text that is written: of models, of imports and of people."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
# What PostgreSQL's bigint and every JSON reader we know can hold.
MAX_INTEGER = 2**63 - 1

# C0 controls except tab, newline and carriage return; the last is turned into a newline afterwards.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class UnsafeJSON(ValueError):
    """A value that PostgreSQL or a JSON reader would refuse; `path` says where it stands."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def clean_text(value: str) -> str:
    """Return `value` as PostgreSQL and every UTF-8 reader accept it, otherwise unchanged.

    C0 controls go (tab and newline stay, CRLF and CR become newlines); two halves of a surrogate pair, as a token
    stream may split them, are joined; a lone half becomes U+FFFD. Nothing else is folded: the text a model wrote is
    data. Idempotent.
    """
    if not isinstance(value, str):
        raise TypeError(f"clean_text takes str, not {type(value).__name__}")
    if not value.isprintable():
        value = _CONTROLS.sub("", value)
        if "\r" in value:
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        try:
            value.encode()
        except UnicodeEncodeError:
            value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def clean_json(value: Any, *, max_depth: int = MAX_DEPTH) -> Any:
    """Return a copy of a JSON value with every string and key cleaned, or raise `UnsafeJSON` naming the path.

    Refused: nesting deeper than `max_depth`, NaN and infinities, integers beyond 64 bits, keys that are no strings or
    that become equal when cleaned, and types JSON does not have.
    """
    return _clean(value, "$", max_depth)


def load_json(source: str | bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Parse and clean JSON from outside. Raises `UnsafeJSON` and nothing else, whatever the bytes are."""
    try:
        text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_integer)
    except UnsafeJSON:
        raise
    except UnicodeDecodeError as error:
        raise UnsafeJSON("$", f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise UnsafeJSON("$", f"nested deeper than {max_depth} levels") from error
    except ValueError as error:
        raise UnsafeJSON("$", str(error)) from error
    return clean_json(value, max_depth=max_depth)


def _refuse_constant(name: str) -> None:
    raise UnsafeJSON("$", f"{name} is not a number JSON knows")


def _parse_integer(digits: str) -> int:
    # Checked before int(): parsing a million digits takes quadratic time.
    if len(digits) > 20:
        raise UnsafeJSON("$", f"an integer of {len(digits)} digits, more than 64 bits hold")
    return int(digits)


def _clean(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise UnsafeJSON(path, "an integer beyond 64 bits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UnsafeJSON(path, "not a finite number")
        return value
    if depth <= 0:
        raise UnsafeJSON(_shorten(path), "nested too deeply")
    if isinstance(value, (list, tuple)):
        return [_clean(item, f"{path}[{index}]", depth - 1) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return _clean_object(value, path, depth)
    raise UnsafeJSON(path, f"{type(value).__name__} is not a JSON type")


def _clean_object(value: dict[Any, Any], path: str, depth: int) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise UnsafeJSON(path, f"a key of type {type(key).__name__}, not a string")
        name = clean_text(key)
        if name in cleaned:
            raise UnsafeJSON(path, f"two keys become {name[:60]!r} when cleaned")
        cleaned[name] = _clean(item, f"{path}.{name[:60]}", depth - 1)
    return cleaned


def _shorten(path: str) -> str:
    return path if len(path) <= 120 else f"{path[:60]}…{path[-59:]}"
