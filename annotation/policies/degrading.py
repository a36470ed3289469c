"""Copies of a response that are worse for certain: cut off, out of order, or an answer to something else."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np

from annotation.enums import GoldWay

# Shorter texts may be as good without their end, or in another order.
LEAST_WORDS = 12
LEAST_SENTENCES = 3
# What is left of a text that is cut off.
KEPT = (0.25, 0.5)
SENTENCE = re.compile(r"(?<=[.!?。！？؟])\s+|\n+|(?<=[。！？])")
SPACE = re.compile(r"\s+")
# Longer texts are shown without their differences: finding them takes the square of the length.
MOST_COMPARED = 1_200

Piece = tuple[str, bool]


def degrade(text: str, way: str, *, rng: np.random.Generator, other: str = "") -> str | None:
    """The text made worse; None where it is too short for that, or would stay what it was.

    `other` is what somebody answered to another prompt.
    """
    if way == GoldWay.OTHER_PROMPT:
        made = other.strip()
    elif way == GoldWay.TRUNCATED:
        made = _truncated(text, rng)
    elif way == GoldWay.SENTENCES:
        made = _shuffled(_sentences(text), LEAST_SENTENCES, rng)
    elif way == GoldWay.WORDS:
        made = _shuffled(text.split(), LEAST_WORDS, rng)
    else:
        raise KeyError(way)
    return made if made and _plain(made) != _plain(text) else None


def _truncated(text: str, rng: np.random.Generator) -> str:
    """In the middle of a sentence: a text that ends with one could be a short answer."""
    words = list(re.finditer(r"\S+", text))
    if len(words) < LEAST_WORDS:
        return ""
    count = max(3, int(len(words) * rng.uniform(*KEPT)))
    while count > 1 and words[count - 1].group()[-1] in ".!?。！？؟":
        count -= 1
    return text[: words[count - 1].end()].rstrip(",;:")


def _shuffled(parts: Sequence[str], least: int, rng: np.random.Generator) -> str:
    if len(parts) < least or len(set(parts)) < least:
        return ""
    for _attempt in range(5):
        mixed = [parts[place] for place in rng.permutation(len(parts))]
        # Most of it must stand elsewhere: two neighbours changed about are easily missed.
        if sum(now != before for now, before in zip(mixed, parts, strict=True)) * 3 >= len(parts) * 2:
            return " ".join(mixed)
    return ""


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in SENTENCE.split(text) if part and part.strip()]


def _plain(text: str) -> str:
    return SPACE.sub(" ", text).strip().casefold()


def differences(original: str, copy: str, *, way: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces; True marks what the other has not, or has elsewhere."""
    units = _lines_of if way == GoldWay.SENTENCES else _words_of
    before, after = units(original), units(copy)
    if way == GoldWay.OTHER_PROMPT or max(len(before), len(after)) > MOST_COMPARED:
        return [(original, False)], [(copy, False)]
    matcher = SequenceMatcher(None, _stripped(before), _stripped(after), autojunk=False)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        for pieces, found in ((left, before[i:j]), (right, after[k:m])):
            if found:
                pieces.append(("".join(found), kind != "equal"))
    return left, right


def _words_of(text: str) -> list[str]:
    """With the white space behind each."""
    return re.findall(r"\S+\s*|^\s+", text)


def _lines_of(text: str) -> list[str]:
    return [f"{sentence} " for sentence in _sentences(text)]


def _stripped(units: Sequence[str]) -> list[str]:
    return [unit.strip() for unit in units]
