"""One line as a call: fields by path, units, lists, empty values. The careful way, for every line that needs a look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import structs

from connectors.gateway import llm
from connectors.gateway.calls import Call, Poisoned
from connectors.gateway.presets import UNITS, Preset
from sync.model import Json

_EMPTY = ("", "-", None)
_LONGEST_TEXT = 512
_LONGEST_BODY = 8_192
_NO = frozenset({"", "false", "0", "no", "none", "null", "-"})
_BLOCKING_FLAGS = frozenset({"RL", "UAEX", "RLSE", "THROTTLED", "QUOTA_EXCEEDED", "WAF_FILTERED"})
EARLIEST_MS, LATEST_MS = 86_400_000, 32_503_680_000_000
"""The second day of 1970, and the year 3000: whatever is outside is no time in the unit that was named."""

_MONTHS = {
    name: at
    for at, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_CLF = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d\d)(\d\d)")
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,9})?")

_Path = tuple[str, tuple[str, ...]]


class Picker:
    """Reads one line of a preset. Raises Poisoned saying what is wrong, never quoting the line."""

    def __init__(self, preset: Preset) -> None:
        mapping = preset.mapping
        self._mapping = mapping
        self._paths: dict[str, tuple[_Path, ...]] = {
            name: tuple((path, tuple(path.split("."))) for path in paths) for name, paths in mapping.fields.items()
        }
        self._pattern = re.compile(mapping.pattern, re.DOTALL) if mapping.format == "regex" else None
        if self._pattern is not None:
            for group in self._pattern.groupindex:
                self._paths.setdefault(group, ((group, (group,)),))
        # Most fields have one name: the short way.
        self._flat = {
            name: paths[0][0] for name, paths in self._paths.items() if len(paths) == 1 and len(paths[0][1]) == 1
        }
        self._latency = UNITS[mapping.units.get("latency", "ms")]
        self._upstream = UNITS[mapping.units.get("upstream_latency", "ms")]

    def call(self, raw: bytes) -> Call:
        """The call in a line."""
        doc = self._document(raw)
        at_ms = self._time(doc)
        status = self._status(doc, "status", least=0)  # Envoy writes 0 when the client went away
        if status is None:
            raise Poisoned("no status")
        route, path = self._text(doc, "route"), self._text(doc, "path", 1024)
        if not (route or path):
            raise Poisoned("neither a route nor a path")
        if path[:1] not in ("/", "") and path.split(" ", 1)[0].isupper() and " " in path:
            path = path.split(" ")[1]  # nginx's `$request`: method, path, protocol
        upstream = self._status(doc, "upstream_status")
        flags = self._text(doc, "flags")
        call = Call(
            at_ms=at_ms,
            status=status,
            service=self._text(doc, "service"),
            route=route,
            path=path,
            method=self._text(doc, "method", 20).upper(),
            request_id=self._text(doc, "request_id", 200),
            trace_id=_trace(self._text(doc, "trace_id", 200)),
            node=self._text(doc, "node", 200),
            consumer=self._text(doc, "consumer", 200),
            latency_ms=self._duration(doc, "latency", self._latency),
            upstream_ms=self._duration(doc, "upstream_latency", self._upstream),
            upstream_status=upstream,
            attempted=self._attempted(doc, upstream),
            by_gateway=self._by_gateway(doc),
            blocked=self._blocked(doc, flags, upstream),
            handler=self._text(doc, "handler", 80),
            flags=flags,
            body=self._body(doc),
            error=self._text(doc, "error"),
            version=self._text(doc, "version", 80),
        )
        provider, ai_status = self._text(doc, "provider", 80), self._text(doc, "ai_status", 80)
        attempts = self._first(doc, "attempts")
        return self._with_llm(call, doc, provider, ai_status, attempts) if provider or ai_status or attempts else call

    def _with_llm(self, call: Call, doc: Mapping[str, Json], provider: str, ai_status: str, attempts: Json) -> Call:
        return structs.replace(
            call,
            provider=provider,
            model=self._text(doc, "model", 120),
            ai_status=ai_status,
            input_tokens=self._count(doc, "input_tokens"),
            output_tokens=self._count(doc, "output_tokens"),
            total_tokens=self._count(doc, "total_tokens"),
            cost=max(0.0, self._number(doc, "cost") or 0.0),
            attempts=llm.attempts_of(attempts),
        )

    def _document(self, raw: bytes) -> Mapping[str, Json]:
        if self._pattern is not None:
            found = self._pattern.fullmatch(raw.rstrip(b"\r\n").decode("utf-8", "replace"))
            if found is None:
                raise Poisoned("does not fit the pattern")
            return {name: value for name, value in found.groupdict().items() if value is not None}
        try:
            doc = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError) as bad:
            raise Poisoned(f"no JSON ({type(bad).__name__})") from None
        if not isinstance(doc, dict):
            raise Poisoned(f"a JSON {type(doc).__name__}, not an object")
        return doc

    def _first(self, doc: Mapping[str, Json], name: str) -> Json:
        flat = self._flat.get(name)
        if flat is not None:
            value = doc.get(flat)
            return None if _is_empty(value) else value
        for whole, parts in self._paths.get(name, ()):
            value = doc.get(whole)
            if value is None and len(parts) > 1:
                value = _walk(doc, parts)
            if not _is_empty(value):
                return value
        return None

    def _text(self, doc: Mapping[str, Json], name: str, most: int = _LONGEST_TEXT) -> str:
        flat = self._flat.get(name)
        value = doc.get(flat) if flat is not None else self._first(doc, name)
        if type(value) is str:  # nearly always, and this is asked a dozen times for each failed call
            return value[:most] if value != "-" else ""
        if value is None or value is True or value is False:
            return ""
        if isinstance(value, (int, float)):
            return str(value)
        if isinstance(value, list):
            return ",".join(str(one) for one in value[:20] if isinstance(one, (str, int)))[:most]
        return ""

    def _number(self, doc: Mapping[str, Json], name: str) -> float | None:
        return _as_number(self._first(doc, name))

    def _count(self, doc: Mapping[str, Json], name: str) -> int:
        return int(min(max(0.0, self._number(doc, name) or 0.0), 1e15))

    def _time(self, doc: Mapping[str, Json]) -> int:
        unit = self._mapping.time_unit
        for whole, parts in self._paths.get("time", ()):
            value = doc.get(whole)
            if value is None and len(parts) > 1:
                value = _walk(doc, parts)
            if value in _EMPTY:
                continue
            number = _as_number(value)
            if number is not None:
                ms = number * UNITS.get(unit if whole != "timestamp" else "s", 1_000.0)
            elif isinstance(value, str):
                ms = _moment(value)
            else:
                continue
            if not EARLIEST_MS <= ms < LATEST_MS:
                raise Poisoned("its time is out of range")
            return int(ms)
        raise Poisoned("no time")

    def _status(self, doc: Mapping[str, Json], name: str, least: int = 100) -> int | None:
        value = self._first(doc, name)
        if isinstance(value, str) and ("," in value or ":" in value):
            value = [one.strip() for one in re.split(r"[,:]", value[:400])]
        if isinstance(value, list):
            numbers = [number for one in value[-50:] if (number := _as_number(one)) is not None]
            value = (max(numbers) if self._mapping.lists == "max" else numbers[-1]) if numbers else None
        number = _as_number(value)
        return int(number) if number is not None and (100 <= number < 1000 or number == least) else None

    def _duration(self, doc: Mapping[str, Json], name: str, unit: float) -> float | None:
        value = self._first(doc, name)
        if isinstance(value, str) and ("," in value or ":" in value):
            value = [one.strip() for one in re.split(r"[,:]", value[:400])]
        if isinstance(value, list):
            numbers = [number for one in value[:50] if (number := _as_number(one)) is not None]
            value = sum(numbers) if numbers else None
        number = _as_number(value)
        # Kong writes -1 where nothing was proxied.
        return min(number * unit, 1e12) if number is not None and number >= 0 else None

    def _body(self, doc: Mapping[str, Json]) -> str:
        value = self._first(doc, "body")
        if isinstance(value, str):
            return value[:_LONGEST_BODY]
        if isinstance(value, (dict, list)):
            return msgspec.json.encode(value).decode()[:_LONGEST_BODY]
        return ""

    def _blocked(self, doc: Mapping[str, Json], flags: str, upstream: int | None) -> bool:
        if flags and not _BLOCKING_FLAGS.isdisjoint(flags.split(",")):
            return True
        for whole, _ in self._paths.get("blocked", ()):
            value = doc.get(whole)
            if value in _EMPTY or value is False or (isinstance(value, str) and value.lower() in _NO):
                continue
            # The name of a strategy says that one took part, and that it stopped the call only if nothing was proxied.
            if whole not in ("block_name", "strategy") or (upstream is None and "handler" not in doc):
                return True
        return False

    def _by_gateway(self, doc: Mapping[str, Json]) -> bool:
        value = self._first(doc, "by_gateway")
        return value is True or (
            isinstance(value, str) and value.lower() in ("kong", "exit", "error", "gateway", "true")
        )

    def _attempted(self, doc: Mapping[str, Json], upstream: int | None) -> bool | None:
        if upstream is not None:
            return True
        known = [doc.get(whole, _MISSING) for whole, _ in self._paths.get("attempted", ())]
        told = [one for one in known if one is not _MISSING]
        if any(one not in _EMPTY and one not in ([], 0) for one in told):
            return True
        # A field that is always written and empty here: nothing was tried. Traefik leaves its field out instead.
        return False if told or self._paths.get("attempted", (("", ()),))[0][0] == "OriginStatus" else None


_MISSING: Json = object()


def _is_empty(value: Json) -> bool:
    if type(value) is str:
        return value in ("", "-")
    return value is None or value in ([], {})


def _walk(doc: Json, parts: tuple[str, ...]) -> Json:
    for part in parts:
        if not isinstance(doc, dict):
            return None
        doc = next(iter(doc.values()), None) if part == "*" else doc.get(part)
    return doc


def _as_number(value: Json) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value) if -1e18 < value < 1e18 else None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    return None


def _trace(text: str) -> str:
    """The trace id alone, of a W3C `traceparent` or as it is."""
    parts = text.split("-")
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else text


def _moment(text: str) -> float:
    """Epoch milliseconds of an ISO 8601 time or of a common log's. A time without a zone is UTC. Raises Poisoned."""
    found = _CLF.fullmatch(text.strip())
    try:
        if found is not None:
            day, month, year, hour, minute, second, zone, zone_minutes = found.groups()
            at = datetime(int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
            offset = int(zone) * 3_600 + (-1 if zone[0] == "-" else 1) * int(zone_minutes) * 60
            return (at.timestamp() - offset) * 1_000.0
        moment = datetime.fromisoformat(text.strip()[:40])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000.0
    except (ValueError, KeyError, OverflowError):
        raise Poisoned("its time is not understood") from None
