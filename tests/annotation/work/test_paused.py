"""A campaign that is paused or closed while somebody holds an item: they are told, and what they typed is kept."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.use_cases.create_person import person_of_user
from annotation.enums import CampaignState
from annotation.models import Assignment, Campaign, Judgment, Respondent
from annotation.queries.tasks import task_of
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.expire_assignments import expire_assignments
from tests.annotation.work.test_pages import fields, joined, open_item
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_item, make_user

pytestmark = pytest.mark.django_db

NOW = timezone.now
SENT = {"preference": "a", "why": "It says why."}


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE, RATIONALE])
    make_item(campaign, slots=2)
    return campaign


def moved(campaign: Campaign, to: CampaignState) -> None:
    change_campaign_state(campaign_id=campaign.pk, to=to, actor=None, reason="", now=NOW())


def typed_of(campaign: Campaign) -> dict[str, str]:
    return task_of(Respondent.objects.get(campaign=campaign), Assignment.objects.get().pk).typed


def send(client: Client, page: str, address: str, **headers):
    return client.post(address, fields(page) | SENT, headers=headers)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["without script", "with script"])
def test_an_answer_in_a_pause_is_refused_and_kept_and_the_item_comes_back(campaign, headers):
    client = joined(campaign)
    page, address = open_item(client, campaign)
    moved(campaign, CampaignState.PAUSED)
    refused = send(client, page, address, **headers)
    assert (refused.status_code, refused["X-Refused"]) == (422 if headers else 409, "paused")
    assert "Paused" in refused.content.decode()
    assert address not in client.get(f"/annotate/{campaign.slug}/item").content.decode()
    assert typed_of(campaign)["why"] == "It says why."
    moved(campaign, CampaignState.RUNNING)
    page, again = open_item(client, campaign)
    assert again == address
    assert "It says why." in page
    assert send(client, page, again, **headers).status_code == (200 if headers else 302)
    assert Judgment.objects.count() == 1


def test_no_time_runs_out_in_a_pause(campaign):
    client = joined(campaign)
    page, address = open_item(client, campaign)
    moved(campaign, CampaignState.PAUSED)
    Assignment.objects.update(lease_expires_at=NOW() - timedelta(hours=1))
    assert expire_assignments(now=NOW()) == 0
    assert send(client, page, address)["X-Refused"] == "paused"
    moved(campaign, CampaignState.RUNNING)
    assert expire_assignments(now=NOW()) == 0
    assert send(client, page, address).status_code == 302
    assert Judgment.objects.count() == 1


def test_control_without_the_pause_the_time_runs_out(campaign):
    client = joined(campaign)
    page, address = open_item(client, campaign)
    Assignment.objects.update(lease_expires_at=NOW() - timedelta(hours=1))
    assert expire_assignments(now=NOW()) == 1
    assert send(client, page, address)["X-Refused"] == "late"


def test_an_answer_after_the_end_is_refused_in_words_and_what_was_typed_is_kept(campaign):
    client = joined(campaign)
    page, address = open_item(client, campaign)
    moved(campaign, CampaignState.CLOSED)
    refused = send(client, page, address)
    assert (refused.status_code, refused["X-Refused"]) == (409, "closed")
    for said in ("Closed", "closed before this answer came in"):
        assert said in refused.content.decode()
    assert typed_of(campaign)["why"] == "It says why."
    assert "Closed" in client.get(f"/annotate/{campaign.slug}/item").content.decode()


def test_who_is_blocked_sees_no_item_any_more(campaign):
    client = joined(campaign)
    page, address = open_item(client, campaign)
    who = Respondent.objects.get(campaign=campaign)
    block_respondent(respondent_id=who.pk, reason="test", actor=None, now=NOW())
    assert send(client, page, address)["X-Refused"] == "ended"
    assert "You cannot go on here" in client.get(f"/annotate/{campaign.slug}/item").content.decode()


def test_what_is_held_at_the_deadline_may_be_answered(campaign):
    client = joined(campaign)
    page, address = open_item(client, campaign)
    Campaign.objects.filter(pk=campaign.pk).update(deadline=NOW() - timedelta(seconds=1))
    assert open_item(client, campaign)[1] == address
    assert send(client, page, address).status_code == 302
    assert "Closed" in client.get(f"/annotate/{campaign.slug}/item").content.decode()


def test_a_stored_answer_says_so_and_a_second_one_that_it_came_too_late(campaign):
    client = joined(campaign)
    page, address = open_item(client, campaign)
    stored = send(client, page, address, **{"HX-Request": "true"})
    assert stored["X-Stored"] == str(Judgment.objects.get().pk)
    other = client.post(address, fields(page) | SENT | {"preference": "b"}, headers={"HX-Request": "true"})
    assert (other.status_code, other["X-Refused"]) == (422, "answered")


def test_everybody_has_a_key_of_their_own_in_every_session(campaign):
    user, client, other = make_user(), Client(), Client()
    assert client.get("/annotate/own/key", headers={"HX-Request": "true"})["HX-Redirect"]
    for browser, who in ((client, user), (other, make_user())):
        browser.force_login(who)
    own = client.get("/annotate/own/key")
    assert "no-store" in own["Cache-Control"]
    first, second = own.json(), other.get("/annotate/own/key").json()
    assert len({first["key"], second["key"], first["mark"], second["mark"]}) == 4
    client.logout()
    client.force_login(user)
    again = client.get("/annotate/own/key").json()
    assert (again["mark"], again["key"]) == (first["mark"], first["key"])
    assert person_of_user(user=user, now=NOW()).pk.hex not in own.content.decode()
