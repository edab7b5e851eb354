"""The floor of the benchmark of acknowledgements: the daemon's own web face, keeping nothing and answering at once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from benchmarks.stage import ZENDESK_SECRET
from connectors.zendesk import CONNECTOR
from sync.engine.inbox import pack
from sync.ports import RealClock, spawn_thread
from sync.web.app import Health, application
from sync.web.hooks import HookEndpoint, Hooks
from sync.web.limits import Doorkeeper
from sync.web.metrics import Metrics
from sync.web.receipts import ReceiptDesk
from sync.web.server import WebFace
from sync.web.settings import WebSettings


class Nothing:
    """A store that forgets."""

    def receipts(self, rows: Sequence[Mapping[str, Any]]) -> Future[int]:
        """Say at once that it is kept."""
        kept: Future[int] = Future()
        kept.set_result(len(rows))
        return kept


def main(core: int) -> None:
    """Serve until killed."""
    os.sched_setaffinity(0, {core})
    clock, metrics, settings = RealClock(), Metrics(), WebSettings(port=0)
    webhook = CONNECTOR.webhook
    assert webhook is not None
    endpoint = HookEndpoint(
        connection_id=1, name="support", verify=lambda request, now: webhook.verify(request, (ZENDESK_SECRET,), now)
    )
    door = Doorkeeper(settings)
    hooks = Hooks(
        find=lambda name: endpoint,
        desk=ReceiptDesk(Nothing(), settings.store_seconds),
        clock=clock,
        door=door,
        pack=pack,
        ring=lambda topic: None,
        tell=lambda event, **facts: None,
        count=metrics.count_hook,
        time_ack=metrics.time_ack,
    )
    face = WebFace(settings)
    face.start(application(hooks, lambda: Health(ok=True, store="writable"), metrics), door, spawn_thread)
    print(face.url, flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(int(sys.argv[1]))
