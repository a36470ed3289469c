"""A better version of one of the responses. Its words are sealed under their author's key, as a rationale's are."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.base import (
    Answer,
    Asked,
    Export,
    QuestionType,
    Random,
    Situation,
    field_name,
    members,
    side_letter,
)
from annotation.questions.presentation import Choice, Option, element_id
from annotation.questions.refusals import QuestionDoesNotFit, Refusal, Refused
from foundation.text import clean_text

MOST_CHARACTERS = 20_000
MOST_RESPONSES = 26
SIMULATED = "Simulated words, written by no person."


class RewriteQuestion(QuestionType):
    """Raw: {"of": index of the response in the order shown, "text": the better version} or null.

    `of` may be left out where only one response is shown. Blank text is nothing, whatever `of` says. What stands in
    the response already is no better version of it. Stored: `of`, that words were given and how many characters they
    have; null where nothing was written.
    """

    slug = "rewrite"
    takes_words = True
    label = gettext_lazy("Rewrite")
    title = gettext_lazy("Write a better version")
    reads_texts = True
    can_agree = False
    assets = ("ask.js", "ask.css")
    exports = {
        "rewrite_given": Export(bool, gettext_lazy("whether a better version was written; its words stay sealed")),
        "rewrite_of": Export(int, gettext_lazy("which response it improves: its place in `responses`, from 0")),
        "rewrite_characters": Export(int, gettext_lazy("length of the better version")),
    }

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        if not 1 <= situation.responses <= MOST_RESPONSES or len(situation.texts) != situation.responses:
            raise QuestionDoesNotFit(
                f"{asked.name}: a better version of {situation.responses} responses with {len(situation.texts)} texts"
            )

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return ("of", "text") if situation.responses > 1 else ("text",)

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        chosen, text = values.get("of", ""), values["text"]
        if not chosen and not text.strip():
            return None
        letters = {side_letter(index).lower(): index for index in range(situation.responses)}
        return {"of": letters.get(chosen, chosen or None), "text": text}

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        given = members({} if raw is None else raw, ("of", "text"), _("A better version is an object of of and text."))
        if given["text"] is not None and not isinstance(given["text"], str):
            raise Refused("malformed", _("A better version is text."), part="text")
        text = clean_text(given["text"] or "").strip()
        if not text and not asked.required:
            return Answer(stored=None)
        of = self._read_of(given["of"], situation)
        if not text:
            raise Refused("missing", _("Write a better version."), part="text")
        if len(text) > MOST_CHARACTERS:
            words = _("That is %(count)d characters, and at most %(most)d can be kept.")
            raise Refused("too_long", words % {"count": len(text), "most": MOST_CHARACTERS}, part="text")
        if text == clean_text(situation.texts[of]).strip():
            words = _("That is %(letter)s as it stands. Change what can be better.")
            raise Refused("unchanged", words % {"letter": side_letter(of)}, part="text")
        return Answer(stored={"of": of, "given": True, "characters": len(text)}, text=text)

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        name = field_name(asked.name, "text")
        letters = [side_letter(index) for index in range(situation.responses)]
        choice = None
        if situation.responses > 1:
            options = [Option(each.lower(), each, checked=values["of"] == each.lower()) for each in letters]
            legend = _("Which response do you improve?")
            choice = Choice(
                field_name(asked.name, "of"),
                legend,
                options,
                asked.required,
                "of" in wrong,
                layout="grid",
                says_optional=False,
            )
        return {
            "of": choice,
            "name": name,
            "id": element_id(name),
            "text": values["text"],
            # A refusal that names no input is about the whole and stands with the words.
            "refused": bool(wrong) and "of" not in wrong,
            "originals": [{"letter": each, "text": text} for each, text in zip(letters, situation.texts, strict=False)],
        }

    def export_columns(self, stored: Any) -> dict[str, Any]:
        stored = stored or {}
        return {
            "rewrite_given": bool(stored),
            "rewrite_of": stored.get("of"),
            "rewrite_characters": stored.get("characters"),
        }

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        """Better words for what is worth most, where words are required."""
        if not asked.required:
            return None
        best = max(range(len(utilities)), key=lambda index: float(utilities[index]))
        return {"of": best, "text": SIMULATED}

    def simulate_shown(
        self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any], situation: Situation
    ) -> Any:
        raw = self.simulate(asked, rng, utilities, before)
        if raw is not None and situation.texts[raw["of"]].strip() == SIMULATED:
            raw["text"] += " " + SIMULATED
        return raw

    def _read_of(self, of: Any, situation: Situation) -> int:
        if of is None and situation.responses == 1:
            return 0
        part = "of" if situation.responses > 1 else "text"
        if of is None:
            raise Refused("missing", _("Choose which response you improve."), part=part)
        if type(of) is not int or not 0 <= of < situation.responses:
            raise Refused("unknown_choice", _("That is none of the responses."), part=part)
        return of


QUESTION_TYPE = RewriteQuestion()
