"""`hypercare mappings diff`: two versions of the mapping files, and the page about what differs."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap

from config.mappings import read_alone, read_with
from config.problems import SettingsErrors
from sync.cli.show import say, styled
from sync.mapping.difference import Difference, differences
from sync.mapping.load import load
from sync.mapping.yaml import Malformed, Problem

_WIDTH = 80


def between(old: Path, new: Path) -> tuple[Difference, ...]:
    """What differs. A file against a folder takes the place of what it would replace there. Raises SettingsErrors."""
    before = read_with(new, old) if new.is_dir() and not old.is_dir() else read_alone(old)
    after = read_with(old, new) if old.is_dir() and not new.is_dir() else read_alone(new)
    found: list[Problem] = []
    for texts in (before, after):
        try:
            load(texts)
        except Malformed as error:
            found += error.problems
    if found:
        raise SettingsErrors(found, {**before, **after})
    return differences(before, after)


def page(found: tuple[Difference, ...]) -> None:
    """The differences, by whom and by what they are about."""
    if not found:
        say("nothing that the hub does changes")
        return
    about = group = None
    for one in found:
        if one.about != about:
            if about is not None:
                say()
            styled((one.about, "bold"))
            about, group = one.about, None
        if one.group != group and one.group not in ("", about):
            styled((f"  {one.group}", "dim"))
        group = one.group
        mark, colour = ("+", "green") if one.old in _EMPTY else ("-", "red") if one.new in _EMPTY else ("~", "yellow")
        first, *rest = wrap(one.words, _WIDTH - 6) or [""]
        styled(("    ", ""), (mark, colour), (f" {first}", ""))
        for line in rest:
            say(f"      {line}")
    say()
    say(f"{len(found)} difference{'s' if len(found) > 1 else ''}; `hypercare plan` shows what they do to known records")


_EMPTY: tuple[object, ...] = (None, "", [], {})
