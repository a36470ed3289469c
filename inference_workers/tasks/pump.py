"""The pump: claims completions, feeds them to backends, and writes what comes out.

One thread does everything, so that nothing is locked. A fault of one completion ends that completion; a fault of a
backend ends its completions; a fault of the database delays results until the leases run out; a fault of Redis delays
the streams.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from accounts.errors import PersonErased
from inference_workers.engine.protocol import (
    Backend,
    BackendFull,
    Delta,
    ErrorCode,
    Event,
    Failed,
    Finished,
    FinishReason,
    Measured,
)
from inference_workers.enums import Task
from inference_workers.models import Completion, Endpoint
from inference_workers.policies.rejection import RejectedText
from inference_workers.policies.screen import OpenScreen
from inference_workers.queries import WorkerState, completion_messages, still_held, waiting_by_endpoint
from inference_workers.streams import StreamWriter
from inference_workers.tasks import jobs
from inference_workers.tasks.backends import EndpointUnusable, NoBackend, model_ref
from inference_workers.tasks.jobs import Job
from inference_workers.use_cases.claim_completions import claim_completions
from inference_workers.use_cases.release_completions import release_completions
from inference_workers.use_cases.renew_leases import renew_leases
from inference_workers.use_cases.settle_cancelled import settle_cancelled
from inference_workers.use_cases.turn_away import turn_away

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.1
IDLE_POLL_SECONDS = 0.25
# A stop is noticed after at most that and one step, so that "within a second" holds on a busy machine too.
WATCH_SECONDS = 0.2
STEP_SECONDS = 0.02
DRAIN_SECONDS = 10.0
DATABASE_PAUSE = 1.0
# An endpoint's own time limit comes first, so that its reason is the one that is noted.
OVERTIME_SECONDS = 5.0
# Of a file that has come, besides; a picture as large as is taken needs ten on a slow machine.
LOOK_SECONDS = 120.0
# For how long a pump with nothing in hand stays with endpoints that may not be asked now; the sweeper wakes it again.
PATIENCE_SECONDS = 5.0


class BackendSource(Protocol):
    def of(self, endpoint: Endpoint) -> Backend: ...
    def measuring(self, endpoint: Endpoint) -> Any: ...
    def drop(self, backend: Backend) -> None: ...


class Pump:
    def __init__(
        self,
        *,
        backends: BackendSource,
        writer: StreamWriter,
        lease: timedelta,
        rest_seconds: float,
        most_seconds: float = float("inf"),
        is_stopping: Callable[[], bool] = lambda: False,
        on_model: Callable[[str, WorkerState, str], None] = lambda slug, state, reason: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backends = backends
        self._writer = writer
        self._lease = lease
        self._is_stopping = is_stopping
        self._on_model = on_model
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._in_use: dict[int, Backend] = {}
        self._suspect = False  # the one job in hand may kill this process, so nothing is admitted beside it
        self._idle = False
        started = clock()
        self.moved_at = started
        self._patient_until = started + PATIENCE_SECONDS
        self._rest_at = started + rest_seconds
        self._admit_until = started + most_seconds
        self._give_up_at = float("inf")
        self._poll_at = self._watch_at = self._database_at = started
        self._renew_at = started + self._lease.total_seconds() / 3

    def run(self) -> bool:
        """Pump until nothing waits, or nothing is in hand after `rest_seconds`, or the worker stops. Says whether work
        may be left. While anything is in hand it takes in more, for `most_seconds` at the longest: one endpoint's slow
        answers keep nobody waiting at another.

        Whatever is in hand at the end goes back: into the queue when the worker stops, and as a failed attempt
        when this pump breaks or runs out of time.
        """
        try:
            while not self._is_over():
                self._round()
        except BaseException as error:
            self._break_off(error)
            raise
        return self._stop() or not self._idle

    def _is_over(self) -> bool:
        if self._jobs:
            return self._clock() >= self._give_up_at
        return self._idle or not self._is_admitting() or self._clock() >= self._rest_at

    def _is_admitting(self) -> bool:
        return self._clock() < self._admit_until

    def _round(self) -> None:
        now = self.moved_at = self._clock()
        if now >= self._database_at:
            try:
                self._exchange(now)
            except (OperationalError, InterfaceError) as error:
                # The connection is gone, or the server is: look again in a second. Text goes on meanwhile.
                log.warning("pump_waits_for_database", error=type(error).__name__)
                connection.close()
                self._database_at = now + DATABASE_PAUSE
        self._step()
        self._writer.flush()

    def _exchange(self, now: float) -> None:
        if now >= self._watch_at:
            self._watch_at = now + WATCH_SECONDS
            self._watch()
        if now >= self._poll_at:
            self._admit_more()
            self._poll_at = now + (POLL_SECONDS if self._jobs else IDLE_POLL_SECONDS)
        self._settle()

    # -- what is in hand

    def _held(self) -> dict[UUID, UUID]:
        return {job.id: job.token for job in self._jobs.values()}

    def _watch(self) -> None:
        """Notice a stop of the worker, lost leases and cancellations, and jobs past their time."""
        if self._give_up_at == float("inf") and self._is_stopping():
            self._give_up_at = self._clock() + DRAIN_SECONDS
            self._admit_until = self._clock()
        if not self._jobs:
            return
        if self._clock() >= self._renew_at:
            kept = renew_leases(held=self._held(), lease=self._lease)
            self._renew_at = self._clock() + self._lease.total_seconds() / 3
        else:
            kept = still_held(self._held())
        for job in list(self._jobs.values()):
            if job.id not in kept:
                log.info("completion_taken_away", completion_id=str(job.id), attempt=job.completion.attempt)
                used = jobs.usage_so_far(job)
                self._drop(job)
                settle_cancelled(completion_id=job.id, attempt=job.completion.attempt, usage=used)
            elif job.ending is None and self._clock() >= job.deadline:
                self._refuse(job, code="timeout", message="the endpoint's time limit was over")
            elif not job.may_end and self._clock() >= job.deadline + LOOK_SECONDS:
                self._refuse(job, code="file_refused", message="it took too long to look at")

    def _drop(self, job: Job) -> None:
        """Forget a job without a word to anybody."""
        job.backend.cancel(job.request_id)
        self._forget(job)

    def _forget(self, job: Job) -> None:
        self._writer.forget(job.id)
        job.drop_look()
        del self._jobs[job.request_id]

    def _refuse(self, job: Job, *, code: str, message: str) -> None:
        job.backend.cancel(job.request_id)
        job.drop_look()
        job.ending = partial(jobs.fail, job, code=code, message=message, unheard=True)

    # -- what comes in

    def _admit_more(self) -> None:
        if not self._is_admitting() or (self._suspect and self._jobs):
            return
        self._suspect = False
        waiting = waiting_by_endpoint()
        for endpoint_id in [pk for pk, count in waiting.items() if count.turned_away]:
            turn_away(endpoint_id=endpoint_id, now=timezone.now())
        claimable = [pk for pk, count in waiting.items() if count.now]
        if claimable:
            self._claim_of(claimable)
        self._idle = not waiting or (not self._jobs and self._clock() >= self._patient_until)
        if self._jobs or not waiting:
            self._patient_until = self._clock() + PATIENCE_SECONDS

    def _claim_of(self, claimable: Sequence[int]) -> None:
        held = Counter(job.completion.revision.endpoint_id for job in self._jobs.values())
        for endpoint in Endpoint.objects.filter(pk__in=claimable).order_by("pk"):
            self._claim(endpoint.pk, min(endpoint.capacity - held[endpoint.pk], self._room(endpoint)))
        if not self._jobs:
            self._claim_suspect(claimable)

    def _room(self, endpoint: Endpoint) -> int:
        """What its backend can take. Made before anything is claimed: a first backend may take seconds to come up."""
        try:
            backend = self._backends.of(endpoint)
        except EndpointUnusable:
            return endpoint.capacity
        return backend.capacity - backend.active

    def _claim(self, endpoint_id: int, room: int, *, suspect: bool = False) -> None:
        if room > 0:
            self._admit(
                claim_completions(
                    endpoint_id=endpoint_id, limit=room, lease=self._lease, now=timezone.now(), suspect=suspect
                )
            )

    def _claim_suspect(self, endpoints: Iterable[int]) -> None:
        for endpoint_id in endpoints:
            self._claim(endpoint_id, 1, suspect=True)
            if self._jobs:
                self._suspect = True
                return

    def _admit(self, claimed: Iterable[Completion]) -> None:
        claimed = list(claimed)
        texts = completion_messages(claimed) if claimed else {}
        for completion in claimed:
            self._start(completion, texts[completion.pk])

    def _start(self, completion: Completion, messages: list[dict[str, str]] | None) -> None:
        revision = completion.revision
        screen = jobs.screen_of(revision, messages or [], completion.rule_set) if completion.screened else OpenScreen()
        deadline = self._clock() + revision.endpoint.timeout_seconds + OVERTIME_SECONDS
        try:
            writes = completion.task == Task.TEXT
            backend = (self._backends.of if writes else self._backends.measuring)(revision.endpoint)
        except EndpointUnusable as error:
            job = self._hold(Job(completion, NoBackend(), screen, deadline))
            job.ending = partial(jobs.fail, job, code="endpoint_unusable", message=str(error))
            return
        job = self._hold(Job(completion, backend, screen, deadline))
        if messages is None:
            job.ending = partial(jobs.fail, job, code="person_erased", message="the person who asked was erased")
            return
        try:
            ask = jobs.generation_request if writes else jobs.measure_request
            request: Any = ask(job, messages, model_ref(revision))
            backend.admit(request)
        except PersonErased as error:
            job.ending = partial(jobs.fail, job, code="person_erased", message=str(error))
        except (EndpointUnusable, ValueError) as error:
            job.ending = partial(jobs.fail, job, code="model_unusable", message=str(error))
        except BackendFull:
            job.ending = partial(release_completions, held={job.id: job.token})

    def _hold(self, job: Job) -> Job:
        self._jobs[job.request_id] = job
        self._in_use[id(job.backend)] = job.backend
        self._writer.begin(job.id, job.completion.attempt)
        return job

    # -- what comes out

    def _step(self) -> None:
        """One step of every backend that has something in hand, so that none waits for another's whole text."""
        # One that has nothing comes back with its next job; an endpoint that was edited has another by then.
        self._in_use = {key: backend for key, backend in self._in_use.items() if backend.active}
        busy = list(self._in_use.values())
        for backend in busy:
            try:
                events = backend.step(STEP_SECONDS / len(busy))
            except SoftTimeLimitExceeded:
                raise
            except Exception as error:  # noqa: BLE001 - a backend that breaks must not take the others' jobs along
                self._lose_backend(backend, error)
                continue
            for event in events:
                self._take(event)
        if not busy:
            time.sleep(STEP_SECONDS)

    def _lose_backend(self, backend: Backend, error: Exception) -> None:
        log.error("backend_broke", error=type(error).__name__, exc_info=error)
        for job in self._jobs.values():
            if job.backend is backend and job.ending is None:
                message = f"the backend broke: {type(error).__name__}"
                code = ErrorCode.INTERNAL.value
                job.ending = partial(jobs.fail, job, code=code, message=message, retryable=True, unheard=True)
        self._in_use.pop(id(backend), None)
        self._backends.drop(backend)

    def _take(self, event: Event) -> None:
        job = self._jobs.get(event.id)
        if job is None or job.ending is not None:
            return
        try:
            if isinstance(event, Delta):
                job.received += len(event.text)
                reset, text = job.screen.push(event.text)
                if reset:
                    self._writer.reset(job.id)
                self._writer.add(job.id, text)
            elif isinstance(event, Finished):
                job.finished = event
                if event.file is None:
                    self._writer.add(job.id, job.screen.finish(cut=event.finish_reason == FinishReason.LENGTH))
                jobs.look_at_file(job, event)
                job.ending = partial(jobs.finish, job, event)
                self._on_model(job.completion.revision.language_model.slug, WorkerState.READY, "")
            elif isinstance(event, Measured):
                job.ending = partial(jobs.measured, job, event)
            elif isinstance(event, Failed):
                job.ending = partial(jobs.fail_with, job, event.error)
                if event.error.code == ErrorCode.MODEL_LOAD:
                    self._on_model(job.completion.revision.language_model.slug, WorkerState.FAILED, event.error.message)
        except RejectedText as refusal:
            self._refuse(job, code=refusal.code.value, message=str(refusal))

    def _settle(self) -> None:
        """Write the results that are there; the stream's last text goes out before its end is announced."""
        ended = [job for job in self._jobs.values() if job.may_end]
        if ended:
            self._writer.flush(now=True)
        for job in ended:
            assert job.ending is not None
            try:
                job.ending()
            except (OperationalError, InterfaceError):
                raise
            except DatabaseError as error:
                log.error("result_refused", completion_id=str(job.id), error=type(error).__name__)
                jobs.fail(job, code=ErrorCode.INTERNAL.value, message="the database refused the result")
            self._forget(job)
            self._idle = False  # it may wait for another attempt

    def _stop(self) -> bool:
        """Give back what could not end in time; says whether there was any."""
        usage = {job.id: jobs.usage_so_far(job) for job in self._jobs.values()}
        released = release_completions(held=self._held(), usage=usage)
        self._empty_backends()
        return bool(released)

    def _empty_backends(self) -> None:
        for job in list(self._jobs.values()):
            self._drop(job)
        for backend in self._in_use.values():
            backend.step(0)  # takes the news of what was cancelled, for nobody

    def _break_off(self, error: BaseException) -> None:
        """This pump ends before its time. Every job loses an attempt, so that none can break pumps for ever."""
        late = isinstance(error, SoftTimeLimitExceeded)
        connection.close()
        for job in self._jobs.values():
            try:
                jobs.fail(
                    job,
                    code="time_limit" if late else ErrorCode.INTERNAL.value,
                    message="the worker's time limit was over" if late else f"the pump broke: {type(error).__name__}",
                    retryable=True,
                    unheard=True,
                )
            except (DatabaseError, InterfaceError):
                log.warning("left_to_the_sweeper", completion_id=str(job.id))
        self._empty_backends()
