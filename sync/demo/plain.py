"""The day as plain lines: without a terminal, and beside `--json`."""

from __future__ import annotations

import time
from typing import TextIO

from sync.demo.script import Kind

MARKS = {
    Kind.SCENE: "",
    Kind.PEOPLE: "people ",
    Kind.NETWORK: "network",
    Kind.SYSTEM: "machine",
    Kind.HUB: "hub    ",
    Kind.MISSED: "MISSED ",
}


class PlainLines:
    """Writes each line as it comes, with the seconds since the start."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._start = time.monotonic()

    def say(self, kind: Kind, text: str) -> None:
        """One line of the narration."""
        if kind is Kind.SCENE:
            self.line()
            self.line(text)
        else:
            self.line(f"{time.monotonic() - self._start:5.1f}s  {MARKS[kind]}  {text}")

    def line(self, text: str = "") -> None:
        """One line as it is."""
        self._out.write(text + "\n")
        self._out.flush()
