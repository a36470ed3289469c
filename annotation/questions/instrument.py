"""A list of questions as one instrument: whether it makes sense, and what identifies it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from annotation.questions.base import Asked
from annotation.questions.refusals import InvalidSettings
from annotation.questions.registry import get_type
from foundation.text import clean_text

NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
TITLE_LENGTH = 300
# Names that forms around the questions use for themselves.
RESERVED = frozenset({"csrfmiddlewaretoken", "key", "lease_token", "process"})


class Why(StrEnum):
    """What stands against a question among the others."""

    WORDS = "words"
    TAKEN = "taken"
    CONDITION = "condition"
    NEEDS = "needs"
    TWICE = "twice"
    LATE = "late"


@dataclass(frozen=True)
class Conflict:
    """Why the question at `place` cannot be asked among the others; `text` names everything as programs do.

    `column` is what it needs or what is given twice, `other` the place of the question it clashes with.
    """

    place: int
    why: Why
    text: str
    column: str = ""
    other: int | None = None


def check_instrument(asked: Sequence[Asked]) -> None:
    """Raise InvalidSettings unless these questions can be asked together, in this order."""
    if not asked:
        raise InvalidSettings("an instrument has at least one question")
    for conflict in conflicts(asked):
        raise InvalidSettings(conflict.text)


def conflicts(asked: Sequence[Asked]) -> Iterator[Conflict]:
    """Everything that keeps these questions from being asked together; one for each question at most."""
    # The place of the first question that gives a column, and of the one that would have had to know it.
    given: dict[str, int] = {}
    heeded: dict[str, int] = {}
    earlier: dict[str, Asked] = {}
    for place, question in enumerate(asked):
        found = _against(place, asked, given, heeded, earlier)
        if found is not None:
            yield found
        kind = get_type(question.type)
        gives = kind.columns_given(question)
        earlier.setdefault(question.name, question)
        if found is None or found.why != Why.NEEDS:  # one mend is told once
            heeded |= dict.fromkeys(kind.columns_heeded(question) - given.keys() - gives, place)
        given = dict.fromkeys(gives, place) | given


def _against(
    place: int,
    asked: Sequence[Asked],
    given: Mapping[str, int],
    heeded: Mapping[str, int],
    earlier: Mapping[str, Asked],
) -> Conflict | None:
    question = asked[place]
    kind = get_type(question.type)
    if wrong := _wrong_words(question):
        return Conflict(place, Why.WORDS, wrong)
    if question.name in RESERVED:
        return Conflict(place, Why.TAKEN, f"{question.name}: that name is taken by the form around the questions")
    if question.name in earlier:
        return Conflict(place, Why.TAKEN, f"two questions are called {question.name}")
    if wrong := _wrong_condition(question, earlier):
        return Conflict(place, Why.CONDITION, wrong)
    gives = kind.columns_given(question)
    if missing := sorted(kind.columns_needed(question) - given.keys()):
        text = f"{question.name}: a question that gives {', '.join(missing)} must come before"
        return Conflict(place, Why.NEEDS, text, column=missing[0])
    if twice := sorted(gives & given.keys()):
        text = f"{question.name}: an earlier question gives {', '.join(twice)} already"
        return Conflict(place, Why.TWICE, text, column=twice[0], other=given[twice[0]])
    if late := sorted(gives & heeded.keys()):
        other = heeded[late[0]]
        text = f"{question.name}: it gives {late[0]} and must come before {asked[other].name}"
        return Conflict(place, Why.LATE, text, column=late[0], other=other)
    return None


def instrument_digest(asked: Sequence[Asked]) -> str:
    """SHA-256, in hex, of the questions' canonical JSON. Raises InvalidSettings as `check_instrument` does."""
    check_instrument(asked)
    questions = [_canonical(question) for question in asked]
    canonical = json.dumps(questions, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(canonical.encode()).hexdigest()


def _canonical(question: Asked) -> dict[str, Any]:
    """A condition is there only where there is one, so that instruments of before conditions keep their digest."""
    members = asdict(question)
    if question.condition is None:
        del members["condition"]
    return members


def _wrong_condition(question: Asked, earlier: Mapping[str, Asked]) -> str:
    condition = question.condition
    if condition is None:
        return ""
    if condition.question not in earlier:
        return f"{question.name}: {condition.question!r:.60} is no question before it"
    asked = earlier[condition.question]
    known = [mark for mark, _words in get_type(asked.type).mark_options(asked)]
    if not known:
        return f"{question.name}: nothing can depend on an answer to {asked.name} ({asked.type})"
    if not condition.values:
        return f"{question.name}: say after which answers to {asked.name} it is asked"
    for value in condition.values:
        if value not in known:
            return f"{question.name}: {value!r:.60} is no answer to {asked.name}; there are {', '.join(known)}"
    return ""


def _wrong_words(question: Asked) -> str:
    if not isinstance(question.name, str) or not NAME.fullmatch(question.name):
        return f"{question.name!r:.60}: a name has 1 to 40 letters, digits, hyphens and underscores"
    title = question.title
    if not isinstance(title, str) or len(title) > TITLE_LENGTH or clean_text(title) != title:
        return f"{question.name}: a title is printable text of at most {TITLE_LENGTH} characters"
    if not isinstance(question.required, bool):
        return f"{question.name}: required is true or false"
    return ""
