"""Arenas in a real browser: found, read and voted in by visitors, opened and run by admins, on phone and desktop."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Judgment
from annotation.use_cases.create_board import create_board
from annotation.use_cases.refresh_board import refresh_board
from arena.models import Battle, Entry
from arena.use_cases.change_entry import change_entry
from arena.use_cases.open_arena import open_arena
from arena.web import battles
from arena.web.visitors import COOKIE
from inference_workers.models import LanguageModel
from tests.arena.factories import answer, make_arena, make_models, votable
from tests.arena.test_arenas import battle_in, open_one
from tests.browser import DESK, PHONE, look
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOKEN = "cookie-of-a-visitor-in-arenas"
RATED = [
    {"name": "order", "type": "ranking"},
    {"name": "parts", "type": "spans", "required": False, "settings": {"categories": ["Wrong"]}},
]


@pytest.fixture
def visit(open_page, site_address):
    def visit(address: str, viewport: dict[str, int] = DESK) -> Page:
        page = open_page(None, viewport, reduced_motion="reduce")
        page.context.add_cookies([{"name": COOKIE, "value": TOKEN, "url": site_address}])
        page.route("**/streams/**", lambda route: route.fulfill(status=204))
        page.goto(address)
        return page

    return visit


def visitor():
    return person_of_visitor(token=TOKEN, now=timezone.now())


def ranked_battle() -> Battle:
    """In an arena that asks for a ranking and for marks in the text, beside the default one."""
    make_models(3)
    default = make_arena(consent="We keep **your words** and your vote.")
    board = create_board(slug="arena", name="Arena", campaign=default.campaign, now=timezone.now())
    refresh_board(board_id=board.pk, now=timezone.now())
    gone = default.entries.first()
    change_entry(entry_id=gone.pk, to="retired", reason="Superseded by another.", actor=None, now=timezone.now())
    models = LanguageModel.objects.all()
    arena = open_one("Long sums", models, questions=RATED, look="moss", lead="About sums that are long.")
    return battle_in(arena, visitor())


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desktop", "phone"])
def test_a_visitor_finds_an_arena_reads_how_to_judge_and_votes_with_its_questions(visit, viewport):
    battle = ranked_battle()
    page = visit("/arenas", viewport)
    look(page, "arenas")
    page.goto("/")
    page.locator(".data-use summary").click()
    look(page, "arena-default")
    page.goto("/leaderboard")
    expect(page.get_by_text("Superseded by another.")).to_be_visible()
    look(page, "leaderboard-tested")
    page.goto("/")
    page.locator(".arena-card", has_text="Long sums").click()
    expect(page.locator("h1")).to_have_text("Long sums")
    look(page, "arena-moss")
    # The page that waits for the answers becomes the ballot, with what its questions need.
    page.goto(f"/battles/{battle.pk}")
    answer(battle)
    expect(page.locator("[data-ranking-board]")).to_be_visible()
    page.locator(".battle-guide summary").click()
    expect(page.locator(".battle-guide")).to_contain_text("Judge Long sums.")
    look(page, "arena-battle")
    unranked = page.locator("[data-ranking-pool] [data-act=grip]")
    for left in (1, 0):
        unranked.first.click()
        expect(unranked).to_have_count(left)
    page.locator(".votebar .button--primary").click()
    expect(page.locator("#reveal-title")).to_be_visible()
    assert Judgment.objects.get().answers["order"]
    expect(page.locator(".after-vote .button--primary")).to_have_attribute("href", "/arenas/long-sums")


def test_control_without_the_questions_own_scripts_there_is_no_board_to_rank_on(visit, monkeypatch):
    monkeypatch.setattr(battles, "assets_of", lambda questions: [])
    battle = answer(ranked_battle())
    page = visit(f"/battles/{battle.pk}")
    expect(page.locator(".votebar")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-ranking-board]")).to_be_hidden()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desktop", "phone"])
def test_reasons_and_words_come_with_the_choice_and_may_be_left_out(visit, viewport):
    make_models()
    battle = votable(visitor())
    page = visit(f"/battles/{battle.pk}", viewport)
    reasons = page.get_by_text("What is better about it?")
    expect(reasons).to_be_hidden()
    look(page, "battle-before")
    page.locator("label.choice__option:has(input[name='preference'][value='b'])").click()
    expect(reasons).to_be_visible()
    page.get_by_label("Clearer").check()
    page.locator("textarea[name='rationale']").fill("Shorter, too.")
    look(page, "battle-reasons")
    page.locator(".votebar .button--primary").click()
    expect(page.locator("#reveal-title")).to_be_visible()
    judgment = Judgment.objects.get()
    assert (judgment.preference, judgment.answers["reasons"]["labels"]) == ("b", ["Clearer"])
    assert judgment.texts.get().question == "rationale"


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desktop", "phone"])
def test_an_admin_runs_the_models_of_an_arena(open_page, viewport):
    make_models(3)
    open_arena(name="Poems", lead="", actor=None, now=timezone.now())
    page = open_page("/arenas/new", viewport, user=make_user(role="campaign_admin"))
    look(page, "arena-new")
    page.get_by_label("Name").fill("Prose")
    page.get_by_role("button", name="Open").click()
    for _ in range(2):
        page.locator("select[name=model]").select_option(index=1)
        page.get_by_role("button", name="Enter it").click()
    expect(page.locator(".entry")).to_have_count(2)
    first = page.locator(".entry").first
    first.get_by_text("How often it is drawn").click()
    first.get_by_label("Boost, times").fill("3")
    first.get_by_label("Boosted for, in hours").fill("24")
    look(page, "arena-models")
    first.get_by_role("button", name="Save").click()
    expect(page.locator(".entry").first).to_contain_text("boosted until")
    page.locator(".entry").last.get_by_text("Take it out", exact=False).first.click()
    page.locator(".entry").last.get_by_label("Why, for everybody to read").fill("Superseded.")
    page.locator(".entry").last.get_by_role("button", name="Take it out").click()
    expect(page.locator(".entry").last).to_contain_text("Superseded.")
    assert sorted(Entry.objects.values_list("state", "boost")) == [("active", 3.0), ("retired", 1.0)]
    page.goto("/arenas/prose/selection")
    look(page, "arena-selection")
    page.goto("/arenas/prose/integrity")
    look(page, "arena-integrity")
    page.goto("/arenas/prose/rules")
    page.get_by_label("A text to try").fill("Write to anna.schmidt@gmail.com")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Write to ▮▮▮")).to_be_visible()
    look(page, "arena-rules")
    page.goto("/arenas/prose/settings")
    look(page, "arena-settings")
    page.get_by_label("Colours").select_option("plum")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast, .notice--success").first).to_be_visible()
