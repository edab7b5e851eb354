"""What a live system has, and a sample of its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from connectors.contract import Act, Capabilities, Catalogue, Catalogued, FieldKind, LiveField, LiveValue, Remote
from sync.model import Snapshot

Room = Callable[[Act], None]
"""Called before each request: waits until there is room for it, or raises RateLimited."""

RECENT = (timedelta(days=30), timedelta(days=3650))
"""How far back a sample begins: further, where nothing was changed since."""

_WHOLE_READS = 12
"""Records that are read whole, for their workflow steps: one for each status of each workflow, most frequent first."""


class Sample(Struct, frozen=True, kw_only=True):
    """Some of a system's records. snapshots: the newest of each. reads: the requests it took."""

    snapshots: tuple[Snapshot, ...] = ()
    reads: int = 0

    def count(self, name: str) -> Mapping[str, int]:
        """How many of them show each value of a field; the parts of a list count apart."""
        found: Counter[str] = Counter()
        for snap in self.snapshots:
            value = snap.fields.get(name)
            for one in value if isinstance(value, list) else (value,):
                if isinstance(one, dict):
                    one = one.get("value") or one.get("name")  # noqa: PLW2901
                if one not in (None, "", [], {}):
                    found[str(one)] += 1
        return dict(found.most_common())


class Seen(Struct, frozen=True, kw_only=True):
    """All that was learnt of one connection. at: when."""

    capabilities: Capabilities
    catalogue: Catalogue
    sample: Sample = field(default_factory=Sample)
    at: datetime


def catalogue_of(remote: Remote) -> Catalogue:
    """What a system has. A connector that cannot say it all is asked for the values it knows."""
    if isinstance(remote, Catalogued):
        return remote.catalogue()
    values = remote.values()
    names = {name for name in values if name != "fields"}
    named = [
        LiveField(name=name, kind=FieldKind.CHOICE, values=tuple(LiveValue(name=one) for one in values[name]))
        for name in sorted(names)
    ]
    named += [LiveField(name=name) for name in values.get("fields", ()) if name not in names]
    return Catalogue(fields=tuple(named), unread=("its other fields: this connector cannot list them",))


def look(remote: Remote, room: Room, now: datetime, *, records: int) -> Seen:
    """Ask a system for all that a first mapping needs. records: at most so many are read. Raises RemoteError."""
    room(Act.CHECK)
    capabilities = remote.check()
    room(Act.CHECK)
    return Seen(
        capabilities=capabilities,
        catalogue=catalogue_of(remote),
        sample=_sample(remote, room, now, records, whole=capabilities.workflows),
        at=now,
    )


def _sample(remote: Remote, room: Room, now: datetime, most: int, *, whole: bool) -> Sample:
    found: dict[str, Snapshot] = {}
    reads = 0
    for back in RECENT:
        cursor, more = None, True
        while more and len(found) < most:
            room(Act.PAGE)
            page = remote.page(cursor, now - back)
            reads += 1
            for snap in page.snapshots[: most - len(found)]:
                found[snap.ref.id] = snap
            cursor, more = page.cursor, page.more
        if found or most == 0:
            break
    if whole:
        for key in _examples(found):
            room(Act.FETCH)
            answer = remote.fetch([key], whole=True)[key]
            reads += 1
            if isinstance(answer, Snapshot):
                found[key] = answer
    return Sample(snapshots=tuple(found.values()), reads=reads)


def _examples(found: Mapping[str, Snapshot]) -> list[str]:
    """One record for each status of each workflow, the most frequent first: it shows the steps from there."""
    groups: dict[tuple[str, str], list[str]] = {}
    for key, snap in found.items():
        groups.setdefault((snap.workflow, str(snap.fields.get("status") or "")), []).append(key)
    frequent = sorted(groups.values(), key=len, reverse=True)
    return [keys[-1] for keys in frequent[:_WHOLE_READS]]
