"""The versions of the schema, oldest first, and the scripts that lead from one to the next.

Known here by name, so that a database of the newest version opens without loading Alembic (its import is slow).
A test compares this list with the scripts.

A new version: change `sync/store/tables.py`, add a script to `versions/`, add its name here, and run
`python -m tests.sync.store.make_releases`. Until the first release, the first script is written anew from the tables:
add `--first-revision`.

Rows whose ids are never reused (`items`, `links`, `commands`) keep their counter in `sqlite_sequence`: a script that
rebuilds such a table must carry the counter over.
"""

REVISIONS = ("0001",)
NEWEST = REVISIONS[-1]
