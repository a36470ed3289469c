"""How a question type says what one person posts for it, and what becomes of that at every step.

Each type has its cases in `annotation/questions/<type>/tests/cases.py`: CASES, by the mode or whatever else makes one
a case of its own, "" where a type is asked in one way. Everything is said by the responses' positions; `Shown` turns it
into the order in which this person saw them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from annotation.enums import WorthState
from annotation.models import Campaign, Respondent, WorthSession
from annotation.questions import all_types

# Of a person, and so in no file that leaves.
WORDS = "Words that only their author may read."


@dataclass(frozen=True)
class Shown:
    order: list[int]
    respondent: int

    def by(self, values: Sequence[Any]) -> list[Any]:
        return [values[position] for position in self.order]

    def letter(self, position: int) -> str:
        return "abcdefghi"[self.order.index(position)]

    @property
    def sign(self) -> int:
        return 1 if self.order[0] == 0 else -1


Expected = Callable[[Shown], Any]


@dataclass(frozen=True)
class Case:
    """`posts` are inputs of the form, `stored` the answer (its members that are named), `columns` those of the log that
    are not empty, `exported` those of the question. `measure` is what agreement reads of each response, or of the
    whole, which has no side; `pairs` are members of `ratings.PairRows`. `unfolds` is the label of what is to be checked
    so that a picture shows all there is.
    """

    settings: Mapping[str, Any]
    posts: Expected
    stored: Expected
    columns: Expected = lambda shown: {}
    exported: Expected = lambda shown: {}
    measure: Mapping[int, float] | None = None
    pairs: Expected = lambda shown: {}
    texts: Sequence[str] = ("First.", "Second.")
    orders: Sequence[list[int]] = ([0, 1], [1, 0])
    before: Sequence[Mapping[str, Any]] = ()
    incentive: str = "stated"
    unfolds: str = ""
    type: str = ""


def in_session(campaign: Campaign, respondent: Respondent, incentive: str) -> None:
    """Instructions, check and practice for amounts are behind this person."""
    WorthSession.objects.create(
        campaign=campaign,
        respondent=respondent,
        state=WorthState.ITEMS,
        incentive=incentive,
        endowment=None if incentive == "stated" else 5,
        currency="USD",
        seed="00",
        commitment="00",
    )


THREE: dict[str, Any] = {"texts": ("First.", "Second.", "Third."), "orders": ([0, 1, 2], [2, 0, 1])}


def cases_of(slug: str) -> dict[str, Case]:
    """The cases in the type's folder, by the type and what else tells them apart; none where there is no such file."""
    module = f"annotation.questions.{slug}.tests.cases"
    if find_spec(f"annotation.questions.{slug}.tests") is None or find_spec(module) is None:
        return {}
    found: Mapping[str, Case] = import_module(module).CASES
    return {f"{slug} {name}".strip(): replace(case, type=slug) for name, case in found.items()}


def every_case() -> dict[str, Case]:
    return {name: case for slug in all_types() for name, case in cases_of(slug).items()}
