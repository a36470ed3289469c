"""What the templates of questions draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotation.questions.base import Text


@dataclass(frozen=True)
class Option:
    """One radio button. `when` is the condition it makes true for other parts of the ballot; see ballot.css."""

    value: str
    label: Text
    key: str = ""
    checked: bool = False
    when: str = ""


@dataclass(frozen=True)
class Choice:
    """A group of radio buttons. `asked_when` hides it until that condition holds."""

    name: str
    legend: Text
    options: Sequence[Option]
    required: bool = False
    refused: bool = False
    layout: str = ""
    asked_when: str = ""
    # Off where a heading above several groups says that they are optional.
    says_optional: bool = True

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

    @property
    def element_id(self) -> str:
        return element_id(self.name)

    @property
    def error_id(self) -> str:
        return f"{element_id(self.name)}-error"


def element_id(field: str) -> str:
    return "question-" + field.replace(".", "-")
