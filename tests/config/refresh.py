"""Writes `docs/settings.md` anew: `python -m tests.config.refresh`."""

from pathlib import Path

from config import reference

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

if __name__ == "__main__":
    PAGE.write_text(reference.text(), encoding="utf-8")
