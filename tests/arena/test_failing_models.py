"""What a visitor is told of a model that does not answer, and how soon."""

import time
from datetime import timedelta

import pytest

from annotation.models import Event, Turn
from inference_workers.engine.protocol import ErrorCode, GenerationError
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.policies import retry
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks.pump import Pump
from tests.arena.factories import begin, make_models
from tests.factories import make_person

pytestmark = pytest.mark.django_db(transaction=True)

# What a visitor may wait for the word that nothing will come.
VISITOR_SECONDS = 8.0
ANSWER = Script(("The", " warmest", " is", " red", "."))
STATUS_500 = GenerationError(ErrorCode.ENDPOINT_STATUS, "the endpoint answered with status 500", retryable=True)


class OneThatFails:
    """Backends by endpoint; that of one endpoint answers every request with status 500."""

    def __init__(self, failing):
        self.failing = failing
        self.made = {}
        self.asked = 0

    def of(self, endpoint):
        def rule(request):
            self.asked += endpoint.pk == self.failing
            return Script((), STATUS_500) if endpoint.pk == self.failing else ANSWER

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
    """What a worker does with the queue until it has nothing more to do; how long that took."""
    started = time.monotonic()
    writer = StreamWriter(sync_client())
    Pump(backends=backends, writer=writer, lease=timedelta(seconds=30), admit_seconds=30.0).run()
    return time.monotonic() - started


@pytest.mark.slow
def test_a_battle_with_an_endpoint_that_answers_500_is_void_within_seconds():
    battle, backends = battle_with_a_failing_model()
    seconds = pump(backends)
    battle.refresh_from_db()
    turn = Turn.objects.get(response__item=battle.item, response__position=0)
    assert (battle.state, turn.replacements, backends.asked) == ("void", 1, 6)
    assert Event.objects.get(verb="voided").reason == "completion failed twice: endpoint_status"
    assert seconds < VISITOR_SECONDS


def test_control_with_the_pauses_of_a_batch_the_visitor_still_waits(monkeypatch):
    monkeypatch.setattr(retry, "VISITOR_RETRY_SECONDS", retry.RETRY_SECONDS)
    battle, backends = battle_with_a_failing_model()
    pump(backends)
    battle.refresh_from_db()
    assert (battle.state, backends.asked) == ("answering", 2)
