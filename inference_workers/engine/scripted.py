"""A backend without a model: text by rule, at a set pace, with failures on demand. For tests and for development."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from .protocol import (
    BackendFull,
    Delta,
    DuplicateRequest,
    ErrorCode,
    Event,
    Failed,
    Finished,
    FinishReason,
    GenerationError,
    GenerationRequest,
)
from .scripted_files import made_file
from .text_stream import TextStream

_FILLER = (
    "a about after an and answer as at because but by can clear each few first for from good have in is it kind less "
    "light like long many more most near next no not of often on one or other plain same should simple small so some "
    "that the then these they this time to together two use way well when which while with word work you"
)
_WORDS = tuple(_FILLER.split())


@dataclass(frozen=True, slots=True)
class Script:
    """What one request shall meet: the pieces of its text, each counted as a token, and after them, if `error` is
    given, that failure in place of an end. At least `pace_s` seconds pass before each piece. Where a file is wanted the
    answer is `file`, or a tiny one made on the spot."""

    pieces: tuple[str, ...]
    error: GenerationError | None = None
    pace_s: float = 0.0
    file: bytes | None = None


Rule = Callable[[GenerationRequest], Script]


@dataclass(frozen=True, slots=True)
class ScriptedSettings:
    """The built-in rule: about `words` words that depend on the model, the messages and, above temperature 0, on the
    seed. A last message that contains a marker of `failures` breaks off half-way with that code; a prompt of more than
    `context` words is refused."""

    capacity: int = 16
    words: int = 40
    pace_s: float = 0.0
    context: int = 4096
    failures: tuple[tuple[str, ErrorCode], ...] = ()

    def script(self, request: GenerationRequest) -> Script:
        """The text of a request: the same for the same request, different for another model."""
        seed = request.sampling.seed if request.sampling.temperature > 0 else None
        source = random.Random(repr((request.model, request.messages, seed)) + _seen(request))  # noqa: S311 - filler text
        count = max(1, round(self.words * source.uniform(0.5, 1.5)))
        chosen = [source.choice(_WORDS) for _ in range(count)]
        pieces = [chosen[0].capitalize(), *(f" {word}" for word in chosen[1:]), "."]
        for marker, code in self.failures:
            if marker in request.messages[-1].content:
                error = GenerationError(code, f"a scripted failure: {code}", retryable=True)
                return Script(tuple(pieces[: count // 2]), error, self.pace_s)
        return Script(tuple(pieces), None, self.pace_s)


@dataclass(slots=True, eq=False)
class _Row:
    request: GenerationRequest
    script: Script
    stream: TextStream
    admitted_at: float
    next_at: float
    drawn: int = 0
    first_token_at: float | None = None
    cancelled: bool = False


class ScriptedBackend:
    """A `Backend` that follows `rule`, or the settings' own."""

    def __init__(self, settings: ScriptedSettings | None = None, *, rule: Rule | None = None) -> None:
        self._settings = settings or ScriptedSettings()
        self._rule = rule or self._settings.script
        self._rows: dict[str, _Row] = {}

    @property
    def capacity(self) -> int:
        return self._settings.capacity

    @property
    def active(self) -> int:
        return len(self._rows)

    def admit(self, request: GenerationRequest) -> None:
        if request.id in self._rows:
            raise DuplicateRequest(request.id)
        if self.active >= self.capacity:
            raise BackendFull
        script = self._rule(request)
        if request.output != "text":
            script = replace(script, pieces=())
        if _prompt_words(request) > self._settings.context:
            script = Script((), GenerationError(ErrorCode.CONTEXT_TOO_LONG, "the prompt has too many words"))
        now = time.monotonic()
        self._rows[request.id] = _Row(request, script, TextStream(request.sampling.stop), now, now + script.pace_s)

    def step(self, timeout: float) -> list[Event]:
        due = min((row.next_at for row in self._rows.values()), default=float("inf"))
        time.sleep(max(0.0, min(timeout, due - time.monotonic())))
        now = time.monotonic()
        events = [event for row in list(self._rows.values()) for event in self._advance(row, now)]
        for event in events:
            if not isinstance(event, Delta):
                del self._rows[event.id]
        return events

    def cancel(self, request_id: str) -> None:
        if request_id in self._rows:
            self._rows[request_id].cancelled = True
            self._rows[request_id].next_at = 0.0

    def close(self) -> None:
        self._rows.clear()

    def _advance(self, row: _Row, now: float) -> list[Event]:
        if now < row.next_at:
            return []
        if row.cancelled:
            return [Failed(row.request.id, GenerationError(ErrorCode.CANCELLED, "cancelled"))]
        row.next_at = now + row.script.pace_s
        if row.drawn == len(row.script.pieces):
            if row.script.error is not None:
                return [Failed(row.request.id, row.script.error)]
            if row.request.output != "text":
                file = made_file(row.request) if row.script.file is None else row.script.file
                return [replace(_finished(row, FinishReason.STOP, now), file=file)]
            return _ending(row, row.stream.flush(), FinishReason.STOP, now)
        text = row.stream.push(row.script.pieces[row.drawn])
        row.drawn += 1
        row.first_token_at = row.first_token_at or now
        if row.stream.stopped:
            return _ending(row, text, FinishReason.STOP, now)
        if row.drawn == row.request.sampling.max_tokens:
            return _ending(row, text + row.stream.flush(), FinishReason.LENGTH, now)
        return [Delta(row.request.id, text)] if text else []


def _logprobs(row: _Row) -> tuple[float, ...]:
    """By rule, too: the longer a word, the less likely."""
    return tuple(-len(piece) / 8 for piece in row.script.pieces[: row.drawn])


def _seen(request: GenerationRequest) -> str:
    """Of every picture what tells it from others; nothing where there is none."""
    return "".join(sha256(each.picture.content).hexdigest() for each in request.messages if each.picture)


def _prompt_words(request: GenerationRequest) -> int:
    return sum(len(message.content.split()) for message in request.messages)


def _ending(row: _Row, text: str, reason: FinishReason, now: float) -> list[Event]:
    finished = _finished(row, reason, now)
    return [Delta(row.request.id, text), finished] if text else [finished]


def _finished(row: _Row, reason: FinishReason, now: float) -> Finished:
    return Finished(
        id=row.request.id,
        text=row.stream.text,
        finish_reason=reason,
        prompt_tokens=_prompt_words(row.request),
        completion_tokens=row.drawn,
        first_token_s=None if row.first_token_at is None else row.first_token_at - row.admitted_at,
        total_s=now - row.admitted_at,
        logprobs=_logprobs(row) if row.request.sampling.logprobs else None,
    )
