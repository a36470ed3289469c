"""What whoever practises reads after an answer: their item, what they said, and what would have been right."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotation.models import Item, Judgment
from annotation.policies.checks import as_shown
from annotation.queries.answered import Said, said_in
from annotation.queries.log import instrument_questions
from annotation.queries.shown import ShownItem, shown_item
from annotation.questions import Asked, get_type
from annotation.questions.base import side_letter

# A side by its letter alone, as an explanation names it.
SIDE = re.compile(r"(?<![\w'’-])[A-I](?![\w'’-])")


@dataclass(frozen=True)
class Feedback:
    item: ShownItem
    said: list[Said]
    right: list[Said]


def feedback_on(judgment: Judgment) -> Feedback:
    """Sides are as this person saw them, in what they said and in what was expected."""
    expected: list[dict[str, Any]] = Item.objects.values_list("expected", flat=True).get(pk=judgment.item_id) or []
    asked = {question.name: question for question in instrument_questions(judgment.instrument_id)}
    names = [each["question"] for each in expected]
    return Feedback(
        item=shown_item(judgment.item_id, judgment.order),
        said=_about(said_in([judgment])[judgment.pk], {title_of(asked[name]) for name in names if name in asked}),
        right=right_answers(expected, asked, judgment.order),
    )


def right_answers(expected: Sequence[dict[str, Any]], asked: Mapping[str, Asked], order: Sequence[int]) -> list[Said]:
    """What was expected of each question, by its name, with the sides where they stand in this order."""
    return [
        Said(title_of(asked[each["question"]]), [", ".join(_wanted(each, asked[each["question"]], order))])
        for each in expected
        if each["question"] in asked
    ]


def names_sides(explanation: str) -> bool:
    """Whether a text speaks of sides by letter: its item is then shown in the order in which it was written."""
    return SIDE.search(explanation) is not None


def title_of(question: Asked) -> str:
    return str(question.title or get_type(question.type).title)


def _about(said: Sequence[Said], titles: set[str]) -> list[Said]:
    """What was said to the questions that something was expected of; to all of them where nothing was."""
    return [each for each in said if (each.title in titles or not titles) and (each.lines or each.words)]


def _wanted(expectation: dict[str, Any], question: Asked, order: Sequence[int]) -> list[str]:
    if "best" in expectation:
        return [_("%(side)s before all others") % {"side": side_letter(list(order).index(expectation["best"]))}]
    kind = get_type(question.type)
    labels = {mark: str(label) for mark, label in kind.mark_options(question)}
    marks = [as_shown(value, order) if kind.marks_are_sides else value for value in expectation["values"]]
    return [labels.get(mark, mark) for mark in marks]
