"""From what an administrator wrote to what the engine asks: checks across keys, then tables.

Each function reports what is wrong through `Problems` and always returns something usable, so that one mistake does not
hide the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from enum import StrEnum
from typing import Any

from msgspec import structs

from sync.core.state import StatusRules, ValueRules
from sync.core.tags import fold
from sync.core.values import MERGED
from sync.mapping import compiled, schema, shadows
from sync.mapping.findings import Problems, fingerprint, read_sentence
from sync.mapping.patterns import PatternWrong, ReferencePattern, TagFilter, reference_pattern
from sync.mapping.people import People
from sync.mapping.statuses import facts_of, status_rules
from sync.mapping.tables import CategoryTable, PlainField, Step, TagTables, Values
from sync.mapping.words import CREATE_NAMES, NOTE_NAMES
from sync.mapping.yaml import nearest
from sync.model import Direction


def mapping(
    file: schema.MappingFile,
    problems: Problems,
    routed: Iterable[str] = (),
    people: People | None = None,
    merged: Iterable[str] = (),
) -> compiled.Mapping:
    """Compile one mapping file. routed: canonical fields that routes look at; their changes are watched.

    merged: those with one value that the rules keep in step; they are watched too.
    """
    routed, merged = tuple(routed), tuple(merged)
    fields = file.fields
    status = fields.status
    tags = fields.tags
    rules = status_rules(status, problems) if status is not None else StatusRules(values={}, write={})
    tables = _tags(tags, problems) if tags is not None else TagTables(include=TagFilter(()), exclude=TagFilter(()))
    patterns = _patterns(fields.links, problems)
    _views(fields, problems, merged)
    shadows.check(file, problems)
    links = fields.links
    link_fields = tuple(dict.fromkeys(([links.field] if links.field else []) + links.read))
    return compiled.Mapping(
        system=file.system,
        kind=file.kind,
        connections=tuple(file.connections),
        markup=file.markup,
        status_field=status.field if status is not None else "",
        status_direction=status.direction if status is not None else Direction.OFF,
        status=rules,
        status_default=status.default if status is not None else None,
        collapses=status is not None and status.collapses,
        status_category=CategoryTable(field=status.by_category.field, values=dict(status.by_category.values))
        if status is not None and status.by_category is not None
        else None,
        facts=facts_of(status) if status is not None else {},
        tags_field=tags.field if tags is not None else "",
        tag_direction=tags.direction if tags is not None else Direction.OFF,
        tag_tables=tables,
        links_show=links.show.value,
        links_field=links.field,
        links_direction=links.direction,
        link_fields=link_fields,
        link_patterns=patterns,
        note_sentence=read_sentence(links.note, NOTE_NAMES, problems, ("fields", "links", "note")),
        title=_text(fields.title),
        body=_text(fields.body),
        severity=_values(fields.severity, fields.severity.write),
        urgency=_values(fields.urgency, fields.urgency.write),
        type=_values(fields.type, fields.type.write),
        category=_values(fields.category, fields.category.write),
        source_class=_values(fields.source_class, {}),
        reporter=structs.replace(_plain(fields.reporter), fallback=fields.reporter.fallback),
        owner=structs.replace(_plain(fields.owner), fallback=fields.owner.fallback),
        occurrences=_plain(fields.occurrences),
        affected_users=_plain(fields.affected_users),
        dimension_fields=tuple(
            (dimension, structs.replace(_plain(field), separator=field.separator))
            for dimension, field in sorted(fields.dimensions.items())
        ),
        transitions={name: _step(step, always=name != "*") for name, step in file.transitions.items()},
        create_fields=dict(file.create.fields),
        create_required=tuple(file.create.required),
        create_public=file.create.public,
        people=people or People(),
        value_rules=(in_step := _value_rules(fields, merged, (people or People()).values(_names(file)))),
        value_fields={name: getattr(fields, name).field for name in in_step},
        create_title=read_sentence(file.create.title, CREATE_NAMES, problems, ("create", "title")),
        create_body=read_sentence(file.create.body, CREATE_NAMES, problems, ("create", "body")),
        meaning_fields=tuple(
            dict.fromkeys(
                _source(field)
                for field in (fields.severity, fields.urgency, fields.type, fields.category, fields.source_class)
                if _source(field)
            )
        ),
        watched_fields=tuple(dict.fromkeys((*link_fields, *_routed_fields(fields, (*routed, *merged))))),
        fingerprint=fingerprint(
            [
                file.system,
                file.kind,
                status.model_dump(mode="json", exclude={"collapses"}) if status is not None else None,
                tags.model_dump(mode="json", exclude={"dimensions"}) if tags is not None else None,
                links.model_dump(mode="json", exclude={"note"}),
            ]
        ),
        _folded_status={raw.casefold(): raw for raw in rules.values},
    )


def _tags(tags: schema.TagsField, problems: Problems) -> TagTables:
    at = ("fields", "tags")
    back: dict[str, str] = {}
    for here, there in tags.rename.items():
        key = fold(there)
        if key in back:
            problems.add(
                (*at, "rename", here),
                f"`{there}` is already the name of `{back[key]}`",
                "two tags cannot become one: it could not be told which to write",
            )
        back.setdefault(key, here)
    for name in ("include", "exclude"):
        for n, pattern in enumerate(getattr(tags, name)):
            if not fold(pattern):
                problems.add((*at, name, n), f"`{pattern}` is no tag", "take it out")
    if not tags.include:
        problems.add((*at, "include"), "is empty: no tag would travel", "write `*` for all, or `direction: off`")
    return TagTables(
        include=TagFilter(tags.include),
        exclude=TagFilter(tags.exclude),
        exclude_field_values=tags.exclude_field_values,
        prefix=tags.prefix,
        renamed={fold(here): there for here, there in tags.rename.items()},
        back=back,
        lower_case=tags.lower_case,
        refuse_characters=tags.refuse_characters,
        dimensions=tuple((dimension, TagFilter(patterns)) for dimension, patterns in sorted(tags.dimensions.items())),
    )


def _patterns(links: schema.LinksField, problems: Problems) -> tuple[ReferencePattern, ...]:
    at = ("fields", "links")
    if links.show is schema.Show.FIELD and not links.field:
        problems.add((*at, "field"), "is missing", "`show: field` needs the name of the field to write to")
    if links.direction is Direction.ENFORCE:
        problems.add((*at, "direction"), "links have no `enforce`", "use `both`, `in`, `out` or `off`")
    found = []
    for n, text in enumerate(links.patterns):
        try:
            found.append(reference_pattern(text))
        except PatternWrong as error:
            problems.add((*at, "patterns", n), f"`{text}` {error}")
    return tuple(found)


_VIEWS = (
    "title", "body", "severity", "urgency", "type", "category", "source_class", "reporter", "owner", "occurrences",
    "affected_users",
)  # fmt: skip


def _views(fields: schema.Fields, problems: Problems, merged: tuple[str, ...]) -> None:
    for name in _VIEWS:
        view = getattr(fields, name)
        if view.direction is Direction.ENFORCE and name in MERGED and name not in merged:
            problems.add(
                ("fields", name, "direction"),
                "`enforce` needs a field that is kept in step",
                f"name `{name}` under `fields` in rules.yaml, or use `both`, `in`, `out` or `off`",
            )
        if view.direction is Direction.ENFORCE and name not in MERGED:
            problems.add(
                ("fields", name, "direction"),
                "`enforce` is for status, tags, severity, urgency and owner only",
                "use `both`, `in`, `out` or `off`",
            )
        values = getattr(view, "values", {})
        if values and not view.field:
            problems.add(
                ("fields", name, "field"), "is missing", "`values` needs the remote field whose values they are"
            )
        known = {raw.casefold() for raw in values}
        for meaning, raw in getattr(view, "write", {}).items():
            if view.direction is Direction.IN:
                problems.add(
                    ("fields", name, "write"),
                    "nothing is written with `direction: in`",
                    "take it out, or set `direction: both`",
                    key=True,
                )
                break
            if values and raw.casefold() not in known:
                problems.add(
                    ("fields", name, "write", meaning),
                    f"`{raw}` is not among `values`",
                    nearest(raw, values) or "add it there",
                )
            elif values and (read := _read(values, raw)) != meaning:
                problems.add(
                    ("fields", name, "write", meaning),
                    f"`{raw}` is read back as {read}",
                    "write a value that means the same as what it stands for",
                )


def _read(values: MappingOf[str, StrEnum], raw: str) -> StrEnum | None:
    return next((meaning for known, meaning in values.items() if known.casefold() == raw.casefold()), None)


def _names(file: schema.MappingFile) -> tuple[str, ...]:
    """Under which names `people.yaml` has the ids of this file's people: of several connections none stands for all."""
    return (*file.connections, file.system) if len(file.connections) == 1 else (file.system,)


def _value_rules(
    fields: schema.Fields, merged: Iterable[str], people: tuple[dict[str, str], dict[str, str]]
) -> dict[str, ValueRules]:
    """How the fields that are kept in step read and are written; those that this system has."""
    found = {}
    for name in sorted(merged):
        field = getattr(fields, name)
        if name == "owner" and field.field and field.direction is not Direction.OFF:
            found[name] = ValueRules(read=people[0], write=people[1], direction=field.direction)
        elif field.field and field.direction is not Direction.OFF:
            read = {raw.casefold(): str(meaning) for raw, meaning in field.values.items()}
            read.update({raw: str(meaning) for raw, meaning in field.values.items()})
            write = {str(meaning): raw for meaning, raw in field.write.items()}
            found[name] = ValueRules(read=read, write=write, direction=field.direction)
    return found


def _plain(field: schema.ViewField) -> PlainField:
    return PlainField(source=_source(field), target=_target(field), split=field.split)


def _text(field: schema.TextField) -> PlainField:
    join = tuple(field.join) if _source(field) or not field.field else ()
    return structs.replace(_plain(field), default=field.default, join=join, between=field.between)


def _values(field: Any, write: MappingOf[Any, str]) -> Values:
    read: dict[str, str] = {raw.casefold(): meaning for raw, meaning in field.values.items()}
    read.update(field.values)
    return Values(
        source=_source(field),
        target=_target(field) if write else "",
        read=read,
        write=dict(write),
        default=field.default,
        split=field.split,
    )


def _source(field: schema.ViewField) -> str:
    return field.field if field.direction in (Direction.BOTH, Direction.IN) else ""


def _target(field: schema.ViewField) -> str:
    return field.field if field.direction in (Direction.BOTH, Direction.OUT) else ""


def _step(step: schema.Transition, *, always: bool) -> Step:
    required: dict[str, Any] = {} if always else dict(step.fields)
    if step.resolution:
        required["resolution"] = {"name": step.resolution}
    return Step(
        always=dict(step.fields) if always else {},
        required=required,
        avoid=step.avoid,
        never_from=frozenset(step.never_from),
    )


def _routed_fields(fields: schema.Fields, routed: Iterable[str]) -> list[str]:
    found = []
    for name in routed:
        part = getattr(fields, name, None)
        if name == "dimensions":
            found += [field.field for field in fields.dimensions.values() if field.field]
        elif part is not None and name not in ("status", "tags") and part.field:
            found.append(part.field)
    return found
