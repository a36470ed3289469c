"""An OpenAI-compatible server on a real socket that counts: requests, and how many there were at once."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from django.conf import settings


class CountingEndpoint:
    """Serves until its `with` block ends. Answers after `seconds`, or with `status` while `broken`."""

    def __init__(self, *, seconds: float = 0.0, broken: bool = False, status: int = 500) -> None:
        self.status = status
        self.seconds = seconds
        self.broken = broken
        self.requests = 0
        self.at_once = 0
        self.most_at_once = 0
        self.bodies: list[dict] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.endpoint = self
        self.place = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.place}/v1"
        settings.OUTBOUND_ALLOWED_HOSTS = [*settings.OUTBOUND_ALLOWED_HOSTS, self.place]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        settings.OUTBOUND_ALLOWED_HOSTS = [each for each in settings.OUTBOUND_ALLOWED_HOSTS if each != self.place]
        self._server.shutdown()
        self._server.server_close()

    def begin(self, body: dict) -> None:
        with self._lock:
            self.requests += 1
            self.bodies.append(body)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)

    def end(self) -> None:
        with self._lock:
            self.at_once -= 1


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_) -> None:
        """Tests read what is asserted, not a log."""

    def do_POST(self) -> None:
        endpoint: CountingEndpoint = self.server.endpoint
        endpoint.begin(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        try:
            time.sleep(endpoint.seconds)
        finally:
            # Before the answer: whoever has read it may ask again at once.
            endpoint.end()
        body = b"{}" if endpoint.broken else _answer()
        self.send_response(endpoint.status if endpoint.broken else 200)
        self.send_header("Content-Type", "application/json" if endpoint.broken else "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _answer() -> bytes:
    def line(**values) -> str:
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []} | values
        return f"data: {json.dumps(chunk)}\n\n"

    text = line(choices=[{"index": 0, "delta": {"content": "Four."}, "finish_reason": None}])
    end = line(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    usage = line(usage={"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120})
    return f"{text}{end}{usage}data: [DONE]\n\n".encode()
