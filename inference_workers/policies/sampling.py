"""How a completion is drawn where it is not as its revision says."""

import math
from collections.abc import Mapping
from typing import Any

from inference_workers.errors import InferenceError

HOTTEST = 2.0
MOST_TOKENS = 1_000_000
MOST_STOPS, LONGEST_STOP = 8, 100
NAMES = ("temperature", "top_p", "max_tokens", "stop")


class InvalidSampling(InferenceError):
    """Settings that no model could be asked with; the message says what is wrong."""


def checked_sampling(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Only what is given counts, and the rest stays as the revision has it; None where nothing is given. Raises
    InvalidSampling."""
    found = {name: value for name, value in (given or {}).items() if value is not None and value != []}
    strangers = sorted(found.keys() - set(NAMES))
    if strangers:
        raise InvalidSampling(f"{strangers[0][:40]!r} is no setting of a completion")
    _number(found, "temperature", 0.0, HOTTEST)
    _number(found, "top_p", 0.01, 1.0)
    if "max_tokens" in found and (type(found["max_tokens"]) is not int or not 1 <= found["max_tokens"] <= MOST_TOKENS):
        raise InvalidSampling(f"max_tokens is a whole number from 1 to {MOST_TOKENS:,}")
    _stops(found)
    return found or None


def _number(found: dict[str, Any], name: str, least: float, most: float) -> None:
    if name not in found:
        return
    value = found[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidSampling(f"{name} is a number")
    if not least <= value <= most:
        raise InvalidSampling(f"{name} lies between {least:g} and {most:g}, not at {value:g}")
    found[name] = float(value)


def _stops(found: dict[str, Any]) -> None:
    stops = found.get("stop", [])
    if not isinstance(stops, list) or len(stops) > MOST_STOPS:
        raise InvalidSampling(f"stop is a list of at most {MOST_STOPS} texts")
    if any(not isinstance(stop, str) or not stop or len(stop) > LONGEST_STOP or "\0" in stop for stop in stops):
        raise InvalidSampling(f"a stop is a text of 1 to {LONGEST_STOP} characters")
