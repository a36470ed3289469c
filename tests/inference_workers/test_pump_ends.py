"""How what a pump holds ends: given back, taken away, out of time, beside a fault; and that nobody waits for it."""

import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connection
from django.utils import timezone

from inference_workers.engine.scripted import Script, ScriptedBackend
from inference_workers.models import Completion
from inference_workers.tasks import pump as pumping
from inference_workers.tasks.pump import Pump
from inference_workers.use_cases.cancel_completion import cancel_completion
from inference_workers.use_cases.requeue_expired import requeue_expired
from tests.inference_workers.factories import make_completion, make_endpoint, make_revision
from tests.inference_workers.pumping import ANSWER, LONG, Scripts, outcome, run_pump, while_pumping

pytestmark = pytest.mark.django_db(transaction=True)


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
def test_without_renewal_a_completion_is_taken_away(monkeypatch):
    monkeypatch.setattr(pumping, "renew_leases", lambda held, lease: set(held))
    completion = make_completion(content="five seconds")
    backends = Scripts({"five seconds": Script((" word",) * 50, pace_s=0.1)})
    swept = []

    def sweep_until_taken_away():
        for _ in range(100):
            time.sleep(0.2)
            swept.append(requeue_expired(now=timezone.now()))
            if swept[-1].requeued:
                return

    while_pumping(backends, sweep_until_taken_away, lease=timedelta(seconds=1))
    completion.refresh_from_db()
    assert (swept[-1].requeued, completion.attempt) == (1, 2)


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


def test_a_pump_that_rests_with_nothing_in_hand_leaves_the_rest_and_says_so():
    revision = make_revision(endpoint=make_endpoint(capacity=1))
    rows = [make_completion(revision=revision, content="slow") for _ in range(3)]
    assert run_pump(Scripts({"slow": Script(ANSWER, pace_s=0.3)}), rest_seconds=0.5) is True
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


def beside_a_slow_answer(**given):
    """What became, in two seconds, of a completion that came while another endpoint's was in hand for long."""
    slow = make_completion(revision=make_revision(), content="long")
    quick = make_revision()
    found = []

    def ask():
        asked = make_completion(revision=quick)
        time.sleep(2)
        found.append((outcome(asked)[0], outcome(slow)[0]))
        cancel_completion(completion_id=slow.pk, now=timezone.now())

    assert while_pumping(Scripts({"long": LONG}), ask, **given) == []
    return found


def test_what_one_endpoint_is_slow_at_keeps_nobody_waiting_at_another():
    assert beside_a_slow_answer(rest_seconds=0.1) == [("succeeded", "running")]


def test_control_a_pump_that_takes_in_nothing_more_keeps_them_waiting():
    assert beside_a_slow_answer(rest_seconds=0.1, most_seconds=0.1) == [("queued", "running")]


def test_a_pump_that_has_not_moved_for_minutes_ends_its_process():
    """In a process of its own, since it is killed."""
    program = (
        "import threading, time, types, django; django.setup()\n"
        "from inference_workers.tasks import generation\n"
        "generation.LOOK_SECONDS, generation.STUCK_SECONDS = 0.1, 1.0\n"
        "moving = types.SimpleNamespace(moved_at=time.monotonic())\n"
        "threading.Thread(target=generation.end_if_stuck, args=(moving, threading.Event()), daemon=True).start()\n"
        "for _ in range(20): time.sleep(0.1); moving.moved_at = time.monotonic()\n"
        "print('moved for two seconds', flush=True)\n"
        "time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "moved for two seconds\n")
    assert "pump_stuck" in done.stderr + done.stdout
