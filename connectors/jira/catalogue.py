"""What a Jira site has: statuses with their categories and where they occur, fields, choices, create screens.

Calls: one for each of five lists, then for each configured project one for its statuses, one for its issue types and
one for each type's create screen, of which at most forty are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from urllib.parse import quote

from connectors.contract import Catalogue, CreateScreen, FieldKind, LiveField, LiveValue
from connectors.errors import Forbidden, RecordMissing, UnexpectedAnswer
from connectors.jira.calls import Calls
from sync.model import Json

_SCREENS = 40
"""Create screens that are read in all, at a call each."""

_PAGE = 100

_KINDS = {
    "string": FieldKind.TEXT, "number": FieldKind.NUMBER, "option": FieldKind.CHOICE, "user": FieldKind.PERSON,
    "date": FieldKind.TIME, "datetime": FieldKind.TIME, "priority": FieldKind.CHOICE, "issuetype": FieldKind.CHOICE,
    "status": FieldKind.CHOICE, "resolution": FieldKind.CHOICE, "project": FieldKind.CHOICE,
}  # fmt: skip
"""What a field holds, by its schema's type; arrays are choices. [Atlassian REST v2/v3, "Get fields"]"""

_LISTS = ("priority", "issuetype", "resolution")


def read(calls: Calls, projects: Sequence[str], carried: Sequence[str]) -> Catalogue:
    """Ask for all of it. carried: the fields that snapshots carry. Raises RemoteError where nothing can be said."""
    unread: list[str] = []
    statuses = _statuses(calls, projects, unread)
    lists = {name: _names(calls, name) for name in _LISTS}
    found_screens = (one for project in projects for one in _screens(calls, project, unread))
    screens = dict(islice(found_screens, _SCREENS))
    more = next(found_screens, None) is not None
    types = {place.partition("/")[2] for place in screens}
    if types and not more:
        lists["issuetype"] = [one for one in lists["issuetype"] if one.name in types]
    found = [
        LiveField(name="status", label="Status", kind=FieldKind.CHOICE, values=statuses),
        LiveField(
            name="status_category", label="Status Category", kind=FieldKind.CHOICE,
            values=tuple(LiveValue(name=one) for one in dict.fromkeys(value.category for value in statuses)),
        ),
    ]  # fmt: skip
    for entry in _list_of(calls, "field"):
        name = str(entry.get("id") or "")
        if not name or name in ("status", "statusCategory"):
            continue
        values = lists.get(name) or _choices(name, screens.values())
        found.append(
            LiveField(
                name=name,
                label=str(entry.get("name") or name),
                kind=_kind(entry.get("schema")),
                values=tuple(values),
                custom=entry.get("custom") is True,
                read=name in carried,
            )
        )
    return Catalogue(
        fields=tuple(found),
        screens=tuple(
            CreateScreen(place=place, fields=tuple(fields), required=_required(fields))
            for place, fields in screens.items()
        ),
        more_screens=more,
        unread=tuple(unread),
    )


def _statuses(calls: Calls, projects: Sequence[str], unread: list[str]) -> tuple[LiveValue, ...]:
    """The statuses that issues of our projects can have, in the order of the site's list."""
    places: dict[str, list[str]] = {}
    for project in projects:
        try:
            answer = calls.get_any(f"project/{quote(project, safe='')}/statuses")
        except (RecordMissing, Forbidden) as error:
            unread.append(f"the statuses of project {project}: {error.message}")
            continue
        for kind in _rows(answer, "the statuses of a project"):
            for status in _rows(kind.get("statuses"), "the statuses of an issue type"):
                place = f"{project}/{kind.get('name') or ''}"
                if status.get("name") and place not in (known := places.setdefault(str(status["name"]), [])):
                    known.append(place)
    everywhere = {place for known in places.values() for place in known}
    found = []
    for status in _list_of(calls, "status"):
        name = str(status.get("name") or "")
        if not name or (places and name not in places):
            continue
        category = status.get("statusCategory")
        mine = places.get(name, [])
        found.append(
            LiveValue(
                name=name,
                category=str(category.get("key") or "") if isinstance(category, dict) else "",
                places=tuple(mine) if set(mine) != everywhere else (),
            )
        )
    return tuple({one.name: one for one in found}.values())


def _screens(calls: Calls, project: str, unread: list[str]) -> Iterator[tuple[str, dict[str, Json]]]:
    path = f"issue/createmeta/{quote(project, safe='')}/issuetypes"
    try:
        for kind in _paged(calls, path, "issueTypes"):
            if not kind.get("id") or not kind.get("name"):
                continue
            rows = _paged(calls, f"{path}/{quote(str(kind['id']), safe='')}", "fields")
            fields = {str(row.get("fieldId") or row.get("key") or ""): row for row in rows}
            yield f"{project}/{kind['name']}", {name: row for name, row in fields.items() if name}
    except (RecordMissing, Forbidden) as error:
        unread.append(f"what project {project} asks of a new issue: {error.message}")


def _paged(calls: Calls, path: str, name: str) -> list[dict[str, Json]]:
    """All rows of a paged list, which Cloud calls by what it holds and Data Center `values`."""
    found: list[dict[str, Json]] = []
    for _ in range(10):
        answer = calls.get(path, {"startAt": len(found), "maxResults": _PAGE})
        rows = _rows(answer.get(name, answer.get("values")), path)
        found += rows
        total = answer.get("total")
        if not rows or answer.get("isLast") is True or (isinstance(total, int) and len(found) >= total):
            break
    return found


def _names(calls: Calls, path: str) -> list[LiveValue]:
    names = [str(entry["name"]) for entry in _list_of(calls, path) if entry.get("name")]
    return [LiveValue(name=name) for name in dict.fromkeys(names)]


def _list_of(calls: Calls, path: str) -> list[dict[str, Json]]:
    try:
        answer = calls.get_any(path)
    except (RecordMissing, Forbidden):
        return []
    return _rows(answer, path)


def _rows(answer: Json, where: str) -> list[dict[str, Json]]:
    if not isinstance(answer, list):
        raise UnexpectedAnswer(f"Jira: {where} answered with something else than a list.")
    return [row for row in answer if isinstance(row, dict)]


def _choices(name: str, screens: Iterable[Mapping[str, Json]]) -> list[LiveValue]:
    """What a field may hold, by the create screens that it stands on."""
    found: dict[str, LiveValue] = {}
    for fields in screens:
        allowed = fields.get(name, {}).get("allowedValues")
        for one in allowed if isinstance(allowed, list) else ():
            text = one.get("value") or one.get("name") or one.get("key") if isinstance(one, dict) else one
            if text:
                found[str(text)] = LiveValue(name=str(text))
    return list(found.values())


def _required(fields: Mapping[str, Json]) -> tuple[str, ...]:
    return tuple(
        name for name, row in fields.items() if row.get("required") is True and row.get("hasDefaultValue") is not True
    )


def _kind(schema: Json) -> FieldKind:
    if not isinstance(schema, dict):
        return FieldKind.OTHER
    if schema.get("type") == "array":
        return (
            FieldKind.CHOICES
            if schema.get("items") in ("option", "component", "version", "string")
            else FieldKind.OTHER
        )
    return _KINDS.get(str(schema.get("type")), FieldKind.OTHER)
