"""Lines of an access log, as Apinto writes them with the formatter that the README gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def call(at: datetime, number: int, status: int = 200, **given: Any) -> dict[str, Any]:
    """One call as Apinto logs it, with our formatter."""
    return {
        "request_id": f"req-{number:08d}",
        "msec": int(at.timestamp() * 1000),
        "node": "node-1",
        "provider": "shop",
        "service": "shop-upstream",
        "api": "checkout",
        "application": f"app-{number % 7}",
        "request_method": "POST",
        "uri": "/checkout",
        "status": status,
        "proxy_status": status,
        "request_time": 40 + number % 30,
        "response_time": 25_190_416,
        "response_body": '{"error": {"code": "db_timeout", "message": "no answer from db-7"}}' if status >= 500 else "",
        "proxies": [{"proxy_status": status, "proxy_time": 25, "proxy_addr": "10.0.0.7:8080"}],
        **given,
    }
