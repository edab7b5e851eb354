"""Writes `docs/reasons.md` anew: `python -m tests.sync.core.refresh`."""

from __future__ import annotations

from pathlib import Path

from sync.core.reasons_page import page

PAGE = Path(__file__).parents[3] / "docs" / "reasons.md"

if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
