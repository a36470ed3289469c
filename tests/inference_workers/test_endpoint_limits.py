"""What an endpoint may be asked, whatever is waiting and however many workers ask: pumps beside each other on a real
database, and a server on a real socket that counts."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from inference_workers.engine.protocol import ErrorCode, GenerationError
from inference_workers.engine.scripted import Script
from inference_workers.enums import Backend, BreakerState, CompletionState, Priority
from inference_workers.models import Completion, Endpoint, EndpointGauge, LanguageModel
from inference_workers.policies import breaker
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks import pump as pumping
from inference_workers.tasks import sweep_completions
from inference_workers.tasks.backends import Backends
from inference_workers.tasks.pump import Pump
from inference_workers.use_cases import claim_completions as claiming
from inference_workers.use_cases.claim_completions import claim_completions
from tests.foundation.threads import run_together
from tests.inference_workers.counting_endpoint import CountingEndpoint
from tests.inference_workers.factories import LEASE, claim, make_completion, make_endpoint, make_revision
from tests.inference_workers.pumping import Scripts, outcome, run_pump
from tests.inference_workers.test_claim_completions import unlocked_gauge

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def brief_patience(monkeypatch):
    """A pump that may ask nothing more ends soon, and these tests with it."""
    monkeypatch.setattr(pumping, "PATIENCE_SECONDS", 0.5)


def served(server, *, model=None, max_tokens=256, **fields):
    """A revision at this server."""
    endpoint = make_endpoint(backend=Backend.OPENAI, base_url=server.url, **fields)
    return make_revision(endpoint=endpoint, provider_model="tiny", model=model, max_tokens=max_tokens)


def asked(revision, count, *, priority=Priority.BATCH):
    return [make_completion(revision=revision, priority=priority) for _ in range(count)]


def pump(rest_seconds=20.0):
    """A worker of its own: its own backends, nothing shared but the database."""
    writer = StreamWriter(sync_client())
    Pump(backends=Backends(), writer=writer, lease=timedelta(seconds=30), rest_seconds=rest_seconds).run()


def two_pumps():
    failed = [each for each in run_together(pump, pump, within=60) if each is not None]
    assert failed == []


def states():
    return sorted(Completion.objects.values_list("state", flat=True))


def gauge_of(revision):
    return EndpointGauge.objects.get(pk=revision.endpoint_id)


def let_open_time_pass(revision):
    EndpointGauge.objects.filter(pk=revision.endpoint_id).update(opened_until=timezone.now() - timedelta(seconds=1))


# -- at once


def test_two_workers_together_ask_an_endpoint_no_more_at_once_than_its_capacity():
    with CountingEndpoint(seconds=0.05) as server:
        asked(served(server, capacity=3), 60)
        two_pumps()
    print(f"requests: {server.requests}, most at once: {server.most_at_once}")
    assert (server.requests, states()) == (60, ["succeeded"] * 60)
    assert server.most_at_once == 3


def test_control_without_the_gauge_two_workers_ask_for_more(monkeypatch):
    """Each counts what it holds itself, as it would by its own memory."""
    monkeypatch.setattr(claiming, "RUNNING", "SELECT 0, 0::numeric, false")
    with CountingEndpoint(seconds=0.05) as server:
        asked(served(server, capacity=3), 60)
        two_pumps()
    print(f"requests: {server.requests}, most at once: {server.most_at_once}")
    assert server.most_at_once > 3


def claim_together(endpoint_id, count, **given):
    def take():
        return len(claim_completions(endpoint_id=endpoint_id, limit=5, lease=LEASE, now=timezone.now(), **given))

    return run_together(*[take] * count)


def test_claims_at_once_do_not_pass_the_capacity_together():
    revision = make_revision(endpoint=make_endpoint(capacity=3))
    asked(revision, 40)
    assert sum(claim_together(revision.endpoint_id, 8)) == 3


def test_control_without_the_lock_claims_at_once_pass_it_together(monkeypatch):
    def looked_at(**given):
        found = unlocked_gauge(**given)
        time.sleep(0.3)
        return found

    monkeypatch.setattr(claiming, "lock_gauge", looked_at)
    counted = claiming._running

    def counting(gauge):
        found = counted(gauge)
        time.sleep(0.3)
        return found

    monkeypatch.setattr(claiming, "_running", counting)
    revision = make_revision(endpoint=make_endpoint(capacity=3))
    asked(revision, 40)
    assert sum(claim_together(revision.endpoint_id, 4)) > 3


def test_what_a_dead_worker_held_takes_no_place_once_its_lease_ran_out():
    revision = make_revision(endpoint=make_endpoint(capacity=1))
    first, _second = asked(revision, 2)
    claim(first)
    assert claim_together(revision.endpoint_id, 1) == [0]
    Completion.objects.filter(pk=first.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert claim_together(revision.endpoint_id, 1) == [1]


# -- a minute


def test_an_endpoint_is_asked_no_more_than_its_requests_a_minute(monkeypatch):
    """At once a sixth of a minute's, and then as they come back."""
    monkeypatch.setattr(pumping, "PATIENCE_SECONDS", 5.0)
    with CountingEndpoint() as server:
        asked(served(server, capacity=60, requests_per_minute=60), 60)
        run_together(lambda: pump(3.0), lambda: pump(3.0), within=60)
    print(f"requests in three seconds: {server.requests}")
    assert 10 <= server.requests <= 10 + 4
    assert states().count("succeeded") == server.requests


def test_control_without_the_bucket_it_is_asked_everything_at_once(monkeypatch):
    monkeypatch.setattr(claiming, "filled", lambda left, per_minute, seconds: None)
    with CountingEndpoint() as server:
        asked(served(server, capacity=60, requests_per_minute=60), 60)
        run_together(lambda: pump(3.0), lambda: pump(3.0), within=60)
    assert server.requests == 60


def test_tokens_a_minute_are_taken_at_their_most_and_given_back_when_they_are_known():
    with CountingEndpoint() as server:
        revision = served(server, max_tokens=100, tokens_per_minute=1200)
        asked(revision, 3)
        claimed = claim_completions(endpoint_id=revision.endpoint_id, limit=5, lease=LEASE, now=timezone.now())
        assert (len(claimed), round(gauge_of(revision).tokens_left)) == (2, 0)
    Completion.objects.all().delete()
    EndpointGauge.objects.update(tokens_left=None)
    with CountingEndpoint() as server:
        Endpoint.objects.update(base_url=server.url)
        asked(revision, 1)
        pump()
    # 120 of 200 were used, and a second gives 16 back.
    assert 80 <= gauge_of(revision).tokens_left <= 200


# -- a dead endpoint


def test_an_endpoint_that_fails_is_left_alone_and_people_are_told_at_once():
    with CountingEndpoint(broken=True) as server:
        revision = served(server)
        first = asked(revision, 20, priority=Priority.VISITOR)
        started = time.monotonic()
        pump()
        spent = time.monotonic() - started
        late = asked(revision, 1, priority=Priority.VISITOR)[0]
        started = time.monotonic()
        pump()
        told_after = time.monotonic() - started
    codes = sorted({outcome(each)[1] for each in [*first, late]})
    print(f"requests: {server.requests}, first twenty told after {spent:.1f} s, a later one after {told_after:.1f} s")
    assert (states(), codes, outcome(late)[1]) == (["failed"] * 21, ["endpoint_open"], "endpoint_open")
    assert server.requests <= revision.endpoint.capacity + breaker.OPENS_AFTER
    assert told_after < 1


def test_control_with_the_breaker_patched_shut_everything_is_asked_three_times(monkeypatch):
    monkeypatch.setattr(breaker, "OPENS_AFTER", 10**6)
    monkeypatch.setattr("inference_workers.policies.retry.VISITOR_RETRY_SECONDS", (0.1,))
    with CountingEndpoint(broken=True) as server:
        asked(served(server), 20, priority=Priority.VISITOR)
        pump()
    assert (server.requests, states()) == (60, ["failed"] * 20)


def test_batches_wait_for_an_endpoint_that_is_left_alone_and_one_of_them_tries_it():
    with CountingEndpoint(broken=True) as server:
        revision = served(server, capacity=8)
        asked(revision, breaker.OPENS_AFTER, priority=Priority.VISITOR)
        pump()
        failed = server.requests
        batch = asked(revision, 10)
        pump()
        assert (server.requests, gauge_of(revision).state) == (failed, BreakerState.OPEN)
        let_open_time_pass(revision)
        pump()
        gauge = gauge_of(revision)
        assert (server.requests, gauge.state, gauge.openings) == (failed + 1, BreakerState.OPEN, 2)
        assert (gauge.probe_code, gauge.probed_at is not None) == ("endpoint_status", True)
        server.broken = False
        Completion.objects.update(claimable_at=timezone.now())
        let_open_time_pass(revision)
        pump()
    assert gauge_of(revision).state == BreakerState.CLOSED
    assert {outcome(each)[0] for each in batch} == {"succeeded"}


def test_an_endpoint_nobody_has_a_batch_for_is_tried_with_something_small_of_its_own():
    with CountingEndpoint(broken=True) as server:
        revision = served(server)
        asked(revision, breaker.OPENS_AFTER, priority=Priority.VISITOR)
        pump()
        failed, server.broken = server.requests, False
        sweep_completions()
        assert not Completion.objects.filter(priority=Priority.PROBE).exists()
        let_open_time_pass(revision)
        sweep_completions()
        sweep_completions()
        (probe,) = Completion.objects.filter(priority=Priority.PROBE)
        # Whoever comes meanwhile is told, and does not wait for the outcome.
        person = asked(revision, 1, priority=Priority.VISITOR)[0]
        pump()
    assert (server.requests, outcome(probe)[0], outcome(person)[1]) == (failed + 1, "succeeded", "endpoint_open")
    gauge = gauge_of(revision)
    assert (gauge.state, gauge.openings, gauge.opened_until, gauge.probe_code) == ("closed", 0, None, "")


def test_a_probe_whose_worker_died_leaves_its_place_to_another():
    revision = make_revision()
    EndpointGauge.objects.update(state=BreakerState.OPEN, openings=1, opened_until=timezone.now())
    lost, _waits = asked(revision, 2)
    claim(lost)
    assert claim_together(revision.endpoint_id, 3) == [0, 0, 0]
    Completion.objects.filter(pk=lost.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert sorted(claim_together(revision.endpoint_id, 3)) == [0, 0, 1]


@pytest.mark.parametrize("code", [ErrorCode.CONTEXT_TOO_LONG, ErrorCode.ENDPOINT_FILTERED, ErrorCode.PROMPT_INVALID])
def test_nobody_can_take_an_endpoint_from_others_by_what_they_ask(code):
    revision = make_revision()
    asked(revision, 12, priority=Priority.VISITOR)
    backends = Scripts()
    backends.rule = lambda request: Script((), GenerationError(code, "no"))
    run_pump(backends)
    assert (states(), gauge_of(revision).state) == (["failed"] * 12, BreakerState.CLOSED)


# -- money

PRICED = {"price_read": "2", "price_written": "10"}
# 100 tokens read and 20 written.
COST = Decimal("0.0004")


def test_a_completion_keeps_what_it_cost_at_the_price_of_its_moment():
    with CountingEndpoint() as server:
        revision = served(server, model=PRICED)
        (completion,) = asked(revision, 1)
        pump()
    LanguageModel.objects.update(price_read="200", price_written="1000")
    completion.refresh_from_db()
    assert (completion.cost, gauge_of(revision).spent_today) == (COST, COST)


def test_control_a_cost_computed_of_todays_price_changes_with_it():
    def computed(completion):
        model = LanguageModel.objects.get()
        tokens = (completion.prompt_tokens, completion.completion_tokens)
        return sum(count * price for count, price in zip(tokens, (model.price_read, model.price_written), strict=True))

    with CountingEndpoint() as server:
        (completion,) = asked(served(server, model=PRICED), 1)
        pump()
    completion.refresh_from_db()
    before = computed(completion)
    LanguageModel.objects.update(price_read="200", price_written="1000")
    assert computed(completion) == 100 * before


def test_an_attempt_that_failed_after_it_wrote_is_paid_too(monkeypatch):
    monkeypatch.setattr("inference_workers.policies.retry.VISITOR_RETRY_SECONDS", (0.1,))
    revision = make_revision(model={**PRICED, "aliases": ["Model X"]})
    half = Script(("Half of it is",), GenerationError(ErrorCode.ENDPOINT_TRUNCATED, "broke off", retryable=True))
    attempts = iter([half])
    backends = Scripts()
    backends.rule = lambda request: next(attempts, Script(("Yes", ".")))
    (completion,) = asked(revision, 1, priority=Priority.VISITOR)
    run_pump(backends)
    # Two words asked; of the first attempt only characters are known: 14 asked and 13 written.
    first = (4 * Decimal(2) + 4 * Decimal(10)) / 10**6
    second = (2 * Decimal(2) + 2 * Decimal(10)) / 10**6
    assert (outcome(completion)[0], completion.attempt, completion.cost) == ("succeeded", 2, first + second)
    assert gauge_of(revision).spent_today == first + second


def test_what_fails_without_a_word_costs_nothing_and_without_a_price_nothing_is_known():
    with CountingEndpoint(broken=True) as server:
        (failed,) = asked(served(server, model=PRICED), 1, priority=Priority.VISITOR)
        pump()
    with CountingEndpoint() as server:
        (unpriced,) = asked(served(server), 1)
        pump()
    failed.refresh_from_db()
    unpriced.refresh_from_db()
    assert (failed.state, failed.cost, unpriced.state, unpriced.cost) == ("failed", None, "succeeded", None)


def budgeted(server, completions):
    """A revision whose day's budget is worth so many completions, each at its most."""
    return served(
        server,
        capacity=50,
        max_tokens=20,
        model={"price_read": "0", "price_written": "50000"},  # one dollar for 20 tokens
        daily_budget=Decimal(completions),
    )


def test_a_days_budget_is_met_exactly_by_workers_that_race_for_it():
    with CountingEndpoint(seconds=0.05) as server:
        revision = budgeted(server, 10)
        asked(revision, 40)
        two_pumps()
        print(f"requests: {server.requests}, spent: {gauge_of(revision).spent_today}")
        assert (server.requests, gauge_of(revision).spent_today) == (10, Decimal(10))
        person = asked(revision, 1, priority=Priority.VISITOR)[0]
        pump()
        assert outcome(person)[0] == "succeeded"
        assert (states().count("queued"), gauge_of(revision).spent_today) == (30, Decimal(11))


def test_control_without_what_is_reserved_they_spend_more_than_the_budget(monkeypatch):
    monkeypatch.setattr(claiming, "RUNNING", "SELECT 0, 0::numeric, false")
    monkeypatch.setattr(claiming, "affordable", lambda wanted, left, **given: wanted if left.budget > 0 else [])
    with CountingEndpoint(seconds=0.05) as server:
        revision = budgeted(server, 10)
        asked(revision, 40)
        two_pumps()
    assert gauge_of(revision).spent_today > 10


def test_the_next_day_has_its_own_budget():
    with CountingEndpoint() as server:
        revision = budgeted(server, 2)
        asked(revision, 3)
        pump()
        assert states().count("succeeded") == 2
        EndpointGauge.objects.update(spent_on=timezone.now().date() - timedelta(days=1))
        pump()
    assert (states(), gauge_of(revision).spent_today) == (["succeeded"] * 3, Decimal(1))


# -- what its server understands


def test_a_server_with_a_dialect_of_its_own_is_asked_in_it():
    with CountingEndpoint() as server:
        fields = {"ask_usage": False, "max_tokens_field": "max_completion_tokens", "extra_body": {"effort": "low"}}
        asked(served(server, max_tokens=50, **fields), 1)
        pump()
    (body,) = server.bodies
    assert (body["max_completion_tokens"], body["effort"]) == (50, "low")
    assert {"max_tokens", "stream_options"} & set(body) == set()


def test_a_pump_with_nothing_but_what_it_may_not_ask_ends():
    revision = make_revision(endpoint=make_endpoint(requests_per_minute=1))
    asked(revision, 2)
    begun = time.monotonic()
    run_pump()
    assert time.monotonic() - begun < 5
    assert states() == [CompletionState.QUEUED, CompletionState.SUCCEEDED]
