"""A judge whose endpoint takes a JSON schema is told the form of its answer, and read with the same care."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.policies.judging import answer_schema
from annotation.queries.judges import asked_of_models, situation_of
from annotation.use_cases.advance_judging import advance_judging
from inference_workers.enums import Backend
from inference_workers.models import Completion
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks import pump as pumping
from inference_workers.tasks.backends import Backends
from inference_workers.tasks.pump import Pump
from tests.annotation.judging.test_judging import QUESTIONS, start, states
from tests.factories import make_campaign, make_item
from tests.inference_workers.engine.json_endpoint import JSONEndpoint
from tests.inference_workers.factories import make_endpoint, make_revision

pytestmark = pytest.mark.django_db(transaction=True)


def chunks(text: str) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
    return f"data: {json.dumps(chunk | {'choices': [said]})}\n\ndata: [DONE]\n\n".encode()


def answers(body):
    """A server that decodes by a grammar: the form is that of the schema, where there is one; else it talks."""
    if "response_format" not in body:
        return 200, chunks("I prefer the first.")
    members = body["response_format"]["json_schema"]["schema"]["properties"]
    filled = {"preference": {"choice": "a", "strength": None}, "acceptable": [True, False]}
    return 200, chunks(json.dumps({name: filled[name] for name in members}))


def judged(server, **recipe):
    endpoint = make_endpoint(backend=Backend.OPENAI, base_url=server.url)
    return make_revision(endpoint=endpoint, provider_model="judge", **recipe).language_model


def test_a_judge_that_takes_a_schema_is_told_it_and_one_that_does_not_hears_the_words_alone(settings, monkeypatch):
    monkeypatch.setattr(pumping, "PATIENCE_SECONDS", 0.5)
    campaign = make_campaign(questions=QUESTIONS)
    make_item(campaign, texts=("It is good.", "Bad."))
    with JSONEndpoint(answers) as server:
        settings.OUTBOUND_ALLOWED_HOSTS = [*settings.OUTBOUND_ALLOWED_HOSTS, server.url.split("/")[2]]
        told = start(campaign, judged(server, takes_schema=True))
        untold = start(campaign, judged(server))
        for _round in range(3):
            for judging in (told, untold):
                advance_judging(judging_id=judging.pk, now=timezone.now())
            writer = StreamWriter(sync_client())
            Pump(backends=Backends(), writer=writer, lease=timedelta(seconds=30), rest_seconds=20.0).run()
    assert (states(told), states(untold)) == (["judged"] * 2, ["failed"] * 2)
    asked = asked_of_models(campaign, told.instrument_id, 2)
    schema = answer_schema(asked, situation_of(campaign, 2))
    sent = [body["response_format"] for _path, body in server.asked if "response_format" in body]
    assert sent == [{"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}] * 2
    # Two orders, each once more where it could not be read; the words say the form in any case.
    assert len(server.asked) == 2 + 4
    assert all(json.dumps(schema, sort_keys=True) in body["messages"][-1]["content"] for _path, body in server.asked)
    assert Completion.objects.filter(schema__isnull=False).count() == 2
