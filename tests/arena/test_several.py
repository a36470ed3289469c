"""Battles of three and four hidden contestants: drawn with their probability, blind, judged, counted."""

from collections import Counter
from itertools import combinations

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.enums import CampaignState
from annotation.models import Contestant, Impression, Judgment
from annotation.policies.drafts import DESIGN, section_content, section_version
from annotation.queries.pairs import learn
from annotation.use_cases.create_board import create_board
from annotation.use_cases.launch_campaign import LaunchRefused, launch_campaign
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.save_campaign_settings import QuestionsFrozen, save_campaign_settings
from arena import queries
from arena.models import Battle, Share
from arena.queries.own import own_battles, own_boards
from arena.queries.own_conversations import own_conversations
from arena.queries.shared import shared_battle, unfolded
from arena.use_cases.cast_vote import cast_vote
from arena.use_cases.open_arena import open_arena
from arena.use_cases.share_battle import share_battle
from arena.use_cases.start_battle import NotEnoughModels
from tests.annotation.numbering import number_log
from tests.arena.factories import answer, arena_of, begin, claimed_turn, fail, finish, make_models
from tests.arena.voting import browser_of, shown
from tests.factories import make_person, new_key

pytestmark = pytest.mark.django_db


def rank(battle, person, tiers, **answers):
    return cast_vote(
        battle_id=battle.pk,
        turn_count=battle.turn_count,
        person=person,
        key=new_key(),
        answers={"order": tiers, **answers},
        now=timezone.now(),
    )


@pytest.mark.parametrize(("contestants", "sets"), [(3, 10), (4, 5)])
def test_a_battle_asks_all_its_models_and_stores_the_probability_of_the_set(contestants, sets):
    make_models(5)
    battle = begin(arena=arena_of(contestants))
    seen = battle.impression
    orders = {3: 6, 4: 24}[contestants]
    assert (seen.p_pair, seen.p_side, seen.floor) == (pytest.approx(1 / sets), pytest.approx(1 / orders), True)
    assert seen.parameters == {"contestants": contestants}
    assert sorted(seen.order) == list(range(contestants))
    assert len(claimed_turn(battle)) == len(set(shown(battle))) == contestants


def test_an_arena_of_three_needs_three_models():
    make_models(2)
    with pytest.raises(NotEnoughModels):
        begin(arena=arena_of(3))
    assert not Battle.objects.exists()


def test_no_turn_shows_before_all_have_answered_and_one_that_fails_is_asked_again_then_voids_the_battle():
    make_models(3)
    person = make_person()
    battle = begin(person, arena=arena_of(3))
    first, second, third = claimed_turn(battle)
    finish(first, "One.")
    finish(second, "Two.")
    half = queries.ballot(battle.pk, person=person)
    assert (half.exchanges[0].texts, half.is_votable) == ({}, False)
    fail(third)
    (again,) = claimed_turn(battle)
    finish(again, "Three.")
    whole = queries.ballot(battle.pk, person=person)
    assert (sorted(whole.exchanges[0].texts.values()), whole.is_votable) == (["One.", "Three.", "Two."], True)
    other = begin(person, arena=arena_of(3))
    last = claimed_turn(other)[2]
    fail(last)
    fail(claimed_turn(other)[-1])
    other.refresh_from_db()
    assert other.state == "void"


def test_an_order_of_four_reaches_the_board_the_own_board_the_data_and_the_share():
    make_models(4)
    arena, person = arena_of(4), make_person()
    board = create_board(slug="several", name="Several", campaign=arena.campaign, now=timezone.now(), public=True)
    best = min(Contestant.objects.values_list("pk", flat=True), default=None)
    for _ in range(6):
        battle = answer(begin(person, arena=arena))
        places = shown(battle)
        best = best or min(places)
        order = [1 if pk == best else 2 + sorted(set(places) - {best}).index(pk) for pk in places]
        judgment = rank(battle, person, order, acceptable=[pk == best for pk in places])
        assert (judgment.tiers, judgment.contestants) == (order, places)
    number_log()
    snapshot = refresh_board(board_id=board.pk, now=timezone.now())
    assert snapshot.standings["form"] == "order"
    assert snapshot.standings["entries"][0]["contestant"] is not None
    rated = {entry["contestant"]: entry["rating"] for entry in snapshot.standings["entries"]}
    assert max(rated, key=rated.get) == best
    (own,) = own_boards(person)
    assert (own.votes, own.rows[0].preferred, own.rows[0].share) == (6, 6, 1.0)
    assert [row.acceptable for row in own.rows] == [1.0, 0.0, 0.0, 0.0]
    _page, listed = own_battles(person, "1")
    assert all(len(each.models) == 4 and each.preferred for each in listed)
    conversation = next(iter(own_conversations(person)))
    assert sorted(conversation["turns"][0]["answers"]) == sorted(conversation["models"]) == ["A", "B", "C", "D"]
    revealed = queries.reveal(battle.pk, person=person)
    assert [each.place for each in revealed] == order
    assert [each.preferred for each in revealed] == [place == 1 for place in order]
    share_battle(battle_id=battle.pk, person=person, now=timezone.now())
    share = Share.objects.get()
    assert [letter for _side, letter in shared_battle(share).sides] == ["A", "B", "C", "D"]
    assert [title for title, _said in unfolded(share).vote] == [
        "In which order would you put the responses?",
        "Acceptable as it stands?",
    ]


def test_selection_learns_every_two_of_an_order_as_one_vote_less_than_it_has_and_counts_what_is_out():
    make_models(3)
    arena, person = arena_of(3), make_person()
    battle = answer(begin(person, arena=arena))
    out = learn(arena.campaign).state
    assert {(int(out.outstanding[i, j])) for i, j in combinations(range(3), 2)} == {1}
    rank(battle, person, [1, 2, 2])
    number_log()
    known = learn(arena.campaign).state
    place = {name: row for row, name in enumerate(known.names.tolist())}
    first, second, third = (place[pk] for pk in shown(battle))
    assert known.wins[first, second] == known.wins[first, third] == pytest.approx(2 / 3)
    assert known.wins[second, third] == known.wins[third, second] == pytest.approx(1 / 3)
    assert known.wins.sum() == pytest.approx(2)
    assert known.outstanding.sum() == 0


def test_questions_that_do_not_fit_three_are_named_at_the_launch():
    arena = open_arena(name="Wide", lead="", actor=None, now=timezone.now())
    campaign = arena.campaign
    values = section_content(campaign, DESIGN) | {"responses_per_item": 3}
    save_campaign_settings(
        campaign_id=campaign.pk,
        section=DESIGN,
        values=values,
        version=section_version(campaign, DESIGN),
        actor=None,
        now=timezone.now(),
    )
    with pytest.raises(LaunchRefused) as refused:
        launch_campaign(campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, now=timezone.now())
    said = " ".join(each.text for each in refused.value.missing)
    assert "cannot be asked about 3 responses" in said
    assert len(refused.value.missing) == 3  # preference, acceptable by one tap, worth of the better one


def test_an_arena_of_four_launches_with_its_usual_questions_and_stays_of_four():
    campaign = open_arena(name="Four", lead="", actor=None, now=timezone.now(), contestants=4).campaign
    launch_campaign(campaign_id=campaign.pk, to=CampaignState.PILOT, actor=None, now=timezone.now())
    campaign.refresh_from_db()
    with pytest.raises(QuestionsFrozen):
        save_campaign_settings(
            campaign_id=campaign.pk,
            section=DESIGN,
            values=section_content(campaign, DESIGN) | {"responses_per_item": 2},
            version=section_version(campaign, DESIGN),
            actor=None,
            now=timezone.now(),
        )


def test_sets_are_drawn_by_weights_as_often_as_they_say():
    make_models(4)
    arena = arena_of(3, max_waiting=1000)
    entry = arena.entries.first()
    entry.weight = 5.0
    entry.save(update_fields=["weight"])
    told = Counter()
    for _ in range(12):
        battle = begin(arena=arena, person=make_person())
        told[tuple(sorted(shown(battle)))] += 1
    stated = {
        tuple(sorted(shown(each.battle))): each.p_pair for each in Impression.objects.select_related("battle__item")
    }
    assert 0 < sum(stated.values()) <= 1 + 1e-9
    heavy = Contestant.objects.get(revision__language_model=entry.language_model).pk
    assert all(p < 0.15 for members, p in stated.items() if heavy not in members)


def test_the_page_of_four_names_no_model_before_the_vote_and_all_after_it():
    canaries = make_models(4)
    arena = arena_of(4)
    token = "cookie-of-a-visitor-of-four"
    person = person_of_visitor(token=token, now=timezone.now())
    battle = answer(begin(person, arena=arena))
    client = browser_of(token)
    page = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert not [canary for canary in canaries if canary in page]
    for letter in "ABCD":
        assert f"Response {letter}" in page
    posted = {"key": new_key(), "turn_count": battle.turn_count} | {
        f"order.{side}": str(place) for side, place in zip("abcd", (2, 1, 3, 3), strict=True)
    }
    half = client.post(reverse("vote", args=[battle.pk]), posted | {"order.c": ""})
    assert half.status_code == 422
    assert not Judgment.objects.exists()
    voted = client.post(reverse("vote", args=[battle.pk]), posted, follow=True).content.decode()
    assert Judgment.objects.get().tiers == [2, 1, 3, 3]
    names = Contestant.objects.values_list("name", flat=True)
    assert all(name in voted for name in names)
    assert "your choice" in voted
    assert "your place 2" in voted
