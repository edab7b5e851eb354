"""The raw half of a base under an edited mapping: what was agreed on is read anew, so the edit is no user's change.

Tags are kept as folded keys, which a rename, a prefix or another field reads otherwise than before. The texts they were
read from are kept beside them for that. Pure.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import structs

from sync.core.state import Member, StatusBase, TagBase
from sync.engine import columns
from sync.engine.columns import Base
from sync.model import Json, Role

if TYPE_CHECKING:
    from sync.core.state import Rules
    from sync.engine.hub import Hub
    from sync.engine.load import Linked
    from sync.mapping.compiled import Mapping


_KNOWN: dict[tuple[int, int], tuple[Rules, Mapping, str]] = {}
_REMEMBERED = 64


def fingerprint(hub: Hub, mapping: Mapping) -> str:
    """Changes when anything changes that bases depend on: the mapping of their record, or the rules of groups.

    Worked out once for each pair; the pair is kept with it, so that no other one has its place.
    """
    known = _KNOWN.get((id(hub.rules), id(mapping)))
    if known is None:
        if len(_KNOWN) >= _REMEMBERED:
            _KNOWN.clear()
        rest = columns.encode((hub.rules, mapping.value_fields, mapping.value_rules))
        text = f"{mapping.fingerprint} {blake2b(rest, digest_size=8).hexdigest()}"
        known = _KNOWN[id(hub.rules), id(mapping)] = (hub.rules, mapping, text)
    return known[2]


def texts_of(value: Json) -> tuple[str, ...]:
    """The tags of a raw field as they stand there, sorted."""
    if not value:
        return ()
    parts = value.split() if isinstance(value, str) else value
    return tuple(sorted(part for part in parts if isinstance(part, str)))


def remember(base: Base, one: Linked, tags: TagBase | None) -> Base:
    """The base with the texts that its tags' raw half was read from, where it is what the record shows now."""
    mapping = one.connected.mapping
    if tags is None or not one.fresh or not one.shown.tags <= tags.keys:
        return base
    return structs.replace(
        base,
        tags_read=texts_of(one.snap.fields.get(mapping.tags_field)) if mapping.tags_field else (),
        read_from={"status": mapping.status_field, "tags": mapping.tags_field, **mapping.value_fields},
    )


def moved(before: Base, after: Base) -> Base:
    """The base after a write: where that moved the raw half, the texts it was read from are not known."""
    if after.tags is None or (before.tags is not None and before.tags.keys == after.tags.keys):
        return after
    return structs.replace(after, tags_read=None)


def read_anew(one: Linked, seen: Member) -> Member:
    """The member with raw halves as its mapping reads them now. What its user changed since is still changed."""
    shown, known, mapping = seen.shown, one.base.read_from, one.connected.mapping
    if shown is None or not known:
        return seen
    # What another field showed when both last agreed, nobody knows: it counts as what it shows now.
    status: StatusBase | None = seen.status_base
    if status is not None and known.get("status") != mapping.status_field:
        status = structs.replace(status, raw=shown.raw)
    values = {
        name: base
        if known.get(name) in (None, mapping.value_fields.get(name)) or name not in shown.values
        else structs.replace(base, raw=shown.values[name])
        for name, base in seen.value_bases.items()
    }
    seen = structs.replace(seen, status_base=status, value_bases=values)
    tags = seen.tag_base
    if tags is None or one.base.tags_read is None:
        return seen
    keys = shown.tags if known.get("tags") != mapping.tags_field else _keys(one)
    return structs.replace(
        seen,
        tag_base=structs.replace(tags, keys=keys | tags.keys if seen.role is Role.SIGNAL else keys),
        accepts=seen.accepts | frozenset(key for key in keys if mapping.accepts(key)),
    )


def _keys(one: Linked) -> frozenset[str]:
    """The keys of the tags that were agreed on."""
    mapping = one.connected.mapping
    fields = {**one.snap.fields, mapping.tags_field: list(one.base.tags_read or ())}
    return mapping.shown(structs.replace(one.snap, fields=fields)).tags
