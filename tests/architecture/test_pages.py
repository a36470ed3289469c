"""Every page of the site carries the policy and obeys it, whoever asks: nothing inline, nothing from elsewhere."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from arena.models import Battle
from arena.use_cases.cast_vote import cast_vote
from tests.architecture.routes import World, make_world
from tests.architecture.test_routes import ACCOUNT, account_address
from tests.arena.factories import begin, claimed_turn, fail, votable
from tests.factories import new_key

pytestmark = pytest.mark.django_db

URL_ATTRIBUTES = {"href", "src", "action", "formaction", "poster", "data", "srcset", "hx-get", "hx-post"}
LOADED = {"script", "link", "img", "iframe", "object", "embed", "source", "video", "audio", "form"}
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "media-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# What a page may say instead, because it tells still less.
STRICTER = {"Referrer-Policy": "no-referrer"}
NONCE = r"('nonce-[\w+/=]+' )?"
SCRIPTS = f"{NONCE}'strict-dynamic'"
ADMIN_SCRIPTS = f"{NONCE}http://testserver/static/admin/js/ http://testserver/admin/jsi18n/"


class Findings(HTMLParser):
    """What of a page a policy would refuse, or somebody could abuse."""

    def __init__(self, response: HttpResponse, *, scripts_carry_nonce: bool) -> None:
        super().__init__()
        nonce = re.search(r"'nonce-([^']+)'", response["Content-Security-Policy"])
        self.nonce = nonce[1] if nonce else None
        self.scripts_carry_nonce = scripts_carry_nonce
        self.found: list[str] = []
        self.has_language = False
        self.has_title = False
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.has_language |= tag == "html" and bool(named.get("lang"))
        self.has_title |= tag == "title"
        handlers = [name for name in named if name.startswith("on") or name.startswith("hx-on") or name == "style"]
        self.found += [f"<{tag} {name}>" for name in handlers]
        if tag == "style":
            self.found.append("<style>")
        if tag == "script" and self.lacks_nonce(named):
            self.found.append(f"<script src={named.get('src')}> without the nonce")
        for name in URL_ATTRIBUTES & set(named):
            address = (named[name] or "").strip().lower()
            if address.startswith(("javascript:", "vbscript:", "data:text")):
                self.found.append(f"<{tag} {name}={address[:40]}>")
            elsewhere = re.match(r"(https?:)?//", address) and not address.startswith("http://testserver/")
            if tag in LOADED and elsewhere:
                self.found.append(f"<{tag} {name}={address}> from elsewhere")

    def lacks_nonce(self, named: dict[str, str | None]) -> bool:
        is_data = named.get("type") in ("application/json", "application/ld+json")
        return self.scripts_carry_nonce and not is_data and (self.nonce is None or named.get("nonce") != self.nonce)


def faults(response: HttpResponse, *, scripts: str = SCRIPTS, scripts_carry_nonce: bool = True) -> list[str]:
    """Everything that is wrong with a page."""
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    run = policy.pop("script-src")
    wrong = [f"script-src is {run}"] if not re.fullmatch(scripts, run) else []
    wrong += [
        f"{name} is {policy.get(name)}" for name in POLICY.keys() | policy if policy.get(name) != POLICY.get(name)
    ]
    for name, value in HEADERS.items():
        if response.get(name) not in (value, STRICTER.get(name, value)):
            wrong.append(f"{name} is {response.get(name)}")
    page = Findings(response, scripts_carry_nonce=scripts_carry_nonce)
    if response["Content-Type"].startswith("text/html") and b"<html" in response.content:
        wrong += [] if page.has_language else ["no language"]
        wrong += [] if page.has_title else ["no title"]
    return wrong + page.found


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.MEDIA_ROOT = tmp_path
    return make_world()


def by_fault(faults_of: dict[str, list[str]]) -> dict[str, list[str]]:
    """Where each fault was found, in a few places: one base template is behind most pages."""
    found: dict[str, list[str]] = {}
    for page, wrong in faults_of.items():
        for fault in wrong:
            found.setdefault(fault, []).append(page)
    return {fault: pages[:3] for fault, pages in found.items()}


@pytest.fixture
def pages(answers) -> list[tuple[str, HttpResponse]]:
    """Every address that is listed, read by every role, and every form sent empty, where the answer is HTML."""
    return [(str(each), each.response) for each in answers if each.response.content]


@pytest.mark.slow
@pytest.mark.xdist_group("every-address")
def test_every_page_carries_the_policy_and_nothing_it_would_refuse(pages):
    assert by_fault({name: faults(response) for name, response in pages}) == {}
    assert len(pages) > 150


def test_a_battle_carries_the_policy_in_every_state(world):
    person, client = world.persons["anonymous"], world.client("anonymous")
    battles = {"answering": begin(person), "votable": votable(person), "void": begin(person), "voted": votable(person)}
    for _ in range(2):
        fail(claimed_turn(battles["void"])[0])
    battles["voted"].refresh_from_db()
    answers = {"preference": {"choice": "a", "strength": 1}}
    cast_vote(
        battle_id=battles["voted"].pk, turn_count=1, person=person, key=new_key(), answers=answers, now=timezone.now()
    )
    pages = {state: client.get(reverse("battle", args=[battle.pk])) for state, battle in battles.items()}
    assert {state: Battle.objects.get(pk=battle.pk).state for state, battle in battles.items()} == {
        state: state for state in battles
    }
    assert by_fault({state: faults(page) for state, page in pages.items()}) == {}


def test_pages_of_the_account_carry_the_policy_and_nothing_it_would_refuse(world):
    found, seen = {}, 0
    for role in ("anonymous", "annotator"):
        client = world.client(role)
        for pattern in ACCOUNT:
            response = client.get(account_address(pattern))
            if response.status_code == 200:
                seen += 1
                found[f"{pattern} by {role}"] = faults(response)
    assert by_fault(found) == {}
    assert seen > 10


def test_pages_of_the_admin_carry_their_policy_and_nothing_it_would_refuse(world):
    client = world.client("superuser")
    addresses = [reverse("admin:index"), reverse("admin:password_change")]
    for model, shown in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses.append(reverse(f"{name}_changelist"))
        row = model._default_manager.first()
        addresses += [reverse(f"{name}_change", args=[row.pk])] if row else []
        addresses += [reverse(f"{name}_add")] if shown.has_add_permission(client.get("/").wsgi_request) else []
    found = {}
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        found[address] = faults(response, scripts=ADMIN_SCRIPTS, scripts_carry_nonce=False)
    assert by_fault(found) == {}
    assert len(addresses) > 20


def test_a_battle_is_kept_out_of_search_engines_and_out_of_caches(world):
    address = world.address("battles/<uuid:battle_id>", role="anonymous", which="own")
    response = world.client("anonymous").get(address)
    assert "noindex" in response["X-Robots-Tag"]
    assert re.search(r'<meta name="robots" content="[^"]*noindex', response.content.decode())
    assert "no-store" in response["Cache-Control"]


@pytest.mark.slow
@pytest.mark.xdist_group("every-address")
def test_no_page_of_one_person_may_be_kept_by_a_cache_between(pages):
    """A page that knows who asked is private: never public, and told apart by its cookie."""
    shared = {}
    for name, response in pages:
        if name.startswith("GET workers by"):  # the same for everybody
            continue
        control, vary = response.get("Cache-Control", ""), response.get("Vary", "")
        if response.status_code == 200 and (
            "public" in control or ("Cookie" not in vary and "no-store" not in control)
        ):
            shared[name] = (control, vary)
    assert shared == {}


def test_control_what_is_planted_in_a_page_is_found(world):
    planted = (
        b'<p style="color:red"><a href="javascript:go()">x</a>'
        b'<img src="https://elsewhere.example/x.png" onerror="go()">'
        b"<script>go()</script><style>p{}</style><div hx-on:click='go()'></div>"
    )
    response = world.client("anonymous").get("/about")
    assert faults(response) == []
    response.content += planted
    del response["Referrer-Policy"]
    response["Content-Security-Policy"] = response["Content-Security-Policy"].replace(
        "style-src 'self'", "style-src 'self' 'unsafe-inline'"
    )
    assert faults(response) == [
        "style-src is 'self' 'unsafe-inline'",
        "Referrer-Policy is None",
        "<p style>",
        "<a href=javascript:go()>",
        "<img onerror>",
        "<img src=https://elsewhere.example/x.png> from elsewhere",
        "<script src=None> without the nonce",
        "<style>",
        "<div hx-on:click>",
    ]
