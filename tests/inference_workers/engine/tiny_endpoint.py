"""A small OpenAI-compatible server on a real socket, which answers with the scripted backend's texts."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from inference_workers.engine.protocol import (
    ChatMessage,
    Delta,
    Failed,
    Finished,
    GenerationRequest,
    ModelRef,
    Sampling,
)
from inference_workers.engine.scripted import ScriptedBackend, ScriptedSettings

CONTEXT_WORDS = 400


class TinyEndpoint:
    """Serves until its `with` block ends."""

    def __enter__(self) -> Self:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_) -> None:
        """Tests read what is asserted, not a log."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self._answer(_request(body))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, wanted: GenerationRequest) -> None:
        backend = ScriptedBackend(ScriptedSettings(context=CONTEXT_WORDS, pace_s=0.002))
        backend.admit(wanted)
        first = backend.step(1.0)
        while not first:
            first = backend.step(1.0)
        if isinstance(first[0], Failed):
            self._refuse()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for line in _lines(backend, first, wanted.sampling.logprobs):
            self.wfile.write(f"data: {line}\n\n".encode())
            self.wfile.flush()

    def _refuse(self) -> None:
        error = json.dumps({"error": {"code": "context_length_exceeded", "message": "too long"}}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(error)))
        self.end_headers()
        self.wfile.write(error)


def _request(body: dict) -> GenerationRequest:
    messages = tuple(ChatMessage(message["role"], message["content"]) for message in body["messages"])
    sampling = Sampling(
        temperature=body["temperature"],
        top_p=body["top_p"],
        max_tokens=body["max_tokens"],
        seed=body["seed"],
        stop=tuple(body.get("stop") or ()),
        logprobs=body.get("logprobs", False),
    )
    return GenerationRequest("only", messages, sampling, ModelRef(body["model"]))


def _lines(backend: ScriptedBackend, events: list, logprobs: bool) -> Iterator[str]:
    while True:
        for event in events:
            if isinstance(event, Delta):
                choice = {"index": 0, "delta": {"content": event.text}}
                if logprobs:
                    choice["logprobs"] = {"content": [{"token": event.text, "logprob": -len(event.text) / 8}]}
                yield json.dumps({"choices": [choice]})
            elif isinstance(event, Finished):
                yield json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": event.finish_reason}]})
                usage = {"prompt_tokens": event.prompt_tokens, "completion_tokens": event.completion_tokens}
                yield json.dumps({"choices": [], "usage": usage})
                yield "[DONE]"
                return
        events = backend.step(1.0)
