"""Whether an answer to a check item is right: what was expected of it, by the marks of its answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.questions import Asked, get_type


def is_right(
    expected: Sequence[Mapping[str, Any]], *, asked: Sequence[Asked], answers: Mapping[str, Any], order: Sequence[int]
) -> bool:
    """Whether every expectation is met. `answers` are those of a judgment, `order` the positions as they were shown.

    An expectation names sides by position: "a" is the item's first response, wherever it was shown; `best` is the
    position of the one that must be put above all others. One about a question that was not asked this time is no
    expectation.
    """
    by_name = {question.name: question for question in asked}
    return all(
        _is_met(each, by_name[each["question"]], answers, order)
        for each in expected
        if each["question"] in by_name and each["question"] in answers
    )


def _is_met(expectation: Mapping[str, Any], question: Asked, answers: Mapping[str, Any], order: Sequence[int]) -> bool:
    kind = get_type(question.type)
    if "best" in expectation:
        first = kind.puts_first(question, answers[question.name])
        return first is not None and order[first] == expectation["best"]
    marks = kind.marks(question, answers[question.name])
    wanted = {as_shown(value, order) if kind.marks_are_sides else value for value in expectation["values"]}
    return not marks.isdisjoint(wanted)


def as_shown(mark: str, order: Sequence[int]) -> str:
    """A side's letter by position as the letter under which it was shown; other marks stay as they are."""
    position = ord(mark) - ord("a") if len(mark) == 1 else -1
    return chr(ord("a") + list(order).index(position)) if position in order else mark
