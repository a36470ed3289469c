"""The site under its policy in a real browser: no page does what is refused, and the admin works as Django made it."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import RoleGrant, User
from config.admin_site import CardinalAdminSite
from inference_workers.models import LanguageModel
from tests.architecture.routes import TABLE, expected, make_world
from tests.factories import make_user
from tests.inference_workers.factories import make_endpoint, make_revision

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "pass-word-42"
# A page is at rest half a second after its last request, which passes while the other tabs load theirs.
TABS = 6
# Files, and parts of pages, which a browser does not open by themselves.
NO_PAGES = {
    "workers",
    "suggestions",
    "arenas/<slug:slug>/suggestions",
    "battles/<uuid:battle_id>/waiting",
    "battles/<uuid:battle_id>/pictures/<uuid:picture_id>",
    "shared/<str:token>/pictures/<uuid:picture_id>",
    "mine/data/download",
    "datasets/<slug:slug>/v<int:number>/files/<path:name>",
    "datasets/<slug:slug>/v<int:number>/status",
    "datasets/<slug:slug>/preview",
    "campaigns/<slug:slug>/judges/status",
    "campaigns/<slug:slug>/media/<int:media_id>/file",
    "annotate/<slug:slug>/items/<int:assignment_id>/media/<slug:place>",
    "annotate/<slug:slug>/texts/<slug:digest>",
    "samples/<slug:name>",
    "models/<int:model_id>/tests/<uuid:completion_id>",
    "api/schema",
    "api/v1/boards",
    "api/v1/boards/<slug:slug>",
    "api/v1/boards/<slug:slug>/snapshots",
    "api/v1/boards/<slug:slug>/snapshots/<int:number>",
    "leaderboard/<slug:slug>.<slug:kind>",
    "leaderboard/<slug:slug>/figures/<slug:figure>.svg",
    "leaderboard/<slug:slug>/figures/<slug:figure>.csv",
    "leaderboard/<slug:slug>/methods/<slug:method>.<slug:kind>",
    "leaderboard/<slug:slug>/<int:number>.<slug:kind>",
    "leaderboard/<slug:slug>/history.<slug:kind>",
    "leaderboard/<slug:slug>/feed",
    "robots.txt",
    "about/notices",
}


@pytest.fixture
def operator() -> User:
    return make_user(username="operator", password=PASSWORD, is_staff=True, is_superuser=True)


def heard(page: Page) -> list[str]:
    """What the browser complains about from now on: scripts that fail, and what the policy refuses."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on("console", lambda m: problems.append(f"{page.url}: {m.text}") if m.type in ("error", "warning") else None)
    return problems


@pytest.fixture
def silent(chromium, live_server) -> Iterator[Page]:
    context = chromium.new_context(base_url=live_server.url)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(silent: Page) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen."""
    problems = heard(silent)
    yield silent
    assert problems == []


def test_no_page_of_the_site_does_what_the_policy_refuses(page, live_server, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    world = make_world()
    (session,) = [cookie for cookie in world.client("superuser").cookies.values() if cookie.key == "sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": session.value, "url": live_server.url}])
    # Streams are another server's; 204 tells the browser to leave it at that.
    page.context.route("**/streams/**", lambda route: route.fulfill(status=204))
    tabs = [page.context.new_page() for _ in range(TABS)]
    problems = [heard(tab) for tab in tabs]
    seen = []
    for pattern, cases in TABLE.items():
        for case, status in cases.items():
            method, _, which = case.partition(" ")
            if method != "GET" or expected(status, "superuser") != 200 or pattern in NO_PAGES:
                continue
            tab = tabs[len(seen) % TABS]
            tab.wait_for_load_state("networkidle")
            tab.goto(world.address(pattern, role="superuser", which=which))
            seen.append(pattern)
    for tab in tabs:
        tab.wait_for_load_state("networkidle")
    assert (problems, len(seen) > 10) == ([[]] * TABS, True)


def test_the_description_of_the_api_lists_its_addresses(page, db):
    page.goto("/api/docs")
    expect(page.locator('.opblock-summary-path[data-path="/api/v1/boards"]')).to_be_visible()


def sign_in(page: Page, user: User) -> None:
    """From the admin's address, through the site's own page, and back."""
    page.goto("/admin/")
    assert "/account/login/" in page.url
    page.fill("input[name=login]", user.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/admin/")


def test_the_admin_is_styled_and_every_list_and_form_obeys_the_policy(page, operator):
    make_revision()
    sign_in(page, operator)
    background = page.locator("#header").evaluate("each => getComputedStyle(each).backgroundColor")
    assert background == "rgb(65, 118, 144)"
    addresses = []
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        addresses.append(reverse(f"admin:{name}_changelist"))
        row = model._default_manager.first()
        if row is not None:
            addresses.append(reverse(f"admin:{name}_change", args=[row.pk]))
    for address in addresses:
        page.goto(address)
        expect(page.locator("#header")).to_be_visible()
    assert len(addresses) > 10


def test_an_operator_adds_a_language_model_and_changes_it(page, operator):
    make_endpoint(name="This machine")
    sign_in(page, operator)
    page.goto("/admin/inference_workers/languagemodel/add/")
    page.locator("#id_name").press_sequentially("Terse SmolLM")
    expect(page.locator("#id_slug")).to_have_value("terse-smollm")
    page.select_option("#id_endpoint", label="This machine")
    page.fill("#id_provider_model", "words=5")
    page.click("input[name=_save]")
    expect(page.locator(".messagelist .success")).to_contain_text("Terse SmolLM")
    model = LanguageModel.objects.get()
    assert (model.slug, model.current.number, model.current.provider_model) == ("terse-smollm", 1, "words=5")
    page.goto(f"/admin/inference_workers/languagemodel/{model.pk}/change/")
    page.fill("#id_system_prompt", "Be brief.")
    page.click("input[name=_save]")
    expect(page.locator(".messagelist .success")).to_be_visible()
    model.refresh_from_db()
    assert (model.current.number, model.current.system_prompt) == (2, "Be brief.")


def test_an_operator_grants_a_role(page, operator):
    user = make_user(username="rosa")
    sign_in(page, operator)
    page.goto(f"/admin/accounts/user/{user.pk}/change/")
    page.click("text=Add another Role grant")
    page.select_option("#id_role_grants-0-role", "researcher")
    page.click("input[name=_save]")
    expect(page.locator(".messagelist .success")).to_be_visible()
    grants = [(grant.user, grant.role, grant.granted_by) for grant in RoleGrant.objects.all()]
    assert grants == [(user, "researcher", operator)]


def test_control_without_the_folder_named_in_its_policy_no_script_of_the_admin_runs(silent, operator, monkeypatch):
    monkeypatch.setattr(CardinalAdminSite, "script_addresses", lambda self, request: [])
    problems = heard(silent)
    sign_in(silent, operator)
    silent.goto("/admin/inference_workers/languagemodel/add/")
    silent.locator("#id_name").press_sequentially("Terse SmolLM")
    assert silent.input_value("#id_slug") == ""
    assert any("violates the following Content Security Policy directive" in problem for problem in problems)
