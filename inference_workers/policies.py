"""What of a model's output may be shown, decided while it streams: pure rules, no database and no clock.

What was given out is never taken back, so text that could still turn into something forbidden is held until it cannot.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from foundation.text import clean_text
from inference_workers.enums import Priority, Rejection
from inference_workers.errors import InferenceError

# How long a failed attempt waits before the next, in seconds, by number of attempts made.
RETRY_SECONDS = (1.0, 4.0, 15.0)
LONGEST_RETRY_SECONDS = 60.0
# The same while a person waits, who learns within seconds that a model does not answer. None is longer than a pump
# stays for a retry that is due.
VISITOR_RETRY_SECONDS = (0.5, 1.5)
LONGEST_VISITOR_RETRY_SECONDS = 1.5

THINKING = {"<think>": "</think>", "<thinking>": "</thinking>", "[THINK]": "[/THINK]"}
# Stop tokens that a badly configured endpoint lets through. A text ends where one stands.
END_MARKS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|return|>")

LOOP_CHARACTERS = 1000
LOOP_UNIT = 120
LOOP_EVERY = 200

# May stand between the characters of a name: "Smol-LM", "S m o l", "**Smol**LM", "GPT.4".
GAPS = frozenset("-_*~`'’·•/\\|+.‐‑‒–—")
MOST_GAPS = 8
# A shorter name may be interrupted only where it is itself: "Phi 4", but not "p h i".
SPELLED_OUT_FROM = 5


SMOLLM2 = "smollm2"


class ModelNotAllowed(InferenceError):
    """The folder is not one that models may be loaded from."""


class RejectedText(InferenceError):
    """The completion may not be shown; nothing that gives it away has been given out."""

    def __init__(self, code: Rejection) -> None:
        super().__init__(code.label)
        self.code = code


def model_folder(name: str, *, models: Path, allowed: Iterable[str | Path]) -> Path:
    """Where a model in the worker's own process lives: below `models`, or an absolute folder below an allowed one.
    Raises ModelNotAllowed; whether there is a model is for the engine to find out."""
    roots = [models.resolve()] if not Path(name).is_absolute() else [Path(root).resolve() for root in allowed]
    folder = (models / name).resolve()
    if not any(folder != root and folder.is_relative_to(root) for root in roots):
        raise ModelNotAllowed(f"{name!r} is neither a folder in {models} nor below one of MODEL_FOLDERS")
    return folder


def retry_delay(attempts: int, asked_for: float | None, *, priority: int) -> float | None:
    """Seconds to wait before the next attempt: what the endpoint asked for if it did, within a minute.

    None while a person waits and the endpoint wants to be left alone for longer than a person would: no attempt then.
    """
    if priority == Priority.VISITOR:
        usual = VISITOR_RETRY_SECONDS[min(attempts, len(VISITOR_RETRY_SECONDS)) - 1]
        return None if (asked_for or 0.0) > LONGEST_VISITOR_RETRY_SECONDS else max(asked_for or 0.0, usual)
    usual = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
    return min(max(asked_for or 0.0, usual), LONGEST_RETRY_SECONDS)


def is_looping(text: str) -> bool:
    """Whether the last 1,000 characters are one unit of at most 120 over and over, the last time perhaps in part."""
    tail = text[-LOOP_CHARACTERS:]
    return len(tail) == LOOP_CHARACTERS and _smallest_period(tail) <= LOOP_UNIT


def _smallest_period(text: str) -> int:
    """Length of the shortest unit of which `text` is a repetition, by the failure function of Knuth, Morris, Pratt."""
    borders = [0] * len(text)
    length = 0
    for index in range(1, len(text)):
        while length and text[index] != text[length]:
            length = borders[length - 1]
        length += text[index] == text[length]
        borders[index] = length
    return len(text) - borders[-1]


class Screen:
    """One completion's way from raw deltas to shown text.

    Reasoning between think-tags and stray stop tokens go, as does white space at both ends; a text that names its
    model, loops or stays empty raises RejectedText. The stored text is exactly what was given out since the last reset.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._tags = TagFilter()
        self._ends = EdgeFilter()
        self._guard = NameGuard(names)
        self._names = self._guard.names
        self._given: list[str] = []
        self._since_check = 0

    @property
    def text(self) -> str:
        return "".join(self._given)

    def push(self, raw: str) -> tuple[bool, str]:
        """Take the next delta. Returns whether readers must forget what they have, and what they get now."""
        before = self._tags.resets
        text = self._tags.push(raw)
        reset = self._tags.resets > before
        if reset:
            self._ends, self._guard = EdgeFilter(), NameGuard(self._names)
            reset = bool(self._given)
            self._given.clear()
        return reset, self._give(self._guard.push(self._ends.push(text)))

    def finish(self) -> str:
        """The model's text has ended; returns the last piece."""
        last = self._give(self._guard.push(self._ends.push(self._tags.finish())) + self._guard.finish())
        if not self._given:
            raise RejectedText(Rejection.EMPTY)
        return last

    def _give(self, text: str) -> str:
        if text:
            self._given.append(text)
            self._since_check += len(text)
            if self._since_check >= LOOP_EVERY:
                self._since_check = 0
                if is_looping(self.text):
                    raise RejectedText(Rejection.LOOPING)
        return text


class TagFilter:
    """Leaves out reasoning in think-tags, everything from a stop token on, and the controls no reader needs.

    Some chat templates open the reasoning in the prompt, so that only its end shows: then `resets` grows, and
    everything before was reasoning.
    """

    def __init__(self) -> None:
        self.resets = 0
        self._held = ""
        self._until: str | None = None  # the closing tag, inside of reasoning
        self._ended = False

    def push(self, raw: str) -> str:
        if self._ended:
            return ""
        self._held += raw
        text: list[str] = []
        while not self._ended and (found := self._first_mark()):
            self._pass(found, text)
        keep = self._possible_mark()
        rest, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        if self._until is None:
            text.append(rest)
        return clean_text("".join(text))

    def finish(self) -> str:
        """What was held because it could have become a mark, and did not."""
        rest, self._held = self._held, ""
        return "" if self._until is not None or self._ended else clean_text(rest)

    def _marks(self) -> Sequence[str]:
        return [self._until] if self._until else [*THINKING, *THINKING.values(), *END_MARKS]

    def _first_mark(self) -> tuple[int, str] | None:
        places = [(self._held.find(mark), mark) for mark in self._marks()]
        return min((place for place in places if place[0] >= 0), default=None)

    def _pass(self, found: tuple[int, str], text: list[str]) -> None:
        at, mark = found
        before, self._held = self._held[:at], self._held[at + len(mark) :]
        if self._until:
            self._until = None
        elif mark in THINKING:
            text.append(before)
            self._until = THINKING[mark]
        elif mark in END_MARKS:
            text.append(before)
            self._ended, self._held = True, ""
        else:
            text.clear()
            self.resets += 1

    def _possible_mark(self) -> int:
        """Length of the longest end that begins a mark, or that a line end's second half may follow."""
        marks = self._marks()
        for length in range(min(len(self._held), max(map(len, marks)) - 1), 0, -1):
            end = self._held[-length:]
            if any(mark.startswith(end) for mark in marks):
                return length
        return 1 if self._held.endswith("\r") else 0


class EdgeFilter:
    """Leaves out white space before the first and after the last character of a text."""

    def __init__(self) -> None:
        self._begun = False
        self._space = ""

    def push(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        body = text.rstrip()
        space = text[len(body) :]
        if not body:
            self._space += space
            return ""
        shown, self._space = self._space + body, space
        return shown


class NameGuard:
    """Holds text that could become one of `names` and raises RejectedText when it has.

    Compared are letters and digits, folded in case, width and accents. A name counts as a word of its own: "Phi" is not
    in "graphic". It does not know look-alike letters of other scripts, translations or descriptions.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._patterns = [pattern for pattern in map(Name, dict.fromkeys(self.names)) if len(pattern.letters) > 1]
        self._held = ""
        self._before = ""  # the letter or digit, or other character, in front of what is held

    def push(self, text: str) -> str:
        self._held += text
        return self._release(self._first_suspect(final=False))

    def finish(self) -> str:
        """The text has ended: give out what only began like a name."""
        return self._release(self._first_suspect(final=True))

    def _release(self, count: int) -> str:
        text, self._held = self._held[:count], self._held[count:]
        self._before = next((c for c in reversed(text) if fold(c) or not _is_invisible(c)), self._before)
        return text

    def _first_suspect(self, *, final: bool) -> int:
        before = fold(self._before)[-1:]
        for at, character in enumerate(self._held):
            folded = fold(character)
            if folded:
                for pattern in self._patterns:
                    if _joins(before, folded[0]) or not pattern.begins_like(folded):
                        continue
                    verdict = pattern.read(self._held, at, final=final)
                    if verdict is None:
                        return at
                    if verdict:
                        raise RejectedText(Rejection.IDENTITY_LEAK)
                before = folded[-1]
            elif not _is_invisible(character):
                before = ""
        return len(self._held)


class Name:
    """One name as it is looked for: its letters and digits, and where gaps may stand between them."""

    def __init__(self, name: str) -> None:
        letters: list[str] = []
        gaps: set[int] = set()
        for character in name:
            folded = fold(character)
            if not folded or (letters and folded[0].isdigit() != letters[-1].isdigit()):
                gaps.add(len(letters))
            letters.extend(folded)
        self.letters = "".join(letters)
        self._gaps = range(1, len(letters)) if len(letters) >= SPELLED_OUT_FROM else gaps

    def begins_like(self, folded: str) -> bool:
        return self.letters.startswith(folded[: len(self.letters)])

    def read(self, text: str, at: int, *, final: bool) -> bool | None:
        """Whether the name stands at `at`; None while the end of `text` leaves it open, which `final` rules out."""
        matched = gap = 0
        while matched < len(self.letters):
            if at == len(text):
                return False if final else None
            character, at = text[at], at + 1
            folded = fold(character)
            if folded:
                if not self.letters.startswith(folded, matched):
                    return False
                matched, gap = matched + len(folded), 0
            elif not _is_invisible(character):
                gap += 1
                if gap > MOST_GAPS or matched not in self._gaps or not _is_gap(text, at - 1):
                    return False
        return self._ends_here(text, at, final=final)

    def _ends_here(self, text: str, at: int, *, final: bool) -> bool | None:
        while at < len(text) and _is_invisible(text[at]):
            at += 1
        if at == len(text):
            return True if final else None
        following = fold(text[at])[:1]
        if following.isdigit():
            return not self.letters[-1].isdigit()
        return not _joins(self.letters[-1], following)


@lru_cache(maxsize=4096)
def fold(character: str) -> str:
    """The letters and digits of a character without case, width, accents; empty for everything else."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(part for part in folded if part.isalnum())


def _is_invisible(character: str) -> bool:
    """Formatting characters such as the zero-width space, and marks that only decorate the letter before."""
    return unicodedata.category(character) in ("Cf", "Mn", "Me", "Cc") and not character.isspace()


def _is_gap(text: str, at: int) -> bool:
    if text[at] == ".":
        # The end of a sentence is no gap: "stop hugging. Face it".
        return not text[at + 1 : at + 2].isspace()
    return text[at] in GAPS or text[at].isspace()


def _joins(before: str, after: str) -> bool:
    """Whether two folded characters make one word. Chinese, Japanese and Thai write no spaces: there, none do."""
    if not before or not after:
        return False
    return all(character.isdigit() or ord(character) < 0x0E00 for character in (before, after)) and (
        before.isascii() == after.isascii()
    )
