"""What a Zendesk account has: statuses, custom ones too, ticket fields and their choices. Two calls, few pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.contract import Catalogue, FieldKind, LiveField, LiveValue
from connectors.errors import Forbidden, RecordMissing
from connectors.http import rows_of
from connectors.zendesk import records
from connectors.zendesk.calls import Calls
from connectors.zendesk.records import CustomStatus
from sync.model import Json

_PAGES = 50

_SYSTEM = {"subject": "subject", "description": "description", "status": "status", "tickettype": "type",
           "priority": "priority", "assignee": "assignee", "group": "group_id"}  # fmt: skip
"""A system field's type -> its name in a mapping."""

_KINDS = {
    "text": FieldKind.TEXT, "textarea": FieldKind.TEXT, "regexp": FieldKind.TEXT, "integer": FieldKind.NUMBER,
    "decimal": FieldKind.NUMBER, "checkbox": FieldKind.YES_NO, "tagger": FieldKind.CHOICE,
    "multiselect": FieldKind.CHOICES, "date": FieldKind.TIME, "assignee": FieldKind.PERSON, "subject": FieldKind.TEXT,
    "description": FieldKind.TEXT, "status": FieldKind.CHOICE, "tickettype": FieldKind.CHOICE,
    "priority": FieldKind.CHOICE, "lookup": FieldKind.OTHER,
}  # fmt: skip
"""What a field holds, by its type. [Zendesk, "Ticket fields": type]"""

_STOCK = {"status": records.STATUSES, "priority": records.PRIORITIES, "type": records.TYPES}
"""The values of a system field where the account does not list its own."""

_ALWAYS = (
    LiveField(name="tags", label="Tags", kind=FieldKind.CHOICES),
    LiveField(name="requester", label="Requester", kind=FieldKind.PERSON),
    LiveField(name="brand_id", label="Brand"),
    LiveField(name="external_id", label="External id", kind=FieldKind.TEXT),
    LiveField(name="problem_id", label="Problem"),
)


def read(calls: Calls, statuses: Iterable[CustomStatus]) -> Catalogue:
    """Ask for the ticket fields. statuses: the account's custom statuses; none where they are not switched on."""
    found: dict[str, LiveField] = {}
    unread: list[str] = []
    try:
        for body in calls.pages("/api/v2/ticket_fields.json", {}, limit=_PAGES):
            for row in rows_of(body, "ticket_fields", where="GET /api/v2/ticket_fields"):
                field = _field(row)
                if field is not None and row.get("active", True):
                    found[field.name] = field
    except (Forbidden, RecordMissing) as error:
        unread.append(f"the ticket fields: {error.message}")
    for name, values in _STOCK.items():
        found.setdefault(name, LiveField(name=name, kind=FieldKind.CHOICE, values=_values(values)))
    custom = tuple(
        LiveValue(
            name=one.agent_label.lower(), label=one.agent_label, category=one.status_category, default=one.default
        )
        for one in statuses
        if one.active
    )
    if custom:
        found["custom_status"] = LiveField(
            name="custom_status", label="Ticket status", kind=FieldKind.CHOICE, values=custom
        )
    return Catalogue(fields=(*found.values(), *_ALWAYS), unread=tuple(unread))


def _field(row: Mapping[str, Json]) -> LiveField | None:
    kind = str(row.get("type") or "")
    label = str(row.get("title") or row.get("raw_title") or "")
    if kind in _SYSTEM:
        name = _SYSTEM[kind]
        given = _options(row.get("system_field_options"))
        if name == "status" and given:  # the list leaves out those that nobody chooses
            given = _values([one for one in records.STATUSES if one in {"new", "closed", *(v.name for v in given)}])
        values = given or _values(_STOCK.get(name, ()))
        return LiveField(name=name, label=label, kind=_KINDS.get(kind, FieldKind.OTHER), values=values)
    if row.get("id") is None or row.get("removable") is False:
        return None
    return LiveField(
        name=f"custom_fields.{row['id']}",
        label=label,
        kind=_KINDS.get(kind, FieldKind.OTHER),
        values=_options(row.get("custom_field_options")),
        custom=True,
        tag=str(row.get("tag") or "") if kind == "checkbox" else "",
    )


def _options(options: Json) -> tuple[LiveValue, ...]:
    return tuple(
        LiveValue(name=str(one["value"]), label=str(one.get("name") or ""))
        for one in (options if isinstance(options, list) else ())
        if isinstance(one, dict) and one.get("value")
    )


def _values(names: Iterable[str]) -> tuple[LiveValue, ...]:
    return tuple(LiveValue(name=name) for name in names)
