"""A stand-in that is looked at while it is served: when each webhook call left, when each request came and went."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import msgspec

from connectors.jira.sandbox import JiraSandbox
from connectors.sandbox.wire import OutgoingHook, Request, Response
from connectors.zendesk.sandbox import ZendeskSandbox

CONTROL = "/_sandbox/"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: when the stand-in took it up and when its answer was ready, by `perf_counter`."""

    began: float
    ended: float
    operation: str
    method: str
    path: str
    query: str
    body: bytes
    status: int

    @property
    def writes(self) -> bool:
        """It could change a record."""
        return self.method in ("PUT", "POST", "DELETE") and self.operation not in READS_BY_POST

    def names(self, *ids: str) -> bool:
        """It is about one of these records."""
        return any(re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", self.path + " " + self.query) for one in ids) or (
            self.operation in READS_BY_POST and any(f'"{one}"'.encode() in self.body for one in ids)
        )


READS_BY_POST = frozenset({"changelog.bulkfetch", "issue.bulkfetch", "oauth.grant", "search.count", "search.jql"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook call, at the moment it was handed to the sender. subject: the record's id."""

    at: float
    subject: str


class Watched:
    """`connectors.sandbox.wire.StandIn` around a stand-in. latency: seconds that each answer is held back.

    Everything is kept in memory in the order it happened; `forget` begins anew.
    """

    def __init__(self, inner: ZendeskSandbox | JiraSandbox, *, latency: float = 0.0) -> None:
        self.inner = inner
        self.latency = latency
        self.keep = True
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.answered: Counter[str] = Counter()

    def handle(self, request: Request) -> Response:
        """See StandIn."""
        if request.path.startswith(CONTROL):
            return self.inner.handle(request)
        began = perf_counter()
        response = self.inner.handle(request)
        operation = self.inner.operation(request)
        if self.keep:
            query = " ".join(value for values in request.query.values() for value in values)
            body = request.body if request.method != "GET" else b""
            self.calls.append(
                Call(began, perf_counter(), operation, request.method, request.path, query, body, response.status)
            )
        return msgspec.structs.replace(response, delay=self.latency) if self.latency else response

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        """See StandIn."""
        due = self.inner.due_hooks(now)
        if due:
            at = perf_counter()
            self.sent.extend(Sent(at, subject_of(hook.body)) for hook in due)
        return due

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """See StandIn."""
        self.answered[str(status)] += 1
        self.inner.hook_answered(hook, status, now)

    def forget(self) -> None:
        """Begin anew."""
        self.calls, self.sent = [], []
        self.answered.clear()

    def count(self) -> Counter[str]:
        """Calls by operation."""
        return Counter(call.operation or call.path for call in self.calls)


def subject_of(body: bytes) -> str:
    """The id of the record that a webhook call is about."""
    told: dict[str, Any] = msgspec.json.decode(body)
    if "issue" in told:
        return str(told["issue"]["id"])
    return str(told.get("subject", "")).rpartition(":")[2]
