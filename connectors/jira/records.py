"""PURE: Jira's JSON to the model, and what the hub wants to Jira's JSON. No network, no clock.

Both deployments are read alike: text fields as wiki text (v2) or as document nodes (v3, bulk reads only).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, unquote, urlsplit

from connectors.errors import UnexpectedAnswer
from connectors.http import rows_of
from connectors.jira.settings import JiraSettings
from connectors.jira.transitions import moves
from sync.model import (
    Changes,
    Draft,
    FieldEdit,
    HistoryRow,
    Json,
    LinkShown,
    LinkVia,
    LinkView,
    Move,
    Origin,
    RecordRef,
    Snapshot,
)

KIND = "issue"

FIELDS = (
    "status",
    "labels",
    "resolution",
    "summary",
    "description",
    "priority",
    "issuetype",
    "project",
    "reporter",
    "assignee",
    "components",
    "environment",
    "fixVersions",
    "created",
    "updated",
)
"""The fields read of every issue: a whole issue is ten times as large."""

_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_]+)-([1-9][0-9]{0,17})")
_NAMED = frozenset({"priority", "issuetype", "resolution"})
_NAMED_LISTS = frozenset({"components", "fixVersions", "versions"})
_PEOPLE = frozenset({"reporter", "assignee"})
_HISTORY_NAMES = {
    "Fix Version": "fixVersions",
    "Version": "versions",
    "Component": "components",
    "Key": "key",
    "Link": "issuelinks",
}
_LINK_TITLE = 255
_MAX_ID = 255


# --- times and versions ----------------------------------------------------------------------------------------------


def moment(value: Json) -> datetime:
    """A time as Jira writes it, aware and UTC. Raises UnexpectedAnswer.

    Texts are ISO 8601 with an offset that may lack its colon and follows the reader's profile; bulk changelogs have
    been seen with numbers, in seconds or in milliseconds.
    """
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            if at.tzinfo is not None:
                return at.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise UnexpectedAnswer(f"Jira sent {str(value)[:40]!r} where a time with an offset was expected.")


def version_of(at: datetime) -> str:
    """A time as a record version: fixed-width UTC with milliseconds, so that text order is time order."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


# --- issues ----------------------------------------------------------------------------------------------------------


def snapshot(
    issue: Json,
    *,
    site: str,
    origin: Origin,
    extra: Sequence[str] = (),
    asked: str = "",
    links: tuple[LinkShown, ...] | None = None,
    steps: tuple[Move, ...] | None = None,
) -> Snapshot:
    """One issue as a snapshot. Raises UnexpectedAnswer, naming what is missing.

    site: the address people open. extra: more field ids to carry. asked: the key it was asked for by; another one than
    the issue's own becomes an alias, since a moved issue keeps its id and answers to its old keys.
    """
    if not isinstance(issue, dict) or not isinstance(issue.get("fields"), dict):
        raise UnexpectedAnswer("Jira sent an issue without fields.")
    raw = issue["fields"]
    number, key = identity(issue)
    status = raw.get("status")
    if not isinstance(status, dict) or not status.get("name"):
        raise UnexpectedAnswer(f"Jira sent issue {key} without a status.")
    updated = moment(raw.get("updated"))
    offered = issue.get("transitions")
    if steps is None and isinstance(offered, list):
        steps = moves(offered)
    project, kind = _project(raw.get("project"), key), _name(raw.get("issuetype")) or ""
    fields: dict[str, Json] = {
        "status": str(status["name"]),
        "status_id": str(status.get("id") or ""),
        "status_category": _category(status),
        "resolution": _name(raw.get("resolution")),
        "labels": _labels(raw, key),
        "summary": raw.get("summary") or "",
        "description": plain_text(raw.get("description")),
        "priority": _name(raw.get("priority")),
        "issuetype": kind,
        "project": project,
        "reporter": person(raw.get("reporter")),
        "assignee": person(raw.get("assignee")),
        "components": _names(raw.get("components")),
        "environment": plain_text(raw.get("environment")),
        "fixVersions": _names(raw.get("fixVersions")),
    }
    for name in extra:
        if name not in fields:
            fields[name] = raw.get(name)
    return Snapshot(
        ref=RecordRef(kind=KIND, id=number, key=key, url=browse_url(site, key)),
        version=version_of(updated),
        created_at=moment(raw.get("created")),
        updated_at=updated,
        fields=fields,
        origin=origin,
        aliases=(asked,) if asked and asked not in {key, number} else (),
        links=links,
        moves=steps,
        workflow=f"{project}/{kind}",
    )


def _labels(raw: Mapping[str, Json], key: str) -> list[str]:
    """The labels. Raises UnexpectedAnswer where they are not shown: that is not the same as having none."""
    labels = raw.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise UnexpectedAnswer(
            f"Jira sent issue {key[:40]} without its labels. If the field Labels is hidden in the project's field "
            "configuration, show it there."
        )
    return labels


def _category(status: Mapping[str, Json]) -> str:
    category = status.get("statusCategory")
    return str(category.get("key") or "") if isinstance(category, dict) else ""


def _names(values: Json) -> list[str]:
    return [_name(value) or "" for value in values] if isinstance(values, list) else []


def identity(issue: Mapping[str, Json]) -> tuple[str, str]:
    """An issue's id, a number in whichever spelling, and its key. Raises UnexpectedAnswer."""
    number, key = issue.get("id"), issue.get("key")
    text = str(number) if isinstance(number, int | str) and not isinstance(number, bool) else ""
    if not re.fullmatch(r"[0-9]{1,19}", text) or not isinstance(key, str) or not key.strip():
        raise UnexpectedAnswer("Jira sent an issue without id or key.")
    return text, key


def browse_url(site: str, key: str) -> str:
    """The address under which people open an issue."""
    return f"{site}/browse/{quote(key, safe='')}"


def person(value: Json) -> dict[str, Json] | None:
    """A user as `{id, name, email}`: Cloud has account ids, Data Center keys; e-mail addresses are often withheld."""
    if not isinstance(value, dict):
        return None
    return {
        "id": user_id(value),
        "name": str(value.get("displayName") or ""),
        "email": str(value.get("emailAddress") or ""),
    }


def user_id(user: Json) -> str:
    """What identifies a user for good: `accountId` on Cloud; on Data Center the `key`, since names may change."""
    if not isinstance(user, dict):
        return ""
    return str(user.get("accountId") or user.get("key") or user.get("name") or "")


def plain_text(value: Json) -> str:
    """A text field as text: wiki text as it stands, a document (v3) as the text in it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    parts: list[str] = []
    _collect(value, parts, 0)
    return "".join(parts).strip("\n")


def _collect(node: Json, parts: list[str], depth: int) -> None:
    if not isinstance(node, dict) or depth > 50:  # documents nest a dozen levels; deeper ones are meant to hurt
        return
    kind = node.get("type")
    attrs = node.get("attrs")
    attributes: dict[str, Json] = attrs if isinstance(attrs, dict) else {}
    if kind == "text":
        parts.append(str(node.get("text") or ""))
    elif kind == "hardBreak":
        parts.append("\n")
    elif kind in {"mention", "emoji", "status", "inlineCard", "blockCard"}:
        parts.append(str(attributes.get("text") or attributes.get("shortName") or attributes.get("url") or ""))
    content = node.get("content")
    for child in content if isinstance(content, list) else ():
        _collect(child, parts, depth + 1)
    if kind in {"paragraph", "heading", "codeBlock"}:
        parts.append("\n")


def _name(value: Json) -> str | None:
    if isinstance(value, dict):
        return str(value["name"]) if value.get("name") is not None else None
    return str(value) if isinstance(value, str) else None


def _project(value: Json, key: str) -> str:
    if isinstance(value, dict) and value.get("key"):
        return str(value["key"])
    return key.rpartition("-")[0]


# --- remote links ----------------------------------------------------------------------------------------------------


_NO_LINKS = "where an issue's remote links were expected"


def remote_links(answer: Json) -> tuple[LinkShown, ...]:
    """The remote links of an issue, ordered by id. With `globalId` Jira answers one object instead of a list.

    The handle is the link's id: unlike `globalId` every link has one, those made by hand included. Raises
    UnexpectedAnswer for anything else: it is not the same as having no links, which would detach tickets.
    """
    entries = [answer] if isinstance(answer, dict) else answer
    if not isinstance(entries, list):
        raise UnexpectedAnswer(f"Jira sent {_NO_LINKS} a {type(answer).__name__}.")
    shown: dict[str, LinkShown] = {}
    for entry in entries:
        target = entry.get("object") if isinstance(entry, dict) else None
        if not isinstance(target, dict) or entry.get("id") is None:
            raise UnexpectedAnswer(f"Jira sent {_NO_LINKS} an entry without id or object.")
        if target.get("url"):
            handle = str(entry["id"])
            shown[handle] = LinkShown(target=str(target["url"]), via=LinkVia.REMOTE_LINK, handle=handle)
    return tuple(shown[handle] for handle in sorted(shown, key=lambda text: (len(text), text)))


def global_id(link: LinkView) -> str:
    """Our identity of a remote link: writing it again updates the link. At most 255 characters.

    It is made of what never changes: the system, the account's host, the record's kind and id. The connection's name
    is not in it, so that renaming a connection doubles no link.
    """
    parts = (("hypercare", link.system), ("host", urlsplit(link.url).netloc.lower()), (link.kind, link.id))
    text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parts)
    return text if len(text) <= _MAX_ID else "hypercare=" + hashlib.sha256(text.encode()).hexdigest()


def remote_link_body(link: LinkView) -> dict[str, Json]:
    """The body that creates or updates one remote link. What it leaves out, Jira sets to null."""
    title = one_line(link.title) or link.key or link.id
    system = one_line(link.system) or "linked system"
    state = "done" if link.done else "open"
    return {
        "globalId": global_id(link),
        "application": {"type": f"hypercare.{link.system}", "name": system.capitalize()},
        "relationship": "reported in" if link.kind == "ticket" else "seen in",
        "object": {
            "url": link.url,
            "title": title[:_LINK_TITLE],
            "summary": f"{system.capitalize()} {link.kind} {link.key or link.id}, {state}"[:_LINK_TITLE],
            "icon": {"title": system.capitalize()},
            "status": {"resolved": link.done, "icon": {"title": state.capitalize()}},
        },
    }


def one_line(text: str) -> str:
    """Text for a place that shows it as it is: no control or invisible format characters, single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# --- history ---------------------------------------------------------------------------------------------------------


def history_rows(histories: Sequence[Json], *, me: str, since: str) -> list[HistoryRow]:
    """Changelog entries later than version `since`, oldest first.

    ours: the author is `me`. op: the delivery id that our edits and transitions carry in `historyMetadata`.
    automatic: the author is an app (`accountType: app`, as "Automation for Jira" is) and not us. Data Center does not
    tell an automation from the user it runs as, so nothing there is automatic.
    """
    rows: list[tuple[datetime, int, HistoryRow]] = []
    for entry in histories:
        if not isinstance(entry, dict):
            raise UnexpectedAnswer("Jira sent a changelog entry that is not an object.")
        at = moment(entry.get("created"))
        if version_of(at) <= since:
            continue
        author = entry.get("author")
        actor = user_id(author)
        ours = bool(me) and actor == me
        app = isinstance(author, dict) and author.get("accountType") == "app"
        number = str(entry.get("id") or "")
        row = HistoryRow(
            id=number,
            at=at,
            actor=actor,
            edits=tuple(
                edit for item in rows_of(entry, "items", where="Jira: a changelog entry") for edit in _edits(item)
            ),
            ours=ours,
            op=_op(entry.get("historyMetadata")),
            automatic=app and not ours,
        )
        rows.append((at, int(number) if number.isdecimal() and len(number) < 20 else 0, row))
    rows.sort(key=lambda found: found[:2])
    return [row for _, _, row in rows]


def overwritten(prior: Snapshot, rows: Sequence[HistoryRow], op: str) -> tuple[FieldEdit, ...]:
    """The status that our transition `op` replaced although the read before it, `prior`, had shown another one.

    Labels are left out: they travel as deltas, which replace nothing.
    """
    ours = [row for row in rows if row.op == op or (row.ours and not row.op)]
    edits = [edit for row in ours for edit in row.edits if edit.field == "status" and edit.old is not None]
    shown = str(prior.fields.get("status")).casefold()
    return tuple(edit for edit in edits[:1] if str(edit.old).casefold() != shown)


def history_metadata(op: str) -> dict[str, Json]:
    """What an edit or a transition carries so that the issue's own history names the delivery."""
    return {"type": "hypercare:delivery", "extraData": {"delivery": op}}


def _op(metadata: Json) -> str:
    if not isinstance(metadata, dict) or metadata.get("type") != "hypercare:delivery":
        return ""
    extra = metadata.get("extraData")
    return str(extra.get("delivery") or "") if isinstance(extra, dict) else ""


def _edits(item: Mapping[str, Json]) -> tuple[FieldEdit, ...]:
    shown = str(item.get("field") or "")
    name = str(item.get("fieldId") or _HISTORY_NAMES.get(shown, shown))
    old, new = item.get("fromString"), item.get("toString")
    if name == "labels":
        # One text with single spaces between: labels cannot contain any.
        return (FieldEdit(field=name, old=str(old or "").split(), new=str(new or "").split()),)
    if name == "status":
        return (
            FieldEdit(field=name, old=old, new=new),
            FieldEdit(field="status_id", old=item.get("from"), new=item.get("to")),
        )
    if name in _PEOPLE:
        return (FieldEdit(field=name, old=item.get("from"), new=item.get("to")),)
    return (FieldEdit(field=name, old=old, new=new),)


# --- what is written -------------------------------------------------------------------------------------------------


def wire_value(name: str, value: Json) -> Json:
    """A field's value as Jira takes it: names become references, a person's id too. Objects pass as they are."""
    if isinstance(value, str):
        if name == "project":
            return {"key": value}
        if name in _NAMED:
            return {"name": value}
        if name in _PEOPLE:
            return {"accountId": value}
    if name in _NAMED_LISTS and isinstance(value, list | tuple):
        return [{"name": entry} if isinstance(entry, str) else entry for entry in value]
    if name in _PEOPLE and isinstance(value, dict) and "accountId" not in value and "id" in value:
        return {"accountId": value["id"]}
    return value


def edit_body(changes: Changes, op: str) -> dict[str, Json]:
    """The body of one edit: label deltas and the fields that changed, nothing else."""
    body: dict[str, Json] = {"historyMetadata": history_metadata(op)}
    deltas = [{"add": tag} for tag in changes.add_tags] + [{"remove": tag} for tag in changes.remove_tags]
    if deltas:
        body["update"] = {"labels": deltas}
    if changes.set:
        body["fields"] = {name: wire_value(name, value) for name, value in changes.set.items()}
    return body


def transition_body(step: str, fields: Mapping[str, Json], op: str) -> dict[str, Json]:
    """The body of one transition. The id goes out as text; fields only where the screen has them, else Jira refuses."""
    body: dict[str, Json] = {"transition": {"id": step}, "historyMetadata": history_metadata(op)}
    if fields:
        body["fields"] = {name: wire_value(name, value) for name, value in fields.items()}
    return body


def create_body(draft: Draft, marker: str, property_key: str) -> dict[str, Json]:
    """The body of a create: the marker is in the same request, so that an issue never exists without it."""
    fields = {
        name: wire_value(name, value)
        for name, value in draft.fields.items()
        # A person of another system has no id here; Jira would refuse the whole issue for it.
        if value is not None and not (name in _PEOPLE and isinstance(value, dict) and value.get("id") == "")
    }
    if draft.tags:
        fields["labels"] = list(dict.fromkeys([*fields.get("labels", ()), *draft.tags]))
    return {"fields": fields, "properties": [{"key": property_key, "value": {"marker": marker}}]}


def marker_in(issue: Json, property_key: str) -> str:
    """The marker that an issue carries, or ""."""
    properties = issue.get("properties") if isinstance(issue, dict) else None
    value = properties.get(property_key) if isinstance(properties, dict) else None
    return str(value.get("marker") or "") if isinstance(value, dict) else ""


def project_of(draft: Draft) -> str:
    """The key of the project a draft is for, or ""."""
    value = draft.fields.get("project")
    return str(value.get("key") or "") if isinstance(value, dict) else str(value or "")


def key_number(key: str) -> int:
    """The number in an issue key; 0 for what is none."""
    number = key.rpartition("-")[2]
    return int(number) if number.isdecimal() and len(number) < 20 else 0


# --- references ------------------------------------------------------------------------------------------------------


def parse_reference(settings: JiraSettings, text: str) -> str | None:
    """The key or id that `text` names on this site and in its configured projects, else None.

    Understood: `ABC-12`, a numeric id, and addresses on this site: `/browse/ABC-12`, REST, boards (`selectedIssue`),
    portals. Keys of other projects are refused: texts are full of things like UTF-8, and the hub stays in its projects.
    """
    text = text.strip()
    if re.fullmatch(r"[1-9][0-9]{0,18}", text):
        return text
    if "://" in text:
        return _reference_in_url(settings, text)
    return _own_key(settings, text)


def _own_key(settings: JiraSettings, text: str) -> str | None:
    found = _KEY.fullmatch(text)
    if found is None or found[1].upper() not in settings.projects:
        return None
    return f"{found[1].upper()}-{found[2]}"


def _reference_in_url(settings: JiraSettings, text: str) -> str | None:
    for base in dict.fromkeys((settings.url, settings.api_url)):
        rest = _below(base, text)
        if rest is None:
            continue
        path, query = rest
        for chosen in query.get("selectedIssue", ()):
            if key := _own_key(settings, chosen):
                return key
        parts = [unquote(part) for part in path.split("/") if part]
        for at, part in enumerate(parts):
            if key := _own_key(settings, part):
                return key
            if part == "issue" and at + 1 < len(parts) and re.fullmatch(r"[1-9][0-9]{0,18}", parts[at + 1]):
                return parts[at + 1]
    return None


def _below(base: str, text: str) -> tuple[str, dict[str, list[str]]] | None:
    """Path and query of an address, if it lies below `base`; http and https are one."""
    try:
        ours, theirs = urlsplit(base), urlsplit(text)
        same = (ours.hostname or "").lower() == (theirs.hostname or "").lower() and _port(
            ours.port, ours.scheme
        ) == _port(theirs.port, theirs.scheme)
        if not same or theirs.scheme.lower() not in {"http", "https"}:
            return None
        prefix = ours.path.rstrip("/")
        if prefix and theirs.path != prefix and not theirs.path.startswith(prefix + "/"):
            return None
        return theirs.path[len(prefix) :], parse_qs(theirs.query, max_num_fields=50)
    except ValueError:
        return None


def _port(port: int | None, scheme: str) -> int | None:
    return None if port in {None, 443 if scheme.lower() == "https" else 80} else port
