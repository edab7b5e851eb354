"""Spoilt answers to every call of every connector: only the documented errors leave, within bounded time and memory."""

from __future__ import annotations

import io
import json
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import requests

from connectors.contract import Ports
from connectors.errors import RemoteError, Unavailable, UnexpectedAnswer
from connectors.http import Limits
from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.zendesk.client import ZendeskRemote
from connectors.zendesk.settings import ZendeskSettings
from sync.simulation.virtual import SeededRng, VirtualClock
from tests.hostile.answers import LINES, Line, Tally, run
from tests.hostile.corpus import Answer
from tests.hostile.spoiling import Spoiling, as_response
from tests.hostile.web_answers import EVERY_LINE

CASES = 450


@pytest.mark.parametrize("name", sorted(EVERY_LINE))
def test_spoilt_answers_end_in_a_documented_error_or_in_a_value_that_can_be_used(name: str) -> None:
    tally = run(EVERY_LINE[name], range(CASES), Tally())
    assert tally.wrong == []
    assert tally.cases == CASES
    assert tally.spoilt > CASES // 2
    assert tally.taken > CASES // 10
    assert sum(tally.refused.values()) > CASES // 10


@pytest.mark.parametrize(("name", "seed"), [("apipark", 549704), ("sentry", 745699)])
def test_an_answer_that_broke_a_call_once_is_read_now(name: str, seed: int) -> None:
    tally = run(EVERY_LINE[name], range(seed, seed + 1), Tally())
    assert tally.wrong == []
    assert tally.cases == 1


def test_memory_stays_bounded_over_many_spoilt_answers() -> None:
    run(LINES["zendesk"], range(20), Tally())
    tracemalloc.start()
    run(LINES["zendesk"], range(20, 200), Tally())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * 2**20


class Replacing(Spoiling):
    """Puts something else in the place of one address's answers."""

    def __init__(self, stand_in: Any, part: str, change: Callable[[Any], Any]) -> None:
        super().__init__(stand_in)
        self._part = part
        self._change = change
        self.changed = 0

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        response = super().send(request, **kwargs)
        if self._part not in request.path_url or response.status_code >= 400:
            return response
        self.changed += 1
        body = json.dumps(self._change(json.loads(response.raw.read()))).encode()
        return as_response(request, Answer(response.status_code, dict(response.headers), body))


def called(line: Line, call: str, part: str, change: Callable[[Any], Any]) -> Any:
    replacing = Replacing(line.stand_in, part, change)
    ports = Ports(clock=line.clock, rng=SeededRng(5), meter=lambda reading: None, transport=replacing)
    try:
        return line.calls[call](line.connect(ports))
    finally:
        assert replacing.changed, "the answer was never asked for"


def without(*path: str) -> Callable[[Any], Any]:
    """Take a key out, at the end of a path; a number goes into a list."""

    def change(body: Any) -> Any:
        node = body
        for name in path[:-1]:
            node = node[int(name)] if isinstance(node, list) else node[name]
        del node[path[-1]]
        return body

    return change


def with_(value: Any, *path: str) -> Callable[[Any], Any]:
    """Put a value at the end of a path."""

    def change(body: Any) -> Any:
        node = body
        for name in path[:-1]:
            node = node[int(name)] if isinstance(node, list) else node[name]
        node[path[-1]] = value
        return body

    return change


NOT_UNDERSTOOD: dict[str, tuple[str, str, str, Callable[[Any], Any]]] = {
    "a ticket without tags": ("zendesk", "fetch one", "/tickets/1.json", without("ticket", "tags")),
    "a listed ticket without tags": ("zendesk", "fetch many", "show_many", with_(None, "tickets", "0", "tags")),
    "an issue without labels": ("jira cloud", "fetch one", "/issue/", without("fields", "labels")),
    "labels that are a number": (
        "jira cloud",
        "page from the start",
        "search",
        with_(3, "issues", "0", "fields", "labels"),
    ),
    "a label that is none": ("jira data center", "fetch one", "/issue/", with_([None], "fields", "labels")),
    "app links that are missing": ("zendesk with the app", "fetch one", "ticket_id=1", without("links")),
    "app links that are texts": ("zendesk with the app", "fetch one", "ticket_id=1", with_(["x"], "links")),
    "a link's time that is a list": (
        "zendesk with the app",
        "page on",
        "jira/links",
        with_([1], "links", "0", "created_at"),
    ),
    "audits without events": ("zendesk", "history", "/audits", without("audits", "0", "events")),
    "an audit that is a text": ("zendesk", "history", "/audits", with_(["x"], "audits")),
    "an answer without issues": ("jira cloud", "find the created", "search/jql", without("issues")),
    "issues that are a number": ("jira cloud", "find the created", "search/jql", with_(7, "issues")),
    "a probe of texts": ("jira data center", "probe", "/search", with_(["x"], "issues")),
    "a probe without a key": ("jira cloud", "probe", "/search", without("issues", "0", "key")),
    "an issue whose id is a list": ("jira cloud", "fetch one", "/issue/", with_([1], "id")),
    "a new issue without an id": ("jira cloud", "create", "/issue", with_("", "id")),
    "a new issue whose key is none": ("jira data center", "create", "/issue", with_(None, "key")),
    "a changelog entry without items": ("jira cloud", "write status", "/issue/", with_("open", "fields", "status")),
}


@pytest.mark.parametrize("name", sorted(NOT_UNDERSTOOD))
def test_a_part_that_is_missing_or_of_another_kind_is_not_taken_for_an_empty_one(name: str) -> None:
    line, call, part, change = NOT_UNDERSTOOD[name]
    with pytest.raises(UnexpectedAnswer):
        called(LINES[line](), call, part, change)


@pytest.mark.parametrize("change", [without("links"), with_(3, "links"), with_(["x"], "links")])
def test_links_are_not_shown_while_nobody_can_tell_whether_the_app_is_used(change: Callable[[Any], Any]) -> None:
    found = called(LINES["zendesk with the app"](), "fetch one", "jira/links?since_id=0", change)
    assert [snap.links for snap in found.values()] == [None]


def test_a_look_for_the_app_that_got_no_answer_is_made_again() -> None:
    line = LINES["zendesk with the app"]()
    line.stand_in.control.faults.add(FaultRule(kind=FaultKind.SERVER_ERROR, operation="links.list", count=4))
    remote = line.remote()
    with pytest.raises(Unavailable):
        line.calls["fetch one"](remote)
    found = line.calls["fetch one"](remote)
    assert [len(snap.links) for snap in found.values()] == [1]


def test_an_audit_with_a_strange_id_has_its_place_by_time() -> None:
    line = LINES["zendesk"]()
    sound = called(line, "history", "/audits", lambda body: body)
    found = called(line, "history", "/audits", with_([1], "audits", "0", "id"))
    assert [row.at for row in found] == [row.at for row in sound]


@pytest.mark.parametrize("value", [10**30, -5, 0, True, "soon", [], 1e308])
def test_a_token_whose_life_is_no_time_is_used_until_it_is_refused(value: Any) -> None:
    line = LINES["zendesk"]()
    replacing = Replacing(line.stand_in, "/oauth/tokens", with_(value, "expires_in"))
    ports = Ports(clock=line.clock, rng=SeededRng(5), meter=lambda reading: None, transport=replacing)
    remote = line.connect(ports)
    for _ in range(3):
        line.calls["fetch one"](remote)
    assert replacing.changed == 1


def test_a_write_that_jira_took_from_a_stranger_is_in_doubt() -> None:
    class Stranger(Spoiling):
        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
            response = super().send(request, **kwargs)
            if request.method == "POST" and request.path_url.endswith("/issue"):
                response.headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
            return response

    line = LINES["jira cloud"]()
    ports = Ports(clock=line.clock, rng=SeededRng(5), meter=lambda reading: None, transport=Stranger(line.stand_in))
    with pytest.raises(RemoteError) as caught:
        line.calls["create"](line.connect(ports))
    assert caught.value.applied


@pytest.mark.parametrize(("call", "part"), [("create", "/tickets.json"), ("write status", "/tickets/")])
def test_a_write_whose_answer_is_no_utf_8_is_in_doubt(call: str, part: str) -> None:
    class Broken(Spoiling):
        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
            response = super().send(request, **kwargs)
            if request.method != "GET" and part in request.path_url:
                return as_response(
                    request, Answer(response.status_code, {}, b'{"ticket": {"id": 1, "subject": "\xdd"}}')
                )
            return response

    line = LINES["zendesk"]()
    ports = Ports(clock=line.clock, rng=SeededRng(5), meter=lambda reading: None, transport=Broken(line.stand_in))
    with pytest.raises(UnexpectedAnswer) as caught:
        line.calls[call](line.connect(ports))
    assert caught.value.applied


@pytest.mark.parametrize("status", [300, 304, 305, 307])
def test_an_answer_that_only_points_elsewhere_is_refused_even_where_it_names_no_address(status: int) -> None:
    class Pointing(Spoiling):
        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
            response = super().send(request, **kwargs)
            if "/tickets/" in request.path_url:
                response.status_code = status
                response.headers["Location"] = "http://[::1"
            return response

    line = LINES["zendesk"]()
    ports = Ports(clock=line.clock, rng=SeededRng(5), meter=lambda reading: None, transport=Pointing(line.stand_in))
    with pytest.raises(UnexpectedAnswer, match=str(status)):
        line.calls["fetch one"](line.connect(ports))


class Bomb(Spoiling):
    """Answers with a body that unpacks to a gigabyte."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        if "/oauth/" in request.path_url:
            return super().send(request, **kwargs)
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = io.BytesIO()
        for _ in range(1024):
            packed.write(packer.compress(b" " * 2**20))
        packed.write(packer.flush())
        return as_response(request, Answer(200, {"content-encoding": "gzip"}, packed.getvalue()))


def test_a_body_that_unpacks_to_a_gigabyte_is_dropped_at_the_limit() -> None:
    line = LINES["zendesk"]()
    settings = ZendeskSettings.model_validate(
        {
            "subdomain": "acme",
            "base_url": "http://127.0.0.1:8101",
            "client_id": "hypercare",
            "client_secret": "sandbox-client-secret",
        }
    )
    ports = Ports(clock=VirtualClock(), rng=SeededRng(5), meter=lambda reading: None, transport=Bomb(line.stand_in))
    remote = ZendeskRemote(settings, ports, Limits(body=4 * 2**20))
    tracemalloc.start()
    with pytest.raises(UnexpectedAnswer, match="larger than"):
        remote.fetch(["1"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 2**20


def test_what_a_remote_says_starts_no_new_line_in_an_error() -> None:
    error = RemoteError("OPS-1 offers no step from \r\nlevel=info\x1b[2J\u202e to Done")
    assert error.message == str(error) == "OPS-1 offers no step from   level=info [2J  to Done"
