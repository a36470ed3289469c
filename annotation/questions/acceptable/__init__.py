"""Whether each response would be accepted as it stands, whichever of them is preferred."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.apart import Given, furthest
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
    field_name,
    row_of,
    side_letter,
)
from annotation.questions.presentation import Choice, Option
from annotation.questions.refusals import QuestionDoesNotFit, Refusal, Refused
from annotation.questions.settings import one_of

# One tap that answers for both responses: value, label, key, the answer.
TAPS = (
    ("both", gettext_lazy("Both"), "4", [True, True]),
    ("a", gettext_lazy("Only A"), "5", [True, False]),
    ("b", gettext_lazy("Only B"), "6", [False, True]),
    ("neither", gettext_lazy("Neither"), "7", [False, False]),
)
YES_NO = (("yes", gettext_lazy("Yes"), True), ("no", gettext_lazy("No"), False))
MOST_RESPONSES = 26
MARKS = {True: "accepted", False: "refused"}


class AcceptableQuestion(QuestionType):
    """Raw and stored: a list of true or false, one for each response in the order shown; null where left out.

    All or none, so that whoever counts never meets half an answer. Modes: `per_response` asks yes or no for each;
    `neither` asks for both of two responses with one tap, where "Neither" is one of four. A lone box for "neither"
    would leave it open whether an untouched one means acceptable or unread, and the share acceptable with it.
    """

    slug = "acceptable"
    label = gettext_lazy("Acceptable")
    title = gettext_lazy("Acceptable as it stands?")
    settings = {
        "mode": one_of(
            gettext_lazy("How it is asked"),
            {"per_response": gettext_lazy("For each response"), "neither": gettext_lazy("Whether neither is")},
        )
    }
    gives = frozenset({"acceptable"})
    exports = {
        "acceptable": Export(list[bool], gettext_lazy("whether each response would be accepted as it stands")),
    }

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        wants_two = asked.settings["mode"] == "neither"
        if not 1 <= situation.responses <= MOST_RESPONSES or (wants_two and situation.responses != 2):
            raise QuestionDoesNotFit(f"{asked.name}: {asked.settings['mode']} of {situation.responses} responses")

    def standing(self, asked: Asked) -> Standing:
        return Standing("acceptable", Form.SHARE)

    def for_model(self, asked: Asked, situation: Situation) -> ForModel:
        words = "One true or false for each response in the order shown: whether it would do as it stands."
        return ForModel(words, row_of({"type": "boolean"}, situation.responses))

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        if asked.settings["mode"] == "neither":
            return ("",)
        return tuple(side_letter(index).lower() for index in range(situation.responses))

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        if not any(values.values()):
            return None
        if asked.settings["mode"] == "neither":
            known: dict[str, Any] = {value: answer for value, _label, _key, answer in TAPS}
            return known.get(values[""], values[""])
        words: dict[str, Any] = {value: answer for value, _label, answer in YES_NO} | {"": None}
        return [words.get(value, value) for value in values.values()]

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if raw is None:
            if asked.required:
                raise Refused("missing", self._missing(asked), part=self.parts(asked, situation)[0])
            return Answer(stored=None)
        first = self.parts(asked, situation)[0]
        if not isinstance(raw, list) or len(raw) != situation.responses:
            raise Refused("malformed", _("Say yes or no for each response."), part=first)
        for index, each in enumerate(raw):
            part = first if asked.settings["mode"] == "neither" else side_letter(index).lower()
            if each is None:
                raise Refused("incomplete", _("Say yes or no for each response, or for none of them."), part=part)
            if not isinstance(each, bool):
                raise Refused("malformed", _("Say yes or no for each response."), part=part)
        return Answer(stored=list(raw), columns={"acceptable": list(raw)})

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        title = asked.title or self.title
        if asked.settings["mode"] == "neither":
            options = [
                Option(value, label, key, values[""] == value, marks=_marks(answer))
                for value, label, key, answer in TAPS
            ]
            group = Choice(asked.name, title, options, asked.required, "" in wrong, layout="grid")
            return {"choices": [group]}
        return {"heading": title, "choices": self._yes_no(asked, values, wrong, situation.responses)}

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        if stored is None:
            return frozenset()
        return frozenset(MARKS[each] for each in stored)

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        return [(MARKS[True], _("some response is acceptable")), (MARKS[False], _("some response is not acceptable"))]

    def apart(self, asked: Asked, one: Given, other: Given) -> float:
        return furthest(
            None if None in (first, second) else float(first != second)
            for first, second in zip(one.by_position(one.stored), other.by_position(other.stored), strict=True)
        )

    def export_columns(self, stored: Any) -> dict[str, Any]:
        return {"acceptable": stored}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        return [bool(utility > 0) for utility in utilities]

    def _missing(self, asked: Asked) -> str:
        if asked.settings["mode"] == "neither":
            return _("Say which are acceptable: both, one of them, or neither.")
        return _("Say yes or no for each response.")

    def _yes_no(self, asked: Asked, values: Mapping[str, str], wrong: set[str], responses: int) -> list[Choice]:
        groups = []
        for index in range(responses):
            part = side_letter(index).lower()
            # Keys for the usual two; more would need a legend of their own.
            keys = (str(4 + 2 * index), str(5 + 2 * index)) if responses == 2 else ("", "")
            options = [
                Option(value, label, key, values[part] == value, marks=MARKS[answer])
                for (value, label, answer), key in zip(YES_NO, keys, strict=True)
            ]
            name = field_name(asked.name, part)
            legend = _("Response %(letter)s") % {"letter": side_letter(index)}
            groups.append(Choice(name, legend, options, asked.required, part in wrong, says_optional=False))
        return groups


def _marks(answers: Sequence[bool]) -> str:
    return " ".join(sorted({MARKS[each] for each in answers}))


QUESTION_TYPE = AcceptableQuestion()
