"""Sentry's activity log: an issue's own change history, and the version that it gives an issue. Pure.

There is no `updatedAt`: status, assignee and priority move no time of the issue. What moves with each of them is the
log, whose ids only grow; so the newest id, then `lastSeen`, is the version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from connectors.errors import UnexpectedAnswer
from connectors.http import rows_of
from sync.model import FieldEdit, HistoryRow, Json

_DONE = {
    "set_resolved": "resolved",
    "set_resolved_by_age": "resolved",
    "set_resolved_in_commit": "resolved_in_commit",
    "set_resolved_in_pull_request": "resolved_in_commit",
}
_OPEN = {
    "set_unresolved": "ongoing",
    "unignored": "ongoing",
    "set_regression": "regressed",
    "set_escalating": "escalating",
    "auto_set_ongoing": "ongoing",
}
_BY_ITSELF = frozenset({"set_resolved_by_age", "set_regression", "set_escalating", "auto_set_ongoing", "first_seen"})
_ASKED_FOR = ("provider", "integration_id", "provider_key", "commit", "pull_request", "inCommit")
"""What the data of an activity holds when a person asked for it elsewhere: in Jira or GitHub, or by a commit."""

_CONDITIONS = ("ignoreCount", "ignoreDuration", "ignoreUntil", "ignoreUserCount", "ignoreUserWindow", "ignoreWindow")


class Ours(Struct, frozen=True, kw_only=True):
    """How the hub's own activities are known: its user's id, and its app's slug or uuid. Empty: not known."""

    user: str = ""
    apps: frozenset[str] = frozenset()


def moment(stamp: Json) -> datetime:
    """A time of Sentry's, aware and UTC. Raises UnexpectedAnswer for a missing, naive or unreadable one."""
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", stamp)) if isinstance(stamp, str) else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UnexpectedAnswer(f"Sentry sent {str(stamp)[:40]!r} where a time with a zone was expected.")


def number_of(row: Mapping[str, Json]) -> int:
    """An activity's id as a number; 0 for the made-up first row of an issue, and for what is no number."""
    text = str(row.get("id") if row.get("id") is not None else "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def version_of(rows: Sequence[Mapping[str, Json]], last_seen: datetime) -> str:
    """An issue's version: the newest activity, then when it was last seen. Texts that sort, 20 digits and a time."""
    newest = max((number_of(row) for row in rows), default=0)
    return f"{newest:020d} {last_seen:%Y-%m-%dT%H:%M:%S}.{last_seen.microsecond:06d}Z"


def newest_in(version: str) -> int:
    """The newest activity that a version has seen; 0 where it names none."""
    head = version.partition(" ")[0]
    return int(head) if head.isascii() and head.isdigit() else 0


def rows_in(body: Mapping[str, Json], where: str) -> list[dict[str, Json]]:
    """The activities of an answer, oldest first. Raises UnexpectedAnswer where there is no list of them."""
    return sorted(rows_of(body, "activity", where=where), key=lambda row: (number_of(row), str(row.get("dateCreated"))))


def is_beyond(rows: Sequence[Mapping[str, Json]]) -> bool:
    """Whether an issue is resolved in whatever comes after the release that it names.

    Where versions are semantic, "in the next release" reads back as in the current one; only the log tells them apart
    (sentry: api/helpers/group_index/update.py, `current_release_version`).
    """
    resolves = [row for row in rows if str(row.get("type") or "").lower() == "set_resolved_in_release"]
    return bool(resolves) and bool(_data(max(resolves, key=number_of)).get("current_release_version"))


def status_after(row: Mapping[str, Json]) -> str | None:
    """The raw status that an activity left the issue with, None where it did not touch it."""
    kind, data = str(row.get("type") or "").lower(), _data(row)
    if kind == "set_resolved_in_release":
        # Without a version the fix is in whatever is released next.
        in_next = data.get("inNextRelease") or not str(data.get("version") or "")
        return "resolved_in_next_release" if in_next else "resolved_in_release"
    if kind == "set_ignored":
        if data.get("ignoreUntilEscalating"):
            return "archived_until_escalating"
        return "archived_until_condition_met" if any(data.get(name) for name in _CONDITIONS) else "archived_forever"
    return _DONE.get(kind) or _OPEN.get(kind)


def by_itself(row: Mapping[str, Json]) -> bool:
    """Whether Sentry did it without anybody asking: by age, by a new event, by a monitor that is well again.

    A resolve by nobody counts as such, unless its data names the commit or the tracker in which a person asked for it.
    """
    kind = str(row.get("type") or "").lower()
    if kind in _BY_ITSELF:
        return True
    if row.get("user") or row.get("sentry_app") or row.get("sentryApp"):
        return False
    data = _data(row)
    return kind in _DONE and "commit" not in kind and "pull" not in kind and not any(data.get(n) for n in _ASKED_FOR)


def done_by_itself(rows: Sequence[Mapping[str, Json]]) -> bool:
    """Whether a resolved issue's status was set by Sentry itself, as its log (oldest first) tells.

    Some versions work out a resolve by age while they answer, without an activity: then the log ends with an open
    status, or with none.
    """
    for row in reversed(rows):
        status = status_after(row)
        if status is not None:
            return by_itself(row) if status.startswith("resolved") else True
    return True


def history_rows(rows: Sequence[Mapping[str, Json]], *, since: str, ours: Ours) -> tuple[HistoryRow, ...]:
    """Activities after version `since`, oldest first. Notes and others that change no field are rows without edits.

    An edit's old value is given only where an earlier row of the same answer set it; the log itself names none.
    """
    after = newest_in(since)
    found: list[HistoryRow] = []
    last: dict[str, Json] = {}
    for row in rows:
        if number_of(row) <= after and (after or number_of(row) == 0):
            continue
        changed = []
        for name, value in edits(row):
            changed.append(FieldEdit(field=name, old=last.get(name), new=value))
            last[name] = value
        user = _object(row, "user")
        found.append(
            HistoryRow(
                id=str(row.get("id") or ""),
                at=moment(row.get("dateCreated")),
                actor=str(user.get("id") or user.get("email") or _app(row).get("slug") or ""),
                edits=tuple(changed),
                ours=is_ours(row, ours),
                automatic=by_itself(row),
            )
        )
    return tuple(found)


def is_ours(row: Mapping[str, Json], ours: Ours) -> bool:
    """Whether an activity is the hub's own: made by its user, or by its app."""
    user, app = _object(row, "user"), _app(row)
    if str(row.get("type") or "").lower() in _BY_ITSELF:
        return False
    if ours.user and str(user.get("id") or "") == ours.user:
        return True
    return bool(ours.apps & {str(app.get(name) or "") for name in ("slug", "uuid", "id")} - {""})


def overwritten(rows: Sequence[Mapping[str, Json]], *, after: int, ours: Ours) -> tuple[FieldEdit, ...]:
    """Of a log read back after a write of ours: the status that somebody set between our read and the write."""
    hidden: str | None = None
    for row in rows:
        status = status_after(row)
        if status is None or number_of(row) <= after:
            continue
        if is_ours(row, ours):
            return (FieldEdit(field="status", old=hidden, new=status),) if hidden not in (None, status) else ()
        hidden = status
    return ()


def edits(row: Mapping[str, Json]) -> list[tuple[str, Json]]:
    """The fields that an activity set, by their raw names, with the values they have after it."""
    kind, data = str(row.get("type") or "").lower(), _data(row)
    status = status_after(row)
    if status is not None:
        return [("status", status)]
    if kind == "set_priority":
        return [("priority", data.get("priority"))]
    if kind == "assigned":
        number = str(data.get("assignee") or data.get("assigneeEmail") or "")
        return [("assignee", f"team:{number}" if data.get("assigneeType") == "team" else number)]
    return [("assignee", None)] if kind == "unassigned" else []


def _data(row: Mapping[str, Json]) -> dict[str, Json]:
    return _object(row, "data")


def _app(row: Mapping[str, Json]) -> dict[str, Json]:
    return _object(row, "sentry_app") or _object(row, "sentryApp")


def _object(row: Mapping[str, Json], name: str) -> dict[str, Json]:
    value = row.get(name)
    return value if isinstance(value, dict) else {}
