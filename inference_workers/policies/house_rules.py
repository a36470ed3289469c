"""House rules: what may not be asked, answered or published here. Pure: rules come in as data, and the same rules have
the same digest, which is stored with each finding.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import regex

from inference_workers.enums import RuleAction, RuleKind
from inference_workers.policies.personal_data import CHECKS
from inference_workers.policies.readings import ALIKE, Reading, plain, read_disguised, read_plain, skeleton

# Of processor time, for one pattern and one text. A text that takes longer counts as found: nobody can hide behind it.
SECONDS = 0.25
MOST_LINES = 200
LONGEST_LINE = 800
# How much of an answer is looked at again when more of it comes; what a rule finds is shorter.
WINDOW = 300
REMOVES = (RuleAction.REFUSE, RuleAction.VOID)
# What others do not get to read: flagged texts too, since nobody has looked at them yet.
MASKS = (RuleAction.MASK, RuleAction.FLAG, RuleAction.VOID, RuleAction.REFUSE)
MASKED = "▮▮▮"
_EDGE_BEFORE, _EDGE_AFTER = r"(?<![\p{L}\p{N}])", r"(?![\p{L}\p{N}])"
# Scripts that are written without spaces have no edges of words.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}]")
# What RE2 does not have either: it looks back or ahead, or remembers.
_NOT_SAFE = regex.compile(
    r"\(\?(?:[=!>|&(]|<[=!]|P[=>]|R|[+-]?\d)|(?<!\\)(?:\\\\)*\\(?:[1-9]|[gk]<|[KGXRLN])|\(\*|[*+?}]\+"
)


class BadRule(ValueError):
    """A rule that cannot be looked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a rule set. `pattern` has a word, phrase or expression a line, or names a check."""

    id: int
    kind: str
    pattern: str
    action: str
    on_visitors: bool
    on_models: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that a text breaks, and where."""

    rule: Rule
    spans: tuple[tuple[int, int], ...]

    def as_data(self) -> dict[str, Any]:
        """What is stored of it: never the text, nor where in it."""
        return {"rule": self.rule.id, "action": self.rule.action}


Find = Callable[[Reading, Reading | None], Iterator[tuple[int, int]]]


class RuleBook:
    """A rule set, ready to be asked."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._finds: list[tuple[Rule, Find]] = [(rule, _finder(rule)) for rule in rules]

    def hits(
        self, text: str, *, of_model: bool, actions: Collection[str] = tuple(RuleAction.values)
    ) -> tuple[Hit, ...]:
        """The rules for its author that the text breaks, in their order."""
        wanted = [
            (rule, find)
            for rule, find in self._finds
            if rule.action in actions and (rule.on_models if of_model else rule.on_visitors)
        ]
        if not wanted or not text:
            return ()
        reading, disguised = read_plain(text), read_disguised(text)
        found = [(rule, tuple(_bounded(find, reading, disguised, len(text)))) for rule, find in wanted]
        return tuple(Hit(rule, spans) for rule, spans in found if spans)

    def masked(self, text: str, *, of_model: bool) -> str:
        """As others read it."""
        spans = sorted(span for hit in self.hits(text, of_model=of_model, actions=MASKS) for span in hit.spans)
        pieces, end = [], 0
        for start, stop in spans:
            if stop > end:
                pieces += [text[end : max(start, end)], MASKED if start >= end else ""]
                end = stop
        return "".join([*pieces, text[end:]])


class Watch:
    """An answer under the rules while it comes. What was given out of it is at most the beginning of what is found."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._recent = ""
        self._removes = any(rule.on_models and rule.action in REMOVES for rule in book.rules)

    def push(self, text: str) -> Hit | None:
        """The first rule that takes the answer out, if any does with this piece."""
        if not self._removes:
            return None
        self._recent = (self._recent + text)[-WINDOW:]
        found = self._book.hits(self._recent, of_model=True, actions=REMOVES)
        return found[0] if found else None

    def finish(self, whole: str) -> tuple[Hit, ...]:
        return self._book.hits(whole, of_model=True)


def digest_of(rules: Iterable[Rule]) -> str:
    """The same for the same rules."""
    return hashlib.sha256(json.dumps(as_data(rules), sort_keys=True).encode()).hexdigest()


def as_data(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    return [asdict(rule) for rule in rules]


@lru_cache(maxsize=64)
def _book(canonical: str) -> RuleBook:
    return RuleBook([Rule(**each) for each in json.loads(canonical)])


def rule_book(rules: Iterable[Mapping[str, Any]]) -> RuleBook:
    """Of stored rules; made once for the same ones."""
    return _book(json.dumps([dict(each) for each in rules], sort_keys=True))


def check_rule(rule: Rule) -> None:
    """Raises BadRule for what cannot be looked for, or not within bounds."""
    if rule.kind == RuleKind.CHECK:
        if rule.pattern not in CHECKS:
            raise BadRule("there is no such check")
        return
    lines = _lines(rule.pattern)
    if not lines:
        raise BadRule("write at least one line to look for")
    if len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines):
        raise BadRule(f"at most {MOST_LINES} lines of {LONGEST_LINE} characters each")
    for line in lines:
        _expression(rule.kind, line)


def _lines(pattern: str) -> list[str]:
    return [line.strip() for line in pattern.splitlines() if line.strip()]


def _finder(rule: Rule) -> Find:
    if rule.kind == RuleKind.CHECK:
        check = CHECKS[rule.pattern]
        return lambda reading, disguised: (reading.span(*span) for span in check(reading.text))
    lines = _lines(rule.pattern)
    if rule.kind == RuleKind.WORDS:
        plainly = [_any_of(_expression(rule.kind, line) for line in lines)]
        in_disguise = [_any_of(_words(skeleton(line)) for line in lines)]
    else:
        plainly = in_disguise = [_expression(rule.kind, line) for line in lines]

    def find(reading: Reading, disguised: Reading | None) -> Iterator[tuple[int, int]]:
        for read, expressions in ((reading, plainly), (disguised, in_disguise)):
            if read is None:
                continue
            text = read.text if expressions is plainly else read.text.translate(ALIKE)
            for expression in expressions:
                for found in expression.finditer(text, timeout=SECONDS):
                    if found.end() > found.start():
                        yield read.span(*found.span())

    return find


def _bounded(find: Find, reading: Reading, disguised: Reading | None, length: int) -> Iterator[tuple[int, int]]:
    """Where a pattern takes too long for a text, all of the text is found."""
    try:
        yield from list(find(reading, disguised))
    except TimeoutError:
        yield 0, length


def _expression(kind: str, line: str) -> "regex.Pattern[str]":
    if kind == RuleKind.WORDS:
        said = plain(line).strip()
        if not any(character.isalnum() for character in said):
            raise BadRule(f"no letter in: {line[:60]}")
        return _words(said)
    if _NOT_SAFE.search(line):
        raise BadRule(f"no looking ahead or behind, and no references to groups: {line[:60]}")
    try:
        compiled = regex.compile(line, regex.IGNORECASE | regex.VERSION0)
    except regex.error as error:
        raise BadRule(f"{error}: {line[:60]}") from error
    if compiled.search("", timeout=SECONDS):
        raise BadRule(f"it finds a text in which nothing is written: {line[:60]}")
    return compiled


def _any_of(expressions: Iterable["regex.Pattern[str]"]) -> "regex.Pattern[str]":
    return regex.compile("|".join(each.pattern for each in expressions))


def _words(said: str) -> "regex.Pattern[str]":
    """A word as such, or spelt out with something between its letters; a phrase with anything but letters between its
    words."""
    words = regex.findall(r"[\p{L}\p{N}]+", said)
    phrase = r"[^\p{L}\p{N}]{1,6}".join(map(regex.escape, words))
    found = [_edged(phrase, said)]
    if len(words) == 1 and len(said) >= 4 and said.isalpha() and not _UNSPACED.search(said):
        found.append(_EDGE_BEFORE + r"[ ._*-]".join(map(regex.escape, said)) + _EDGE_AFTER)
    return regex.compile("|".join(found))


def _edged(phrase: str, said: str) -> str:
    before = "" if _UNSPACED.match(said[0]) else _EDGE_BEFORE
    return before + phrase + ("" if _UNSPACED.match(said[-1]) else _EDGE_AFTER)
