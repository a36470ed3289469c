import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from inference_workers.enums import CompletionState, Priority
from inference_workers.models import Completion, EndpointGauge
from inference_workers.use_cases import claim_completions as claiming
from inference_workers.use_cases.claim_completions import claim_completions
from inference_workers.use_cases.fail_completion import fail_completion
from inference_workers.use_cases.requeue_expired import requeue_expired
from tests.inference_workers.factories import (
    LEASE,
    claim,
    let_lease_run_out,
    make_completion,
    make_endpoint,
    make_revision,
)

pytestmark = pytest.mark.django_db(transaction=True)


def claim_of(endpoint_id, limit=1, **given):
    return claim_completions(endpoint_id=endpoint_id, limit=limit, lease=LEASE, now=timezone.now(), **given)


def unlocked_gauge(*, endpoint_id):
    """The guard off: the gauge as it is, held by nobody."""
    return EndpointGauge.objects.select_related("endpoint").get(pk=endpoint_id), timezone.now()


def claim_while_another_claims(endpoint_id):
    """One claim has taken what it wants and not committed yet when the other begins. Returns both."""
    taken, outcomes = threading.Event(), {}

    def second():
        taken.wait(10)
        outcomes["second"] = claim_of(endpoint_id)
        connections.close_all()

    other = threading.Thread(target=second)
    other.start()
    with transaction.atomic():
        outcomes["first"] = claim_of(endpoint_id)
        taken.set()
        other.join(0.5)
    other.join(10)
    return outcomes["first"], outcomes["second"]


def test_two_claims_at_once_on_one_completion_give_it_to_one():
    completion = make_completion()
    first, second = claim_while_another_claims(completion.revision.endpoint_id)
    assert [row.pk for row in first] == [completion.pk]
    assert list(second) == []
    completion.refresh_from_db()
    assert completion.attempt == 1


def test_control_without_its_locks_two_claims_at_once_take_the_same_completion(monkeypatch):
    """Either lock is enough here: that of the row is for those who are no claims, as a cancellation."""
    monkeypatch.setattr(claiming, "CANDIDATES", claiming.CANDIDATES.replace("FOR UPDATE OF q SKIP LOCKED", ""))
    monkeypatch.setattr(claiming, "lock_gauge", unlocked_gauge)
    completion = make_completion()
    first, second = claim_while_another_claims(completion.revision.endpoint_id)
    assert [row.pk for row in first] == [row.pk for row in second] == [completion.pk]
    completion.refresh_from_db()
    assert completion.attempt == 2


def test_two_claims_at_once_share_a_queue():
    revision = make_revision()
    expected = {make_completion(revision=revision).pk for _ in range(2)}
    first, second = claim_while_another_claims(revision.endpoint_id)
    assert {first[0].pk, second[0].pk} == expected


def test_claim_writes_a_lease_a_token_and_the_attempt():
    claimed = claim(make_completion())
    remaining = claimed.lease_expires_at - timezone.now()
    assert timedelta(seconds=28) < remaining <= LEASE
    assert (claimed.state, claimed.attempt, claimed.lease_token is not None) == (CompletionState.RUNNING, 1, True)


def test_people_come_before_batches_and_the_oldest_first():
    revision = make_revision()
    batch = make_completion(revision=revision, priority=Priority.BATCH)
    people = [make_completion(revision=revision, priority=Priority.VISITOR) for _ in range(2)]
    assert [row.pk for row in claim_of(revision.endpoint_id, 3)] == [people[0].pk, people[1].pk, batch.pk]


def test_claim_takes_no_more_than_its_limit_and_only_of_its_endpoint():
    mine, other = make_revision(), make_revision()
    for revision in [mine, mine, mine, other]:
        make_completion(revision=revision)
    assert {row.revision_id for row in claim_of(mine.endpoint_id, 2)} == {mine.pk}
    assert Completion.objects.filter(state=CompletionState.QUEUED).count() == 2


def test_a_retry_is_not_claimed_before_its_time():
    claimed = claim(make_completion(priority=Priority.BATCH))
    outcome = fail_completion(
        completion_id=claimed.pk,
        lease_token=claimed.lease_token,
        code="endpoint_rate_limited",
        message="later",
        retryable=True,
        retry_after=30,
        now=timezone.now(),
    )
    assert outcome == CompletionState.QUEUED
    assert list(claim_of(claimed.revision.endpoint_id)) == []
    Completion.objects.update(claimable_at=timezone.now())
    assert [row.attempt for row in claim_of(claimed.revision.endpoint_id)] == [2]


def test_a_completion_whose_workers_died_twice_is_claimed_only_as_a_suspect():
    endpoint = make_endpoint()
    poison = make_completion(revision=make_revision(endpoint=endpoint))
    for _ in range(2):
        let_lease_run_out(claim(poison))
        requeue_expired(now=timezone.now())
    neighbour = make_completion(revision=make_revision(endpoint=endpoint))
    assert [row.pk for row in claim_of(endpoint.pk, 5)] == [neighbour.pk]
    assert [row.pk for row in claim_of(endpoint.pk, 5, suspect=True)] == [poison.pk]
