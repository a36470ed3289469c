"""A real worker writes responses while its process dies and the broker forgets everything: nothing is lost, nothing is
doubled, and no item is shown before all of it is there."""

import time

import pytest
from django.db.models import Count, F, Q
from django.utils import timezone

from annotation.models import Item, Response, Slot, Turn
from annotation.use_cases import advance_generation as advancing
from annotation.use_cases.change_generation import pause_generation, resume_generation
from annotation.use_cases.sweep_generations import sweep_generations
from inference_workers.models import Completion, LanguageModel, OutboxEntry
from inference_workers.streams import sync_client
from inference_workers.tasks import sweep_completions
from tests.annotation.generating.factories import generation_of
from tests.factories import make_campaign
from tests.inference_workers.factories import make_endpoint, make_revision
from tests.worker_fixture import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.usefixtures("empty_redis"),
]


def scripted(count: int = 3, *, provider_model: str = "words=12,pace=0.02") -> list[LanguageModel]:
    endpoint = make_endpoint(capacity=8)
    return [make_revision(endpoint=endpoint, provider_model=provider_model).language_model for _ in range(count)]


def half_shown() -> int:
    """Items that could be judged although some response is not written."""
    written = Count("responses", filter=Q(responses__turns__completion__state="succeeded"), distinct=True)
    counted = Item.objects.filter(state__in=["open", "frozen"]).annotate(
        there=written, wanted=Count("responses", distinct=True)
    )
    return counted.exclude(there=F("wanted")).count()


def swept(*, generations: bool = True) -> None:
    """What the default worker does every five seconds."""
    sweep_completions()
    if generations:
        sweep_generations(now=timezone.now())


def until(true, *, seconds: float = 90, generations: bool = True) -> None:
    last = 0.0

    def look():
        nonlocal last
        if time.monotonic() - last > 0.5:
            last = time.monotonic()
            swept(generations=generations)
            assert half_shown() == 0
        return true()

    wait_until(look, seconds, what=lambda: str(list(Completion.objects.values_list("state").annotate(Count("pk")))))


def opened() -> int:
    return Item.objects.filter(state="open").count()


def test_two_hundred_results_come_though_workers_die_and_the_broker_forgets_everything(generation_worker):
    """Three times the worker dies with what it holds, twice the broker is emptied of every hint and stream."""
    generation = generation_of(make_campaign(overlap=2), 100, asked=scripted(provider_model="words=12,pace=0.01"))
    faults = {"kill": 0, "flush": 0}
    for share, fault in ((10, "kill"), (28, "flush"), (46, "kill"), (64, "flush"), (82, "kill")):
        until(lambda share=share: opened() >= share)
        if fault == "kill":
            until(lambda: Completion.objects.filter(state="running").exists())
            generation_worker.kill_child()
        else:
            sync_client().flushdb()
        faults[fault] += 1
    until(lambda: opened() == 100)
    until(lambda: not sweep_generations(now=timezone.now()))
    generation.refresh_from_db()
    responses = Response.objects.filter(item__generation=generation)
    rows = Completion.objects.filter(state="succeeded")
    attempts = sum(Completion.objects.values_list("attempt", flat=True))
    print(f"faults injected: {faults}, asked: 200, attempts: {attempts}, results: {rows.count()}")
    assert faults == {"kill": 3, "flush": 2}
    assert attempts > 200
    assert generation.state == "done"
    assert responses.filter(turns__completion__state="succeeded").count() == responses.count() == 200
    assert Turn.objects.count() == rows.count() == OutboxEntry.objects.filter(completion__in=rows).count() == 200
    assert Slot.objects.count() == 200


def running() -> set[object]:
    return set(Completion.objects.filter(state="running").values_list("pk", flat=True))


def test_control_without_the_sweeper_what_a_killed_worker_held_never_comes(generation_worker):
    """All are asked at once and none waits for a hint; only nobody takes back what died with its worker."""
    generation_of(make_campaign(), 12, asked=scripted(2, provider_model="words=12,pace=0.05"))
    sweep_generations(now=timezone.now())
    wait_until(lambda: Completion.objects.filter(state="succeeded").count() >= 4)
    wait_until(lambda: Completion.objects.filter(state="running").count() >= 2)
    generation_worker.kill_child()
    held = running()
    time.sleep(8)
    # The child that came after may have taken others meanwhile, but none of these.
    assert held
    assert held <= running()
    assert opened() < 12
    until(lambda: opened() == 12)


def test_control_without_its_sweeper_a_generation_stands_still(generation_worker, monkeypatch):
    monkeypatch.setattr(advancing, "MOST_OUTSTANDING", 4)
    generation_of(make_campaign(), 6, asked=scripted(2))
    sweep_generations(now=timezone.now())
    until(lambda: Completion.objects.filter(state="succeeded").count() == 4, generations=False)
    # Every hint that the worker sent is forgotten.
    sync_client().flushdb()
    time.sleep(2)
    sweep_completions()
    assert (opened(), Completion.objects.count()) == (0, 4)
    until(lambda: opened() == 6)


def test_a_pause_stops_a_real_worker_within_moments_and_a_resume_finishes(generation_worker, monkeypatch):
    monkeypatch.setattr(advancing, "MOST_OUTSTANDING", 24)
    generation = generation_of(make_campaign(), 20, asked=scripted(2))
    until(lambda: opened() >= 2)
    pause_generation(generation_id=generation.pk, actor=None, now=timezone.now())
    begun = time.monotonic()
    until(lambda: not Completion.objects.filter(state__in=["queued", "running"]).exists(), generations=False)
    stopped = time.monotonic() - begun
    written = Completion.objects.filter(state="succeeded").count()
    time.sleep(1)
    swept()
    print(f"stopped after {stopped:.1f} s with {written} of 40 written")
    assert Completion.objects.filter(state="succeeded").count() == written < 40
    resume_generation(generation_id=generation.pk, actor=None, now=timezone.now())
    until(lambda: opened() == 20)
    assert Completion.objects.filter(state="succeeded").count() == 40
