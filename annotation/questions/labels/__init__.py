"""Which of a list hold: reasons, properties, principles; of the item, or of each response."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.questions.apart import Given, furthest, sets_apart
from annotation.questions.base import (
    Answer,
    Asked,
    Export,
    Facet,
    Form,
    ForModel,
    QuestionType,
    Random,
    Situation,
    Text,
    field_name,
    row_of,
    side_letter,
)
from annotation.questions.presentation import element_id
from annotation.questions.refusals import InvalidSettings, QuestionDoesNotFit, Refusal, Refused
from annotation.questions.settings import lines, one_of, whole_number
from annotation.questions.slugs import stable_slugs

MOST_LABELS = 40
MOST_RESPONSES = 26
# The box that says that no label holds: its mark, its part, and what it is in a raw answer, where it has no place
# beside a label. Without it nobody could tell "none of these" from a list that nobody looked at.
NONE = "none"
NONE_RAW = ""


class LabelsQuestion(QuestionType):
    """Raw, mode `item`: a list of labels; mode `response`: such a list or null for each response in the order shown.

    [] says that none holds, and is an answer only where `least` is 0; null is no answer. Stored: the mode, and the
    labels in the order of the instrument's list. Marks are the labels' slugs (`slugs.stable_slugs`) and "none"; in mode
    `response` a label has its mark where it holds of some response.
    """

    slug = "labels"
    label = gettext_lazy("Labels")
    title = gettext_lazy("Which of these hold?")
    assets = ("ask.js", "ask.css")
    settings = {
        "options": lines(
            gettext_lazy("Choices, one a line"), "Correct", "Complete", "Clear", least=1, most=MOST_LABELS
        ),
        "mode": one_of(
            gettext_lazy("How it is asked"),
            {"item": gettext_lazy("Once for the item"), "response": gettext_lazy("For each response")},
        ),
        "least": whole_number(gettext_lazy("Fewest choices"), 1, 0, MOST_LABELS),
        "most": whole_number(gettext_lazy("Most choices"), MOST_LABELS, 1, MOST_LABELS),
    }
    exports = {
        "labels": Export(list[str], gettext_lazy("labels that hold of the item; [] where none does")),
        "labels_by_response": Export(list[list[str]], gettext_lazy("labels that hold of each response")),
    }

    def check_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        found = super().check_settings(settings)
        bound = min(found["most"], len(found["options"]))
        if found["least"] > bound:
            raise InvalidSettings(
                f"labels: least must be at most {bound}, which is all that can be chosen",
                setting="least",
                words=_("At most %(bound)d, which is all that can be chosen.") % {"bound": bound},
            )
        return found

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        if asked.settings["mode"] == "response" and not 1 <= situation.responses <= MOST_RESPONSES:
            raise QuestionDoesNotFit(f"{asked.name}: labels for each of {situation.responses} responses")

    def for_model(self, asked: Asked, situation: Situation) -> ForModel:
        some = {"type": "array", "items": {"enum": list(asked.settings["options"])}}
        least, most = asked.settings["least"], min(asked.settings["most"], len(asked.settings["options"]))
        words = f"Which of these labels hold, at least {least} and at most {most}"
        if asked.settings["mode"] == "item":
            return ForModel(f"{words}.", some)
        words = f"{words}: one list for each response in the order shown."
        return ForModel(words, row_of(some, situation.responses))

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return tuple(part for letter in self._letters(asked, situation) for part, _label in _boxes(asked, letter))

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        if not any(values.values()):
            return None
        sets = [_ticked(asked, letter, values) for letter in self._letters(asked, situation)]
        return sets if asked.settings["mode"] == "response" else sets[0]

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        mode, letters = asked.settings["mode"], self._letters(asked, situation)
        first = _boxes(asked, letters[0])[0][0]
        if mode == "item":
            raw = [raw]
        elif raw is None:
            raw = [None] * len(letters)
        if not isinstance(raw, list) or len(raw) != len(letters):
            raise Refused("malformed", _("Labels are a list for each response."), part=first)
        sets = [_read_set(asked, each, letter) for each, letter in zip(raw, letters, strict=True)]
        if all(each is None for each in sets):
            return Answer(stored=None)
        return Answer(stored={"mode": mode, "labels": sets if mode == "response" else sets[0]})

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        groups = [self._group(asked, letter, values, wrong) for letter in self._letters(asked, situation)]
        by_response = asked.settings["mode"] == "response"
        return {"groups": groups, "by_response": by_response, "help": self._bounds(asked)}

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        slugs = _slugs(asked)
        sets = [each for each in _sets(stored) if each is not None]
        return frozenset(slugs[label] for each in sets for label in each) | {NONE for each in sets if not each}

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        options: list[tuple[str, Text]] = [(slug, label) for label, slug in _slugs(asked).items()]
        return [*options, (NONE, _("None of these"))] if asked.settings["least"] == 0 else options

    def apart(self, asked: Asked, one: Given, other: Given) -> float:
        first, second = (
            given.by_position(_sets(given.stored)) if given.stored["mode"] == "response" else _sets(given.stored)
            for given in (one, other)
        )
        return furthest(None if None in (a, b) else sets_apart(a, b) for a, b in zip(first, second, strict=True))

    def facets(self, asked: Asked) -> Sequence[Facet]:
        return [Facet(label, Form.SHARE) for label in asked.settings["options"]]

    def facet_values(self, asked: Asked, stored: Any) -> Mapping[str, Sequence[float | None]]:
        """Labels of an item of several responses are of none of them: then these are fewer than the responses."""
        sets = _sets(stored)
        return {
            label: [None if chosen is None else float(label in chosen) for chosen in sets]
            for label in asked.settings["options"]
        }

    def export_columns(self, stored: Any) -> dict[str, Any]:
        by_mode = {} if stored is None else {stored["mode"]: stored["labels"]}
        return {"labels": by_mode.get("item"), "labels_by_response": by_mode.get("response")}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        """Any labels, as many as are allowed: what a label has to do with worth is the author's knowledge, not ours."""
        if asked.settings["mode"] == "item":
            return _draw(asked, rng)
        return [_draw(asked, rng) for _utility in utilities]

    def _letters(self, asked: Asked, situation: Situation) -> list[str]:
        """One for each set that is asked for; "" is that of the item."""
        if asked.settings["mode"] == "item":
            return [""]
        return [side_letter(index).lower() for index in range(situation.responses)]

    def _bounds(self, asked: Asked) -> str:
        least, most = _bounds(asked)
        if least == most:
            return ngettext("Choose %(n)d.", "Choose %(n)d.", least) % {"n": least}
        if most == len(asked.settings["options"]):
            return "" if least <= 1 else _("Choose at least %(n)d.") % {"n": least}
        if least <= 1:
            return _("Choose at most %(n)d.") % {"n": most}
        return _("Choose %(least)d to %(most)d.") % {"least": least, "most": most}

    def _group(self, asked: Asked, letter: str, values: Mapping[str, str], wrong: set[str]) -> dict[str, Any]:
        slugs = {**_slugs(asked), NONE_RAW: NONE}
        boxes = _boxes(asked, letter)
        return {
            "id": element_id(field_name(asked.name, f"set-{letter or 'item'}")),
            "legend": _("Response %(letter)s") % {"letter": letter.upper()} if letter else "",
            "refused": any(part in wrong for part, _label in boxes),
            "boxes": [
                {
                    "name": field_name(asked.name, part),
                    "value": label or NONE,
                    "label": label or _("None of these"),
                    "marks": slugs[label],
                    "none": label == NONE_RAW,
                    "checked": values[part] == (label or NONE),
                }
                for part, label in boxes
            ],
        }


def _slugs(asked: Asked) -> Mapping[str, str]:
    return stable_slugs(asked.settings["options"], taken=[NONE])


def _bounds(asked: Asked) -> tuple[int, int]:
    return asked.settings["least"], min(asked.settings["most"], len(asked.settings["options"]))


def _boxes(asked: Asked, letter: str) -> list[tuple[str, str]]:
    """Part and label of each box of one set."""
    boxes = [(f"{letter}{number}", label) for number, label in enumerate(asked.settings["options"], start=1)]
    return [*boxes, (f"{letter}{NONE}", NONE_RAW)] if asked.settings["least"] == 0 else boxes


def _ticked(asked: Asked, letter: str, values: Mapping[str, str]) -> list[str] | None:
    posted = [values[part] for part, label in _boxes(asked, letter) if label != NONE_RAW and values[part]]
    if not values.get(f"{letter}{NONE}"):
        return posted or None
    return [NONE_RAW, *posted] if posted else []


def _read_set(asked: Asked, raw: Any, letter: str) -> list[str] | None:
    options, (least, most), part = asked.settings["options"], _bounds(asked), _boxes(asked, letter)[0][0]
    if raw is None:
        if asked.required:
            raise Refused("missing", _missing(least, letter), part=part)
        return None
    if not isinstance(raw, list) or any(not isinstance(each, str) for each in raw):
        raise Refused("malformed", _("Labels are a list of texts."), part=part)
    if NONE_RAW in raw:
        raise Refused("none_and_some", _("Choose labels, or that none of them holds."), part=part)
    if any(each not in options for each in raw) or len(set(raw)) < len(raw):
        raise Refused("unknown_choice", _("That is none of the choices."), part=part)
    if len(raw) < least:
        words = ngettext("Choose at least %(n)d.", "Choose at least %(n)d.", least)
        raise Refused("too_few", words % {"n": least}, part=part)
    if len(raw) > most:
        words = ngettext("Choose at most %(n)d.", "Choose at most %(n)d.", most)
        raise Refused("too_many", words % {"n": most}, part=part)
    return [label for label in options if label in raw]


def _missing(least: int, letter: str) -> str:
    if letter:
        return _("Choose what holds of response %(letter)s.") % {"letter": letter.upper()}
    return _("Choose what holds, or that none does.") if least == 0 else _("Choose what holds.")


def _sets(stored: Any) -> list[list[str] | None]:
    if stored is None:
        return []
    sets: list[list[str] | None] = stored["labels"] if stored["mode"] == "response" else [stored["labels"]]
    return sets


def _draw(asked: Asked, rng: Random) -> list[str]:
    options, (least, most) = asked.settings["options"], _bounds(asked)
    count = least + int(rng.random() * (most - least + 1))
    weights = {label: rng.random() for label in options}
    chosen = sorted(options, key=lambda label: weights[label])[:count]
    return [label for label in options if label in chosen]


QUESTION_TYPE = LabelsQuestion()
