"""Tags: one set per item under one folding key, merged from what users added and removed.

A tag that the tracker or a signal brought reaches all; one that a ticket brought reaches the tracker only, unless the
rules let siblings see it. It goes when the tracker removes it or when no ticket keeps it. Add beats remove.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from sync.core.reasons import ConflictKind
from sync.core.standing import settled
from sync.core.state import Change, Conflict, ItemState, Member, Rules, TagBase
from sync.core.why import Why
from sync.model import Direction, Role


def fold(text: str) -> str:
    """The key under which two spellings are one tag. Idempotent (L16); empty where nothing is left.

    Compatibility forms and case are folded, invisible characters dropped, runs of white space become one `_`: Zendesk
    splits a tag at a space, and Jira refuses one in a label.
    """
    while True:
        folded = unicodedata.normalize("NFKC", text).casefold()
        folded = "".join(c for c in folded if unicodedata.category(c) != "Cf")
        folded = "_".join(folded.split())
        if folded == text:
            return folded
        text = folded


class TagPlan(Struct, frozen=True, kw_only=True):
    """One record's new tag base, and what to write to it."""

    base: TagBase | None
    add: frozenset[str]
    remove: frozenset[str]
    why: Why


class MergedTags(Struct, frozen=True, kw_only=True):
    """The item's tags after a pass, and a plan for each link; none for one that shows what it should, as before."""

    tags: Mapping[str, frozenset[Role]]
    plans: Mapping[int, TagPlan]
    conflicts: tuple[Conflict, ...]
    changes: tuple[Change, ...]


_NONE: frozenset[str] = frozenset()
_TICKETS = frozenset({Role.HELPDESK})

# A member of an enum is slow to look up by its class, and these are looked at for each record in each pass.
_HELPDESK, _SIGNAL = Role.HELPDESK, Role.SIGNAL
_ENFORCE = Direction.ENFORCE
_INWARD = (Direction.BOTH, Direction.IN)
_OUTWARD = (Direction.BOTH, Direction.OUT, Direction.ENFORCE)
_TOLD, _AGREE = Why.TAGS_TOLD, Why.TAGS_AGREE


class _Shares(Struct, frozen=True):
    """The item's tags that records are to show where their filters let them pass. tickets: those of the helpdesk's."""

    all: frozenset[str]
    tickets: frozenset[str]

    def of(self, member: Member) -> frozenset[str]:
        """Those that `is_visible` lets one record show."""
        return (self.tickets if member.role is _HELPDESK else self.all) & member.accepts


def _shares(item: ItemState, rules: Rules) -> _Shares:
    keys = frozenset(item.tags)
    if rules.of(_HELPDESK).siblings:
        return _Shares(keys, keys)
    return _Shares(keys, frozenset([key for key, roles in item.tags.items() if roles - _TICKETS]))


def merge_tags(item: ItemState, members: Sequence[Member], rules: Rules) -> MergedTags:
    """Merge the tags of all members into the item's, and plan what each member gains and loses."""
    bases = {m.link: m.tag_base or _joined(item, m, members) for m in members}
    added: dict[str, list[Member]] = {}
    removed: dict[str, list[Member]] = {}
    for member in members:
        base, shown = bases[member.link], member.shown
        if base is None or shown is None or shown.tags == base.keys or not settled(member) or not _votes(member):
            continue
        for key in sorted((shown.tags - base.keys) & member.accepts):
            added.setdefault(key, []).append(member)
        if member.role is not _SIGNAL:
            for key in sorted((base.keys - shown.tags) & member.accepts):
                removed.setdefault(key, []).append(member)

    tags = dict(item.tags)
    told_again: dict[int, set[str]] = {}
    conflicts: list[Conflict] = []
    changes: list[Change] = []
    for key, removers in sorted(removed.items()):
        for role in Role:
            gone = [m for m in removers if m.role is role]
            if not gone or _is_kept(item, key, role, gone, members, bases, rules):
                continue
            if key in added and _came_with(item, key, gone, added[key]):
                (source,) = added.pop(key)
                base = bases[source.link] or TagBase()
                bases[source.link] = structs.replace(base, had=base.had | {key})
                changes.append(_change(None, key, source.link, Why.TAG_ADDED))
                changes.append(_change(key, None, gone[0].link, Why.TAG_REMOVED))
            elif key in added:
                for member in gone:
                    told_again.setdefault(member.link, set()).add(key)
                    conflicts.append(
                        Conflict(
                            kind=ConflictKind.ADD_WINS,
                            field="tags",
                            link=member.link,
                            kept=key,
                            lost="",
                            other=added[key][0].link,
                        )
                    )
            elif key in tags:
                del tags[key]
                changes.append(_change(key, None, gone[0].link, Why.TAG_REMOVED))
    for key, adders in sorted(added.items()):
        brought = tags.get(key, frozenset())
        roles = brought | {m.role for m in adders}
        if key not in tags:
            changes.append(_change(None, key, adders[0].link, Why.TAG_ADDED))
        elif roles != brought:
            new = next(m for m in adders if m.role not in brought)
            changes.append(_change(key, key, new.link, Why.TAG_BROUGHT))
        tags[key] = roles

    if changes:
        item = structs.replace(item, tags=tags)
    shares = _shares(item, rules)
    plans: dict[int, TagPlan] = {}
    for member in members:
        base = bases[member.link]
        if base is not None and base is member.tag_base and _is_at_rest(member, base, shares):
            continue
        if base is not None and member.link in told_again:
            base = structs.replace(base, had=base.had - told_again[member.link])
        plans[member.link], reverted = _plan(member, base, shares)
        if reverted:
            conflicts.extend(reverted)
    return MergedTags(tags=item.tags, plans=plans, conflicts=tuple(conflicts), changes=tuple(changes))


def _votes(member: Member) -> bool:
    return member.tag_direction in _INWARD


def _joined(item: ItemState, member: Member, members: Sequence[Member]) -> TagBase | None:
    """The tag base of a member that joins: an empty one, so that joining only ever adds; None for one not read.

    A record that a route has just created carries tags which the hub itself wrote: those are no user's, so its base
    holds them from the start. Everything else on it was brought by the tracker (its defaults, its people). What it
    carried was its source's then: until the others are known as they are now, nothing is concluded from it (None).
    Where none of them is left, nobody has taken off what it carried.
    """
    if not settled(member):
        return None
    if not _votes(member):
        shown = _NONE if member.shown is None else member.shown.tags
        return TagBase(keys=shown)
    if not member.created_by_route or member.shown is None:
        return TagBase()
    sources = [m for m in members if m.role is not member.role]
    if member.carried and sources:
        known = all(map(settled, sources))
        return TagBase(keys=member.carried, had=member.carried) if known else None
    others = frozenset[str]().union(*(m.shown.tags for m in members if m.link != member.link and m.shown is not None))
    ours = member.shown.tags & (others | item.tags.keys())
    return TagBase(keys=ours)


def _came_with(item: ItemState, key: str, gone: Sequence[Member], adders: Sequence[Member]) -> bool:
    """Whether a record that joins brings only what was carried from it to a new one, and was taken off there since.

    A record that joins can lack only what its create carried, and the source had that before. Joining is no newer word
    than the removal then. What a second record brings, or the item had already, is an addition of its own.
    """
    joining = all(member.tag_base is None for member in (*gone, *adders))
    return joining and len(adders) == 1 and key not in item.tags


def _is_kept(
    item: ItemState,
    key: str,
    role: Role,
    gone: Sequence[Member],
    members: Sequence[Member],
    bases: Mapping[int, TagBase | None],
    rules: Rules,
) -> bool:
    """Whether another record of this role shows the tag, or is about to get it."""
    for member in members:
        base = bases[member.link]
        if member.role is not role or member in gone or member.shown is None or base is None:
            continue
        if key in member.shown.tags:
            return True
        is_owed = key in item.tags and key not in base.had and is_visible(item, member, key, rules)
        writable = member.tag_direction is Direction.BOTH and role is not Role.SIGNAL and not member.shown.frozen
        if is_owed and writable:
            return True
    return False


def is_visible(item: ItemState, member: Member, key: str, rules: Rules) -> bool:
    """Whether a record is to show one of the item's tags: its filter lets it pass, and not only siblings brought it."""
    if key not in member.accepts:
        return False
    if member.role is not Role.HELPDESK or rules.of(Role.HELPDESK).siblings:
        return True
    return bool(item.tags[key] - _TICKETS)


def _is_at_rest(member: Member, base: TagBase, shares: _Shares) -> bool:
    """Whether a record that nobody touched has taken in all that it is to show, and nothing that has gone since.

    `_plan` would say the same at more length; it is so with most records in most passes.
    """
    shown, had = member.shown, base.had
    if shown is None or shown.tags != base.keys or base.owed or base.waived or member.held or not settled(member):
        return False
    if not _writable(member) or member.tag_direction is _ENFORCE:
        return False
    return shares.of(member) <= had <= shares.all and shown.tags & shares.all <= had


def _plan(member: Member, base: TagBase | None, shares: _Shares) -> tuple[TagPlan, tuple[Conflict, ...]]:
    """What one record gains and loses, and how its base moves; a base that does not move is given back as it is."""
    shown = member.shown
    if base is None or shown is None or not settled(member):
        why = Why.IN_DOUBT if member.in_doubt is not None else Why.UNREAD
        return TagPlan(base=_still_owed(member, shares), add=_NONE, remove=_NONE, why=why), ()
    # A signal's tags flicker from event to event: they count once, and their going away means nothing.
    keys = base.keys | shown.tags if member.role is _SIGNAL and _votes(member) else shown.tags
    visible = shares.of(member)
    if "tags" in member.held:
        owed = visible - base.had - shown.tags if _writable(member) else _NONE
        return TagPlan(base=structs.replace(base, keys=keys, owed=owed), add=_NONE, remove=_NONE, why=Why.HELD), ()
    shared = shown.tags & shares.all
    if not _writable(member):
        why = Why.CLOSED if shown.frozen and member.tag_direction in _OUTWARD else Why.TAGS_ONLY_READ
        return TagPlan(base=_moved(base, keys, visible | shared, _NONE, _NONE), add=_NONE, remove=_NONE, why=why), ()
    had = base.had
    conflicts: tuple[Conflict, ...] = ()
    if member.tag_direction is _ENFORCE:
        had, conflicts = _enforced(member, base, shown.tags, visible, shares.all)
    add = visible - had - shown.tags
    remove = (had & shown.tags & member.accepts) - shares.all
    had = (had & shares.all) | remove | shared
    waived = base.waived & had - shown.tags
    why = _TOLD if add or remove else _AGREE
    return TagPlan(base=_moved(base, keys, had, waived, add), add=add, remove=remove, why=why), conflicts


def _moved(
    base: TagBase, keys: frozenset[str], had: frozenset[str], waived: frozenset[str], owed: frozenset[str]
) -> TagBase:
    """The base with new halves; itself where they are the same."""
    if keys == base.keys and had == base.had and waived == base.waived and owed == base.owed:
        return base
    return TagBase(keys=keys, had=had, waived=waived, owed=owed)


def _writable(member: Member) -> bool:
    """Whether tags are ever written to it. shown: it was read."""
    frozen = member.shown is not None and member.shown.frozen
    return member.tag_direction in _OUTWARD and member.role is not _SIGNAL and not frozen


def _still_owed(member: Member, shares: _Shares) -> TagBase | None:
    """The base of a record from which nothing is concluded now. What the item says meanwhile is owed to it."""
    base = member.tag_base
    if base is None or not _writable(member):
        return base
    return structs.replace(base, owed=shares.of(member) - base.had)


def _enforced(
    member: Member, base: TagBase, shown: frozenset[str], visible: frozenset[str], known: frozenset[str]
) -> tuple[frozenset[str], tuple[Conflict, ...]]:
    """What an enforced record is taken to have had, so that its own user's edits are undone; each is named once.

    known: all tags of the item.
    """
    foreign = ((shown - base.keys) & member.accepts) - known
    taken_off = (base.keys - shown) & visible
    conflicts = tuple(
        Conflict(
            kind=ConflictKind.MIRROR_REPLACED,
            field="tags",
            link=member.link,
            kept="" if key in foreign else key,
            lost=key if key in foreign else "",
        )
        for key in sorted(foreign | taken_off)
    )
    return (base.had | foreign) - (visible - shown), conflicts


def _change(old: str | None, new: str | None, link: int, why: Why) -> Change:
    return Change(field="tags", old=old, new=new, link=link, rule=why.value)
