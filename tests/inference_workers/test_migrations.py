"""What migrations make of what is there: each goes back and forth over rows that it has to change."""

from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from inference_workers.models import Completion, Endpoint, EndpointGauge, LanguageModel, OperatorEvent
from tests.inference_workers.factories import make_completion, make_revision

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def back_and_forth(name):
    """To the tables as they were after the migration of that name, and back to how they are."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    try:
        MigrationExecutor(connection).migrate([("inference_workers", name)])
    finally:
        MigrationExecutor(connection).migrate(newest)
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


def completed(revision, read, written):
    completion = make_completion(revision=revision)
    Completion.objects.filter(pk=completion.pk).update(
        state="succeeded", text="Yes.", finish_reason="stop", prompt_tokens=read, completion_tokens=written
    )
    return completion


def test_what_was_completed_before_has_the_price_of_today_and_every_endpoint_a_gauge():
    priced, unpriced = make_revision(), make_revision()
    LanguageModel.objects.filter(pk=priced.language_model_id).update(price_read="0.5", price_written="1.5")
    known, without_tokens = completed(priced, 1000, 200), completed(priced, None, None)
    without_price = completed(unpriced, 1000, 200)
    back_and_forth("0004_prices")
    costs = dict(Completion.objects.values_list("pk", "cost"))
    assert costs == {known.pk: Decimal("0.0008"), without_tokens.pk: None, without_price.pk: None}
    gauges = set(EndpointGauge.objects.values_list("endpoint", "state"))
    assert gauges == {(pk, "closed") for pk in Endpoint.objects.values_list("pk", flat=True)}


def test_what_is_public_is_released_and_what_was_retired_keeps_the_name_that_was_read():
    said = {
        "public": ("public", []),
        "made public later": ("public", [["hidden", "public"]]),
        "hidden": ("hidden", []),
        "retired": ("retired", []),
        "retired from hidden": ("retired", [[None, "hidden"], ["hidden", "retired"]]),
        "retired after its release": ("retired", [["hidden", "public"], ["public", "retired"]]),
    }
    for name, (visibility, changes) in said.items():
        model = make_revision(model={"name": name, "visibility": visibility}).language_model
        for change in changes:
            fields = {"subject": "language model", "subject_id": model.pk, "verb": "edited"}
            OperatorEvent.objects.create(**fields, changes={"visibility": change})
    back_and_forth("0007_settings_of_a_completion")
    released = {model.name: model.released_at for model in LanguageModel.objects.all()}
    named = {"public", "made public later", "retired", "retired after its release"}
    assert {name for name, at in released.items() if at is not None} == named
    made = {model.name: model.created_at for model in LanguageModel.objects.all()}
    assert (released["public"], released["retired"]) == (made["public"], made["retired"])
    assert released["made public later"] > made["made public later"]
