"""What the templates of questions draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotation.questions.base import Condition, Text


@dataclass(frozen=True)
class Option:
    """One radio button. `when` is the condition it makes true for other parts of its own question; see ballot.css.
    `marks`, separated by spaces, are those of `QuestionType.marks` that it gives its answer: an answer's marks are
    the union of those of its checked inputs, so that a page knows at once which later questions are asked.
    """

    value: str
    label: Text
    key: str = ""
    checked: bool = False
    when: str = ""
    marks: str = ""


@dataclass(frozen=True)
class Choice:
    """A group of radio buttons. `asked_when` hides it until that condition holds. Layout `scale` is for numbers."""

    name: str
    legend: Text
    options: Sequence[Option]
    required: bool = False
    refused: bool = False
    layout: str = ""
    asked_when: str = ""
    # Off where a heading above several groups says that they are optional.
    says_optional: bool = True
    # What the first and the last option of a scale mean; its description too.
    ends: tuple[Text, Text] | None = None

    @property
    def id(self) -> str:
        return element_id(self.name)


@dataclass(frozen=True)
class Section:
    """One question on a page: `{% include section.template %}` draws it. `view` is the type's own."""

    name: str
    type: str
    title: str
    template: str
    required: bool
    errors: Sequence[str]
    view: dict[str, Any]
    condition: Condition | None = None

    @property
    def element_id(self) -> str:
        return element_id(self.name)

    @property
    def error_id(self) -> str:
        return f"{element_id(self.name)}-error"


def element_id(field: str) -> str:
    return "question-" + field.replace(".", "-")
