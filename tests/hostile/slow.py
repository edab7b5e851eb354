"""Slow senders on the real receiver: so many sockets that send a byte a second, and genuine calls beside them."""

from __future__ import annotations

import random
import resource
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.calls import GENUINE
from tests.hostile.receiver import Receiver, as_bytes, exchange, receiving

HEAD = b"POST /hooks/zendesk HTTP/1.1\r\nhost: x\r\nx: "
DEADLINE = 10.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """seconds of the slowest genuine call beside the senders and without them; how long the longest sender was kept."""

    senders: int
    calls: int
    refused: int
    slowest: float
    alone: float
    kept: float

    @property
    def is_good(self) -> bool:
        """Genuine calls were taken well within the 10 s a sender waits; no slow sender outlived its deadline."""
        return self.refused == 0 and self.slowest < 5.0 and self.kept < DEADLINE + 5.0

    def told(self) -> str:
        """The figures in a sentence."""
        return (
            f"{self.senders} slow senders: {self.calls} genuine calls, {self.refused} refused, slowest "
            f"{self.slowest * 1000:.0f} ms (alone {self.alone * 1000:.0f} ms); every slow sender was cut off within "
            f"{self.kept:.1f} s"
        )


def measure(folder: Path, count: int, calls: int = 50) -> Figures:
    """Try it. Needs so many open files twice: the limit of the process is raised as far as it may be."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rng = random.Random(1)
    with receiving(folder, per_address=10**6, connections=10**6, request_seconds=DEADLINE) as receiver:
        alone = max(_call(receiver, rng)[1] for _ in range(10))
        began = time.monotonic()
        senders = [receiver.connect() for _ in range(count)]
        for sock in senders:
            sock.setblocking(False)
            sock.sendall(HEAD)
        over = threading.Event()
        dripping = threading.Thread(target=_drip, args=(senders, over))
        dripping.start()
        taken = [_call(receiver, rng) for _ in range(calls)]
        while receiver.door.total > 0 and time.monotonic() < began + 10 * DEADLINE:
            time.sleep(0.1)
        kept = time.monotonic() - began
        over.set()
        dripping.join()
        for sock in senders:
            sock.close()
    return Figures(
        senders=count,
        calls=calls,
        refused=sum(status != 202 for status, _ in taken),
        slowest=max(seconds for _, seconds in taken),
        alone=alone,
        kept=kept,
    )


def _call(receiver: Receiver, rng: random.Random) -> tuple[int, float]:
    began = time.perf_counter()
    status = exchange(receiver, as_bytes(GENUINE["zendesk"](rng), "zendesk"))
    return status, time.perf_counter() - began


def _drip(senders: list[socket.socket], over: threading.Event) -> None:
    """A byte a second from each, until it is over."""
    while not over.wait(1.0):
        for sock in senders:
            try:
                sock.send(b"y")
            except OSError:
                continue
