"""Lines as values, quickly: of each line only the fields that tell a good call from one that needs a look.

A typed decoder reads a whole block and leaves out everything else of a line. Where a line does not fit the types, or a
gateway's lines are no JSON, `picking` reads them one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, defstruct, field

from connectors.gateway.presets import UNITS, GenericMapping
from sync.model import Json


class Hot(Struct, gc=False):
    """The fields of one line that every call needs. at: epoch milliseconds. latency: in the source's unit, -1: none.

    Anything in suspect, hint and ai_status, and any handler but a quiet one, asks for a look at the whole line.
    """

    at: Any
    status: int
    request_id: str = ""
    service: str = ""
    route: str = ""
    method: str = ""
    path: str = ""
    latency: float = -1
    handler: str = ""
    ai_status: str = ""
    suspect: Any = None
    hint: Any = None


_FROM = {
    "at": "time",
    "status": "status",
    "request_id": "request_id",
    "service": "service",
    "route": "route",
    "method": "method",
    "path": "path",
    "latency": "latency",
    "handler": "handler",
    "ai_status": "ai_status",
    "suspect": "blocked",
    "hint": "flags",
}

ReadBlock = Callable[[bytes], list[Hot]]
"""Reads a block. Raises ValueError (which decoders' errors are) when one line does not fit."""


def block_reader(mapping: GenericMapping) -> ReadBlock | None:
    """The quick reader of these lines; None where there is none and every line is to be picked."""
    if mapping.format != "json" or mapping.time_unit == "clf":
        return None
    if mapping.fields.get("time", ("",))[0] == "started_at" and "latencies.request" in mapping.fields.get(
        "latency", ()
    ):
        return _kong()
    first = {ours: mapping.fields[theirs][0] for ours, theirs in _FROM.items() if mapping.fields.get(theirs)}
    for name in ("suspect", "hint"):  # what they would tell of a success is not worth reading every line with care
        if "." in first.get(name, ""):
            del first[name]
    if any("." in name or "*" in name for name in first.values()):
        return None
    if mapping.routed:
        first.pop("path", None)  # not needed, and the longest text of the line
    unit = mapping.time_unit
    whole = mapping.units.get("latency", "ms") != "s"
    types: dict[str, type] = {
        "at": datetime if unit == "iso" else float if unit == "s" else int,
        "status": int,
        "latency": int if whole else float,
    }
    columns: list[Any] = []
    for name, theirs in first.items():
        kind: Any = types.get(name, Any if name in ("suspect", "hint") else str)
        if name in ("at", "status"):
            columns.append((name, kind, field(name=theirs)))
        else:
            columns.append((name, kind, field(name=theirs, default=getattr(Hot(0, 0), name))))
    columns.sort(key=lambda column: column[0] not in ("at", "status"))
    absent = {name: getattr(Hot(0, 0), name) for name in Hot.__struct_fields__ if name not in first}
    decoder: Any = msgspec.json.Decoder(defstruct("HotLine", columns, namespace=absent, gc=False), strict=False)
    if unit == "ms":
        return decoder.decode_lines  # type: ignore[no-any-return]
    if unit == "iso":
        return lambda block: _from_iso(decoder.decode_lines(block))
    scale = UNITS[unit]
    return lambda block: _from_numbers(decoder.decode_lines(block), scale)


def _from_iso(lines: list[Hot]) -> list[Hot]:
    for line in lines:
        moment: datetime = line.at
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        line.at = int(moment.timestamp() * 1_000.0)
    return lines


def _from_numbers(lines: list[Hot], scale: float) -> list[Hot]:
    for line in lines:
        line.at = int(line.at * scale)
    return lines


class _KongEntity(Struct, gc=False):
    id: str = ""


class _KongRequest(Struct, gc=False):
    id: str = ""
    method: str = ""


class _KongResponse(Struct, gc=False):
    status: int


class _KongLatencies(Struct, gc=False):
    request: int = -1


class _KongLine(Struct, gc=False):
    started_at: int
    request: _KongRequest
    response: _KongResponse
    latencies: _KongLatencies
    service: _KongEntity | None = None
    route: _KongEntity | None = None


_NONE = _KongEntity()


def _kong() -> ReadBlock:
    decoder = msgspec.json.Decoder(_KongLine)

    def read(block: bytes) -> list[Hot]:
        return [
            Hot(
                line.started_at,
                line.response.status,
                line.request.id,
                (line.service or _NONE).id,
                (line.route or _NONE).id,
                line.request.method,
                "",
                line.latencies.request,
            )
            for line in decoder.decode_lines(block)
        ]

    return read


_objects = msgspec.json.Decoder(msgspec.Raw)


class Cut:
    """The bytes of the n-th line of a block, asked for in rising order. rows: how many lines the block was read as."""

    def __init__(self, block: bytes, rows: int) -> None:
        self._block = block
        self._expected = rows
        self._at = self._place = 0
        self._rows: list[bytes] | None = None

    def __getitem__(self, number: int) -> bytes:
        if self._rows is not None:
            return self._rows[number]
        block, place = self._block, self._place
        for _ in range(number - self._at):
            place = block.find(b"\n", place) + 1
        self._at, self._place = number, place
        end = block.find(b"\n", place)
        return block[place:] if end < 0 else block[place:end]

    def carefully(self) -> bool:
        """Leave blank lines out from now on: the line was another than was expected. False: that is no help.

        A reader takes `{…}{…}` in one line for two: such a line stands for each of them, and is no JSON.
        """
        if self._rows is not None:
            return False
        rows = [row for row in self._block.split(b"\n") if row.strip()]
        if len(rows) < self._expected:
            try:
                rows = [row for row in rows for _ in _objects.decode_lines(row)]
            except (ValueError, RecursionError):
                return False  # an object over several lines besides
        if len(rows) == self._expected:
            self._rows = rows
        return self._rows is not None


def as_lines(body: bytes) -> bytes:
    """What a gateway posted, as lines: of an object or an array of objects one line each; other bytes as they are.

    Line ends within an object are only ever between its parts, so they may become spaces.
    """
    start = body.lstrip()[:1]
    rows: list[Json] = []
    try:
        if start == b"[":
            rows = msgspec.json.decode(body, type=list[msgspec.Raw])
        elif start == b"{":
            rows = [msgspec.json.decode(body, type=msgspec.Raw)]
        else:
            return body
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return body
    return b"\n".join(bytes(row).replace(b"\r", b" ").replace(b"\n", b" ") for row in rows)
