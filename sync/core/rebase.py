"""A changed mapping writes nothing by itself: the raw half of a base stays, the canonical half is computed anew."""

from __future__ import annotations

from msgspec import structs

from sync.core import lens
from sync.core.state import ItemState, Member, Rules, TagBase
from sync.core.tags import is_visible


def rebase(item: ItemState, member: Member, rules: Rules | None = None) -> Member:
    """The member with bases as its new mapping reads them.

    For status only the side is read anew. What the record has heard is a count of what was said, which no mapping
    changes: a record that differs under the new mapping is not written because of the edit, and a write that was still
    owed to it stays owed. Where it has become a mirror, or is one no more, `reconcile` starts the count anew.

    Tags that the record is to show under the new mapping count as taken in, and as waived where it was never told
    them; but what was owed to it before the edit, to be added or taken away, is owed still. Without `rules` every tag
    that passes its filter is to be shown.

    A record that its user changed since is still changed: the raw halves are not touched.
    """
    if member.shown is None:
        return member
    status = member.status_base
    if status is not None:
        known = member.shown.status if member.shown.raw == status.raw else lens.get(member.rules, status.raw)
        status = structs.replace(status, side=status.side if known is None else known.side)
    tags = member.tag_base
    if tags is not None:
        due = {
            key
            for key in item.tags
            if key in member.accepts and (rules is None or is_visible(item, member, key, rules))
        }
        owed = (tags.owed & due) - tags.had
        waived = (due - tags.had - owed) | (tags.waived & due)
        to_go = tags.had - item.tags.keys()
        tags = TagBase(
            keys=tags.keys,
            had=frozenset(due - owed) | (tags.keys & item.tags.keys()) | to_go,
            waived=frozenset(waived) - member.shown.tags,
            owed=owed,
        )
    return structs.replace(member, status_base=status, tag_base=tags)
