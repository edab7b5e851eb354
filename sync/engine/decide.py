"""From an item to what is to be stored and written: the core's plan, the links to show, one delivery a member.

Pure given the loaded item: no database, no network. `settle` stores the outcome in one step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from sync.core.rebase import rebase
from sync.core.reconcile import reconcile
from sync.core.state import Change, Conflict, ItemState, Member, MemberPlan, Park, Plan, Want
from sync.core.values import MERGED
from sync.core.why import Why
from sync.engine import load, recalled, reread, shadow
from sync.engine.columns import Attribution, Base, Errand, LinksBase
from sync.engine.hub import Hub
from sync.engine.load import Linked, Whole
from sync.engine.membership import reads_links, shows_links, way
from sync.engine.shadow import Shadowed
from sync.model import Changes, LinkView, Role, StatusChange


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What becomes of one member. errand: the write to make now, None when nothing is to be written."""

    one: Linked
    base: Base
    errand: Errand | None
    park: Park | None
    why: str
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of one item. ask: members whose history must tell who moved them. read: members to be read.

    shadowed: what would be written to connections in shadow mode. again: another pass is to follow at once.
    """

    item: Whole
    state: ItemState
    tag_texts: Mapping[str, str]
    members: tuple[Decided, ...]
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    ask: tuple[Linked, ...] = ()
    read: tuple[Linked, ...] = field(default=())
    shadowed: tuple[Shadowed, ...] = ()
    again: bool = False


def decide(hub: Hub, item: Whole) -> Decision:
    """Ask the core and translate its plan into the remotes' words."""
    recall = recalled.recall(item, [member(hub, item, one) for one in item.linked])
    members = recall.members
    plan = reconcile(item.state, members, hub.rules)
    texts = _tag_texts(item, plan)
    by_link = {each.link: each for each in plan.members}
    cause = _cause(item, plan)
    decided = [
        _decided(item, one, by_link[one.link_id], texts, cause, is_heard=one.link_id in recall.heard)
        for one in item.linked
    ]
    has_moved = plan.item != item.state or any(each.base != each.one.base for each in decided)
    return Decision(
        item=item,
        state=plan.item,
        tag_texts=texts,
        members=tuple(decided),
        changes=plan.changes,
        conflicts=plan.conflicts,
        ask=tuple(item.by_link(link) for link in plan.ask),
        read=_to_read(item, plan, decided),
        shadowed=shadow.wanted(item.state, item.linked, members, hub.rules),
        again=recall.again and has_moved,
    )


def _to_read(item: Whole, plan: Plan, decided: Sequence[Decided]) -> tuple[Linked, ...]:
    """The members to read directly: whom the core needs, and whose links nobody has seen yet."""
    unseen = [each.one.link_id for each in decided if each.base.links.asked and not each.one.base.links.asked]
    return tuple(item.by_link(link) for link in dict.fromkeys((*plan.read, *unseen)))


def member(hub: Hub, item: Whole, one: Linked) -> Member:
    """The member; its bases are read anew where its mapping has changed: the edit itself writes nothing."""
    seen = load.member_of(hub, item, one)
    if one.fingerprint in ("", reread.fingerprint(hub, one.connected.mapping)):
        return seen
    return rebase(item.state, reread.read_anew(one, seen), hub.rules)


def _cause(item: Whole, plan: Plan) -> str:
    """What brought these writes about, as the brake counts it: one kind of change on one connection.

    Records that come together are no kind of change: each item that is linked is a cause of its own, however many are.
    """
    named = {one.link_id: one.connected.name for one in item.linked}
    for change in plan.changes:
        if change.rule in (Why.JOIN_TRACKER, Why.FIRST_MEMBER):
            continue
        if change.link is not None and change.link in named:
            return f"{named[change.link]}: {change.field} {change.new if change.new is not None else f'-{change.old}'}"
    return item.cause or (f"link of hc-{item.id}" if plan.changes else "")


def _tag_texts(item: Whole, plan: Plan) -> dict[str, str]:
    """How each tag is written by whoever brought it first."""
    texts = {key: text for key, text in item.tag_texts.items() if key in plan.item.tags}
    for one in item.linked:
        for key, text in sorted(one.connected.mapping.tag_texts(one.snap).items()):
            if key in plan.item.tags:
                texts.setdefault(key, text)
    return texts


def still_wants(hub: Hub, item: Whole, link_id: int, errand: Errand) -> bool:
    """Whether a write that was sent once, and did not take effect, is what the item would ask of the record now."""
    asked = errand.want
    if asked is None or errand.planned:
        return True
    seen = recalled.recall(item, [member(hub, item, one) for one in item.linked]).members
    members = [structs.replace(each, in_doubt=None) if each.link == link_id else each for each in seen]
    plan = reconcile(item.state, members, hub.rules)
    want = next((each.want for each in plan.members if each.link == link_id), None) or Want()
    still_set = asked.set.items() <= want.set.items()
    return asked.status in (None, want.status) and asked.add <= want.add and asked.remove <= want.remove and still_set


# --- one member ------------------------------------------------------------------------------------------------


def _decided(
    item: Whole, one: Linked, each: MemberPlan, texts: Mapping[str, str], cause: str, *, is_heard: bool
) -> Decided:
    links, link_errand = _links(item, one)
    base = structs.replace(
        recalled.left(one.base, is_heard=is_heard),
        status=each.status_base,
        tags=each.tag_base,
        values=each.value_bases,
        links=links,
        attribution=_attribution(one),
        misses=_misses(one, each),
    )
    base = reread.remember(base, one, each.tag_base)
    errand = _errand(one, base, each, link_errand, texts)
    return Decided(one=one, base=base, errand=errand, park=each.park, why=each.why, cause=cause)


def _attribution(one: Linked) -> Attribution | None:
    """Who moved a record is forgotten when it moves on."""
    known = one.base.attribution
    if known is not None and one.shown.raw != known.raw:
        return None
    return known


def _misses(one: Linked, each: MemberPlan) -> Mapping[str, int]:
    """A write that was not shown is counted only while the same thing is still wanted."""
    wanted = _wanted_fields(each.want)
    told = {"status", "tags", *MERGED}
    return {name: count for name, count in one.base.misses.items() if name not in told or name in wanted}


def _wanted_fields(want: Want | None) -> frozenset[str]:
    """The canonical fields that a want is about."""
    return frozenset(Errand(want=want).fields)


def _errand(
    one: Linked, base: Base, each: MemberPlan, link_errand: Errand | None, texts: Mapping[str, str]
) -> Errand | None:
    """The next write of a member: status and tags first, in as few requests as the connector can make of them."""
    under_way = one.open is not None and one.open.state != "waiting"
    if under_way or not one.fresh or one.connected.only_looks:
        return None
    return errand_of(one, each.want, link_errand, texts, solo=base.solo)


def errand_of(
    one: Linked, want: Want | None, link_errand: Errand | None, texts: Mapping[str, str], *, solo: bool = False
) -> Errand | None:
    """The first request of what is wanted of a record, in the remote's words. solo: each field goes out alone."""
    if want is None:
        return None if link_errand is None else structs.replace(link_errand, expect=one.snap.version)
    mapping = one.connected.mapping
    changes = Changes(
        status=_status_change(one, want),
        add_tags=tuple(mapping.spell(key, texts.get(key, key)) for key in sorted(want.add)),
        remove_tags=_shown_spelling(one, want),
    )
    if link_errand is not None:
        changes = structs.replace(
            changes,
            set=link_errand.changes.set,
            add_links=link_errand.changes.add_links,
            remove_links=link_errand.changes.remove_links,
            note=link_errand.changes.note,
        )
    values = {mapping.value_fields[name]: raw for name, raw in sorted(want.set.items())}
    changes = structs.replace(changes, set={**changes.set, **values})
    if solo:
        changes = _alone(changes, values)
    first = one.connected.remote().steps(one.snap, changes)[0]
    return _part(one, want, first, link_errand)


def _alone(changes: Changes, values: Mapping[str, str]) -> Changes:
    """Of several fields the first, where the remote refused them together; links and notes where it is the only one."""
    tags = bool(changes.add_tags or changes.remove_tags)
    if changes.status is not None and (tags or values):
        return Changes(status=changes.status)
    if tags and values:
        return Changes(add_tags=changes.add_tags, remove_tags=changes.remove_tags)
    if len(values) > 1:
        first = min(values)
        return Changes(set={first: values[first]})
    return changes


def _part(one: Linked, want: Want, first: Changes, link_errand: Errand | None) -> Errand:
    """The errand of one request: what of the want it carries."""
    kept = structs.replace(
        want,
        status=want.status if first.status is not None else None,
        add=want.add if first.add_tags else frozenset(),
        remove=want.remove if first.remove_tags else frozenset(),
        set={name: raw for name, raw in want.set.items() if one.connected.mapping.value_fields[name] in first.set},
    )
    shown = link_errand is not None and any(name in first.set for name in link_errand.changes.set)
    carries = (shown or bool(first.add_links or first.remove_links or first.note)) and link_errand is not None
    errand = Errand(want=kept, changes=first, expect=one.snap.version)
    if carries and link_errand is not None:
        errand = structs.replace(errand, shows=link_errand.shows, hides=link_errand.hides, noted=link_errand.noted)
    return errand


def _status_change(one: Linked, want: Want) -> StatusChange | None:
    if want.status is None:
        return None
    for move in one.moves.get(one.shown.raw, ()):
        if move.to == want.status:
            fields = one.connected.mapping.transition_fields(move)
            if fields is not None:
                return StatusChange(raw=want.status, move=move.id, fields=dict(fields))
    return StatusChange(raw=want.status)


def _shown_spelling(one: Linked, want: Want) -> tuple[str, ...]:
    """Tags are taken away in the spelling in which the record shows them, every spelling of a key."""
    shown = one.connected.mapping.raw_tags(one.snap)
    return tuple(
        text for key in sorted(want.remove) for text in shown.get(key, (one.connected.mapping.spell(key, key),))
    )


# --- links -----------------------------------------------------------------------------------------------------


def _links(item: Whole, one: Linked) -> tuple[LinksBase, Errand | None]:
    """What the record shows of its item, and the write that makes it show the rest."""
    others = {
        str(other.record_id): other
        for other in item.linked
        if other is not one and _counterparts(one, other) and other.presence == "present"
    }
    known = _known_links(one)
    show = one.connected.mapping.links_show
    if one.connected.only_looks:
        # What it does not show is left as it is when the connection goes live; that is no link removed by hand.
        shown = one.shows & frozenset(others) if shows_links(one) else known.shown
        return structs.replace(known, shown=shown, noted=known.noted | frozenset(others), way=way(one)), None
    if show == "none":
        return structs.replace(known, way=way(one)), None
    if not one.fresh:
        return known, None
    if not (shows_links(one) or show == "note"):
        # Known from lists only: what it shows is read once, or it would wait for the sweep.
        return (structs.replace(known, asked=True) if others else known), None
    if "links" in one.held:
        return known, None
    shown = ((known.shown | known.hoped) & one.shows) | (one.shows & frozenset(others))
    if show == "note" or not reads_links(one):
        shown |= known.shown
    elsewhere = known.elsewhere & one.shows if shows_links(one) else known.elsewhere
    lacking = frozenset(others) - shown - known.hoped - known.noted
    # Shown in another way than before: the edit alone writes nothing.
    waived = lacking if one.base.links.way not in ("", way(one)) else known.waived & lacking
    base = structs.replace(known, shown=shown, elsewhere=elsewhere - frozenset(others), way=way(one), waived=waived)
    missing = [others[key] for key in sorted(lacking - waived, key=int)]
    # A member that cannot be read is a member still; only what has left the item is taken away.
    stale = sorted(shown - {str(other.record_id) for other in item.linked}, key=int)
    return base, _link_errand(item, one, show, missing, stale)


def _known_links(one: Linked) -> LinksBase:
    """What a record showed when both last agreed, as its mapping reads it now."""
    known = one.base.links
    if known.way in ("", way(one)) or not shows_links(one) or not reads_links(one):
        return known
    return structs.replace(known, shown=known.shown & one.shows)


def waived_links(item: Whole, one: Linked) -> tuple[tuple[Linked, ...], Errand | None]:
    """The members that a record would show by its mapping and was never told to, and the first write that shows one."""
    if not one.base.links.waived and one.base.links.way in ("", way(one)):
        return (), None
    base, _ = _links(item, one)
    others = [other for other in item.linked if str(other.record_id) in base.waived]
    if not others:
        return (), None
    return tuple(others), _link_errand(item, one, one.connected.mapping.links_show, others, ())


def _counterparts(one: Linked, other: Linked) -> bool:
    """Tickets and signals show the tracker's issue; the issue shows all of them."""
    return (one.connected.role is Role.TRACKER) != (other.connected.role is Role.TRACKER)


def _link_errand(item: Whole, one: Linked, show: str, missing: Sequence[Linked], stale: Sequence[str]) -> Errand | None:
    mapping = one.connected.mapping
    if show == "note":
        if not missing:
            return None
        note = "\n".join(mapping.note(view(item, other)) for other in missing)
        named = frozenset(str(other.record_id) for other in missing)
        return Errand(changes=Changes(note=note), noted=named)
    if show == "field":
        return _field_errand(one, missing, stale)
    if stale:
        handles = tuple(
            link for link, record_id, _, _ in one.references if record_id is not None and str(record_id) == stale[0]
        )
        if handles:
            return Errand(changes=Changes(remove_links=handles[:1]), hides=frozenset(stale[:1]))
    if missing:
        other = missing[0]
        return Errand(changes=Changes(add_links=(view(item, other),)), shows=frozenset({str(other.record_id)}))
    return None


def _field_errand(one: Linked, missing: Sequence[Linked], stale: Sequence[str]) -> Errand | None:
    """One field holds one reference: the tracker's issue, or nothing."""
    name = one.connected.mapping.links_field
    if missing:
        return Errand(
            changes=Changes(set={name: missing[0].ref.key or missing[0].ref.id}),
            shows=frozenset({str(missing[0].record_id)}),
            hides=frozenset(stale),
        )
    if stale:
        return Errand(changes=Changes(set={name: None}), hides=frozenset(stale))
    return None


def view(item: Whole, other: Linked) -> LinkView:
    """How a member is to appear on another record."""
    del item
    feedback = other.connected.mapping.feedback(other.snap)
    return LinkView(
        system=other.connected.system,
        connection=other.connected.name,
        kind=other.ref.kind,
        id=other.ref.id,
        key=other.ref.key,
        url=other.ref.url,
        title=feedback.title,
        done=feedback.status is not None and feedback.status.side == "done",
    )
