"""The Celery application: tasks carry ids only, the rows in PostgreSQL are the jobs."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("cardinal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Simulated people stand above the tasks of their app: they call what people call.
app.autodiscover_tasks(["annotation.simulation"])


@celeryd_init.connect
def refuse_unsafe_settings(**signal_arguments: Any) -> None:
    """Where a worker starts, and not where this module is imported: pages import it too, and have asked before."""
    from config.starting import exit_if_unsafe

    exit_if_unsafe()
