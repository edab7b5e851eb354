"""Access-log lines of a busy Apinto, made on the fly: 934 bytes on average, 200 routes, one call in a hundred fails.

The failing ones fall into exactly 10,000 signatures once each kind has come up. What was written is known exactly.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

ROUTES, KINDS, SERVICES, CONSUMERS = 200, 50, 40, 3_000
SIGNATURES = ROUTES * KINDS
FAILING = 100
"""One call in so many fails."""
BYTES = 934
PER_SECOND = 5_000
"""Calls in a second of the lines' own time."""
_TEMPLATES = 20_000


class Lines:
    """Makes lines, in order of time, each with a request id of its own. failed: how many of them were failures."""

    def __init__(self, begin_ms: int, seed: int = 7) -> None:
        self._rng = Random(seed)
        self._begin = begin_ms
        self._good = [self._template(number, failing=False) for number in range(_TEMPLATES)]
        self._bad = [self._template(number, failing=True) for number in range(SIGNATURES)]
        self.made = self.failed = 0

    def _template(self, number: int, *, failing: bool) -> bytes:
        rng = self._rng
        route = number // KINDS if failing else rng.randrange(ROUTES)
        status = 500 if failing else rng.choice((200, 200, 200, 201, 204, 304))
        path = f"/v1/things-{route}/{rng.randrange(10**9)}"
        line = {
            "request_id": "@@ID@@",
            "msec": "@@AT@@",
            "node": f"node-{rng.randrange(3)}",
            "cluster": "apinto_7f3a",
            "provider": f"0c7f6b2e-{route % SERVICES:04d}-4c8d-9b1e-5f2a7d3c9e10",
            "service": f"upstream_{route % SERVICES}@service",
            "api": f"5d1e8a90-{route:04d}-4f6b-8c2d-1a9e7b3f5c60",
            "api_kind": "rest",
            "application": f"a{rng.randrange(CONSUMERS):04d}b2e-77c1-4d5e-8f90-2b3c4d5e6f70",
            "authorization": f"key-{rng.randrange(CONSUMERS)}",
            "request_method": "GET" if route % 3 else "POST",
            "uri": path,
            "host": "api.shop.example",
            "status": status,
            "proxy_status": str(status),
            "request_time": min(30_000, int(rng.lognormvariate(3.6, 0.9))),
            "response_time": 25_190_416,
            "src_ip": f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}",
            "handler": "proxy",
            "block_name": "",
            "auth_status": "success",
            "response_body": json.dumps({"error": {"code": f"E_{number % KINDS}", "message": f"no stock for {number}"}})
            if failing
            else "",
            "content_type": "application/json",
            "ai_provider": "",
            "ai_model": "",
            "ai_model_status": "",
            "ai_model_input_token": "",
            "ai_provider_statuses": "",
            "proxies": [{"proxy_status": str(status), "proxy_time": 21, "proxy_addr": "10.20.30.40:8080"}],
        }
        bare = len(json.dumps(line)) + 36 - 6 + 13 - 8
        line["agent"] = "x" * max(0, BYTES - bare - 14 + rng.randrange(-40, 41))
        text = (
            json.dumps(line).replace("%", "%%").replace('"@@AT@@"', "%d").replace("@@ID@@", "%08x-5b2c-4d3e-9f10-%012x")
        )
        return text.encode() + b"\n"

    def block(self, count: int) -> bytes:
        """The next `count` lines."""
        rng, good, bad, made = self._rng, self._good, self._bad, self.made
        begin, per_ms = self._begin, PER_SECOND // 1_000
        start = rng.randrange(_TEMPLATES)
        rows = []
        for number in range(made, made + count):
            if number % FAILING == FAILING - 1:
                template = bad[self.failed % SIGNATURES]
                self.failed += 1
            else:
                template = good[(start + number) % _TEMPLATES]
            rows.append(template % (number & 0xFFFFFFFF, number, begin + number // per_ms))
        self.made += count
        return b"".join(rows)


class RotatedLog:
    """A log file that is rotated by renaming, with at most `most_bytes` on disk in all."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path = path
        self._each = most_bytes // 4
        self._file = path.open("ab", buffering=0)
        self._size = self._number = 0
        self._ends: list[tuple[Path, int]] = []

    def write(self, block: bytes, made: int) -> None:
        """Append a block. made: how many lines there are with it."""
        self._file.write(block)
        self._size += len(block)
        if self._size >= self._each:
            self._number += 1
            aside = self.path.with_name(f"{self.path.name}.{self._number}")
            self._file.close()
            self.path.rename(aside)
            self._file = self.path.open("ab", buffering=0)
            self._size = 0
            self._ends.append((aside, made))

    def is_full(self, read: int) -> bool:
        """Whether the writer has to wait: rotated files that were not read yet fill the room. Read ones are removed."""
        while self._ends and self._ends[0][1] <= read:
            self._ends.pop(0)[0].unlink()
        return len(self._ends) >= 3

    def close(self) -> None:
        """Stop writing."""
        self._file.close()
