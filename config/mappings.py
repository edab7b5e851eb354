"""Reading the mapping files of a configuration, checked against its connections."""

from __future__ import annotations

from pathlib import Path

from config.load import Loaded
from config.problems import SettingsErrors
from config.sources import Fault
from sync.mapping import load as mapping
from sync.mapping.yaml import Malformed

ENDINGS = (".yaml", ".yml")


def load_mappings(loaded: Loaded) -> mapping.Loaded:
    """All files of the mappings folder, compiled. Raises SettingsErrors with all that is wrong in all of them."""
    texts = read_texts(loaded.mappings_dir)
    try:
        compiled = mapping.load(texts, loaded.systems)
    except Malformed as error:
        raise SettingsErrors(error.problems) from None
    without = [name for name, system in loaded.systems.items() if not _has_mapping(compiled, name, system)]
    if without:
        raise SettingsErrors(
            Fault(
                str(loaded.mappings_dir),
                "",
                f"no file has a mapping for the connection `{name}`",
                f"add one with `system: {loaded.systems[name]}` (`hypercare init` copies the shipped ones)",
            )
            for name in without
        )
    return compiled


def read_texts(folder: Path) -> dict[str, str]:
    """File name (with its folder) -> text. Raises SettingsErrors."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS and not path.name.startswith("."))
    except OSError as error:
        hint = "correct `mappings_dir`, or make the folder with `hypercare init`"
        raise SettingsErrors([Fault(str(folder), "", f"cannot be read ({error.strerror})", hint)]) from None
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for path in paths:
        try:
            texts[str(path)] = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            faults.append(Fault(str(path), "", f"is not text in UTF-8 (byte {error.start})", "save it as UTF-8"))
        except OSError as error:
            faults.append(Fault(str(path), "", f"cannot be read ({error.strerror})", "look at its mode"))
    if faults:
        raise SettingsErrors(faults)
    return texts


def _has_mapping(compiled: mapping.Loaded, name: str, system: str) -> bool:
    try:
        compiled.for_connection(name, system)
    except KeyError:
        return False
    return True
