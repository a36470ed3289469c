"""The pump in this process, on a real database and Redis, with backends that follow a script."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.use_cases.erase_person import erase_person
from inference_workers.engine.protocol import ErrorCode, GenerationError
from inference_workers.engine.scripted import Script, ScriptedBackend
from inference_workers.enums import Backend, Priority
from inference_workers.models import Completion, Endpoint
from inference_workers.queries import WorkerState
from inference_workers.streams import Kind, read_so_far, sync_client
from inference_workers.use_cases.cancel_completion import cancel_completion
from inference_workers.use_cases.requeue_expired import requeue_expired
from tests.factories import make_person
from tests.inference_workers.factories import make_completion, make_endpoint, make_revision
from tests.inference_workers.pumping import ANSWER, LONG, Scripts, kinds, outcome, run_pump, while_pumping

pytestmark = pytest.mark.django_db(transaction=True)


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
