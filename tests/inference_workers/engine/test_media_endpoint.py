"""Files from the scripted backend and from an address over real HTTP: one contract, and a name for each failure."""

import time

import httpx
import pytest

from inference_workers.engine import media_endpoint
from inference_workers.engine.openai_backend import OpenAIBackend
from inference_workers.engine.protocol import (
    ChatMessage,
    ErrorCode,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    ModelRef,
    Sampling,
)
from inference_workers.engine.scripted import ScriptedBackend, ScriptedSettings
from inference_workers.engine.settings import EndpointSettings
from tests.inference_workers.engine.tiny_media_endpoint import TinyMediaEndpoint

OUTPUTS = {"image": b"\x89PNG", "audio": b"RIFF", "video": b"\x1aE\xdf\xa3"}


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(media_endpoint, "POLL_S", 0.01)
    with TinyMediaEndpoint() as endpoint:
        yield endpoint


@pytest.fixture
def address(server):
    """A backend of this address, with other settings than usual."""
    with httpx.Client() as client:
        made = []

        def make(**settings):
            backend = OpenAIBackend(EndpointSettings(base_url=server.url, **settings), http_client=client)
            made.append(backend)
            return backend

        yield make
        for backend in made:
            backend.close()


@pytest.fixture(params=["scripted", "address"])
def any_backend(request):
    if request.param == "scripted":
        backend = ScriptedBackend(ScriptedSettings(capacity=4))
        yield backend
        backend.close()
    else:
        yield request.getfixturevalue("address")(capacity=4)


def request_of(output, prompt="a red circle", name="one"):
    messages = (ChatMessage("system", "Be plain."), ChatMessage("user", prompt))
    return GenerationRequest(name, messages, Sampling(seed=3), ModelRef("canary-model"), output)


def ends(backend, count=1):
    events, until = [], time.monotonic() + 30
    while len(events) < count and time.monotonic() < until:
        events += backend.step(0.2)
    return events


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_file_comes_whole_and_nothing_before_it(any_backend, output):
    any_backend.admit(request_of(output))
    (event,) = ends(any_backend)
    assert isinstance(event, Finished)
    assert (event.id, event.text, event.finish_reason, event.first_token_s) == ("one", "", FinishReason.STOP, None)
    assert event.file.startswith(OUTPUTS[output])
    assert any_backend.active == 0
    any_backend.admit(request_of(output))
    assert isinstance(ends(any_backend)[0], Finished)


def test_files_come_beside_each_other_and_a_cancelled_one_does_not_come(any_backend):
    for output in OUTPUTS:
        # The address never ends such a film, so that it cannot come before it is cancelled.
        any_backend.admit(request_of(output, "endless" if output == "video" else "plain", name=output))
    any_backend.cancel("video")
    events = {event.id: event for event in ends(any_backend, 3)}
    assert events["video"].error.code == ErrorCode.CANCELLED
    assert all(events[output].file.startswith(OUTPUTS[output]) for output in ("image", "audio"))


def test_each_kind_is_asked_for_in_the_words_that_servers_know(server, address):
    backend = address(api_key="k", extra_body={"size": "64x48", "response_format": None})
    for output in OUTPUTS:
        backend.admit(request_of(output, name=output))
    assert all(isinstance(event, Finished) for event in ends(backend, 3))
    asked = {place: sent for method, place, sent in server.asked if method == "POST"}
    assert asked["images/generations"] == {
        "model": "canary-model",
        "prompt": "Be plain.\n\na red circle",
        "n": 1,
        "size": "64x48",
    }
    assert asked["audio/speech"] == {
        "model": "canary-model",
        "input": "a red circle",
        "voice": "alloy",
        "size": "64x48",
    }
    assert b'name="prompt"' in asked["videos"]
    assert [place for method, place, _sent in server.asked if method == "GET"] == [
        *["videos/job-1"] * 3,
        "videos/job-1/content",
    ]


@pytest.mark.parametrize(
    ("output", "prompt", "code", "words"),
    [
        ("image", "an address", ErrorCode.ENDPOINT_PROTOCOL, "behind an address is not fetched"),
        ("image", "a page", ErrorCode.ENDPOINT_PROTOCOL, "no JSON"),
        ("image", "nothing", ErrorCode.ENDPOINT_PROTOCOL, "without a picture"),
        ("image", "no base64", ErrorCode.ENDPOINT_PROTOCOL, "not base64"),
        ("image", "busy", ErrorCode.ENDPOINT_STATUS, "503"),
        ("video", "traversal", ErrorCode.ENDPOINT_PROTOCOL, "id of a job"),
        ("video", "gone wrong", ErrorCode.ENDPOINT_STATUS, "failed"),
        ("video", "endless", ErrorCode.ENDPOINT_TIMEOUT, "not finished"),
        ("audio", "drip", ErrorCode.ENDPOINT_TIMEOUT, "not finished"),
        ("audio", "endless", ErrorCode.ENDPOINT_OVERSIZED, "more than"),
    ],
)
def test_what_is_no_file_fails_by_name_within_its_limits(server, address, output, prompt, code, words):
    backend = address(total_s=3.0, max_file_bytes=1_000_000)
    backend.admit(request_of(output, prompt))
    (event,) = ends(backend)
    assert isinstance(event, Failed)
    assert (event.error.code, words in event.error.message) == (code, True), event.error
    assert not any("secrets" in place for _method, place, _sent in server.asked)
