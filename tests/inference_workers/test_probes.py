"""Models that take part are looked at now and then, behind people and within budgets."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inference_workers import tasks
from inference_workers.enums import BreakerState, Priority
from inference_workers.models import Completion, EndpointGauge
from inference_workers.use_cases.probe_endpoints import probe_endpoints
from inference_workers.use_cases.probe_models import probe_models
from tests.foundation.threads import run_together
from tests.inference_workers.factories import make_completion, make_endpoint, make_revision
from tests.inference_workers.pumping import run_pump

pytestmark = pytest.mark.django_db(transaction=True)
EVERY = timedelta(minutes=30)


def probe(now=None):
    return probe_models(every=EVERY, now=now or timezone.now())


def test_models_with_a_weight_are_asked_once_in_that_time_and_others_never():
    asked = make_revision()
    make_revision(model={"weight": 0.0})
    make_revision(model={"visibility": "retired"})
    make_revision(output="video")
    alone = make_revision()
    left = timezone.now() + timedelta(minutes=1)
    EndpointGauge.objects.filter(pk=alone.endpoint_id).update(state=BreakerState.OPEN, opened_until=left)
    assert [probe(), probe()] == [1, 0]
    run_pump()
    (found,) = Completion.objects.all()
    assert (found.revision_id, found.priority, found.state) == (asked.pk, Priority.PROBE, "succeeded")
    assert [probe(), probe(timezone.now() + EVERY + timedelta(seconds=1))] == [0, 1]


def test_a_probe_that_waits_is_not_asked_beside_another_by_two_sweepers_at_once():
    make_revision()
    run_together(probe, probe, probe)
    assert Completion.objects.count() == 1
    assert probe(timezone.now() + timedelta(days=1)) == 0


def test_people_come_before_it_and_batches_after_it():
    revision = make_revision(endpoint=make_endpoint(capacity=1))
    batch = make_completion(revision=revision, priority=Priority.BATCH)
    probe()
    person = make_completion(revision=revision)
    run_pump()
    ended = list(Completion.objects.order_by("started_at").values_list("pk", flat=True))
    assert (ended[0], ended[2]) == (person.pk, batch.pk)


def test_a_day_without_budget_has_no_probes():
    revision = make_revision(endpoint=make_endpoint(daily_budget=0), model={"price_read": 1, "price_written": 1})
    probe()
    run_pump()
    assert Completion.objects.get(revision=revision).state == "queued"


def test_an_endpoint_that_is_left_alone_is_tried_by_another_of_its_models_each_time():
    endpoint = make_endpoint()
    heavy, light = (make_revision(endpoint=endpoint, model={"weight": weight}) for weight in (2.0, 1.0))
    asked = []
    for _ in range(4):
        past = timezone.now() - timedelta(seconds=1)
        EndpointGauge.objects.filter(pk=endpoint.pk).update(state=BreakerState.OPEN, opened_until=past)
        assert probe_endpoints(now=timezone.now()) == 1
        newest = Completion.objects.latest("created_at")
        asked.append(newest.revision_id)
        Completion.objects.filter(pk=newest.pk).update(state="cancelled", finished_at=timezone.now())
    assert asked == [heavy.pk, light.pk, heavy.pk, light.pk]


def test_nothing_is_asked_where_the_setting_says_never(settings):
    make_revision()
    settings.MODEL_PROBE_MINUTES = 0
    tasks.look_at_models()
    assert not Completion.objects.exists()
    settings.MODEL_PROBE_MINUTES = 30
    tasks.look_at_models()
    assert Completion.objects.count() == 1
