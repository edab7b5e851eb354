"""The receiver of pushed lines over real sockets: who is believed, what is kept, how quickly it answers."""

from __future__ import annotations

import http.client
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Intake, WebhookRequest
from connectors.gateway.intake import GatewayIntake
from connectors.gateway.settings import GatewaySettings
from connectors.gateway.spool import SpoolReader
from sync.ports import spawn_thread
from sync.web.app import Health, application
from sync.web.feeds import FeedEndpoint, Feeds
from sync.web.limits import Doorkeeper
from sync.web.metrics import Metrics
from sync.web.server import WebFace
from sync.web.settings import WebSettings
from tests.sync.web.face import DecidedStore, hooks_of

TOKEN = "a-long-random-token-of-ours"


def settings(**given: Any) -> GatewaySettings:
    return GatewaySettings.model_validate({"console_url": "http://127.0.0.1:8288", "receiver_token": TOKEN, **given})


class Face:
    """A running receiver for one connection, `gateway`."""

    def __init__(self, web: WebFace, folder: Path) -> None:
        self.web = web
        self.folder = folder
        self.metrics = Metrics()
        self.events: list[tuple[str, dict[str, Any]]] = []

    def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, name: str = "gateway"
    ) -> tuple[int, str, Mapping[str, str]]:
        connection = http.client.HTTPConnection(*self.web.address, timeout=10)
        try:
            given = {"authorization": f"Bearer {TOKEN}"} if headers is None else dict(headers)
            connection.request("POST", f"/feeds/{name}", body, given)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def kept(self) -> list[bytes]:
        reader = SpoolReader("received", self.folder)
        lines: list[bytes] = []
        while (block := reader.read(65536)) is not None:
            lines += block.data.splitlines()
        return lines


@contextmanager
def running(folder: Path, intake: Intake, **web_settings: Any) -> Generator[Face]:
    chosen = WebSettings(port=0, **web_settings)
    web = WebFace(chosen)
    door = Doorkeeper(chosen)
    face = Face(web, folder)
    endpoint = FeedEndpoint(name="gateway", intake=intake)
    feeds = Feeds(
        find={"gateway": endpoint}.get,
        door=door,
        seconds=chosen.store_seconds,
        tell=lambda event, **facts: face.events.append((event, facts)),
        count=face.metrics.count_feed,
    )
    hooks = hooks_of({}, DecidedStore(), door)
    web.start(application(hooks, lambda: Health(ok=True, store="writable"), face.metrics, feeds), door, spawn_thread)
    try:
        yield face
    finally:
        web.stop()
        assert web.join(10)


Receiver = Callable[..., Face]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    folder = tmp_path / "feeds"
    opened: list[Any] = []

    def start(*, web: Mapping[str, Any] | None = None, **given: Any) -> Face:
        intake = GatewayIntake(settings(**given), folder)
        context = running(folder, intake, **(web or {}))
        opened.append((context, intake))
        return context.__enter__()

    yield start
    for context, intake in opened:
        context.__exit__(None, None, None)
        intake.close()


def test_a_pushed_line_is_answered_200_with_nothing_in_it_and_the_connection_closed(receiver: Receiver) -> None:
    face = receiver()
    status, text, headers = face.post(b'{"request_id": "r1"}')
    assert (status, text) == (200, "")
    assert headers["connection"] == "close"
    assert headers["content-length"] == "0"
    assert face.kept() == [b'{"request_id": "r1"}']


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'[{"a": 1},\n {"a": 2}]', [b'{"a": 1}', b'{"a": 2}']),
        (b'{"a": 1}\n{"a": 2}\n', [b'{"a": 1}', b'{"a": 2}']),
        (b'{\n"a": 1\n}', [b'{ "a": 1 }']),
        (b"", []),
    ],
)
def test_an_object_an_array_and_an_object_a_line_are_taken(receiver: Receiver, body: bytes, kept: list[bytes]) -> None:
    face = receiver()
    assert face.post(body)[0] == 200
    assert face.kept() == kept


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": ""}, 401),
        ({"x-token": TOKEN}, 401),
        ({"authorization": TOKEN}, 200),
        ({"authorization": f"bearer {TOKEN}"}, 200),
    ],
)
def test_only_the_token_in_its_header_is_believed(receiver: Receiver, headers: dict[str, str], status: int) -> None:
    face = receiver()
    assert face.post(b'{"a": 1}', headers)[0] == status
    assert len(face.kept()) == (status == 200)


def test_while_a_token_is_replaced_both_are_believed(receiver: Receiver) -> None:
    face = receiver(receiver_token=[TOKEN, "the-next-one-of-16-signs"], receiver_header="X-Hub-Token")
    assert face.post(b"{}", {"x-hub-token": "the-next-one-of-16-signs"})[0] == 200
    assert face.post(b"{}", {"x-hub-token": TOKEN})[0] == 200


def test_an_address_that_is_not_listed_is_refused(receiver: Receiver) -> None:
    face = receiver(receiver_sources=["10.0.0.0/8"])
    assert face.post(b"{}")[0] == 403
    assert face.kept() == []
    assert face.events[0][0] == "feed_refused"


def test_behind_a_proxy_the_sender_it_names_is_the_one_looked_at(receiver: Receiver) -> None:
    face = receiver(web={"trusted_proxies": ("127.0.0.1",)}, receiver_sources=["10.0.0.0/8"])
    token = {"authorization": TOKEN}
    assert face.post(b"{}", {**token, "x-forwarded-for": "10.1.2.3"})[0] == 200
    assert face.post(b"{}", {**token, "x-forwarded-for": "10.1.2.3, 192.0.2.7"})[0] == 403


def test_behind_a_proxy_one_sender_has_its_share_of_calls_and_no_more(tmp_path: Path) -> None:
    intake = Hanging()
    with running(tmp_path, intake, trusted_proxies=("127.0.0.1",), per_address=1, store_seconds=5.0) as face:
        answers: list[int] = []

        def call(sender: str) -> None:
            answers.append(face.post(b"{}", {"x-forwarded-for": sender})[0])

        first = threading.Thread(target=call, args=("10.1.2.3",))
        first.start()
        deadline = time.monotonic() + 10
        while not intake.asked.is_set():
            assert time.monotonic() < deadline
        call("10.1.2.3")
        intake.go.set()
        first.join(10)
        call("10.1.2.3")
        assert answers == [503, 200, 200]


def test_a_body_that_is_no_json_is_refused_with_what_to_do(receiver: Receiver) -> None:
    face = receiver()
    status, text, _ = face.post(b"GET\t/cart\t500")
    assert status == 400
    assert "json" in text
    assert face.kept() == []


def test_a_body_over_the_limit_is_refused_at_once(receiver: Receiver) -> None:
    face = receiver(web={"body_limit": 1000})
    assert face.post(b'"' + b"x" * 1000 + b'"')[0] == 413


def test_another_connection_and_another_method_are_no_way_in(receiver: Receiver) -> None:
    face = receiver()
    assert face.post(b"{}", name="nobody")[0] == 404
    connection = http.client.HTTPConnection(*face.web.address, timeout=10)
    connection.request("GET", "/feeds/gateway")
    assert connection.getresponse().status == 405
    connection.close()


def test_a_full_spool_is_answered_503_at_once_and_told_once(tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    intake = GatewayIntake(settings(spool_mb=1), folder)
    with running(folder, intake) as face:
        line = b'"' + b"x" * 200_000 + b'"'
        answers = [face.post(line)[0] for _ in range(10)]
        assert answers == [200] * 5 + [503] * 5
        assert [event for event, _ in face.events] == ["feed_full"]
        began = time.monotonic()
        assert face.post(line)[2]["retry-after"] == "2"
        assert time.monotonic() - began < 1.0
        reader = SpoolReader("received", folder)
        while (block := reader.read(1_000_000)) is not None:
            reader.stored(block.place)
        assert face.post(line)[0] == 200
        assert [event for event, _ in face.events] == ["feed_full", "feed_back"]
    intake.close()


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file of this process grows beyond 16 KB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_answered_503_quickly_and_what_was_taken_is_whole(receiver: Receiver, full_disk: None) -> None:
    face = receiver()
    line = b'{"id": "' + b"x" * 1000 + b'"}'
    began = time.monotonic()
    answers = [face.post(line)[0] for _ in range(30)]
    assert time.monotonic() - began < 5.0
    assert set(answers) == {200, 503}
    assert face.kept() == [line] * answers.count(200)
    assert [event for event, _ in face.events] == ["feed_full"]


class Hanging:
    """An intake whose disk hangs until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = threading.Event()

    def admit(self, request: WebhookRequest, sender: str) -> None:
        """Believe everybody."""

    def keep(self, body: bytes) -> None:
        self.asked.set()
        self.go.wait(20)


def test_a_disk_that_hangs_holds_up_nobody_and_no_other_page(tmp_path: Path) -> None:
    intake = Hanging()
    with running(tmp_path, intake, store_seconds=0.2) as face:
        assert [face.post(b"{}")[0] for _ in range(4)] == [503] * 4
        connection = http.client.HTTPConnection(*face.web.address, timeout=10)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
        intake.go.set()
        deadline = time.monotonic() + 10
        while face.post(b"{}")[0] != 200:
            assert time.monotonic() < deadline


def test_a_busy_gateway_is_answered_without_waiting(receiver: Receiver) -> None:
    face = receiver()
    slowest: list[float] = []
    failed: list[int] = []

    def sender(number: int) -> None:
        for each in range(60):
            began = time.monotonic()
            status, _, _ = face.post(b'{"request_id": "%d-%d", "status": 500}' % (number, each))
            slowest.append(time.monotonic() - began)
            if status != 200:
                failed.append(status)

    threads = [threading.Thread(target=sender, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(set(face.kept())) == 300
    assert sorted(slowest)[len(slowest) // 2] < 0.5


def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing(receiver: Receiver) -> None:
    face = receiver()
    with socket.create_connection(face.web.address, timeout=10) as caller:
        caller.sendall(
            f"POST /feeds/gateway HTTP/1.1\r\nhost: x\r\nauthorization: {TOKEN}\r\ncontent-length: 100\r\n\r\n".encode()
        )
        caller.sendall(b'{"half": ')
    assert face.post(b'{"whole": 1}')[0] == 200
    assert face.kept() == [b'{"whole": 1}']
