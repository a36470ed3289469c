"""Pictures before the moderation model: those that visitors add, and images that models answer with; over HTTP, as the
address is really asked. What it is not shown, pages say."""

import base64
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import PersonalFile
from accounts.use_cases.erase_person import erase_person
from annotation.models import Turn
from annotation.use_cases.forget_files import forget_files
from arena.models import Arena, Battle, Moderation, Moderator
from arena.use_cases import moderate_answers as moderating
from arena.use_cases.moderate_answers import drop_moderations
from arena.use_cases.set_moderator import ReadsWordsOnly, set_moderator
from inference_workers.dispatch import InvalidMessages, request_measures
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.models import Completion, LanguageModel
from inference_workers.tasks.backends import Backends
from tests.arena.factories import begin, let_open, make_arena, make_models
from tests.arena.test_moderation_model import classifier, ends, working
from tests.arena.voting import browser_of
from tests.factories import make_person, make_user, new_key
from tests.inference_workers.engine.json_endpoint import JSONEndpoint
from tests.inference_workers.factories import make_endpoint
from tests.inference_workers.pumping import run_pump

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "cookie-of-who-shows-a-picture"
RED, BLUE = (200, 20, 20), (20, 20, 200)


def of_colour(colour: tuple[int, int, int]) -> bytes:
    with io.BytesIO() as made:
        Image.new("RGB", (120, 80), colour).save(made, "PNG")
        return made.getvalue()


def colour_of(part: dict[str, Any]) -> tuple[int, int, int]:
    kind, _, data = part["image_url"]["url"].partition(";base64,")
    assert kind in ("data:image/jpeg", "data:image/png")
    with Image.open(io.BytesIO(base64.b64decode(data))) as seen:
        return seen.convert("RGB").getpixel((5, 5))


def is_red(part: dict[str, Any]) -> bool:
    red, green, blue = colour_of(part)
    return red > 150 > max(green, blue)


def looks(body: dict[str, Any]) -> tuple[int, Any]:
    """As OpenAI's: one result for a list with a picture in it, one for each text of a list of texts. Red is violent."""
    said = body["input"]
    if isinstance(said[0], str):
        return 200, {"results": [{"category_scores": {"violence": 0.02}} for _text in said]}
    pictures = [part for part in said if part["type"] == "image_url"]
    assert len(pictures) == 1, "a request is about one picture"
    return 200, {"results": [{"category_scores": {"violence": 0.97 if is_red(pictures[0]) else 0.02}}]}


@pytest.fixture
def guard(settings):
    with JSONEndpoint(looks) as endpoint:
        settings.OUTBOUND_ALLOWED_HOSTS = [endpoint.url.split("/")[2]]
        yield endpoint


def before(guard, arena: Arena, *, takes_images: bool = True, wait_seconds: int = 15) -> Arena:
    endpoint = make_endpoint(backend="openai", base_url=guard.url, timeout_seconds=10)
    set_moderator(
        arena_id=arena.pk,
        language_model=classifier(endpoint=endpoint, provider_model="omni").language_model,
        limits={"*": 0.5},
        wait_seconds=wait_seconds,
        on_silence="hold_back",
        takes_images=takes_images,
        actor=None,
        now=timezone.now(),
    )
    return arena


def arena_with_pictures(guard, **given: Any) -> Arena:
    make_models(2)
    LanguageModel.objects.update(takes_images=True)
    return before(guard, make_arena(takes_images=True), **given)


def send(content: bytes, address: str = "start-battle", *args: Any) -> Any:
    file = SimpleUploadedFile("photo.png", content, content_type="image/png")
    said = {"prompt": "What is this?", "key": new_key(), "picture": file}
    return browser_of(TOKEN).post(reverse(address, args=args), said)


def shown(guard) -> list[str]:
    """What the address was asked about, in order: a text, or the kinds of the parts."""
    return [each if isinstance(each, str) else each["type"] for _path, body in guard.asked for each in body["input"]]


def test_a_picture_that_it_stops_is_not_taken_and_nothing_of_it_is_kept(guard):
    arena_with_pictures(guard)
    with working():
        refused = send(of_colour(RED))
    page = refused.content.decode()
    assert (refused.status_code, "This arena does not take this: violence." in page) == (422, True)
    assert "What is this?</textarea>" in page
    assert (Battle.objects.count(), PersonalFile.objects.count()) == (0, 0)
    row = Moderation.objects.get()
    assert (row.state, row.found, row.with_picture, row.picture) == ("stopped", ["violence"], True, None)
    assert shown(guard) == ["text", "image_url"]


def test_control_a_model_that_reads_words_only_lets_the_same_picture_through_and_the_pages_say_so(guard):
    arena_with_pictures(guard, takes_images=False)
    with working():
        assert send(of_colour(RED)).status_code == 302
    assert shown(guard)[0] == "What is this?"
    assert Moderation.objects.order_by("pk")[0].with_picture is False
    home = Client().get(reverse("home")).content.decode()
    assert "It is not shown: pictures that visitors add." in home
    admin = Client()
    admin.force_login(make_user(role="campaign_admin"))
    for name in ("arena-rules", "arena-integrity"):
        assert "Nobody checks: pictures that visitors add." in admin.get(reverse(name, args=["arena"])).content.decode()
    Moderator.objects.update(takes_images=True)
    assert "It is not shown" not in Client().get(reverse("home")).content.decode()
    assert "A moderation model looks at it first" in Client().get(reverse("home")).content.decode()
    assert "Nobody checks" not in admin.get(reverse("arena-rules", args=["arena"])).content.decode()


def test_a_picture_that_it_lets_through_is_kept_once_and_so_is_that_of_a_follow_up(guard):
    arena_with_pictures(guard)
    with working():
        assert send(of_colour(BLUE)).status_code == 302
    battle = Battle.objects.get()
    run_pump(Backends())
    let_open()
    battle.refresh_from_db()
    assert (battle.state, PersonalFile.objects.count()) == ("votable", 1)
    with working():
        refused = send(of_colour(RED), "follow-up", battle.pk)
    battle.refresh_from_db()
    assert (refused.status_code, battle.turn_count, PersonalFile.objects.count()) == (422, 1, 1)
    assert ("prompt", "stopped", "") in ends()


def test_a_picture_that_nobody_answers_about_is_gone_with_its_question(guard):
    arena_with_pictures(guard, wait_seconds=1)  # no worker is there
    assert send(of_colour(BLUE)).status_code == 422
    assert ends() == [("prompt", "held_back", "late")]
    assert (PersonalFile.objects.count(), Completion.objects.get().state) == (0, "cancelled")


def dies(*given: Any) -> float:
    raise SystemExit


def test_what_a_dead_page_left_of_a_picture_is_swept(guard, monkeypatch):
    arena_with_pictures(guard)
    monkeypatch.setattr("arena.use_cases.moderate._wait", dies)
    with pytest.raises(SystemExit):
        send(of_colour(BLUE))
    assert PersonalFile.objects.count() == 1
    assert drop_moderations(now=timezone.now()) == 0
    assert drop_moderations(now=timezone.now() + timedelta(minutes=2)) == 1
    assert (PersonalFile.objects.count(), Completion.objects.get().state) == (0, "cancelled")


class Painting(Backends):
    """Models that paint red the first times, counted over all; what measures is real."""

    def __init__(self, reds: int) -> None:
        super().__init__()
        files = iter([of_colour(RED)] * reds)
        rule = lambda request: Script((), file=next(files, of_colour(BLUE)))  # noqa: E731
        self.painter = ScriptedBackend(ScriptedSettings(64), rule=rule)

    def of(self, endpoint):
        return self.painter


def painted(guard, settings, tmp_path, reds: int, output: str = "image", **given: Any) -> Battle:
    """A battle whose first images, so many, are red. Its prompt was taken before the arena had a model."""
    settings.MEDIA_ROOT = tmp_path / "media"
    make_models(2, output=output)
    battle = begin(arena=make_arena(output=output), prompt="A door.")
    before(guard, battle.arena, **given)
    run_pump(Painting(reds) if output == "image" else Backends())
    let_open()
    battle.refresh_from_db()
    return battle


@pytest.mark.parametrize(("reds", "state", "replaced"), [(0, "votable", 0), (1, "votable", 1), (3, "void", 1)])
def test_an_image_that_it_stops_is_painted_anew_once(guard, settings, tmp_path, reds, state, replaced):
    battle = painted(guard, settings, tmp_path, reds)
    assert battle.state == state
    assert set(shown(guard)) == {"image_url"}
    stopped = Moderation.objects.filter(state="stopped", about="answer", with_picture=True)
    assert stopped.count() == reds if state == "votable" else stopped.count() >= 2
    assert Turn.objects.filter(replacements=1).count() >= replaced


def test_control_a_model_that_is_shown_no_image_lets_every_one_be_voted_on(guard, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(moderating, "_seen", lambda moderator, turn: {})
    assert painted(guard, settings, tmp_path, reds=2).state == "votable"
    assert (shown(guard), Moderation.objects.count()) == ([], 0)


def test_of_sounds_the_pages_say_that_nobody_checks_them(guard, settings, tmp_path):
    assert painted(guard, settings, tmp_path, 0, output="audio").state == "votable"
    assert shown(guard) == []
    admin = Client()
    admin.force_login(make_user(role="campaign_admin"))
    said = admin.get(reverse("arena-rules", args=["arena"])).content.decode()
    assert "Nobody checks: sounds that models answer with." in said
    assert "It is not shown: sounds that models answer with." in Client().get(reverse("home")).content.decode()


def test_an_image_whose_person_was_erased_is_not_shown(guard, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    make_models(2, output="image")
    person = make_person()
    battle = begin(person, arena=make_arena(output="image"), prompt="A door.")
    run_pump(Painting(0))
    before(guard, battle.arena)
    revision = Moderator.objects.get().language_model.serves
    answer = Completion.objects.filter(task="text").first()
    chat = [{"role": "user", "content": "", "answer": str(answer.pk)}]
    for nobody in (None, make_person()):
        with pytest.raises(InvalidMessages):
            request_measures(revision=revision, chats=[chat], person=nobody)
    assert request_measures(revision=revision, chats=[chat], person=person) == 1
    forget_files(person_ids=[person.pk])
    erase_person(person_id=person.pk, now=timezone.now())
    run_pump(Backends())
    assert Completion.objects.get(task="classes").error_code == "person_erased"
    assert guard.asked == []


def test_a_folder_reads_words_only_and_the_form_says_so(client, guard):
    arena = make_arena(takes_images=True)
    revision = classifier(endpoint=make_endpoint(backend="transformers"))
    said = {"language_model": revision.language_model_id, "wait_seconds": "4", "limits": "* = 0.5"}
    said |= {"on_silence": "hold_back", "takes_images": "on"}
    client.force_login(make_user(role="campaign_admin"))
    refused = client.post(reverse("arena-moderator", args=["arena"]), said)
    assert (refused.status_code, "reads words alone" in refused.content.decode()) == (422, True)
    with pytest.raises(ReadsWordsOnly):
        set_moderator(
            arena_id=arena.pk,
            language_model=revision.language_model,
            limits={"*": 0.5},
            wait_seconds=4,
            on_silence="hold_back",
            takes_images=True,
            actor=None,
            now=timezone.now(),
        )
    endpoint = make_endpoint(backend="openai", base_url=guard.url)
    revision.endpoint = endpoint
    type(revision).objects.filter(pk=revision.pk).update(endpoint=endpoint)
    assert client.post(reverse("arena-moderator", args=["arena"]), said).status_code == 302
    assert Moderator.objects.get().takes_images is True
