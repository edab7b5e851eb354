"""The stand-in's README names what exists."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.gateway import sandbox
from connectors.gateway.sandbox.acts import ACTS
from connectors.gateway.sandbox.settings import Settings

README = (Path(sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")
TESTS = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
ROWS = [[cell.strip() for cell in row.split("|")] for row in README.split("## Checklist")[1].splitlines()]
CHECKLIST = [row for row in ROWS if len(row) == 6 and row[1] not in {"what", "---"}]


def test_every_test_the_checklist_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", README))
    assert len(named) > 50
    assert {name for name in named if f"def {name}(" not in TESTS} == set()


def test_every_line_of_the_checklist_has_a_test_and_a_mark() -> None:
    assert len(CHECKLIST) > 30
    assert [row[1] for row in CHECKLIST if "`test_" not in row[3] or not re.search(r"\b[VKG]\b", row[4])] == []


def test_every_switch_is_in_the_checklist() -> None:
    named = {name for row in CHECKLIST for name in re.findall(r"`(\w+)`", row[2])}
    assert named - set(ACTS) - set(Settings.__struct_fields__) == set()
    told = named | set(re.findall(r"`(\w+)`", README.split("## Control face")[1].split("## Checklist")[0]))
    assert set(Settings.__struct_fields__) - told == set()


def test_every_act_is_described() -> None:
    part = README.split("Acts;")[1].split("## Checklist")[0]
    assert {name for name in ACTS if f"`{name}`" not in part} == set()
