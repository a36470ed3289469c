"""What is written once stays, whatever happens to its neighbours; what is stored is in the backup."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL

from config.launch.backups import write_backup
from config.launch.binaries import installed_programs
from config.management.installation import current_target, describe
from foundation.append_only import AppendOnly, append_only_tables, protect_table_sql

OURS = ("foundation", "accounts", "inference_workers", "annotation", "arena")


def our_models() -> list[type[models.Model]]:
    return [model for label in OURS for model in apps.get_app_config(label).get_models()]


def test_every_table_that_is_written_once_is_protected_by_a_migration():
    statements = [
        operation.sql
        for migration in MigrationLoader(None).disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, RunSQL)
    ]
    assert [table for table in append_only_tables() if protect_table_sql(table) not in statements] == []
    assert len(append_only_tables()) >= 10


def test_nothing_that_is_deleted_takes_a_row_of_the_log_with_it_or_empties_one():
    taken = {
        f"{model.__name__}.{field.name}": field.remote_field.on_delete.__name__
        for model in our_models()
        if issubclass(model, AppendOnly)
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is not models.PROTECT
    }
    assert taken == {}


def conditions(condition: object) -> Iterator[tuple[str, object]]:
    """The comparisons of a CHECK, as lookup and value."""
    if isinstance(condition, models.Q):
        for child in condition.children:
            yield from conditions(child)
    elif isinstance(condition, tuple):
        yield condition


def compared_with_choices(model: type[models.Model]) -> Iterator[tuple[str, set[object], set[object]]]:
    """Per comparison of a field that has choices: where, the values the CHECK names, and those there are."""
    rules = [each for each in model._meta.constraints if getattr(each, "condition", None) is not None]
    rules += [index for index in model._meta.indexes if index.condition is not None]
    for rule in rules:
        for lookup, value in conditions(rule.condition):
            name, _, how = lookup.partition("__")
            field = model._meta.get_field(name)
            if how in ("", "exact", "in") and getattr(field, "choices", None) and isinstance(value, str | list | tuple):
                values = {value} if isinstance(value, str) else set(value)
                yield f"{model.__name__}.{rule.name}", values, {choice for choice, _label in field.choices}


def test_constraints_and_indexes_name_only_values_that_exist():
    """A misspelt state in a CHECK is a rule that never holds, or always."""
    found = [each for model in our_models() for each in compared_with_choices(model)]
    wrong = {where: values - known - {""} for where, values, known in found if values - known - {""}}
    assert wrong == {}
    assert len(found) > 30


def test_control_a_misspelt_value_in_a_constraint_is_noticed():
    model = next(each for each in our_models() if each.__name__ == "Slot")
    misspelt = models.CheckConstraint(name="planted", condition=models.Q(state="opened") | ~models.Q(state="done"))
    model._meta.constraints.append(misspelt)
    try:
        with pytest.raises(AssertionError, match="opened"):
            test_constraints_and_indexes_name_only_values_that_exist()
    finally:
        model._meta.constraints.remove(misspelt)


@pytest.mark.django_db
def test_every_table_is_in_the_backup(tmp_path):
    file = tmp_path / "backup.tar"
    write_backup(file, current_target(), describe(), keys={})
    subprocess.run(["tar", "-xf", str(file), "-C", str(tmp_path), "database.dump"], check=True)
    listing = subprocess.run(
        [str(installed_programs().postgres / "pg_restore"), "--list", str(tmp_path / "database.dump")],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    saved = {line.split()[-2] for line in listing.splitlines() if " TABLE DATA " in line}
    through = {field.m2m_db_table() for model in apps.get_models() for field in model._meta.local_many_to_many}
    wanted = {model._meta.db_table for model in apps.get_models() if model._meta.managed} | through
    assert sorted(wanted - saved) == []
