"""How figures are written: what is a factor, nothing below nothing, what is counted, and what a state means."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import CampaignState
from annotation.models import Batch, Campaign
from annotation.policies.flags import AnnotatorFigures, Change
from annotation.queries.batches import listed_batches
from annotation.queries.quality import progress_of
from annotation.use_cases.block_respondent import block_respondent, unblock_respondent
from annotation.use_cases.make_batch import make_batch
from annotation.web.tables import Interval, cell_of, csv_response
from annotation.web.watching_tables import annotators_table, costs_of, items_table
from tests.annotation.people.working import given, joined, judged
from tests.annotation.review.reviewing import approve, reviewed_campaign, reviewer
from tests.factories import make_item, make_user


def column(table, key):
    return next(each for each in table.columns if each.key == key)


def test_a_reliability_is_a_probability_and_no_factor():
    figures = AnnotatorFigures(respondent=1, judgments=4, truthful=Change(0.48, 0.3, 0.66), drift=Change(0.5, 0.4, 0.6))
    table = annotators_table(Campaign(slug="trial"), [figures], {}, {1: []}, {})
    assert cell_of(column(table, "reliability"), figures).text == "0.48"
    assert cell_of(column(table, "reliability"), figures).sub == "0.30 to 0.66"
    assert cell_of(column(table, "drift"), figures).text == "× 0.50"
    head, row = csv_response(table, name="trial").content.decode().splitlines()
    written = dict(zip(head.split(","), row.split(","), strict=True))
    assert [written[f"reliability{part}"] for part in ("", "_lower", "_upper")] == ["0.48", "0.3", "0.66"]


def test_nothing_is_not_below_nothing():
    figures = AnnotatorFigures(respondent=1, judgments=4)
    alike = column(annotators_table(Campaign(slug="trial"), [figures], {}, {1: []}, {}), "alike")
    shown = alike.__class__("alike", "", "interval", lambda _row: Interval(0.31, -0.0004, 0.64))
    assert cell_of(shown, figures).sub == "0.00 to 0.64"


def test_an_items_figure_stands_before_its_words():
    keys = [each.key for each in items_table(Campaign(slug="trial"), [], {}, set()).columns]
    assert keys[:3] == ["item", "disagreement", "people"]


def costs(campaign):
    campaign = Campaign.objects.get(pk=campaign.pk)
    return costs_of(campaign, progress_of(campaign, timezone.now()))


@pytest.mark.django_db
def test_an_accepted_judgment_costs_what_was_paid_for_blocked_people_too():
    campaign = reviewed_campaign()
    Campaign.objects.update(pay_per_judgment=Decimal("0.25"))
    make_item(campaign, slots=6)
    good, bad, worse = (judged(campaign, joined(campaign)) for _ in range(3))
    make_batch(campaign_id=campaign.pk, actor=reviewer(), now=timezone.now())
    approve(good, reviewer())
    # Two wait: nobody has decided about them.
    assert costs(campaign)["per_accepted"] == Decimal("0.25")
    for judgment in (bad, worse):
        block_respondent(respondent_id=judgment.respondent_id, reason="spam", actor=reviewer(), now=timezone.now())
    [listed] = listed_batches(campaign, Batch.objects.all())
    assert (listed.accepted, listed.waiting, listed.per_accepted) == (1, 0, Decimal("0.75"))
    assert costs(campaign)["per_accepted"] == Decimal("0.75")
    # Whoever works again has judgments that wait again.
    unblock_respondent(respondent_id=worse.respondent_id, reason="sorry", actor=reviewer(), now=timezone.now())
    assert costs(campaign)["per_accepted"] == Decimal("0.50")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "said"),
    [
        (CampaignState.RUNNING, ["somebody has them before them", "There is no forecast"]),
        (CampaignState.PAUSED, ["somebody has them before them", "paused: nobody is asked"]),
        (CampaignState.CLOSED, ["given out when the campaign was closed", "closed: no more judgments come"]),
    ],
)
def test_what_is_expected_goes_by_the_state_of_the_campaign(state, said):
    campaign = reviewed_campaign()
    make_item(campaign, slots=3)
    given(campaign, joined(campaign))
    Campaign.objects.update(state=state)
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    page = client.get(reverse("campaign-watch", args=["trial"])).content.decode()
    assert [words in page for words in said] == [True, True]
    assert ("Last judgment expected" in page, "somebody has them" in page) == (False, state != CampaignState.CLOSED)
