"""The pages that tell about the site, the pages for failures, and the rules every template keeps."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client, RequestFactory
from django.urls import include, path, reverse

from accounts.models import RoleGrant, User
from config import errors, pages
from config.third_party import third_party_notices, third_party_packages

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
TOKENS = (ROOT / "static/cardinal/css/tokens.css").read_text()


# The header's addresses without the apps behind them.
urlpatterns = [
    path("leaderboard", pages.about, name="leaderboard"),
    path("datasets", pages.about, name="datasets"),
    path("", include("config.urls")),
]


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colors() -> dict[str, tuple[str, str]]:
    # The first block only: what follows repeats some names for those who ask for more contrast.
    block = TOKENS[: TOKENS.index("}")]
    return {
        name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", block)
    }


TEXT_ON_GROUND = [
    (text, ground)
    for text in ("ink", "ink-soft", "accent", "note", "ok", "warn", "bad")
    for ground in ("page", "surface", "sunken", "overlay")
] + [
    ("ink-inverse", "ink"),
    ("ink-inverse", "accent-fill"),
    ("accent", "accent-soft"),
    *((meaning, f"{meaning}-soft") for meaning in ("note", "ok", "warn", "bad")),
    *(("ink", f"{meaning}-soft") for meaning in ("note", "ok", "warn", "bad", "accent")),
    *(
        (f"code-{kind}", ground)
        for kind in ("keyword", "string", "number", "name", "comment")
        for ground in ("page", "sunken")
    ),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_every_ground_it_is_used_on(theme):
    known = colors()
    ratios = {pair: contrast(known[pair[0]][theme], known[pair[1]][theme]) for pair in TEXT_ON_GROUND}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_outlines_of_controls_and_focus_stand_out_from_every_ground(theme):
    known = colors()
    pairs = [
        (line, ground) for line in ("line-control", "focus", "accent-fill") for ground in ("page", "surface", "overlay")
    ]
    ratios = {pair: contrast(known[pair[0]][theme], known[pair[1]][theme]) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 3} == {}


def test_templates_need_no_inline_style_and_no_inline_handler():
    forbidden = re.compile(r"""\sstyle=["']|\son\w+=["']|hx-on|javascript:|<style""", re.IGNORECASE)
    found = {
        str(path.relative_to(ROOT)): forbidden.findall(path.read_text())
        for path in TEMPLATES
        if forbidden.search(path.read_text())
    }
    assert found == {}


def test_every_script_of_a_template_carries_the_nonce():
    without = {
        str(path.relative_to(ROOT)): tag
        for path in TEMPLATES
        for tag in re.findall(r"<script[^>]*>", path.read_text())
        if 'nonce="{{ csp_nonce }}"' not in tag
    }
    assert without == {}


class Outline(HTMLParser):
    """What a test asks of a page: its title, its scripts' nonces, its links' addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.title = ""
        self.nonces: list[str | None] = []
        self.links: list[str] = []
        self.landmarks: list[str] = []
        self._in_title = False
        self.feed(html)
        self.title = " ".join(self.title.split())

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "script":
            self.nonces.append(named.get("nonce"))
        if tag == "a":
            self.links.append(named.get("href") or "")
        if tag in ("header", "main", "footer", "h1"):
            self.landmarks.append(tag)
        self._in_title = tag == "title" and not self.title

    def handle_data(self, data):
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag):
        if tag == "title":
            self._in_title = False


def outline(response) -> Outline:
    return Outline(response.content.decode())


@pytest.fixture
def visitor(client) -> Client:
    """A browser: errors.py answers others with JSON."""
    client.defaults["HTTP_ACCEPT"] = "text/html,application/xhtml+xml"
    return client


@pytest.fixture
def rosa() -> User:
    return User.objects.create_user("rosa", "rosa@example.org", "a-long-enough-secret")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("about", "About · Cardinal"),
        ("privacy", "Privacy · Cardinal"),
        ("terms", "Terms · Cardinal"),
        ("account_login", "Sign in · Cardinal"),
        ("account_signup", "By invitation · Cardinal"),
        ("account_reset_password", "Reset the password · Cardinal"),
    ],
)
def test_a_page_has_a_title_landmarks_and_only_scripts_with_its_nonce(visitor, name, title):
    response = visitor.get(reverse(name))
    page = outline(response)
    nonce = re.search(r"'nonce-([^']+)'", response["Content-Security-Policy"])[1]
    assert (response.status_code, page.title) == (200, title)
    assert page.landmarks == ["header", "main", "h1", "footer"]
    assert len(page.nonces) >= 4
    assert set(page.nonces) == {nonce}


@pytest.mark.django_db
def test_two_visits_get_two_nonces(visitor):
    assert set(outline(visitor.get("/about")).nonces).isdisjoint(outline(visitor.get("/about")).nonces)


@pytest.mark.django_db
def test_about_tells_version_and_what_it_is_built_from(visitor):
    text = visitor.get("/about").content.decode()
    assert f"This is Cardinal {settings.VERSION}," in text
    assert '<th scope="row"><a href="https://www.djangoproject.com/" rel="noreferrer">Django</a></th>' in text


def test_third_party_packages_are_what_the_site_needs_and_nothing_of_the_tests():
    names = {package.name.lower() for package in third_party_packages()}
    assert {"django", "celery", "psycopg", "kombu", "nh3"} <= names
    assert names.isdisjoint({"pytest", "ruff", "mypy", "cardinal-arena"})
    assert all(package.version and package.license for package in third_party_packages())


@pytest.mark.django_db
def test_notices_carry_the_license_texts(visitor):
    response = visitor.get("/about/notices")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == third_party_notices()
    assert "Copyright (c) Django Software Foundation and individual contributors." in third_party_notices()


@pytest.mark.django_db
def test_privacy_and_terms_name_who_runs_the_site(visitor, settings):
    settings.OPERATOR_NAME, settings.OPERATOR_CONTACT = "Lab <X>", "privacy@example.org"
    for address in ("/privacy", "/terms"):
        text = visitor.get(address).content.decode()
        assert "Lab &lt;X&gt;" in text
        assert '<a href="mailto:privacy@example.org">' in text


@pytest.mark.django_db
def test_privacy_says_when_nobody_has_given_a_contact(visitor, settings):
    settings.OPERATOR_NAME = settings.OPERATOR_CONTACT = ""
    assert "has not given a name and a contact yet" in visitor.get("/privacy").content.decode()


def test_robots_may_read_what_tells_about_the_site_and_no_battle(client):
    response = client.get("/robots.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().splitlines() == [
        "User-agent: *",
        "Allow: /$",
        "Allow: /leaderboard",
        "Allow: /about$",
        "Allow: /privacy$",
        "Allow: /terms$",
        "Allow: /static/",
        "Disallow: /",
    ]


def test_the_old_address_of_the_icon_leads_to_the_drawing(client):
    response = client.get("/favicon.ico")
    assert (response.status_code, response["Location"]) == (301, "/static/cardinal/favicon.svg")


@pytest.mark.parametrize("address", ["/about", "/privacy", "/terms", "/robots.txt", "/favicon.ico", "/about/notices"])
def test_pages_about_the_site_only_answer_reading(client, address):
    assert client.post(address).status_code == 405


@pytest.mark.django_db
def test_an_unknown_address_is_a_page_for_people_and_json_for_programs(visitor):
    page = visitor.get("/nothing-here")
    assert (page.status_code, outline(page).title) == (404, "Not found · Cardinal")
    assert b'content="noindex, nofollow, noarchive"' in page.content
    for address, accept in (("/nothing-here", "application/json"), ("/api/nothing-here", "text/html")):
        answer = visitor.get(address, headers={"accept": accept})
        assert (answer.status_code, answer.json()) == (404, {"detail": "There is nothing at this address."})


@pytest.mark.django_db
def test_a_stale_form_is_explained_and_changes_nothing(rosa):
    browser = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    form = {"login": "rosa", "password": "a-long-enough-secret"}
    without_cookie = browser.post("/account/login/", form)
    browser.get("/account/login/")
    stale = browser.post("/account/login/", {**form, "csrfmiddlewaretoken": "x" * 64})
    assert [without_cookie.status_code, stale.status_code] == [403, 403]
    assert outline(stale).title == "Form too old · Cardinal"
    assert "sent no cookie" in without_cookie.content.decode()
    assert "Nothing was saved" in stale.content.decode()
    assert "sessionid" not in browser.cookies


def test_a_failure_is_told_without_touching_the_database(settings):
    """No database mark: a query in this test is an error, as it would be while the database is down."""
    request = RequestFactory().get("/", headers={"accept": "text/html"})
    response = errors.server_error(request)
    page = outline(response)
    assert (response.status_code, page.title) == (500, "Something failed · Cardinal")
    assert page.landmarks == ["main", "h1"]


def test_a_failure_of_the_api_is_json():
    response = errors.server_error(RequestFactory().get("/api/v1/x", headers={"accept": "text/html"}))
    assert response.status_code == 500
    assert response.content == b'{"detail": "Something failed on our side.", "reference": ""}'


def test_a_broken_request_is_told_without_touching_the_database():
    request = RequestFactory().get("/", headers={"accept": "text/html"})
    response = errors.bad_request(request, None)
    assert (response.status_code, outline(response).title) == (400, "Bad request · Cardinal")


@pytest.mark.django_db
def test_what_is_not_allowed_offers_to_sign_in_and_come_back(visitor, rosa):
    request = RequestFactory().get("/datasets/?page=2", headers={"accept": "text/html"})
    request.user = visitor.get("/about").wsgi_request.user
    response = errors.permission_denied(request)
    assert response.status_code == 403
    assert "/account/login/?next=%2Fdatasets%2F%3Fpage%3D2" in outline(response).links
    request.user = rosa
    assert "You are signed in as rosa" in errors.permission_denied(request).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("login", ["rosa", "rosa@example.org"])
def test_people_sign_in_by_name_or_by_e_mail(visitor, rosa, login):
    response = visitor.post("/account/login/", {"login": login, "password": "a-long-enough-secret"})
    assert (response.status_code, response["Location"]) == (302, reverse("home"))
    assert "Signed in as" in visitor.get("/about").content.decode()


@pytest.mark.django_db
def test_a_wrong_password_is_told_without_saying_whether_the_account_exists(visitor, rosa):
    answers = [
        visitor.post("/account/login/", {"login": login, "password": "wrong"}).context["form"].non_field_errors()
        for login in ("rosa", "nobody")
    ]
    assert answers[0] == answers[1] == ["The username and/or password you specified are not correct."]


@pytest.mark.django_db
def test_nobody_signs_up_without_an_invitation(visitor):
    form = {
        "email": "eve@example.org",
        "username": "eve",
        "password1": "a-long-secret-x",
        "password2": "a-long-secret-x",
    }
    response = visitor.post("/account/signup/", form)
    assert outline(response).title == "By invitation · Cardinal"
    assert not User.objects.filter(username="eve").exists()


@pytest.mark.django_db
def test_a_forgotten_password_is_reset_by_a_link_that_works_once(visitor, rosa):
    visitor.post("/account/password/reset/", {"email": "rosa@example.org"})
    link = re.search(r"http://testserver(\S+)", mail.outbox[0].body)[1]
    form_address = visitor.get(link)["Location"]
    new = {"password1": "another-long-secret", "password2": "another-long-secret"}
    assert visitor.post(form_address, new)["Location"] == "/account/password/reset/key/done/"
    rosa.refresh_from_db()
    assert rosa.check_password("another-long-secret")
    again = Client(headers={"accept": "text/html"}).get(link)
    assert "This link no longer works" in again.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("roles", "is_staff", "shown"),
    [
        ([], False, {"Battle", "Leaderboard", "Work", "About"}),
        (["annotator"], False, {"Battle", "Leaderboard", "Work", "About"}),
        (["researcher"], False, {"Battle", "Leaderboard", "Work", "About", "Datasets"}),
        (["campaign_admin"], False, {"Battle", "Leaderboard", "Work", "About", "Campaigns"}),
        (["operator"], True, {"Battle", "Leaderboard", "Work", "About", "Models", "Admin"}),
    ],
)
def test_the_header_shows_what_a_role_may_open(visitor, settings, rosa, roles, is_staff, shown):
    settings.ROOT_URLCONF = __name__
    rosa.is_staff = is_staff
    rosa.save()
    for role in roles:
        RoleGrant.objects.create(user=rosa, role=role)
    visitor.force_login(rosa)
    text = visitor.get("/about").content.decode()
    navigation = text[text.index('class="site-nav"') : text.index("</nav>")]
    assert set(re.findall(r"<a [^>]+>([^<]+)</a>", navigation)) == shown
