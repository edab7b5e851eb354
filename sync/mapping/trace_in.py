"""One record read through its mapping, value by value: what each became, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator

from sync.core.tags import fold
from sync.mapping.compiled import Mapping
from sync.mapping.raw import text_of
from sync.mapping.tables import PlainField, Values
from sync.mapping.trace import Rule, Source, Traced, renamed, shown_text, tag_rule
from sync.model import Direction, Snapshot, Status

_MEANINGS = ("severity", "urgency", "type", "category", "source_class")
_PLAIN = ("title", "body", "reporter", "owner", "occurrences", "affected_users")


def taken_in(mapping: Mapping, source: Source, snap: Snapshot) -> tuple[Traced, ...]:
    """Every canonical field that the mapping knows, in the order of the canonical schema."""
    return (
        *_status(mapping, source, snap),
        *_tags(mapping, source, snap),
        *_links(mapping, source, snap),
        *_views(mapping, source, snap),
    )


def not_named(mapping: Mapping, snap: Snapshot) -> tuple[str, ...]:
    """The remote fields that the record shows with a value and that the mapping does not read."""
    return tuple(sorted(name for name in snap.fields if name not in _read_fields(mapping) and _has_value(snap, name)))


def _has_value(snap: Snapshot, name: str) -> bool:
    return snap.fields[name] not in (None, "", [], {})


def _read_fields(mapping: Mapping) -> frozenset[str]:
    names = {mapping.status_field, mapping.tags_field, *mapping.link_fields, *mapping.meaning_fields}
    if mapping.status_category is not None:
        names.add(mapping.status_category.field)
    names |= {getattr(mapping, name).source for name in _PLAIN}
    names |= {plain.source for _, plain in mapping.dimension_fields}
    for name in _PLAIN:
        names.update(getattr(mapping, name).join)
    return frozenset(names)


# --- status ----------------------------------------------------------------------------------------------------------


def _status(mapping: Mapping, source: Source, snap: Snapshot) -> Iterator[Traced]:
    if not mapping.status_field:
        yield Traced(field="status", remote="", given="", result="", why="the mapping has no `status`")
        return
    raw = text_of(snap.fields.get(mapping.status_field))
    shown = mapping.shown(snap)
    rule, why = status_rule(mapping, source, raw, _category(mapping, snap))
    result = shown.status.value if shown.status is not None else ""
    if mapping.status_direction in (Direction.OUT, Direction.ENFORCE, Direction.OFF):
        no_say = f"has no say: `direction: {mapping.status_direction.value}`"
        why = f"{why}; {no_say}" if why else no_say
    yield Traced(field="status", remote=mapping.status_field, given=raw, result=result, rule=rule, why=why)
    for fact in sorted(mapping.facts.get(raw, ())):
        at = ("fields", "status", "facts", fact.value)
        yield Traced(
            field="facts", remote=mapping.status_field, given=raw, result=fact.value, rule=source.entry(at, raw)
        )


def _category(mapping: Mapping, snap: Snapshot) -> str:
    return text_of(snap.fields.get(mapping.status_category.field)) if mapping.status_category is not None else ""


def status_rule(mapping: Mapping, source: Source, raw: str, category: str) -> tuple[Rule | None, str]:
    """The rule by which a raw status is read, and what it does not say by itself."""
    at = ("fields", "status")
    if not raw:
        return None, "the record shows no status"
    if raw in mapping.status.archived:
        return source.entry((*at, "archived"), raw), "archived: neither open nor done, counts as it did before"
    named = raw in mapping.status.values or any(one.casefold() == raw.casefold() for one in mapping.status.values)
    if named:
        return source.entry((*at, "values"), raw), ""
    table = mapping.status_category
    if table is not None and category in table.values:
        return source.rule(*at, "by_category", "values", category), f"not in `values`; its {table.field} is {category}"
    if mapping.status_default is not None:
        return source.rule(*at, "default"), "named nowhere"
    return None, "named nowhere: reported on the item, and its status is left alone"


# --- tags and links --------------------------------------------------------------------------------------------------


def _tags(mapping: Mapping, source: Source, snap: Snapshot) -> Iterator[Traced]:
    at = ("fields", "tags")
    if not mapping.tags_field:
        yield Traced(field="tags", remote="", given="", result="", why="the mapping has no `tags`: they do not travel")
        return
    field, texts = mapping.tags_field, mapping.tag_texts(snap)
    found = {raw: key for key, raws in mapping.raw_tags(snap).items() for raw in raws}
    standing = snap.fields.get(field) or []
    for raw in standing.split() if isinstance(standing, str) else standing:
        key = found.get(raw)
        if key is None:
            rule, why = _passed_over(mapping, source, snap, raw)
            yield Traced(field="tags", remote=field, given=raw, result="", rule=rule, why=why)
            continue
        travels, rule, why = tag_rule(mapping, source, key)
        rule = renamed(source, fold(raw)) or rule
        if travels and mapping.tag_direction in (Direction.OUT, Direction.ENFORCE, Direction.OFF):
            travels, rule = False, source.rule(*at, "direction")
            why = f"does not count: `direction: {mapping.tag_direction.value}`"
        yield Traced(
            field="tags", remote=field, given=raw, result=texts.get(key, key) if travels else "", rule=rule, why=why
        )


def _passed_over(mapping: Mapping, source: Source, snap: Snapshot, raw: str) -> tuple[Rule | None, str]:
    if mapping.tag_tables.exclude_field_values and mapping.tag_keys((raw,)):
        owner = next((name for name, value in snap.fields.items() if name.startswith("custom_fields.")
                      and (value == raw or (isinstance(value, list) and raw in value))), "")  # fmt: skip
        return source.rule("fields", "tags", "exclude_field_values"), f"belongs to the field {owner or 'it stands in'}"
    prefix = mapping.tag_tables.prefix
    return source.rule("fields", "tags", "prefix"), f"does not begin with `{prefix}`"


def _links(mapping: Mapping, source: Source, snap: Snapshot) -> Iterator[Traced]:
    at = ("fields", "links")
    for link, text in mapping.references(snap):
        if link.handle in mapping.link_fields:
            rule = source.entry((*at, "read"), link.handle) or source.rule(*at, "field")
            yield Traced(field="links", remote=link.handle, given=link.target, result=text, rule=rule)
        else:
            yield Traced(field="links", remote=link.via.value, given=link.target, result=text, rule=source.rule(*at))
    if snap.links is None and mapping.links_direction is not Direction.OFF:
        why = "this way of reading did not show the links kept beside the record"
        yield Traced(field="links", remote="", given="", result="", why=why)


# --- the others ------------------------------------------------------------------------------------------------------


def _views(mapping: Mapping, source: Source, snap: Snapshot) -> Iterator[Traced]:
    view = mapping.feedback(snap)
    for name in ("title", "body"):
        plain: PlainField = getattr(mapping, name)
        if plain.source or plain.default:
            yield _plain(source, snap, name, plain, getattr(view, name))
    for name in _MEANINGS:
        yield _meaning(source, snap, name, getattr(mapping, name), getattr(view, name))
    for name in ("reporter", "owner"):
        plain = getattr(mapping, name)
        if plain.source:
            person = getattr(view, name)
            yield _plain(source, snap, name, plain, (person.name or person.email or person.id) if person else "")
    for name in ("occurrences", "affected_users"):
        plain = getattr(mapping, name)
        if plain.source:
            yield _plain(source, snap, name, plain, str(getattr(view, name)))
    for dimension, plain in mapping.dimension_fields:
        way = ("fields", "dimensions", dimension.value)
        given = shown_text(snap.fields.get(plain.source))
        yield Traced(
            field=dimension.value, remote=plain.source, given=given, rule=source.rule(*way, "field"),
            result=shown_text(plain.values(snap.fields.get(plain.source))),
            why="a view: it does not travel" if given else "the record has none",
        )  # fmt: skip


def _plain(source: Source, snap: Snapshot, name: str, plain: PlainField, result: str) -> Traced:
    way = ("fields", name)
    given = shown_text(snap.fields.get(plain.source)) if plain.source else ""
    rule, why = source.rule(*way, "field"), ""
    joined = [one for one in plain.join if shown_text(snap.fields.get(one))]
    if joined:
        rule, why = source.rule(*way, "join"), f"followed by {', '.join(joined)}"
        given = given or shown_text(snap.fields.get(joined[0]))
    elif not given:
        rule = source.rule(*way, "default") or rule
        why = "the record has none" if plain.source else ""
    elif plain.split and plain.split in given:
        rule, why = source.rule(*way, "split"), f"the part before `{plain.split}`"
    return Traced(field=name, remote=plain.source, given=given, result=shown_text(result), rule=rule, why=why)


def _meaning(source: Source, snap: Snapshot, name: str, values: Values, result: object) -> Traced:
    way = ("fields", name)
    raw = text_of(snap.fields.get(values.source)) if values.source else ""
    looked_up = raw.partition(values.split)[0] if values.split else raw
    meaning = str(result) if isinstance(result, str | Status) else ""
    _, strange = values.of(raw)
    rule, why = source.entry((*way, "values"), looked_up) if looked_up else None, ""
    if strange:
        rule = source.rule(*way, "default") if meaning else source.rule(*way, "values")
        why = f"`{strange}` is not in `values`: reported on the item" + (", and the default taken" if meaning else "")
    elif not looked_up:
        rule = source.rule(*way, "default")
        why = "the default" if not values.source else "the record has none"
    return Traced(field=name, remote=values.source, given=shown_text(raw), result=meaning, rule=rule, why=why)
