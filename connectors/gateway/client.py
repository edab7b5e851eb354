"""The ledger of signatures as a remote system: `contract.Remote`. No request leaves; a write is one step of the store.

A gateway has calls and no issues, so the hub owns the state of a signature. What cannot reach the ledger (the database
is full, or closed) is the hub's own trouble and is raised as the store raises it, not as an error of a remote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import structs
from sqlalchemy import Connection

from connectors.contract import Capabilities, Home, Page, Ports
from connectors.errors import CursorExpired, RecordMissing, VersionConflict, WriteRejected
from connectors.gateway import findings, ledger, outward, records
from connectors.gateway.entries import HUB, Edit, Entry, Row
from connectors.gateway.lifecycle import SignatureState, State, acknowledge, reopen, resolve
from connectors.gateway.settings import GatewaySettings
from sync.model import (
    Absent,
    Changes,
    CreateIntent,
    Draft,
    Duplicated,
    Expect,
    HistoryRow,
    Json,
    LinkShown,
    LinkVia,
    LinkView,
    Missing,
    MissingKind,
    NotYetCertain,
    RecordRef,
    Snapshot,
)

PAGE = 200
US = "hypercare"
"""Who resolves a signature when another system's people did and the hub carried it here."""


class GatewayRemote:
    """`contract.Remote` for one gateway's ledger; used by one thread at a time."""

    def __init__(self, settings: GatewaySettings, ports: Ports) -> None:
        self._settings = settings
        self._ports = ports

    def check(self) -> Capabilities:
        """What the connection can do, and what stands in its way. Raises Unavailable, AuthRejected by APIPark."""
        return Capabilities(
            account=self._settings.console_url,
            me=US,
            version=self._settings.preset,
            writes_status=True,
            writes_tags=True,
            writes_links=True,
            links_via=LinkVia.APP.value,
            history=True,
            conditional_write=True,
            creates=False,
            webhooks="none",
            findings=(*findings.of(self._settings), *outward.prove(self._settings, self._ports)),
        )

    def page(self, cursor: str | None, since: datetime) -> Page:
        """The signatures whose state or published figures changed after the cursor, each as it is now."""
        del since  # the ledger holds nothing else
        if cursor is not None and not cursor.isdecimal():
            raise CursorExpired(f"{cursor!r} is no place in the ledger of signatures")
        after = int(cursor or 0)
        home = self._home()
        with home.store.read() as conn:
            found = ledger.after(conn, home.connection_id, after, PAGE)
        return Page(
            snapshots=tuple(self._snapshot(row) for row in found),
            cursor=str(found[-1].version if found else after),
            more=len(found) == PAGE,
        )

    def fetch(self, keys: Sequence[str], *, whole: bool | None = None) -> Mapping[str, Snapshot | Missing]:
        """Signatures by id or key, always whole."""
        del whole
        home = self._home()
        with home.store.read() as conn:
            ids = {key: self._id(conn, key) for key in keys}
            rows = ledger.some(conn, home.connection_id, sorted({one for one in ids.values() if one}))
        gone = Missing(kind=MissingKind.NOT_FOUND, detail="no such signature has crossed its threshold")
        return {key: self._snapshot(rows[one]) if one in rows else gone for key, one in ids.items()}

    def history(self, ref: RecordRef, since: str) -> Sequence[HistoryRow]:
        """What changed a signature after a version, oldest first."""
        home = self._home()
        with home.store.read() as conn:
            edits = ledger.history(conn, home.connection_id, ref.id, records.number_of(since))
        return [records.history_row(edit) for edit in edits]

    def steps(self, snapshot: Snapshot, changes: Changes) -> tuple[Changes, ...]:
        """All of it is one step."""
        del snapshot
        return () if changes.is_empty else (changes,)

    def write(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        """Change state, links and owed tags in one step. Raises VersionConflict, RecordMissing, WriteRejected."""
        if changes.set or changes.note:
            name = next(iter(changes.set), "note")
            raise WriteRejected(f"{name} of a signature cannot be written: status, tags and links", field=name)
        home = self._home()
        now = self._ports.clock.now()

        def step(conn: Connection) -> Row:
            row = ledger.some(conn, home.connection_id, [ref.id]).get(ref.id)
            if row is None:
                raise RecordMissing(f"the signature {ref.key or ref.id} is not in the ledger")
            if records.version_of(row.version) != expect.version:
                raise VersionConflict(
                    f"the signature {ref.key or ref.id} has moved since it was read", snapshot=self._snapshot(row)
                )
            entry, edits = _changed(row.entry, changes, expect.op, now)
            ledger.keep(conn, home.connection_id, [(entry, edits)], now)
            return ledger.some(conn, home.connection_id, [ref.id])[ref.id]

        return self._snapshot(home.store.step(step))

    def probe(self, draft: Draft) -> dict[str, Json]:
        """Nothing: no signature is created by hand."""
        del draft
        return {}

    def create(self, draft: Draft, marker: str) -> RecordRef:
        """Raises WriteRejected: a signature comes from calls."""
        raise WriteRejected("a signature comes from calls and cannot be created: take the route's `create` elsewhere")

    def find_created(self, intent: CreateIntent) -> RecordRef | Absent | NotYetCertain | Duplicated:
        """Nothing is ever created."""
        return Absent()

    def values(self) -> Mapping[str, Sequence[str]]:
        """The states that there are."""
        return {"status": records.STATES}

    def close(self) -> None:
        """Nothing is held open."""

    def _snapshot(self, row: Row) -> Snapshot:
        return records.snapshot(self._settings, row)

    def _id(self, conn: Connection, key: str) -> str:
        if not key.startswith("GW-"):
            return key
        found = ledger.begins_with(conn, self._home().connection_id, key.removeprefix("GW-"))
        return found[0] if len(found) == 1 else ""

    def _home(self) -> Home:
        home = self._ports.home
        assert home is not None, "the ledger is in the hub's database, which is not open here"
        return home


def _changed(entry: Entry, changes: Changes, op: str, now: datetime) -> tuple[Entry, list[Edit]]:
    """The entry after a delivery, and the lines of its history."""
    edits: list[Edit] = []

    def note(field: str, old: str | None, new: str | None) -> None:
        edits.append(Edit(at=now, by=HUB, actor=US, field=field, old=old, new=new, op=op))

    if changes.status is not None:
        state = _moved(entry.state, changes.status.raw, now)
        note("status", entry.state.state.value, state.state.value)
        entry = structs.replace(entry, state=state)
    if changes.add_tags or changes.remove_tags:
        tags = tuple(sorted(({*entry.tags, *changes.add_tags}) - set(changes.remove_tags)))
        note("tags", " ".join(entry.tags), " ".join(tags))
        entry = structs.replace(entry, tags=tags)
    if changes.add_links or changes.remove_links:
        gone = {(link.target, link.handle) for link in changes.remove_links}
        links = [link for link in entry.links if (link.target, link.handle) not in gone]
        known = {link.target for link in links}
        links += [link for link in map(_link, changes.add_links) if link.target not in known]
        note("links", _targets(entry.links), _targets(links))
        entry = structs.replace(entry, links=tuple(links))
    return entry, edits


def _link(view: LinkView) -> LinkShown:
    target = view.url or view.key or view.id
    return LinkShown(target=target, via=LinkVia.APP, handle=f"{view.system}:{view.id}", id=view.id)


def _targets(links: Sequence[LinkShown]) -> str:
    return " ".join(link.target for link in links)


def _moved(state: SignatureState, raw: str, now: datetime) -> SignatureState:
    """The state after a written status. Raises WriteRejected for one that cannot be written."""
    if raw == State.ACKNOWLEDGED.value:
        return acknowledge(state, now)
    if raw == State.RESOLVED.value:
        return resolve(state, now, US)
    if raw == State.OPEN.value:
        return reopen(state, now)
    raise WriteRejected(f"{raw!r} cannot be written: open, acknowledged or resolved", field="status")
