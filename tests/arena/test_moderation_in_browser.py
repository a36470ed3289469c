"""The moderation model's form filled in, what it stopped with its marks, how often it was right, and how far a
classifier and the rules agree: by day on a phone, by night at a desk."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from arena.models import Moderation, Moderator
from arena.use_cases.classify_prompts import classify_prompts
from arena.use_cases.set_classifier import set_classifier
from inference_workers.tasks.backends import Backends
from tests.arena.factories import begin, make_arena, make_models
from tests.arena.test_marks import moderation
from tests.arena.test_moderation_model import classifier
from tests.arena.test_set_apart_in_browser import look_by_day_and_night
from tests.browser import DESK
from tests.factories import make_user
from tests.inference_workers.factories import make_endpoint
from tests.inference_workers.pumping import run_pump

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def signed_in():
    return make_user(role="campaign_admin")


@pytest.fixture
def page(open_page) -> Page:
    return open_page(None, DESK, reduced_motion="reduce")


def test_an_admin_sets_the_model_up_marks_what_it_stopped_and_reads_how_often_it_was_right(page):
    arena = make_arena(takes_images=True)
    arena.sorter = classifier(endpoint=make_endpoint(backend="openai", base_url="http://127.0.0.1:9/v1"))
    for fields in ({"with_picture": True}, {"found": ["hate"]}):
        moderation(arena, **fields)
    page.goto("/arenas/arena/rules")
    form = page.locator("form.campaign-form").filter(has=page.get_by_label("Classes that stop a text"))
    form.get_by_label("Language model").select_option(label="Guard")
    form.get_by_label("Classes that stop a text").fill("violence = 0.7\nhate = 0.4\nharmless = never\n* = 0.5")
    form.get_by_label("Hold it back").check()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nobody checks: pictures that visitors add.")).to_be_visible()
    form.get_by_label("Show it pictures too").check()
    look_by_day_and_night(page, "moderation-rules")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nobody checks")).to_have_count(0)
    expect(page.get_by_text("has no class “harmless”")).to_have_count(0)  # it was to stop nothing
    assert Moderator.objects.get().takes_images is True
    stopped = page.locator("section").filter(has=page.get_by_role("heading", name="Stopped by the moderation model"))
    stopped.get_by_role("button", name="Right").first.click()
    expect(stopped.get_by_role("button", name="Right")).to_have_count(1)
    stopped.get_by_role("button", name="False alarm").click()
    expect(stopped).to_have_count(0)
    assert sorted(Moderation.objects.values_list("outcome", flat=True)) == ["false_alarm", "right"]
    page.goto("/arenas/arena/integrity")
    expect(page.get_by_role("row", name="Moderation model: Guard 2 2 1 50.0 %")).to_be_visible()
    look_by_day_and_night(page, "moderation-integrity")


def test_an_admin_reads_how_far_a_classifier_and_the_rules_agree(page):
    arena = make_arena()
    make_models()
    model = classifier().language_model
    set_classifier(arena_id=arena.pk, language_model=model, limit=0.5, actor=None, now=timezone.now())
    for prompt in (
        "Write a Python function. !code",
        "Write a haiku about rain.",
        "A Python script. !violence",
        "!fails",
    ):
        begin(prompt=prompt)
    for _again in range(2):
        classify_prompts(now=timezone.now())
        run_pump(Backends())
    classify_prompts(now=timezone.now())
    page.goto("/arenas/arena/prompts")
    expect(page.get_by_text("could not label 1 of the newest prompts")).to_be_visible()
    look_by_day_and_night(page, "classifier-agreement")
