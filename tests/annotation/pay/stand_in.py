"""A little server that plays Prolific: it sends a browser to a study, and takes it back with a code."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = "<!doctype html><html lang=en><title>Stand-in</title><main><h1>Stand-in</h1>{body}</main></html>"


class StandIn(ThreadingHTTPServer):
    """`meanings` says what each code of the study stands for; `taken` are those that came back, with their meaning."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.study_address = ""
        self.meanings: dict[str, str] = {}
        self.taken: list[tuple[str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def return_address(self) -> str:
        return f"{self.address}/submissions/complete"

    def study_for(self, values: dict[str, str]) -> str:
        """The address that the admin entered, with what it names filled in."""
        address = self.study_address
        for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"):
            address = address.replace("{{%" + name + "%}}", values.get(name, ""))
        return address


class Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        values = {name: found[0] for name, found in parse_qs(asked.query).items()}
        if asked.path == "/take-part":
            self.answer(f'<a href="{self.server.study_for(values).replace("&", "&amp;")}">Open study link</a>')
        elif asked.path == "/submissions/complete":
            meaning = self.server.meanings.get(values.get("cc", ""), "unknown code")
            self.server.taken.append((values.get("cc", ""), meaning))
            self.answer(f"<p>Submission: {meaning}</p>")
        else:
            self.answer("")

    def answer(self, body: str) -> None:
        content = PAGE.format(body=body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@contextmanager
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
