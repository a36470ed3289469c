"""From rows of the log to the numbers that `ranking` reads. What a tie or a both-bad vote counts is decided here alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from annotation.enums import Method, Preference
from annotation.models import Contestant, Judgment
from ranking import BothBad, Comparisons, acceptability
from ranking import Shares as AcceptableShares

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

OUTCOME = {Preference.A: 1.0, Preference.B: 0.0, Preference.TIE: 0.5, Preference.BOTH_BAD: 0.5}
# How a method takes votes that say neither was acceptable: they say nothing about the order, unless it counts them half.
BOTH_BAD = {Method.BRADLEY_TERRY: BothBad.LEAVE_OUT, Method.BT_HALF: BothBad.HALF}
# An imported file without judges has one respondent for all of its rows; they are not one person.
UNNAMED = "unnamed"
CHUNK = 20_000


@dataclass(frozen=True, eq=False)
class PairRows:
    """The n pairwise judgments of one slice, in commit order. Contestants are positions in `contestants`."""

    contestants: list[int]  # ids, ascending
    a: Ints  # (n,)
    b: Ints  # (n,)
    preference: NDArray[np.str_]  # (n,)
    amount: Floats  # (n,) signed net utility, NaN where there is none
    asked_amount: Bools  # (n,) an amount was among the questions asked
    refused_amount: Bools  # (n,) asked, and the person would not price it
    acceptable_a: NDArray[np.int8]  # (n,) 1 yes, 0 no, -1 not said
    acceptable_b: NDArray[np.int8]
    respondent: Ints  # (n,) -1 unknown
    prompt: Ints  # (n,) -1 unknown
    source: NDArray[np.str_]  # (n,) kind of the source

    def __len__(self) -> int:
        return len(self.a)

    @property
    def neither(self) -> Bools:
        """Neither response was acceptable: said of both, or imported as both bad."""
        said = (self.acceptable_a == 0) & (self.acceptable_b == 0)
        return np.asarray(said | (self.preference == Preference.BOTH_BAD))

    def fitted(self, method: str) -> Bools:
        """Rows that a method's fit may use. Who could not compare said nothing; bad against bad is the method's choice."""
        compared = self.preference != Preference.CANNOT_COMPARE
        answered = compared & (self.preference != "")
        if BOTH_BAD[Method(method)] is BothBad.LEAVE_OUT:
            return np.asarray(answered & ~self.neither)
        return np.asarray(answered)

    def comparisons(self, method: str) -> Comparisons:
        """What the fit of strengths reads under this method."""
        rows = self.fitted(method)
        outcome = np.array([OUTCOME.get(Preference(each), 0.5) for each in self.preference[rows]], dtype=np.float64)
        return Comparisons(
            a=self.a[rows],
            b=self.b[rows],
            outcome=outcome,
            count=max(2, len(self.contestants)),
            both_bad=np.asarray(self.preference[rows] == Preference.BOTH_BAD),
            annotator=self.respondent[rows],
            prompt=self.prompt[rows],
        )

    def amounts(self) -> Comparisons:
        """What the fit of worth reads: every row with an amount, its outcome unused."""
        rows = np.isfinite(self.amount)
        return Comparisons(
            a=self.a[rows],
            b=self.b[rows],
            outcome=np.full(int(rows.sum()), 0.5),
            count=max(2, len(self.contestants)),
            annotator=self.respondent[rows],
            prompt=np.where(self.prompt[rows] < 0, -1, self.prompt[rows]),
            amount=self.amount[rows],
        )

    def acceptable_shares(self) -> AcceptableShares:
        """Share of judged responses that were acceptable, by contestant; imported both-bad votes count as two noes."""
        both_bad = self.preference == Preference.BOTH_BAD
        said_a = np.where(both_bad, 0, self.acceptable_a)
        said_b = np.where(both_bad, 0, self.acceptable_b)
        contestant = np.concatenate((self.a[said_a >= 0], self.b[said_b >= 0]))
        accepted = np.concatenate((said_a[said_a >= 0], said_b[said_b >= 0])) == 1
        return acceptability(contestant, accepted, max(2, len(self.contestants)))


COLUMNS = (
    "contestants__0",
    "contestants__1",
    "preference",
    "net_utility",
    "acceptable",
    "respondent_id",
    "respondent__pseudonym",
    "item__prompt__digest",
    "item__prompt_key",
    "source__kind",
    "impression__questions_asked",
    "answers",
)


def read_pairs(judgments: QuerySet[Judgment], *, also: Iterable[int] = ()) -> PairRows:
    """Read the pairwise judgments among `judgments`, whose contestants were merged as the admins said.

    `also` names contestants that stand on the board even without a judgment. Memory holds one narrow row a judgment.
    """
    rows = judgments.filter(contestants__len=2, contestants__0__isnull=False, contestants__1__isnull=False)
    merged = merged_contestants()
    parts = _read(rows.values_list(*COLUMNS).iterator(chunk_size=CHUNK), merged)
    extra = {merged.get(pk, pk) for pk in also}
    ids = np.unique(np.concatenate((parts["a"], parts["b"], np.fromiter(extra, dtype=np.int64))))
    return PairRows(
        contestants=[int(pk) for pk in ids],
        a=np.searchsorted(ids, parts["a"]),
        b=np.searchsorted(ids, parts["b"]),
        preference=parts["preference"],
        amount=parts["amount"],
        asked_amount=parts["asked"],
        refused_amount=parts["refused"],
        acceptable_a=parts["acceptable_a"],
        acceptable_b=parts["acceptable_b"],
        respondent=parts["respondent"],
        prompt=_numbered(parts["prompt"]),
        source=parts["source"],
    )


def merged_contestants() -> Mapping[int, int]:
    """Where each merged contestant's judgments count, followed to the end of the chain."""
    direct = dict(Contestant.objects.filter(merged_into__isnull=False).values_list("pk", "merged_into_id"))
    final = {}
    for start in direct:
        end, seen = start, set()
        while end in direct and end not in seen:
            seen.add(end)
            end = direct[end]
        final[start] = end
    return final


def _read(rows: Iterator[tuple[Any, ...]], merged: Mapping[int, int]) -> dict[str, NDArray[Any]]:
    lists: dict[str, list[Any]] = {name: [] for name in _KINDS}
    for a, b, preference, net, acceptable, person, pseudonym, digest, key, source, asked, answers in rows:
        priced = _amount_answer(asked, answers)
        lists["a"].append(merged.get(a, a))
        lists["b"].append(merged.get(b, b))
        lists["preference"].append(preference)
        lists["amount"].append(np.nan if net is None else float(net))
        lists["asked"].append(priced is not None or net is not None)
        lists["refused"].append(priced == "refused")
        lists["acceptable_a"].append(-1 if acceptable is None else int(acceptable[0]))
        lists["acceptable_b"].append(-1 if acceptable is None else int(acceptable[1]))
        lists["respondent"].append(-1 if pseudonym == UNNAMED else person)
        lists["prompt"].append(digest or key or "")
        lists["source"].append(source)
    return {name: np.array(values, dtype=_KINDS[name]) for name, values in lists.items()}


_KINDS: dict[str, Any] = {
    "a": np.int64,
    "b": np.int64,
    "preference": "U14",
    "amount": np.float64,
    "asked": np.bool_,
    "refused": np.bool_,
    "acceptable_a": np.int8,
    "acceptable_b": np.int8,
    "respondent": np.int64,
    "prompt": "U200",
    "source": "U12",
}


def _amount_answer(asked: list[str], answers: Mapping[str, Any]) -> str | None:
    """The state of the amount question's stored answer; None where none was asked."""
    for name in asked:
        stored = answers.get(name)
        if isinstance(stored, dict) and "incentive" in stored:
            return str(stored["state"])
    return None


def _numbered(labels: NDArray[np.str_]) -> Ints:
    """Equal labels get equal numbers, an empty one -1."""
    unique, codes = np.unique(labels, return_inverse=True)
    return np.where(unique[codes] == "", -1, codes).astype(np.int64) if len(labels) else codes.astype(np.int64)
