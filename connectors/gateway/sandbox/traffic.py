"""Calls that people and programs make through the gateway: at a rate, with a share of them going wrong.

Pure given time and chance. What goes wrong is named by what it does to the caller; the shapes are Apinto's.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct, field

from connectors.gateway.sandbox.model import SYSTEM_CONSUMER, Attempt, Gateway, Passed, Proxied, Router

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = Any

UPSTREAM: Final = "10.0.1.7:8080"
NODE: Final = "apinto-1"
CLUSTER: Final = "default"

KINDS: Final = (
    "ok",
    "error",
    "client",
    "timeout",
    "unreachable",
    "unauthorised",
    "unsubscribed",
    "limited",
    "fuse",
    "slow",
    "llm",
    "llm_fallback",
    "prompt",
)
"""What becomes of a call. `llm`: every provider failed; `llm_fallback`: the second one answered; `prompt`: the model
refuses what it is asked."""

FALLBACK: Final = ("anthropic", "claude-3-5-haiku")
LLM_STATUSES: Final = frozenset(
    {"normal", "invalid request", "quota exhausted", "expired", "exceeded", "invalid", "timeout"}
)


class Trouble(Struct, frozen=True, kw_only=True):
    """What goes wrong on a route, and how often. code, message: of the body. status: of the answer or attempt."""

    kind: str
    share: float = 1.0
    status: str = ""
    code: str = ""
    message: str = ""


class Stream(Struct, kw_only=True):
    """The traffic of one route: calls a second, and what is wrong at present. version: of the service behind it."""

    router: str
    rate: float = 0.0
    troubles: list[Trouble] = field(default_factory=list)
    version: str = ""
    owed: float = 0.0


class Traffic:
    """The streams, and the calls they have made since they were last looked at."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.streams: dict[str, Stream] = {}
        self._looked = gateway.now()

    def stream(self, router: str) -> Stream:
        """The stream of a route, silent until told otherwise."""
        return self.streams.setdefault(router, Stream(router=router))

    def flow(self) -> list[Passed]:
        """The calls made since the last look, in the order of their time."""
        gateway = self._gateway
        now, since = gateway.now(), self._looked
        self._looked = now
        made: list[Passed] = []
        for stream in self.streams.values():
            stream.owed += max(0.0, now - since) * stream.rate
            count = min(int(stream.owed), gateway.settings.most_at_once)
            stream.owed -= int(stream.owed)
            for place in range(count):
                at = since + (now - since) * (place + 1) / count
                made.append(self.call(stream, self._trouble(stream), at=at))
        made.sort(key=lambda one: one.at)
        return made

    def _trouble(self, stream: Stream) -> Trouble:
        drawn = self._gateway.rng.random()
        for trouble in stream.troubles:
            if drawn < trouble.share:
                return trouble
            drawn -= trouble.share
        return Trouble(kind="ok")

    def call(self, stream: Stream, trouble: Trouble, *, at: float, told: Mapping[str, Json] | None = None) -> Passed:
        """One call through a route. told: fields of `Passed` that are given."""
        rng = self._gateway.rng
        router = self._gateway.routers[stream.router]
        millis = max(1, int(router.latency * (0.5 - log(max(rng.random(), 1e-6)) / 2)))
        consumers = [one for one in self._gateway.consumers if one != SYSTEM_CONSUMER]
        consumer = consumers[int(rng.random() * len(consumers))]
        number = int(rng.random() * 250) + 1
        path = router.path if router.methods != ["GET"] else f"{router.path}/{int(rng.random() * 100_000)}"
        base: dict[str, Json] = {
            "id": _uuid(rng.token()),
            "at": at,
            "service": router.service,
            "router": router.id,
            "upstream": f"{router.service}-upstream",
            "kind": "ai" if router.model else "rest",
            "method": router.methods[0],
            "path": path,
            "url": f"{path}?trace={number}",
            "millis": millis,
            "consumer": consumer,
            "ip": f"203.0.113.{number}",
            "node": NODE,
            "headers": {"authorization": f"Bearer {rng.token()}", "content-type": "application/json"},
            "request_body": '{"card":"4111 1111 1111 1111","email":"someone@example.com"}',
            "version": stream.version,
        }
        base |= _outcome(router, trouble, millis)
        base |= dict(told or {})
        proxies = base["proxies"]
        base.setdefault("response_nanos", proxies[-1].millis * 1_000_000 + number if proxies else 0)
        return Passed(**base)


def _outcome(router: Router, trouble: Trouble, millis: int) -> dict[str, Json]:
    """How a call ends: the answer, and what was tried for it [V statuses and handlers; bodies of upstreams G]."""
    kind = trouble.kind
    if kind in {"timeout", "slow"}:
        millis = 30_000 if kind == "timeout" else millis * 40
    if kind == "timeout":
        told = trouble.message or "timeout"
        return {"status": 504, "millis": millis, "proxies": (_tried(504, millis),), "answer": told, **_TEXT}
    if kind == "unreachable":
        return {"status": 501, "proxies": (), "answer": trouble.message or "no available node", **_TEXT}
    if kind == "unauthorised":
        told = trouble.message or "invalid credentials"
        return {"status": 401, "proxies": (), "answer": told, "auth": "fail", "consumer": "", **_TEXT}
    if kind == "unsubscribed":
        return {"status": 403, "proxies": (), "answer": "Forbidden", **_TEXT}
    if kind in {"limited", "fuse"}:
        handler, status = ("limiting", 429) if kind == "limited" else ("fuse", 503)
        return {
            "status": int(trouble.status or status),
            "proxies": (),
            "answer": trouble.message or f"stopped by the strategy {trouble.code or handler}",
            "handler": handler,
            "block": trouble.code or f"{handler}-default",
            "is_blocked": True,
            **_TEXT,
        }
    if router.model:
        return _llm(router, trouble, millis)
    if kind in {"error", "client"}:
        status = int(trouble.status or (500 if kind == "error" else 409))
        code = trouble.code or ("internal_error" if kind == "error" else "conflict")
        error = {"error": {"code": code, "message": trouble.message or f"{router.name} failed"}}
        return {"status": status, "proxies": (_tried(status, millis),), "answer": _json(error)}
    return {"status": 200, "millis": millis, "proxies": (_tried(200, millis),), "answer": '{"ok":true}'}


def _llm(router: Router, trouble: Trouble, millis: int) -> dict[str, Json]:
    """An LLM call: keys in order, then other providers; all failed: 400 with a plain reason, or 504 on time-out [V]."""
    first = Attempt(provider=router.provider, model=router.model, key=f"{router.provider}-key-1", status="normal")
    second = Attempt(provider=FALLBACK[0], model=FALLBACK[1], key=f"{FALLBACK[0]}-key-1", status="normal")
    reason = trouble.status or "quota exhausted"
    if trouble.kind == "llm":
        failed = (
            msgspec.structs.replace(first, status=reason),
            msgspec.structs.replace(second, status=reason),
        )
        status = 504 if reason == "timeout" else 400
        tried = tuple(_tried(504 if reason == "timeout" else 429, millis) for _each in failed)
        told = trouble.message or f"ai provider error: {reason}"
        return {"status": status, "proxies": tried, "answer": told, "attempts": failed, **_TEXT}
    if trouble.kind == "llm_fallback":
        attempts = (msgspec.structs.replace(first, status=reason), second)
        tried = (_tried(429, millis // 2), _tried(200, millis))
        return {"status": 200, "proxies": tried, "answer": _COMPLETION, "attempts": attempts, **_TOKENS}
    if trouble.kind == "prompt":
        refused = (msgspec.structs.replace(first, status="invalid request"),)
        code = trouble.code or "context_length_exceeded"
        error = {"error": {"code": code, "message": trouble.message or "the prompt is too long"}}
        return {"status": 400, "proxies": (_tried(400, millis),), "answer": _json(error), "attempts": refused}
    if trouble.kind == "error":
        status = int(trouble.status) if trouble.status.isdecimal() else 500
        return {"status": status, "proxies": (_tried(status, millis),), "answer": _json({"error": "model"})}
    return {
        "status": 200,
        "millis": millis,
        "proxies": (_tried(200, millis),),
        "answer": _COMPLETION,
        "attempts": (first,),
        **_TOKENS,
    }


def _tried(status: int, millis: int) -> Proxied:
    return Proxied(status=status, millis=millis, address=UPSTREAM)


def _json(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def _uuid(token: str) -> str:
    text = token.ljust(32, "0")[:32]
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_TEXT: Final = {"content_type": "text/plain"}
_TOKENS: Final = {"input_tokens": 120, "output_tokens": 240, "cost": 0.0018}
_COMPLETION: Final = '{"choices":[{"message":{"role":"assistant","content":"Hello"}}]}'
