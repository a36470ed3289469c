"""What an arena's battles are of: text, images, sounds or films. Fixed by its first battle."""

from dataclasses import replace
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.models import Arena, Battle
from arena.queries.arenas import entries_of, models_outside, playing_models
from arena.use_cases import start_battle as starting
from arena.use_cases.admit_contestants import admit_contestants
from arena.use_cases.change_entry import change_entry
from arena.use_cases.enter_model import OtherOutput, enter_model
from arena.use_cases.save_arena import BadSettings, OutputFixed, save_arena
from arena.use_cases.start_battle import NotEnoughModels
from inference_workers.models import LanguageModel
from inference_workers.use_cases.edit_language_model import Card, Recipe, edit_language_model
from tests.arena.factories import begin, make_arena, make_models
from tests.factories import make_user
from tests.foundation.threads import Meanwhile, run_together
from tests.inference_workers.factories import make_endpoint, make_revision

pytestmark = pytest.mark.django_db


def painters(count: int = 2) -> list[LanguageModel]:
    return [make_revision(output="image").language_model for _ in range(count)]


def save(arena: Arena, **values) -> Arena:
    return save_arena(arena_id=arena.pk, values=values, actor=None, now=timezone.now())


def drawn(battle: Battle) -> set[str]:
    return set(battle.item.responses.values_list("contestant__revision__output", flat=True))


def test_only_models_whose_output_the_battles_are_of_enter_and_are_drawn():
    make_models()
    images = painters()
    texts, pictures = make_arena(), make_arena("pictures", output="image")
    admitted = {
        each.contestant.revision.output
        for arena in (texts, pictures)
        for each in admit_contestants(arena=arena, now=timezone.now()).values()
    }
    assert admitted == {"text", "image"}
    assert set(playing_models(pictures)) == set(images)
    assert {
        each.contestant.served.language_model for each in admit_contestants(arena=pictures, now=timezone.now()).values()
    } == set(images)
    pictures.enters_all = False
    pictures.save()
    assert not models_outside(pictures).exists()
    writer = LanguageModel.objects.filter(current__output="text").first()
    with pytest.raises(OtherOutput):
        enter_model(arena=pictures, language_model=writer, actor=None, now=timezone.now())
    # A model that answers with something else since it entered plays no more, and its arena's admins read why.
    revision = images[0].serves
    type(revision).objects.filter(pk=revision.pk).update(output="video")
    listed = {each.entry.language_model: each for each in entries_of(pictures)}
    assert (listed[images[0]].is_playing, listed[images[0]].answers_with) == (False, "Films")
    assert (listed[images[1]].is_playing, listed[images[1]].answers_with) == (True, "")
    client = Client()
    client.force_login(make_user(role="campaign_admin"))
    page = client.get(reverse("arena-models", args=["pictures"])).content.decode()
    assert "It answers with films, and the battles here are of images" in page
    with pytest.raises(NotEnoughModels):
        begin(arena=pictures)
    assert Battle.objects.count() == 0


def test_a_model_that_plays_keeps_what_it_answers_with_until_it_is_taken_out_of_its_arenas():
    far = make_endpoint(backend="openai", base_url="https://1.1.1.1/v1")
    model = make_revision(endpoint=far).language_model
    words, pictures = make_arena("words"), make_arena("pictures", output="image", enters_all=False)
    entry = enter_model(arena=words, language_model=model, actor=None, now=timezone.now())
    operator = Client()
    operator.force_login(make_user(role="operator"))
    page = reverse("model-edit", args=[model.pk])

    def send(output: str):
        given = {field.html_name: field.value() for field in operator.get(page).context["form"]}
        given = {name: value for name, value in given.items() if value is not None and value is not False}
        return operator.post(page, given | {"output": output, "stop": "", "aliases": ""})

    def become(output: str) -> None:
        """Past the form, as whoever enters it in between leaves it."""
        current = LanguageModel.objects.select_related("current__endpoint").get(pk=model.pk)
        card = Card(**{name: getattr(current, name) for name in Card.__dataclass_fields__})
        recipe = replace(Recipe.of(current.serves), output=output)
        edit_language_model(language_model_id=model.pk, card=card, recipe=recipe, now=timezone.now())

    refused = send("image")
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"output"})
    assert f"something else: {words.campaign.name}. Take it out there first." in refused.content.decode()
    with pytest.raises(ValidationError, match="Take it out there first"):
        become("image")
    assert list(model.revisions.values_list("output", flat=True)) == ["text"]
    for state, status in (("paused", 422), ("retired", 302)):
        change_entry(entry_id=entry.pk, to=state, reason="It draws now.", actor=None, now=timezone.now())
        assert send("image").status_code == status
    enter_model(arena=pictures, language_model=LanguageModel.objects.get(pk=model.pk), actor=None, now=timezone.now())
    assert send("text").status_code == 422


def test_what_an_arena_is_of_changes_until_its_first_battle_and_then_no_more():
    make_models()
    painters()
    arena = make_arena()
    with pytest.raises(BadSettings, match="one turn"):
        save(arena, output="image")
    assert save(arena, output="image", max_turns=1).output == "image"
    assert save(arena, output="text", max_turns=5).output == "text"
    battle = begin()
    assert drawn(battle) == {"text"}
    with pytest.raises(OutputFixed):
        save(arena, output="image", max_turns=1)
    # Nor by whoever writes past the use case.
    with pytest.raises(IntegrityError, match="stays with what its models answer with"):
        Arena.objects.update(output="image", max_turns=1)


def begin_while_saved(monkeypatch, arena: Arena, wait: float):
    """Its models are drawn; then the arena is saved as one of images."""
    meanwhile = Meanwhile(wait)
    monkeypatch.setattr(starting, "draw_contestants", meanwhile.after(starting.draw_contestants))
    change = partial(save, arena, output="image", max_turns=1)
    return run_together(partial(begin, arena=arena), partial(meanwhile.do, change))


@pytest.mark.django_db(transaction=True)
def test_an_arena_that_is_saved_while_a_battle_begins_stays_what_it_is(monkeypatch):
    make_models()
    arena = make_arena()
    battle, refused = begin_while_saved(monkeypatch, arena, 0.7)
    assert (drawn(battle), type(refused), Arena.objects.get().output) == ({"text"}, OutputFixed, "text")


@pytest.mark.django_db(transaction=True)
def test_control_without_the_hold_a_battle_of_texts_begins_in_an_arena_of_images(monkeypatch):
    make_models()
    arena = make_arena()
    monkeypatch.setattr(starting, "hold_output", lambda arena: None)
    battle, _saved = begin_while_saved(monkeypatch, arena, 25)
    assert (drawn(battle), Arena.objects.get().output) == ({"text"}, "image")


def as_shown(page) -> dict[str, object]:
    """What a browser sends back of an arena's settings that nobody has changed."""
    initial = page.context["form"].initial
    kept = {name: value for name, value in initial.items() if value is not None and value is not False}
    return kept | {"examples": ""}


def test_an_admin_opens_an_arena_of_sounds_and_reads_what_does_not_fit_it():
    make_models(output="audio")
    client = Client()
    client.force_login(make_user(role="campaign_admin"))
    asked = {"name": "Voices", "contestants": 2, "output": "smell"}
    assert client.post(reverse("arena-new"), asked).status_code == 422
    assert client.post(reverse("arena-new"), asked | {"output": "audio"}).status_code == 302
    arena = Arena.objects.select_related("campaign").get()
    assert (arena.output, arena.max_turns, arena.campaign.played_share) == ("audio", 1, 0.5)
    reasons = next(each for each in arena.campaign.draft["questions"] if each["name"] == "reasons")
    assert "Sounds more natural" in reasons["settings"]["options"]
    page = reverse("arena-settings", args=["voices"])
    initial = client.get(page).context["form"].initial
    sent = {name: value for name, value in initial.items() if value is not None and value is not False} | {
        "examples": ""
    }
    refused = client.post(page, sent | {"max_turns": 3})
    assert (refused.status_code, "have one turn: write 1" in refused.content.decode()) == (422, True)
    assert client.post(page, sent | {"output": "text", "max_turns": 3}).status_code == 302
    assert client.post(page, sent | {"output": "image"}).status_code == 302
    # From the first battle on the field is there to be read, whatever a form says.
    make_models(output="image")
    arena = make_arena("pictures", output="image")
    begin(arena=arena)
    page = reverse("arena-settings", args=["pictures"])
    found = client.get(page)
    assert "It has battles, so this stays as it is." in found.content.decode()
    initial = found.context["form"].initial
    sent = {name: value for name, value in initial.items() if value is not None and value is not False} | {
        "examples": ""
    }
    assert client.post(page, sent | {"output": "text"}).status_code == 302
    arena.refresh_from_db()
    assert arena.output == "image"
