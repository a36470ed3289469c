"""A model labels prompts beside the rules: kept apart, compared on the page, and never waited for."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.erase_person import erase_person
from annotation.models import Event, PromptLabel
from annotation.policies.categories import RULES_VERSION
from annotation.queries.labels import agreement_in
from arena.models import PromptClassifier
from arena.queries.classifier import Swept
from arena.use_cases import classify_prompts as classifying
from arena.use_cases.classify_prompts import classify_prompts
from arena.use_cases.set_classifier import set_classifier
from arena.use_cases.set_moderator import SortsNothing
from inference_workers.models import Completion
from inference_workers.tasks.backends import Backends
from tests.arena.factories import begin, let_open, make_arena, make_models
from tests.factories import make_person, make_user
from tests.inference_workers.engine.tiny_classifier import save_tiny_classifier
from tests.inference_workers.factories import make_endpoint, make_revision
from tests.inference_workers.pumping import run_pump

pytestmark = pytest.mark.django_db(transaction=True)

HAIKU = "Write a haiku about the rain in April."
CODE = "Please explain this code"


def sorter(**fields):
    return make_revision(model={"name": "Sorter", "slug": "sorter", "task": "classes"}, **fields)


def put_to_work(revision, *, limit: float = 0.5):
    arena = make_arena()
    make_models()
    model = revision.language_model
    set_classifier(arena_id=arena.pk, language_model=model, limit=limit, actor=None, now=timezone.now())
    return arena


def sweep(*, later: timedelta = timedelta()) -> int:
    return classify_prompts(now=timezone.now() + later)


def by_model() -> list:
    found = PromptLabel.objects.filter(kind="classifier").order_by("prompt")
    return [(row.version, row.labels, round(row.confidence, 1)) for row in found]


def test_the_workers_label_prompts_by_a_folder_beside_the_rules(tmp_path, settings):
    folder = save_tiny_classifier(tmp_path / "models" / "tiny", labels=("other", "code"), word="code")
    settings.MODEL_FOLDERS = [str(tmp_path / "models")]
    arena = put_to_work(sorter(endpoint=make_endpoint(backend="transformers"), provider_model=str(folder)))
    begin(prompt=HAIKU)
    begin(prompt=CODE)
    Completion.objects.filter(task="text").update(state="cancelled")
    assert sweep() == 0  # asked for, and nobody waits
    run_pump(Backends())
    assert sweep() == 2
    assert by_model() == [("sorter r1 from 0.5", ["other"], 1.0), ("sorter r1 from 0.5", ["code"], 1.0)]
    rules = PromptLabel.objects.filter(kind="rules").order_by("prompt")
    assert {row.version for row in rules} == {RULES_VERSION}
    assert rules[0].labels == ["creative"]
    assert sweep() == 0
    found = agreement_in(arena.campaign, "sorter r1 from 0.5")
    assert (found.prompts, {each.name for each in found.categories} >= {"creative", "other", "code"}) == (2, True)


def test_the_pages_show_labels_with_version_and_score_and_how_far_both_agree(client):
    arena = put_to_work(sorter())
    begin(prompt="Write a Python function that sorts a list. !code")
    begin(prompt=HAIKU)
    item = begin(prompt="Write a Python script. But !violence").item
    sweep()
    run_pump(Backends())
    sweep()
    client.force_login(make_user(role="campaign_admin"))
    page = re.sub(r"\s+", " ", client.get(reverse("arena-prompts", args=["arena"])).content.decode())
    assert 'Labelled by both</dt><dd class="number">3</dd>' in page
    assert 'none from either</dt><dd class="number">1 (33.3 %)</dd>' in page
    row = '<tr><th scope="row"><code>code</code></th><td class="num">1</td><td class="num">1</td><td class="num">0</td>'
    assert row in page
    page = client.get(reverse("campaign-item", args=["arena", item.pk])).content.decode()
    assert "What is asked for, by a language model" in page
    assert "sorter r1 from 0.5" in page
    assert arena.prompt_classifier.version == "sorter r1 from 0.5"


def test_off_it_asks_nothing_and_a_battle_begins_and_votes_whether_it_works_or_fails(client):
    make_arena()
    make_models()
    begin(prompt=HAIKU)
    assert (sweep(), Completion.objects.filter(task="classes").count()) == (0, 0)
    put_to_work(sorter())
    battle = begin(prompt="this !fails")
    sweep()
    run_pump(Backends())
    let_open()
    battle.refresh_from_db()
    assert battle.state == "votable"
    asked = Completion.objects.filter(task="classes")
    assert (sweep(), asked.count(), asked.filter(state="failed").count()) == (1, 2, 1)
    client.force_login(make_user(role="campaign_admin"))
    page = client.get(reverse("arena-prompts", args=["arena"])).content.decode()
    assert "Sorter could not label 1 of the newest prompts: internal." in page
    assert (sweep(later=timedelta(hours=2)), asked.count()) == (0, 3)  # asked again after an hour


def labelled_behind_failures(failing: int, most: int, sweeps: int) -> list:
    """The newest prompts fail, so many; older ones are left. What is labelled after some sweeps of `most` prompts."""
    put_to_work(sorter())
    for _again in range(3):
        begin(prompt="Some !code please")
    person = make_person()
    for number in range(failing):
        begin(person if number % 2 else None, prompt="this !fails")
    Completion.objects.filter(task="text").update(state="cancelled")
    for _again in range(sweeps):
        classify_prompts(now=timezone.now(), limit=most)
        asked = Completion.objects.filter(task="classes", state="queued").count()
        assert asked <= 2 * most
        run_pump(Backends())
    return by_model()


def test_prompts_that_fail_do_not_keep_older_ones_from_their_labels():
    assert len(labelled_behind_failures(failing=5, most=2, sweeps=11)) == 3
    assert PromptClassifier.objects.get().reached is None  # the end was reached: it begins again


def test_control_where_each_sweep_looks_at_the_newest_alone_the_older_ones_starve(monkeypatch):
    found = classifying.sweep_of
    monkeypatch.setattr(classifying, "sweep_of", lambda *given, **named: without_the_older(found(*given, **named)))
    assert labelled_behind_failures(failing=5, most=2, sweeps=11) == []


def without_the_older(swept: Swept) -> Swept:
    return Swept(swept.wanted[:2], swept.stuck, None)


def test_another_limit_or_revision_labels_anew_beside_the_old_and_an_erased_persons_prompt_is_passed_over():
    revision, person = sorter(), make_person()
    arena = put_to_work(revision)
    begin(prompt="Some !code please")
    begin(person, prompt="My name is Rumpelstiltskin !code")
    erase_person(person_id=person.pk, now=timezone.now())
    for limit in (0.5, 0.95):
        model = revision.language_model
        set_classifier(arena_id=arena.pk, language_model=model, limit=limit, actor=None, now=timezone.now())
        sweep()
        run_pump(Backends())
        sweep()
    assert by_model() == [("sorter r1 from 0.5", ["code"], 0.9), ("sorter r1 from 0.95", [], 0.9)]
    assert Completion.objects.filter(task="classes").count() == 1  # measured once, read twice


def test_an_admin_chooses_it_and_a_wrong_setting_is_named(client, tmp_path, settings):
    make_arena()
    revision, writes = sorter(), make_revision()
    client.force_login(make_user(role="campaign_admin"))
    address = reverse("arena-classifier", args=["arena"])
    said = {"language_model": revision.language_model_id, "limit": "0.6"}
    refused = client.post(address, said | {"language_model": writes.language_model_id})
    assert (refused.status_code, "Select a valid choice" in refused.content.decode()) == (422, True)
    refused = client.post(address, said | {"limit": "1.5"})
    assert (refused.status_code, "less than or equal to 1" in refused.content.decode()) == (422, True)
    assert client.post(address, said).status_code == 302
    assert PromptClassifier.objects.get().limit == 0.6
    assert client.post(address, {"language_model": "", "limit": "0.6"}).status_code == 302
    assert list(Event.objects.filter(verb__startswith="classifier").order_by("pk").values_list("verb", flat=True)) == [
        "classifier_set",
        "classifier_unset",
    ]
    with pytest.raises(SortsNothing):
        put_to_work(writes)


def test_an_operator_is_told_that_a_folder_has_no_head_that_sorts(client, tmp_path, settings):
    (tmp_path / "models" / "writer").mkdir(parents=True)
    (tmp_path / "models" / "writer" / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    settings.MODEL_FOLDERS = [str(tmp_path / "models")]
    endpoint = make_endpoint(backend="transformers")
    client.force_login(make_user(role="operator"))
    page = client.get(reverse("model-new"))
    said = {name: value for name, value in page.context["form"].initial.items() if value is not None}
    said |= {"name": "W", "slug": "w", "task": "classes", "endpoint": endpoint.pk, "visibility": "public"}
    said |= {"provider_model": str(tmp_path / "models" / "writer"), "output": "text", "weight": "0", "stop": ""}
    refused = client.post(reverse("model-new"), said | {"aliases": ""})
    assert "This model has no head that sorts texts." in refused.content.decode()
