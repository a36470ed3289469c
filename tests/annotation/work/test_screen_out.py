"""Whoever is screened out or blocked holds nothing any more, reads that it has ended, and finds the way back."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.enums import ItemPurpose
from annotation.models import Assignment, ImpressionEvent, Respondent, Slot, StudyParticipant
from annotation.use_cases import next_assignment
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.save_study import make_study
from tests.annotation.people.working import given
from tests.annotation.work.test_pages import fields, open_item
from tests.factories import PREFERENCE, make_campaign, make_item

pytestmark = pytest.mark.django_db

RIGHT = [{"question": "preference", "values": ["a"]}]
CODES = {"completion_code": "DONE1", "screen_out_code": "OUT2", "over_quota_code": "FULL3"}
LINK = "/study/trial?PROLIFIC_PID=aa11&STUDY_ID=study1&SESSION_ID=s1"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", questions=[PREFERENCE])


class Lowest:
    """Draws a check as long as there is one."""

    def random(self):
        return 0.0

    def integers(self, _below):
        return 0


@pytest.fixture(autouse=True)
def _draws_checks(monkeypatch):
    monkeypatch.setattr(next_assignment, "stream", lambda _seed, _which: Lowest())


@pytest.fixture
def sent(campaign):
    """A browser of somebody whom a study sent."""
    values = CODES | {"places": None, "judgments": None}
    make_study(campaign_id=campaign.pk, external_id="study1", values=values, actor=None, now=timezone.now())
    client = Client()
    client.post(LINK)
    return client


def failed(campaign, sent, *, headers=None):
    """Both attention checks are answered wrong, the second while a next item is held already; what the page says."""
    respondent = Respondent.objects.get()
    for _ in range(2):
        make_item(campaign, slots=0, purpose=ItemPurpose.ATTENTION, expected=RIGHT)
    type(campaign).objects.filter(pk=campaign.pk).update(attention_share=0.5)
    campaign.refresh_from_db()
    for is_last in (False, True):
        page, address = open_item(sent, campaign)
        ahead = ""
        if is_last:
            make_item(campaign)
            ahead = sent.get(f"/annotate/trial/ahead?shown={address.rsplit('/', 1)[1]}")["X-Assignment"]
        posted = fields(page) | {"preference": "tie", "ahead": ahead}
        answer = sent.post(address, posted, headers=headers or {}, follow=not headers)
    assert Respondent.objects.get(pk=respondent.pk).state == "screened_out"
    return answer.content.decode()


@pytest.mark.parametrize("headers", [HTMX, None], ids=["by script", "without script"])
def test_the_page_after_the_last_failed_check_shows_the_end_and_the_way_back(campaign, sent, headers):
    page = failed(campaign, sent, headers=headers)
    assert ("it ends here for you" in page, reverse("study-leave", args=["trial"]) in page) == (True, True)
    assert 'id="answer"' not in page
    assert "it ends here for you" in sent.get("/annotate/trial/item").content.decode()
    back = sent.post("/annotate/trial/leave", follow=True)
    assert "OUT2" in back.content.decode()


def test_what_was_fetched_ahead_is_open_to_others(campaign, sent):
    failed(campaign, sent, headers=HTMX)
    assert not Assignment.objects.filter(state="open").exists()
    assert list(ImpressionEvent.objects.filter(kind="voided").values_list("impression__item__purpose", flat=True)) == [
        "work"
    ]
    assert Slot.objects.filter(item__purpose="work", state="open").count() == 1


def test_whoever_a_study_sent_goes_back_after_a_block_too(campaign, sent):
    make_item(campaign)
    respondent = Respondent.objects.get()
    given(campaign, respondent)
    block_respondent(respondent_id=respondent.pk, reason="clicks", actor=None, now=timezone.now())
    page = sent.get("/annotate/trial").content.decode()
    assert ("is owed to you" in page, reverse("study-leave", args=["trial"]) in page) == (True, True)
    back = sent.post("/annotate/trial/leave", follow=True).content.decode()
    assert ("OUT2" in back, "has stopped your work" in back) == (True, True)
    assert StudyParticipant.objects.get().state == "screened_out"
