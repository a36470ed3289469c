"""What the questions of a campaign were answered, as numbers that two people's answers can be compared by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from django.db.models import Case, F, FloatField, Func, IntegerField, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast, Coalesce, Concat
from numpy.typing import NDArray

from annotation.boards.copied import copy_table
from annotation.enums import Preference
from annotation.models import Judgment
from annotation.questions import Asked, Given, get_type
from ranking import ItemJudgments, Measurement

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
# Items show at most so many responses: an item and a response make one unit that is agreed about.
RESPONSES = 16
WHO = (("item", pa.int64()), ("respondent", pa.int64()))


# How far apart any two answers of somebody lie is looked up among so many of them, and among all people's where they
# gave fewer than FEW.
COMPARED, FEW, SEED, ROUNDING = 200, 20, 20_240_101, 1e-9


@dataclass(frozen=True)
class Nearness:
    """Answers no further apart than `within` count as the same; `by_chance` is the share of any two that are.

    Categories are the same or not. Of a finer scale, such as the mean of five ratings, hardly any two answers are, and
    the distance is the widest that at most half of any two keep.
    """

    within: float
    by_chance: float


def _nearness(values: "Floats", measurement: Measurement, rng: np.random.Generator) -> Nearness:
    values = values if len(values) <= COMPARED else rng.choice(values, COMPARED, replace=False)
    first, second = np.triu_indices(len(values), 1)
    distance, times = np.unique(np.abs(values[first] - values[second]).round(9), return_counts=True)
    if not len(distance):
        return Nearness(0.0, 0.0)
    share = np.cumsum(times) / times.sum()
    widest = int(np.searchsorted(share, 0.5, side="right")) - 1
    if measurement is Measurement.NOMINAL or widest < 0:
        return Nearness(0.0, float(share[0]) if distance[0] == 0 else 0.0)
    return Nearness(float(distance[widest]) + ROUNDING, float(share[widest]))


@dataclass(frozen=True, eq=False)
class Measure:
    """One question's n answers in commit order. A unit is an item, or one response of it. Repeats bear the unit of what
    they repeat, so that a person's first answer to a unit comes first. `everyone` are the respondents, by id."""

    question: str
    measurement: Measurement
    unit: Ints  # (n,)
    item: Ints  # (n,) id of the item, of the original for a repeat
    respondent: Ints  # (n,) position in `everyone`
    value: Floats  # (n,)
    everyone: Ints  # (A,)

    def __len__(self) -> int:
        return len(self.value)

    def judgments(self) -> ItemJudgments:
        return ItemJudgments(item=self.unit, annotator=self.respondent, value=self.value, annotators=len(self.everyone))

    def nearness(self) -> list["Nearness"]:
        """Of everyone's own answers; of all answers where somebody's are few."""
        rng = np.random.Generator(np.random.PCG64(SEED))
        of_all = _nearness(self.value, self.measurement, rng)
        order = np.argsort(self.respondent, kind="stable")
        own = np.split(self.value[order], np.cumsum(np.bincount(self.respondent, minlength=len(self.everyone)))[:-1])
        return [of_all if len(each) < FEW else _nearness(each, self.measurement, rng) for each in own]

    def on_its_scale(self) -> Floats:
        """From 0 to 1, the middle nine tenths of the answers from end to end; of categories the values themselves."""
        if self.measurement is Measurement.NOMINAL or not len(self):
            return self.value
        low, high = np.quantile(self.value, (0.05, 0.95))
        if high <= low:
            low, high = self.value.min(), self.value.max()
        return np.asarray(np.clip((self.value - low) / max(high - low, ROUNDING), 0.0, 1.0))

    def select(self, rows: NDArray[np.bool_]) -> "Measure":
        return replace(
            self,
            unit=self.unit[rows],
            item=self.item[rows],
            respondent=self.respondent[rows],
            value=self.value[rows],
        )


def unnest(column: str, kind: Any) -> Combinable:
    return Cast(Func(F(column), function="unnest"), kind)


FIRST_IS_A = {"order__0": 0}
# One number for each judgment, sides by the item's own order.
WHOLE: dict[str, tuple[Combinable, Measurement]] = {
    "preference": (
        Case(
            When(preference=Preference.TIE, then=Value(0.5)),
            When(preference=Preference.A, then=Case(When(**FIRST_IS_A, then=Value(1.0)), default=Value(0.0))),
            When(preference=Preference.B, then=Case(When(**FIRST_IS_A, then=Value(0.0)), default=Value(1.0))),
            output_field=FloatField(),
        ),
        Measurement.ORDINAL,
    ),
    "net_utility": (
        Cast(Case(When(**FIRST_IS_A, then=F("net_utility")), default=-F("net_utility")), FloatField()),
        Measurement.INTERVAL,
    ),
    "thumb": (Cast(Cast("thumb", IntegerField()), FloatField()), Measurement.NOMINAL),
}
# One number for each response.
EACH: dict[str, tuple[Any, Measurement]] = {
    "scores": (FloatField(), Measurement.ORDINAL),
    "tiers": (IntegerField(), Measurement.ORDINAL),
    "acceptable": (IntegerField(), Measurement.NOMINAL),
}


def read_measures(judgments: QuerySet[Judgment], questions: Sequence[Asked], *, instrument: int) -> list[Measure]:
    """One for each question whose answers can be compared, in their order. `judgments` are of work, with repeats;
    `questions` are those of the `instrument`, and columns of the log mean the same under every other.
    """
    found = (_read(judgments, question, instrument) for question in questions)
    return [measure for measure in found if measure is not None and len(measure)]


def _read(judgments: QuerySet[Judgment], question: Asked, instrument: int) -> Measure | None:
    kind = get_type(question.type)
    given = kind.columns_given(question)
    if not kind.can_agree:
        return None
    whole = next((column for column in WHOLE if column in given), None)
    if whole is not None:
        expression, measurement = WHOLE[whole]
        rows = _with_items(judgments).annotate(value=expression).filter(value__isnull=False)
        columns = copy_columns(rows.values_list("root", "respondent_id", "value"), (*WHO, ("value", pa.float64())))
        return _measure(question, measurement, columns, columns["item"] * RESPONSES)
    each = next((column for column in EACH if column in given), None)
    if each is not None:
        return _each_response(judgments, question, each)
    return _by_marks(judgments.filter(instrument=instrument), question) if kind.mark_options(question) else None


def _each_response(judgments: QuerySet[Judgment], question: Asked, column: str) -> Measure:
    kind, measurement = EACH[column]
    rows = _with_items(judgments).filter(**{f"{column}__isnull": False})
    rows = rows.annotate(value=unnest(column, kind), position=unnest("order", IntegerField()))
    kinds = (*WHO, ("position", pa.int64()), ("value", pa.float64()))
    columns = copy_columns(rows.values_list("root", "respondent_id", "position", "value"), kinds)
    given = ~np.isnan(columns["value"])
    columns = {name: values[given] for name, values in columns.items()}
    return _measure(question, measurement, columns, columns["item"] * RESPONSES + columns["position"])


def _by_marks(judgments: QuerySet[Judgment], question: Asked) -> Measure:
    """Categories: the marks of each answer, all of them together. Each different answer is read once."""
    stored = Cast(KeyTransform(question.name, "answers"), TextField())
    said = Concat(Cast("order", TextField()), Value(" "), stored, output_field=TextField())
    rows = _with_items(judgments).filter(answers__has_key=question.name).annotate(said=said)
    table = copy_table(rows.values_list("root", "respondent_id", "said"), pa.schema((*WHO, ("said", pa.string()))))
    texts = table["said"].combine_chunks().dictionary_encode()
    numbers: dict[frozenset[str], int] = {frozenset(): -1}
    values = [numbers.setdefault(_marks(question, text), len(numbers)) for text in texts.dictionary.to_pylist()]
    value = np.array(values, dtype=np.float64)[texts.indices.to_numpy()]
    columns = {name: table[name].to_numpy()[value >= 0] for name, _kind in WHO} | {"value": value[value >= 0]}
    return _measure(question, Measurement.NOMINAL, columns, columns["item"] * RESPONSES)


def _marks(question: Asked, text: str) -> frozenset[str]:
    shown, _space, stored = text.partition(" ")
    order = [int(place) for place in shown.strip("{}").split(",")]
    return get_type(question.type).marks_by_position(question, Given(json.loads(stored), order))


def _with_items(judgments: QuerySet[Judgment]) -> QuerySet[Judgment]:
    return judgments.annotate(root=Coalesce("item__repeat_of_id", "item_id"))


def _measure(question: Asked, measurement: Measurement, columns: dict[str, NDArray[Any]], unit: Ints) -> Measure:
    everyone, respondent = np.unique(columns["respondent"], return_inverse=True)
    value = columns["value"].astype(np.float64)
    return Measure(question.name, measurement, unit, columns["item"], respondent, value, everyone)


def copy_columns(rows: "QuerySet[Any, Any]", kinds: Sequence[tuple[str, pa.DataType]]) -> dict[str, NDArray[Any]]:
    """A null number becomes NaN."""
    table = copy_table(rows, pa.schema(kinds))
    return {name: table[name].to_numpy() for name in table.column_names}
