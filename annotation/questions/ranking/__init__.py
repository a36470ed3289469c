"""Which of several responses is best, and in which order the others follow."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.questions.apart import Given, orders_apart
from annotation.questions.base import (
    Answer,
    Asked,
    Export,
    Form,
    ForModel,
    QuestionType,
    Random,
    Situation,
    Standing,
    closed,
    field_name,
    members,
    row_of,
    side_letter,
)
from annotation.questions.presentation import Choice, Option, element_id
from annotation.questions.refusals import QuestionDoesNotFit, Refusal, Refused
from annotation.questions.settings import one_of

FEWEST, MOST = 2, 9
EXTREMES = ("best", "worst")
# Of a simulated person: what lies closer than this is a tie, where ties are allowed.
TIE_WITHIN = 0.2


class RankingQuestion(QuestionType):
    """Raw, mode `order`: a number or null for each response in the order shown, 1 for the best, equal ones for a tie;
    mode `best_worst`: {"best": "b", "worst": "a"} by the responses' letters. Stored: the mode and the tiers, which are
    numbered without gaps from 1, or null. In `best_worst` all the others share the tier between the two.

    A ranking is whole: each response has its place or none has, and none has a place that nobody gave it.
    """

    slug = "ranking"
    label = gettext_lazy("Ranking")
    title = gettext_lazy("In which order would you put the responses?")
    assets = ("ask.js", "ask.css")
    settings = {
        "mode": one_of(
            gettext_lazy("How it is asked"),
            {"order": gettext_lazy("All in their order"), "best_worst": gettext_lazy("The best and the worst")},
        ),
        "ties": one_of(gettext_lazy("Ties"), {"allowed": gettext_lazy("Allowed"), "off": gettext_lazy("Off")}),
    }
    gives = frozenset({"tiers"})
    exports = {
        "tiers": Export(list[int], gettext_lazy("place of each response, 1 for the best, equal ones for a tie")),
        "ranking_mode": Export(str, gettext_lazy("order, or best_worst, where all between the two share a place")),
    }

    def standing(self, asked: Asked) -> Standing:
        """Nobody compared those between the best and the worst."""
        return Standing("tiers", Form.ORDER, open_ties=asked.settings["mode"] == "best_worst")

    def check_fit(self, asked: Asked, situation: Situation) -> None:
        if not FEWEST <= situation.responses <= MOST:
            raise QuestionDoesNotFit(f"{asked.name} orders {FEWEST} to {MOST} responses, not {situation.responses}")

    def for_model(self, asked: Asked, situation: Situation) -> ForModel:
        letters = [side_letter(index).lower() for index in range(situation.responses)]
        if asked.settings["mode"] == "best_worst":
            words = "The best and the worst response, by their letters; never the same one."
            return ForModel(words, closed({"best": {"enum": letters}, "worst": {"enum": letters}}))
        ties = "equal places are ties" if asked.settings["ties"] == "allowed" else "no two share a place"
        words = f"The place of each response in the order shown, 1 for the best; {ties}."
        place = {"type": "integer", "minimum": 1, "maximum": situation.responses}
        return ForModel(words, row_of(place, situation.responses))

    def parts(self, asked: Asked, situation: Situation) -> tuple[str, ...]:
        return EXTREMES if asked.settings["mode"] == "best_worst" else tuple(_letters(situation.responses))

    def collect(self, asked: Asked, values: Mapping[str, str], before: Mapping[str, Any], situation: Situation) -> Any:
        if not any(values.values()):
            return None
        if asked.settings["mode"] == "best_worst":
            return {part: values[part] or None for part in EXTREMES}
        places: dict[str, Any] = {str(place): place for place in range(1, situation.responses + 1)} | {"": None}
        return [places.get(value, value) for value in values.values()]

    def read(self, asked: Asked, raw: Any, before: Mapping[str, Any], situation: Situation) -> Answer:
        if not asked.required and raw in _left_out(asked, situation.responses):
            return Answer(stored=None)
        if asked.settings["mode"] == "best_worst":
            tiers = _read_extremes(raw, situation.responses)
        else:
            tiers = _read_order(asked, raw, situation.responses)
        return Answer(stored={"mode": asked.settings["mode"], "tiers": tiers}, columns={"tiers": tiers})

    def present(
        self, asked: Asked, values: Mapping[str, str], refusals: Sequence[Refusal], situation: Situation
    ) -> dict[str, Any]:
        wrong = {refusal.part for refusal in refusals}
        if asked.settings["mode"] == "best_worst":
            return {"choices": self._extremes(asked, values, wrong, situation)}
        places = range(1, situation.responses + 1)
        return {
            "ties": asked.settings["ties"] == "allowed",
            "rows": [
                {
                    "letter": letter.upper(),
                    "name": field_name(asked.name, letter),
                    "id": element_id(field_name(asked.name, letter)),
                    "places": [(place, values[letter] == str(place)) for place in places],
                    "refused": letter in wrong,
                }
                for letter in _letters(situation.responses)
            ],
        }

    def ranks(self, asked: Asked) -> bool:
        return True

    def puts_first(self, asked: Asked, stored: Any) -> int | None:
        tiers = (stored or {}).get("tiers") or []
        return tiers.index(1) if tiers.count(1) == 1 else None

    def apart(self, asked: Asked, one: Given, other: Given) -> float:
        return orders_apart(*(given.by_position(given.stored["tiers"]) for given in (one, other)))

    def export_columns(self, stored: Any) -> dict[str, Any]:
        stored = stored or {}
        return {"tiers": stored.get("tiers"), "ranking_mode": stored.get("mode")}

    def simulate(self, asked: Asked, rng: Random, utilities: Sequence[float], before: Mapping[str, Any]) -> Any:
        drawn = [rng.random() for _utility in utilities]
        best_first = sorted(range(len(utilities)), key=lambda index: (-float(utilities[index]), drawn[index]))
        if asked.settings["mode"] == "best_worst":
            letters = _letters(len(utilities))
            return {"best": letters[best_first[0]], "worst": letters[best_first[-1]]}
        tiers, top = [0] * len(utilities), None
        for index in best_first:
            value = float(utilities[index])
            # Counted from the first of a tier, so that a chain of small steps does not tie what lies far apart.
            if top is None or asked.settings["ties"] == "off" or top - value >= TIE_WITHIN:
                top, tier = value, max(tiers) + 1
            tiers[index] = tier
        return tiers

    def _extremes(self, asked: Asked, values: Mapping[str, str], wrong: set[str], situation: Situation) -> list[Choice]:
        legends = {"best": _("Best"), "worst": _("Worst")}
        named = [
            (letter, _("Response %(letter)s") % {"letter": letter.upper()}) for letter in _letters(situation.responses)
        ]
        return [
            Choice(
                field_name(asked.name, part),
                legends[part],
                [Option(letter, words, checked=values[part] == letter) for letter, words in named],
                asked.required,
                part in wrong,
                layout="responses",
                says_optional=False,
            )
            for part in EXTREMES
        ]


def _letters(responses: int) -> list[str]:
    return [side_letter(index).lower() for index in range(responses)]


def _left_out(asked: Asked, responses: int) -> list[Any]:
    """What says that nothing was ranked, in all its spellings."""
    if asked.settings["mode"] == "best_worst":
        return [None, {}, *(dict.fromkeys(keys) for keys in (EXTREMES, EXTREMES[:1], EXTREMES[1:]))]
    return [None, [None] * responses]


def _dense(places: Iterable[int]) -> list[int]:
    places = list(places)
    tiers = {place: tier for tier, place in enumerate(sorted(set(places)), start=1)}
    return [tiers[place] for place in places]


def _read_order(asked: Asked, raw: Any, responses: int) -> list[int]:
    letters = _letters(responses)
    if raw in _left_out(asked, responses):
        raise Refused("missing", _("Rank the responses."), part=letters[0])
    if not isinstance(raw, list) or len(raw) != responses:
        raise Refused("malformed", _("A ranking is one place for each response."), part=letters[0])
    for letter, place in zip(letters, raw, strict=True):
        if place is None:
            words = _("Rank response %(letter)s too.") % {"letter": letter.upper()}
            raise Refused("incomplete", words, part=letter)
        if type(place) is not int or not 1 <= place <= responses:
            words = _("A place is a whole number from 1 to %(most)d.") % {"most": responses}
            raise Refused("unknown_place", words, part=letter)
    if asked.settings["ties"] == "off":
        for index, place in enumerate(raw):
            if place in raw[:index]:
                words = _("Give each response a place of its own.")
                raise Refused("tied", words, part=letters[index])
    return _dense(raw)


def _read_extremes(raw: Any, responses: int) -> list[int]:
    letters = _letters(responses)
    given = members({} if raw is None else raw, EXTREMES, _("Best and worst are an object of these two."))
    missing = {"best": _("Choose the best response."), "worst": _("Choose the worst response.")}
    for part in EXTREMES:
        if given[part] is None:
            raise Refused("missing", missing[part], part=part)
        if not isinstance(given[part], str) or given[part] not in letters:
            raise Refused("unknown_choice", _("That is none of the choices."), part=part)
    if given["best"] == given["worst"]:
        raise Refused("same", _("The best and the worst response are not the same."), part="worst")
    return _dense({given["best"]: 1, given["worst"]: 3}.get(letter, 2) for letter in letters)


QUESTION_TYPE = RankingQuestion()
