"""The settings of the session's generation worker: a queue of its own, so that it leaves other tests' hints alone."""

from config.settings.test import *  # noqa: F403

QUEUE = "generation-of-tests"
CELERY_TASK_ROUTES = {name: {"queue": QUEUE} for name in ("inference_workers.generate", "inference_workers.warm")}
