"""How sure somebody is of the answers before. A slice or a noise covariate: as a weight it rewards overconfidence."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.base import Answer, Asked, Export, ForModel, QuestionType, Random, Situation, Text
from annotation.questions.presentation import Choice, Option
from annotation.questions.refusals import Refusal, Refused
from annotation.questions.settings import words

LEVELS = 5
# Of a simulated person: how far the two best have to lie apart for each level above the first.
THRESHOLDS = (0.2, 0.5, 1.0, 2.0)


class ConfidenceQuestion(QuestionType):
    """Raw: a whole number, 1 for guessing to 5 for certain. Stored: the level and how many there are, or null."""

    slug = "confidence"
    label = gettext_lazy("Confidence")
    title = gettext_lazy("How sure are you?")
    # How sure somebody is tells of them, not of the item.
    can_agree = False
    settings = {
        "low": words(gettext_lazy("What the low end means"), "", 40),
        "high": words(gettext_lazy("What the high end means"), "", 40),
    }
    gives = frozenset({"confidence"})
    exports = {
        "confidence": Export(int, gettext_lazy("how sure, from 1")),
        "confidence_levels": Export(int, gettext_lazy("the level that means certain")),
    }

    def for_model(self, asked: Asked, situation: Situation) -> ForModel:
        low, high = asked.settings["low"] or "guessing", asked.settings["high"] or "certain"
        words = f"How sure you are of the answers before, from 1 ({low}) to {LEVELS} ({high})."
        return ForModel(words, {"enum": list(range(1, LEVELS + 1))})

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return ("",)

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        known: dict[str, Any] = {str(level): level for level in range(1, LEVELS + 1)} | {"": None}
        return known.get(values[""], values[""])

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if raw is None:
            if asked.required:
                raise Refused("missing", _("Say how sure you are."))
            return Answer(stored=None)
        if type(raw) is not int or not 1 <= raw <= LEVELS:
            raise Refused("unknown_choice", _("That is none of the choices."))
        return Answer(stored={"level": raw, "levels": LEVELS}, columns={"confidence": raw})

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        options = [
            Option(str(level), str(level), checked=values[""] == str(level), marks=str(level))
            for level in range(1, LEVELS + 1)
        ]
        title = asked.title or self.title
        ends = self._ends(asked)
        group = Choice(asked.name, title, options, asked.required, bool(refusals), layout="scale", ends=ends)
        return {"choice": group}

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        return frozenset() if stored is None else frozenset({str(stored["level"])})

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        low, high = self._ends(asked)
        named = {1: f"1: {low}", LEVELS: f"{LEVELS}: {high}"}
        return [(str(level), named.get(level, str(level))) for level in range(1, LEVELS + 1)]

    def export_columns(self, stored: Any) -> dict[str, Any]:
        stored = stored or {}
        return {"confidence": stored.get("level"), "confidence_levels": stored.get("levels")}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        """Surer where the best lies further above the second; of a lone response, further from the outside option."""
        best, second = sorted([*map(float, utilities), *([0.0] if len(utilities) == 1 else [])], reverse=True)[:2]
        return 1 + sum(best - second >= threshold for threshold in THRESHOLDS)

    def _ends(self, asked: Asked) -> tuple[str, str]:
        return (asked.settings["low"] or _("Guessing"), asked.settings["high"] or _("Certain"))


QUESTION_TYPE = ConfidenceQuestion()
