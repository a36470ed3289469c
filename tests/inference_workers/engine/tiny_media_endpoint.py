"""A server of pictures, sounds and films on a real socket; the prompt names what it does wrong."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from inference_workers.engine.protocol import ChatMessage, GenerationRequest, ModelRef, Sampling
from inference_workers.engine.scripted_files import made_file

HTML = b"<!doctype html><title>Bad gateway</title>"


def file_for(output: str, prompt: str) -> bytes:
    """Ends where the prompt says `cut`; is something else where it says so."""
    if "html" in prompt:
        return HTML
    if "other" in prompt:
        output = "audio" if output != "audio" else "image"
    wanted = GenerationRequest("x", (ChatMessage("user", prompt),), Sampling(), ModelRef("canary-model"), output)
    content = made_file(wanted)
    return content[: len(content) // 2] if "cut" in prompt else content


class TinyMediaEndpoint:
    """Serves until its `with` block ends. `asked` holds what came, in order."""

    def __enter__(self) -> Self:
        self.asked: list[tuple[str, str, dict | bytes]] = []
        self.polls: dict[str, int] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.owner = self
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
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        place = self.path.removeprefix("/v1/")
        sent = {} if place == "videos" else json.loads(raw)
        self.server.owner.asked.append(("POST", place, sent or raw))
        prompt = raw.decode(errors="replace") if place == "videos" else sent.get("prompt") or sent["input"]
        try:
            self._post(place, prompt)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _post(self, place: str, prompt: str) -> None:
        if "busy" in prompt:
            self._send(503, b"{}")
        elif place == "videos":
            job = "../../secrets" if "traversal" in prompt else "endless" if "endless" in prompt else "job-1"
            state = "failed" if "gone wrong" in prompt else "queued"
            self._send(200, json.dumps({"id": job, "status": state}).encode())
        elif place == "audio/speech":
            self._send(200, file_for("audio", prompt), drip="drip" in prompt, endless="endless" in prompt)
        elif "address" in prompt:
            self._send(200, json.dumps({"data": [{"url": "http://169.254.169.254/x.png"}]}).encode())
        elif "page" in prompt:
            self._send(200, HTML)
        elif "nothing" in prompt:
            self._send(200, b'{"data": []}')
        elif "no base64" in prompt:
            self._send(200, b'{"data": [{"b64_json": "%%%"}]}')
        else:
            content = base64.b64encode(file_for("image", prompt)).decode()
            self._send(200, json.dumps({"data": [{"b64_json": content}]}).encode())

    def do_GET(self) -> None:
        place = self.path.removeprefix("/v1/")
        self.server.owner.asked.append(("GET", place, {}))
        if place.endswith("/content"):
            self._send(200, file_for("video", "a film"))
            return
        count = self.server.owner.polls[place] = self.server.owner.polls.get(place, 0) + 1
        done = count > 2 and "endless" not in place
        self._send(200, json.dumps({"id": "job-1", "status": "completed" if done else "in_progress"}).encode())

    def _send(self, status: int, body: bytes, *, drip: bool = False, endless: bool = False) -> None:
        self.send_response(status)
        if not endless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if drip:
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                self.wfile.flush()
                time.sleep(0.05)
        elif endless:
            self.close_connection = True
            while True:
                self.wfile.write(b"x" * 65536)
        else:
            self.wfile.write(body)
