"""How good each response is on a scale, as a whole or by attribute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import tanh
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.apart import Given, furthest
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
    Standing,
    Text,
    closed,
    field_name,
    row_of,
    side_letter,
)
from annotation.questions.presentation import Choice, Option, element_id
from annotation.questions.refusals import InvalidSettings, QuestionDoesNotFit, Refusal, Refused
from annotation.questions.settings import lines, one_of, whole_number, words
from annotation.questions.slugs import stable_slugs

MOST_RESPONSES = 26
MOST_ATTRIBUTES = 10
# The attribute of an instrument that names none.
OVERALL = "overall"
LINE = (0, 100)
# As many buttons stand beside each other on a phone.
SHORT = 7
# Of a simulated person: how far, as a share of the scale, an attribute lies from the whole, for all responses alike.
OFFSET = 0.1


@dataclass(frozen=True)
class Cell:
    """One value that is asked for. A response that stands alone has no letter."""

    part: str
    attribute: str
    response: int
    letter: str


class RatingQuestion(QuestionType):
    """Raw: an object from attribute to a list of whole numbers or nulls, one for each response in the order shown;
    the only attribute of an instrument that names none is "overall". Stored: the values and their scale, or null.

    Scale `points` has buttons from `first` on; `line` is a typed number from 0 to 100, because a slider would be
    another instrument on another device. Where required, every value is. `scores` are the values of `ranked_by`, or
    the mean of the attributes; a response that lacks one of those has none. Marks, for points only: the level, after
    the attribute's slug where there are attributes, that some response was given.
    """

    slug = "rating"
    label = gettext_lazy("Rating")
    title = gettext_lazy("How good is each response?")
    assets = ("ask.css",)
    settings = {
        "attributes": lines(gettext_lazy("Attributes, one a line"), least=0, most=MOST_ATTRIBUTES, length=60),
        "scale": one_of(
            gettext_lazy("Scale"), {"points": gettext_lazy("Numbered buttons"), "line": gettext_lazy("Typed, 0 to 100")}
        ),
        "points": whole_number(gettext_lazy("Points of the scale"), 5, 2, 11),
        "first": whole_number(gettext_lazy("Scale begins at"), 1, 0, 1),
        "low": words(gettext_lazy("What the low end means"), "", 60),
        "high": words(gettext_lazy("What the high end means"), "", 60),
        "to_ranking": one_of(gettext_lazy("Counts for boards"), {"yes": gettext_lazy("Yes"), "no": gettext_lazy("No")}),
        "ranked_by": words(gettext_lazy("Attribute that counts for boards"), "", 60),
    }
    gives = frozenset({"scores"})
    exports = {
        "rating_attributes": Export(list[str], gettext_lazy("what was rated")),
        "rating_values": Export(list[list[int]], gettext_lazy("a list for each attribute: the value of each response")),
        "rating_scale": Export(str, gettext_lazy("points, or line for a typed number from 0 to 100")),
        "rating_lowest": Export(int, gettext_lazy("lowest value of the scale")),
        "rating_highest": Export(int, gettext_lazy("highest value of the scale")),
    }

    def check_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        found = super().check_settings(settings)
        ranked_by, attributes = found["ranked_by"], found["attributes"]
        if ranked_by and ranked_by not in attributes:
            known = ", ".join(attributes) or "none"
            raise InvalidSettings(
                f"rating: ranked_by must be empty or an attribute, not {ranked_by!r}; there are {known}",
                setting="ranked_by",
                words=_("Empty, or one of the attributes as it is written there."),
            )
        return found

    def columns_given(self, asked: Asked) -> frozenset[str]:
        return self.gives if asked.settings["to_ranking"] == "yes" else frozenset()

    def standing(self, asked: Asked) -> Standing | None:
        lowest, highest = _scale(asked)
        standing = Standing("scores", Form.SCORES, lowest=lowest, highest=highest)
        return standing if self.columns_given(asked) else None

    def facets(self, asked: Asked) -> Sequence[Facet]:
        return [Facet(name, Form.SCORES, *_scale(asked)) for name in asked.settings["attributes"] or [""]]

    def facet_values(self, asked: Asked, stored: Any) -> Mapping[str, Sequence[float | None]]:
        named = asked.settings["attributes"] or [""]
        return {name: stored["values"][key] for name, key in zip(named, _attributes(asked), strict=True)}

    def as_asked(self, asked: Asked, stored: Any) -> Any:
        if not stored:
            return stored
        return stored | {"values": {name: stored["values"][name] for name in _attributes(asked)}}

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        if not 1 <= situation.responses <= MOST_RESPONSES:
            raise QuestionDoesNotFit(f"{asked.name}: a rating of {situation.responses} responses")

    def for_model(self, asked: Asked, situation: Situation) -> ForModel:
        lowest, highest = _scale(asked)
        ends = " ".join(
            f"{end} means: {asked.settings[name]}."
            for end, name in ((lowest, "low"), (highest, "high"))
            if asked.settings[name]
        )
        words = f"For each attribute a number for each response as shown, from {lowest} to {highest}, the best."
        number = {"type": "integer", "minimum": lowest, "maximum": highest}
        rows = {attribute: row_of(number, situation.responses) for attribute in _attributes(asked)}
        return ForModel(f"{words} {ends}".strip(), closed(rows))

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return tuple(cell.part for cell in _cells(asked, situation.responses))

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        if not any(value.strip() for value in values.values()):
            return None
        raw: dict[str, list[Any]] = {attribute: [] for attribute in _attributes(asked)}
        for cell in _cells(asked, situation.responses):
            raw[cell.attribute].append(_number(values[cell.part]))
        return raw

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        attributes, cells = _attributes(asked), _cells(asked, situation.responses)
        lists = dict.fromkeys(attributes) if raw is None else raw
        if not isinstance(lists, dict) or any(key not in attributes for key in lists):
            raise Refused("malformed", _("A rating is an object by attribute."), part=cells[0].part)
        values = {key: _as_list(lists.get(key), situation.responses, cells[0].part) for key in attributes}
        is_empty = all(value is None for each in values.values() for value in each)
        for cell in cells:
            self._check(asked, values[cell.attribute][cell.response], cell, is_empty)
        if is_empty:
            return Answer(stored=None)
        lowest, highest = _scale(asked)
        scale = {"kind": asked.settings["scale"], "lowest": lowest, "highest": highest}
        return Answer(stored={"values": values, "scale": scale}, columns=self._columns(asked, values))

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        cells, attributes = _cells(asked, situation.responses), asked.settings["attributes"]
        by_attribute = bool(attributes) and situation.responses > 1
        groups = (
            [[cell for cell in cells if cell.attribute == each] for each in attributes] if by_attribute else [cells]
        )
        rows = [
            {
                "heading": group[0].attribute if by_attribute else "",
                "cells": [self._cell(asked, cell, values[cell.part], cell.part in wrong, len(cells)) for cell in group],
            }
            for group in groups
        ]
        scale, is_long = asked.settings["scale"], asked.settings["points"] > SHORT
        return {"rows": rows, "has_heading": len(cells) > 1, "scale": scale, "is_long": is_long}

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        if stored is None or asked.settings["scale"] == "line":
            return frozenset()
        given = stored["values"].items()
        return frozenset(_mark(asked, key, value) for key, each in given for value in each if value is not None)

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        if asked.settings["scale"] == "line":
            return []
        named = [(key, f"{key}: ") for key in asked.settings["attributes"]] or [(OVERALL, "")]
        return [(_mark(asked, key, level), f"{words}{level}") for key, words in named for level in _levels(asked)]

    def ranks(self, asked: Asked) -> bool:
        return True

    def puts_first(self, asked: Asked, stored: Any) -> int | None:
        """By the mean of what the ranking counts."""
        scores = self._scores(asked, stored["values"]) if stored else []
        known = [score for score in scores if score is not None]
        return scores.index(max(known)) if known and scores.count(max(known)) == 1 else None

    def marks_of_worth(self, asked: Asked, *, good: bool) -> Sequence[str]:
        """Of a rating of the whole: the levels above the middle, or below it."""
        lowest, highest = _scale(asked)
        if asked.settings["scale"] == "line" or asked.settings["attributes"]:
            return ()
        double = lowest + highest
        return [
            _mark(asked, OVERALL, level)
            for level in _levels(asked)
            if (2 * level > double if good else 2 * level < double)
        ]

    def apart(self, asked: Asked, one: Given, other: Given) -> float:
        """The widest of all attributes and responses, as a share of the scale."""
        lowest, highest = _scale(asked)
        return furthest(
            None if None in (first, second) else abs(first - second) / (highest - lowest)
            for attribute in _attributes(asked)
            for first, second in zip(*(_of(attribute, given) for given in (one, other)), strict=True)
        )

    def export_columns(self, stored: Any) -> dict[str, Any]:
        """Attributes are data and no column names: every instrument has others."""
        values, scale = (stored["values"], stored["scale"]) if stored else (None, {})
        return {
            "rating_attributes": None if values is None else list(values),
            "rating_values": None if values is None else list(values.values()),
            "rating_scale": scale.get("kind"),
            "rating_lowest": scale.get("lowest"),
            "rating_highest": scale.get("highest"),
        }

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        """What is worth nothing stands in the middle, what is worth more never stands lower."""
        lowest, highest = _scale(asked)
        raw = {}
        for attribute in _attributes(asked):
            offset = OFFSET * (2 * rng.random() - 1)
            heights = [0.5 + 0.5 * tanh(float(utility) / 2) + offset for utility in utilities]
            raw[attribute] = [
                min(highest, max(lowest, round(lowest + height * (highest - lowest)))) for height in heights
            ]
        return raw

    def _check(self, asked: Asked, value: Any, cell: Cell, is_empty: bool) -> None:
        lowest, highest = _scale(asked)
        if value is None:
            if asked.required:
                raise Refused("missing" if is_empty else "incomplete", self._missing(asked, cell), part=cell.part)
        elif type(value) is not int or not lowest <= value <= highest:
            words = _("Give a whole number from %(lowest)d to %(highest)d.")
            raise Refused("off_scale", words % {"lowest": lowest, "highest": highest}, part=cell.part)

    def _missing(self, asked: Asked, cell: Cell) -> str:
        named = {"letter": cell.letter, "attribute": cell.attribute}
        if not asked.settings["attributes"]:
            return _("Rate response %(letter)s.") % named if cell.letter else _("Rate the response.")
        if not cell.letter:
            return _("Rate the response: %(attribute)s.") % named
        return _("Rate response %(letter)s: %(attribute)s.") % named

    def _columns(self, asked: Asked, values: Mapping[str, list[int | None]]) -> dict[str, Any]:
        if asked.settings["to_ranking"] == "no":
            return {}
        scores = self._scores(asked, values)
        return {"scores": scores} if any(score is not None for score in scores) else {}

    def _scores(self, asked: Asked, values: Mapping[str, list[int | None]]) -> list[float | None]:
        ranked_by = asked.settings["ranked_by"]
        counted = [values[ranked_by]] if ranked_by else list(values.values())
        return [_mean(each) for each in zip(*counted, strict=True)]

    def _cell(self, asked: Asked, cell: Cell, value: str, refused: bool, count: int) -> dict[str, Any]:
        name, levels = field_name(asked.name, cell.part), [str(level) for level in _levels(asked)]
        legend = self._legend(asked, cell, count)
        ends = (asked.settings["low"], asked.settings["high"])
        if asked.settings["scale"] == "points":
            options = [
                Option(level, level, checked=value == level, marks=_mark(asked, cell.attribute, level))
                for level in levels
            ]
            shown: dict[str, Any] = {
                "layout": "scale",
                "says_optional": count == 1,
                "ends": ends if any(ends) else None,
            }
            return {"choice": Choice(name, legend, options, asked.required, refused, **shown)}
        return {
            "name": name,
            "id": element_id(name),
            "legend": legend,
            "typed": value,
            "refused": refused,
            "ends": ends,
        }

    def _legend(self, asked: Asked, cell: Cell, count: int) -> Text:
        """One response needs no letter, one attribute of it not even a name."""
        if count == 1:
            return asked.title or self.title
        if not cell.letter:
            return cell.attribute
        return _("Response %(letter)s") % {"letter": cell.letter}


def _attributes(asked: Asked) -> list[str]:
    return asked.settings["attributes"] or [OVERALL]


def _cells(asked: Asked, responses: int) -> list[Cell]:
    """Attribute by attribute. Its number follows the response's letter in a part only where there are attributes."""
    has_names = bool(asked.settings["attributes"])
    letters = [side_letter(index) for index in range(responses)]
    return [
        Cell(f"{letter.lower()}{number if has_names else ''}", attribute, index, letter if responses > 1 else "")
        for number, attribute in enumerate(_attributes(asked), start=1)
        for index, letter in enumerate(letters)
    ]


def _of(attribute: str, given: Given) -> list[int | None]:
    return given.by_position(given.stored["values"][attribute])


def _scale(asked: Asked) -> tuple[int, int]:
    if asked.settings["scale"] == "line":
        return LINE
    first = asked.settings["first"]
    return first, first + asked.settings["points"] - 1


def _levels(asked: Asked) -> range:
    lowest, highest = _scale(asked)
    return range(lowest, highest + 1)


def _mark(asked: Asked, attribute: str, level: int | str) -> str:
    attributes = asked.settings["attributes"]
    return f"{stable_slugs(attributes)[attribute]}-{level}" if attributes else str(level)


def _number(typed: str) -> Any:
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 3 else typed or None


def _as_list(raw: Any, responses: int, part: str) -> list[Any]:
    if raw is None:
        return [None] * responses
    if not isinstance(raw, list) or len(raw) != responses:
        raise Refused("malformed", _("Give one number for each response."), part=part)
    return list(raw)


def _mean(values: Sequence[int | None]) -> float | None:
    given = [value for value in values if value is not None]
    return sum(given) / len(given) if len(given) == len(values) else None


QUESTION_TYPE = RatingQuestion()
