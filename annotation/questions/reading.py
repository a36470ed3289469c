"""From raw answers to what the log stores. The form, the API and every use case read through here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from annotation.questions.base import Answer, Asked, Random, Reading, Situation, field_name
from annotation.questions.refusals import InvalidAnswers, Refusal, Refused
from annotation.questions.registry import get_type
from foundation.text import clean_text


def read_answers(asked: Sequence[Asked], answers: Mapping[str, Any], situation: Situation) -> Reading:
    """Judge the raw answers, by question name, to exactly the questions that were asked.

    Raises InvalidAnswers with every refusal at once, whatever `answers` is; QuestionDoesNotFit only where `asked` and
    `situation` contradict each other.
    """
    if not isinstance(answers, Mapping):
        raise InvalidAnswers({"": [Refusal("malformed", _("The answers are not an object by question name."))]})
    refusals: dict[str, list[Refusal]] = {}
    if strangers := [key for key in answers if not any(key == question.name for question in asked)]:
        refusals[""] = [_not_asked(strangers[0])]
    reading = Reading(answers={}, texts={}, columns={})
    lost: set[str] = set()
    marks: dict[str, frozenset[str]] = {}
    refused_names: set[str] = set()
    for question in asked:
        kind, raw = get_type(question.type), answers.get(question.name)
        if kind.columns_needed(question) & lost or (
            question.condition and question.condition.question in refused_names
        ):
            continue
        try:
            if _is_asked(question, raw, marks):
                _keep(reading, question, _read(question, raw, reading, situation), marks)
        except Refused as refused:
            refusals[question.name] = [refused.refusal]
            refused_names.add(question.name)
            lost |= kind.columns_given(question)
    if refusals:
        raise InvalidAnswers(refusals)
    return reading


def collect_answers(asked: Sequence[Asked], values: Mapping[str, str], situation: Situation) -> dict[str, Any]:
    """The raw answers that a posted form makes; `values` by the names that `field_name` gives. Judges nothing."""

    def collect(question: Asked, before: Mapping[str, Any]) -> Any:
        kind = get_type(question.type)
        parts = kind.parts(question, situation)
        posted = {part: values.get(field_name(question.name, part), "") for part in parts}
        return kind.collect(question, posted, before, situation)

    return _one_by_one(asked, collect, situation)


def simulate_answers(
    asked: Sequence[Asked], *, rng: Random, utilities: Sequence[float], situation: Situation
) -> dict[str, Any]:
    """Raw answers of a simulated person; they always pass `read_answers`. See `QuestionType.simulate`."""
    if len(utilities) != situation.responses:
        raise ValueError(f"{len(utilities)} utilities for {situation.responses} responses")

    def simulate(question: Asked, before: Mapping[str, Any]) -> Any:
        return get_type(question.type).simulate_shown(question, rng, utilities, before, situation)

    return _one_by_one(asked, simulate, situation)


def _one_by_one(
    asked: Sequence[Asked], make: Callable[[Asked, Mapping[str, Any]], Any], situation: Situation
) -> dict[str, Any]:
    """Make each raw answer in the light of what those before it were read as."""
    raw: dict[str, Any] = {}
    reading = Reading(answers={}, texts={}, columns={})
    marks: dict[str, frozenset[str]] = {}
    for question in asked:
        if question.condition and not question.condition.holds(marks):
            raw[question.name] = None
            continue
        raw[question.name] = make(question, reading.columns)
        try:
            _keep(reading, question, _read(question, raw[question.name], reading, situation), marks)
        except Refused:
            # read_answers will say so; later questions see that nothing was given.
            continue
    return raw


def _read(question: Asked, raw: Any, reading: Reading, situation: Situation) -> Answer:
    kind = get_type(question.type)
    kind.check_fit(question, situation)
    return kind.read(question, raw, reading.columns, situation)


def _is_asked(question: Asked, raw: Any, marks: Mapping[str, frozenset[str]]) -> bool:
    """Whether its condition holds. Raises Refused for an answer to what was not asked."""
    if question.condition is None or question.condition.holds(marks):
        return True
    if raw is not None:
        raise Refused("not_asked", _("This is asked only after another answer to an earlier question."))
    return False


def _keep(reading: Reading, question: Asked, answer: Answer, marks: dict[str, frozenset[str]]) -> None:
    reading.answers[question.name] = answer.stored
    marks[question.name] = get_type(question.type).marks(question, answer.stored)
    if answer.text:
        reading.texts[question.name] = answer.text
    reading.columns.update(answer.columns)


def _not_asked(key: object) -> Refusal:
    name = clean_text(key[:40]) if isinstance(key, str) else type(key).__name__
    return Refusal("not_asked", _("This question was not asked: %(name)s.") % {"name": name})
