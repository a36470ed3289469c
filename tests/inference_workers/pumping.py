"""The pump in this process, with backends that follow a script."""

import threading
import time
from datetime import timedelta
from itertools import groupby

from django.db import connection

from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.enums import Backend, CompletionState
from inference_workers.models import Completion
from inference_workers.queries import completion_texts
from inference_workers.streams import StreamWriter, read_so_far, sync_client
from inference_workers.tasks.backends import EndpointUnusable
from inference_workers.tasks.pump import Pump

ANSWER = ("An", " answer", ".")


class Scripts:
    """Backends by endpoint; the last message of a request chooses its script."""

    def __init__(self, scripts=None, **settings):
        self.scripts = scripts or {}
        self.settings = settings
        self.made = {}
        self.seen = []
        self.dropped = []

    def of(self, endpoint):
        if endpoint.backend == Backend.OPENAI:
            raise EndpointUnusable("no such place")
        if endpoint.pk not in self.made:
            backend = ScriptedBackend(
                ScriptedSettings(**({"capacity": endpoint.capacity} | self.settings)), rule=self.rule
            )
            self.made[endpoint.pk] = backend
        return self.made[endpoint.pk]

    def drop(self, backend):
        self.dropped.append(backend)
        self.made = {pk: kept for pk, kept in self.made.items() if kept is not backend}

    def rule(self, request):
        self.seen.append(request)
        return self.scripts.get(request.messages[-1].content, Script(ANSWER))


def run_pump(backends=None, **given):
    values = {"lease": timedelta(seconds=30), "rest_seconds": 20.0} | given
    return Pump(backends=backends or Scripts(), writer=StreamWriter(sync_client()), **values).run()


def outcome(completion):
    completion.refresh_from_db()
    return completion.state, completion.error_code, completion_texts([completion])[completion.pk]


def kinds(completion):
    """Of the completion's stream; how many entries a text took is a matter of pace."""
    return [kind for kind, _ in groupby(event.kind for event in read_so_far(sync_client(), completion.pk))]


def while_pumping(backends, action, **given):
    """Run the pump in a thread, do `action` once something runs, and wait for the pump's end."""
    failure = []

    def run():
        try:
            run_pump(backends, **given)
        except BaseException as error:  # noqa: BLE001  (handed to the test)
            failure.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while not Completion.objects.filter(state=CompletionState.RUNNING).exists():
        assert time.monotonic() < deadline, failure
        time.sleep(0.02)
    time.sleep(0.2)
    action()
    thread.join(30)
    assert not thread.is_alive()
    return failure


LONG = Script(tuple(f" word{number}" for number in range(400)), pace_s=0.02)
