"""An endpoint may answer anything, at any pace; each answer becomes a correct text or a failure that names its kind."""

import base64
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from foundation.outbound import outbound_client
from inference_workers.engine.openai_backend import OpenAIBackend
from inference_workers.engine.openai_stream import retry_after
from inference_workers.engine.protocol import (
    ChatMessage,
    ErrorCode,
    FinishReason,
    GenerationError,
    GenerationRequest,
    ModelRef,
    Picture,
    Sampling,
)
from inference_workers.engine.settings import EndpointSettings
from tests.inference_workers.engine.driving import Outcome, request, run_to_end

MODEL = ModelRef("remote")
PATH = "/v1/chat/completions"


def chunk(text: str | None = None, reason: str | None = None, **more) -> bytes:
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": reason}
    return (
        b"data: "
        + json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]} | more).encode()
        + b"\n\n"
    )


USAGE = chunk(choices=[], usage={"prompt_tokens": 9, "completion_tokens": 2})
DONE = b"data: [DONE]\n\n"
WHOLE = [chunk("Hello"), chunk(" world"), chunk(reason="stop"), USAGE, DONE]


@pytest.fixture(scope="module")
def make_httpserver() -> Iterator[HTTPServer]:
    """Threaded, since a slow answer to one test must not keep the next waiting."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def ask(httpserver: HTTPServer) -> Iterator[Callable[..., Outcome]]:
    """Answers one request with the given pieces of a body and returns what the backend said of it."""
    opened: list[tuple[OpenAIBackend, httpx.Client]] = []

    def ask_with(
        *pieces: bytes,
        pace_s: float = 0.0,
        sampling: dict | None = None,
        headers=(),
        status=200,
        messages=(),
        **settings,
    ):
        def body() -> Iterator[bytes]:
            for piece in pieces:
                yield piece
                time.sleep(pace_s)

        sent = [("Content-Type", "text/event-stream"), *headers]
        httpserver.expect_request(PATH).respond_with_handler(lambda _: Response(body(), status=status, headers=sent))
        client = httpx.Client()
        limits = {"idle_s": 5.0, "total_s": 10.0} | settings
        backend = OpenAIBackend(EndpointSettings(base_url=httpserver.url_for("/v1"), **limits), http_client=client)
        opened.append((backend, client))
        wanted = request("r", model=MODEL, **(sampling or {}))
        return run_to_end(backend, replace(wanted, messages=messages or wanted.messages), limit_s=20.0)["r"]

    yield ask_with
    for backend, client in opened:
        backend.close()
        client.close()


def test_a_picture_goes_along_in_the_request_and_words_alone_stay_a_string(ask, httpserver):
    seen = Picture("image/png", b"\x89PNG and so on")
    said = (ChatMessage("user", "Before."), ChatMessage("assistant", "Yes."), ChatMessage("user", "And this?", seen))
    assert ask(*WHOLE, messages=said).finished.text == "Hello world"
    sent = httpserver.log[-1][0].get_json()["messages"]
    url = f"data:image/png;base64,{base64.b64encode(seen.content).decode()}"
    assert [each["content"] for each in sent] == [
        "Before.",
        "Yes.",
        [{"type": "text", "text": "And this?"}, {"type": "image_url", "image_url": {"url": url}}],
    ]


def test_a_whole_answer_is_finished_with_its_usage(ask):
    outcome = ask(*WHOLE)
    assert outcome.deltas == ["Hello", " world"]
    finished = outcome.finished
    assert (finished.text, finished.finish_reason) == ("Hello world", FinishReason.STOP)
    assert (finished.prompt_tokens, finished.completion_tokens) == (9, 2)
    assert 0.0 < finished.first_token_s <= finished.total_s < 5.0


@pytest.mark.parametrize(
    ("pieces", "text", "reason"),
    [
        ([chunk("a"), chunk(reason="length"), DONE], "a", "length"),
        ([chunk("a"), chunk("b", "stop")], "ab", "stop"),
        ([chunk("a"), chunk(reason="stop"), DONE, DONE], "a", "stop"),
        ([chunk("a"), chunk(reason="stop"), chunk("late"), chunk(reason="stop"), DONE], "a", "stop"),
        ([chunk("a"), chunk(reason="stop"), b"data: {broken\n\n"], "a", "stop"),
        ([chunk(choices=[]), chunk("a"), chunk(reason="stop"), DONE], "a", "stop"),
        ([chunk(""), chunk("a"), chunk(None), chunk(reason="stop"), DONE], "a", "stop"),
        ([chunk(reason="stop"), DONE], "", "stop"),
        ([b": keep-alive\r\n\r\n", chunk("a").replace(b"\n", b"\r\n"), chunk(reason="stop"), DONE], "a", "stop"),
        ([chunk("a\u0000\ud83d"), chunk("\ude00b\udc00"), chunk(reason="stop"), DONE], "a😀b", "stop"),
        ([b"".join(WHOLE)[:60], b"".join(WHOLE)[60:99], b"".join(WHOLE)[99:]], "Hello world", "stop"),
        ([*[bytes([byte]) for byte in b"".join(WHOLE)]], "Hello world", "stop"),
    ],
)
def test_answers_that_are_odd_but_whole_are_finished(ask, pieces, text, reason):
    outcome = ask(*pieces)
    assert (outcome.finished.text, outcome.finished.finish_reason) == (text, reason)
    assert "".join(outcome.deltas) == text


@pytest.mark.parametrize(
    "usage", ["none", {"prompt_tokens": "many"}, {"completion_tokens": -1}, [], {}, {"prompt_tokens": 1e9}]
)
def test_a_usage_that_is_nonsense_is_unknown(ask, usage):
    finished = ask(chunk("a"), chunk(reason="stop"), chunk(choices=[], usage=usage), DONE).finished
    assert (finished.text, finished.prompt_tokens, finished.completion_tokens) == ("a", None, None)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"<!doctype html><html><body>Welcome to nginx</body></html>"],
        [b'{"id": "c", "choices": [{"message": {"content": "not streamed"}}]}'],
        [b""],
        [DONE],
        [b'data: {"choices": [{"index": 0, "delta": {"content": "trunc\n\n'],
        [b"data: " + b"[" * 100_000 + b"\n\n"],
        [b"data: " + b"9" * 10_000 + b"\n\n"],
        [b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n'],
        [b"data: null\n\n"],
        [b"data: 5\n\n"],
        [b'data: "text"\n\n'],
        [b"data: {}\n\n"],
        [chunk(choices=5)],
        [chunk(choices={"a": 1})],
        [chunk(choices=["text"]), chunk(choices=[5]), DONE],
        [chunk(choices=[{"index": 0, "delta": {"content": 5}}])],
        [chunk(choices=[{"index": 0, "delta": {"content": [{"type": "text"}]}}])],
        [chunk("a"), chunk(reason="tool_calls"), DONE],
        [chunk("a"), chunk(choices=[{"index": 0, "delta": {}, "finish_reason": 7}])],
    ],
)
def test_an_answer_that_is_no_stream_of_completion_chunks_is_a_protocol_error(ask, pieces):
    error = ask(*pieces).failed.error
    assert error.code in (ErrorCode.ENDPOINT_PROTOCOL, ErrorCode.ENDPOINT_TRUNCATED), error
    assert not error.message.startswith("the request broke off")
    assert "nginx" not in error.message


@pytest.mark.parametrize("pieces", [[chunk("Hello")], [chunk("Hello"), DONE], [chunk("Hello"), b'data: {"choi']])
def test_an_answer_that_ends_without_a_reason_is_truncated(ask, pieces):
    outcome = ask(*pieces)
    assert outcome.failed.error.code == ErrorCode.ENDPOINT_TRUNCATED
    assert outcome.failed.error.retryable


@pytest.mark.parametrize(
    ("status", "headers", "code", "retryable", "wait"),
    [
        (500, [], ErrorCode.ENDPOINT_STATUS, True, None),
        (503, [("Retry-After", "7")], ErrorCode.ENDPOINT_STATUS, True, 7.0),
        (429, [("Retry-After", "30")], ErrorCode.ENDPOINT_RATE_LIMITED, True, 30.0),
        (429, [], ErrorCode.ENDPOINT_RATE_LIMITED, True, None),
        (404, [], ErrorCode.ENDPOINT_STATUS, False, None),
        (302, [("Location", "http://127.0.0.1:1/")], ErrorCode.ENDPOINT_STATUS, False, None),
    ],
)
def test_a_status_other_than_200_is_surfaced_with_the_wait_it_asks_for(ask, status, headers, code, retryable, wait):
    error = ask(b"<html>secret details</html>", status=status, headers=headers).failed.error
    assert error == GenerationError(code, f"the endpoint answered with status {status}", retryable, wait)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, "<html>secret details</html>", ErrorCode.ENDPOINT_KEY_REFUSED),
        (403, "{}", ErrorCode.ENDPOINT_KEY_REFUSED),
        (403, '{"error": {"message": "Your input was flagged by moderation"}}', ErrorCode.ENDPOINT_FILTERED),
        (402, "{}", ErrorCode.ENDPOINT_NO_CREDIT),
        (429, '{"error": {"code": "insufficient_quota"}}', ErrorCode.ENDPOINT_NO_CREDIT),
        (429, '{"error": {"code": "rate_limit_exceeded"}}', ErrorCode.ENDPOINT_RATE_LIMITED),
    ],
)
def test_a_refused_key_and_used_up_credit_are_told_from_what_a_prompt_brought_about(ask, status, body, code):
    error = ask(body.encode(), status=status, headers=[("Retry-After", "7")]).failed.error
    assert (error.code, error.retryable) == (code, code == ErrorCode.ENDPOINT_RATE_LIMITED)
    assert "secret" not in error.message


def test_an_endpoint_that_says_the_prompt_is_too_long_is_understood(ask):
    body = b'{"error": {"message": "maximum context length is 4096 tokens", "type": "invalid_request_error"}}'
    error = ask(body, status=400).failed.error
    assert (error.code, error.retryable) == (ErrorCode.CONTEXT_TOO_LONG, False)


def test_an_error_inside_the_stream_fails_the_request(ask):
    error = ask(chunk("a"), b'data: {"error": {"message": "the GPU fell off", "code": 500}}\n\n').failed.error
    assert (error.code, error.retryable) == (ErrorCode.ENDPOINT_STATUS, True)
    assert "GPU" not in error.message


def test_a_filtered_answer_has_its_own_code(ask):
    assert ask(chunk("a"), chunk(reason="content_filter")).failed.error.code == ErrorCode.ENDPOINT_FILTERED


def test_a_line_of_ten_megabytes_is_cut_off(ask):
    error = ask(b"data: " + b"a" * 10_000_000 + b"\n\n", max_bytes=1_000_000).failed.error
    assert (error.code, error.retryable) == (ErrorCode.ENDPOINT_OVERSIZED, False)


def test_an_endless_error_page_is_cut_off(ask):
    error = ask(*[b"x" * 100_000] * 100, status=500, max_bytes=1_000_000).failed.error
    assert error.code == ErrorCode.ENDPOINT_OVERSIZED


def test_an_endpoint_that_writes_on_past_max_tokens_is_cut_off(ask):
    error = ask(*[chunk("word " * 100)] * 200, sampling={"max_tokens": 16}).failed.error
    assert error == GenerationError(ErrorCode.ENDPOINT_OVERSIZED, "the endpoint wrote on past 16 tokens")


def test_silence_is_a_timeout(ask):
    started = time.monotonic()
    error = ask(chunk("a"), chunk("b"), pace_s=3.0, idle_s=0.3).failed.error
    assert (error.code, error.retryable) == (ErrorCode.ENDPOINT_TIMEOUT, True)
    assert time.monotonic() - started < 2.5


def test_a_slow_drip_ends_at_the_total_limit(ask):
    started = time.monotonic()
    error = ask(*[chunk("a")] * 100, pace_s=0.1, total_s=0.8).failed.error
    assert error == GenerationError(ErrorCode.ENDPOINT_TIMEOUT, "the endpoint had not finished after 0.8 s", True)
    assert time.monotonic() - started < 2.5


def test_headers_that_drip_end_at_the_total_limit():
    """The HTTP client waits for whole headers; the backend does not wait for the client."""
    with socket.create_server(("127.0.0.1", 0)) as server, httpx.Client() as client:
        threading.Thread(target=_drip_headers, args=(server,), daemon=True).start()
        settings = EndpointSettings(f"http://127.0.0.1:{server.getsockname()[1]}/v1", idle_s=1.0, total_s=0.5)
        backend = OpenAIBackend(settings, http_client=client)
        error = run_to_end(backend, request("r", model=MODEL), limit_s=5.0)["r"].failed.error
        assert error.code == ErrorCode.ENDPOINT_TIMEOUT
        backend.close()


def _drip_headers(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100:
            try:
                connection.send(bytes([byte]))
            except OSError:
                return
            time.sleep(0.1)


@pytest.mark.slow
def test_a_connection_that_stays_open_after_the_end_delays_the_text_by_little(ask):
    started = time.monotonic()
    finished = ask(chunk("a"), chunk(reason="stop"), b": still here\n\n", pace_s=3.0, idle_s=9.0).finished
    assert finished.text == "a"
    assert 3.0 < time.monotonic() - started < 5.9


def test_packed_answers_are_refused_unread(ask):
    bomb = gzip.compress(b"data: " + b"a" * 50_000_000)
    error = ask(bomb, headers=[("Content-Encoding", "gzip")]).failed.error
    assert (error.code, error.message) == (
        ErrorCode.ENDPOINT_PROTOCOL,
        "the endpoint sent packed data, which was not asked for",
    )


def test_no_server_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with httpx.Client() as client:
        backend = OpenAIBackend(EndpointSettings(f"http://127.0.0.1:{port}/v1"), http_client=client)
        error = run_to_end(backend, request("r", model=MODEL))["r"].failed.error
        assert (error.code, error.retryable) == (ErrorCode.ENDPOINT_UNREACHABLE, True)


def test_a_stop_string_is_obeyed_also_where_the_endpoint_ignores_it(ask):
    stops = (*"vwxyz", "lo wor")
    outcome = ask(*WHOLE, sampling={"stop": stops})
    assert (outcome.finished.text, outcome.finished.finish_reason) == ("Hel", FinishReason.STOP)
    assert "".join(outcome.deltas) == "Hel"


def test_the_request_says_what_was_asked_for_and_nothing_of_this_machine(httpserver):
    seen: list[Request] = []

    def answer(received: Request) -> Response:
        received.get_data()
        seen.append(received)
        return Response(b"".join(WHOLE), headers=[("Content-Type", "text/event-stream")])

    httpserver.expect_request(PATH, method="POST").respond_with_handler(answer)
    sampling = Sampling(0.5, 0.9, 40, 64, 1.1, ("END",), 2**31 + 7)
    messages = (ChatMessage("system", "Be brief."), ChatMessage("user", "Hi\0 \ud83d"))
    with httpx.Client(headers={"X-Tenant": "lab"}) as client:
        settings = EndpointSettings(httpserver.url_for("/v1"), api_key="secret-key", extra_body={"min_p": 0.05})
        backend = OpenAIBackend(settings, http_client=client)
        run_to_end(backend, GenerationRequest("r", messages, sampling, MODEL))
    assert json.loads(seen[0].get_data()) == {
        "model": "remote",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi "}],
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "max_tokens": 64,
        "repetition_penalty": 1.1,
        "repeat_penalty": 1.1,
        "stop": ["END"],
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
        "min_p": 0.05,
    }
    headers = seen[0].headers
    assert headers["Authorization"] == "Bearer secret-key"
    assert (headers["User-Agent"], headers["Accept-Encoding"], headers["X-Tenant"]) == ("Cardinal", "identity", "lab")
    assert not [name for name in headers.keys() if name.lower().startswith("x-stainless")]  # noqa: SIM118
    assert "secret-key" not in repr(settings)


def test_the_guarded_client_of_this_project_is_taken(httpserver, settings):
    """The address must be on the operator's list; where it is not, the failure names the setting."""
    httpserver.expect_request(PATH).respond_with_data(b"".join(WHOLE), content_type="text/event-stream")
    url = httpserver.url_for("/v1")

    def asked() -> Outcome:
        with outbound_client(base_url=url, timeout=10.0) as client:
            backend = OpenAIBackend(EndpointSettings(url), http_client=client)
            return run_to_end(backend, request("r", model=MODEL))["r"]

    settings.OUTBOUND_ALLOWED_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    assert asked().finished.text == "Hello world"
    settings.OUTBOUND_ALLOWED_HOSTS = []
    error = asked().failed.error
    assert error.code == ErrorCode.ENDPOINT_UNREACHABLE
    assert "OUTBOUND_ALLOWED_HOSTS" in error.message


def told(text: str, *values: object) -> bytes:
    logprobs = {"content": [{"token": "x", "logprob": value} for value in values]}
    return chunk(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None, "logprobs": logprobs}])


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([told("He", -0.5, -1), told("llo", 1e-9), chunk(reason="stop"), DONE], (-0.5, -1.0, 0.0)),
        ([told("He", -0.5), chunk("llo"), chunk(reason="stop"), DONE], None),
        ([told("He", "often"), chunk(reason="stop"), DONE], None),
        ([told("He", 0.7), chunk(reason="stop"), DONE], None),
        ([told("He", None), chunk(reason="stop"), DONE], None),
        (WHOLE, None),
    ],
)
def test_log_probabilities_that_are_incomplete_or_nonsense_are_unknown(ask, pieces, expected):
    assert ask(*pieces, sampling={"logprobs": True}).finished.logprobs == expected


def test_a_hundred_answers_keep_apart(httpserver):
    def answer(received: Request) -> Response:
        said = json.loads(received.get_data())["messages"][0]["content"]
        body = b"".join(chunk(letter) for letter in said) + chunk(reason="stop") + DONE
        return Response(body, headers=[("Content-Type", "text/event-stream")])

    httpserver.expect_request(PATH).respond_with_handler(answer)
    with httpx.Client() as client:
        backend = OpenAIBackend(EndpointSettings(httpserver.url_for("/v1"), capacity=100), http_client=client)
        outcomes = run_to_end(backend, *[request(str(n), f"number {n}", model=MODEL) for n in range(100)])
        assert {id: outcome.finished.text for id, outcome in outcomes.items()} == {
            str(n): f"number {n}" for n in range(100)
        }


def test_retry_after_may_be_a_date():
    dates = {"date": "Sat, 21 Nov 2026 08:00:00 GMT", "retry-after": "Sat, 21 Nov 2026 08:01:30 GMT"}
    assert retry_after(dates) == 90.0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "-5"}) is None
    assert retry_after({}) is None
