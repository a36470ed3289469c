"""A process that serves pages and streams never loads torch: it would cost every one of them half a gigabyte."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from tests.architecture.routes import TABLE, World, make_world
from tests.architecture.test_routes import account_address, admin_addresses, patterns
from tests.architecture.tree import REPOSITORY
from tests.factories import new_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

Request = tuple[str, str, dict[str, str], dict[str, str]]


@pytest.fixture
def world(transactional_db, settings, tmp_path) -> World:
    settings.MEDIA_ROOT = tmp_path
    return make_world()


def cookies_of(world: World, role: str) -> dict[str, str]:
    return {name: morsel.value for name, morsel in world.client(role).cookies.items()}


def listed(world: World, role: str) -> list[Request]:
    """Every address by its methods as the table has them, then everything of the admin and the account."""
    cookies = cookies_of(world, role)
    found = [
        (case.split()[0], world.address(pattern, role=role, which=case.partition(" ")[2]), {}, cookies)
        for pattern, cases in TABLE.items()
        for case in cases
    ]
    grouped = [
        *admin_addresses().values(),
        *(account_address(each) for each in patterns() if each.startswith("account/") and "logout" not in each),
    ]
    return found + [("GET", address, {}, cookies) for address in grouped if "logout" not in address]


def effects(world: World) -> list[Request]:
    """A visitor's whole way: a battle begun, which publishes to the workers, and one voted on."""
    cookies = cookies_of(world, "anonymous")
    vote = world.address("battles/<uuid:battle_id>/vote", role="anonymous", which="own")
    answers = {"turn_count": "1", "key": new_key(), "preference": "a", "preference.strength": "1"}
    return [("POST", "/battles", {"prompt": "Why?", "key": new_key()}, cookies), ("POST", vote, answers, cookies)]


def served(requests: list[Request], streams: list[Any], *, planted: bool = False, before: Path | None = None) -> Any:
    """What a fresh process answers, on this test's database."""
    address = urlsplit(os.environ["DATABASE_URL"])
    place = address.netloc.rpartition("@")[2]
    database = address._replace(
        netloc=f"{django_settings.DATABASE_APP_ROLE}@{place}", path=f"/{connection.settings_dict['NAME']}"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.architecture.serve_everything"],
        cwd=REPOSITORY,
        env=os.environ
        | {
            "DATABASE_URL": urlunsplit(database),
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "REDIS_URL": django_settings.REDIS_URL,
            "ALLOWED_HOSTS": "testserver",
            "LOG_LEVEL": "ERROR",
            "PYTHONPATH": str(before or ""),
        },
        input=json.dumps({"requests": requests, "streams": streams, "planted": planted}),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_after_every_address_was_served_no_torch_is_loaded(world):
    requests = [request for role in ("anonymous", "superuser") for request in listed(world, role)] + effects(world)
    cookies = cookies_of(world, "annotator")
    battle = world.address("battles/<uuid:battle_id>", role="annotator", which="own")
    streams = [(f"/streams{battle}", cookies), ("/streams/boards/public-board", {})]
    outcome = served(requests, streams)
    assert outcome["loaded"] == []
    statuses = outcome["answered"]
    assert (len(statuses), [status for status in statuses if status == 400 or status >= 500]) == (len(requests), [])
    assert statuses[-2:] == [302, 302]
    assert outcome["listened"] == [200, 200]


def test_control_a_view_that_imports_torch_is_seen(world, tmp_path):
    """A package of that name stands for the real one, which takes seconds to load."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").touch()
    outcome = served([("GET", "/about", {}, {}), ("GET", "/planted", {}, {})], [], planted=True, before=tmp_path)
    assert (outcome["answered"], outcome["loaded"]) == ([200, 200], ["torch"])
