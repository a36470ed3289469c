"""From rows of the log to the numbers that `ranking` reads. What a tie or a both-bad vote counts is decided here."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from django.db.models import F, FloatField, IntegerField, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat
from numpy.typing import NDArray

from annotation.enums import UNNAMED, Design, ItemPurpose, Method, Preference, RespondentKind
from annotation.models import Contestant, Judgment, Question, Respondent
from ranking import BothBad, Comparisons, acceptability
from ranking import Shares as AcceptableShares

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# How a method takes votes that say neither was acceptable: as silent about the order, or as half a win for each.
BOTH_BAD = {Method.BRADLEY_TERRY: BothBad.LEAVE_OUT, Method.BT_HALF: BothBad.HALF}
CHUNK = 20_000
UNKNOWN = -1
# Preferences by number; 0 is a judgment that was asked for none.
PREFERENCES = ("", *Preference.values)
A, B, TIE, CANNOT_COMPARE, BOTH_BAD_VOTE = (PREFERENCES.index(each) for each in Preference)
# What became of the question for an amount, by number; 0 where none was asked, or of somebody who chose neither side.
AMOUNT_STATES = ("not_applicable", "given", "zero", "implied", "protest", "skipped")
GIVEN, ZERO, IMPLIED, PROTEST, SKIPPED = range(1, 6)
DESIGNS = tuple(Design.values)


@dataclass(frozen=True, eq=False)
class PairRows:
    """The n pairwise judgments of one slice, in commit order. Contestants are positions in `contestants`."""

    contestants: list[int]  # ids, ascending
    merged: dict[int, int]  # ids that occurred and count as others
    a: Ints  # (n,)
    b: Ints  # (n,)
    preference: NDArray[np.int8]  # (n,) number in PREFERENCES
    amount: Floats  # (n,) signed net utility, NaN where there is none or only its bounds are known
    amount_low: Floats  # (n,) signed bounds where only they are known, infinite without one; NaN elsewhere
    amount_high: Floats  # (n,)
    contradicts: Bools  # (n,) a price list that takes a price and leaves a lower one
    amount_state: NDArray[np.int8]  # (n,) number in AMOUNT_STATES
    acceptable_a: NDArray[np.int8]  # (n,) 1 yes, 0 no, -1 not said
    acceptable_b: NDArray[np.int8]
    respondent: Ints  # (n,) id, -1 unknown
    prompt: Ints  # (n,) -1 unknown
    item: Ints  # (n,) id
    source: Ints  # (n,) id
    design: NDArray[np.int8]  # (n,) how the prompt came about, number in DESIGNS
    is_anchor: Bools  # (n,) about an item that everybody judges
    at_bound: Bools  # (n,) all of what there was to pay from
    incentive: str = "stated"  # of the amounts that are read

    def __len__(self) -> int:
        return len(self.a)

    @property
    def count(self) -> int:
        """Contestants as a fit wants to hear it, which is never fewer than two."""
        return max(2, len(self.contestants))

    @property
    def priced(self) -> Bools:
        """Rows with an amount or with bounds of one."""
        return np.isfinite(self.amount) | ~np.isnan(self.amount_low)

    @property
    def cannot_compare(self) -> Bools:
        return np.asarray(self.preference == CANNOT_COMPARE)

    @property
    def neither(self) -> Bools:
        """Neither response was acceptable: said of both, or imported as both bad."""
        said = (self.acceptable_a == 0) & (self.acceptable_b == 0)
        return np.asarray(said | (self.preference == BOTH_BAD_VOTE))

    def fitted(self, method: str) -> Bools:
        """Rows that a method's fit may use: cannot compare says nothing, bad against bad is the method's choice."""
        answered = (self.preference > 0) & ~self.cannot_compare
        if BOTH_BAD[Method(method)] is BothBad.LEAVE_OUT:
            return np.asarray(answered & ~self.neither)
        return np.asarray(answered)

    def comparisons(self, method: str) -> Comparisons:
        """What the fit of strengths reads under this method: bad against bad is half a win for each, or not there."""
        rows = self.fitted(method)
        bad = self.neither[rows]
        preference = self.preference[rows]
        outcome = np.where(bad | (preference == TIE), 0.5, np.where(preference == A, 1.0, 0.0))
        return Comparisons(
            a=self.a[rows],
            b=self.b[rows],
            outcome=outcome,
            count=self.count,
            both_bad=bad,
            annotator=_labels(self.respondent[rows]),
            prompt=_labels(self.prompt[rows]),
        )

    def amounts(self) -> Comparisons:
        """Every row with an amount, also the 0 of a tie. Who was not asked for a preference prefers what is worth more
        to them."""
        return self._priced(np.isfinite(self.amount))

    def bounded_amounts(self) -> Comparisons:
        """Every row with an amount or with bounds of one."""
        rows = self.priced
        return replace(self._priced(rows), amount_low=self.amount_low[rows], amount_high=self.amount_high[rows])

    def _priced(self, rows: Bools) -> Comparisons:
        amount, preference = self.amount[rows], self.preference[rows]
        by_amount = 0.5 + 0.5 * np.sign(amount)
        outcome = np.select([preference == A, preference == B, preference == TIE], [1.0, 0.0, 0.5], by_amount)
        return Comparisons(
            a=self.a[rows],
            b=self.b[rows],
            outcome=outcome,
            count=self.count,
            annotator=self.respondent[rows],
            prompt=self.prompt[rows],
            amount=amount,
        )

    def acceptable_shares(self) -> AcceptableShares:
        """Share of judged responses that were acceptable, by contestant.

        Imported both-bad votes are not among them: a file that only says no would make every share zero.
        """
        contestant = np.concatenate((self.a[self.acceptable_a >= 0], self.b[self.acceptable_b >= 0]))
        said = np.concatenate((self.acceptable_a, self.acceptable_b))
        return acceptability(contestant, said[said >= 0] == 1, self.count)

    def per_contestant(self, rows: Bools) -> Ints:
        """How many of the rows each contestant is in; one that meets itself is in that row once."""
        a, b = self.a[rows], self.b[rows]
        both = np.bincount(a, minlength=self.count) + np.bincount(b, minlength=self.count)
        return np.asarray(both - np.bincount(a[a == b], minlength=self.count))


def read_pairs(judgments: QuerySet[Judgment], *, merged: Mapping[int, int]) -> PairRows:
    """Read the pairwise judgments among `judgments`; a contestant in `merged` counts as the one it was merged into.

    Only amounts in the unit and of the incentive that most of them have are read: kinds of amount are never pooled.
    """
    prompts: dict[str, int] = defaultdict(lambda: len(prompts))
    units: dict[str, int] = defaultdict(lambda: len(units))
    columns = _columns(_narrow(judgments).iterator(chunk_size=CHUNK), _readers(prompts, units))
    unit = columns.pop("unit")
    columns["prompt"] = np.where(columns["prompt"] == prompts[""], UNKNOWN, columns["prompt"])
    columns["respondent"] = without_unnamed(columns["respondent"], columns["source"])
    columns |= _signed_bounds(columns)
    used = _in_one_unit(columns, unit)
    incentive = next((name.rpartition(" ")[2] for name, number in units.items() if number == used), "")
    ids, sides = np.unique(np.stack((columns.pop("a"), columns.pop("b"))), return_inverse=True)
    final = np.array([merged.get(pk, pk) for pk in ids.tolist()], dtype=np.int64)
    contestants, places = np.unique(final, return_inverse=True)
    a, b = places[sides.reshape(2, -1)]
    applied = {pk: merged[pk] for pk in ids.tolist() if pk in merged}
    return PairRows(
        contestants=contestants.tolist(), merged=applied, a=a, b=b, incentive=incentive or "stated", **columns
    )


def merged_contestants() -> dict[int, int]:
    """Where each merged contestant's judgments count, followed to the end of the chain."""
    direct = dict(Contestant.objects.filter(merged_into__isnull=False).values_list("pk", "merged_into_id"))
    final = {}
    for start in direct:
        end, seen = start, {start}
        while end in direct and direct[end] not in seen:
            end = direct[end]
            seen.add(end)
        final[start] = end
    return final


def _narrow(judgments: QuerySet[Judgment]) -> QuerySet[Judgment, tuple[Any, ...]]:
    """One small row a judgment, in the order of `_readers`."""
    rows = judgments.filter(contestants__len=2, contestants__0__isnull=False, contestants__1__isnull=False)
    names = Question.objects.filter(type="amount").values_list("name", flat=True).distinct()
    states = _members(names, "state")
    # Only sealed bids end somewhere, and only price lists can contradict themselves.
    bounds = _members(names.filter(settings__mode="bdm"), "at_bound")
    lists = names.filter(settings__mode="price_list").order_by("name")
    consistent = _members(lists, "consistent")
    return rows.annotate(
        amount=Cast("net_utility", FloatField()),
        state=Coalesce(*states, Value(""), output_field=TextField()) if states else Value(""),
        low=Cast("amount_low", FloatField()) if lists else Value(None, output_field=FloatField()),
        high=Cast("amount_high", FloatField()) if lists else Value(None, output_field=FloatField()),
        bound=Coalesce(*bounds, Value(""), output_field=TextField()) if bounds else Value(""),
        consistent=Coalesce(*consistent, Value(""), output_field=TextField()) if consistent else Value(""),
        acceptable_a=Coalesce(Cast("acceptable__0", IntegerField()), Value(UNKNOWN)),
        acceptable_b=Coalesce(Cast("acceptable__1", IntegerField()), Value(UNKNOWN)),
        asked=Coalesce(F("item__prompt__digest"), F("item__prompt_key"), output_field=TextField()),
        unit=Concat("currency", Value(" "), "incentive", output_field=TextField()),
    ).values_list(
        "contestants__0",
        "contestants__1",
        "preference",
        "amount",
        "low",
        "high",
        "consistent",
        "state",
        "acceptable_a",
        "acceptable_b",
        "respondent_id",
        "asked",
        "item_id",
        "source_id",
        "impression__prompt_design",
        "item__purpose",
        "bound",
        "unit",
    )


def _members(names: QuerySet[Question, str], member: str) -> list[KeyTextTransform]:
    """A member of the answers to the questions of these names."""
    return [KeyTextTransform(member, KeyTextTransform(name, "answers")) for name in names.order_by("name")]


Reader = tuple[Any, Callable[[Any], Any] | None]


def _readers(prompts: dict[str, int], units: dict[str, int]) -> dict[str, Reader]:
    """How each column is kept: its type, and what gives the number of a text."""
    preferences = {name: number for number, name in enumerate(PREFERENCES)}
    states = {name: number for number, name in enumerate(AMOUNT_STATES)}
    return {
        "a": (np.int64, None),
        "b": (np.int64, None),
        "preference": (np.int8, preferences.__getitem__),
        "amount": (np.float64, None),
        "amount_low": (np.float64, None),
        "amount_high": (np.float64, None),
        "contradicts": (np.bool_, lambda consistent: consistent == "false"),
        "amount_state": (np.int8, lambda state: states.get(state, 0)),
        "acceptable_a": (np.int8, None),
        "acceptable_b": (np.int8, None),
        "respondent": (np.int64, None),
        "prompt": (np.int64, prompts.__getitem__),
        "item": (np.int64, None),
        "source": (np.int64, None),
        "design": (np.int8, DESIGNS.index),
        "is_anchor": (np.bool_, lambda purpose: purpose == ItemPurpose.ANCHOR),
        "at_bound": (np.bool_, lambda bound: bound == "true"),
        "unit": (np.int64, units.__getitem__),
    }


def _columns(rows: Iterator[tuple[Any, ...]], readers: Mapping[str, Reader]) -> dict[str, NDArray[Any]]:
    """The rows, column by column; only a chunk of them is ever in memory as Python's own objects."""
    parts: dict[str, list[NDArray[Any]]] = {name: [np.empty(0, kind)] for name, (kind, _) in readers.items()}
    while chunk := list(islice(rows, CHUNK)):
        for (name, (kind, number)), values in zip(readers.items(), zip(*chunk, strict=True), strict=True):
            parts[name].append(np.array(values if number is None else [number(value) for value in values], dtype=kind))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def without_unnamed(respondent: Ints, source: Ints) -> Ints:
    """Votes of an import that names no judge have one respondent for all; they are not one person's."""
    unnamed = Respondent.objects.filter(
        kind=RespondentKind.IMPORTED, pseudonym=UNNAMED, source__in=np.unique(source).tolist()
    )
    return np.where(np.isin(respondent, list(unnamed.values_list("pk", flat=True))), UNKNOWN, respondent)


def _signed_bounds(columns: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
    """Bounds as they bound the net utility: of a price list they are stored for the side that was chosen."""
    low, high, preference = columns["amount_low"], columns["amount_high"], columns["preference"]
    only_bounded = np.isnan(columns["amount"]) & ~(np.isnan(low) & np.isnan(high)) & np.isin(preference, (A, B))
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    prefers_a = preference == A
    return {
        "amount_low": np.where(only_bounded, np.where(prefers_a, low, -high), np.nan),
        "amount_high": np.where(only_bounded, np.where(prefers_a, high, -low), np.nan),
    }


def _in_one_unit(columns: dict[str, NDArray[Any]], unit: Ints) -> int:
    """Takes away amounts and bounds in any but the unit that most have; says which unit that is."""
    used = unit[np.isfinite(columns["amount"]) | ~np.isnan(columns["amount_low"])]
    if not len(used):
        return UNKNOWN
    most = int(np.bincount(used).argmax())
    for name in ("amount", "amount_low", "amount_high"):
        columns[name] = np.where(unit == most, columns[name], np.nan)
    return most


def _labels(labels: Ints) -> Ints | None:
    """None where nothing is known of any row: a label of its own for each would say that it was."""
    return labels if (labels >= 0).any() else None
