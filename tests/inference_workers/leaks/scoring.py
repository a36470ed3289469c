"""How the filter's answers are counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inference_workers.enums import Rejection
from inference_workers.policies.rejection import RejectedText
from inference_workers.policies.screen import Screen
from tests.inference_workers.leaks.corpus import Case

WHOLE = 10**6


def shown(case: Case, size: int) -> tuple[str, Rejection | None]:
    """What readers get of the text, pushed in pieces of `size`, and why it was refused, if it was."""
    screen = Screen(case.names)
    try:
        for start in range(0, len(case.text), size):
            screen.push(case.text[start : start + size])
        screen.finish()
    except RejectedText as refusal:
        return screen.text, refusal.code
    return screen.text, None


def is_caught(case: Case, size: int) -> bool:
    """Whether what readers got is a beginning of the text that ends before the leak: "Signed, **" is of "**Na**me"."""
    given, _ = shown(case, size)
    assert case.leak is not None
    marks = 0
    if case.kind != "token":
        marks = next((n for n, character in enumerate(case.text[case.leak :]) if character.isalnum()), 0)
    return len(given) <= case.leak + marks and case.text.startswith(given)


def is_spared(case: Case, size: int) -> bool:
    return shown(case, size) == (case.text, None)


@dataclass(frozen=True, slots=True)
class Score:
    cases: int
    right: int

    @property
    def share(self) -> float:
        return self.right / self.cases


def scores(cases: Iterable[Case], judge, size: int) -> Mapping[str, Score]:
    """By kind, and over all under an empty key."""
    all_of, right = Counter(), defaultdict(int)
    for case in cases:
        good = judge(case, size)
        for key in ("", case.kind):
            all_of[key] += 1
            right[key] += good
    return {key: Score(count, right[key]) for key, count in all_of.items()}
