"""Review in a real browser: by keys alone, on a phone and on a desk, and an appeal on the annotator's side."""

from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.enums import Role
from accounts.models import Person
from annotation.models import Adjudication, Campaign, Flag, Review
from annotation.use_cases.make_batch import make_batch
from annotation.use_cases.start_adjudication import start_adjudication
from tests.annotation.numbering import number_log
from tests.annotation.people.working import joined, judged
from tests.annotation.review.reviewing import make_reviewer, reject, rejected, reviewed_campaign, reviewer
from tests.browser import DESK, PHONE, hearing, look
from tests.factories import make_contestant, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def campaign() -> Campaign:
    campaign = reviewed_campaign()
    Campaign.objects.filter(pk=campaign.pk).update(pay_per_judgment=Decimal("0.25"))
    names = [make_contestant(campaign, name) for name in ("alpha-model", "beta-model")]
    people = [joined(campaign, username=name) for name in ("annie", "bert")]
    for number in range(3):
        make_item(
            campaign,
            slots=2,
            contestants=names,
            prompt=f"Why is the sky blue at {number + 6} o’clock?",
            texts=("Because air scatters blue light more than red.", "It mirrors the sea."),
        )
        for person, answer in zip(people, "ab", strict=True):
            judged(campaign, person, seconds=12 + number, answer=answer)
    number_log()
    return campaign


@pytest.fixture
def signed_in(campaign):
    return make_reviewer("ada")[0]


def test_judgments_are_decided_by_keys_alone(open_page):
    page = open_page("/campaigns/trial/review")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Next judgment")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Judgment")
    first = page.get_by_role("heading", level=1).text_content()
    hearing(page).keyboard.press("a")
    expect(page.get_by_text("Approved.")).to_be_visible()
    # The next of the queue is there; what follows is about it.
    expect(page.get_by_role("heading", level=1)).not_to_have_text(first)
    hearing(page).keyboard.press("o")
    expect(page.get_by_text("hidden so that")).to_have_count(0)
    page.keyboard.press("r")
    expect(page.get_by_label("Message to the annotator")).to_be_focused()
    page.keyboard.type("It was answered in a second.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("A second reviewer decides.")).to_be_visible()
    assert sorted(Review.objects.values_list("state", flat=True)) == ["approved", "contested"]


def test_an_annotator_appeals_and_a_third_reviewer_grants_it(open_page, campaign):
    judgment = campaign.judgments.latest("pk")
    rejected(judgment)
    page = open_page("/annotate/trial/history", PHONE, user=judgment.respondent.person.user)
    look(page, "history-rejected")
    page.get_by_text("Appeal", exact=True).click()
    page.get_by_label("Why should it count?").fill("I read both responses twice.")
    page.get_by_role("button", name="Send the appeal").click()
    expect(page.get_by_text("Another reviewer decides about your appeal.")).to_be_visible()
    third = open_page(f"/campaigns/trial/review/{judgment.pk}")
    look(third, "judgment-appealed")
    third.get_by_role("button", name="Grant the appeal").click()
    expect(third.get_by_text("The appeal was granted.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Your appeal was granted.")).to_be_visible()
    look(page, "history-granted")


def test_an_item_is_settled_on_a_phone(open_page, campaign):
    judgment = campaign.judgments.first()
    page = open_page(f"/campaigns/trial/review/{judgment.pk}", PHONE)
    page.get_by_text("Settle it yourself").click()
    page.get_by_role("button", name="With all answers beside it").click()
    expect(page.get_by_text("What others answered", exact=True)).to_be_visible()
    look(page, "adjudicate")
    page.locator('input[name="preference"][value="a"]').check()
    page.get_by_role("button", name="Settle it").click()
    expect(page.get_by_text("The item is settled.")).to_be_visible()
    assert Adjudication.objects.get().saw_others is True


def test_an_item_is_given_back_and_settled_by_keys_alone(open_page, campaign):
    judgment = campaign.judgments.first()
    page = open_page(f"/campaigns/trial/review/{judgment.pk}")
    page.get_by_text("Settle it yourself").click()
    page.get_by_role("button", name="With no answer beside it").click()
    expect(page.get_by_text("What others answered is hidden.")).to_be_visible()
    look(page, "adjudicate-keys")
    again = page.url
    hearing(page).keyboard.press("?")
    for words in ("Gives the item back", "Opens the guidelines"):
        expect(page.get_by_role("dialog", name="Keys")).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Give it back").last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The item is given back.")).to_be_visible()
    assert page.goto(again).status == 404
    start_adjudication(
        item_id=judgment.item_id,
        see_others=False,
        actor=Person.objects.get(user__username="ada"),
        now=timezone.now(),
    )
    page.goto(again)
    page.keyboard.press("a")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item is settled.")).to_be_visible()


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"])
def test_the_pages_have_no_fault_that_axe_finds(open_page, campaign, viewport, scheme):
    [first, second, *_rest] = campaign.judgments.order_by("pk")
    reject(first, reviewer(), "Too hasty.")
    rejected(second)
    make_batch(campaign_id=campaign.pk, actor=reviewer(), now=timezone.now(), most=2)
    page = open_page("/campaigns/trial/review", viewport, color_scheme=scheme)
    look(page, "queue")
    page.get_by_role("link", name="Show").click()
    page.locator("[data-row]").first.click()
    look(page, "judgment")
    admin = open_page(
        "/campaigns/trial/batches",
        viewport,
        color_scheme=scheme,
        user=make_user(role=Role.CAMPAIGN_ADMIN, username=f"boss-{scheme}"),
    )
    look(admin, "batches")
    admin.get_by_role("link", name="Batch 1").click()
    look(admin, "batch")
    admin.get_by_role("button", name="Accept the batch").click()
    expect(admin.get_by_text("2 judgments were approved.")).to_be_visible()
    look(admin, "batch-accepted")
    judgment = campaign.judgments.first()
    Flag.objects.create(item=judgment.item, respondent=judgment.respondent, reason="broken")
    admin.goto("/campaigns/trial/review/flags")
    look(admin, "flags-open")
    admin.get_by_role("link", name="Read the whole item").click()
    look(admin, "flags-of-item")
    admin.get_by_role("link", name="The item, to take it out").click()
    expect(admin.get_by_role("heading", name="What was answered")).to_be_visible()
    look(admin, "item-answers")
