"""The pump in this process, on a real database and Redis, with backends that follow a script."""

import threading
import time
from datetime import timedelta
from itertools import groupby

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.use_cases.erase_person import erase_person
from inference_workers.engine.protocol import ErrorCode, GenerationError
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.enums import Backend, CompletionState, Priority
from inference_workers.models import Completion, Endpoint
from inference_workers.queries import WorkerState, completion_texts
from inference_workers.streams import Kind, StreamWriter, read_so_far, sync_client
from inference_workers.tasks import pump as pumping
from inference_workers.tasks.backends import EndpointUnusable
from inference_workers.tasks.pump import Pump
from inference_workers.use_cases.cancel_completion import cancel_completion
from inference_workers.use_cases.requeue_expired import requeue_expired
from tests.factories import make_person
from tests.inference_workers.factories import make_completion, make_endpoint, make_revision

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER = ("An", " answer", ".")


class Scripts:
    """Backends by endpoint; the last message of a request chooses its script."""

    def __init__(self, scripts=None, **settings):
        self.scripts = scripts or {}
        self.settings = settings
        self.made = {}
        self.seen = []
        self.dropped = []

    def of(self, endpoint):
        if endpoint.backend == Backend.OPENAI:
            raise EndpointUnusable("no such place")
        if endpoint.pk not in self.made:
            backend = ScriptedBackend(
                ScriptedSettings(**({"capacity": endpoint.capacity} | self.settings)), rule=self.rule
            )
            self.made[endpoint.pk] = backend
        return self.made[endpoint.pk]

    def drop(self, backend):
        self.dropped.append(backend)
        self.made = {pk: kept for pk, kept in self.made.items() if kept is not backend}

    def rule(self, request):
        self.seen.append(request)
        return self.scripts.get(request.messages[-1].content, Script(ANSWER))


def run_pump(backends=None, **given):
    values = {"lease": timedelta(seconds=30), "admit_seconds": 20.0} | given
    return Pump(backends=backends or Scripts(), writer=StreamWriter(sync_client()), **values).run()


def outcome(completion):
    completion.refresh_from_db()
    return completion.state, completion.error_code, completion_texts([completion])[completion.pk]


def kinds(completion):
    """Of the completion's stream; how many entries a text took is a matter of pace."""
    return [kind for kind, _ in groupby(event.kind for event in read_so_far(sync_client(), completion.pk))]


def test_pump_answers_all_that_wait_and_ends():
    person = make_person()
    revision = make_revision(system_prompt="Be brief.")
    plain, personal = make_completion(revision=revision), make_completion(revision=revision, person=person)
    assert run_pump() is False
    assert outcome(plain) == outcome(personal) == ("succeeded", "", "An answer.")
    assert (plain.text, personal.text) == ("An answer.", None)
    assert plain.total_seconds is not None


def test_pump_asks_what_the_revision_and_the_completion_say():
    revision = make_revision(
        system_prompt="Be brief.",
        temperature=0.3,
        top_p=0.8,
        top_k=40,
        repetition_penalty=1.1,
        max_tokens=99,
        stop=["END"],
        provider_model="words=3",
    )
    completion = make_completion(revision=revision, content="How?", seed=-5)
    backends = Scripts()
    run_pump(backends)
    (request,) = backends.seen
    sampling = request.sampling
    assert [(message.role, message.content) for message in request.messages] == [
        ("system", "Be brief."),
        ("user", "How?"),
    ]
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.repetition_penalty) == (0.3, 0.8, 40, 1.1)
    assert (sampling.max_tokens, sampling.stop, sampling.seed) == (99, ("END",), 2**63 - 5)
    assert (request.model.path, outcome(completion)[0]) == ("words=3", "succeeded")


def test_one_completion_that_fails_does_not_harm_its_neighbours():
    error = GenerationError(ErrorCode.CONTEXT_TOO_LONG, "the prompt is too long")
    scripts = {
        "broken": Script(("Half",), error),
        "named": Script(("I am", " Mod", "el ", "X", " and", " more")),
        "silent": Script((" ", "\n")),
        "loops": Script(("over and over ",) * 200),
    }
    revision = make_revision(model={"aliases": ["Model X"]})
    contents = [*scripts, "fine", "well"]
    completions = {content: make_completion(revision=revision, content=content) for content in contents}
    run_pump(Scripts(scripts))
    assert {content: outcome(completion)[:2] for content, completion in completions.items()} == {
        "broken": ("failed", "context_too_long"),
        "named": ("failed", "identity_leak"),
        "silent": ("failed", "empty"),
        "loops": ("failed", "looping"),
        "fine": ("succeeded", ""),
        "well": ("succeeded", ""),
    }
    leaked = "".join(event.text for event in read_so_far(sync_client(), completions["named"].pk))
    assert leaked.strip() == "I am"
    assert all(
        kinds(completion)[-1] == Kind.FAILED for content, completion in completions.items() if content in scripts
    )


def test_a_failure_that_may_pass_is_tried_again_with_a_reset_in_the_stream(monkeypatch):
    monkeypatch.setattr("inference_workers.policies.retry.VISITOR_RETRY_SECONDS", (0.2,))
    attempts = iter([Script(("Half.",), GenerationError(ErrorCode.ENDPOINT_TIMEOUT, "slow", retryable=True))])
    backends = Scripts()
    backends.rule = lambda request: next(attempts, Script(ANSWER))
    completion = make_completion()
    run_pump(backends)
    assert outcome(completion) == ("succeeded", "", "An answer.")
    assert (completion.attempt, kinds(completion)) == (2, [Kind.DELTA, Kind.RESET, Kind.DELTA, Kind.DONE])


def test_people_are_answered_before_batches_when_there_is_room_for_one():
    revision = make_revision(endpoint=make_endpoint(capacity=1))
    batch = [make_completion(revision=revision, priority=Priority.BATCH) for _ in range(2)]
    person = make_completion(revision=revision, priority=Priority.VISITOR)
    run_pump()
    rows = sorted([*batch, person], key=lambda row: (row.refresh_from_db(), row.finished_at)[1])
    assert [row.pk for row in rows] == [person.pk, batch[0].pk, batch[1].pk]


def test_an_endpoint_holds_no_more_than_its_capacity_and_endpoints_run_side_by_side(monkeypatch):
    slow = Script(("Word", " word", "."), pace_s=0.1)
    revisions = [make_revision(endpoint=make_endpoint(capacity=2)) for _ in range(2)]
    completions = [make_completion(revision=revision, content="slow") for revision in revisions * 4]
    backends, held = Scripts({"slow": slow}, capacity=99), set()
    step = ScriptedBackend.step

    def counting(self, timeout):
        held.add(self.active)
        return step(self, timeout)

    monkeypatch.setattr(ScriptedBackend, "step", counting)
    begun = time.monotonic()
    run_pump(backends)
    assert time.monotonic() - begun < 3.2, "four rounds one after the other would take longer"
    assert {outcome(completion)[0] for completion in completions} == {"succeeded"}
    assert max(held) == 2


def while_pumping(backends, action, **given):
    """Run the pump in a thread, do `action` once something runs, and wait for the pump's end."""
    failure = []

    def run():
        try:
            run_pump(backends, **given)
        except BaseException as error:  # noqa: BLE001  (handed to the test)
            failure.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while not Completion.objects.filter(state=CompletionState.RUNNING).exists():
        assert time.monotonic() < deadline, failure
        time.sleep(0.02)
    time.sleep(0.2)
    action()
    thread.join(30)
    assert not thread.is_alive()
    return failure


LONG = Script(tuple(f" word{number}" for number in range(400)), pace_s=0.02)


def test_a_cancelled_completion_stops_within_a_second_and_the_others_go_on():
    backends = Scripts({"long": LONG, "short": Script(ANSWER, pace_s=0.5)})
    revision = make_revision()
    long, short = (
        make_completion(revision=revision, content="long"),
        make_completion(revision=revision, content="short"),
    )
    cancelled_at = []

    def cancel():
        cancel_completion(completion_id=long.pk, now=timezone.now())
        cancelled_at.append(time.monotonic())

    assert while_pumping(backends, cancel) == []
    assert time.monotonic() - cancelled_at[0] < 3
    assert (outcome(long)[0], outcome(short)[0]) == ("cancelled", "succeeded")
    assert kinds(long)[-1] == Kind.FAILED
    assert all(backend.active == 0 for backend in backends.made.values())


def test_a_worker_that_lost_its_lease_stops_and_writes_nothing():
    completion = make_completion(content="long")

    def take_away():
        Completion.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        requeue_expired(now=timezone.now())
        Completion.objects.update(claimable_at=timezone.now() + timedelta(hours=1))

    begun = time.monotonic()
    assert while_pumping(Scripts({"long": LONG}), take_away) == []
    assert time.monotonic() - begun < 6, "the whole text takes eight seconds"
    assert outcome(completion) == ("queued", "worker_lost", None)


@pytest.mark.slow
def test_leases_are_renewed_while_a_completion_runs():
    completion = make_completion(content="three seconds")
    backends = Scripts({"three seconds": Script((" word",) * 30, pace_s=0.1)})
    swept = []
    failure = while_pumping(
        backends,
        lambda: [(time.sleep(0.2), swept.append(requeue_expired(now=timezone.now()))) for _ in range(12)],
        lease=timedelta(seconds=1),
    )
    assert failure == []
    assert {(result.requeued, result.failed) for result in swept} == {(0, 0)}
    assert (outcome(completion)[0], completion.attempt) == ("succeeded", 1)


@pytest.mark.slow
def test_without_renewal_the_same_completion_is_taken_away(monkeypatch):
    monkeypatch.setattr(pumping, "renew_leases", lambda held, lease: set(held))
    completion = make_completion(content="three seconds")
    backends = Scripts({"three seconds": Script((" word",) * 30, pace_s=0.1)})
    swept = []
    while_pumping(
        backends,
        lambda: [(time.sleep(0.2), swept.append(requeue_expired(now=timezone.now()))) for _ in range(12)],
        lease=timedelta(seconds=1),
    )
    assert any(result.requeued for result in swept)
    completion.refresh_from_db()
    assert completion.attempt > 1


def test_a_worker_that_stops_finishes_what_is_nearly_done_and_gives_back_the_rest(monkeypatch):
    monkeypatch.setattr(pumping, "DRAIN_SECONDS", 1.5)
    revision = make_revision(endpoint=make_endpoint(capacity=2))
    texts = ["short", "long", "never begun"]
    short, long, waiting = [make_completion(revision=revision, content=text) for text in texts]
    stopping = threading.Event()
    backends = Scripts({"long": LONG, "short": Script(ANSWER, pace_s=0.2)})
    assert while_pumping(backends, stopping.set, is_stopping=stopping.is_set) == []
    assert [outcome(row)[0] for row in (short, long, waiting)] == ["succeeded", "queued", "queued"]
    assert (long.attempt, long.max_attempts, waiting.attempt) == (1, 4, 0)
    assert run_pump() is False
    assert [outcome(row)[0] for row in (short, long, waiting)] == ["succeeded"] * 3


def test_a_pump_whose_time_for_admissions_is_over_leaves_the_rest_and_says_so():
    revision = make_revision(endpoint=make_endpoint(capacity=1))
    rows = [make_completion(revision=revision, content="slow") for _ in range(3)]
    assert run_pump(Scripts({"slow": Script(ANSWER, pace_s=0.3)}), admit_seconds=0.5) is True
    assert [outcome(row)[0] for row in rows] == ["succeeded", "queued", "queued"]


def test_a_completion_past_its_endpoints_time_limit_fails(monkeypatch):
    monkeypatch.setattr(pumping, "OVERTIME_SECONDS", 0.0)
    completion = make_completion(revision=make_revision(endpoint=make_endpoint(timeout_seconds=1)), content="long")
    run_pump(Scripts({"long": LONG}))
    assert outcome(completion)[:2] == ("failed", "timeout")


def test_a_backend_that_breaks_loses_an_attempt_of_its_own_completions_only(monkeypatch):
    monkeypatch.setattr("inference_workers.policies.retry.VISITOR_RETRY_SECONDS", (0.1,))
    broken, sound = make_revision(), make_revision()
    backends = Scripts({"slow": Script(ANSWER, pace_s=0.2)})
    theirs, ours = make_completion(revision=sound, content="slow"), make_completion(revision=broken)
    faulty = backends.of(broken.endpoint)
    faulty.step = lambda timeout: 1 / 0
    run_pump(backends)
    assert outcome(ours) == outcome(theirs) == ("succeeded", "", "An answer.")
    assert (ours.attempt, theirs.attempt, backends.dropped) == (2, 1, [faulty])


def test_a_pump_that_breaks_loses_an_attempt_and_holds_nothing(monkeypatch):
    completion = make_completion(content="long")

    def breaking(self, event):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Pump, "_take", breaking)
    with pytest.raises(RuntimeError):
        run_pump(Scripts({"long": LONG}))
    assert outcome(completion) == ("queued", "internal", None)
    assert (completion.attempt, completion.max_attempts) == (1, 3)


def test_the_soft_time_limit_ends_what_is_in_hand_as_a_failed_attempt(monkeypatch):
    completion = make_completion(content="long")

    def late(self, timeout):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(ScriptedBackend, "step", late)
    with pytest.raises(SoftTimeLimitExceeded):
        run_pump(Scripts({"long": LONG}))
    assert outcome(completion)[:2] == ("queued", "time_limit")


def test_results_wait_for_a_database_that_is_away(monkeypatch):
    monkeypatch.setattr(pumping, "DATABASE_PAUSE", 0.1)
    completion = make_completion()
    finish, failures = pumping.jobs.finish, iter(range(3))

    def failing(job, event):
        if next(failures, None) is not None:
            raise OperationalError("the server closed the connection")
        finish(job, event)

    monkeypatch.setattr(pumping.jobs, "finish", failing)
    run_pump()
    assert (outcome(completion), next(failures, "all met")) == (("succeeded", "", "An answer."), "all met")


def test_results_survive_that_the_server_ends_the_connection():
    completion = make_completion(content="slow")

    def cut_connections():
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE NONE")
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchall() != []
        connection.close()

    assert while_pumping(Scripts({"slow": Script((" word",) * 10, pace_s=0.1)}), cut_connections) == []
    assert (outcome(completion)[0], completion.attempt) == ("succeeded", 1)


def test_a_suspect_runs_alone():
    endpoint = make_endpoint()
    suspect = make_completion(revision=make_revision(endpoint=endpoint), content="slow")
    Completion.objects.filter(pk=suspect.pk).update(attempt=2, error_code="worker_lost")
    neighbours = [make_completion(revision=make_revision(endpoint=endpoint)) for _ in range(2)]
    backends, company = Scripts({"slow": Script(ANSWER, pace_s=0.3)}), []
    rule = backends.rule

    def noting(request):
        if request.id.startswith(str(suspect.pk)) or any(
            row.request.id.startswith(str(suspect.pk)) for row in backends.made[endpoint.pk]._rows.values()
        ):
            company.append(backends.made[endpoint.pk].active)
        return rule(request)

    backends.rule = noting
    late = threading.Timer(0.3, lambda: (make_completion(revision=neighbours[0].revision), connection.close()))
    late.start()
    run_pump(backends)
    late.join()
    assert company == [0], "only the suspect's own admission, into an empty backend"
    assert [outcome(row)[0] for row in (suspect, *neighbours)] == ["succeeded"] * 3
    assert set(Completion.objects.values_list("state", flat=True)) == {"succeeded"}


def test_what_an_endpoint_or_person_cannot_give_fails_by_name():
    person = make_person()
    erased = make_completion(person=person)
    erase_person(person_id=person.pk, now=timezone.now())
    nowhere = make_endpoint(backend=Backend.OPENAI, base_url="http://127.0.0.1:9/v1")
    unusable = make_completion(revision=make_revision(endpoint=nowhere))
    absurd = make_completion(revision=make_revision(stop=[""], top_p=0.5, temperature=2.0))
    run_pump()
    assert outcome(erased)[:2] == ("failed", "person_erased")
    assert outcome(unusable)[:2] == ("failed", "endpoint_unusable")
    assert outcome(absurd)[0] == "succeeded"


def test_a_prompts_own_system_message_joins_the_revisions():
    from inference_workers.use_cases.request_completion import request_completion

    backends = Scripts()
    request_completion(
        revision=make_revision(system_prompt="Be brief."),
        messages=[{"role": "system", "content": "Speak French."}, {"role": "user", "content": "Hi."}],
        person=None,
        priority=Priority.BATCH,
        seed=1,
    )
    run_pump(backends)
    assert [(message.role, message.content) for message in backends.seen[0].messages] == [
        ("system", "Be brief.\n\nSpeak French."),
        ("user", "Hi."),
    ]


def test_models_that_answer_or_cannot_be_loaded_are_reported():
    told = []
    error = GenerationError(ErrorCode.MODEL_LOAD, "no such folder")
    good, bad = make_revision(), make_revision()
    make_completion(revision=good)
    make_completion(revision=bad, content="unloadable")
    run_pump(Scripts({"unloadable": Script((), error)}), on_model=lambda *word: told.append(word))
    assert sorted(told) == sorted(
        [
            (good.language_model.slug, WorkerState.READY, ""),
            (bad.language_model.slug, WorkerState.FAILED, "no such folder"),
        ]
    )


def test_the_statements_of_a_completion_stay_few(django_assert_max_num_queries):
    """Asking, claiming, watching for a moment, finishing and the last look: what a person's answer costs."""
    revision, person = make_revision(), make_person()
    with django_assert_max_num_queries(8):
        make_completion(revision=revision, person=person)
    with django_assert_max_num_queries(24):
        run_pump()
    assert Completion.objects.get().state == "succeeded"


def test_an_idle_pump_ends_at_once_and_asks_the_database_once(django_assert_num_queries):
    with django_assert_num_queries(1):
        begun = time.monotonic()
        assert run_pump() is False
    assert time.monotonic() - begun < 0.5
    assert not Endpoint.objects.exists()
