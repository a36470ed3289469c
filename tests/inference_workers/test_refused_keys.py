"""An endpoint that refuses its key, or has no credit left, is asked once; batches wait for an operator."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inference_workers.enums import BreakerState, Priority
from inference_workers.models import Completion, EndpointGauge
from inference_workers.policies import breaker
from inference_workers.tasks import pump as pumping
from inference_workers.use_cases.ask_for_test import ask_for_test
from inference_workers.use_cases.edit_endpoint import EndpointSettings, edit_endpoint
from tests.factories import make_user
from tests.inference_workers.counting_endpoint import CountingEndpoint
from tests.inference_workers.test_endpoint_limits import asked, gauge_of, let_open_time_pass, pump, served

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def brief_patience(monkeypatch):
    monkeypatch.setattr(pumping, "PATIENCE_SECONDS", 0.5)


def codes(completions):
    rows = Completion.objects.filter(pk__in=[each.pk for each in completions])
    return sorted(set(rows.values_list("state", "error_code")))


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(401, "endpoint_key_refused", "refuses the key"), (402, "endpoint_no_credit", "no credit left")],
)
def test_one_refusal_opens_it_and_tells_the_operator_what_to_do(status, code, words):
    with CountingEndpoint(broken=True, status=status) as server:
        revision = served(server, capacity=1)
        waiting = asked(revision, 6, priority=Priority.VISITOR)
        pump()
        assert server.requests == 1
    gauge = gauge_of(revision)
    assert (gauge.state, gauge.opened_for) == (BreakerState.OPEN, code)
    assert codes(waiting) == [("failed", code), ("failed", "endpoint_open")]
    client = Client()
    client.force_login(make_user(role="operator"))
    for page in (reverse("models"), reverse("endpoint", args=[revision.endpoint_id])):
        assert words in client.get(page).content.decode()


def test_control_taken_for_an_ordinary_fault_it_is_asked_again_and_again(monkeypatch):
    monkeypatch.setattr(breaker, "SHUT", frozenset())
    with CountingEndpoint(broken=True, status=401) as server:
        asked(served(server, capacity=1), 6, priority=Priority.VISITOR)
        pump()
        assert server.requests == 6


def test_a_batch_waits_for_the_operator_and_goes_on_once_the_key_is_mended():
    with CountingEndpoint(broken=True, status=403) as server:
        revision = served(server, capacity=1)
        batch = asked(revision, 4)
        for tries in range(5):
            pump()
            assert (server.requests, codes(batch)[-1][0]) == (tries + 1, "queued")
            let_open_time_pass(revision)
        EndpointGauge.objects.update(opened_until=timezone.now() + timedelta(hours=1))
        server.broken = False
        endpoint = revision.endpoint
        kept = {"name": endpoint.name, "backend": endpoint.backend, "base_url": endpoint.base_url, "capacity": 1}
        settings = EndpointSettings(**kept, key="another")
        edit_endpoint(endpoint_id=revision.endpoint_id, settings=settings, now=timezone.now())
        pump()
    assert codes(batch) == [("succeeded", "")]
    assert (gauge_of(revision).state, gauge_of(revision).opened_for) == (BreakerState.CLOSED, "")


def test_an_operators_tests_leave_an_endpoint_alone_for_no_longer_than_it_was():
    with CountingEndpoint(broken=True, status=401) as server:
        revision = served(server)
        asked(revision, 1, priority=Priority.VISITOR)
        pump()
        left = [gauge_of(revision).openings]
        for _press in range(4):
            first = ask_for_test(language_model_id=revision.language_model_id, now=timezone.now())
            again = ask_for_test(language_model_id=revision.language_model_id, now=timezone.now())
            assert first == again  # it waits for the worker
            pump()
            left.append(gauge_of(revision).openings)
    assert (left, codes([first])) == ([1] * 5, [("failed", "endpoint_key_refused")])


def test_an_operators_test_of_a_refused_key_ends_and_says_so():
    with CountingEndpoint(broken=True, status=401) as server:
        revision = served(server)
        asked(revision, 1, priority=Priority.VISITOR)
        pump()
        test = ask_for_test(language_model_id=revision.language_model_id, now=timezone.now())
        pump()
    assert codes([test]) == [("failed", "endpoint_key_refused")]
