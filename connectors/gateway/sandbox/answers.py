"""The plain forms of an answer on each face: APIPark's envelope, Apinto's bare texts, Kong's objects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from connectors.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = Any
JSON_TYPE: Final = "application/json; charset=utf-8"


class Refused(Exception):
    """A request that is refused, with the answer that tells it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def plain_json(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer without an envelope."""
    return Response(
        status=status, body=msgspec.json.encode(value), headers={"content-type": JSON_TYPE, **(headers or {})}
    )


def well(**outputs: Json) -> Response:
    """APIPark's envelope of a success [V GC]."""
    return plain_json({"code": 0, "success": "success", "data": outputs})


def failed(words: str, code: int = -1, status: int = 200) -> Refused:
    """APIPark's envelope of a failure: a 200 all the same, unless the status is about who asks [V GC, AC]."""
    if status in {401, 403} and code == status:
        return Refused(plain_json({"code": code, "msg": words}, status))
    return Refused(plain_json({"code": code, "success": "fail", "msg": words}, status))


def text(words: str, status: int) -> Refused:
    """Apinto's errors: a plain text with the content type of JSON [V]."""
    return Refused(Response(status=status, body=words.encode(), headers={"content-type": "application/json"}))


def kong_error(status: int, words: str, name: str = "") -> Refused:
    """Kong's errors [G]."""
    return Refused(plain_json({"message": words, **({"name": name} if name else {})}, status))


def body(request: Request) -> dict[str, Json] | None:
    """The request's JSON object; {} for none at all, None for something else."""
    try:
        decoded = msgspec.json.decode(request.body or b"{}")
    except msgspec.DecodeError:
        return None
    return decoded if isinstance(decoded, dict) else None


def local(at: float, zone_hours: float) -> str:
    """A time as APIPark writes it: local, and without saying where [V]."""
    zone = timezone(timedelta(hours=zone_hours))
    return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def took(millis: int) -> str:
    """A duration as APIPark's log table writes it; its unit is wrong from a thousand seconds up [V]."""
    if millis < 1000:
        return f"{millis}ms"
    return f"{millis / 1000:.1f}s" if millis < 1_000_000 else f"{millis / 1_000_000:.1f}s"


def traffic(size: int) -> str:
    """A size as APIPark's log table writes it [V form, G rounding]."""
    return f"{size}B" if size < 1024 else f"{size / 1024:.1f}KB"
