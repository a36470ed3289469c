"""What the judgments of one pairwise item come to, by response and not by the side it was shown on."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from annotation.enums import Preference, SourceKind

NEITHER = "neither"


@dataclass(frozen=True)
class Given:
    """One judgment's columns, as the log has them."""

    order: list[int]
    contestants: list[int | None]
    preference: str
    strength: int | None
    strength_scale: int | None
    net_utility: Decimal | None
    currency: str
    acceptable: list[bool] | None
    source_kind: str
    scores: list[float | None] | None
    tiers: list[int] | None
    instrument: int


@dataclass
class Tally:
    """Counts over the judgments of one item with responses 0 and 1; signed numbers are positive for response 0."""

    contestants: dict[int, int | None] = field(default_factory=dict)
    wins: Counter[int] = field(default_factory=Counter)
    ties: int = 0
    neither: int = 0
    cannot_compare: int = 0
    strengths: list[float] = field(default_factory=list)
    amounts: list[float] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)
    accepted: dict[int, list[bool]] = field(default_factory=lambda: {0: [], 1: []})
    scores: dict[int, list[float]] = field(default_factory=lambda: {0: [], 1: []})
    source_kinds: set[str] = field(default_factory=set)
    responses: int = 0

    @property
    def compared(self) -> int:
        """Judgments that say something about the pair."""
        return self.wins[0] + self.wins[1] + self.ties + self.neither

    @property
    def agreement(self) -> float:
        """The share of those that say the most frequent thing."""
        return max(self.wins[0], self.wins[1], self.ties, self.neither) / self.compared

    def vote_share(self, response: int) -> float:
        """The response's share of the votes that took a side, a tie counting half for each; ½ without any."""
        votes = self.wins[0] + self.wins[1] + self.ties
        return (self.wins[response] + self.ties / 2) / votes if votes else 0.5

    def strength_for(self, response: int) -> float | None:
        """Mean preference strength in favour of the response, as a share of the scale's top."""
        return _towards(response, self.strengths)

    def net_utility_for(self, response: int) -> float | None:
        return _towards(response, self.amounts)

    def score(self, response: int) -> float | None:
        """Mean score, on the scale that it was given on."""
        given = self.scores[response]
        return sum(given) / len(given) if given else None

    def acceptable(self, response: int) -> bool | None:
        """What most of those who were asked said; None where nobody was, or as many said yes as no."""
        said = self.accepted[response]
        return None if 2 * sum(said) == len(said) else 2 * sum(said) > len(said)

    @property
    def source_kind(self) -> str:
        return next(iter(self.source_kinds)) if len(self.source_kinds) == 1 else "mixed"

    @property
    def simulated(self) -> bool:
        return SourceKind.SIMULATION in self.source_kinds


def tally(judgments: Iterable[Given]) -> Tally:
    whole = Tally()
    for judgment in judgments:
        whole.responses = max(whole.responses, len(judgment.order))
        whole.source_kinds.add(judgment.source_kind)
        whole.contestants.update(zip(judgment.order, judgment.contestants, strict=True))
        if len(judgment.order) == 2:
            _add(whole, judgment)
    return whole


def _add(whole: Tally, judgment: Given) -> None:
    first, second = judgment.order
    sign = 1 if first == 0 else -1
    add_acceptable(whole, (first, second), judgment.acceptable)
    count(whole, judgment.preference, (first, second), judgment.acceptable)
    for response, score in zip(judgment.order, judgment.scores or (), strict=False):
        if score is not None:
            whole.scores[response].append(score)
    if judgment.strength is not None and judgment.strength_scale:
        whole.strengths.append(sign * judgment.strength / judgment.strength_scale)
    if judgment.net_utility is not None:
        whole.amounts.append(sign * float(judgment.net_utility))
        whole.currencies.add(judgment.currency)


def add_acceptable(whole: Tally, sides: tuple[int, int], acceptable: list[bool] | None) -> None:
    for response, yes in zip(sides, acceptable or (), strict=False):
        whole.accepted[response].append(yes)


def count(whole: Tally, preference: str, sides: tuple[int, int], acceptable: list[bool] | None) -> None:
    if preference == Preference.BOTH_BAD or acceptable == [False, False]:
        whole.neither += 1
    elif preference == Preference.A:
        whole.wins[sides[0]] += 1
    elif preference == Preference.B:
        whole.wins[sides[1]] += 1
    elif preference == Preference.TIE:
        whole.ties += 1
    else:
        whole.cannot_compare += 1


def _towards(response: int, numbers: list[float]) -> float | None:
    if not numbers:
        return None
    mean = sum(numbers) / len(numbers)
    return mean if response == 0 else -mean if mean else 0.0


def columns() -> tuple[str, ...]:
    """The columns of Judgment that `Given` takes, in its order."""
    return (
        *("order", "contestants", "preference", "strength", "strength_scale", "net_utility", "currency"),
        *("acceptable", "source__kind", "scores", "tiers", "instrument_id"),
    )


def given(values: Iterable[Any]) -> Given:
    return Given(*values)
