"""The loopback server over a small stand-in: keep-alive, cuts, drips, delays, faults, webhook calls."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import pytest

from connectors.sandbox.control import ControlFace, Mistaken
from connectors.sandbox.server import RunningSandbox, serve
from connectors.sandbox.wire import OutgoingHook, Request, Response
from tests.connectors.sandbox.receiver import Receiver, until

JSON = {"content-type": "application/json"}


class Chance:
    """A seeded Rng."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class Counter:
    """A stand-in that counts: GET shows the count, PUT adds one."""

    def __init__(self) -> None:
        self.count = 0
        self.hooks: list[OutgoingHook] = []
        self.answered: list[int | None] = []
        self.face = ControlFace(self, time.time, Chance())

    def handle(self, request: Request) -> Response:
        return self.face.handle(request)

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        due = [hook for hook in self.hooks if hook.not_before <= now]
        self.hooks = [hook for hook in self.hooks if hook.not_before > now]
        return due

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        self.answered.append(status)

    def operation(self, request: Request) -> str:
        return "count.read" if request.method in ("GET", "HEAD") else "count.add"

    def caller(self, request: Request) -> str:
        return "somebody"

    def answer(self, request: Request, *, stale: bool = False) -> Response:
        if request.path == "/broken":
            raise RuntimeError("a bug of the model")
        if request.path == "/echo":
            return Response(status=200, body=request.body, headers=JSON)
        if request.method not in ("GET", "HEAD"):
            self.count += 1
            if request.method == "DELETE":
                return Response(status=204)
        return Response(status=200, body=json.dumps({"count": self.count - stale}).encode(), headers=JSON)

    def ignored(self, request: Request) -> Response:
        return Response(status=200, body=json.dumps({"count": self.count}).encode(), headers=JSON)

    def refusal(self, status: int, headers: Mapping[str, str]) -> Response:
        return Response(status=status, body=b'{"error":"refused"}', headers={**JSON, **headers})

    def state(self) -> Any:
        return {"count": self.count}

    def act(self, command: Mapping[str, Any]) -> Any:
        if command.get("act") != "add":
            raise Mistaken("act must be add")
        self.count += 1
        return self.count

    def settings(self) -> Any:
        return {}

    def change_settings(self, changes: Mapping[str, Any]) -> None:
        raise Mistaken(f"no such setting: {sorted(changes)}")


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def running(counter: Counter) -> Iterator[RunningSandbox]:
    with serve(counter) as sandbox:
        yield sandbox


@contextlib.contextmanager
def connected(sandbox: RunningSandbox) -> Generator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=5)
    try:
        yield connection
    finally:
        connection.close()


def call(
    sandbox: RunningSandbox, method: str, path: str, body: Any = None
) -> tuple[int, Any, http.client.HTTPResponse]:
    with connected(sandbox) as connection:
        connection.request(method, path, body=None if body is None else json.dumps(body))
        answer = connection.getresponse()
        raw = answer.read()
        try:
            return answer.status, json.loads(raw) if raw else None, answer
        except json.JSONDecodeError:
            return answer.status, raw, answer


def fault(sandbox: RunningSandbox, **rule: Any) -> None:
    status, answer, _ = call(sandbox, "POST", "/_sandbox/faults", rule)
    assert status == 200, answer


def test_a_connection_carries_many_requests(running: RunningSandbox) -> None:
    with connected(running) as connection:
        for count in range(1, 6):
            connection.request("PUT", "/n", body=b"{}")
            local = connection.sock.getsockname()
            answer = connection.getresponse()
            assert json.loads(answer.read()) == {"count": count}
            assert connection.sock.getsockname() == local
    assert running.url == f"http://127.0.0.1:{running.port}"


def test_an_answer_without_content_keeps_the_connection(running: RunningSandbox) -> None:
    with connected(running) as connection:
        for _ in range(2):
            connection.request("DELETE", "/n")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (204, b"")


def test_head_announces_the_length_and_sends_no_body(running: RunningSandbox) -> None:
    status, body, answer = call(running, "HEAD", "/n")
    assert (status, body, answer.getheader("content-length")) == (200, None, "12")


def test_a_chunked_body_is_read(running: RunningSandbox) -> None:
    with connected(running) as connection:
        connection.request("PUT", "/echo", body=iter([b'{"a":', b"1}"]), encode_chunked=True)
        assert connection.getresponse().read() == b'{"a":1}'


def test_bytes_that_are_no_request_get_400(running: RunningSandbox) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_bug_of_the_model_reaches_the_tester_and_not_the_server(running: RunningSandbox) -> None:
    status, body, answer = call(running, "GET", "/broken")
    assert status == 500
    assert "a bug of the model" in body["description"]
    assert answer.getheader("x-sandbox-bug") == "1"
    assert call(running, "GET", "/n")[0] == 200


@pytest.mark.parametrize(
    ("kind", "status", "retry_after"),
    [
        ("rate_limited", 429, "2"),
        ("rate_limited_bare", 429, None),
        ("rate_limited_garbage", 429, "soon"),
        ("unauthorised", 401, None),
        ("forbidden", 403, None),
        ("unavailable", 503, "2"),
        ("server_error", 502, None),
    ],
)
def test_a_refusal_does_not_apply_the_request(
    running: RunningSandbox, counter: Counter, kind: str, status: int, retry_after: str | None
) -> None:
    fault(running, kind=kind, count=1)
    seen, _, answer = call(running, "PUT", "/n", {})
    assert (seen, answer.getheader("retry-after"), counter.count) == (status, retry_after, 0)
    assert call(running, "PUT", "/n", {})[0] == 200


def test_a_retry_after_may_be_a_date(running: RunningSandbox) -> None:
    fault(running, kind="rate_limited_date", seconds=3600)
    header = call(running, "GET", "/n")[2].getheader("retry-after")
    assert header is not None
    assert header.endswith(" GMT")


@pytest.mark.parametrize(("kind", "count"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_call_gets_no_answer(running: RunningSandbox, counter: Counter, kind: str, count: int) -> None:
    fault(running, kind=kind)
    with pytest.raises(http.client.RemoteDisconnected):
        call(running, "PUT", "/n", {})
    assert counter.count == count


def test_a_body_is_cut_in_the_middle(running: RunningSandbox) -> None:
    fault(running, kind="cut_body")
    with pytest.raises(http.client.IncompleteRead):
        call(running, "GET", "/n")


def test_a_body_drips(running: RunningSandbox) -> None:
    fault(running, kind="drip", seconds=0.01)
    before = time.monotonic()
    assert call(running, "GET", "/n")[1] == {"count": 0}
    assert time.monotonic() - before >= 0.1


def test_a_delayed_answer_blocks_nobody_else(running: RunningSandbox) -> None:
    fault(running, kind="delay", path="/slow", seconds=30)
    with connected(running) as slow:
        slow.request("GET", "/slow")
        assert call(running, "GET", "/n")[0] == 200


@pytest.mark.parametrize(
    ("kind", "body"), [("truncated", b'{"coun'), ("empty", None), ("null", None), ("html", b"<!DOCTYPE")]
)
def test_a_200_may_be_no_answer_at_all(running: RunningSandbox, kind: str, body: bytes | None) -> None:
    fault(running, kind=kind)
    status, seen, _ = call(running, "GET", "/n")
    assert status == 200
    assert seen == body if body is None else seen.startswith(body)


@pytest.mark.parametrize("body", ["\ufeff{}", '{"a":NaN}', '{"a":1,"a":2}', "[" * 5000, '{"a":"\\ud800"}', "1e400"])
def test_a_body_may_be_given_as_it_stands(running: RunningSandbox, counter: Counter, body: str) -> None:
    fault(running, kind="given", status=200, body=body)
    with connected(running) as connection:
        connection.request("PUT", "/n")
        assert connection.getresponse().read() == body.encode()
    assert counter.count == 0


def test_a_redirect_is_given_with_its_headers(running: RunningSandbox) -> None:
    fault(running, kind="given", status=302, headers={"location": "http://127.0.0.1:9/"})
    status, _, answer = call(running, "GET", "/n")
    assert (status, answer.getheader("location")) == (302, "http://127.0.0.1:9/")


def test_a_huge_body_has_the_size_of_its_rule_and_is_json(running: RunningSandbox) -> None:
    fault(running, kind="huge", size=2_000_000)
    status, body, answer = call(running, "GET", "/n")
    assert (status, answer.getheader("content-length"), list(body)) == (200, "2000000", ["padding"])


def test_a_stale_read_shows_the_state_before(running: RunningSandbox) -> None:
    call(running, "PUT", "/n", {})
    fault(running, kind="stale_read")
    assert call(running, "GET", "/n")[1] == {"count": 0}
    assert call(running, "PUT", "/n", {})[1] == {"count": 2}


def test_an_ignored_write_is_answered_and_not_done(running: RunningSandbox, counter: Counter) -> None:
    fault(running, kind="ignore_write")
    assert call(running, "PUT", "/n", {})[0] == 200
    assert counter.count == 0


def test_a_rule_skips_fires_and_ends_as_told(running: RunningSandbox) -> None:
    fault(running, kind="unauthorised", operation="count.add", skip=1, count=2)
    assert [call(running, "PUT", "/n", {})[0] for _ in range(5)] == [200, 401, 401, 200, 200]
    rule = call(running, "GET", "/_sandbox/faults")[1][0]
    assert (rule["matched"], rule["fired"]) == (5, 2)
    call(running, "DELETE", "/_sandbox/faults")
    assert call(running, "GET", "/_sandbox/faults")[1] == []


def test_a_rule_may_fire_by_chance(running: RunningSandbox) -> None:
    fault(running, kind="unauthorised", rate=0.5)
    seen = [call(running, "GET", "/n")[0] for _ in range(40)]
    assert {200, 401} == set(seen)


def test_an_applied_server_error_is_an_outcome_in_doubt(running: RunningSandbox, counter: Counter) -> None:
    fault(running, kind="server_error", status=504, applied=True, method="write")
    assert call(running, "PUT", "/n", {})[0] == 504
    assert counter.count == 1


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "nonsense"}, "nonsense"),
        ({"kind": "html", "colour": 1}, "colour"),
        ({"kind": "html", "path": "("}, "regular"),
    ],
)
def test_a_mistaken_rule_is_explained(running: RunningSandbox, rule: Any, words: str) -> None:
    status, body, _ = call(running, "POST", "/_sandbox/faults", rule)
    assert status == 400
    assert words in body["error"]


def test_the_log_tells_what_was_asked_and_what_was_answered(running: RunningSandbox) -> None:
    call(running, "PUT", "/n?a=1", {})
    fault(running, kind="drop_before", count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        call(running, "PUT", "/n", {})
    log = call(running, "GET", "/_sandbox/requests?operation=count.add")[1]
    assert log["counts"] == {"count.add": 2}
    assert [(row["status"], row["fault"], row["query"]) for row in log["requests"]] == [
        (200, None, {"a": "1"}),
        (None, "drop_before", {}),
    ]


def test_acts_and_settings_explain_their_mistakes(running: RunningSandbox) -> None:
    assert call(running, "POST", "/_sandbox/act", {"act": "add"})[1] == {"ok": True, "result": 1}
    assert call(running, "GET", "/_sandbox/state")[1] == {"count": 1}
    assert "act must be add" in call(running, "POST", "/_sandbox/act", {})[1]["error"]
    assert "JSON object" in call(running, "POST", "/_sandbox/act", [])[1]["error"]
    assert "colour" in call(running, "POST", "/_sandbox/settings", {"colour": 1})[1]["error"]
    assert call(running, "GET", "/_sandbox/nowhere")[0] == 404


def test_due_hooks_are_sent_and_their_outcome_told(running: RunningSandbox, counter: Counter) -> None:
    receiver = Receiver([503])
    try:
        with running.lock:
            counter.hooks += [
                OutgoingHook(url=receiver.url, headers={}, body=body, not_before=0.0) for body in (b"one", b"two")
            ]
        until(lambda: len(counter.answered) == 2)
        assert sorted(receiver.bodies) == [b"one", b"two"]
        assert sorted(counter.answered, key=str) == [200, 503]
    finally:
        receiver.close()


def test_a_hook_that_nobody_takes_is_told_as_no_answer(running: RunningSandbox, counter: Counter) -> None:
    with running.lock:
        counter.hooks.append(OutgoingHook(url="http://127.0.0.1:9/x", headers={}, body=b"", not_before=0.0))
    until(lambda: counter.answered == [None])


def test_a_closed_sandbox_no_longer_answers(counter: Counter) -> None:
    sandbox = serve(counter)
    with connected(sandbox) as connection:
        connection.request("GET", "/n")
        connection.getresponse().read()
        sandbox.close()
        sandbox.close()
        with pytest.raises(OSError, match=r".*"):
            socket.create_connection(("127.0.0.1", sandbox.port), timeout=1).close()
