"""A plan as it is stored and shown: rows, changes of single fields, and the counts over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b

import msgspec
from msgspec import Struct

from sync.model import Status

WRITE, ITEM, CREATE, JOIN = "write", "item", "create", "join"


class FieldWrite(Struct, frozen=True, kw_only=True):
    """One field of one record. before, after: in the remote's words. rule: what in the mapping asks for it."""

    field: str
    before: str
    after: str
    rule: str


class Aim(Struct, frozen=True, kw_only=True):
    """What a row does, for whoever executes it. Tags are folded keys; shows: records, as `LinksBase` names them.

    raw: what the record showed when it was planned. state: a digest of what its item knew of it. was: the item's status
    then. status: the raw value to reach. set: raw values of other fields, by canonical name; had: those before.
    item_status: what the item's status is read as; item_values, item_had: the same of other fields, and their values
    before. route, other: of creates and joins.
    """

    raw: str = ""
    state: str = ""
    was: Status | None = None
    status: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    set: Mapping[str, str] = {}
    had: Mapping[str, str] = {}
    shows: tuple[str, ...] = ()
    item_status: Status | None = None
    item_values: Mapping[str, str] = {}
    item_had: Mapping[str, str] = {}
    route: str = ""
    other: int | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One thing a plan does. record: as people say it. item: empty where there is none yet. note: what to know."""

    kind: str
    connection: str
    system: str
    record: str
    url: str = ""
    item: str = ""
    changes: tuple[FieldWrite, ...] = ()
    note: str = ""
    aim: Aim = Aim()
    item_id: int | None = None
    link_id: int | None = None
    record_id: int | None = None
    connection_id: int | None = None
    version: str = ""

    @property
    def sorts(self) -> Iterable[tuple[str, str, str, str, str, str]]:
        """(kind, connection, field, before, after, rule) of each change: what rows are counted by."""
        for each in self.changes:
            yield self.kind, self.connection, each.field, each.before, each.after, each.rule


class Group(Struct, frozen=True, kw_only=True):
    """Changes of one sort, and how many records they are."""

    kind: str
    connection: str
    field: str
    before: str
    after: str
    rule: str
    count: int
    samples: tuple[str, ...] = ()


class Left(Struct, frozen=True, kw_only=True):
    """Records that differ from their item and stay as they are, and why."""

    why: str
    count: int
    samples: tuple[str, ...] = ()


class Summary(Struct, frozen=True, kw_only=True):
    """What a plan is about. oldest_at, newest_at: when the snapshots it rests on were read.

    writes, creates, joins, read_anew: rows by kind. itself: items of which the hub does something by itself. under_way:
    items that were left out because something about them was not settled. by_connection: writes by name.
    """

    records: int
    items: int
    oldest_at: datetime | None
    newest_at: datetime | None
    writes: int = 0
    creates: int = 0
    joins: int = 0
    read_anew: int = 0
    itself: int = 0
    under_way: int = 0
    by_connection: Mapping[str, int] = {}
    groups: tuple[Group, ...] = ()
    left: tuple[Left, ...] = ()
    notes: tuple[str, ...] = ()


class Plan(Struct, frozen=True, kw_only=True):
    """A plan, whole. id: None until it is stored. fingerprint: of the mappings it was made with."""

    kind: str
    made_at: datetime
    mappings: str
    fingerprint: str
    rows: tuple[Row, ...]
    summary: Summary
    id: int | None = None
    undoes: int | None = None

    @property
    def digest(self) -> str:
        """Over the mappings, the records' versions and everything that is to be done (hexadecimal, 32 characters)."""
        return digest_of(self.fingerprint, (msgspec.json.encode(row, order="deterministic") for row in self.rows))


def digest_of(fingerprint: str, bodies: Iterable[bytes]) -> str:
    """The digest of a plan from its encoded rows, in their order."""
    digest = blake2b(fingerprint.encode(), digest_size=16)
    for body in bodies:
        digest.update(b"\x00" + body)
    return digest.hexdigest()
