"""A whole session in which amounts are paid, in a real browser: from the sealed seed to the receipt."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.enums import Role
from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign, Delivery, Draw, Judgment, LedgerEntry, WorthSession
from annotation.policies.comprehension import cards_of
from annotation.queries.sessions import step_in
from annotation.use_cases.hold_draw import hold_draw
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from tests.annotation.worth.bidding import PREFERENCE, STATED, bids, paid_campaign, prepared
from tests.browser import DESK, PHONE, look, shoot
from tests.factories import make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def campaign() -> Campaign:
    campaign = paid_campaign(items=2, endowments=("10.00",))
    Campaign.objects.filter(pk=campaign.pk).update(name="What an answer is worth")
    campaign.refresh_from_db()
    return campaign


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"label.choice__option:has(input[name='{name}'][value='{value}'])").click()


def answer_check(page: Page, session: WorthSession, *, wrong: str = "") -> None:
    for question in step_in(session, session.campaign).questions:
        value = question.right
        if question.name == wrong:
            value = next(each for each, _words in question.choices if each != question.right)
        choose(page, question.name, value)
    page.get_by_role("button", name="Answer").click()


def bid_on_card(page: Page, amount: str) -> None:
    page.get_by_label("What is the most you would pay, once, for the card?").fill(amount)
    page.get_by_role("button", name="Answer").click()


def judge(page: Page, amount: str) -> None:
    choose(page, "preference", "a")
    page.locator("input[name='worth.a']").fill(amount)
    page.get_by_role("button", name="Submit").click()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_from_the_sealed_seed_to_the_receipt(open_page, campaign, viewport):
    # What is narrow and what is wide differ most on these; the others are looked at once.
    also = look if viewport == PHONE else shoot
    user = make_user()
    _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
    join_by_invitation(token=token, person=person_of_user(user=user, now=timezone.now()), now=timezone.now())
    page = open_page(f"/annotate/{campaign.slug}", viewport, user=user, reduced_motion="reduce")
    session = WorthSession.objects.select_related("campaign").get()
    expect(page.get_by_text(session.commitment)).to_be_visible()
    answer_check(page, session, wrong="best")
    expect(page.get_by_text("Not quite. Read why, and try once more.")).to_be_visible()
    look(page, "worth-check-explained")
    answer_check(page, session)
    expect(page.get_by_role("heading", name="Practice, card 1 of 2")).to_be_visible()
    bid_on_card(page, "2.00")
    expect(page.get_by_text("4.00 is best.")).to_be_visible()
    also(page, "worth-practice-told")
    bid_on_card(page, f"{cards_of(session.seed, session.endowment)[1].value}")
    page.get_by_role("link", name="To the items").click()
    choose(page, "preference", "a")
    expect(page.get_by_text("A price is already sealed; your number cannot change it.").first).to_be_visible()
    look(page, "worth-item")
    judge(page, "4.00")
    expect(page.get_by_text("Stored.")).to_be_visible()
    judge(page, "6.00")
    expect(page.get_by_role("heading", name="Your answers are locked")).to_be_visible()
    expect(page.get_by_role("link", name="Undo")).to_have_count(0)
    also(page, "worth-locked")
    page.get_by_role("button", name="Hold the draw").click()
    page.get_by_role("link", name="Receipt").wait_for()
    also(page, "worth-drawn")
    page.get_by_role("link", name="Receipt").click()
    expect(page.get_by_text("It holds")).to_be_visible()
    look(page, "worth-receipt")
    draw = Draw.objects.get()
    assert draw.amount in {judgment.amount_low for judgment in Judgment.objects.all()}
    assert LedgerEntry.objects.get(draw=draw).amount == draw.payout


def test_admins_see_what_is_paid_from_what_was_drawn_and_what_to_hand_over(open_page, campaign):
    for amount in ("4.00", "9.99"):
        respondent = prepared(campaign)
        for _ in range(2):
            bids(campaign, respondent, amount)
        hold_draw(respondent_id=respondent.pk, now=timezone.now())
    admin, draw = make_user(role=Role.CAMPAIGN_ADMIN), Draw.objects.latest("pk")
    for viewport in (PHONE, DESK):
        page = open_page(f"/campaigns/{campaign.slug}/edit/worth", viewport, user=admin, reduced_motion="reduce")
        look(page, "worth-edit")
        page.goto(f"/campaigns/{campaign.slug}/draws")
        look(page, "worth-draws")
        page.goto(f"/campaigns/{campaign.slug}/draws/{draw.pk}")
        look(page, "worth-draw")
    page.get_by_role("button", name="It was handed over").click()
    expect(page.get_by_role("heading", name="Draws")).to_be_visible()
    assert Delivery.objects.get().draw == draw


def test_the_shorter_way_where_amounts_are_only_stated(open_page):
    campaign = make_campaign(questions=[PREFERENCE, STATED], name="Stated")
    make_item(campaign)
    user = make_user()
    _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
    join_by_invitation(token=token, person=person_of_user(user=user, now=timezone.now()), now=timezone.now())
    page = open_page(f"/annotate/{campaign.slug}", PHONE, user=user, reduced_motion="reduce")
    look(page, "stated-check")
    answer_check(page, WorthSession.objects.select_related("campaign").get())
    page.get_by_label("What is the most you would pay, once, to have A instead?").fill("9")
    look(page, "stated-practice")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("so the most one would pay for it is 4.00.")).to_be_visible()
    page.get_by_role("link", name="To the items").click()
    expect(page.get_by_role("button", name="Submit")).to_be_visible()
