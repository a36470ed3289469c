"""An open leaderboard moves by itself, and keeps the reader's place while it does."""

import threading
from collections.abc import Iterator

import pytest
import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import expect

from accounts.enums import Role
from annotation.models import Board, Contestant, Item
from annotation.use_cases.advance_board import advance_board
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.open_slice import open_slice
from annotation.use_cases.publish_board import publish_board
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.retire_simulations import retire_simulations
from arena.queries import default_board
from arena.web import streams
from tests.annotation.boards.factories import judge, make_board, refreshed
from tests.annotation.boards.test_attributes import LABELS, RATING, helpful
from tests.annotation.boards.test_listed import answered
from tests.browser import DESK, NARROWEST, PHONE, check_axe, hearing, look, shoot
from tests.factories import PREFERENCE, make_campaign, make_contestant, make_respondent, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site_address(settings) -> Iterator[str]:
    """Pages and streams on one port, as `up` serves them, on this test's database."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    pages = ASGIStaticFilesHandler(get_asgi_application())

    async def application(scope, receive, send):
        await (streams.application if scope["path"].startswith("/streams/") else pages)(scope, receive, send)

    server = uvicorn.Server(
        uvicorn.Config(application, port=0, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


def vote(name: str) -> None:
    """A live vote for the model, on the arena's board."""
    board = default_board()
    judge(board.campaign, Contestant.objects.get(name=name), Contestant.objects.exclude(name=name).first())
    refreshed(board)


def test_a_vote_moves_an_open_board_and_the_reader_stays_where_they_were(open_page):
    call_command("seed_demo")
    page = open_page("/leaderboard", PHONE)
    name = Contestant.objects.order_by("pk").first().name
    page.get_by_text("How to read this board").click()
    page.evaluate("window.scrollTo(0, 700)")
    page.evaluate("document.querySelector('.table-wrap').scrollLeft = 60")
    page.locator(".table-wrap").first.focus()
    vote(name)
    expect(page.locator("#standings")).to_have_attribute("data-votes", "601")
    assert page.evaluate("[window.scrollY, document.querySelector('.table-wrap').scrollLeft]") == [700, 60]
    assert page.evaluate("document.activeElement === document.querySelector('.table-wrap')")
    assert page.evaluate("document.querySelector('details').open")
    expect(page.locator("[data-board-news]")).to_contain_text("601 judgments. In front: ")
    expect(page.locator("#standings time")).to_have_text("this minute")


def test_a_page_that_is_older_than_the_board_catches_up(open_page):
    """A vote between the page and its stream would never be seen if the stream only told what is new to it."""
    call_command("seed_demo")
    page = open_page("/about")
    page.route("**/streams/**", lambda route: (vote(Contestant.objects.first().name), route.continue_()))
    page.goto("/leaderboard")
    expect(page.locator("#standings")).to_have_attribute("data-votes", "601")


def test_an_operator_retires_what_is_simulated_with_one_click(open_page):
    call_command("seed_demo")
    page = open_page("/leaderboard", user=make_user(role=Role.OPERATOR))
    watching = open_page("/leaderboard")
    page.get_by_role("button", name="Retire the simulated judgments").click()
    expect(page.get_by_text("The simulated judgments are left out. Nothing was deleted.")).to_be_visible()
    expect(page.get_by_text("No ratings yet")).to_be_visible()
    expect(page.locator(".badge--simulated")).to_have_count(0)
    expect(watching.get_by_text("No ratings yet")).to_be_visible()
    page.get_by_role("button", name="Restore them").click()
    expect(page.locator(".badge--simulated").first).to_be_visible()


def boards() -> list[str]:
    """A board of each kind: full, empty, in groups with a long name, with attributes."""
    call_command("seed_demo")
    empty = make_board(slug="empty")
    refresh_board(board_id=empty.pk, now=timezone.now())
    campaign = make_campaign()
    groups = make_board(campaign, slug="groups", name="A board with a rather long name that has to go somewhere")
    names = ["organisation/model-with-a-very-long-name-that-nobody-can-pronounce-2026-11-21", "b", "c", "d"]
    one, two, three, four = [make_contestant(campaign, name) for name in names]
    judge(campaign, one, two)
    judge(campaign, three, four)
    refreshed(groups)
    rated = answered([RATING, PREFERENCE | {"settings": {}}, LABELS], helpful, responses=2)
    refreshed(make_board(rated, slug="rated", name="Five ratings"))
    return ["/leaderboard", "/leaderboard/empty", "/leaderboard/groups", "/leaderboard/rated", *sliced()]


def sliced() -> list[str]:
    """A board with slices, whose names may be long, and one of them."""
    campaign = make_campaign()
    one, two = make_contestant(campaign, "first of two"), make_contestant(campaign, "second of two")
    whole = make_board(campaign, slug="whole", name="Whole")
    for better, worse, category in ((one, two, "code"), (two, one, "writing" + " and so on" * 9), (one, two, "code")):
        item = judge(campaign, better, worse).item_id
        Item.objects.filter(pk=item).update(category=category, language="de")
    slices = [{"category": "code"}, {"category": "writing" + " and so on" * 9}, {"language": "de"}, {"turns": "1"}]
    parts = [open_slice(board=whole, slice=slice, actor=None, now=timezone.now()) for slice in slices]
    rogue = make_respondent(campaign)
    judge(campaign, one, two, respondent=rogue)
    block_respondent(respondent_id=rogue.pk, reason="All in one minute", actor=None, now=timezone.now())
    for board in (whole, *parts[:2]):
        refreshed(board)
    return ["/leaderboard/whole", f"/leaderboard/{parts[0].slug}"]


def compared() -> str:
    """The page that asks whether the demo's first model is better than its second."""
    board = default_board()
    advance_board(board_id=board.pk, now=timezone.now())
    one, other = (entry["contestant"] for entry in board.snapshots.latest("number").standings["entries"][:2])
    return f"/leaderboard/{board.slug}/compare?a={one}&b={other}"


def test_no_board_has_a_fault_that_axe_finds(open_page):
    paths = [*boards(), compared(), "/leaderboard/whole/slices"]
    admin = make_user(role=Role.CAMPAIGN_ADMIN)
    for viewport, scheme in ((PHONE, "light"), (DESK, "dark")):
        page = open_page("/leaderboard", viewport, color_scheme=scheme, user=admin)
        for path in paths:
            page.goto(path)
            if path == "/leaderboard/whole":
                page.get_by_role("navigation", name="Slices of this board").locator("summary").click()
            check_axe(page, f"{path}, {scheme}")
            shoot(page, f"{path.split('/')[-1]}-{scheme}")
    page.get_by_label("Turns").select_option("1")
    expect(page.locator("#count")).to_contain_text("3 judgments are in this slice now.")
    page.get_by_label("Turns").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Answers with")).to_be_focused()
    check_axe(page, "a slice that is counted")
    hidden = Board.objects.get(slug="rated")
    publish_board(board_id=hidden.pk, public=False, actor=None, now=timezone.now())
    page.goto("/leaderboard/rated")
    page.locator(".board-publish summary").click()
    check_axe(page, "what becomes public")
    page.get_by_role("button", name="Publish the board").click()
    expect(page.get_by_text("Everybody sees this board, without signing in.")).to_be_visible()


def test_nothing_is_wider_than_the_window(open_page):
    widths = {}
    page = open_page("/about")
    for path in boards():
        for viewport in (NARROWEST, PHONE, DESK):
            page.set_viewport_size(viewport)
            page.goto(path)
            widths[path, viewport["width"]] = page.evaluate("document.documentElement.scrollWidth")
    assert widths == {(path, width): width for path, width in widths}


def test_the_numbers_are_in_the_table_without_script(open_page):
    call_command("seed_demo")
    page = open_page("/leaderboard", java_script_enabled=False)
    entry = default_board().snapshots.get().standings["entries"][0]
    row = page.locator(".board-table tbody tr").first
    expect(row).to_contain_text(f"{entry['rating']:.0f}")
    retire_simulations(campaign=default_board().campaign, actor=None, reason="test", now=timezone.now())
    page.reload()
    expect(row).to_contain_text("In battles, no votes yet")


def test_old_snapshots_are_found_and_read_and_the_picture_is_there_to_embed(open_page):
    """From the board to the list, to one snapshot and to its neighbour; by keyboard to the markup."""
    call_command("seed_demo")
    vote(Contestant.objects.order_by("pk")[0].name)
    for theme in ("light", "dark"):
        for size in (PHONE, DESK):
            page = open_page("/leaderboard", viewport=size, color_scheme=theme)
            page.get_by_text("Embed this board").focus()
            page.keyboard.press("Enter")
            picture = page.get_by_role("img", name="Arena: the first models with their intervals")
            expect(picture).to_be_visible()
            assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 390
            look(page, f"board-embed-{theme}")
            page.get_by_role("link", name="All snapshots").click()
            expect(hearing(page).get_by_role("heading", name="Snapshots")).to_be_visible()
            look(page, f"board-snapshots-{theme}")
            page.get_by_role("link", name="1", exact=True).click()
            expect(hearing(page).get_by_role("heading", name="Snapshot 1")).to_be_visible()
            look(page, f"board-snapshot-{theme}")
            page.get_by_role("link", name="Next").click()
            expect(hearing(page).get_by_role("heading", name="Snapshot 2")).to_be_visible()
