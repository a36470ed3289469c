"""What a killed, cancelled or stopped attempt used is charged, so that workers that die cannot pass a day's budget."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from inference_workers.engine.scripted import Script
from inference_workers.enums import Priority
from inference_workers.models import Completion, EndpointGauge
from inference_workers.policies.prices import Usage
from inference_workers.use_cases import requeue_expired as requeueing
from inference_workers.use_cases.cancel_completion import cancel_completion
from inference_workers.use_cases.claim_completions import claim_completions
from inference_workers.use_cases.requeue_expired import requeue_expired
from inference_workers.use_cases.settle_cancelled import settle_cancelled
from tests.inference_workers.factories import (
    LEASE,
    claim,
    let_lease_run_out,
    make_completion,
    make_endpoint,
    make_revision,
)
from tests.inference_workers.pumping import Scripts, run_pump

pytestmark = pytest.mark.django_db(transaction=True)

PRICES = {"price_read": Decimal(0), "price_written": Decimal(10_000)}  # a cent for each token
MOST = Decimal("0.10")  # of ten tokens


def priced(budget="0.50"):
    return make_revision(endpoint=make_endpoint(daily_budget=budget, capacity=1), model=PRICES, max_tokens=10)


def spent(revision):
    return EndpointGauge.objects.get(pk=revision.endpoint_id).spent_today


def take(revision):
    return claim_completions(endpoint_id=revision.endpoint_id, limit=5, lease=LEASE, now=timezone.now())


def kill_workers(revision, times):
    """Each takes what it may and dies; how often one took something, and so may have used as much."""
    taken = 0
    for _ in range(times):
        claimed = take(revision)
        taken += len(claimed)
        for completion in claimed:
            let_lease_run_out(completion)
        requeue_expired(now=timezone.now())
    return taken


def test_workers_that_die_cannot_pass_a_days_budget():
    revision = priced()
    for _ in range(8):
        make_completion(revision=revision, priority=Priority.BATCH)
    attempts = kill_workers(revision, times=20)
    print(f"attempts: {attempts}, charged: {spent(revision)}")
    assert (attempts, spent(revision)) == (5, Decimal("0.50"))
    rows = Completion.objects.filter(cost__isnull=False)
    assert sum(row.cost for row in rows) == sum(row.estimated_cost for row in rows) == Decimal("0.50")


def test_control_where_nobody_charges_what_died_the_budget_is_passed(monkeypatch):
    monkeypatch.setattr(requeueing, "charge_unheard", lambda completion: None)
    revision = priced()
    for _ in range(8):
        make_completion(revision=revision, priority=Priority.BATCH)
    attempts = kill_workers(revision, times=20)
    print(f"attempts: {attempts}, so perhaps used: {attempts * MOST}, charged: {spent(revision)}")
    assert attempts * MOST > Decimal("0.50")


def test_a_cancelled_attempt_counts_with_its_most_until_its_worker_says_what_it_took():
    revision = priced()
    completion = claim(make_completion(revision=revision))
    cancel_completion(completion_id=completion.pk, now=timezone.now())
    assert spent(revision) == MOST
    told = {"completion_id": completion.pk, "attempt": 1, "usage": Usage(read=50, written=3)}
    assert [settle_cancelled(**told), settle_cancelled(**told)] == [True, False]
    completion.refresh_from_db()
    assert (spent(revision), completion.cost, completion.estimated_cost) == (Decimal("0.03"), Decimal("0.03"), None)


def test_a_completion_that_waits_costs_nothing_when_it_is_cancelled():
    revision = priced()
    cancel_completion(completion_id=make_completion(revision=revision).pk, now=timezone.now())
    assert spent(revision) == 0


def test_a_worker_that_is_told_to_stop_charges_what_it_has():
    revision = make_revision(endpoint=make_endpoint(), model=PRICES, max_tokens=500)
    completion = make_completion(revision=revision)
    pieces, begun = tuple(f" word{n}" for n in range(400)), []

    def is_stopping():
        begun.append(1)
        return len(begun) > 3

    backends = Scripts({"Say something.": Script(pieces, pace_s=0.01)})
    run_pump(backends, is_stopping=is_stopping, clock=Hurried())
    completion.refresh_from_db()
    assert (completion.state, completion.reserved_cost, completion.estimated_cost) == ("queued", None, None)
    assert 0 < completion.cost == spent(revision) < Decimal(5)


class Hurried:
    """A clock on which ten seconds of draining take a tenth of one."""

    def __init__(self):
        self.begun = timezone.now()

    def __call__(self):
        return (timezone.now() - self.begun).total_seconds() * 20


def test_a_completion_after_a_death_keeps_both_costs_and_is_reserved_no_more():
    revision = priced()
    completion = claim(make_completion(revision=revision))
    assert completion.reserved_cost == MOST
    let_lease_run_out(completion)
    requeue_expired(now=timezone.now())
    Completion.objects.update(claimable_at=timezone.now() - timedelta(seconds=1))
    run_pump()
    completion.refresh_from_db()
    assert (completion.state, completion.estimated_cost, completion.reserved_cost) == ("succeeded", MOST, None)
    assert completion.cost == MOST + 3 * Decimal("0.01") == spent(revision)
