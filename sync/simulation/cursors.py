"""Does a stored place in a feed pass a change that is not stored (H11)? Judged after every commit, from the models.

For the connections of the contract level, whose cursors are told here as `contract/desk.py` and `contract/site.py` make
them: the desk's names the last ticket of the export, the site's a time and the versions that were given since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from connectors.jira.sandbox import JiraSandbox
    from connectors.zendesk.sandbox import ZendeskSandbox

_CURSORS = (
    "SELECT k.role, c.cursor, c.started_at FROM cursors c JOIN connections k ON k.id = c.connection_id"
    " WHERE c.feed = 'live' ORDER BY c.connection_id"
)
_STORED = (
    "SELECT k.role, r.remote_id, r.version, r.presence FROM records r JOIN connections k ON k.id = r.connection_id"
)
_ASKED = "SELECT k.role, a.remote_id FROM refreshes a JOIN connections k ON k.id = a.connection_id"
_OVERLAP = 300_000
"""Milliseconds that the site's search may lag behind, so that its cursor proves nothing about them by its time."""


class _Place(NamedTuple):
    """Where a feed is. run: when it was begun, so that one begun anew may go back."""

    cursor: str
    run: str


class Cursors:
    """Looks after each commit. ask: puts a question to what is committed. passed: changes that a cursor has passed."""

    def __init__(self, desk: ZendeskSandbox, site: JiraSandbox, ask: Callable[[str], list[tuple[Any, ...]]]) -> None:
        self._desk = desk
        self._site = site
        self._ask = ask
        self._last: dict[str, _Place] = {}
        self.passed = 0
        self.wrong: list[str] = []

    def forget(self) -> None:
        """An older database has taken the place: its cursors are where they were then."""
        self._last.clear()

    def look(self) -> None:
        """Judge every cursor that has moved since the last look."""
        for role, cursor, run in self._ask(_CURSORS):
            now, before = _Place(cursor or "", run), self._last.get(role)
            if not now.cursor or now == before:
                continue
            self._last[role] = now
            stored = {row[1]: (row[2], row[3]) for row in self._ask(_STORED) if row[0] == role}
            asked = {row[1] for row in self._ask(_ASKED) if row[0] == role}
            judged = self._of_desk if role == "helpdesk" else self._of_site
            self.wrong += judged(now.cursor, stored, asked)
            if before is not None and before.run == run and self._time(role, now) < self._time(role, before):
                self.wrong.append(f"H11 cursor-went-back: of the {role}, from {before.cursor} to {now.cursor}")

    @staticmethod
    def _time(role: str, place: _Place) -> tuple[int, ...]:
        if role == "helpdesk":
            second, _, number = place.cursor.partition(":")
            return int(second), int(number)
        return (int(json.loads(place.cursor)[0]),)

    def _of_desk(self, cursor: str, stored: Mapping[str, tuple[str, str]], asked: set[str]) -> Iterator[str]:
        second, _, number = cursor.partition(":")
        for entry in self._desk.model.entries.values():
            ticket = entry.ticket
            if (entry.generated, ticket.id) > (int(second), int(number)):
                continue
            self.passed += 1
            name = str(ticket.id)
            if entry.is_deleted or entry.merged_into is not None:
                # The feed's word is confirmed by a reading first. A ticket that was never known is left alone.
                if name in stored and stored[name][1] == "present" and name not in asked:
                    yield f"H11 passed-a-deletion: the feed is at {cursor}, {name} is gone and nobody is asked"
            elif name not in asked and not _is_stored(stored.get(name), ticket.updated_at):
                yield f"H11 passed-a-change: the feed is at {cursor}, and ticket {name} is stored as {stored.get(name)}"

    def _of_site(self, cursor: str, stored: Mapping[str, tuple[str, str]], asked: set[str]) -> Iterator[str]:
        place, given = json.loads(cursor)
        wanted: dict[str, str] = dict(given)
        for issue in self._site.site.issues.values():
            if issue.project == "OPS" and issue.updated <= place - _OVERLAP:
                wanted[str(issue.id)] = _millisecond(issue.updated)
        for number, version in sorted(wanted.items()):
            self.passed += 1
            if number not in asked and not _is_stored(stored.get(number), version):
                known = stored.get(number)
                yield f"H11 passed-a-change: the feed is at {place}, and issue {number} is stored as {known}"


def _is_stored(known: tuple[str, str] | None, version: str) -> bool:
    """Whether a change is stored (known: its version, its presence), or a reading has said that nobody may see it."""
    return known is not None and (known[0] >= version or known[1] != "present")


def _millisecond(millis: int) -> str:
    return f"{datetime.fromtimestamp(millis // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}Z"
