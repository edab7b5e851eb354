"""Which calls an issue's events name: read from its newest events, a bounded few, the same few that a gateway keeps."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.gateway.calls import Call
from connectors.gateway.samples import Samples
from connectors.sentry import call_ids
from connectors.sentry.client import SentryRemote
from sync.model import Snapshot
from tests.connectors.sentry.organisation import Organisation

CALL = "7f3c1a52-9b0e-4d6f-8a21-5c9e0b7d4412"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def read(remote: SentryRemote, issue: str) -> Snapshot:
    found = remote.fetch([issue])[issue]
    assert isinstance(found, Snapshot)
    return found


def test_with_the_settings_as_shipped_an_issue_names_the_calls_of_its_events(sentry: Organisation) -> None:
    issue = sentry.event(tags={"request_id": CALL, "trace": TRACE})
    found = read(sentry.connect(), issue)
    assert found.fields["request_ids"] == [CALL]
    assert found.fields["trace_ids"] == [TRACE]
    assert found.fields["tags"] == ["environment-production"]  # they are no tags: each names one moment


def test_events_are_read_again_only_after_new_ones_and_older_ids_stay(sentry: Organisation) -> None:
    issue = sentry.event(tags={"request_id": CALL})
    remote = sentry.connect()
    read(remote, issue)
    read(remote, issue)
    assert sentry.calls("events.list") == 1
    sentry.event(issue=issue, tags={"request_id": "b" + CALL[1:]})
    assert set(read(remote, issue).fields["request_ids"]) == {CALL, "b" + CALL[1:]}


def test_without_keys_no_event_is_read(sentry: Organisation) -> None:
    issue = sentry.event(tags={"request_id": CALL})
    assert "request_ids" not in read(sentry.connect(id_keys=[]), issue).fields
    assert sentry.calls("events.list") == 0


def test_events_that_cannot_be_read_stand_in_nobodys_way(sentry: Organisation) -> None:
    issue = sentry.event(tags={"request_id": CALL})
    sentry.missing("events.list")
    found = read(sentry.connect(), issue)
    assert found.fields["status"] == "new"
    assert "request_ids" not in found.fields


def test_a_list_s_copy_names_what_was_read_before(sentry: Organisation) -> None:
    issue = sentry.event(tags={"request_id": CALL})
    remote = sentry.connect()
    read(remote, issue)
    (copy,) = remote.page(None, sentry.clock.now().replace(year=2020)).snapshots
    assert copy.fields["request_ids"] == [CALL]


def test_glitchtip_s_events_name_calls_too(glitchtip: Organisation) -> None:
    issue = glitchtip.event(tags={"request_id": CALL})
    assert read(glitchtip.connect(), issue).fields["request_ids"] == [CALL]


def test_of_very_many_events_both_sides_keep_the_same_calls() -> None:
    names = [f"call-{number:05d}-{number * 7919 % 10_007:05d}" for number in range(5_000)]
    samples = Samples()
    for number, name in enumerate(names):
        samples.offer(Call(at_ms=1_700_000_000_000 + number, status=500, request_id=name), 7)
    samples.settle(0)
    kept: list[list[str]] = []
    for start in range(0, len(names), 100):
        page = [{"tags": [{"key": "request_id", "value": name}]} for name in reversed(names[start : start + 100])]
        kept = call_ids.chosen(call_ids.pairs_in(page, ["request_id"]), kept)
    assert len(kept) == call_ids.DRAWN + call_ids.NEWEST
    drawn = {sample.request_id for sample in samples.shown() if sample.why == "random"}
    assert drawn <= {pair[0] for pair in kept}
    assert kept[-call_ids.NEWEST :] == [[name, ""] for name in reversed(names[-call_ids.NEWEST :])]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"tags": None},
        {"tags": "request_id"},
        {"tags": [None, 7, {"key": "request_id"}, {"key": "request_id", "value": 7}]},
        {"tags": [{"key": "request_id", "value": "none"}]},
    ],
)
def test_what_names_no_call_is_left_out(event: dict[str, Any]) -> None:
    assert call_ids.pairs_in([event], ["request_id"]) == []
