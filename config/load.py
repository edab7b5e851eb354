"""Reading the settings: where the file is, what stands where, which place wins, and everything that is wrong at once.

The only code that reads the environment. Strongest first: flag, environment, secret file, file, default.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from config import sources
from config.catalogue import Way, common, of_system
from config.problems import SettingsErrors, secrets_in, told
from config.settings import Connection, Settings, layered
from config.sources import PLACE, Fault, Kind, Layer, Source
from connectors.contract import Connector
from connectors.registry import CONNECTORS
from sync.mapping.yaml import Document, Malformed, Problem, compose, path_of

DEFAULT_PLACE = Path("config/hypercare.yaml")
DATABASE = "hypercare.db"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The settings, ready for use. path: their file. sources: where each value came from, by its dotted way.

    secrets: the plain texts of all secrets, to be kept out of the log; not shown by repr.
    """

    settings: Settings
    path: Path
    sources: Mapping[str, Source]
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The configured connections by name, in the file's order. Each is an instance of its connector's settings."""
        return self.settings.connections

    def connector(self, name: str) -> Connector:
        """The connector of a connection. Raises KeyError for an unknown name."""
        return CONNECTORS[self.settings.connections[name].system]

    @property
    def systems(self) -> dict[str, str]:
        """Connection name -> system."""
        return {name: one.system for name, one in self.settings.connections.items()}

    @property
    def data_dir(self) -> Path:
        """The folder of database, lock and tokens."""
        return self._beside(self.settings.data_dir)

    @property
    def database(self) -> Path:
        """The database file."""
        given = self.settings.database
        return self.data_dir / DATABASE if given is None else self._beside(given)

    @property
    def mappings_dir(self) -> Path:
        """The folder of the mapping files."""
        return self._beside(self.settings.mappings_dir)

    def _beside(self, path: Path) -> Path:
        return Path(os.path.normpath(self.path.parent / path.expanduser()))


def place(config_path: Path | None, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Where the settings file is, and who says so: `--config`, the variable, or the default place."""
    if config_path is not None:
        return config_path, "--config"
    named = environ.get(PLACE)
    return (Path(named), PLACE) if named else (DEFAULT_PLACE, "")


def load(
    config_path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
) -> Loaded:
    """Read the settings. flags: values of the command line by dotted way. Raises SettingsErrors with all that is wrong.

    environ: the process's own environment unless given.
    """
    env = os.environ if environ is None else environ
    path, who = place(config_path, env)
    document = _document(path, who)
    faults: list[Fault] = []
    from_file = sources.of_document(document)
    from_flags = sources.of_flags(flags or {})
    from_env = sources.of_environment(env, document.data, faults)
    from_secrets = sources.of_secret_files((from_flags, from_env, from_file), path.parent, faults)
    layers = (from_flags, from_env, from_secrets, from_file)
    origins: dict[Way, Source] = {}
    for layer in layers:
        for way, origin in layer.origins.items():
            origins.setdefault(way, origin)
    tree = _merged(layers)
    try:
        settings = layered(*(layer.values for layer in layers))
    except ValidationError as error:
        raise SettingsErrors([*told(error, document, tree, origins), *faults]) from None
    problems: list[Problem | Fault] = [*faults, *_unlike(settings, document), *_placeholders(from_file, document)]
    if problems:
        raise SettingsErrors(problems)
    return Loaded(settings=settings, path=path, sources=_sources(settings, origins), secrets=tuple(secrets_in(tree)))


def _document(path: Path, who: str) -> Document:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise SettingsErrors([_not_there(path, who)]) from None
    except IsADirectoryError:
        raise SettingsErrors(
            [Fault(str(path), "", "is a folder", f"name the file in it: {path / DEFAULT_PLACE.name}")]
        ) from None
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8"
        raise SettingsErrors([Fault(str(path), "", f"is not text in UTF-8 (byte {error.start})", hint)]) from None
    except OSError as error:
        hint = "make it readable for the user who runs hypercare"
        raise SettingsErrors([Fault(str(path), "", f"cannot be read ({error.strerror})", hint)]) from None
    try:
        document = compose(text, str(path))
    except Malformed as error:
        raise SettingsErrors(error.problems) from None
    if document.data == "":
        return Document(file=document.file, data={}, values={(): (1, 1)}, keys={})
    if not isinstance(document.data, dict):
        problem = Problem(
            str(path), *document.place(()), "", "must be a mapping (`name: value` lines)", "see docs/settings.md"
        )
        raise SettingsErrors([problem])
    return document


def _not_there(path: Path, who: str) -> Fault:
    if who:
        return Fault(
            str(path),
            "",
            f"there is no such file ({who} names it)",
            "correct the path, or make one: hypercare init DIR",
        )
    return Fault(
        str(path),
        "",
        "there is no such file",
        f"make one with `hypercare init DIR`, go into its folder, or name it with --config FILE or {PLACE}",
    )


def _merged(layers: tuple[Layer, ...]) -> dict[str, Any]:
    """All layers in one tree, as pydantic-settings merges them."""
    tree: dict[str, Any] = {}
    for layer in reversed(layers):
        _lay(tree, layer.values)
    return tree


def _lay(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(name), dict):
            _lay(below[name], value)
        elif isinstance(value, dict):
            below[name] = {}
            _lay(below[name], value)
        else:
            below[name] = value


def _unlike(settings: Settings, document: Document) -> list[Problem]:
    """Names that a variable could not tell apart."""
    found: list[Problem] = []
    first: dict[str, str] = {}
    for name in settings.connections:
        other = first.setdefault(name.replace("-", "_"), name)
        if other != name:
            way = ("connections", name)
            message = f"differs from `{other}` only by - and _, which variables of the environment cannot tell apart"
            found.append(document.problem(way, message, "give one of them another name", key=True))
    return found


PLACEHOLDER = re.compile(r"CHANGE-?ME")


def _placeholders(from_file: Layer, document: Document) -> list[Problem]:
    """Values of the template that nobody has replaced: they would lead to somebody else's account."""
    return [
        document.problem(way, f"`{text}` is still what `hypercare init` wrote", "put your own in")
        for way, value in from_file.leaves()
        for text in (value if isinstance(value, list) else [value])
        if isinstance(text, str) and PLACEHOLDER.search(text)
    ]


def _sources(settings: Settings, origins: Mapping[Way, Source]) -> dict[str, Source]:
    """Where each setting came from; those that nobody set, and that have a default, from there."""
    found: dict[str, Source] = {}
    default = Source(kind=Kind.DEFAULT)
    for setting in common():
        found[path_of(setting.way)] = origins.get(setting.way, default)
    for name, connection in settings.connections.items():
        for setting in of_system(connection.system):
            way = ("connections", name, *setting.way)
            origin = origins.get(way)
            if origin is None and (setting.required or setting.variant):
                continue  # belongs to a variant that was not chosen
            found[path_of(way)] = origin or default
    return found


def value_of(settings: Settings, path: str) -> str:
    """A value as `check` shows it, by its dotted way. Secrets are only said to be set."""
    here: Any = settings
    for part in path.split("."):
        if isinstance(here, BaseModel):
            here = getattr(here, part, None)
        elif isinstance(here, Mapping):
            here = here.get(part)
    return _shown(here)


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else ""
    if isinstance(value, tuple | list):
        return ", ".join(_shown(part) for part in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
