"""Asking for completions, and the ways they end."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.errors import PersonErased
from accounts.models import PersonalText
from accounts.use_cases.erase_person import erase_person
from config.launch.processes import free_port
from inference_workers.dispatch import cancel_completion
from inference_workers.enums import CompletionState, FinishReason, Priority
from inference_workers.models import Completion, OutboxEntry
from inference_workers.queries import completion_messages, completion_texts
from inference_workers.signals import job_finished
from inference_workers.streams import Kind, read_so_far, sync_client
from inference_workers.use_cases import end_completion as ending
from inference_workers.use_cases import finish_completion as finishing
from inference_workers.use_cases.fail_completion import fail_completion
from inference_workers.use_cases.finish_completion import Measures, finish_completion
from inference_workers.use_cases.release_completions import release_completions
from inference_workers.use_cases.renew_leases import renew_leases
from inference_workers.use_cases.request_completion import InvalidMessages, request_completion
from inference_workers.use_cases.requeue_expired import Swept, requeue_expired
from tests.factories import make_person
from tests.inference_workers.factories import LEASE, claim, let_lease_run_out, make_completion, make_revision

pytestmark = pytest.mark.django_db(transaction=True)

MEASURES = Measures(prompt_tokens=5, completion_tokens=3, first_token_seconds=0.1, total_seconds=0.4)
SECRET = "Do you know why my neighbour Ottokar wants a divorce?"


def finish(completion, text="An answer.", token=None):
    return finish_completion(
        completion_id=completion.pk,
        lease_token=token or completion.lease_token,
        text=text,
        finish_reason=FinishReason.STOP,
        measures=MEASURES,
        now=timezone.now(),
    )


def fail(completion, **given):
    values = {"code": "endpoint_timeout", "message": "too slow", "retryable": True} | given
    return fail_completion(
        completion_id=completion.pk, lease_token=completion.lease_token, now=timezone.now(), **values
    )


def stored(completion):
    completion.refresh_from_db()
    return completion


@pytest.fixture
def news():
    heard = []

    def hear(sender, completion_id, **kwargs):
        heard.append(completion_id)

    job_finished.connect(hear)
    yield heard
    job_finished.disconnect(hear)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "assistant", "content": "Hello."}],
        [{"role": "user", "content": " \n"}],
        [{"role": "user", "content": None}],
        [{"role": "user"}],
        [{"role": "tool", "content": "4"}, {"role": "user", "content": "And?"}],
        [{"role": "user", "content": "A"}, {"role": "system", "content": "B"}, {"role": "user", "content": "C"}],
        [{"role": "user", "content": "A", "name": "x"}],
    ],
)
def test_messages_that_are_no_chat_are_refused(messages):
    with pytest.raises(InvalidMessages):
        request_completion(revision=make_revision(), messages=messages, person=None, priority=Priority.VISITOR, seed=1)
    assert not Completion.objects.exists()


def test_nul_and_lone_surrogates_in_messages_are_cleaned():
    completion = make_completion(content="a\x00b \ud83d c")
    assert stored(completion).messages == [{"role": "user", "content": "ab � c"}]


def test_personal_messages_and_text_are_sealed_and_readable_only_with_the_persons_key():
    person = make_person()
    completion = claim(make_completion(person=person, content=SECRET))
    assert finish(completion, text=f"{SECRET} I do not.")
    row = Completion.objects.filter(pk=completion.pk).values().get()
    sealed = [bytes(text) for text in PersonalText.objects.filter(person=person).values_list("sealed", flat=True)]
    assert (row["messages"], row["text"], len(sealed)) == (None, None, 2)
    assert not any(b"Ottokar" in text for text in sealed)
    assert "Ottokar" not in repr(row)
    assert completion_messages([stored(completion)]) == {completion.pk: [{"role": "user", "content": SECRET}]}
    assert completion_texts([completion]) == {completion.pk: f"{SECRET} I do not."}
    erase_person(person_id=person.pk, now=timezone.now())
    assert completion_messages([completion]) == completion_texts([completion]) == {completion.pk: None}


def test_result_for_a_person_who_was_erased_meanwhile_is_refused():
    person = make_person()
    completion = claim(make_completion(person=person))
    erase_person(person_id=person.pk, now=timezone.now())
    with pytest.raises(PersonErased):
        finish(completion)
    assert stored(completion).state == CompletionState.RUNNING


def test_finish_writes_the_result_and_its_news_and_ends_the_stream(news):
    completion = claim(make_completion())
    assert finish(completion)
    row = stored(completion)
    assert (row.state, row.text, row.finish_reason, row.error_code) == ("succeeded", "An answer.", "stop", "")
    assert (row.prompt_tokens, row.completion_tokens, row.first_token_seconds, row.total_seconds) == (5, 3, 0.1, 0.4)
    assert (row.lease_token, row.lease_expires_at) == (None, None)
    assert OutboxEntry.objects.get().completion_id == completion.pk
    assert news == [completion.pk]
    assert [event.kind for event in read_so_far(sync_client(), completion.pk)] == [Kind.DONE]


def test_finish_twice_writes_once(news):
    completion = claim(make_completion())
    assert [finish(completion), finish(completion, text="Another.")] == [True, False]
    assert (stored(completion).text, OutboxEntry.objects.count(), len(news)) == ("An answer.", 1, 1)


def test_a_receiver_that_breaks_changes_nothing(news):
    def breaking(sender, **kwargs):
        raise RuntimeError("an app above broke")

    job_finished.connect(breaking)
    try:
        completion = claim(make_completion())
        assert finish(completion)
    finally:
        job_finished.disconnect(breaking)
    assert (stored(completion).state, OutboxEntry.objects.count()) == ("succeeded", 1)


def test_a_redis_that_is_down_at_the_commit_loses_nothing(news, settings):
    completion = claim(make_completion())
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert finish(completion)
    assert (stored(completion).text, OutboxEntry.objects.count(), news) == ("An answer.", 1, [completion.pk])


def replaced():
    """A completion that a second worker runs, and what the first one holds of it."""
    old = claim(make_completion())
    let_lease_run_out(old)
    assert requeue_expired(now=timezone.now()) == Swept(requeued=1, failed=0)
    return old, claim(old)


def test_late_writer_with_an_old_token_writes_nothing():
    old, new = replaced()
    assert finish(old, text="from the past") is False
    assert fail(old) is None
    assert renew_leases(held={old.pk: old.lease_token}, lease=LEASE) == set()
    assert release_completions(held={old.pk: old.lease_token}) == set()
    row = stored(new)
    assert (row.state, row.attempt, row.text) == ("running", 2, None)
    assert finish(new, text="from the second")
    assert stored(new).text == "from the second"


def test_without_the_token_in_the_fence_a_late_writer_overwrites(monkeypatch):
    def any_holder(completion_id, lease_token):
        return Completion.objects.select_for_update().filter(pk=completion_id).first()

    monkeypatch.setattr(finishing, "held_completion", any_holder)
    assert ending.held_completion is not any_holder
    old, new = replaced()
    assert finish(old, text="from the past") is True
    assert stored(new).text == "from the past"


def test_a_failure_that_may_pass_is_tried_again_until_the_attempts_are_used_up(news):
    completion = make_completion()
    outcomes = []
    for _ in range(3):
        Completion.objects.update(claimable_at=timezone.now() - timedelta(seconds=1))
        outcomes.append(fail(claim(completion)))
    assert outcomes == [CompletionState.QUEUED, CompletionState.QUEUED, CompletionState.FAILED]
    row = stored(completion)
    assert (row.state, row.attempt, row.error_code, row.error_message) == ("failed", 3, "endpoint_timeout", "too slow")
    assert (OutboxEntry.objects.count(), news) == (1, [completion.pk])


@pytest.mark.parametrize(("priority", "outcome"), [(Priority.VISITOR, "failed"), (Priority.BATCH, "queued")])
def test_only_a_batch_waits_as_long_as_a_busy_endpoint_asks(priority, outcome):
    completion = claim(make_completion(priority=priority))
    assert fail(completion, code="endpoint_busy", retry_after=30) == outcome
    assert stored(completion).state == outcome


def test_a_failure_for_good_is_not_tried_again():
    completion = claim(make_completion())
    assert fail(completion, code="identity_leak", retryable=False) == CompletionState.FAILED
    assert [event.kind for event in read_so_far(sync_client(), completion.pk)] == [Kind.FAILED]


def test_success_after_a_failure_leaves_no_error_behind():
    completion = claim(make_completion())
    fail(completion)
    Completion.objects.update(claimable_at=timezone.now() - timedelta(seconds=1))
    assert finish(claim(completion))
    row = stored(completion)
    assert (row.state, row.attempt, row.error_code, row.error_message) == ("succeeded", 2, "", "")


def test_cancel_ends_a_waiting_and_a_running_completion_and_no_ended_one(news):
    waiting, running, done = make_completion(), claim(make_completion()), claim(make_completion())
    finish(done)
    assert [cancel_completion(completion.pk) for completion in (waiting, running, done)] == [True, True, False]
    assert [stored(completion).state for completion in (waiting, running, done)] == [
        "cancelled",
        "cancelled",
        "succeeded",
    ]
    assert finish(running, token=running.lease_token or uuid4()) is False
    assert set(news) == {done.pk, waiting.pk, running.pk}


def test_sweep_brings_back_only_what_nobody_has_renewed():
    lost, kept = claim(make_completion()), claim(make_completion())
    let_lease_run_out(lost)
    let_lease_run_out(kept)
    assert renew_leases(held={kept.pk: kept.lease_token}, lease=LEASE) == {kept.pk}
    assert requeue_expired(now=timezone.now()) == Swept(requeued=1, failed=0)
    assert (stored(lost).state, stored(lost).error_code, stored(kept).state) == ("queued", "worker_lost", "running")


def test_a_completion_that_loses_three_workers_is_parked():
    from inference_workers.use_cases.claim_completions import claim_completions

    completion = make_completion()
    outcomes = []
    for attempt in range(3):
        assert claim_completions(
            endpoint_id=completion.revision.endpoint_id, limit=1, lease=LEASE, now=timezone.now(), suspect=attempt == 2
        )
        let_lease_run_out(completion)
        outcomes.append(requeue_expired(now=timezone.now()))
    assert outcomes == [Swept(1, 0), Swept(1, 0), Swept(0, 1)]
    row = stored(completion)
    assert (row.state, row.error_code, row.error_message) == ("failed", "worker_lost", "its worker was lost 3 times")
    assert OutboxEntry.objects.filter(completion=completion).exists()


def test_released_completions_keep_their_attempts():
    completion = claim(make_completion())
    assert release_completions(held={completion.pk: completion.lease_token}) == {completion.pk}
    row = stored(completion)
    assert (row.state, row.attempt, row.max_attempts, row.lease_token) == ("queued", 1, 4, None)
