"""A change of one key in words: what it means for records, people and tags, not what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from sync.mapping.yaml import Loc

Sayer: TypeAlias = Callable[[re.Match[str], Any, Any], str]


def in_words(way: Loc, old: Any, new: Any) -> str:
    """What a change from `old` to `new` at a place means; None stands for nothing written."""
    path = "\0".join(str(part) for part in way)
    for pattern, say in _SAYERS:
        found = pattern.fullmatch(path)
        if found:
            return say(found, old, new)
    return _plainly(way, old, new)


def _plainly(way: Loc, old: Any, new: Any) -> str:
    name = ".".join(str(part) for part in way if part != "fields")
    if isinstance(old, list) and isinstance(new, list):
        return f"{name}: {_set(old, new)}"
    if old in (None, "", [], {}):
        return f"{name}: {_shown(new)} is new"
    if new in (None, "", [], {}):
        return f"{name}: {_shown(old)} is gone"
    return f"{name}: {_shown(new)} instead of {_shown(old)}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{key}: {_bare(one)}" for key, one in value.items() if one not in (None, "", [], {})) + "}"
        )
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value) or "nothing"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    text = " ".join(str(value).split())
    return f"`{text if len(text) <= _LONG else text[: _LONG - 1] + '…'}`"


def _bare(value: Any) -> str:
    if isinstance(value, dict):
        return _shown(value)
    if isinstance(value, list):
        return "[" + ", ".join(_bare(one) for one in value) + "]"
    return _shown(value).strip("`")


_LONG = 60
"""Characters of a value: a template is recognised by its beginning."""


def _set(old: list[Any], new: list[Any]) -> str:
    come = [one for one in new if one not in old]
    gone = [one for one in old if one not in new]
    if not come and not gone:
        return f"another order: {_shown(new)}"
    parts = [f"with {_shown(come)}"] if come else []
    parts += [f"without {_shown(gone)}"] if gone else []
    return ", ".join(parts)


def _meaning(found: re.Match[str], old: Any, new: Any) -> str:
    field, raw = found["field"], found["raw"]
    if old is None:
        return f"{field} `{raw}` means {new}; it was not named before"
    if new is None:
        return f"{field} `{raw}` is not named any more; it meant {old}"
    return f"{field} `{raw}` means {new} instead of {old}"


def _category(found: re.Match[str], old: Any, new: Any) -> str:
    of = f"a status that is not named, of the category `{found['raw']}`,"
    if new is None:
        return f"{of} means nothing any more; it meant {old}"
    return f"{of} means {new}" + (f" instead of {old}" if old is not None else "")


def _written(found: re.Match[str], old: Any, new: Any) -> str:
    field, meaning = found["field"], found["meaning"]
    if old is None:
        return f"`{new}` is written for {field} {meaning}; nothing of its own was before"
    if new is None:
        return f"nothing of its own is written for {field} {meaning}; it was `{old}`"
    return f"`{new}` is written for {field} {meaning} instead of `{old}`"


_DIRECTIONS = {
    "both": "goes both ways",
    "in": "is read, never written",
    "out": "is written, and its own changes do not count",
    "enforce": "is written, and what people change is put back",
    "off": "is ignored",
}


def _direction(found: re.Match[str], old: Any, new: Any) -> str:
    return f"{found['field']} {_DIRECTIONS.get(str(new), str(new))} (`{new}` instead of `{old}`)"


def _source_field(found: re.Match[str], old: Any, new: Any) -> str:
    field = found["field"]
    if not old:
        return f"{field} is the field `{new}`; it was not known of this system"
    if not new:
        return f"{field} is not known of this system any more; it was the field `{old}`"
    return f"{field} is the field `{new}` instead of `{old}`"


def _default(found: re.Match[str], old: Any, new: Any) -> str:
    field = found["field"]
    if new in (None, ""):
        return f"{field} has no default any more; it was {_shown(old)}"
    return f"{field} is {_shown(new)} where the record has none" + (f"; it was {_shown(old)}" if old else "")


def _filter(found: re.Match[str], old: Any, new: Any) -> str:
    before, after = old or [], new or []
    come = [one for one in after if one not in before]
    gone = [one for one in before if one not in after]
    travel, stay = (
        ("may travel now", "may not travel any more")
        if found["list"] == "include"
        else ("stay here now", "may travel now")
    )
    parts = [f"tags like {_shown(come)} {travel}"] if come else []
    parts += [f"tags like {_shown(gone)} {stay}"] if gone else []
    return "; ".join(parts) or "the order of the tag patterns"


def _rename(found: re.Match[str], old: Any, new: Any) -> str:
    here = found["raw"]
    if new is None:
        return f"the tag `{here}` keeps its name elsewhere; it was `{old}`"
    return f"the tag `{here}` is `{new}` elsewhere" + (f" instead of `{old}`" if old is not None else "")


def _section(found: re.Match[str], old: Any, new: Any) -> str:
    field = found["field"]
    if new is None:
        return f"{field}: not known of this system any more; the field was `{old.get('field', '')}`"
    return f"{field}: known of this system now, by the field `{new.get('field', '')}`"


def _listed_status(found: re.Match[str], old: Any, new: Any) -> str:
    words = {
        "keep": ("kept until the item is done", "no longer kept"),
        "archived": ("neither open nor done", "no longer archived"),
        "frozen": ("never written to again", "no longer frozen"),
    }[found["list"]]
    before, after = old or [], new or []
    parts = [f"`{one}` is {words[0]}" for one in after if one not in before]
    parts += [f"`{one}` is {words[1]}" for one in before if one not in after]
    return "; ".join(parts) or f"the order of `{found['list']}`"


def _text(found: re.Match[str], old: Any, new: Any) -> str:
    what = {"note": "the internal note", "title": "the title of what is created", "body": "the text of what is created"}
    return f"{what[found['text']]} reads {_shown(new)} instead of {_shown(old)}"


def _route(found: re.Match[str], _old: Any, new: Any) -> str:
    name = found["route"]
    if new is None:
        return f"the route `{name}` is gone: nothing is created by it"
    target: dict[str, Any] = next((new[act] for act in ("create", "propose", "attach") if new.get(act)), {})
    where = target.get("connection", "")
    return f"the route `{name}` is new" + (f": records on `{where}`" if where else "")


def _route_order(_found: re.Match[str], _old: Any, new: Any) -> str:
    return f"the routes are tried in another order: {_shown(new)}"


def _route_key(found: re.Match[str], old: Any, new: Any) -> str:
    key = found["key"].replace("\0", ".")
    name = found["route"]
    if key.startswith("when."):
        condition = key.removeprefix("when.")
        if old in (None, [], {}):
            return f"the route `{name}` is only for {condition} {_shown(new)}"
        if new in (None, [], {}):
            return f"the route `{name}` does not ask for {condition} any more; it was {_shown(old)}"
        return f"the route `{name}` asks for {condition} {_shown(new)} instead of {_shown(old)}"
    if old in (None, "", [], {}):
        return f"the route `{name}`: {key} {_shown(new)}"
    if new in (None, "", [], {}):
        return f"the route `{name}`: no {key} any more; it was {_shown(old)}"
    return f"the route `{name}`: {key} {_shown(new)} instead of {_shown(old)}"


_WHO = {"helpdesk": "tickets", "signal": "signals"}
_RULES = {
    ("resolve", "all"): "finish the item once all of them are done",
    ("resolve", "any"): "finish the item as soon as one of them is done",
    ("resolve", "never"): "never finish the item",
    ("reopen", "any"): "open the item again as soon as one of them is opened",
    ("reopen", "never"): "never open the item again",
    ("detail", "tracker"): "keep new, in progress and waiting to themselves",
    ("detail", "sole"): "tell new, in progress and waiting when there is one of them alone",
    ("siblings", "True"): "tell one another of their tags",
    ("siblings", "False"): "do not tell one another of their tags",
    ("automatic_resolve", "True"): "count as done also when an automation resolved them",
    ("automatic_resolve", "False"): "do not count as done when an automation resolved them",
}


def _rule(found: re.Match[str], old: Any, new: Any) -> str:
    who, key = _WHO.get(found["role"], found["role"]), found["key"]
    words = _RULES.get((key, str(new)))
    shown, was = _shown(new).strip("`"), _shown(old).strip("`")
    if words is None:
        return f"{who}: {key} {shown} instead of {was}"
    return f"{who} {words} (`{key}: {shown}` instead of `{was}`)"


def _reopen_as(_found: re.Match[str], old: Any, new: Any) -> str:
    return f"an item that is opened again is {new} instead of {old}"


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("\0".join(parts), re.DOTALL)


_ANY = "[^\0]*"
_SAYERS: tuple[tuple[re.Pattern[str], Sayer], ...] = (
    (_pattern("fields", "(?P<field>status|tags)"), _section),
    (_pattern("fields", f"(?P<field>{_ANY})", "values", f"(?P<raw>{_ANY})"), _meaning),
    (_pattern("fields", "status", "by_category", "values", f"(?P<raw>{_ANY})"), _category),
    (_pattern("fields", f"(?P<field>{_ANY})", "write", f"(?P<meaning>{_ANY})"), _written),
    (_pattern("fields", f"(?P<field>{_ANY})", "direction"), _direction),
    (_pattern("fields", f"(?P<field>status|tags|{_ANY})", "field"), _source_field),
    (_pattern("fields", f"(?P<field>{_ANY})", "default"), _default),
    (_pattern("fields", "tags", "(?P<list>include|exclude)"), _filter),
    (_pattern("fields", "tags", "rename", f"(?P<raw>{_ANY})"), _rename),
    (_pattern("fields", "status", "(?P<list>keep|archived|frozen)"), _listed_status),
    (_pattern("fields", "links", "(?P<text>note)"), _text),
    (_pattern("create", "(?P<text>title|body)"), _text),
    (_pattern("routes", "order"), _route_order),
    (_pattern("routes", f"(?P<route>{_ANY})"), _route),
    (_pattern("routes", f"(?P<route>{_ANY})", "(?P<key>.*)"), _route_key),
    (_pattern("groups", f"(?P<role>{_ANY})", f"(?P<key>{_ANY})"), _rule),
    (_pattern("reopen_as"), _reopen_as),
)
"""The first pattern that fits says it; paths are joined by NUL, since a status may have a dot in its name."""
