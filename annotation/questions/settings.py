"""What a question type can be set to: what is accepted, and what an editor must know to ask for it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise

from foundation.text import clean_text

Text = str | Promise


class Kind(StrEnum):
    """How an editor asks for a setting."""

    CHOICE = "choice"
    NUMBER = "number"
    LINES = "lines"
    TEXT = "text"


@dataclass(frozen=True)
class Setting:
    """One setting: what the editor calls it, its default, what is accepted, and in words what is expected.

    Values are plain JSON. `options` are those of a choice with what the editor calls each, `offered` those of them that
    an editor offers: the rest is read where it stands already.
    """

    label: Text
    default: Any
    accepts: Callable[[Any], bool]
    expects: str
    kind: Kind = Kind.TEXT
    options: Mapping[str, Text] = field(default_factory=dict)
    not_offered: frozenset[str] = frozenset()

    @property
    def offered(self) -> dict[str, Text]:
        return {value: label for value, label in self.options.items() if value not in self.not_offered}


def one_of(label: Text, options: Mapping[str, Text], *, not_offered: Collection[str] = ()) -> Setting:
    """The first is the default."""

    def accepts(value: Any) -> bool:
        return isinstance(value, str) and value in options

    return Setting(
        label, next(iter(options)), accepts, " or ".join(options), Kind.CHOICE, options, frozenset(not_offered)
    )


def whole_number(label: Text, default: int, low: int, high: int) -> Setting:
    def accepts(value: Any) -> bool:
        return type(value) is int and low <= value <= high

    return Setting(label, default, accepts, f"a whole number from {low} to {high}", Kind.NUMBER)


def lines(label: Text, *default: str, least: int, most: int, length: int = 80) -> Setting:
    """A list of different printable texts of one line, `least` to `most` of them."""

    def accepts(value: Any) -> bool:
        return (
            isinstance(value, list)
            and least <= len(value) <= most
            and all(_is_line(each, length) for each in value)
            and len(set(value)) == len(value)
        )

    expects = f"{least} to {most} different lines of at most {length} characters"
    return Setting(label, list(default), accepts, expects, Kind.LINES)


def words(label: Text, default: str, most: int) -> Setting:
    """Printable text of at most `most` characters; may be empty."""

    def accepts(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= most and clean_text(value) == value

    return Setting(label, default, accepts, f"text of at most {most} characters")


def _is_line(value: Any, length: int) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= length
        and clean_text(value).strip() == value
        and value.isprintable()
    )
