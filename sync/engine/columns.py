"""The encoded columns of the engine: what is in them, and the one way they are read and written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct, field, structs

from connectors.contract import Capabilities
from sync.core.state import Intent, ItemState, StatusBase, TagBase, ValueBase, Want
from sync.model import Changes, CreateIntent, Json, Move, RecordRef, Snapshot

_T = TypeVar("_T")
_encoder = msgspec.json.Encoder(order="deterministic")


class LinksBase(Struct, frozen=True, kw_only=True):
    """A link's base for links. shown: records this one showed when both last agreed.

    hoped: records that we wrote and that no read has shown yet; what is not shown of them was never removed by hand.
    hiding: records that we took away and that no read has shown to be gone yet; what is shown of them is no new link.
    noted: records for which an internal note was written: one per link event, never repeated. unknown: references that
    were looked up and name no record we can read; they are looked up again by the sweep. elsewhere: records that it
    shows although they belong to another item; a person made that link, and it is left alone. asked: it was read once
    for its links since it became a member. way: how its mapping has links shown. waived: records that it would show
    since that way was edited, and is made to show by a plan only.
    """

    shown: frozenset[str] = frozenset()
    hoped: frozenset[str] = frozenset()
    hiding: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    asked: bool = False
    way: str = ""
    waived: frozenset[str] = frozenset()


class Attribution(Struct, frozen=True, kw_only=True):
    """Who brought a record to the status it shows, by its own change history. version: of the snapshot it is about."""

    version: str
    raw: str
    automatic: bool
    actor: str
    at: datetime | None = None


class Base(Struct, frozen=True, kw_only=True):
    """What a link remembers. solo: a write of several fields was refused, so each goes out alone.

    misses: by field, how often a write of the same value was answered well and not shown; `conflict`: how often in a
    row the record had moved when a write came; put_off: until when it is left alone for that.

    routed: made by a route; carried: the keys of the tags that its create was sent with. follow_up: it was opened to
    go on from a member that is closed for good.

    tags_read: the texts of the tags that the raw half was read from, None where a write has moved it since; read_from:
    the remote field of each canonical one. An edited mapping reads the raw half anew from these.

    After a restore, what happened since the backup, see `sync.engine.recalled`. put_on: tags that the hub had put on
    the record and that it shows still; taken_off: those that its users took off again. put_there: the status that the
    hub had set. moved_from: one that it had set and that the record's users have moved on from. been: the statuses that
    the record showed since, and the one in the backup. went: tags that its users took off.
    """

    status: StatusBase | None = None
    tags: TagBase | None = None
    values: Mapping[str, ValueBase] = field(default_factory=dict)
    links: LinksBase = LinksBase()
    attribution: Attribution | None = None
    solo: bool = False
    misses: Mapping[str, int] = field(default_factory=dict)
    put_off: datetime | None = None
    routed: bool = False
    carried: frozenset[str] = frozenset()
    follow_up: bool = False
    tags_read: tuple[str, ...] | None = None
    read_from: Mapping[str, str] = field(default_factory=dict)
    put_on: frozenset[str] = frozenset()
    taken_off: frozenset[str] = frozenset()
    put_there: str = ""
    moved_from: str = ""
    been: frozenset[str] = frozenset()
    went: frozenset[str] = frozenset()

    @property
    def recalls(self) -> bool:
        """Whether something that happened before a restore is still to be heard."""
        statuses = self.put_there or self.moved_from or self.been
        return bool(self.put_on or self.taken_off or statuses or self.went)


class Errand(Struct, frozen=True, kw_only=True):
    """What one delivery is to do, whole, as it was decided.

    want: the core's words; None where only links or a note are written. changes: the remote's words, one request.
    expect: the remote version it was decided on. shows, hides: records that the target will show or no longer show.
    noted: records named in the note. create: for creates, what was known just before it was sent; created: the record
    that came of it, once that is known; carried: the keys of the tags that it was sent with; looked: with which
    memory (`marker.memory`) its marker was looked for before it was sent, and not found. farewell: the last write to
    a record that has left the item. planned: a row of an applied plan: the item asks for nothing, a person does.
    answered: how often the remote took it with an answer that does not show the record. behind: since when, in doubt,
    reading and history do not go together.
    """

    want: Want | None = None
    changes: Changes = Changes()
    expect: str = ""
    shows: frozenset[str] = frozenset()
    hides: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()
    create: CreateIntent | None = None
    created: RecordRef | None = None
    carried: frozenset[str] = frozenset()
    source_record: int | None = None
    looked: str | None = None
    farewell: bool = False
    planned: bool = False
    answered: int = 0
    behind: datetime | None = None

    @property
    def intent(self) -> Intent:
        """The errand as an input of the core."""
        want = self.want or Want()
        return Intent(
            version=self.expect,
            status=want.status,
            final=want.final,
            said=want.said,
            add=want.add,
            remove=want.remove,
            set=want.set,
            set_said=want.set_said,
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """The canonical fields it writes."""
        names = []
        if self.want is not None and self.want.status is not None:
            names.append("status")
        if self.want is not None and (self.want.add or self.want.remove):
            names.append("tags")
        if self.want is not None:
            names += sorted(self.want.set)
        if self.shows or self.hides or self.noted:
            names.append("links")
        return tuple(names)


def bare(errand: Errand) -> Errand:
    """What is kept of a delivery that is over: which fields of which records it was about, and nobody's words or name.

    Titles, notes, drafts and the values of fields are needed only while it may still be sent.
    """
    changes = errand.changes
    kept = structs.replace(
        changes,
        add_links=tuple(structs.replace(link, title="") for link in changes.add_links),
        note="",
        set=dict.fromkeys(changes.set),
        status=None if changes.status is None else structs.replace(changes.status, fields={}),
    )
    return structs.replace(errand, create=None, changes=kept)


def encode(value: object) -> bytes:
    """Encode any column value, the same bytes for the same value."""
    return _encoder.encode(value)


def _reader(kind: type[_T]) -> msgspec.json.Decoder[_T]:
    return msgspec.json.Decoder(kind)


_snapshot = _reader(Snapshot)
_item = _reader(ItemState)
_base = _reader(Base)
_errand = _reader(Errand)
_moves = _reader(tuple[Move, ...])
_texts = _reader(dict[str, str])
_capabilities = _reader(Capabilities)
_any = msgspec.json.Decoder()


def snapshot(body: bytes) -> Snapshot:
    """A `records.body`."""
    return _snapshot.decode(body)


def item_state(body: bytes) -> ItemState:
    """An `items.state`."""
    return _item.decode(body)


def base(body: bytes) -> Base:
    """A `links.base`."""
    return _base.decode(body)


def errand(body: bytes) -> Errand:
    """A `deliveries.want`."""
    return _errand.decode(body)


def moves(body: bytes) -> tuple[Move, ...]:
    """A `workflows.moves`."""
    return _moves.decode(body)


def texts(body: bytes) -> dict[str, str]:
    """An `items.tag_texts`."""
    return _texts.decode(body)


def capabilities(body: bytes) -> Capabilities:
    """A `connections.capabilities`."""
    return _capabilities.decode(body)


def plain(body: bytes) -> Json:
    """Any other encoded column."""
    return _any.decode(body)
