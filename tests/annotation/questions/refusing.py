"""What answers are refused with; for the tests of every type of question."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from annotation.questions import Asked, InvalidAnswers, Situation, read_answers
from annotation.questions.refusals import Refusal


def refusal_of(questions: Sequence[Asked], answers: Mapping[str, Any], situation: Situation) -> Refusal:
    """The one thing that is wrong with these answers."""
    with pytest.raises(InvalidAnswers) as refused:
        read_answers(questions, answers, situation)
    ((only,),) = refused.value.refusals.values()
    return only
