"""Opening: create, upgrade all or nothing, and refuse what is not ours, newer, or damaged."""

from __future__ import annotations

import ast
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from sync.core.state import ItemState
from sync.model import Snapshot, Status
from sync.store.contract import RESTORE_MARK
from sync.store.errors import AlreadyRunning, Damaged, NewerSchema, StoreError
from sync.store.lock import lock, this_process
from sync.store.migrate import SCRIPTS, open_store, upgrade
from sync.store.migrations import NEWEST, REVISIONS
from sync.store.tables import items, metadata, records
from tests.sync.store import make_releases
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import fact, facts, verdict

RELEASES = sorted(make_releases.RELEASES.glob("*.sql"))


def schema(path: Path) -> dict[str, str]:
    """Each table and index with its SQL, the lines in one order; without those that SQLite makes by itself."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {str(name): in_order(str(sql)) for name, sql in rows if not str(name).startswith("sqlite_")}


def in_order(sql: str) -> str:
    """The order of constraints in a table has no meaning, and differs between the ways to make it."""
    first, *lines = sql.split("\n")
    return "\n".join([first, *sorted(line.strip().removesuffix(",") for line in lines)])


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as database:
        return {
            name: sorted(database.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for name, sql in schema(path).items()
            if sql.startswith("CREATE TABLE")
        }


def restored_from(script: Path, target: Path) -> Path:
    with closing(sqlite3.connect(target)) as database:
        database.executescript(script.read_text(encoding="utf-8"))
    return target


def new_database(path: Path, clock: RunningClock) -> Path:
    open_store(path, clock=clock, inline=True).close()
    return path


# --- create


def test_a_new_database_is_private_and_complete(path: Path, clock: RunningClock) -> None:
    store = open_store(path, clock=clock)
    store.step(fact("a"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_name("hypercare.db-wal").stat().st_mode & 0o777 == 0o600
    store.close()
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["hypercare.db", "hypercare.db.lock"]
    assert verdict(path) == "ok"


def test_a_database_is_found_again_by_path_text_or_url(path: Path, clock: RunningClock) -> None:
    store = open_store(path, clock=clock)
    store.step(fact("a"))
    store.close()
    for place in (str(path), f"sqlite:///{path}"):
        again = open_store(place, clock=clock)
        assert facts(again) == {"a": "x"}
        again.close()


def test_a_path_with_a_space_a_percent_and_a_question_mark_works(tmp_path: Path, clock: RunningClock) -> None:
    folder = tmp_path / "my 100% data?#"
    folder.mkdir()
    store = open_store(folder / "hyper care.db", clock=clock)
    store.step(fact("a"))
    store.backup(folder / "a copy.bak")
    store.close()
    assert facts_in(folder / "a copy.bak") == {"a", RESTORE_MARK}


def facts_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {str(row[0]) for row in database.execute("SELECT key FROM meta")}


def test_a_leftover_of_an_interrupted_creation_is_no_obstacle(path: Path, clock: RunningClock) -> None:
    path.with_name("hypercare.db.new").write_bytes(b"half")
    path.with_name("hypercare.db.new-wal").write_bytes(b"half")
    store = open_store(path, clock=clock)
    store.step(fact("a"))
    store.close()
    assert verdict(path) == "ok"


def test_a_missing_folder_is_named(tmp_path: Path, clock: RunningClock) -> None:
    with pytest.raises(StoreError, match="hypercare init"):
        open_store(tmp_path / "nowhere" / "hypercare.db", clock=clock)


def test_a_folder_is_no_database(tmp_path: Path, clock: RunningClock) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store(tmp_path, clock=clock)


def test_a_database_of_another_kind_is_refused(clock: RunningClock) -> None:
    with pytest.raises(StoreError, match="'mysql' is not supported"):
        open_store("mysql://localhost/x", clock=clock)


# --- versions


def test_the_names_of_the_versions_are_those_of_the_scripts() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "newline")
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS


def test_the_migrations_make_the_same_schema_as_the_tables(path: Path, tmp_path: Path, clock: RunningClock) -> None:
    migrated = tmp_path / "migrated.db"
    with closing(sqlite3.connect(migrated)) as database:
        database.execute("CREATE TABLE meta_of_nothing (x)")
        database.execute("DROP TABLE meta_of_nothing")
        database.commit()
    upgrade(migrated, "nothing", clock, 1.0)
    assert schema(migrated) == schema(new_database(path, clock))


@pytest.mark.parametrize("script", RELEASES, ids=lambda script: script.stem)
def test_each_release_is_upgraded_with_every_row(script: Path, path: Path, tmp_path: Path, clock: RunningClock) -> None:
    old = restored_from(script, path)
    before = content(old)
    store = open_store(old, clock=clock)
    store.step(fact("works"))
    store.close()
    assert schema(old) == schema(new_database(tmp_path / "new.db", clock))
    after = content(old)
    for table, rows in before.items():
        if table not in ("meta", "alembic_version"):
            assert len(after[table]) == len(rows), table
    assert after["alembic_version"] == [(NEWEST,)]
    assert verdict(old) == "ok"
    with closing(sqlite3.connect(old)) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("kind", ["empty", "filled"])
def test_the_kept_sql_of_this_version_is_what_this_version_makes(kind: str, tmp_path: Path) -> None:
    kept = restored_from(make_releases.RELEASES / f"{make_releases.VERSION}-{kind}.sql", tmp_path / "kept.db")
    made = tmp_path / "made.db"
    make_releases.make(made, filled=kind == "filled")
    assert schema(kept) == schema(made), "run python -m tests.sync.store.make_releases"
    # Encoded columns keep the form they had when the release was made; that they are still read is tested below.
    assert without_bytes(content(kept)) == without_bytes(content(made)), "run python -m tests.sync.store.make_releases"


def without_bytes(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: [tuple(value for value in row if not isinstance(value, bytes)) for row in found]
        for table, found in rows.items()
    }


@pytest.mark.parametrize(
    "script", [script for script in RELEASES if "filled" in script.name], ids=lambda path: path.stem
)
def test_what_a_release_encoded_is_still_read(script: Path, path: Path, clock: RunningClock) -> None:
    store = open_store(restored_from(script, path), clock=clock)
    with store.read() as conn:
        for body in conn.execute(select(records.c.body)).scalars():
            assert msgspec.json.decode(body, type=Snapshot).fields["subject"] == "Can't log in – 登录"
        for state in conn.execute(select(items.c.state)).scalars():
            assert msgspec.json.decode(state, type=ItemState).status is Status.WAITING
    store.close()


def test_the_filled_database_has_rows_in_every_table() -> None:
    assert all(make_releases.row_of(table, number) for table in metadata.sorted_tables for number in (1, 2, 3))
    text = (make_releases.RELEASES / f"{make_releases.VERSION}-filled.sql").read_text(encoding="utf-8")
    for table in metadata.sorted_tables:
        assert f'INSERT INTO "{table.name}"' in text


def test_a_newer_schema_is_refused_and_left_alone(path: Path, clock: RunningClock) -> None:
    new_database(path, clock)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    before = content(path)
    with pytest.raises(NewerSchema, match=r"newer hypercare.*9999.*before-\*\.bak"):
        open_store(path, clock=clock)
    assert content(path) == before


def scripts_with(tmp_path: Path, body: str) -> Path:
    """The migration scripts and one more, `0002`, that runs `body`."""
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    text = f"from alembic import op\nrevision = '0002'\ndown_revision = '0001'\n\ndef upgrade():\n{body}"
    ast.parse(text)
    (scripts / "versions" / "rev_0002.py").write_text(text)
    return scripts


def test_an_upgrade_writes_a_copy_beside_the_database_first(path: Path, tmp_path: Path, clock: RunningClock) -> None:
    store = open_store(path, clock=clock)
    store.step(fact("a"))
    store.close()
    scripts = scripts_with(tmp_path, "    op.execute('CREATE TABLE extra (x)')\n")
    before = schema(path)
    upgrade(path, "0001", clock, 1.0, scripts=scripts)
    assert "extra" in schema(path)
    copy = path.with_name(f"hypercare.db.before-{NEWEST}.bak")
    assert schema(copy) == before
    assert facts_in(copy) == {"a", RESTORE_MARK}
    upgrade(path, "0001", clock, 1.0, scripts=scripts)
    assert path.with_name(copy.name + ".2").exists()


def test_an_upgrade_that_fails_halfway_leaves_everything_as_it_was(
    path: Path, tmp_path: Path, clock: RunningClock
) -> None:
    store = open_store(path, clock=clock)
    store.step(fact("a"))
    store.close()
    before, rows = schema(path), content(path)
    body = "    op.execute('CREATE TABLE extra (x)')\n    op.execute('DROP TABLE people')\n"
    body += "    op.execute('no such word')\n"
    with pytest.raises(StoreError, match="was undone"):
        upgrade(path, "0001", clock, 1.0, scripts=scripts_with(tmp_path, body))
    assert schema(path) == before
    assert content(path) == rows
    again = open_store(path, clock=clock)
    assert facts(again) == {"a": "x"}
    again.close()


def test_an_upgrade_may_rebuild_a_table_that_others_point_to(path: Path, tmp_path: Path, clock: RunningClock) -> None:
    restored_from(make_releases.RELEASES / "0.1.0-filled.sql", path)
    body = (
        "    import sqlalchemy as sa\n"
        "    with op.batch_alter_table('connections', recreate='always') as table:\n"
        "        table.add_column(sa.Column('extra', sa.Text()))\n"
    )
    upgrade(path, "0001", clock, 1.0, scripts=scripts_with(tmp_path, body))
    assert "extra" in schema(path)["connections"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("SELECT count(*) FROM connections").fetchone() == (3,)


def test_an_upgrade_that_would_break_a_reference_is_undone(path: Path, tmp_path: Path, clock: RunningClock) -> None:
    restored_from(make_releases.RELEASES / "0.1.0-filled.sql", path)
    rows = content(path)
    with pytest.raises(StoreError, match="would break a reference"):
        upgrade(path, "0001", clock, 1.0, scripts=scripts_with(tmp_path, "    op.execute('DELETE FROM connections')\n"))
    assert content(path) == rows


def test_a_database_in_use_is_not_upgraded(path: Path, clock: RunningClock) -> None:
    with lock(path, this_process("daemon")) as held:
        with pytest.raises(AlreadyRunning, match="is in use by process"):
            open_store(path, clock=clock)
        assert not path.exists()
        open_store(path, clock=clock, held=held).close()
        open_store(path, clock=clock).close()  # nothing to upgrade: a command may look while the daemon runs


def test_opening_a_current_database_does_not_load_alembic(path: Path, clock: RunningClock) -> None:
    new_database(path, clock)
    code = (
        "import sys; from pathlib import Path; from sync.store.migrate import open_store\n"
        "from tests.sync.store.clocks import RunningClock; from tests.sync.store.rows import START\n"
        "open_store(Path(sys.argv[1]), clock=RunningClock(START)).close()\n"
        "print([name for name in sys.modules if name.startswith('alembic')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


# --- damage


def test_a_damaged_file_is_refused_and_left_alone(path: Path, clock: RunningClock) -> None:
    store = open_store(path, clock=clock)
    for number in range(50):
        store.step(fact(f"{number:03}", "x" * 3000))
    store.close()
    content = bytearray(path.read_bytes())
    for offset in range(4096 * 3, len(content), 4096):
        content[offset : offset + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(Damaged, match=r"is damaged .*put a backup in its place"):
        open_store(path, clock=clock)
    assert path.read_bytes() == bytes(content)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, clock: RunningClock) -> None:
    path.write_text("my diary\n" * 1000)
    with pytest.raises(Damaged, match="not a database"):
        open_store(path, clock=clock)
    assert path.read_text() == "my diary\n" * 1000


def test_an_emptied_file_is_refused(path: Path, clock: RunningClock) -> None:
    path.touch()
    with pytest.raises(Damaged, match="is empty"):
        open_store(path, clock=clock)
    assert path.stat().st_size == 0


def test_a_database_of_another_program_is_refused(path: Path, clock: RunningClock) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE songs (title)")
        database.commit()
    with pytest.raises(Damaged, match="not one of hypercare"):
        open_store(path, clock=clock)


def test_a_database_without_its_version_is_refused(path: Path, clock: RunningClock) -> None:
    new_database(path, clock)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM alembic_version")
        database.commit()
    with pytest.raises(Damaged, match="which version"):
        open_store(path, clock=clock)


def test_a_log_without_its_database_is_never_taken_for_a_new_start(path: Path, clock: RunningClock) -> None:
    path.with_name("hypercare.db-wal").write_bytes(b"precious")
    with pytest.raises(Damaged, match="is gone, but its log"):
        open_store(path, clock=clock)
    assert not path.exists()


def test_a_damaged_file_with_a_log_beside_it_is_left_alone_with_its_log(
    path: Path, tmp_path: Path, clock: RunningClock
) -> None:
    new_database(path, clock)
    root = root_page(path, "journal")
    store = open_store(path, clock=clock)
    store.step(fact("newest"))
    torn = tmp_path / "torn"
    torn.mkdir()
    for name in ("hypercare.db", "hypercare.db-wal"):
        shutil.copy(path.with_name(name), torn / name)
    store.close()
    damage_page(torn / "hypercare.db", root)
    before = {entry.name: entry.read_bytes() for entry in torn.iterdir()}
    assert before["hypercare.db-wal"]
    with pytest.raises(Damaged):
        open_store(torn / "hypercare.db", clock=clock)
    assert {name: (torn / name).read_bytes() for name in before} == before


def root_page(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return int(found[0])


def damage_page(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 64)


def test_a_log_left_by_a_killed_process_is_brought_in(path: Path, tmp_path: Path, clock: RunningClock) -> None:
    store = open_store(path, clock=clock)
    store.step(fact("a"))
    killed = tmp_path / "killed"
    killed.mkdir()
    for name in ("hypercare.db", "hypercare.db-wal"):
        shutil.copy(path.with_name(name), killed / name)
    store.close()
    again = open_store(killed / "hypercare.db", clock=clock)
    assert facts(again) == {"a": "x"}
    again.close()


def test_damage_met_while_working_is_told_as_damage(path: Path, clock: RunningClock) -> None:
    store = open_store(path, clock=clock)
    for number in range(50):
        store.step(fact(f"{number:03}", "x" * 3000))
    store.close()
    damage_page(path, root_page(path, "meta"))
    store = open_store(path, clock=clock, check=False)
    with pytest.raises(Damaged, match="put a backup in its place"):
        facts(store)
    store.close()
