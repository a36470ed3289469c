"""What is expected of answers to an item of which one response is better, or the only one good or bad, for certain."""

from collections.abc import Sequence
from typing import Any

from annotation.questions import Asked, get_type

Expected = list[dict[str, Any]]


def expected_best(questions: Sequence[Asked], position: int) -> Expected:
    """That the response at this position is put before all others, by the question that says it most plainly: one
    that asks for a side, else the first that compares. Empty where none does.
    """
    asked = [each for each in questions if each.required and each.condition is None]
    sides = next((each for each in asked if get_type(each.type).marks_are_sides), None)
    if sides is not None:
        return [{"question": sides.name, "values": [chr(ord("a") + position)]}]
    compared = next((each for each in asked if get_type(each.type).ranks(each)), None)
    return [] if compared is None else [{"question": compared.name, "best": position}]


def expected_alone(questions: Sequence[Asked], *, good: bool) -> Expected:
    """Of a response that is shown alone: that it is called good, or bad; empty where no question can say so."""
    expected: Expected = []
    for question in questions:
        marks = get_type(question.type).marks_of_worth(question, good=good)
        if marks and question.condition is None and question.required:
            expected.append({"question": question.name, "values": list(marks)})
    return expected
