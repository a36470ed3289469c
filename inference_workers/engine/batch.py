"""Continuous batching of one model: requests join and leave between two tokens of the others."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from .memory import CacheMemory, is_out_of_memory
from .model_loading import LoadedModel
from .protocol import (
    OWN_FAULTS,
    Delta,
    ErrorCode,
    Event,
    Failed,
    Finished,
    FinishReason,
    GenerationError,
    GenerationRequest,
)
from .sampling import Draw, draw_tokens, log_probabilities
from .slots import Piece, SlotTables, StepPlan
from .text_stream import TextStream, TokenText

log = logging.getLogger(__name__)

_CALM_STEPS = 256  # so many steps without running out of memory, and twice as many rows are tried again


@dataclass(slots=True, eq=False)
class _Row:
    """A request in the batch. `tokens` are those of its prompt and its text; `cached` counts how many of them have
    their keys and values in its slot."""

    request: GenerationRequest
    admitted_at: float
    tokens: list[int]
    prompt_tokens: int
    draw: Draw
    decoder: TokenText
    stream: TextStream
    logprobs: list[float] | None
    slot: int = -1
    cached: int = 0
    first_token_at: float | None = None

    @property
    def drawn(self) -> int:
        return len(self.tokens) - self.prompt_tokens

    @property
    def need(self) -> int:
        """Positions that the row may come to use."""
        return self.prompt_tokens + self.request.sampling.max_tokens

    def begin_again(self) -> None:
        """Its slot is lost: what it has said so far is read once more, like a prompt, and it goes on from there."""
        self.slot, self.cached = -1, 0
        self.draw.rewind(self.drawn)


@dataclass(slots=True)
class ContinuousBatch:
    """The running requests of one model.

    Rows wait in order of arrival until memory has room for their keys and values, then their prompts are read in pieces
    of at most `prefill_tokens` per step, so that a long prompt never holds up the others' next token for longer than
    that. Decoding rows hold the slots from 0 on without a gap; rows whose prompt is being read hold any slots above.

    Where memory runs out all the same, half as many rows go on, and no text changes: the others wait, and what they
    have said is read again. `most_rows` bounds how many run at once; `relieve` is asked to make room elsewhere.
    """

    loaded: LoadedModel
    memory: CacheMemory
    prefill_tokens: int
    most_rows: int
    relieve: Callable[[], None] = lambda: None
    _waiting: deque[_Row] = field(init=False, default_factory=deque)
    _filling: deque[_Row] = field(init=False, default_factory=deque)
    _decoding: list[_Row] = field(init=False, default_factory=list)
    _tables: SlotTables = field(init=False)
    _torn: bool = field(init=False, default=False)  # a pass was left half-way, by an exception of someone else's
    _rows_allowed: int = field(init=False)
    _calm: int = field(init=False, default=0)  # steps since memory last ran out

    def __post_init__(self) -> None:
        self._tables = SlotTables(self.loaded.device)
        self._rows_allowed = self.most_rows

    @property
    def allocated(self) -> int:
        """Bytes of its keys and values."""
        return self._tables.allocated

    @property
    def promised(self) -> int:
        """Bytes that its running rows may come to take."""
        return self._wanted([*self._filling, *self._decoding])

    def _wanted(self, rows: list[_Row]) -> int:
        longest = max((row.need for row in rows), default=0)
        return len(rows) * longest * self.loaded.cache_bytes_per_position

    @property
    def busy(self) -> bool:
        """Whether any request is held."""
        return bool(self._waiting or self._filling or self._decoding)

    def add(self, request: GenerationRequest, admitted_at: float) -> None:
        """Take a request on. Raises GenerationFailure if its prompt cannot be served: a prompt and its longest text
        must fit into the model's context and, alone, into the cache."""
        fits = min(self.loaded.context, self.memory.whole // self.loaded.cache_bytes_per_position)
        room = fits - request.sampling.max_tokens
        prompt = self.loaded.encoder.encode(request.messages, room=max(room, 0))
        row = _Row(
            request,
            admitted_at,
            prompt,
            len(prompt),
            Draw.of(request.sampling, prompt, self.loaded.device),
            TokenText(self.loaded.decode),
            TextStream(request.sampling.stop),
            [] if request.sampling.logprobs else None,
        )
        self._waiting.append(row)

    @torch.inference_mode()
    def cancel(self, request_id: str) -> None:
        """Drop a request if it is here."""
        for row in [*self._waiting, *self._filling, *self._decoding]:
            if row.request.id == request_id:
                self._remove(row)

    @torch.inference_mode()
    def step(self) -> list[Event]:
        """One forward pass: a token for every decoding row, and a piece of the prompts that wait for their first."""
        self._start_waiting()
        if self._torn:
            return self._fail_all(ErrorCode.INTERNAL, "generation was interrupted")
        try:
            self._torn = True
            events = self._pass()
            self._torn = False
            return events
        except OWN_FAULTS as error:
            return self._fail_all(ErrorCode.INTERNAL, f"generation broke off: {type(error).__name__}: {error}"[:500])

    def _pass(self) -> list[Event]:
        try:
            rows, tokens, logprobs = self._draw()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return self._go_on_with_half()
        self._calm += 1
        if self._calm >= _CALM_STEPS and self._rows_allowed < self.most_rows:
            self._rows_allowed, self._calm = min(2 * self._rows_allowed, self.most_rows), 0
        drawn = zip(rows, tokens, logprobs, strict=True)
        return [event for row, token, logprob in drawn for event in self._take(row, token, logprob)]

    def _go_on_with_half(self) -> list[Event]:
        """Memory ran out, and the tables may have been left half-way: every row begins again from what it has said, the
        first half of them at once. A single row that does not fit fails."""
        running = sorted([*self._filling, *self._decoding], key=lambda row: row.admitted_at)
        if len(running) < 2:
            return self._fail_all(ErrorCode.OUT_OF_MEMORY, "the device ran out of memory during generation")
        self._rows_allowed, self._calm = len(running) // 2, 0
        log.warning("out of memory with %d rows, going on with %d", len(running), self._rows_allowed)
        self._forget_running()
        self.relieve()
        for row in reversed(running):
            row.begin_again()
            self._waiting.appendleft(row)
        return []

    def _start_waiting(self) -> None:
        while self._waiting:
            running = [*self._filling, *self._decoding]
            wanted = self._wanted([*running, self._waiting[0]])
            if running and (len(running) >= self._rows_allowed or wanted > self.memory.budget_of(self)):
                return
            row = self._waiting.popleft()
            taken = {other.slot for other in running}
            row.slot = next(slot for slot in range(len(self._decoding), len(running) + 1) if slot not in taken)
            self._filling.append(row)

    def _draw(self) -> tuple[list[_Row], list[int | None], list[float | None]]:
        """The rows that get a token in this step, the tokens, and their log-probabilities where they are asked for."""
        pieces = self._next_pieces()
        tokens = [row.tokens[-1] for row in self._decoding]
        keep = list(range(len(tokens)))
        ready = []
        for row, piece in pieces:
            tokens += row.tokens[piece.start : piece.start + piece.count]
            row.cached += piece.count
            if row.cached == len(row.tokens):
                keep.append(len(tokens) - 1)
                ready.append(row)
        plan = StepPlan(self._tables, [row.cached for row in self._decoding], [piece for _, piece in pieces])
        logits = self.loaded.forward(tokens, plan, keep or [0])
        for row in self._decoding:
            row.cached += 1
        for row in ready:
            self._promote(row)
        rows = list(self._decoding)
        drawn = draw_tokens(logits, [row.draw for row in rows]) if rows else []
        return rows, drawn, _logprobs(rows, logits, drawn)

    def _next_pieces(self) -> list[tuple[_Row, Piece]]:
        budget = self.prefill_tokens
        pieces = []
        for row in self._filling:
            count = min(budget, len(row.tokens) - row.cached)
            if count == 0:
                break
            pieces.append((row, Piece(row.slot, row.cached, count)))
            budget -= count
        return pieces

    def _promote(self, row: _Row) -> None:
        """A prompt has been read whole: its row joins the decoding ones, in the slot after theirs."""
        target = len(self._decoding)
        if row.slot != target:
            occupant = next((other for other in self._filling if other.slot == target), None)
            if occupant is None:
                self._tables.move(row.slot, target, row.cached)
            else:
                self._tables.swap(row.slot, target, max(row.cached, occupant.cached))
                occupant.slot = row.slot
            row.slot = target
        self._filling.remove(row)
        self._decoding.append(row)

    def _remove(self, row: _Row) -> None:
        if row in self._waiting:
            self._waiting.remove(row)
        elif row in self._filling:
            self._filling.remove(row)
        else:
            last = self._decoding.pop()
            if last is not row:
                self._tables.move(last.slot, row.slot, last.cached)
                last.slot = row.slot
                self._decoding[row.slot] = last
        if not self.busy:
            self._tables.clear()
            self._torn = False

    def _take(self, row: _Row, token: int | None, logprob: float | None) -> list[Event]:
        """A row's new token, as events. A row that ends leaves the batch."""
        if row.first_token_at is None:
            row.first_token_at = time.monotonic()
        if token is None:
            self._tables.wipe(row.slot)
            self._remove(row)
            error = GenerationError(ErrorCode.INTERNAL, "the model's output is not a number")
            return [Failed(row.request.id, error)]
        row.tokens.append(token)
        if row.logprobs is not None and logprob is not None:
            row.logprobs.append(logprob)
        row.draw.note(token)
        ended = token in self.loaded.end_tokens
        text = "" if ended else row.stream.push(row.decoder.push(token))
        reason: FinishReason | None = None
        if ended or row.stream.stopped:
            reason = FinishReason.STOP
        elif row.drawn == row.request.sampling.max_tokens:
            reason = FinishReason.LENGTH
        if reason is None:
            return [Delta(row.request.id, text)] if text else []
        self._remove(row)
        return _ending(row, text + row.stream.flush(), reason)

    def _fail_all(self, code: ErrorCode, message: str) -> list[Event]:
        error = GenerationError(code, message, retryable=True)
        failed = [row.request.id for row in [*self._filling, *self._decoding]]
        self._forget_running()
        self._torn = False
        return [Failed(request_id, error) for request_id in failed]

    def _forget_running(self) -> None:
        self._filling.clear()
        self._decoding.clear()
        self._tables.clear()


def _logprobs(rows: list[_Row], logits: torch.Tensor, drawn: list[int | None]) -> list[float | None]:
    if all(row.logprobs is None for row in rows):
        return [None] * len(rows)
    told = log_probabilities(logits, [token or 0 for token in drawn])
    return [value if row.logprobs is not None else None for row, value in zip(rows, told, strict=True)]


def _ending(row: _Row, text: str, reason: FinishReason) -> list[Event]:
    first = row.first_token_at
    finished = Finished(
        id=row.request.id,
        text=row.stream.text,
        finish_reason=reason,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.drawn,
        first_token_s=None if first is None else first - row.admitted_at,
        total_s=time.monotonic() - row.admitted_at,
        logprobs=None if row.logprobs is None else tuple(row.logprobs),
    )
    return [Delta(row.request.id, text), finished] if text else [finished]
