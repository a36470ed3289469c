"""A stored answer in words, for people who review it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.texts import read_personal_texts
from annotation.boards import contestant_names
from annotation.models import Judgment, JudgmentText
from annotation.queries.log import instrument_questions
from annotation.queries.orders import places_in, renamed_in
from annotation.questions import Asked, get_type
from annotation.questions.base import side_letter
from annotation.questions.preference import STRENGTHS

# What an answer carries of its question, and what only machines read.
NOT_SAID = frozenset(
    {"scale", "mode", "wording", "levels", "segmentation", "offsets", "sha256", "weights", "incentive", "confirmed"}
    # Where something was written the words stand below.
    | {"given", "characters"}
)
# Members that name a side by its letter, and lists that are not by response whatever their length.
SIDES, NOT_BY_RESPONSE = frozenset({"choice", "side"}), frozenset({"rows", "first_rows", "prices"})
NAMES = {
    "strength": gettext_lazy("how much"),
    "side": gettext_lazy("for"),
    "of": gettext_lazy("response"),
    "first_fault": gettext_lazy("first wrong step"),
    "low": gettext_lazy("at least"),
    "high": gettext_lazy("less than"),
}
# Members whose name says nothing that the value does not.
NAMELESS = frozenset({"choice", "values", "labels", "level", "tiers", "marks", "context"})


@dataclass(frozen=True)
class Said:
    """One question and what was answered: `lines`, and the person's own words; None where these were erased.

    `sides` is for words alone, which stay as they were written: the letter of each side as their author saw it, and
    the letter that `lines` give it, where these are two.
    """

    title: str
    lines: list[str]
    words: str | None = ""
    sides: Sequence[tuple[str, str]] = ()


def said_in(judgments: Sequence[Judgment], *, order: Sequence[int] = ()) -> dict[int, list[Said]]:
    """What each judgment says, by its id; in two queries, however many they are. With `order` all sides are named as
    in a showing in that order, whatever each of these people saw.
    """
    texts = list(JudgmentText.objects.filter(judgment__in=judgments))
    words = read_personal_texts(text.personal_text_id for text in texts)
    by_question = {(text.judgment_id, text.question): words[text.personal_text_id] for text in texts}
    return {
        judgment.pk: [
            Said(
                title=str(question.title or get_type(question.type).title),
                lines=lines_of(
                    question, _as_shown_in(order, judgment, judgment.answers[question.name]), len(judgment.order)
                ),
                words=by_question.get((judgment.pk, question.name), ""),
                sides=renamed_in(order, judgment.order),
            )
            for question in instrument_questions(judgment.instrument_id)
            if question.name in judgment.answers
        ]
        for judgment in judgments
    }


def _as_shown_in(order: Sequence[int], judgment: Judgment, stored: Any) -> Any:
    """An answer with its sides where they stand in another order."""
    places = places_in(order, judgment.order)
    return turned(stored, places) if places else stored


def turned(value: Any, places: Sequence[int], name: str = "") -> Any:
    """`places` is where each side as it was shown stands in the other order."""
    if isinstance(value, list) and len(value) == len(places) and name not in NOT_BY_RESPONSE:
        by_place = dict(zip(places, value, strict=True))
        return [turned(by_place[place], places) for place in range(len(places))] if len(places) > 1 else value
    if isinstance(value, list):
        return [turned(each, places) for each in value]
    if isinstance(value, dict):
        if value.get("mode") == "item":
            return value
        return {member: turned(each, places, member) for member, each in value.items()}
    if name in SIDES and isinstance(value, str) and len(value) == 1 and 0 <= ord(value) - ord("a") < len(places):
        return side_letter(places[ord(value) - ord("a")]).lower()
    if name in ("response", "of") and isinstance(value, int):
        return places[value]
    if name == "strength" and isinstance(value, int) and list(places) == [1, 0]:
        return -value
    return value


def lines_of(asked: Asked, stored: Any, responses: int) -> list[str]:
    """Sides are as they were shown. Words of the question's own where it has some for what was chosen."""
    if stored is None:
        return [_("Not answered")]
    kind = get_type(asked.type)
    stored = kind.as_asked(asked, stored)
    labels = {mark: str(label) for mark, label in kind.mark_options(asked)}
    if not isinstance(stored, dict | list):
        return [", ".join(labels.get(mark, mark) for mark in sorted(kind.marks(asked, stored))) or _plain(stored)]
    if isinstance(stored, list):
        return [_value(stored, labels, responses)]
    return [
        line if name in NAMELESS else f"{NAMES.get(name, name.replace('_', ' '))}: {line}"
        for name, value in stored.items()
        if name not in NOT_SAID and value is not None
        for line in _lines(_in_words(name, value), labels, responses)
    ]


def _in_words(name: str, value: Any) -> Any:
    """What is stored as a number for machines, as a reader says it."""
    if name in ("response", "of") and isinstance(value, int):
        return side_letter(value)
    if name == "side" and isinstance(value, str):
        return value.upper()
    if name == "first_fault" and isinstance(value, int):
        return value + 1
    if name == "strength" and isinstance(value, int):
        return dict(STRENGTHS).get(abs(value), value)
    return value


def contestants_in(judgment: Judgment) -> list[tuple[str, str]]:
    """The letter of each side as it was shown, and who stood there; "" where nobody is ranked."""
    names = contestant_names(pk for pk in judgment.contestants if pk)
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
        said = {name: _in_words(name, each) for name, each in value.items() if name not in NOT_SAID}
        return ", ".join(
            f"{NAMES.get(name, name)} {_value(each, labels, 0)}" for name, each in said.items() if each is not None
        )
    return labels.get(value, value) if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
