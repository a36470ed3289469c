"""Items whose responses language models write: drawn, asked for little by little, opened when all of it is there."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import combinations

import numpy as np
import pytest
from django.utils import timezone

from annotation.enums import GenerationState, ItemState
from annotation.imports.problems import BrokenFile
from annotation.imports.prompts import GivenPrompt, prompts_of_campaign, prompts_of_file, prompts_of_lines
from annotation.models import Event, Item, Response, Slot, Turn
from annotation.policies.estimates import Pace, Wanted, estimate
from annotation.policies.launch import Supply
from annotation.policies.seating import balanced_seats
from annotation.queries.campaigns import supply_of
from annotation.queries.generations import generation_progress, paces
from annotation.use_cases import advance_generation as advancing
from annotation.use_cases.advance_generation import MOST_OUTSTANDING, note_generated
from annotation.use_cases.change_generation import (
    cancel_generation,
    pause_generation,
    resume_generation,
    retry_generation,
)
from annotation.use_cases.claim_slot import claim_slot
from annotation.use_cases.match_slots import match_slots
from annotation.use_cases.start_generation import CannotGenerate
from annotation.use_cases.sweep_generations import sweep_generations
from foundation.transitions import ForbiddenTransition
from inference_workers.enums import CompletionState, Priority, Visibility
from inference_workers.models import Completion, LanguageModel
from inference_workers.policies.prices import Prices, Usage
from inference_workers.queries import queue_length
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
from tests.annotation.imports.files import write
from tests.factories import make_campaign, make_item, make_respondent, new_key

pytestmark = pytest.mark.django_db


def now():
    return timezone.now()


def changed(change, generation, **more):
    return change(generation_id=generation.pk, actor=None, now=now(), **more)


@pytest.mark.parametrize(("contestants", "seats"), [(4, 2), (12, 2), (7, 4), (3, 3), (5, 1)])
def test_every_pair_of_contestants_meets_as_often_as_every_other(contestants, seats):
    rows = balanced_seats(prompts=600, contestants=contestants, seats=seats, rng=np.random.default_rng(1))
    assert rows.shape == (600, seats)
    assert all(len(set(row)) == seats for row in rows.tolist())
    seated = Counter(rows.ravel().tolist())
    assert max(seated.values()) - min(seated.values()) <= 0.02 * 600
    met = Counter(pair for row in rows.tolist() for pair in combinations(sorted(row), 2))
    if seats > 1:
        assert len(met) == contestants * (contestants - 1) // 2
        assert max(met.values()) - min(met.values()) <= 0.03 * 600
    # Nobody always sits first.
    assert len(set(rows[:, 0].tolist())) == contestants


def test_the_same_seed_seats_the_same_and_another_seed_others():
    def seats(seed):
        campaign = make_campaign()
        generation_of(campaign, 30, asked=asked, seed=seed)
        return list(
            Response.objects.filter(item__campaign=campaign)
            .order_by("item_id", "position")
            .values_list("contestant_id", flat=True)
        )

    asked = models(4)
    assert seats(5) == seats(5) != seats(6)


def test_a_generation_writes_items_that_nobody_sees_and_asks_for_little_at_once():
    campaign = make_campaign(overlap=2)
    generation = generation_of(campaign, 60)
    assert campaign.items.filter(state=ItemState.FILLING).count() == 60
    assert Response.objects.filter(item__generation=generation).count() == 120
    assert (Slot.objects.count(), Completion.objects.count()) == (0, 0)
    assert advance(generation) == MOST_OUTSTANDING == Completion.objects.count()
    assert advance(generation) == 0
    assert set(Completion.objects.values_list("priority", flat=True)) == {Priority.BATCH}
    # Visitors go first, so batches make no queue for them.
    assert queue_length() == 0
    assert claim_slot(campaign=campaign, respondent=make_respondent(campaign), now=now()) is None


def test_an_item_opens_with_its_slots_when_all_of_its_responses_are_there_and_not_before():
    campaign = make_campaign(overlap=3)
    generation = generation_of(campaign, 1)
    advance(generation)
    first, second = claimed()
    item = Item.objects.get(generation=generation)
    finish(first)
    assert settle(item.pk) is False
    item.refresh_from_db()
    assert (item.state, Slot.objects.count()) == (ItemState.FILLING, 0)
    finish(second)
    assert settle(item.pk) is True
    assert settle(item.pk) is False
    item.refresh_from_db()
    assert (item.state, item.slots.filter(state="open").count()) == (ItemState.OPEN, 3)
    assert claim_slot(campaign=campaign, respondent=make_respondent(campaign), now=now()) is not None


def test_control_an_item_that_opened_when_its_first_response_came_would_be_shown_half(monkeypatch):
    campaign = make_campaign()
    generation = generation_of(campaign, 1)
    advance(generation)
    finish(claimed()[0])
    monkeypatch.setattr("django.db.models.query.QuerySet.count", lambda self: 1)
    assert settle(Item.objects.get(generation=generation).pk) is True
    monkeypatch.undo()
    assignment = claim_slot(campaign=campaign, respondent=make_respondent(campaign), now=now()).assignment
    written = Turn.objects.filter(response__item=assignment.item, completion__state="succeeded").count()
    assert written < assignment.item.responses.count()


def test_the_end_of_each_completion_asks_for_the_next_one_and_the_last_ends_the_generation():
    generation = generation_of(make_campaign(), 40)
    advance(generation)
    done = claimed()
    for completion in done:
        finish(completion)
        note_generated(item_id=Turn.objects.get(completion=completion).response.item_id, now=now())
    assert Completion.objects.count() == 80
    assert Completion.objects.filter(state=CompletionState.QUEUED).count() == 80 - MOST_OUTSTANDING
    work_off(generation)
    assert (generation.state, Item.objects.filter(state=ItemState.OPEN).count()) == (GenerationState.DONE, 40)
    assert Event.objects.filter(verb="ended").get().data == {"items_without_responses": 0}


def test_a_generation_whose_last_responses_nobody_took_note_of_does_not_end(monkeypatch):
    """They come between the look at what was written and the look at what is outstanding."""
    generation = generation_of(make_campaign(), 1)
    advance(generation)

    def end_late(item_id, now):
        return False

    monkeypatch.setattr(advancing, "settle_generated", end_late)
    for completion in claimed():
        finish(completion)
    advance(generation)
    generation.refresh_from_db()
    assert generation.state == GenerationState.RUNNING
    monkeypatch.undo()
    work_off(generation)
    assert Item.objects.get(generation=generation).state == ItemState.OPEN


def test_a_failed_completion_is_asked_for_once_more_and_then_waits_for_a_person():
    generation = generation_of(make_campaign(), 1)
    advance(generation)
    bad, good = claimed()
    finish(good)
    fail(bad)
    advance(generation)
    (again,) = claimed()
    assert (again.revision_id, again.messages) == (bad.revision_id, bad.messages)
    fail(again, "empty")
    advance(generation)
    generation.refresh_from_db()
    item = Item.objects.get(generation=generation)
    assert (generation.state, item.state, Slot.objects.count()) == (GenerationState.DONE, ItemState.FILLING, 0)
    progress = generation_progress(generation, now())
    assert (progress.written, progress.failed, progress.failed_items, progress.waiting) == (1, 1, 1, 0)
    (failure,) = progress.failures
    assert (failure.item_id, failure.reason, failure.message) == (item.pk, "The answer was empty", "")
    # Only the failed response is asked for anew.
    _generation, count = changed(retry_generation, generation)
    assert count == 1
    work_off(generation)
    item.refresh_from_db()
    assert (item.state, Completion.objects.count()) == (ItemState.OPEN, 4)


def test_one_item_is_tried_again_and_the_others_wait():
    generation = generation_of(make_campaign(), 2)
    for _round in range(2):
        advance(generation)
        for completion in claimed():
            fail(completion)
    advance(generation)
    item = Item.objects.filter(generation=generation).first()
    _generation, count = changed(retry_generation, generation, item_id=item.pk)
    work_off(generation)
    assert count == 2
    assert sorted(Item.objects.values_list("state", flat=True)) == ["filling", "open"]


def test_a_pause_holds_at_once_and_loses_nothing():
    generation = generation_of(make_campaign(), 10)
    advance(generation)
    running = claimed()[:4]
    Completion.objects.exclude(pk__in=[each.pk for each in running]).update(
        state="queued", lease_token=None, lease_expires_at=None
    )
    changed(pause_generation, generation)
    assert Completion.objects.filter(state=CompletionState.QUEUED).count() == 0
    assert sweep_generations(now=now()) == []
    assert advance(generation) == 0
    for completion in running:
        finish(completion)
    with pytest.raises(ForbiddenTransition):
        changed(pause_generation, generation)
    changed(resume_generation, generation)
    work_off(generation)
    assert (generation.state, Item.objects.filter(state=ItemState.OPEN).count()) == (GenerationState.DONE, 10)
    # What was running when the pause came is in the items.
    assert Turn.objects.filter(completion__in=[each.pk for each in running]).count() == 4


def test_a_cancelled_generation_keeps_what_is_whole_and_voids_the_rest():
    generation = generation_of(make_campaign(), 3)
    advance(generation)
    whole = Item.objects.filter(generation=generation).first()
    for completion in claimed():
        if completion.turns.get().response.item_id == whole.pk:
            finish(completion)
    settle(whole.pk)
    changed(cancel_generation, generation, reason="enough")
    assert sorted(Item.objects.values_list("state", flat=True)) == ["open", "void", "void"]
    assert Completion.objects.filter(state__in=["queued", "running"]).count() == 0
    with pytest.raises(ForbiddenTransition):
        changed(retry_generation, generation)


def test_the_generations_of_a_closed_campaign_are_cancelled():
    campaign = make_campaign()
    generation = generation_of(campaign, 2)
    campaign.state = "closed"
    campaign.save()
    sweep_generations(now=now())
    generation.refresh_from_db()
    assert (generation.state, generation.reason) == ("cancelled", "the campaign was closed")


def test_the_same_key_starts_one_generation():
    campaign, asked, key = make_campaign(), models(), new_key()
    first = generation_of(campaign, 3, asked=asked, key=key)
    again = generation_of(campaign, 3, asked=asked, key=key)
    assert (first.pk, Item.objects.count()) == (again.pk, 3)


def test_too_few_models_or_retired_ones_are_refused_and_nothing_is_written():
    campaign = make_campaign()
    two = models(2)
    two[1].visibility = Visibility.RETIRED
    two[1].save()
    with pytest.raises(CannotGenerate, match="choose 2 language models or more"):
        generation_of(campaign, 3, asked=two)
    assert Item.objects.count() == 0


def test_a_raised_overlap_gives_no_slots_to_items_that_wait_and_all_of_them_when_they_open():
    campaign = make_campaign(overlap=1)
    generation = generation_of(campaign, 2)
    campaign.overlap = 4
    campaign.save()
    assert match_slots(campaign=campaign, now=now()).added == 0
    work_off(generation)
    assert [item.slots.count() for item in Item.objects.all()] == [4, 4]


def test_supply_tells_items_that_wait_from_items_that_can_be_judged():
    campaign = make_campaign()
    generation_of(campaign, 3)
    make_item(campaign)
    assert supply_of(campaign) == Supply(work=1, filling=3)


def test_prompts_come_from_lines_files_and_the_campaign_once_each(tmp_path):
    assert [each.messages for each in prompts_of_lines("One?\n\n  Two? \nOne?\n")] == [
        '[{"content":"One?","role":"user"}]',
        '[{"content":"Two?","role":"user"}]',
    ]
    path = write(tmp_path, "instruction,topic,lang,other\nOne?,sums,en,x\nTwo?,,,\n", "prompts.csv")
    assert prompts_of_file(path) == [
        GivenPrompt('[{"content":"One?","role":"user"}]', category="sums", language="en"),
        GivenPrompt('[{"content":"Two?","role":"user"}]'),
    ]
    campaign = make_campaign()
    items = [make_item(campaign, prompt=words, category="sums") for words in ("One?", "One?", "Two?")]
    found = sorted(prompts_of_campaign(campaign), key=lambda each: each.prompt)
    assert [(each.prompt, each.category) for each in found] == [
        (items[0].prompt_id, "sums"),
        (items[2].prompt_id, "sums"),
    ]
    generation_of(campaign, 1)
    assert len(prompts_of_campaign(campaign)) == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "say which column holds the prompts; the file has 'a', 'b'"),
        ('prompt\nOne?\n" "\n', "line 3: 'prompt' is empty"),
        (f"prompt\n{'x' * 32_001}\n", "32,001 characters, more than 32,000"),
        ('prompt\n"[{""role"": ""assistant"", ""content"": ""x""}]"\n', "ends with a message from assistant"),
    ],
)
def test_a_file_of_prompts_that_cannot_be_meant_is_refused_by_line(tmp_path, text, why):
    with pytest.raises(BrokenFile, match=why.replace("(", r"\(")):
        prompts_of_file(write(tmp_path, text, "prompts.csv"))


def test_more_prompts_than_one_generation_takes_are_refused(monkeypatch):
    monkeypatch.setattr("annotation.imports.prompts.MOST_PROMPTS", 2)
    with pytest.raises(BrokenFile, match="more than 2 prompts"):
        prompts_of_lines("a\nb\nc")


def test_the_estimate_counts_completions_tokens_money_and_time():
    known = Pace("Known", 1, 4, 256, 100, Prices(read=Decimal("1.00"), written=Decimal("2.00")), 50.0, 2.0)
    other = Pace("Other", 1, 4, 256, 0, Prices(), None, 4.0)
    found = estimate(prompts=100, characters=4000, wanted=[Wanted(known, 100), Wanted(other, 100)])
    assert (found.completions, found.at_most, found.unpriced) == (200, True, ["Other"])
    # 14,000 characters are read as 3,500 tokens, 5,000 are written.
    assert [each.read_tokens for each in found.models] == [3500, 1000]
    assert [each.written_tokens for each in found.models] == [5000, 25_600]
    assert found.cost == (3500 * Decimal(1) + 5000 * Decimal(2)) / 1_000_000
    # Both wait at the same endpoint, which takes four at once.
    assert found.time == timedelta(seconds=100 * (2 + 4) / 4)
    new = Pace("New", 2, 1, 9, 0, Prices(), None, None)
    assert estimate(prompts=1, characters=9, wanted=[Wanted(new, 1)]).time is None
    # Settings that write less than the model did before.
    short = estimate(prompts=100, characters=4000, wanted=[Wanted(known, 100, "short", 10)]).models[0]
    assert (short.model, short.written_tokens) == ("Known (short)", 1000)


def test_what_a_model_took_before_is_what_is_expected_and_what_was_spent_is_counted():
    asked = models(2)
    asked[0].price_read, asked[0].price_written = Decimal("3"), Decimal("15")
    asked[0].save()
    generation = generation_of(make_campaign(), 5, asked=asked)
    work_off(generation)
    by_name = paces(asked)
    assert [(by_name[model.pk].written_tokens, by_name[model.pk].seconds) for model in asked] == [(20, 0.5)] * 2
    progress = generation_progress(generation, now())
    assert (progress.written, progress.tokens) == (10, 10 * 120)
    assert progress.cost == 5 * (100 * Decimal(3) + 20 * Decimal(15)) / 1_000_000
    assert progress.unpriced == [asked[1].name]
    LanguageModel.objects.filter(pk=asked[0].pk).update(price_read="30", price_written="150")
    assert generation_progress(generation, now()).cost == progress.cost


def test_what_a_replaced_attempt_had_written_is_paid_too():
    asked = models(2, model={"price_read": "3", "price_written": "15"})
    generation = generation_of(make_campaign(), 1, asked=asked)
    advance(generation)
    for completion in claimed():
        fail(completion, usage=Usage(100, 10))
    settle(generation.items.get().pk)
    for completion in claimed():
        finish(completion)
    once, again = Decimal("0.00045"), Decimal("0.0006")
    assert generation_progress(generation, now()).cost == 2 * (once + again)


def test_a_running_generation_says_how_fast_it_goes_and_how_long_it_will_take():
    generation = generation_of(make_campaign(), 60)
    advance(generation)
    for completion in claimed()[:20]:
        finish(completion)
    Completion.objects.filter(state="succeeded").update(finished_at=now() - timedelta(seconds=60))
    progress = generation_progress(generation, now())
    assert progress.speed == pytest.approx(20, rel=0.1)
    assert progress.left.total_seconds() == pytest.approx(100 / 20 * 60, rel=0.1)
    assert (progress.asked, progress.waiting) == (MOST_OUTSTANDING - 20, 120 - MOST_OUTSTANDING)
