"""A battle is one visitor's: whatever becomes of it, no annotator is given their prompt."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.models import Assignment, Campaign, Impression, ImpressionEvent, Item, Judgment, Slot
from annotation.queries.pairs import due_selections, learn
from annotation.use_cases import claim_slot as claiming
from annotation.use_cases.block_respondent import block_respondent, unblock_respondent
from annotation.use_cases.claim_slot import claim_pair, claim_slot
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.invite_people import BadInvitation, invite_people
from annotation.use_cases.join_campaign import InvitationNotValid, NotInPool, join_from_pool, open_invitation
from annotation.use_cases.next_assignment import NothingLeft, next_assignment
from annotation.use_cases.void_item import void_item
from annotation.use_cases.withdraw_consent import withdraw_consent
from arena.use_cases.ask_follow_up import NotReady, ask_follow_up
from arena.use_cases.cast_vote import cast_vote
from arena.use_cases.start_battle import VisitorGone
from arena.use_cases.sweep_battles import sweep_battles
from tests.arena.factories import answer, begin, claimed_turn, fail, finish, make_arena, make_models, votable
from tests.factories import make_campaign, make_person, make_respondent, new_key

pytestmark = pytest.mark.django_db
PREFER_A = {"preference": {"choice": "a", "strength": 1}}


def vote(battle, person):
    return cast_vote(
        battle_id=battle.pk,
        turn_count=battle.turn_count,
        person=person,
        key=new_key(),
        answers=PREFER_A,
        now=timezone.now(),
    )


def run_out(battle):
    """The visitor has closed the page, and the time is over."""
    Assignment.objects.filter(pk=battle.assignment_id).update(lease_expires_at=timezone.now() - timedelta(hours=1))
    expire_assignments(now=timezone.now())


def states(battle):
    battle.refresh_from_db()
    slot, item = Slot.objects.get(item=battle.item), Item.objects.get(pk=battle.item_id)
    return battle.state, slot.state, item.state


def offered(campaign):
    """What somebody who is a respondent of the arena's campaign can claim: any slot, or one of the pair."""
    annotator, now = make_respondent(campaign), timezone.now()
    pairs = list(Slot.objects.filter(pair_low__isnull=False).values_list("pair_low", "pair_high"))
    claims = [
        claim_slot(campaign=campaign, respondent=annotator, now=now),
        claim_pair(campaign=campaign, respondent=annotator, pairs=pairs, now=now),
    ]
    return [claim.assignment.item_id for claim in claims if claim is not None]


def test_a_battle_that_was_left_ends_with_its_slot_and_its_item():
    make_models()
    battle = votable()
    run_out(battle)
    assert states(battle) == ("votable", "cancelled", "open")
    sweep_battles(now=timezone.now())
    assert states(battle) == ("abandoned", "cancelled", "void")
    assert ImpressionEvent.objects.get(impression=battle.impression).kind == "expired"
    assert offered(battle.arena.campaign) == []


def test_an_open_slot_of_a_battle_is_claimed_by_nobody():
    """Even one that should not be: a trigger that was off, a row from before."""
    make_models()
    battle = votable()
    run_out(battle)
    Slot.objects.filter(item=battle.item).update(state="open")
    assert offered(battle.arena.campaign) == []
    assert not learn(battle.arena.campaign).open_pairs.any()
    assert list(due_selections()) == []


def test_control_without_the_mark_an_annotator_is_given_a_visitors_prompt(monkeypatch):
    make_models()
    battle = votable()
    run_out(battle)
    Slot.objects.filter(item=battle.item).update(state="open")
    monkeypatch.setattr(claiming, "CLAIM_ANY", claiming.CLAIM_ANY.replace("AND NOT s.for_one", ""))
    assert offered(battle.arena.campaign) == [battle.item_id]


def test_control_in_another_campaign_what_was_left_is_there_for_others():
    make_models()
    battle = votable()
    Campaign.objects.filter(pk=battle.arena.campaign_id).update(is_arena=False)
    run_out(battle)
    assert Slot.objects.get(item=battle.item).state == "open"


def test_nobody_annotates_in_an_arena():
    campaign, now = make_arena().campaign, timezone.now()
    with pytest.raises(BadInvitation):
        invite_people(campaign_id=campaign.pk, name="Everybody", actor=None, now=now)
    with pytest.raises(NotInPool):
        join_from_pool(campaign_id=campaign.pk, person=make_person(), is_expert=True, now=now)
    with pytest.raises(NothingLeft):
        next_assignment(campaign=campaign, respondent=make_respondent(campaign), now=now)


def test_an_invitation_from_before_lets_nobody_in():
    campaign = make_campaign()
    _invitation, token = invite_people(campaign_id=campaign.pk, name="Everybody", actor=None, now=timezone.now())
    Campaign.objects.filter(pk=campaign.pk).update(is_arena=True)
    with pytest.raises(InvitationNotValid):
        open_invitation(token, now=timezone.now())


@pytest.mark.parametrize("change", [{"pool": "annotators"}, {"overlap": 2}, {"gold_share": 0.1}, {"repeat_share": 0.1}])
def test_the_database_refuses_an_arena_that_asks_others(change):
    campaign = make_arena().campaign
    with pytest.raises(IntegrityError, match="arena_is_for_visitors"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**change)


@pytest.mark.parametrize("goes", ["blocked", "withdrawn"])
class TestWhoHasGone:
    def gone(self, battle, goes):
        respondent, now = battle.assignment.respondent_id, timezone.now()
        if goes == "blocked":
            block_respondent(respondent_id=respondent, reason="a script", actor=None, now=now)
        else:
            withdraw_consent(respondent_id=respondent, actor=None, now=now)

    def test_starts_says_and_votes_nothing_more(self, goes):
        make_models()
        person = make_person()
        battle = votable(person)
        self.gone(battle, goes)
        with pytest.raises(VisitorGone):
            begin(person)
        with pytest.raises(VisitorGone):
            vote(battle, person)
        with pytest.raises(VisitorGone):
            ask_follow_up(battle_id=battle.pk, person=person, prompt="And?", key=new_key(), now=timezone.now())
        assert (Impression.objects.count(), Judgment.objects.count()) == (1, 0)

    def test_leaves_a_battle_that_ends(self, goes):
        make_models()
        battle = votable()
        self.gone(battle, goes)
        sweep_battles(now=timezone.now())
        assert states(battle) == ("abandoned", "cancelled", "void")
        assert offered(battle.arena.campaign) == []

    @pytest.mark.parametrize("fails", [True, False])
    def test_leaves_a_battle_that_is_being_answered_which_ends_too(self, goes, fails):
        make_models()
        battle = begin()
        self.gone(battle, goes)
        if fails:
            first, second = claimed_turn(battle)
            fail(first)
            for again in claimed_turn(battle):
                if again.pk != second.pk:
                    fail(again)
        else:
            answer(battle)
        sweep_battles(now=timezone.now())
        assert states(battle) == ("void" if fails else "abandoned", "cancelled", "void")

    def test_has_votes_that_are_taken_out_and_nobody_is_asked_in_their_place(self, goes):
        make_models()
        person = make_person()
        battle = votable(person)
        vote(battle, person)
        self.gone(battle, goes)
        assert list(Slot.objects.values_list("state", flat=True)) == ["done"]
        assert Judgment.objects.filter(kind="retraction").count() == 1
        assert offered(battle.arena.campaign) == []


def test_votes_of_somebody_who_was_blocked_by_mistake_count_again():
    make_models()
    person = make_person()
    battle = votable(person)
    vote(battle, person)
    respondent, now = battle.assignment.respondent_id, timezone.now()
    block_respondent(respondent_id=respondent, reason="a script", actor=None, now=now)
    assert unblock_respondent(respondent_id=respondent, reason="no script", actor=None, now=now).put_back == 1
    assert Judgment.objects.filter(kind="answer", superseded_by__isnull=True).count() == 1
    assert votable(person).state == "votable"


@pytest.mark.parametrize("answered", [True, False])
def test_a_battle_whose_item_an_admin_took_out_ends(answered):
    make_models()
    battle = votable() if answered else begin()
    void_item(item_id=battle.item_id, actor=None, reason="unlawful", now=timezone.now())
    if not answered:
        finish(claimed_turn(battle)[0], "Because.")
    sweep_battles(now=timezone.now())
    assert states(battle) == ("abandoned" if answered else "void", "cancelled", "void")


def test_a_follow_up_after_the_time_ran_out_is_refused():
    make_models()
    person = make_person()
    battle = votable(person)
    Assignment.objects.update(lease_expires_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(NotReady):
        ask_follow_up(battle_id=battle.pk, person=person, prompt="And?", key=new_key(), now=timezone.now())
