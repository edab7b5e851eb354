"""The folding process of the gateway benchmark, on a core of its own: the real tail, fold, rules and store.

`fold DATABASE LOG CORE LINES`: fold until so many are stored; tells `at N` after each turn, at the end the figures.
`floor LOG CORE`: what any reader of these lines must do at the least: a typed decode of every line, and a count.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import msgspec
from sqlalchemy import select

from connectors.contract import Home, Ports
from connectors.gateway.feed import GatewayFeed
from connectors.gateway.settings import GatewaySettings
from sync.ports import RealClock, RealRng
from sync.store.migrate import open_store
from sync.store.tables import connections

BLOCK = 1 << 20


def fold(database: Path, log: Path, lines: int) -> dict[str, float]:
    """Fold so many lines. What it took, from the first block to the commit of the last."""
    clock = RealClock()
    store = open_store(database, clock=clock)
    with store.read() as conn:
        known = conn.execute(select(connections.c.id)).scalar()
    if known is None:
        row = {"name": "gateway", "system": "gateway", "role": "signal", "created_at": datetime.now(UTC)}
        store.step(lambda conn: conn.execute(connections.insert().values(row)))
    settings = GatewaySettings.model_validate(
        {"console_url": "http://127.0.0.1:8288", "log_files": [log], "rotation_seconds": 0.0}
    )
    home = Home(connection_id=1, store=store, folder=database.parent)
    feed = GatewayFeed(settings, Ports(clock=clock, rng=RealRng(), meter=lambda reading: None, home=home))
    began, used = perf_counter(), process_time()
    while True:
        feed.turn()
        at = int(feed.figures()["lines"])
        print(f"at {at}", flush=True)
        if at >= lines:
            break
    seconds, used = perf_counter() - began, process_time() - used
    found = feed.figures()
    feed.close()
    store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "used": used, "peak": peak, **found}


class _Proxy(msgspec.Struct, gc=False):
    proxy_status: str
    proxy_time: int
    proxy_addr: str


class _Line(msgspec.Struct, gc=False):
    request_id: str
    msec: int
    node: str
    cluster: str
    provider: str
    service: str
    api: str
    api_kind: str
    application: str
    authorization: str
    request_method: str
    uri: str
    host: str
    status: int
    proxy_status: str
    request_time: int
    response_time: int
    src_ip: str
    handler: str
    block_name: str
    auth_status: str
    response_body: str
    content_type: str
    ai_provider: str
    ai_model: str
    ai_model_status: str
    ai_model_input_token: int | str
    ai_provider_statuses: list[Any] | str
    proxies: list[_Proxy]
    agent: str


class _Lean(msgspec.Struct, gc=False):
    msec: int
    api: str
    status: int
    request_time: int


def floor(log: Path) -> dict[str, float]:
    """Lines a second for a bare typed decode and count: of whole lines one by one, and of four fields in blocks."""
    whole = msgspec.json.Decoder(_Line).decode
    lean: Any = msgspec.json.Decoder(_Lean).decode_lines
    seen: Counter[tuple[str, int]] = Counter()
    began, used = perf_counter(), process_time()
    with log.open("rb") as file:
        for raw in file:
            line = whole(raw)
            seen[line.api, line.status] += 1
    seconds, used = perf_counter() - began, process_time() - used
    again: Counter[tuple[str, int]] = Counter()
    began_lean, rest = perf_counter(), b""
    with log.open("rb") as file:
        while block := file.read(BLOCK):
            end = block.rfind(b"\n") + 1
            again.update([(one.api, one.status) for one in lean(rest + block[:end])])
            rest = block[end:]
    lean_seconds = perf_counter() - began_lean
    lines = sum(seen.values())
    if again != seen:
        raise SystemExit("the two ways of counting differ")
    return {"lines": lines, "rate": lines / seconds, "used": used / lines, "lean": lines / lean_seconds}


def main() -> None:
    """Do what was asked for, on the core that was named."""
    what, *rest = sys.argv[1:]
    if what == "fold":
        database, log, core, lines = rest
        os.sched_setaffinity(0, {int(core)})
        print(json.dumps(fold(Path(database), Path(log), int(lines))), flush=True)
    else:
        log, core = rest
        os.sched_setaffinity(0, {int(core)})
        print(json.dumps(floor(Path(log))), flush=True)


if __name__ == "__main__":
    main()
