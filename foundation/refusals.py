"""What Cardinal refuses to start with. Each line names the setting and says how to mend it."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import structlog
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from foundation.database import DURABILITY, SETTINGS, lone_connection, server_settings
from foundation.encryption import KEY_BYTES
from foundation.key_mark import other_key

log = structlog.get_logger(__name__)

SHORTEST_SECRET_KEY = 50
FEWEST_CHARACTERS = 10
EXAMPLE_WORDS = ("example", "changeme", "change-me", "insecure", "your-secret")
LOOPBACK_HOSTS = frozenset({"localhost", ".localhost", "127.0.0.1", "[::1]", "::1", "testserver"})
_MAKE_RANDOM_TEXT = 'python3 -c "import secrets; print(secrets.token_urlsafe(64))"'
_MAKE_RANDOM_BYTES = 'python3 -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'


def unsafe_settings(settings: Any, database: Mapping[str, str] | None = None) -> list[str]:
    """One line for each setting nothing should run with; `database` as `database.server_settings()` returns it."""
    found = [
        _secret_key(settings),
        _debug(settings),
        _encryption_key(settings),
        _proxy_count(settings),
        *(_durability(database) if database is not None else []),
    ]
    return [line for line in found if line]


def refuse_unsafe() -> None:
    """Raise `ImproperlyConfigured` with every refusal. A database that does not answer yet is readyz's matter.

    For the composition root, while it is imported: also inside a running event loop and before a fork.
    """
    database, key = None, ""
    try:
        with lone_connection() as connection:
            database = dict(connection.execute(SETTINGS, [list(DURABILITY)]).fetchall())
            key = other_key(connection)
    except psycopg.OperationalError as error:
        log.warning("database_settings_unchecked", reason=(str(error).strip() or type(error).__name__).splitlines()[0])
    refused = [*unsafe_settings(django_settings, database), *([key] if key else [])]
    if refused:
        raise ImproperlyConfigured("Cardinal does not start with these settings:\n" + "\n".join(refused))


def _secret_key(settings: Any) -> str:
    key = getattr(settings, "SECRET_KEY", "")
    if not key:
        problem = "is not set"
    elif len(key) < SHORTEST_SECRET_KEY:
        problem = f"has {len(key)} characters, fewer than {SHORTEST_SECRET_KEY}"
    elif len(set(key)) < FEWEST_CHARACTERS:
        problem = f"has {len(set(key))} different characters, fewer than {FEWEST_CHARACTERS}"
    elif word := next((word for word in EXAMPLE_WORDS if word in key.lower()), ""):
        problem = f"is an example: it contains {word!r}"
    else:
        return ""
    return f"SECRET_KEY {problem}. Set it to the output of: {_MAKE_RANDOM_TEXT}"


def _debug(settings: Any) -> str:
    public = [host for host in settings.ALLOWED_HOSTS if host.lower() not in LOOPBACK_HOSTS]
    if not settings.DEBUG or not public:
        return ""
    return (
        f"DEBUG is on while ALLOWED_HOSTS names {', '.join(public)}: error pages would show settings and code."
        " Set DEBUG=false, or ALLOWED_HOSTS=localhost,127.0.0.1."
    )


def _encryption_key(settings: Any) -> str:
    key = getattr(settings, "ENCRYPTION_KEY", b"")
    if len(key) == KEY_BYTES and len(set(key)) >= FEWEST_CHARACTERS:
        return ""
    problem = "is not set" if not key else f"holds {len(key)} bytes, not {KEY_BYTES}"
    if len(key) == KEY_BYTES:
        problem = "is not random"
    return f"CARDINAL_ENCRYPTION_KEY {problem}. Set it to the output of: {_MAKE_RANDOM_BYTES}"


def _proxy_count(settings: Any) -> str:
    behind = [
        name
        for name in ("SECURE_SSL_REDIRECT", "SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")
        if getattr(settings, name, None)
    ]
    if not behind or getattr(settings, "TRUSTED_PROXY_COUNT", None) is not None:
        return ""
    return (
        f"TRUSTED_PROXY_COUNT is not set while {', '.join(behind)} says that a proxy stands in front: limits per"
        " network would count the proxy, or believe any address. Set it to the number of proxies (1 for one nginx,"
        " 0 for none)."
    )


def _durability(database: Mapping[str, str]) -> list[str]:
    lines = []
    if database.get("fsync") != "on":
        lines.append(
            "fsync is off in PostgreSQL: a power cut loses acknowledged answers and may destroy the database."
            " Set fsync = on in postgresql.conf."
        )
    if database.get("synchronous_commit") == "off":
        lines.append(
            "synchronous_commit is off in PostgreSQL: a crash loses answers that were acknowledged."
            " Set synchronous_commit = on in postgresql.conf, and for this role and database"
            " (ALTER ROLE … RESET synchronous_commit)."
        )
    if database.get("full_page_writes", "on") != "on":
        lines.append(
            "full_page_writes is off in PostgreSQL: a power cut may destroy the database."
            " Set full_page_writes = on in postgresql.conf."
        )
    return lines


def _errors(lines: Sequence[str], number: int) -> list[CheckMessage]:
    return [Error(line, id=f"foundation.E{number:03}") for line in lines if line]


@register(Tags.security)
def check_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    return [
        *_errors([_secret_key(django_settings)], 1),
        *_errors([_debug(django_settings)], 2),
        *_errors([_encryption_key(django_settings)], 3),
        *_errors([_proxy_count(django_settings)], 4),
    ]


@register(Tags.database)
def check_durability(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Runs where a database is named: `check --database default` and `migrate`."""
    return [
        message
        for alias in databases or []
        if connections[alias].vendor == "postgresql"
        for message in _errors(_durability(server_settings(using=alias)), 5)
    ]
