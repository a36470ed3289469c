"""What a visitor is told of a model that does not answer, and how soon."""

from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Event, Turn
from arena.models import Battle
from arena.use_cases.refuse_flood import TooBusy
from inference_workers.engine.protocol import ErrorCode, GenerationError
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.models import EndpointGauge, LanguageModel
from inference_workers.policies import breaker, retry
from inference_workers.policies.breaker import OPENS_AFTER
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks.pump import Pump
from tests.arena.factories import begin, let_open, make_models
from tests.factories import make_person, new_key

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER = Script(("The", " warmest", " is", " red", "."))
STATUS_500 = GenerationError(ErrorCode.ENDPOINT_STATUS, "the endpoint answered with status 500", retryable=True)


class OneThatFails:
    """Backends by endpoint; that of one endpoint answers every request with status 500."""

    def __init__(self, failing):
        self.failing = failing
        self.made = {}
        self.asked = 0
        self.capacity = 0

    def of(self, endpoint):
        def rule(request):
            self.asked += endpoint.pk == self.failing
            return Script((), STATUS_500) if endpoint.pk == self.failing else ANSWER

        self.capacity = endpoint.capacity
        settings = ScriptedSettings(capacity=endpoint.capacity)
        return self.made.setdefault(endpoint.pk, ScriptedBackend(settings, rule=rule))

    def drop(self, backend):
        raise AssertionError("no backend breaks here")


@pytest.fixture(autouse=True)
def empty_redis():
    sync_client().flushdb()


def battle_with_a_failing_model():
    """A new battle whose first model's endpoint answers 500, and its backends."""
    make_models()
    battle = begin(make_person())
    turn = Turn.objects.select_related("completion__revision").get(response__item=battle.item, response__position=0)
    return battle, OneThatFails(turn.completion.revision.endpoint_id)


def pump(backends):
    """What a worker does with the queue until it has nothing more to do that begins soon."""
    writer = StreamWriter(sync_client())
    Pump(backends=backends, writer=writer, lease=timedelta(seconds=30), rest_seconds=30.0).run()
    let_open()


@pytest.mark.slow
def test_a_battle_with_an_endpoint_that_answers_500_is_void_before_the_worker_rests():
    battle, backends = battle_with_a_failing_model()
    pump(backends)
    battle.refresh_from_db()
    turn = Turn.objects.get(response__item=battle.item, response__position=0)
    # Three attempts, and two of the replacement: with the fifth failure in a row the endpoint is left alone.
    assert (battle.state, turn.replacements, backends.asked) == ("void", 1, OPENS_AFTER)
    assert Event.objects.get(verb="voided").reason == "completion failed twice: endpoint_open"


def test_control_with_the_pauses_of_a_batch_the_visitor_still_waits(monkeypatch):
    monkeypatch.setattr(retry, "VISITOR_RETRY_SECONDS", retry.RETRY_SECONDS)
    battle, backends = battle_with_a_failing_model()
    pump(backends)
    battle.refresh_from_db()
    assert (battle.state, backends.asked) == ("answering", 2)


# -- many battles


BATTLES, AT_ONCE = 50, 10


def fifty_battles(models, monkeypatch):
    """Ten at once, answered by a worker before the next ten, among so many models of which the first fails. Returns the
    backends and what became of the battles."""
    monkeypatch.setattr(retry, "VISITOR_RETRY_SECONDS", (0.01,))
    make_models(models)
    failing = LanguageModel.objects.order_by("pk").first()
    backends = OneThatFails(failing.current.endpoint_id)
    for _ in range(BATTLES // AT_ONCE):
        for _ in range(AT_ONCE):
            begin(make_person())
        pump(backends)
    return backends, Counter(Battle.objects.values_list("state", flat=True))


def test_fifty_battles_ask_a_dead_endpoint_a_handful_of_times_and_then_draw_other_models(monkeypatch):
    backends, states = fifty_battles(3, monkeypatch)
    print(f"battles: {BATTLES}, requests to the dead endpoint: {backends.asked}, {states}")
    # Those that were under way when the fifth failure in a row came, and nothing of the later battles.
    assert OPENS_AFTER <= backends.asked <= OPENS_AFTER + backends.capacity
    assert states["votable"] >= BATTLES - AT_ONCE
    assert set(states) == {"votable", "void"}


def test_control_with_the_breaker_patched_shut_every_battle_that_draws_it_asks_six_times(monkeypatch):
    monkeypatch.setattr(breaker, "OPENS_AFTER", 10**6)
    backends, states = fifty_battles(2, monkeypatch)
    assert (backends.asked, states) == (6 * BATTLES, {"void": BATTLES})


def test_the_digest_of_the_candidates_is_without_a_model_whose_endpoint_is_left_alone():
    make_models(3)
    whole = begin(make_person()).impression
    left = LanguageModel.objects.order_by("pk").first()
    leave_alone(left.current.endpoint_id, seconds=60)
    without = begin(make_person()).impression
    assert (whole.candidate_count, without.candidate_count) == (3, 2)
    assert without.candidate_digest != whole.candidate_digest
    EndpointGauge.objects.update(state="closed", opened_until=None)
    assert begin(make_person()).impression.candidate_digest == whole.candidate_digest


def test_with_fewer_than_two_models_left_a_battle_is_refused_with_the_wait_and_nothing_is_written(client):
    make_models(2)
    leave_alone(LanguageModel.objects.order_by("pk").first().current.endpoint_id, seconds=90)
    with pytest.raises(TooBusy) as refused:
        begin(make_person())
    assert 80 <= refused.value.wait_seconds <= 90
    # The other one has nothing to do: nobody is told that all are busy.
    page = client.post(reverse("start-battle"), {"prompt": "Why is it so?", "key": new_key()})
    told = page.content.decode()
    assert (page.status_code, "Too few models answer right now." in told, "answering others" in told) == (
        429,
        True,
        False,
    )
    assert "Why is it so?" in told
    assert not Battle.objects.exists()


def leave_alone(endpoint_id, *, seconds):
    until = timezone.now() + timedelta(seconds=seconds)
    EndpointGauge.objects.filter(pk=endpoint_id).update(state="open", opened_until=until)
