"""Language models in this process: transformers, any device, many requests at once."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import torch

from .batch import ContinuousBatch
from .memory import SHARES, CacheMemory, measured, release_unused
from .model_loading import LoadedModel, load_model, open_device, pick_dtype
from .model_store import ModelStore
from .protocol import (
    OWN_FAULTS,
    BackendFull,
    Delta,
    DuplicateRequest,
    ErrorCode,
    Event,
    Failed,
    GenerationError,
    GenerationFailure,
    GenerationRequest,
    ModelRef,
)
from .settings import TransformersSettings

# Tokens of prompts read per step. A piece of 128 holds up the other rows by about 0.1 s on two CPU cores.
_PREFILL_TOKENS = {"cpu": 128, "mps": 512, "cuda": 2048}


@dataclass(slots=True)
class _Held:
    request: GenerationRequest
    admitted_at: float
    placed: bool = False


class TransformersBackend:
    """A `Backend` that runs models from local folders (`ModelRef.path`), each with a continuous batch of its own."""

    def __init__(self, settings: TransformersSettings | None = None) -> None:
        settings = settings or TransformersSettings()
        self._settings = settings
        self._device = open_device(settings.device)
        if self._device.type == "cpu":
            torch.set_num_threads(settings.threads or spare_threads())
        self._dtype: torch.dtype = getattr(torch, settings.dtype) if settings.dtype else pick_dtype(self._device)
        self._memory = CacheMemory(
            lambda: measured(self._device),
            share=SHARES[self._device.type],
            most=settings.cache_budget,
            holders=lambda: self._batches.values(),
        )
        self._prefill_tokens = settings.prefill_tokens or _PREFILL_TOKENS[self._device.type]
        self._store = ModelStore(
            self._load,
            budget=settings.weight_budget or measured(self._device).total // 2,
            itemsize=self._dtype.itemsize,
            needed=lambda ref: any(held.request.model == ref for held in self._held.values()),
        )
        self._held: dict[str, _Held] = {}
        self._batches: dict[ModelRef, ContinuousBatch] = {}
        self._pending: list[Event] = []

    @property
    def capacity(self) -> int:
        return self._settings.capacity

    @property
    def active(self) -> int:
        return len(self._held)

    def warm(self, ref: ModelRef, timeout: float) -> bool:
        """Load a model before anyone asks for it; says whether it is loaded after at most `timeout` seconds. Raises
        GenerationFailure if it cannot be."""
        deadline = time.monotonic() + timeout
        while self._store.get(ref) is None:
            if time.monotonic() >= deadline:
                return False
            self._store.wait(max(deadline - time.monotonic(), 0.0))
        return True

    def admit(self, request: GenerationRequest) -> None:
        if request.id in self._held:
            raise DuplicateRequest(request.id)
        if self.active >= self.capacity:
            raise BackendFull
        self._held[request.id] = _Held(request, time.monotonic())

    def step(self, timeout: float) -> list[Event]:
        self._place_waiting()
        events, self._pending = self._pending, []
        for batch in self._batches.values():
            if batch.busy:
                events += batch.step()
        for event in events:
            self._note_end(event)
        self._drop_unloaded()
        if not events and not any(batch.busy for batch in self._batches.values()) and not self._store.wait(timeout):
            time.sleep(timeout)
        return events

    def cancel(self, request_id: str) -> None:
        held = self._held.get(request_id)
        if held is None or any(event.id == request_id for event in self._pending):
            return
        batch = self._batches.get(held.request.model)
        if batch is not None:
            batch.cancel(request_id)
        self._fail(held, GenerationError(ErrorCode.CANCELLED, "cancelled"))

    def close(self) -> None:
        self._held.clear()
        self._pending.clear()
        self._batches.clear()
        self._store.close()

    def _load(self, ref: ModelRef) -> LoadedModel:
        return load_model(ref, device=self._device, dtype=self._dtype, context_limit=self._settings.context_limit)

    def _place_waiting(self) -> None:
        """Give requests whose model is there to its batch; their faults become events."""
        waiting: dict[ModelRef, list[_Held]] = {}
        for held in self._held.values():
            if not held.placed:
                waiting.setdefault(held.request.model, []).append(held)
        for ref, group in waiting.items():
            try:
                loaded = self._store.get(ref)
            except GenerationFailure as fault:
                for held in group:
                    self._fail(held, fault.error)
                continue
            if loaded is not None:
                for held in group:
                    self._place(held, self._batch(loaded))

    def _place(self, held: _Held, batch: ContinuousBatch) -> None:
        held.placed = True
        try:
            batch.add(held.request, held.admitted_at)
        except GenerationFailure as fault:
            self._fail(held, fault.error)
        except OWN_FAULTS as fault:
            text = f"the prompt could not be prepared: {type(fault).__name__}"
            self._fail(held, GenerationError(ErrorCode.PROMPT_INVALID, text))

    def _fail(self, held: _Held, error: GenerationError) -> None:
        held.placed = True
        self._pending.append(Failed(held.request.id, error))

    def _batch(self, loaded: LoadedModel) -> ContinuousBatch:
        if loaded.ref not in self._batches:
            self._batches[loaded.ref] = ContinuousBatch(
                loaded, self._memory, self._prefill_tokens, self._settings.most_rows, self._make_room
            )
        return self._batches[loaded.ref]

    def _make_room(self) -> None:
        """Models that nobody asks for at present leave before rows have to wait."""
        self._store.drop_idle()
        release_unused(self._device)

    def _drop_unloaded(self) -> None:
        """A batch keeps its model alive, so idle ones go; making one anew costs nothing."""
        self._batches = {ref: batch for ref, batch in self._batches.items() if batch.busy}

    def _note_end(self, event: Event) -> None:
        if not isinstance(event, Delta):
            self._held.pop(event.id, None)


def spare_threads() -> int:
    """Threads that leave a core to the web server, unless OMP_NUM_THREADS says otherwise. On two cores shared with a
    server, one thread generates 1.3 times as many tokens as two, and the server's p95 stays as it was."""
    wanted = torch.get_num_threads()
    return wanted if "OMP_NUM_THREADS" in os.environ else max(1, min(wanted, (os.cpu_count() or 2) - 1))
