"""What a visitor says of single answers: rows that are added, the last of a kind holds, and nothing names a model."""

import time
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Reaction
from annotation.queries.reactions import standing_reactions
from annotation.use_cases import record_reaction as recording
from annotation.use_cases.record_reaction import TooManyReactions
from arena import queries
from arena.models import Battle
from arena.queries.own import own_battles
from arena.use_cases import react as reacting
from arena.use_cases.ask_follow_up import NotYourBattle, ask_follow_up
from arena.use_cases.react import NotShown, react
from arena.use_cases.regenerate_all import regenerate_all
from tests.arena.factories import answer, begin, claimed_turn, finish, make_models, votable
from tests.arena.voting import browser_of, vote
from tests.factories import make_person, new_key
from tests.foundation.threads import run_together

TOKEN = "cookie-of-who-has-something-to-say"
SWAP = {"HX-Request": "true"}


def say(battle: Battle, person, kind: str = "useful", *, number: int = 0, place: int = 0, is_set: bool = True) -> bool:
    return react(battle_id=battle.pk, number=number, place=place, kind=kind, is_set=is_set, person=person)


def said(battle: Battle, person, number: int = 0) -> dict[str, list[str]]:
    shown = queries.ballot(battle.pk, person=person).exchanges[number]
    return {side: list(each.said) for side, each in shown.reactions.items()}


@pytest.mark.django_db
def test_an_answer_is_reacted_to_before_and_after_the_vote_and_the_last_word_of_a_kind_holds():
    canaries = make_models()
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    client, battle = browser_of(TOKEN), votable(person)
    address, page = reverse("react", args=[battle.pk]), reverse("battle", args=[battle.pk])
    # Without script the browser goes back to the answer; with it the answer's reactions come anew, and open.
    plain = client.post(address, {"number": 0, "place": 1, "set": "incorrect"})
    assert (plain.status_code, plain["Location"]) == (302, f"{page}#side-b-0")
    part = client.post(address, {"number": 0, "place": 0, "set": "useful"}, headers=SWAP).content.decode()
    assert ('<details class="reactions" id="reactions-a-0" open>' in part, 'aria-pressed="true"' in part) == (
        True,
        True,
    )
    assert said(battle, person) == {"a": ["useful"], "b": ["incorrect"]}
    assert [each for each in canaries if each in part + client.get(page).content.decode()] == []
    # Said again it is one row, taken back another.
    client.post(address, {"number": 0, "place": 0, "set": "useful"})
    client.post(address, {"number": 0, "place": 1, "unset": "incorrect"})
    vote(battle, person)
    client.post(address, {"number": 0, "place": 1, "set": "clear"})
    assert said(battle, person) == {"a": ["useful"], "b": ["clear"]}
    assert list(Reaction.objects.order_by("pk").values_list("kind", "is_set")) == [
        ("incorrect", True),
        ("useful", True),
        ("incorrect", False),
        ("clear", True),
    ]
    assert Reaction.objects.values_list("respondent", flat=True).distinct().get() == battle.assignment.respondent_id
    assert [each.reactions for each in own_battles(person, "1")[1]] == [2]
    assert "2 reactions" in client.get(reverse("mine")).content.decode()


@pytest.mark.django_db
def test_nothing_is_said_of_what_is_not_shown_or_somebody_elses_and_the_page_says_so():
    make_models()
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    battle = begin(person)
    finish(claimed_turn(battle)[0], "I was quicker.")
    for place in (0, 1):
        with pytest.raises(NotShown):
            say(battle, person, place=place)
    client, address = browser_of(TOKEN), reverse("react", args=[battle.pk])
    refused = client.post(address, {"number": 0, "place": 0, "set": "useful"})
    assert (refused.status_code, "moved on" in refused.content.decode()) == (409, True)
    # The page that says so takes the page's place, not that of the answer's reactions.
    part = client.post(address, {"number": 0, "place": 0, "set": "useful"}, headers=SWAP)
    assert (part.status_code, part["HX-Retarget"], part["HX-Reswap"]) == (422, "#main", "innerHTML")
    finish(claimed_turn(battle)[0], "I came later.")
    with pytest.raises(NotYourBattle):
        say(battle, make_person())
    for number, place in ((1, 0), (0, 2)):
        with pytest.raises(NotShown):
            say(battle, person, number=number, place=place)
    for wrong in ({"set": "hated"}, {}, {"set": "useful", "unset": "clear"}):
        assert client.post(address, {"number": 0, "place": 0} | wrong).status_code == 422
    ask_follow_up(battle_id=battle.pk, person=person, prompt="And at night?", key=new_key(), now=timezone.now())
    assert (say(battle, person), say(battle, person)) == (True, False)
    with pytest.raises(NotShown):
        say(battle, person, number=1)
    assert Reaction.objects.count() == 1


@pytest.mark.django_db
def test_of_an_answer_that_was_asked_anew_nothing_is_said_yet():
    make_models()
    person = make_person()
    battle = votable(person)
    say(battle, person)
    asked = {"turn_count": 1, "regenerations": 0, "person": person, "key": new_key(), "now": timezone.now()}
    answer(regenerate_all(battle_id=battle.pk, **asked))
    assert (said(battle, person), standing_reactions([battle.item_id])) == ({"a": [], "b": []}, {})
    say(battle, person, "creative")
    assert (said(battle, person)["a"], Reaction.objects.count()) == (["creative"], 2)


@pytest.mark.django_db
def test_a_mind_is_changed_a_hundred_times_and_the_database_knows_the_kinds(monkeypatch):
    make_models()
    person = make_person()
    battle = votable(person)
    monkeypatch.setattr(recording, "MOST", 3)
    for turn in range(3):
        say(battle, person, is_set=turn % 2 == 0)
    with pytest.raises(TooManyReactions):
        say(battle, person, is_set=False)
    row = Reaction.objects.first()
    with pytest.raises(IntegrityError, match="reaction_kind_known"), transaction.atomic():
        Reaction.objects.create(respondent=row.respondent, turn=row.turn, kind="hated", is_set=True)


# -- two tabs say the same at once


def raced(monkeypatch) -> None:
    make_models()
    person = make_person()
    battle = votable(person)
    find = reacting._shown

    def slowly(*args):
        found = find(*args)
        time.sleep(0.1)
        return found

    create = Reaction.objects.create

    def late(**values):
        time.sleep(0.1)
        return create(**values)

    monkeypatch.setattr(reacting, "_shown", slowly)
    monkeypatch.setattr(Reaction.objects, "create", late)
    outcomes = run_together(*[partial(say, battle, person) for _ in range(4)])
    assert set(outcomes) <= {True, False}, outcomes


@pytest.mark.django_db(transaction=True)
def test_said_from_several_tabs_at_once_it_is_one_row(monkeypatch):
    raced(monkeypatch)
    assert Reaction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_it_is_several(monkeypatch):
    def look(battle_id, person):
        related = ("item", "assignment__respondent", "impression")
        return Battle.objects.select_related(*related).get(pk=battle_id)

    monkeypatch.setattr(reacting, "lock_battle", look)
    raced(monkeypatch)
    assert Reaction.objects.count() > 1
