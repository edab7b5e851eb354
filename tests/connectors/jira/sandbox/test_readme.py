"""The stand-in's README names what exists."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.jira import sandbox
from connectors.jira.sandbox.acts import ACTS
from connectors.jira.sandbox.settings import Settings

README = (Path(sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")
TESTS = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))


def test_every_test_the_checklist_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", README))
    assert len(named) > 40
    assert {name for name in named if f"def {name}(" not in TESTS} == set()


def test_every_switch_the_checklist_names_exists() -> None:
    rows = [row.split("|") for row in README.split("## Checklist")[1].splitlines() if row.startswith("| ")]
    cells = " ".join(row[3] for row in rows if len(row) > 5 and row[1].strip() != "line")
    quoted = [name for group in re.findall(r"`([^`]+)`", cells) for name in re.split(r",\s*", group)]
    named = {name for name in quoted if not name.endswith("*")} - {"deployment", "dynamic", "webhook"} - set(ACTS)
    assert named
    assert named - set(Settings.__struct_fields__) == set()


def test_every_act_is_described() -> None:
    part = README.split("Acts, each with")[1].split("## Checklist")[0]
    assert {name for name in ACTS if f"`{name}`" not in part} == set()
