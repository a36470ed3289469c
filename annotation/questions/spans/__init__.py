"""The good and the wrong pieces of each response, as offsets into the text that is stored."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.base import (
    Answer,
    Asked,
    Export,
    Form,
    QuestionType,
    Random,
    Situation,
    Standing,
    field_name,
    members,
    side_letter,
)
from annotation.questions.presentation import element_id
from annotation.questions.refusals import QuestionDoesNotFit, Refusal, Refused
from annotation.questions.settings import lines, one_of
from foundation.text import UnsafeJSON, load_json

GOOD, WRONG = "good", "wrong"
# The default severity multipliers of Multidimensional Quality Metrics (MQM), themqm.org, "The MQM scoring models".
WEIGHTS = {"minor": 1, "major": 5, "critical": 25}
SEVERITIES = (
    ("minor", gettext_lazy("minor")),
    ("major", gettext_lazy("major")),
    ("critical", gettext_lazy("critical")),
)
MOST_MARKS = 200
MOST_RESPONSES = 26
MEMBERS = ("response", "start", "end", "kind", "severity", "category")
NOTHING = "nothing"


class SpansQuestion(QuestionType):
    """Raw: a list of marks, empty where somebody looked and found nothing to mark, or null where nobody did.

    A mark is {"response": index in the order shown, "start", "end": code points of the stored text, the last not
    among them, "kind": "good" | "wrong", "severity": "minor" | "major" | "critical" of what is wrong, else null,
    "category": one of the instrument's or null}. Marks may overlap; the same one twice is refused.
    Stored: the marks by place, each with the SHA-256 of the words that it marks, so that a text that changed is
    noticed, and the weights. Column `scores`: of each response, minus the weights of its wrong pieces.
    """

    slug = "spans"
    label = gettext_lazy("Marked pieces")
    title = gettext_lazy("Mark what is good and what is wrong")
    settings = {
        "categories": lines(gettext_lazy("Categories, one a line"), least=0, most=20, length=40),
        "to_ranking": one_of(gettext_lazy("Counts for boards"), {"yes": gettext_lazy("Yes"), "no": gettext_lazy("No")}),
    }
    gives = frozenset({"scores"})
    exports = {
        "spans_given": Export(bool, gettext_lazy("whether somebody looked; then no piece means that none was found")),
        "spans_response": Export(list[int], gettext_lazy("of each piece: its response's place in `responses`, from 0")),
        "spans_start": Export(list[int], gettext_lazy("of each piece: its first code point in the last turn")),
        "spans_end": Export(list[int], gettext_lazy("of each piece: the code point after its last")),
        "spans_kind": Export(list[str], gettext_lazy("of each piece: good or wrong")),
        "spans_severity": Export(list[str], gettext_lazy("of each piece: minor, major, critical; null for good ones")),
        "spans_category": Export(list[str], gettext_lazy("of each piece: its category, or null")),
    }
    reads_texts = True
    can_agree = False
    assets = ("ask.js", "ask.css")

    def columns_given(self, asked: Asked) -> frozenset[str]:
        return self.gives if asked.settings["to_ranking"] == "yes" else frozenset()

    def standing(self, asked: Asked) -> Standing | None:
        return Standing("scores", Form.SCORES) if self.columns_given(asked) else None

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        if not 1 <= situation.responses <= MOST_RESPONSES or len(situation.texts) != situation.responses:
            raise QuestionDoesNotFit(
                f"{asked.name}: pieces of {situation.responses} responses with {len(situation.texts)} texts"
            )

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return ("", "lines", NOTHING)

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        """The script's JSON; without script the lines; without either the box that says there is nothing."""
        if values[""].strip():
            try:
                return load_json(values[""])
            except UnsafeJSON:
                return values[""]
        typed = [line for line in values["lines"].splitlines() if line.strip()]
        if typed:
            return [_typed_mark(line) for line in typed]
        return [] if values[NOTHING] else None

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if raw is None:
            if asked.required:
                raise Refused("missing", _("Mark a piece, or say that there is nothing to mark."))
            return Answer(stored=None)
        if not isinstance(raw, list):
            raise Refused("malformed", _("Marks are a list."))
        if len(raw) > MOST_MARKS:
            raise Refused("too_many", _("At most %(most)d pieces can be kept.") % {"most": MOST_MARKS})
        marks: list[dict[str, Any]] = []
        for number, each in enumerate(raw, start=1):
            try:
                mark = _read_mark(each, asked, situation)
                if mark in marks:
                    raise Refused("twice", _("This piece is marked so already."))
            except Refused as refused:
                words = _("Mark %(number)d: %(problem)s") % {"number": number, "problem": refused.refusal.message}
                raise Refused(refused.refusal.code, words) from refused
            marks.append(mark)
        marks.sort(key=lambda mark: (mark["response"], mark["start"], mark["end"]))
        scores = [0.0] * situation.responses
        for mark in marks:
            scores[mark["response"]] -= WEIGHTS[mark["severity"]] if mark["kind"] == WRONG else 0
        columns = {"scores": scores} if self.columns_given(asked) else {}
        return Answer(stored={"marks": marks, "weights": dict(WEIGHTS)}, columns=columns)

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        names = {
            "value": asked.name,
            "lines": field_name(asked.name, "lines"),
            "nothing": field_name(asked.name, NOTHING),
        }
        letters = [side_letter(index) for index in range(situation.responses)]
        return {
            "names": names,
            "ids": {part: element_id(name) for part, name in names.items()},
            "value": values[""],
            "lines": values["lines"],
            "nothing": bool(values[NOTHING]),
            "refused": bool(refusals),
            "responses": [{"letter": each, "text": text} for each, text in zip(letters, situation.texts, strict=False)],
            "severities": SEVERITIES,
            "categories": asked.settings["categories"],
        }

    def export_columns(self, stored: Any) -> dict[str, Any]:
        marks = [] if stored is None else stored["marks"]
        columns = {f"spans_{name}": [mark[name] for mark in marks] for name in MEMBERS}
        return {"spans_given": stored is not None, **columns}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        """Nothing found: a mark refers to the texts, see `simulate_shown`."""
        return []

    def simulate_shown(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any:
        """The whole of each response: good where it is worth something, the more wrong the less it is worth."""
        marks = []
        for index, (text, utility) in enumerate(zip(situation.texts, utilities, strict=True)):
            severity = "minor" if utility > -1 else "major" if utility > -5 else "critical"
            kind = {"kind": GOOD, "severity": None} if utility > 0 else {"kind": WRONG, "severity": severity}
            if text:
                marks.append({"response": index, "start": 0, "end": len(text), **kind, "category": None})
        return marks


def _read_mark(raw: Any, asked: Asked, situation: Situation) -> dict[str, Any]:
    if isinstance(raw, str):
        raise Refused("malformed", _("that line cannot be read; write it as in the example."))
    mark = members(raw, MEMBERS, _("a mark is an object of response, start, end, kind, severity and category."))
    response, start, end = mark["response"], mark["start"], mark["end"]
    if type(response) is not int or not 0 <= response < situation.responses:
        raise Refused("unknown_response", _("there is no such response."))
    text = situation.texts[response]
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        words = _("a piece lies within the text, which has %(count)d characters, and is not empty.")
        raise Refused("outside", words % {"count": len(text)})
    if not isinstance(mark["kind"], str) or mark["kind"] not in {GOOD, WRONG}:
        raise Refused("unknown_kind", _("a piece is good or wrong."))
    severity, category = mark["severity"], mark["category"]
    if mark["kind"] == GOOD and severity is not None:
        raise Refused("severity_not_asked", _("only what is wrong is minor, major or critical."))
    if mark["kind"] == WRONG and (not isinstance(severity, str) or severity not in WEIGHTS):
        raise Refused("unknown_severity", _("say whether it is minor, major or critical."))
    if category is not None and (not isinstance(category, str) or category not in asked.settings["categories"]):
        raise Refused("unknown_category", _("that is none of the categories."))
    return {**mark, "sha256": sha256(text[start:end].encode()).hexdigest()}


def _typed_mark(line: str) -> Any:
    """`A 0 12 wrong major category` as a mark, and the line itself where it is too short to be one."""
    words = line.split()
    if len(words) < 4:
        return line
    letter, start, end, kind, *rest = words
    severity = rest.pop(0) if kind == WRONG and rest else None
    return {
        "response": ord(letter.upper()) - ord("A") if len(letter) == 1 else letter,
        "start": _number(start),
        "end": _number(end),
        "kind": kind,
        "severity": severity,
        "category": " ".join(rest) or None,
    }


def _number(word: str) -> int | str:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else word


QUESTION_TYPE = SpansQuestion()
