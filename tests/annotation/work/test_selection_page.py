"""A campaign's admins see where the next items go and why, and say what they aim at."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Event
from annotation.queries.selection import outlook_of
from annotation.use_cases.change_campaign_state import change_campaign_state
from tests.annotation.boards.factories import make_board, refreshed
from tests.annotation.people.working import judged
from tests.annotation.work.test_selection import given, learned, pair_of, three_models
from tests.arena.factories import make_arena
from tests.factories import make_campaign, make_contestant, make_item, make_respondent, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(make_user(role="campaign_admin"))
    return client


def address_of(campaign):
    return reverse("campaign-selection", args=[campaign.slug])


def page_of(admin, campaign):
    answer = admin.get(address_of(campaign))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.parametrize("policy", ["uniform", "robust"])
def test_what_the_page_foretells_is_what_the_next_showing_states(admin, policy):
    campaign, _models = three_models(items=9, policy=policy)
    make_item(campaign, contestants=[make_contestant(campaign, name) for name in ("elm", "yew")])
    for _ in range(4):
        judged(campaign, make_respondent(campaign), answer="a")
    for number in range(3):
        learned(campaign)
        foretold = outlook_of(campaign)
        # Of the ten pairs of five models only those with an open item.
        assert foretold.pair_count <= 4
        assert sum(each.share for each in foretold.models) == pytest.approx(2)
        assert sum(each.chance for each in foretold.pairs) == pytest.approx(1)
        assert f"{foretold.pairs[0].percent:.2f}" in page_of(admin, campaign)
        shown = given(campaign).impression
        names = {response.contestant.name for response in shown.item.responses.all()}
        chance = next(each.chance for each in foretold.pairs if {each.first, each.second} == names)
        assert shown.p_pair == pytest.approx(chance)
        assert (foretold.holdout.drawn, outlook_of(campaign).holdout.drawn) == (number, number + 1)
        reasons = {each.why for each in foretold.pairs}
        assert reasons == {"alike"} if policy == "uniform" else reasons <= {"unmet", "open", "close", "floor"}


def test_before_the_workers_have_learned_anything_the_log_itself_is_read(admin):
    campaign, models = three_models(items=6, policy="robust")
    found = outlook_of(campaign)
    assert (found.computed_at, found.saved.votes, {each.why for each in found.pairs}) == (None, 0, {"unmet"})
    assert "Not known yet: there are no votes." in page_of(admin, campaign)
    judged(campaign, make_respondent(campaign), answer="a")
    assert set(pair_of(learned(campaign).campaign.impressions.get())) < set(models)


def test_items_that_compare_no_two_models_are_said_to_come_in_random_order(admin):
    campaign = make_campaign()
    make_item(campaign, texts=["Alone."])
    page = page_of(admin, campaign)
    assert "No item that compares two models is open now." in page
    assert "Pairs that come next" not in page


def test_admins_choose_an_aim_and_the_next_item_is_drawn_by_it(admin):
    campaign, _models = three_models()
    learned(campaign)
    assert (
        "Saved. It holds from the next item on."
        in admin.post(address_of(campaign), {"policy": "double_thompson"}, follow=True).content.decode()
    )
    campaign.refresh_from_db()
    assert given(campaign).impression.policy == "double_thompson"
    assert Event.objects.get(verb="selection_aimed").data["to"] == "double_thompson"


@pytest.mark.parametrize("said", ["best", "", "\0"])
def test_an_aim_that_is_not_in_the_list_changes_nothing(admin, said):
    campaign, _models = three_models()
    answer = admin.post(address_of(campaign), {"policy": said})
    assert (answer.status_code, "Choose one of the aims in the list." in answer.content.decode()) == (422, True)
    campaign.refresh_from_db()
    assert campaign.policy == "uniform"


def test_a_closed_campaign_keeps_its_aim(admin):
    campaign, _models = three_models()
    change_campaign_state(campaign_id=campaign.pk, to="closed", actor=None, reason="", now=timezone.now())
    answer = admin.post(address_of(campaign), {"policy": "robust"})
    assert (answer.status_code, "closed and asks nothing more" in answer.content.decode()) == (422, True)


def test_a_hidden_boards_intervals_are_shown_to_admins(admin):
    campaign, _models = three_models(items=30)
    board = make_board(campaign)
    board.is_public = False
    board.save()
    for answer in "aabababaab":
        judged(campaign, make_respondent(campaign), answer=answer)
    learned(campaign)
    assert refreshed(board) is not None
    (width,) = outlook_of(campaign).widths
    assert (width.number, width.judgments, width.width > 0) == (1, 10, True)
    assert "Width of the intervals" in page_of(admin, campaign)


def test_an_arena_has_a_page_of_its_own(admin):
    assert admin.get(address_of(make_arena().campaign)).status_code == 404
