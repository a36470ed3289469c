from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

GENERATE = "inference_workers.generate"
# A hint that waited longer is worth nothing: the sweeper gives a new one every few seconds.
HINT_SECONDS = 60


def wake_workers(*, completion_id: UUID, priority: int) -> bool:
    """Tell a generation worker that this completion waits. Only a hint: it never raises and says whether it was taken.

    A signature, because `send_task` would ignore eager mode; the task's name, because a web process cannot import it.
    """
    hint = current_app.signature(GENERATE, args=[str(completion_id)])
    try:
        hint.apply_async(priority=priority, expires=HINT_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("workers_not_woken", completion_id=str(completion_id), error=type(error).__name__)
        return False
    return True
