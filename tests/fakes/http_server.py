"""A real HTTP server on loopback that answers as told and remembers what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct


class Asked(Struct, frozen=True, kw_only=True):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class LoopbackServer:
    """Answers every request with ``status``, ``headers`` and ``body``."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b""
        self.asked: list[Asked] = []


@contextmanager
def serve() -> Iterator[LoopbackServer]:
    """Serve until the block is left."""
    answers: list[LoopbackServer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            told = answers[0]
            length = int(self.headers.get("content-length", "0"))
            told.asked.append(
                Asked(
                    method=self.command,
                    path=self.path,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(length),
                )
            )
            self.send_response(told.status)
            headers = {"content-length": str(len(told.body)), **told.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_arguments: Any) -> None:
            """Stay silent."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answers.append(LoopbackServer(http.server_address[1]))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield answers[0]
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
