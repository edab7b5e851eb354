"""Drift: a live system has moved on and its mapping has not. Looked for at the start, daily, and after an edit.

A status that nobody mapped, a field that is gone, a value that could no longer be written: told once, shown by
`status` until it is over. Nothing is written because of it, and no record is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select

from connectors.contract import Act, Catalogue, Level
from connectors.errors import RemoteError
from sync.engine import down
from sync.engine.budgets import Priority
from sync.engine.hub import Connected, Hub
from sync.learning.agreement import Against, disagreements
from sync.learning.live import catalogue_of
from sync.learning.mismatch import Mismatch, listed
from sync.mapping.trace import Source
from sync.mapping.yaml import Document
from sync.store.tables import meta

AGAIN = timedelta(minutes=15)
"""After a look that failed."""

_NO_FILE = Source(Document(file="", data={}, values={}, keys={}))
_MOST = 50
"""Mismatches that are kept and told: with more the mapping is of another system."""


class Noticed(Struct, frozen=True, kw_only=True):
    """One thing in which the mapping and the system do not agree. subject: names it for good. since: first noticed."""

    level: Level
    subject: str
    what: str
    do: str
    since: datetime


class Drift(Struct, frozen=True, kw_only=True):
    """What the last look at one connection found. at: when.

    values: the live values of the fields that the mapping reads, by field; a field without a list of values has none.
    """

    at: datetime
    open: tuple[Noticed, ...] = ()
    values: Mapping[str, tuple[str, ...]] = {}


def of_connection(conn: Connection, connection_id: int) -> Drift | None:
    """What the last look found; None before the first."""
    found = conn.execute(select(meta.c.value).where(meta.c.key == _key(connection_id))).scalar()
    return None if found is None else msgspec.json.decode(found, type=Drift)


def _key(connection_id: int) -> str:
    return f"drift:{connection_id}"


@dataclass
class Watch:
    """Looks at one connection. Made once a start: the first look is at the start."""

    hub: Hub
    connected: Connected
    _next_at: float = 0.0
    _fingerprint: str | None = None

    def run(self) -> bool:
        """Look if it is time. Never True: the next look is far away."""
        hub, connected = self.hub, self.connected
        if self._fingerprint == hub.fingerprint and hub.clock.monotonic() < self._next_at:
            return False
        if down.unreachable(hub, connected):
            return False
        if hub.budgets.take(connected.id, connected.draws(Act.CHECK), priority=Priority.BACKFILL):
            return False
        self._fingerprint = hub.fingerprint
        try:
            catalogue = catalogue_of(connected.remote())
        except RemoteError as error:
            down.failed(hub, connected, error)
            self._rest(AGAIN)
            return False
        down.answered(hub, connected)
        self._rest(hub.settings.drift_every)
        with hub.store.read() as conn:
            before = of_connection(conn, connected.id)
        self._note(before, catalogue)
        return False

    def _rest(self, length: timedelta) -> None:
        self._next_at = self.hub.clock.monotonic() + length.total_seconds()

    def _note(self, before: Drift | None, catalogue: Catalogue) -> None:
        hub, connected = self.hub, self.connected
        found = _mismatches(hub, connected, catalogue)
        known = {one.subject: one for one in before.open} if before is not None else {}
        now = hub.clock.now()
        after = Drift(
            at=now,
            open=tuple(
                Noticed(
                    level=one.level,
                    subject=one.subject,
                    what=one.what,
                    do=one.do,
                    since=known[one.subject].since if one.subject in known else now,
                )
                for one in found
            ),
            values=_values(connected, catalogue),
        )
        hub.store.step(lambda conn: _store(conn, connected, after))
        for one in after.open:
            if one.subject not in known or known[one.subject].what != one.what:
                hub.tell("drift", connection=connected.name, level=one.level.value, what=one.what, do=one.do)
        still = {one.subject for one in after.open}
        for one in known.values():
            if one.subject not in still:
                hub.tell("drift_over", connection=connected.name, what=one.what)
        if before is not None:
            self._tell_changes(before.values, after.values)

    def _tell_changes(self, before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]) -> None:
        """What the system has that it had not, and the other way, whether the mapping minds or not."""
        for name in dict.fromkeys((*after, *before)):
            was, now = before.get(name), after.get(name)
            if was is None or now is None:
                continue  # another field is mapped now: nothing of the system's changed
            come = [one for one in now if one not in was]
            gone = [one for one in was if one not in now]
            if come or gone:
                self.hub.tell(
                    "system_changed",
                    connection=self.connected.name,
                    field=name,
                    added=listed(come),
                    removed=listed(gone),
                )


def _mismatches(hub: Hub, connected: Connected, catalogue: Catalogue) -> list[Mismatch]:
    capabilities = connected.capabilities
    against = Against(
        connection=connected.name,
        catalogue=catalogue,
        source=_NO_FILE,
        routes=[(route, None) for route in hub.routes if route.target.connection == connected.name],
        workflows=capabilities is not None and capabilities.workflows,
    )
    found = {one.subject: one for one in disagreements(connected.mapping, against) if one.level is not Level.INFO}
    return list(found.values())[:_MOST]


def _values(connected: Connected, catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    mapping = connected.mapping
    named = dict.fromkeys((mapping.status_field, *mapping.meaning_fields))
    return {
        name: tuple(one.name for one in field.values)
        for name in named
        if name and (field := catalogue.field(name)) is not None and field.values
    }


def _store(conn: Connection, connected: Connected, drift: Drift) -> None:
    key = _key(connected.id)
    conn.execute(delete(meta).where(meta.c.key == key))
    conn.execute(insert(meta).values(key=key, value=msgspec.json.encode(drift).decode()))
