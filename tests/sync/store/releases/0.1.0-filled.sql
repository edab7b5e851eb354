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
INSERT INTO "aliases" VALUES(1,'aliases alias 1',1);
INSERT INTO "aliases" VALUES(2,'aliases alias 2',2);
INSERT INTO "aliases" VALUES(3,'aliases alias 3',3);
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
INSERT INTO "budgets" VALUES(1,'budgets name 1','budgets record 1',1.5,'2026-01-03T03:04:05.678901Z',1,1,'2026-01-03T03:04:05.678901Z');
INSERT INTO "budgets" VALUES(2,'budgets name 2','budgets record 2',2.5,'2026-01-04T03:04:05.678901Z',2,2,'2026-01-04T03:04:05.678901Z');
INSERT INTO "budgets" VALUES(3,'budgets name 3','budgets record 3',3.5,'2026-01-05T03:04:05.678901Z',3,3,'2026-01-05T03:04:05.678901Z');
CREATE TABLE commands (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at VARCHAR(27) NOT NULL, 
	verb VARCHAR(32) NOT NULL, 
	args BLOB NOT NULL, 
	answer BLOB, 
	done_at VARCHAR(27)
);
INSERT INTO "commands" VALUES(1,'2026-01-03T03:04:05.678901Z','commands verb 1',X'7B226E756D626572223A317D',X'7B226E756D626572223A317D','2026-01-03T03:04:05.678901Z');
INSERT INTO "commands" VALUES(2,'2026-01-04T03:04:05.678901Z','commands verb 2',X'7B226E756D626572223A327D',X'7B226E756D626572223A327D','2026-01-04T03:04:05.678901Z');
INSERT INTO "commands" VALUES(3,'2026-01-05T03:04:05.678901Z','commands verb 3',X'7B226E756D626572223A337D',X'7B226E756D626572223A337D','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "conflicts" VALUES(1,'2026-01-03T03:04:05.678901Z',1,1,1,'conflicts kind 1','conflicts field 1','conflicts kept 1','conflicts lost 1');
INSERT INTO "conflicts" VALUES(2,'2026-01-04T03:04:05.678901Z',2,2,2,'conflicts kind 2','conflicts field 2','conflicts kept 2','conflicts lost 2');
INSERT INTO "conflicts" VALUES(3,'2026-01-05T03:04:05.678901Z',3,3,3,'conflicts kind 3','conflicts field 3','conflicts kept 3','conflicts lost 3');
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
INSERT INTO "connections" VALUES(1,'connections name 1','connections system 1','helpdesk','connections account 1','live','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z',X'7B226E756D626572223A317D','2026-01-03T03:04:05.678901Z','connections down_why 1',X'7B226E756D626572223A317D');
INSERT INTO "connections" VALUES(2,'connections name 2','connections system 2','helpdesk','connections account 2','live','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z',X'7B226E756D626572223A327D','2026-01-04T03:04:05.678901Z','connections down_why 2',X'7B226E756D626572223A327D');
INSERT INTO "connections" VALUES(3,'connections name 3','connections system 3','helpdesk','connections account 3','live','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z',X'7B226E756D626572223A337D','2026-01-05T03:04:05.678901Z','connections down_why 3',X'7B226E756D626572223A337D');
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
INSERT INTO "cursors" VALUES(1,'cursors feed 1','cursors cursor 1','2026-01-03T03:04:05.678901Z',1,1,1,'2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z');
INSERT INTO "cursors" VALUES(2,'cursors feed 2','cursors cursor 2','2026-01-04T03:04:05.678901Z',2,2,2,'2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z');
INSERT INTO "cursors" VALUES(3,'cursors feed 3','cursors cursor 3','2026-01-05T03:04:05.678901Z',3,3,3,'2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "deliveries" VALUES('deliveries id 1',1,1,1,'write','settled',X'7B226E756D626572223A317D','deliveries version 1','deliveries route 1',1,'2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','deliveries outcome 1','deliveries error 1','deliveries cause 1','2026-01-03T03:04:05.678901Z');
INSERT INTO "deliveries" VALUES('deliveries id 2',2,2,2,'write','settled',X'7B226E756D626572223A327D','deliveries version 2','deliveries route 2',2,'2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','deliveries outcome 2','deliveries error 2','deliveries cause 2','2026-01-04T03:04:05.678901Z');
INSERT INTO "deliveries" VALUES('deliveries id 3',3,3,3,'write','settled',X'7B226E756D626572223A337D','deliveries version 3','deliveries route 3',3,'2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','deliveries outcome 3','deliveries error 3','deliveries cause 3','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "gateway_changes" VALUES(1,1,'gateway_changes signature 1',1,'2026-01-03T03:04:05.678901Z','gateway_','gateway_changes actor 1','gateway_changes field 1','gateway_changes old 1','gateway_changes new 1','gateway_changes op 1','gateway_changes why 1');
INSERT INTO "gateway_changes" VALUES(2,2,'gateway_changes signature 2',2,'2026-01-04T03:04:05.678901Z','gateway_','gateway_changes actor 2','gateway_changes field 2','gateway_changes old 2','gateway_changes new 2','gateway_changes op 2','gateway_changes why 2');
INSERT INTO "gateway_changes" VALUES(3,3,'gateway_changes signature 3',3,'2026-01-05T03:04:05.678901Z','gateway_','gateway_changes actor 3','gateway_changes field 3','gateway_changes old 3','gateway_changes new 3','gateway_changes op 3','gateway_changes why 3');
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
INSERT INTO "gateway_feeds" VALUES(1,'gateway_feeds feed 1',X'7B226E756D626572223A317D',1,1,'2026-01-03T03:04:05.678901Z');
INSERT INTO "gateway_feeds" VALUES(2,'gateway_feeds feed 2',X'7B226E756D626572223A327D',2,2,'2026-01-04T03:04:05.678901Z');
INSERT INTO "gateway_feeds" VALUES(3,'gateway_feeds feed 3',X'7B226E756D626572223A337D',3,3,'2026-01-05T03:04:05.678901Z');
CREATE TABLE gateway_folds (
	connection_id INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	"key" VARCHAR(512) NOT NULL, 
	body BLOB NOT NULL, 
	CONSTRAINT pk_gateway_folds PRIMARY KEY (connection_id, kind, "key"), 
	CONSTRAINT fk_gateway_folds_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
INSERT INTO "gateway_folds" VALUES(1,'gateway_folds kind 1','gateway_folds key 1',X'7B226E756D626572223A317D');
INSERT INTO "gateway_folds" VALUES(2,'gateway_folds kind 2','gateway_folds key 2',X'7B226E756D626572223A327D');
INSERT INTO "gateway_folds" VALUES(3,'gateway_folds kind 3','gateway_folds key 3',X'7B226E756D626572223A337D');
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
INSERT INTO "gateway_signatures" VALUES(1,'gateway_signatures signature 1',1,'gateway_signatur',X'7B226E756D626572223A317D','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z');
INSERT INTO "gateway_signatures" VALUES(2,'gateway_signatures signature 2',2,'gateway_signatur',X'7B226E756D626572223A327D','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z');
INSERT INTO "gateway_signatures" VALUES(3,'gateway_signatures signature 3',3,'gateway_signatur',X'7B226E756D626572223A337D','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "holds" VALUES(1,1,1,'holds field 1','holds reason 1','2026-01-03T03:04:05.678901Z','holds detail 1',1,X'7B226E756D626572223A317D','2026-01-03T03:04:05.678901Z','holds released_by 1');
INSERT INTO "holds" VALUES(2,2,2,'holds field 2','holds reason 2','2026-01-04T03:04:05.678901Z','holds detail 2',2,X'7B226E756D626572223A327D','2026-01-04T03:04:05.678901Z','holds released_by 2');
INSERT INTO "holds" VALUES(3,3,3,'holds field 3','holds reason 3','2026-01-05T03:04:05.678901Z','holds detail 3',3,X'7B226E756D626572223A337D','2026-01-05T03:04:05.678901Z','holds released_by 3');
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
INSERT INTO "inbox" VALUES(1,1,'inbox call_id 1','2026-01-03T03:04:05.678901Z',X'7B226E756D626572223A317D','2026-01-03T03:04:05.678901Z');
INSERT INTO "inbox" VALUES(2,2,'inbox call_id 2','2026-01-04T03:04:05.678901Z',X'7B226E756D626572223A327D','2026-01-04T03:04:05.678901Z');
INSERT INTO "inbox" VALUES(3,3,'inbox call_id 3','2026-01-05T03:04:05.678901Z',X'7B226E756D626572223A337D','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "items" VALUES(1,X'7B22737461747573223A2277616974696E67222C226661637473223A5B5D2C2273616964223A7B2268656C706465736B223A312C22747261636B6572223A327D2C226C696E65223A7B7D2C2274616773223A7B2273736F223A5B2268656C706465736B225D7D2C2277616974696E67223A5B5D2C2276616C756573223A7B7D7D',X'7B2273736F223A2253534F227D',1,1,'2026-01-03T03:04:05.678901Z',1,1,'items cause 1','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z');
INSERT INTO "items" VALUES(2,X'7B22737461747573223A2277616974696E67222C226661637473223A5B5D2C2273616964223A7B2268656C706465736B223A312C22747261636B6572223A327D2C226C696E65223A7B7D2C2274616773223A7B2273736F223A5B2268656C706465736B225D7D2C2277616974696E67223A5B5D2C2276616C756573223A7B7D7D',X'7B2273736F223A2253534F227D',2,2,'2026-01-04T03:04:05.678901Z',2,2,'items cause 2','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z');
INSERT INTO "items" VALUES(3,X'7B22737461747573223A2277616974696E67222C226661637473223A5B5D2C2273616964223A7B2268656C706465736B223A312C22747261636B6572223A327D2C226C696E65223A7B7D2C2274616773223A7B2273736F223A5B2268656C706465736B225D7D2C2277616974696E67223A5B5D2C2276616C756573223A7B7D7D',X'7B2273736F223A2253534F227D',3,3,'2026-01-05T03:04:05.678901Z',3,3,'items cause 3','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "journal" VALUES(1,'2026-01-03T03:04:05.678901Z',1,'journal field 1','journal old 1','journal new 1',1,'journal actor 1','2026-01-03T03:04:05.678901Z','journal rule 1','journal delivery_id 1');
INSERT INTO "journal" VALUES(2,'2026-01-04T03:04:05.678901Z',2,'journal field 2','journal old 2','journal new 2',2,'journal actor 2','2026-01-04T03:04:05.678901Z','journal rule 2','journal delivery_id 2');
INSERT INTO "journal" VALUES(3,'2026-01-05T03:04:05.678901Z',3,'journal field 3','journal old 3','journal new 3',3,'journal actor 3','2026-01-05T03:04:05.678901Z','journal rule 3','journal delivery_id 3');
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
INSERT INTO "links" VALUES(1,1,1,'links made_by 1','2026-01-03T03:04:05.678901Z',1,X'7B226E756D626572223A317D','links fingerprint 1','2026-01-03T03:04:05.678901Z','links ended_why 1');
INSERT INTO "links" VALUES(2,2,2,'links made_by 2','2026-01-04T03:04:05.678901Z',2,X'7B226E756D626572223A327D','links fingerprint 2','2026-01-04T03:04:05.678901Z','links ended_why 2');
INSERT INTO "links" VALUES(3,3,3,'links made_by 3','2026-01-05T03:04:05.678901Z',3,X'7B226E756D626572223A337D','links fingerprint 3','2026-01-05T03:04:05.678901Z','links ended_why 3');
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('meta key 1','meta value 1');
INSERT INTO "meta" VALUES('meta key 2','meta value 2');
INSERT INTO "meta" VALUES('meta key 3','meta value 3');
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
INSERT INTO "parked" VALUES(1,1,1,1,'parked field 1','parked reason 1','parked wanted 1','parked shown 1','parked detail 1','parked delivery_id 1','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','parked ended_how 1');
INSERT INTO "parked" VALUES(2,2,2,2,'parked field 2','parked reason 2','parked wanted 2','parked shown 2','parked detail 2','parked delivery_id 2','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','parked ended_how 2');
INSERT INTO "parked" VALUES(3,3,3,3,'parked field 3','parked reason 3','parked wanted 3','parked shown 3','parked detail 3','parked delivery_id 3','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','parked ended_how 3');
CREATE TABLE people (
	connection_id INTEGER NOT NULL, 
	remote_id VARCHAR(191) NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	email TEXT DEFAULT '' NOT NULL, 
	seen_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_people PRIMARY KEY (connection_id, remote_id), 
	CONSTRAINT fk_people_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
INSERT INTO "people" VALUES(1,'people remote_id 1','people name 1','people email 1','2026-01-03T03:04:05.678901Z');
INSERT INTO "people" VALUES(2,'people remote_id 2','people name 2','people email 2','2026-01-04T03:04:05.678901Z');
INSERT INTO "people" VALUES(3,'people remote_id 3','people name 3','people email 3','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "plan_rows" VALUES(1,1,'plan_row',1,1,1,1,X'7B226E756D626572223A317D','plan_rows st',1,'plan_rows delivery_id 1','plan_rows detail 1','2026-01-03T03:04:05.678901Z');
INSERT INTO "plan_rows" VALUES(2,2,'plan_row',2,2,2,2,X'7B226E756D626572223A327D','plan_rows st',2,'plan_rows delivery_id 2','plan_rows detail 2','2026-01-04T03:04:05.678901Z');
INSERT INTO "plan_rows" VALUES(3,3,'plan_row',3,3,3,3,X'7B226E756D626572223A337D','plan_rows st',3,'plan_rows delivery_id 3','plan_rows detail 3','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "plans" VALUES(1,'2026-01-03T03:04:05.678901Z','plans ki',1,'plans mappings 1','plans fingerprint 1','plans digest 1',X'7B226E756D626572223A317D','plans state ',1,'2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','plans by 1');
INSERT INTO "plans" VALUES(2,'2026-01-04T03:04:05.678901Z','plans ki',2,'plans mappings 2','plans fingerprint 2','plans digest 2',X'7B226E756D626572223A327D','plans state ',2,'2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','plans by 2');
INSERT INTO "plans" VALUES(3,'2026-01-05T03:04:05.678901Z','plans ki',3,'plans mappings 3','plans fingerprint 3','plans digest 3',X'7B226E756D626572223A337D','plans state ',3,'2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','plans by 3');
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
INSERT INTO "proposals" VALUES(1,1,1,'proposals kind 1','proposals evidence 1','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','proposals ended_','proposals ended_by 1');
INSERT INTO "proposals" VALUES(2,2,2,'proposals kind 2','proposals evidence 2','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','proposals ended_','proposals ended_by 2');
INSERT INTO "proposals" VALUES(3,3,3,'proposals kind 3','proposals evidence 3','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','proposals ended_','proposals ended_by 3');
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
INSERT INTO "records" VALUES(1,1,'records kind 1','records remote_id 1','records key 1','records url 1','records version 1',1,'direct','present','2026-01-03T03:04:05.678901Z','records digest 1',X'7B22726566223A7B226B696E64223A227469636B6574222C226964223A2237222C226B6579223A2237222C2275726C223A2268747470733A2F2F6578616D706C652E7A656E6465736B2E746573742F6167656E742F7469636B6574732F37227D2C2276657273696F6E223A22323032362D30312D30325430333A30343A30355A222C22637265617465645F6174223A22323032362D30312D30325430333A30343A30352E3637383930315A222C22757064617465645F6174223A22323032362D30312D30325430333A30343A30352E3637383930315A222C226669656C6473223A7B22737461747573223A226F70656E222C227375626A656374223A2243616E2774206C6F6720696E20E2809320E799BBE5BD95222C2274616773223A5B2273736F225D7D2C226F726967696E223A226C697374222C22616C6961736573223A5B5D2C226C696E6B73223A6E756C6C2C226D6F766573223A6E756C6C2C22776F726B666C6F77223A22222C2266726F7A656E223A66616C73652C226175746F6D61746963223A66616C73652C22666F6C6C6F7773223A22222C226F76657277726F7465223A5B5D2C2273746174655F6F776E6572223A2272656D6F7465227D','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z');
INSERT INTO "records" VALUES(2,2,'records kind 2','records remote_id 2','records key 2','records url 2','records version 2',2,'direct','present','2026-01-04T03:04:05.678901Z','records digest 2',X'7B22726566223A7B226B696E64223A227469636B6574222C226964223A2237222C226B6579223A2237222C2275726C223A2268747470733A2F2F6578616D706C652E7A656E6465736B2E746573742F6167656E742F7469636B6574732F37227D2C2276657273696F6E223A22323032362D30312D30325430333A30343A30355A222C22637265617465645F6174223A22323032362D30312D30325430333A30343A30352E3637383930315A222C22757064617465645F6174223A22323032362D30312D30325430333A30343A30352E3637383930315A222C226669656C6473223A7B22737461747573223A226F70656E222C227375626A656374223A2243616E2774206C6F6720696E20E2809320E799BBE5BD95222C2274616773223A5B2273736F225D7D2C226F726967696E223A226C697374222C22616C6961736573223A5B5D2C226C696E6B73223A6E756C6C2C226D6F766573223A6E756C6C2C22776F726B666C6F77223A22222C2266726F7A656E223A66616C73652C226175746F6D61746963223A66616C73652C22666F6C6C6F7773223A22222C226F76657277726F7465223A5B5D2C2273746174655F6F776E6572223A2272656D6F7465227D','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z');
INSERT INTO "records" VALUES(3,3,'records kind 3','records remote_id 3','records key 3','records url 3','records version 3',3,'direct','present','2026-01-05T03:04:05.678901Z','records digest 3',X'7B22726566223A7B226B696E64223A227469636B6574222C226964223A2237222C226B6579223A2237222C2275726C223A2268747470733A2F2F6578616D706C652E7A656E6465736B2E746573742F6167656E742F7469636B6574732F37227D2C2276657273696F6E223A22323032362D30312D30325430333A30343A30355A222C22637265617465645F6174223A22323032362D30312D30325430333A30343A30352E3637383930315A222C22757064617465645F6174223A22323032362D30312D30325430333A30343A30352E3637383930315A222C226669656C6473223A7B22737461747573223A226F70656E222C227375626A656374223A2243616E2774206C6F6720696E20E2809320E799BBE5BD95222C2274616773223A5B2273736F225D7D2C226F726967696E223A226C697374222C22616C6961736573223A5B5D2C226C696E6B73223A6E756C6C2C226D6F766573223A6E756C6C2C22776F726B666C6F77223A22222C2266726F7A656E223A66616C73652C226175746F6D61746963223A66616C73652C22666F6C6C6F7773223A22222C226F76657277726F7465223A5B5D2C2273746174655F6F776E6572223A2272656D6F7465227D','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "refreshes" VALUES(1,'refreshes kind 1','refreshes remote_id 1',1,'2026-01-03T03:04:05.678901Z','refreshes why 1','refreshes askers 1','2026-01-03T03:04:05.678901Z',1,'refreshes shown 1');
INSERT INTO "refreshes" VALUES(2,'refreshes kind 2','refreshes remote_id 2',2,'2026-01-04T03:04:05.678901Z','refreshes why 2','refreshes askers 2','2026-01-04T03:04:05.678901Z',2,'refreshes shown 2');
INSERT INTO "refreshes" VALUES(3,'refreshes kind 3','refreshes remote_id 3',3,'2026-01-05T03:04:05.678901Z','refreshes why 3','refreshes askers 3','2026-01-05T03:04:05.678901Z',3,'refreshes shown 3');
CREATE TABLE related (
	item_a INTEGER NOT NULL, 
	item_b INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	why TEXT NOT NULL, 
	CONSTRAINT pk_related PRIMARY KEY (item_a, item_b), 
	CONSTRAINT fk_related_item_a FOREIGN KEY(item_a) REFERENCES items (id), 
	CONSTRAINT fk_related_item_b FOREIGN KEY(item_b) REFERENCES items (id)
);
INSERT INTO "related" VALUES(1,2,'2026-01-03T03:04:05.678901Z','related why 1');
INSERT INTO "related" VALUES(2,3,'2026-01-04T03:04:05.678901Z','related why 2');
INSERT INTO "related" VALUES(3,1,'2026-01-05T03:04:05.678901Z','related why 3');
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
INSERT INTO "shadows" VALUES(1,'2026-01-03T03:04:05.678901Z',1,1,1,1,'shadows field 1','shadows before 1','shadows wanted 1','shadows why 1','2026-01-03T03:04:05.678901Z','shadows other 1','2026-01-03T03:04:05.678901Z','2026-01-03T03:04:05.678901Z');
INSERT INTO "shadows" VALUES(2,'2026-01-04T03:04:05.678901Z',2,2,2,2,'shadows field 2','shadows before 2','shadows wanted 2','shadows why 2','2026-01-04T03:04:05.678901Z','shadows other 2','2026-01-04T03:04:05.678901Z','2026-01-04T03:04:05.678901Z');
INSERT INTO "shadows" VALUES(3,'2026-01-05T03:04:05.678901Z',3,3,3,3,'shadows field 3','shadows before 3','shadows wanted 3','shadows why 3','2026-01-05T03:04:05.678901Z','shadows other 3','2026-01-05T03:04:05.678901Z','2026-01-05T03:04:05.678901Z');
CREATE TABLE traces (
	record_id INTEGER NOT NULL, 
	digest VARCHAR(32) NOT NULL, 
	kind VARCHAR(16) DEFAULT '' NOT NULL, 
	seen_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_traces PRIMARY KEY (record_id, digest), 
	CONSTRAINT fk_traces_record_id FOREIGN KEY(record_id) REFERENCES records (id)
);
INSERT INTO "traces" VALUES(1,'traces digest 1','traces kind 1','2026-01-03T03:04:05.678901Z');
INSERT INTO "traces" VALUES(2,'traces digest 2','traces kind 2','2026-01-04T03:04:05.678901Z');
INSERT INTO "traces" VALUES(3,'traces digest 3','traces kind 3','2026-01-05T03:04:05.678901Z');
CREATE TABLE workflows (
	connection_id INTEGER NOT NULL, 
	workflow VARCHAR(191) NOT NULL, 
	raw VARCHAR(191) NOT NULL, 
	moves BLOB NOT NULL, 
	seen_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_workflows PRIMARY KEY (connection_id, workflow, raw), 
	CONSTRAINT fk_workflows_connection_id FOREIGN KEY(connection_id) REFERENCES connections (id)
);
INSERT INTO "workflows" VALUES(1,'workflows workflow 1','workflows raw 1',X'7B226E756D626572223A317D','2026-01-03T03:04:05.678901Z');
INSERT INTO "workflows" VALUES(2,'workflows workflow 2','workflows raw 2',X'7B226E756D626572223A327D','2026-01-04T03:04:05.678901Z');
INSERT INTO "workflows" VALUES(3,'workflows workflow 3','workflows raw 3',X'7B226E756D626572223A337D','2026-01-05T03:04:05.678901Z');
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
INSERT INTO "writes" VALUES(1,'2026-01-03T03:04:05.678901Z',1,1,'writes field 1','writes value 1','writes cause 1','writes delivery_id 1');
INSERT INTO "writes" VALUES(2,'2026-01-04T03:04:05.678901Z',2,2,'writes field 2','writes value 2','writes cause 2','writes delivery_id 2');
INSERT INTO "writes" VALUES(3,'2026-01-05T03:04:05.678901Z',3,3,'writes field 3','writes value 3','writes cause 3','writes delivery_id 3');
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
INSERT INTO "sqlite_sequence" VALUES('commands',3);
INSERT INTO "sqlite_sequence" VALUES('items',3);
INSERT INTO "sqlite_sequence" VALUES('plans',3);
INSERT INTO "sqlite_sequence" VALUES('gateway_changes',3);
INSERT INTO "sqlite_sequence" VALUES('links',3);
INSERT INTO "sqlite_sequence" VALUES('proposals',3);
COMMIT;
