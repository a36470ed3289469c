"""What was answered, as columns: those of the log that questions give, and those that a question exports of its own.

Neither is listed here: each type says in its folder what it gives (`gives`) and what it exports (`exports`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args, get_origin

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.contrib.postgres.fields import ArrayField
from django.db import models

from annotation.datasets.columns import Coded
from annotation.datasets.scope import Scope
from annotation.models import Instrument, Judgment
from annotation.queries import instrument_questions
from annotation.questions import Asked, Export, QuestionType, all_types, get_type

KINDS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
FIELDS = (
    (models.CharField, pa.string()),
    (models.BooleanField, pa.bool_()),
    (models.IntegerField, pa.int64()),
    ((models.FloatField, models.DecimalField), pa.float64()),
)


@dataclass(frozen=True)
class AnswerColumn:
    """One exported column of one question; `name` is the dataset's, `column` the type's own."""

    name: str
    question: str
    column: str
    export: Export

    @property
    def field(self) -> pa.Field:
        return pa.field(self.name, arrow_type(self.export.kind))


def arrow_type(kind: Any) -> pa.DataType:
    """Of the kind of an Export."""
    if get_origin(kind) is list:
        [member] = get_args(kind)
        return pa.list_(arrow_type(member))
    return KINDS[kind]


def kind_in_words(kind: Any) -> str:
    if get_origin(kind) is list:
        [member] = get_args(kind)
        return f"list of {kind_in_words(member)}"
    return WORDS[kind]


def log_columns() -> list[pa.Field]:
    """The log's own columns of answers: whatever some type gives, in the log's order."""
    given = frozenset[str]().union(*(kind.gives for kind in all_types().values()))
    return [pa.field(each.name, _type_of(each)) for each in Judgment._meta.concrete_fields if each.name in given]


def instruments_of(scope: Scope) -> list[Instrument]:
    """The instruments that the scope's judgments were given with, the oldest first."""
    used = scope.votes().order_by().values("instrument")
    return list(Instrument.objects.filter(pk__in=used).order_by("number"))


def answered_in(instruments: Iterable[Instrument]) -> list[AnswerColumn]:
    """The exported columns of all their questions, by first occurrence; a question of several instruments has one set.

    A name has at most 40 characters of letters, digits, hyphens and underscores; the last two underscores in a row
    part it from the type's column, which has none.
    """
    found: dict[str, AnswerColumn] = {}
    for instrument in instruments:
        for asked in instrument_questions(instrument.pk):
            for column, export in get_type(asked.type).columns_exported(asked).items():
                name = f"{asked.name}__{column}"
                found.setdefault(name, AnswerColumn(name, asked.name, column, export))
    return list(found.values())


def read_answered(answered: Sequence[AnswerColumn], instrument_ids: pa.Array, answers: pa.Array) -> dict[str, Coded]:
    """The columns of `answered` by name, of rows with these instruments and answers (as JSON text).

    Each different answer is read once. Null is what was not asked; what was asked and left out is as its type says.
    """
    if not answered:
        return {}
    keys = pc.binary_join_element_wise(instrument_ids.cast(pa.string()), answers, " ").dictionary_encode()
    plans: dict[str, Plan] = {}
    different = []
    for key in keys.dictionary.to_pylist():
        instrument, text = key.split(" ", 1)
        if instrument not in plans:
            plans[instrument] = _plan(int(instrument))
        different.append(_exported(plans[instrument], json.loads(text)))
    places = keys.indices.to_numpy()
    return {each.name: _coded([row.get(each.name) for row in different], places) for each in answered}


# By question: its type, and its columns with the dataset's names for them.
Plan: TypeAlias = "list[tuple[Asked, QuestionType, list[tuple[str, str]]]]"


def _plan(instrument: int) -> Plan:
    """Questions that export nothing of their own are left out."""
    asked = [(each, get_type(each.type)) for each in instrument_questions(instrument)]
    named = [
        (each, kind, [(column, f"{each.name}__{column}") for column in kind.columns_exported(each)])
        for each, kind in asked
    ]
    return [(question, kind, columns) for question, kind, columns in named if columns]


def _exported(plan: Plan, answers: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for asked, kind, columns in plan:
        if asked.name in answers:
            exported = kind.export_columns(kind.as_asked(asked, answers[asked.name]))
            for column, name in columns:
                row[name] = exported[column]
    return row


def _coded(values: Sequence[Any], places: np.ndarray) -> Coded:
    """A column in which all is one value, null above all, is made from one."""
    if all(value is None for value in values):
        return Coded.same(None, len(places))
    return Coded(values, places)


def _type_of(column: "models.Field[Any, Any]") -> pa.DataType:
    if isinstance(column, ArrayField):
        return pa.list_(_type_of(column.base_field))
    return next(kind for classes, kind in FIELDS if isinstance(column, classes))
