"""One response, up or down."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.base import (
    Answer,
    Asked,
    Export,
    Form,
    ForModel,
    QuestionType,
    Random,
    Situation,
    Standing,
    Text,
)
from annotation.questions.presentation import Choice, Option
from annotation.questions.refusals import Refusal, Refused

THUMBS = (
    # value and mark, label, key, the answer
    ("up", gettext_lazy("Thumbs up"), "u", True),
    ("down", gettext_lazy("Thumbs down"), "d", False),
)


class ThumbsQuestion(QuestionType):
    """Raw and stored: true for up, false for down; null where left out. It stands alone, and is compared to nothing."""

    slug = "thumbs"
    label = gettext_lazy("Thumbs")
    title = gettext_lazy("Is this a good response?")
    gives = frozenset({"thumb"})
    exports = {
        "thumb": Export(bool, gettext_lazy("true for up")),
    }
    responses = 1

    def standing(self, asked: Asked) -> Standing:
        return Standing("thumb", Form.SHARE)

    def for_model(self, asked: Asked, situation: Situation) -> ForModel:
        return ForModel("true for a good response, false for a bad one.", {"type": "boolean"})

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return ("",)

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        known: dict[str, Any] = {value: answer for value, _label, _key, answer in THUMBS} | {"": None}
        return known.get(values[""], values[""])

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if raw is None:
            if asked.required:
                raise Refused("missing", _("Say thumbs up or thumbs down."))
            return Answer(stored=None)
        if not isinstance(raw, bool):
            raise Refused("unknown_choice", _("That is none of the choices."))
        return Answer(stored=raw, columns={"thumb": raw})

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        options = [Option(value, label, key, values[""] == value, marks=value) for value, label, key, _answer in THUMBS]
        title = asked.title or self.title
        return {"choice": Choice(asked.name, title, options, asked.required, bool(refusals), layout="grid")}

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        return frozenset(value for value, _label, _key, answer in THUMBS if answer is stored)

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        return [(value, label) for value, label, _key, _answer in THUMBS]

    def marks_of_worth(self, asked: Asked, *, good: bool) -> Sequence[str]:
        return ("up",) if good else ("down",)

    def export_columns(self, stored: Any) -> dict[str, Any]:
        return {"thumb": stored}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        return bool(utilities[0] > 0)


QUESTION_TYPE = ThumbsQuestion()
