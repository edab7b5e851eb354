"""What a history asks of the database after every commit: few questions, straight from the driver, told apart by rows.

Most commits change the answer to none of them. Then what was made of the rows before is given again, the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import SelectBase, func, select
from sqlalchemy.dialects import sqlite

from sync.engine.hub import Hub, Mode
from sync.simulation import sight
from sync.simulation.ledger import Sight
from sync.store.tables import conflicts

T = TypeVar("T")


def _plain(asked: SelectBase) -> str:
    return str(asked.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


_MEMBERS, _VERSIONS, _BODIES, _HELD = (
    _plain(asked) for asked in (sight.MEMBERS, sight.VERSIONS, sight.BODIES, sight.HELD)
)
_TOLD = _plain(
    select(conflicts.c.item_id, conflicts.c.field, func.count()).group_by(conflicts.c.item_id, conflicts.c.field)
)
_SIGHTS = tuple(_plain(asked) for asked in (sight.SIGHTS, sight.PARKED, sight.FIELDS_HELD, sight.STATES))


class Glances:
    """Looks at the database of one history. ask: the rows of a question, from the process that is there now."""

    ask: Callable[[str], list[tuple[Any, ...]]]

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, Any]] = {}
        self._told: tuple[object, ...] = ()

    def forget(self) -> None:
        """The database was replaced: whatever is seen is new."""
        self._kept.clear()
        self._told = ()

    def memberships(self, hub: Hub) -> Mapping[str, str]:
        """The item of each record that has one."""
        return self._seen(_MEMBERS, lambda rows: {sight.named(hub, of, at): f"hc-{item}" for item, of, at in rows})

    def versions(self, hub: Hub) -> Mapping[str, tuple[str, int]]:
        """The stored (version, read number) of each record."""
        return self._seen(_VERSIONS, lambda rows: {sight.named(hub, of, at): (seen, no) for of, at, seen, no in rows})

    def known(self, hub: Hub) -> Mapping[str, tuple[str, frozenset[str]]]:
        """The raw status and the tags, lower-cased, that the hub knows of each linked record."""
        return self._seen(_BODIES, lambda rows: {sight.named(hub, of, at): sight.shown(body) for of, at, body in rows})

    def told(self) -> Mapping[str, Mapping[str, int]]:
        """How many conflicts each item has had, by field."""
        return self._seen(_TOLD, _by_item)

    def sights(self, hub: Hub) -> Sequence[Sight]:
        """Every item that has members."""
        rows = [self.ask(asked) for asked in _SIGHTS]
        kept = self._kept.get("sights")
        if kept is not None and kept[0] == rows:
            found: Sequence[Sight] = kept[1]
            return found
        made = sight.of_rows(hub, *rows)
        self._kept["sights"] = rows, made
        return made

    def is_held(self, hub: Hub) -> bool:
        """Whether a whole connection is held or paused: then nothing comes to rest."""
        return any(each.mode is not Mode.LIVE for each in hub.connections.values()) or bool(self.ask(_HELD))

    def is_new(self, *seen: object) -> bool:
        """Whether any of this is another object, or another number, than at the last time."""
        before, self._told = self._told, seen
        return len(before) != len(seen) or any(
            a != b if isinstance(b, int) else a is not b for a, b in zip(before, seen, strict=True)
        )

    def _seen(self, asked: str, make: Callable[[list[tuple[Any, ...]]], T]) -> T:
        rows = self.ask(asked)
        kept = self._kept.get(asked)
        if kept is not None and kept[0] == rows:
            found: T = kept[1]
            return found
        made = make(rows)
        self._kept[asked] = rows, made
        return made


def _by_item(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for item_id, field, times in rows:
        found.setdefault(f"hc-{item_id}", {})[field] = times
    return found
