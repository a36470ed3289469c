"""A consent text says what the settings say, and nobody reads a place that its author left open."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Campaign
from annotation.policies.consent import filled, gaps
from annotation.policies.templates import starting_points
from annotation.use_cases.cast_shadow import cast_shadow
from annotation.use_cases.copy_campaign import copy_campaign
from tests.annotation.campaigns.launching import launch, refused
from tests.annotation.campaigns.pages import edit, errors, opened, running, start
from tests.factories import make_item

pytestmark = pytest.mark.django_db
POINTS = {point.slug: point for point in starting_points()}
OPEN = [
    ("consent", "Fill in “[topics]”: people would read it as it stands."),
    (
        "consent",
        "Fill in “[Who approved this, under which number, or why no approval wa…]”: people would read it as it stands.",
    ),
    ("consent", "Fill in “[18]”: people would read it as it stands."),
]
TOLD = {"expected_seconds": 90, "contact": "Ada <ada@example.org>", "withdrawal_until": date(2030, 12, 31)}


def worth(**settings) -> Campaign:
    campaign = start(draft=POINTS["worth"].draft, **settings)
    make_item(campaign)
    return campaign


def test_a_consent_text_with_places_left_open_is_not_launched_and_each_is_named():
    campaign = worth()
    assert refused(campaign) == [
        *OPEN,
        ("pay", "The consent text says how long an item takes: say how many seconds are expected."),
        ("consent", "The consent text says whom people write to: give a contact."),
    ]
    # A dry run is not held up by it.
    cast_shadow(campaign_id=campaign.pk, items=1, people=2, seed=1, actor=None, now=timezone.now())


def test_the_overview_names_the_places_and_leads_to_the_text(admin):
    campaign = worth(**TOLD)
    page = admin.get(reverse("campaign", args=[campaign.slug])).content.decode()
    assert ("Fill in “[topics]”" in page, page.count(edit(campaign, "consent")) >= 2) == (True, True)


def test_what_the_settings_know_is_filled_in_and_what_people_read_says_the_same():
    campaign = worth(**TOLD, pay_per_judgment=Decimal("0.5"), pay_currency="EUR", screen_out_pay=Decimal(1))
    said = {
        "[topics]": "law",
        "[18]": "18",
        "[Who approved this, under which number, or why no approval was needed.]": "No.",
    }
    for place, words in said.items():
        campaign.draft["consent"] = campaign.draft["consent"].replace(place, words)
    campaign.save()
    text = launch(campaign).consent.text
    for said in (
        "An item takes about 90 seconds. You are paid 0.50 EUR for each item, whatever you answer.",
        "is paid 1.00 EUR more.",
        "hypothetical: no money changes hands. You cannot lose money of your own.",
        "Until 31 December 2030 (UTC) you may withdraw your answers",
        "Withdrawal never changes your pay.",
        "Write to Ada <ada@example.org> with any question.",
    ):
        assert said in text
    assert ("{" in text, "[" in text) == (False, False)


def test_real_amounts_say_what_is_given_and_a_session_how_long_it_takes():
    bid = {"name": "worth", "type": "amount", "settings": {"mode": "bdm", "incentive": "paid_delegated"}}
    draft = {"questions": [{"name": "preference", "type": "preference"}, bid]}
    campaign = start(draft=draft, endowments=[Decimal(10), Decimal(20)], session_items=20, expected_seconds=90)
    said = filled(campaign, "{time} {money}")
    assert said.startswith("It takes about 30 minutes for 20 items. The amounts you name are real:")
    assert "you are given 10.00 or 20.00 USD, whichever is drawn for you, to pay from" in said


def test_links_code_and_brackets_to_be_read_are_no_places_left_open():
    text = (
        "![a](media:a.png) [us](https://example.org) [us][1] [1] `[code]` \\[sic\\] [ ] [name of the lab]\n\n"
        "[1]: https://example.org\n\n```\n[block]\n```\n"
    )
    assert gaps(text) == ["name of the lab"]


def test_brackets_in_guidelines_are_their_authors_unless_they_were_there_to_be_filled_in():
    campaign = start(draft=POINTS["pairwise"].draft | {"guidelines": "Mark [INST]. It is about [topics]."})
    make_item(campaign)
    assert refused(campaign) == [("guidelines", OPEN[0][1])]


def test_a_word_that_nothing_is_filled_in_for_is_named():
    campaign = start(draft=POINTS["pairwise"].draft | {"consent": "{withdrawl} `{time_of}`"})
    make_item(campaign)
    assert [section for section, _text in refused(campaign)] == ["consent"]


def test_after_the_launch_a_text_with_open_places_is_refused_and_people_keep_the_old_one(admin):
    campaign = running()
    form = opened(admin, campaign, "consent") | {"text": "About [topics]."}
    answer = admin.post(edit(campaign, "consent"), form)
    assert (answer.status_code, "Fill in “[topics]”" in answer.content.decode()) == (422, True)
    assert Campaign.objects.get().consent.text == "You may stop."


def test_a_setting_that_the_text_tells_of_makes_a_new_version_that_everybody_is_asked_about(admin):
    campaign = running(
        draft=POINTS["pairwise"].draft, pay_per_judgment=Decimal("0.5"), expected_seconds=60, pay_currency="USD"
    )
    assert "You are paid 0.50 USD" in campaign.consent.text
    form = opened(admin, campaign, "pay") | {"pay_per_judgment": "0.75"}
    said = admin.post(edit(campaign, "pay"), form, follow=True).content.decode()
    campaign.refresh_from_db()
    assert (campaign.consent.number, "You are paid 0.75 USD" in campaign.consent.text) == (2, True)
    assert "everybody is asked for their consent anew" in said
    # What it does not tell of makes none.
    admin.post(edit(campaign, "about"), opened(admin, campaign, "about") | {"standard": "As a teacher."})
    campaign.refresh_from_db()
    assert campaign.consent.number == 2


def test_the_page_of_the_consent_text_keeps_the_last_day_and_the_contact_and_shows_what_they_make(admin):
    campaign = start(draft=POINTS["pairwise"].draft)
    form = opened(admin, campaign, "consent") | {"withdrawal_until": "2030-12-31", "contact": "Ada"}
    address = reverse("campaign-preview-text", args=[campaign.slug]) + "?section=consent"
    shown = admin.post(address, form).content.decode()
    assert ("Until 31 December 2030" in shown, "Write to Ada with" in shown) == (True, True)
    assert admin.post(edit(campaign, "consent"), form).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.withdrawal_until, campaign.contact) == (date(2030, 12, 31), "Ada")
    assert "{withdrawal}" in campaign.draft["consent"]
    past = admin.post(
        edit(campaign, "consent"), opened(admin, campaign, "consent") | {"withdrawal_until": "2020-01-01"}
    )
    assert (past.status_code, errors(past)) == (422, ["This day has passed."])
    copy = copy_campaign(campaign_id=campaign.pk, name="Again", actor=None, now=timezone.now())
    assert (copy.withdrawal_until, copy.contact) == (date(2030, 12, 31), "Ada")


def test_a_last_day_that_has_passed_is_not_launched():
    campaign = start(withdrawal_until=date(2020, 1, 1))
    make_item(campaign)
    assert refused(campaign) == [("consent", "The last day for withdrawals has passed.")]
