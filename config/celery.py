"""The Celery application: tasks carry ids only, the rows in PostgreSQL are the jobs."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("cardinal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
