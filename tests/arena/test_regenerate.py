"""Both sides answer anew before the vote: always all of them, the old answers kept, the vote about the last ones."""

import time
from functools import partial

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.texts import read_personal_text
from accounts.use_cases.create_person import person_of_visitor
from annotation.models import EarlierTurn, Event, Judgment, Turn
from arena import queries
from arena.models import Battle
from arena.queries.own_conversations import own_conversations
from arena.use_cases import regenerate_all as regenerating
from arena.use_cases.ask_follow_up import NotReady, NotYourBattle, ask_follow_up
from arena.use_cases.cast_vote import StaleTurn
from arena.use_cases.regenerate_all import NoMoreTries, OtherAnswers, regenerate_all
from arena.use_cases.settle_completion import response_digest
from arena.use_cases.stop_battle import NotWriting, stop_battle
from inference_workers.models import Completion
from tests.arena.factories import answer, begin, claimed_turn, fail, finish, make_arena, make_models, votable
from tests.arena.voting import browser_of, vote
from tests.factories import make_person, new_key
from tests.foundation.threads import run_together

TOKEN = "cookie-of-who-wants-another-answer"
OLD, NEW = ("The first of one.", "The first of the other."), ("The second of one.", "The second of the other.")


def again(battle: Battle, person, *, key: str | None = None, **named: int) -> Battle:
    battle.refresh_from_db()
    asked = {"turn_count": battle.turn_count, "regenerations": battle.regenerations} | named
    return regenerate_all(battle_id=battle.pk, **asked, person=person, key=key or new_key(), now=timezone.now())


def said_before(battle: Battle) -> list[str]:
    kept = EarlierTurn.objects.filter(turn__response__item=battle.item).order_by("number", "turn__response__position")
    return [read_personal_text(each.completion.personal_text_id) for each in kept.select_related("completion")]


@pytest.mark.django_db
def test_both_answer_anew_and_the_vote_is_about_what_they_said_last():
    make_models()
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    client, battle = browser_of(TOKEN), answer(begin(person), OLD)
    address, page = reverse("regenerate", args=[battle.pk]), reverse("battle", args=[battle.pk])
    assert address in client.get(page).content.decode()
    form = {"turn_count": 1, "regenerations": 0, "key": new_key()}
    asked = client.post(address, form, follow=True).content.decode()
    # Neither the old answers nor the new ones while the models write; the same form once more changes nothing.
    assert [text in asked for text in OLD] == [False, False]
    assert client.post(address, form).status_code == 302
    assert Completion.objects.filter(turn__response__item=battle.item, state="queued").count() == 2
    stale, battle = battle, answer(Battle.objects.get(), NEW)
    text = client.get(page).content.decode()
    assert [each in text for each in (*OLD, *NEW)] == [False, False, True, True]
    assert "All were asked again once" in text
    # A tab that still has the old answers on it votes on nothing.
    with pytest.raises(StaleTurn):
        vote(stale, person)
    assert vote(battle, person).item == battle.item
    assert said_before(battle) == list(OLD)
    responses = battle.item.responses.all()
    assert [each.digest for each in responses] == [response_digest(each) for each in responses]
    assert Event.objects.get(verb="regenerated").data == {"turn": 1}
    (own,) = own_conversations(person)
    letters = {position: "AB"[place] for place, position in enumerate(battle.impression.order)}
    assert own["turns"][0]["earlier"] == [{letters[0]: OLD[0], letters[1]: OLD[1]}]


@pytest.mark.django_db
def test_the_arena_says_how_often_for_each_turn():
    make_models()
    make_arena(max_regenerations=1)
    person = make_person()
    battle = votable(person)
    assert queries.ballot(battle.pk, person=person).regenerations_left == 1
    answer(again(battle, person))
    assert queries.ballot(battle.pk, person=person).regenerations_left == 0
    with pytest.raises(NoMoreTries):
        again(battle, person)
    ask_follow_up(battle_id=battle.pk, person=person, prompt="And at night?", key=new_key(), now=timezone.now())
    answer(battle)
    answer(again(battle, person))
    assert list(Turn.objects.values_list("number", "regenerations").distinct()) == [(0, 1), (1, 1)]
    assert Battle.objects.get().regenerations == 2
    make_arena(max_regenerations=0)
    other = votable(person_of_visitor(token=TOKEN, now=timezone.now()))
    page = browser_of(TOKEN).get(reverse("battle", args=[other.pk])).content.decode()
    assert (reverse("vote", args=[other.pk]) in page, reverse("regenerate", args=[other.pk]) in page) == (True, False)


@pytest.mark.django_db
def test_what_is_not_whole_or_somebody_elses_or_looked_different_is_not_asked_anew():
    make_models()
    person = make_person()
    battle = begin(person)
    with pytest.raises(NotReady):
        again(battle, person)
    answer(battle)
    with pytest.raises(NotYourBattle):
        again(battle, make_person())
    with pytest.raises(OtherAnswers):
        again(battle, person, turn_count=2)
    with pytest.raises(OtherAnswers):
        again(battle, person, regenerations=1)
    vote(battle, person)
    with pytest.raises(NotReady):
        again(battle, person)
    assert EarlierTurn.objects.count() == 0


@pytest.mark.django_db
def test_a_side_that_fails_anew_is_replaced_once_and_then_the_battle_is_void_and_a_stop_names_the_answers():
    make_models()
    person = make_person()
    battle = again(votable(person), person)
    first, second = claimed_turn(battle)
    finish(second, NEW[1])
    fail(first)
    assert battle_page_shows(battle, person) == [None]
    with pytest.raises(NotWriting):
        stop_battle(battle_id=battle.pk, turn_count=1, person=person, now=timezone.now())
    finish(claimed_turn(battle)[0], NEW[0])
    battle = again(battle, person)
    fail(claimed_turn(battle)[0])
    fail(claimed_turn(battle)[0])
    battle.refresh_from_db()
    assert (battle.state, Judgment.objects.count()) == ("void", 0)


def battle_page_shows(battle: Battle, person) -> list[str | None]:
    return [each.texts.get("a") for each in queries.ballot(battle.pk, person=person).exchanges]


# -- two tabs ask anew at once


def raced(monkeypatch) -> list[object]:
    make_models()
    person = make_person()
    battle = votable(person)
    ask = regenerating.ask_one

    def slowly(**values):
        time.sleep(0.1)
        return ask(**values)

    monkeypatch.setattr(regenerating, "ask_one", slowly)
    asked = {"battle_id": battle.pk, "turn_count": 1, "regenerations": 0, "person": person, "now": timezone.now()}
    return run_together(*[partial(regenerate_all, **asked, key=new_key()) for _ in range(4)])


@pytest.mark.django_db(transaction=True)
def test_of_tabs_that_ask_anew_at_once_one_does(monkeypatch):
    outcomes = raced(monkeypatch)
    assert sorted(type(each).__name__ for each in outcomes) == ["Battle", "NotReady", "NotReady", "NotReady"], outcomes
    assert (EarlierTurn.objects.count(), Completion.objects.filter(state="queued").count()) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_and_the_constraints_the_models_are_asked_several_times(monkeypatch):
    def look(battle_id, person):
        related = ("arena__campaign", "item", "assignment__respondent__person", "impression")
        return Battle.objects.select_related(*related).get(pk=battle_id)

    monkeypatch.setattr(regenerating, "lock_battle", look)
    # The constraints alone would let one through, and answer the others with a crash.
    monkeypatch.setattr(regenerating, "EarlierTurn", Forgetful)
    raced(monkeypatch)
    assert Completion.objects.filter(state="queued").count() > 2


class Forgetful:
    """In place of the rows whose constraints would refuse."""

    class objects:
        @staticmethod
        def create(**values):
            return None
