"""The hub's memory: tables, the writer, migrations, backup. One set of statements for SQLite and PostgreSQL."""
