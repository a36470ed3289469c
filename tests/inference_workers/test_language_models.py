"""Editing language models and endpoints, by use case and in the admin."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from foundation.encryption import Unreadable
from foundation.outbound import release_secret
from inference_workers.enums import Backend, Visibility
from inference_workers.models import Completion, Endpoint, LanguageModel, LanguageModelRevision
from inference_workers.queries import Failures, recent_failures
from inference_workers.streams import sync_client
from inference_workers.use_cases import edit_language_model as editing
from inference_workers.use_cases.edit_endpoint import EndpointSettings, add_endpoint, edit_endpoint
from inference_workers.use_cases.edit_language_model import Card, Recipe, add_language_model, edit_language_model
from inference_workers.use_cases.seed_demo_models import seed_demo_models
from tests.factories import make_user
from tests.foundation.threads import run_together
from tests.inference_workers.factories import claim, make_completion, make_endpoint, make_revision
from tests.inference_workers.pumping import run_pump

CARD = Card(name="Plain", slug="plain", aliases=["Plain One"])
ADDRESS = "https://1.1.1.1/v1"
KEY = "sk-canary-0123456789"
DIALECT = {"max_tokens_field": "max_tokens", "ask_usage": "on", "extra_body": "{}"}


def add(endpoint=None, card=CARD, **recipe):
    values = {"endpoint": endpoint or make_endpoint(), "provider_model": "words=5"} | recipe
    return add_language_model(card=card, recipe=Recipe(**values), now=timezone.now())


def end(completion, code):
    """As if a worker had ended it, with an error where there is a code."""
    ended = (
        {"state": "failed", "error_code": code}
        if code
        else {"state": "succeeded", "text": "Yes.", "finish_reason": "stop"}
    )
    Completion.objects.filter(pk=completion.pk).update(finished_at=timezone.now(), created_at=timezone.now(), **ended)


def edit(model, card=CARD, **changed):
    model = LanguageModel.objects.select_related("current__endpoint").get(pk=model.pk)
    recipe = replace(Recipe.of(model.current), **changed)
    return edit_language_model(language_model_id=model.pk, card=card, recipe=recipe, now=timezone.now())


@pytest.mark.django_db
class TestRevisions:
    def test_a_new_language_model_stands_at_revision_one(self):
        model = add(temperature=0.3)
        assert (model.current.number, model.current.temperature, model.name) == (1, 0.3, "Plain")

    @pytest.mark.parametrize(
        "changed",
        [
            {"provider_model": "words=6"},
            {"system_prompt": "Be brief."},
            {"temperature": 0.1},
            {"top_p": 0.5},
            {"top_k": 3},
            {"repetition_penalty": 1.2},
            {"max_tokens": 7},
            {"stop": ["END"]},
        ],
        ids=lambda changed: next(iter(changed)),
    )
    def test_a_change_of_what_decides_answers_makes_the_next_revision(self, changed):
        model = add()
        first = model.current
        current = edit(model, **changed).current
        before = LanguageModelRevision.objects.get(pk=first.pk)
        assert (current.number, current.pk != first.pk) == (2, True)
        assert {name: getattr(current, name) for name in changed} == changed
        assert Recipe.of(before) == Recipe.of(first)

    def test_another_endpoint_makes_the_next_revision(self):
        assert edit(add(), endpoint=make_endpoint()).current.number == 2

    def test_a_change_of_its_card_makes_none(self):
        model = add()
        card = Card(
            name="Other", slug="other", aliases=["X"], organisation="O", visibility=Visibility.RETIRED, weight=2
        )
        edited = edit(model, card=card)
        assert (edited.name, edited.weight, edited.current_id) == ("Other", 2, model.current_id)

    def test_nothing_changed_makes_none(self):
        model = add(stop=["A", "B"])
        assert edit(model, stop=("A", "B")).current_id == model.current_id

    @pytest.mark.parametrize(
        "changed", [{"temperature": 2.5}, {"top_p": 0.0}, {"max_tokens": 0}, {"provider_model": ""}]
    )
    def test_values_out_of_range_are_refused_and_change_nothing(self, changed):
        model = add()
        with pytest.raises(ValidationError), transaction.atomic():
            edit(model, card=replace(CARD, name="Changed too"), **changed)
        model.refresh_from_db()
        assert (model.name, model.current.number, LanguageModelRevision.objects.count()) == ("Plain", 1, 1)

    def test_a_running_completion_keeps_the_revision_it_was_asked_of(self):
        model = add()
        completion = claim(make_completion(revision=model.current))
        edit(model, temperature=0.0)
        completion.refresh_from_db()
        assert (completion.revision.number, completion.revision.temperature) == (1, 0.7)

    def test_demo_models_differ_and_are_made_once(self):
        first = seed_demo_models(now=timezone.now())
        edit_language_model(
            language_model_id=first[0].pk,
            card=Card(name="Renamed", slug=first[0].slug, weight=3),
            recipe=replace(Recipe.of(first[0].current), temperature=0.5),
            now=timezone.now(),
        )
        again = seed_demo_models(now=timezone.now())
        assert [model.pk for model in again] == [model.pk for model in first]
        assert (again[0].name, again[0].current.number, Endpoint.objects.count()) == ("Renamed", 2, 1)
        recipes = {(r.system_prompt, r.temperature, r.max_tokens) for r in LanguageModelRevision.objects.all()}
        assert len(recipes) == len(first) + 1
        assert all(model.current.system_prompt and model.organisation == "Hugging Face" for model in first)


@pytest.mark.django_db(transaction=True)
def test_two_edits_at_once_make_two_revisions_one_after_the_other():
    model = add()
    outcomes = run_together(lambda: edit(model, temperature=0.1), lambda: edit(model, temperature=0.2))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    model.refresh_from_db()
    assert sorted(model.revisions.values_list("number", flat=True)) == [1, 2, 3]
    assert model.current.number == 3


@pytest.mark.django_db
class TestEndpoints:
    def settings(self, **changed):
        return EndpointSettings(**({"name": "Far", "backend": Backend.OPENAI, "base_url": ADDRESS} | changed))

    def test_a_key_is_sealed_for_its_origin_and_kept_unless_it_is_given(self):
        endpoint = add_endpoint(settings=self.settings(key=KEY), now=timezone.now())
        edit_endpoint(endpoint_id=endpoint.pk, settings=self.settings(capacity=3), now=timezone.now())
        endpoint.refresh_from_db()
        sealed = bytes(endpoint.sealed_key)
        assert (endpoint.capacity, KEY.encode() in sealed, release_secret(sealed, url=ADDRESS)) == (3, False, KEY)
        with pytest.raises(Unreadable):
            release_secret(sealed, url="https://1.0.0.1/v1")

    def test_an_empty_key_removes_it(self):
        endpoint = add_endpoint(settings=self.settings(key=KEY), now=timezone.now())
        assert (
            edit_endpoint(endpoint_id=endpoint.pk, settings=self.settings(key=""), now=timezone.now()).sealed_key
            is None
        )

    def test_a_key_does_not_move_to_another_address(self):
        endpoint = add_endpoint(settings=self.settings(key=KEY), now=timezone.now())
        moved = self.settings(base_url="https://1.0.0.1/v1")
        with pytest.raises(ValidationError):
            edit_endpoint(endpoint_id=endpoint.pk, settings=moved, now=timezone.now())
        edit_endpoint(endpoint_id=endpoint.pk, settings=replace(moved, key="sk-new"), now=timezone.now())
        endpoint.refresh_from_db()
        assert release_secret(bytes(endpoint.sealed_key), url="https://1.0.0.1/v1") == "sk-new"

    def test_another_address_makes_the_next_revision_of_its_language_models(self):
        endpoint = add_endpoint(settings=self.settings(), now=timezone.now())
        here, elsewhere = add(endpoint), add(card=Card(name="Else", slug="else"))
        renamed = self.settings(name="Near", capacity=2)
        edit_endpoint(endpoint_id=endpoint.pk, settings=renamed, now=timezone.now())
        assert {model.revisions.count() for model in (here, elsewhere)} == {1}
        moved = replace(renamed, base_url="https://1.0.0.1/v1")
        edit_endpoint(endpoint_id=endpoint.pk, settings=moved, now=timezone.now())
        assert (here.revisions.count(), elsewhere.revisions.count()) == (2, 1)


@pytest.fixture
def operator():
    user = make_user(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    return client


def page(name, *args):
    return reverse(f"admin:inference_workers_{name}", args=args)


def form_of(response):
    """What a browser would send back unchanged."""
    form = response.context["adminform"].form
    values = {field.html_name: field.value() for field in form}
    values = {name: "\n".join(value) if isinstance(value, list) else value for name, value in values.items()}
    for formset in response.context["inline_admin_formsets"]:
        values |= {field.html_name: field.value() for field in formset.formset.management_form}
        values |= {f"{formset.formset.prefix}-{i}-id": f.instance.pk for i, f in enumerate(formset.formset.forms)}
    return {name: value for name, value in values.items() if value is not None and value is not False}


@pytest.mark.django_db
class TestAdmin:
    def test_a_language_model_is_added_edited_and_shows_its_history(self, operator):
        endpoint = make_endpoint()
        values = {
            "name": "Mine",
            "slug": "mine",
            "aliases": "One\r\n\r\n Two words ",
            "visibility": "public",
            "task": "text",
            "weight": "1.5",
            "endpoint": endpoint.pk,
            "provider_model": "words=5",
            "output": "text",
            "system_prompt": "Be brief.",
            "temperature": "0.4",
            "top_p": "0.9",
            "top_k": "0",
            "repetition_penalty": "1",
            "max_tokens": "50",
            "stop": "END\nSTOP",
            "revisions-TOTAL_FORMS": "0",
            "revisions-INITIAL_FORMS": "0",
        }
        response = operator.post(page("languagemodel_add"), values)
        assert response.status_code == 302, response.context["errors"]
        model = LanguageModel.objects.get(slug="mine")
        assert (model.aliases, model.current.stop, model.current.temperature) == (
            ["One", " Two words "],
            ["END", "STOP"],
            0.4,
        )
        shown = operator.get(page("languagemodel_change", model.pk))
        unchanged = form_of(shown)
        assert operator.post(page("languagemodel_change", model.pk), unchanged).status_code == 302
        model.refresh_from_db()
        assert model.current.number == 1
        assert (
            operator.post(page("languagemodel_change", model.pk), unchanged | {"temperature": "0.8"}).status_code == 302
        )
        model.refresh_from_db()
        assert (model.current.number, model.current.temperature, model.current.system_prompt) == (2, 0.8, "Be brief.")
        history = operator.get(page("languagemodel_change", model.pk)).content.decode()
        assert "Mine r1" in history
        assert "Mine r2" in history

    def test_stop_texts_with_line_breaks_survive_a_change_of_something_else(self, operator):
        stop = ["\n\n", "a\\n", " ", "END"]
        model = add(stop=stop)
        values = form_of(operator.get(page("languagemodel_change", model.pk)))
        assert values["stop"] == "\\n\\n\na\\\\n\n \nEND"
        assert operator.post(page("languagemodel_change", model.pk), values).status_code == 302
        model.refresh_from_db()
        assert model.current.number == 1
        assert operator.post(page("languagemodel_change", model.pk), values | {"temperature": "0.8"}).status_code == 302
        model.refresh_from_db()
        assert (model.current.number, model.current.stop) == (2, stop)

    def test_prices_are_kept_without_a_new_revision_and_negative_ones_refused(self, operator):
        model = add()
        address = page("languagemodel_change", model.pk)
        sent = form_of(operator.get(address)) | {"price_read": "0.15", "price_written": "0.6"}
        assert operator.post(address, sent).status_code == 302
        model.refresh_from_db()
        assert (model.price_read, model.price_written) == (Decimal("0.15"), Decimal("0.6"))
        assert model.revisions.count() == 1
        assert operator.post(address, sent | {"price_read": "-1"}).status_code == 200
        assert operator.post(address, sent | {"price_read": ""}).status_code == 302
        model.refresh_from_db()
        assert model.price_read is None

    def test_what_the_form_refuses_says_why_and_writes_nothing(self, operator):
        model = add(make_endpoint(backend=Backend.TRANSFORMERS), provider_model="smollm2")
        values = form_of(operator.get(page("languagemodel_change", model.pk)))
        response = operator.post(
            page("languagemodel_change", model.pk),
            values | {"provider_model": "../../etc", "top_p": "1.2", "weight": "-1"},
        )
        assert response.status_code == 200
        assert set(response.context["adminform"].form.errors) == {"provider_model", "top_p", "weight"}
        assert model.revisions.count() == 1

    def test_language_models_are_retired_not_deleted(self, operator):
        model = add()
        assert operator.post(page("languagemodel_delete", model.pk), {"post": "yes"}).status_code == 403
        assert LanguageModel.objects.filter(pk=model.pk).exists()

    def test_an_endpoints_key_goes_in_and_never_comes_out(self, operator):
        values = {"name": "Far", "backend": "openai", "base_url": ADDRESS, "capacity": "4", "timeout_seconds": "60"}
        values |= DIALECT
        assert operator.post(page("endpoint_add"), values | {"api_key": KEY}).status_code == 302
        endpoint = Endpoint.objects.get(name="Far")
        pages = [operator.get(page("endpoint_change", endpoint.pk)), operator.get(page("endpoint_changelist"))]
        assert not any(KEY in shown.content.decode() for shown in pages)
        assert operator.post(page("endpoint_change", endpoint.pk), values | {"capacity": "5"}).status_code == 302
        endpoint.refresh_from_db()
        assert (endpoint.capacity, release_secret(bytes(endpoint.sealed_key), url=ADDRESS)) == (5, KEY)
        moved = operator.post(page("endpoint_change", endpoint.pk), values | {"base_url": "https://1.0.0.1/v1"})
        assert list(moved.context["adminform"].form.errors) == ["api_key"]
        assert operator.post(page("endpoint_change", endpoint.pk), values | {"remove_key": "on"}).status_code == 302
        endpoint.refresh_from_db()
        assert endpoint.sealed_key is None

    @pytest.mark.parametrize(
        "address",
        ["http://169.254.169.254/v1", "http://127.0.0.1:5432/v1", "http://user:pw@1.1.1.1/v1", "ftp://1.1.1.1/v1", ""],
    )
    def test_addresses_that_no_client_may_call_are_refused(self, operator, address):
        values = {"name": "Far", "backend": "openai", "base_url": address, "capacity": "4", "timeout_seconds": "60"}
        values |= DIALECT
        response = operator.post(page("endpoint_add"), values)
        assert list(response.context["adminform"].form.errors) == ["base_url"]
        assert not Endpoint.objects.exists()

    def test_completions_show_no_text_of_anybody(self, operator):
        completion = make_completion(content="CANARY question")
        Completion.objects.filter(pk=completion.pk).update(
            state="succeeded", text="CANARY answer", finish_reason="stop", finished_at=timezone.now()
        )
        for response in (
            operator.get(page("completion_change", completion.pk)),
            operator.get(page("completion_changelist")),
        ):
            assert response.status_code == 200
            assert "CANARY" not in response.content.decode()

    def test_a_model_that_names_itself_says_so_in_its_list_and_on_its_page(self, operator):
        leaky, sound, new = (make_revision(model={"name": name}) for name in ("Leaky", "Sound", "New"))
        for code in ["", "identity_leak", "identity_leak", "endpoint_status"]:
            end(make_completion(revision=leaky), code)
        end(make_completion(revision=sound), "")
        make_completion(revision=new)
        withheld = "3 of 4 (75 %) failed or were held back: The answer named its model (2); endpoint_status (1)."
        shown = operator.get(page("languagemodel_changelist")).content.decode()
        cells = re.findall(r'<td class="field-last_completions">(.*?)</td>', shown)
        assert cells == [withheld, "none yet", "1, it succeeded"]
        form = operator.get(page("languagemodel_change", leaky.language_model_id)).content.decode()
        assert withheld in form
        assert "The system prompt can tell the model not to name itself" in form

    def test_only_the_last_completions_of_each_model_count(self):
        revision = make_revision()
        for code in ["identity_leak", "empty", "", ""]:
            end(make_completion(revision=revision), code)
        (found,) = recent_failures([revision.language_model_id], last=3).values()
        assert found == Failures(ended=3, failed=1, reasons={"empty": 1})

    @pytest.mark.parametrize("name", ["languagemodel", "endpoint", "completion"])
    def test_lists_take_the_same_number_of_queries_for_one_row_and_for_three(
        self, operator, name, django_assert_max_num_queries
    ):
        for _ in range(3):
            make_completion()
        with django_assert_max_num_queries(11):
            assert operator.get(page(f"{name}_changelist")).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["languagemodel", "endpoint"])
def test_test_now_asks_and_shows_the_answers(operator, kind):
    revisions = [make_revision() for _ in range(2)]
    chosen = [r.language_model_id if kind == "languagemodel" else r.endpoint_id for r in revisions]
    response = operator.post(
        page(f"{kind}_changelist"), {"action": "test_now", "_selected_action": chosen}, follow=True
    )
    shown = response.content.decode()
    assert (response.headers["Refresh"], Completion.objects.count()) == ("2", 2)
    assert "Queued" in shown
    assert shown.count("Asked; the answer appears here.") == 2
    run_pump()
    done = operator.get(response.redirect_chain[-1][0])
    texts = list(Completion.objects.values_list("text", flat=True))
    assert "Refresh" not in done.headers
    assert all(text in done.content.decode() for text in texts)


@pytest.mark.django_db
def test_the_page_of_tests_shows_no_completion_of_a_person_and_no_stranger_the_page(operator):
    from tests.factories import make_person

    completion = make_completion(person=make_person())
    address = f"{page('tests')}?id={completion.pk}&id=junk"
    assert "No such test." in operator.get(address).content.decode()
    assert Client().get(address).status_code == 302
    sync_client().flushdb()
    assert editing.add_language_model is add_language_model
