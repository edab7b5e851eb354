"""Lines as gateways write them, for tests: Apinto's unless said otherwise. Only what a test names differs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.gateway.calls import Call
from connectors.gateway.fold import Fold
from connectors.gateway.lifecycle import Transition, judge
from connectors.gateway.presets import preset
from connectors.gateway.rules import FoldRules
from connectors.gateway.signature import Figures, Signature

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1_000)

UPSTREAM_FAILED: dict[str, Any] = {
    "status": 500,
    "proxy_status": "500",
    "response_body": '{"error":{"code":"E_SALDO"}}',
}


def apinto(number: int = 0, *, seconds: float = 0.0, **fields: Any) -> dict[str, Any]:
    """A good call, `seconds` after noon. number: makes its request id."""
    return {
        "request_id": f"00000000-0000-4000-8000-{number:012d}",
        "msec": NOON_MS + int(seconds * 1_000),
        "node": "node-1",
        "cluster": "apinto_ab",
        "provider": "shop",
        "service": "shop-upstream@service",
        "api": "orders",
        "api_kind": "rest",
        "application": "app-1",
        "request_method": "GET",
        "uri": "/v1/orders/4711",
        "status": 200,
        "proxy_status": "200",
        "request_time": 25,
        "response_time": 25_190_416,
        "handler": "proxy",
        "block_name": "",
        "response_body": "",
        "ai_provider": "",
        "ai_model": "",
        "ai_model_status": "",
        "ai_model_input_token": "",
        "ai_provider_statuses": "",
        "proxies": [{"proxy_status": "200", "proxy_time": 20, "proxy_addr": "10.0.0.3:8080"}],
        **fields,
    }


def failed(number: int = 0, *, seconds: float = 0.0, **fields: Any) -> dict[str, Any]:
    """A call that the upstream answered with 500."""
    return apinto(number, seconds=seconds, **{**UPSTREAM_FAILED, **fields})


def refused(number: int = 0, *, seconds: float = 0.0, **fields: Any) -> dict[str, Any]:
    """A call that never reached an upstream."""
    return apinto(number, seconds=seconds, **{"proxy_status": "", "proxies": [], **fields})


def block(*lines: dict[str, Any]) -> bytes:
    """Complete lines."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def fold_of(*lines: dict[str, Any], rules: FoldRules | None = None, which: str = "apinto") -> Fold:
    """A fold that has taken these lines."""
    fold = Fold(rules or FoldRules(), preset(which))
    fold.take(block(*lines))
    return fold


def only(fold: Fold) -> tuple[Signature, Figures]:
    """The one signature of a fold."""
    [found] = fold.signatures().values()
    return found, fold.figures(found.id)


def judged(fold: Fold, rules: FoldRules | None = None) -> Transition | None:
    """What the rules make of the one signature of a fold that has no state yet."""
    signature, figures = only(fold)
    return judge(None, signature, figures, rules or FoldRules(), NOON + timedelta(minutes=1))


def call(**fields: Any) -> Call:
    """A call to classify: a good one but for what is named."""
    given: dict[str, Any] = {"at_ms": NOON_MS, "status": 200, "service": "shop", "route": "orders", **fields}
    return Call(**given)
