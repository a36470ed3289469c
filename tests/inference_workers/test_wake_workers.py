"""Hints to workers: nice to have, never needed, and never in the way."""

import time
from uuid import uuid4

import kombu.pools
import pytest
from celery import current_app
from django.db import transaction

from config.launch.processes import free_port
from inference_workers.enums import CompletionState, Priority
from inference_workers.models import Completion
from inference_workers.queries import READY_KEY, WORKER_FIELD
from inference_workers.streams import sync_client
from inference_workers.tasks import sweep_completions
from inference_workers.use_cases import request_completion as requesting
from inference_workers.use_cases.wake_workers import wake_workers
from tests.inference_workers.factories import make_completion

pytestmark = pytest.mark.django_db(transaction=True)


def hints():
    """Hints waiting in the broker, by priority."""
    keys = [key.decode() for key in sync_client().keys("generation*")]
    return {key.removeprefix("generation"): sync_client().llen(key) for key in keys}


def test_request_publishes_a_hint_after_the_commit_by_priority():
    with transaction.atomic():
        make_completion(priority=Priority.BATCH)
        assert hints() == {}
    make_completion(priority=Priority.VISITOR)
    assert hints() == {"": 1, "\x06\x169": 1}


def test_a_request_that_is_rolled_back_publishes_nothing():
    with pytest.raises(RuntimeError), transaction.atomic():
        make_completion()
        raise RuntimeError("the caller failed")
    assert (hints(), Completion.objects.count()) == ({}, 0)


def use_broker(address):
    """Celery keeps its connections; a new address needs new ones."""
    kombu.pools.reset()
    current_app._pool = current_app.amqp._producer_pool = None
    earlier, current_app.conf.broker_url = current_app.conf.broker_url, address
    return earlier


@pytest.fixture
def broker_down():
    address = use_broker(f"redis://127.0.0.1:{free_port()}/0")
    yield
    use_broker(address)


def test_a_broker_that_is_down_costs_a_moment_and_loses_nothing(broker_down):
    begun = time.monotonic()
    assert wake_workers(completion_id=uuid4(), priority=Priority.VISITOR) is False
    assert time.monotonic() - begun < 3
    completion = make_completion()
    completion.refresh_from_db()
    assert completion.state == CompletionState.QUEUED


def test_a_hint_that_breaks_in_an_unknown_way_does_not_reach_the_caller(monkeypatch):
    def breaking(**kwargs):
        raise RuntimeError("celery broke")

    monkeypatch.setattr(requesting, "wake_workers", breaking)
    completion = make_completion()
    completion.refresh_from_db()
    assert completion.state == CompletionState.QUEUED


def test_sweep_asks_a_worker_that_still_loads_to_load():
    sweep_completions()
    assert hints() == {}
    sync_client().hset(READY_KEY, WORKER_FIELD, "loading")
    sweep_completions()
    assert hints() == {"": 1}
    assert b"inference_workers.warm" in sync_client().lindex("generation", 0)


def test_sweep_publishes_the_hint_that_was_lost():
    completion = make_completion()
    sync_client().flushdb()
    sweep_completions()
    assert hints() == {}, "a hint of a moment ago is not lost yet"
    Completion.objects.update(claimable_at=completion.created_at.replace(year=2020))
    sweep_completions()
    assert hints() == {"": 1}
