"""A picture beside the words of a prompt: who meets then, what is kept of it, who sees it, and when it goes."""

import base64
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.files import read_personal_files, write_personal_file
from accounts.models import Person, PersonalFile
from accounts.use_cases.create_person import person_of_visitor
from annotation.datasets.contents import Readable, read_contents
from annotation.models import Prompt
from annotation.selection import Candidate, choose
from arena.enums import Mode
from arena.models import Arena, Battle, EnteredRevision
from arena.queries.own_data import own_data
from arena.queries.own_holdings import own_holdings
from arena.use_cases import start_battle as starting
from arena.use_cases.ask_follow_up import ask_follow_up
from arena.use_cases.continue_battle import continue_battle
from arena.use_cases.erase_own import Erased, erase_own
from arena.use_cases.keep_models import keep_models
from arena.use_cases.keep_picture import NoPictures
from arena.use_cases.regenerate_all import regenerate_all
from arena.use_cases.share_battle import revoke_share, share_battle
from arena.use_cases.start_battle import TakeNoPictures, TooFewTakePictures
from foundation.idempotency import KeyReused
from foundation.media.anew import NewPicture, made_anew
from inference_workers.dispatch import InvalidMessages, request_completion
from inference_workers.enums import Backend, Priority
from inference_workers.models import Completion, LanguageModel
from inference_workers.queries import completion_messages
from inference_workers.tasks import jobs
from tests.annotation.media.files import PLACE, picture, told
from tests.arena.factories import answer, begin, claimed_turn, make_arena, make_models, unknown_id, votable
from tests.arena.voting import browser_of, shown, vote, voted
from tests.factories import make_person, new_key
from tests.foundation.test_pictures_anew import PAGE, REFUSED, opened, talkative_jpeg
from tests.inference_workers.factories import make_revision
from tests.inference_workers.pumping import run_pump

pytestmark = pytest.mark.django_db
TOKEN = "cookie-of-who-adds-a-picture"


def new_picture(**fields: Any) -> NewPicture:
    return made_anew(picture("JPEG", **fields), "photo.jpg")


@pytest.fixture
def arena() -> Arena:
    """Of its five models three take pictures."""
    make_models(5)
    seeing = LanguageModel.objects.order_by("pk").values_list("pk", flat=True)[:3]
    LanguageModel.objects.filter(pk__in=list(seeing)).update(takes_images=True)
    return make_arena(takes_images=True, modes=Mode.values)


@pytest.fixture
def person() -> Person:
    return person_of_visitor(token=TOKEN, now=timezone.now())


@pytest.fixture
def browser() -> Client:
    return browser_of(TOKEN)


def upload(content: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/png")


def send(browser: Client, content: bytes | None, address: str = "start-battle", **fields: Any) -> Any:
    sent = {"prompt": "What is this?", "key": new_key(), **fields}
    if content is not None:
        sent["picture"] = upload(content, fields.get("name", "photo.jpg"))
    return browser.post(reverse(address), sent)


def seeing() -> set[int]:
    """The contestants whose models take pictures."""
    models = LanguageModel.objects.filter(takes_images=True, current__contestants__isnull=False)
    return set(models.values_list("current__contestants", flat=True))


def picture_address(battle: Battle, file: PersonalFile | None = None) -> str:
    return reverse("battle-picture", args=[battle.pk, (file or PersonalFile.objects.get()).pk])


# -- who meets


def test_with_a_picture_only_models_that_take_pictures_meet_and_the_draw_replays_among_them(arena):
    for _ in range(12):
        battle = begin(arena=arena, picture=new_picture())
        said = battle.impression
        assert set(shown(battle)) <= seeing()
        assert (said.candidate_count, said.parameters["picture"]) == (3, True)
        candidates = [Candidate(pk) for pk in EnteredRevision.objects.values_list("contestant", flat=True)]
        candidates = [each for each in candidates if each.contestant in seeing()]
        again = choose(policy="uniform", parameters={}, candidates=candidates, seed=said.seed)
        drawn = list(battle.item.responses.order_by("position").values_list("contestant", flat=True))
        assert (list(again.contestants), again.candidate_digest) == (drawn, said.candidate_digest)
        assert again.probability == said.p_pair == pytest.approx(1 / 3)
    plain = begin(arena=arena)
    assert (plain.impression.candidate_count, plain.takes_images) == (5, False)


def test_control_a_draw_that_looks_at_no_picture_lets_models_meet_that_cannot_see_it(arena, monkeypatch):
    real = starting.draw_contestants
    monkeypatch.setattr(starting, "draw_contestants", lambda **given: real(**given | {"with_picture": False}))
    drawn = [set(shown(begin(arena=arena, picture=new_picture()))) for _ in range(12)]
    assert not all(each <= seeing() for each in drawn)


def test_too_few_models_that_take_pictures_are_said_before_anything_is_kept(arena, person, browser):
    LanguageModel.objects.exclude(pk=LanguageModel.objects.order_by("pk").first().pk).update(takes_images=False)
    refused = send(browser, picture("JPEG"))
    assert refused.status_code == 422
    assert "Fewer models take pictures now than a battle needs." in refused.content.decode()
    assert "Choose the picture again" in refused.content.decode()
    assert "What is this?" in refused.content.decode()
    assert (Battle.objects.count(), PersonalFile.objects.count(), Prompt.objects.count()) == (0, 0, 0)
    assert Completion.objects.count() == 0


def test_who_chooses_models_is_told_which_of_them_cannot_see(arena, person, browser):
    able, *others, blind = LanguageModel.objects.order_by("pk")
    refused = send(browser, picture(), "battle-choose", named=[able.slug, blind.slug])
    assert refused.status_code == 422
    assert f"{blind.name} cannot look at pictures." in refused.content.decode()
    met = begin(arena=arena, mode=Mode.NAMED, named=[able.slug, ""], picture=new_picture())
    assert set(shown(met)) <= seeing()
    now = timezone.now()
    keep_models(arena=arena, person=person, slugs=[able.slug, blind.slug], now=now)
    with pytest.raises(TakeNoPictures) as unseen:
        begin(person, arena=arena, mode=Mode.OWN_SET, picture=new_picture())
    assert unseen.value.names == [blind.name]
    keep_models(arena=arena, person=person, slugs=[able.slug, others[0].slug, blind.slug], now=now)
    assert set(shown(begin(person, arena=arena, mode=Mode.OWN_SET, picture=new_picture()))) <= seeing()
    LanguageModel.objects.exclude(pk=able.pk).update(takes_images=False)
    with pytest.raises(TooFewTakePictures):
        begin(arena=arena, mode=Mode.NAMED, named=[able.slug, ""], picture=new_picture())


def test_an_arena_that_takes_no_pictures_shows_no_field_and_refuses_one(arena, person, browser):
    assert b'type="file"' in browser.get("/").content
    make_arena(takes_images=False)
    assert b'type="file"' not in browser.get("/").content
    refused = send(browser, picture())
    assert (refused.status_code, Battle.objects.count()) == (422, 0)
    assert "No picture can be added here." in refused.content.decode()


def test_a_battle_that_began_without_one_takes_none_later_unless_all_its_candidates_do(arena, person, browser):
    """Whether a battle offers the field must not tell which of its models can see."""
    plain = votable(person, arena=arena)
    assert b'type="file"' not in browser.get(reverse("battle", args=[plain.pk])).content
    with pytest.raises(NoPictures):
        follow(plain, person)
    refused = browser.post(
        reverse("follow-up", args=[plain.pk]), {"prompt": "And this?", "key": new_key(), "picture": upload(picture())}
    )
    assert (refused.status_code, PersonalFile.objects.count()) == (422, 0)
    LanguageModel.objects.update(takes_images=True)
    assert votable(person, arena=arena).takes_images


# -- what models are asked


def follow(battle: Battle, person: Person, **fields: Any) -> Battle:
    given = {"prompt": "And this?", "key": new_key(), "picture": new_picture(shade=30)} | fields
    return ask_follow_up(battle_id=battle.pk, person=person, now=timezone.now(), **given)


def asked_pictures(battle: Battle, turn: int) -> set[tuple[str, ...]]:
    """Of each side's messages of a turn which file stands with each."""
    rows = Completion.objects.filter(turn__response__item=battle.item, turn__number=turn)
    return {tuple(each.get("picture", "") for each in messages) for messages in completion_messages(rows).values()}


def test_models_are_asked_with_the_pictures_of_all_turns_and_again_when_they_are_asked_again(arena, person):
    battle = votable(person, arena=arena, picture=new_picture())
    first = PersonalFile.objects.get()
    assert asked_pictures(battle, 0) == {(str(first.pk),)}
    follow(battle, person)
    second = PersonalFile.objects.exclude(pk=first.pk).get()
    answer(battle)
    assert asked_pictures(battle, 1) == {(str(first.pk), "", str(second.pk))}
    regenerate_all(battle_id=battle.pk, turn_count=2, regenerations=0, person=person, key=new_key(), now=timezone.now())
    rows = Completion.objects.filter(state="queued")
    assert [row.pictures for row in rows] == [2, 2]
    job = jobs.Job(rows[0], None, None, 0.0)
    request = jobs.generation_request(job, completion_messages(rows)[rows[0].pk], None)
    seen = [message.picture for message in request.messages if message.picture]
    assert [(each.content_type, opened(each.content).size) for each in seen] == [("image/jpeg", (64, 48))] * 2
    assert job.sent > 2 * 6000
    assert "JFIF" not in repr(request)


def test_a_model_in_the_workers_own_process_refuses_a_picture_by_name(arena, person):
    begin(person, arena=arena, picture=new_picture())
    row = Completion.objects.select_related("revision__endpoint", "revision__language_model").first()
    row.revision.endpoint.backend = Backend.TRANSFORMERS
    with pytest.raises(ValueError, match=f"read text alone, and so does {row.revision.provider_model}"):
        jobs.generation_request(jobs.Job(row, None, None, 0.0), completion_messages([row])[row.pk], None)


def test_nobody_asks_about_anothers_picture(person):
    file = write_personal_file(person=make_person(), content=b"x", content_type="image/png")
    said = [{"role": "user", "content": "What is this?", "picture": str(file.pk)}]
    asked = {"revision": make_revision(), "messages": said, "priority": Priority.VISITOR, "seed": 1}
    for who in (person, None):
        with pytest.raises(InvalidMessages):
            request_completion(person=who, **asked)
    with pytest.raises(InvalidMessages):
        request_completion(person=person, **asked | {"messages": [said[0] | {"picture": "no-id"}]})


def test_a_picture_counts_in_what_a_completion_can_cost(arena, person):
    LanguageModel.objects.update(price_read=10, price_written=0)
    battles = [begin(person, arena=arena), begin(person, arena=arena, picture=new_picture())]
    for battle in battles:
        claimed_turn(battle)
    costs = [float(Completion.objects.filter(turn__response__item=each.item).first().reserved_cost) for each in battles]
    # 6,000 tokens at ten dollars for a million, and some bytes for the name of the file.
    assert costs[1] - costs[0] == pytest.approx(0.06, abs=0.005)


def test_a_conversation_that_goes_on_after_a_vote_keeps_its_pictures(arena, person, browser):
    battle = votable(person, arena=arena, picture=new_picture())
    vote(battle, person, goes_on=True)
    given = {"prompt": "And this?", "place": None, "network": "", "key": new_key()}
    following = continue_battle(
        battle_id=battle.pk, person=person, now=timezone.now(), picture=new_picture(shade=30), **given
    )
    first, second = PersonalFile.objects.order_by("created_at")
    assert asked_pictures(following, 0) == {(str(first.pk), "", str(second.pk))}
    page = browser.get(reverse("battle", args=[following.pk])).content.decode()
    for file in (first, second):
        assert picture_address(following, file) in page
        assert browser.get(picture_address(following, file)).status_code == 200


def test_one_key_is_one_battle_and_another_picture_under_it_is_another_request(arena, person):
    key, photo = new_key(), new_picture()
    battle = begin(person, arena=arena, key=key, picture=photo)
    assert begin(person, arena=arena, key=key, picture=photo).pk == battle.pk
    with pytest.raises(KeyReused):
        begin(person, arena=arena, key=key, picture=new_picture(shade=10))
    assert PersonalFile.objects.count() == 1


# -- what is kept


def test_a_picture_is_kept_sealed_without_its_place_and_shown_beside_its_prompt(arena, person, browser):
    content = talkative_jpeg()
    begun = send(browser, content, name="IMG_me_at_home.png")
    battle, file = Battle.objects.get(), PersonalFile.objects.get()
    assert begun["Location"] == reverse("battle", args=[battle.pk])
    sealed = bytes(file.sealed)
    assert (b"JFIF" in sealed, b"Some Camera" in sealed, file.person) == (False, False, person)
    assert picture_address(battle) in browser.get(begun["Location"]).content.decode()
    found = browser.get(picture_address(battle))
    kept = opened(found.content)
    assert (kept.size, dict(kept.getexif()), kept.getexif().get_ifd(PLACE)) == ((48, 64), {}, {})
    assert (b"Some Camera" in found.content, PAGE in found.content) == (False, False)
    assert told().get(0x010F) == "Some Camera"
    assert "IMG_me" not in browser.get(begun["Location"]).content.decode()
    headers = {
        "Content-Type": "image/jpeg",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
        "Content-Disposition": "inline",
    }
    assert {name: found[name] for name in headers} == headers


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_picture_is_refused_beside_its_field_and_nothing_is_kept(arena, person, browser, content, reason):
    refused = send(browser, content)
    said = refused.content.decode()
    assert (refused.status_code, reason in said, "What is this?" in said) == (422, True, True)
    assert 'aria-describedby="picture-error"' in said
    assert (Battle.objects.count(), PersonalFile.objects.count(), Prompt.objects.count()) == (0, 0, 0)
    battle = votable(person, arena=arena, picture=new_picture())
    sent = {"prompt": "And this?", "key": new_key(), "picture": upload(content)}
    refused = browser.post(reverse("follow-up", args=[battle.pk]), sent)
    battle.refresh_from_db()
    assert (refused.status_code, battle.turn_count, PersonalFile.objects.count()) == (422, 1, 1)
    assert reason in refused.content.decode()


def test_a_picture_of_too_many_bytes_is_refused_unread(arena, browser, settings):
    settings.PICTURE_MAX_MB = 0
    refused = send(browser, picture())
    assert (refused.status_code, "more than 0 MB" in refused.content.decode()) == (422, True)


# -- who sees it


def test_nobody_elses_picture_can_be_had(arena, person, browser):
    battle, others = begin(person, arena=arena, picture=new_picture()), make_person()
    foreign = begin(others, arena=arena, picture=new_picture())
    mine, theirs = PersonalFile.objects.get(person=person), PersonalFile.objects.get(person=others)
    plain = begin(person, arena=arena)
    addresses = {
        picture_address(battle, mine): 200,
        picture_address(foreign, theirs): 404,
        picture_address(battle, theirs): 404,
        picture_address(foreign, mine): 404,
        # A battle of one's own, and a picture of another of them.
        picture_address(plain, mine): 404,
        reverse("battle-picture", args=[battle.pk, unknown_id()]): 404,
        reverse("battle-picture", args=[unknown_id(), mine.pk]): 404,
    }
    assert {address: browser.get(address).status_code for address in addresses} == addresses
    assert {Client().get(address).status_code for address in addresses} == {404}
    assert browser.post(picture_address(battle, mine)).status_code == 405


def test_control_an_address_that_asks_for_no_owner_gives_it_away(arena, person, browser, monkeypatch):
    foreign = begin(make_person(), arena=arena, picture=new_picture())
    assert browser.get(picture_address(foreign)).status_code == 404
    monkeypatch.setattr(
        "arena.web.pictures.own_picture", lambda battle, file, person: read_personal_files([file])[file]
    )
    assert browser.get(picture_address(foreign)).status_code == 200


def test_who_has_the_link_sees_the_picture_of_the_shared_battle_alone_and_as_long_as_it_leads_there(arena, person):
    battle = voted(person, arena=arena, picture=new_picture())
    other = voted(person, arena=arena, picture=new_picture(shade=10))
    mine, others = PersonalFile.objects.order_by("created_at")
    token = share_battle(battle_id=battle.pk, person=person, now=timezone.now())
    address, reader = reverse("shared-picture", args=[token, mine.pk]), Client()
    assert address in reader.get(reverse("shared-battle", args=[token])).content.decode()
    found = reader.get(address)
    assert (found.status_code, found["Referrer-Policy"], found["Cache-Control"]) == (200, "no-referrer", "no-store")
    assert reader.get(reverse("shared-picture", args=[token, others.pk])).status_code == 404
    assert reader.get(reverse("shared-picture", args=["guessed", mine.pk])).status_code == 404
    assert reader.get(picture_address(battle, mine)).status_code == 404
    assert other.pk != battle.pk
    revoke_share(battle_id=battle.pk, person=person, now=timezone.now())
    assert reader.get(address).status_code == 404


def test_the_own_page_and_the_own_file_have_it(arena, person, browser):
    battle = begin(person, arena=arena, picture=new_picture())
    assert picture_address(battle) in browser.get(reverse("mine")).content.decode()
    assert "1 picture" in browser.get(reverse("own-data")).content.decode()
    everything = json.loads("".join(own_data(person, now=timezone.now())))
    (row,) = everything["pictures"]
    assert opened(base64.b64decode(row["base64"])).size == (64, 48)
    assert [turn["picture"] for turn in everything["battles"][0]["turns"]] == [row["id"]]
    assert json.loads("".join(own_data(make_person(), now=timezone.now())))["pictures"] == []


def test_no_dataset_has_it_nor_the_words_that_are_about_it(arena, person):
    battle = votable(person, arena=arena, picture=new_picture())
    content = read_contents([battle.item_id])[battle.item_id]
    assert (content.prompt.readable, content.prompt.messages) == (Readable.PICTURED, [])
    plain = votable(person, arena=arena)
    assert read_contents([plain.item_id])[plain.item_id].prompt.readable == Readable.YES


# -- when it goes


def erase(person: Person) -> Erased:
    return erase_own(person_id=person.pk, withdraws=False, now=timezone.now())


def test_an_erasure_takes_the_picture_with_it(arena, person, browser):
    battle = votable(person, arena=arena, picture=new_picture())
    address, file = picture_address(battle), PersonalFile.objects.get()
    assert browser.get(address).status_code == 200
    assert own_holdings(person, now=timezone.now()).pictures == 1
    erase(person)
    file.refresh_from_db()
    assert (bytes(file.sealed), read_personal_files([file.pk])) == (b"", {file.pk: None})
    assert browser.get(address).status_code == 404


def test_what_was_asked_when_its_person_was_erased_fails_by_name(arena, person):
    battle = begin(person, arena=arena, picture=new_picture())
    rows = list(Completion.objects.filter(turn__response__item=battle.item))
    erase(person)
    run_pump()
    for row in rows:
        row.refresh_from_db()
    assert {row.state for row in rows} <= {"cancelled", "failed"}
