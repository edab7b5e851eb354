"""Reading the mapping files of a configuration, checked against its connections."""

from __future__ import annotations

from pathlib import Path

from config.load import Loaded
from config.problems import SettingsErrors
from config.sources import Fault
from sync.mapping import load as mapping
from sync.mapping.yaml import Malformed, compose

ENDINGS = (".yaml", ".yml")


def load_mappings(loaded: Loaded) -> mapping.Loaded:
    """All files of the mappings folder, compiled. Raises SettingsErrors with all that is wrong in all of them."""
    return compile_texts(loaded, read_texts(loaded.mappings_dir))


def compile_texts(loaded: Loaded, texts: dict[str, str]) -> mapping.Loaded:
    """These files, as if they were the mappings folder's. Raises SettingsErrors with all that is wrong in all."""
    try:
        compiled = mapping.load(texts, loaded.systems)
    except Malformed as error:
        raise SettingsErrors(error.problems, texts) from None
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


def read_with(folder: Path, file: Path) -> dict[str, str]:
    """The files of a folder with one more, which takes the place of those that it would replace; or another folder.

    Replaced are the file itself, and mappings for the same connections (or for the same system, where none is named).
    Raises SettingsErrors.
    """
    if file.is_dir():
        return read_texts(file)
    texts = read_texts(folder)
    text = read_alone(file)[str(file)]
    same = {name for name in texts if Path(name).resolve() == file.resolve()}
    claimed = _claims(str(file), text)
    kept = {name: known for name, known in texts.items() if name not in same and claimed != _claims(name, known)}
    return {**kept, str(file): text}


def read_alone(place: Path) -> dict[str, str]:
    """One file, or all of a folder. Raises SettingsErrors."""
    if place.is_dir():
        return read_texts(place)
    try:
        return {str(place): place.read_text("utf-8")}
    except UnicodeDecodeError as error:
        fault = Fault(str(place), "", f"is not text in UTF-8 (byte {error.start})", "save it as UTF-8")
    except OSError as error:
        fault = Fault(str(place), "", f"cannot be read ({error.strerror})", "name a mapping file or a folder of them")
    raise SettingsErrors([fault])


def _claims(name: str, text: str) -> tuple[str, ...]:
    """What a file speaks for: `routes.yaml` and `rules.yaml` for themselves, a mapping for connections or a system."""
    base = Path(name).stem
    if base in ("routes", "rules", "people"):
        return ("", base)
    try:
        data = compose(text, name).data
    except Malformed:
        return (name,)
    named = data if isinstance(data, dict) else {}
    connections = named.get("connections")
    return (str(named.get("system")), *sorted(str(one) for one in connections or () if isinstance(connections, list)))


def _has_mapping(compiled: mapping.Loaded, name: str, system: str) -> bool:
    try:
        compiled.for_connection(name, system)
    except KeyError:
        return False
    return True
