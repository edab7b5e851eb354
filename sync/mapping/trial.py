"""One record tried through the mappings: what it reads as, which route takes it, what each other system would show."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence

from msgspec import Struct, structs

from sync.mapping.compiled import Mapping
from sync.mapping.load import Loaded
from sync.mapping.routes import Act, Route
from sync.mapping.trace import Rule, Source, Traced, source_for
from sync.mapping.trace_in import not_named, taken_in
from sync.mapping.trace_out import made_to_show, why_not
from sync.model import Direction, Feedback, LinkView, Snapshot


class Counterpart(Struct, frozen=True, kw_only=True):
    """A record of the same item: the connection it is on, and what it shows."""

    connection: str
    snap: Snapshot


class RouteTried(Struct, frozen=True, kw_only=True):
    """One route. takes: it is the first that fits. why: the condition that the record does not meet.

    act: `create`, `propose` or `attach`. record: the one that is attached to, empty for the others.
    """

    name: str
    act: str
    target: str
    record: str
    takes: bool
    why: str
    rule: Rule | None


class TargetTried(Struct, frozen=True, kw_only=True):
    """Another connection. record: the record of the same item there, empty where there is none.

    created_by: the route that would create one. values: what it would be made to show.
    """

    connection: str
    system: str
    record: str
    created_by: str
    values: tuple[Traced, ...]


class Tried(Struct, frozen=True, kw_only=True):
    """One record through the mappings. values: what each of its values reads as. not_named: fields nobody reads.

    back: what it would be made to show if all others said the same: nothing else than it shows, or its mapping is not
    stable (the laws see to that).
    """

    connection: str
    system: str
    record: str
    url: str
    values: tuple[Traced, ...]
    not_named: tuple[str, ...]
    back: tuple[Traced, ...]
    routes: tuple[RouteTried, ...]
    targets: tuple[TargetTried, ...]


def tried(
    loaded: Loaded,
    files: Sequence[Source],
    systems: MappingOf[str, str],
    connection: str,
    snap: Snapshot,
    others: Sequence[Counterpart] = (),
) -> Tried:
    """Try a record. systems: connection -> system. others: the other records of its item."""
    system = systems[connection]
    mapping = loaded.for_connection(connection, system)
    source = source_for(files, connection, system)
    view = mapping.feedback(snap)
    said = structs.replace(view, tags=tuple(tag for tag in view.tags if tag.key in _travelling(mapping, snap)))
    route = next((one for one in loaded.routes if one.matches(view, connection, snap.created_at)), None)
    targets = []
    for name, kind in systems.items():
        there: list[Snapshot] = [one.snap for one in others if one.connection == name]
        if there or name != connection:
            targets += [
                _target(loaded, files, name, kind, said, one, route, _shown_as(connection, system, snap, view))
                for one in there or (None,)
            ]
    return Tried(
        connection=connection,
        system=system,
        record=snap.ref.key or snap.ref.id,
        url=snap.ref.url,
        values=taken_in(mapping, source, snap),
        not_named=not_named(mapping, snap),
        back=tuple(one for one in made_to_show(mapping, source, view, snap) if one.field == "status"),
        routes=tuple(
            RouteTried(
                name=one.name,
                act=one.act.value,
                target=one.target.connection,
                record=one.target.record,
                takes=one is route,
                why=why_not(one, view, connection, snap) or _taken_before(one, route),
                rule=_route_rule(files, n),
            )
            for n, one in enumerate(loaded.routes)
        ),
        targets=tuple(targets),
    )


def _travelling(mapping: Mapping, snap: Snapshot) -> frozenset[str]:
    """The tags of a record that leave its system: a tag must pass the filters of both."""
    if mapping.tag_direction not in (Direction.BOTH, Direction.IN):
        return frozenset()
    return frozenset(key for key in mapping.shown(snap).tags if mapping.accepts(key))


def _target(
    loaded: Loaded,
    files: Sequence[Source],
    name: str,
    system: str,
    view: Feedback,
    snap: Snapshot | None,
    route: Route | None,
    shown_as: LinkView,
) -> TargetTried:
    mapping = loaded.for_connection(name, system)
    created = None
    if route is not None and route.act is not Act.ATTACH and route.target.connection == name and snap is None:
        created = route
    draft = mapping.draft(view, created, "", shown_as) if created is not None else None
    return TargetTried(
        connection=name,
        system=system,
        record=(snap.ref.key or snap.ref.id) if snap is not None else "",
        created_by=created.name if created is not None else "",
        values=made_to_show(mapping, source_for(files, name, system), view, snap, draft),
    )


def _shown_as(connection: str, system: str, snap: Snapshot, view: Feedback) -> LinkView:
    ref = snap.ref
    return LinkView(
        system=system, connection=connection, kind=ref.kind, id=ref.id, key=ref.key, url=ref.url, title=view.title
    )


def _taken_before(one: Route, route: Route | None) -> str:
    return "" if route is None or one is route else f"`{route.name}` takes it first"


def _route_rule(files: Sequence[Source], number: int) -> Rule | None:
    for source in files:
        rule = source.rule("routes", number)
        if rule is not None:
            return rule
    return None
