"""The planted defects fit the code as it is, and each law has its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.defects.patches import ROOT, Defect, DoesNotApply, Hunk, all_defects
from tests.proof.mutants import chosen, command, hunt

DEFECTS = all_defects()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_applies_and_leaves_python(defect: Defect, tmp_path: Path) -> None:
    for hunk in defect.hunks:
        copy = tmp_path / hunk.file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((ROOT / hunk.file).read_text("utf-8"), encoding="utf-8")
    defect.apply(tmp_path)
    for hunk in defect.hunks:
        text = (tmp_path / hunk.file).read_text("utf-8")
        assert text != (ROOT / hunk.file).read_text("utf-8")
        compile(text, hunk.file, "exec")
    for checker in defect.find:
        assert command(checker)


def test_there_are_at_least_thirty_with_the_ladder_and_every_law() -> None:
    assert len(DEFECTS) >= 30
    laws = " ".join(defect.law for defect in DEFECTS)
    named = set(re.findall(r"\b[LH]\d+\b|ladder \d", laws))
    wanted = {f"L{n}" for n in range(1, 17)} | {f"H{n}" for n in range(1, 19)} | {f"ladder {n}" for n in range(1, 7)}
    assert sorted(wanted - named) == []


def test_a_patch_whose_lines_have_gone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n", encoding="utf-8")
    for before in ("y = 1\n", "x = 1\n"):
        defect = Defect("d", "L1", "w", ("pure",), (Hunk("a.py", before, "z = 1\n"),))
        with pytest.raises(DoesNotApply, match=r"a\.py"):
            defect.apply(tmp_path)
    assert (tmp_path / "a.py").read_text("utf-8") == "x = 1\nx = 1\n"


def test_all_checkers_of_a_defect_share_its_time() -> None:
    """The first does not end in time; the second is no checker at all, and is not reached any more."""
    found = hunt(Defect("d", "L1", "w", ("pytest --version", "nothing"), ()), limit=0.01)
    assert (found.by, found.trouble) == ("", "")
    assert found.seconds >= 0.01


def test_turns_take_every_defect_in_the_end() -> None:
    taken = {each.name for turn in range(len(DEFECTS)) for each in chosen(DEFECTS, 3, turn)}
    assert taken == {each.name for each in DEFECTS}
