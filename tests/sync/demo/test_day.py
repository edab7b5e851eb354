"""The demo as a person and a build run it, and that it does not pass when something is broken."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sync.demo import main, script
from sync.demo.outcome import Figures, outcome, told, what_to_run
from sync.demo.place import MARKER
from sync.demo.script import Day
from sync.demo.verdict import Verdict

DEMO = [sys.executable, "-P", "-c", "import sys; from sync.cli.main import main; sys.exit(main())", "demo"]


def started(tmp_path: Path, *flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*DEMO, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )


def broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], meddle: main.Meddle, scenes: int
) -> tuple[int, dict[str, Any], str]:
    """The first scenes with something broken: (exit code, what was printed, what was told)."""
    code = main.run(
        unattended=True,
        as_json=True,
        scenes=script.SCENES[:scenes],
        meddle=meddle,
        patience=4.0,
        deadline=3.0,
        folder=tmp_path / "demo",
    )
    printed = capsys.readouterr()
    return code, json.loads(printed.out), printed.err


def test_the_whole_day_ends_in_agreement_with_nothing_doubled(tmp_path: Path) -> None:
    demo = started(tmp_path, "--exit", "--json")
    out, told = demo.communicate(timeout=110)
    found = json.loads(out)
    assert demo.returncode == 0, told
    assert (found["converged"], found["duplicates_created"]) == (True, 0)
    assert found["time_factor"] == 60
    assert 0 < found["wall_time_s"] < 60
    assert {name: each["records"] for name, each in found["systems"].items()} == {
        "zendesk": 5,
        "jira": 2,
        "sentry": 1,
        "gateway": 1,
    }
    assert all(each["writes"] > 0 and each["parked"] == 0 for each in found["systems"].values())
    assert "SIGKILL" in told
    assert "MISSED" not in told
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_stopped_early_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(scene: str, day: Day) -> None:
        if scene == "an_issue_is_created":
            day.daemon.stop()

    code, found, told = broken(tmp_path, capsys, stop, 4)
    assert (code, found["converged"]) == (1, False)
    assert found["differences"]
    assert any("the daemon is not running any more" in each for each in found["troubles"])
    assert str(tmp_path / "demo" / "var" / "hypercare.log") in told
    assert (tmp_path / "demo" / "var" / "hypercare.log").exists()
    assert (tmp_path / "demo" / "var" / "hypercare.db").exists()


def test_a_write_that_is_dropped_for_good_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def drop(scene: str, day: Day) -> None:
        if scene == "an_issue_is_created":
            day.desk.fault("ignore_write", "tickets.update", count=None)

    code, found, _ = broken(tmp_path, capsys, drop, 4)
    assert (code, found["converged"]) == (1, False)
    assert any("lacks the tag environment-production, payment-gateway" in each for each in found["differences"])


def test_a_create_that_was_doubled_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def double(scene: str, day: Day) -> None:
        if scene == "work_travels":
            mark = day.issue(day.checkout)["properties"][MARKER]
            day.tracker.act("create", summary="Once more", properties={MARKER: mark})

    code, found, told = broken(tmp_path, capsys, double, 4)
    assert (code, found["converged"], found["duplicates_created"]) == (1, True, 1)
    assert "carries the same mark as OPS-1" in told


def test_ctrl_c_stops_everything_without_a_traceback(tmp_path: Path) -> None:
    demo = started(tmp_path, "--exit")
    assert demo.stdout is not None
    pid = 0
    for line in demo.stdout:
        if found := re.search(r"daemon \(pid (\d+)\) .* is live", line):
            pid = int(found[1])
            demo.send_signal(signal.SIGINT)
            break
    rest, told = demo.communicate(timeout=30)
    assert demo.returncode == 130, rest
    assert "Interrupted" in rest
    assert "Traceback" not in rest + told
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_went_wrong_is_told_with_the_daemons_newest_error(tmp_path: Path) -> None:
    log = tmp_path / "hypercare.log"
    lines = [{"level": "info", "event": "started"}, {"level": "error", "event": "worker_failed", "worker": "create"}]
    log.write_text("not JSON\n" + "\n".join(json.dumps({"at": "now", **line}) for line in lines) + "\n{")
    words = list(what_to_run(tmp_path / "a b" / "hypercare.yaml", log, tmp_path / "hypercare.db"))
    assert words[0] == "The daemon's newest error: worker_failed worker=create"
    assert f"export HYPERCARE_CONFIG='{tmp_path}/a b/hypercare.yaml'" in words[3]


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        (Verdict(differences=(), doubled=()), "All sides agree, and nothing was doubled."),
        (Verdict(differences=("OPS-1 is open",), doubled=("OPS-2",)), "The sides do not agree:"),
        (Verdict(differences=(), doubled=("OPS-2",)), "Something was done twice:"),
    ],
)
def test_the_first_line_says_how_it_ended(tmp_path: Path, verdict: Verdict, headline: str) -> None:
    figures = Figures(records=1, writes=2, conflicts=0, parked=0)
    found = outcome(verdict, dict.fromkeys(("zendesk", "jira", "sentry", "gateway"), figures), (), 1.0, tmp_path)
    assert next(iter(told(found))) == headline
    assert (found.folder is None) is found.is_good
