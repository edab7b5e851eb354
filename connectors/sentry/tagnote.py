"""The hub's tags on an issue: one comment of its own, edited in place, since Sentry's tags belong to events. Pure.

The comment is known by who wrote it and by its first line; each further line is one tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from connectors.errors import WriteRejected
from connectors.sentry.activity import Ours, is_ours
from sync.model import Json

HEAD = "Tags of this issue in the other systems, kept up to date by hypercare:"
NONE = "(none)"

_LINE = re.compile(r"- `([^`\n]+)`")


class TagNote(Struct, frozen=True, kw_only=True):
    """The comment as it stands. id: "" where there is none yet."""

    id: str = ""
    tags: tuple[str, ...] = ()


def find(rows: Sequence[Mapping[str, Json]], ours: Ours) -> TagNote:
    """The comment in an issue's log (oldest first): the first one of ours with that first line."""
    for row in rows:
        data = row.get("data")
        text = data.get("text") if isinstance(data, dict) else None
        if str(row.get("type") or "").lower() != "note" or not isinstance(text, str) or not is_ours(row, ours):
            continue
        head, _, rest = text.replace("\r\n", "\n").partition("\n")
        if head.strip() == HEAD:
            found = (_LINE.fullmatch(line.strip()) for line in rest.split("\n"))
            return TagNote(id=str(row.get("id") or ""), tags=tuple(match[1] for match in found if match))
    return TagNote()


def text_of(tags: Sequence[str]) -> str:
    """The comment that shows these tags. Each stands in code marks, so that nothing in it is a mention or a link."""
    return "\n".join([HEAD, *(f"- `{tag}`" for tag in tags)] if tags else [HEAD, NONE])


def changed(note: TagNote, of_events: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> tuple[str, ...]:
    """The comment's tags after a change. Raises WriteRejected for a tag that only the events could lose, or cannot be.

    A tag that the events have already is not repeated in the comment.
    """
    stuck = sorted(set(remove) & set(of_events))
    if stuck:
        raise WriteRejected(
            f"{', '.join(stuck)}: tags of the issue's events cannot be removed; take their keys out of `tag_keys`",
            field="tags",
        )
    odd = sorted(tag for tag in add if "`" in tag or "\n" in tag)
    if odd:
        raise WriteRejected(f"{', '.join(odd)}: a tag with a back-tick cannot be shown in the comment", field="tags")
    kept = [tag for tag in note.tags if tag not in set(remove)]
    return tuple(dict.fromkeys([*kept, *(tag for tag in add if tag not in of_events)]))
