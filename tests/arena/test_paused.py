"""An arena that is paused or closed in the middle of a battle: nothing is stored, and what was chosen stays."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Campaign, Judgment
from annotation.use_cases.change_campaign_state import change_campaign_state
from arena.models import Battle
from tests.arena.factories import answer, make_arena, make_models
from tests.factories import new_key

pytestmark = pytest.mark.django_db
VOTE = {"turn_count": "1", "preference": "a", "preference.strength": "1"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser():
    make_arena()
    make_models()
    return Client()


@pytest.fixture
def battle(browser):
    """Of this browser, waiting for its vote."""
    key = browser.get("/").context["key"]
    begun = browser.post(reverse("start-battle"), {"prompt": "Why is the sky blue?", "key": key})
    return answer(Battle.objects.get(pk=begun["Location"].rsplit("/", 1)[1]))


def turn(state: str) -> None:
    campaign = Campaign.objects.get()
    change_campaign_state(campaign_id=campaign.pk, to=state, actor=None, reason="for a while", now=timezone.now())


@pytest.mark.parametrize(
    ("state", "says"), [("paused", "vote again when it goes on"), ("closed", "too late and is not stored")]
)
@pytest.mark.parametrize(("headers", "status"), [({}, 409), (HTMX, 422)], ids=["page", "htmx"])
def test_a_vote_is_refused_with_what_was_chosen_still_there(browser, battle, state, says, headers, status):
    turn(state)
    refused = browser.post(reverse("vote", args=[battle.pk]), VOTE | {"key": new_key()}, headers=headers)
    assert (refused.status_code, says in refused.content.decode()) == (status, True)
    assert refused.context["form"].data["preference"] == "a"
    battle.refresh_from_db()
    assert (battle.state, Judgment.objects.count()) == ("votable", 0)


def test_after_the_pause_the_same_vote_counts(browser, battle):
    turn("paused")
    sent = VOTE | {"key": new_key()}
    browser.post(reverse("vote", args=[battle.pk]), sent)
    turn("running")
    assert browser.post(reverse("vote", args=[battle.pk]), sent).status_code == 302
    assert Judgment.objects.get().preference == "a"


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_nothing_more_is_asked_of_the_models(browser, battle, state):
    turn(state)
    said = {"prompt": "And at sunset?", "key": new_key()}
    refused = browser.post(reverse("follow-up", args=[battle.pk]), said)
    assert (refused.status_code, "takes no battles" in refused.content.decode()) == (422, True)
    assert "And at sunset?" in refused.content.decode()
    battle.refresh_from_db()
    assert (battle.state, battle.turn_count) == ("votable", 1)
