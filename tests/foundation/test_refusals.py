import asyncio
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.db import connections

from foundation.database import server_settings
from foundation.refusals import check_durability, check_settings, refuse_unsafe, unsafe_settings

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def configured(**changes):
    return SimpleNamespace(
        **{
            "SECRET_KEY": "q3Zx-7LmP0sWv_8RtYbNcKd2FgHj4UiOe5Aa9TzXr1Ww6VnMkQ",
            "ENCRYPTION_KEY": bytes(range(32)),
            "DEBUG": False,
            "ALLOWED_HOSTS": ["arena.example"],
            "TRUSTED_PROXY_COUNT": 1,
            "SECURE_SSL_REDIRECT": True,
            **changes,
        }
    )


def test_safe_settings_are_not_refused():
    assert unsafe_settings(configured(), DURABLE) == []
    assert unsafe_settings(configured()) == []
    assert unsafe_settings(configured(DEBUG=True, ALLOWED_HOSTS=["localhost", "127.0.0.1", "[::1]"])) == []
    assert unsafe_settings(configured(SECURE_SSL_REDIRECT=False, TRUSTED_PROXY_COUNT=None)) == []
    assert unsafe_settings(configured(TRUSTED_PROXY_COUNT=0)) == []
    assert unsafe_settings(configured(), {**DURABLE, "synchronous_commit": "remote_apply"}) == []


@pytest.mark.parametrize(
    ("changes", "database", "beginning"),
    [
        ({"SECRET_KEY": ""}, None, "SECRET_KEY is not set. Set it to the output of: python3 -c"),
        ({"SECRET_KEY": "short"}, None, "SECRET_KEY has 5 characters, fewer than 50."),
        ({"SECRET_KEY": "ab" * 40}, None, "SECRET_KEY has 2 different characters, fewer than 10."),
        (
            {"SECRET_KEY": "django-insecure-q3Zx7LmP0sWv8RtYbNcKd2FgHj4UiOe5Aa9TzX"},
            None,
            "SECRET_KEY is an example: it contains 'insecure'.",
        ),
        (
            {"SECRET_KEY": "ChangeMe-q3Zx7LmP0sWv8RtYbNcKd2FgHj4UiOe5Aa9TzXr1Ww6V"},
            None,
            "SECRET_KEY is an example: it contains 'changeme'.",
        ),
        (
            {"SECRET_KEY": "an-EXAMPLE-key-q3Zx7LmP0sWv8RtYbNcKd2FgHj4UiOe5Aa9TzX"},
            None,
            "SECRET_KEY is an example: it contains 'example'.",
        ),
        ({"ENCRYPTION_KEY": b""}, None, "CARDINAL_ENCRYPTION_KEY is not set. Set it to the output of: python3 -c"),
        ({"ENCRYPTION_KEY": b"x" * 16}, None, "CARDINAL_ENCRYPTION_KEY holds 16 bytes, not 32."),
        ({"ENCRYPTION_KEY": bytes(32)}, None, "CARDINAL_ENCRYPTION_KEY is not random."),
        (
            {"DEBUG": True, "ALLOWED_HOSTS": ["localhost", "arena.example", "*"]},
            None,
            "DEBUG is on while ALLOWED_HOSTS names arena.example, *:",
        ),
        (
            {"TRUSTED_PROXY_COUNT": None},
            None,
            "TRUSTED_PROXY_COUNT is not set while SECURE_SSL_REDIRECT says that a proxy stands in front:",
        ),
        (
            {"TRUSTED_PROXY_COUNT": None, "SECURE_SSL_REDIRECT": False, "USE_X_FORWARDED_HOST": True},
            None,
            "TRUSTED_PROXY_COUNT is not set while USE_X_FORWARDED_HOST says",
        ),
        ({}, {**DURABLE, "fsync": "off"}, "fsync is off in PostgreSQL:"),
        ({}, {**DURABLE, "synchronous_commit": "off"}, "synchronous_commit is off in PostgreSQL:"),
        ({}, {**DURABLE, "full_page_writes": "off"}, "full_page_writes is off in PostgreSQL:"),
    ],
)
def test_each_unsafe_setting_is_refused_by_name_with_a_way_to_mend_it(changes, database, beginning):
    (line,) = unsafe_settings(configured(**changes), database)

    assert line.startswith(beginning)
    assert "Set " in line


def test_every_refusal_is_told_at_once():
    settings = configured(SECRET_KEY="", ENCRYPTION_KEY=b"", DEBUG=True, TRUSTED_PROXY_COUNT=None)

    assert len(unsafe_settings(settings, {"fsync": "off", "synchronous_commit": "off"})) == 6


@pytest.mark.django_db
def test_the_server_of_the_tests_which_does_not_sync_is_refused():
    lines = unsafe_settings(configured(), server_settings())

    assert [line.split(" is ")[0] for line in lines] == ["fsync", "synchronous_commit", "full_page_writes"]


@pytest.mark.django_db
def test_start_up_raises_with_every_line():
    with pytest.raises(
        ImproperlyConfigured, match=r"Cardinal does not start with these settings:\nfsync is off"
    ) as refused:
        refuse_unsafe()

    assert "synchronous_commit is off" in str(refused.value)


@pytest.mark.django_db
def test_start_up_may_happen_inside_an_event_loop_as_under_uvicorn(monkeypatch):
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)

    async def importing():
        with pytest.raises(SynchronousOnlyOperation):
            server_settings()
        refuse_unsafe()

    with pytest.raises(ImproperlyConfigured, match="fsync is off"):
        asyncio.run(importing())


@pytest.mark.django_db
def test_a_database_that_does_not_answer_yet_does_not_stop_the_start(monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", 1)

    refuse_unsafe()


@pytest.mark.django_db
def test_an_unsafe_key_is_refused_also_while_the_database_does_not_answer(settings, monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", 1)
    settings.SECRET_KEY = "changeme"

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY has 8 characters"):
        refuse_unsafe()


def test_the_checks_are_errors_with_stable_ids(settings):
    settings.SECRET_KEY = "changeme"
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["arena.example"]
    settings.ENCRYPTION_KEY = b""
    settings.SECURE_SSL_REDIRECT = True
    settings.TRUSTED_PROXY_COUNT = None

    messages = check_settings()

    assert [(message.id, message.level) for message in messages] == [
        ("foundation.E001", 40),
        ("foundation.E002", 40),
        ("foundation.E003", 40),
        ("foundation.E004", 40),
    ]


@pytest.mark.django_db
def test_the_database_is_checked_where_it_is_named():
    assert {message.id for message in check_durability(databases=["default"])} == {"foundation.E005"}
    assert check_durability(databases=None) == []


def test_the_checks_run_with_manage_check(settings):
    settings.ENCRYPTION_KEY = b""

    assert "foundation.E003" in {message.id for message in run_checks()}
