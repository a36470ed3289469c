"""Several samples under several settings: what is asked, what it is drawn with, and which items come of it."""

import json
import re
import threading
from collections import Counter
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.boards import contestant_names
from annotation.datasets.contents import Speakers, read_contents
from annotation.enums import SampleDesign
from annotation.imports.prompts import prompts_of_lines
from annotation.models import Contestant, Event, Generation, Item, Response, Turn
from annotation.policies.samples import Plan, Samples, Settings, refusal_of, seat
from annotation.queries.generations import generation_progress
from annotation.use_cases import settle_generated
from annotation.use_cases.change_generation import pause_generation, resume_generation, retry_generation
from annotation.use_cases.start_generation import CannotGenerate
from annotation.web.figures import reckoned
from inference_workers.dispatch import request_completion
from inference_workers.enums import Priority
from inference_workers.models import Completion
from inference_workers.policies.prices import Usage
from inference_workers.policies.sampling import InvalidSampling
from tests.annotation.generating.factories import (
    advance,
    claimed,
    fail,
    finish,
    generation_of,
    models,
    settle,
    work_off,
)
from tests.factories import PREFERENCE, make_campaign, make_user
from tests.foundation.threads import run_together
from tests.inference_workers.factories import make_revision

pytestmark = pytest.mark.django_db

COLD = Settings("cold", temperature=0.1, max_tokens=64, stop=("END",), seed_base=1000)
WARM = Settings("warm", temperature=1.2, top_p=0.9)


def sides(generation):
    """Of each item, who sits there with which sample, whatever their order."""
    found = {}
    for response in Response.objects.filter(item__generation=generation):
        found.setdefault(response.item_id, []).append((response.contestant_id, response.sample))
    return [tuple(sorted(each)) for each in found.values()]


@pytest.mark.parametrize(
    ("plan", "items", "completions"),
    [
        (Plan(10, 4, 2), 1, 2),
        (Plan(10, 4, 2, samples=3), 3, 6),
        (Plan(10, 4, 2, samples=3, design=SampleDesign.EVERY), 9, 6),
        (Plan(10, 4, 2, samples=3, design=SampleDesign.ALL_PAIRS), 18, 12),
        (Plan(10, 4, 2, samples=3, design=SampleDesign.WITHIN), 12, 12),
        (Plan(10, 4, 2, samples=2, settings=(COLD, WARM)), 4, 8),
        (Plan(10, 1, 2, samples=2, settings=(COLD, WARM), own=True, design=SampleDesign.ALL_PAIRS), 2, 4),
        (Plan(10, 1, 3, samples=4, design=SampleDesign.WITHIN), 4, 4),
    ],
)
def test_a_plan_makes_the_items_and_asks_for_the_completions_that_it_says(plan, items, completions):
    seating = seat(plan, np.random.default_rng(3))
    assert (plan.items_per_prompt, plan.completions_per_prompt) == (items, completions)
    assert seating.contestant.shape == seating.sample.shape == (plan.items, plan.seats)
    assert Counter(seating.prompt.tolist()) == dict.fromkeys(range(10), items)
    rows = zip(seating.prompt.tolist(), seating.contestant.tolist(), seating.sample.tolist(), strict=True)
    whole = [(p, tuple(sorted(zip(c, s, strict=True)))) for p, c, s in rows]
    assert len(set(whole)) == plan.items
    assert len({(p, *side) for p, row in whole for side in row}) == plan.completions == sum(plan.by_contestant())
    assert all(len({c for c, _s in row}) == (1 if plan.design == "within" else plan.seats) for _p, row in whole)
    assert {side for _p, row in whole for _c, side in row} == set(range(plan.each))


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (Plan(1, 2, 2, samples=17), "1 to 16 samples"),
        (Plan(1, 1, 2), "choose 2 language models or more"),
        (Plan(1, 1, 2, design=SampleDesign.WITHIN), "take 2 samples"),
        (Plan(1, 3, 1, samples=3, design=SampleDesign.WITHIN), "one response"),
        (Plan(100_000, 4, 2, samples=16, design=SampleDesign.EVERY), "25,600,000 items, more than the 500,000"),
        (Plan(100_000, 9, 9, samples=4), "3,600,000 completions"),
        (Plan(1, 2, 2, settings=(COLD, COLD)), "one name"),
        (Plan(1, 2, 2, settings=(WARM, Settings("x", 1.2, 0.9)), own=True), "the same"),
        (Plan(1, 2, 2, settings=(COLD,) * 5), "at most 4 settings"),
    ],
)
def test_absurd_plans_are_refused_by_name(plan, why):
    assert why in (refusal_of(plan) or "")


def test_every_sample_is_a_completion_of_its_own_with_its_seed_and_its_settings():
    asked = models(2, temperature=0.7, max_tokens=200)
    generation = generation_of(make_campaign(), 2, asked=asked, samples=Samples(2, (COLD, WARM)))
    advance(generation)
    found = Completion.objects.order_by("revision", "created_at")
    assert found.count() == 2 * 2 * 2 * 2
    assert Counter(each.drawn_with["temperature"] for each in found) == {0.1: 8, 1.2: 8}
    cold = [each for each in found if each.sampling["temperature"] == 0.1]
    assert cold[0].drawn_with | {"stop": ["END"], "max_tokens": 64, "temperature": 0.1} == cold[0].drawn_with
    # The seeds count from the base in every prompt and for every model; without a base each is drawn.
    assert Counter(each.seed for each in cold) == {1000: 4, 1001: 4}
    assert len({each.seed for each in found} - {1000, 1001}) == 8
    # The same sample of both stands against each other, so with the same settings.
    for item in generation.items.all():
        turns = Turn.objects.filter(response__item=item).select_related("completion")
        assert len({json.dumps(turn.completion.sampling) for turn in turns}) == 1
    work_off(generation)
    assert Item.objects.filter(state="open").count() == 2 * 4
    assert Contestant.objects.count() == 2


def test_a_sample_that_stands_in_several_items_is_asked_for_once_and_opens_all_of_them():
    generation = generation_of(
        make_campaign(), 1, asked=models(2), samples=Samples(samples=3, design=SampleDesign.EVERY)
    )
    assert advance(generation) == 6 == Completion.objects.count()
    assert Turn.objects.count() == 18
    progress = generation_progress(generation, timezone.now())
    assert (progress.items, progress.wanted, progress.asked) == (9, 6, 6)
    for completion in claimed():
        finish(completion)
    work_off(generation)
    assert Item.objects.filter(state="open").count() == 9
    progress = generation_progress(generation, timezone.now())
    assert (progress.written, progress.tokens) == (6, 6 * 120)
    assert generation.state == "done"


def test_the_samples_of_one_model_meet_each_other():
    generation = generation_of(
        make_campaign(), 2, asked=models(1), samples=Samples(samples=3, design=SampleDesign.WITHIN)
    )
    (one,) = generation.contestants
    assert Counter(sides(generation)) == {
        ((one, first), (one, second)): 2 for first, second in combinations(range(3), 2)
    }


def test_a_shared_sample_that_fails_is_replaced_once_in_all_its_items_and_paid_once():
    asked = models(2, model={"price_read": "3", "price_written": "15"})
    generation = generation_of(make_campaign(), 1, asked=asked, samples=Samples(samples=2, design=SampleDesign.EVERY))
    advance(generation)
    bad, *good = claimed()
    for completion in good:
        finish(completion)
    fail(bad, usage=Usage(100, 10))
    advance(generation)
    assert Completion.objects.count() == 5
    (again,) = claimed()
    assert Turn.objects.filter(completion=again, replacements=1).count() == 2
    # Each of its turns tells of it; what it cost is paid once.
    assert Event.objects.filter(verb="completion_replaced").count() == 2
    finish(again)
    work_off(generation)
    assert Item.objects.filter(state="open").count() == 4
    cost = generation_progress(generation, timezone.now()).cost
    assert float(cost) == pytest.approx(4 * 0.0006 + 0.00045)


def test_a_shared_sample_that_failed_twice_is_tried_again_from_any_of_its_items():
    generation = generation_of(
        make_campaign(), 1, asked=models(2), samples=Samples(samples=2, design=SampleDesign.EVERY)
    )
    advance(generation)
    bad, *good = claimed()
    for completion in good:
        finish(completion)
    fail(bad)
    advance(generation)
    (again,) = claimed()
    fail(again)
    advance(generation)
    progress = generation_progress(generation, timezone.now())
    assert (progress.failed, progress.failed_items) == (1, 2)
    item = Item.objects.filter(responses__turns__completion=again).first()
    _same, count = retry_generation(generation_id=generation.pk, actor=None, now=timezone.now(), item_id=item.pk)
    assert (count, Turn.objects.filter(completion=again).count()) == (1, 0)
    work_off(generation)
    assert (Item.objects.filter(state="open").count(), Completion.objects.count()) == (4, 6)


def test_a_pause_takes_back_what_waits_and_goes_on_with_the_same_samples():
    generation = generation_of(
        make_campaign(), 2, asked=models(2), samples=Samples(2, (COLD,), design=SampleDesign.EVERY)
    )
    advance(generation)
    pause_generation(generation_id=generation.pk, actor=None, now=timezone.now())
    assert Turn.objects.count() == 0
    resume_generation(generation_id=generation.pk, actor=None, now=timezone.now())
    work_off(generation)
    written = Completion.objects.filter(state="succeeded")
    assert Counter(each.seed for each in written) == {1000: 4, 1001: 4}
    assert Item.objects.filter(state="open").count() == 8


def test_settings_are_contestants_of_their_own_only_where_somebody_says_so():
    campaign, asked = make_campaign(), models(1)
    plan = Samples(1, (COLD, WARM), own=True)
    generation = generation_of(campaign, 2, asked=asked, samples=plan)
    names = contestant_names(generation.contestants)
    model = asked[0].name
    assert sorted(names.values()) == [f"{model} (cold)", f"{model} (warm)"]
    # Again, and under another name, they are the same contestants; another meaning of a name is refused.
    again = generation_of(campaign, 1, asked=asked, samples=plan)
    assert again.contestants == generation.contestants
    renamed = Samples(1, (Settings("hot", 1.2, 0.9), COLD), own=True)
    assert set(generation_of(campaign, 1, asked=asked, samples=renamed).contestants) == set(again.contestants)
    with pytest.raises(CannotGenerate, match="other settings that are called cold"):
        generation_of(
            campaign, 1, asked=asked, samples=Samples(1, (Settings("cold", 0.5), Settings("x", 0.6)), own=True)
        )
    work_off(generation)
    item = generation.items.first()
    speakers = Speakers()
    speakers.read(generation.contestants)
    assert sorted(speakers[pk].columns["temperature"] for pk in generation.contestants) == [0.1, 1.2]
    said = [turn for turns in read_contents([item.pk])[item.pk].turns.values() for turn in turns]
    assert sorted(json.loads(turn.provenance["sampling"])["temperature"] for turn in said) == [0.1, 1.2]


def test_a_hidden_models_settings_do_not_name_it():
    asked = models(1)
    asked[0].visibility = "hidden"
    asked[0].save()
    generation = generation_of(make_campaign(), 1, asked=asked, samples=Samples(1, (COLD, WARM), own=True))
    assert {name.partition(" ")[0] for name in contestant_names(generation.contestants).values()} == {"stand-in"}


@pytest.mark.parametrize(
    ("sampling", "why"),
    [
        ({"temperature": 3}, "between 0 and 2"),
        ({"temperature": float("nan")}, "is a number"),
        ({"top_p": True}, "is a number"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stop": [""]}, "a stop"),
        ({"stop": ["x"] * 9}, "at most 8"),
        ({"top_k": 4}, "'top_k'"),
    ],
)
def test_settings_that_no_model_could_be_asked_with_are_refused(sampling, why):
    messages = [{"role": "user", "content": "Hello"}]
    with pytest.raises(InvalidSampling, match=why):
        request_completion(
            revision=make_revision(), messages=messages, person=None, priority=Priority.BATCH, seed=1, sampling=sampling
        )


def test_the_estimate_says_completions_by_model_and_settings():
    campaign, asked = make_campaign(), models(3)
    prompts = prompts_of_lines("One?\nTwo?\nThree?\nFour?")
    figures = reckoned(campaign, prompts, asked, Samples(2, (COLD, WARM)))
    found = figures["estimate"]
    assert [each.completions for each in found.models] == [6, 6, 6, 6, 4, 4]
    assert found.completions == figures["plan"].completions == 32
    assert found.models[0].model == f"{asked[0].name} (cold)"
    assert found.models[0].written_tokens == 6 * 64
    with pytest.raises(CannotGenerate):
        reckoned(campaign, prompts, asked[:1], Samples())


def test_samples_and_settings_are_chosen_on_the_page_and_its_figures_come_first():
    make_campaign(slug="trial", questions=[PREFERENCE])
    asked = models(2)
    admin = Client()
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    page = reverse("campaign-generate", args=["trial"])
    sent = {"lines": "One?\nTwo?", "models": [model.pk for model in asked], "key": "k" * 32}
    sent |= {"samples": 3, "design": "every", "own": "on"}
    sent |= {"settings-0-name": "cold", "settings-0-temperature": "0.1", "settings-0-stop": "END\n\nSTOP"}
    sent |= {"settings-1-name": "warm", "settings-1-seed_base": "7"}
    answer = admin.post(page, sent)
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "A prompt gets 6 responses, and 9 items are made of them." in shown
    assert f"{asked[0].name} (cold)" in shown
    started = admin.post(page, sent | {"seen": answer.context["form"]["seen"].value()})
    generation = Generation.objects.get()
    assert started["Location"] == reverse("generation", args=["trial", generation.pk])
    assert generation.parameters["settings"] == [
        {"name": "cold", "temperature": 0.1, "stop": ["END", "STOP"]},
        {"name": "warm", "seed_base": 7},
    ]
    assert (len(generation.contestants), generation.items.count()) == (4, 18)
    watched = admin.get(started["Location"]).content.decode()
    assert "3 samples of each model" in watched
    assert "cold: Temperature 0.1 · Ends before “END”, “STOP”</p>" in watched
    assert ("warm: First seed 7</p>" in watched, "seed_base" in watched) == (True, False)
    work_off(generation)
    item = admin.get(reverse("campaign-item", args=["trial", generation.items.first().pk])).content.decode()
    assert "How it was written" in item
    words = r"(?s)<dt>Temperature</dt><dd[^>]*>0\.[17]</dd>.*<dt>Most tokens</dt><dd[^>]*>256</dd>"
    assert re.search(words, item)
    assert ("max_tokens" in item, "repetition_penalty" in item) == (False, False)
    cold = generation.items.filter(responses__contestant__settings_name="cold").first()
    shown = admin.get(reverse("campaign-item", args=["trial", cold.pk])).content.decode()
    assert re.search(r"<dt>Ends before</dt><dd[^>]*>“END”, “STOP”</dd>", shown)
    # Other samples are other figures; a row without a name, and nonsense, are refused by their fields.
    assert admin.post(page, sent | {"samples": 2, "seen": answer.context["form"]["seen"].value()}).status_code == 200
    for wrong in ({"settings-2-top_p": "0.5"}, {"samples": 17}, {"design": "x"}, {"settings-0-temperature": "9"}):
        assert admin.post(page, sent | wrong).status_code == 422, wrong
    assert Generation.objects.count() == 1


def settle_both_at_once(monkeypatch):
    """Two items of one failed sample, by two workers who have both seen that it failed before either acts on it."""
    generation = generation_of(
        make_campaign(), 1, asked=models(2), samples=Samples(samples=2, design=SampleDesign.EVERY)
    )
    advance(generation)
    bad, *good = claimed()
    for completion in good:
        finish(completion)
    fail(bad)
    both = threading.Barrier(2, timeout=30)
    seen = settle_generated.has_failed

    def seen_by_both(turn):
        if seen(turn):
            both.wait()
        return seen(turn)

    monkeypatch.setattr(settle_generated, "has_failed", seen_by_both)
    items = list(Item.objects.filter(responses__turns__completion=bad).values_list("pk", flat=True))
    assert len(items) == 2
    run_together(*(partial(settle, pk) for pk in items))
    return Completion.objects.count()


@pytest.mark.django_db(transaction=True)
def test_two_items_that_settle_at_once_replace_their_sample_once(monkeypatch):
    assert settle_both_at_once(monkeypatch) == 5


@pytest.mark.django_db(transaction=True)
def test_control_without_a_second_look_the_sample_is_asked_for_twice(monkeypatch):
    monkeypatch.setattr(Turn, "refresh_from_db", lambda self, **kwargs: None)
    assert settle_both_at_once(monkeypatch) == 6
