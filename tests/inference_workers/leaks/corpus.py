"""The corpus by which the leak filter is scored: made anew from frozen lists, always the same.

A leak is, in a text that a model wrote and that is shown before the vote,
 * a name of this very model anywhere: its name, its vendor, the name its endpoint knows, its aliases, however written;
 * a claim to be, or to be made by, any model or vendor that is known, also another one;
 * a token of any family's chat template.
What a text says about other models and vendors is none. Nor is it one to a word that only holds a name's letters; where
a name of the model is a word of the language, that word is one (decision 0029).
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

HERE = Path(__file__).parent
SEED = "leaks 1"
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "ru", "zh", "ja", "ar")
KINDS = (
    "plain",
    "alias",
    "spaced",
    "joined",
    "punctuated",
    "homoglyph",
    "zero-width",
    "full-width",
    "accents",
    "leet",
    "base64",
    "claim",
    "token",
)
# Where the letters themselves are changed, a shorter name is left alone: "P h i" is the mathematician's own.
LETTERS = 4
ANSWERS_PER_LANGUAGE = {"development": 100, "held_out": 210}


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    vendor: str
    aliases: tuple[str, ...]
    vendor_aliases: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """`names` are those of the model that wrote `text`; `leak` is where it begins to give something away, or None."""

    kind: str
    variant: str
    language: str
    names: tuple[str, ...]
    text: str
    leak: int | None


def pick(options: Sequence[T], *key: object) -> T:
    """One of the options by the key alone, on every machine the same."""
    digest = sha256(repr((SEED, *key)).encode()).digest()
    return options[int.from_bytes(digest[:8]) % len(options)]


class Part:
    """`development` or `held_out`: they share neither names nor ways to write them, nor sentences."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = HERE / name
        listed = self._read("names")
        self.tokens: list[str] = listed["tokens"]
        self.models = [_model(vendor, model) for vendor in listed["vendor"] for model in vendor["models"]]
        self.texts: dict[str, dict[str, Any]] = {language: self._read(language) for language in LANGUAGES}
        self.snippets: list[str] = self._read("technical")["snippets"]
        self.variants: Mapping[str, Mapping[str, Any]] = import_module(f"{__package__}.{name}.variants").VARIANTS

    def _read(self, name: str) -> dict[str, Any]:
        return tomllib.loads((self.folder / f"{name}.toml").read_text())

    # -- leaks

    @cached_property
    def leaks(self) -> list[Case]:
        return [*self._own_names(), *self._claims(), *self._tokens()]

    def _own_names(self) -> Iterator[Case]:
        for kind, variants in self.variants.items():
            if kind == "claim":
                continue
            for model in self.models:
                for variant, write in variants.items():
                    subject = self._subject(model, kind, variant)
                    written = write(subject, model.vendor)
                    if written is not None:
                        yield self._case(kind, variant, model, written)

    def _subject(self, model: Model, kind: str, variant: str) -> str:
        if kind == "alias":
            return pick([*model.aliases, *model.vendor_aliases], kind, variant, model.name)
        if kind == "plain":
            return pick([model.name, model.vendor], kind, variant, model.name)
        return next(
            name
            for name in (model.name, *model.aliases, model.vendor)
            if sum(character.isalpha() for character in name) >= LETTERS
        )

    def _case(self, kind: str, variant: str, model: Model, written: str) -> Case:
        language = pick(LANGUAGES, "language", kind, variant, model.name)
        carrier: str = pick(self.texts[language]["carriers"], "carrier", kind, variant, model.name)
        return Case(kind, variant, language, model.names, carrier.replace("{name}", written), carrier.index("{name}"))

    def _claims(self) -> Iterator[Case]:
        for language in LANGUAGES:
            for number, claim in enumerate(self.texts[language]["claims"]):
                for variant, write in self.variants["claim"].items():
                    claimed = pick(self.models, "claimed", language, number, variant)
                    writer = self._other(claimed, language, number, variant)
                    slot = "{vendor}" if "{vendor}" in claim else "{name}"
                    written = write(claimed.vendor if slot == "{vendor}" else claimed.name, claimed.vendor)
                    text = claim.replace(slot, written)
                    yield Case("claim", variant, language, writer.names, text, claim.index(slot))

    def _tokens(self) -> Iterator[Case]:
        for token in self.tokens:
            for place in ("between", "last"):
                language = pick(LANGUAGES, "token", token, place)
                model = pick(self.models, "token", token, place)
                answer = self._answer(language, 0, token)
                more = " " + pick(self.texts[language]["openers"], token) if place == "between" else ""
                yield Case("token", place, language, model.names, f"{answer}\n{token}{more}", len(answer) + 1)

    def _other(self, model: Model, *key: object) -> Model:
        """A model of another vendor, of which the claimed names hold no part."""
        others = [
            other
            for other in self.models
            if other.vendor != model.vendor and not _holds(f"{model.name} {model.vendor}", other.names)
        ]
        return pick(others, "writer", *key)

    # -- answers without one

    @cached_property
    def answers(self) -> list[Case]:
        found = []
        for language in LANGUAGES:
            for number in range(ANSWERS_PER_LANGUAGE[self.name]):
                kind, text = self._answer_of_a_kind(language, number)
                model = self._writer(text, language, number)
                found.append(Case("answer", kind, language, model.names, text, None))
        return found

    def _answer_of_a_kind(self, language: str, number: int) -> tuple[str, str]:
        answer, texts = self._answer(language, number), self.texts[language]
        if number % 4 == 1:
            subject = pick(self.models, "about", language, number)
            sentence: str = pick(texts["about"], "about", language, number)
            sentence = sentence.replace("{name}", subject.name).replace("{vendor}", subject.vendor)
            return "about others", f"{sentence} {answer}"
        if number % 4 == 2:
            return "alike", f"{answer} {pick(texts['alike'], 'alike', language, number)}"
        if number % 4 == 3:
            return "technical", f"{answer}\n\n{pick(self.snippets, 'technical', language, number)}"
        return "usual", answer

    def _answer(self, language: str, number: int, *key: object) -> str:
        """An opening, three sentences of one subject in their order, an end."""
        texts = self.texts[language]
        topic = pick(texts["topics"], "topic", language, number, *key)
        left_out = {pick(range(len(topic)), "left out", language, number, turn, *key) for turn in range(len(topic) - 3)}
        body = [sentence for place, sentence in enumerate(topic) if place not in left_out]
        opener = pick(texts["openers"], "opener", language, number, *key)
        closer = pick(texts["closers"], "closer", language, number, *key)
        return ("" if language in ("zh", "ja") else " ").join([opener, *body, closer])

    def _writer(self, text: str, language: str, number: int) -> Model:
        able = [model for model in self.models if not _holds(text, model.names)]
        return pick(able, "writer", language, number)

    def digest(self) -> str:
        """Over every case of this part, in order."""
        whole = sha256()
        for case in [*self.leaks, *self.answers]:
            whole.update(json.dumps(astuple(case)).encode())
        return whole.hexdigest()


@cache
def part_of(name: str) -> Part:
    return Part(name)


def _model(vendor: dict[str, Any], model: dict[str, Any]) -> Model:
    names = (model["name"], model["id"].split("/")[-1], vendor["name"], *model["aliases"], *vendor["aliases"])
    return Model(model["name"], vendor["name"], tuple(model["aliases"]), tuple(vendor["aliases"]), names)


def _holds(text: str, names: Sequence[str]) -> bool:
    """Whether a name stands in the text, gaps and case aside: such a pair of text and model is no fair one."""
    return any(_pattern(name).search(text) for name in names)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    letters = r"[\W_]*".join(re.escape(character) for character in name if character.isalnum())
    return re.compile(rf"(?<![A-Za-z0-9]){letters}(?![A-Za-z0-9])", re.IGNORECASE)
