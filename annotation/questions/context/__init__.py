"""The criterion, role or intent under which somebody judges: picked from the instrument's, or written first."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.base import Answer, Asked, Export, QuestionType, Random, Situation, Text, field_name, members
from annotation.questions.presentation import Choice, Option, element_id
from annotation.questions.refusals import InvalidSettings, Refusal, Refused
from annotation.questions.settings import lines, one_of
from annotation.questions.slugs import stable_slugs
from foundation.text import clean_text

OWN = "own"
MOST_CHARACTERS = 500
SIMULATED = "Simulated words, written by no person."


class ContextQuestion(QuestionType):
    """Raw: {"context": an id | "own" | null, "own": text | null}; `own` only with "own". Stored: the context's id and
    its words, which are null for an own one: those are sealed under their author's key.

    The id of a context of the instrument is the slug of its words (`slugs.stable_slugs`), and its mark. Where the
    instrument has none, writing is the only way to answer and no later question can hang on it.
    """

    slug = "context"
    takes_words = True
    label = gettext_lazy("Context")
    title = gettext_lazy("What do you judge for?")
    assets = ("ask.css",)
    settings = {
        "options": lines(
            gettext_lazy("Choices, one a line"),
            "For everyday use",
            "For work that others check",
            least=0,
            most=20,
            length=120,
        ),
        "own": one_of(
            gettext_lazy("In words of one's own"), {"off": gettext_lazy("Off"), "allowed": gettext_lazy("Allowed")}
        ),
    }
    gives = frozenset({"context"})
    exports = {
        "context": Export(str, gettext_lazy("the context that was judged under; `own` is one in own words")),
        "context_words": Export(str, gettext_lazy("its words in the instrument; own ones stay sealed")),
    }

    def check_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        found = super().check_settings(settings)
        if not found["options"] and found["own"] == "off":
            raise InvalidSettings(
                "context: options must hold a context where an own one is off",
                setting="options",
                words=_("Name at least one, or allow words of one’s own."),
            )
        return found

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return ("", OWN) if asked.settings["own"] == "allowed" else ("",)

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        chosen, written = values[""], values.get(OWN, "")
        if not chosen and not asked.settings["options"]:
            chosen = OWN if written.strip() else ""
        if not chosen:
            return None
        return {"context": chosen, "own": (written or None) if chosen == OWN else None}

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        given = members({} if raw is None else raw, ("context", "own"), _("A context is an object of context and own."))
        chosen, own = given["context"], given["own"]
        if chosen is None and own is None and not asked.required:
            return Answer(stored=None)
        contexts = _contexts(asked)
        if chosen is None:
            raise self._missing(asked)
        if not isinstance(chosen, str) or (chosen not in contexts and not _is_own(asked, chosen)):
            raise Refused("unknown_choice", _("That is none of the choices."), part=self._first(asked))
        if chosen == OWN:
            return Answer(stored={"context": OWN, "words": None}, text=_read_own(own), columns={"context": OWN})
        if own is not None:
            raise Refused("own_not_asked", _("Words of your own belong to a context of your own."))
        return Answer(stored={"context": chosen, "words": contexts[chosen]}, columns={"context": chosen})

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        view: dict[str, Any] = {}
        contexts: list[tuple[str, Text]] = [*_contexts(asked).items()]
        if contexts:
            shown = (
                [*contexts, (OWN, _("Another, in my own words"))] if asked.settings["own"] == "allowed" else contexts
            )
            options = [Option(value, label, checked=values[""] == value, marks=value) for value, label in shown]
            title = asked.title or self.title
            view["choice"] = Choice(asked.name, title, options, asked.required, "" in wrong, layout="contexts")
        if asked.settings["own"] == "allowed":
            name = field_name(asked.name, OWN)
            view["own"] = {"name": name, "id": element_id(name), "text": values[OWN], "refused": OWN in wrong}
        return view

    def marks(self, asked: Asked, stored: Any) -> frozenset[str]:
        if stored is None or not asked.settings["options"]:
            return frozenset()
        return frozenset({stored["context"]})

    def mark_options(self, asked: Asked) -> Sequence[tuple[str, Text]]:
        contexts: list[tuple[str, Text]] = [*_contexts(asked).items()]
        if contexts and asked.settings["own"] == "allowed":
            contexts.append((OWN, _("Another, in one's own words")))
        return contexts

    def export_columns(self, stored: Any) -> dict[str, Any]:
        stored = stored or {}
        return {"context": stored.get("context"), "context_words": stored.get("words")}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        """Any of the instrument's contexts: why somebody judges does not depend on what they then find."""
        place = rng.random()
        contexts = [*_contexts(asked)]
        if not contexts:
            return {"context": OWN, "own": SIMULATED}
        return {"context": contexts[int(place * len(contexts))], "own": None}

    def _first(self, asked: Asked) -> str:
        """The part that a person meets first."""
        return "" if asked.settings["options"] else OWN

    def _missing(self, asked: Asked) -> Refused:
        words = _("Say what you judge for.") if asked.settings["options"] else _("Write what you judge for.")
        return Refused("missing", words, part=self._first(asked))


def _contexts(asked: Asked) -> dict[str, str]:
    """Words by id."""
    return {slug: text for text, slug in stable_slugs(asked.settings["options"], taken=[OWN]).items()}


def _is_own(asked: Asked, chosen: str) -> bool:
    return chosen == OWN and asked.settings["own"] == "allowed"


def _read_own(own: Any) -> str:
    if own is not None and not isinstance(own, str):
        raise Refused("malformed", _("A context of your own is text."), part=OWN)
    text = clean_text(own or "").strip()
    if not text:
        raise Refused("own_missing", _("Write what you judge for."), part=OWN)
    if len(text) > MOST_CHARACTERS:
        words = _("That is %(count)d characters, and at most %(most)d can be kept.")
        raise Refused("too_long", words % {"count": len(text), "most": MOST_CHARACTERS}, part=OWN)
    return text


QUESTION_TYPE = ContextQuestion()
