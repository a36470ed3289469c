"""Rows of judgments that ask no preference: a column with something about each response, as its question declares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Coalesce

from annotation.models import Judgment, Question
from annotation.questions import Asked, Form, Standing, get_type
from annotation.ratings import CHUNK, DESIGNS, UNKNOWN, Bools, Floats, Ints, without_unnamed
from ranking import Shares, acceptability

# Of two forms that were asked the one that compares more directly counts.
FORMS = tuple(Form)
WHO = ("respondent_id", "asked", "source_id", "impression__prompt_design", "instrument_id", "contestants", "acceptable")


@dataclass(frozen=True, eq=False)
class ListedRows:
    """The n judgments of one slice in commit order, each with what it says of the contestants it showed."""

    form: Form | None  # None where nothing that was asked orders contestants
    contestants: list[int]  # ids, ascending
    merged: dict[int, int]
    respondent: Ints  # (n,) id, -1 unknown
    prompt: Ints  # (n,) -1 unknown
    source: Ints  # (n,) id
    design: Ints  # (n,) number in DESIGNS
    open_ties: Bools  # (n,) equal places were not compared
    start: Ints  # (n + 1,) judgment r holds the entries start[r] to start[r + 1] - 1
    contestant: Ints  # (k,) position in `contestants`
    value: Floats  # (k,) NaN where nothing was said
    acceptable: Floats  # (k,) 1 yes, 0 no, NaN not said

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def count(self) -> int:
        """Contestants as a fit wants to hear it, which is never fewer than two."""
        return max(2, len(self.contestants))

    @cached_property
    def judgment(self) -> Ints:
        """(k,) whose entry each is."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @cached_property
    def said(self) -> "ListedRows":
        """The entries of which something was said; judgments stay, some with none left."""
        kept = np.isfinite(self.value)
        start = np.concatenate(([0], np.cumsum(np.bincount(self.judgment[kept], minlength=len(self)))))
        entries = {name: getattr(self, name)[kept] for name in ("contestant", "value", "acceptable")}
        return replace(self, start=start.astype(np.int64), **entries)

    def clusters(self) -> tuple[Ints | None, Ints, bool]:
        """(n,) people, (n,) prompts, and whether the latter are prompts: where fewer than two are known, each judgment
        stands by itself, because all that it says comes from one person at one time."""
        own = np.arange(len(self)) + 1
        people = np.where(self.respondent >= 0, self.respondent, self.respondent.max(initial=0) + own)
        known = np.unique(self.prompt[self.prompt >= 0])
        if len(known) < 2:
            return (people if (self.respondent >= 0).any() else None), own, False
        prompts = np.where(self.prompt >= 0, self.prompt, known.max() + own)
        return (people if (self.respondent >= 0).any() else None), prompts, True

    @property
    def neither(self) -> Bools:
        """(n,) every response was said not to be acceptable."""
        said, refused = self.judgment[np.isfinite(self.acceptable)], self.judgment[self.acceptable == 0]
        asked, no = (np.bincount(each, minlength=len(self)) for each in (said, refused))
        return np.asarray((asked > 0) & (asked == no))

    @property
    def silent(self) -> Bools:
        """(n,) judgments that put nobody above anybody and, but for shares and means, judge one response alone."""
        entries = np.diff(self.said.start)
        alone = self.form is Form.SHARE or (self.form is Form.SCORES and entries.max(initial=0) < 2)
        return np.asarray(entries < (1 if alone else 2))

    def per_contestant(self, rows: Bools) -> Ints:
        """How many of the judgments `rows` (n,) each contestant is in."""
        entries = rows[self.judgment]
        cells = np.unique(self.judgment[entries] * self.count + self.contestant[entries])
        return np.asarray(np.bincount(cells % self.count, minlength=self.count))

    def acceptable_shares(self) -> Shares:
        """Share of judged responses that were acceptable, by contestant."""
        given = np.isfinite(self.acceptable)
        return acceptability(self.contestant[given], self.acceptable[given] == 1, self.count)


def read_listed(judgments: QuerySet[Judgment], *, merged: Mapping[int, int]) -> ListedRows:
    """Every judgment of the slice, with the column of the first form that any of them answered."""
    declared = _declared(judgments)
    column, form, instruments = _answered(judgments, declared)
    rows = judgments.annotate(
        asked=Coalesce(F("item__prompt__digest"), F("item__prompt_key"), output_field=TextField())
    )
    if column:
        rows = rows.filter(instrument__in=instruments, **{f"{column}__isnull": False})
    found = _flat(rows.values_list(*WHO, *([column] if column else [])).iterator(chunk_size=CHUNK))
    ids, entries = np.unique(found.pop("contestant"), return_inverse=True)
    final = np.array([merged.get(pk, pk) for pk in ids.tolist()], dtype=np.int64)
    contestants, places = np.unique(final, return_inverse=True)
    open_ties = [number for number, standings in declared.items() if any(each.open_ties for each in standings)]
    return ListedRows(
        form=form,
        contestants=contestants.tolist(),
        merged={pk: merged[pk] for pk in ids.tolist() if pk in merged},
        contestant=places[entries] if len(entries) else entries.astype(np.int64),
        open_ties=np.isin(found.pop("instrument"), open_ties),
        respondent=without_unnamed(found.pop("respondent"), found["source"]),
        **found,
    )


def _declared(judgments: QuerySet[Judgment]) -> dict[int, list[Standing]]:
    """What the questions of each instrument that was answered say about contestants."""
    instruments = judgments.order_by().values("instrument")
    declared: dict[int, list[Standing]] = {}
    for question in Question.objects.filter(instrument__in=instruments).order_by("instrument_id", "position"):
        asked = Asked(question.name, question.type, settings=question.settings)
        standing = get_type(question.type).standing(asked)
        declared.setdefault(question.instrument_id, []).extend([standing] if standing else [])
    return declared


def _answered(
    judgments: QuerySet[Judgment], declared: Mapping[int, list[Standing]]
) -> tuple[str, Form | None, list[int]]:
    """The column and the form that count, and the instruments that give them."""
    for form in FORMS:
        columns = {each.column for standings in declared.values() for each in standings if each.form == form}
        for column in sorted(columns):
            giving = [pk for pk, standings in declared.items() if any(each.column == column for each in standings)]
            rows = judgments.order_by().filter(instrument__in=giving, **{f"{column}__isnull": False})
            if rows.exists():
                return column, form, giving
    return "", None, []


def _flat(rows: Iterator[tuple[Any, ...]]) -> dict[str, Any]:
    """Columns of judgments, and behind one another the entries of those whose response has a contestant."""
    prompts: dict[str, int] = {"": UNKNOWN}
    judgments: dict[str, list[int]] = {name: [] for name in ("respondent", "prompt", "source", "design", "instrument")}
    lengths: list[int] = []
    parts: dict[str, list[np.ndarray]] = {"contestant": [], "value": [], "acceptable": []}
    while chunk := list(islice(rows, CHUNK)):
        entries: list[tuple[int, Any, Any]] = []
        for respondent, asked, source, design, instrument, contestants, acceptable, *value in chunk:
            each = [(who, *said) for who, *said in _entries(contestants, acceptable, value) if who is not None]
            entries += each
            lengths.append(len(each))
            prompt = prompts.setdefault(asked or "", len(prompts))
            row = (respondent, prompt, source, DESIGNS.index(design), instrument)
            for name, number in zip(judgments, row, strict=True):
                judgments[name].append(number)
        columns = zip(*entries, strict=True) if entries else ((), (), ())
        for (name, held), values in zip(parts.items(), columns, strict=True):
            held.append(np.array(values, dtype=np.int64 if name == "contestant" else np.float64))
    flat: dict[str, Any] = {name: np.array(values, dtype=np.int64) for name, values in judgments.items()}
    flat |= {name: np.concatenate([np.empty(0), *held]) for name, held in parts.items()}
    flat["contestant"] = flat["contestant"].astype(np.int64)
    return flat | {"start": np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)}


def _entries(contestants: list[int | None], acceptable: Any, value: list[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Contestant, value and acceptance of each response shown. A value that is no list is about the only response."""
    said = value[0] if value else None
    values = said if isinstance(said, list) else [said] * len(contestants)
    return zip(contestants, values, acceptable or [None] * len(contestants), strict=True)
