import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from foundation.append_only import AppendOnly, append_only_tables

PRIMARY = {"annotation_logentry": "sequence", "inference_workers_ruleset": "digest"}
PROTECTED = sorted(m._meta.db_table for m in apps.get_models() if issubclass(m, AppendOnly))


def test_the_log_and_its_neighbours_are_append_only():
    assert append_only_tables() == [
        "annotation_adjudication",
        "annotation_consenttext",
        "annotation_datasetwithdrawal",
        "annotation_delivery",
        "annotation_draw",
        "annotation_earlierturn",
        "annotation_event",
        "annotation_guidelinesversion",
        "annotation_impression",
        "annotation_impressionevent",
        "annotation_instrument",
        "annotation_itemcomment",
        "annotation_judgment",
        "annotation_judgmenttext",
        "annotation_leaderboardsnapshot",
        "annotation_ledgerentry",
        "annotation_logentry",
        "annotation_paidentry",
        "annotation_payment",
        "annotation_payout",
        "annotation_payoutline",
        "annotation_promptlabel",
        "annotation_question",
        "annotation_reaction",
        "annotation_reviewdecision",
        "arena_enteredrevision",
        "arena_promptdraw",
        "inference_workers_operatorevent",
        "inference_workers_ruleset",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("table", PROTECTED)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {pk} = {pk}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_application_role_may_not_change_a_protected_table(table, statement):
    pk = PRIMARY.get(table, "id")
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table, pk=pk))
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


@pytest.mark.django_db
@pytest.mark.parametrize("table", PROTECTED)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {pk} = {pk}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_a_trigger_refuses_even_the_owner(table, statement):
    pk = PRIMARY.get(table, "id")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute(statement.format(table, pk=pk))


@pytest.mark.django_db
def test_tests_run_in_the_application_role():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (settings.DATABASE_APP_ROLE,)
