"""Where the gateway's access log goes: posted line by line to a receiver, or appended to a file that is rotated.

An `http_output` makes one POST for each entry, with five senders and a queue of 25; whatever is not answered 200 is
dropped and never sent again; a full queue holds up the gateway's own requests [V].
"""

from __future__ import annotations

from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct, field

from connectors.gateway.sandbox import entries
from connectors.sandbox.wire import OutgoingHook

if TYPE_CHECKING:
    from connectors.gateway.sandbox.model import Gateway, Passed

Json: TypeAlias = Any

HELD_MOST: Final = 100_000
"""Entries of requests that are held up by a full queue; beyond it they are lost with their callers."""


class Queue(Struct, kw_only=True):
    """What waits for one receiver. held: entries of requests that a full queue holds up."""

    waiting: deque[bytes] = field(default_factory=deque)
    held: deque[bytes] = field(default_factory=deque)
    sending: int = 0
    told: Counter[str] = field(default_factory=Counter)


class Emitter:
    """Hands every call that passes to every output that wants the access log.

    told: by output, how many entries were `posted`, `accepted`, `dropped`, `held`, `written`.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._queues: dict[str, Queue] = {}
        self._late: list[tuple[float, str, bytes]] = []
        self._periods: dict[str, str] = {}
        self.sent = 0

    @property
    def told(self) -> dict[str, dict[str, int]]:
        """The counts, by output."""
        return {name: dict(queue.told) for name, queue in self._queues.items()}

    @property
    def waiting(self) -> int:
        """Entries that are not sent or not answered yet."""
        return sum(len(one.waiting) + len(one.held) + one.sending for one in self._queues.values()) + len(self._late)

    def emit(self, call: Passed) -> None:
        """Write one call to every output."""
        for name, config in self._outputs().items():
            posts = config["driver"] in {"http_output", "http-log"}
            line = self._line(config, call)
            self._put(name, line, config)
            if posts and not self._gateway.settings.http_repeats:
                continue
            settings, rng = self._gateway.settings, self._gateway.rng
            if settings.duplicates and rng.random() < settings.duplicates:
                self._put(name, line, config)
            if settings.late and rng.random() < settings.late:
                later = self._gateway.now() + rng.random() * settings.scaled(settings.late_within)
                self._late.append((later, name, line))

    def advance(self) -> None:
        """Send what comes late and is due."""
        now, outputs = self._gateway.now(), self._outputs()
        due = [one for one in self._late if one[0] <= now]
        self._late = [one for one in self._late if one[0] > now]
        for _at, name, line in due:
            if name in outputs:
                self._put(name, line, outputs[name])

    def repeat(self, call: Passed) -> None:
        """Write one entry again, as a replayed partition does."""
        for name, config in self._outputs().items():
            self._put(name, self._line(config, call), config)

    def raw(self, line: bytes) -> None:
        """Write bytes that are no entry: a poisoned line."""
        for name, config in self._outputs().items():
            self._put(name, line, config)

    def due(self, now: float) -> list[OutgoingHook]:
        """The POSTs to make now."""
        settings, made = self._gateway.settings, []
        for name, config in self._outputs().items():
            if config["driver"] not in {"http_output", "http-log"}:
                continue
            queue = self._queue(name)
            while queue.waiting and queue.sending < settings.senders:
                made.append(self._post(name, config, queue, queue.waiting.popleft(), now))
                if queue.held:
                    queue.waiting.append(queue.held.popleft())
        return made

    def answered(self, hook: OutgoingHook, status: int | None) -> None:
        """Hear how a POST ended: anything but a 200 drops the entry [V]; Kong takes every answer below 300 [V KO]."""
        queue = self._queue(hook.label)
        queue.sending = max(0, queue.sending - 1)
        config = self._outputs().get(hook.label, {})
        good = status == 200 or (config.get("driver") == "http-log" and status is not None and 200 <= status < 300)
        queue.told["accepted" if good else "dropped"] += 1

    def rotate(self, name: str, how: str) -> str:
        """Rotate an output's file at once, by `rename` or `copytruncate`: the path of the older part, "" if none."""
        config = self._outputs()[name]
        path = self._path(config)
        if not path.exists():
            return ""
        number = 1
        while (older := path.with_name(f"{path.name}.{number}")).exists():
            number += 1
        if how == "copytruncate":
            older.write_bytes(path.read_bytes())
            with path.open("r+b") as file:
                file.truncate(0)
        else:
            path.rename(older)
        return str(older)

    # --- outputs -------------------------------------------------------------------------------------------------

    def _outputs(self) -> dict[str, dict[str, Json]]:
        """Every worker that takes the access log, Apinto's and Kong's, by name."""
        found = {
            name: config
            for name, config in self._gateway.workers.get("output", {}).items()
            if "access_log" in config.get("scopes", ()) and config.get("driver") in {"http_output", "file"}
        }
        for name, plugin in self._gateway.workers.get("kong-plugins", {}).items():
            config, kind = plugin.get("config", {}), plugin.get("name")
            if kind == "http-log":
                headers = config.get("headers") or {}
                found[f"kong-{name}"] = {"driver": kind, "url": config.get("http_endpoint"), "headers": headers}
            elif kind == "file-log":
                path = Path(str(config.get("path", "")))
                found[f"kong-{name}"] = {"driver": kind, "dir": str(path.parent), "file": path.name}
        return found

    def _line(self, config: dict[str, Json], call: Passed) -> bytes:
        if config["driver"] in {"http-log", "file-log"}:
            return entries.kong(self._gateway, call)
        formatter = config.get("formatter") or entries.APIPARK_FORMATTER
        return entries.apinto(self._gateway, call, formatter, str(config.get("type", "json")))

    def _queue(self, name: str) -> Queue:
        return self._queues.setdefault(name, Queue())

    def _put(self, name: str, line: bytes, config: dict[str, Json]) -> None:
        queue, settings = self._queue(name), self._gateway.settings
        if config["driver"] in {"file", "file-log"}:
            self._write(config, line)
            queue.told["written"] += 1
        elif len(queue.waiting) < settings.queue_depth:
            queue.waiting.append(line)
        elif settings.queue_blocks and len(queue.held) < HELD_MOST:
            queue.held.append(line)
            queue.told["held"] += 1
        else:
            queue.told["dropped"] += 1

    def _post(self, name: str, config: dict[str, Json], queue: Queue, line: bytes, now: float) -> OutgoingHook:
        queue.sending += 1
        queue.told["posted"] += 1
        self.sent += 1
        headers = {str(key).lower(): str(value) for key, value in (config.get("headers") or {}).items()}
        return OutgoingHook(
            url=str(config["url"]),
            method=str(config.get("method") or "POST").upper(),
            headers={**headers, "content-type": "application/json"},  # forced, even for lines [V]
            body=line,
            not_before=now,
            label=name,
            timeout=self._gateway.settings.scaled(self._gateway.settings.output_timeout),
        )

    def _path(self, config: dict[str, Json]) -> Path:
        file = str(config.get("file") or "access")
        return Path(str(config["dir"])) / (file if config["driver"] == "file-log" else f"{file}.log")

    def _write(self, config: dict[str, Json], line: bytes) -> None:
        path = self._path(config)
        path.parent.mkdir(parents=True, exist_ok=True)
        if config["driver"] == "file":
            form = "%Y%m%d" if config.get("period") == "day" else "%Y%m%d%H"
            period = datetime.fromtimestamp(self._gateway.now(), UTC).strftime(form)
            before = self._periods.setdefault(str(path), period)
            if before != period:  # the file of a period that is over gets its period's name [V]
                if path.exists():
                    path.rename(path.with_name(f"{path.stem}-{before}.log"))
                self._periods[str(path)] = period
        with path.open("ab") as file:
            file.write(line + b"\n")
