"""The parts of a suggested mapping that say what travels between records: tags and links."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.contract import FieldKind, LiveField
from sync.learning.live import Seen
from sync.learning.sheet import Sheet, flow, scalar
from sync.learning.shipped import Known
from sync.model import Direction

_KEY = re.compile(r"\b[A-Z][A-Z0-9_]{1,9}-[0-9]{1,7}\b")
_ADDRESS = re.compile(r"https?://[^\s/]+/(?:browse/[A-Z]|agent/tickets/[0-9]|issues?/[0-9])")
_LABEL = re.compile(r"\bjira\b|\bissue\b|\bzendesk\b|\bticket|\bsentry\b|external ref", re.IGNORECASE)
_MOST_USED = 6


def tags(sheet: Sheet, seen: Seen, known: Known | None) -> None:
    """The `tags:` part."""
    if known is None or known.file.fields.tags is None:
        return
    given = known.file.fields.tags
    sheet.entry(1, "tags")
    counts = _most_used(seen, known)
    told = f"most used: {', '.join(f'{name} ({count})' for name, count in counts)}" if counts else ""
    sheet.entry(2, "field", scalar(given.field), comment=told)
    if given.direction is not Direction.BOTH:
        sheet.entry(2, "direction", given.direction.value)
    sheet.entry(2, "include", flow(given.include), comment="to be stricter, name what may travel")
    owned = [one.tag for one in seen.catalogue.fields if one.tag]
    exclude = given.exclude
    if exclude or owned:
        sheet.entry(2, "exclude", comment="what the systems, their apps and the hub leave behind")
        for pattern in exclude:
            sheet.item(3, pattern)
        for field in seen.catalogue.fields:
            if field.tag:
                sheet.item(3, field.tag, f"of the checkbox `{field.label}`")
    if given.exclude_field_values:
        sheet.entry(2, "exclude_field_values", "true", comment=_drop_downs(seen))
    if given.lower_case:
        sheet.entry(2, "lower_case", "true")
    if given.refuse_characters:
        sheet.entry(2, "refuse_characters", scalar(given.refuse_characters))
    if given.dimensions:
        sheet.entry(2, "dimensions", comment="which tags say where something is")
        for dimension, patterns in given.dimensions.items():
            sheet.entry(3, dimension.value, flow(patterns))


def _most_used(seen: Seen, known: Known) -> list[tuple[str, int]]:
    mapping = known.mapping
    travelling = [
        (name, count)
        for name, count in seen.sample.count(mapping.tags_field).items()
        if any(mapping.accepts(key) for key in mapping.tag_keys((name,)))
    ]
    return travelling[:_MOST_USED]


def _drop_downs(seen: Seen) -> str:
    named = [
        one.label for one in seen.catalogue.fields if one.custom and one.kind in (FieldKind.CHOICE, FieldKind.CHOICES)
    ]
    if not named:
        return "the tag of a drop-down field belongs to that field"
    return f"tags of drop-downs stay with them: {', '.join(named[:4])}{', ...' if len(named) > 4 else ''}"


def links(sheet: Sheet, seen: Seen, known: Known | None) -> None:
    """The `links:` part."""
    if known is None:
        return
    via = seen.capabilities.links_via
    show = "app" if via == "app" else known.file.fields.links.show.value
    sheet.entry(1, "links")
    sheet.entry(2, "show", scalar(show), comment=_ABOUT.get(show, ""))
    fields = _reference_fields(seen)
    read = {name: why for name, (field, why) in fields.items() if field is None or field.read}
    if read:
        sheet.entry(2, "read", flow(read), unsure="; ".join(f"{name}: {why}" for name, why in read.items()))
    for name, (field, why) in fields.items():
        if field is not None and not field.read:
            sheet.remark(f"unsure: {name}: {why}; the connection's `extra_fields` must name it too", 2)
    if show == "note":
        sheet.block(2, "note", known.file.fields.links.note)


_ABOUT = {
    "app": "as a link of the official app, which this account uses",
    "note": "one internal note per linked record; `field`, `app` and `none` are the others",
    "remote_link": "tickets appear under the issue's links",
}


def _reference_fields(seen: Seen) -> Mapping[str, tuple[LiveField | None, str]]:
    """Text fields in which people name records of other systems: by what the sample holds, else by their label."""
    found: dict[str, tuple[LiveField | None, str]] = {}
    fields = {one.name: one for one in seen.catalogue.fields}
    for name in sorted({name for snap in seen.sample.snapshots for name in snap.fields}):
        field = fields.get(name)
        if name != "external_id" and (field is None or not field.custom or field.kind is not FieldKind.TEXT):
            continue
        texts = [str(snap.fields[name]) for snap in seen.sample.snapshots if snap.fields.get(name)]
        fitting = sum(bool(_KEY.search(text) or _ADDRESS.search(text)) for text in texts)
        if fitting:
            label = f"`{field.label}` " if field is not None and field.label != name else ""
            found[name] = (field, f"{label}names records in {fitting} of {len(texts)}")
    for field in seen.catalogue.fields:
        if field.custom and field.kind is FieldKind.TEXT and field.name not in found and _LABEL.search(field.label):
            found[field.name] = (field, f"`{field.label}`, by its name")
    return found
