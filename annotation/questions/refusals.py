"""How questions say no: to an answer, to settings, to an item they cannot be asked about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.errors import AnnotationError


@dataclass(frozen=True)
class Refusal:
    """Why an answer was not taken.

    `code` is for programs; `part` names the input it is about ("" is the main one); `confirm` is what that input must
    hold where the answer is taken once it is confirmed.
    """

    code: str
    message: str
    part: str = ""
    confirm: str = ""


class Refused(AnnotationError):
    """Raised by a question type while it reads one answer."""

    def __init__(self, code: str, message: str, part: str = "", confirm: str = "") -> None:
        super().__init__(message)
        self.refusal = Refusal(code, message, part, confirm)


class InvalidAnswers(AnnotationError):
    """Some answers were not taken, and so none was. The key "" holds what is about no question."""

    def __init__(self, refusals: Mapping[str, Sequence[Refusal]]) -> None:
        self.refusals = {name: list(several) for name, several in refusals.items()}
        super().__init__(self.errors)

    @property
    def errors(self) -> dict[str, list[str]]:
        return {name: [refusal.message for refusal in several] for name, several in self.refusals.items()}

    @property
    def codes(self) -> dict[str, list[str]]:
        return {name: [refusal.code for refusal in several] for name, several in self.refusals.items()}


class InvalidSettings(AnnotationError):
    """A question, or a list of them, that cannot be asked as it stands.

    `setting` is the one to change, where it is one; `words` say what is wrong to whoever sees settings by their labels.
    """

    def __init__(self, text: str, *, setting: str = "", words: str = "") -> None:
        super().__init__(text)
        self.setting, self.words = setting, words


class UnknownQuestionType(AnnotationError):
    """No folder of that name under annotation/questions/."""


class QuestionDoesNotFit(AnnotationError):
    """A question was put about an item it was not made for. The instrument is wrong, not the answer."""
