"""The list of an annotator's campaigns: how far they are, and whether there is anything to do."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import Role
from annotation.models import Campaign
from annotation.use_cases.publish_guidelines import publish_guidelines
from tests.annotation.work.test_pages import answer, invited, joined
from tests.factories import PREFERENCE, make_campaign, make_item, make_user

pytestmark = pytest.mark.django_db


def home(client) -> str:
    return client.get("/annotate").content.decode()


def limited(items: int = 3, **fields) -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    Campaign.objects.filter(pk=campaign.pk).update(**fields)
    for _ in range(items):
        make_item(campaign)
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "1 of up to 3 items done"),
        ({"quota_per_annotator": 2}, "1 of 2 items done"),
        ({"share_per_annotator": 0.7}, "1 of 2 items done"),
        ({"budget_judgments": 2}, "1 of up to 2 items done"),
    ],
)
def test_progress_has_the_total_that_the_limits_leave(fields, words):
    campaign = limited(**fields)
    client = joined(campaign)
    answer(client, campaign)
    page = home(client)
    assert (words in page, f'href="/annotate/{campaign.slug}/item"' in page) == (True, True)


@pytest.mark.parametrize(
    "fields", [{}, {"quota_per_annotator": 1}, {"budget_judgments": 1}, {"deadline": timezone.now()}]
)
def test_nothing_is_to_be_started_where_there_is_nothing_to_do(fields):
    campaign = limited(items=1 if not fields else 2, **fields)
    client = joined(campaign)
    if "deadline" not in fields:
        answer(client, campaign)
    page = home(client)
    assert f'href="/annotate/{campaign.slug}/item"' not in page
    assert ("Closed" if "deadline" in fields else "Nothing to do at the moment") in page


def test_who_has_nothing_yet_reads_so_but_where_something_is_open_to_them():
    client = Client()
    client.force_login(make_user(role=Role.ANNOTATOR))
    assert "No campaigns yet" in home(client)
    limited(pool="annotators")
    page = home(client)
    assert ("No campaigns yet" in page, "Open to you" in page) == (False, True)


def test_items_to_practise_on_are_something_to_do_and_guidelines_are_a_link_away():
    campaign = limited(items=0)
    make_item(campaign, purpose="training", explanation="So.", slots=0)
    publish_guidelines(campaign_id=campaign.pk, text="Judge facts.", now=timezone.now())
    page = home(joined(campaign))
    assert f'href="/annotate/{campaign.slug}/item"' in page
    assert f'href="/annotate/{campaign.slug}/guidelines"' in page


def test_many_campaigns_take_as_many_statements_as_one():
    campaign = limited()
    client = joined(campaign)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as said:
            home(client)
        counts.append(len(said))
        campaign = limited()
        client.post(f"/join/{invited(campaign)[1]}")
    assert counts[0] == counts[1]
