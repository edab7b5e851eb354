"""A loopback receiver of webhook calls, and a wait with a deadline."""

from __future__ import annotations

import http.server
import threading
import time
from typing import Any


class Receiver:
    """A loopback receiver of webhook calls that answers the statuses it is given, then 200."""

    def __init__(self, statuses: list[int]) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.arrived = threading.Semaphore(0)
        self.taking = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with outer.taking:  # calls come side by side, and each body belongs to its headers
                    outer.headers.append(dict(self.headers.items()))
                    outer.bodies.append(body)
                self.send_response(statuses.pop(0) if statuses else 200)
                self.send_header("content-length", "0")
                self.end_headers()
                outer.arrived.release()

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # the library names it so

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/x"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def until(fact: Any, seconds: float = 5.0) -> None:
    """Wait for a fact with a deadline."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not fact():
        assert time.monotonic() < end, "it did not come true in time"
        pause.wait(0.005)
