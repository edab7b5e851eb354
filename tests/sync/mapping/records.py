"""Records and mappings for the tests: the shipped files, and snapshots with as little in them as a test needs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from sync.mapping.compiled import Mapping
from sync.mapping.load import Loaded, load
from sync.model import LinkShown, RecordRef, Snapshot

AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

TICKET: dict[str, Any] = {
    "status": "open",
    "custom_status": None,
    "tags": ["launch", "area-login"],
    "subject": "Cannot log in",
    "description": "It says timeout.",
    "priority": "urgent",
    "type": "incident",
    "requester": {"id": "7", "name": "Ada Reed", "email": "ada@example.com"},
    "assignee": {"id": "9", "name": "Sam Poe", "email": "sam@example.com"},
    "group_id": 3,
    "brand_id": 1,
    "external_id": None,
    "problem_id": None,
    "custom_fields.360001": None,
}

ISSUE: dict[str, Any] = {
    "status": "To Do",
    "status_id": "10000",
    "status_category": "new",
    "resolution": None,
    "labels": ["launch"],
    "summary": "Log-in times out",
    "description": "See the trace.",
    "priority": "High",
    "issuetype": "Bug",
    "project": "SUP",
    "reporter": {"id": "u1", "name": "Kim Vale", "email": ""},
    "assignee": None,
    "components": ["Backend"],
    "environment": None,
    "fixVersions": [],
}


def shipped_texts() -> dict[str, str]:
    """The shipped files by name."""
    return {
        part.name: part.read_text(encoding="utf-8")
        for part in files("mappings").iterdir()
        if part.name.endswith(".yaml")
    }


@cache
def shipped() -> Loaded:
    """The shipped files, loaded."""
    return load(shipped_texts())


def zendesk() -> Mapping:
    return shipped().mappings["zendesk"]


def jira() -> Mapping:
    return shipped().mappings["jira"]


def ticket(*, links: tuple[LinkShown, ...] | None = None, frozen: bool = False, **fields: Any) -> Snapshot:
    """A ticket; fields replace those of TICKET."""
    return Snapshot(
        ref=RecordRef(kind="ticket", id="5158", key="5158", url="https://example.zendesk.com/agent/tickets/5158"),
        version="1",
        created_at=AT,
        updated_at=AT,
        fields={**TICKET, **fields},
        links=links,
        frozen=frozen,
    )


def issue(*, links: tuple[LinkShown, ...] | None = None, **fields: Any) -> Snapshot:
    """An issue; fields replace those of ISSUE."""
    return Snapshot(
        ref=RecordRef(kind="issue", id="10042", key="SUP-12", url="https://example.atlassian.net/browse/SUP-12"),
        version="1",
        created_at=AT,
        updated_at=AT,
        fields={**ISSUE, **fields},
        links=links,
    )


def mapping(fields: str, rest: str = "", system: str = "zendesk") -> Mapping:
    """A mapping of these `fields:` (a YAML text, not indented)."""
    indented = "".join(f"  {line}\n" for line in fields.splitlines())
    return load({"m.yaml": f"system: {system}\nkind: ticket\n{rest}\nfields:\n{indented}"}).mappings[system]
