"""The generation worker's process: its backends, and the two things it does with them."""

import os
import signal
import threading
import time
from datetime import timedelta

import structlog
from django.conf import settings

from inference_workers.engine.protocol import GenerationFailure
from inference_workers.models import LanguageModel
from inference_workers.queries import WORKER_FIELD, WorkerState, models_to_warm
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks import shutdown
from inference_workers.tasks.backends import Backends, EndpointUnusable, model_ref
from inference_workers.tasks.pump import Pump
from inference_workers.tasks.readiness import readiness

log = structlog.get_logger(__name__)

# Models that are loaded before anybody asked: more than a few would only push each other out of memory.
MODELS_WARMED = 4
WARM_SECONDS = 300.0

# A round takes a second at the worst, and a load of a model runs beside it.
STUCK_SECONDS = 540.0
LOOK_SECONDS = 10.0

backends = Backends()


def pump_queue() -> bool:
    """Complete what waits, until nothing does or this task has run for long enough. Says whether work may be left."""
    pump = Pump(
        backends=backends,
        writer=StreamWriter(sync_client()),
        lease=timedelta(seconds=settings.COMPLETION_LEASE_SECONDS),
        rest_seconds=settings.GENERATION_REST_SECONDS,
        most_seconds=settings.GENERATION_MOST_SECONDS,
        is_stopping=shutdown.is_stopping,
        on_model=readiness.note,
    )
    over = threading.Event()
    threading.Thread(target=end_if_stuck, args=(pump, over), name="pump-watch", daemon=True).start()
    try:
        with shutdown.Busy():
            return pump.run()
    finally:
        over.set()


def end_if_stuck(pump: Pump, over: threading.Event) -> None:
    """A pump may run for hours, so that a task's time limit says nothing of it. One that has not moved for minutes
    hangs in something that cannot be interrupted: its process ends, and its leases bring back what it held."""
    while not over.wait(LOOK_SECONDS):
        still = time.monotonic() - pump.moved_at
        if still > STUCK_SECONDS:
            log.critical("pump_stuck", seconds=round(still))
            os.kill(os.getpid(), signal.SIGKILL)


def warm_models() -> None:
    """Load the first models of battles and say so. One that cannot be loaded does not keep the others waiting."""
    loaded: dict[str, tuple[WorkerState, str]] = {}
    for model in models_to_warm():
        if shutdown.is_stopping():
            return
        name = model.current.provider_model if model.current else ""
        if name not in loaded and len(loaded) < MODELS_WARMED:
            readiness.note(model.slug, WorkerState.LOADING)
            loaded[name] = _load(model)
        if name in loaded:
            readiness.note(model.slug, *loaded[name])
    readiness.note(WORKER_FIELD, WorkerState.READY)


def _load(model: LanguageModel) -> tuple[WorkerState, str]:
    started = time.monotonic()
    try:
        ref = model_ref(model.current)  # type: ignore[arg-type]
        in_time = backends.in_process().warm(ref, WARM_SECONDS)
    except (EndpointUnusable, GenerationFailure) as error:
        log.error("model_not_loaded", language_model=model.slug, reason=str(error))
        return WorkerState.FAILED, str(error)
    if not in_time:
        return WorkerState.FAILED, f"not loaded after {WARM_SECONDS:g} s"
    log.info("model_loaded", language_model=model.slug, seconds=round(time.monotonic() - started, 1))
    return WorkerState.READY, ""
