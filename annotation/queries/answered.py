"""A stored answer in words, for people who review it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.texts import read_personal_texts
from annotation.models import Contestant, Judgment, JudgmentText
from annotation.queries.log import instrument_questions
from annotation.questions import Asked, get_type
from annotation.questions.base import side_letter

# What an answer carries of its question, and what only machines read.
NOT_SAID = frozenset({"scale", "mode", "wording", "levels", "segmentation", "offsets", "incentive", "confirmed"})
# Members whose name says nothing that the value does not.
NAMELESS = frozenset({"choice", "values", "labels", "level", "tiers", "marks", "context"})


@dataclass(frozen=True)
class Said:
    """One question and what was answered: `lines`, and the person's own words; None where these were erased."""

    title: str
    lines: list[str]
    words: str | None = ""


def said_in(judgments: Sequence[Judgment]) -> dict[int, list[Said]]:
    """What each judgment says, by its id; in two queries, however many they are."""
    texts = list(JudgmentText.objects.filter(judgment__in=judgments))
    words = read_personal_texts(text.personal_text_id for text in texts)
    by_question = {(text.judgment_id, text.question): words[text.personal_text_id] for text in texts}
    return {
        judgment.pk: [
            Said(
                title=str(question.title or get_type(question.type).title),
                lines=lines_of(question, judgment.answers[question.name], len(judgment.order)),
                words=by_question.get((judgment.pk, question.name), ""),
            )
            for question in instrument_questions(judgment.instrument_id)
            if question.name in judgment.answers
        ]
        for judgment in judgments
    }


def lines_of(asked: Asked, stored: Any, responses: int) -> list[str]:
    """Sides are as they were shown. Words of the question's own where it has some for what was chosen."""
    if stored is None:
        return [_("Not answered")]
    kind = get_type(asked.type)
    labels = {mark: str(label) for mark, label in kind.mark_options(asked)}
    if not isinstance(stored, dict | list):
        return [", ".join(labels.get(mark, mark) for mark in sorted(kind.marks(asked, stored))) or _plain(stored)]
    if isinstance(stored, list):
        return [_value(stored, labels, responses)]
    return [
        line if name in NAMELESS else f"{name.replace('_', ' ')}: {line}"
        for name, value in stored.items()
        if name not in NOT_SAID and value is not None
        for line in _lines(value, labels, responses)
    ]


def contestants_in(judgment: Judgment) -> list[tuple[str, str]]:
    """The letter of each side as it was shown, and who stood there; "" where nobody is ranked."""
    names = dict(Contestant.objects.filter(pk__in=[pk for pk in judgment.contestants if pk]).values_list("pk", "name"))
    return [(side_letter(place), names.get(pk or 0, "")) for place, pk in enumerate(judgment.contestants)]


def _lines(value: Any, labels: Mapping[str, str], responses: int) -> list[str]:
    if isinstance(value, dict):
        return [f"{name}: {_value(each, labels, responses)}" for name, each in value.items()]
    return [_value(value, labels, responses)]


def _value(value: Any, labels: Mapping[str, str], responses: int) -> str:
    if isinstance(value, list) and len(value) == responses > 1:
        return " · ".join(f"{side_letter(place)}: {_value(each, labels, 0)}" for place, each in enumerate(value))
    if isinstance(value, list):
        return ", ".join(_value(each, labels, 0) for each in value) or _("none")
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(each, labels, 0)}" for name, each in value.items() if each is not None)
    return labels.get(value, value) if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
