"""Pairs of what was ranked or rated: of an item's responses the best against each of the others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from annotation.datasets.tally import Given, Tally, add_acceptable, count
from annotation.enums import Preference
from annotation.queries import instrument_questions
from annotation.questions import Form, Standing, get_type

# Of what says nothing about the order of several responses no pair is made.
FORMS = (Form.ORDER, Form.SCORES)


@dataclass(frozen=True)
class ListedPair:
    """Positions of two responses of an item, the better one first; in the tallies they are 0 and 1.

    `votes` is what everybody's answers come to, `decided` what those come to that choose.
    """

    better: int
    worse: int
    votes: Tally
    decided: Tally


class Listings:
    """What the questions of each instrument declare about places and scores."""

    def __init__(self) -> None:
        self._known: dict[int, dict[Form, Standing]] = {}

    def form(self, judgments: Sequence[Given]) -> Form | None:
        """The first form that any of them has; None where a preference was given, which says it directly."""
        if any(each.preference for each in judgments):
            return None
        return next((form for form in FORMS if any(self._values(each, form) for each in judgments)), None)

    def pairs(self, form: Form, deciding: Sequence[Given], votes: Sequence[Given]) -> tuple[list[ListedPair], int]:
        """Each best response with each lesser one, by the mean of what the deciding answers say; and how many pairs of
        best responses were left out as ties. No other two responses are paired.
        """
        said = [(each, shares) for each in deciding if (shares := self._shares(each, form))]
        everybody = [(each, shares) for each in votes if (shares := self._shares(each, form))]
        given = defaultdict(list)
        for _each, shares in said:
            for response, share in shares.items():
                given[response].append(share)
        mean = {response: round(sum(each) / len(each), 9) for response, each in given.items()}
        best = sorted(response for response, share in mean.items() if share == max(mean.values()))
        lesser = sorted(mean.keys() - set(best))
        pairs = []
        for better, worse in product(best, lesser):
            whole, decided = (self._tally(form, each, (better, worse)) for each in (everybody, said))
            # Where the votes say nothing about the two there is the expert's answer alone.
            pairs.append(ListedPair(better, worse, whole if whole.compared else decided, decided))
        return pairs, len(best) * (len(best) - 1) // 2

    def _standing(self, judgment: Given, form: Form) -> Standing | None:
        if judgment.instrument not in self._known:
            asked = instrument_questions(judgment.instrument)
            found = [standing for each in asked if (standing := get_type(each.type).standing(each))]
            self._known[judgment.instrument] = {each.form: each for each in found if each.column in ("tiers", "scores")}
        return self._known[judgment.instrument].get(form)

    def _values(self, judgment: Given, form: Form) -> Mapping[int, float]:
        """Places or scores by response; empty where this judgment gives none for two of them."""
        standing = self._standing(judgment, form)
        values = None if standing is None else getattr(judgment, standing.column)
        given = zip(judgment.order, values or (), strict=False)
        found = {response: float(value) for response, value in given if value is not None}
        return found if len(found) > 1 else {}

    def _shares(self, judgment: Given, form: Form) -> dict[int, float]:
        """From 0 to 1: where a score lies on its scale; of places the share of the others that it stands above, an
        equal place counting half.
        """
        values, standing = self._values(judgment, form), self._standing(judgment, form)
        if standing is None or not values:
            return {}
        if form is Form.SCORES:
            width = standing.highest - standing.lowest
            return {response: (value - standing.lowest) / width for response, value in values.items()}
        places = list(values.values())
        return {
            response: (sum(other > place for other in places) + (places.count(place) - 1) / 2) / (len(places) - 1)
            for response, place in values.items()
        }

    def _tally(self, form: Form, said: Sequence[tuple[Given, dict[int, float]]], pair: tuple[int, int]) -> Tally:
        whole = Tally(responses=2)
        for judgment, shares in said:
            places = [judgment.order.index(response) if response in judgment.order else -1 for response in pair]
            if not all(response in shares for response in pair) or -1 in places:
                continue
            ahead = shares[pair[0]] - shares[pair[1]]
            standing = self._standing(judgment, form)
            if not ahead and standing is not None and standing.open_ties:
                continue
            whole.source_kinds.add(judgment.source_kind)
            whole.contestants |= {side: judgment.contestants[place] for side, place in enumerate(places)}
            acceptable = judgment.acceptable and [judgment.acceptable[place] for place in places]
            add_acceptable(whole, (0, 1), acceptable)
            preference = Preference.A if ahead > 0 else Preference.B if ahead < 0 else Preference.TIE
            count(whole, preference, (0, 1), acceptable)
            whole.strengths.append(ahead)
            for side, place in enumerate(places):
                if (score := judgment.scores[place] if judgment.scores else None) is not None:
                    whole.scores[side].append(score)
        return whole
