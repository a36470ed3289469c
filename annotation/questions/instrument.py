"""A list of questions as one instrument: whether it makes sense, and what identifies it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
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


def check_instrument(asked: Sequence[Asked]) -> None:
    """Raise InvalidSettings unless these questions can be asked together, in this order."""
    if not asked:
        raise InvalidSettings("an instrument has at least one question")
    given: set[str] = set()
    heeded: dict[str, str] = {}
    earlier: dict[str, Asked] = {}
    for question in asked:
        _check_words(question)
        if question.name in earlier:
            raise InvalidSettings(f"two questions are called {question.name}")
        kind = get_type(question.type)
        _check_condition(question, earlier)
        if missing := kind.columns_needed(question) - given:
            raise InvalidSettings(
                f"{question.name}: a question that gives {', '.join(sorted(missing))} must come before"
            )
        gives = kind.columns_given(question)
        if twice := gives & given:
            raise InvalidSettings(f"{question.name}: an earlier question gives {', '.join(sorted(twice))} already")
        if late := sorted(gives & heeded.keys()):
            raise InvalidSettings(f"{question.name}: it gives {late[0]} and must come before {heeded[late[0]]}")
        earlier[question.name] = question
        heeded |= dict.fromkeys(kind.columns_heeded(question) - given - gives, question.name)
        given |= gives


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


def _check_condition(question: Asked, earlier: Mapping[str, Asked]) -> None:
    condition = question.condition
    if condition is None:
        return
    if condition.question not in earlier:
        raise InvalidSettings(f"{question.name}: {condition.question!r:.60} is no question before it")
    asked = earlier[condition.question]
    known = [mark for mark, _words in get_type(asked.type).mark_options(asked)]
    if not known:
        raise InvalidSettings(f"{question.name}: nothing can depend on an answer to {asked.name} ({asked.type})")
    if not condition.values:
        raise InvalidSettings(f"{question.name}: say after which answers to {asked.name} it is asked")
    for value in condition.values:
        if value not in known:
            raise InvalidSettings(
                f"{question.name}: {value!r:.60} is no answer to {asked.name}; there are {', '.join(known)}"
            )


def _check_words(question: Asked) -> None:
    if not isinstance(question.name, str) or not NAME.fullmatch(question.name):
        raise InvalidSettings(f"{question.name!r:.60}: a name has 1 to 40 letters, digits, hyphens and underscores")
    if question.name in RESERVED:
        raise InvalidSettings(f"{question.name}: that name is taken by the form around the questions")
    title = question.title
    if not isinstance(title, str) or len(title) > TITLE_LENGTH or clean_text(title) != title:
        raise InvalidSettings(f"{question.name}: a title is printable text of at most {TITLE_LENGTH} characters")
    if not isinstance(question.required, bool):
        raise InvalidSettings(f"{question.name}: required is true or false")
