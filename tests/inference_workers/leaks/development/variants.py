"""How a name is written in the development part, by kind of transformation.

None stands where a name offers nothing to change.
"""

import base64
import unicodedata
from collections.abc import Callable, Mapping

Variant = Callable[[str, str], str | None]

CYRILLIC = str.maketrans(
    "aeopcxyijsdqwhlABCEHKMOPTXSIJG",
    "аеорсхуіјѕԁԛԝһӏАВСЕНКМОРТХЅІЈԌ",
)
LEET = str.maketrans("aeoAEO", "430430")


def letters_of(name: str) -> list[str]:
    return [character for character in name if character.isalnum()]


def changed(name: str, other: str) -> str | None:
    return other if other != name else None


def between(separator: str) -> Variant:
    return lambda name, _: separator.join(letters_of(name))


def in_the_middle(mark: str) -> Variant:
    return lambda name, _: name[: len(name) // 2] + mark + name[len(name) // 2 :]


def marked(mark: str) -> Variant:
    """A combining mark on every vowel, composed."""

    def write(name: str, _: str) -> str | None:
        whole = "".join(letter + mark if letter.lower() in "aeiou" else letter for letter in name)
        return changed(name, unicodedata.normalize("NFC", whole))

    return write


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


VARIANTS: Mapping[str, Mapping[str, Variant]] = {
    "plain": {"as it is": lambda name, _: name, "lower case": lambda name, _: name.lower()},
    "alias": {"as it is": lambda name, _: name},
    "spaced": {"spaces": between(" ")},
    "joined": {"lower case": lambda name, _: changed(name, "".join(letters_of(name)).lower())},
    "punctuated": {
        "hyphens": between("-"),
        "full stops": between("."),
        "one underscore": in_the_middle("_"),
        "half in bold": lambda name, _: f"**{name[: len(name) // 2]}**{name[len(name) // 2 :]}",
    },
    "homoglyph": {"Cyrillic": lambda name, _: changed(name, name.translate(CYRILLIC))},
    "zero-width": {"zero-width spaces": lambda name, _: "\u200b".join(name)},
    "full-width": {
        "all": lambda name, _: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name),
    },
    "accents": {"acute": marked("\u0301"), "grave": marked("\u0300")},
    "leet": {"vowels": lambda name, _: changed(name, name.translate(LEET))},
    "base64": {
        "the name": lambda name, _: encoded(name),
        "a sentence": lambda name, _: encoded(f"I am {name}."),
    },
    "claim": {"as it is": lambda name, _: name},
}
