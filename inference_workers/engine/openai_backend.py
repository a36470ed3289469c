"""Language models behind any OpenAI-compatible address: vLLM, SGLang, llama.cpp, Ollama, a vendor."""

from __future__ import annotations

import queue
import threading
import time
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Any

import httpx
import openai

from .bounded_http import BoundedTransport, Call
from .media_endpoint import fetch_file
from .openai_stream import Told, Usage, endpoint_fault, read_pieces
from .protocol import (
    BackendFull,
    ChatMessage,
    Delta,
    DuplicateRequest,
    ErrorCode,
    Event,
    Failed,
    Finished,
    FinishReason,
    GenerationError,
    GenerationFailure,
    GenerationRequest,
)
from .settings import EndpointSettings
from .text_stream import TextStream, clean

_STOPS_SENT = 4  # OpenAI refuses more; all of them are obeyed here in any case
_USAGE_GRACE_S = 2.0  # how long a finished text waits for token counts
_OVERDUE_S = 1.0  # a thread that has not ended this long after its deadline is left behind


@dataclass(slots=True, eq=False)
class _Held:
    request: GenerationRequest
    call: Call
    admitted_at: float
    first_token_at: float | None = None
    ending: Finished | None = None
    ended_at: float = 0.0


class OpenAIBackend:
    """A `Backend` with one thread per request. `http_client` does all HTTP and stays its owner's to close."""

    def __init__(self, settings: EndpointSettings, *, http_client: httpx.Client) -> None:
        self._settings = settings
        self._http_client = http_client
        self._held: dict[str, _Held] = {}
        self._arrived: queue.Queue[tuple[_Held, Event]] = queue.Queue()

    @property
    def capacity(self) -> int:
        return self._settings.capacity

    @property
    def active(self) -> int:
        return len(self._held)

    def admit(self, request: GenerationRequest) -> None:
        if request.id in self._held:
            raise DuplicateRequest(request.id)
        if self.active >= self.capacity:
            raise BackendFull
        settings = self._settings
        most = settings.max_bytes if request.output == "text" else settings.max_file_bytes
        call = Call(total_s=settings.total_s, max_bytes=most)
        held = _Held(request, call, time.monotonic())
        self._held[request.id] = held
        threading.Thread(target=self._run, args=(held,), name=f"endpoint-{request.id}", daemon=True).start()

    def step(self, timeout: float) -> list[Event]:
        """All events that have arrived; waits for the first of them."""
        events = self._overdue()
        wait = 0.0 if events else self._patience(timeout)
        while True:
            try:
                held, event = self._arrived.get(timeout=wait) if wait > 0 else self._arrived.get_nowait()
            except queue.Empty:
                return events + self._overdue()
            wait = 0.0
            if self._held.get(held.request.id) is held:
                if not isinstance(event, Delta):
                    del self._held[held.request.id]
                events.append(event)

    def cancel(self, request_id: str) -> None:
        held = self._held.get(request_id)
        if held is not None:
            held.call.cancel()
            self._arrived.put((held, Failed(request_id, GenerationError(ErrorCode.CANCELLED, "cancelled"))))

    def close(self) -> None:
        for held in self._held.values():
            held.call.cancel()
        self._held.clear()

    def _patience(self, timeout: float) -> float:
        """How long to wait for news: not beyond the moment at which silence itself is news."""
        due = [self._due(held) - time.monotonic() for held in self._held.values()]
        return max(0.001, min([timeout, *due])) if timeout > 0 else 0.0

    def _due(self, held: _Held) -> float:
        if held.ending is not None:
            return held.ended_at + _USAGE_GRACE_S
        return held.call.deadline + _OVERDUE_S

    def _overdue(self) -> list[Event]:
        """Ends of requests whose thread hangs: texts that wait for a usage in vain, answers past their time."""
        now = time.monotonic()
        events: list[Event] = []
        for request_id, held in list(self._held.items()):
            if now < self._due(held) or not self._arrived.empty():
                continue
            held.call.cancel()
            del self._held[request_id]
            text = f"the endpoint had not finished after {self._settings.total_s:g} s"
            error = GenerationError(ErrorCode.ENDPOINT_TIMEOUT, text, retryable=True, unheard=True)
            events.append(held.ending or Failed(request_id, error))
        return events

    def _run(self, held: _Held) -> None:
        try:
            self._arrived.put((held, self._generate(held)))
        except GenerationFailure as fault:
            self._arrived.put((held, Failed(held.request.id, fault.error)))
        except Exception as error:  # noqa: BLE001 - a thread has no caller to raise to
            known = endpoint_fault(error)
            text = f"the request broke off: {type(error).__name__}"
            described = known.error if known else GenerationError(ErrorCode.INTERNAL, text)
            self._arrived.put((held, Failed(held.request.id, described)))

    def _generate(self, held: _Held) -> Finished:
        if held.request.output != "text":
            file = fetch_file(held.request, settings=self._settings, http_client=self._http_client, call=held.call)
            return replace(self._finished(held, "", FinishReason.STOP, Usage(), None), file=file)
        sampling = held.request.sampling
        stream = TextStream(sampling.stop)
        reason = FinishReason.STOP
        usage = Usage()
        told = Told() if sampling.logprobs else None
        with self._open(held) as chunks:
            for piece in read_pieces(chunks, max_tokens=sampling.max_tokens):
                if piece.text and held.first_token_at is None:
                    held.first_token_at = time.monotonic()
                usage = piece.usage or usage
                if told is not None:
                    told.take(piece)
                self._show(held, stream.push(piece.text))
                if stream.stopped:
                    break
                if piece.reason is not None:
                    reason = piece.reason
                    self._show(held, stream.flush())
                    held.ended_at = time.monotonic()
                    held.ending = self._finished(held, stream.text, reason, usage, told)
        return self._finished(held, stream.text, reason, usage, told)

    def _show(self, held: _Held, text: str) -> None:
        if text:
            self._arrived.put((held, Delta(held.request.id, text)))

    def _finished(self, held: _Held, text: str, reason: FinishReason, usage: Usage, told: Told | None) -> Finished:
        first = held.first_token_at
        return Finished(
            id=held.request.id,
            text=text,
            finish_reason=reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            first_token_s=None if first is None else first - held.admitted_at,
            total_s=time.monotonic() - held.admitted_at,
            logprobs=told.all if told else None,
        )

    def _open(self, held: _Held) -> Any:
        """Send the request; the stream of chunks that answers it."""
        settings, sampling = self._settings, held.request.sampling
        timeout: Any = httpx.Timeout(settings.idle_s, connect=settings.connect_s)
        # openai's types name only its own httpx2, yet it takes a client of httpx as well.
        bounded: Any = httpx.Client(transport=BoundedTransport(self._http_client, held.call), trust_env=False)
        client = openai.OpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key or "none",
            max_retries=0,
            timeout=timeout,
            http_client=bounded,
        )
        body: dict[str, Any] = {settings.max_tokens_field: sampling.max_tokens, **_unusual(held.request)}
        if sampling.logprobs:
            body["logprobs"] = True
        if held.request.schema is not None:
            kept = {"name": "answer", "schema": dict(held.request.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": kept}
        if settings.ask_usage:
            body["stream_options"] = {"include_usage": True}
        return client.chat.completions.create(
            model=held.request.model.path,
            messages=[{"role": m.role, "content": _content(m)} for m in held.request.messages],  # type: ignore[misc]
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed % 2**31,
            stop=list(sampling.stop[:_STOPS_SENT]) or openai.omit,
            stream=True,
            extra_body={**body, **settings.extra_body},
        )


def _content(message: ChatMessage) -> str | list[dict[str, Any]]:
    """Text alone as a string, which every server takes; with a picture both as parts, the picture in the request itself
    and at no address that a server would fetch."""
    text = clean(message.content)
    if message.picture is None:
        return text
    data = b64encode(message.picture.content).decode()
    url = f"data:{message.picture.content_type};base64,{data}"
    return [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]


def _unusual(request: GenerationRequest) -> dict[str, Any]:
    """Settings outside OpenAI's own API, sent only where they are used. llama.cpp has its own name for the penalty."""
    sampling = request.sampling
    body: dict[str, Any] = {"top_k": sampling.top_k} if sampling.top_k else {}
    if sampling.repetition_penalty != 1.0:
        body["repetition_penalty"] = body["repeat_penalty"] = sampling.repetition_penalty
    return body
