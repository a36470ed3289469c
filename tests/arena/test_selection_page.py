"""An arena's admins see where the next questions go and why, and say what they aim at."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.enums import CampaignState
from annotation.models import Campaign, Event
from annotation.policies.drafts import section_version
from annotation.use_cases.change_campaign_state import change_campaign_state
from arena.queries.selection import outlook_of
from tests.annotation.boards.factories import make_board, refreshed
from tests.arena.factories import begin, make_arena, make_models
from tests.arena.test_newcomers import learned_anew, saved, voted
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def aimed(arena, policy, **parameters):
    arena.campaign.policy, arena.campaign.policy_parameters = policy, parameters
    arena.campaign.save(update_fields=["policy", "policy_parameters"])
    return arena


@pytest.fixture
def admin(client):
    client.force_login(make_user(role="campaign_admin"))
    return client


def page_of(admin, arena, query=""):
    answer = admin.get(reverse("arena-selection", args=[arena.campaign.slug]) + query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def outlook(arena, category=""):
    return outlook_of(arena, category=category, now=timezone.now())


@pytest.mark.parametrize("policy", ["uniform", "robust"])
def test_what_the_page_foretells_is_what_the_next_battles_state(admin, policy):
    make_models(4)
    arena = aimed(make_arena(), policy)
    voted(arena, "Hello?", 8)
    learned_anew(arena.campaign)
    found = outlook(arena).outlook
    assert sum(each.share for each in found.models) == pytest.approx(2)
    assert sum(each.chance for each in found.pairs) == pytest.approx(1)
    assert (sum(each.votes for each in found.models), found.saved.votes) == (16, 8)
    for _ in range(4):
        impression = begin(arena=arena).impression
        names = {each.contestant.revision.language_model.name for each in impression.item.responses.all()}
        foretold = next(each for each in found.pairs if {each.first, each.second} == names)
        assert impression.p_pair == pytest.approx(foretold.chance)
    page = page_of(admin, arena)
    assert f"{found.pairs[0].percent:.2f}" in page
    assert found.models[0].name in page


def test_pairs_say_why_they_come_and_what_is_out(admin):
    make_models(3)
    arena = saved(aimed(make_arena(), "robust"), newcomer_share=0.25, newcomer_votes=2)
    voted(arena, "Hello?", 9)
    make_models(1)
    begin(arena=arena)
    learned_anew(arena.campaign)
    found = outlook(arena).outlook
    new = {each.name for each in found.models if each.is_newcomer}
    assert len(found.models) - len(new) == 3
    for each in found.pairs:
        assert (each.why == "newcomer") == bool(new & {each.first, each.second})
        assert each.times == pytest.approx(each.chance * len(found.pairs))
    assert sum(each.out for each in found.pairs) == 1
    shares = sum(each.chance for each in found.pairs if each.why == "newcomer")
    assert shares <= 0.25 + 1e-9
    assert "One of them is new" in page_of(admin, arena) or not new


def test_a_category_goes_by_its_own_votes_once_it_has_enough(admin):
    make_models(3)
    arena = saved(aimed(make_arena(), "robust"), category_votes=3)
    voted(arena, "Write a Python function that adds.", 3)
    voted(arena, "Write a poem about rain.", 2)
    learned_anew(arena.campaign)
    assert {each.name: each.is_own for each in outlook(arena).categories} == {"code": True, "creative": False}
    assert (outlook(arena, "code").outlook.saved.votes, outlook(arena, "creative").outlook.saved.votes) == (3, 5)
    assert "3 votes on prompts of the category code" in page_of(admin, arena, "?category=code")
    assert "5 votes on all prompts" in page_of(admin, arena, "?category=creative")
    assert admin.get(reverse("arena-selection", args=[arena.campaign.slug]) + "?category=none").status_code == 404


def test_admins_choose_an_aim_and_the_next_battle_is_drawn_by_it(admin):
    make_models(3)
    arena = aimed(make_arena(), "robust", newcomer_share=1.0)
    address = reverse("arena-selection", args=[arena.campaign.slug])
    assert admin.post(address, {"policy": "double_thompson"}).status_code == 302
    arena.campaign.refresh_from_db()
    assert (arena.campaign.policy, arena.campaign.policy_parameters) == ("double_thompson", {})
    assert begin(arena=arena).impression.policy == "double_thompson"
    event = Event.objects.get(verb="selection_aimed")
    assert event.data == {"from": "robust", "to": "double_thompson", "parameters_before": {"newcomer_share": 1.0}}
    assert admin.post(address, {"policy": "double_thompson"}).status_code == 302
    assert Event.objects.filter(verb="selection_aimed").count() == 1


@pytest.mark.parametrize("said", ["best", "", "\0"])
def test_an_aim_that_is_not_in_the_list_changes_nothing(admin, said):
    arena = make_arena()
    answer = admin.post(reverse("arena-selection", args=[arena.campaign.slug]), {"policy": said})
    assert answer.status_code == 422
    assert "Choose one of the aims in the list." in answer.content.decode()
    assert Campaign.objects.get().policy == "uniform"


def test_a_closed_arena_keeps_its_aim(admin):
    arena = make_arena()
    now = timezone.now()
    change_campaign_state(campaign_id=arena.campaign_id, to=CampaignState.CLOSED, actor=None, reason="", now=now)
    answer = admin.post(reverse("arena-selection", args=[arena.campaign.slug]), {"policy": "robust"})
    assert answer.status_code == 422
    assert "closed and asks nothing more" in answer.content.decode()
    assert Campaign.objects.get().policy == "uniform"


def test_intervals_narrow_with_votes_from_snapshot_to_snapshot(admin):
    make_models(2)
    arena = make_arena()
    board = make_board(arena.campaign)
    for votes in (12, 30):
        voted(arena, "Hello?", votes)
        assert refreshed(board) is not None
    found = outlook(arena).outlook.widths
    assert [(each.number, each.judgments) for each in found] == [(1, 12), (2, 42)]
    assert 0 < found[1].width < found[0].width
    assert "Width of the intervals" in page_of(admin, arena)


def test_an_arena_without_votes_or_models_says_so(admin):
    arena = make_arena()
    page = page_of(admin, arena)
    assert "Not known yet: there are no votes." in page
    assert "a model stands here from its first battle on" in page


def test_another_policy_in_the_settings_leaves_no_settings_of_the_former(admin):
    make_models(2)
    arena = aimed(make_arena(), "robust", newcomer_share=1.0)
    address = reverse("campaign-edit", args=[arena.campaign.slug, "design"])
    form = admin.get(address).context["form"]
    sent = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    sent |= {"version": section_version(arena.campaign, "design"), "policy": "uniform"}
    assert admin.post(address, sent).status_code == 302
    arena.campaign.refresh_from_db()
    assert (arena.campaign.policy, arena.campaign.policy_parameters) == ("uniform", {})
    assert begin(arena=arena).impression.policy == "uniform"
