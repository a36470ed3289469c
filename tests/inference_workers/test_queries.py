from datetime import timedelta

import pytest
from django.utils import timezone

from inference_workers.enums import CompletionState, FinishReason, Priority
from inference_workers.models import Completion
from inference_workers.queries import (
    READY_KEY,
    USUAL_SECONDS,
    WORKER_FIELD,
    WorkerState,
    estimated_wait,
    oldest_waiting,
    queue_length,
    waiting_by_endpoint,
    worker_status,
)
from inference_workers.streams import sync_client
from inference_workers.tasks.readiness import Readiness
from inference_workers.use_cases.claim_completions import claim_completions
from tests.inference_workers.factories import claim, make_completion, make_endpoint, make_revision

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, WorkerState.ABSENT),
        ({WORKER_FIELD: "loading"}, WorkerState.LOADING),
        ({WORKER_FIELD: "ready"}, WorkerState.READY),
        ({WORKER_FIELD: "loading", "a": "loading", "b": "loading"}, WorkerState.LOADING),
        ({WORKER_FIELD: "loading", "a": "ready", "b": "loading"}, WorkerState.READY),
        ({WORKER_FIELD: "ready", "a": "failed: no such folder"}, WorkerState.FAILED),
        ({WORKER_FIELD: "ready", "a": "failed: no such folder", "b": "ready"}, WorkerState.READY),
    ],
)
def test_the_state_shown_is_the_best_of_what_workers_say_of_their_models(said, state):
    if said:
        sync_client().hset(READY_KEY, mapping=said)
    status = worker_status()
    assert (status.state, status.ready) == (state, state == WorkerState.READY)
    assert "folder" not in str(status.message)
    assert WORKER_FIELD not in status.models


def test_a_worker_publishes_what_changed_and_nothing_of_earlier_workers():
    sync_client().hset(READY_KEY, "gone", "ready")
    readiness = Readiness()
    readiness.note("here", WorkerState.FAILED, "no such folder")
    readiness.note("here", WorkerState.READY)
    assert worker_status().models == {"here": "ready"}
    assert sync_client().ttl(READY_KEY) > 10


def test_nothing_waits_for_an_empty_queue_or_a_free_worker():
    assert (queue_length(), estimated_wait(), waiting_by_endpoint()) == (0, timedelta(), {})
    make_completion(revision=make_revision(endpoint=make_endpoint(capacity=4)))
    assert (queue_length(), estimated_wait()) == (1, timedelta())


def test_a_batch_lets_people_go_first_and_makes_no_queue_for_them():
    revision = make_revision(endpoint=make_endpoint(capacity=1))
    for _ in range(40):
        make_completion(revision=revision, priority=Priority.BATCH)
    assert (queue_length(), estimated_wait()) == (0, timedelta())
    claim_completions(endpoint_id=revision.endpoint_id, limit=1, lease=timedelta(seconds=30), now=timezone.now())
    make_completion(revision=revision)
    # Behind the one that is being written, and before the others.
    assert (queue_length(), estimated_wait()) == (1, timedelta(seconds=2 * USUAL_SECONDS))


def test_the_wait_is_the_rounds_of_the_longest_queue_at_its_recent_pace():
    revision = make_revision(endpoint=make_endpoint(capacity=2))
    for seconds, ended in ((4.0, timedelta()), (8.0, timedelta(minutes=9)), (100.0, timedelta(minutes=11))):
        Completion.objects.filter(pk=make_completion(revision=revision).pk).update(
            state=CompletionState.SUCCEEDED,
            text="x",
            finish_reason=FinishReason.STOP,
            total_seconds=seconds,
            finished_at=timezone.now() - ended,
        )
    for _ in range(5):
        make_completion(revision=revision)
    assert estimated_wait() == timedelta(seconds=2 * 6)
    claim(Completion.objects.filter(state="queued").order_by("created_at").first())
    assert estimated_wait() == timedelta(seconds=2 * 6)
    make_completion(revision=make_revision(endpoint=make_endpoint(capacity=1)))
    assert estimated_wait() == timedelta(seconds=max(2 * 6, USUAL_SECONDS))


def test_what_waits_is_counted_by_endpoint_with_what_is_due_in_a_moment():
    revision = make_revision()
    for seconds in (-1, -1, 1, 60):
        pk = make_completion(revision=revision).pk
        Completion.objects.filter(pk=pk).update(claimable_at=timezone.now() + timedelta(seconds=seconds))
    waiting = waiting_by_endpoint()[revision.endpoint_id]
    assert (waiting.now, waiting.soon, queue_length()) == (2, 3, 4)


def test_the_oldest_that_wait_are_named_most_urgent_first():
    revision = make_revision()
    batch, person, fresh = [make_completion(revision=revision, priority=priority) for priority in (9, 0, 0)]
    Completion.objects.exclude(pk=fresh.pk).update(claimable_at=timezone.now() - timedelta(minutes=1))
    assert oldest_waiting(count=5, for_seconds=4) == [(person.pk, 0), (batch.pk, 9)]
    assert oldest_waiting(count=1, for_seconds=4) == [(person.pk, 0)]
    assert oldest_waiting(count=0, for_seconds=4) == []


def test_the_queries_of_a_running_pump_and_of_the_page_stay_few(django_assert_num_queries):
    for _ in range(3):
        make_completion()
    with django_assert_num_queries(1):
        waiting_by_endpoint()
    with django_assert_num_queries(1):
        queue_length()
    with django_assert_num_queries(4):
        estimated_wait()
