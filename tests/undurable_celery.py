"""The Celery application for workers of tests: their PostgreSQL does not sync, which a worker refuses to start with."""

from celery.signals import celeryd_init

from config.celery import app, refuse_unsafe_settings

celeryd_init.disconnect(refuse_unsafe_settings)

__all__ = ["app"]
