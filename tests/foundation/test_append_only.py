import pytest
import structlog
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.test.utils import isolate_apps

from foundation import append_only
from foundation.append_only import (
    AppendOnly,
    AppendOnlyError,
    append_only_tables,
    grant_application_role,
    protect_table,
    protect_table_sql,
    unprotect_table_sql,
)

TABLE = "foundation_test_entry"
ROLE = "cardinal_test_writer"


@pytest.fixture(scope="module")
def classes():
    """An append-only model, one that points at it and one it points at, known to these tests alone."""
    with isolate_apps("foundation"):

        class Author(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "foundation"
                db_table = "foundation_test_author"

        class Entry(AppendOnly):
            author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="entries")
            text = models.TextField(unique=True)

            class Meta:
                app_label = "foundation"
                db_table = TABLE

        class Note(models.Model):  # noqa: DJ008
            entry = models.ForeignKey(Entry, on_delete=models.CASCADE)

            class Meta:
                app_label = "foundation"
                db_table = "foundation_test_note"

        yield Author, Entry, Note


@pytest.fixture
def entries(db, classes, monkeypatch):
    """Their tables, as the owner makes them; everything is rolled back."""
    as_owner()
    with connection.schema_editor() as editor:
        for model in classes:
            editor.create_model(model)
        editor.execute(protect_table_sql(TABLE))
    monkeypatch.setattr(append_only, "append_only_tables", lambda: [TABLE])
    return classes[1]


def as_owner():
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")


def execute(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def entry(entries, classes):
    author = classes[0].objects.create()
    entry = entries.objects.create(author=author, text="written once")
    # Checked now, else a table with checks outstanding could be neither altered nor emptied.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    return entry


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: type(entry).objects.update(text="x"),
        lambda entry: type(entry).objects.filter(pk=entry.pk).delete(),
        lambda entry: type(entry).objects.all()._raw_delete(None),
        lambda entry: type(entry).objects.bulk_update([entry], ["text"]),
        lambda entry: type(entry).objects.update_or_create(text="x", defaults={}),
        lambda entry: type(entry)._base_manager.update(text="x"),
        lambda entry: entry.author.entries.update(text="x"),
        lambda entry: entry.author.entries.all().delete(),
        lambda entry: entry.author.delete(),
        lambda entry: type(entry.author).objects.all().delete(),
        lambda entry: type(entry).objects.bulk_create(
            [type(entry)(author=entry.author, text="written once")],
            update_conflicts=True,
            update_fields=["text"],
            unique_fields=["text"],
        ),
        lambda entry: type(entry)(pk=entry.pk, author=entry.author, text="x").save(force_update=True),
    ],
)
def test_no_way_through_python_changes_or_deletes_a_row(entry, change):
    with pytest.raises(AppendOnlyError), transaction.atomic():
        change(entry)

    assert execute(f"SELECT text FROM {TABLE}") == [("written once",)]


def test_rows_are_written_one_by_one_and_in_bulk(entry):
    entries = type(entry)
    entries.objects.bulk_create([entries(author=entry.author, text=text) for text in ("second", "third")])
    entries.objects.get_or_create(text="third")
    entries(author=entry.author, text="fourth").save()

    assert list(entries.objects.order_by("pk").values_list("text", flat=True)) == [
        "written once",
        "second",
        "third",
        "fourth",
    ]


def test_a_row_with_a_chosen_key_is_inserted_never_updated(entry):
    with pytest.raises(DatabaseError, match="duplicate key"), transaction.atomic():
        type(entry)(pk=entry.pk, author=entry.author, text="over it").save()

    assert execute(f"SELECT text FROM {TABLE}") == [("written once",)]


CHANGES = [
    f"UPDATE {TABLE} SET text = 'x'",
    f"UPDATE {TABLE} SET text = 'x' WHERE false",
    f"DELETE FROM {TABLE}",
    f"TRUNCATE {TABLE} CASCADE",
    f"INSERT INTO {TABLE} (author_id, text) SELECT author_id, text FROM {TABLE}"
    " ON CONFLICT (text) DO UPDATE SET text = 'x'",
    "DELETE FROM foundation_test_author",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_trigger_refuses_even_the_owner(entry, statement):
    if statement.endswith("author"):
        execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {foreign_key()}")
        execute(f"ALTER TABLE {TABLE} ADD FOREIGN KEY (author_id) REFERENCES foundation_test_author ON DELETE CASCADE")
    with pytest.raises(DatabaseError, match=f"{TABLE} is append-only: (UPDATE|DELETE|TRUNCATE) refused"):
        execute(statement)

    assert execute(f"SELECT text FROM {TABLE}") == [("written once",)]


def foreign_key():
    ((name,),) = execute(f"SELECT conname FROM pg_constraint WHERE conrelid = '{TABLE}'::regclass AND contype = 'f'")
    return name


@pytest.mark.parametrize("statement", CHANGES[:1] + CHANGES[2:5])
def test_control_without_the_trigger_the_owner_changes_rows(entry, statement):
    execute(unprotect_table_sql(TABLE))

    execute(statement)

    assert execute(f"SELECT text FROM {TABLE}") != [("written once",)]


@pytest.fixture
def writer(settings, entry):
    settings.DATABASE_APP_ROLE = ROLE
    grant_application_role(sender=None)
    return entry


@pytest.mark.parametrize("statement", [*CHANGES[:5], f"SELECT * FROM {TABLE} FOR UPDATE"])
def test_the_application_role_has_no_right_to_change_the_log(writer, statement):
    execute(unprotect_table_sql(TABLE))
    execute(f"SET ROLE {ROLE}")

    with pytest.raises(DatabaseError, match="permission denied"):
        execute(statement)

    assert execute(f"SELECT text FROM {TABLE}") == [("written once",)]


def test_the_application_role_writes_the_log_and_everything_else(writer, classes):
    author, entries, note = classes
    execute(f"SET ROLE {ROLE}")

    entry = entries.objects.create(author=author.objects.create(), text="by the application")
    made = note.objects.create(entry=entry)
    note.objects.filter(pk=made.pk).update(entry=writer)
    made.delete()
    author.objects.filter(pk=entry.author_id).select_for_update().get()

    assert execute("SELECT count(*) FROM foundation_test_note") == [(0,)]
    with pytest.raises(DatabaseError, match="must be owner"):
        execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL")


def test_a_table_of_a_later_migration_is_readable_at_once(writer):
    execute("CREATE TABLE foundation_test_later (id serial)")
    execute(f"SET ROLE {ROLE}")

    execute("INSERT INTO foundation_test_later DEFAULT VALUES")

    assert execute("SELECT * FROM foundation_test_later") == [(1,)]


def test_granting_again_changes_nothing_and_asks_three_times(writer, django_assert_max_num_queries):
    before = rights()

    with django_assert_max_num_queries(5):
        grant_application_role(sender=None)

    assert rights() == before
    assert f"{ROLE}=arm/" in dict(before)[TABLE]
    assert f"{ROLE}=arwdm/" in dict(before)["foundation_test_note"]


def test_a_right_given_by_hand_is_taken_back_by_the_next_migrate(writer):
    execute(f"GRANT UPDATE ON {TABLE} TO {ROLE}")

    grant_application_role(sender=None)

    assert f"{ROLE}=arm/" in dict(rights())[TABLE]


def rights():
    return execute("SELECT relname, relacl::text FROM pg_class WHERE relname LIKE 'foundation_test_%' ORDER BY 1")


@pytest.mark.parametrize(
    ("user", "event"),
    [
        ("no_rights", "application_role_missing"),
        ("may_make_roles", "application_role_not_granted"),
        (ROLE, "application_role_owns_tables"),
    ],
)
def test_an_owner_without_the_rights_is_told_so_and_the_migrate_goes_on(entry, settings, user, event):
    settings.DATABASE_APP_ROLE = ROLE
    execute(f"CREATE ROLE {user} {'CREATEROLE' if user == 'may_make_roles' else ''}")
    execute(f"SET ROLE {user}")

    with structlog.testing.capture_logs() as logs:
        grant_application_role(sender=None)

    assert [(line["event"], line["log_level"], line["role"]) for line in logs] == [(event, "warning", ROLE)]
    assert execute("SELECT 1") == [(1,)]


def test_no_role_named_means_nothing_is_granted(entry, settings):
    settings.DATABASE_APP_ROLE = ""
    before = rights()

    grant_application_role(sender=None)

    assert rights() == before


def test_one_migrate_grants_once(db, settings, monkeypatch):
    as_owner()
    settings.DATABASE_APP_ROLE = ROLE
    granted = []
    monkeypatch.setattr(append_only, "_grant", lambda cursor, role: granted.append(role))

    call_command("migrate", verbosity=0)

    assert granted == [ROLE]


def test_a_manager_that_could_change_rows_is_refused_when_the_model_is_made():
    with isolate_apps("foundation"), pytest.raises(TypeError, match="Loose: every manager"):

        class Loose(AppendOnly):
            objects = models.Manager()

            class Meta:
                app_label = "foundation"


def test_every_append_only_table_of_the_apps_is_listed():
    expected = sorted(model._meta.db_table for model in apps.get_models() if issubclass(model, AppendOnly))

    assert append_only_tables() == expected
    assert TABLE not in expected


def test_the_migration_operation_protects_and_undoes(entry):
    operation = protect_table(TABLE)

    assert (operation.sql, operation.reverse_sql) == (protect_table_sql(TABLE), unprotect_table_sql(TABLE))


def test_a_name_is_quoted():
    assert 'ON "odd""; DROP TABLE x; --"' in protect_table_sql('odd"; DROP TABLE x; --')
