"""Texts of models, of files and of people that try everything, in Chromium on every page that shows them.

Each page of the site is read first; those that hold the texts' mark are opened. Counted is what happened: scripts that
ran, requests that left for elsewhere or for an address that only the texts name, and judgments that nobody gave.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from csp.middleware import CSPMiddleware
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign, Contestant, Judgment
from annotation.use_cases.enrol_respondent import enrol_respondent
from arena.models import Battle
from arena.use_cases.cast_vote import cast_vote
from arena.web.streams import event
from foundation import markdown
from foundation.text import clean_text
from inference_workers.streams import sync_client
from tests.architecture import routes
from tests.architecture.routes import TABLE, World, expected, make_world
from tests.arena.factories import answer, begin, finish, make_models
from tests.browser import session_cookie
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_item, make_user, new_key
from tests.foundation.payloads import EVENTS, MUTATIONS, NAMES, PAYLOADS, SELF_VOTES
from tests.inference_workers.factories import claim, make_completion

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MARK = "h0stile"
# What makes text of all that follows, or leaves the page, where nothing holds it: last in the control's texts.
SWALLOWS = re.compile(
    r"<(plaintext|xmp|listing|textarea|title|template|noscript|style|!|\?|select|meta|base|frameset)", re.I
)
TABS = 4


def text_of(payloads: list[str]) -> str:
    tame = [each for each in payloads if not SWALLOWS.search(each)]
    return clean_text("\n\n".join([f"{MARK} text", *tame, *[each for each in payloads if SWALLOWS.search(each)]]))


HALVES = text_of(SELF_VOTES + PAYLOADS[::2]), text_of(PAYLOADS[1::2])
ASKED = text_of(SELF_VOTES + EVENTS + MUTATIONS + NAMES)
# As a battle's stream sends it, in pieces that end anywhere; the browser asks for more when the test is over.
STREAMED = "retry: 600000\n\n" + "".join(
    event("text", {"a": HALVES[0][start : start + 70], "b": HALVES[1][start : start + 70]})
    for start in range(0, max(map(len, HALVES)), 70)
)


@dataclass
class Happened:
    """In one browser, as seen from outside it."""

    scripts: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext, address: str) -> None:
        def take(route: Any) -> None:
            """What gets here was let through by the page's policy."""
            url = route.request.url
            if "/streams/battles/" in url:
                route.fulfill(body=STREAMED, content_type="text/event-stream")
            elif "/streams/" in url:
                route.fulfill(status=204)
            elif url.startswith(address) and "/canary" not in url:
                route.continue_()
            else:
                self.requests.append(url)
                route.abort()

        context.expose_binding("canary", lambda source: self.scripts.append(source["page"].url))
        context.route(lambda url: not url.startswith("data:"), take)


def provoke(page: Page) -> None:
    """What a reader may do without meaning anything: look at all of it, pass over it, walk through it by keyboard."""
    page.evaluate(
        """() => {
            for (const each of document.querySelectorAll('main *')) {
                for (const kind of ['mouseover', 'mouseenter', 'pointerover', 'focusin'])
                    each.dispatchEvent(new Event(kind, {bubbles: kind !== 'mouseenter'}));
            }
            for (const each of [...document.querySelectorAll('main [tabindex], main input')].slice(0, 40)) each.focus();
            scrollTo(0, document.documentElement.scrollHeight);
        }"""
    )
    page.wait_for_timeout(150)


@pytest.fixture
def happened(chromium, live_server) -> Iterator[tuple[Happened, Callable[..., Page]]]:
    contexts = []
    found = Happened()

    def open_for(user) -> BrowserContext:
        context = chromium.new_context(base_url=live_server.url)
        context.set_default_timeout(20_000)
        contexts.append(context)
        context.add_cookies([session_cookie(user, live_server.url)])
        found.watch(context, live_server.url)
        return context

    yield found, open_for
    for context in contexts:
        context.close()


@pytest.fixture
def hostile_world(settings, tmp_path, monkeypatch) -> World:
    """That of all addresses, where all that came from outside is hostile."""
    settings.MEDIA_ROOT = tmp_path
    sync_client().flushdb()
    monkeypatch.setitem(make_item.__kwdefaults__, "texts", HALVES)
    monkeypatch.setitem(make_item.__kwdefaults__, "prompt", ASKED)
    monkeypatch.setitem(begin.__kwdefaults__, "prompt", ASKED[:4000])
    monkeypatch.setattr(answer, "__defaults__", (HALVES,))
    plain = {name: getattr(routes, name) for name in ("make_campaign", "submit_work", "paste_items", "ask_question")}

    def with_reasons(**fields: Any) -> Any:
        fields["questions"] = [*fields["questions"], RATIONALE] if "questions" in fields else None
        return plain["make_campaign"](**{name: value for name, value in fields.items() if value is not None})

    def with_reason(*, answers: dict[str, Any], **fields: Any) -> Any:
        return plain["submit_work"](answers={**answers, "why": ASKED[:2000]}, **fields)

    monkeypatch.setattr(routes, "make_campaign", with_reasons)
    monkeypatch.setattr(routes, "submit_work", with_reason)
    monkeypatch.setattr(routes, "paste_items", lambda **f: plain["paste_items"](**{**f, "text": as_rows()}))
    monkeypatch.setattr(routes, "ask_question", lambda **f: plain["ask_question"](**{**f, "words": ASKED[:1000]}))
    world = make_world()
    for number, each in enumerate(Contestant.objects.exclude(name="")):
        Contestant.objects.filter(pk=each.pk).update(name=f"{MARK} {PAYLOADS[number % len(PAYLOADS)]} {number}"[:80])
    return world


def as_rows() -> str:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["prompt", "response_1", "response_2"])
    writer.writerow([ASKED, *HALVES])
    return written.getvalue()


def battles_of(person: Any) -> dict[str, Battle]:
    """One in each state, on a prompt that is hostile too."""
    battles = {"votable": answer(begin(person)), "voted": answer(begin(person)), "answering": begin(person)}
    cast_vote(
        battle_id=battles["voted"].pk,
        turn_count=1,
        person=person,
        key=new_key(),
        answers={"preference": {"choice": "a", "strength": 1}},
        now=timezone.now(),
    )
    return battles


def pages_with_the_mark(world: World, client: Client) -> list[str]:
    """Of all that a superuser may read, the pages and parts of pages that show a hostile text."""
    found = []
    more = [*addresses_of_the_admin(), rows_of_a_dataset(), answer_of_a_test()]
    for address in dict.fromkeys([*addresses_of(world), *more]):
        response = client.get(address)
        if not response.streaming and MARK.encode() in response.content and "html" in response["Content-Type"]:
            found.append(address)
    return found


def addresses_of(world: World) -> Iterator[str]:
    """Also of the campaign of all where another is listed: its items are hostile."""
    for pattern, cases in TABLE.items():
        for case, status in cases.items():
            method, _, which = case.partition(" ")
            if method == "GET" and expected(status, "superuser") == 200:
                yield world.address(pattern, role="superuser", which=which)
                if "<slug:slug>" in pattern and which != "own":
                    with suppress(KeyError):
                        yield world.address(pattern, role="superuser", which="own")


def rows_of_a_dataset() -> str:
    """As the form asks for them."""
    campaign = Campaign.objects.get(slug="exported-campaign")
    chosen = {"views": "preference_pairs", "sources": campaign.sources.first().pk, "judged_by": "people"}
    chosen |= {"chosen_by": "majority", "minimum_agreement": "0", "licence": "cc-by-4.0"}
    return f"{reverse('dataset-preview', args=[campaign.slug])}?{urlencode(chosen)}"


def answer_of_a_test() -> str:
    """What a model answered to an operator who tried it."""
    completion = claim(make_completion())
    finish(completion, HALVES[0])
    return f"{reverse('admin:inference_workers_tests')}?id={completion.pk}"


def addresses_of_the_admin() -> Iterator[str]:
    for model in admin.site._registry:
        row = marked_row(model)
        if row is not None:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            yield reverse(f"{name}_changelist")
            yield reverse(f"{name}_change", args=[row.pk])


def beside_the_browser(work: Callable[[], list[str]]) -> list[str]:
    """In a thread of its own: that of an open browser stays inside its event loop."""

    def work_and_let_go() -> list[str]:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work_and_let_go).result()


def marked_row(model: type[models.Model]) -> models.Model | None:
    names = [each.name for each in model._meta.fields if isinstance(each, models.TextField | models.CharField)]
    asked = models.Q(pk=None)
    for name in names:
        asked |= models.Q(**{f"{name}__contains": MARK})
    return model._default_manager.filter(asked).first()


def test_no_page_lets_a_hostile_text_run_reach_out_or_judge(hostile_world, happened, live_server):
    found, open_for = happened
    user = hostile_world.users["superuser"]
    battles = battles_of(person_of_user(user=user, now=timezone.now()))
    before = Judgment.objects.count()
    addresses = beside_the_browser(lambda: pages_with_the_mark(hostile_world, hostile_world.client("superuser")))
    addresses += [reverse("battle", args=[battle.pk]) for battle in battles.values()]
    context = open_for(user)
    tabs = [context.new_page() for _ in range(TABS)]
    for number, address in enumerate(addresses):
        tab = tabs[number % TABS]
        if number >= TABS:
            provoke(tab)
        tab.goto(address, wait_until="domcontentloaded")
    for tab in tabs:
        provoke(tab)
    print(
        f"{len(addresses)} pages with {len(PAYLOADS)} payloads: {[re.sub('[0-9a-f-]{36}', '…', a) for a in addresses]}"
    )
    assert (found.scripts, found.requests, Judgment.objects.count() - before) == ([], [], 0)
    assert len(addresses) > 15


# -- each layer alone


class NoSanitizer:
    def clean(self, html: str) -> str:
        return html


def without_the_parser(text: str, media: Any = None) -> str:
    return "".join(f"<section>{each}</section>" for each in text.split("\n\n"))


def switch_off(monkeypatch, *layers: str) -> None:
    """From outside: nothing of the kind is in the program."""
    if "parser" in layers:
        monkeypatch.setattr(markdown, "parse_markdown", without_the_parser)
    if "sanitizer" in layers:
        monkeypatch.setattr(markdown, "_CLEANER", NoSanitizer())
    if "apart" in layers:
        monkeypatch.setattr(markdown, "set_apart", lambda html, *, text: html)
    if "policy" in layers:
        monkeypatch.setattr(CSPMiddleware, "process_response", lambda self, request, response: response)


@pytest.fixture
def two_pages(settings) -> tuple[User, list[str]]:
    """A battle and an annotator's item, whose texts know where this very battle is voted on."""
    sync_client().flushdb()
    user = make_user(is_superuser=True, is_staff=True)
    person = person_of_user(user=user, now=timezone.now())
    make_models(2)
    battle = next(each for each in iter(lambda: begin(person, prompt=ASKED[:4000]), None) if is_as_written(each))
    vote = reverse("vote", args=[battle.pk])
    answer(battle, tuple(text.replace("/canary/vote", vote) for text in HALVES))
    campaign = make_campaign(questions=[PREFERENCE])
    make_item(campaign, texts=HALVES, prompt=ASKED)
    enrol_respondent(campaign=campaign, person=person, kind="annotator", now=timezone.now())
    return user, [reverse("battle", args=[battle.pk]), f"/annotate/{campaign.slug}/item"]


def is_as_written(battle: Battle) -> bool:
    """Whether the first text stands first: where no layer holds them, texts break what follows them."""
    return battle.impression.order == [0, 1]


def visit(happened, two_pages, live_server) -> tuple[int, list[str], list[str], int]:
    """Scripts that ran, requests to elsewhere, requests to addresses that only the texts name, and judgments."""
    found, open_for = happened
    user, addresses = two_pages
    page = open_for(user).new_page()
    for address in addresses:
        page.goto(address, wait_until="domcontentloaded")
        assert MARK in page.content()
        provoke(page)
        page.wait_for_timeout(500)
    here = [each for each in found.requests if each.startswith(live_server.url)]
    return len(found.scripts), sorted(set(found.requests) - set(here)), here, Judgment.objects.count()


@pytest.mark.parametrize("off", [("sanitizer", "policy"), ("parser", "policy")], ids=["parser", "sanitizer"])
def test_the_parser_or_the_sanitizer_alone_is_enough(two_pages, happened, live_server, monkeypatch, off):
    switch_off(monkeypatch, *off)
    assert visit(happened, two_pages, live_server) == (0, [], [], 0)


def test_the_policy_alone_lets_nothing_run_reach_another_site_or_vote(two_pages, happened, live_server, monkeypatch):
    """With what belongs to it: foreign texts stand where htmx looks at nothing. A picture that a text shows may still
    be asked of this site."""
    switch_off(monkeypatch, "parser", "sanitizer")
    scripts, elsewhere, here, judgments = visit(happened, two_pages, live_server)
    print(f"under the policy alone: {len(here)} requests to this site, {judgments} judgments")
    assert (scripts, elsewhere, judgments) == (0, [], 0)


def test_control_without_any_layer_texts_run_and_reach_out(two_pages, happened, live_server, monkeypatch):
    switch_off(monkeypatch, "parser", "sanitizer", "policy")
    scripts, elsewhere, here, _ = visit(happened, two_pages, live_server)
    print(f"without any layer: {scripts} scripts, {len(elsewhere)} addresses elsewhere and {len(here)} requests here")
    assert scripts > 10
    assert elsewhere != []
    assert here != []


# That votes as soon as it is there, that needs a moment, and that leaves the element it was put into.
GADGETS = [SELF_VOTES[0], SELF_VOTES[1], SELF_VOTES[-1]]


def page_with(gadget: str, happened, user: User, *, also_as_b: bool = False) -> tuple[Page, str]:
    """A votable battle of which a response is that gadget, with the page's own token and key in its reach."""
    _, open_for = happened
    battle = begin(person_of_user(user=user, now=timezone.now()))
    text = gadget.replace("/canary/vote", reverse("vote", args=[battle.pk]))
    answer(battle, (text, text if also_as_b else "Because."))
    return open_for(user).new_page(), reverse("battle", args=[battle.pk])


@pytest.mark.parametrize("gadget", GADGETS)
def test_under_the_policy_alone_no_gadget_votes_for_itself(two_pages, happened, monkeypatch, gadget):
    switch_off(monkeypatch, "parser", "sanitizer")
    page, address = page_with(gadget, happened, two_pages[0], also_as_b=True)
    page.goto(address)
    provoke(page)
    page.wait_for_timeout(700)
    expect(page.locator(".reveal__name")).to_have_count(0)
    assert Judgment.objects.count() == 0


@pytest.mark.parametrize("gadget", GADGETS)
def test_control_texts_that_are_not_set_apart_vote_for_themselves(two_pages, happened, monkeypatch, gadget):
    """Without what the server writes around them; the last one only once nobody looks for the mark behind it."""
    switch_off(monkeypatch, "parser", "sanitizer", *(["apart"] if gadget != GADGETS[-1] else []))
    page, address = page_with(gadget, happened, two_pages[0])
    page.route("**/foreign*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(address)
    expect(page.locator(".reveal__name").first).to_be_visible()
    # What the vote brings holds the text again, which votes again, and so on.
    page.route("**/vote", lambda route: route.abort())
    page.wait_for_timeout(300)
    assert Judgment.objects.count() == 1
