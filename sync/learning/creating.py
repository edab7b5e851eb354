"""Whether the records that routes ask for could be created: project, kind, and every field of the create screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.contract import Catalogue, CreateScreen, Level
from sync.learning.mismatch import Mismatch, listed
from sync.mapping.compiled import Mapping as CompiledMapping
from sync.mapping.routes import Act, Route
from sync.mapping.trace import Rule, Source
from sync.model import Direction, Json

_BY_NAME = ("project", "issuetype")
"""The fields by which a create screen is found."""


def creates(
    mapping: CompiledMapping, catalogue: Catalogue, routes: Sequence[tuple[Route, Rule | None]], source: Source
) -> Iterator[Mismatch]:
    """What would be refused of the creates that these routes ask for. Systems without create screens refuse nothing."""
    if not catalogue.screens:
        return
    screens = {one.place: one for one in catalogue.screens}
    projects = {place.partition("/")[0] for place in screens}
    for route, rule in routes:
        if route.act is Act.ATTACH:
            continue
        fields = {**mapping.create_fields, **route.target.fields}
        project, kind = (_text(fields.get(name)) for name in _BY_NAME)
        if catalogue.more_screens and project and f"{project}/{kind}" not in screens:
            continue  # it was not asked for
        if not project or project not in projects:
            yield Mismatch(
                level=Level.ERROR if not project else Level.WARNING, subject=f"route {route.name} project", rule=rule,
                what=f"the route `{route.name}` names no project to create in" if not project else
                f"the project `{project}` of the route `{route.name}` is not one of the connection's projects",
                do="name it under `create.fields.project`" if not project else
                f"known are {listed(sorted(projects))}; add it to `projects` of the connection, or correct the key",
            )  # fmt: skip
            continue
        screen = screens.get(f"{project}/{kind}")
        if screen is None:
            kinds = [place.partition("/")[2] for place in screens if place.startswith(f"{project}/")]
            yield Mismatch(
                level=Level.ERROR, subject=f"route {route.name} kind", rule=rule,
                what=f"the route `{route.name}`: the project `{project}` has no `{kind}` to create" if kind else
                f"the route `{route.name}` says no issue type", do=f"there are {listed(kinds)}",
            )  # fmt: skip
            continue
        yield from _screen(mapping, catalogue, route, rule, screen, fields, source)


def _screen(
    mapping: CompiledMapping,
    catalogue: Catalogue,
    route: Route,
    rule: Rule | None,
    screen: CreateScreen,
    fields: Mapping[str, Json],
    source: Source,
) -> Iterator[Mismatch]:
    sent = set(fields)
    for part in (mapping.title, mapping.body, mapping.severity, mapping.reporter, mapping.owner):
        if part.target:
            sent.add(part.target)
    for name in screen.required:
        if name not in sent:
            yield Mismatch(
                level=Level.ERROR, subject=f"route {route.name} {name}", rule=rule,
                what=f"the route `{route.name}`: {screen.place} demands `{name}`{_label(catalogue, name)}, and nothing "
                "is sent for it",
                do="give it a value under `create.fields`, of the route or of the mapping",
            )  # fmt: skip
    for name in sorted(sent - set(screen.fields) - set(_BY_NAME)):
        yield Mismatch(
            level=Level.ERROR, subject=f"route {route.name} {name}",
            rule=source.rule("create", "fields", name) or rule,
            what=f"the route `{route.name}`: `{name}`{_label(catalogue, name)} is not on the create screen of "
            f"{screen.place}: a create would be refused",
            do="put it on the screen, or do not send it",
        )  # fmt: skip
    travels = mapping.tag_direction not in (Direction.IN, Direction.OFF)
    if travels and mapping.tags_field and mapping.tags_field not in screen.fields:
        yield Mismatch(
            level=Level.ERROR, subject=f"route {route.name} {mapping.tags_field}", rule=rule,
            what=f"the route `{route.name}`: `{mapping.tags_field}` is not on the create screen of {screen.place}: a "
            "create with tags would be refused", do="put it on the screen",
        )  # fmt: skip


def _label(catalogue: Catalogue, name: str) -> str:
    field = catalogue.field(name)
    return f" ({field.label})" if field is not None and field.label and field.label != name else ""


def _text(value: Json) -> str:
    if isinstance(value, dict):
        return str(value.get("key") or value.get("name") or value.get("id") or "")
    return str(value) if value else ""
