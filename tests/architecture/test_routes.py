"""A matrix of address, role and object: what is not listed fails, and what is not yours is not there."""

import re

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from foundation.middleware import PAGES
from tests.architecture.routes import GROUPS, ROLES, SEES_HIDDEN, TABLE, World, expected, make_world, patterns
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.MEDIA_ROOT = tmp_path
    return make_world()


def ask(client: Client, method: str, address: str) -> int:
    """The status of the answer; whatever it changed is taken back."""
    with transaction.atomic():
        status = client.generic(method, address).status_code
        transaction.set_rollback(True)
    return status


def test_every_route_is_listed_once_and_nothing_else_is():
    found = [pattern for pattern in patterns() if not pattern.startswith(GROUPS)]
    assert sorted(found) == sorted(TABLE)


def test_a_new_route_would_have_to_be_listed():
    """The control: one more address in the resolver makes the test above fail."""
    from django.urls import get_resolver, path

    planted = path("planted", lambda request: None)
    get_resolver().url_patterns.append(planted)
    try:
        with pytest.raises(AssertionError):
            test_every_route_is_listed_once_and_nothing_else_is()
    finally:
        get_resolver().url_patterns.remove(planted)


@pytest.mark.slow
@pytest.mark.xdist_group("every-address")
def test_every_address_answers_each_role_as_the_table_says(answers):
    statuses = [(each, each.response.status_code, expected(each.listed, each.role)) for each in answers]
    assert {str(each): f"{found}, not {listed}" for each, found, listed in statuses if found != listed} == {}
    assert len(answers) == len(ROLES) * sum(len(cases) for cases in TABLE.values())


@pytest.mark.slow
def test_an_object_that_does_not_exist_answers_like_one_that_is_not_yours(world):
    """So that nobody can find out which ids exist."""
    differences = {}
    clients = {role: world.client(role) for role in ROLES}
    for pattern, cases in TABLE.items():
        for case in cases:
            method, _, which = case.partition(" ")
            for role in ROLES if which in ("another's", "hidden") else ():
                if which == "hidden" and expected(SEES_HIDDEN, role) == 200:
                    continue
                there, missing = (
                    clients[role].generic(method, world.address(pattern, role=role, which=each))
                    for each in (which, "missing")
                )
                if (there.status_code, stripped(there)) != (missing.status_code, stripped(missing)):
                    differences[f"{pattern}: {case} by {role}"] = (there.status_code, missing.status_code)
    assert differences == {}


def stripped(response: HttpResponse) -> str:
    """Without what differs between any two answers to the same request."""
    changing = r'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|"?X-CSRFToken"?[^}]*}|content="[^"]*"'
    return re.sub(changing, "", response.content.decode()).replace(response.wsgi_request.path, "")


def test_what_changes_something_needs_the_forms_token(world):
    """A page elsewhere could send the form, but does not know the token. APIs with no session take none."""
    unprotected = set()
    for pattern, cases in TABLE.items():
        for case, status in cases.items():
            method, _, which = case.partition(" ")
            if method != "POST" or expected(status, "superuser") == 405:
                continue
            client = world.client("superuser")
            client.handler.enforce_csrf_checks = True
            if ask(client, "POST", world.address(pattern, role="superuser", which=which)) != 403:
                unprotected.add(pattern)
    assert unprotected == set()


def admin_addresses() -> dict[str, str]:
    """Every page of the admin by its pattern, of a row that is not there where it needs one."""
    found = {}
    for pattern in patterns():
        if pattern.startswith("admin/") and "(?P<url>" not in pattern:
            address = re.sub(r"\^?\(\?P<app_label>[^)]*\)/\$", "accounts/", pattern)
            found[pattern] = "/" + re.sub(r"<[^>]*>", "1", address)
    return found


def admin_answers(client: Client) -> dict[str, int]:
    return {pattern: ask(client, "GET", address) for pattern, address in admin_addresses().items()}


@pytest.mark.slow
def test_the_admin_shows_nothing_to_others_than_staff(world):
    """Not even which pages there are: everybody is sent to sign in. The rest is what signing in and out needs."""
    assert len(admin_addresses()) > 40
    seen = {
        role: {pattern: status for pattern, status in admin_answers(world.client(role)).items() if status != 302}
        for role in ROLES
        if role != "superuser"
    }
    refused = {"admin/login/": 403}
    assert seen == {role: {} if role == "anonymous" else refused for role in seen}


@pytest.mark.slow
def test_staff_without_rights_see_an_empty_admin(world):
    user = make_user(is_staff=True)
    client = Client()
    client.force_login(user)
    answered = admin_answers(client)
    allowed = {"admin/", "admin/password_change/", "admin/password_change/done/", "admin/jsi18n/", "admin/logout/"}
    assert {pattern for pattern, status in answered.items() if status == 200} <= allowed


@pytest.mark.slow
def test_a_superuser_sees_every_list_of_the_admin_and_no_page_fails(world):
    answered = admin_answers(world.client("superuser"))
    lists = {f"admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry}
    assert {pattern: answered[pattern] for pattern in lists} == dict.fromkeys(lists, 200)
    assert {pattern: status for pattern, status in answered.items() if status >= 500} == {}


# What allauth's pages answer to a visitor and to somebody signed in.
ACCOUNT = {
    "account/login/": (200, 302),
    "account/logout/": (302, 200),
    "account/inactive/": (200, 200),
    "account/signup/": (200, 302),
    "account/reauthenticate/": (302, 200),
    "account/email/": (302, 200),
    "account/confirm-email/": (200, 200),
    "account/password/change/": (302, 200),
    "account/password/set/": (302, 302),
    "account/password/reset/": (200, 200),
    "account/login/code/confirm/": (302, 302),
    "account/^confirm-email/(?P<key>[-:\\w]+)/$": (200, 200),
    "account/password/reset/key/done/": (200, 200),
    "account/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": (200, 200),
    "account/password/reset/done/": (200, 200),
    "account/2fa/": (302, 200),
    "account/2fa/authenticate/": (302, 302),
    "account/2fa/reauthenticate/": (302, 302),
    "account/2fa/totp/activate/": (302, 302),
    "account/2fa/totp/deactivate/": (302, 404),
    "account/2fa/recovery-codes/": (302, 404),
    "account/2fa/recovery-codes/generate/": (302, 302),
    "account/2fa/recovery-codes/download/": (302, 404),
}


def account_address(pattern: str) -> str:
    plain = pattern.replace("^", "").replace("$", "")
    return "/" + re.sub(r"\(\?P<\w+>[^)]*\)", "x1", plain)


def test_pages_of_the_account_answer_as_listed(world):
    listed = [pattern for pattern in patterns() if pattern.startswith("account/")]
    visitor, annotator = world.client("anonymous"), world.client("annotator")
    found = {
        pattern: (ask(visitor, "GET", account_address(pattern)), ask(annotator, "GET", account_address(pattern)))
        for pattern in listed
    }
    assert found == ACCOUNT


def test_pages_of_the_middleware_are_those_for_machines():
    client = Client(REMOTE_ADDR="203.0.113.7")
    assert {address: client.get(address).status_code for address in PAGES} == {
        "/livez": 200,
        "/readyz": 200,
        "/metrics": 404,
    }
