"""Where a mapping and the live system that it is for do not agree: values, fields, screens, steps, and the laws.

Findings are about the mapping, with the rule that needs a look. `error`: something would be refused, lost or never
rest; `warning`: something is not understood; `info`: worth knowing, and provided for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from connectors.contract import Catalogue, Level, LiveField
from sync.core.laws import violations
from sync.core.lens import NEAREST
from sync.core.state import StatusRules
from sync.learning.creating import creates
from sync.learning.live import Sample
from sync.learning.mismatch import Mismatch, listed
from sync.mapping.compiled import Mapping as CompiledMapping
from sync.mapping.routes import Route
from sync.mapping.tables import Values
from sync.mapping.trace import Rule, Source
from sync.mapping.yaml import nearest
from sync.model import Direction, Move, RecordRef, Snapshot, Status

_MEANINGS = ("severity", "urgency", "type", "category", "source_class")
_PLAIN = ("title", "body", "reporter", "owner", "occurrences", "affected_users")


class Against(Struct, frozen=True, kw_only=True):
    """What a mapping is held against. source: its file, for the places; an empty one where they are not wanted.

    routes: those that create records on this connection, each with its place. sample: for the steps of workflows.
    """

    connection: str
    catalogue: Catalogue
    source: Source
    routes: Sequence[tuple[Route, Rule | None]] = ()
    sample: Sample = Sample()
    workflows: bool = False


def disagreements(mapping: CompiledMapping, against: Against) -> tuple[Mismatch, ...]:
    """Everything in which they differ; the gravest first."""
    found = [
        *_fields(mapping, against),
        *_statuses(mapping, against),
        *(one for name in _MEANINGS for one in _values(name, getattr(mapping, name), against)),
        *_transitions(mapping, against),
        *creates(mapping, against.catalogue, against.routes, against.source),
    ]
    order = list(Level)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: order.index(one.level)))


# --- fields ----------------------------------------------------------------------------------------------------------


def _fields(mapping: CompiledMapping, against: Against) -> Iterator[Mismatch]:
    """Every remote field that is named is there, and is read."""
    if against.catalogue.unread:
        return  # what is not listed may be there all the same
    told: set[str] = set()
    for name, way in _named(mapping):
        if name in told or not name:
            continue
        told.add(name)
        field = against.catalogue.field(name)
        rule = against.source.rule(*way)
        if field is None:
            yield Mismatch(
                level=Level.ERROR, subject=f"field {name}", rule=rule, what=f"there is no field `{name}`",
                do=_meant(name, against.catalogue) or "name another field, or take it out",
            )  # fmt: skip
        elif not field.read:
            yield Mismatch(
                level=Level.ERROR, subject=f"field {name}", rule=rule,
                what=f"the field `{name}` ({field.label}) is there and is not read",
                do=f"add `{name}` to `extra_fields` of the connection",
            )  # fmt: skip


def _meant(name: str, catalogue: Catalogue) -> str:
    """The field that was meant, of nearly the same length. Numbers tell custom fields apart: none is near another."""
    if any(sign.isdigit() for sign in name):
        return ""
    return nearest(name, [one.name for one in catalogue.fields if abs(len(one.name) - len(name)) <= 2])


def _named(mapping: CompiledMapping) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """The remote fields that the mapping reads, and where it names them."""
    at = "fields"
    yield mapping.status_field, (at, "status", "field")
    if mapping.status_category is not None:
        yield mapping.status_category.field, (at, "status", "by_category", "field")
    yield mapping.tags_field, (at, "tags", "field")
    for n, name in enumerate(mapping.link_fields):
        read = name != mapping.links_field
        yield name, (at, "links", "read", n - bool(mapping.links_field)) if read else (at, "links", "field")
    for name in (*_MEANINGS, *_PLAIN):
        yield getattr(mapping, name).source, (at, name, "field")
        for more in getattr(getattr(mapping, name), "join", ()):
            yield more, (at, name, "join")
    for dimension, plain in mapping.dimension_fields:
        yield plain.source, (at, "dimensions", dimension.value, "field")


# --- status ----------------------------------------------------------------------------------------------------------


def _statuses(mapping: CompiledMapping, against: Against) -> Iterator[Mismatch]:
    field = against.catalogue.field(mapping.status_field) if mapping.status_field else None
    if field is None or not field.values or mapping.status_direction is Direction.OFF:
        return
    rules = live_rules(mapping, field)
    at = ("fields", "status")
    archived = {raw.casefold() for raw in mapping.status.archived}
    live = {one.name.casefold(): one.name for one in field.values}
    means = {raw.casefold(): meaning for raw, meaning in rules.values.items()}
    unknown = [name for folded, name in live.items() if folded not in archived and folded not in means]
    if unknown:
        yield Mismatch(
            level=Level.WARNING, subject="statuses not named", rule=against.source.rule(*at, "values"),
            what=f"means nothing here: {listed(unknown)}",
            do="add it to `fields.status.values`: the status of a record that shows it is left alone",
        )  # fmt: skip
    known = {raw.casefold() for raw in mapping.status.values}
    coarse = [name for folded, name in live.items() if folded in means and folded not in known]
    if coarse:
        yield Mismatch(
            level=Level.INFO, subject="statuses by category", rule=against.source.rule(*at, "by_category"),
            what="read by category or default: "
            + ", ".join(f"`{name}` as {means[name.casefold()]}" for name in coarse[:_SHOWN]) + _more(coarse),
        )  # fmt: skip
    absent = [raw for raw in mapping.status.values if raw.casefold() not in live]
    if absent:
        yield Mismatch(
            level=Level.INFO, subject="statuses not there", rule=against.source.rule(*at, "values"),
            what=f"named, and not in use there: {listed(absent)}",
        )  # fmt: skip
    yield from _written(mapping, against, field, means)
    for violation in violations(rules):
        if violation.raw.casefold() in live:
            yield Mismatch(
                level=Level.ERROR, subject=f"law {violation.law} {violation.raw}",
                rule=against.source.rule(*at, "write", violation.status.value) or against.source.rule(*at),
                what=violation.message, do="name this status in `values`, or write another one",
            )  # fmt: skip


_SHOWN = 6


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""


def live_rules(mapping: CompiledMapping, field: LiveField) -> StatusRules:
    """The status rules with all live statuses in them that the mapping understands, by whatever rule."""
    moves = [Move(id=str(n), name="", to=one.name, category=one.category) for n, one in enumerate(field.values)]
    return mapping.rules_for(_NOBODY, moves)


_EPOCH = datetime.fromtimestamp(0, UTC)
_NOBODY = Snapshot(ref=RecordRef(kind="", id=""), version="", created_at=_EPOCH, updated_at=_EPOCH, fields={})


def _written(
    mapping: CompiledMapping, against: Against, field: LiveField, means: Mapping[str, Status]
) -> Iterator[Mismatch]:
    """Every status that would be written is there, and everywhere."""
    if mapping.status_direction is Direction.IN:
        return
    live = {one.name.casefold(): one for one in field.values}
    for meaning, raw in mapping.status.write.items():
        rule = against.source.rule("fields", "status", "write", meaning.value)
        there = live.get(raw.casefold())
        if there is None:
            others = [one.name for one in field.values if means.get(one.name.casefold()) is meaning]
            near = [one for one in field.values if _is_near(means.get(one.name.casefold()), meaning)]
            if against.workflows and (others or near):
                instead = f"`{others[0]}` is" if others else "the nearest of its side is"
                yield Mismatch(
                    level=Level.INFO, subject=f"write {meaning}", rule=rule,
                    what=f"`{raw}` is written for {meaning}, and is not there: {instead} taken",
                )  # fmt: skip
            else:
                yield Mismatch(
                    level=Level.ERROR, subject=f"write {meaning}", rule=rule,
                    what=f"`{raw}` is written for {meaning}, and is not there: it would be refused",
                    do=f"write one that is there: {listed([one.name for one in field.values])}",
                )  # fmt: skip
        elif there.places:
            yield Mismatch(
                level=Level.INFO, subject=f"write {meaning}", rule=rule,
                what=f"`{raw}` is written for {meaning}, and is only in {listed(there.places)}: elsewhere the nearest "
                "of its side is taken",
            )  # fmt: skip


def _is_near(one: Status | None, meaning: Status) -> bool:
    return one is not None and one in NEAREST[meaning]


# --- fields with meanings --------------------------------------------------------------------------------------------


def _values(name: str, values: Values, against: Against) -> Iterator[Mismatch]:
    field = against.catalogue.field(values.source or values.target) if values.source or values.target else None
    if field is None or not field.values:
        return
    live = {one.name.casefold(): one.name for one in field.values}
    strange = [one for one in live.values() if values.of(one)[1]]
    if strange:
        yield Mismatch(
            level=Level.WARNING, subject=f"{name} not named", rule=against.source.rule("fields", name, "values"),
            what=f"{name}: means nothing here: {listed(strange)}",
            do=f"add it to `fields.{name}.values`: it is reported on each record that shows it",
        )  # fmt: skip
    for meaning, raw in values.write.items():
        if values.target and raw.casefold() not in live:
            yield Mismatch(
                level=Level.ERROR, subject=f"{name} write {meaning}",
                rule=against.source.rule("fields", name, "write", str(meaning)),
                what=f"{name}: `{raw}` is written for {meaning}, and is not there: a create would be refused",
                do=f"write one that is there: {listed(list(live.values()))}",
            )  # fmt: skip


# --- workflow --------------------------------------------------------------------------------------------------------


def _transitions(mapping: CompiledMapping, against: Against) -> Iterator[Mismatch]:
    field = against.catalogue.field(mapping.status_field) if mapping.status_field else None
    live = {one.name.casefold() for one in field.values} if field is not None else set[str]()
    absent = [name for name in mapping.transitions if name != "*" and live and name.casefold() not in live]
    if absent:
        yield Mismatch(
            level=Level.WARNING, subject="transitions not there", rule=against.source.rule("transitions", absent[0]),
            what=f"transitions to a status that is not there: {listed(absent)}",
            do="take them out, or correct the name",
        )  # fmt: skip
    for status, step in mapping.transitions.items():
        for remote, value in {**step.required, **step.always}.items():
            written = against.source.rule("transitions", status, "fields", remote)
            rule = written or against.source.rule("transitions", status, remote)
            yield from allowed(against.catalogue, remote, value, rule)
    yield from _steps(mapping, against.sample.snapshots, against)


def _steps(mapping: CompiledMapping, snapshots: Iterable[Snapshot], against: Against) -> Iterator[Mismatch]:
    told: set[tuple[str, str]] = set()
    for snap in snapshots:
        for move in snap.moves or ():
            for remote in mapping.missing_fields(move):
                if (move.to, remote) in told:
                    continue
                told.add((move.to, remote))
                field = against.catalogue.field(remote)
                label = f" ({field.label})" if field is not None and field.label != remote else ""
                yield Mismatch(
                    level=Level.WARNING, subject=f"step {move.to} {remote}",
                    rule=against.source.rule("transitions", move.to) or against.source.rule("transitions"),
                    what=f"the step to `{move.to}` demands `{remote}`{label}, and the mapping has no value for it",
                    do=f"add it under `transitions.{move.to}.fields`: until then such a step is parked",
                )  # fmt: skip


def allowed(catalogue: Catalogue, remote: str, value: object, rule: Rule | None) -> Iterator[Mismatch]:
    """Whether a field is there and may hold a value."""
    field = catalogue.field(remote)
    if field is None:
        if not catalogue.unread:
            yield Mismatch(
                level=Level.ERROR, subject=f"field {remote}", rule=rule, what=f"there is no field `{remote}`",
                do=_meant(remote, catalogue) or "take it out, or correct its name",
            )  # fmt: skip
        return
    live = {one.name.casefold() for one in field.values}
    for one in value if isinstance(value, list) else [value]:
        text = _text(one)
        if live and text and text.casefold() not in live:
            yield Mismatch(
                level=Level.ERROR, subject=f"value {remote} {text}", rule=rule,
                what=f"`{text}` is no value of `{remote}` ({field.label})",
                do=f"write one that is there: {listed([one.name for one in field.values])}",
            )  # fmt: skip


def _text(value: object) -> str:
    """The name in a value as it is sent: a text, or an object that names it."""
    if isinstance(value, dict):
        return next((str(value[key]) for key in ("value", "name", "key") if value.get(key)), "")
    return value if isinstance(value, str) else ""
