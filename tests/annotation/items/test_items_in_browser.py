"""A file of items in a real browser: uploaded, its columns told, imported, listed; on a desk and on a phone."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.enums import Role
from annotation.models import Item, ItemUpload
from annotation.use_cases.import_items import import_items
from tests.annotation.imports.files import write
from tests.browser import DESK, PHONE, look
from tests.factories import make_campaign, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "Breathe in for four counts, hold for four, and out for six. " * 6
FILE = (
    "instruction,first,chosen_model,other,rejected_model,topic,cat_hard,note\n"
    f'"How do I calm down, quickly?","{LONG}",model-one,"Try **not** to worry.",model-two,health,1,kept back\n'
    'كيف أهدأ بسرعة؟,"تنفس ببطء.",model-one,"لا تقلق.",model-two,health,0,\n'
    "=HYPERLINK(1),<script>alert(1)</script>,model-one,plain,model-two,formulas,0,\n"
)
WITHOUT_BREAKS = "x" * 400


@pytest.fixture
def signed_in():
    return make_user(role=Role.CAMPAIGN_ADMIN)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_file_goes_from_the_upload_over_its_columns_to_the_list(open_page, tmp_path, viewport):
    campaign = make_campaign(slug="calm", name="Calm answers")
    page = open_page("/campaigns/calm/items", viewport, color_scheme="dark" if viewport == PHONE else "light")
    look(page, "items-empty")
    page.get_by_label("File").set_input_files(write(tmp_path, FILE, f"items-{WITHOUT_BREAKS[:60]}.csv"))
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("heading", name="What the columns mean").wait_for()
    # Guessed from the names, but nothing can be imported before a person has said which columns are the responses.
    expect(page.get_by_label("instruction")).to_have_value("prompt")
    expect(page.locator("#preview")).to_contain_text("say which column is response_1, response_2")
    page.get_by_label("first", exact=True).select_option("response_1")
    page.get_by_label("other", exact=True).focus()
    page.get_by_label("other", exact=True).select_option("response_2")
    expect(page.locator("#preview")).to_contain_text("How do I calm down, quickly?")
    expect(page.locator("#preview")).to_contain_text("Not read: note")
    expect(page.get_by_label("other", exact=True)).to_be_focused()
    look(page, "upload-mapping")
    page.get_by_role("button", name="Import all rows").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    look(page, "upload-waiting")
    upload = ItemUpload.objects.get()
    assert import_items(upload_id=upload.pk, now=timezone.now()).state == "done"
    # The page asks by itself.
    page.get_by_role("heading", name="3 items in the campaign").wait_for()
    look(page, "upload-done")
    page.get_by_role("link", name="See the items").click()
    page.get_by_label("Words of the prompt").fill("CALM down")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".item-list tbody tr")).to_have_count(1)
    page.goto("/campaigns/calm/items")
    look(page, "items")
    first = Item.objects.filter(campaign=campaign).order_by("pk").first()
    page.get_by_role("link", name=str(first.pk), exact=True).click()
    expect(page.get_by_role("heading", name="Response A")).to_be_visible()
    look(page, "item")


def test_what_is_wrong_is_seen_by_line_and_columns_are_told_by_keyboard_alone(open_page, tmp_path):
    make_campaign(slug="calm", name="Calm answers")
    page = open_page("/campaigns/calm/items", PHONE)
    page.get_by_text("Paste rows instead").press("Enter")
    page.get_by_label("Rows").fill("prompt,response_1,response_2\np,x,y\nq,x,\n")
    page.get_by_role("button", name="Take these rows").press("Enter")
    page.get_by_role("button", name="Import all rows").press("Enter")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    import_items(upload_id=ItemUpload.objects.get().pk, now=timezone.now())
    expect(page.get_by_role("heading", name="Nothing was imported")).to_be_visible()
    expect(page.get_by_role("row", name="3 1 response; an item of this campaign has 2")).to_be_visible()
    look(page, "upload-refused")
    assert Item.objects.count() == 0
