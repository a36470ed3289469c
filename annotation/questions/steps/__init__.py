"""Which step of a response is the first faulty one, or how good each of its steps is."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.apart import Given, furthest
from annotation.questions.base import (
    Answer,
    Asked,
    Export,
    Form,
    QuestionType,
    Random,
    Situation,
    Standing,
    Text,
    field_name,
    side_letter,
)
from annotation.questions.presentation import Choice, Option
from annotation.questions.refusals import QuestionDoesNotFit, Refusal, Refused
from annotation.questions.settings import one_of
from annotation.questions.steps.segmentation import SEGMENTATION, segment

MOST_RESPONSES = 26
NONE = "none"
GRADES = (("good", gettext_lazy("Good")), ("neutral", gettext_lazy("Neutral")), ("bad", gettext_lazy("Bad")))
KNOWN_GRADES = frozenset(value for value, _label in GRADES)


class StepsQuestion(QuestionType):
    """Raw: a list with one member for each response in the order shown, or null. All or none.

    Mode `first_fault`: the index of the first faulty step from 0, or "none". Mode `each`: a list of "good", "neutral"
    or "bad", one for each step. Stored with the steps' code points in the stored text and that text's SHA-256, so
    that an answer never points into another text or another segmentation.
    Column `scores`: of each response, the share of its steps before the first faulty or bad one.
    """

    slug = "steps"
    label = gettext_lazy("Steps")
    title = gettext_lazy("Which step is the first that is wrong?")
    settings = {
        "mode": one_of(
            gettext_lazy("How it is asked"),
            {"first_fault": gettext_lazy("The first wrong step"), "each": gettext_lazy("A mark for each step")},
        ),
        "to_ranking": one_of(gettext_lazy("Counts for boards"), {"yes": gettext_lazy("Yes"), "no": gettext_lazy("No")}),
    }
    gives = frozenset({"scores"})
    exports = {
        "steps_mode": Export(str, gettext_lazy("first_fault, or each where every step was marked")),
        "steps_count": Export(list[int], gettext_lazy("how many steps each response has")),
        "steps_first_fault": Export(list[int], gettext_lazy("first faulty step of each response, from 0; or null")),
        "steps_marks": Export(list[list[str]], gettext_lazy("good, neutral or bad for each step of each response")),
        "steps_offsets": Export(list[list[list[int]]], gettext_lazy("start and end of each step, in code points")),
        "steps_segmentation": Export(int, gettext_lazy("by which rules the responses were parted into steps")),
    }
    reads_texts = True
    assets = ("ask.css",)

    def columns_given(self, asked: Asked) -> frozenset[str]:
        return self.gives if asked.settings["to_ranking"] == "yes" else frozenset()

    def standing(self, asked: Asked) -> Standing | None:
        return Standing("scores", Form.SCORES) if self.columns_given(asked) else None

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        if not 1 <= situation.responses <= MOST_RESPONSES or len(situation.texts) != situation.responses:
            raise QuestionDoesNotFit(
                f"{asked.name}: steps of {situation.responses} responses with {len(situation.texts)} texts"
            )

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return tuple(part for parts in _parts(asked, situation) for part in parts)

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        if not any(values.values()):
            return None
        given = [[values[part] or None for part in parts] for parts in _parts(asked, situation)]
        if asked.settings["mode"] == "each":
            return given
        # A step is posted by its index; what is none stays as it came.
        return [int(only) if only and only.isascii() and only.isdigit() and len(only) < 6 else only for [only] in given]

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        parts = _parts(asked, situation)
        if raw is None:
            if asked.required:
                raise Refused("missing", self._missing(asked), part=parts[0][0])
            return Answer(stored=None)
        if not isinstance(raw, list) or len(raw) != situation.responses:
            raise Refused("malformed", _("Answer for each response, in the order shown."), part=parts[0][0])
        read = self._read_grades if asked.settings["mode"] == "each" else self._read_fault
        responses, scores = [], []
        for text, each, names in zip(situation.texts, raw, parts, strict=True):
            steps = segment(text)
            answer, first = read(each, len(steps), names)
            offsets = [[step.start, step.end] for step in steps]
            responses.append({**answer, "offsets": offsets, "sha256": sha256(text.encode()).hexdigest()})
            scores.append(1.0 if first is None else first / len(steps))
        stored = {"mode": asked.settings["mode"], "segmentation": SEGMENTATION, "responses": responses}
        return Answer(stored=stored, columns={"scores": scores} if self.columns_given(asked) else {})

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        grades = asked.settings["mode"] == "each"
        make = self._grade_choices if grades else self._fault_choices
        heading = asked.title or (_("How good is each step?") if grades else self.title)
        several = situation.responses > 1
        responses = []
        for index, parts in enumerate(_parts(asked, situation)):
            legend = _("Response %(letter)s") % {"letter": side_letter(index)} if several else heading
            choices = make(asked, situation.texts[index], parts, values, wrong, legend)
            responses.append({"legend": legend, "choices": choices})
        return {"heading": heading if several or grades else "", "several": several, "grades": grades} | {
            "responses": responses
        }

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        if stored is None:
            return frozenset()
        if stored["mode"] == "each":
            return frozenset(mark for each in stored["responses"] for mark in each["marks"])
        return frozenset(NONE if each["first_fault"] is None else "fault" for each in stored["responses"])

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        if asked.settings["mode"] == "each":
            words = {"good": _("some step is good"), "neutral": _("some step is neutral"), "bad": _("some step is bad")}
            return list(words.items())
        return [("fault", _("some response has a faulty step")), (NONE, _("some response has no faulty step"))]

    def apart(self, asked: Asked, one: Given, other: Given) -> float:
        """The share of a response's steps that are marked otherwise; of first faults how far they lie apart, and wholly
        where only one person found any.
        """
        pairs = zip(*(given.by_position(given.stored["responses"]) for given in (one, other)), strict=True)
        return furthest(_steps_apart(first, second) for first, second in pairs)

    def export_columns(self, stored: Any) -> dict[str, Any]:
        responses = [] if stored is None else stored["responses"]
        mode = None if stored is None else stored["mode"]
        faults = [each["first_fault"] for each in responses] if mode == "first_fault" else None
        marks = [each["marks"] for each in responses] if mode == "each" else None
        return {
            "steps_mode": mode,
            "steps_count": [len(each["offsets"]) for each in responses] or None,
            "steps_first_fault": faults,
            "steps_marks": marks,
            "steps_offsets": [each["offsets"] for each in responses] or None,
            "steps_segmentation": None if stored is None else stored["segmentation"],
        }

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        """Nothing: an answer refers to the texts, see `simulate_shown`."""
        return None

    def simulate_shown(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any:
        """No fault in what is worth something; else the fault comes the earlier, the less a response is worth."""
        faults: list[int | None] = []
        for text, utility in zip(situation.texts, utilities, strict=True):
            count = len(segment(text))
            faults.append(None if utility > 0 else int((count - 1) / (1.0 - float(utility))))
        if asked.settings["mode"] == "first_fault":
            return [NONE if fault is None else fault for fault in faults]
        return [
            ["bad" if step == fault else "good" for step in range(len(segment(text)))]
            for text, fault in zip(situation.texts, faults, strict=True)
        ]

    def _missing(self, asked: Asked) -> str:
        if asked.settings["mode"] == "each":
            return _("Say of each step whether it is good, neutral or bad.")
        return _("Choose the first wrong step, or say that none is.")

    def _read_fault(self, fault: Any, steps: int, parts: Sequence[str]) -> tuple[dict[str, Any], int | None]:
        if fault is None:
            message = _("Choose the first wrong step of each response, or say that none is.")
            raise Refused("incomplete", message, part=parts[0])
        if isinstance(fault, str) and fault == NONE:
            return {"first_fault": None}, None
        if type(fault) is not int or not 0 <= fault < steps:
            raise Refused("unknown_step", _("The response has no such step."), part=parts[0])
        return {"first_fault": fault}, fault

    def _read_grades(self, grades: Any, steps: int, parts: Sequence[str]) -> tuple[dict[str, Any], int | None]:
        if not isinstance(grades, list) or len(grades) != steps:
            raise Refused("malformed", _("Say of each step whether it is good, neutral or bad."), part=parts[0])
        for grade, part in zip(grades, parts, strict=True):
            if grade is None:
                raise Refused("incomplete", _("Say of each step whether it is good, neutral or bad."), part=part)
            if not isinstance(grade, str) or grade not in KNOWN_GRADES:
                raise Refused("unknown_choice", _("That is none of the choices."), part=part)
        return {"marks": list(grades)}, grades.index("bad") if "bad" in grades else None

    def _fault_choices(
        self, asked: Asked, text: str, parts: Sequence[str], values: Mapping[str, str], wrong: set[str], legend: Text
    ) -> list[Choice]:
        [part] = parts
        steps = segment(text)
        options = [
            Option(str(index), text[step.start : step.end], checked=values[part] == str(index), marks="fault")
            for index, step in enumerate(steps)
        ]
        options.append(Option(NONE, _("No step is wrong"), checked=values[part] == NONE, marks=NONE))
        return [Choice(field_name(asked.name, part), legend, options, asked.required, part in wrong)]

    def _grade_choices(
        self, asked: Asked, text: str, parts: Sequence[str], values: Mapping[str, str], wrong: set[str], legend: Text
    ) -> list[Choice]:
        choices = []
        for step, part in zip(segment(text), parts, strict=True):
            options = [Option(value, label, checked=values[part] == value, marks=value) for value, label in GRADES]
            name, words = field_name(asked.name, part), text[step.start : step.end]
            choices.append(Choice(name, words, options, asked.required, part in wrong, says_optional=False))
        return choices


def _parts(asked: Asked, situation: Situation) -> list[list[str]]:
    """By response: one input for each, or one for each of its steps."""
    letters = [side_letter(index).lower() for index in range(len(situation.texts))]
    if asked.settings["mode"] == "first_fault":
        return [[letter] for letter in letters]
    return [
        [f"{letter}-{number}" for number in range(1, len(segment(text)) + 1)]
        for letter, text in zip(letters, situation.texts, strict=True)
    ]


def _steps_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    if "marks" in one:
        differ = [first != second for first, second in zip(one["marks"], other["marks"], strict=True)]
        wrong: int = sum(differ)
        return wrong / len(differ)
    first: int | None = one["first_fault"]
    second: int | None = other["first_fault"]
    if first is None or second is None:
        return float(first is not second)
    return abs(first - second) / len(one["offsets"])


QUESTION_TYPE = StepsQuestion()
