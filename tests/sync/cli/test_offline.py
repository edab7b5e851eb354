"""Commands with the daemon and every remote system down, on a database that a hub has filled."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from sync.ports import RealRng
from sync.store.lock import lock, this_process
from tests.support.launch import launch
from tests.sync.cli.command import Place


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One ticket and one issue, linked; an engineer has finished the issue and added a label."""
    folder = tmp_path_factory.mktemp("template")
    Place(folder)
    live = launch(folder / "var")
    assert live.linked_pair() == (1, "OPS-1")
    live.engineer("OPS-1", "In Progress")
    live.engineer("OPS-1", "Done")
    live.label("OPS-1", add="launch")
    live.world.wait(120)
    live.world.quiet()
    live.world.close()
    return folder


@pytest.fixture
def filled(template: Path, tmp_path: Path) -> Place:
    """A copy of it."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return Place(tmp_path, make=False)


def test_explain_tells_each_systems_value_and_the_journal(filled: Place) -> None:
    page = filled.run("explain", "OPS-1", "--json").json
    assert (page["item"], page["status"], page["settled"]) == ("hc-1", "resolved", True)
    shown = {one["connection"]: (one["shown"], one["means"]) for one in page["members"]}
    assert shown == {"support": ("solved", "resolved"), "tracker": ("Done", "resolved")}
    assert [tag["text"] for tag in page["tags"]] == ["launch"]
    writes = [(row["field"], row["new"], row["record"]) for row in page["journal"] if row["actor"] == "hypercare"]
    assert ("status", "solved", "support:#1") in writes
    assert page["unasked"][0].startswith("no remote system was asked")


@pytest.mark.parametrize(
    "name", ["hc-1", "HC-1", "OPS-1", "support:1", "tracker:OPS-1", "http://127.0.0.1:8102/browse/OPS-1"]
)
def test_an_item_goes_by_many_names(filled: Place, name: str) -> None:
    found = filled.run("explain", name)
    assert found.code == 0, found.err
    assert found.out.startswith("hc-1: resolved")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hc-9", "there is no item hc-9; the newest is hc-1\n"),
        ("suport:1", "there is no connection 'suport'; known: support, tracker\n"),
        (
            "support:77",
            "support has shown no record '77' so far; one that was made just now is known after the next poll\n",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_answered(filled: Place, name: str, said: str) -> None:
    found = filled.run("explain", name)
    assert (found.code, found.out, found.err) == (1, "", said)


def test_status_shows_each_connection_and_that_no_daemon_runs(filled: Place) -> None:
    page = filled.run("status", "--json").json
    assert page["daemon"] == ""
    assert (page["items"], page["items_waiting"], page["parked"], page["in_doubt"]) == (1, 0, 0, 0)
    assert {one["name"]: (one["mode"], one["linked"]) for one in page["connections"]} == {
        "support": ("live", 1),
        "tracker": ("live", 1),
    }
    assert filled.run("status").out.startswith("daemon: not running\n")


def test_empty_listings_say_so(filled: Place) -> None:
    assert filled.run("holds").out == "nothing is held\n"
    assert filled.run("parked").out == "nothing is parked\n"
    assert filled.run("conflicts").out == "no conflict was met\n"
    for listing in ("holds", "parked", "conflicts"):
        assert filled.run(listing, "--json").json == []


def test_pause_start_unlink_and_link_are_carried_out_without_a_daemon(filled: Place) -> None:
    ending = " (no daemon is running: `hypercare run` goes on)\n"
    assert filled.run("pause", "support").out == f"support is paused; `hypercare start support` lets it go on{ending}"
    assert filled.run("start", "support").out == f"support goes on{ending}"
    assert filled.run("unlink", "support:1").out == f"support:1 has left hc-1{ending}"
    assert filled.run("link", "support:1", "OPS-1").out == f"both belong to hc-1{ending}"
    again = filled.run("link", "OPS-1", "OPS-1")
    assert (again.code, again.err) == (1, "OPS-1 and OPS-1 are the same record\n")


def test_what_is_not_there_cannot_be_resumed_retried_or_skipped(filled: Place) -> None:
    assert filled.run("holds", "resume", "4").err == "there is no hold 4; `hypercare holds` lists them\n"
    assert filled.run("parked", "retry", "4").err == "nothing is parked as 4; `hypercare parked` lists what is\n"
    answer = filled.run("parked", "skip", "4", "--why", "not needed", "--json")
    assert (answer.code, answer.json["ok"]) == (1, False)


def test_start_creates_the_database_before_the_first_run(place: Place) -> None:
    assert place.run("start", "support").code == 0
    assert stat.S_IMODE((place.folder / "var" / "hypercare.db").stat().st_mode) == 0o600
    modes = {one["name"]: one["mode"] for one in place.run("status", "--json").json["connections"]}
    assert modes == {"support": "live", "tracker": "observe"}


def test_start_since_asks_first_and_takes_no_for_an_answer(filled: Place) -> None:
    filled.run("pause", "support")
    found = filled.run("start", "support", "--since", "2026-01-01", said="n\n")
    assert found.code == 1
    assert "0 records of support that were created since 2026-01-01 00:00 UTC fit a route" in found.err
    assert found.err.endswith("nothing was started\n")


def test_a_backup_is_a_database_and_overwrites_nothing(filled: Place) -> None:
    assert filled.run("backup", "copy.db").out == "copy.db is a complete copy of var/hypercare.db\n"
    with closing(sqlite3.connect(filled.folder / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM items").fetchone() == (1,)
    again = filled.run("backup", "copy.db")
    assert (again.code, again.err.split(":")[0]) == (1, "copy.db exists already")


def test_rename_changes_the_row_and_the_key_and_leaves_comments_alone(filled: Place) -> None:
    before = filled.file.read_text()
    assert filled.run("connections", "rename", "support", "help-desk").code == 0
    assert filled.run("connections", "rename", "tracker", "dev").code == 0
    assert filled.file.read_text() == before.replace("  support:  #", "  help-desk:  #").replace('"tracker"', '"dev"')
    page = filled.run("explain", "hc-1", "--json").json
    assert [one["connection"] for one in page["members"]] == ["help-desk", "dev"]
    assert [one["name"] for one in filled.run("connections", "list", "--json").json] == ["help-desk", "dev"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("suport", "desk", "there is no connection 'suport' in config/hypercare.yaml; known are support, tracker\n"),
        ("support", "tracker", "there is a connection 'tracker' already\n"),
        ("support", "Desk", "'Desk' is not a name for a connection: small letters and digits, single - or _ between\n"),
    ],
)
def test_a_rename_that_cannot_be_is_refused_and_changes_nothing(filled: Place, old: str, new: str, said: str) -> None:
    before = filled.file.read_text()
    assert filled.run("connections", "rename", old, new).err == said
    assert filled.file.read_text() == before


def test_what_changes_rows_is_refused_while_another_process_has_the_database(filled: Place) -> None:
    database = filled.folder / "var" / "hypercare.db"
    with lock(database, this_process(RealRng().token())):
        for args in (["connections", "rename", "support", "desk"], ["run"]):
            found = filled.process(*args)
            assert found.code == 75
            assert "only one daemon may work on a database" in found.err


def test_text_of_strangers_cannot_move_the_cursor(filled: Place) -> None:
    with closing(sqlite3.connect(filled.folder / "var" / "hypercare.db")) as conn, conn:
        conn.execute("UPDATE journal SET actor = 'eve' || char(27) || '[2J'")
    out = filled.run("explain", "hc-1").out
    assert "\x1b" not in out
    assert "eve\\u001b[2J" in out


def add(place: Place, table: str, **values: object) -> int:
    """Put a row into the database by hand."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    with closing(sqlite3.connect(place.folder / "var" / "hypercare.db")) as conn, conn:
        cursor = conn.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return int(cursor.lastrowid or 0)


SINCE = "2026-11-01T08:00:00.000000Z"


def test_a_hold_is_listed_with_what_to_do_and_released_by_a_person(filled: Place) -> None:
    number = add(
        filled, "holds", connection_id=1, reason="mass_missing", since=SINCE, count=21, detail="21 of 40 went missing",
        samples=b'["#4", "#5"]',
    )  # fmt: skip
    (held,) = filled.run("holds", "--json").json
    assert (held["id"], held["connection"], held["count"], held["samples"]) == (number, "support", 21, ["#4", "#5"])
    page = filled.run("holds").out
    assert "Look at the samples." in page
    assert "For example #4, #5." in page
    assert "state" in filled.run("status").out
    assert [one["reason"] for one in filled.run("explain", "hc-1", "--json").json["holds"]] == ["mass_missing"]
    assert filled.run("holds", "resume", str(number)).code == 0
    assert filled.run("holds", "--json").json == []


def test_what_is_parked_is_listed_skipped_with_a_reason_and_retried(filled: Place) -> None:
    def park(field: str) -> int:
        return add(
            filled, "parked", item_id=1, link_id=1, connection_id=1, field=field, reason="write_rejected",
            wanted="solved", shown="open", detail="Zendesk: assignee is required", since=SINCE,
        )  # fmt: skip

    first, second = park("status"), park("tags")
    listed = filled.run("parked", "--json").json
    assert [(one["id"], one["item"], one["record"], one["wanted"]) for one in listed] == [
        (first, "hc-1", "#1", "solved"),
        (second, "hc-1", "#1", "solved"),
    ]
    assert "Zendesk: assignee is required" in filled.run("parked").out
    assert filled.run("parked", "skip", str(first)).code == 2
    assert filled.run("parked", "skip", str(first), "--why", "the agent knows").code == 0
    assert filled.run("parked", "retry", str(second)).code == 0
    assert filled.run("parked", "--json").json == []
    rules = [row["rule"] for row in filled.run("explain", "hc-1", "--json").json["journal"]]
    assert "skipped: the agent knows" in rules


def test_conflicts_name_both_values_and_the_rule(filled: Place) -> None:
    add(filled, "conflicts", at=SINCE, item_id=1, record_id=1, kind="open_wins", field="status", kept="new",
        lost="resolved")  # fmt: skip
    (one,) = filled.run("conflicts", "--json").json
    assert (one["item"], one["record"], one["kept"], one["lost"]) == ("hc-1", "#1", "new", "resolved")
    assert "open_wins: One side finished the work while another reopened it" in filled.run("conflicts").out


def test_a_reason_of_a_newer_version_is_listed_without_words(filled: Place) -> None:
    add(filled, "conflicts", at=SINCE, item_id=1, kind="from_the_future", field="status", kept="a", lost="b")
    assert filled.run("conflicts", "--json").json[0]["means"] == ""


def test_init_with_start_makes_every_connection_live_from_now_on(place: Place) -> None:
    found = place.run("init", ".", "--start")
    assert found.code == 0, found.err
    assert {one["mode"] for one in place.run("status", "--json").json["connections"]} == {"live"}
