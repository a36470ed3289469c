"""`manage.py up`: one machine, loopback by default, secrets made into the data directory by the supervisor."""

from config.settings.base import *  # noqa: F403

SECURE_HSTS_SECONDS = 0
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
