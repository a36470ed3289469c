"""A server on a real socket that answers every POST with what its test says, as JSON or as the very bytes."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = tuple[int, Any]


class JSONEndpoint:
    """Serves until its `with` block ends. `answers` makes status and answer of a request's body; `asked` keeps the
    requests, each with its path and body, and `keys` what they were allowed by."""

    def __init__(self, answers: Callable[[Any], Answer]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []
        self.keys: list[str | None] = []

    def __enter__(self) -> Self:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.endpoint = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Tests read what is asserted."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        endpoint: JSONEndpoint = self.server.endpoint  # type: ignore[attr-defined]
        endpoint.asked.append((self.path, body))
        endpoint.keys.append(self.headers["Authorization"])
        status, answer = endpoint.answers(body)
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
