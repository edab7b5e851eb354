"""What one system would be made to show of another system's record: value by value, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from sync.core import lens
from sync.core.state import StatusRules
from sync.mapping.compiled import Mapping
from sync.mapping.routes import Route, When
from sync.mapping.tables import Values
from sync.mapping.trace import Rule, Source, Traced, shown_text, tag_rule
from sync.model import Direction, Draft, Feedback, Side, Snapshot, Status

_SILENT = (Direction.IN, Direction.OFF)
_WRITTEN_ONCE = ("severity", "urgency", "type", "category")


def made_to_show(
    mapping: Mapping, source: Source, view: Feedback, snap: Snapshot | None, draft: Draft | None = None
) -> tuple[Traced, ...]:
    """What a record of this system would be made to show.

    view: the other record, as its own mapping reads it. snap: the record here, where there is one. draft: what would be
    created, where a route asks for it.
    """
    return (
        _status(mapping, source, view, snap),
        *_tags(mapping, source, view, snap),
        _links(mapping, source),
        *(_created(mapping, source, view, draft) if draft is not None else ()),
    )


# --- status ----------------------------------------------------------------------------------------------------------


def _status(mapping: Mapping, source: Source, view: Feedback, snap: Snapshot | None) -> Traced:
    at = ("fields", "status")
    remote, status = mapping.status_field, view.status
    if status is None:
        return Traced(field="status", remote=remote, given="", result="", why="the record's status means nothing here")
    if not remote:
        return Traced(field="status", remote="", given=status, result="", why="the mapping has no `status`")
    if mapping.status_direction in _SILENT:
        why = f"never written: `direction: {mapping.status_direction.value}`"
        return Traced(
            field="status", remote=remote, given=status, result="", rule=source.rule(*at, "direction"), why=why
        )
    if snap is None:
        written = next((one for one in (status, *lens.NEAREST[status]) if one in mapping.status.write), None)
        if written is None:
            return Traced(
                field="status", remote=remote, given=status, result="", rule=source.rule(*at, "write"),
                why=f"`write` has no {_side(status)} status",
            )  # fmt: skip
        raw = mapping.status.write[written]
        rule, why = _written(source, status, mapping.status)
        return Traced(field="status", remote=remote, given=status, result=raw, rule=rule, why=why)
    shown, rules = mapping.shown(snap), mapping.rules_for(snap, snap.moves or ())
    raw = shown.raw if shown.frozen else lens.put(rules, status, shown.raw, shown.status)
    if raw == shown.raw:
        rule, why = _left(mapping, source, status, snap)
    else:
        rule, why = _written(source, status, rules)
        why = f"{why}; instead of `{shown.raw}`" if why else f"instead of `{shown.raw}`"
    return Traced(field="status", remote=remote, given=status, result=raw, rule=rule, why=why)


def _side(status: Status) -> str:
    return "done" if status.side is Side.DONE else "open"


def _written(source: Source, status: Status, rules: StatusRules) -> tuple[Rule | None, str]:
    used = next((one for one in (status, *lens.NEAREST[status]) if one in rules.write), status)
    why = "" if used is status else f"`write` has no `{status}`, so the nearest of its side is taken"
    return source.rule("fields", "status", "write", used.value), why


def _left(mapping: Mapping, source: Source, status: Status, snap: Snapshot) -> tuple[Rule | None, str]:
    """Why a record here may rest as it is."""
    at = ("fields", "status")
    shown, rules = mapping.shown(snap), mapping.status
    if shown.frozen:
        return source.entry((*at, "frozen"), shown.raw), "left: it can no longer be edited"
    if shown.archived:
        return source.entry((*at, "archived"), shown.raw), "left: archived"
    if shown.status is status:
        return source.entry((*at, "values"), shown.raw), "left: it says so already"
    if shown.status is not None and shown.status.side is Side.DONE and status.side is Side.DONE:
        return source.entry((*at, "values"), shown.raw), "left: done already"
    if shown.raw in rules.keep:
        return source.entry((*at, "keep"), shown.raw), "left: kept until the item is done"
    for one in (status, *lens.NEAREST[status]):
        if shown.raw in rules.accept.get(one, ()):
            return source.entry((*at, "accept", one.value), shown.raw), f"left: accepted for `{one}`"
    return source.rule(*at, "write"), f"left: what `write` has for `{status}` is what it shows"


# --- tags and links --------------------------------------------------------------------------------------------------


def _tags(mapping: Mapping, source: Source, view: Feedback, snap: Snapshot | None) -> Iterator[Traced]:
    at = ("fields", "tags")
    if not mapping.tags_field:
        yield Traced(field="tags", remote="", given="", result="", why="the mapping has no `tags`: they do not travel")
        return
    silent = mapping.tag_direction in _SILENT
    there = mapping.raw_tags(snap) if snap is not None else {}
    for tag in view.tags:
        travels, rule, why = tag_rule(mapping, source, tag.key)
        spelled = mapping.spell(tag.key, tag.text) if travels else ""
        if silent:
            spelled, rule = "", source.rule(*at, "direction")
            why = f"never written: `direction: {mapping.tag_direction.value}`"
        elif tag.key in there:
            spelled, why = there[tag.key][0], "stands there already"
        yield Traced(field="tags", remote=mapping.tags_field, given=tag.text, result=spelled, rule=rule, why=why)


def _links(mapping: Mapping, source: Source) -> Traced:
    at = ("fields", "links")
    if mapping.links_direction in _SILENT or mapping.links_show == "none":
        silent = mapping.links_direction in _SILENT
        rule = source.rule(*at, "direction" if silent else "show")
        why = f"not shown: `direction: {mapping.links_direction.value}`" if silent else "not shown: `show: none`"
        return Traced(field="links", remote="", given="", result="", rule=rule, why=why)
    where = mapping.links_field if mapping.links_show == "field" else mapping.links_show
    return Traced(
        field="links", remote=where, given="the record", result=f"as {_AS.get(mapping.links_show, where)}",
        rule=source.rule(*at, "show"),
    )  # fmt: skip


_AS = {
    "field": "a reference in the field",
    "remote_link": "a remote link",
    "note": "an internal note",
    "app": "a link of the app",
}


# --- a record that would be created ----------------------------------------------------------------------------------


def _created(mapping: Mapping, source: Source, view: Feedback, draft: Draft) -> Iterator[Traced]:
    for name in ("title", "body"):
        target = getattr(mapping, name).target
        if target:
            result = shown_text(draft.fields.get(target))
            rule = source.rule("create", name) or source.rule("fields", name, "field")
            yield Traced(
                field=name, remote=target, given=shown_text(getattr(view, name)), result=result, rule=rule
            )  # fmt: skip
    told: set[str] = {mapping.title.target, mapping.body.target}
    for name in _WRITTEN_ONCE:
        values: Values = getattr(mapping, name)
        meaning = getattr(view, name)
        if values.target and meaning is not None and values.target not in told:
            told.add(values.target)
            rule = source.rule("fields", name, "write", str(meaning))
            result = shown_text(draft.fields.get(values.target))
            why = "" if rule is not None else f"`write` has no `{meaning}`"
            yield Traced(field=name, remote=values.target, given=str(meaning), result=result, rule=rule, why=why)
    for name in ("reporter", "owner"):
        target = getattr(mapping, name).target
        person = getattr(view, name)
        if target and person is not None and target in draft.fields:
            told.add(target)
            yield Traced(
                field=name, remote=target, given=person.name or person.email, result=shown_text(draft.fields[target]),
                rule=source.rule("fields", name, "field"),
            )  # fmt: skip
    for remote in sorted(draft.fields.keys() - told):
        rule = source.rule("create", "fields", remote)
        why = "" if rule is not None else "named by the route"
        yield Traced(field="", remote=remote, given="", result=shown_text(draft.fields[remote]), rule=rule, why=why)


def why_not(route: Route, view: Feedback, connection: str, snap: Snapshot) -> str:
    """The first condition of a route that a record does not meet, by its key in the file; empty where all hold.

    Each condition is asked alone: `when` holds where all of them do.
    """
    if connection == route.target.connection:
        return "a record never gets a counterpart on its own connection"
    for name, condition in _asked(route.when):
        if not structs.replace(When(), **{name: condition}).holds(view, connection, snap.created_at):
            return _KEYS.get(name, name)
    return ""


def _asked(when: When) -> Sequence[tuple[str, object]]:
    nothing = When()
    return [
        (name, value)
        for name in When.__struct_fields__
        if (value := getattr(when, name)) != getattr(nothing, name)
    ]  # fmt: skip


_KEYS = {
    "connections": "connection", "statuses": "status", "types": "type", "categories": "category",
    "source_classes": "source_class", "severities": "severity", "urgencies": "urgency", "after": "created",
    "before": "created", "expression": "cel",
}  # fmt: skip
"""A condition's name in the file, where the compiled one has another."""
