"""Running a backend to the end of its requests, as the pump does."""

import time
from dataclasses import dataclass, field

from inference_workers.engine.protocol import (
    Backend,
    ChatMessage,
    Delta,
    Event,
    Failed,
    Finished,
    GenerationRequest,
    ModelRef,
    Sampling,
)


@dataclass
class Outcome:
    """All that was said of one request."""

    deltas: list[str] = field(default_factory=list)
    ends: list[Finished | Failed] = field(default_factory=list)

    @property
    def finished(self) -> Finished:
        (end,) = self.ends
        assert isinstance(end, Finished), end
        return end

    @property
    def failed(self) -> Failed:
        (end,) = self.ends
        assert isinstance(end, Failed), end
        return end


def request(id: str, *contents: str, model: ModelRef, **sampling) -> GenerationRequest:
    """A request whose messages are those of user and assistant in turn, at temperature 0 and 24 tokens if not said."""
    roles = ("user", "assistant")
    messages = tuple(ChatMessage(roles[turn % 2], text) for turn, text in enumerate(contents or ("Say something.",)))
    settings = {"temperature": 0.0, "max_tokens": 24} | sampling
    return GenerationRequest(id, messages, Sampling(**settings), model)


def collect(outcomes: dict[str, Outcome], events: list[Event]) -> None:
    for event in events:
        outcome = outcomes.setdefault(event.id, Outcome())
        if isinstance(event, Delta):
            outcome.deltas.append(event.text)
        else:
            outcome.ends.append(event)


def run_to_end(backend: Backend, *requests: GenerationRequest, limit_s: float = 60.0) -> dict[str, Outcome]:
    """Admit requests and step until the backend holds none."""
    outcomes: dict[str, Outcome] = {}
    for wanted in requests:
        backend.admit(wanted)
    deadline = time.monotonic() + limit_s
    while backend.active:
        assert time.monotonic() < deadline, f"no end after {limit_s} s: {outcomes}"
        collect(outcomes, backend.step(0.05))
    return outcomes
