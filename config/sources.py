"""Where settings are written: flags, environment, secret files, the file. Each becomes a nested layer with origins."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct

from config.catalogue import FILE_SUFFIX, Setting, Way, at, common, of_system
from config.settings import CONNECTION_MODELS, is_connection_name
from sync.mapping.yaml import Document, nearest, path_of, readable

PREFIX = "HYPERCARE_"
PLACE = "HYPERCARE_CONFIG"
SECRET_LIMIT = 64 * 1024
"""Bytes of a secret file."""


class Kind(StrEnum):
    """The kinds of places, the strongest first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    SECRET_FILE = "secret file"  # noqa: S105  # a word, not a secret
    FILE = "file"
    DEFAULT = "default"


class Source(Struct, frozen=True, kw_only=True):
    """Where one value came from. where: the flag, the variable, or the file with line and column."""

    kind: Kind
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.where}".strip()


class Fault(Struct, frozen=True, order=True):
    """One thing that is wrong outside the file. where names the variable, flag or secret file."""

    where: str
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        path = f"{readable(self.path)}: " if self.path else ""
        return f"{readable(self.where)}: {path}{readable(self.message)}" + _tail(readable(self.hint))


def _tail(hint: str) -> str:
    return f"; {hint}" if hint else ""


@dataclass
class Layer:
    """Values of one kind of place. origins: by the way of each value."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Way, Source] = field(default_factory=dict)

    def put(self, way: Way, value: Any, origin: Source) -> None:
        """Set one value."""
        here = self.values
        for part in way[:-1]:
            inner = here.get(part)
            if not isinstance(inner, dict):
                inner = here[part] = {}
            here = inner
        here[way[-1]] = value
        self.origins[way] = origin

    def leaves(self) -> Iterator[tuple[Way, Any]]:
        """The values with their ways."""
        return _leaves(self.values, ())

    def take(self, way: Way) -> Any:
        """Remove a value and give it back."""
        here = self.values
        for part in way[:-1]:
            here = here[part]
        return here.pop(way[-1])


def _leaves(value: Any, way: Way) -> Iterator[tuple[Way, Any]]:
    if isinstance(value, dict) and (value or not way):
        for name, part in value.items():
            yield from _leaves(part, (*way, name))
    else:
        yield way, value


# --- the file --------------------------------------------------------------------------------------------------------


def of_document(document: Document) -> Layer:
    """The file's own values."""
    layer = Layer(values=_copy(document.data))
    for way, _ in layer.leaves():
        line, column = document.place(way)
        layer.origins[way] = Source(kind=Kind.FILE, where=f"{document.file}:{line}:{column}")
    return layer


def _copy(value: Any) -> Any:
    return {name: _copy(part) for name, part in value.items()} if isinstance(value, dict) else value


# --- flags and the environment ---------------------------------------------------------------------------------------


def of_flags(flags: Mapping[str, str]) -> Layer:
    """Values given on the command line, by dotted way (`web.port`)."""
    layer = Layer()
    for name, text in flags.items():
        way = tuple(name.split("."))
        layer.put(way, _typed(at(common(), way), text), Source(kind=Kind.FLAG, where=f"--{way[-1].replace('_', '-')}"))
    return layer


def of_environment(environ: Mapping[str, str], written: Mapping[str, Any], faults: list[Fault]) -> Layer:
    """Values of `HYPERCARE_...` variables. written: the file's data, whose connections they may name.

    `__` goes one level down; connection names are compared without regard to capitals, and `_` stands for `-`.
    """
    layer = Layer()
    connections = written.get("connections")
    in_file = connections if isinstance(connections, dict) else {}
    known = {_folded(name): name for name in in_file}
    mine = sorted(name for name in environ if name.startswith(PREFIX) and name != PLACE)
    split = {variable: _in_connection(_way(variable)) for variable in mine}
    announced = {_folded(found[0]): found[0] for found in split.values() if found is not None and found[1] == _SYSTEM}
    for variable in mine:
        text, found = environ[variable], split[variable]
        if found is None:
            way: Way = _way(variable)
            setting = at(common(), way)
            if setting is None:
                faults.append(Fault(variable, "", "names no setting", _near_variable((), way, common())))
                continue
        else:
            said, rest = found
            name = known.get(_folded(said)) or announced.get(_folded(said), "")
            if not is_connection_name(name):
                faults.append(Fault(variable, "", f"there is no connection `{said}`", _near_connection(said, in_file)))
                continue
            way = ("connections", name, *rest)
            system = text if rest == _SYSTEM else _system(name, in_file, environ, variable, rest)
            choices = of_system(system)
            setting = _secret_or_plain(choices, rest)
            if setting is None and choices:
                hint = _near_variable(("connections", name), rest, choices)
                faults.append(Fault(variable, "", "names no setting", hint))
                continue
        layer.put(way, _typed(setting, text), Source(kind=Kind.ENVIRONMENT, where=variable))
    return layer


_SYSTEM: Way = ("system",)


def _in_connection(way: Way) -> tuple[str, Way] | None:
    """The connection's name and the way below it; None where the way leads elsewhere."""
    return (way[1], way[2:]) if len(way) > 2 and way[0] == "connections" else None


def _way(variable: str) -> Way:
    return tuple(part.lower() for part in variable.removeprefix(PREFIX).split("__"))


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")


def _system(name: str, in_file: Mapping[str, Any], environ: Mapping[str, str], variable: str, rest: Way) -> str:
    """The system of the connection that a variable speaks of, as far as it is known yet."""
    ending = "__".join(part.upper() for part in rest)
    told = environ.get(variable.upper().removesuffix(ending) + "SYSTEM")
    connection = in_file.get(name)
    written = connection.get("system") if isinstance(connection, dict) else None
    return str(told or written or "")


def _secret_or_plain(settings: tuple[Setting, ...], way: Way) -> Setting | None:
    """The setting of that way, or the secret whose file it names."""
    found = at(settings, way)
    if found is None and way[-1].endswith(FILE_SUFFIX):
        plain = at(settings, (*way[:-1], way[-1].removesuffix(FILE_SUFFIX)))
        found = plain if plain is not None and plain.secret else None
    return found


def _near_connection(name: str, in_file: Mapping[str, Any]) -> str:
    return nearest(name, in_file) or (
        f"known are {', '.join(sorted(in_file))}" if in_file else "name its system too, as ..._SYSTEM=zendesk"
    )


def _near_variable(above: Way, way: Way, choices: tuple[Setting, ...]) -> str:
    names = [_variable((*above, *setting.way)) for setting in choices]
    if not above:
        names += [_variable(("connections", "name", "system")), PLACE]
    return nearest(_variable((*above, *way)), names) or "take it away, or see docs/settings.md"


def _variable(way: Way) -> str:
    return PREFIX + "__".join(way).upper().replace("-", "_")


def _typed(setting: Setting | None, text: str) -> Any:
    """A list is written with commas where only a list is taken."""
    if setting is not None and setting.many and not setting.alone:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


# --- secret files ----------------------------------------------------------------------------------------------------


def of_secret_files(layers: tuple[Layer, ...], folder: Path, faults: list[Fault]) -> Layer:
    """Take every `x_file` out of the layers and read the secret `x` from it. The first layer that names one wins.

    Paths are relative to `folder`. A file that others can read is refused.
    """
    found = Layer()
    systems = _systems(layers)
    for layer in layers:
        for way, value in list(layer.leaves()):
            if len(way) < 3 or way[0] != "connections" or not way[-1].endswith(FILE_SUFFIX):
                continue
            name = way[-1].removesuffix(FILE_SUFFIX)
            setting = at(of_system(systems.get(way[1], "")), (*way[2:-1], name))
            if setting is None or not setting.secret:
                continue
            target = (*way[:-1], name)
            layer.take(way)
            origin = layer.origins[way]
            if target in found.origins:
                continue
            if not isinstance(value, str) or not value:
                faults.append(Fault(origin.where, path_of(way), "must be the path of one file"))
                continue
            path = Path(os.path.normpath(folder / Path(value).expanduser()))
            secret = _read_secret(path, f"{path} (named by {origin.where})", path_of(way), faults)
            found.put(target, secret, Source(kind=Kind.SECRET_FILE, where=str(path)))
    return found


UNREADABLE = "unreadable secret"
"""Stands for a secret whose file was refused, so that its absence is not reported a second time."""


def _read_secret(path: Path, where: str, way: str, faults: list[Fault]) -> str:
    def refuse(message: str, hint: str) -> str:
        faults.append(Fault(where, way, message, hint))
        return UNREADABLE

    try:
        # One handle for both looks: the file that was judged is the file that is read.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                return refuse("is not a file", "write the secret into a file of its own")
            if facts.st_mode & 0o077:
                return refuse(
                    f"others can read this secret (its mode is {stat.S_IMODE(facts.st_mode):04o})",
                    f"chmod 600 {path}, and renew the secret if others have read it",
                )
            content = file.read(SECRET_LIMIT + 1)
    except FileNotFoundError:
        return refuse("there is no such file", "write the secret into it, or correct the path")
    except OSError as error:
        return refuse(f"cannot be read ({error.strerror})", "make it readable for the user who runs hypercare")
    if len(content) > SECRET_LIMIT:
        return refuse(f"has more than {SECRET_LIMIT:,} bytes", "a secret file holds the secret and nothing else")
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return refuse("is not text in UTF-8", "write the secret into it as it was shown to you")
    if not text.strip():
        return refuse("is empty", "write the secret into it")
    return text


def _systems(layers: tuple[Layer, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for layer in layers:
        connections = layer.values.get("connections")
        if isinstance(connections, dict):
            for name, one in connections.items():
                if isinstance(one, dict) and isinstance(one.get("system"), str) and one["system"] in CONNECTION_MODELS:
                    found.setdefault(name, str(one["system"]))
    return found
