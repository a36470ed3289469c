"""The pages of language models and endpoints, for operators."""

import random
import re
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from foundation.outbound import bind_secret, release_secret
from inference_workers.enums import Backend, BreakerState, Priority
from inference_workers.forms import RECIPE_FIELDS
from inference_workers.models import Completion, Endpoint, EndpointGauge, LanguageModel, OperatorEvent
from inference_workers.queries.health import DECISIVE, health_of
from inference_workers.streams import sync_client
from tests.factories import make_user
from tests.inference_workers.factories import make_completion, make_endpoint, make_revision
from tests.inference_workers.pumping import run_pump
from tests.inference_workers.test_language_models import ADDRESS, CARD, KEY, edit

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    client = Client()
    client.user = make_user(role="operator", username="ops")
    client.force_login(client.user)
    return client


def ended(revision, *, code="", ago=timedelta(), first=0.1, total=1.0, cost=None):
    """As if a worker had ended it so long ago."""
    completion = make_completion(revision=revision, priority=Priority.BATCH)
    values = {"state": "failed", "error_code": code} if code else {"state": "succeeded", "text": "Yes."}
    values |= {"finish_reason": "stop", "first_token_seconds": first, "total_seconds": total, "cost": cost}
    Completion.objects.filter(pk=completion.pk).update(finished_at=timezone.now() - ago, **values)
    return completion


def form_of(response):
    """What a browser would send back unchanged."""
    values = {field.html_name: field.value() for field in response.context["form"]}
    values = {name: "\n".join(value) if isinstance(value, list) else value for name, value in values.items()}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def address(name, *args):
    return reverse(name, args=args)


# -- what is shown


def test_the_percentiles_are_those_of_numpy():
    revision, draws = make_revision(), random.Random(3)
    seconds = [(draws.uniform(0.05, 2), draws.uniform(1, 30)) for _ in range(37)]
    for first, total in seconds:
        ended(revision, first=first, total=total)
    ended(revision, ago=timedelta(days=2), first=99, total=99)
    found = health_of([revision.language_model_id], timezone.now())[revision.language_model_id]
    expected = [np.percentile([pair[side] for pair in seconds], [50, 95]) for side in (0, 1)]
    assert found.first_token == pytest.approx(tuple(expected[0]))
    assert found.total == pytest.approx(tuple(expected[1]))


def test_what_fails_is_counted_by_reason_over_an_hour_a_day_and_a_week():
    revision = make_revision()
    for hours, code in [(0, ""), (0, "identity_leak"), (5, "endpoint_status"), (30, "endpoint_status"), (200, "empty")]:
        ended(revision, code=code, ago=timedelta(hours=hours), cost=Decimal("0.25") if not hours else None)
    make_completion(revision=revision)
    found = health_of([revision.language_model_id], timezone.now())[revision.language_model_id]
    windows = [(window.ended, window.failed, dict(window.reasons)) for window in (found.hour, found.day, found.week)]
    assert windows == [
        (2, 1, {"identity_leak": 1}),
        (3, 2, {"endpoint_status": 1, "identity_leak": 1}),
        (4, 3, {"endpoint_status": 2, "identity_leak": 1}),
    ]
    assert (found.week.withheld, found.waiting, found.running, found.spent_today) == (1, 1, 0, Decimal("0.5"))


def test_the_list_shows_every_model_with_its_state_prices_and_what_it_cost(operator):
    far = make_endpoint(name="Far", backend=Backend.OPENAI, base_url=ADDRESS, daily_budget=Decimal(5))
    revision = make_revision(
        endpoint=far,
        model={"name": "Mine", "organisation": "Org", "licence": "MIT", "price_read": "0.15", "price_written": "0.6"},
    )
    make_revision(model={"name": "Old", "visibility": "retired"})
    ended(revision, cost=Decimal("0.0123"))
    EndpointGauge.objects.filter(pk=far.pk).update(state="open", opened_until=timezone.now(), probe_code="timeout")
    shown = operator.get(address("models")).content.decode()
    for words in ("Mine", "Org · MIT", "Far", "Left alone", "0.0123", "0.15", "0.6", "Retired", ADDRESS, "5.00"):
        assert words in shown, words
    assert shown.index("Mine") < shown.index("Old")


def statements(client, page):
    with CaptureQueriesContext(connection) as found:
        assert client.get(page).status_code == 200
    return len(found)


def test_the_list_takes_the_same_number_of_statements_however_many_there_are(operator):
    def add(count):
        for _ in range(count):
            ended(make_revision())
        return statements(operator, address("models"))

    assert add(1) == add(29) <= 9


def test_a_models_page_takes_the_same_number_of_statements_however_many_revisions_it_has(operator):
    model = make_revision().language_model

    def add(count):
        for number in range(count):
            edit(model, CARD, max_tokens=100 + count + number)
        return statements(operator, address("model", model.pk))

    assert add(1) == add(29) <= 12
    assert model.revisions.count() == 31


# -- what is changed


def test_a_model_is_added_and_edited_and_its_page_says_who_made_which_revision(operator):
    endpoint = make_endpoint()
    sent = form_of(operator.get(address("model-new"))) | {
        "name": "Mine",
        "slug": "mine",
        "endpoint": endpoint.pk,
        "provider_model": "words=5",
        "system_prompt": "Be brief.",
    }
    assert operator.post(address("model-new"), sent).status_code == 302
    model = LanguageModel.objects.get(slug="mine")
    page = address("model-edit", model.pk)
    other = Client()
    other.force_login(make_user(role="operator", username="other-ops"))
    sent = form_of(other.get(page)) | {"system_prompt": "Be long.", "weight": "3"}
    assert other.post(page, sent).status_code == 302
    shown = operator.get(address("model", model.pk))
    assert [(each.revision.number, each.maker) for each in shown.context["revisions"]] == [(2, "other-ops"), (1, "ops")]
    differing = [(str(each.name), each.left, each.right) for each in shown.context["differences"] if each.differs]
    assert differing == [("System prompt", "Be brief.", "Be long.")]
    newest = OperatorEvent.objects.latest("pk")
    assert (newest.changes, newest.revision.number) == ({"weight": [1.0, 3.0]}, 2)
    same = operator.get(address("model", model.pk), {"left": "1", "right": "1"})
    assert not any(each.differs for each in same.context["differences"])


def test_a_model_says_whether_it_takes_pictures_and_one_that_reads_text_alone_cannot(operator):
    far = make_endpoint(backend=Backend.OPENAI, base_url=ADDRESS)
    revision = make_revision(endpoint=far)
    page = address("model-edit", revision.language_model_id)
    assert operator.post(page, form_of(operator.get(page)) | {"takes_images": "on"}).status_code == 302
    newest = OperatorEvent.objects.latest("pk")
    # On the card: it is still the same contestant.
    assert (newest.changes, newest.revision) == ({"takes_images": [False, True]}, None)
    assert "not taken" not in operator.get(address("model", revision.language_model_id)).content.decode()
    own = make_endpoint(backend=Backend.TRANSFORMERS)
    given = {"name": "Own", "slug": "own", "endpoint": own.pk, "provider_model": "smollm2", "takes_images": "on"}
    refused = operator.post(address("model-new"), form_of(operator.get(address("model-new"))) | given)
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"takes_images"})
    assert "Own cannot take pictures" in refused.content.decode()
    assert not LanguageModel.objects.filter(slug="own").exists()


def test_a_reward_model_at_an_address_is_refused_beside_its_field_and_one_in_the_worker_is_not(operator):
    blank = form_of(operator.get(address("model-new"))) | {"name": "Judge", "slug": "judge", "task": "reward"}
    far = make_endpoint(backend=Backend.OPENAI, base_url=ADDRESS)
    refused = operator.post(address("model-new"), blank | {"endpoint": far.pk, "provider_model": "reward-7b"})
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"task"})
    assert "no settled address among servers" in refused.content.decode()
    assert not LanguageModel.objects.exists()
    own = make_endpoint(backend=Backend.TRANSFORMERS)
    taken = operator.post(address("model-new"), blank | {"endpoint": own.pk, "provider_model": "models/reward"})
    assert taken.status_code == 302, taken.context["form"].errors


def test_a_folder_that_is_not_there_is_said_and_saved_since_a_worker_may_have_it(operator, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    (tmp_path / "models" / "here").mkdir(parents=True)
    own = make_endpoint(backend=Backend.TRANSFORMERS)
    blank = form_of(operator.get(address("model-new"))) | {"name": "Own", "slug": "own", "endpoint": own.pk}
    pages = [operator.post(address("model-new"), blank | {"provider_model": "gone"}, follow=True)]
    edit = address("model-edit", LanguageModel.objects.get(slug="own").pk)
    for folder in ("here", "away", "smollm2"):
        pages.append(operator.post(edit, form_of(operator.get(edit)) | {"provider_model": folder}, follow=True))
    assert ["sees no folder" in page.content.decode() for page in pages] == [True, False, True, False]


def test_a_model_that_was_released_and_is_hidden_again_is_said_to_be_so(operator):
    model = make_revision().language_model
    page = address("model-edit", model.pk)

    def told(visibility):
        LanguageModel.objects.filter(pk=model.pk).update(visibility=visibility)
        pages = address("model", model.pk), address("models")
        whole, listed = (operator.get(each).content.decode() for each in pages)
        badges = {"Name hidden again</span>", "Name hidden</span>", "Public</span>"}
        shown = {each for each in badges if each in whole}
        assert shown == {each for each in badges if each in listed}
        return shown, "keeps its name" in whole

    assert told("public") == ({"Public</span>"}, False)
    sent = form_of(operator.get(page)) | {"visibility": "hidden"}
    assert operator.post(page, sent).status_code == 302
    assert told("hidden") == ({"Name hidden again</span>"}, True)
    never = make_revision(model={"visibility": "hidden"})
    assert "Name hidden</span>" in operator.get(address("model", never.language_model_id)).content.decode()


def test_a_model_of_films_has_a_price_of_them_and_one_of_texts_has_none(operator, settings):
    settings.MODEL_PROBE_MINUTES = 30
    far = make_endpoint(backend=Backend.OPENAI, base_url=ADDRESS)
    model = make_revision(endpoint=far).language_model
    page = address("model-edit", model.pk)

    def send(**given):
        answer = operator.post(page, form_of(operator.get(page)) | given)
        return set(answer.context["form"].errors) if answer.context else answer.status_code

    seconds = {"price_second": "0.10", "longest_seconds": "12"}
    assert send(price_file="0.04") == {"price_file"}
    assert send(output="image", **seconds) == {"price_second"}
    assert send(output="video", price_second="0.10") == {"longest_seconds"}
    assert send(output="video", price_file="0.0425", **seconds) == 302
    shown = operator.get(address("model", model.pk)).content.decode()
    assert "0.0425 USD for each file, 0.1 USD for each second" in shown
    assert "one that measures or makes files is not looked at" in shown
    assert "0.0425" in operator.get(address("models")).content.decode()
    changed = OperatorEvent.objects.latest("pk").changes
    assert changed["longest_seconds"] == [None, 12]


def test_a_schema_is_taken_by_models_of_addresses_alone_and_makes_a_revision(operator):
    far = make_endpoint(backend=Backend.OPENAI, base_url=ADDRESS)
    model = make_revision(endpoint=far).language_model
    page = address("model-edit", model.pk)
    assert operator.post(page, form_of(operator.get(page)) | {"takes_schema": "on"}).status_code == 302
    model.refresh_from_db()
    assert (model.serves.number, model.serves.takes_schema) == (2, True)
    own = make_endpoint(backend=Backend.TRANSFORMERS)
    given = {"endpoint": own.pk, "provider_model": "smollm2"}
    refused = operator.post(page, form_of(operator.get(page)) | given)
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"takes_schema"})


def test_every_field_that_decides_answers_is_compared():
    assert list(DECISIVE) == RECIPE_FIELDS


def test_what_is_refused_is_said_in_the_same_form_and_nothing_is_written(operator):
    revision = make_revision()
    page = address("model-edit", revision.language_model_id)
    refused = operator.post(page, form_of(operator.get(page)) | {"top_p": "1.2", "weight": "-1"})
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"top_p", "weight"})
    assert not OperatorEvent.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        '["a"]',
        '{"model": "other"}',
        '{"max_tokens": 9}',
        "[" * 20_000,
        "9" * 5000,
        '{"a": NaN}',
        f'{{"a": "{2000 * "x"}"}}',
    ],
    ids=["a list", "another model", "another limit", "deep", "huge", "no number", "long"],
)
def test_what_no_request_may_hold_is_refused(operator, given):
    sent = {"name": "Far", "backend": "openai", "base_url": ADDRESS, "capacity": "4", "timeout_seconds": "60"}
    sent |= {"max_tokens_field": "max_tokens", "extra_body": given}
    answer = operator.post(address("endpoint-new"), sent)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["extra_body"])


def test_limits_are_kept_and_a_change_of_what_is_sent_along_makes_the_next_revision(operator):
    endpoint = make_endpoint(backend=Backend.OPENAI, base_url=ADDRESS)
    revision = make_revision(endpoint=endpoint)
    page = address("endpoint", endpoint.pk)
    sent = form_of(operator.get(page)) | {"requests_per_minute": "60", "daily_budget": "2.50"}
    assert operator.post(page, sent).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.requests_per_minute, endpoint.daily_budget) == (60, Decimal("2.50"))
    assert revision.language_model.revisions.count() == 1
    assert operator.post(page, sent | {"extra_body": '{"effort": "low"}'}).status_code == 302
    assert revision.language_model.revisions.count() == 2
    made = OperatorEvent.objects.get(revision__number=2)
    assert (made.verb, made.actor.user.username) == ("moved with its endpoint", "ops")


# -- the key


def every_answer(client, endpoint, model):
    """Whatever these pages answer, whole: body and headers."""
    page, sent = address("endpoint", endpoint.pk), {"name": "", "backend": "openai", "api_key": KEY}
    answers = [
        client.get(address("models")),
        client.get(address("model", model.pk)),
        client.get(address("model-edit", model.pk)),
        client.get(page),
        client.post(page, sent),
        client.post(address("endpoint-new"), sent),
        client.post(address("model-test", model.pk)),
    ]
    return [answer.content.decode() + repr(dict(answer.headers)) for answer in answers]


def test_a_key_goes_in_and_is_in_no_answer_and_in_no_history(operator):
    sent = form_of(operator.get(address("endpoint-new"))) | {
        "name": "Far",
        "backend": "openai",
        "base_url": ADDRESS,
        "api_key": KEY,
    }
    assert operator.post(address("endpoint-new"), sent).status_code == 302
    endpoint = Endpoint.objects.get(name="Far")
    model = make_revision(endpoint=endpoint).language_model
    assert release_secret(bytes(endpoint.sealed_key), url=ADDRESS) == KEY
    assert not any(KEY in answer for answer in every_answer(operator, endpoint, model))
    assert KEY not in repr(list(OperatorEvent.objects.values()))
    unchanged = form_of(operator.get(address("endpoint", endpoint.pk)))
    assert operator.post(address("endpoint", endpoint.pk), unchanged).status_code == 302
    endpoint.refresh_from_db()
    assert release_secret(bytes(endpoint.sealed_key), url=ADDRESS) == KEY
    # A changed key is told as changed.
    assert operator.post(address("endpoint", endpoint.pk), unchanged | {"api_key": "sk-next"}).status_code == 302
    assert list(OperatorEvent.objects.latest("pk").changes) == ["key"]


def test_control_a_form_that_shows_its_key_is_noticed(operator, monkeypatch):
    monkeypatch.setattr("django.forms.PasswordInput.get_context", shows_its_value)
    endpoint = make_endpoint(backend=Backend.OPENAI, base_url=ADDRESS, sealed_key=bind_secret(KEY, url=ADDRESS))
    model = make_revision(endpoint=endpoint).language_model
    assert any(KEY in answer for answer in every_answer(operator, endpoint, model))


def shows_its_value(self, name, value, attrs):
    return super(type(self), self).get_context(name, value, attrs)


# -- a test


@pytest.mark.django_db(transaction=True)
def test_a_test_is_asked_before_everything_that_waits_and_its_answer_is_shown(operator):
    sync_client().flushdb()
    revision = make_revision()
    model = revision.language_model
    make_completion(revision=revision, priority=Priority.BATCH)
    asked = operator.post(address("model-test", model.pk))["Location"]
    shown = operator.get(asked)
    assert shown.context["test"]["waiting"]
    row = shown.context["test"]["row"]
    assert row.priority == Priority.VISITOR
    part = address("model-tested", model.pk, row.pk)
    assert part in shown.content.decode()
    run_pump()
    after = operator.get(part).content.decode()
    assert ("An answer." in after, "hx-get" in after) == (True, False)


def test_a_test_tries_an_endpoint_that_is_left_alone_at_once(operator):
    revision = make_revision()
    later = timezone.now() + timedelta(minutes=5)
    EndpointGauge.objects.update(state=BreakerState.OPEN, openings=2, opened_until=later)
    operator.post(address("model-test", revision.language_model_id))
    gauge, test = EndpointGauge.objects.get(), Completion.objects.get()
    assert (gauge.opened_until <= timezone.now(), test.priority) == (True, Priority.PROBE)


def test_no_other_completion_can_be_looked_at_by_its_id(operator):
    revision = make_revision()
    completion = ended(revision)
    model = revision.language_model_id
    assert operator.get(address("model-tested", model, completion.pk)).status_code == 404
    assert operator.get(address("model", model), {"test": str(completion.pk)}).context["test"] is None


def test_a_new_endpoint_sends_nothing_along_and_a_wrong_address_has_one_fault(operator):
    page = operator.get(address("endpoint-new"))
    assert re.search(r'name="extra_body"[^>]*>\s*([^<]*)</textarea>', page.content.decode())[1].strip() == ""
    refused = operator.post(address("endpoint-new"), form_of(page) | {"name": "Far", "base_url": "file:///etc"})
    assert (refused.status_code, len(refused.context["form"].errors["base_url"])) == (422, 1)
