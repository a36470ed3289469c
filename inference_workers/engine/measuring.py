"""Backends that measure texts instead of writing them: what they have in common, and the scripted one for tests.

They keep the four verbs of `protocol.Backend`, with `MeasureRequest` in and `Measured` or `Failed` out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import sha256

from .protocol import (
    OWN_FAULTS,
    BackendFull,
    DuplicateRequest,
    ErrorCode,
    Event,
    Failed,
    GenerationError,
    GenerationFailure,
    Measured,
    MeasureRequest,
    Task,
    failure,
)

CAPACITY = 256
SCRIPTED_DIMENSION = 64
SCRIPTED_CLASSES = ("code", "sexual", "violence")
MOST_CLASSES = 200
LONGEST_CLASS = 80


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one text."""

    numbers: tuple[float, ...]
    tokens: int | None
    # What each number is of; classes alone have names.
    labels: tuple[str, ...] = ()


# One call for requests of one model and task, in their order: readings, or why that one request failed.
Measure = Callable[[Sequence[MeasureRequest]], Sequence["Reading | GenerationFailure"]]


@dataclass(slots=True, eq=False)
class _Held:
    request: MeasureRequest
    admitted_at: float
    cancelled: bool = False


class MeasuringBackend:
    """Puts what waits together by model and task, up to `batch` at once, and measures it on a thread of its own, so
    that whoever steps is never held up."""

    def __init__(self, measure: Measure, *, batch: int, capacity: int = CAPACITY) -> None:
        self._measure = measure
        self._batch = batch
        self._capacity = capacity
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="measures")
        self._held: dict[str, _Held] = {}
        self._running: tuple[list[_Held], Future[Sequence[Reading | GenerationFailure]]] | None = None

    @property
    def capacity(self) -> int:
        return self._capacity

    @property
    def active(self) -> int:
        return len(self._held)

    def admit(self, request: MeasureRequest) -> None:
        if request.id in self._held:
            raise DuplicateRequest(request.id)
        if self.active >= self.capacity:
            raise BackendFull
        self._held[request.id] = _Held(request, time.monotonic())

    def step(self, timeout: float) -> list[Event]:
        events = self._cancelled()
        if self._running is None and self._held:
            chosen = self._next_batch()
            self._running = (chosen, self._thread.submit(self._measure, [held.request for held in chosen]))
        if self._running is None:
            return events
        chosen, future = self._running
        wait([future], 0.0 if events else timeout)
        if not future.done():
            return events
        self._running = None
        return events + [
            event
            for held, end in zip(chosen, _ends(future, len(chosen)), strict=True)
            if (event := self._end(held, end)) is not None
        ]

    def cancel(self, request_id: str) -> None:
        if request_id in self._held:
            self._held[request_id].cancelled = True

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._held.clear()
        self._running = None

    def _cancelled(self) -> list[Event]:
        gone = [held for held in self._held.values() if held.cancelled]
        for held in gone:
            del self._held[held.request.id]
        return [Failed(held.request.id, GenerationError(ErrorCode.CANCELLED, "cancelled")) for held in gone]

    def _next_batch(self) -> list[_Held]:
        """Those that go with the one that has waited longest; what has a picture goes alone."""
        waiting = list(self._held.values())
        first = waiting[0].request
        if first.messages[-1].picture is not None:
            return waiting[:1]
        alike = [held for held in waiting if (held.request.model, held.request.task) == (first.model, first.task)]
        return [held for held in alike if held.request.messages[-1].picture is None][: self._batch]

    def _end(self, held: _Held, end: Reading | GenerationFailure) -> Event | None:
        if self._held.get(held.request.id) is not held:
            return None  # cancelled meanwhile, and said so
        del self._held[held.request.id]
        if isinstance(end, GenerationFailure):
            return Failed(held.request.id, end.error)
        try:
            numbers = checked(end.numbers, held.request.task, end.labels)
        except GenerationFailure as fault:
            return Failed(held.request.id, fault.error)
        return Measured(held.request.id, numbers, end.tokens, time.monotonic() - held.admitted_at, end.labels)


def _ends(future: Future[Sequence[Reading | GenerationFailure]], count: int) -> Sequence[Reading | GenerationFailure]:
    try:
        return future.result()
    except GenerationFailure as fault:
        return [fault] * count
    except OWN_FAULTS as error:
        return [failure(ErrorCode.INTERNAL, f"the measure broke off: {type(error).__name__}")] * count


def checked(numbers: Sequence[float], task: Task, labels: Sequence[str] = ()) -> tuple[float, ...]:
    """What may be stored: finite, an embedding brought to length 1, a reward of one number, scores within 0 and 1 of
    classes with names. Raises GenerationFailure with code endpoint_protocol."""
    if not numbers or not all(math.isfinite(number) for number in numbers):
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the model gave no finite numbers")
    if task == Task.CLASSES:
        _refuse_classes(numbers, labels)
        return tuple(float(number) for number in numbers)
    if task == Task.REWARD:
        if len(numbers) != 1:
            raise failure(ErrorCode.ENDPOINT_PROTOCOL, f"a reward is one number, the model gave {len(numbers)}")
        return (float(numbers[0]),)
    length = math.sqrt(math.fsum(number * number for number in numbers))
    if length == 0.0:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the model gave a vector of zeros")
    return tuple(number / length for number in numbers)


def _refuse_classes(scores: Sequence[float], labels: Sequence[str]) -> None:
    named = len(labels) == len(set(labels)) == len(scores) <= MOST_CLASSES
    if not named or not all(label.strip() and label.isprintable() and len(label) <= LONGEST_CLASS for label in labels):
        text = f"classes are at most {MOST_CLASSES}, each with a name of its own of at most {LONGEST_CLASS} characters"
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, text)
    if not all(0.0 <= score <= 1.0 for score in scores):
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the model gave a score that is not between 0 and 1")


def scripted_measure(requests: Sequence[MeasureRequest]) -> list[Reading | GenerationFailure]:
    """Without a model: an embedding counts words, so that texts of the same words lie together, a reward is the number
    of words of the last message, and a text is of the class `violence` where it holds `!violence`. A message that holds
    `!fails` fails."""
    return [_scripted(request) for request in requests]


def _scripted(request: MeasureRequest) -> Reading | GenerationFailure:
    words = request.messages[-1].content.lower().split()
    if "!fails" in words:
        return failure(ErrorCode.INTERNAL, "a scripted failure")
    if request.task == Task.REWARD:
        return Reading((float(len(words)),), len(words))
    if request.task == Task.CLASSES:
        scores = tuple(0.9 if f"!{label}" in words else 0.1 for label in SCRIPTED_CLASSES)
        return Reading(scores, len(words), SCRIPTED_CLASSES)
    counts = [0.0] * SCRIPTED_DIMENSION
    for word in words or [""]:
        counts[int.from_bytes(sha256(word.encode()).digest()[:4], "big") % SCRIPTED_DIMENSION] += 1.0
    return Reading(tuple(counts), len(words))
