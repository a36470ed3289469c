"""Why, in words, once for the item or for each response. The words are sealed under their author's key; the log keeps
only that there are some."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.questions.base import Answer, Asked, Export, QuestionType, Random, Situation, field_name, side_letter
from annotation.questions.presentation import element_id
from annotation.questions.refusals import QuestionDoesNotFit, Refusal, Refused
from annotation.questions.settings import one_of, whole_number
from foundation.text import clean_text

MOST_CHARACTERS = 10_000
MOST_RESPONSES = 26
SIMULATED = "Simulated words, written by no person. "
BETWEEN = "\n\n"


class RationaleQuestion(QuestionType):
    """Raw: text, or a list of a text or null for each response in the order shown. Blank text is nothing.

    Stored: {"given": true}; of critiques {"mode": "response", "characters": [41, null]}: they are sealed as one text,
    each behind its letter, and their lengths take it apart again. Null where nothing was written.
    """

    slug = "rationale"
    takes_words = True
    label = gettext_lazy("Rationale")
    title = gettext_lazy("Why?")
    can_agree = False
    settings = {
        "mode": one_of(
            gettext_lazy("How it is asked"),
            {
                "item": gettext_lazy("Once for the item"),
                "response": gettext_lazy("For each response, as a critique of it"),
            },
        ),
        "min_length": whole_number(gettext_lazy("Fewest characters"), 0, low=0, high=1000),
    }
    exports = {
        "rationale_given": Export(bool, gettext_lazy("whether anything was written; the words stay sealed")),
        "critique_characters": Export(
            list[int],
            gettext_lazy("length of the critique of each response, in the order of `responses`; null where none was"),
        ),
    }

    def check_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        checked = super().check_settings(settings)
        # Only where it is another, so that what was asked before there were critiques keeps its digest.
        if checked["mode"] == "item":
            del checked["mode"]
        return checked

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        if _by_response(asked) and not 1 <= situation.responses <= MOST_RESPONSES:
            raise QuestionDoesNotFit(f"{asked.name}: critiques of {situation.responses} responses")

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return tuple(_letters(asked, situation))

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        if not _by_response(asked):
            return values[""] or None
        texts = [values[letter] or None for letter in _letters(asked, situation)]
        return texts if any(texts) else None

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if not _by_response(asked):
            text = _read_text(asked, raw, "")
            return Answer(stored={"given": True}, text=text) if text else Answer(stored=None)
        letters = _letters(asked, situation)
        given = [None] * len(letters) if raw is None else raw
        if not isinstance(given, list) or len(given) != len(letters):
            raise Refused("malformed", _("Critiques are a list with a text for each response."), part=letters[0])
        texts = [_read_text(asked, each, letter) for each, letter in zip(given, letters, strict=True)]
        if not any(texts):
            return Answer(stored=None)
        stored = {"mode": "response", "characters": [len(text) or None for text in texts]}
        return Answer(
            stored=stored, text=BETWEEN.join(_headed(place, text) for place, text in enumerate(texts) if text)
        )

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        fields = []
        for letter in _letters(asked, situation):
            name = field_name(asked.name, letter)
            label = _("Response %(letter)s") % {"letter": letter.upper()} if letter else ""
            refused = letter in wrong
            fields.append(
                {"name": name, "id": element_id(name), "label": label, "text": values[letter], "refused": refused}
            )
        return {
            "fields": fields,
            "by_response": _by_response(asked),
            "min_length": asked.settings["min_length"],
        }

    def export_columns(self, stored: Any) -> dict[str, Any]:
        return {"rationale_given": stored is not None, "critique_characters": (stored or {}).get("characters")}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        if not asked.required:
            return None
        # The text that is read has its outer blanks taken off.
        text = SIMULATED * (1 + (asked.settings["min_length"] + 1) // len(SIMULATED))
        return [text] * len(utilities) if _by_response(asked) else text


def _headed(place: int, text: str) -> str:
    """As people read it wherever the sealed text is shown as it is."""
    return f"{side_letter(place)}: {text}"


def _by_response(asked: Asked) -> bool:
    return asked.settings.get("mode") == "response"


def _letters(asked: Asked, situation: Situation) -> list[str]:
    """The parts, one for each text; "" is that of the item."""
    if not _by_response(asked):
        return [""]
    return [side_letter(index).lower() for index in range(situation.responses)]


def _read_text(asked: Asked, raw: Any, part: str) -> str:
    if raw is not None and not isinstance(raw, str):
        raise Refused("malformed", _("A rationale is text."), part=part)
    text = clean_text(raw or "").strip()
    if not text:
        if asked.required:
            said = _("Say why, in words.") if not part else _("Say in words what is good or bad about it.")
            raise Refused("missing", said, part=part)
        return ""
    shortest = asked.settings["min_length"]
    if len(text) < shortest:
        raise Refused("too_short", _too_short(shortest, len(text), asked.required), part=part)
    if len(text) > MOST_CHARACTERS:
        words = _("That is %(count)d characters, and at most %(most)d can be kept.")
        raise Refused("too_long", words % {"count": len(text), "most": MOST_CHARACTERS}, part=part)
    return text


def _too_short(shortest: int, count: int, required: bool) -> str:
    if required:
        words = ngettext(
            "Write at least %(shortest)d character; that was %(count)d.",
            "Write at least %(shortest)d characters; that was %(count)d.",
            shortest,
        )
    else:
        words = ngettext(
            "Write at least %(shortest)d character, or nothing at all; that was %(count)d.",
            "Write at least %(shortest)d characters, or nothing at all; that was %(count)d.",
            shortest,
        )
    return words % {"shortest": shortest, "count": count}


QUESTION_TYPE = RationaleQuestion()
