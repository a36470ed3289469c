"""Why, in words. The words are sealed under their author's key; the log keeps only that there are some."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.questions.base import Answer, Asked, Export, QuestionType, Random, Situation
from annotation.questions.refusals import Refusal, Refused
from annotation.questions.settings import whole_number
from foundation.text import clean_text

MOST_CHARACTERS = 10_000
SIMULATED = "Simulated words, written by no person. "


class RationaleQuestion(QuestionType):
    """Raw: text. Stored: {"given": true}, or null where nothing was written. Blank text is nothing."""

    slug = "rationale"
    takes_words = True
    label = gettext_lazy("Rationale")
    title = gettext_lazy("Why?")
    can_agree = False
    settings = {"min_length": whole_number(gettext_lazy("Fewest characters"), 0, low=0, high=1000)}
    exports = {
        "rationale_given": Export(bool, gettext_lazy("whether anything was written; the words stay sealed")),
    }

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return ("",)

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        return values[""] or None

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if raw is not None and not isinstance(raw, str):
            raise Refused("malformed", _("A rationale is text."))
        text = clean_text(raw or "").strip()
        if not text:
            if asked.required:
                raise Refused("missing", _("Say why, in words."))
            return Answer(stored=None)
        shortest = asked.settings["min_length"]
        if len(text) < shortest:
            raise Refused("too_short", self._too_short(shortest, len(text), asked.required))
        if len(text) > MOST_CHARACTERS:
            raise Refused(
                "too_long",
                _("That is %(count)d characters, and at most %(most)d can be kept.")
                % {"count": len(text), "most": MOST_CHARACTERS},
            )
        return Answer(stored={"given": True}, text=text)

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        return {"text": values[""], "min_length": asked.settings["min_length"]}

    def export_columns(self, stored: Any) -> dict[str, Any]:
        return {"rationale_given": stored is not None}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        if not asked.required:
            return None
        # The text that is read has its outer blanks taken off.
        return SIMULATED * (1 + (asked.settings["min_length"] + 1) // len(SIMULATED))

    def _too_short(self, shortest: int, count: int, required: bool) -> str:
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
