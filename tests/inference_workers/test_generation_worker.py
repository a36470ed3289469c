"""A real worker process on real PostgreSQL and Redis, and what is left when it, its child or the broker dies."""

import json
import subprocess
import sys
import time
from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from inference_workers.enums import Backend, CompletionState, Priority
from inference_workers.models import Completion, OutboxEntry
from inference_workers.queries import READY_KEY, READY_SECONDS, WorkerState, worker_status
from inference_workers.streams import Kind, read_so_far, sync_client
from inference_workers.tasks import sweep_completions
from inference_workers.use_cases import wake_workers as waking
from tests.factories import make_person
from tests.inference_workers.factories import make_completion, make_endpoint, make_revision
from tests.worker_fixture import MODEL_SERVER, GenerationWorker, wait_until, worker_environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]

ENDED = (CompletionState.SUCCEEDED, CompletionState.FAILED, CompletionState.CANCELLED)


def ended(*completions: Completion, sweep: bool = False, seconds: float = 120) -> list[Completion]:
    """The rows once all have ended. `sweep` does meanwhile what the default worker does every five seconds."""
    ids = [completion.pk for completion in completions]
    swept_at = time.monotonic()

    def rows() -> list[Completion]:
        nonlocal swept_at
        if sweep and time.monotonic() - swept_at > 1:
            swept_at = time.monotonic()
            sweep_completions()
        found = Completion.objects.in_bulk(ids)
        return [found[pk] for pk in ids] if all(found[pk].state in ENDED for pk in ids) else []

    return wait_until(rows, seconds, what=lambda: str(list(Completion.objects.values_list("state", "attempt"))))


def running(*completions: Completion, attempt: int = 1) -> None:
    ids = [completion.pk for completion in completions]
    rows = Completion.objects.filter(pk__in=ids, state=CompletionState.RUNNING, attempt=attempt)
    wait_until(lambda: rows.count() == len(ids), what=lambda: str(list(Completion.objects.values("state", "attempt"))))


def streaming(completion: Completion, attempt: int = 1) -> None:
    """Wait until readers have been given something of this attempt."""
    wait_until(
        lambda: any(
            event.kind == Kind.DELTA and event.attempt == attempt for event in read_so_far(sync_client(), completion.pk)
        )
    )


def streamed(completion_id: UUID) -> str:
    """The text as a reader puts it together; the stream must have ended."""
    text = ""
    events = read_so_far(sync_client(), completion_id)
    for event in events:
        text = "" if event.kind == Kind.RESET else text + event.text
    assert events[-1].is_last
    return text


def test_worker_answers_with_real_models_and_streams_what_it_stores(generation_worker, tiny_models):
    endpoint = make_endpoint(backend=Backend.TRANSFORMERS)
    revisions = [make_revision(endpoint=endpoint, provider_model=name, max_tokens=30) for name in tiny_models]
    rows = ended(*[make_completion(revision=revision, seed=7) for revision in revisions])
    assert [(row.state, row.attempt) for row in rows] == [("succeeded", 1)] * 2, rows[0].error_message
    assert rows[0].text != rows[1].text
    assert [streamed(row.pk) for row in rows] == [row.text for row in rows]
    assert OutboxEntry.objects.filter(completion__in=rows).count() == 2
    assert worker_status().models.items() >= {revision.language_model.slug: "ready" for revision in revisions}.items()


def test_same_seed_gives_the_same_answer_and_another_seed_another(generation_worker, tiny_models):
    revision = make_revision(
        endpoint=make_endpoint(backend=Backend.TRANSFORMERS), provider_model=tiny_models[0], max_tokens=20
    )
    first, again, other = ended(*[make_completion(revision=revision, seed=seed) for seed in (7, 7, 8)])
    assert first.text == again.text != other.text


def test_a_model_that_is_not_there_fails_by_name_and_the_worker_lives(generation_worker, tiny_models):
    endpoint = make_endpoint(backend=Backend.TRANSFORMERS)
    missing = make_revision(endpoint=endpoint, provider_model="no-such-model")
    outside = make_revision(endpoint=endpoint, provider_model="../../etc")
    there = make_revision(endpoint=endpoint, provider_model=tiny_models[0], max_tokens=5)
    rows = ended(*[make_completion(revision=revision) for revision in (missing, outside, there)])
    assert [(row.state, row.error_code) for row in rows] == [
        ("failed", "model_load"),
        ("failed", "model_unusable"),
        ("succeeded", ""),
    ]


def test_a_persons_completion_leaves_no_plain_text_in_the_database(generation_worker):
    completion = make_completion(person=make_person(), content="My neighbour Ottokar wants a divorce.")
    (row,) = ended(completion)
    plain = json.dumps(Completion.objects.filter(pk=row.pk).values().get(), default=str)
    assert (row.state, row.text, row.messages) == ("succeeded", None, None)
    assert "Ottokar" not in plain
    assert streamed(row.pk) not in plain


@pytest.mark.slow
def test_a_killed_child_costs_an_attempt_and_gives_one_result(generation_worker):
    """The child dies in the middle of a stream; celery starts another one."""
    revision = make_revision(provider_model="words=60,pace=0.05")
    completions = [make_completion(revision=revision) for _ in range(4)]
    running(*completions)
    streaming(completions[0])
    killed = generation_worker.kill_child()
    rows = ended(*completions, sweep=True)
    print(f"faults injected: 1, attempts: {[row.attempt for row in rows]}, results: {len(rows)}")
    assert [(row.state, row.attempt) for row in rows] == [("succeeded", 2)] * 4
    assert killed not in generation_worker.children
    assert OutboxEntry.objects.filter(completion__in=rows).count() == 4
    assert [streamed(row.pk) for row in rows] == [row.text for row in rows]
    events = read_so_far(sync_client(), rows[0].pk)
    assert [event.kind for event in events if event.kind != Kind.DELTA] == [Kind.RESET, Kind.DONE]
    assert {event.attempt for event in events} == {1, 2}


@pytest.mark.slow
def test_without_the_sweeper_what_a_killed_child_held_stays_as_it_is(generation_worker):
    """The control of the test above: celery's own redelivery wakes the worker, but nobody takes the rows back."""
    completion = make_completion(revision=make_revision(provider_model="words=60,pace=0.05"))
    running(completion)
    generation_worker.kill_child()
    time.sleep(5)
    completion.refresh_from_db()
    assert (completion.state, completion.attempt) == ("running", 1)
    assert ended(completion, sweep=True)[0].attempt == 2


@pytest.mark.slow
def test_a_completion_that_kills_every_worker_is_parked_and_its_neighbour_lives(generation_worker):
    """Whatever runs beside the poison dies with it, but only twice: the third attempt is made alone."""
    endpoint = make_endpoint()
    poison = make_completion(revision=make_revision(endpoint=endpoint, provider_model="words=400,pace=0.1"))
    neighbour = make_completion(revision=make_revision(endpoint=endpoint, provider_model="words=80,pace=0.1"))
    kills = 0
    for attempt in (1, 2, 3):
        deadline = time.monotonic() + 60
        while not Completion.objects.filter(pk=poison.pk, state="running", attempt=attempt).exists():
            assert time.monotonic() < deadline
            sweep_completions()
            time.sleep(0.5)
        if attempt == 3:
            assert Completion.objects.exclude(pk=poison.pk).filter(state="running").count() == 0
        generation_worker.kill_child()
        kills += 1
    rows = ended(poison, neighbour, sweep=True)
    print(f"faults injected: {kills}, attempts: {[row.attempt for row in rows]}, rows: {len(rows)}")
    assert (rows[0].state, rows[0].error_code, rows[0].attempt) == ("failed", "worker_lost", 3)
    # Beside the poison at most twice: on a busy machine it may have been done before the second kill.
    assert (rows[1].state, rows[1].attempt <= 3) == ("succeeded", True)


@pytest.mark.slow
def test_nothing_is_lost_when_the_broker_forgets_everything(generation_worker):
    revision = make_revision(endpoint=make_endpoint(capacity=4), provider_model="words=10,pace=0.02")
    completions, flushes = [], 0
    for number in range(40):
        completions.append(make_completion(revision=revision))
        if number % 4 == 3:
            sync_client().flushdb()
            flushes += 1
    rows = ended(*completions, sweep=True)
    attempts = sum(row.attempt for row in rows)
    news = OutboxEntry.objects.filter(completion__in=rows).count()
    print(f"faults injected: {flushes}, asked: 40, attempts: {attempts}, answered: {len(rows)}, news: {news}")
    assert flushes == 10
    assert {row.state for row in rows} == {"succeeded"}
    assert (attempts, news) == (40, 40)


@pytest.mark.slow
def test_without_the_sweeper_a_flushed_broker_loses_completions(generation_worker, monkeypatch):
    """The control: the only hint is gone, and nothing else tells the worker."""
    monkeypatch.setattr(waking, "_publish", lambda *args, **kwargs: True)
    completion = make_completion()
    time.sleep(3)
    completion.refresh_from_db()
    assert completion.state == "queued"
    monkeypatch.undo()
    Completion.objects.update(claimable_at=completion.created_at.replace(year=2020))
    assert ended(completion, sweep=True)[0].state == "succeeded"


def test_a_cancelled_completion_leaves_room_for_the_next(generation_worker):
    from inference_workers.dispatch import cancel_completion

    revision = make_revision(endpoint=make_endpoint(capacity=1), provider_model="words=400,pace=0.1")
    first, second = make_completion(revision=revision), make_completion(revision=revision)
    running(first)
    assert cancel_completion(first.pk)
    running(second)
    assert cancel_completion(second.pk)
    assert [row.state for row in ended(first, second)] == ["cancelled", "cancelled"]


def test_people_are_answered_before_a_batch_that_was_there_first(generation_worker):
    revision = make_revision(endpoint=make_endpoint(capacity=1), provider_model="words=10,pace=0.02")
    batch = [make_completion(revision=revision, priority=Priority.BATCH) for _ in range(6)]
    person = make_completion(revision=revision, priority=Priority.VISITOR)
    rows = ended(*batch, person)
    later = [row for row in rows[:-1] if row.finished_at > rows[-1].finished_at]
    assert len(later) >= 4


# -- an OpenAI-compatible address


def chunks(*pieces: str, finish: str = "stop") -> str:
    def line(delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        return f"data: {json.dumps(chunk)}\n\n"

    usage = {"prompt_tokens": 11, "completion_tokens": len(pieces), "total_tokens": 11 + len(pieces)}
    last = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    body = "".join(line({"content": piece}) for piece in pieces) + line({}, finish)
    return f"{body}data: {json.dumps(last)}\n\ndata: [DONE]\n\n"


@pytest.fixture(scope="module")
def remote() -> HTTPServer:
    """A model server whose place the worker was told it may call."""
    server = HTTPServer(*MODEL_SERVER)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def remote_revision(remote, generation_worker):
    remote.clear()
    endpoint = make_endpoint(backend=Backend.OPENAI, base_url=remote.url_for("/v1"), capacity=4)
    return make_revision(
        endpoint=endpoint, provider_model="gpt-tiny", system_prompt="Be brief.", max_tokens=50, accepts_cut=False
    )


def stream_of(*pieces: str, **given: str) -> Response:
    return Response(chunks(*pieces, **given), content_type="text/event-stream")


def test_a_remote_endpoint_is_asked_and_its_answer_streamed_and_stored(remote, remote_revision):
    from foundation.outbound import bind_secret

    endpoint = remote_revision.endpoint
    endpoint.sealed_key = bind_secret("sk-canary", url=endpoint.base_url)
    endpoint.save()
    remote.expect_request("/v1/chat/completions", method="POST").respond_with_response(
        stream_of("<think>hm</think>", "Four", ".")
    )
    (row,) = ended(make_completion(revision=remote_revision, content="Two and two?"))
    assert (row.state, row.text, row.finish_reason) == ("succeeded", "Four.", "stop"), row.error_message
    assert (row.prompt_tokens, row.completion_tokens, streamed(row.pk)) == (11, 3, "Four.")
    request = remote.log[0][0]
    body = request.get_json()
    assert request.headers["Authorization"] == "Bearer sk-canary"
    assert (body["model"], body["max_tokens"], body["stream"]) == ("gpt-tiny", 50, True)
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Two and two?"},
    ]


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (stream_of("I am GPT-", "Tiny", ", at your service."), "identity_leak"),
        (stream_of(), "empty"),
        (stream_of("Four and", " a half", finish="length"), "cut"),
        (Response('{"error": {"message": "no"}}', status=400, content_type="application/json"), "endpoint_status"),
        (Response("<html>down</html>", content_type="text/html"), "endpoint_protocol"),
    ],
)
def test_what_a_remote_endpoint_must_not_answer_fails_the_completion(remote, remote_revision, response, code):
    remote.expect_request("/v1/chat/completions").respond_with_response(response)
    (row,) = ended(make_completion(revision=remote_revision))
    assert (row.state, row.error_code, row.text) == ("failed", code, None)
    assert "iny" not in "".join(event.text for event in read_so_far(sync_client(), row.pk))


def test_a_busy_remote_endpoint_is_asked_again_after_the_time_it_names(remote, remote_revision):
    remote.expect_ordered_request("/v1/chat/completions").respond_with_data(
        "{}", status=429, headers={"Retry-After": "2"}
    )
    remote.expect_ordered_request("/v1/chat/completions").respond_with_response(stream_of("Four."))
    # Nobody waits for a batch; a person is told within seconds instead.
    (row,) = ended(make_completion(revision=remote_revision, priority=Priority.BATCH), sweep=True)
    assert (row.state, row.text, row.attempt) == ("succeeded", "Four.", 2)
    assert (row.finished_at - row.created_at).total_seconds() > 2


def test_an_address_that_is_not_allowed_is_not_called(generation_worker, settings):
    settings.COMPLETION_MAX_ATTEMPTS = 1
    endpoint = make_endpoint(backend=Backend.OPENAI, base_url="http://127.0.0.1:9/v1")
    (row,) = ended(make_completion(revision=make_revision(endpoint=endpoint)), sweep=True)
    assert (row.state, row.error_code) == ("failed", "endpoint_unreachable"), row.error_message


# -- a worker of the test's own


@pytest.mark.slow
def test_a_worker_loads_the_models_of_battles_before_anybody_asks(own_worker, tiny_models):
    endpoint = make_endpoint(backend=Backend.TRANSFORMERS)
    good = make_revision(endpoint=endpoint, provider_model=tiny_models[0], model={"slug": "good"})
    make_revision(endpoint=endpoint, provider_model=tiny_models[0], model={"slug": "good-too"})
    make_revision(endpoint=endpoint, provider_model="no-such-model", model={"slug": "missing"})
    make_revision(endpoint=endpoint, provider_model=tiny_models[1], model={"slug": "old", "visibility": "retired"})
    own_worker.start()
    wait_until(lambda: worker_status().state == WorkerState.LOADING, 120, what=own_worker.tail)
    wait_until(lambda: worker_status().models.get("missing", "").startswith("failed"), 120, what=own_worker.tail)
    models = worker_status().models
    assert (models["good"], models["good-too"], "old" in models) == ("ready", "ready", False)
    (row,) = ended(make_completion(revision=good))
    assert (row.state, row.attempt) == ("succeeded", 1)


@pytest.mark.slow
def test_a_worker_that_sweeps_does_not_load_torch():
    """The default worker, and whoever else asks Celery for its tasks, stay small."""
    code = (
        "import sys; from config.celery import app; app.loader.import_default_modules();"
        "assert 'inference_workers.generate' in app.tasks, sorted(app.tasks);"
        "heavy = {'torch', 'transformers', 'openai', 'gguf'} & set(sys.modules); sys.exit(f'{heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=worker_environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def own_worker(session_worker, tmp_path):
    """A worker on the usual queue, where nobody else listens, whose word of itself no other one overwrites."""
    session_worker.wait_until_up()
    with session_worker.standing_still():
        worker = GenerationWorker(tmp_path)
        yield worker
        worker.stop()


@pytest.mark.slow
def test_sigterm_gives_back_what_cannot_end_in_ten_seconds(own_worker):
    own_worker.start().wait_until_ready()
    long = make_completion(revision=make_revision(provider_model="words=2000,pace=0.1"))
    short = make_completion(revision=make_revision(provider_model="words=30,pace=0.1"))
    running(long, short)
    seconds = own_worker.terminate(60)
    rows = Completion.objects.in_bulk()
    print(f"faults injected: 1, seconds to stop: {seconds:.1f}")
    assert (rows[short.pk].state, rows[short.pk].attempt) == ("succeeded", 1)
    assert (rows[long.pk].state, rows[long.pk].attempt, rows[long.pk].max_attempts) == ("queued", 1, 4)


@pytest.mark.slow
def test_the_workers_word_of_itself_runs_out_when_it_stops_giving_it(generation_worker):
    wait_until(lambda: worker_status().ready, 15)
    assert 0 < sync_client().ttl(READY_KEY) <= READY_SECONDS
    with generation_worker.standing_still():
        sync_client().expire(READY_KEY, 1)
        wait_until(lambda: worker_status().state == WorkerState.ABSENT, 5)
    wait_until(lambda: worker_status().ready, 15)
