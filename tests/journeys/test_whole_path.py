"""From a visitor's prompt to a researcher's dataset, clicked in a browser on what `manage.py up` started."""

import json
import re
from pathlib import Path

import pytest
from datasets import load_dataset
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Running, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.worker, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

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

    expect(board.locator("[data-votes]").first).not_to_have_attribute("data-votes", str(before), timeout=10_000)
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


def test_a_battle_is_nobody_elses(page: Page, chromium, running: Running):
    start_battle(page, "What is two and two?")
    stranger = chromium.new_context(base_url=running.address).new_page()
    assert stranger.goto(page.url).status == 404
    assert stranger.request.get(page.url.replace("/battles/", "/streams/battles/")).status == 404


def vote_once(page: Page, prompt: str, key: str) -> None:
    """A battle from prompt to reveal, so that there is a live vote with texts."""
    start_battle(page, prompt)
    expect(page.locator("form.votebar")).to_be_visible(timeout=MODEL_SECONDS)
    page.locator(f"label.choice__option:has(input[name=preference][value={key}])").click()
    page.get_by_role("button", name="Vote and reveal the models").click()
    expect(page.locator(".reveal__name")).to_have_count(2)


def test_a_researcher_takes_the_votes_away_as_parquet(page: Page, running: Running, look, tmp_path):
    before = votes_on_board(page)
    vote_once(page, "Write one sentence about the sea.", "b")
    # A judgment is numbered a moment after its commit, and leaves only then.
    expect(page_of_board(page).locator("[data-votes]").first).not_to_have_attribute(
        "data-votes", str(before), timeout=15_000
    )
    sign_in(page, running, "researcher")
    page.goto("/datasets")
    look("datasets")
    page.get_by_role("link", name="New dataset").first.click()
    for box in page.locator("input[name=views]").all():
        box.check()
    expect(page.locator("#preview [data-rows] li").first).to_be_visible(timeout=15_000)
    look("dataset-new")
    page.get_by_role("button", name="Freeze and build").click()
    expect(page.locator("#files-title")).to_be_visible(timeout=60_000)
    look("dataset-ready")
    names = [name for name in page.locator("a[download]").all_inner_texts() if name.endswith((".parquet", ".jsonl"))]
    assert {view for name in names for view in VIEWS if view in name} == set(VIEWS)
    for name in names:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with page.expect_download() as started:
            page.get_by_role("link", name=name, exact=True).click()
        started.value.save_as(target)
    assert loaded_rows(tmp_path, names)


def page_of_board(page: Page) -> Page:
    page.goto("/leaderboard")
    return page


def votes_on_board(page: Page) -> int:
    return votes_on(page_of_board(page))


VIEWS = ("preference_pairs", "reward_pairs", "votes")


def loaded_rows(folder: Path, names: list[str]) -> bool:
    """The files as `datasets` reads them: the same rows from Parquet and JSONL, with the columns trainers want."""
    for view in VIEWS:
        parquet = [str(folder / name) for name in names if view in name and name.endswith(".parquet")]
        lines = [str(folder / name) for name in names if view in name and name.endswith(".jsonl")]
        rows = load_dataset("parquet", data_files=parquet, split="train", cache_dir=str(folder / "cache"))
        # Lines have no types: a column that is empty in all of one split's file would be told apart from the other's.
        cache = str(folder / "cache")
        again = load_dataset("json", data_files=lines, split="train", cache_dir=cache, features=rows.features)
        assert len(rows) == len(again) > 0
        if view != "votes":
            assert {"prompt", "chosen", "rejected"} <= set(rows.column_names)
            assert rows[0]["chosen"][0]["role"] == "assistant"
            assert ("margin" in rows.column_names) == (view == "reward_pairs")
    return True


def test_a_researcher_finds_datasets_closed_to_visitors_and_annotators(page: Page, running: Running):
    page.goto("/datasets")
    page.wait_for_url("**/login/**")
    sign_in(page, running, "annotator")
    assert page.request.get("/datasets").status == 403


def test_an_admin_retires_the_simulated_judgments_with_one_click_and_restores_them(page: Page, running: Running, look):
    sign_in(page, running, "admin")
    page.goto("/leaderboard")
    expect(page.locator(".badge--simulated").first).to_be_visible()
    look("leaderboard-admin")
    page.get_by_role("button", name="Retire the simulated judgments").click()
    expect(page.get_by_text("The simulated judgments are retired")).to_be_visible()
    expect(page.locator("#standings .badge--simulated")).to_have_count(0, timeout=10_000)
    look("leaderboard-retired")
    page.get_by_role("button", name="Restore them").click()
    expect(page.locator(".badge--simulated").first).to_be_visible(timeout=10_000)


def test_an_admin_edits_a_language_model_as_an_ordinary_row(page: Page, running: Running, look):
    sign_in(page, running, "admin")
    page.goto("/admin/inference_workers/languagemodel/")
    page.get_by_role("link", name="SmolLM2 brief").click()
    before = page.locator("#id_max_tokens").input_value()
    page.fill("#id_max_tokens", str(int(before) + 1))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    page.get_by_role("link", name="SmolLM2 brief").first.click()
    assert page.locator("#id_max_tokens").input_value() == str(int(before) + 1)
