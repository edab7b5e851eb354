"""`Remote` straight on the model of Zendesk: what the contract promises of a helpdesk, in few lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from connectors.contract import Capabilities, Page
from connectors.errors import Forbidden, RecordMissing, RemoteError, VersionConflict, WriteRejected
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox.faults import Refusal
from connectors.zendesk.sandbox.model import Origin as Author
from connectors.zendesk.sandbox.tickets import Entry, Ticket, no_source
from sync.model import (
    Absent,
    Changes,
    CreateIntent,
    Draft,
    Duplicated,
    Expect,
    FieldEdit,
    HistoryRow,
    Json,
    Missing,
    MissingKind,
    NotYetCertain,
    Origin,
    RecordRef,
    Snapshot,
)
from sync.simulation.contract.door import Door

T = TypeVar("T")
_PAGE = 100
_OP = "delivery"
_RULE = "rule"


class DeskRemote:
    """The desk's tickets, as its hub account sees them. url: the address people open."""

    def __init__(self, desk: ZendeskSandbox, door: Door, url: str) -> None:
        self._desk = desk
        self._model = desk.model
        self._door = door
        self._url = url

    def check(self) -> Capabilities:
        """The account is always good here."""
        return self._door.read("users.me", "/users/me", lambda _: self._capable())

    def _capable(self) -> Capabilities:
        return Capabilities(
            account="acme",
            me=str(self._model.hub.id),
            links_via="note",
            history=True,
            conditional_write=True,
            coarse_versions=True,
        )

    def close(self) -> None:
        """Nothing is open."""

    def values(self) -> Mapping[str, Sequence[str]]:
        """Nothing beyond the mapping is asked for here."""
        return {}

    # --- reading -----------------------------------------------------------------------------------------------------

    def page(self, cursor: str | None, since: datetime) -> Page:
        """The tickets by last change; a cursor is the place of the last one."""
        return self._door.read("incremental.cursor", "/incremental/tickets", lambda _: self._page(cursor, since))

    def _page(self, cursor: str | None, since: datetime) -> Page:
        if cursor is None:
            place = (int(since.timestamp()), -1)
            rows, at_end = self._model.exported(place, _PAGE, inclusive=True)
        else:
            second, _, number = cursor.partition(":")
            place = (int(second), int(number))
            rows, at_end = self._model.exported(place, _PAGE, inclusive=False)
        if rows:
            place = (rows[-1].generated, rows[-1].ticket.id)
        shown, missing = [], {}
        for entry in rows:
            gone = self._gone(entry, named=False)
            if gone is None:
                shown.append(self._snapshot(entry.ticket, Origin.LIST))
            else:
                missing[str(entry.ticket.id)] = gone
        return Page(snapshots=tuple(shown), cursor=f"{place[0]}:{place[1]}", more=not at_end, missing=missing)

    def fetch(self, keys: Sequence[str], *, whole: bool | None = None) -> Mapping[str, Snapshot | Missing]:
        """One call for one ticket, one for many."""
        del whole  # this account's app is not in use: no ticket shows a link of its own
        if len(keys) == 1:
            return self._door.read("tickets.show", f"/tickets/{keys[0]}", lambda stale: self._read(keys, stale=stale))
        return self._door.read("tickets.show_many", "/tickets/show_many", lambda stale: self._read(keys, stale=stale))

    def _read(self, keys: Sequence[str], *, stale: bool) -> dict[str, Snapshot | Missing]:
        found: dict[str, Snapshot | Missing] = {}
        for key in keys:
            entry = self._model.entries.get(int(key)) if key.isdecimal() else None
            if entry is None:
                found[key] = Missing(kind=MissingKind.NOT_FOUND, detail="no such ticket")
                continue
            if entry.is_forbidden and not entry.is_deleted:
                found[key] = Missing(kind=MissingKind.FORBIDDEN, detail="not for us")
                continue
            before = entry.previous if stale and not entry.is_deleted else None
            gone = None if before is not None else self._gone(entry, named=True)
            found[key] = gone or self._snapshot(before or entry.ticket, Origin.DIRECT)
        return found

    @staticmethod
    def _gone(entry: Entry, *, named: bool) -> Missing | None:
        """Why a ticket is no more. named: whether the survivor of a merge is told, which the feed does not."""
        if entry.is_deleted:
            return Missing(kind=MissingKind.DELETED, version=entry.ticket.updated_at)
        if entry.merged_into is not None:
            into = str(entry.merged_into) if named else ""
            return Missing(kind=MissingKind.MERGED, into=into, version=entry.ticket.updated_at)
        return None

    def _snapshot(self, ticket: Ticket, origin: Origin, overwrote: tuple[FieldEdit, ...] = ()) -> Snapshot:
        fields: dict[str, Json] = {
            "status": ticket.status,
            "tags": list(ticket.tags),
            "subject": ticket.subject,
            "description": ticket.description,
            "requester": self._person(ticket.requester_id),
        }
        if ticket.assignee_id is not None:
            fields["assignee"] = self._person(ticket.assignee_id)
        for name in ("priority", "type"):
            if getattr(ticket, name) is not None:
                fields[name] = getattr(ticket, name)
        return Snapshot(
            ref=self._ref(ticket.id),
            version=ticket.updated_at,
            created_at=_at(ticket.created_at),
            updated_at=_at(ticket.updated_at),
            fields=fields,
            origin=origin,
            links=() if origin is Origin.DIRECT else None,
            frozen=ticket.status == "closed",
            overwrote=overwrote,
        )

    def _ref(self, number: int) -> RecordRef:
        return RecordRef(kind="ticket", id=str(number), key=f"#{number}", url=f"{self._url}/agent/tickets/{number}")

    def _person(self, user_id: int) -> dict[str, str]:
        user = self._model.users.get(user_id)
        return {"id": str(user_id), "name": user.name if user else "", "email": user.email if user else ""}

    def history(self, ref: RecordRef, since: str) -> Sequence[HistoryRow]:
        """The ticket's audits from the second of `since` on; what rules added is a row of its own."""
        return self._door.read("tickets.audits", f"/tickets/{ref.id}/audits", lambda _: self._history(ref, since))

    def _history(self, ref: RecordRef, since: str) -> list[HistoryRow]:
        entry = self._entry(ref)
        rows: list[HistoryRow] = []
        for audit in self._model.audits(entry):
            if audit["created_at"] < since:
                continue
            by_rule = audit["via"]["channel"] == _RULE
            chosen, ruled = _edits(audit, by_rule=by_rule)
            ours = audit["author_id"] == self._model.hub.id and not by_rule
            op = str(audit["metadata"]["custom"].get(_OP, "")) if ours else ""
            row = HistoryRow(
                id=str(audit["id"]),
                at=_at(audit["created_at"]),
                actor=str(audit["author_id"]),
                edits=tuple(chosen),
                ours=ours,
                op=op,
                automatic=by_rule,
            )
            if chosen or not ruled:
                rows.append(row)
            if ruled:
                more = HistoryRow(id=f"{row.id}r", at=row.at, actor=row.actor, edits=tuple(ruled), automatic=True)
                rows.append(more)
        return rows

    def _entry(self, ref: RecordRef) -> Entry:
        try:
            return self._model.entry(int(ref.id))
        except Refusal as refusal:
            _refuse(refusal)

    # --- writing -----------------------------------------------------------------------------------------------------

    def steps(self, snapshot: Snapshot, changes: Changes) -> tuple[Changes, ...]:
        """One request carries everything; a closed ticket is asked for nothing, and links go out as notes."""
        kept = Changes(
            status=changes.status,
            add_tags=changes.add_tags,
            remove_tags=changes.remove_tags,
            set=changes.set,
            note=changes.note,
        )
        return () if snapshot.frozen or kept.is_empty else (kept,)

    def write(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        """One conditional update; its answer is the whole ticket."""
        return self._door.write(
            "tickets.update",
            f"/tickets/{ref.id}",
            lambda: self._update(ref, changes, expect),
            lambda: self._snapshot(self._entry(ref).ticket, Origin.DIRECT),
        )

    def _update(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot:
        wanted: dict[str, Json] = {
            "safe_update": True,
            "updated_stamp": expect.version,
            "metadata": {_OP: expect.op},
            "additional_tags": list(changes.add_tags),
            "remove_tags": list(changes.remove_tags),
            **changes.set,
        }
        if changes.status is not None:
            wanted["status"] = changes.status.raw
        if changes.note:
            wanted["comment"] = {"body": changes.note, "public": False}
        ticket, audit = _asked(lambda: self._model.update(self._entry(ref), wanted, self._author()))
        chosen, _ = _edits(audit, by_rule=False) if audit is not None else ([], [])
        replaced = tuple(
            edit
            for edit in chosen
            if edit.field in ("status", *changes.set) and edit.old != expect.snapshot.fields.get(edit.field)
        )
        return self._snapshot(ticket, Origin.DIRECT, replaced)

    def _author(self) -> Author:
        return Author(author_id=self._model.hub.id, via=no_source("api"), client="hypercare", is_hub=True)

    # --- creating ----------------------------------------------------------------------------------------------------

    def probe(self, draft: Draft) -> dict[str, Json]:
        """A ticket is found by its external id."""
        del draft
        return {}

    def create(self, draft: Draft, marker: str) -> RecordRef:
        """Create one ticket with the marker as its external id."""
        body = {"body": str(draft.fields.get("description") or "-"), "public": draft.public}
        wanted = {
            "subject": draft.fields.get("subject"),
            "comment": body,
            "tags": list(draft.tags),
            "external_id": marker,
        }

        def made() -> RecordRef:
            entry, _ = _asked(lambda: self._model.create(wanted, self._author()))
            return self._ref(entry.ticket.id)

        return self._door.write("tickets.create", "/tickets", made, made)

    def find_created(self, intent: CreateIntent) -> RecordRef | Absent | NotYetCertain | Duplicated:
        """Look the marker up."""
        found = self._door.read("tickets.list", "/tickets", lambda _: self._model.with_external_id(intent.marker))
        refs = tuple(self._ref(entry.ticket.id) for entry in found)
        if not refs:
            return Absent()
        return refs[0] if len(refs) == 1 else Duplicated(refs=refs)


def _at(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).astimezone(UTC)


def _edits(audit: Mapping[str, Json], *, by_rule: bool) -> tuple[list[FieldEdit], list[FieldEdit]]:
    """What the author of an audit changed, and what rules changed on top of it."""
    chosen: list[FieldEdit] = []
    ruled: list[FieldEdit] = []
    for event in audit["events"]:
        if event["type"] not in ("Change", "Create"):
            continue
        name, old, new = event["field_name"], event.get("previous_value"), event["value"]
        if name == "tags":
            old, new = list(old or ()), list(new or ())
        (ruled if "via" in event and not by_rule else chosen).append(FieldEdit(field=name, old=old, new=new))
    return chosen, ruled


def _asked(do: Callable[[], T]) -> T:
    try:
        return do()
    except Refusal as refusal:
        _refuse(refusal)


def _refuse(refusal: Refusal) -> NoReturn:
    """The refusal of the model as the contract names it."""
    kinds: Mapping[int, type[RemoteError]] = {403: Forbidden, 404: RecordMissing, 410: RecordMissing}
    if refusal.status == 409:
        raise VersionConflict("the ticket has moved")
    if refusal.status in kinds:
        raise kinds[refusal.status](str(refusal.body), status=refusal.status)
    raise WriteRejected(str(refusal.body)[:200], status=refusal.status)
