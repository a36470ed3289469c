"""Which response somebody would rather have received, and by how much."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.enums import Preference
from annotation.questions.base import (
    Answer,
    Asked,
    Export,
    ForModel,
    QuestionType,
    Random,
    Situation,
    Text,
    closed,
    field_name,
    members,
)
from annotation.questions.presentation import Choice, Option
from annotation.questions.refusals import Refusal, Refused
from annotation.questions.settings import one_of

SCALE = 3
SIGNS = {Preference.A: 1, Preference.B: -1}
CHOICES = (
    # value, label, key, the condition it makes true
    (Preference.A, gettext_lazy("A"), "a", "a"),
    (Preference.B, gettext_lazy("B"), "b", "b"),
    (Preference.TIE, gettext_lazy("No difference to me"), "t", ""),
    (Preference.CANNOT_COMPARE, gettext_lazy("I cannot judge"), "c", ""),
)
STRENGTHS = (
    (1, gettext_lazy("Slightly better")),
    (2, gettext_lazy("Better")),
    (3, gettext_lazy("Much better")),
)
# Of a simulated person: what differs by less than the first is no difference, then slightly better, then better.
THRESHOLDS = (0.2, 0.8, 2.0)


class PreferenceQuestion(QuestionType):
    """Raw: {"choice": "a" | "b" | "tie" | "cannot_compare", "strength": 1 | 2 | 3 | null}, strength only with a or b.

    Stored: the choice, the strength signed by side (plus: A is better, 0: no difference), and its scale, which is
    null where the instrument asks for no strength. `both_bad` is not an answer here: acceptability is asked apart.
    """

    slug = "preference"
    label = gettext_lazy("Preference")
    title = gettext_lazy("Which answer would you rather have received?")
    settings = {
        "strength": one_of(
            gettext_lazy("How much better"),
            {
                "optional": gettext_lazy("Optional"),
                "required": gettext_lazy("Required"),
                "off": gettext_lazy("Off"),
            },
        )
    }
    gives = frozenset({"preference", "strength", "strength_scale"})
    exports = {
        "preference": Export(str, gettext_lazy("a, b, tie or cannot_compare, by the side shown")),
        "strength": Export(int, gettext_lazy("by how much, plus for a")),
        "strength_scale": Export(int, gettext_lazy("the strongest that could be said")),
    }
    responses = 2
    marks_are_sides = True

    def for_model(self, asked: Asked, situation: Situation) -> ForModel:
        choice = {"enum": ["a", "b", "tie", "cannot_compare"]}
        levels = [1, 2, 3] if asked.settings["strength"] == "required" else [1, 2, 3, None]
        strength = {"enum": [None] if asked.settings["strength"] == "off" else [*levels, *({None} - set(levels))]}
        words = '"choice": the better response, "tie" for no difference, "cannot_compare" only if nobody could judge.'
        if asked.settings["strength"] != "off":
            words += ' "strength": how much better, 1 slightly, 2 clearly, 3 much; null with a tie.'
        return ForModel(words, closed({"choice": choice, "strength": strength}))

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return ("",) if asked.settings["strength"] == "off" else ("", "strength")

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        choice, strength = values[""], values.get("strength", "")
        if not choice:
            return None
        levels = {str(level): level for level, _label in STRENGTHS}
        asks_strength = choice in SIGNS and strength != ""
        return {"choice": choice, "strength": levels.get(strength, strength) if asks_strength else None}

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if raw is None and not asked.required:
            return Answer(stored=None)
        given = members(
            {} if raw is None else raw, ("choice", "strength"), _("A preference is an object of choice and strength.")
        )
        choice = _read_choice(given["choice"])
        strength = _read_strength(given["strength"], choice, asked.settings["strength"])
        scale = None if asked.settings["strength"] == "off" else SCALE
        columns: dict[str, Any] = {"preference": choice}
        if strength is not None:
            columns |= {"strength": strength, "strength_scale": scale}
        return Answer(stored={"choice": choice, "strength": strength, "scale": scale}, columns=columns)

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        choices = [Option(value, label, key, values[""] == value, when, value) for value, label, key, when in CHOICES]
        view = {
            "choice": Choice(asked.name, asked.title or self.title, choices, asked.required, "" in wrong, layout="grid")
        }
        if asked.settings["strength"] != "off":
            chosen = values["strength"]
            view["strength"] = Choice(
                field_name(asked.name, "strength"),
                _("How much better?"),
                [Option(str(n), label, str(n), chosen == str(n)) for n, label in STRENGTHS],
                required=asked.settings["strength"] == "required",
                refused="strength" in wrong,
                asked_when="better",
            )
        return view

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        return frozenset() if stored is None else frozenset({stored["choice"]})

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        return [(value.value, label) for value, label, _key, _when in CHOICES]

    def export_columns(self, stored: Any) -> dict[str, Any]:
        stored = stored or {}
        return {
            "preference": stored.get("choice"),
            "strength": stored.get("strength"),
            "strength_scale": stored.get("scale"),
        }

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        difference = float(utilities[0] - utilities[1])
        level = sum(abs(difference) >= threshold for threshold in THRESHOLDS)
        if level == 0:
            return {"choice": Preference.TIE.value, "strength": None}
        choice = Preference.A if difference > 0 else Preference.B
        return {"choice": choice.value, "strength": None if asked.settings["strength"] == "off" else level}


def _read_choice(choice: Any) -> str:
    if choice is None:
        raise Refused("missing", _("Choose A, B, no difference, or that you cannot judge."))
    known = [value.value for value, *_rest in CHOICES]
    if not isinstance(choice, str) or choice not in known:
        raise Refused("unknown_choice", _("That is none of the choices."))
    return str(choice)


def _read_strength(strength: Any, choice: str, asks: str) -> int | None:
    """Signed by side; 0 for a tie where strength is asked at all."""
    if strength is not None and (choice not in SIGNS or asks == "off"):
        raise Refused("strength_not_asked", _("How much better is asked only after A or B."), part="strength")
    if choice == Preference.TIE and asks != "off":
        return 0
    if choice not in SIGNS or asks == "off":
        return None
    if strength is None:
        if asks == "required":
            raise Refused("strength_missing", _("Say how much better it is."), part="strength")
        return None
    if type(strength) is not int or not 1 <= strength <= SCALE:
        raise Refused("unknown_strength", _("That is none of the strengths."), part="strength")
    return SIGNS[Preference(choice)] * strength


QUESTION_TYPE = PreferenceQuestion()
