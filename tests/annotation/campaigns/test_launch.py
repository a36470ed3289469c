"""What a launch refuses and freezes, and what it opens."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import CampaignState, ItemPurpose
from annotation.models import Campaign, Event, Item
from annotation.policies.drafts import all_as_asked
from annotation.policies.launch import hourly_pay
from annotation.queries.campaigns import progress_of, supply_of
from annotation.questions import instrument_digest
from annotation.use_cases.launch_campaign import TemplateNeverRuns, launch_campaign
from annotation.use_cases.make_template import make_template
from tests.annotation.campaigns.launching import ASKED, launch, ready, refused, start, verbs
from tests.factories import make_item, make_person, make_user

pytestmark = pytest.mark.django_db


def test_an_empty_campaign_is_told_everything_at_once_in_the_order_of_the_editor():
    campaign = start(draft={}, purpose="")
    assert refused(campaign) == [
        ("about", "Say what the campaign is for."),
        ("consent", "Write the consent text that people agree to before they judge."),
        ("guidelines", "Write the guidelines."),
        ("questions", "Add at least one question."),
        ("items", "Add the items that are to be judged."),
    ]


def test_a_launch_freezes_what_the_editor_holds_under_the_person_who_launched():
    campaign, person = ready(), make_person()
    launch(campaign, actor=person)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.guidelines.text, campaign.consent.text) == (
        "running",
        "Read both.",
        "You may stop.",
    )
    assert (campaign.instrument.number, campaign.instrument.digest) == (1, instrument_digest(all_as_asked(ASKED)))
    written = ["instrument_published", "guidelines_published", "consent_published", "state_changed"]
    assert sorted(verbs(campaign)[1:]) == sorted(written)
    assert set(Event.objects.filter(verb__in=written).values_list("actor", flat=True)) == {person.pk}


def test_pay_below_the_floor_is_refused_with_the_figure_and_at_the_floor_is_not():
    pay = {"pay_per_judgment": Decimal("0.10"), "expected_seconds": 40, "pay_floor": Decimal("9.01")}
    campaign = ready(**pay)
    assert hourly_pay(campaign) == Decimal("9.00")
    assert refused(campaign) == [("pay", "The pay comes to 9.00 USD an hour, below the least of 9.01 USD.")]
    Campaign.objects.filter(pk=campaign.pk).update(pay_floor=Decimal("9.00"))
    assert launch(campaign).state == "running"


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"pay_floor": Decimal(9)}, ("pay", "A least pay per hour is set, but no pay per judgment.")),
        (
            {"pay_per_judgment": Decimal("0.1")},
            ("pay", "Say how many seconds an item is expected to take, or nobody knows the pay."),
        ),
        (
            {"pay_per_judgment": Decimal(2), "expected_seconds": 60, "budget_money": Decimal(1)},
            ("design", "The budget does not pay a single judgment."),
        ),
        ({"gold_share": 0.1}, ("items", "A share of gold items is set, but there is no gold item.")),
        (
            {"attention_share": 0.1},
            ("items", "A share of attention checks is set, but there is no attention check."),
        ),
        ({"pass_mark": 0.7}, ("items", "A pass mark is set, but there is no item of a qualification test.")),
        ({"deadline": timezone.now() - timedelta(minutes=1)}, ("design", "The deadline has passed.")),
        (
            {"responses_per_item": 4},
            (
                "questions",
                "“Which answer would you rather have received?” cannot be asked about 4 responses. Change it, or the"
                " responses per item.",
            ),
        ),
    ],
    ids=["floor-without-pay", "pay-without-time", "budget", "gold", "attention", "test", "deadline", "responses"],
)
def test_each_thing_that_is_missing_is_named_by_itself(settings, missing):
    assert refused(ready(**settings)) == [missing]


def test_gold_and_a_test_that_are_there_are_not_missing():
    campaign = ready(gold_share=0.1, pass_mark=0.7)
    for purpose in (ItemPurpose.GOLD, ItemPurpose.QUALIFICATION):
        make_item(campaign, purpose=purpose, expected=[{"question": "preference", "values": ["a"]}])
    assert (supply_of(campaign).gold, supply_of(campaign).qualification) == (1, 1)
    assert launch(campaign).state == "running"


def test_checks_that_nobody_would_ever_be_shown_are_told_on_the_overview_and_stop_no_launch(admin):
    campaign = ready()
    for purpose in (ItemPurpose.GOLD, ItemPurpose.ATTENTION):
        make_item(campaign, purpose=purpose, expected=[{"question": "preference", "values": ["a"]}])
    told = (
        "1 gold item is never shown: the share of gold items is 0.",
        "1 attention check is never shown: the share of attention checks is 0.",
    )
    assert launch(campaign).state == "running"
    page = admin.get(reverse("campaign", args=[campaign.slug])).content.decode()
    assert [text in page for text in told] == [True, True]
    Campaign.objects.filter(pk=campaign.pk).update(gold_share=0.1)
    page = admin.get(reverse("campaign", args=[campaign.slug])).content.decode()
    assert [text in page for text in told] == [False, True]


def test_void_items_are_no_items():
    campaign = ready()
    Item.objects.filter(campaign=campaign).update(state="void")
    assert refused(campaign) == [("items", "Add the items that are to be judged.")]


def test_questions_that_cannot_be_asked_together_are_refused():
    campaign = ready(draft={"questions": [{"name": "worth", "type": "amount"}], "guidelines": "x", "consent": "y"})
    ((section, text),) = refused(campaign)
    assert (section, text) == (
        "questions",
        "Question 1 (Amount): It depends on another answer: add a question of the type Preference above it.",
    )


def test_a_template_never_runs():
    template = make_template(campaign_id=ready().pk, name="Pattern", actor=None, now=timezone.now())
    with pytest.raises(TemplateNeverRuns):
        launch(template)


def test_a_launch_opens_a_board_that_admins_see_and_the_public_does_not(client):
    campaign = ready()
    launch_campaign(campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, now=timezone.now())
    assert client.get(f"/leaderboard/{campaign.slug}").status_code == 404
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    assert client.get(f"/campaigns/{campaign.slug}/results")["Location"] == f"/leaderboard/{campaign.slug}"
    assert client.get(f"/leaderboard/{campaign.slug}").status_code == 200


def test_limits_that_end_it_before_its_items_are_judged_are_told_on_the_overview(admin):
    campaign = ready()
    for _ in range(3):
        make_item(campaign)
    wanted = progress_of(campaign).wanted
    limits = {"budget_judgments": wanted - 1, "budget_money": Decimal("0.75"), "pay_per_judgment": Decimal("0.25")}
    Campaign.objects.filter(pk=campaign.pk).update(pay_currency="USD", expected_seconds=30, **limits)
    page = admin.get(reverse("campaign", args=[campaign.slug])).content.decode()
    assert f"the most judgments, {wanted - 1}, are fewer than the {wanted} that its items want." in page
    assert f"0.75 USD pays for 3 of the {wanted} judgments that its items want." in page
    enough = {"budget_judgments": wanted, "budget_money": Decimal("0.25") * wanted}
    Campaign.objects.filter(pk=campaign.pk).update(**enough)
    assert "stops early" not in admin.get(reverse("campaign", args=[campaign.slug])).content.decode()
