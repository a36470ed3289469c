"""After a vote a chat goes on from the preferred answer on both sides: hidden to its end, each part with its vote."""

import json
import time
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.texts import read_personal_text
from accounts.use_cases.create_person import person_of_visitor
from annotation.models import ImpressionEvent, Judgment, Respondent
from annotation.use_cases.submit_judgment import AlreadyAnswered, LeaseExpired
from arena.models import Battle, Entry
from arena.queries import reveal
from arena.queries.conversations import part_of
from arena.queries.own_conversations import own_conversations
from arena.use_cases import continue_battle as continuing
from arena.use_cases.ask_follow_up import NoMoreTurns, NotReady, NotYourBattle, ask_follow_up
from arena.use_cases.continue_battle import ModelsLeft, continue_battle
from arena.use_cases.share_battle import NotVoted, share_battle
from arena.use_cases.show_models import NothingHeld, show_models
from arena.use_cases.start_battle import VisitorGone
from inference_workers.models import Completion, LanguageModel
from tests.arena.factories import answer, begin, make_arena, make_models, votable
from tests.arena.voting import browser_of, shown, vote
from tests.factories import make_person, new_key
from tests.foundation.threads import run_together

TOKEN = "cookie-of-who-goes-on"
TEXTS = ("The first said this.", "The second said that.")


def go_on(battle: Battle, person, *, prompt: str = "And at night?", place: int | None = None, key: str = "") -> Battle:
    asked = {"prompt": prompt, "place": place, "person": person, "network": "", "now": timezone.now()}
    return continue_battle(battle_id=battle.pk, key=key or new_key(), **asked)


def held(person, *, choice: str = "a") -> Battle:
    """Voted on, with the models hidden."""
    battle = answer(begin(person), TEXTS)
    vote(battle, person, choice=choice, goes_on=True)
    battle.refresh_from_db()
    return battle


def messages_of(battle: Battle) -> list[list[dict[str, str]]]:
    jobs = Completion.objects.filter(turn__response__item=battle.item).order_by("turn__response__position")
    return [json.loads(read_personal_text(each.personal_messages_id)) for each in jobs]


def show(battle: Battle, person) -> Battle:
    return show_models(battle_id=battle.pk, person=person, now=timezone.now())


def states() -> list[str]:
    return list(Battle.objects.order_by("turns_before").values_list("state", flat=True))


@pytest.mark.django_db
def test_a_visitor_votes_and_goes_on_and_nobody_is_named_before_the_conversation_ends():
    canaries = make_models()
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    client, battle = browser_of(TOKEN), answer(begin(person), TEXTS)
    page = reverse("battle", args=[battle.pk])
    form = {"turn_count": 1, "key": new_key(), "preference": "b", "preference.strength": "2", "goes_on": "1"}
    after = client.post(reverse("vote", args=[battle.pk]), form, follow=True).content.decode()
    assert (states(), "Go on from answer B" in after) == (["held"], True)
    said = {"prompt": "And at night?", "key": new_key()}
    first = client.post(reverse("go-on", args=[battle.pk]), said)
    again = client.post(reverse("go-on", args=[battle.pk]), said)
    following = Battle.objects.get(continues=battle)
    assert (first["Location"], again["Location"]) == (reverse("battle", args=[following.pk]),) * 2
    answer(following, ("By night one.", "By night two."))
    pages = [client.get(reverse("battle", args=[each.pk])).content.decode() for each in (battle, following)]
    pages += [client.get(reverse("mine")).content.decode(), json.dumps(list(own_conversations(person)), default=str)]
    assert [each for each in canaries if any(each in text for text in [after, *pages])] == []
    # Both know what B had said, and the models of the pair are the same.
    base = TEXTS[battle.impression.order[1]]
    assert "All go on from what answer B had said before." in pages[1]
    assert (base in pages[1], TEXTS[battle.impression.order[0]] in pages[1]) == (True, False)
    assert sorted(shown(following)) == sorted(shown(battle))
    impression = following.impression
    assert (impression.pair_design, impression.p_pair, impression.side_design) == ("assigned", None, "drawn")
    assert impression.parameters["continues"] == battle.item_id
    form = {"turn_count": 1, "key": new_key(), "preference": "a", "preference.strength": "1"}
    end = client.post(reverse("vote", args=[following.pk]), form, follow=True).content.decode()
    names = set(LanguageModel.objects.values_list("name", flat=True))
    assert (states(), {name for name in names if name in end}) == (["voted", "voted"], names)
    assert {name for name in names if name in client.get(page).content.decode()} == names
    assert Judgment.objects.count() == 2


@pytest.mark.django_db
def test_all_sides_are_asked_with_the_same_history_of_every_turn_of_the_preferred_answer():
    make_models()
    make_arena(system_prompt="Be brief.")
    person = make_person()
    battle = answer(begin(person, prompt="Why is the sky blue?"), TEXTS)
    ask_follow_up(battle_id=battle.pk, person=person, prompt="Are you sure?", key=new_key(), now=timezone.now())
    battle = answer(Battle.objects.get(), ("Yes, I am.", "No, I am not."))
    vote(battle, person, goes_on=True)
    following = go_on(battle, person)
    base = battle.impression.order[0]
    stored = json.loads(read_personal_text(following.item.prompt.personal_text_id))
    assert stored == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why is the sky blue?"},
        {"role": "assistant", "content": TEXTS[base]},
        {"role": "user", "content": "Are you sure?"},
        {"role": "assistant", "content": ("Yes, I am.", "No, I am not.")[base]},
        {"role": "user", "content": "And at night?"},
    ]
    assert messages_of(following) == [stored, stored]
    assert (following.turns_before, following.base_position, following.base_choice) == (2, base, "preferred")


@pytest.mark.django_db
def test_after_no_difference_the_visitor_picks_a_side_or_has_one_drawn():
    make_models()
    person = make_person()
    picked = held(person, choice="tie")
    following = answer(go_on(picked, person, place=1))
    assert (following.base_position, following.base_choice) == (picked.impression.order[1], "picked")
    # Answered, so that the endpoints have room for the next.
    drawn = {answer(go_on(held(person, choice="tie"), person)).base_position for _ in range(12)}
    assert drawn == {0, 1}
    assert Battle.objects.filter(base_choice="drawn").count() == 12


@pytest.mark.django_db
def test_what_was_revealed_went_on_is_too_long_or_lost_a_model_does_not_go_on():
    make_models()
    make_arena(max_turns=2)
    person = make_person()
    revealed = votable(person)
    vote(revealed, person)
    with pytest.raises(NotReady):
        go_on(revealed, person)
    with pytest.raises(NothingHeld):
        show(revealed, person)
    battle = held(person)
    with pytest.raises(NotYourBattle):
        go_on(battle, make_person())
    with pytest.raises(NotVoted):
        share_battle(battle_id=battle.pk, person=person, now=timezone.now())
    Entry.objects.update(state="paused")
    with pytest.raises(ModelsLeft):
        go_on(battle, person)
    Entry.objects.update(state="active")
    following = go_on(battle, person)
    with pytest.raises(NotReady):
        go_on(battle, person)
    answer(following)
    with pytest.raises(NoMoreTurns):
        ask_follow_up(battle_id=following.pk, person=person, prompt="More?", key=new_key(), now=timezone.now())
    assert part_of(following.pk, person=person).turns_left == 0
    vote(following, person, goes_on=True)
    with pytest.raises(NoMoreTurns):
        go_on(following, person)
    Respondent.objects.update(state="blocked")
    with pytest.raises(VisitorGone):
        go_on(following, person)
    assert Battle.objects.count() == 3


@pytest.mark.django_db
def test_the_models_are_shown_at_any_time_and_what_is_open_is_left_without_a_vote():
    make_models()
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    client, battle = browser_of(TOKEN), held(person)
    following = answer(go_on(battle, person))
    assert reveal(battle.pk, person=person) == []
    shown_page = client.post(reverse("show-models", args=[following.pk]), follow=True)
    assert shown_page.redirect_chain[-1][0] == reverse("battle", args=[battle.pk])
    assert (states(), Judgment.objects.count()) == (["voted", "abandoned"], 1)
    assert len(reveal(battle.pk, person=person)) == 2
    assert ImpressionEvent.objects.get(impression=following.impression).kind == "abandoned"
    with pytest.raises((LeaseExpired, NotReady)):
        vote(following, person)
    late = client.post(reverse("show-models", args=[following.pk]))
    assert (late.status_code, "moved on" in late.content.decode()) == (409, True)


@pytest.mark.django_db
def test_the_database_knows_no_half_of_a_continuation():
    make_models()
    person = make_person()
    battle, other = held(person), held(person)
    go_on(battle, person)
    with pytest.raises(IntegrityError, match="battle_continues_whole"), transaction.atomic():
        Battle.objects.filter(pk=other.pk).update(continues=other)
    with pytest.raises(IntegrityError, match="continues_id"), transaction.atomic():
        whole = {"first": battle, "turns_before": 1, "base_position": 0, "base_choice": "drawn"}
        Battle.objects.filter(pk=other.pk).update(continues=battle, **whole)


# -- tabs at once


@pytest.mark.django_db(transaction=True)
def test_a_vote_that_goes_on_one_that_does_not_and_an_end_meet_and_there_is_one_judgment():
    make_models()
    person = make_person()
    following = answer(go_on(held(person), person))
    following.refresh_from_db()
    acts = [partial(vote, following, person, goes_on=goes_on) for goes_on in (True, False)]
    outcomes = run_together(*acts, partial(show, following, person))
    assert all(isinstance(each, Judgment | Battle | AlreadyAnswered | LeaseExpired | NothingHeld) for each in outcomes)
    assert Judgment.objects.filter(item=following.item).count() == sum(isinstance(each, Judgment) for each in outcomes)
    assert Judgment.objects.filter(item=following.item).count() <= 1
    assert states()[0] == "voted"


def raced(monkeypatch) -> list[object]:
    make_models()
    person = make_person()
    battle = held(person)
    follow = continuing._follow

    def slowly(*args):
        time.sleep(0.1)
        return follow(*args)

    monkeypatch.setattr(continuing, "_follow", slowly)
    return run_together(*[partial(go_on, battle, person) for _ in range(3)])


@pytest.mark.django_db(transaction=True)
def test_of_tabs_that_go_on_at_once_one_does(monkeypatch):
    outcomes = raced(monkeypatch)
    assert sorted(type(each).__name__ for each in outcomes) == ["Battle", "NotReady", "NotReady"], outcomes
    assert Battle.objects.filter(continues__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_and_the_constraint_a_conversation_goes_on_in_several_directions(monkeypatch):
    def look(battle_id, person):
        related = ("arena__campaign", "item", "assignment__respondent__person", "impression")
        return Battle.objects.select_related(*related).get(pk=battle_id)

    monkeypatch.setattr(continuing, "lock_battle", look)
    monkeypatch.setattr(continuing, "refuse_flood", lambda **values: None)
    run_as_owner("ALTER TABLE arena_battle DROP CONSTRAINT arena_battle_continues_id_key")
    try:
        raced(monkeypatch)
        went_on = Battle.objects.filter(continues__isnull=False).count()
    finally:
        plain = {"continues": None, "first": None, "turns_before": 0, "base_position": None, "base_choice": ""}
        Battle.objects.update(**plain)
        run_as_owner("ALTER TABLE arena_battle ADD CONSTRAINT arena_battle_continues_id_key UNIQUE (continues_id)")
    assert went_on > 1


def run_as_owner(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(statement)
