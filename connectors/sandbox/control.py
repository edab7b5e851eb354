"""The control face of every stand-in, under `/_sandbox/`: what a test or the demo sees and does behind the API's back.

    GET    /_sandbox/state       the whole state, as the model tells it
    POST   /_sandbox/act         a user's or an automation's edit: {"act": "...", ...}; the model's acts
    GET    /_sandbox/settings    the switches and their values        POST: changes the ones named
    GET    /_sandbox/faults      the fault rules with their counts    POST: adds one rule or a list; DELETE: forgets all
    GET    /_sandbox/requests    the latest calls and counts by operation (`limit`, `operation`); DELETE: forgets them

Everything is JSON. A mistake in a call is a 400 whose `error` says what is wrong; it never reaches the model.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Protocol

import msgspec

from connectors.sandbox.faults import Faulted, FaultRule, Faults, answer_under
from connectors.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource
    from sync.model import Json

PREFIX = "/_sandbox/"
REQUESTS_KEPT = 10_000


class Mistaken(Exception):
    """A call of the control face that cannot be done; the text is for the person who made it."""


class Ruled(Faulted, Protocol):
    """What the control face needs of a stand-in's rules.

    operation: the name of what a request asks (`tickets.update`), for fault rules and counts; "" for an unknown path.
    caller: who a request comes from, for the log ("" unknown). act: carries out an edit; raises Mistaken.
    settings: the switches as JSON. change_settings: changes some; raises Mistaken, and then changes nothing.
    """

    def operation(self, request: Request) -> str: ...
    def caller(self, request: Request) -> str: ...
    def state(self) -> Json: ...
    def act(self, command: Mapping[str, Json]) -> Json: ...
    def settings(self) -> Json: ...
    def change_settings(self, changes: Mapping[str, Json]) -> None: ...


class ControlFace:
    """Stands before a stand-in's rules: keeps the fault rules and the log of calls, and answers `/_sandbox/`."""

    def __init__(self, rules: Ruled, time: TimeSource, rng: Rng) -> None:
        self._rules = rules
        self._time = time
        self.faults = Faults(rng)
        self._requests: deque[Json] = deque(maxlen=REQUESTS_KEPT)
        self._counts: Counter[str] = Counter()

    def handle(self, request: Request) -> Response:
        """Answer one request, of the API or of the control face."""
        if request.path.startswith(PREFIX):
            return self._control(request)
        operation = self._rules.operation(request)
        now = self._time()
        rule = self.faults.choose(request, operation, now)
        if rule is None:
            response = self._rules.answer(request)
        else:
            response = answer_under(rule, self._rules, request, now)
        self._counts[operation or "unknown"] += 1
        self._requests.append(
            {
                "at": now,
                "method": request.method,
                "path": request.path,
                "query": {name: values[0] for name, values in request.query.items() if values},
                "operation": operation,
                "caller": self._rules.caller(request),
                "user_agent": request.headers.get("user-agent", ""),
                "status": None if response.cut else response.status,
                "fault": rule.kind if rule else None,
            }
        )
        return response

    def _control(self, request: Request) -> Response:
        name = request.path.removeprefix(PREFIX).strip("/")
        try:
            answer = self._controlled(name, request)
        except (Mistaken, ValueError, msgspec.MsgspecError) as error:
            return _json(400, {"error": f"{request.method} {request.path}: {error}"})
        if answer is None:
            return _json(404, {"error": f"{request.method} {request.path}: the control face has no such call"})
        return _json(200, answer)

    def _controlled(self, name: str, request: Request) -> Json:
        match request.method, name:
            case "GET", "state":
                return self._rules.state()
            case "POST", "act":
                return {"ok": True, "result": self._rules.act(_mapping(request.body))}
            case "GET", "settings":
                return self._rules.settings()
            case "POST", "settings":
                self._rules.change_settings(_mapping(request.body))
                return self._rules.settings()
            case "GET", "faults":
                return self.faults.listing()
            case "POST", "faults":
                body = msgspec.json.decode(request.body)
                for rule in msgspec.convert(body if isinstance(body, list) else [body], list[FaultRule]):
                    self.faults.add(rule)
                return self.faults.listing()
            case "DELETE", "faults":
                self.faults.clear()
                return []
            case "GET", "requests":
                return self._logged(request)
            case "DELETE", "requests":
                self._requests.clear()
                self._counts.clear()
                return {"counts": {}, "requests": []}
            case _:
                return None

    def _logged(self, request: Request) -> Json:
        limit = int(request.arg("limit", "1000"))
        operation = request.arg("operation")
        rows = [row for row in self._requests if not operation or row["operation"] == operation]
        return {"counts": dict(self._counts), "requests": rows[-limit:] if limit else []}


def _mapping(body: bytes) -> Mapping[str, Json]:
    decoded = msgspec.json.decode(body)
    if not isinstance(decoded, dict):
        raise Mistaken("the body must be a JSON object")
    return decoded


def _json(status: int, value: Json) -> Response:
    headers = {"content-type": "application/json; charset=utf-8"}
    return Response(status=status, body=msgspec.json.encode(value), headers=headers)
