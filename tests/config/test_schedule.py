"""Every task that is scheduled or routed by name exists under that name."""

from django.conf import settings

from config.celery import app


def test_every_scheduled_task_is_registered():
    app.loader.import_default_modules()
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert wanted - set(app.tasks) == set()


def test_every_route_names_a_registered_task():
    app.loader.import_default_modules()
    assert {name for name in settings.CELERY_TASK_ROUTES if "*" not in name} - set(app.tasks) == set()
