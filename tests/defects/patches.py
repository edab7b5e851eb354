"""Planted defects: patch files, and how one is applied to a copy of the packages.

A patch is a unified diff below comment lines: `law:` the law that it breaks, `what:` the defect in a sentence, `find:`
a checker that may find it (several lines: tried in their order). A hunk is found by its lines, not by their numbers, so
that edits elsewhere in a file do not matter; where its lines are not there exactly once, it does not apply.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGES = ("sync", "connectors", "config", "mappings")
BESIDE = (*PACKAGES, "tests", "docs", "pyproject.toml")
"""What a copy needs so that the checkers run in it."""


class DoesNotApply(Exception):
    """The lines that a patch changes are not there, or not once. The message says where."""


@dataclass(frozen=True)
class Hunk:
    """Lines of one file, before and after."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class Defect:
    """One planted defect."""

    name: str
    law: str
    what: str
    find: tuple[str, ...]
    hunks: tuple[Hunk, ...]

    def apply(self, root: Path) -> None:
        """Plant it below `root`. Raises DoesNotApply; then nothing was written."""
        texts: dict[Path, str] = {}
        for hunk in self.hunks:
            path = root / hunk.file
            text = texts[path] if path in texts else path.read_text("utf-8") if path.is_file() else ""
            found = text.count(hunk.before)
            if found != 1:
                raise DoesNotApply(
                    f"{self.name}: its lines are {'not' if not found else f'{found} times'} in {hunk.file}: "
                    f"make the patch anew for the code as it is now:\n{hunk.before}"
                )
            texts[path] = text.replace(hunk.before, hunk.after)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")


def read(path: Path) -> Defect:
    """Read one patch file. Raises ValueError for one that is none."""
    facts: dict[str, list[str]] = {"law": [], "what": [], "find": []}
    hunks: list[Hunk] = []
    file = ""
    before: list[str] = []
    after: list[str] = []
    lines = path.read_text("utf-8").split("\n")

    def close() -> None:
        if before or after:
            hunks.append(Hunk(file, "".join(before), "".join(after)))

    for line in lines:
        if line.startswith("# "):
            name, _, value = line[2:].partition(": ")
            if name not in facts:
                raise ValueError(f"{path.name}: `{name}` is no fact of a defect")
            facts[name].append(value)
        elif line.startswith("+++ "):
            close()
            file, before, after = line[4:].removeprefix("b/").strip(), [], []
        elif line.startswith("@@"):
            close()
            before, after = [], []
        elif line.startswith("-") and not line.startswith("--- "):
            before.append(line[1:] + "\n")
        elif line.startswith("+"):
            after.append(line[1:] + "\n")
        elif line.startswith(" "):
            before.append(line[1:] + "\n")
            after.append(line[1:] + "\n")
    close()
    if not hunks or not facts["find"] or len(facts["law"]) != 1 or len(facts["what"]) != 1:
        raise ValueError(f"{path.name}: needs `# law:`, `# what:`, at least one `# find:`, and a unified diff")
    return Defect(path.stem, facts["law"][0], facts["what"][0], tuple(facts["find"]), tuple(hunks))


def all_defects() -> list[Defect]:
    """Every planted defect, by name."""
    return [read(path) for path in sorted(HERE.glob("*.patch"))]


def copy_packages(root: Path) -> None:
    """Copy what a defect is planted into, and what its checkers need, to a new folder."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    root.mkdir(parents=True)
    for name in BESIDE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=unwanted)
        else:
            shutil.copy2(source, root / name)
