"""Somebody agrees, keeps their words to themselves, and withdraws by keys; what an admin says of it is filled in."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.enums import Role
from annotation.models import Campaign, Judgment, Respondent
from annotation.use_cases.publish_consent import publish_consent
from tests.annotation.people.working import given, joined, judged
from tests.browser import DESK, PHONE, hearing, look
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CONSENT = "- **Your own words** are published only if you say so.\n- **Withdrawal.** Until 31 December 2030."


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(slug="trial", name="Blue skies", questions=[PREFERENCE, RATIONALE | {"required": False}])
    Campaign.objects.filter(pk=campaign.pk).update(withdrawal_until="2030-12-31", contact="Ada <ada@example.org>")
    for _ in range(3):
        make_item(campaign, slots=2)
    campaign.refresh_from_db()
    return campaign


def look_at_both(page: Page, name: str) -> None:
    for viewport in (PHONE, DESK):
        page.set_viewport_size(viewport)
        look(page, name)


def test_somebody_agrees_and_withdraws_by_keys(open_page, campaign):
    person = joined(campaign)
    judged(campaign, person)
    given(campaign, person)
    publish_consent(campaign_id=campaign.pk, text=CONSENT, now=timezone.now())
    page = open_page("/annotate/trial", DESK, user=person.person.user, reduced_motion="reduce")
    tick = page.get_by_label("What I write in my own words")
    expect(tick).not_to_be_checked()
    look_at_both(page, "consent-own-words")
    page.get_by_role("button", name="I agree").click()
    page.goto("/annotate/trial/history")
    hearing(page)
    tick.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_text("What you write may be published.")).to_be_visible()
    look(page, "history-own-words")
    page.get_by_role("link", name="Withdraw your answers").click()
    expect(page.get_by_text("until 31 December 2030 (UTC)")).to_be_visible()
    look_at_both(page, "withdraw")
    hearing(page)
    page.get_by_label("I withdraw my answers").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
    look(page, "withdrawn")
    assert Respondent.objects.get(pk=person.pk).state == "withdrawn"
    assert not Judgment.objects.filter(kind="answer", superseded_by__isnull=True).exists()


def test_an_admin_sees_what_the_settings_make_of_the_text(open_page, campaign):
    admin = make_user(role=Role.CAMPAIGN_ADMIN)
    page = open_page("/campaigns/trial/edit/consent", DESK, user=admin, reduced_motion="reduce")
    hearing(page)
    page.get_by_label("Consent text, in Markdown").fill("{withdrawal} {contact}")
    expect(page.locator("#read")).to_contain_text("Write to Ada")
    page.get_by_label("Whom people write to").fill("Grace")
    expect(page.locator("#read")).to_contain_text("Write to Grace with any question.")
    page.get_by_text("Words that are filled in from the settings").click()
    look_at_both(page, "edit-consent")
