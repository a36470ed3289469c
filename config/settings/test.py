"""Tests: the same settings on services that the test run started, with cheap password hashes."""

from uuid import uuid4

from config.settings.base import *  # noqa: F403
from config.settings.base import CACHES, DATABASES

SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
AXES_ENABLED = False
SCRIPTED_ENDPOINTS = True
# What a test changed, its next request shows.
BOARD_PAGE_SECONDS = 0
# A worker of a test asks what the test asks.
MODEL_PROBE_MINUTES = 0
# pytest-django makes and drops databases; a pool would keep them open.
DATABASES["default"]["OPTIONS"].pop("pool")
# Databases of several processes hold campaigns of the same numbers.
CACHES["summaries"]["KEY_PREFIX"] = f"test-{uuid4()}"
