"""Mapping, routes, rules and settings files from a seed: what people, editors and scripts make of good ones.

What is loaded from them is used, or refused with the place and the reason; nothing else leaves, and no secret is told.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.load import load as load_settings
from config.mappings import load_mappings
from config.problems import SettingsErrors
from tests.config.files import GOOD
from tests.hostile.corpus import LONG, spoil_tree
from tests.sync.mapping.records import shipped_texts

SLOW = 3.0
"""Seconds of the processor that one case may take at the very most."""

ROUTES = """\
routes:
  - name: outage
    when:
      tags: {any: [outage]}
      connection: [support]
      status: [new, waiting]
    create:
      connection: engineering
      fields: {project: SHOP}
"""

RULES = """\
groups:
  helpdesk:
    resolve: all
    detail: sole
  signal: {resolve: never}
reopen_as: new
"""

LINES: tuple[str, ...] = (
    "a: &x [1]\nb: *x",
    "bomb: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]",
    "!!python/object/apply:os.system ['true']",
    "? [complex, key]\n: value",
    "<<: {status: off}",
    "---\nsecond: document",
    "%YAML 9.9",
    "\tindented: by a tab",
    "status: [",
    "'unclosed",
    '"\\ud800"',
    "key: |\n  text\n wrong",
    "- a list",
    "null: null",
    "~: 1",
    ": no key",
    "yes: no",
    "a: b: c",
    "# " + "x" * 200,
    "{" * 100,
    "[" * 2000,
    "- " * 500,
    f"long: {LONG}",
    "status: {values: {new: new}}",
    "tags: {only: ['(', '[', '*', '(a+)+$']}",
    "when: {tags: {any: [{}]}}",
    "statuss: off",
    "\u202e: \u200b",
    "\x00: nul",
    "\x85next: line",
    "é: İ",
)
"""Lines that are put somewhere into a file."""


@dataclass
class FileTally:
    """What a run saw."""

    cases: int = 0
    loaded: int = 0
    refused: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)


def spoil_text(rng: random.Random, text: str) -> str:
    """A text with something wrong in it, as text, as lines, or as YAML."""
    for _ in range(rng.choice((1, 1, 2))):
        way = rng.randrange(9)
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        if way == 0:
            text = text[: rng.randrange(len(text) + 1)]
        elif way == 1:
            spaces = rng.choice(("", " ", "  ", "      "))
            text = "\n".join([*lines[:at], *(spaces + line for line in rng.choice(LINES).split("\n")), *lines[at:]])
        elif way == 2:
            text = "\n".join([*lines[:at], lines[at], *lines[at:]])
        elif way == 3:
            text = "\n".join([*lines[:at], *lines[at + 1 :]])
        elif way == 4:
            text = "\n".join([*lines[:at], rng.choice(("", " ", "    ", "\t")) + lines[at], *lines[at + 1 :]])
        elif way == 5:
            place = rng.randrange(len(text) + 1)
            text = text[:place] + rng.choice(":[]{}#&*!|>'\"%@`-?,\n\t \\\x00\x1b\ufeff\u2028é🧨") + text[place:]
        elif way == 6:
            words = text.split(" ")
            one, two = rng.randrange(len(words)), rng.randrange(len(words))
            words[one], words[two] = words[two], words[one]
            text = " ".join(words)
        else:
            text = _other_tree(rng, text)
    return text


def _other_tree(rng: random.Random, text: str) -> str:
    try:
        tree: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    tree, _ = spoil_tree(rng, tree)
    try:
        return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    except (yaml.YAMLError, RecursionError):
        return text


def spoil_bytes(rng: random.Random, text: str) -> bytes:
    """A file's bytes, in another encoding or broken now and then."""
    way = rng.randrange(14)
    if way == 0:
        return text.encode("utf-16")
    if way == 1:
        return text.encode("latin-1", "replace") + b"\xe9"
    if way == 2:
        return b"\xef\xbb\xbf" + text.encode("utf-8", "replace")
    if way == 3:
        return text.replace("\n", "\r\n").encode("utf-8", "replace")
    if way == 4:
        body = bytearray(text.encode("utf-8", "replace"))
        for _ in range(3):
            body[rng.randrange(len(body))] = rng.randrange(256)
        return bytes(body)
    return text.encode("utf-8", "replace")


class Folder:
    """A configuration folder that is written anew for each case."""

    def __init__(self, folder: Path) -> None:
        self.settings = folder / "config" / "hypercare.yaml"
        self.mappings = folder / "mappings"
        self.settings.parent.mkdir(parents=True)
        self.mappings.mkdir()
        self._good = {
            self.settings: GOOD,
            **{self.mappings / name: text for name, text in shipped_texts().items()},
            self.mappings / "routes.yaml": ROUTES,
            self.mappings / "rules.yaml": RULES,
        }
        for path, text in self._good.items():
            path.write_text(text, encoding="utf-8")

    def play(self, seed: int, tally: FileTally) -> None:
        """Spoil one file, load everything, put it back."""
        rng = random.Random(seed)
        path = rng.choice(sorted(self._good))
        text = spoil_text(rng, self._good[path]) or "\n"
        path.write_bytes(spoil_bytes(rng, text))
        in_place = all(re.match(r"\s*(client_secret|api_token): +CANARY", line) for line in _with_canary(text))
        environ = _environ(rng)
        began = time.process_time()
        tally.cases += 1
        try:
            loaded = load_settings(self.settings, environ)
            load_mappings(loaded)
            tally.loaded += 1
        except SettingsErrors as error:
            tally.refused += 1
            self._judge(seed, path, error, tally, in_place=in_place)
        except Exception as error:  # noqa: BLE001  whatever it is, a person must not see it
            tally.wrong.append(f"seed {seed}, {path.name}: {type(error).__name__}: {str(error)[:200]}")
        took = time.process_time() - began
        tally.slowest = max(tally.slowest, took)
        if took > SLOW:
            tally.wrong.append(f"seed {seed}, {path.name}: took {took:.1f} s")
        path.write_text(self._good[path], encoding="utf-8")

    def _judge(self, seed: int, path: Path, error: SettingsErrors, tally: FileTally, *, in_place: bool) -> None:
        """in_place: the secrets stand where secrets stand; pasted elsewhere, nobody can know them for what they are."""
        told = str(error)
        if not error.problems:
            tally.wrong.append(f"seed {seed}, {path.name}: refused without a reason")
        if in_place and "CANARY" in told:
            tally.wrong.append(f"seed {seed}, {path.name}: tells a secret: {told[:300]}")
        for problem in error.problems:
            line = str(problem)
            if any(ord(c) < 32 for c in line) or len(line) > 1000:
                tally.wrong.append(f"seed {seed}, {path.name}: nobody can read: {line[:300]!r}")
                return


def _with_canary(text: str) -> list[str]:
    return [line for line in text.split("\n") if "CANARY" in line]


_PLAIN = (
    "WEB__PORT",
    "CONNECTIONS__SUPPORT__CLIENT_SECRET",
    "CONNECTIONS__SUPPORT",
    "CONNECTIONS__NOBODY__URL",
)
_ODD = ("CONNECTIONS__ENGINEERING__PROJECTS", "LOG", "__", "CONNECTIONS__SUPPORT__CLIENT_SECRET_FILE", "DATA_DIR")
_NAMES: tuple[str, ...] = (*_PLAIN, *_ODD)
_VALUES = ("", "x", "{}", "[1", '{"a": ', "0", "-1", "99999999999999999999", "null", "/nowhere/secret", "a,b", "\udcff")


def _environ(rng: random.Random) -> dict[str, str]:
    if rng.random() < 0.7:
        return {}
    return {f"HYPERCARE_{rng.choice(_NAMES)}": rng.choice(_VALUES)}


def run(folder: Path, seeds: range, tally: FileTally) -> FileTally:
    """One case for each seed."""
    place = Folder(folder)
    for seed in seeds:
        place.play(seed, tally)
    return tally
