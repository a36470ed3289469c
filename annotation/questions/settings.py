"""What a question type can be set to: what is accepted, and what an editor must know to ask for it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from foundation.text import clean_text


class Kind(StrEnum):
    """How an editor asks for a setting."""

    CHOICE = "choice"
    NUMBER = "number"
    LINES = "lines"
    TEXT = "text"


@dataclass(frozen=True)
class Setting:
    """One setting: its default, what is accepted, and in words what is expected. Values are plain JSON."""

    default: Any
    accepts: Callable[[Any], bool]
    expects: str
    kind: Kind = Kind.TEXT
    options: tuple[str, ...] = ()


def one_of(*values: str) -> Setting:
    """The first is the default."""

    def accepts(value: Any) -> bool:
        return isinstance(value, str) and value in values

    return Setting(values[0], accepts, " or ".join(values), Kind.CHOICE, values)


def whole_number(default: int, low: int, high: int) -> Setting:
    def accepts(value: Any) -> bool:
        return type(value) is int and low <= value <= high

    return Setting(default, accepts, f"a whole number from {low} to {high}", Kind.NUMBER)


def lines(*default: str, least: int, most: int, length: int = 80) -> Setting:
    """A list of different printable texts of one line, `least` to `most` of them."""

    def accepts(value: Any) -> bool:
        return (
            isinstance(value, list)
            and least <= len(value) <= most
            and all(_is_line(each, length) for each in value)
            and len(set(value)) == len(value)
        )

    expects = f"{least} to {most} different lines of at most {length} characters"
    return Setting(list(default), accepts, expects, Kind.LINES)


def words(default: str, most: int) -> Setting:
    """Printable text of at most `most` characters; may be empty."""

    def accepts(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= most and clean_text(value) == value

    return Setting(default, accepts, f"text of at most {most} characters")


def _is_line(value: Any, length: int) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= length
        and clean_text(value).strip() == value
        and value.isprintable()
    )
