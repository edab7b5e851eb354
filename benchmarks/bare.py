"""The floor of the latency benchmark, a process of its own: takes a webhook, reads the record, writes its counterpart.

No store, no check of signatures, no rules, no version check, no read-back: what any hub must do at the very least.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import sys
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.watch import subject_of

JIRA_LOGIN = "Basic " + base64.b64encode(b"hub@example.com:hub-token").decode()
WORKERS = 2


class Bare:
    """The loop. pairs: issue id by ticket id."""

    def __init__(self, desk: str, site: str, pairs: dict[str, str]) -> None:
        self._desk, self._site = desk, site
        self._issue = pairs
        self._ticket = {issue: ticket for ticket, issue in pairs.items()}
        self._token = ""
        self.work: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self.written: set[str] = set()

    def run(self) -> None:
        """Take hooks for ever."""
        desk, site = (HTTPConnection(urlsplit(url).netloc) for url in (self._desk, self._site))
        if not self._token:
            granted = _call(desk, "POST", "/oauth/tokens", {}, {"grant_type": "client_credentials",
                "client_id": "hypercare", "client_secret": "sandbox-client-secret", "scope": "read write"})  # fmt: skip
            self._token = f"Bearer {granted['access_token']}"
        in_zendesk, in_jira = {"authorization": self._token}, {"authorization": JIRA_LOGIN}
        while True:
            path, subject = self.work.get()
            if subject in self.written:  # our own echo
                continue
            if path.endswith("support"):
                issue = self._issue[subject]
                self.written.add(issue)
                ticket = _call(desk, "GET", f"/api/v2/tickets/{subject}.json", in_zendesk)["ticket"]
                labels = [{"add": tag} for tag in ticket["tags"]]
                _call(site, "PUT", f"/rest/api/2/issue/{issue}", in_jira, {"update": {"labels": labels}})
            else:
                number = self._ticket[subject]
                self.written.add(number)
                fields = _call(site, "GET", f"/rest/api/2/issue/{subject}", in_jira)["fields"]
                wanted = {"ticket": {"additional_tags": fields["labels"]}}
                _call(desk, "PUT", f"/api/v2/tickets/{number}.json", in_zendesk, wanted)


def _call(conn: HTTPConnection, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    more = {} if body is None else {"content-type": "application/json"}
    conn.request(method, path, None if body is None else json.dumps(body), {**headers, **more})
    answer = conn.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")
    return json.loads(text) if text else None


def main(place: Path, core: int) -> None:
    """Serve until killed. Tells its address on the standard output."""
    os.sched_setaffinity(0, {core})
    given = json.loads(place.read_text())
    bare = Bare(given["desk"], given["site"], given["pairs"])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Take one hook."""
            body = self.rfile.read(int(self.headers["content-length"]))
            bare.work.put((self.path, subject_of(body)))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    for _ in range(WORKERS):
        threading.Thread(target=bare.run, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
