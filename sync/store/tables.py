"""The tables. What could identify a person is in `people`, in `records.body` and, scrubbed, in the two bodies of the
gateway (names of consumers, samples of answers), and nowhere else.

Encoded columns hold msgspec values (JSON): one column, one meaning, read and written by one module each. Times are
aware UTC, stored as text that sorts (`2026-01-02T03:04:05.678901Z`) by `Moment`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives automatic ids to INTEGER keys only."""


class Moment(TypeDecorator[datetime]):
    """An aware UTC time as fixed-width text, so that it sorts and compares alike in every database."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times: a time without a zone is a defect."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}: every stored time is aware")
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The time, aware and UTC."""
        return None if value is None else datetime.fromisoformat(value)


meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single facts: the daemon's lease, the restore mark, the counter of reads."""

connections = Table(
    "connections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("system", String(32), nullable=False),
    Column("role", String(16), nullable=False),
    Column("account", Text, nullable=False, server_default=""),
    Column("mode", String(16), nullable=False, server_default="observe"),  # observe | live | paused
    Column("live_since", Moment),
    Column("created_at", Moment, nullable=False),
    Column("capabilities", LargeBinary),
    Column("down_since", Moment),
    Column("down_why", Text, nullable=False, server_default=""),
    Column("breaker", LargeBinary),
)

records = Table(
    "records",
    metadata,
    Column("id", Id, primary_key=True),
    Column("connection_id", Id, ForeignKey("connections.id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("remote_id", String(191), nullable=False),
    Column("key", String(191), nullable=False, server_default=""),
    Column("url", Text, nullable=False, server_default=""),
    Column("version", String(64), nullable=False),
    Column("read_no", Id, nullable=False),
    Column("origin", String(8), nullable=False),
    Column("presence", String(16), nullable=False, server_default="present"),  # present | unreachable | merged | gone
    Column("missing_since", Moment),
    Column("digest", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),  # Snapshot
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("swept_at", Moment),  # when it was last read directly with its links, by a sweep or otherwise
    Index("uq_records_identity", "connection_id", "remote_id", "kind", unique=True),  # found by id alone, too
    Index("ix_records_key", "connection_id", "key"),
    Index("ix_records_swept", "connection_id", "swept_at"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("alias", String(191), primary_key=True),
    Column("record_id", Id, ForeignKey("records.id"), nullable=False),
)
"""Former keys, merged ids and link references by which a record is also known."""

items = Table(
    "items",
    metadata,
    Column("id", Id, primary_key=True),
    Column("state", LargeBinary, nullable=False),  # ItemState
    Column("tag_texts", LargeBinary, nullable=False),  # {key: text}
    Column("gen", Id, nullable=False, server_default="1"),
    Column("done_gen", Id, nullable=False, server_default="0"),
    Column("not_before", Moment),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("fence", Id, nullable=False, server_default="0"),
    Column("cause", String(128), nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_items_dirty", "not_before", sqlite_where=text("gen > done_gen"), postgresql_where=text("gen > done_gen")),
    sqlite_autoincrement=True,
)
"""`hc-<id>`, never reused. Dirty while `gen > done_gen`."""

links = Table(
    "links",
    metadata,
    Column("id", Id, primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("record_id", Id, ForeignKey("records.id"), nullable=False),
    Column("made_by", String(32), nullable=False),  # route | shown | command | merge | record | proposal
    Column("made_at", Moment, nullable=False),
    Column("version", Id, nullable=False, server_default="1"),
    Column("base", LargeBinary, nullable=False),  # Base: status, tags, links
    Column("fingerprint", String(64), nullable=False, server_default=""),
    Column("ended_at", Moment),
    Column("ended_why", String(64), nullable=False, server_default=""),
    Index(
        "uq_links_record",
        "record_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_links_item", "item_id"),
    Index("ix_links_record", "record_id"),  # ended ones too
    sqlite_autoincrement=True,
)

related = Table(
    "related",
    metadata,
    Column("item_a", Id, ForeignKey("items.id"), primary_key=True),
    Column("item_b", Id, ForeignKey("items.id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("why", Text, nullable=False),
)
"""Items that somebody linked although each has a tracker issue: shown to a person, never joined silently."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("link_id", Id, ForeignKey("links.id")),
    Column("connection_id", Id, ForeignKey("connections.id"), nullable=False),
    Column("kind", String(8), nullable=False),  # write | create
    Column("state", String(12), nullable=False),  # waiting | sending | in_doubt | settled | superseded | parked
    Column("want", LargeBinary, nullable=False),  # Errand
    Column("version", String(64), nullable=False, server_default=""),
    Column("route", String(128), nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Moment),
    Column("sent_at", Moment),
    Column("in_doubt_since", Moment),
    Column("settled_at", Moment),
    Column("outcome", String(32), nullable=False, server_default=""),
    Column("error", Text, nullable=False, server_default=""),
    Column("cause", String(128), nullable=False, server_default=""),
    Column("made_at", Moment, nullable=False),
    Index(
        "uq_deliveries_open",
        "link_id",
        unique=True,
        sqlite_where=text("state IN ('waiting', 'sending', 'in_doubt')"),
        postgresql_where=text("state IN ('waiting', 'sending', 'in_doubt')"),
    ),
    Index(
        "uq_deliveries_route",
        "item_id",
        "connection_id",
        unique=True,
        sqlite_where=text("kind = 'create' AND state <> 'superseded'"),
        postgresql_where=text("kind = 'create' AND state <> 'superseded'"),
    ),
    Index("ix_deliveries_state", "state", "not_before"),
    Index("ix_deliveries_cause", "connection_id", "cause", "made_at"),
)
"""The outbox. At most one open delivery per link; at most one create per (item, connection), ever."""

writes = Table(
    "writes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("connection_id", Id, ForeignKey("connections.id"), nullable=False),
    Column("link_id", Id, nullable=False),
    Column("field", String(64), nullable=False),
    Column("value", Text, nullable=False),
    Column("cause", String(128), nullable=False, server_default=""),
    Column("delivery_id", String(40), nullable=False),
    Index("ix_writes_link_at", "link_id", "field", "at"),
    Index("ix_writes_connection_at", "connection_id", "at"),
)
"""What was written, for the breaker (the same value again and again) and the brake (many from one cause)."""

journal = Table(
    "journal",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("item_id", Id, nullable=False),
    Column("field", String(64), nullable=False),
    Column("old", Text),
    Column("new", Text),
    Column("record_id", Id),
    Column("actor", String(191), nullable=False, server_default=""),
    Column("remote_at", Moment),
    Column("rule", String(128), nullable=False, server_default=""),
    Column("delivery_id", String(40)),
    Index("ix_journal_item", "item_id", "id"),
)
"""Append-only: every change of an item and every write, with who, when, from where, by which rule."""

conflicts = Table(
    "conflicts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("item_id", Id, nullable=False),
    Column("record_id", Id),
    Column("other_record_id", Id),
    Column("kind", String(32), nullable=False),
    Column("field", String(64), nullable=False),
    Column("kept", Text, nullable=False),
    Column("lost", Text, nullable=False),
    Index("ix_conflicts_item", "item_id"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("connection_id", Id, ForeignKey("connections.id"), nullable=False),
    Column("link_id", Id),
    Column("field", String(64), nullable=False, server_default=""),
    Column("reason", String(32), nullable=False),
    Column("since", Moment, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("count", Integer, nullable=False, server_default="0"),
    Column("samples", LargeBinary),
    Column("released_at", Moment),
    Column("released_by", String(64), nullable=False, server_default=""),
    Index(
        "ix_holds_open",
        "connection_id",
        sqlite_where=text("released_at IS NULL"),
        postgresql_where=text("released_at IS NULL"),
    ),
)

parked = Table(
    "parked",
    metadata,
    Column("id", Id, primary_key=True),
    Column("item_id", Id, nullable=False),
    Column("link_id", Id),
    Column("connection_id", Id, ForeignKey("connections.id"), nullable=False),
    Column("field", String(64), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("wanted", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("delivery_id", String(40)),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ended_how", String(64), nullable=False, server_default=""),
    Index(
        "ix_parked_open",
        "link_id",
        "field",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("connection_id", Id, ForeignKey("connections.id"), nullable=False),
    Column("call_id", String(191), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("done_at", Moment),
    Index("uq_inbox_call", "connection_id", "call_id", unique=True),
    Index("ix_inbox_waiting", "id", sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL")),
)

refreshes = Table(
    "refreshes",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("remote_id", String(191), primary_key=True),
    Column("gen", Id, nullable=False, server_default="1"),
    Column("asked_at", Moment, nullable=False),
    Column("why", String(32), nullable=False),  # hook | list | doubt | member | sweep | command | confirm | history
    Column("askers", Text, nullable=False, server_default=""),  # ",7,12,": the records that wait for what it shows
    Column("not_before", Moment),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("shown", String(64), nullable=False, server_default=""),  # the newest version that a list has shown
    Index("ix_refreshes_asked", "connection_id", "asked_at"),
)
"""Records to be read directly. Deleted when read; `gen` tells whether it was asked for again meanwhile."""

cursors = Table(
    "cursors",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("feed", String(32), primary_key=True),  # live | import
    Column("cursor", Text),
    Column("since", Moment, nullable=False),
    Column("records", Id, nullable=False, server_default="0"),
    Column("pages", Id, nullable=False, server_default="0"),
    Column("total", Id),
    Column("started_at", Moment, nullable=False),
    Column("moved_at", Moment, nullable=False),
    Column("finished_at", Moment),
)

workflows = Table(
    "workflows",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("workflow", String(191), primary_key=True),
    Column("raw", String(191), primary_key=True),
    Column("moves", LargeBinary, nullable=False),  # tuple[Move]
    Column("seen_at", Moment, nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("record", String(191), primary_key=True),
    Column("next_free", Float, nullable=False),  # seconds since the epoch: the GCRA's theoretical arrival time
    Column("blocked_until", Moment),
    Column("limit", Integer),
    Column("remaining", Integer),
    Column("read_at", Moment),
)

people = Table(
    "people",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("remote_id", String(191), primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    Column("seen_at", Moment, nullable=False),
)

commands = Table(
    "commands",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("verb", String(32), nullable=False),
    Column("args", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("done_at", Moment),
    sqlite_autoincrement=True,
)
"""Requests of the command line to the running daemon, and its answers."""

traces = Table(
    "traces",
    metadata,
    Column("record_id", Id, ForeignKey("records.id"), primary_key=True),
    Column("digest", String(32), primary_key=True),
    Column("kind", String(16), nullable=False, server_default=""),  # request_id | trace_id | "" for a mention
    Column("seen_at", Moment, nullable=False),
    Index("ix_traces_digest", "digest"),
)
"""Ids of calls that records have or mention, as digests."""

proposals = Table(
    "proposals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("one_id", Id, ForeignKey("records.id"), nullable=False),  # the smaller of the two
    Column("other_id", Id, ForeignKey("records.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # request_id | trace_id
    Column("evidence", String(128), nullable=False),  # the id that both name
    Column("made_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ended_how", String(16), nullable=False, server_default=""),  # accepted | refused
    Column("ended_by", String(64), nullable=False, server_default=""),
    Index("uq_proposals_pair", "one_id", "other_id", unique=True),
    Index("ix_proposals_other", "other_id"),
    Index("ix_proposals_open", "id", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
    sqlite_autoincrement=True,
)
"""Pairs of records that name the same call or trace: a person says whether they belong together. Asked once."""

plans = Table(
    "plans",
    metadata,
    Column("id", Id, primary_key=True),
    Column("made_at", Moment, nullable=False),
    Column("kind", String(8), nullable=False),  # apply | undo
    Column("undoes", Id),  # the plan that this one takes back
    Column("mappings", Text, nullable=False, server_default=""),  # the folder it was made with
    Column("fingerprint", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("summary", LargeBinary, nullable=False),  # Summary
    Column("state", String(12), nullable=False),  # made | applying | stopping | stopped | done
    Column("max_writes", Integer),  # rows that may be begun in all, those of earlier times with them
    Column("began_at", Moment),
    Column("ended_at", Moment),
    Column("by", String(64), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""What an edited mapping would do to the records that are known, as it was shown to a person."""

plan_rows = Table(
    "plan_rows",
    metadata,
    Column("plan_id", Id, ForeignKey("plans.id"), primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),  # write | item | create | join
    Column("item_id", Id),
    Column("link_id", Id),
    Column("record_id", Id),
    Column("connection_id", Id),
    Column("body", LargeBinary, nullable=False),  # Row
    Column("state", String(12), nullable=False),  # planned | asked | sent | done | refused | failed | left
    Column("read_no", Id),  # of the record when it was asked for
    Column("delivery_id", String(40)),
    Column("detail", Text, nullable=False, server_default=""),
    Column("at", Moment, nullable=False),
    Index("ix_plan_rows_state", "plan_id", "state", "no"),
)
"""One thing a plan does, and how far it has come."""

shadows = Table(
    "shadows",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("connection_id", Id, ForeignKey("connections.id"), nullable=False),
    Column("item_id", Id, nullable=False),
    Column("link_id", Id, nullable=False),
    Column("record_id", Id, nullable=False),
    Column("field", String(64), nullable=False),
    Column("before", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("why", String(32), nullable=False, server_default=""),
    Column("reached_at", Moment),
    Column("other", Text, nullable=False, server_default=""),  # the first other value that somebody gave it
    Column("other_at", Moment),
    Column("ended_at", Moment),  # a newer one took its place, or it was reached
    Index(
        "ix_shadows_open",
        "link_id",
        "field",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_shadows_connection", "connection_id", "at"),
)
"""What would have been written to a connection in shadow mode, and what people did there afterwards."""

gateway_signatures = Table(
    "gateway_signatures",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("signature", String(64), primary_key=True),
    Column("version", Id, nullable=False),  # counts every change of the connection's ledger
    Column("state", String(16), nullable=False),  # open | acknowledged | resolved | regressed | muted
    Column("entry", LargeBinary, nullable=False),  # connectors.gateway.ledger.Entry
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("uq_gateway_signatures_version", "connection_id", "version", unique=True),
)
"""The signatures that crossed their threshold: the hub is their home, so this is their remote system."""

gateway_changes = Table(
    "gateway_changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("connection_id", Id, ForeignKey("connections.id"), nullable=False),
    Column("signature", String(64), nullable=False),
    Column("version", Id, nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", String(8), nullable=False),  # hub | rule | person
    Column("actor", String(191), nullable=False, server_default=""),
    Column("field", String(32), nullable=False),
    Column("old", Text),
    Column("new", Text),
    Column("op", String(40), nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Index("ix_gateway_changes_signature", "connection_id", "signature", "version"),
    sqlite_autoincrement=True,
)
"""Append-only: the change history of each signature."""

gateway_folds = Table(
    "gateway_folds",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("key", String(512), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # connectors.gateway.fold.FoldRow
)
"""What the lines of a gateway were folded into, opaque to all but the fold; stored with `gateway_feeds` in one step."""

gateway_feeds = Table(
    "gateway_feeds",
    metadata,
    Column("connection_id", Id, ForeignKey("connections.id"), primary_key=True),
    Column("feed", String(512), primary_key=True),
    Column("place", LargeBinary, nullable=False),  # connectors.gateway.places
    Column("lines", Id, nullable=False, server_default="0"),
    Column("poisoned", Id, nullable=False, server_default="0"),
    Column("moved_at", Moment, nullable=False),
)
"""How far each feed of a gateway was folded."""
