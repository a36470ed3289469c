"""However a battle is left, its impression stays and says how it ended; and the admins see who leaves which."""

import random
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Impression, ImpressionEvent
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.void_item import void_item
from annotation.use_cases.withdraw_consent import withdraw_consent
from arena.models import Battle
from arena.queries.integrity import FALSE_ALARMS, chance_of, integrity_of
from arena.use_cases.erase_own import erase_own
from arena.use_cases.leave_battle import leave_battle
from arena.use_cases.stop_battle import stop_battle
from arena.use_cases.sweep_battles import sweep_battles
from tests.arena.factories import begin, make_arena, make_models, votable
from tests.arena.voting import vote
from tests.factories import make_person, make_user

pytestmark = pytest.mark.django_db


def stopped(battle, person):
    stop_battle(battle_id=battle.pk, turn_count=1, person=person, now=timezone.now())


def tab_closed(battle, person):
    assert leave_battle(battle_id=battle.pk, now=timezone.now())


def lease_expired(battle, person):
    assignment = battle.assignment
    assignment.lease_expires_at = timezone.now() - timedelta(hours=1)
    assignment.save(update_fields=["lease_expires_at"])
    expire_assignments(now=timezone.now())


def another_begun(battle, person):
    begin(person)
    battle.refresh_from_db()
    assert battle.state == "votable"
    lease_expired(battle, person)


def blocked(battle, person):
    block_respondent(respondent_id=battle.assignment.respondent_id, reason="a machine", actor=None, now=timezone.now())


def withdrawn(battle, person):
    withdraw_consent(respondent_id=battle.assignment.respondent_id, actor=person, now=timezone.now())


def erased(battle, person):
    erase_own(person_id=person.pk, withdraws=False, now=timezone.now())


def item_voided(battle, person):
    void_item(item_id=battle.item_id, actor=None, reason="not for anybody", now=timezone.now())


WHILE_ANSWERING = {stopped: "abandoned", tab_closed: "abandoned", blocked: "voided", erased: "abandoned"}
WHILE_VOTABLE = {
    lease_expired: "expired",
    another_begun: "expired",
    blocked: "voided",
    withdrawn: "voided",
    erased: "abandoned",
    item_voided: "voided",
}


@pytest.mark.parametrize(
    ("leave", "kind", "made"),
    [
        pytest.param(leave, kind, made, id=f"{leave.__name__}-{made.__name__}")
        for made, ways in ((begin, WHILE_ANSWERING), (votable, WHILE_VOTABLE))
        for leave, kind in ways.items()
    ],
)
def test_every_way_of_leaving_is_logged_with_what_was_shown(leave, kind, made):
    make_models()
    person = make_person()
    battle = made(person)
    shown = Impression.objects.filter(pk=battle.impression_id).values()
    before = shown.get()
    leave(battle, person)
    sweep_battles(now=timezone.now())
    events = ImpressionEvent.objects.filter(impression=battle.impression_id)
    assert list(events.values_list("kind", flat=True)) == [kind]
    assert shown.get() == before
    battle.refresh_from_db()
    # Of one that is blocked the models write to their end, and then it is void.
    assert battle.state == ("answering" if (leave, made) == (blocked, begin) else "abandoned")


def test_the_admins_see_by_visitor_and_network_what_was_shown_voted_and_left(client):
    make_models()
    arena, person = make_arena(), make_person()
    vote(votable(person), person)
    left = votable(person)
    lease_expired(left, person)
    stopped(begin(person), person)
    begin(person)
    sweep_battles(now=timezone.now())
    Battle.objects.update(network="0123456789abcdef")
    found = integrity_of(arena, now=timezone.now())
    behaviour = found.visitors[0].behaviour
    counts = (behaviour.shown, behaviour.voted, behaviour.abandoned, behaviour.unread, behaviour.open)
    assert counts == (2, 1, 1, 1, 1)
    assert (found.networks[0].name, found.networks[0].behaviour.shown) == ("01234567", 2)
    client.force_login(make_user(role="campaign_admin"))
    page = client.get(reverse("arena-integrity", args=["arena"])).content.decode()
    assert (found.visitors[0].pseudonym in page, "01234567" in page, "too little to tell" in page) == (True, True, True)
    assert "89abcdef" not in page


def battles(rng, choose, count):
    """Whether each was voted on, and its two models of ten."""
    pairs = [tuple(sorted(rng.sample(range(10), 2))) for _ in range(count)]
    return [(choose(rng, pair), pair) for pair in pairs]


def votes_for_one(rng, pair):
    """Votes where its own model is there, else nearly never."""
    return 3 in pair or rng.random() < 0.05


def leaves_some(rng, pair):
    return rng.random() < 0.5


def test_who_votes_on_one_models_battles_alone_is_marked_and_who_leaves_by_mood_is_not():
    rng = random.Random(7)
    found = [chance_of(battles(rng, votes_for_one, 80)) for _ in range(200)]
    assert sum(each is not None and each < FALSE_ALARMS for each in found) >= 190
    honest = [chance_of(battles(rng, leaves_some, 80)) for _ in range(2000)]
    assert sum(each is not None and each < FALSE_ALARMS for each in honest) <= 6


def test_control_where_battles_without_a_vote_are_not_logged_nobody_can_be_marked():
    rng = random.Random(7)
    logged = [[each for each in battles(rng, votes_for_one, 80) if each[0]] for _ in range(200)]
    assert [chance_of(each) for each in logged] == [None] * 200


def test_ten_votes_are_enough_and_nine_say_nothing():
    chosen = [(True, (3, 4))] * 9 + [(False, (1, 2))] * 40
    assert chance_of(chosen) is None
    assert chance_of([*chosen, (True, (3, 5))]) < FALSE_ALARMS
