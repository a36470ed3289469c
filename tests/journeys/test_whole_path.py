"""From a visitor's prompt to a researcher's dataset, clicked in a browser on what `manage.py up` started."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Running, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.worker]

MODEL_SECONDS = 120_000


def start_battle(page: Page, prompt: str) -> None:
    page.goto("/")
    page.fill("#prompt", prompt)
    page.get_by_role("button", name="Start battle").click()
    page.wait_for_url(re.compile("/battles/"))


def model_names(running: Running) -> list[str]:
    board = json.loads(running.manage("show_board", "arena", "--json"))
    return [entry["model"] for entry in board["entries"]]


def test_the_page_is_up_before_the_models_and_says_when_they_are_ready(page: Page, look):
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Which answer would you rather have?")
    look("home")
    expect(page.locator("#workers .spinner")).to_have_count(0, timeout=MODEL_SECONDS)


def test_a_visitor_battles_votes_and_moves_the_leaderboard(page: Page, context, running: Running, look):
    names = model_names(running)
    board = context.new_page()
    board.goto("/leaderboard")
    before = votes_on(board)

    start_battle(page, "Name three colours of the rainbow, in a short list.")
    look("battle-answering")
    seen = page.content()
    assert not any(name in seen for name in names)
    for side in page.locator("[data-text]").all():
        expect(side).not_to_be_empty(timeout=MODEL_SECONDS)
    expect(page.locator("form.votebar")).to_be_visible(timeout=MODEL_SECONDS)
    seen = page.content()
    assert not any(name in seen for name in names)

    page.fill("#follow-up", "And which of them is the warmest?")
    page.locator(".composer--followup button").click()
    expect(page.locator("article.turn")).to_have_count(2)
    expect(page.locator("form.votebar")).to_be_visible(timeout=MODEL_SECONDS)
    look("battle-votable")

    page.keyboard.press("a")
    expect(page.locator("input[name=preference][value=a]")).to_be_checked()
    page.locator("label", has_text="Much better").first.click()
    amount = page.locator("input[name='worth.a']")
    if amount.count() and amount.is_visible():
        amount.fill("1.50")
    look("battle-answered")
    page.get_by_role("button", name="Vote and reveal the models").click()
    expect(page.locator(".reveal__name")).to_have_count(2)
    shown = page.locator(".reveal__name").all_inner_texts()
    assert set(shown) <= set(names)
    assert shown[0] != shown[1]
    look("battle-revealed")

    board.wait_for_function(f"Number(document.querySelector('[data-votes]').dataset.votes) > {before}", timeout=10_000)
    page.goto("/leaderboard")
    look("leaderboard")


def votes_on(board: Page) -> int:
    return int(board.locator("[data-votes]").first.get_attribute("data-votes") or 0)


def test_an_empty_vote_is_refused_with_the_reason_and_nothing_is_lost(page: Page):
    start_battle(page, "Say hello in French.")
    expect(page.locator("form.votebar")).to_be_visible(timeout=MODEL_SECONDS)
    page.evaluate("document.querySelector('form.votebar').noValidate = true")
    page.evaluate("document.querySelector('form.votebar').requestSubmit()")
    expect(page.get_by_text("Choose A, B, no difference, or that you cannot judge.")).to_be_visible()
    page.locator("label.choice__option", has_text="No difference").first.click()
    page.get_by_role("button", name="Vote and reveal the models").click()
    expect(page.locator(".reveal__name")).to_have_count(2)


def test_a_battle_is_nobody_elses(page: Page, browser, running: Running):
    start_battle(page, "What is two and two?")
    stranger = browser.new_context(base_url=running.address).new_page()
    assert stranger.goto(page.url).status == 404
    assert stranger.request.get(page.url.replace("/battles/", "/streams/battles/")).status == 404


def test_a_researcher_takes_the_votes_away_as_parquet(page: Page, running: Running, look, tmp_path, monkeypatch):
    sign_in(page, running, "researcher")
    page.goto("/datasets")
    look("datasets")


def test_an_admin_retires_the_simulated_judgments_with_one_click(page: Page, running: Running, look):
    sign_in(page, running, "admin")
    page.goto("/leaderboard")
    look("leaderboard-admin")
