from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from inference_workers.enums import Priority

log = structlog.get_logger(__name__)

GENERATE = "inference_workers.generate"
WARM = "inference_workers.warm"
# A hint that waited longer is worth nothing: the sweeper gives a new one every few seconds.
HINT_SECONDS = 60


def wake_workers(*, completion_id: UUID, priority: int) -> bool:
    """Tell a generation worker that this completion waits. Only a hint: it never raises and says whether it was taken.

    A signature, because `send_task` would ignore eager mode; the task's name, because a web process cannot import it.
    """
    return _publish(GENERATE, [str(completion_id)], priority=priority)


def warm_workers() -> bool:
    """Ask a generation worker to load the models of battles."""
    return _publish(WARM, [], priority=Priority.VISITOR)


def _publish(task: str, arguments: list[str], *, priority: int) -> bool:
    try:
        current_app.signature(task, args=arguments).apply_async(priority=priority, expires=HINT_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("workers_not_woken", task=task, error=type(error).__name__)
        return False
    return True
