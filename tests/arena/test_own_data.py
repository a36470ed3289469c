"""The download of everything that is one's own: every row of the person, and of nobody else."""

import json
from collections import Counter

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.db import models
from django.test import AsyncRequestFactory, Client
from django.utils import timezone

from accounts.enums import LinkPurpose
from accounts.models import Person, PersonalText, User
from accounts.texts import read_personal_texts
from accounts.use_cases.create_person import person_of_visitor
from accounts.use_cases.link_person import link_person
from annotation.models import Judgment
from arena.queries import own_data as own
from arena.queries.own_data import INSIDE, LEFT, ROWS, own_data
from arena.use_cases.ask_follow_up import ask_follow_up
from arena.web.mine import send_data
from arena.web.visitors import COOKIE
from tests.architecture.routes import make_world
from tests.arena.factories import answer, begin, claimed_turn, fail, finish, make_models, votable
from tests.arena.voting import vote, voted
from tests.factories import make_person, new_key

pytestmark = pytest.mark.django_db


def everything_of(person: Person) -> dict:
    return json.loads("".join(own_data(person, now=timezone.now())))


# ---- every model ---------------------------------------------------------------------------------------------------


def leads_to_person() -> set[str]:
    """Labels of the models from which some way of foreign keys leads to a person or an account."""
    found = {"accounts.Person", "accounts.User"}
    while True:
        more = {
            model._meta.label
            for model in apps.get_models()
            if model._meta.label not in found and points_to(model, found)
        }
        if not more:
            return found
        found |= more


def points_to(model: type[models.Model], labels: set[str]) -> bool:
    relations = [each for each in model._meta.get_fields() if each.concrete and each.is_relation]
    return any(each.related_model is not None and each.related_model._meta.label in labels for each in relations)


def test_every_model_that_leads_to_a_person_has_one_line():
    lines = Counter([*ROWS, *INSIDE, *LEFT])
    assert dict(lines) == dict.fromkeys(leads_to_person(), 1)


def test_control_a_model_without_a_line_is_missed(monkeypatch):
    monkeypatch.delitem(ROWS, "annotation.Flag")
    with pytest.raises(AssertionError):
        test_every_model_that_leads_to_a_person_has_one_line()


@pytest.fixture
def world(db, settings, tmp_path):
    """Somebody of every role, with all that the site's own tests give them."""
    settings.MEDIA_ROOT = tmp_path
    world = make_world()
    for role, person in world.persons.items():
        link_person(person_id=person.pk, purpose=LinkPurpose.ERASE, now=timezone.now())
        votable(person, prompt=f"Canary of {role}?")
        voted(person)
    return world


def key_of(label: str) -> str:
    return apps.get_model(label)._meta.pk.name


def test_together_the_files_of_all_hold_every_row_and_word_once_and_each_is_its_persons(world):
    """One world for all three: making it takes long."""
    assert check_rows() > 15
    for role in ("anonymous", "annotator", "superuser"):
        check_own(world.persons[role])
    for role in ("anonymous", "annotator", "reviewer"):
        check_words(world.persons[role], role, [other for other in world.persons if other != role])


def check_rows() -> int:
    """No row is in two people's files, and no row that is somebody's is in none; returns of how many models."""
    files = {person.pk: everything_of(person) for person in Person.objects.all()}
    kinds = 0
    for label, rows in ROWS.items():
        given = Counter(row[key_of(label)] for each in files.values() for row in each[label])
        of_somebody = {f"{rows.path}__isnull": False}
        there = set(apps.get_model(label).objects.filter(rows.only, **of_somebody).values_list("pk", flat=True))
        assert (set(given), set(given.values()) <= {1}) == (there, True), label
        kinds += bool(there)
    return kinds


def check_own(person: Person) -> None:
    found = everything_of(person)
    for label, rows in ROWS.items():
        mine = apps.get_model(label).objects.filter(rows.only, **{rows.path: person}).order_by("pk")
        assert [row[key_of(label)] for row in found[label]] == list(mine.values_list("pk", flat=True)), label


def check_words(person: Person, role: str, others: list[str]) -> None:
    """Texts are told apart by what they say; what several people wrote alike tells nothing."""
    written = "".join(own_data(person, now=timezone.now()))
    strange = words_of(PersonalText.objects.exclude(person=person)) - words_of(person.texts.all())
    assert {
        each for each in strange if len(each) > 12 and json.dumps(each, ensure_ascii=False)[1:-1] in written
    } == set()
    assert f"Canary of {role}?" in written
    assert not any(f"Canary of {other}?" in written for other in others)


def words_of(texts: models.QuerySet[PersonalText]) -> set[str]:
    return set(filter(None, read_personal_texts(texts.values_list("pk", flat=True)).values()))


def test_control_a_way_to_the_wrong_person_would_be_caught(monkeypatch):
    """Whoever else takes part in a campaign is a respondent of it too."""
    make_models()
    for _ in range(2):
        voted(make_person())
    check_rows()
    wrong = own.Rows("impression__campaign__respondents__person", ROWS["annotation.ImpressionEvent"].columns)
    monkeypatch.setitem(ROWS, "annotation.ImpressionEvent", wrong)
    with pytest.raises(AssertionError):
        check_rows()


# ---- battles -------------------------------------------------------------------------------------------------------


def battle_in(person: Person, battle) -> dict:
    return next(each for each in everything_of(person)["battles"] if each["id"] == str(battle.pk))


def test_a_voted_battle_has_every_word_and_its_models_by_side():
    make_models()
    person = make_person()
    battle = votable(person)
    ask_follow_up(battle_id=battle.pk, person=person, prompt="And at sunset?", key=new_key(), now=timezone.now())
    answer(battle, ("Red light is left.", "Dust."))
    battle.refresh_from_db()
    vote(battle, person)
    found = battle_in(person, battle)
    place = battle.impression.order.index(0)
    first, other = "AB"[place], "AB"[1 - place]
    names = {
        letter: battle.item.responses.get(position=battle.impression.order["AB".index(letter)]).contestant.name
        for letter in "AB"
    }
    assert (found["turns"], found["models"], found["state"]) == (
        [
            {
                "prompt": "Why is the sky blue?",
                "answers": {first: "Because of **Rayleigh**.", other: "Because it is."},
                "earlier": [],
            },
            {"prompt": "And at sunset?", "answers": {first: "Red light is left.", other: "Dust."}, "earlier": []},
        ],
        names,
        "voted",
    )
    (judgment,) = everything_of(person)["annotation.Judgment"]
    assert (judgment["preference"], judgment["item"]) == ("a", battle.item_id)


def test_an_open_battle_names_no_model_and_no_half_of_a_turn():
    canaries = make_models()
    person = make_person()
    waiting, open_ = begin(person), votable(person)
    first, _second = claimed_turn(waiting)
    finish(first, "I was quicker than the other.")
    written = "".join(own_data(person, now=timezone.now()))
    assert [each for each in canaries if each in written] == []
    assert "I was quicker" not in written
    # Nor what a draw could be made again from, or what tells which job was whose.
    assert not any(str(secret) in written for secret in secrets_of(waiting) | secrets_of(open_))
    assert (battle_in(person, open_)["models"], len(battle_in(person, open_)["turns"][0]["answers"])) == ({}, 2)


def secrets_of(battle) -> set:
    jobs = [response.turns.get().job for response in battle.item.responses.all()]
    return {
        battle.impression.seed,
        battle.impression.candidate_digest,
        *(job.pk for job in jobs),
        *(job.seed for job in jobs),
    }


def test_control_a_file_with_the_design_would_let_the_draw_be_made_again(monkeypatch):
    make_models()
    person = make_person()
    battle = votable(person)
    rows = ROWS["annotation.Impression"]
    monkeypatch.setitem(ROWS, "annotation.Impression", own.Rows(rows.path, f"{rows.columns} seed candidate_digest"))
    written = "".join(own_data(person, now=timezone.now()))
    assert any(str(secret) in written for secret in secrets_of(battle))


def test_of_a_battle_that_did_not_work_out_nobody_learns_which_side_failed():
    make_models()
    person = make_person()
    battle = begin(person)
    first, second = claimed_turn(battle)
    finish(second, "I was whole.")
    fail(first)
    fail(claimed_turn(battle)[0])
    found = battle_in(person, battle)
    assert (found["state"], found["turns"][0]["answers"], found["models"]) == ("void", {}, {})


# ---- the file ------------------------------------------------------------------------------------------------------


def test_the_file_comes_in_pieces_whoever_has_the_cookie(monkeypatch):
    monkeypatch.setattr(own, "CHUNK", 2)
    make_models()
    person = person_of_visitor(token="cookie-of-who-downloads", now=timezone.now())
    for _ in range(5):
        voted(person)
    client = Client()
    client.cookies[COOKIE] = "cookie-of-who-downloads"
    response = client.get("/mine/data/download")
    pieces = list(response.streaming_content)
    found = json.loads(b"".join(pieces))
    assert response["Content-Disposition"] == 'attachment; filename="cardinal-own-data.json"'
    assert (response["Cache-Control"], response["X-Robots-Tag"]) == ("no-store", "noindex")
    assert len(pieces) > 50
    ids = [each["id"] for each in found["annotation.Judgment"]]
    assert ids == list(Judgment.objects.order_by("pk").values_list("pk", flat=True))
    assert len(found["battles"]) == 5


def test_it_comes_in_pieces_under_a_server_of_the_other_kind_too():
    make_models()
    person = make_person()
    battle = voted(person)
    response = send_data(AsyncRequestFactory().get("/mine/data/download"), person)

    async def read() -> list[bytes]:
        return [piece async for piece in response]

    pieces = async_to_sync(read)()
    assert response.is_async
    assert len(pieces) > 50
    assert [each["id"] for each in json.loads(b"".join(pieces))["battles"]] == [str(battle.pk)]


def test_nobody_downloads_what_is_not_theirs(client):
    make_models()
    voted(make_person())
    assert client.get("/mine/data/download").status_code == 404
    client.cookies[COOKIE] = "a-cookie-that-nobody-has"
    assert client.get("/mine/data/download").status_code == 404
    assert User.objects.count() == 0
