"""A plan from what is known: every item by its new mapping, every record without an item by the new routes and links.

It only reads, and asks no remote system: a plan is as old as the snapshots it rests on, and says how old they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from msgspec import structs
from sqlalchemy import Connection

from sync.core.state import ItemState, ItemValue, Member
from sync.core.why import Why
from sync.engine import columns
from sync.engine.decide import member, waived_links
from sync.engine.hub import Connected, Hub, Mode
from sync.engine.load import Linked, Whole
from sync.mapping.routes import Act
from sync.planning.known import Known, Lone
from sync.planning.left import SAMPLES, Leaving
from sync.planning.owed import Owed, owed, rests
from sync.planning.row import CREATE, ITEM, JOIN, WRITE, Aim, FieldWrite, Group, Plan, Row, Summary
from sync.planning.values import PLANNED, OwedValues, owed_values
from sync.store.tables import holds


def build(conn: Connection, hub: Hub, mappings: str) -> Plan:
    """What the mappings of `hub` would do. mappings: the folder they are from, for people."""
    known = Known(conn=conn, hub=hub)
    found = _Found(hub)
    count = 0
    for item, is_settled in known.items():
        count += 1
        found.item(item, is_settled=is_settled)
    for lone in known.lone():
        found.lone(known, lone)
    rows = tuple(structs.replace(row) for row in sorted(found.rows, key=_order))
    summary = Summary(
        records=known.records,
        items=count,
        oldest_at=known.oldest_at,
        newest_at=known.newest_at,
        itself=found.itself,
        under_way=found.under_way,
        left=found.leaving.told(),
        notes=tuple(_notes(conn, hub)),
    )
    return Plan(
        kind="apply",
        made_at=hub.clock.now(),
        mappings=mappings,
        fingerprint=hub.fingerprint,
        rows=rows,
        summary=summed(summary, rows),
    )


def summed(summary: Summary, rows: Sequence[Row]) -> Summary:
    """A summary with the counts of these rows."""
    kinds = Counter(row.kind for row in rows)
    return structs.replace(
        summary,
        writes=kinds[WRITE],
        creates=kinds[CREATE],
        joins=kinds[JOIN],
        read_anew=kinds[ITEM],
        by_connection=dict(sorted(Counter(row.connection for row in rows if row.kind == WRITE).items())),
        groups=groups(rows),
    )


def groups(rows: Iterable[Row]) -> tuple[Group, ...]:
    """Changes of one sort together, the most records first."""
    samples: dict[tuple[str, str, str, str, str, str], list[str]] = {}
    counts: Counter[tuple[str, str, str, str, str, str]] = Counter()
    for row in rows:
        for sort in row.sorts:
            counts[sort] += 1
            few = samples.setdefault(sort, [])
            if len(few) < SAMPLES:
                few.append(row.record)
    return tuple(
        Group(
            kind=sort[0], connection=sort[1], field=sort[2], before=sort[3], after=sort[4], rule=sort[5],
            count=counts[sort], samples=tuple(samples[sort]),
        )
        for sort in sorted(counts, key=lambda sort: (-counts[sort], sort))
    )  # fmt: skip


_KINDS = {WRITE: 0, CREATE: 1, JOIN: 2, ITEM: 3}


def _order(row: Row) -> tuple[int, int, int]:
    return _KINDS[row.kind], row.item_id or 0, row.record_id or 0


def _notes(conn: Connection, hub: Hub) -> Iterator[str]:
    for connected in hub.connections.values():
        if connected.mode is Mode.OBSERVE:
            yield f"{connected.name} only observes: nothing is written to it until `hypercare start {connected.name}`"
        elif connected.mode is Mode.SHADOW:
            yield f"{connected.name} is in shadow mode: nothing is written to it"
        elif connected.mode is Mode.PAUSED:
            yield f"{connected.name} is paused: nothing is planned for it"
    held = conn.execute(
        holds.select().with_only_columns(holds.c.connection_id, holds.c.reason, holds.c.id)
        .where(holds.c.released_at.is_(None), holds.c.link_id.is_(None))
    )  # fmt: skip
    for row in held:
        if row.connection_id in hub.connections:
            name = hub.connections[row.connection_id].name
            yield f"{name} is held ({row.reason}): what is planned for it waits for `hypercare holds resume {row.id}`"


def state_of(item: ItemState, one: Linked, keys: Iterable[str], fields: Iterable[str] = ()) -> str:
    """A digest of what was known of a record's place in its item: its status base, what was said, and these tags.

    Of other fields, how much was said and heard.

    Not the item's status, which a plan itself may set, nor what is nobody's business here.
    """
    base = one.base.status
    known = (
        item.said,
        {key: item.tags.get(key) for key in sorted(keys)},
        None if base is None else (base.raw, base.heard, base.aside, base.parked is not None),
        *((name, item.values.get(name, ItemValue()).said, one.base.values.get(name)) for name in sorted(fields)),
    )
    return blake2b(columns.encode(known), digest_size=16).hexdigest()


class _Found:
    """What has been found so far."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.rows: list[Row] = []
        self.itself = 0
        self.under_way = 0
        self.leaving = Leaving()

    # --- items ---------------------------------------------------------------------------------------------------

    def item(self, item: Whole, *, is_settled: bool) -> None:
        """What applying the mapping to one item does."""
        if _shows_others(item):
            self.itself += 1
            return
        members = [member(self.hub, item, one) for one in item.linked]
        shows = {one.link_id: waived_links(item, one)[0] for one in item.linked}
        values = owed_values(item.state, members, self.hub.rules)
        if not any(shows.values()) and values == OwedValues() and all(rests(item.state, each) for each in members):
            self.leaving.note(item.state, item, members, None)
            return
        if not is_settled or any(one.open is not None for one in item.linked):
            self.under_way += 1
            return
        before = {one.link_id: one.base.status for one in item.linked}
        due = owed(item.state, members, self.hub.rules, before)
        if due.itself.changes:
            self.itself += 1
            return
        written = False
        for one, each in zip(item.linked, members, strict=True):
            row = self._write(item, one, each, due, values, shows[one.link_id])
            if row is not None:
                self.rows.append(row)
                written = True
        self.leaving.note(due.item, item, members, due)
        if (due.item.status is not item.state.status or values.values) and not written:
            self.rows.append(self._item(item, due, values))

    def _write(
        self, item: Whole, one: Linked, each: Member, due: Owed, owing: OwedValues, shows: tuple[Linked, ...]
    ) -> Row | None:
        plan = due.plans[one.link_id]
        want = plan.want
        connected = one.connected
        if connected.mode is not Mode.LIVE:
            return None
        changes: list[FieldWrite] = []
        note = ""
        status = want.target if want is not None else None
        if plan.why == Why.STEPS_UNKNOWN:
            status, note = _aimed(due.item, each), "the steps of its workflow are not known yet: it is read first"
        if status == one.shown.raw:
            status = None
        if status is not None:
            changes.append(
                FieldWrite(
                    field="status", before=one.shown.raw, after=status, rule=self._status_rule(item, one, due, status)
                )
            )
        add = want.add if want is not None else frozenset[str]()
        remove = want.remove if want is not None else frozenset[str]()
        mapping = one.connected.mapping
        for key in sorted(add):
            spelled = mapping.spell(key, item.tag_texts.get(key, key))
            changes.append(FieldWrite(field="tags", before="", after=f"+{spelled}", rule="the tag filter lets it pass"))
        changes.extend(
            FieldWrite(field="tags", before=key, after=f"-{key}", rule="the item has it no more")
            for key in sorted(remove)
        )
        enforced = {name: raw for name, raw in want.set.items() if name in PLANNED} if want is not None else {}
        values = {**enforced, **owing.sets.get(one.link_id, {})}
        had = {name: one.shown.values.get(name, "") for name in values}
        changes.extend(
            FieldWrite(field=name, before=had[name], after=raw, rule=self._value_rule(item, one, owing, name, raw))
            for name, raw in sorted(values.items())
        )
        changes.extend(
            FieldWrite(
                field="links", before="", after=f"show {other.ref.key or other.ref.id}",
                rule=f"links are shown as `{mapping.links_show}`",
            )
            for other in shows
        )  # fmt: skip
        if not changes:
            return None
        aim = Aim(
            raw=one.shown.raw,
            state=state_of(item.state, one, add | remove, values or owing.values),
            was=item.state.status,
            status=status,
            add=tuple(sorted(add)),
            remove=tuple(sorted(remove)),
            set=values,
            had=had,
            shows=tuple(str(other.record_id) for other in shows),
            item_status=due.item.status if due.item.status is not item.state.status else None,
            item_values=owing.values,
            item_had=_had(item.state, owing),
        )
        return _row(WRITE, item.id, one, tuple(changes), note, aim)

    def _status_rule(self, item: Whole, one: Linked, due: Owed, after: str) -> str:
        status = due.item.status
        value = "" if status is None else status.value
        rule = f"{one.connected.name}'s mapping writes {value} as {after}"
        return rule if due.item.status is item.state.status else f"{self._anew(item, due)}; {rule}"

    def _value_rule(self, item: Whole, one: Linked, owing: OwedValues, name: str, raw: str) -> str:
        value = owing.values.get(name) or item.state.values.get(name, ItemValue()).value or ""
        verb = "enforces" if name not in owing.sets.get(one.link_id, {}) else "writes"
        rule = f"{one.connected.name}'s mapping {verb} {value} as {raw}"
        return f"{_value_anew(item, owing, name)}; {rule}" if name in owing.values else rule

    def _anew(self, item: Whole, due: Owed) -> str:
        tracker = item.tracker
        assert tracker is not None  # only a tracker's value is read anew
        value = "" if due.item.status is None else due.item.status.value
        return f"{tracker.shown.raw} of {tracker.connected.name} reads as {value}"

    def _item(self, item: Whole, due: Owed, owing: OwedValues) -> Row:
        if due.item.status is item.state.status:
            return self._item_values(item, owing)
        tracker = item.tracker
        assert tracker is not None  # only a tracker's status is read anew
        before = "" if item.state.status is None else item.state.status.value
        after = "" if due.item.status is None else due.item.status.value
        change = FieldWrite(field="status", before=before, after=after, rule=self._anew(item, due))
        aim = Aim(
            raw=tracker.shown.raw,
            state=state_of(item.state, tracker, (), owing.values),
            was=item.state.status,
            item_status=due.item.status,
            item_values=owing.values,
            item_had=_had(item.state, owing),
        )
        changes = (change, *_values_changed(item, owing))
        return _row(ITEM, item.id, tracker, changes, _ALONE, aim)

    def _item_values(self, item: Whole, owing: OwedValues) -> Row:
        giver = item.by_link(next(iter(owing.givers.values())))
        aim = Aim(
            raw=giver.shown.raw,
            state=state_of(item.state, giver, (), owing.values),
            was=item.state.status,
            item_values=owing.values,
            item_had=_had(item.state, owing),
        )
        return _row(ITEM, item.id, giver, _values_changed(item, owing), _ALONE, aim)

    # --- records without an item ---------------------------------------------------------------------------------

    def lone(self, known: Known, lone: Lone) -> None:
        """What the links and routes make of a record without an item, as `adopt` would at its next change."""
        connected = lone.connected
        names = known.references(connected, lone.snap)
        other = next((record for _, record, _, _ in names if record is not None), None)
        if other is not None and not lone.ended:
            link = next(text for _, record, _, text in names if record == other)
            change = FieldWrite(field="item", before="", after=f"joins {link}", rule="it shows a link to it")
            self.rows.append(_lone_row(JOIN, lone, change, _FOLLOWS, Aim(other=other)))
            return
        if other is not None or lone.ended or names or lone.snap.follows:
            return
        if connected.mode is not Mode.LIVE or connected.live_since is None:
            return
        if lone.snap.created_at < connected.live_since:
            return
        view = connected.mapping.feedback(lone.snap)
        route = next(
            (each for each in self.hub.routes if each.matches(view, connected.name, lone.snap.created_at)), None
        )
        if route is None:
            return
        target, rule = route.target.connection, f"route {route.name}"
        if route.act is Act.ATTACH:
            other = known.record(self.hub.named(target), route.target.record)
            if other is not None:
                change = FieldWrite(field="item", before="", after=f"joins {route.target.record}", rule=rule)
                self.rows.append(_lone_row(JOIN, lone, change, _FOLLOWS, Aim(other=other, route=route.name)))
            return
        proposed = route.act is Act.PROPOSE
        words = f"a proposal of a record on {target}" if proposed else f"a record on {target}"
        change = FieldWrite(field="record", before="", after=words, rule=rule)
        note = "a person says yes or no to it: `hypercare parked`" if proposed else ""
        self.rows.append(_lone_row(CREATE, lone, change, note, Aim(route=route.name)))


def _had(item: ItemState, owing: OwedValues) -> dict[str, str]:
    return {name: item.values[name].value or "" for name in owing.values}


def _value_anew(item: Whole, owing: OwedValues, name: str) -> str:
    giver = item.by_link(owing.givers[name])
    return f"{giver.shown.values.get(name, '')} of {giver.connected.name} reads as {owing.values[name]}"


def _values_changed(item: Whole, owing: OwedValues) -> tuple[FieldWrite, ...]:
    had = _had(item.state, owing)
    return tuple(
        FieldWrite(field=name, before=had[name], after=value, rule=_value_anew(item, owing, name))
        for name, value in sorted(owing.values.items())
    )


_ALONE = "nothing is written: the item alone takes the value"
_FOLLOWS = "tags and links follow as after any join"


def _shows_others(item: Whole) -> bool:
    """A member shows a record that is no member, as the links are read now: it is followed at the next look."""
    members = {one.record_id for one in item.linked}
    for one in item.linked:
        for _, record_id, _, _ in one.references:
            if record_id is None or record_id in members or not one.fresh:
                continue
            known = one.base.links
            if str(record_id) not in known.shown | known.hoped | known.elsewhere | known.hiding:
                return True
    return False


def _aimed(item: ItemState, each: Member) -> str | None:
    """The raw value a record should show, where the way to it is not known yet."""
    from sync.core import lens

    if each.shown is None or item.status is None:
        return None
    return lens.put(each.rules, item.status, each.shown.raw, each.shown.status)


def _row(kind: str, item_id: int, one: Linked, changes: tuple[FieldWrite, ...], note: str, aim: Aim) -> Row:
    connected: Connected = one.connected
    return Row(
        kind=kind,
        connection=connected.name,
        system=connected.system,
        record=one.ref.key or one.ref.id,
        url=one.ref.url,
        item=f"hc-{item_id}",
        changes=changes,
        note=note,
        aim=aim,
        item_id=item_id,
        link_id=one.link_id,
        record_id=one.record_id,
        connection_id=connected.id,
        version=one.snap.version,
    )


def _lone_row(kind: str, lone: Lone, change: FieldWrite, note: str, aim: Aim) -> Row:
    shown = lone.connected.mapping.shown(lone.snap)
    return Row(
        kind=kind,
        connection=lone.connected.name,
        system=lone.connected.system,
        record=lone.ref.key or lone.ref.id,
        url=lone.ref.url,
        changes=(change,),
        note=note,
        aim=structs.replace(aim, raw=shown.raw),
        record_id=lone.id,
        connection_id=lone.connected.id,
        version=lone.version,
    )
