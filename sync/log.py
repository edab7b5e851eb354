"""The log: one line an event, quiet in normal work, and free of secrets and people.

`Log.tell` is what the engine is given: each event has a level here and is counted; what happens once a record is
counted only. Redaction and escaping are done on the finished values, in one place, for our own events and for what
libraries log.

An event's facts are names, ids, counts and reasons. What could carry a secret or a person is replaced all the same:
registered secrets, credentials in headers and URLs, e-mail addresses; bytes are never shown, only their length.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TextIO
from urllib.parse import quote

import structlog
from structlog.typing import EventDict

from connectors.contract import Clock

SHOWN = "***"
VALUE_LIMIT = 2_000
TRACE_LIMIT = 8_000
"""Characters of one value, and of a traceback (its end is kept: there stands the cause)."""
SHORTEST_SECRET = 4
"""Characters. A shorter one would blank out ordinary words; settings refuse such secrets anyway."""


class Style(StrEnum):
    """How a line looks: `json` for machines, `text` (key=value) for a terminal."""

    JSON = "json"
    TEXT = "text"


LEVELS: Mapping[str, int] = {
    # Once a record, a call or a delivery: counted, shown only when asked for.
    "answered": logging.DEBUG,
    "superseded": logging.DEBUG,
    "conflict": logging.DEBUG,
    "write_conflict": logging.DEBUG,
    "item_put_off": logging.DEBUG,
    "rate_limited": logging.DEBUG,
    "webhook_not_stored": logging.DEBUG,
    "worker_waits_for_store": logging.DEBUG,
    # What a person who reads the log of a quiet day should find.
    "started": logging.INFO,
    "stopping": logging.INFO,
    "stopped": logging.INFO,
    "listening": logging.INFO,
    "connection_back": logging.INFO,
    "import_finished": logging.INFO,
    "cursor_expired": logging.INFO,
    "created": logging.INFO,
    "connection_released": logging.INFO,
    "forgotten": logging.INFO,
    "store_back": logging.INFO,
    "command": logging.INFO,
    "link_proposed": logging.INFO,
    "mappings_loaded": logging.INFO,
    "mappings_wait": logging.INFO,
    "plan_applied": logging.INFO,
    "annotated": logging.INFO,
    "annotations_back": logging.INFO,
    "write_in_doubt": logging.INFO,
    "create_in_doubt": logging.INFO,
    "feed_repeats": logging.INFO,
    "drift_over": logging.INFO,
    "system_changed": logging.INFO,
    "feed_back": logging.INFO,
    "feed_truncated": logging.INFO,
    "feed_cut": logging.INFO,
    # Somebody's attention, not at once.
    "mappings_refused": logging.WARNING,
    "plan_stopped": logging.WARNING,
    "annotations_failed": logging.WARNING,
    "field_held": logging.WARNING,
    "fight_named": logging.WARNING,
    "clock_jumped": logging.WARNING,
    "finding": logging.WARNING,
    "drift": logging.WARNING,
    "check_failed": logging.WARNING,
    "connection_down": logging.WARNING,
    "webhook_rejected": logging.WARNING,
    "webhook_not_understood": logging.WARNING,
    "web_overloaded": logging.WARNING,
    "feed_unreadable": logging.WARNING,
    "feed_gap": logging.WARNING,
    "feed_poisoned": logging.WARNING,
    "feed_restarted": logging.WARNING,
    "feed_refused": logging.WARNING,
    "feed_full": logging.WARNING,
    "drain_cut_short": logging.WARNING,
    "parked": logging.WARNING,
    "library": logging.WARNING,
    # A person must act, or it is our own defect.
    "connection_held": logging.ERROR,
    "store_unavailable": logging.ERROR,
    "worker_failed": logging.ERROR,
    "internal_error": logging.ERROR,
    "worker_ended": logging.CRITICAL,
    "lease_lost": logging.CRITICAL,
}
"""The level of each event; an event that is not named here is INFO."""

BURST = (10, 60.0)
"""Lines of one event (of one connection, worker or library) in so many seconds; the rest is counted only. A flood of
forged calls must not fill a disk, and a bulk edit is one happening, not ten thousand."""

_NOT_COUNTED = "other"
_EVENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")

# Headers and their like, as text, repr or JSON: the name, up to four signs between, an optional scheme, the value.
_CREDENTIAL = re.compile(
    r"""(?ix) (authorization|x-api-key|api[-_]?key|api[-_]?token|access[-_]?token|refresh[-_]?token|id[-_]?token
        |client[-_]?secret|\btoken|password|passwd|secret|set-cookie|cookie|x-zendesk-webhook-signature|x-hub-signature)
        (["']? \s* [:=,] \s* (?:b(?=["']))? ["']?) (?: (?:bearer|basic|jwt|digest) \s+ )? [^\s"',;&)}\]]+""",
)
_BEARER = re.compile(r"(?i)\b(bearer|basic|jwt)\s+[A-Za-z0-9+/_~.=-]{8,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@\"']{1,200}@")
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")

# Signs that move a terminal's cursor, end a line for some reader, turn the writing direction, or cannot be encoded.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN = re.compile(r"[\w./:+@%*-]+\Z")


class Redactor:
    """Replaces what must not be shown. Secrets are registered when they are loaded, before anything is logged."""

    def __init__(self) -> None:
        self._forms: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None

    def register(self, *secrets: str) -> None:
        """Never show these, nor their usual encodings (URL, JSON, repr, base64)."""
        forms = set(self._forms)
        for secret in secrets:
            for line in (secret, *secret.splitlines()):
                text = line.strip()
                if len(text) >= SHORTEST_SECRET:
                    forms |= {text, quote(text, safe=""), quote(text), json.dumps(text)[1:-1], ascii(text)[1:-1]}
                    forms.add(base64.b64encode(text.encode()).decode().rstrip("="))
        self._forms = frozenset(forms)
        # The longest first: one secret may hold another.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(_however_escaped, ordered))) if ordered else None

    def clean(self, text: str) -> str:
        """The text without secrets and e-mail addresses."""
        if self._known is not None:
            text = self._known.sub(SHOWN, text)
        text = _CREDENTIAL.sub(rf"\1\2{SHOWN}", text)
        text = _BEARER.sub(rf"\1 {SHOWN}", text)
        text = _JWT.sub(SHOWN, text)
        text = _USERINFO.sub(rf"\1{SHOWN}@", text)
        return _EMAIL.sub("<e-mail>", text) if "@" in text else text


def _however_escaped(form: str) -> str:
    """A pattern for a text whose quotes and slashes may be escaped any number of times (a repr of a JSON in a repr)."""
    return "".join(rf"\\*{re.escape(sign)}" if sign in "\"'/\\" else re.escape(sign) for sign in form)


def escape(text: str) -> str:
    r"""Make unseen signs visible, as `\u001b`: valid inside a JSON text, harmless on a terminal."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Log:
    """Writes events to one stream and counts them.

    count: is told (event, connection) for every event, shown or not. clock: stamps the lines.
    """

    def __init__(
        self,
        stream: TextIO,
        clock: Clock,
        redactor: Redactor,
        *,
        style: Style | None = None,
        level: int = logging.INFO,
        count: Callable[[str, str], None] = lambda event, connection: None,
    ) -> None:
        chosen = style or (Style.TEXT if stream.isatty() else Style.JSON)
        self._redactor = redactor
        self._clock = clock
        self._count = count
        self._level = level
        self._bursts = _Bursts()
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(_Unbroken(stream)),  # type: ignore[arg-type]
            processors=[self._stamp, self._facts, _render_json if chosen is Style.JSON else _render_text],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            cache_logger_on_first_use=True,
        )

    def tell(self, event: str, /, **facts: object) -> None:
        """Count the event and, where its level is shown, write one line. Never raises. `error`: an exception."""
        level = LEVELS.get(event, logging.INFO)
        self._count(event if _EVENT_NAME.match(event) else _NOT_COUNTED, str(facts.get("connection", "")))
        if level < self._level:
            return
        source = str(facts.get("connection") or facts.get("worker") or facts.get("library") or "")
        shown, unshown = self._bursts.admit(event, source, self._clock.monotonic())
        if not shown:
            return
        if unshown:
            facts["unshown"] = unshown
        self._logger.log(level, event, facts=facts)

    def take_over_libraries(self, level: int = logging.WARNING) -> None:
        """Send what libraries log through this log, so that it is redacted and counted too. Once a process."""
        root = logging.getLogger()
        for handler in root.handlers[:]:
            root.removeHandler(handler)
        root.addHandler(_FromLibraries(self))
        root.setLevel(level)
        logging.captureWarnings(True)

    def _stamp(self, _logger: object, level: str, event: EventDict) -> EventDict:
        at = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        head = {"at": at, "level": level, "event": event["event"]}
        return head | {f"{name}_" if name in head else name: fact for name, fact in event["facts"].items()}

    def _facts(self, _logger: object, _level: str, event: EventDict) -> EventDict:
        error = event.pop("error", None)
        clean = {name: self._value(fact) for name, fact in event.items()}
        if isinstance(error, BaseException):
            clean["error"] = self._value(f"{type(error).__name__}: {error}")
            trace = self._redactor.clean("".join(traceback.format_exception(error)))
            clean["trace"] = trace if len(trace) <= TRACE_LIMIT else f"... {trace[-TRACE_LIMIT:]}"
        elif error is not None:
            clean["error"] = self._value(error)
        return clean

    def _value(self, fact: object) -> object:
        if fact is None or isinstance(fact, bool | int | float):
            return fact
        if isinstance(fact, bytes | bytearray | memoryview):
            return f"<{len(fact)} bytes>"
        if isinstance(fact, datetime):
            return fact.isoformat()
        # Cut before it is cleaned, so that a huge value costs nothing; a little more is kept, lest a cut secret stay.
        text = str(fact)
        cleaned = self._redactor.clean(text[: 2 * VALUE_LIMIT])
        return cleaned if len(cleaned) <= VALUE_LIMIT else f"{cleaned[:VALUE_LIMIT]}... ({len(text)} characters)"


class _Bursts:
    """Who may show how many lines. Its keys come from code and configuration, so they are few."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def admit(self, event: str, source: str, now: float) -> tuple[bool, int]:
        """Whether to show this line, and how many were not shown before it."""
        most, seconds = BURST
        # Without a lock: two threads at once may show a line too many, and nothing else.
        began, lines = self._windows.get((event, source), (now, 0))
        unshown = 0
        if now - began >= seconds:
            began, lines, unshown = now, 0, max(0, lines - most)
        self._windows[event, source] = (began, lines + 1)
        return lines < most, unshown


class _Unbroken:
    """A stream whose failure is nobody's: a full disk or a closed terminal must not stop the work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


class _FromLibraries(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        self._log.tell("library", library=record.name, severity=record.levelname.lower(), says=text, error=error)


def _render_json(_logger: object, _level: str, event: EventDict) -> str:
    return escape(json.dumps(event, ensure_ascii=False, default=str, separators=(",", ":")))


def _render_text(_logger: object, _level: str, event: EventDict) -> str:
    at, level, name = event.pop("at"), event.pop("level"), event.pop("event")
    words: Iterable[str] = (f"{key}={_text(value)}" for key, value in event.items())
    return escape(" ".join([str(at), f"{level:<8}", str(name), *words]))


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if _PLAIN.match(text) else json.dumps(text, ensure_ascii=False)


def to_stderr(clock: Clock, redactor: Redactor, **options: Any) -> Log:
    """The daemon's log: lines on standard error, for a terminal or whoever collects them. Options as `Log`."""
    return Log(sys.stderr, clock, redactor, **options)
