"""Whatever is sent to whatever address: a clear refusal, never a failure of ours, and nothing is lost."""

import itertools
import json
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from annotation.models import Judgment
from arena.models import Battle
from tests.architecture.routes import TABLE, World, expected, make_world

pytestmark = pytest.mark.django_db

# Every name that a form or an address of the site reads, and one that none does.
NAMES = (
    *("prompt", "key", "turn_count", "preference", "preference.strength", "acceptable", "worth.a", "worth.b"),
    *("process.rendered_at", "process.active_ms", "views", "sources", "judged_by", "chosen_by", "minimum_agreement"),
    *("name", "start", "version", "text", "order", "q1-type", "q1-name", "action", "to", "questions", "gold_share"),
    *("licence", "page", "lang", "format", "next", "reason", "unheard-of"),
    *("kind", "groups", "group", "most_uses", "expires_at", "pseudonym", "amount", "person", "file", "reference"),
    *("external_id", "completion_code", "screen_out_code", "over_quota_code", "judgments", "places"),
    *("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    *("sort", "table", "before", "on"),
    *("decision", "seen", "message", "words", "most", "annotator", "see_others"),
    *("lines", "column", "stored", "models", "kept", "seen", "item", "count", "ways", "origin", "items", "verdict"),
    *("language_model", "limits", "limit", "wait_seconds", "on_silence", "answer", "work"),
    *("battles_per_network", "excluded_alarm", "flood_per_minute", "work_bits"),
    *("text", "q", "purpose", "state", "column_0", "column_1", "default_purpose"),
    *("confirmed", "withdraws", "own", "pattern", "says", "on_visitors", "on_models", "everywhere", "outcome"),
    "output",
    *("which", "threshold", "task"),
    *("samples", "design", *(f"settings-0-{each}" for each in ("name", "temperature", "top_p", "seed_base", "stop"))),
    *("agreed", "lead", "look", "is_default", "enters_all", "position", "examples", "system_prompt", "max_turns"),
    *("max_regenerations", "regenerations", "number", "place", "set", "unset", "base", "goes_on"),
    *("max_prompt_chars", "battles_per_day", "max_waiting", "model", "weight", "boost", "hours"),
    *("topic", "offer", "pick", "category", "language", "source", "pool_by_category"),
    *("newcomer_share", "newcomer_votes", "category_votes"),
    *("named", "modes", "contestants", "takes_images", "picture"),
    *("turns", "flags", "from", "ties", "excluded", "back"),
    *("below", "above", "best", "card", "bid", "endowments", "session_items"),
    *(
        "slug",
        "aliases",
        "organisation",
        "visibility",
        "price_read",
        "price_second",
        "longest_seconds",
        "span",
        "endpoint",
        "provider_model",
        "temperature",
    ),
    *("top_k", "max_tokens", "stop", "backend", "base_url", "api_key", "capacity", "requests_per_minute"),
    *("daily_budget", "timeout_seconds", "max_tokens_field", "extra_body", "left", "right", "test"),
)
# Which objects of the world are there.
THERE = ("", "own", "public", "exported", "drafted", "drawn", "shared", "linked", "served", "arena")
# In every field at once each is within what the site reads of a form: past that nothing but the limit would be tried.
NASTY = {
    "NUL": "a\x00b",
    "huge integer": "9" * 5000,
    "NaN": "NaN",
    "infinity": "-Infinity",
    "superscript": "²",
    "minus": "-1",
    "empty": "",
    "long": "x" * 8_000,
    "markup": "<script>alert(1)</script>",
    # Deeper than a reader of JSON goes, which need not see the end of it.
    "deep nesting": "[" * 1_100,
    "SQL": "'; DROP TABLE annotation_judgment; --",
    "path": "../../../../etc/passwd",
    "not ASCII": "schlüssel 鍵",
    "right to left": "\u202eabc",
}
# Good text that nothing here may take for more: beside each other, one a field, they cost one request.
READABLE = ("markup", "SQL", "path", "not ASCII", "right to left")
# What no text can say: a lone surrogate and half a character, as bytes on the wire.
BROKEN_BYTES = (b"%ED%A0%80", b"%ff%fe", b"%C3")


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.MEDIA_ROOT = tmp_path
    return make_world()


def good_vote(key: str = "a-good-key") -> dict[str, str]:
    return {"turn_count": "1", "key": key, "preference": "a", "preference.strength": "1"}


def cases(world: World, method: str) -> Iterator[tuple[str, str]]:
    """Addresses that answer the method to a superuser, of objects that are there."""
    for pattern, answers in TABLE.items():
        for case, status in answers.items():
            asked, _, which = case.partition(" ")
            there = which in THERE
            if asked == method and there and expected(status, "superuser") != 405:
                yield pattern, world.address(pattern, role="superuser", which=which)


def send(client: Client, method: str, address: str, body: bytes) -> int:
    """The status of the answer; what it changed is taken back."""
    with transaction.atomic():
        if method == "GET":
            status = client.get(f"{address}?{body.decode('latin-1')}").status_code
        else:
            status = client.post(address, body, content_type="application/x-www-form-urlencoded").status_code
        transaction.set_rollback(True)
    return status


@cache
def bodies(*, is_vote: bool) -> dict[str, bytes]:
    """Each nasty value in every field at once, good texts beside each other; for a vote each in each field of one that
    is good otherwise.
    """
    found = {
        f"{name} everywhere": urlencode(dict.fromkeys(NAMES, value)).encode()
        for name, value in NASTY.items()
        if name not in READABLE
    }
    texts = [NASTY[name] for name in READABLE]
    found["texts that mean something elsewhere"] = urlencode(dict(zip(NAMES, itertools.cycle(texts)))).encode()
    if is_vote:
        for name, field in itertools.product(NASTY, good_vote()):
            found[f"{name} in {field}"] = urlencode(good_vote() | {field: NASTY[name]}).encode()
    for broken in BROKEN_BYTES:
        found[f"{broken.decode()} everywhere"] = b"&".join(field.encode() + b"=" + broken for field in NAMES)
    assert max(map(len, found.values())) < settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    found["more than the site reads"] = b"prompt=" + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    found["no form at all"] = b"\x00\xff{]"
    found["a thousand fields"] = urlencode({f"field{number}": "x" for number in range(1500)}).encode()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_address_fails_whatever_it_is_sent(world, method):
    client = world.client("superuser")
    client.raise_request_exception = False
    # A query is no longer than servers let it be.
    sent = {
        f"{pattern}: {name}": send(client, method, address, body)
        for pattern, address in cases(world, method)
        for name, body in bodies(is_vote=pattern.endswith("/vote")).items()
        if method == "POST" or len(body) < 8000
    }
    assert {what: status for what, status in sent.items() if status >= 500} == {}
    assert len(sent) > 100


def test_a_refused_vote_leaves_the_battle_as_it_was_and_a_good_one_still_counts(world):
    client = world.client("anonymous")
    client.raise_request_exception = False
    address = world.address("battles/<uuid:battle_id>/vote", role="anonymous", which="own")
    battle = Battle.objects.get(pk=world.values["battle_id", "own", "anonymous"])
    statuses = set()
    bad_keys = ["", "x" * 65, "two words", "schlüssel", "a\x00b"]
    bad = [*itertools.product(("turn_count", "preference"), NASTY.values()), *(("key", key) for key in bad_keys)]
    for field, value in bad:
        statuses.add(client.post(address, good_vote() | {field: value}).status_code)
        battle.refresh_from_db()
        assert (battle.state, Judgment.objects.filter(item=battle.item).count()) == ("votable", 0), (field, value[:40])
    assert statuses <= {400, 409, 422}
    assert client.post(address, good_vote()).status_code == 302
    assert Judgment.objects.filter(item=battle.item).count() == 1


@pytest.mark.slow
def test_bodies_of_other_types_are_refused_or_read_as_nothing(world):
    client = world.client("superuser")
    client.raise_request_exception = False
    odd = [
        ("application/json", json.dumps({"preference": ["a", {"b": 1e400}]}).encode()),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data", b"no boundary"),
        ("text/plain; charset=utf-16", b"\xff\xfe"),
        ("application/x-www-form-urlencoded; charset=no-such-charset", b"a=b"),
    ]
    failed = {
        f"{pattern}: {kind}": status
        for pattern, address in cases(world, "POST")
        for kind, body in odd
        if (status := client.generic("POST", address, body, content_type=kind).status_code) >= 500
    }
    assert failed == {}
