"""What workers run. Nothing here imports torch until a generation worker has something to generate: the default
worker, which sweeps, and whoever asks Celery for its tasks, stay small."""

import threading
from datetime import timedelta
from typing import Any

import structlog
from celery import shared_task, signals
from django.conf import settings
from django.utils import timezone

from inference_workers.queries import WorkerState, oldest_waiting, worker_status
from inference_workers.tasks import shutdown
from inference_workers.use_cases.probe_endpoints import probe_endpoints
from inference_workers.use_cases.probe_models import probe_models
from inference_workers.use_cases.requeue_expired import requeue_expired
from inference_workers.use_cases.wake_workers import GENERATE, WARM, wake_workers, warm_workers

log = structlog.get_logger(__name__)

# A hint that was published this long ago without effect may be lost.
HINT_LOST_SECONDS = 4.0
HINTS_PER_SWEEP = 4
# An endpoint's time limit is at most 200 s; what was admitted last may take it.
LAST_ANSWER_SECONDS = 300

# Backends belong to one thread; a second pump in this process would only wait for the first.
_pumping = threading.Lock()


@shared_task(
    name=GENERATE,
    ignore_result=True,
    soft_time_limit=settings.GENERATION_MOST_SECONDS + LAST_ANSWER_SECONDS,
    time_limit=settings.GENERATION_MOST_SECONDS + LAST_ANSWER_SECONDS + 60,
)
def generate(completion_id: str) -> None:
    """Work off the queue of completions. The id is a hint that there is something, and which row claimed it last."""
    if not _pumping.acquire(blocking=False):
        return
    try:
        from inference_workers.tasks.generation import pump_queue

        left_work = pump_queue()
    finally:
        _pumping.release()
    for waiting, priority in oldest_waiting(count=int(left_work), for_seconds=0):
        wake_workers(completion_id=waiting, priority=priority)


@shared_task(name=WARM, ignore_result=True)
def warm() -> None:
    """Load the models of battles before anybody waits for them."""
    with _pumping:
        from inference_workers.tasks.generation import warm_models

        warm_models()


@shared_task(name="inference_workers.sweep_completions", ignore_result=True)
def sweep_completions() -> None:
    """Bring back what a dead worker held, and wake workers for what a lost hint left waiting."""
    swept = requeue_expired(now=timezone.now())
    if swept.requeued or swept.failed:
        log.warning("completions_swept", requeued=swept.requeued, failed=swept.failed)
    probe_endpoints(now=timezone.now())
    if worker_status().state == WorkerState.LOADING:
        warm_workers()  # its first word may have been lost; a worker that has loaded everything is done at once
    for waiting, priority in oldest_waiting(count=HINTS_PER_SWEEP, for_seconds=HINT_LOST_SECONDS):
        if not wake_workers(completion_id=waiting, priority=priority):
            return


@shared_task(name="inference_workers.probe_models", ignore_result=True)
def look_at_models() -> None:
    """Ask every model something small now and then, so that its page shows how it is before somebody finds out."""
    if settings.MODEL_PROBE_MINUTES > 0:
        probe_models(every=timedelta(minutes=settings.MODEL_PROBE_MINUTES), now=timezone.now())


@signals.celeryd_after_setup.connect
def note_queues(sender: str, instance: Any, **kwargs: Any) -> None:
    """Children cannot ask which queues their worker reads, so it leaves word in their environment."""
    queue = instance.app.amqp.router.route({}, GENERATE)["queue"].name
    if queue not in instance.app.amqp.queues.consume_from:
        return
    shutdown.prepare()

    def announce(**kwargs: Any) -> None:
        shutdown.announce(instance.pool.info.get("processes", []) if instance.pool else [])

    signals.worker_shutting_down.connect(announce, weak=False)


@signals.worker_process_init.connect
def begin_child(**kwargs: Any) -> None:
    """Each child of a generation worker, also one that replaces a child that died, loads its models at once."""
    if not shutdown.is_prepared():
        return
    shutdown.watch_in_child()
    from inference_workers.tasks.readiness import readiness

    readiness.begin()
    warm_workers()
