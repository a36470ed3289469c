"""Prompts get labels: by rule as a battle begins, language and imports' by the workers; once for each version."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.erase_person import erase_person
from annotation.models import Item, Prompt, PromptLabel
from annotation.policies.categories import RULES_VERSION
from annotation.policies.lengths import VERSION as LENGTHS_VERSION
from annotation.policies.lengths import length_of
from annotation.queries.labels import asked_in
from annotation.use_cases import label_prompt
from annotation.use_cases.create_prompt import create_prompt
from annotation.use_cases.label_prompt import LABELLED, label_prompts
from inference_workers.policies.languages import LANGUAGES_VERSION, UNKNOWN, language_of
from tests.arena.factories import begin, make_arena, make_models
from tests.factories import make_person, make_user

pytestmark = pytest.mark.django_db

HAIKU = 'Write a haiku about the rain in April without using the word "rain".'


def labels_of(prompt):
    return list(prompt.labels.order_by("kind").values_list("kind", "version", "labels"))


def test_a_battle_has_its_categories_at_once_and_its_language_from_the_workers():
    make_models()
    item = begin(prompt=HAIKU).item
    assert (item.category, item.language) == ("creative", "")
    assert labels_of(item.prompt) == [("rules", RULES_VERSION, ["creative", "constraints"])]
    assert label_prompts(now=timezone.now()) == 1
    item.refresh_from_db()
    assert (item.language, Prompt.objects.get().language) == ("en", "en")
    assert labels_of(item.prompt) == [
        ("language", LANGUAGES_VERSION, ["en"]),
        ("rules", RULES_VERSION, ["creative", "constraints"]),
    ]
    assert label_prompts(now=timezone.now()) == 0


def test_short_prompts_and_code_have_no_language_and_nothing_waits_for_it():
    make_models()
    item = begin(prompt="Hi!").item
    label_prompts(now=timezone.now())
    item.refresh_from_db()
    assert (item.language, PromptLabel.objects.get(kind="language").labels) == ("", [UNKNOWN])
    code = language_of("```\nfor item in items: print(item.name, item.price)\n``` ok?")
    assert (code.language, code.sure) == (UNKNOWN, None)
    assert language_of("Warum ist der Himmel blau und das Meer grün?").language == "de"


def test_imported_prompts_are_labelled_lazily_and_keep_what_their_file_says_of_them():
    said = create_prompt(messages=[{"role": "user", "content": HAIKU}], person=None, language="la")
    label_prompts(now=timezone.now())
    said.refresh_from_db()
    assert (said.language, said.labelled_under) == ("la", LABELLED)
    assert [labels for _kind, _version, labels in labels_of(said)] == [["en"], ["creative", "constraints"]]


def test_a_prompt_has_the_band_of_what_its_person_wrote_over_all_turns_at_once_and_an_older_one_from_the_workers():
    def said(*lengths):
        turns = [{"role": "user", "content": "ü" * length} for length in lengths]
        return [{"role": "system", "content": "x" * 3000}, *turns, {"role": "assistant", "content": "y" * 3000}]

    bounds = {0: "short", 100: "short", 101: "medium", 500: "medium", 501: "long", 2000: "long", 2001: "very_long"}
    assert {length: length_of(said(length)) for length in bounds} == bounds
    person = make_person()
    prompt = create_prompt(messages=said(60, 41), person=person)
    assert prompt.length == "medium"
    older = [create_prompt(messages=said(2001), person=each) for each in (person, None)]
    Prompt.objects.filter(pk__in=[each.pk for each in older]).update(length="")
    label_prompts(now=timezone.now())
    assert [Prompt.objects.get(pk=each.pk).length for each in older] == ["very_long", "very_long"]
    erase_person(person_id=person.pk, now=timezone.now())
    prompt.refresh_from_db()
    assert prompt.length == "medium"


def test_another_version_adds_its_labels_beside_the_old_ones(monkeypatch):
    prompt = create_prompt(messages=[{"role": "user", "content": "Who wrote Emma?"}], person=None)
    label_prompts(now=timezone.now())
    monkeypatch.setattr(label_prompt, "RULES_VERSION", "rules-next")
    monkeypatch.setattr(label_prompt, "LABELLED", f"rules-next {LANGUAGES_VERSION} {LENGTHS_VERSION}")
    monkeypatch.setattr(label_prompt, "categories_by_rule", lambda messages: ["code"])
    assert label_prompts(now=timezone.now()) == 1
    assert list(prompt.labels.filter(kind="rules").order_by("pk").values_list("version", "labels")) == [
        (RULES_VERSION, ["factual"]),
        ("rules-next", ["code"]),
    ]


def test_an_erased_persons_prompt_is_passed_over_and_its_words_are_nowhere():
    person = make_person()
    create_prompt(messages=[{"role": "user", "content": "My secret name is Rumpelstiltskin."}], person=person)
    label_prompts(now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM annotation_promptlabel p WHERE p::text ILIKE '%rumpel%'")
        assert cursor.fetchone() == (0,)
    other = create_prompt(messages=[{"role": "user", "content": "Another secret of mine."}], person=person)
    erase_person(person_id=person.pk, now=timezone.now())
    assert label_prompts(now=timezone.now()) == 1
    assert other.labels.count() == 0


def test_the_arenas_page_tells_what_is_asked_in_a_few_queries(client):
    make_models()
    arena = make_arena()
    for prompt in (HAIKU, "Write a poem about a bicycle in the snow.", "Wer hat das Penicillin entdeckt?"):
        begin(prompt=prompt)
    label_prompts(now=timezone.now())
    Item.objects.filter(category="factual").update(state="void")
    asked = asked_in(arena.campaign)
    assert (asked.items, asked.categories, asked.languages) == (2, [("creative", 2), ("constraints", 1)], [("en", 2)])
    with CaptureQueriesContext(connection) as queries:
        asked_in(arena.campaign)
    assert len(queries) == 3
    client.force_login(make_user(role="campaign_admin"))
    page = client.get(reverse("arena-prompts", args=[arena.campaign.slug])).content.decode()
    assert "<code>creative</code>" in page
