"""All files of one mappings folder, from their texts: checked together, compiled together, or refused together."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from typing import TypeVar

from msgspec import Struct
from pydantic import BaseModel, ValidationError

from sync.core.state import Rules
from sync.mapping import between, compilation, conditions, group_rules, partial, people, schema, stock
from sync.mapping.compiled import Mapping
from sync.mapping.findings import Problems, fingerprint
from sync.mapping.routes import Route
from sync.mapping.yaml import Document, Loc, Malformed, Problem, compose, nearest, problems_of, ways_of

Model = TypeVar("Model", bound=BaseModel)

ROUTES = "routes.yaml"
RULES = "rules.yaml"
PEOPLE = "people.yaml"


class MappingErrors(Malformed):
    """The files cannot be used. `problems` has all that is wrong in all of them, in the order of files and lines."""


class Loaded(Struct, frozen=True, kw_only=True):
    """What the files say, compiled.

    mappings: by system, and by connection for those that have one of their own. fingerprint: changes when anything in
    any file changes what the hub does.
    """

    mappings: MappingOf[str, Mapping]
    routes: tuple[Route, ...]
    rules: Rules
    fingerprint: str

    def for_connection(self, name: str, system: str) -> Mapping:
        """The mapping of a connection: its own, else its system's. Raises KeyError that says what is missing."""
        own = self.mappings.get(name)
        if own is not None and name in own.connections:
            return own
        common = self.mappings.get(system)
        if common is None or common.connections:
            raise KeyError(
                f"no mapping for the connection `{name}`: no file names it, or is for all of `system: {system}`"
            )
        return common


def load(texts: MappingOf[str, str], connections: MappingOf[str, str] | None = None) -> Loaded:
    """Check and compile the files. texts: file name -> text; `routes.yaml` and `rules.yaml` may be missing.

    connections: connection name -> system, when they are known: names in the files are then checked against them.
    Raises MappingErrors with every problem of every file.
    """
    found: list[Problem] = []
    routes_file, routes_problems = _read(texts, ROUTES, schema.RoutesFile, found)
    rules_file, rules_problems = _read(texts, RULES, schema.RulesFile, found)
    people_file, people_problems = _read(texts, PEOPLE, schema.PeopleFile, found)
    routes = conditions.routes(routes_file, routes_problems, connections)
    routed = conditions.routed(routes, routes_file)
    rules = group_rules.rules(rules_file, rules_problems)
    who = people.people(people_file, people_problems, connections)
    found += routes_problems.found + rules_problems.found + people_problems.found
    mappings: dict[str, Mapping] = {}
    files: dict[str, schema.MappingFile] = {}
    claimed: dict[str, str] = {}
    checked: list[tuple[Mapping, Problems, int]] = []
    for name in sorted(texts):
        if _base(name) in (ROUTES, RULES, PEOPLE):
            continue
        document = _compose(texts[name], name, found)
        document = _with_stock(document, found) if document is not None else None
        if document is None:
            continue
        file, missing = _validate(document, schema.MappingFile, found, "mapping")
        if file is None:
            continue
        problems = Problems(document, missing)
        _claim(file, name, claimed, problems, connections)
        mapping = compilation.mapping(file, problems, routed, who, rules.fields)
        checked.append((mapping, problems, _met(file, connections)))
        files[name] = file
        for key in file.connections or [file.system]:
            mappings.setdefault(key, mapping)
    if not found and not any(problems.found for _, problems, _ in checked):
        between.check(each for each in checked if each[2])
    found += [problem for _, problems, _ in checked for problem in problems.found]
    if found:
        raise MappingErrors(found)
    content = [routes_file, rules_file, people_file, *(files[name] for name in sorted(files, key=_base))]
    return Loaded(
        mappings=mappings,
        routes=routes,
        rules=rules,
        fingerprint=fingerprint([part.model_dump(mode="json") for part in content]),
    )


def _with_stock(document: Document, found: list[Problem]) -> Document | None:
    """The file, and where it says `stock: true`, with the shipped mapping of its system behind it."""
    data = document.data
    if not isinstance(data, dict) or data.get("stock") != "true" or not isinstance(data.get("system"), str):
        return document
    behind = stock.shipped(str(data["system"]))
    if behind is None:
        hint = nearest(data["system"], stock.systems()) or f"there is one for {', '.join(stock.systems())}"
        found.append(document.problem(("stock",), f"there is no stock mapping for `{data['system']}`", hint))
        return None
    return stock.completed(document, behind)


def _met(file: schema.MappingFile, connections: MappingOf[str, str] | None) -> int:
    """How many connections have this mapping; one, where they are not known."""
    if connections is None or file.connections:
        return len(file.connections) or 1
    return sum(system == file.system for system in connections.values())


def _claim(
    file: schema.MappingFile,
    name: str,
    claimed: dict[str, str],
    problems: Problems,
    connections: MappingOf[str, str] | None,
) -> None:
    """Two files never speak for the same connection, and none for a system that there is not."""
    systems = sorted({*stock.systems(), *(connections or {}).values()})
    if connections is not None and file.system not in systems:
        hint = nearest(file.system, systems) or f"known are {', '.join(systems)}"
        problems.add(("system",), f"there is no system `{file.system}`", hint)
    ways: list[tuple[tuple[str | int, ...], str]] = [
        (("connections", n), connection) for n, connection in enumerate(file.connections)
    ] or [(("system",), file.system)]
    for way, key in ways:
        other = claimed.setdefault(key, name)
        if other != name or sum(key == again for _, again in ways) > 1:
            problems.add(way, f"`{key}` has a mapping in {other} already", "keep one, or name different `connections`")
        if file.connections and connections is not None:
            if key not in connections:
                known = sorted(connections)
                problems.add(
                    way, f"there is no connection `{key}`", nearest(key, known) or f"known are {', '.join(known)}"
                )
            elif connections[key] != file.system:
                problems.add(
                    way, f"the connection `{key}` is on {connections[key]}, and this mapping is for {file.system}", ""
                )


def _read(texts: MappingOf[str, str], base: str, model: type[Model], found: list[Problem]) -> tuple[Model, Problems]:
    name = next((name for name in sorted(texts) if _base(name) == base), None)
    document = _compose(texts[name], name, found) if name is not None else None
    if document is None or document.data == "":
        document = Document(file=name or base, data={}, values={}, keys={})
    file, missing = _validate(document, model, found, base.removesuffix(".yaml"))
    return file or model(), Problems(document, missing)


def _compose(text: str, name: str, found: list[Problem]) -> Document | None:
    try:
        return compose(text, name)
    except Malformed as error:
        found += error.problems
        return error.document


def _validate(
    document: Document, model: type[Model], found: list[Problem], kind: str
) -> tuple[Model | None, frozenset[Loc]]:
    """The file, or what is left of it without its wrong parts, and those parts. None: nothing can be said of it."""
    missing = {partial.part_of(way) for way in document.refused}
    for is_first in (True, False):
        data = partial.without(document.data, missing, kind) if missing else document.data
        try:
            return model.model_validate(data), frozenset(missing)
        except ValidationError as error:
            if is_first:
                found += problems_of(error, document, model)
            missing |= {partial.part_of(way) for way in ways_of(error, document)}
    return None, frozenset(missing)


def _base(name: str) -> str:
    base = name.rpartition("/")[2]
    return base.removesuffix(".yml") + ".yaml" if base.endswith(".yml") else base


def listed(problems: Iterable[Problem]) -> str:
    """The problems as lines of text."""
    return "\n".join(str(problem) for problem in problems)
