"""Live systems made up for the tests: a catalogue and a sample, with as little in them as a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from connectors.contract import Capabilities, Catalogue, CreateScreen, FieldKind, LiveField, LiveValue
from sync.learning.live import Sample, Seen
from sync.learning.shipped import Known, known
from sync.learning.suggestion import Suggested, suggest
from sync.mapping.compiled import Mapping as CompiledMapping
from sync.mapping.load import load
from sync.model import Move, RecordRef, Snapshot
from tests.sync.mapping.records import shipped_texts

AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LISTS = ("routes.yaml", "rules.yaml", "people.yaml")


@cache
def shipped(system: str) -> Known:
    """What is known of a kind of system."""
    found = known({name: text for name, text in shipped_texts().items() if name not in LISTS}, system)
    assert found is not None
    return found


def choice(name: str, values: Sequence[str], **more: Any) -> LiveField:
    """A field with choices."""
    more.setdefault("label", name)
    return LiveField(name=name, kind=FieldKind.CHOICE, values=tuple(LiveValue(name=one) for one in values), **more)


def statuses(values: Mapping[str, str], name: str = "status") -> LiveField:
    """A status field: status -> category."""
    live = tuple(LiveValue(name=one, category=category) for one, category in values.items())
    return LiveField(name=name, label="Status", kind=FieldKind.CHOICE, values=live)


JIRA = {"To Do": "new", "In Progress": "indeterminate", "Done": "done"}


def jira(
    values: Mapping[str, str] | None = None,
    *fields: LiveField,
    records: Sequence[Mapping[str, Any]] = (),
    moves: Sequence[Move] = (),
    screens: Sequence[CreateScreen] = (),
    unread: Sequence[str] = (),
) -> Seen:
    """A Jira site with these statuses."""
    plain = [LiveField(name=name, label=name) for name in ("summary", "description", "labels", "reporter", "assignee")]
    return Seen(
        capabilities=Capabilities(account="https://example.atlassian.net", workflows=True, links_via="remote_link"),
        catalogue=Catalogue(
            fields=(
                statuses(values if values is not None else JIRA),
                choice("status_category", ["new"]),
                *plain,
                *fields,
            ),
            screens=tuple(screens),
            unread=tuple(unread),
        ),
        sample=sample(*records, moves=moves),
        at=AT,
    )


def zendesk(*fields: LiveField, records: Sequence[Mapping[str, Any]] = (), links_via: str = "note") -> Seen:
    """A Zendesk account."""
    stock = (
        choice("status", ["new", "open", "pending", "hold", "solved", "closed"]),
        choice("priority", ["low", "normal", "high", "urgent"]),
        choice("type", ["problem", "incident", "question", "task"]),
        *(LiveField(name=name, label=name) for name in ("subject", "description", "tags", "requester", "assignee")),
    )
    named = {one.name for one in fields}
    return Seen(
        capabilities=Capabilities(account="acme", links_via=links_via),
        catalogue=Catalogue(fields=(*(one for one in stock if one.name not in named), *fields)),
        sample=sample(*records),
        at=AT,
    )


def sample(*records: Mapping[str, Any], moves: Sequence[Move] = ()) -> Sample:
    """Records that show these fields."""
    return Sample(
        snapshots=tuple(
            Snapshot(
                ref=RecordRef(kind="issue", id=str(n)),
                version="1",
                created_at=AT,
                updated_at=AT,
                fields=dict(fields),
                moves=tuple(moves) or None,
            )
            for n, fields in enumerate(records)
        )
    )


def suggested(seen: Seen, system: str, *, alone: bool = True) -> Suggested:
    """What is suggested for it."""
    kind = shipped(system).file.kind
    return suggest(seen, shipped(system), connection="live", system=system, kind=kind, alone=alone)


def loaded(found: Suggested, system: str) -> CompiledMapping:
    """The suggestion, checked and compiled. Raises MappingErrors."""
    return load({"suggested.yaml": found.text}, {"live": system}).for_connection("live", system)
