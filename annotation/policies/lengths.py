"""How long a prompt is, in four bands: no more than a band is kept beside words that go with their person."""

from collections.abc import Mapping, Sequence

from annotation.enums import PromptLength

VERSION = "lengths-1"
# The most characters of each band but the last.
UP_TO = ((100, PromptLength.SHORT), (500, PromptLength.MEDIUM), (2000, PromptLength.LONG))


def length_of(messages: Sequence[Mapping[str, str]]) -> PromptLength:
    """By the characters (code points) that the person wrote, over all of the prompt's turns."""
    characters = sum(len(each["content"]) for each in messages if each["role"] == "user")
    return next((band for most, band in UP_TO if characters <= most), PromptLength.VERY_LONG)
