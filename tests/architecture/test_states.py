"""States are tables: every state stands in one, every table is in the document, and rows start where it says."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db.models import Field, Model

from config.management.commands.states import all_tables, render
from foundation.transitions import Table
from tests.architecture.tree import REPOSITORY


def models_with_states() -> list[type[Model]]:
    return [
        model
        for model in apps.get_models()
        if any(
            field.name == "state" and field.choices for field in model._meta.get_fields() if isinstance(field, Field)
        )
    ]


def table_of(model: type[Model]) -> Table:
    tables: dict[str, Table] = import_module(f"{model._meta.app_label}.transitions").TABLES
    return tables[model.__name__]


def test_the_document_is_what_the_tables_say():
    assert (REPOSITORY / "docs" / "states.md").read_text() == render()


def test_every_table_belongs_to_a_model_and_every_model_with_states_has_one():
    named = {name for tables in all_tables() for name in tables}
    assert named == {model.__name__ for model in models_with_states()}
    assert len(named) >= 8


@pytest.mark.parametrize("model", models_with_states(), ids=lambda model: model.__name__)
def test_every_state_is_in_the_table_and_rows_start_at_its_first(model):
    table, field = table_of(model), model._meta.get_field("state")
    states = [value for value, _label in field.choices]
    assert set(table) == set(states)
    assert {target for targets in table.values() for target in targets} <= set(states)
    assert next(iter(table)) == field.default


@pytest.mark.parametrize("model", models_with_states(), ids=lambda model: model.__name__)
def test_every_state_can_be_reached_and_no_state_leads_to_itself(model):
    table = table_of(model)
    reached, waiting = set(), [next(iter(table))]
    while waiting:
        state = waiting.pop()
        reached.add(state)
        waiting += set(table[state]) - reached
    assert reached == set(table)
    assert [state for state, targets in table.items() if state in targets] == []


def test_control_a_state_without_a_line_is_noticed(monkeypatch):
    model = models_with_states()[0]
    shorter = dict(list(table_of(model).items())[:-1])
    module = import_module(f"{model._meta.app_label}.transitions")
    monkeypatch.setitem(module.TABLES, model.__name__, shorter)
    with pytest.raises(AssertionError):
        test_every_state_is_in_the_table_and_rows_start_at_its_first(model)
    with pytest.raises(AssertionError):
        test_the_document_is_what_the_tables_say()
