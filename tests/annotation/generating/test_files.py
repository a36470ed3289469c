"""Language models that answer with pictures, sounds and films: checked, freed of what they tell, and judged."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.enums import Role
from annotation.enums import TurnKind
from annotation.models import Campaign, Item, MediaFile, Turn
from annotation.queries.shown import shown_item
from annotation.use_cases import sweep_media as sweeping
from annotation.use_cases.sweep_media import sweep_media
from foundation.media.store import media_path, staged, staging_folder
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.models import Completion, CompletionFile, LanguageModel
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks.files import FileRefused
from inference_workers.tasks.pump import Pump
from tests.annotation.generating.factories import advance, generation_of
from tests.factories import PREFERENCE, make_campaign, make_user, new_key
from tests.inference_workers.engine.tiny_media_endpoint import file_for
from tests.inference_workers.factories import make_endpoint, make_revision
from tests.inference_workers.kept_files import kept_file

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = b"canary-model"
MOST = 10_000_000


@pytest.fixture(autouse=True)
def media_folder(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"


class Scripted:
    """One backend for all endpoints; `file` stands in for what it would make."""

    def __init__(self, file=None):
        self.backend = ScriptedBackend(ScriptedSettings(64), rule=lambda request: Script((), file=file))

    def of(self, endpoint):
        return self.backend

    def drop(self, backend):
        raise AssertionError("the backend broke")


def pump(file=None):
    writer = StreamWriter(sync_client())
    Pump(backends=Scripted(file), writer=writer, lease=timedelta(seconds=60), rest_seconds=1.0).run()


def take(content, output, *, most=MOST):
    with kept_file(content, output, most=most) as kept:
        return kept


def writers(output, count=2):
    endpoint = make_endpoint(capacity=64)
    return [
        make_revision(endpoint=endpoint, provider_model="canary-model", output=output).language_model
        for _ in range(count)
    ]


@pytest.mark.parametrize("output", ["image", "audio", "video"])
def test_a_batch_of_files_makes_items_that_are_judged_with_the_players_there_are(output):
    campaign = make_campaign(slug="trial", questions=[PREFERENCE])
    generation = generation_of(campaign, 2, asked=writers(output))
    advance(generation)
    pump()
    advance(generation)
    assert [item.state for item in generation.items.all()] == ["open", "open"]
    turns = list(Turn.objects.filter(response__item__generation=generation).select_related("completion__file"))
    assert {turn.kind for turn in turns} == {TurnKind.FILE}
    assert all(turn.file == turn.completion.file.stored for turn in turns)
    assert all((turn.completion.text, turn.completion.finish_reason) == ("", "stop") for turn in turns)
    # Nothing of the model is left in the bytes that a browser gets, nor in what the file is called.
    assert not any(CANARY in media_path(turn.file).read_bytes() for turn in turns)
    names = MediaFile.objects.values_list("name", flat=True)
    assert all(name.startswith("written-") and "canary" not in name for name in names)
    shown = shown_item(turns[0].response.item_id, [0, 1])
    assert [[turn.media.kind for turn in response.turns] for response in shown.responses] == [[output], [output]]
    admin = Client()
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    page = admin.get(reverse("campaign-item", args=["trial", turns[0].response.item_id])).content.decode()
    assert "How it was written" in page
    assert {"image": "<img", "audio": "<audio", "video": "<video"}[output] in page


def test_what_films_will_cost_is_told_before_they_are_ordered_and_what_they_cost_after():
    make_campaign(slug="trial", questions=[PREFERENCE])
    asked = writers("video")
    LanguageModel.objects.update(price_file="0.25", price_second="0.5", longest_seconds=4)
    admin = Client()
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    page = reverse("campaign-generate", args=["trial"])

    def reckoned():
        values = {"models": [model.pk for model in asked], "lines": "One?\nTwo?", "samples": 1, "design": "matched"}
        answer = admin.post(page, values | {"key": new_key()})
        return answer, answer.context["figures"]["estimate"]

    answer, found = reckoned()
    # Four films of which nobody knows how long they will play.
    assert (found.cost, found.at_most, found.tokens) == (Decimal(9), True, 4)
    assert "0.25 USD for each file, 0.5 USD for each second" in answer.content.decode()
    assert answer.content.decode().count("<small>answers with films · ") == len(asked)
    assert "≤ 9.0000" in answer.content.decode()
    generation = generation_of(Campaign.objects.get(), 2, asked=asked)
    advance(generation)
    pump()
    advance(generation)
    seconds = [Decimal(str(round(each, 3))) for each in CompletionFile.objects.values_list("seconds", flat=True)]
    cost = sum(Decimal("0.25") + each / 2 for each in seconds)
    told = admin.get(reverse("generation", args=["trial", generation.pk])).context["progress"]
    assert (len(seconds), told.cost, told.unpriced) == (4, cost, [])
    _answer, found = reckoned()
    assert (found.at_most, float(found.cost)) == (False, pytest.approx(float(cost), abs=0.01))


@pytest.mark.parametrize("output", ["image", "audio", "video"])
def test_what_a_server_writes_into_a_file_is_not_kept(output):
    came = file_for(output, "plain")
    kept = take(came, output)
    assert kept.kind == output
    assert CANARY not in media_path(kept.stored).read_bytes()


@pytest.mark.parametrize("output", ["video"])
def test_control_a_file_that_was_only_checked_still_names_its_model(output):
    with staging_folder() as folder:
        path = folder / "0"
        path.write_bytes(file_for(output, "plain"))
        staged(path, "x")
        assert CANARY in path.read_bytes()


@pytest.mark.parametrize(
    ("output", "prompt", "why"),
    [
        ("image", "html", "no picture, sound or film"),
        ("audio", "html", "no picture, sound or film"),
        ("image", "other", "audio/wav came where image was asked for"),
        ("video", "other", "came where video was asked for"),
        ("image", "cut", "broken or cut short"),
        ("audio", "cut", "cut short"),
        ("video", "cut", "cut short"),
    ],
)
def test_what_is_not_the_file_that_was_asked_for_is_refused_by_name(output, prompt, why):
    with pytest.raises(FileRefused, match=why):
        take(file_for(output, prompt), output)
    assert not [path for path in media_path("files").rglob("*") if path.is_file()]


def test_bombs_and_files_that_are_too_large_are_refused(settings):
    settings.MEDIA_IMAGE_MAX_PIXELS = 10_000
    with io.BytesIO() as out:
        Image.new("L", (2_000, 2_000)).save(out, "PNG")
        bomb = out.getvalue()
    assert len(bomb) < 100_000
    with pytest.raises(FileRefused, match="pixels"):
        take(bomb, "image")
    with pytest.raises(FileRefused, match="more than"):
        take(file_for("audio", "plain"), "audio", most=100)
    with pytest.raises(FileRefused, match="empty"):
        take(b"", "audio", most=100)


def test_a_refused_file_is_asked_for_once_more_and_then_told_to_the_admin():
    generation = generation_of(make_campaign(), 1, asked=writers("image"))
    for _round in range(3):
        advance(generation)
        pump(b"<html>503</html>")
    assert set(Completion.objects.values_list("state", "error_code")) == {("failed", "file_refused")}
    assert Completion.objects.count() == 4
    assert (CompletionFile.objects.count(), MediaFile.objects.count()) == (0, 0)
    assert Item.objects.get().state == "filling"


def test_the_sweeper_keeps_files_of_completions(monkeypatch):
    generation = generation_of(make_campaign(), 1, asked=writers("image"))
    advance(generation)
    pump()
    monkeypatch.setattr(sweeping, "SECONDS_UNCLAIMED", -1)
    assert MediaFile.objects.count() == 0
    assert sweep_media(now=timezone.now()) == 0
    assert all(media_path(file.stored).is_file() for file in CompletionFile.objects.all())
    # Once nobody names them they go.
    CompletionFile.objects.all().delete()
    assert sweep_media(now=timezone.now()) > 0
