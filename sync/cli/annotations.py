"""What is wrong, as workflow commands of GitHub Actions: shown beside the line in a pull request.

Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions. A path counts from the root of
the checkout, which the runner names in GITHUB_WORKSPACE; one outside it is bound to no file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sync.mapping.yaml import Problem

if TYPE_CHECKING:
    from config.sources import Fault
    from sync.cli.agreeing import Held

_LEVELS = {"error": "error", "warning": "warning"}


def of_problem(problem: Problem | Fault) -> str:
    """One problem of the files. What the annotation's place says is not said again in its words."""
    if not isinstance(problem, Problem):
        return f"::error ::{_escaped(str(problem))}"
    place = f"file={_path(problem.file)},line={problem.line},col={problem.column}"
    words = str(problem).removeprefix(f"{problem.file}:{problem.line}:{problem.column}: ")
    return f"::error {place}::{_escaped(words)}"


def of_held(held: Iterable[Held]) -> Iterator[str]:
    """What live systems say against the mappings."""
    for one in held:
        if one.failed:
            yield f"::error ::{_escaped(f'{one.connection}: {one.failed}')}"
        for found in one.mismatches:
            level = _LEVELS.get(found.level.value, "notice")
            place = f"file={_path(found.rule.file)},line={found.rule.line}" if found.rule is not None else ""
            words = str(found).removeprefix(f"{found.rule}: ")
            path = f"{found.rule.path}: " if found.rule is not None else ""
            yield f"::{level} {place}::{_escaped(f'{one.connection}: {path}{words}')}"


def _path(file: str) -> str:
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    whole = Path(file).resolve()
    shown = whole.relative_to(root).as_posix() if whole.is_relative_to(root) else file
    return _escaped(shown).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    """As workflow commands want data."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
