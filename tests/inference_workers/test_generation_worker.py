"""A real worker process on real PostgreSQL and Redis."""

import time
from uuid import UUID

import pytest

from inference_workers.enums import Backend, CompletionState
from inference_workers.models import Completion, OutboxEntry
from inference_workers.streams import Kind, read_so_far, sync_client
from inference_workers.tasks import sweep_completions
from tests.inference_workers.factories import make_completion, make_endpoint, make_revision
from tests.worker_fixture import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]

ENDED = (CompletionState.SUCCEEDED, CompletionState.FAILED, CompletionState.CANCELLED)


def ended(*completions: Completion, sweep: bool = False) -> list[Completion]:
    """The rows once all have ended. `sweep` does what the default worker does every five seconds."""
    ids = [completion.pk for completion in completions]
    swept_at = time.monotonic()

    def rows() -> list[Completion]:
        nonlocal swept_at
        if sweep and time.monotonic() - swept_at > 1:
            swept_at = time.monotonic()
            sweep_completions()
        found = Completion.objects.in_bulk(ids)
        return [found[pk] for pk in ids] if all(found[pk].state in ENDED for pk in ids) else []

    return wait_until(rows, 60)


def streamed(completion_id: UUID) -> str:
    """The text as a reader puts it together, which must have ended."""
    text = ""
    events = read_so_far(sync_client(), completion_id)
    for event in events:
        text = "" if event.kind == Kind.RESET else text + event.text
    assert events[-1].is_last
    return text


def test_worker_completes_with_a_real_model_and_streams_what_it_stores(generation_worker, tiny_models):
    endpoint = make_endpoint(backend=Backend.TRANSFORMERS)
    revisions = [make_revision(endpoint=endpoint, provider_model=name, max_tokens=30) for name in tiny_models]
    asked = [make_completion(revision=revision, seed=7) for revision in revisions]
    rows = ended(*asked)
    assert [(row.state, row.attempt) for row in rows] == [(CompletionState.SUCCEEDED, 1)] * 2, rows[0].error_message
    assert rows[0].text != rows[1].text
    assert [streamed(row.pk) for row in rows] == [row.text for row in rows]
    assert [row.completion_tokens for row in rows] == [30, 30]
    assert OutboxEntry.objects.filter(completion__in=rows, handled_at=None).count() == 2
