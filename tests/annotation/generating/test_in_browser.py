"""Responses written by a real worker with tiny models, and gold checked by keys, in a real browser."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.enums import Role
from annotation.models import Generation, Item
from annotation.use_cases.make_gold import make_gold
from annotation.use_cases.sweep_generations import sweep_generations
from inference_workers.enums import Backend
from inference_workers.models import LanguageModel
from inference_workers.tasks import sweep_completions
from tests.annotation.generating.factories import LONG, advance, claimed, fail, generation_of, models
from tests.browser import DESK, PHONE, look
from tests.factories import PREFERENCE, make_campaign, make_item, make_user
from tests.inference_workers.factories import make_endpoint, make_revision

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ARABIC = "تنفس ببطء ثم عد إلى أربعة. احبس نفسك قليلا قبل أن تخرجه. كرر هذا خمس مرات كل مساء. ثم استرح."


@pytest.fixture
def signed_in():
    return make_user(role=Role.CAMPAIGN_ADMIN)


@pytest.fixture
def campaign():
    return make_campaign(slug="calm", name="Calm answers", questions=[PREFERENCE])


def wait_for_workers(page: Page, true, rounds: int = 200) -> None:
    """What the default worker does meanwhile."""
    for _round in range(rounds):
        if true():
            return
        sweep_completions()
        sweep_generations(now=timezone.now())
        page.wait_for_timeout(200)
    pytest.fail(str(list(Item.objects.values_list("state", flat=True))))


@pytest.mark.worker
@pytest.mark.slow
def test_prompts_become_items_that_a_worker_with_tiny_models_fills(
    open_page, campaign, generation_worker, tiny_models, empty_redis
):
    endpoint = make_endpoint(backend=Backend.TRANSFORMERS, name="This machine")
    for name in tiny_models:
        make_revision(endpoint=endpoint, provider_model=name, max_tokens=12, model={"name": name.title(), "slug": name})
    LanguageModel.objects.filter(slug="tiny-a").update(price_read="0.5", price_written="1.5")
    page = open_page("/campaigns/calm/items", DESK)
    page.get_by_role("link", name="Let language models write responses").click()
    page.get_by_label("Prompts, one on each line").fill("How do I calm down?\nكيف أهدأ؟\nWhat helps at night?")
    page.get_by_label("Tiny-A").check()
    look(page, "generate")
    page.get_by_role("button", name="Reckon what it takes").click()
    expect(page.get_by_text("choose 2 language models or more")).to_be_visible()
    look(page, "generate-refused")
    page.get_by_label("Tiny-B").check()
    page.get_by_role("button", name="Reckon what it takes").click()
    expect(page.get_by_role("heading", name="What it takes")).to_be_visible()
    look(page, "generate-figures")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Progress")).to_be_visible()
    wait_for_workers(page, lambda: Item.objects.filter(state="open").count() == 3)
    wait_for_workers(page, lambda: Generation.objects.get().state == "done")
    expect(page.get_by_text("Every response is there.")).to_be_visible()
    look(page, "generation-done")
    page.get_by_role("link", name="Items", exact=True).last.click()
    expect(page.locator(".item-list tbody tr")).to_have_count(3)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_what_failed_says_why_and_is_tried_again_or_given_up(open_page, campaign, viewport):
    generation = generation_of(campaign, 5, asked=models(2))
    for _round in range(2):
        advance(generation)
        for completion in claimed()[:3]:
            fail(completion)
    dark = viewport == PHONE
    page = open_page(f"/campaigns/calm/generations/{generation.pk}", viewport, color_scheme="dark" if dark else "light")
    expect(page.get_by_role("heading", name="What failed")).to_be_visible()
    look(page, "generation-failed")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    look(page, "generation-paused")
    page.get_by_role("button", name="Try all failed again").click()
    expect(page.get_by_role("heading", name="What failed")).to_have_count(0)
    page.get_by_text("Cancel this generation").click()
    page.get_by_role("button", name="Cancel what is not written").press("Enter")
    expect(page.get_by_text("Cancelled")).to_be_visible()
    assert set(Item.objects.values_list("state", flat=True)) == {"void"}


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_gold_is_proposed_with_its_differences_and_checked_by_keys(open_page, campaign, viewport):
    for number, text in enumerate([LONG, LONG + " Then sleep.", ARABIC, f"- One\n- Two\n\n{LONG}"]):
        make_item(campaign, texts=(text, "Short."), prompt="كيف أهدأ؟" if text == ARABIC else f"How, {number}?")
    page = open_page("/campaigns/calm/items", viewport, color_scheme="dark" if viewport == PHONE else "light")
    page.get_by_role("link", name="Make gold of responses").click()
    page.get_by_role("spinbutton", name="Gold items").fill("4")
    page.get_by_label("Its sentences out of order").check()
    look(page, "gold-empty")
    page.get_by_role("button", name="Propose gold items").click()
    expect(page.get_by_text("A worker is making gold items.")).to_be_visible()
    make_gold(generation_id=Generation.objects.get().pk, now=timezone.now())
    expect(page.get_by_text("Worse copy")).to_have_count(4)
    look(page, "gold-proposed")
    page.locator("h1").click()
    first, second, *rest = Item.objects.filter(state="proposed").order_by("pk").values_list("pk", flat=True)
    page.keyboard.press("a")
    expect(page.get_by_text("Worse copy")).to_have_count(3)
    page.keyboard.press("d")
    expect(page.get_by_text("Worse copy")).to_have_count(2)
    page.get_by_role("button", name="Accept all 2 shown").press("Enter")
    expect(page.get_by_text("Nothing waits to be checked")).to_be_visible()
    look(page, "gold-checked")
    states = dict(Item.objects.filter(purpose="gold").values_list("pk", "state"))
    assert states == {first: "open", second: "void"} | dict.fromkeys(rest, "open")
