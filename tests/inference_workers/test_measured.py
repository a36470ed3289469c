"""What Prometheus reads of endpoints."""

from decimal import Decimal

import pytest
from django.test import RequestFactory
from django.utils import timezone

from foundation import health
from foundation.middleware import metrics_page
from inference_workers.models import EndpointGauge
from inference_workers.queries import measured
from tests.inference_workers.factories import claim, make_completion, make_endpoint, make_revision

pytestmark = pytest.mark.django_db(transaction=True)


def lines_of(endpoint):
    wanted = f'{{endpoint="{endpoint.pk}"}}'
    lines = [line for line in health.metrics().decode().splitlines() if wanted in line]
    return {
        name.removeprefix("cardinal_endpoint_"): float(value) for name, value in (line.split(wanted) for line in lines)
    }


def test_every_endpoint_says_what_waits_what_runs_and_whether_it_is_left_alone():
    endpoint, idle = make_endpoint(name="canaryname"), make_endpoint()
    revision = make_revision(endpoint=endpoint)
    first, _second, _third = [make_completion(revision=revision) for _ in range(3)]
    claim(first)
    EndpointGauge.objects.filter(pk=endpoint.pk).update(
        state="open", opened_until=timezone.now(), spent_today=Decimal("1.25"), spent_on=timezone.now().date()
    )
    assert lines_of(endpoint) == {"breaker": 1, "spent_dollars": 1.25, "queued": 2, "running": 1, "failed": 0}
    assert lines_of(idle) == {"breaker": 0, "spent_dollars": 0, "queued": 0, "running": 0, "failed": 0}
    assert "canaryname" not in health.metrics().decode()


def test_other_figures_are_there_while_postgresql_is_away(monkeypatch):
    def away():
        raise measured.psycopg.OperationalError("gone")

    monkeypatch.setattr(measured, "lone_connection", away)
    answer = metrics_page(RequestFactory().get("/metrics", REMOTE_ADDR="127.0.0.1"))
    assert (answer.status_code, b"cardinal_endpoint_" in answer.content) == (200, False)
    assert b"cardinal_requests" in answer.content
