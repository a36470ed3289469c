"""Question types: how each is asked, read, stored, exported and simulated. One folder each."""

from annotation.questions.apart import Given
from annotation.questions.base import (
    Asked,
    Condition,
    Export,
    Facet,
    Form,
    QuestionType,
    Reading,
    Situation,
    Standing,
    field_name,
)
from annotation.questions.instrument import Conflict, Why, check_instrument, conflicts, instrument_digest
from annotation.questions.presentation import Section
from annotation.questions.reading import collect_answers, read_answers, simulate_answers
from annotation.questions.refusals import (
    InvalidAnswers,
    InvalidSettings,
    QuestionDoesNotFit,
    Refusal,
    UnknownQuestionType,
)
from annotation.questions.registry import all_types, check_settings, get_type

__all__ = [
    "Asked",
    "Condition",
    "Conflict",
    "Export",
    "Facet",
    "Form",
    "Given",
    "InvalidAnswers",
    "InvalidSettings",
    "QuestionDoesNotFit",
    "QuestionType",
    "Reading",
    "Refusal",
    "Section",
    "Situation",
    "Standing",
    "UnknownQuestionType",
    "Why",
    "all_types",
    "check_instrument",
    "check_settings",
    "collect_answers",
    "conflicts",
    "field_name",
    "get_type",
    "instrument_digest",
    "read_answers",
    "simulate_answers",
]
