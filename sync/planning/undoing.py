"""A plan that takes back what another one wrote: the values before, where the record still shows what was written."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select
from sqlalchemy.exc import NoResultFound

from sync.engine import load
from sync.engine.hub import Hub, Mode
from sync.engine.load import Linked, Whole
from sync.model import Direction
from sync.planning import stored
from sync.planning.build import state_of, summed
from sync.planning.left import SAMPLES
from sync.planning.row import CREATE, ITEM, JOIN, Aim, FieldWrite, Left, Plan, Row, Summary
from sync.store.tables import plan_rows, plans


class NothingToUndo(Exception):
    """There is no plan whose writes can be taken back. The message says why."""


def last_applied(conn: Connection) -> int:
    """The plan that was applied last and not taken back yet. Raises NothingToUndo."""
    under_way = conn.execute(select(plans.c.id).where(plans.c.state.in_((stored.APPLYING, stored.STOPPING)))).scalar()
    if under_way is not None:
        raise NothingToUndo(
            f"plan {under_way} is being applied: stop it first with `hypercare apply {under_way} --stop`"
        )
    taken_back = select(plans.c.undoes).where(plans.c.undoes.is_not(None), plans.c.state == stored.DONE)
    found = conn.execute(
        select(plans.c.id)
        .where(plans.c.kind == "apply", plans.c.began_at.is_not(None), plans.c.id.not_in(taken_back))
        .order_by(plans.c.began_at.desc())
        .limit(1)
    ).scalar()
    if found is None:
        raise NothingToUndo("no plan was applied that is not taken back already; `hypercare plan --list` lists them")
    return int(found)


def build(conn: Connection, hub: Hub, plan_id: int) -> Plan:
    """What taking a plan back would write, and what cannot be taken back."""
    taken = _Taken(conn, hub)
    rows: list[Row] = []
    done = conn.execute(
        select(plan_rows).where(plan_rows.c.plan_id == plan_id, plan_rows.c.state == "done").order_by(plan_rows.c.no)
    ).all()
    for number in done:
        what = stored.row_of(number.body)
        if what.kind in (CREATE, JOIN):
            why = (
                "a record that was created stays: delete it by hand"
                if what.kind == CREATE
                else "records that joined stay together: `hypercare unlink` takes one out"
            )
            taken.leave(why, what)
        else:
            rows += taken.back(what)
    summary = Summary(records=len(done), items=0, oldest_at=None, newest_at=None, left=taken.left())
    return Plan(
        kind="undo",
        made_at=hub.clock.now(),
        mappings="",
        fingerprint=hub.fingerprint,
        rows=tuple(rows),
        summary=summed(summary, rows),
        undoes=plan_id,
    )


class _Taken:
    def __init__(self, conn: Connection, hub: Hub) -> None:
        self.conn = conn
        self.hub = hub
        self._left: dict[str, list[str]] = {}

    def leave(self, why: str, what: Row) -> None:
        """Something that is not taken back."""
        self._left.setdefault(why, []).append(what.record)

    def left(self) -> tuple[Left, ...]:
        """What is not taken back, the most records first."""
        found = sorted(self._left.items(), key=lambda each: (-len(each[1]), each[0]))
        return tuple(Left(why=why, count=len(names), samples=tuple(names[:SAMPLES])) for why, names in found)

    def back(self, what: Row) -> Iterator[Row]:
        """The row that takes one row back."""
        if what.aim.shows:
            self.leave("links and notes that were written stay: remove them by hand", what)
        try:
            item = load.whole(self.conn, self.hub, what.item_id or 0)
            one = item.by_link(what.link_id or 0)
        except (NoResultFound, KeyError):
            self.leave("it has left its item since", what)
            return
        why = self._barred(what, one)
        if why:
            self.leave(why, what)
            return
        changes, aim = self._aim(what, item, one)
        if changes:
            yield Row(
                kind=what.kind, connection=what.connection, system=what.system, record=one.ref.key or one.ref.id,
                url=one.ref.url, item=what.item, changes=tuple(changes), aim=aim, item_id=item.id,
                link_id=one.link_id, record_id=one.record_id, connection_id=one.connected.id, version=one.snap.version,
            )  # fmt: skip
        elif not what.aim.shows:
            self.leave("it was changed since, and stays as it is", what)

    def _barred(self, what: Row, one: Linked) -> str:
        if one.presence != "present":
            return f"it is {one.presence} on its system"
        if one.connected.mode is not Mode.LIVE:
            return f"{one.connected.name} is in mode {one.connected.mode.value}: nothing is written to it"
        if one.shown.frozen:
            return "it is closed for good by now"
        mapping = one.connected.mapping
        directions = (
            *((mapping.status_direction,) if what.aim.status is not None else ()),
            *((mapping.tag_direction,) if what.aim.add or what.aim.remove else ()),
        )
        values = (mapping.value_rules[name].direction for name in what.aim.set if name in mapping.value_rules)
        if Direction.ENFORCE in (*directions, *values):
            return "the direction is `enforce`: it would be written again at once"
        return ""

    def _aim(self, what: Row, item: Whole, one: Linked) -> tuple[list[FieldWrite], Aim]:
        old, rule = what.aim, "it was so before"
        changes: list[FieldWrite] = []
        status = old.raw if old.status is not None and one.shown.raw == old.status else None
        if status is not None:
            changes.append(FieldWrite(field="status", before=one.shown.raw, after=status, rule=rule))
        mapping = one.connected.mapping
        remove, add = frozenset(old.add) & one.shown.tags, frozenset(old.remove) - one.shown.tags
        changes += [
            FieldWrite(field="tags", before=key, after=f"-{key}", rule="it was not there before")
            for key in sorted(remove)
        ]
        changes += [
            FieldWrite(
                field="tags", before="", after=f"+{mapping.spell(key, item.tag_texts.get(key, key))}",
                rule="it was there before",
            )
            for key in sorted(add)
        ]  # fmt: skip
        values = {
            name: before
            for name, before in old.had.items()
            if one.shown.values.get(name) == old.set[name] and name in mapping.value_rules
        }
        changes += [
            FieldWrite(field=name, before=old.set[name], after=before, rule=rule)
            for name, before in sorted(values.items())
        ]
        known = {name: value.value for name, value in item.state.values.items()}
        taken = {name: value for name, value in old.item_had.items() if known.get(name) == old.item_values[name]}
        if what.kind == ITEM:
            changes += [
                FieldWrite(field=name, before=old.item_values[name], after=value, rule=rule)
                for name, value in sorted(taken.items())
            ]
        gives = old.item_status is not None and item.state.status is old.item_status and old.was is not None
        if what.kind == ITEM and gives:
            change = FieldWrite(field="status", before=str(old.item_status), after=str(old.was), rule=rule)
            changes.append(change)
        aim = Aim(
            raw=one.shown.raw,
            state=state_of(item.state, one, remove | add, values or taken),
            was=item.state.status,
            status=status,
            add=tuple(sorted(add)),
            remove=tuple(sorted(remove)),
            set=values,
            had={name: old.set[name] for name in values},
            item_status=old.was if gives else None,
            item_values=taken,
            item_had={name: old.item_values[name] for name in taken},
        )
        return changes, aim
