"""A battle from prompt to vote: done, refused, twice, replaced, void; never votable while half."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.texts import read_personal_text
from annotation.models import (
    Assignment,
    Contestant,
    Event,
    FollowUp,
    Impression,
    ImpressionEvent,
    Item,
    Judgment,
    Slot,
    Turn,
)
from annotation.selection import Candidate, choose
from annotation.selection.draws import draw_order, draw_questions
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.submit_judgment import AlreadyAnswered, ItemNotOpen, LeaseExpired
from arena import queries
from arena.models import Battle
from arena.policies import PromptRefused
from arena.use_cases.ask_follow_up import NoMoreTurns, NotReady, NotYourBattle, ask_follow_up
from arena.use_cases.cast_vote import StaleTurn, cast_vote
from arena.use_cases.start_battle import NotEnoughModels, TooBusy, TooManyBattles, start_battle
from arena.use_cases.sweep_battles import sweep_battles
from inference_workers.enums import FinishReason
from inference_workers.models import Completion, LanguageModel, OutboxEntry
from inference_workers.use_cases.finish_completion import Measures, finish_completion
from tests.arena.factories import answer, begin, claimed_turn, fail, finish, make_arena, make_models, votable
from tests.factories import make_person, new_key

pytestmark = pytest.mark.django_db

PREFER_A = {"preference": {"choice": "a", "strength": 2}}


def vote(battle, person, *, key=None, answers=None, turn_count=None):
    return cast_vote(
        battle_id=battle.pk,
        turn_count=battle.turn_count if turn_count is None else turn_count,
        person=person,
        key=key or new_key(),
        answers=PREFER_A if answers is None else answers,
        now=timezone.now(),
    )


def test_a_battle_asks_two_models_and_logs_how_they_were_drawn():
    make_models(4)
    battle = begin()
    impression = battle.impression
    assert {
        "pair": (impression.pair_design, impression.p_pair),
        "side": (impression.side_design, impression.p_side),
        "prompt": (impression.prompt_design, impression.p_prompt),
        "questions": (impression.questions_design, impression.p_questions),
        "policy": (impression.policy, impression.candidate_count),
        "order": sorted(impression.order),
    } == {
        "pair": ("drawn", pytest.approx(1 / 6)),
        "side": ("drawn", 0.5),
        "prompt": ("chosen", None),
        "questions": ("drawn", 0.5),
        "policy": ("uniform", 4),
        "order": [0, 1],
    }
    assert Completion.objects.filter(turn__response__item=battle.item, state="queued").count() == 2


def test_the_draw_is_replayed_from_the_logged_seed():

    make_models(5)
    battle = begin()
    shown = battle.impression

    candidates = [Candidate(pk) for pk in Contestant.objects.values_list("pk", flat=True)]
    again = choose(policy=shown.policy, parameters={}, candidates=candidates, seed=shown.seed)
    contestants = list(battle.item.responses.order_by("position").values_list("contestant_id", flat=True))
    shares = [(q.name, q.ask_probability) for q in shown.instrument.questions.all()]
    assert (list(again.pair), again.candidate_digest) == (contestants, shown.candidate_digest)
    assert draw_order(2, seed=shown.seed).order == shown.order
    assert draw_questions(shares, seed=shown.seed).names == shown.questions_asked


def test_the_same_key_starts_one_battle():
    make_models()
    person, key = make_person(), new_key()
    assert begin(person, key=key) == begin(person, key=key)
    assert Battle.objects.count() == 1


@pytest.mark.parametrize("prompt", ["", "   \n", "x" * 4001])
def test_a_prompt_that_cannot_be_asked_is_refused_before_a_battle_exists(prompt):
    make_models()
    with pytest.raises(PromptRefused):
        begin(prompt=prompt)
    assert (Battle.objects.count(), Item.objects.count(), Completion.objects.count()) == (0, 0, 0)


def test_one_model_alone_makes_no_battle():
    make_models(1)
    with pytest.raises(NotEnoughModels):
        begin()


def test_a_full_queue_is_refused_before_a_battle_exists():
    make_models()
    arena = make_arena()
    arena.max_waiting = 2
    arena.save()
    begin()
    with pytest.raises(TooBusy):
        start_battle(arena=arena, person=make_person(), prompt="Hello?", network="", key=new_key(), now=timezone.now())
    assert Battle.objects.count() == 1


def test_a_visitors_battles_per_day_are_capped():
    make_models()
    arena = make_arena()
    arena.battles_per_day = 1
    arena.save()
    person = make_person()
    begin(person)
    with pytest.raises(TooManyBattles):
        begin(person)


def test_a_battle_is_votable_only_when_both_have_answered():
    make_models()
    person = make_person()
    battle = begin(person)
    first, second = claimed_turn(battle)
    finish(first, "Because.")
    with pytest.raises(ItemNotOpen):
        vote(battle, person)
    finish(second, "Since.")
    battle.refresh_from_db()
    assert battle.state == "votable"
    judgment = vote(battle, person)
    battle.refresh_from_db()
    assert (battle.state, judgment.preference, judgment.strength) == ("voted", "a", 2)
    assert ImpressionEvent.objects.get(impression=battle.impression).kind == "answered"


def test_a_vote_sent_twice_counts_once_and_another_is_refused():
    make_models()
    person = make_person()
    battle, key = votable(person), new_key()
    assert vote(battle, person, key=key) == vote(battle, person, key=key)
    with pytest.raises(AlreadyAnswered):
        vote(battle, person)
    assert Judgment.objects.count() == 1


def test_somebody_elses_battle_is_refused_like_a_missing_one():
    make_models()
    battle = votable()
    with pytest.raises(NotYourBattle):
        vote(battle, make_person())


def test_a_failed_completion_is_replaced_once_by_the_same_contestant():
    make_models()
    battle = begin()
    first, second = claimed_turn(battle)
    finish(second, "Since.")
    fail(first)
    turn = Turn.objects.get(response__item=battle.item, response__position=0)
    assert (turn.replacements, turn.completion.state) == (1, "queued")
    assert turn.completion.revision_id == first.revision_id
    assert turn.completion.seed != first.seed
    (replacement,) = claimed_turn(battle)
    finish(replacement, "Because.")
    battle.refresh_from_db()
    assert battle.state == "votable"


def test_a_second_failure_voids_the_battle_and_everything_that_hangs_on_it():
    make_models()
    person = make_person()
    battle = begin(person)
    first, _second = claimed_turn(battle)
    fail(first)
    (replacement,) = [each for each in claimed_turn(battle) if each.revision_id == first.revision_id]
    fail(replacement, "identity_leak")
    battle.refresh_from_db()
    assert {
        "battle": battle.state,
        "item": Item.objects.get().state,
        "assignment": Assignment.objects.get().state,
        "slot": Slot.objects.get().state,
        "impression": ImpressionEvent.objects.get().kind,
        "reason": Event.objects.get(verb="voided").reason,
    } == {
        "battle": "void",
        "item": "void",
        "assignment": "cancelled",
        "slot": "cancelled",
        "impression": "voided",
        "reason": "completion failed twice: identity_leak",
    }
    with pytest.raises(LeaseExpired):
        vote(battle, person)


def test_a_follow_up_continues_each_side_with_its_own_answers():
    make_models()
    person = make_person()
    battle = votable(person)
    ask_follow_up(battle_id=battle.pk, person=person, prompt="And at sunset?", key=new_key(), now=timezone.now())
    battle.refresh_from_db()
    assert (battle.state, battle.turn_count, battle.item.state) == ("answering", 2, "filling")

    said = {
        c.turns.get().response.position: [m["content"] for m in json.loads(read_personal_text(c.personal_messages_id))]
        for c in claimed_turn(battle)
    }
    assert said == {
        0: ["Why is the sky blue?", "Because of **Rayleigh**.", "And at sunset?"],
        1: ["Why is the sky blue?", "Because it is.", "And at sunset?"],
    }
    assert FollowUp.objects.get().number == 1


def test_a_vote_from_before_the_follow_up_is_stale():
    make_models()
    person = make_person()
    battle = votable(person)
    ask_follow_up(battle_id=battle.pk, person=person, prompt="And at sunset?", key=new_key(), now=timezone.now())
    answer(battle)
    with pytest.raises(StaleTurn):
        vote(battle, person, turn_count=1)


def test_a_follow_up_while_the_models_answer_is_refused():
    make_models()
    person = make_person()
    battle = begin(person)
    with pytest.raises(NotReady):
        ask_follow_up(battle_id=battle.pk, person=person, prompt="And?", key=new_key(), now=timezone.now())


def test_a_battle_has_no_more_turns_than_its_arena_allows():
    make_models()
    arena = make_arena()
    arena.max_turns = 1
    arena.save()
    person = make_person()
    battle = votable(person)
    with pytest.raises(NoMoreTurns):
        ask_follow_up(battle_id=battle.pk, person=person, prompt="And?", key=new_key(), now=timezone.now())


def test_the_sweeper_settles_what_no_signal_told():
    make_models()
    battle = begin()

    for completion in claimed_turn(battle):
        finish_completion(
            completion_id=completion.pk,
            lease_token=completion.lease_token,
            text="Because.",
            finish_reason=FinishReason.STOP,
            measures=Measures(1, 1, 0.1, 0.1),
            now=timezone.now(),
        )
    assert OutboxEntry.objects.filter(handled_at=None).count() == 2
    states = []
    for after in (timedelta(0), timedelta(seconds=5)):
        sweep_battles(now=timezone.now() + after)
        battle.refresh_from_db()
        states.append(battle.state)
    # The second time its hour has come.
    assert (states, OutboxEntry.objects.filter(handled_at=None).count()) == (["answering", "votable"], 0)


def test_a_battle_left_without_a_vote_is_abandoned_and_logged():
    make_models()
    battle = votable()
    # The database's clock stands still in a test's transaction.
    Assignment.objects.update(lease_expires_at=timezone.now() - timedelta(minutes=5))
    expire_assignments(now=timezone.now())
    sweep_battles(now=timezone.now())
    battle.refresh_from_db()
    assert (battle.state, ImpressionEvent.objects.get().kind) == ("abandoned", "expired")


def test_what_a_visitor_wrote_and_got_is_sealed():
    make_models()
    battle = votable(prompt="My name is Ada and I live in Turin.")
    stored = [
        *battle.item.__class__.objects.filter(pk=battle.item_id).values_list("prompt__messages", flat=True),
        *Completion.objects.values_list("messages", flat=True),
        *Completion.objects.values_list("text", flat=True),
    ]
    assert stored == [None] * 5


def test_nothing_is_revealed_before_the_vote_is_stored():
    make_models()
    person = make_person()
    battle = votable(person)
    assert queries.reveal(battle.pk, person=person) == []
    vote(battle, person)
    revealed = queries.reveal(battle.pk, person=person)
    shown = [battle.item.responses.get(position=p).contestant.name for p in battle.impression.order]
    assert [(each.side, each.name, each.preferred) for each in revealed] == [
        ("a", shown[0], True),
        ("b", shown[1], False),
    ]


def test_impressions_are_written_for_battles_nobody_votes_on():
    make_models()
    begin()
    assert Impression.objects.filter(end__isnull=True).count() == 1


def test_a_model_that_is_not_released_keeps_its_name_after_the_vote():
    canaries = make_models()
    LanguageModel.objects.update(visibility="hidden")
    person = make_person()
    battle = votable(person)
    vote(battle, person)
    revealed = queries.reveal(battle.pk, person=person)
    assert all(each.name.startswith("stand-in ") for each in revealed)
    assert not any(canary in f"{revealed}" for canary in canaries)
