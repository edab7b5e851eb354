BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE aliases (
	connection_id INTEGER NOT NULL, 
	alias VARCHAR(191) NOT NULL, 
	record_id INTEGER NOT NULL, 
	CONSTRAINT pk_aliases PRIMARY KEY (connection_id, alias), 
	CONSTRAINT fk_aliases_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id), 
	CONSTRAINT fk_aliases_record_id FOREIGN KEY(record_id) REFERENCES records (id)
);
CREATE TABLE budgets (
	connection_id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	record VARCHAR(191) NOT NULL, 
	next_free FLOAT NOT NULL, 
	blocked_until VARCHAR(27), 
	"limit" INTEGER, 
	remaining INTEGER, 
	read_at VARCHAR(27), 
	CONSTRAINT pk_budgets PRIMARY KEY (connection_id, name, record), 
	CONSTRAINT fk_budgets_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE commands (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at VARCHAR(27) NOT NULL, 
	verb VARCHAR(32) NOT NULL, 
	args BLOB NOT NULL, 
	answer BLOB, 
	done_at VARCHAR(27)
);
CREATE TABLE conflicts (
	id INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	item_id INTEGER NOT NULL, 
	record_id INTEGER, 
	other_record_id INTEGER, 
	kind VARCHAR(32) NOT NULL, 
	field VARCHAR(64) NOT NULL, 
	kept TEXT NOT NULL, 
	lost TEXT NOT NULL, 
	CONSTRAINT pk_conflicts PRIMARY KEY (id)
);
CREATE TABLE connections (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	system VARCHAR(32) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	account TEXT DEFAULT '' NOT NULL, 
	mode VARCHAR(16) DEFAULT 'observe' NOT NULL, 
	live_since VARCHAR(27), 
	created_at VARCHAR(27) NOT NULL, 
	capabilities BLOB, 
	down_since VARCHAR(27), 
	down_why TEXT DEFAULT '' NOT NULL, 
	breaker BLOB, 
	CONSTRAINT pk_connections PRIMARY KEY (id), 
	CONSTRAINT uq_connections_name UNIQUE (name)
);
CREATE TABLE cursors (
	connection_id INTEGER NOT NULL, 
	feed VARCHAR(32) NOT NULL, 
	cursor TEXT, 
	since VARCHAR(27) NOT NULL, 
	records INTEGER DEFAULT '0' NOT NULL, 
	pages INTEGER DEFAULT '0' NOT NULL, 
	total INTEGER, 
	started_at VARCHAR(27) NOT NULL, 
	moved_at VARCHAR(27) NOT NULL, 
	finished_at VARCHAR(27), 
	CONSTRAINT pk_cursors PRIMARY KEY (connection_id, feed), 
	CONSTRAINT fk_cursors_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE deliveries (
	id VARCHAR(40) NOT NULL, 
	item_id INTEGER NOT NULL, 
	link_id INTEGER, 
	connection_id INTEGER NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	want BLOB NOT NULL, 
	version VARCHAR(64) DEFAULT '' NOT NULL, 
	route VARCHAR(128) DEFAULT '' NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	not_before VARCHAR(27), 
	sent_at VARCHAR(27), 
	in_doubt_since VARCHAR(27), 
	settled_at VARCHAR(27), 
	outcome VARCHAR(32) DEFAULT '' NOT NULL, 
	error TEXT DEFAULT '' NOT NULL, 
	cause VARCHAR(128) DEFAULT '' NOT NULL, 
	made_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_deliveries PRIMARY KEY (id), 
	CONSTRAINT fk_deliveries_item_id FOREIGN KEY(item_id) REFERENCES items (id), 
	CONSTRAINT fk_deliveries_link_id FOREIGN KEY(link_id) REFERENCES links (id), 
	CONSTRAINT fk_deliveries_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE gateway_changes (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	connection_id INTEGER NOT NULL, 
	signature VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	"by" VARCHAR(8) NOT NULL, 
	actor VARCHAR(191) DEFAULT '' NOT NULL, 
	field VARCHAR(32) NOT NULL, 
	old TEXT, 
	new TEXT, 
	op VARCHAR(40) DEFAULT '' NOT NULL, 
	why TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT fk_gateway_changes_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE gateway_feeds (
	connection_id INTEGER NOT NULL, 
	feed VARCHAR(512) NOT NULL, 
	place BLOB NOT NULL, 
	lines INTEGER DEFAULT '0' NOT NULL, 
	poisoned INTEGER DEFAULT '0' NOT NULL, 
	moved_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_gateway_feeds PRIMARY KEY (connection_id, feed), 
	CONSTRAINT fk_gateway_feeds_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE gateway_folds (
	connection_id INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	"key" VARCHAR(512) NOT NULL, 
	body BLOB NOT NULL, 
	CONSTRAINT pk_gateway_folds PRIMARY KEY (connection_id, kind, "key"), 
	CONSTRAINT fk_gateway_folds_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE gateway_signatures (
	connection_id INTEGER NOT NULL, 
	signature VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	entry BLOB NOT NULL, 
	opened_at VARCHAR(27) NOT NULL, 
	updated_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_gateway_signatures PRIMARY KEY (connection_id, signature), 
	CONSTRAINT fk_gateway_signatures_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE holds (
	id INTEGER NOT NULL, 
	connection_id INTEGER NOT NULL, 
	link_id INTEGER, 
	field VARCHAR(64) DEFAULT '' NOT NULL, 
	reason VARCHAR(32) NOT NULL, 
	since VARCHAR(27) NOT NULL, 
	detail TEXT DEFAULT '' NOT NULL, 
	count INTEGER DEFAULT '0' NOT NULL, 
	samples BLOB, 
	released_at VARCHAR(27), 
	released_by VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_holds PRIMARY KEY (id), 
	CONSTRAINT fk_holds_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE inbox (
	id INTEGER NOT NULL, 
	connection_id INTEGER NOT NULL, 
	call_id VARCHAR(191) NOT NULL, 
	received_at VARCHAR(27) NOT NULL, 
	body BLOB NOT NULL, 
	done_at VARCHAR(27), 
	CONSTRAINT pk_inbox PRIMARY KEY (id), 
	CONSTRAINT fk_inbox_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE items (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	state BLOB NOT NULL, 
	tag_texts BLOB NOT NULL, 
	gen INTEGER DEFAULT '1' NOT NULL, 
	done_gen INTEGER DEFAULT '0' NOT NULL, 
	not_before VARCHAR(27), 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	fence INTEGER DEFAULT '0' NOT NULL, 
	cause VARCHAR(128) DEFAULT '' NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	updated_at VARCHAR(27) NOT NULL
);
CREATE TABLE journal (
	id INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	item_id INTEGER NOT NULL, 
	field VARCHAR(64) NOT NULL, 
	old TEXT, 
	new TEXT, 
	record_id INTEGER, 
	actor VARCHAR(191) DEFAULT '' NOT NULL, 
	remote_at VARCHAR(27), 
	rule VARCHAR(128) DEFAULT '' NOT NULL, 
	delivery_id VARCHAR(40), 
	CONSTRAINT pk_journal PRIMARY KEY (id)
);
CREATE TABLE links (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	item_id INTEGER NOT NULL, 
	record_id INTEGER NOT NULL, 
	made_by VARCHAR(32) NOT NULL, 
	made_at VARCHAR(27) NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	base BLOB NOT NULL, 
	fingerprint VARCHAR(64) DEFAULT '' NOT NULL, 
	ended_at VARCHAR(27), 
	ended_why VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT fk_links_item_id FOREIGN KEY(item_id) REFERENCES items (id), 
	CONSTRAINT fk_links_record_id FOREIGN KEY(record_id) REFERENCES records (id)
);
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
CREATE TABLE parked (
	id INTEGER NOT NULL, 
	item_id INTEGER NOT NULL, 
	link_id INTEGER, 
	connection_id INTEGER NOT NULL, 
	field VARCHAR(64) NOT NULL, 
	reason VARCHAR(32) NOT NULL, 
	wanted TEXT NOT NULL, 
	shown TEXT NOT NULL, 
	detail TEXT DEFAULT '' NOT NULL, 
	delivery_id VARCHAR(40), 
	since VARCHAR(27) NOT NULL, 
	ended_at VARCHAR(27), 
	ended_how VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_parked PRIMARY KEY (id), 
	CONSTRAINT fk_parked_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE people (
	connection_id INTEGER NOT NULL, 
	remote_id VARCHAR(191) NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	email TEXT DEFAULT '' NOT NULL, 
	seen_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_people PRIMARY KEY (connection_id, remote_id), 
	CONSTRAINT fk_people_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE plan_rows (
	plan_id INTEGER NOT NULL, 
	no INTEGER NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	item_id INTEGER, 
	link_id INTEGER, 
	record_id INTEGER, 
	connection_id INTEGER, 
	body BLOB NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	read_no INTEGER, 
	delivery_id VARCHAR(40), 
	detail TEXT DEFAULT '' NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_plan_rows PRIMARY KEY (plan_id, no), 
	CONSTRAINT fk_plan_rows_plan_id FOREIGN KEY(plan_id) REFERENCES plans (id)
);
CREATE TABLE plans (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	made_at VARCHAR(27) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	undoes INTEGER, 
	mappings TEXT DEFAULT '' NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	summary BLOB NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	max_writes INTEGER, 
	began_at VARCHAR(27), 
	ended_at VARCHAR(27), 
	"by" VARCHAR(64) DEFAULT '' NOT NULL
);
CREATE TABLE proposals (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	one_id INTEGER NOT NULL, 
	other_id INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	evidence VARCHAR(128) NOT NULL, 
	made_at VARCHAR(27) NOT NULL, 
	ended_at VARCHAR(27), 
	ended_how VARCHAR(16) DEFAULT '' NOT NULL, 
	ended_by VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT fk_proposals_one_id FOREIGN KEY(one_id) REFERENCES records (id), 
	CONSTRAINT fk_proposals_other_id FOREIGN KEY(other_id) REFERENCES records (id)
);
CREATE TABLE records (
	id INTEGER NOT NULL, 
	connection_id INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	remote_id VARCHAR(191) NOT NULL, 
	"key" VARCHAR(191) DEFAULT '' NOT NULL, 
	url TEXT DEFAULT '' NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	read_no INTEGER NOT NULL, 
	origin VARCHAR(8) NOT NULL, 
	presence VARCHAR(16) DEFAULT 'present' NOT NULL, 
	missing_since VARCHAR(27), 
	digest VARCHAR(64) NOT NULL, 
	body BLOB NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	updated_at VARCHAR(27) NOT NULL, 
	seen_at VARCHAR(27) NOT NULL, 
	swept_at VARCHAR(27), 
	CONSTRAINT pk_records PRIMARY KEY (id), 
	CONSTRAINT fk_records_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE refreshes (
	connection_id INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	remote_id VARCHAR(191) NOT NULL, 
	gen INTEGER DEFAULT '1' NOT NULL, 
	asked_at VARCHAR(27) NOT NULL, 
	why VARCHAR(32) NOT NULL, 
	askers TEXT DEFAULT '' NOT NULL, 
	not_before VARCHAR(27), 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	shown VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_refreshes PRIMARY KEY (connection_id, kind, remote_id), 
	CONSTRAINT fk_refreshes_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE related (
	item_a INTEGER NOT NULL, 
	item_b INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	why TEXT NOT NULL, 
	CONSTRAINT pk_related PRIMARY KEY (item_a, item_b), 
	CONSTRAINT fk_related_item_a FOREIGN KEY(item_a) REFERENCES items (id), 
	CONSTRAINT fk_related_item_b FOREIGN KEY(item_b) REFERENCES items (id)
);
CREATE TABLE shadows (
	id INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	connection_id INTEGER NOT NULL, 
	item_id INTEGER NOT NULL, 
	link_id INTEGER NOT NULL, 
	record_id INTEGER NOT NULL, 
	field VARCHAR(64) NOT NULL, 
	"before" TEXT NOT NULL, 
	wanted TEXT NOT NULL, 
	why VARCHAR(32) DEFAULT '' NOT NULL, 
	reached_at VARCHAR(27), 
	other TEXT DEFAULT '' NOT NULL, 
	other_at VARCHAR(27), 
	ended_at VARCHAR(27), 
	CONSTRAINT pk_shadows PRIMARY KEY (id), 
	CONSTRAINT fk_shadows_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE traces (
	record_id INTEGER NOT NULL, 
	digest VARCHAR(32) NOT NULL, 
	kind VARCHAR(16) DEFAULT '' NOT NULL, 
	seen_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_traces PRIMARY KEY (record_id, digest), 
	CONSTRAINT fk_traces_record_id FOREIGN KEY(record_id) REFERENCES records (id)
);
CREATE TABLE workflows (
	connection_id INTEGER NOT NULL, 
	workflow VARCHAR(191) NOT NULL, 
	raw VARCHAR(191) NOT NULL, 
	moves BLOB NOT NULL, 
	seen_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_workflows PRIMARY KEY (connection_id, workflow, raw), 
	CONSTRAINT fk_workflows_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE TABLE writes (
	id INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	connection_id INTEGER NOT NULL, 
	link_id INTEGER NOT NULL, 
	field VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	cause VARCHAR(128) DEFAULT '' NOT NULL, 
	delivery_id VARCHAR(40) NOT NULL, 
	CONSTRAINT pk_writes PRIMARY KEY (id), 
	CONSTRAINT fk_writes_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
CREATE INDEX ix_items_dirty ON items (not_before) WHERE gen > done_gen;
CREATE INDEX ix_journal_item ON journal (item_id, id);
CREATE INDEX ix_conflicts_item ON conflicts (item_id);
CREATE UNIQUE INDEX uq_records_identity ON records (connection_id, remote_id, kind);
CREATE INDEX ix_records_key ON records (connection_id, "key");
CREATE INDEX ix_records_swept ON records (connection_id, swept_at);
CREATE INDEX ix_writes_link_at ON writes (link_id, field, at);
CREATE INDEX ix_writes_connection_at ON writes (connection_id, at);
CREATE INDEX ix_holds_open ON holds (connection_id) WHERE released_at IS NULL;
CREATE INDEX ix_parked_open ON parked (link_id, field) WHERE ended_at IS NULL;
CREATE INDEX ix_inbox_waiting ON inbox (id) WHERE done_at IS NULL;
CREATE UNIQUE INDEX uq_inbox_call ON inbox (connection_id, call_id);
CREATE INDEX ix_refreshes_asked ON refreshes (connection_id, asked_at);
CREATE INDEX ix_plan_rows_state ON plan_rows (plan_id, state, no);
CREATE INDEX ix_shadows_open ON shadows (link_id, field) WHERE ended_at IS NULL;
CREATE INDEX ix_shadows_connection ON shadows (connection_id, at);
CREATE UNIQUE INDEX uq_gateway_signatures_version ON gateway_signatures (connection_id, version);
CREATE INDEX ix_gateway_changes_signature ON gateway_changes (connection_id, signature, version);
CREATE UNIQUE INDEX uq_links_record ON links (record_id) WHERE ended_at IS NULL;
CREATE INDEX ix_links_record ON links (record_id);
CREATE INDEX ix_links_item ON links (item_id);
CREATE INDEX ix_traces_digest ON traces (digest);
CREATE INDEX ix_proposals_other ON proposals (other_id);
CREATE UNIQUE INDEX uq_proposals_pair ON proposals (one_id, other_id);
CREATE INDEX ix_proposals_open ON proposals (id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX uq_deliveries_route ON deliveries (item_id, connection_id) WHERE kind = 'create' AND state <> 'superseded';
CREATE UNIQUE INDEX uq_deliveries_open ON deliveries (link_id) WHERE state IN ('waiting', 'sending', 'in_doubt');
CREATE INDEX ix_deliveries_state ON deliveries (state, not_before);
CREATE INDEX ix_deliveries_cause ON deliveries (connection_id, cause, made_at);
DELETE FROM "sqlite_sequence";
COMMIT;
