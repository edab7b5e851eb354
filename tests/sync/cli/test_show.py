"""Tables in narrow terminals: who and when can be read in every width."""

from __future__ import annotations

import io
import re
import sys

import pytest

from sync.cli import show

HEADERS = ["when", "field", "from", "to", "record", "who", "why"]
ROWS = [
    [
        "2026-03-02 09:14:07",
        "status",
        "open",
        "in_progress",
        "tracker:OPS-1042",
        "Wilhelmina Featherstonehaugh",
        "the tracker's status is the newer one of the two, so it is the item's from now on",
    ],
    ["2026-03-02 09:15:00", "tags", "", "outage", "support:12", "", "it was added on one side"],
]


class Terminal(io.StringIO):
    """Standard output, looked at by a person."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    """What a terminal of that width shows."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    show.table(HEADERS, ROWS)
    return re.sub("\x1b\\[[0-9;]*m", "", terminal.getvalue())


@pytest.mark.parametrize("width", range(55, 171, 5))
def test_times_and_names_stay_whole_and_no_line_is_too_long(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    out = drawn(monkeypatch, width)
    assert max(len(line.rstrip()) for line in out.splitlines()) <= width
    assert "2026-03-02 09:14:07" in out
    assert "Wilhelmina Featherstonehaugh" in out


def test_a_wide_terminal_shows_a_table_and_a_narrow_one_paragraphs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert any(line.split() == HEADERS for line in drawn(monkeypatch, 160).splitlines())
    assert drawn(monkeypatch, 60).splitlines()[:3] == [
        "2026-03-02 09:14:07  Wilhelmina Featherstonehaugh",
        "  field: status; from: open; to: in_progress; record:",
        "  tracker:OPS-1042; why: the tracker's status is the newer",
    ]
