"""Zendesk's audits: a ticket's own change history, and what the audit of a write tells about that write. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connectors.http import excerpt, rows_of
from connectors.zendesk.records import OPERATION, STATUSES, Names, Ticket, moment, version_of
from sync.model import Changes, FieldEdit, HistoryRow, Json, Snapshot

_LONGEST_ID = 20
"""Digits of an id that is none: Zendesk's are 64-bit numbers, and Python refuses to read thousands of digits."""

CLIENT = "hypercare"
"""How our User-Agent begins; an audit keeps it in `metadata.system.client`."""


def history_rows(audits: Sequence[Mapping[str, Json]], *, since: str, me: str, names: Names) -> tuple[HistoryRow, ...]:
    """A ticket's audits as history, oldest first, from version `since` on.

    Rows of the very second of `since` are included: its precision cannot tell what came before and what after. What
    triggers and automations changed within an audit is a row of its own (`<id>.rules`), since nobody chose it.
    """
    rows: list[HistoryRow] = []
    for audit in sorted(audits, key=_place):
        created = _created(audit)
        if since and version_of(created) < since:
            continue
        chosen, ruled = _edits_of(audit, names)
        author = str(audit.get("author_id") or "")
        op = operation_of(audit)
        by_rule = _by_rule(audit.get("via")) or author in {"-1", "0"}
        ours = bool(me) and author == me and (bool(op) or _by_our_client(audit)) and not by_rule
        at = moment(created)
        if chosen or not ruled:
            row = HistoryRow(
                id=str(audit.get("id")),
                at=at,
                actor=author,
                edits=chosen,
                ours=ours,
                op=op if ours else "",
                automatic=by_rule,
            )
            rows.append(row)
        if ruled:
            rows.append(HistoryRow(id=f"{audit.get('id')}.rules", at=at, actor=author, edits=ruled, automatic=True))
    return tuple(rows)


def _place(audit: Mapping[str, Json]) -> tuple[str, int]:
    """Where an audit stands in time; within a second its id tells."""
    number = str(audit.get("id"))
    return _created(audit), int(number) if number.isdecimal() and len(number) < _LONGEST_ID else 0


def _created(audit: Mapping[str, Json]) -> str:
    return str(audit.get("created_at") or "")


def events_of(audit: Mapping[str, Json]) -> list[dict[str, Json]]:
    """What an audit lists. Raises UnexpectedAnswer where it lists nothing: an edit in it would be passed over."""
    return rows_of(audit, "events", where=f"audit {excerpt(str(audit.get('id')), 30)}")


def operation_of(audit: Mapping[str, Json]) -> str:
    """The delivery id that a write of ours left in its audit, or nothing."""
    metadata = audit.get("metadata")
    custom = metadata.get("custom") if isinstance(metadata, dict) else None
    return str(custom.get(OPERATION) or "") if isinstance(custom, dict) else ""


def _by_our_client(audit: Mapping[str, Json]) -> bool:
    """Whether our own program sent the request.

    An administrator may lend the hub his own user: then the author alone does not tell a person from us. An audit
    without a client is counted as ours, since every browser names itself.
    """
    metadata = audit.get("metadata")
    system = metadata.get("system") if isinstance(metadata, dict) else None
    client = str(system.get("client") or "") if isinstance(system, dict) else ""
    return not client or client.startswith(CLIENT)


def _by_rule(via: Json) -> bool:
    """Whether a trigger, an automation or the system itself acted (`via.channel`)."""
    if not isinstance(via, dict):
        return False
    return str(via.get("channel", "")).lower() in {"rule", "system", "closed_by_automation"}


def _edits_of(audit: Mapping[str, Json], names: Names) -> tuple[tuple[FieldEdit, ...], tuple[FieldEdit, ...]]:
    """The field edits of an audit: what its author changed, and what rules changed on top of it."""
    chosen: list[FieldEdit] = []
    ruled: list[FieldEdit] = []
    audit_by_rule = _by_rule(audit.get("via"))
    for event in events_of(audit):
        if event.get("type") not in ("Change", "Create"):
            continue
        edits = _edit(event, names)
        (ruled if _by_rule(event.get("via")) and not audit_by_rule else chosen).extend(edits)
    return tuple(chosen), tuple(ruled)


def _edit(event: Mapping[str, Json], names: Names) -> tuple[FieldEdit, ...]:
    name = str(event.get("field_name") or "")
    old = event.get("previous_value") if event.get("type") == "Change" else None
    new = event.get("value")
    if not name:
        return ()
    if name == "tags":
        return (FieldEdit(field="tags", old=tag_list(old), new=tag_list(new)),)
    if name == "custom_status_id":
        return (FieldEdit(field="custom_status", old=_label(old, names), new=_label(new, names)),)
    if name.isdecimal():
        name = f"custom_fields.{name}"
    elif name in {"requester_id", "assignee_id"}:
        name = name.removesuffix("_id")
    return (FieldEdit(field=name, old=old, new=new),)


def _label(value: Json, names: Names) -> str | None:
    if value in (None, ""):
        return None
    text = str(value)
    return names.label(int(text)) if text.isdecimal() and len(text) < _LONGEST_ID else text.lower()


def tag_list(value: Json) -> list[str]:
    """Tags as a list: audits have shown both a list and one text with spaces between."""
    if value is None:
        return []
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return [str(tag) for tag in value] if isinstance(value, list) else []


def survivor_of(audits: Sequence[Mapping[str, Json]]) -> str:
    """The id of the ticket that a closed source was merged into, or nothing where its audits do not tell.

    Zendesk documents no field for it. Recorded shapes differ, so the newest audit that speaks of a merge is searched:
    first its `via.source` (`rel: merge`), then the sentence of the comment it left.
    """
    for audit in sorted(audits, key=_place, reverse=True):
        events = events_of(audit)
        own = str(audit.get("ticket_id") or "")
        for via in [audit.get("via"), *(event.get("via") for event in events)]:
            found = _merge_target(via, own)
            if found:
                return found
        for event in events:
            text = str(event.get("body") or event.get("plain_body") or "")
            named = re.search(r"(?i)\bmerged into\b[^#\d]{0,40}#?(\d{1,19})", text)
            if event.get("type") == "Comment" and named and named.group(1) != own:
                return named.group(1)
    return ""


def _merge_target(via: Json, own: str) -> str:
    source = via.get("source") if isinstance(via, dict) else None
    if not isinstance(source, dict) or str(source.get("rel") or "").lower() not in {"merge", "merged"}:
        return ""
    for end in (source.get("to"), source.get("from")):
        if isinstance(end, dict):
            several = end.get("ticket_ids")
            candidates = [end.get("ticket_id"), end.get("id"), *(several if isinstance(several, list) else ())]
            for candidate in candidates:
                if candidate is not None and str(candidate).isdecimal() and str(candidate) != own:
                    return str(candidate)
    return ""


# --- the audit of a write --------------------------------------------------------------------------------------------


def ignored_deltas(changes: Changes, ticket: Ticket, audit: Mapping[str, Json] | None) -> bool:
    """Whether an account took a write and passed over its tag deltas.

    They are documented for bulk updates only. A tag that is not as asked although the audit shows no change of tags was
    ignored; where the audit shows one, a trigger had its say.
    """
    shown = {tag.lower() for tag in ticket.tags or ()}
    missing = {tag.lower() for tag in changes.add_tags} - shown
    kept = {tag.lower() for tag in changes.remove_tags} & shown
    if not missing and not kept:
        return False
    events = events_of(audit) if audit is not None else ()
    return not any(event.get("field_name") == "tags" for event in events)


def overwritten(
    changes: Changes, before: Snapshot, audit: Mapping[str, Json] | None, names: Names
) -> tuple[FieldEdit, ...]:
    """What a write replaced although nobody had shown it to us.

    The safe update cannot tell two edits of one second apart, but the audit of our own write names the value it found.
    Tags are left out: they travel as deltas, which replace nothing.
    """
    if audit is None:
        return ()
    asked = set(changes.set)
    if changes.status is not None:
        # With custom statuses an audit names both; the mapping uses one, and the value that was written tells which.
        asked |= {"status" if changes.status.raw in STATUSES else "custom_status", *changes.status.fields}
    chosen, _ = _edits_of(audit, names)
    return tuple(
        edit
        for edit in chosen
        if edit.field in asked and edit.field != "tags" and _text(edit.old) != _text(before.fields.get(edit.field))
    )


def _text(value: Json) -> str:
    """A value as audits write it, so that it compares with the ticket's own: texts, and nothing for no value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dict):
        return str(value.get("id") or "")
    if isinstance(value, list):
        return " ".join(sorted(str(one) for one in value))
    text = str(value)
    return {"true": "1", "false": "0"}.get(text, text)
