"""Rows written and found by statements that are composed once per model and planned once per connection.

For the few requests that must be cheap: composing a statement by Django's compiler, and planning it in the database,
cost more than doing it. What Django would do beyond that (signals, tables of parents) is refused.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from django.db.models.signals import post_init, post_save, pre_init, pre_save
from psycopg import sql

from foundation.database import planned_cursor

Row = TypeVar("Row", bound=models.Model)


def insert_planned(row: Row) -> Row:
    """Insert a new row as `save` would, and tell it what the database gave it; raises as `save` does."""
    model = type(row)
    _refuse_unfit(model)
    if not row._state.adding:
        raise ValueError(f"{model._meta.label} {row.pk} is no new row")
    said = [(field, field.pre_save(row, add=True)) for field in model._meta.local_concrete_fields]
    given = [(field, value) for field, value in said if not _is_left_to_database(field, value)]
    statement = _insertion(model, tuple(field.column for field, _ in given))
    with planned_cursor() as cursor:
        cursor.execute(statement, [field.get_db_prep_save(value, connection) for field, value in given])
        returned = cursor.fetchone()
    for field, value in zip(model._meta.db_returning_fields, returned, strict=True):
        setattr(row, field.attname, value)
    row._state.adding, row._state.db = False, connection.alias
    return row


def find_planned(model: type[Row], *, column: str, value: Any) -> Row | None:
    """The row whose unique `column` is `value`, or None."""
    _refuse_unfit(model)
    field: Any = model._meta.get_field(column)
    if not field.unique:
        raise ValueError(f"{model._meta.label}.{column} is not unique")
    with planned_cursor() as cursor:
        cursor.execute(_selection(model, field.column), [field.get_db_prep_value(value, connection)])
        found = cursor.fetchone()
    return model.from_db(connection.alias, _names(model), found) if found else None


def _is_left_to_database(field: Any, value: Any) -> bool:
    return isinstance(value, DatabaseDefault) or (value is None and field is field.model._meta.auto_field)


@lru_cache(maxsize=100)
def _insertion(model: type[models.Model], columns: tuple[str, ...]) -> str:
    composed = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
        sql.Identifier(model._meta.db_table),
        _listed(columns),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
        _listed(field.column for field in model._meta.db_returning_fields),
    )
    return composed.as_string()


@lru_cache(maxsize=100)
def _selection(model: type[models.Model], column: str) -> str:
    composed = sql.SQL("SELECT {} FROM {} WHERE {} = %s").format(
        _listed(field.column for field in model._meta.concrete_fields),
        sql.Identifier(model._meta.db_table),
        sql.Identifier(column),
    )
    return composed.as_string()


def _listed(columns: Iterable[Any]) -> sql.Composed:
    return sql.SQL(", ").join([sql.Identifier(column) for column in columns])


@lru_cache(maxsize=100)
def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@lru_cache(maxsize=100)
def _refuse_unfit(model: type[models.Model]) -> None:
    if model._meta.concrete_fields != model._meta.local_concrete_fields:
        raise TypeError(f"{model._meta.label} has columns in another table")
    if any(signal.has_listeners(model) for signal in (pre_init, post_init, pre_save, post_save)):
        raise TypeError(f"{model._meta.label} has listeners that this would pass by")
