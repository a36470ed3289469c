"""Words of an instrument's author as short names that conditions, columns and data attributes can hold."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

from django.utils.text import slugify

LONGEST = 60
DIGITS = 8


def stable_slugs(texts: Iterable[str], *, taken: Iterable[str] = ()) -> Mapping[str, str]:
    """A slug for each text, all different, none of them in `taken`.

    A slug has letters, digits, underscores and hyphens of any script, so neither a space nor a comma can part it. It
    depends on the words and not on their place in the list. Where two texts make the same slug, or one makes none, a
    taken or a too long one, eight digits of its SHA-256 stand behind it.
    """
    return _slugs(tuple(texts), tuple(taken))


@lru_cache(maxsize=1000)  # every answer asks again for those of the same few questions
def _slugs(texts: tuple[str, ...], taken: tuple[str, ...]) -> Mapping[str, str]:
    plain = {text: slugify(text, allow_unicode=True) for text in texts}
    blocked = {"", *taken}
    counts = [*plain.values()]
    fits = {
        text: slug not in blocked and counts.count(slug) == 1 and len(slug) <= LONGEST for text, slug in plain.items()
    }
    return MappingProxyType({text: slug if fits[text] else _marked(slug, text) for text, slug in plain.items()})


def _marked(slug: str, text: str) -> str:
    digest = sha256(text.encode()).hexdigest()[:DIGITS]
    return "-".join(part for part in (slug[:LONGEST], digest) if part)
