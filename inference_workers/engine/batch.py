"""Continuous batching of one model: requests join and leave between two tokens of the others."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

import torch

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
from .sampling import Draw, draw_tokens
from .slots import Piece, SlotTables, StepPlan
from .text_stream import TextStream, TokenText


@dataclass(slots=True, eq=False)
class _Row:
    """A request in the batch. `cached` counts the tokens whose keys and values stand in its slot."""

    request: GenerationRequest
    admitted_at: float
    prompt: list[int]
    draw: Draw
    decoder: TokenText
    stream: TextStream
    slot: int = -1
    cached: int = 0
    drawn: int = 0
    last_token: int = -1
    first_token_at: float | None = None

    @property
    def need(self) -> int:
        """Positions that the row may come to use."""
        return len(self.prompt) + self.request.sampling.max_tokens


@dataclass(slots=True)
class ContinuousBatch:
    """The running requests of one model.

    Rows wait in order of arrival until the cache's budget has room, then their prompts are read in pieces of at most
    `prefill_tokens` per step, so that a long prompt never holds up the others' next token for longer than that.
    Decoding rows hold the slots from 0 on without a gap; rows whose prompt is being read hold any slots above.
    """

    loaded: LoadedModel
    cache_budget: int
    prefill_tokens: int
    _waiting: deque[_Row] = field(init=False, default_factory=deque)
    _filling: deque[_Row] = field(init=False, default_factory=deque)
    _decoding: list[_Row] = field(init=False, default_factory=list)
    _tables: SlotTables = field(init=False)
    _torn: bool = field(init=False, default=False)  # a pass was left half-way, by an exception of someone else's

    def __post_init__(self) -> None:
        self._tables = SlotTables(self.loaded.device)

    @property
    def busy(self) -> bool:
        """Whether any request is held."""
        return bool(self._waiting or self._filling or self._decoding)

    def add(self, request: GenerationRequest, admitted_at: float) -> None:
        """Take a request on. Raises GenerationFailure if its prompt cannot be served: a prompt and its longest text
        must fit into the model's context and, alone, into the cache."""
        fits = min(self.loaded.context, self.cache_budget // self.loaded.cache_bytes_per_position)
        room = fits - request.sampling.max_tokens
        prompt = self.loaded.encoder.encode(request.messages, room=max(room, 0))
        row = _Row(
            request,
            admitted_at,
            prompt,
            Draw.of(request.sampling, prompt, self.loaded.device),
            TokenText(self.loaded.decode),
            TextStream(request.sampling.stop),
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
            rows, tokens = self._draw()
            events = [event for row, token in zip(rows, tokens, strict=True) for event in self._take(row, token)]
            self._torn = False
            return events
        except (torch.OutOfMemoryError, MemoryError):
            return self._fail_all(ErrorCode.OUT_OF_MEMORY, "the device ran out of memory during generation")
        except OWN_FAULTS as error:
            return self._fail_all(ErrorCode.INTERNAL, f"generation broke off: {type(error).__name__}: {error}"[:500])

    def _start_waiting(self) -> None:
        while self._waiting:
            running = [*self._filling, *self._decoding]
            longest = max(row.need for row in [*running, self._waiting[0]])
            wanted = (len(running) + 1) * longest * self.loaded.cache_bytes_per_position
            if running and wanted > self.cache_budget:
                return
            row = self._waiting.popleft()
            taken = {other.slot for other in running}
            row.slot = next(slot for slot in range(len(self._decoding), len(running) + 1) if slot not in taken)
            self._filling.append(row)

    def _draw(self) -> tuple[list[_Row], list[int | None]]:
        """The rows that get a token in this step, and the tokens."""
        pieces = self._next_pieces()
        tokens = [row.last_token for row in self._decoding]
        keep = list(range(len(tokens)))
        ready = []
        for row, piece in pieces:
            tokens += row.prompt[piece.start : piece.start + piece.count]
            row.cached += piece.count
            if row.cached == len(row.prompt):
                keep.append(len(tokens) - 1)
                ready.append(row)
        plan = StepPlan(self._tables, [row.cached for row in self._decoding], [piece for _, piece in pieces])
        logits = self.loaded.forward(tokens, plan, keep or [0])
        for row in self._decoding:
            row.cached += 1
        for row in ready:
            self._promote(row)
        rows = list(self._decoding)
        return rows, draw_tokens(logits, [row.draw for row in rows]) if rows else []

    def _next_pieces(self) -> list[tuple[_Row, Piece]]:
        budget = self.prefill_tokens
        pieces = []
        for row in self._filling:
            count = min(budget, len(row.prompt) - row.cached)
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

    def _take(self, row: _Row, token: int | None) -> list[Event]:
        """A row's new token, as events. A row that ends leaves the batch."""
        row.drawn += 1
        if row.first_token_at is None:
            row.first_token_at = time.monotonic()
        if token is None:
            self._tables.wipe(row.slot)
            self._remove(row)
            error = GenerationError(ErrorCode.INTERNAL, "the model's output is not a number")
            return [Failed(row.request.id, error)]
        row.last_token = token
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
        self._filling.clear()
        self._decoding.clear()
        self._tables.clear()
        self._torn = False
        return [Failed(request_id, error) for request_id in failed]


def _ending(row: _Row, text: str, reason: FinishReason) -> list[Event]:
    first = row.first_token_at
    finished = Finished(
        id=row.request.id,
        text=row.stream.text,
        finish_reason=reason,
        prompt_tokens=len(row.prompt),
        completion_tokens=row.drawn,
        first_token_s=None if first is None else first - row.admitted_at,
        total_s=time.monotonic() - row.admitted_at,
    )
    return [Delta(row.request.id, text), finished] if text else [finished]
