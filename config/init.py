"""A new configuration: folders, commented settings, copies of the shipped mappings. Never overwrites anything."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from msgspec import Struct

from config.load import DEFAULT_PLACE
from config.problems import SettingsErrors
from config.sources import Fault

PRIVATE = 0o700
SECRETS = Path("var/secrets")


class Made(Struct, frozen=True, kw_only=True):
    """What was made, and what was there already and left alone; in order."""

    made: tuple[Path, ...]
    kept: tuple[Path, ...]


def make(folder: Path) -> Made:
    """Make a configuration in a folder, which need not exist. Raises SettingsErrors where it cannot be written."""
    made: list[Path] = []
    kept: list[Path] = []
    for path, text in contents(folder).items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Exclusive: a file that somebody made between our look and our write is theirs.
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            kept.append(path)
        except OSError as error:
            raise SettingsErrors([_fault(path, error)]) from None
        else:
            made.append(path)
    for private in (folder / "var", folder / SECRETS):
        try:
            os.mkdir(private, PRIVATE)  # noqa: PTH102  the mode from the first moment on
        except FileExistsError:
            kept.append(private)
        except OSError as error:
            raise SettingsErrors([_fault(private, error)]) from None
        else:
            made.append(private)
    return Made(made=tuple(made), kept=tuple(kept))


def contents(folder: Path) -> dict[Path, str]:
    """The files that a configuration in this folder begins with."""
    found = {folder / DEFAULT_PLACE: files("config").joinpath("templates", "hypercare.yaml").read_text("utf-8")}
    for shipped in sorted(files("mappings").iterdir(), key=lambda one: one.name):
        if shipped.name.endswith((".yaml", ".schema.json")):
            found[folder / "mappings" / shipped.name] = shipped.read_text("utf-8")
    return found


def next_steps(folder: Path) -> tuple[str, str, str]:
    """What to do after `make`."""
    where = folder / DEFAULT_PLACE
    return (
        f"Put your accounts into {where}, and their secrets into files in {folder / SECRETS} (chmod 600).",
        f"hypercare --config {where} check --online",
        f"hypercare --config {where} run",
    )


def _fault(path: Path, error: OSError) -> Fault:
    return Fault(str(path), "", f"cannot be made ({error.strerror})", "choose a folder that you may write to")
