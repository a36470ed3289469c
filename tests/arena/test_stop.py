"""A visitor stops the models: all sides at once, for good, and never with a vote on half of it."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Event, ImpressionEvent, Judgment
from annotation.use_cases.submit_judgment import ItemNotOpen, LeaseExpired
from arena.models import Battle
from arena.use_cases import settle_completion as settling
from arena.use_cases import stop_battle as stopping
from arena.use_cases.ask_follow_up import NotYourBattle, ask_follow_up
from arena.use_cases.cast_vote import cast_vote
from arena.use_cases.stop_battle import NotWriting, stop_battle
from arena.web.visitors import COOKIE
from inference_workers.enums import FinishReason
from inference_workers.models import Completion
from inference_workers.use_cases.finish_completion import Measures, finish_completion
from tests.arena.factories import begin, claimed_turn, fail, finish, make_models, settle, votable
from tests.factories import make_person, new_key

TOKEN = "cookie-of-who-has-seen-enough"


def stop(battle: Battle, person, *, turn_count: int = 1) -> Battle:
    return stop_battle(battle_id=battle.pk, turn_count=turn_count, person=person, now=timezone.now())


def vote(battle: Battle, person):
    return cast_vote(
        battle_id=battle.pk,
        turn_count=battle.turn_count,
        person=person,
        key=new_key(),
        answers={"preference": {"choice": "a", "strength": 2}},
        now=timezone.now(),
    )


@pytest.mark.django_db
def test_a_stop_ends_all_sides_and_the_battle_can_never_be_voted_on():
    make_models()
    person = make_person()
    battle = begin(person)
    finish(claimed_turn(battle)[0], "I was quicker.")
    stop(battle, person)
    battle.refresh_from_db()
    assert (battle.state, battle.item.state) == ("abandoned", "void")
    assert sorted(Completion.objects.values_list("state", flat=True)) == ["cancelled", "succeeded"]
    assert ImpressionEvent.objects.get().kind == "abandoned"
    assert Event.objects.get(verb="stopped").to_state == "abandoned"
    with pytest.raises((ItemNotOpen, LeaseExpired)):
        vote(battle, person)
    assert Judgment.objects.count() == 0


@pytest.mark.django_db
def test_what_is_whole_or_somebody_elses_or_another_turn_is_not_stopped():
    make_models()
    person = make_person()
    battle = votable(person)
    with pytest.raises(NotWriting):
        stop(battle, person)
    with pytest.raises(NotYourBattle):
        stop(battle, make_person())
    ask_follow_up(battle_id=battle.pk, person=person, prompt="And at night?", key=new_key(), now=timezone.now())
    with pytest.raises(NotWriting):
        stop(battle, person, turn_count=1)
    assert stop(battle, person, turn_count=2).state == "abandoned"


@pytest.mark.django_db
def test_the_page_of_a_stopped_battle_shows_neither_side_and_a_late_stop_says_so():
    make_models()
    battle = begin(person_of_visitor(token=TOKEN, now=timezone.now()))
    client = Client()
    client.cookies[COOKIE] = TOKEN
    finish(claimed_turn(battle)[0], "I was quicker.")
    page = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert reverse("stop", args=[battle.pk]) in page
    stopped = client.post(reverse("stop", args=[battle.pk]), {"turn_count": 1}, follow=True)
    text = stopped.content.decode()
    assert "The models were stopped before all had answered" in text
    assert "I was quicker." not in text
    assert reverse("vote", args=[battle.pk]) not in text
    late = client.post(reverse("stop", args=[battle.pk]), {"turn_count": 1})
    assert (late.status_code, "nothing left to stop" in late.content.decode()) == (409, True)


@pytest.mark.django_db
def test_a_void_battles_page_shows_neither_side_too():
    """The side that is there would say which of them failed."""
    make_models()
    battle = begin(person_of_visitor(token=TOKEN, now=timezone.now()))
    client = Client()
    client.cookies[COOKIE] = TOKEN
    first, second = claimed_turn(battle)
    finish(second, "I did my part.")
    fail(first)
    fail(claimed_turn(battle)[0])
    text = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert ("This battle did not work out" in text, "I did my part." in text) == (True, False)


# -- the last chunk and the stop meet


def finish_last(completion: Completion) -> None:
    """As a worker does, the news of it included."""
    finish_completion(
        completion_id=completion.pk,
        lease_token=completion.lease_token,
        text="The last word.",
        finish_reason=FinishReason.STOP,
        measures=Measures(1, 1, 0.1, 0.1),
        now=timezone.now(),
    )
    settle(completion)


class Meeting:
    """A battle that lacks one side's last word, which comes while the visitor stops it."""

    def __init__(self) -> None:
        make_models()
        self.person = make_person()
        self.battle = begin(self.person)
        first, self.last = claimed_turn(self.battle)
        finish(first, "The other side.")
        self.refused = False

    def stop(self) -> None:
        try:
            stop(self.battle, self.person)
        except NotWriting:
            self.refused = True

    def in_thread(self, act: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                act()
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def end(self) -> tuple[str, str, list[str], bool]:
        self.battle.refresh_from_db()
        self.battle.item.refresh_from_db()
        jobs = sorted(Completion.objects.values_list("state", flat=True))
        return self.battle.state, self.battle.item.state, jobs, self.refused


@pytest.mark.django_db(transaction=True)
def test_a_last_word_that_waits_for_the_stop_comes_too_late(monkeypatch):
    meeting = Meeting()
    end = stopping.end_unanswered
    waiting: list[threading.Thread] = []

    def with_the_last_word_at_the_door(battle, **how):
        waiting.append(meeting.in_thread(lambda: finish_last(meeting.last)))
        waiting[0].join(0.5)
        end(battle, **how)

    monkeypatch.setattr(stopping, "end_unanswered", with_the_last_word_at_the_door)
    meeting.stop()
    waiting[0].join(20)
    # The text itself may have been stored; the battle is over all the same.
    state, item, _jobs, refused = meeting.end()
    assert (state, item, refused) == ("abandoned", "void", False)


@pytest.mark.django_db(transaction=True)
def test_a_stop_that_waits_for_the_last_word_is_refused(monkeypatch):
    meeting = Meeting()
    waiting: list[threading.Thread] = []
    open_for_vote = settling._open_for_vote

    def with_the_stop_at_the_door(battle, now):
        waiting.append(meeting.in_thread(meeting.stop))
        waiting[0].join(0.5)
        open_for_vote(battle, now)

    monkeypatch.setattr(settling, "_open_for_vote", with_the_stop_at_the_door)
    finish_last(meeting.last)
    waiting[0].join(20)
    assert meeting.end() == ("votable", "open", ["succeeded", "succeeded"], True)


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_a_battle_that_opened_for_its_vote_is_stopped(monkeypatch):
    meeting = Meeting()

    def look_and_wait(battle_id, person):
        """As it was, before the last word came."""
        before = Battle.objects.select_related("item", "impression", "assignment__slot").get(pk=battle_id)
        meeting.in_thread(lambda: finish_last(meeting.last)).join(20)
        return before

    monkeypatch.setattr(stopping, "lock_battle", look_and_wait)
    meeting.stop()
    state, _item, jobs, refused = meeting.end()
    assert (state, jobs, refused) == ("abandoned", ["succeeded", "succeeded"], False)
    assert Battle.objects.get().answered_at is not None
