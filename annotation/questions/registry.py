"""Question types are found, not listed: each folder here holds one as `QUESTION_TYPE`."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from annotation.questions.refusals import UnknownQuestionType

if TYPE_CHECKING:
    from annotation.questions.base import QuestionType


@cache
def all_types() -> Mapping[str, "QuestionType"]:
    package = import_module(__package__)
    folders = sorted(module.name for module in iter_modules(package.__path__) if module.ispkg)
    found = [import_module(f"{__package__}.{folder}").QUESTION_TYPE for folder in folders]
    return {question_type.slug: question_type for question_type in found}


def get_type(slug: str) -> "QuestionType":
    types = all_types()
    if not isinstance(slug, str) or slug not in types:
        raise UnknownQuestionType(f"no question type {slug!r:.60}; there are {', '.join(types)}")
    return types[slug]


def check_settings(slug: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with every default filled in. Raises UnknownQuestionType or InvalidSettings."""
    return get_type(slug).check_settings(settings)
