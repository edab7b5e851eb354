"""Found by the history 9040 at contract level: an old direct reading replaced a newer copy of the feed."""

from __future__ import annotations

from pathlib import Path

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.simulation import sight
from tests.support.launch import launch


def test_a_stale_direct_reading_never_replaces_a_newer_copy(tmp_path: Path) -> None:
    day = launch(tmp_path, hooks=False)
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.zendesk.act({"act": "comment", "ticket": ticket, "body": "Looking", "public": False})
    day.world.wait(180)  # the feed brings the new version, and with it nothing else that is new
    before = sight.versions(day.world.hub)[f"Z{ticket}"]
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.STALE_READ, operation="tickets.show", count=1))
    day.world.command("refresh", item=key)
    day.world.quiet(polls=False)  # the next poll would bring the newer copy again
    assert day.zendesk.control.faults.listing()[0]["fired"] == 1
    assert sight.versions(day.world.hub)[f"Z{ticket}"][0] >= before[0]
