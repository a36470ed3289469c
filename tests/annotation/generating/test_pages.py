"""The pages on which responses are asked of language models, and gold is made and checked."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.imports.uploads import uploads_root
from annotation.models import Generation, Item
from annotation.policies.launch import missing_before_launch
from annotation.queries.campaigns import supply_of
from annotation.use_cases.make_gold import make_gold
from annotation.web.figures import in_words
from inference_workers.models import LanguageModel
from inference_workers.use_cases.requeue_expired import requeue_expired
from tests.annotation.generating.factories import LONG, advance, claimed, fail, finish, generation_of, models, work_off
from tests.factories import PREFERENCE, make_campaign, make_item, make_user, new_key
from tests.inference_workers.factories import let_lease_run_out

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", questions=[PREFERENCE])


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


ONCE = {"samples": 1, "design": "matched"}


def send(admin, **data):
    values = {"key": new_key(), "models": [model.pk for model in LanguageModel.objects.all()], **ONCE} | data
    return admin.post(reverse("campaign-generate", args=["trial"]), values)


def form_of(answer):
    """What the page's form would send, pressed as it is."""
    form = answer.context["form"]
    names = ("lines", "column", "key", "kept", "seen")
    sent = {name: form[name].value() or "" for name in names} | {"models": form["models"].value()}
    whole = answer.context["samples"]
    for each in (whole.whole, *whole.rows):
        sent |= {each.add_prefix(name): value for name in each.fields if (value := each[name].value())}
    return sent | ({"stored": "on"} if form["stored"].value() else {})


def test_figures_come_first_and_the_same_form_again_starts(campaign, admin):
    models(2, model=None)
    answer = send(admin, lines="One?\nTwo?\n")
    assert answer.status_code == 200
    assert (answer.context["figures"]["prompts"], answer.context["figures"]["estimate"].completions) == (2, 4)
    assert "unknown" in answer.content.decode()
    assert Item.objects.count() == 0
    started = admin.post(reverse("campaign-generate", args=["trial"]), form_of(answer))
    generation = Generation.objects.get()
    assert started["Location"] == reverse("generation", args=["trial", generation.pk])
    assert Item.objects.filter(generation=generation, state="filling").count() == 2
    # A second click is the same start.
    again = admin.post(reverse("campaign-generate", args=["trial"]), form_of(answer))
    assert again["Location"] == started["Location"]
    assert Item.objects.count() == 2


def test_what_was_changed_after_the_figures_is_reckoned_anew(campaign, admin):
    models(3)
    answer = send(admin, lines="One?")
    changed = form_of(answer) | {"lines": "One?\nTwo?"}
    answer = admin.post(reverse("campaign-generate", args=["trial"]), changed)
    assert answer.context["figures"]["prompts"] == 2
    assert Item.objects.count() == 0
    LanguageModel.objects.update(price_read="1", price_written="2")
    answer = admin.post(reverse("campaign-generate", args=["trial"]), form_of(answer))
    assert answer.status_code == 200
    assert answer.context["figures"]["estimate"].cost is not None


def test_a_file_is_kept_between_the_figures_and_the_start(campaign, admin):
    models(2)
    file = SimpleUploadedFile("prompts.csv", b"instruction,topic\nOne?,sums\nTwo?,\n")
    answer = send(admin, file=file)
    assert "prompts.csv" in answer.content.decode()
    assert len(list(uploads_root().iterdir())) == 1
    admin.post(reverse("campaign-generate", args=["trial"]), form_of(answer))
    assert sorted(Item.objects.values_list("category", flat=True)) == ["", "sums"]
    admin.post(reverse("campaign-generate", args=["trial"]), form_of(answer))
    assert Item.objects.count() == 2
    next(uploads_root().iterdir()).unlink()
    # What lies elsewhere, or belongs to another campaign, cannot be named.
    gone = admin.post(reverse("campaign-generate", args=["trial"]), form_of(answer) | {"key": new_key()})
    assert (gone.status_code, "not there any more" in gone.content.decode()) == (422, True)
    forged = send(admin, kept="../../etc/passwd")
    assert (forged.status_code, "not there any more" in forged.content.decode()) == (422, True)


def test_the_campaigns_own_prompts_are_taken_once_each(campaign, admin):
    models(2)
    for words in ("One?", "One?", "Two?"):
        make_item(campaign, prompt=words)
    answer = send(admin, stored="on")
    assert answer.context["figures"]["prompts"] == 2
    admin.post(reverse("campaign-generate", args=["trial"]), form_of(answer))
    made = Item.objects.filter(generation__isnull=False)
    assert {item.prompt_id for item in made} < {item.prompt_id for item in Item.objects.filter(generation=None)}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "Say what is asked"),
        ({"lines": "One?", "stored": "on"}, "Take prompts from one place"),
        ({"lines": "One?", "models": []}, "Choose the language models that write."),
        ({"lines": "x" * 32_001}, "32,001 characters"),
        ({"stored": "on"}, "there is no prompt"),
    ],
)
def test_what_cannot_be_generated_is_refused_with_its_reason(campaign, admin, data, why):
    models(2)
    answer = send(admin, **data)
    assert (answer.status_code, why in answer.content.decode()) == (422, True)
    assert Generation.objects.count() == 0


def test_one_model_cannot_write_two_responses(campaign, admin):
    models(1)
    answer = send(admin, lines="One?")
    assert (answer.status_code, "choose 2 language models or more" in answer.content.decode()) == (422, True)


def test_a_generation_is_paused_resumed_tried_again_and_cancelled_by_its_page(campaign, admin):
    generation = generation_of(campaign, 2)
    page, change = (reverse(name, args=["trial", generation.pk]) for name in ("generation", "generation-change"))

    def press(action, **more):
        answer = admin.post(change, {"action": action, **more})
        generation.refresh_from_db()
        return answer.status_code, generation.state

    assert press("pause") == (302, "paused")
    assert press("pause") == (422, "paused")
    assert press("resume") == (302, "running")
    for _round in range(3):
        advance(generation)
        for completion in claimed():
            fail(completion)
    shown = admin.get(page).content.decode()
    assert "The answer named its model" in shown
    assert "Try all failed again" in shown
    item = Item.objects.filter(generation=generation).first()
    assert press("retry", item=item.pk) == (302, "running")
    work_off(generation)
    status = admin.get(reverse("generation-status", args=["trial", generation.pk])).content.decode()
    assert "hx-trigger" not in status
    assert press("retry") == (302, "running")
    assert press("cancel") == (302, "cancelled")
    assert press("resume")[0] == press("other")[0] == 422
    assert sorted(Item.objects.values_list("state", flat=True)) == ["open", "void"]


def test_a_generation_that_ended_with_failures_says_so_and_what_of_its_cost_nobody_told(campaign, admin):
    asked = models(2, model={"price_read": "0", "price_written": "1000"}, max_tokens=50)
    generation = generation_of(campaign, 2, asked=asked)
    page = reverse("generation", args=["trial", generation.pk])
    advance(generation)
    lost, *others = claimed()
    for completion in others:
        finish(completion)
    # Its worker died: fifty tokens are the most that it can have written. The others wrote twenty.
    let_lease_run_out(lost)
    requeue_expired(now=timezone.now())
    for _round in range(3):
        advance(generation)
        for completion in claimed():
            fail(completion)
    shown = admin.get(page)
    progress = shown.context["progress"]
    assert (progress.written, progress.failed, progress.cost) == (3, 1, Decimal("0.11"))
    assert progress.estimated == Decimal("0.05")
    assert "0.0500 of it is the most that attempts can have cost whose worker died" in shown.content.decode()
    assert "Ended, some failed" in shown.content.decode()
    generation.refresh_from_db()
    assert generation.state == "done"


def test_the_page_of_a_generation_takes_as_many_queries_with_one_item_as_with_thirty(
    campaign, admin, django_assert_num_queries
):
    def queries(count):
        generation = generation_of(campaign, count)
        address = reverse("generation-status", args=["trial", generation.pk])
        admin.get(address)
        with django_assert_num_queries(14, exact=False) as found:
            admin.get(address)
        return len(found)

    assert queries(1) == queries(30)


def test_gold_is_asked_for_proposed_and_checked_one_by_one_and_all_shown(campaign, admin):
    for number in range(4):
        make_item(campaign, texts=(LONG, f"{LONG} {number}"), prompt=f"Question {number}?")
    page = reverse("campaign-gold", args=["trial"])
    sent = {"count": 4, "ways": ["truncated", "words"], "origin": "any", "key": new_key()}
    assert admin.post(page, sent)["Location"] == page
    assert admin.post(page, sent)["Location"] == page
    generation = Generation.objects.get()
    assert "A worker is making gold items." in admin.get(page).content.decode()
    make_gold(generation_id=generation.pk, now=timezone.now())
    shown = admin.get(page).content.decode()
    assert shown.count("Original, the right answer") == shown.count("Worse copy") == 4
    ids = list(Item.objects.filter(state="proposed").order_by("pk").values_list("pk", flat=True))
    check = reverse("campaign-gold-check", args=["trial"])

    def judge(items, verdict):
        return admin.post(check, {"items": items, "verdict": verdict}).status_code

    assert judge([ids[0]], "accept") == 302
    assert judge([ids[1]], "discard") == 302
    assert judge([ids[0]], "discard") == judge([ids[2]], "unheard-of") == judge([10**9], "accept") == 422
    assert judge(ids[2:], "accept") == 302
    states = Item.objects.filter(pk__in=ids).order_by("pk").values_list("state", flat=True)
    assert list(states) == ["open", "void", "open", "open"]
    of_gold = admin.get(reverse("campaign-item", args=["trial", ids[0]])).content.decode()
    assert f"Item {Item.objects.get(pk=ids[0]).made['item']}" in of_gold


def test_a_campaign_whose_questions_name_no_better_response_makes_no_gold(admin):
    make_campaign(slug="trial", questions=[{"name": "why", "type": "rationale"}])
    page = reverse("campaign-gold", args=["trial"])
    assert "no right answer is known" in admin.get(page).content.decode()
    sent = {"count": 4, "ways": ["truncated"], "origin": "any", "key": new_key()}
    assert admin.post(page, sent).status_code == 422


def test_a_launch_waits_for_the_first_responses_and_for_the_check_of_gold(campaign):
    campaign.gold_share = 0.1
    generation_of(campaign, 1)
    Item.objects.create(
        campaign=campaign,
        source=campaign.sources.get(),
        purpose="gold",
        state="proposed",
        expected=[{"question": "preference", "values": ["a"]}],
    )
    missing = [each.text for each in missing_before_launch(campaign, supply_of(campaign), timezone.now())]
    assert "No item has its responses yet: wait for the first, or see what keeps them." in missing
    assert "A share of gold items is set, and those proposed wait for your check." in missing


def test_a_span_is_said_in_words():
    spans = [None, *(timedelta(seconds=seconds) for seconds in (0, 59, 61, 7300))]
    assert [in_words(span) for span in spans] == ["", "1 second", "59 seconds", "1 minute", "2 h 2 min"]
