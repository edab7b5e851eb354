"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite gives automatic ids to INTEGER keys only.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.String(length=27)


def upgrade() -> None:
    """Go from nothing to 0001."""
    op.create_table(
        "commands",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("verb", sa.String(length=32), nullable=False),
        sa.Column("args", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "conflicts",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("other_record_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("lost", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflicts")),
    )
    op.create_index("ix_conflicts_item", "conflicts", ["item_id"], unique=False)
    op.create_table(
        "connections",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("account", sa.Text(), server_default="", nullable=False),
        sa.Column("mode", sa.String(length=16), server_default="observe", nullable=False),
        sa.Column("live_since", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("capabilities", sa.LargeBinary(), nullable=True),
        sa.Column("down_since", MOMENT, nullable=True),
        sa.Column("down_why", sa.Text(), server_default="", nullable=False),
        sa.Column("breaker", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("name", name=op.f("uq_connections_name")),
    )
    op.create_table(
        "items",
        sa.Column("id", ID, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("tag_texts", sa.LargeBinary(), nullable=False),
        sa.Column("gen", ID, server_default="1", nullable=False),
        sa.Column("done_gen", ID, server_default="0", nullable=False),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fence", ID, server_default="0", nullable=False),
        sa.Column("cause", sa.String(length=128), server_default="", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_items_dirty",
        "items",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("gen > done_gen"),
        postgresql_where=sa.text("gen > done_gen"),
    )
    op.create_table(
        "journal",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("actor", sa.String(length=191), server_default="", nullable=False),
        sa.Column("remote_at", MOMENT, nullable=True),
        sa.Column("rule", sa.String(length=128), server_default="", nullable=False),
        sa.Column("delivery_id", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_item", "journal", ["item_id", "id"], unique=False)
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "plans",
        sa.Column("id", ID, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("undoes", ID, nullable=True),
        sa.Column("mappings", sa.Text(), server_default="", nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("max_writes", sa.Integer(), nullable=True),
        sa.Column("began_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("by", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "budgets",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("record", sa.String(length=191), nullable=False),
        sa.Column("next_free", sa.Float(), nullable=False),
        sa.Column("blocked_until", MOMENT, nullable=True),
        sa.Column("limit", sa.Integer(), nullable=True),
        sa.Column("remaining", sa.Integer(), nullable=True),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_budgets_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "name", "record", name=op.f("pk_budgets")),
    )
    op.create_table(
        "cursors",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("feed", sa.String(length=32), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("records", ID, server_default="0", nullable=False),
        sa.Column("pages", ID, server_default="0", nullable=False),
        sa.Column("total", ID, nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("moved_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_cursors_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "feed", name=op.f("pk_cursors")),
    )
    op.create_table(
        "gateway_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.String(length=191), server_default="", nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("op", sa.String(length=40), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_gateway_changes_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_gateway_changes_signature", "gateway_changes", ["connection_id", "signature", "version"], unique=False
    )
    op.create_table(
        "gateway_feeds",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("feed", sa.String(length=512), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("lines", ID, server_default="0", nullable=False),
        sa.Column("poisoned", ID, server_default="0", nullable=False),
        sa.Column("moved_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_gateway_feeds_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "feed", name=op.f("pk_gateway_feeds")),
    )
    op.create_table(
        "gateway_folds",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=512), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_gateway_folds_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "kind", "key", name=op.f("pk_gateway_folds")),
    )
    op.create_table(
        "gateway_signatures",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_gateway_signatures_connection_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", "signature", name=op.f("pk_gateway_signatures")),
    )
    op.create_index("uq_gateway_signatures_version", "gateway_signatures", ["connection_id", "version"], unique=True)
    op.create_table(
        "holds",
        sa.Column("id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=True),
        sa.Column("field", sa.String(length=64), server_default="", nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("samples", sa.LargeBinary(), nullable=True),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.Column("released_by", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_holds_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(
        "ix_holds_open",
        "holds",
        ["connection_id"],
        unique=False,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("call_id", sa.String(length=191), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_inbox_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
    )
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index("uq_inbox_call", "inbox", ["connection_id", "call_id"], unique=True)
    op.create_table(
        "parked",
        sa.Column("id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=True),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("delivery_id", sa.String(length=40), nullable=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_how", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_parked_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
    )
    op.create_index(
        "ix_parked_open",
        "parked",
        ["link_id", "field"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "people",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("remote_id", sa.String(length=191), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_people_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "remote_id", name=op.f("pk_people")),
    )
    op.create_table(
        "plan_rows",
        sa.Column("plan_id", ID, nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("item_id", ID, nullable=True),
        sa.Column("link_id", ID, nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("connection_id", ID, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("read_no", ID, nullable=True),
        sa.Column("delivery_id", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_rows_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "no", name=op.f("pk_plan_rows")),
    )
    op.create_index("ix_plan_rows_state", "plan_rows", ["plan_id", "state", "no"], unique=False)
    op.create_table(
        "records",
        sa.Column("id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("remote_id", sa.String(length=191), nullable=False),
        sa.Column("key", sa.String(length=191), server_default="", nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("read_no", ID, nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("presence", sa.String(length=16), server_default="present", nullable=False),
        sa.Column("missing_since", MOMENT, nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("swept_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_records_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
    )
    op.create_index("ix_records_key", "records", ["connection_id", "key"], unique=False)
    op.create_index("ix_records_swept", "records", ["connection_id", "swept_at"], unique=False)
    op.create_index("uq_records_identity", "records", ["connection_id", "remote_id", "kind"], unique=True)
    op.create_table(
        "refreshes",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("remote_id", sa.String(length=191), nullable=False),
        sa.Column("gen", ID, server_default="1", nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False),
        sa.Column("askers", sa.Text(), server_default="", nullable=False),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shown", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_refreshes_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "kind", "remote_id", name=op.f("pk_refreshes")),
    )
    op.create_index("ix_refreshes_asked", "refreshes", ["connection_id", "asked_at"], unique=False)
    op.create_table(
        "related",
        sa.Column("item_a", ID, nullable=False),
        sa.Column("item_b", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_a"], ["items.id"], name=op.f("fk_related_item_a")),
        sa.ForeignKeyConstraint(["item_b"], ["items.id"], name=op.f("fk_related_item_b")),
        sa.PrimaryKeyConstraint("item_a", "item_b", name=op.f("pk_related")),
    )
    op.create_table(
        "shadows",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("why", sa.String(length=32), server_default="", nullable=False),
        sa.Column("reached_at", MOMENT, nullable=True),
        sa.Column("other", sa.Text(), server_default="", nullable=False),
        sa.Column("other_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_shadows_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadows")),
    )
    op.create_index("ix_shadows_connection", "shadows", ["connection_id", "at"], unique=False)
    op.create_index(
        "ix_shadows_open",
        "shadows",
        ["link_id", "field"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "workflows",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("workflow", sa.String(length=191), nullable=False),
        sa.Column("raw", sa.String(length=191), nullable=False),
        sa.Column("moves", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_workflows_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", "workflow", "raw", name=op.f("pk_workflows")),
    )
    op.create_table(
        "writes",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(length=128), server_default="", nullable=False),
        sa.Column("delivery_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_writes_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_writes")),
    )
    op.create_index("ix_writes_connection_at", "writes", ["connection_id", "at"], unique=False)
    op.create_index("ix_writes_link_at", "writes", ["link_id", "field", "at"], unique=False)
    op.create_table(
        "aliases",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("alias", sa.String(length=191), nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_aliases_connection_id")),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_aliases_record_id")),
        sa.PrimaryKeyConstraint("connection_id", "alias", name=op.f("pk_aliases")),
    )
    op.create_table(
        "links",
        sa.Column("id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("made_by", sa.String(length=32), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("version", ID, server_default="1", nullable=False),
        sa.Column("base", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), server_default="", nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_why", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_links_item_id")),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_links_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_links_item", "links", ["item_id"], unique=False)
    op.create_index("ix_links_record", "links", ["record_id"], unique=False)
    op.create_index(
        "uq_links_record",
        "links",
        ["record_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "proposals",
        sa.Column("id", ID, nullable=False),
        sa.Column("one_id", ID, nullable=False),
        sa.Column("other_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.String(length=128), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_how", sa.String(length=16), server_default="", nullable=False),
        sa.Column("ended_by", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["one_id"], ["records.id"], name=op.f("fk_proposals_one_id")),
        sa.ForeignKeyConstraint(["other_id"], ["records.id"], name=op.f("fk_proposals_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_proposals_open",
        "proposals",
        ["id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_proposals_other", "proposals", ["other_id"], unique=False)
    op.create_index("uq_proposals_pair", "proposals", ["one_id", "other_id"], unique=True)
    op.create_table(
        "traces",
        sa.Column("record_id", ID, nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), server_default="", nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_traces_record_id")),
        sa.PrimaryKeyConstraint("record_id", "digest", name=op.f("pk_traces")),
    )
    op.create_index("ix_traces_digest", "traces", ["digest"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=True),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("want", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.String(length=64), server_default="", nullable=False),
        sa.Column("route", sa.String(length=128), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("in_doubt_since", MOMENT, nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.String(length=32), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("cause", sa.String(length=128), server_default="", nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_deliveries_connection_id")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_deliveries_item_id")),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_deliveries_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_cause", "deliveries", ["connection_id", "cause", "made_at"], unique=False)
    op.create_index("ix_deliveries_state", "deliveries", ["state", "not_before"], unique=False)
    op.create_index(
        "uq_deliveries_open",
        "deliveries",
        ["link_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'sending', 'in_doubt')"),
        postgresql_where=sa.text("state IN ('waiting', 'sending', 'in_doubt')"),
    )
    op.create_index(
        "uq_deliveries_route",
        "deliveries",
        ["item_id", "connection_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'create' AND state <> 'superseded'"),
        postgresql_where=sa.text("kind = 'create' AND state <> 'superseded'"),
    )
