"""Rows that are written once: refused in Python, by a trigger, and by the rights of the application's role."""

from typing import Any, NoReturn

import structlog
from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, models, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations import RunSQL
from django.db.models.signals import class_prepared, pre_delete

from foundation.database import CAN_BE_LET_ANALYZE

log = structlog.get_logger(__name__)

TRIGGER = "refuse_change"

# One statement trigger serves the three verbs; by statement it also fires for an update that meets no row.
PROTECT_SQL = """
CREATE OR REPLACE FUNCTION foundation_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE restrict_violation USING MESSAGE = TG_TABLE_NAME || ' is append-only: ' || TG_OP || ' refused';
END
$$;
CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION foundation_refuse_change();
"""
UNPROTECT_SQL = "DROP TRIGGER IF EXISTS refuse_change ON {table};"


class AppendOnlyError(TypeError):
    """A change or a deletion of a row that is written once. Write a superseding row instead."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def _refuse(self, verb: str) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.label} is append-only: {verb} refused")

    def update(self, **values: Any) -> NoReturn:
        self._refuse("update")

    def delete(self) -> NoReturn:
        self._refuse("delete")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("bulk_update")

    def update_or_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("update_or_create")

    def _update(self, values: Any, returning_fields: Any = None) -> NoReturn:
        self._refuse("update")

    def _raw_delete(self, using: str | None) -> NoReturn:
        self._refuse("delete")

    def bulk_create(self, objs: Any, *args: Any, update_conflicts: bool = False, **kwargs: Any) -> Any:
        if update_conflicts:
            self._refuse("bulk_create with update_conflicts")
        return super().bulk_create(objs, *args, **kwargs)

    # Django marks both so that templates and related managers cannot call them.
    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]
    update.alters_data = True  # type: ignore[attr-defined]


AppendOnlyManager = models.Manager.from_queryset(AppendOnlyQuerySet)


class AppendOnly(models.Model):
    """Base of rows that are written once. Give the table `protect_table` in its migration too."""

    objects = AppendOnlyManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding or kwargs.get("force_update") or kwargs.get("update_fields"):
            raise AppendOnlyError(f"{self._meta.label} {self.pk} is append-only: save refused")
        # Without it a row with a chosen primary key would be tried as an UPDATE first.
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self._meta.label} {self.pk} is append-only: delete refused")


def _use_refusing_managers(sender: type[models.Model], **kwargs: Any) -> None:
    """Cascades and save() go through the base manager, which a child's own Meta would leave at Django's default."""
    if not issubclass(sender, AppendOnly) or sender._meta.abstract:
        return
    if not all(isinstance(manager.all(), AppendOnlyQuerySet) for manager in sender._meta.managers):
        raise TypeError(f"{sender._meta.label}: every manager of an append-only model is made from AppendOnlyQuerySet")
    pre_delete.connect(_refuse_cascade, sender=sender, dispatch_uid="foundation.append_only")
    sender._meta.base_manager_name = sender._meta.default_manager_name or sender._meta.managers[0].name


def _refuse_cascade(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> NoReturn:
    raise AppendOnlyError(f"{sender._meta.label} {instance.pk} is append-only: delete by cascade refused")


class_prepared.connect(_use_refusing_managers, dispatch_uid="foundation.append_only")


def append_only_tables() -> list[str]:
    """The tables of every installed append-only model, in order of name."""
    return sorted(model._meta.db_table for model in apps.get_models() if issubclass(model, AppendOnly))


def protect_table_sql(table: str) -> str:
    return PROTECT_SQL.format(table=_quoted(table))


def unprotect_table_sql(table: str) -> str:
    return UNPROTECT_SQL.format(table=_quoted(table))


def protect_table(table: str) -> RunSQL:
    """The migration operation: `operations = [..., protect_table("annotation_judgment")]`."""
    return RunSQL(protect_table_sql(table), unprotect_table_sql(table))


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def grant_application_role(sender: Any, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """After a migrate: let the application's role read and write every table, but not change or delete the log.

    Runs as the owner. Where it may not make the role, or is that role itself, it says so in the log and goes on.
    """
    connection = connections[using]
    role = settings.DATABASE_APP_ROLE
    if connection.vendor != "postgresql" or not role:
        return
    try:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            _grant(cursor, role)
    except DatabaseError as error:
        log.warning("application_role_not_granted", role=role, reason=str(error).strip())


def _grant(cursor: CursorWrapper, role: str) -> None:
    cursor.execute(
        "SELECT current_user, rolsuper OR rolcreaterole, EXISTS (SELECT FROM pg_roles WHERE rolname = %s)"
        " FROM pg_roles WHERE rolname = current_user",
        [role],
    )
    user, may_create, exists = cursor.fetchone()
    if user == role:
        log.warning(
            "application_role_owns_tables",
            role=role,
            reason="one role migrates and writes: only the triggers protect the log. Set DATABASE_OWNER_URL.",
        )
        return
    if not exists and not may_create:
        log.warning("application_role_missing", role=role, reason=f"{user} may not create it")
        return
    if not exists:
        _create_role(cursor, role)
    if exists and _is_granted(cursor, role):
        return
    for statement in _grant_statements(cursor, role):
        cursor.execute(statement)


def _create_role(cursor: CursorWrapper, role: str) -> None:
    # Roles belong to the whole server: two migrates of two databases may both find it missing.
    cursor.execute(
        f"DO $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN', {_literal(role)}); "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def _literal(value: str) -> str:
    return "'{}'".format(value.replace("'", "''"))


def _is_granted(cursor: CursorWrapper, role: str) -> bool:
    """Whether every table already has exactly these rights; asked because each GRANT rewrites catalogue rows."""
    cursor.execute(
        """
        SELECT has_schema_privilege(%(role)s, current_schema(), 'USAGE') AND NOT EXISTS (
            SELECT FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND CASE
                WHEN relkind = 'S' THEN NOT has_sequence_privilege(%(role)s, oid, 'USAGE')
                WHEN relkind NOT IN ('r', 'p') THEN false
                WHEN relname = ANY(%(protected)s) THEN NOT has_table_privilege(%(role)s, oid, 'SELECT')
                    OR NOT has_table_privilege(%(role)s, oid, 'INSERT')
                    OR has_table_privilege(%(role)s, oid, 'UPDATE, DELETE, TRUNCATE')
                ELSE NOT has_table_privilege(%(role)s, oid, 'SELECT')
                    OR NOT has_table_privilege(%(role)s, oid, 'INSERT')
                    OR NOT has_table_privilege(%(role)s, oid, 'UPDATE')
                    OR NOT has_table_privilege(%(role)s, oid, 'DELETE')
            END
        )
        """,
        {"role": role, "protected": append_only_tables()},
    )
    return bool(cursor.fetchone()[0]) and _may_count_anew(cursor, role)


def _may_count_anew(cursor: CursorWrapper, role: str) -> bool:
    """Whether the role may analyze every table, or no role but the owner can."""
    if cursor.db.pg_version < CAN_BE_LET_ANALYZE:
        return True
    cursor.execute(
        "SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT has_table_privilege(%s, oid, 'MAINTAIN'))",
        [role],
    )
    return bool(cursor.fetchone()[0])


def _grant_statements(cursor: CursorWrapper, role: str) -> list[str]:
    cursor.execute("SELECT current_schema()")
    schema, grantee = _quoted(cursor.fetchone()[0]), _quoted(role)
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s)",
        [append_only_tables()],
    )
    protected = ", ".join(f"{schema}.{_quoted(name)}" for (name,) in cursor.fetchall())
    rights = "SELECT, INSERT, UPDATE, DELETE" + (", MAINTAIN" if cursor.db.pg_version >= CAN_BE_LET_ANALYZE else "")
    statements = [
        f"GRANT USAGE ON SCHEMA {schema} TO {grantee}",
        f"GRANT {rights} ON ALL TABLES IN SCHEMA {schema} TO {grantee}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {grantee}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {rights} ON TABLES TO {grantee}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {grantee}",
    ]
    if protected:
        statements.append(f"REVOKE UPDATE, DELETE, TRUNCATE ON {protected} FROM {grantee}")
    return statements
