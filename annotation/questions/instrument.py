"""A list of questions as one instrument: whether it makes sense, and what identifies it."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256

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
    names: set[str] = set()
    for question in asked:
        _check_words(question)
        if question.name in names:
            raise InvalidSettings(f"two questions are called {question.name}")
        kind = get_type(question.type)
        if missing := kind.needs - given:
            raise InvalidSettings(
                f"{question.name}: a question that gives {', '.join(sorted(missing))} must come before"
            )
        if twice := kind.gives & given:
            raise InvalidSettings(f"{question.name}: an earlier question gives {', '.join(sorted(twice))} already")
        names.add(question.name)
        given |= kind.gives


def instrument_digest(asked: Sequence[Asked]) -> str:
    """SHA-256, in hex, of the questions' canonical JSON. Raises InvalidSettings as `check_instrument` does."""
    check_instrument(asked)
    questions = [asdict(question) for question in asked]
    canonical = json.dumps(questions, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(canonical.encode()).hexdigest()


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
