"""A first mapping for one live system: its own fields, statuses and values, with what is known of its kind.

Whatever is guessed is marked `# unsure:`. What the shipped mapping of the system says and the live one bears out is
taken over, so a stock account gets what is shipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from connectors.contract import FieldKind, LiveField
from sync.learning import guesses, statuses
from sync.learning.guesses import Guess
from sync.learning.live import Seen
from sync.learning.places import links, tags
from sync.learning.sheet import Sheet, counted, flow, scalar, table
from sync.learning.shipped import Known
from sync.model import Dimension

SCHEMA = "# yaml-language-server: $schema=mapping.schema.json"


class Suggested(Struct, frozen=True, kw_only=True):
    """A mapping file. unsure: how many lines are marked so."""

    text: str
    unsure: int


def suggest(seen: Seen, known: Known | None, *, connection: str, system: str, kind: str, alone: bool) -> Suggested:
    """Write it. known: the shipped mapping of this kind of system. alone: no other connection is of this system."""
    sheet = Sheet()
    _head(sheet, seen, connection)
    sheet.entry(0, "system", scalar(system))
    sheet.entry(0, "kind", scalar(kind))
    if not alone:
        sheet.entry(
            0, "connections", flow([connection]), comment="other connections of this system have files of their own"
        )
    if known is not None and known.file.markup != "plain":
        sheet.entry(0, "markup", scalar(known.file.markup))
    sheet.gap()
    sheet.entry(0, "fields")
    mapping = known.mapping if known is not None else None
    found = statuses.read(seen, mapping)
    if found is not None:
        statuses.write(sheet, seen, mapping, found)
    sheet.gap()
    tags(sheet, seen, known)
    sheet.gap()
    links(sheet, seen, known)
    sheet.gap()
    _texts(sheet, seen, known)
    sheet.gap()
    _meanings(sheet, seen, known)
    _people(sheet, seen, known)
    _dimensions(sheet, seen, known)
    _transitions(sheet, seen, known)
    _create(sheet, seen, known)
    return Suggested(text=SCHEMA + "\n" + sheet.text(), unsure=sheet.doubts)


def _head(sheet: Sheet, seen: Seen, connection: str) -> None:
    account = seen.capabilities.account
    count = len(seen.sample.snapshots)
    sheet.remark("")
    sheet.remark(
        f"Suggested for the connection `{connection}` by `hypercare mappings suggest`, {seen.at:%Y-%m-%d %H:%M} UTC,"
    )
    sheet.remark(
        f"from what {account} has and from {counted(count, 'record')} of it. Look at what is marked `unsure`, then:"
    )
    sheet.remark("`hypercare mappings check`, `hypercare mappings try FILE --record ...`, `hypercare plan`.")
    for one in seen.catalogue.unread:
        sheet.remark(f"unsure: not asked for: {one}")
    sheet.gap()


def _texts(sheet: Sheet, seen: Seen, known: Known | None) -> None:
    for name in ("title", "body"):
        source = getattr(known.mapping, name).source if known is not None else ""
        if source and _there(seen, source):
            sheet.entry(1, name)
            sheet.entry(2, "field", scalar(source))


def _there(seen: Seen, name: str) -> bool:
    """Whether a field is there. Where a system could not be asked for all of them, the shipped mapping is believed."""
    return seen.catalogue.field(name) is not None or bool(seen.catalogue.unread) or name in _shown(seen)


def _shown(seen: Seen) -> frozenset[str]:
    return frozenset(name for snap in seen.sample.snapshots for name in snap.fields)


# --- fields with meanings --------------------------------------------------------------------------------------------


def _meanings(sheet: Sheet, seen: Seen, known: Known | None) -> None:
    if known is None:
        return
    priority = seen.catalogue.field(known.mapping.severity.source) if known.mapping.severity.source else None
    if priority is not None and priority.values:
        _priorities(sheet, priority, known)
    kinds = seen.catalogue.field(known.mapping.type.source) if known.mapping.type.source else None
    if kinds is not None and kinds.values:
        _kinds(sheet, kinds, known)
    sheet.entry(1, "source_class")
    sheet.entry(2, "default", scalar(known.mapping.source_class.default or "direct_contact"))
    sheet.gap()


def _priorities(sheet: Sheet, field: LiveField, known: Known) -> None:
    names = [one.name for one in field.values]
    bad = guesses.severities(names, _named(known.mapping.severity.read, names))
    sheet.entry(1, "severity", comment=field.label)
    sheet.entry(2, "field", scalar(field.name))
    _values(sheet, bad)
    if known.mapping.severity.target:
        sheet.entry(2, "write", table({meaning: name for name, meaning in _back(bad).items()}))
    else:
        sheet.entry(2, "direction", "in")
    sheet.entry(1, "urgency")
    sheet.entry(2, "field", scalar(field.name))
    sheet.entry(2, "direction", "in")
    sheet.entry(2, "values", table({name: guesses.urgency(str(one.meaning)).value for name, one in bad.items()}))
    sheet.gap()


def _named(read: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: str(read[key]) for name in names for key in (name, name.casefold()) if key in read}


def _back(values: Mapping[str, Guess]) -> dict[str, str]:
    """One remote value for each meaning: the first that is certain, else the first."""
    found: dict[str, tuple[bool, str]] = {}
    for name, guess in values.items():
        meaning = str(guess.meaning)
        if meaning not in found or (not found[meaning][0] and not guess.unsure):
            found[meaning] = (not guess.unsure, name)
    return {name: meaning for meaning, (_, name) in found.items()}


def _values(sheet: Sheet, values: Mapping[str, Guess]) -> None:
    if not any(guess.unsure for guess in values.values()):
        sheet.entry(2, "values", table({name: str(guess.meaning) for name, guess in values.items()}))
        return
    sheet.entry(2, "values")
    for name, guess in values.items():
        sheet.entry(3, name, str(guess.meaning), unsure=guess.unsure)


def _kinds(sheet: Sheet, field: LiveField, known: Known) -> None:
    names = [one.name for one in field.values]
    types = {name: guesses.kind(name, _named(known.mapping.type.read, names)) for name in names}
    filed = _named(known.mapping.category.read, names)
    sheet.entry(1, "type", comment=field.label)
    sheet.entry(2, "field", scalar(field.name))
    sheet.entry(2, "direction", "in")
    _values(sheet, types)
    sheet.entry(2, "default", scalar(known.mapping.type.default or "bug"))
    sheet.entry(1, "category")
    sheet.entry(2, "field", scalar(field.name))
    sheet.entry(2, "direction", "in")
    _values(sheet, {name: guesses.category(name, str(types[name].meaning), filed) for name in names})
    sheet.entry(2, "default", scalar(known.mapping.category.default or "question"))


# --- people and dimensions -------------------------------------------------------------------------------------------


def _people(sheet: Sheet, seen: Seen, known: Known | None) -> None:
    if known is None:
        return
    for name in ("reporter", "owner", "occurrences", "affected_users"):
        plain = getattr(known.mapping, name)
        if plain.source and _there(seen, plain.source):
            sheet.entry(1, name)
            sheet.entry(2, "field", scalar(plain.source))
            if not plain.target and name in ("reporter", "owner"):
                sheet.entry(2, "direction", "in")
    sheet.gap()


def _dimensions(sheet: Sheet, seen: Seen, known: Known | None) -> None:
    """Fields that say where: those of the shipped mapping, and choices whose label says so."""
    found: dict[Dimension, tuple[LiveField, str]] = {}
    for dimension, plain in known.mapping.dimension_fields if known is not None else ():
        field = seen.catalogue.field(plain.source)
        if field is not None or _there(seen, plain.source):
            found[dimension] = (field or LiveField(name=plain.source), "")
    spare = []
    for field in seen.catalogue.fields:
        if not field.custom or field.kind not in (FieldKind.CHOICE, FieldKind.CHOICES):
            continue
        guessed = guesses.dimension(field.label)
        if guessed is None:
            continue
        if guessed in found or not field.read:
            spare.append((guessed, field))
        else:
            found[guessed] = (field, f"`{field.label}` by its name")
    if not found and not spare:
        return
    if found:
        sheet.entry(1, "dimensions", comment="shown as tags of a dimension; they never travel")
    for dimension, (field, unsure) in sorted(found.items()):
        sheet.entry(2, dimension.value, table({"field": field.name}), unsure=unsure)
    for dimension, field in spare:
        why = "" if field.read else " (name it under `extra_fields` of the connection)"
        sheet.remark(f"unsure: {field.name}, `{field.label}`, may be the {dimension.value} as well{why}", 1)
    sheet.gap()


# --- workflow and create ---------------------------------------------------------------------------------------------


def _transitions(sheet: Sheet, seen: Seen, known: Known | None) -> None:
    if not seen.capabilities.workflows:
        return
    wanted = statuses.steps(seen.sample.snapshots)
    resolutions = seen.catalogue.field("resolution")
    every = known.file.transitions.get("*") if known is not None else None
    usual = every.resolution if every is not None else ""
    names = [one.name for one in resolutions.values] if resolutions is not None else []
    sheet.entry(0, "transitions", comment="what workflow steps need, by the status they lead to; `*` is for all")
    resolution, unsure = _resolution(names, usual)
    if resolution:
        sheet.entry(1, "*")
        sheet.entry(
            2, "resolution", scalar(resolution), comment="sent where the step's screen requires one", unsure=unsure
        )
    else:
        sheet.entry(1, "*", "{}")
    for status, required in sorted(wanted.items()):
        others = sorted(required - {"resolution"})
        if not others:
            continue
        sheet.entry(1, status)
        sheet.entry(2, "fields")
        for name in others:
            _demanded(sheet, seen, name, 3, f"the step to `{status}` demands")
    sheet.gap()


def _resolution(names: Sequence[str], usual: str) -> tuple[str, str]:
    if usual in names:
        return usual, ""
    for name in names:
        if guesses.status(name, "", {}).meaning == "resolved":
            return name, "guessed by its name"
    return (names[0], "the first of the list") if names else ("", "")


def _create(sheet: Sheet, seen: Seen, known: Known | None) -> None:
    if known is None:
        return
    sheet.entry(0, "create", comment="a record that the hub creates, where a route asks for one")
    screens = seen.catalogue.screens
    if screens:
        sheet.entry(1, "fields")
        kinds = [one.place.partition("/")[2] for one in screens]
        name, unsure = _kind_to_create(kinds)
        sheet.entry(2, "issuetype", scalar(name), comment="the project is named by the route", unsure=unsure)
        filled = {
            "project",
            "issuetype",
            known.mapping.title.target,
            known.mapping.body.target,
            known.mapping.severity.target,
        }
        wanted: dict[str, list[str]] = {}
        for screen in screens:
            if screen.place.partition("/")[2] == name:
                for field in screen.required:
                    if field not in filled:
                        wanted.setdefault(field, []).append(screen.place)
        for field, places in wanted.items():
            _demanded(sheet, seen, field, 2, f"{', '.join(places)} demands")
    sheet.entry(1, "title", scalar(known.file.create.title))
    sheet.block(1, "body", known.file.create.body)


def _kind_to_create(kinds: Sequence[str]) -> tuple[str, str]:
    usable = [name for name in dict.fromkeys(kinds) if not guesses.is_sub_task(name)] or list(kinds)
    if "Bug" in usable:
        return "Bug", ""
    for name in usable:
        if guesses.kind(name, {}).meaning == "bug":
            return name, "by its name the kind for defects"
    return usable[0], "the first kind that can be created"


def _demanded(sheet: Sheet, seen: Seen, name: str, level: int, who: str) -> None:
    """A field that must have a value: the first choice, marked; where nothing is known to be allowed, for a person."""
    field = seen.catalogue.field(name)
    label = f"`{field.label}`" if field is not None and field.label else f"`{name}`"
    values = [one.name for one in field.values] if field is not None else []
    if values and field is not None and field.kind in (FieldKind.CHOICE, FieldKind.CHOICES):
        value = table({"value": values[0]}) if field.custom else scalar(values[0])
        value = f"[{value}]" if field.kind is FieldKind.CHOICES else value
        shown = ", ".join(values[:4]) + (", ..." if len(values) > 4 else "")
        sheet.entry(level, name, value, unsure=f"{who} {label}: {shown}")
    elif field is not None and field.kind is FieldKind.TEXT:
        sheet.entry(level, name, scalar("-"), unsure=f"{who} {label}: say what to send")
    else:
        sheet.entry(level, name, "null", unsure=f"{who} {label}: say what to send")
